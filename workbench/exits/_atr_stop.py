"""A stop at a multiple of the average true range."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit

__all__ = ["AtrStop"]


class AtrStop(Exit):
    """Stop at a multiple of the average true range of the decision's bar.

    Parameters
    ----------
    window : int, default 14
        Bars.
    multiple : float, default 2
    average : {"wilder", "simple"}, default "wilder"
        How the true ranges are averaged (`workbench.indicators.atr`).

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> AtrStop(14, 2.0)
    AtrStop(window=14, multiple=2.0, average='wilder')
    """

    window: int = 14
    multiple: float = 2.0
    average: Literal["wilder", "simple"] = "wilder"

    def check(self) -> None:
        """Refuse an empty window and a multiple that is not positive."""
        if self.window < 1:
            raise ParameterError(f"AtrStop: window must be at least 1 bar, got {self.window}")
        if not 0 < self.multiple < float("inf"):
            raise ParameterError(f"AtrStop: multiple must be a positive number, got {self.multiple!r}")

    @property
    def lookback(self) -> int:
        """Bars before which the average is not known, or still depends on the first bars by more than 1e-9."""
        return indicators.atr_lookback(self.window, self.average)

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return multiple x average true range, shape (T, N); NaN in the first `window` - 1 bars and at holes."""
        return bars.laid_out(indicators.atr(bars, self.window, self.average).to_numpy() * self.multiple)
