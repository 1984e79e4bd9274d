"""The port of exits."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.component import Component
from workbench.grid import round_away
from workbench.market import Market, Order

__all__ = ["Exit"]


class Exit(Component):
    """Says how far from the fill a protective order rests.

    The distance is fixed at the decision; the level is set from the fill price, rounded to the tick away from the market,
    and rests at the venue from the fill on (SEMANTICS 24-25). While it is not a positive number nothing opens.

    An exit of your own is five lines::

        class PercentStop(Exit):
            percent: float = 0.02
            def distance(self, bars):
                return self.percent * bars.close
    """

    #: Whether the level lies on the losing side ("stop") or on the winning side ("target").
    kind: ClassVar[Literal["stop", "target"]] = "stop"

    @abstractmethod
    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance from the fill price at each bar, in price units.

        Causal, like a signal. NaN: not known yet. Shape (T, N).
        """

    @property
    def lookback(self) -> int:
        """Bars before which the distance is not known."""
        return 1

    def levels(self, entry: Order, market: Market) -> float:
        """Return the price at which the protective order would rest after a fill at the entry's price or the close."""
        price = entry.price if entry.price is not None else market.price
        away = market.inputs[f"{self.kind}_distance"]
        held = entry.sign if self.kind == "stop" else -entry.sign
        return round_away(price - held * away, held, *entry.instrument.tick)
