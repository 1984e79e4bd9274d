"""What the bar that is looked at has for the orders of one instrument: room, a price that moves, a queue, a fee."""

from __future__ import annotations

from typing import Any, Protocol

from workbench.dust import Dust
from workbench.execution.costs import Costs
from workbench.execution.liquidity import against, beyond, impact_of, room_in, usual
from workbench.execution.port import VenueEvent
from workbench.grid import lots_of, quantity_of
from workbench.instrument import Instrument
from workbench.market import Order
from workbench.money import fee_of, slipped

__all__ = ["Depth", "Taken", "Till"]


class Taken:
    """How much of a bar's volume orders have taken: one tally for all columns in which an instrument is traded.

    Examples
    --------
    >>> taken = Taken()
    >>> taken.add(row=7, lots=3)
    >>> taken.of(7), taken.of(8)
    (3, 0)
    """

    __slots__ = ("_lots", "_row")

    def __init__(self) -> None:
        self._row, self._lots = -1, 0

    def of(self, row: int) -> int:
        """Return the steps that were taken of the bar of a row."""
        return self._lots if row == self._row else 0

    def add(self, row: int, lots: int) -> None:
        """Take so many steps more."""
        self._row, self._lots = row, self.of(row) + lots


class Till(Protocol):
    """The account that a desk books into: its cash, its dust, what it has taken of each bar, and what it has to tell."""

    cash: float
    dust: Dust
    tape: Any
    row: int
    taken: dict[str, Taken]

    @property
    def label(self) -> int:
        """The label of the bar that is looked at."""

    def tell(self, event: VenueEvent) -> None:
        """Keep what happened for whoever asks."""


class Depth:
    """One instrument's market, as its costs say.

    Parameters
    ----------
    till : Till
    j : int
        The number of the instrument.
    instrument : Instrument
    spec : Any
        It and its costs in plain numbers (`workbench.spec`).
    costs : Costs
    """

    __slots__ = ("_ahead", "_taken", "_usual", "costs", "j", "piece", "priced", "spec", "till")

    def __init__(self, till: Till, j: int, instrument: Instrument, spec: Any, costs: Costs) -> None:
        self.till, self.j, self.spec, self.costs = till, j, spec, costs
        self._usual = Costs().numbers(instrument)[3:5]
        #: Whether prices are those of the other side already, so that no spread is paid on top.
        self.priced = False
        #: What share of a bar's volume is looked at: all of it, or of one tick that of all others.
        self.piece = 1.0
        self._taken = till.taken.setdefault(instrument.traded_as, Taken())
        #: What stands before each limit that rests, as a quantity.
        self._ahead: dict[str, float] = {}

    def room(self, lots: int) -> int:
        """Return how many of so many steps the bar still has room for: all of them where nobody asks how much is traded."""
        share = self.costs.participation
        if share is None:
            return lots
        return min(lots, max(self._lots(room_in(self._volume, share)) - self._taken.of(self.till.row), 0))

    def take(self, lots: int) -> None:
        """Take so many steps of the bar's volume."""
        self._taken.add(self.till.row, lots)

    def queue_up(self, name: str) -> None:
        """Have a limit stand at the end of the queue at its price: before it, so much of what is traded in a usual bar."""
        if self.costs.queue:
            tape = self.till.tape
            _, volume = usual(tape.close[self.j], tape.volume[self.j], self.till.row + 1, tape.first)
            self._ahead[name] = self.costs.queue * volume if volume == volume else 0.0

    def room_in_the_queue(self, name: str, lots: int, price: float, side: float, high: float, low: float) -> int:
        """Return how many steps of a limit the bar fills that has traded through it: what stood before it goes first."""
        if not self.costs.queue:
            return self.room(lots)
        traded, ahead = self._volume * self.piece * beyond(price, side, high, low), self._ahead.get(name, 0.0)
        self._ahead[name] = max(ahead - traded, 0.0)
        left = self._lots(max(traded - ahead, 0.0))  # of a tick; of a whole bar without what others of the account have taken
        return min(self.room(lots), left if self.piece < 1.0 else max(left - self._taken.of(self.till.row), 0))

    def slipped(self, price: float, side: float, lots: int) -> float:
        """Return what a fill of so many steps at market costs: moved against it by the slippage, and by its own weight."""
        spec, tape, moved = self.spec, self.till.tape, 0.0
        if self.costs.impact:
            volatility, volume = usual(tape.close[self.j], tape.volume[self.j], self.till.row, tape.first)
            weight = quantity_of(lots + self._taken.of(self.till.row), spec.number, spec.power)  # on top of what has gone before it
            moved = against(side, impact_of(self.costs.impact, weight, volatility, volume))
        price = self.other_side(price, side)
        return slipped(price, side, moved, 0.0) if moved else price

    def other_side(self, price: float, side: float) -> float:
        """Return what a fill at market costs before its own weight: the price moved against it by the slippage."""
        if self.priced:
            return price
        rate, offset = self._half_a_spread if self.costs.quoted else (0.0, 0.0)
        return slipped(price, side, self.spec.slip_rate + rate, self.spec.slip_offset + offset)

    @property
    def _half_a_spread(self) -> tuple[float, float]:
        """Half of the spread that was last known before the bar, else the usual slippage: a share of the price, and so much of it."""
        tape = self.till.tape
        half = 0.5 * (self.costs.quoted or 0.0) * tape.spread[self.j][max(self.till.row - 1, tape.first)]
        return (0.0, max(half, 0.0)) if half == half else self._usual

    def fee(self, quantity: float, price: float, unit: float, maker: bool) -> float:
        """Return the fee of a fill in account currency: the maker's, where there is one, of a limit that rested."""
        spec, share = self.spec, self._share(maker)
        if share < 0.0:  # a rebate: no least fee stands against it
            return abs((quantity * price) * unit) * share + abs(quantity) * (spec.fee_unit * (unit / spec.multiplier))
        return fee_of(quantity, price, unit, spec.multiplier, share, spec.fee_unit, spec.fee_minimum, spec.fee_most)

    def withheld(self, order: Order, quantity: float, maker: bool) -> float:
        """Return what of a purchase the venue keeps as its fee, to 8 decimals; 0 where the fee is paid in money."""
        if not self.costs.in_base or order.reduce_only or order.side == "sell":
            return 0.0
        return round(abs(quantity) * max(self._share(maker), 0.0), 8)

    def _share(self, maker: bool) -> float:
        """Return the commission as a share of what is traded: the maker's, where there is one, of a limit that rested."""
        rate: float = self.spec.fee_rate if self.costs.maker is None or not maker else self.costs.maker
        return rate

    @property
    def _volume(self) -> float:
        volume: float = self.till.tape.volume[self.j][self.till.row]
        return volume if volume > 0.0 else 0.0

    def _lots(self, quantity: float) -> int:
        return lots_of(quantity, self.spec.number, self.spec.power)
