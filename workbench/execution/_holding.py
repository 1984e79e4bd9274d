"""What is held of one instrument at the paper venue, and what rests for it: how each fill changes both (SEMANTICS 24-27)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.execution._depth import Depth, Till
from workbench.execution._offers import Waits
from workbench.execution.costs import Costs
from workbench.execution.fills import nearer, stop_level, target_level
from workbench.execution.port import Ending, OrderAccepted, OrderAmended, OrderEnded, OrderFilled
from workbench.grid import lots_exactly, quantity_of
from workbench.instrument import Instrument
from workbench.market import Fill, Order, OrderKey, Side
from workbench.money import average_of, cash_after

__all__ = ["ORDERS", "Holding"]

ORDERS = ("opening", "closing", "stop", "target")


class Holding:
    """The position of one instrument of an account, and its orders.

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

    __slots__ = (
        "average", "basis", "closing", "closing_ready", "depth", "entry", "instrument", "j", "limit_entry", "lots", "opening",
        "opening_left", "opening_since", "opening_waits", "spec", "stop", "target", "target_tried", "till", "triggered",
    )  # fmt: skip

    def __init__(self, till: Till, j: int, instrument: Instrument, spec: Any, costs: Costs) -> None:
        self.till, self.j, self.instrument, self.spec = till, j, instrument, spec
        self.depth = Depth(till, j, instrument, spec, costs)
        self.lots = 0
        #: What cash is booked against: 0 where the whole price is paid, else the average price; and that price.
        self.basis = self.average = 0.0
        #: The opening that what is held came from: another part of it adds to it.
        self.entry: OrderKey | None = None
        self.opening: Order | None = None
        self.opening_left = 0
        self.opening_since = 0
        self.opening_waits = Waits()
        self.closing: Order | None = None
        self.closing_ready = 0
        self.stop: Order | None = None
        self.target: Order | None = None
        self.limit_entry = -1
        #: The row whose open has shown already how much of the target it fills.
        self.target_tried = -1
        #: Whether the stop was reached: what is left of it goes at market.
        self.triggered = False

    @property
    def busy(self) -> bool:
        """Whether the next bar can do anything here."""
        return self.opening is not None or self.stop is not None or self.closing is not None or self.target is not None

    @property
    def orders(self) -> list[Order]:
        """All that rests."""
        return [order for order in (self.opening, self.closing, self.stop, self.target) if order is not None]

    @property
    def quantity(self) -> float:
        """What is held, signed."""
        return self.quantity_of(self.lots)

    @property
    def staying(self) -> float:
        """What is held beside what is being closed, without its sign."""
        return self.quantity_of(abs(self.lots) - (0 if self.closing is None else self._closed_by(self.closing)))

    def quantity_of(self, lots: int) -> float:
        """Return steps as a quantity."""
        return quantity_of(lots, self.spec.number, self.spec.power)

    @property
    def _held(self) -> float:
        return 1.0 if self.lots > 0 else -1.0

    # -- how much, and at what price ------------------------------------------------------------------------------------

    def _steps(self, order: Order) -> int:
        """Return the steps of an order."""
        return lots_exactly(order.quantity, self.spec.number, self.spec.power)

    def _closed_by(self, order: Order) -> int:
        """Return how many steps of what is held an order is to close."""
        return min(self._steps(order), abs(self.lots))

    def _wanted(self, order: Order) -> int:
        """Return how many steps of an order fill in this bar."""
        return self.depth.room(self._closed_by(order) if order.reduce_only else self._steps(order))

    # -- fills --------------------------------------------------------------------------------------------------------

    def _end_opening(self, status: Ending) -> None:
        order, self.opening = self.opening, None
        if order is not None and order.key is not None:
            self.till.tell(OrderEnded(order.key, status, self.till.label))

    def _enter(self, order: Order, price: float, lots: int, maker: bool = False) -> None:
        """Fill so many steps of an opening, and rest its protective orders."""
        assert order.key is not None
        adds = order.key.leg == "add"
        if adds != bool(self.lots) and not self._continues(order.key):  # an opening is for a flat instrument, an addition for a held one
            self._end_opening("rejected")
            return
        asked = self._steps(order)
        self.opening_since = self.till.row
        if not lots:
            return
        more, before = bool(self.lots), self.quantity
        come = self._book(order, lots * order.sign, price, 0.0 if self.spec.funded else price, asked - lots, maker)
        average = average_of(before, self.average, self.quantity_of(come), price)
        self.average, self.basis = average, 0.0 if self.spec.funded else average
        self.lots = self.lots + come
        self.opening = self._rest_of(order, asked - lots)
        self.entry = self.entry if more else order.key
        if not self.lots:
            return  # all of it is dust: there is nothing to protect
        if more:
            self._follow(order)
            return
        self.stop = self._protect(order, "stop") if order.stop_distance is not None else None
        self.target = self._protect(order, "target") if order.target_distance is not None else None
        if self.target is not None:
            self.depth.queue_up("target")

    def _continues(self, key: OrderKey) -> bool:
        """Whether an opening is another part of what is held: of the same decision."""
        entry = self.entry
        return entry is not None and (entry.label, entry.leg) == (key.label, key.leg)

    def _rest_of(self, order: Order, lots: int) -> Order | None:
        """Return what of an order goes on working."""
        return replace(order, quantity=self.quantity_of(lots)) if lots else None

    def _level(self, entry: Order, leg: str) -> float:
        """Return where a protective order belongs: at its distance from the average price of what is held."""
        level, away = (stop_level, entry.stop_distance) if leg == "stop" else (target_level, entry.target_distance)
        assert away is not None
        return level(float(entry.sign), self.average, away, self.spec.tick_number, self.spec.tick_power)

    def _protect(self, entry: Order, leg: str) -> Order:
        """Rest a protective order for what is held."""
        assert entry.key is not None
        side: Side = "sell" if entry.side == "buy" else "buy"
        key, kind = replace(entry.key, leg=leg, child=0), "stop" if leg == "stop" else "limit"
        quantity, level = self.quantity_of(abs(self.lots)), self._level(entry, leg)
        order = Order(entry.instrument, side, quantity, kind, level, key, reduce_only=True, reason=f"{leg} of the entry")
        self.till.tell(OrderAccepted(order, entry.key))
        return order

    def _follow(self, entry: Order | None = None) -> None:
        """Have stop and target stand for what is held (SEMANTICS 27); with another part of its entry, at their distance from the average.

        A stop that has moved on does not come back.
        """
        quantity = self.quantity_of(abs(self.lots))
        for leg, away in (("stop", entry and entry.stop_distance), ("target", entry and entry.target_distance)):
            order = getattr(self, leg)
            if order is None or order.key is None or order.price is None:
                continue
            price = order.price
            if entry is not None and away is not None:
                level = self._level(entry, leg)
                price = level if leg == "target" else nearer(self._held, price, level)
            setattr(self, leg, replace(order, quantity=quantity, price=price))
            if entry is not None and leg == "target":
                self.depth.queue_up(leg)  # a larger order, or one at another price, has lost its place
            self.till.tell(OrderAmended(order.key, price, self.till.label, quantity))

    def _leave(self, order: Order, price: float, lots: int, maker: bool = False) -> None:
        """Fill what closes a position, or so many steps of it; what else is there to close it, or to add to it, goes with it."""
        if lots < abs(self.lots):
            if lots:
                self._part(order, price, lots, maker)
            elif order is self.stop:
                self._reached(order)
            return
        key = None if self.opening is None else self.opening.key
        goes_with_it = key is not None and (key.leg == "add" or self._continues(key))
        self._book(order, -self.lots, price, self.basis, 0, maker)
        self.lots, self.entry, self.triggered = 0, None, False
        if goes_with_it:
            self._end_opening("cancelled")
        for other in (self.closing, self.stop, self.target):
            if other is not None and other is not order and other.key is not None:
                self.till.tell(OrderEnded(other.key, "cancelled", self.till.label))
        self.closing = self.stop = self.target = None

    def _part(self, order: Order, price: float, lots: int, maker: bool) -> None:
        """Fill a part of what makes a position smaller; what is left of the order goes on, and the others stand for what is held."""
        left = self._closed_by(order) - lots
        self._book(order, lots * order.sign, price, self.basis, left, maker)
        self.lots += lots * order.sign
        if order is self.closing:
            self.closing = self._rest_of(order, left)
        else:
            self._reached(order)
        self._follow()

    def _reached(self, order: Order) -> None:
        """Note that the price has come to what protects the position: its entry is over, and a stop goes at market from here on."""
        self.triggered = self.triggered or order is self.stop
        if self.opening is not None and self.opening.key is not None and self._continues(self.opening.key):
            self._end_opening("cancelled")

    def _book(self, order: Order, lots: int, price: float, basis: float, left: int, maker: bool) -> int:
        """Book a fill of so many signed steps, of which so many are left; return by how many the position changes."""
        assert order.key is not None
        till, quantity, unit = self.till, self.quantity_of(lots), self.till.tape.unit[self.j]
        self.depth.take(abs(lots))
        withheld = self.depth.withheld(order, quantity, maker)
        fee = (withheld * price) * unit if withheld else self.depth.fee(quantity, price, unit, maker)
        till.cash = cash_after(till.cash, quantity, price, basis, unit, 0.0 if withheld else fee)
        still = self.quantity_of(left) if left else 0.0
        fill = Fill(order.key, order.instrument, order.side, abs(quantity), price, fee, till.label, left=still, withheld=withheld)
        till.tell(OrderFilled(fill))
        return till.dust.bought(self.j, lots, withheld, (self.spec.number, self.spec.power)) if withheld else lots
