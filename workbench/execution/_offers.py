"""Whether a bar fills an order, by its type, and at what price: at the bar's open, and inside it (SEMANTICS 23).

Prices are those before slippage. An order that has been set off once stays so.
"""

from __future__ import annotations

from typing import NamedTuple

from workbench.execution.fills import limit_at_open, limit_inside, stop_at_open, stop_inside
from workbench.interval import DAY
from workbench.market import Order

__all__ = ["Offer", "Waits", "at_the_open", "inside", "set_off_at_open", "set_off_inside"]


#: Orders that wait for a price to set them off.
WAIT = ("stop", "stop_limit", "take_profit", "trailing_stop")


class Offer(NamedTuple):
    """What a bar offers an order.

    Parameters
    ----------
    price : float
    slips : bool
        Whether the order takes what is there, and so pays the slippage; else it is a limit that rested.
    worst : float, optional
        The limit of an order that slips: where it would cost more it is not filled.
    """

    price: float
    slips: bool
    worst: float | None = None

    def allows(self, price: float, side: float) -> bool:
        """Whether a slipped price is within the limit."""
        return self.worst is None or side * (self.worst - price) >= 0.0


def at_the_open(order: Order, first: float, set_off: bool) -> Offer | None:
    """Return what the open of a bar offers an order; None where it goes on resting."""
    side, price = float(order.sign), order.price
    if order.type == "market":
        return Offer(first, slips=True)
    assert price is not None
    if order.type == "limit":
        return Offer(first, slips=False) if limit_at_open(side, price, first) else None
    if not (set_off or set_off_at_open(order, first)):
        return None
    if order.limit_price is None:
        return Offer(first, slips=True)
    return Offer(first, slips=True, worst=order.limit_price) if limit_at_open(side, order.limit_price, first) else None


def inside(order: Order, high: float, low: float, set_off: bool) -> Offer | None:
    """Return what the prices inside a bar offer an order that has met its open; None where it goes on resting."""
    side, price, limit = float(order.sign), order.price, order.limit_price
    if price is None:
        return None
    if order.type == "limit":
        return Offer(price, slips=False) if limit_inside(side, price, high, low) else None
    if set_off:  # a stop-limit that is a limit by now: the others filled when they were set off
        return Offer(limit, slips=False) if limit is not None and limit_inside(side, limit, high, low) else None
    if not set_off_inside(order, high, low):
        return None
    # set off at its price: it takes what is there up to its limit; beyond, nobody knows what the bar did after it
    return Offer(price, slips=True, worst=limit)


def set_off_at_open(order: Order, first: float) -> bool:
    """Whether the open of a bar sets an order off that waits for a price."""
    return order.price is not None and order.type in WAIT and stop_at_open(_held(order), order.price, first)


def set_off_inside(order: Order, high: float, low: float) -> bool:
    """Whether a bar sets an order off inside."""
    return order.price is not None and order.type in WAIT and stop_inside(_held(order), order.price, high, low)


def _held(order: Order) -> float:
    """Return the side of the position whose stop would be set off in the same way: a buy stop is that of a short one."""
    return float(order.sign if order.type == "take_profit" else -order.sign)


class Waits:
    """How an opening has waited so far.

    Parameters
    ----------
    ready : int, default 0
        When the venue has it, in nanoseconds: bars that open before do not see it.
    """

    __slots__ = ("day", "met", "off", "ready", "takes", "tried")

    def __init__(self, ready: int = 0) -> None:
        self.ready = ready
        #: Whether it has met a bar, and the day of the first; and whether its price has set it off.
        self.met, self.day, self.off = False, -1, False
        #: Whether it is a limit that lay beyond the market when it came, and does so still.
        self.takes = False
        #: The row of the bar that has shown already how much of it fills.
        self.tried = -1

    def meets(self, label: int) -> bool:
        """Note a bar, by its label; return whether it is the first."""
        first, self.met = not self.met, True
        if first:
            self.day = label // DAY
        return first

    def is_over(self, order: Order, label: int) -> bool:
        """Whether an order's time in force is over before a bar."""
        if order.time_in_force == "day":
            return self.met and label // DAY != self.day
        return order.good_until is not None and label >= order.good_until
