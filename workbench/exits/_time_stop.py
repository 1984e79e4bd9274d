"""An exit after so many bars."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit

__all__ = ["TimeStop"]


class TimeStop(Exit):
    """Closes a position that has lasted so many of its instrument's bars: decided at the close of the last, filled at the next open.

    The bar of the entry is the first. No re-entry until the stance changes (SEMANTICS 10).

    Parameters
    ----------
    bars : int, default 20

    Examples
    --------
    >>> TimeStop(5)
    TimeStop(bars=5)
    """

    bars: int = 20
    kind: ClassVar[Literal["stop", "target", "trail", "even", "time"]] = "time"

    def check(self) -> None:
        """Refuse less than one bar."""
        if self.bars < 1:
            raise ParameterError(f"TimeStop: bars must be at least 1, got {self.bars}")

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the number of bars at each bar, shape (T, N)."""
        return bars.close * 0.0 + float(self.bars)
