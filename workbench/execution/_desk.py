"""What rests at the paper venue for one instrument, what is held of it, and how a bar fills it (SEMANTICS 23-27)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.execution._depth import Depth, Till
from workbench.execution._offers import Offer, Waits, at_the_open, inside, set_off_at_open, set_off_inside
from workbench.execution.costs import Costs
from workbench.execution.fills import limit_at_open, limit_inside, nearer, stop_at_open, stop_inside, stop_level, target_level, too_old
from workbench.execution.port import Ending, OrderAccepted, OrderAmended, OrderEnded, OrderFilled
from workbench.grid import lots_exactly, quantity_of
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.market import Fill, Order, OrderKey, Side
from workbench.money import average_of, cash_after

__all__ = ["Desk"]

ORDERS = ("opening", "closing", "stop", "target")


class Desk:
    """One instrument of an account.

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
        "opening_left", "opening_since", "opening_waits", "spec", "stop", "target", "till", "triggered",
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
    def kept(self) -> float:
        """What is held and not on its way out, without its sign."""
        closes = self.closing is not None and self.closing.key is not None and self.closing.key.leg != "trim"
        return 0.0 if closes else abs(self.quantity)

    def quantity_of(self, lots: int) -> float:
        """Return steps as a quantity."""
        return quantity_of(lots, self.spec.number, self.spec.power)

    @property
    def _due_target(self) -> Order | None:
        """The target, but in the bar of a limit entry (SEMANTICS 24)."""
        return self.target if self.limit_entry != self.till.row else None

    @property
    def now(self) -> int:
        """The moment that orders must have come by: where nothing is known of the inside of a bar, its open."""
        return self.till.label

    @property
    def _held(self) -> float:
        return 1.0 if self.lots > 0 else -1.0

    # -- orders -------------------------------------------------------------------------------------------------------

    def take(self, order: Order) -> None:
        """Rest an opening or a closing until the instrument's next bar."""
        self.till.tell(OrderAccepted(order))
        if order.reduce_only and not self.lots:  # a protective order was quicker: there is nothing left to close
            assert order.key is not None
            self.till.tell(OrderEnded(order.key, "cancelled", self.till.label))
        elif order.reduce_only:
            self.closing, self.closing_ready = order, self._arrives()
        else:
            self.opening, self.opening_left, self.opening_since = self._followed(order), order.bars, self.till.row
            self.opening_waits = Waits(self._arrives())
            self.depth.queue_up("opening")

    def _arrives(self) -> int:
        """Return from when on the venue has an order that is sent now: 0 where it has it at once."""
        latency, interval = self.depth.costs.latency, self.till.tape.interval
        if not latency or self.till.row < 0 or interval >= DAY:  # a day's decision is there long before the next session
            return 0
        return self.till.label + interval + int(latency * 1e9)

    def _followed(self, order: Order) -> Order:
        """Return an order whose stop follows the price at where it stands now: at its distance from the last price."""
        if order.type != "trailing_stop" or order.price is not None:
            return order
        assert order.trail is not None
        held, last = -float(order.sign), self.till.tape.price[self.j]
        return replace(order, price=stop_level(held, last, order.trail, self.spec.tick_number, self.spec.tick_power))

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off; whether it was there."""
        for name in ORDERS:
            order = getattr(self, name)
            if order is not None and order.key == key:
                setattr(self, name, None)
                self.till.tell(OrderEnded(key, "cancelled", self.till.label))
                return True
        return False

    def amend(self, key: OrderKey, price: float) -> bool:
        """Have a stop or target work at another price; whether it was there."""
        for name in ("stop", "target"):
            order = getattr(self, name)
            if order is not None and order.key == key:
                setattr(self, name, replace(order, price=price))
                self.till.tell(OrderAmended(key, price, self.till.label))
                return True
        return False

    # -- a bar, phase by phase ----------------------------------------------------------------------------------------

    def close_at_open(self, first: float) -> None:
        """Fill what closes at market."""
        if self.closing is not None and self.now >= self.closing_ready:
            lots = self._wanted(self.closing)
            self._leave(self.closing, self.depth.slipped(first, -self._held, lots), lots)

    def open_at_open(self, first: float) -> None:
        """Fill an opening at market, or one whose price the bar opens beyond; let one go that has waited for too long."""
        order, till, waits = self.opening, self.till, self.opening_waits
        if order is None or self.now < waits.ready:
            return
        if too_old(till.tape.waited(self.j, self.opening_since, till.row), till.tape.interval):
            self._end_opening("expired")
        elif waits.is_over(order, self.now):
            self._end_opening("lapsed")
        elif self.lots and self.closing is not None:
            return  # what is held is being closed in parts: it waits
        else:
            self._offer_the_open(order, first, waits.meets(till.label))

    def _offer_the_open(self, order: Order, first: float, arrives: bool) -> None:
        """Fill an opening by a bar's open, as far as its type and time in force let it."""
        offer = at_the_open(order, first, self.opening_waits.off)
        if offer is not None and order.post_only and arrives:
            self._end_opening("rejected")  # it would take what is there
            return
        self.opening_waits.off = self.opening_waits.off or set_off_at_open(order, first)
        if offer is not None and not (order.time_in_force == "fok" and self._wanted(order) < self._steps(order)):
            self.limit_entry = self.till.row if order.type == "limit" else self.limit_entry
            self._take_offer(order, offer, maker=order.type == "limit" and not arrives)
        if self.opening is not None and order.time_in_force in ("ioc", "fok"):
            self._end_opening("lapsed")

    def _take_offer(self, order: Order, offer: Offer, maker: bool) -> None:
        side = float(order.sign)
        price = self.depth.slipped(offer.price, side, self._wanted(order)) if offer.slips else offer.price
        if offer.allows(price, side):  # else it rests at its limit by now
            self._enter(order, price, maker)

    def take_profit_at_open(self, first: float) -> None:
        """Fill a target that the bar opens beyond."""
        target = self._due_target
        if target is not None and target.price is not None and limit_at_open(-self._held, target.price, first):
            self._leave(target, first, self.depth.room(abs(self.lots)), maker=True)

    def stop_at_open(self, first: float) -> None:
        """Fill a stop that the bar opens beyond."""
        stop = self.stop
        if stop is not None and stop.price is not None and (self.triggered or stop_at_open(self._held, stop.price, first)):
            self._stopped(stop, first)

    def inside(self, high: float, low: float) -> None:
        """Fill what the bar reaches: a limit entry, then the stop, else the target."""
        self._enter_inside(high, low)
        if not self.lots:
            return
        held, stop, target = self._held, self.stop, self._due_target
        if stop is not None and stop.price is not None and stop_inside(held, stop.price, high, low):
            self._stopped(stop, stop.price)
        elif target is not None and target.price is not None and limit_inside(-held, target.price, high, low):
            lots = self.depth.room_in_the_queue("target", abs(self.lots), target.price, -held, high, low)
            self._leave(target, target.price, lots, maker=True)

    def wait(self) -> None:
        """Let an opening go whose instrument has had no bar for too long."""
        if self.opening is not None:
            tape = self.till.tape
            if too_old(tape.waited(self.j, self.opening_since, self.till.row) + 1, tape.interval):
                self._end_opening("expired")

    def _enter_inside(self, high: float, low: float) -> None:
        order, waits = self.opening, self.opening_waits
        if order is None or order.type == "market" or self.till.label < waits.ready:
            return
        ends = order.good_until is not None and self.till.label + self.till.tape.interval > order.good_until
        offer = None if ends else inside(order, high, low, waits.off)  # nobody knows what came before its time was over
        if offer is not None and not (self.lots and self.closing is not None):  # else what is held is being closed in parts
            self.limit_entry = self.till.row
            self._in_the_queue(order, offer, high, low)
        waits.off = waits.off or set_off_inside(order, high, low)
        self._bar_over(high, low, ends)

    def _bar_over(self, high: float, low: float, over: bool) -> None:
        """Let an opening that waits for its price be a bar older: what follows the price does, and it may be over."""
        if self.opening is not None:
            self.opening = self._trailed(self.opening, high, low)
            self.opening_since = self.till.row
            self.opening_left -= 1
            if self.opening_left == 0 or over:
                self._end_opening("lapsed")

    def _in_the_queue(self, order: Order, offer: Offer, high: float, low: float) -> None:
        """Fill an opening inside a bar: a limit as far as it comes to its turn."""
        if offer.slips:
            self._take_offer(order, offer, maker=False)
            return
        side = float(order.sign)
        lots = self.depth.room_in_the_queue("opening", self._steps(order), offer.price, side, high, low)
        if lots:
            self._enter(order, offer.price, maker=True, most=lots)

    def _trailed(self, order: Order, high: float, low: float) -> Order:
        """Return an order whose stop follows the price at where a bar has brought it: from the next bar on (SEMANTICS 25)."""
        if order.type != "trailing_stop" or order.trail is None or order.price is None:
            return order
        held = -float(order.sign)
        level = stop_level(held, high if held > 0 else low, order.trail, self.spec.tick_number, self.spec.tick_power)
        return replace(order, price=nearer(held, order.price, level))

    def _stopped(self, stop: Order, price: float) -> None:
        lots = self.depth.room(abs(self.lots))
        self._leave(stop, self.depth.slipped(price, -self._held, lots), lots)

    # -- how much, and at what price ------------------------------------------------------------------------------------

    def _steps(self, order: Order) -> int:
        """Return the steps of an order."""
        return lots_exactly(order.quantity, self.spec.number, self.spec.power)

    def _wanted(self, order: Order) -> int:
        """Return how many steps of an order fill in this bar; what closes takes all that is held, what trims no more than that."""
        held, lots = abs(self.lots), self._steps(order)
        trims = order.key is not None and order.key.leg == "trim"
        return self.depth.room(lots if not order.reduce_only else min(lots, held) if trims else held)

    # -- fills --------------------------------------------------------------------------------------------------------

    def _end_opening(self, status: Ending) -> None:
        order, self.opening = self.opening, None
        if order is not None and order.key is not None:
            self.till.tell(OrderEnded(order.key, status, self.till.label))

    def _enter(self, order: Order, price: float, maker: bool = False, most: int | None = None) -> None:
        """Fill an opening, or as much of it as the bar has room for, and rest its protective orders."""
        assert order.key is not None
        adds = order.key.leg == "add"
        if adds != bool(self.lots) and not self._continues(order.key):  # an opening is for a flat instrument, an addition for a held one
            self._end_opening("rejected")
            return
        asked, lots = self._steps(order), self._wanted(order) if most is None else most
        self.opening_since = self.till.row
        if lots < asked:
            self.depth.use_up()
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
            self.till.tell(OrderAmended(order.key, price, self.till.label, quantity))

    def _leave(self, order: Order, price: float, lots: int, maker: bool = False) -> None:
        """Fill what closes a position, or so many steps of it; what else is there to close it, or to add to it, goes with it."""
        if lots < abs(self.lots):
            self.depth.use_up()
            if lots:
                self._part(order, price, lots, maker)
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
        left = min(self._steps(order), abs(self.lots)) - lots
        self._book(order, lots * order.sign, price, self.basis, left, maker)
        self.lots += lots * order.sign
        if order is self.closing:
            self.closing = self._rest_of(order, left)
        elif order is self.stop or order is self.target:
            self.triggered = self.triggered or order is self.stop
            if self.opening is not None and self.opening.key is not None and self._continues(self.opening.key):
                self._end_opening("cancelled")  # what protects it has begun to close it
        self._follow()

    def _book(self, order: Order, lots: int, price: float, basis: float, left: int, maker: bool) -> int:
        """Book a fill of so many signed steps, of which so many are left; return by how many the position changes."""
        assert order.key is not None
        till, quantity, unit = self.till, self.quantity_of(lots), self.till.tape.unit[self.j]
        withheld = self.depth.withheld(order, quantity, maker)
        fee = (withheld * price) * unit if withheld else self.depth.fee(quantity, price, unit, maker)
        till.cash = cash_after(till.cash, quantity, price, basis, unit, 0.0 if withheld else fee)
        still = self.quantity_of(left) if left else 0.0
        fill = Fill(order.key, order.instrument, order.side, abs(quantity), price, fee, till.label, left=still, withheld=withheld)
        till.tell(OrderFilled(fill))
        return till.dust.bought(self.j, lots, withheld, (self.spec.number, self.spec.power)) if withheld else lots
