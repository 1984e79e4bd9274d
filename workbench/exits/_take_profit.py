"""A target on the winning side."""

from __future__ import annotations

from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.exits._base import Exit

__all__ = ["TakeProfit"]


class TakeProfit(Exit):
    """Target at a share of the price, or at a multiple of the risk.

    Parameters
    ----------
    percent : float, optional
        Distance as a share of the decision's close: 0.02 is two percent.
    multiple : float, optional
        Distance as a multiple of that to the nearest stop of the same strategy. One of the two is given; 2 x the risk
        where neither is.

    Examples
    --------
    >>> TakeProfit(percent=0.02)
    TakeProfit(percent=0.02, multiple=None)
    """

    percent: float | None = None
    multiple: float | None = None
    kind: ClassVar[Literal["stop", "target"]] = "target"

    def check(self) -> None:
        """Refuse both at once, and numbers that are not positive."""
        if self.percent is not None and self.multiple is not None:
            raise ParameterError(f"TakeProfit takes percent or multiple, not both; got {self.percent!r} and {self.multiple!r}")
        for name in ("percent", "multiple"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ParameterError(f"TakeProfit: {name} must be a positive number, got {value!r}")

    @property
    def times_risk(self) -> float | None:
        """The multiple of the stop's distance, or None where the target is a share of the price."""
        if self.percent is not None:
            return None
        return 2.0 if self.multiple is None else float(self.multiple)

    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance as a share of the closes; a multiple of the risk is made of the stop's distance by the strategy."""
        return bars.close * (self.percent if self.percent is not None else float("nan"))
