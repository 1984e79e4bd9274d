"""A stop at a share of the price, or at a number of price units."""

from __future__ import annotations

import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit, require_one_way

__all__ = ["StopLoss"]

#: The share of the price where nothing is said.
USUAL = 0.02


class StopLoss(Exit):
    """Stop at a share of the price, or so many price units away.

    Parameters
    ----------
    percent : float, optional
        Distance as a share of the decision's close, below 1: 0.02 is two percent, which it is where neither is given.
    price : float, optional
        Distance in price units: 0.0050 is 50 pips of EURUSD.

    Examples
    --------
    >>> StopLoss(percent=0.05)
    StopLoss(percent=0.05, price=None)
    """

    percent: float | None = None
    price: float | None = None

    def check(self) -> None:
        """Refuse both at once, numbers that are not positive, and a share that leaves no price."""
        require_one_way(self, "percent", "price")
        if self.percent is not None and self.percent >= 1:
            raise ParameterError(f"StopLoss: percent is a share of the price below 1 (0.02 = two percent), got {self.percent!r}")

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance at each close, shape (T, N)."""
        if self.price is not None:
            return bars.close * 0.0 + self.price
        return bars.close * (USUAL if self.percent is None else self.percent)
