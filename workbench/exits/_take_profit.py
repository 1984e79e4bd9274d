"""A target on the winning side."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.exits._base import Exit, require_one_way

__all__ = ["TakeProfit"]


class TakeProfit(Exit):
    """Target at a share of the price, at a multiple of the risk, or so many price units away.

    Parameters
    ----------
    percent : float, optional
        Distance as a share of the decision's close: 0.02 is two percent.
    multiple : float, optional
        Distance as a multiple of that to the nearest stop of the same strategy; 2 x the risk where nothing is given.
    price : float, optional
        Distance in price units.

    Examples
    --------
    >>> TakeProfit(percent=0.02)
    TakeProfit(percent=0.02, multiple=None, price=None)
    """

    percent: float | None = None
    multiple: float | None = None
    price: float | None = None
    kind: ClassVar[Literal["stop", "target", "trail", "even", "time"]] = "target"

    def check(self) -> None:
        """Refuse two distances at once, and numbers that are not positive."""
        require_one_way(self, "percent", "multiple", "price")

    @property
    def times_risk(self) -> float | None:
        """The multiple of the stop's distance, or None where the target has a distance of its own."""
        if self.percent is not None or self.price is not None:
            return None
        return 2.0 if self.multiple is None else float(self.multiple)

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance at each close, shape (T, N); a multiple of the risk is made of the stop's distance by the strategy."""
        if self.price is not None:
            return bars.close * 0.0 + self.price
        return bars.close * (self.percent if self.percent is not None else float("nan"))
