"""A stop that moves to the entry once the price has run far enough."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit, require_one_way

__all__ = ["BreakEven"]


class BreakEven(Exit):
    """Moves the stop of the same strategy to the entry price, once a close lies far enough on the winning side.

    It moves at that close and holds from the next bar on (SEMANTICS 25); a stop that is nearer already stays.

    Parameters
    ----------
    multiple : float, optional
        How far, as a multiple of the distance to the nearest stop; 1 where nothing is given.
    percent : float, optional
        How far, as a share of the decision's close.
    price : float, optional
        How far, in price units.
    plus : float, default 0
        The stop goes so much beyond the entry, as a share of the entry price: 0.002 pays for 20 basis points of costs.

    Examples
    --------
    >>> BreakEven(multiple=1.5).times_risk
    1.5
    """

    multiple: float | None = None
    percent: float | None = None
    price: float | None = None
    plus: float = 0.0
    kind: ClassVar[Literal["stop", "target", "trail", "even", "time"]] = "even"

    def check(self) -> None:
        """Refuse two distances at once, numbers that are not positive, and a negative share."""
        require_one_way(self, "multiple", "percent", "price")
        if not 0 <= self.plus < 1:
            raise ParameterError(f"BreakEven: plus is a share of the entry price from 0 to below 1, got {self.plus!r}")

    @property
    def times_risk(self) -> float | None:
        """The multiple of the stop's distance, or None where the way has a distance of its own."""
        if self.percent is not None or self.price is not None:
            return None
        return 1.0 if self.multiple is None else float(self.multiple)

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return how far at each close, shape (T, N); a multiple of the risk is made of the stop's distance by the strategy."""
        if self.price is not None:
            return bars.close * 0.0 + self.price
        return bars.close * (float("nan") if self.percent is None else self.percent)
