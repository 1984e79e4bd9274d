"""How a bar fills what rests at the paper venue for one instrument (SEMANTICS 23-27)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from workbench.execution._holding import ORDERS, Holding
from workbench.execution._offers import Offer, Waits, at_the_open, inside, set_off_at_open, set_off_inside
from workbench.execution.fills import limit_at_open, limit_inside, nearer, stop_at_open, stop_inside, stop_level, too_old
from workbench.execution.port import OrderAccepted, OrderAmended, OrderEnded
from workbench.market import Order, OrderKey

__all__ = ["Desk"]


class Desk(Holding):
    """One instrument of an account: what its orders meet in each bar."""

    __slots__ = ()

    def is_calm(self, high: float, low: float) -> bool:
        """Whether a bar does nothing here: only exits rest, and it reaches none of them."""
        if self.opening is not None or self.closing is not None or self.triggered:
            return False
        held, stop, target = self._held, self.stop, self.target
        if stop is not None and stop.price is not None and stop_inside(held, stop.price, high, low):
            return False
        return target is None or target.price is None or not limit_inside(-held, target.price, high, low)

    @property
    def _due_target(self) -> Order | None:
        """The target, but in the bar of a limit entry (SEMANTICS 24)."""
        return self.target if self.limit_entry != self.till.row else None

    @property
    def now(self) -> int:
        """The moment that orders must have come by: where nothing is known of the inside of a bar, its open."""
        return self.till.label

    # -- orders -------------------------------------------------------------------------------------------------------

    def take(self, order: Order) -> None:
        """Rest an opening or a closing until the instrument's next bar, in the place of another one that rests."""
        rests = self.closing if order.reduce_only else self.opening
        if rests is not None and rests.key is not None:
            self.till.tell(OrderEnded(rests.key, "cancelled", self.till.label))
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
        costs, interval = self.depth.costs, self.till.tape.interval
        if self.till.row < 0 or not costs.bars_late(interval):
            return 0
        return self.till.label + interval + int((costs.latency or 0.0) * 1e9)

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
                self.depth.queue_up(name)
                self.till.tell(OrderAmended(key, price, self.till.label))
                return True
        return False

    # -- a bar, phase by phase ----------------------------------------------------------------------------------------

    def close_at_open(self, first: float) -> None:
        """Fill what closes at market; so does a stop that was reached before."""
        if self.closing is not None and self.now >= self.closing_ready:
            lots = self._wanted(self.closing)
            self._leave(self.closing, self.depth.slipped(first, -self._held, lots), lots)
        if self.triggered and self.stop is not None:
            self._stopped(self.stop, first)

    def open_at_open(self, first: float) -> None:
        """Fill an opening at market, or one whose price the bar opens beyond; let one go that has waited for too long."""
        order, till, waits = self.opening, self.till, self.opening_waits
        if order is None or self.now < waits.ready:  # it is on its way
            return
        if self._has_waited_too_long():
            self._end_opening("expired")
        elif waits.is_over(order, self.now):
            self._end_opening("lapsed")
        elif self.lots and self.closing is not None:
            self.opening_since = till.row  # what is held is being closed in parts: it waits for that, not for a bar
        else:
            self._offer_the_open(order, first, waits.meets(till.label))

    def _has_waited_too_long(self, more: int = 0) -> bool:
        """Whether an opening has had no bar for too long, since it came: by its own time, whoever else has bars meanwhile."""
        tape = self.till.tape
        waited = tape.waited(self.j, self.opening_since, self.till.row) + more
        return too_old(waited if self.opening_waits.met else waited - self.depth.costs.bars_late(tape.interval), tape.interval)

    def _offer_the_open(self, order: Order, first: float, arrives: bool) -> None:
        """Fill an opening by a bar's open, as far as its type and time in force let it."""
        offer, waits = at_the_open(order, first, self.opening_waits.off), self.opening_waits
        waits.takes = (arrives or waits.takes) and self._takes(order)
        if offer is not None and waits.takes:
            offer = Offer(first, slips=True, worst=order.price)
        if offer is not None and order.post_only and arrives:
            self._end_opening("rejected")  # it would take what is there
            return
        waits.off = waits.off or set_off_at_open(order, first)
        if offer is not None:
            self._take_offer(order, offer, maker=order.type == "limit" and not (arrives or offer.slips))
        if self.opening is not None and order.time_in_force in ("ioc", "fok"):
            self._end_opening("lapsed")

    def _takes(self, order: Order) -> bool:
        """Whether a limit lies beyond the last close: it does not rest, it takes what is there, up to its price."""
        return order.type == "limit" and order.price is not None and order.sign * (order.price - self.till.tape.price[self.j]) > 0.0

    def _take_offer(self, order: Order, offer: Offer, maker: bool) -> None:
        """Fill an opening at what is offered, as much of it as that is for; all or nothing of one that is to be filled or killed."""
        side, lots = float(order.sign), self._reached_by(order, offer, maker)
        if lots is None or (order.time_in_force == "fok" and lots < self._steps(order)):
            return  # it rests at its limit by now
        self.limit_entry = self.till.row if order.type == "limit" else self.limit_entry
        self._enter(order, self.depth.slipped(offer.price, side, lots) if offer.slips else offer.price, lots, maker)

    def _reached_by(self, order: Order, offer: Offer, maker: bool) -> int | None:
        """Return how many steps of an opening an offer is for: as far as room, queue and its limit go; None where it is for none."""
        wanted, side = self._wanted(order), float(order.sign)
        if maker and order.price is not None and self.depth.costs.queue:
            self.opening_waits.tried = self.till.row
            return self._opened_beyond("opening", wanted, order.price, side)
        if offer.worst is None or offer.allows(self.depth.slipped(offer.price, side, wanted), side):
            return wanted
        if not offer.allows(self.depth.other_side(offer.price, side), side):
            return None
        self.opening_waits.tried = self.till.row  # what its own weight keeps it from taking is not given to it as to one that rested
        most = range(1, wanted)
        return bisect_left(most, True, key=lambda lots: not offer.allows(self.depth.slipped(offer.price, side, lots), side))

    def _opened_beyond(self, name: str, lots: int, price: float, side: float) -> int:
        """Return how many steps of a limit that rested a bar fills that opens beyond it: the queue is as long, and the whole bar counts."""
        tape, row = self.till.tape, self.till.row
        return self.depth.room_in_the_queue(name, lots, price, side, tape.high[self.j][row], tape.low[self.j][row])

    def take_profit_at_open(self, first: float) -> None:
        """Fill a target that the bar opens beyond."""
        target = self._due_target
        if target is not None and target.price is not None and limit_at_open(-self._held, target.price, first):
            self.target_tried = self.till.row
            self._leave(target, first, self._opened_beyond("target", abs(self.lots), target.price, -self._held), maker=True)

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
        elif self.target_tried == self.till.row:
            return  # the open has shown what there is for it
        elif target is not None and target.price is not None and limit_inside(-held, target.price, high, low):
            lots = self.depth.room_in_the_queue("target", abs(self.lots), target.price, -held, high, low)
            self._leave(target, target.price, lots, maker=True)

    def wait(self) -> None:
        """Let an opening go whose instrument has had no bar for too long."""
        if self.opening is not None and self.till.label >= self.opening_waits.ready and self._has_waited_too_long(more=1):
            self._end_opening("expired")

    def _enter_inside(self, high: float, low: float) -> None:
        order, waits = self.opening, self.opening_waits
        if order is None or order.type == "market" or self.till.label < waits.ready:
            return
        ends = order.good_until is not None and self.till.label + self.till.tape.interval > order.good_until
        offer = None if ends else inside(order, high, low, waits.off)  # nobody knows what came before its time was over
        tried = waits.tried == self.till.row
        if offer is not None and not tried and not (self.lots and self.closing is not None):  # else what is held is being closed in parts
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
            self._enter(order, offer.price, lots, maker=True)

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
