"""A stop that follows the price."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit, require_one_way

__all__ = ["TrailingStop"]

#: Average true ranges where nothing is said.
USUAL = 3.0


class TrailingStop(Exit):
    """Stop that follows the best price since the entry, and never goes back.

    The distance is fixed at the decision. The stop begins so far from the fill; once per closed bar it moves up to the same
    distance from the best price so far, and holds from the next bar on, live too (SEMANTICS 25). In the bar of a limit entry the
    close counts, for whether its high came before the fill nobody knows.

    Parameters
    ----------
    multiple : float, optional
        Distance in average true ranges of the decision's bar (Wilder's); 3 where nothing is given.
    percent : float, optional
        Distance as a share of the decision's close, below 1.
    price : float, optional
        Distance in price units.
    window : int, default 14
        Bars of the average true range.
    of : {"extreme", "close"}, default "extreme"
        Whether it follows the highest high (of a short, the lowest low), or the best close.

    References
    ----------
    Le Beau, C. and Lucas, D. (1992). Technical Traders Guide to Computer Analysis of the Futures Market (the chandelier exit).

    Examples
    --------
    >>> TrailingStop(percent=0.05).lookback
    1
    >>> TrailingStop(multiple=3, window=10).lookback > 10
    True
    """

    multiple: float | None = None
    percent: float | None = None
    price: float | None = None
    window: int = 14
    of: Literal["extreme", "close"] = "extreme"
    kind: ClassVar[Literal["stop", "target", "trail", "even", "time"]] = "trail"

    def check(self) -> None:
        """Refuse two distances at once, numbers that are not positive, and a share that leaves no price."""
        require_one_way(self, "multiple", "percent", "price")
        if self.percent is not None and self.percent >= 1:
            raise ParameterError(f"TrailingStop: percent is a share of the price below 1 (0.05 = five percent), got {self.percent!r}")
        if self.window < 1:
            raise ParameterError(f"TrailingStop: window must be at least 1 bar, got {self.window}")

    @property
    def lookback(self) -> int:
        """That of the average true range, where it is one."""
        return indicators.atr_lookback(self.window) if self.percent is None and self.price is None else 1

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance at each close, shape (T, N); NaN while the average true range is not known."""
        if self.percent is not None:
            return bars.close * self.percent
        if self.price is not None:
            return bars.close * 0.0 + self.price
        return indicators.atr(bars, self.window) * (USUAL if self.multiple is None else self.multiple)
