"""The port of exits."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

import pandas as pd

from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import ParameterError
from workbench.grid import round_away
from workbench.market import Market, Order

__all__ = ["Exit", "require_one_way"]


class Exit(Component):
    """Says how far from the fill a protective order rests, and what moves or ends it.

    The distance is fixed at the decision; the level is set from the fill price, rounded to the tick away from the market,
    and rests at the venue from the fill on (SEMANTICS 24-25). While it is not a positive number nothing opens.

    An exit of your own is five lines::

        class PercentStop(Exit):
            percent: float = 0.02
            def distance(self, bars):
                return self.percent * bars.close
    """

    #: What the number of `distance` is: how far the level lies on the losing side (``"stop"``) or on the winning side (``"target"``);
    #: how far a stop follows the best price (``"trail"``); how far the price has to run before the stop moves to the entry
    #: (``"even"``); after how many bars the position is closed (``"time"``).
    kind: ClassVar[Literal["stop", "target", "trail", "even", "time"]] = "stop"

    @abstractmethod
    def distance(self, bars: Bars) -> pd.DataFrame:
        """Return the distance from the fill price at each bar, in price units; of a time exit, bars.

        Causal, like a signal. NaN: not known yet. Shape (T, N).
        """

    @property
    def lookback(self) -> int:
        """Bars before which the distance is not known."""
        return 1

    @property
    def times_risk(self) -> float | None:
        """The multiple of the distance to the nearest stop that this one is; None where it has a distance of its own."""
        return None

    def levels(self, entry: Order, market: Market) -> float:
        """Return the price at which the protective order would rest after a fill at the entry's price or the close.

        Of a trailing stop where it begins, of a break-even move where it sets in; NaN of a time exit, which has no price.
        """
        if self.kind == "time":
            return float("nan")
        price = entry.price if entry.price is not None else market.price
        away = market.inputs[f"{self.kind}_distance"]
        held = entry.sign if self.kind in ("stop", "trail") else -entry.sign
        return round_away(price - held * away, held, *entry.instrument.tick)


def require_one_way(part: Exit, *names: str) -> None:
    """Refuse two ways to say a distance at once, and numbers that are not positive."""
    given = {name: getattr(part, name) for name in names if getattr(part, name) is not None}
    if len(given) > 1:
        ways, values = " or ".join([", ".join(names[:-1]), names[-1]]), " and ".join(f"{name}={value!r}" for name, value in given.items())
        raise ParameterError(f"{type(part).__name__} takes one of {ways}, got {values}")
    for name, value in given.items():
        if not 0 < value < float("inf"):
            raise ParameterError(f"{type(part).__name__}: {name} must be a positive number, got {value!r}")
