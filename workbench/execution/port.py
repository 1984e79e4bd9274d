"""The port to a venue, and what a venue says."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from workbench.bars import Bars
from workbench.instrument import Instrument
from workbench.market import Account, Fill, Order, OrderKey
from workbench.order import ORDER_TYPES, TIMES_IN_FORCE

__all__ = [
    "EVERYTHING",
    "GRACE",
    "Arrival",
    "BarsClosed",
    "Connected",
    "Disconnected",
    "ExecutionModule",
    "Link",
    "MarketOver",
    "OrderAccepted",
    "OrderAmended",
    "OrderEnded",
    "OrderFilled",
    "PositionCharged",
    "VenueEvent",
    "VenueSaid",
    "VenueState",
]

#: Seconds after a close in which all its bars may come, where their source says nothing else (SEMANTICS 5).
GRACE = 2.0


#: All that a venue may be asked for (`Order.needs`), and to move what rests.
EVERYTHING = frozenset({*ORDER_TYPES, *TIMES_IN_FORCE, "post_only", "reduce_only", "amend"})

#: How an order ends without a fill.
Ending = Literal["cancelled", "expired", "lapsed", "absent", "rejected"]


class OrderAccepted(NamedTuple):
    """An order works at the venue; for a protective order, `parent` is the opening it protects."""

    order: Order
    parent: OrderKey | None = None


class OrderFilled(NamedTuple):
    """An order was filled."""

    fill: Fill


class OrderEnded(NamedTuple):
    """An order ended without a fill, in the bar of a label.

    ``"cancelled"``, ``"expired"`` (no bar for too long), ``"lapsed"`` (a limit whose bars are over), ``"absent"`` (the venue has
    never had it), or ``"rejected"``: it did not take it.
    """

    key: OrderKey
    status: Ending
    label: int = 0


class OrderAmended(NamedTuple):
    """A resting order works at another price, from the bar after that of a label on; or for another quantity, as its position does."""

    key: OrderKey
    price: float
    label: int = 0
    quantity: float | None = None


class PositionCharged(NamedTuple):
    """Holding a position cost so much in account currency, in the bar of a label: funding, swap or borrow; below zero it was received."""

    symbol: str
    amount: float
    label: int = 0


VenueEvent = OrderAccepted | OrderFilled | OrderEnded | OrderAmended | PositionCharged


class VenueSaid(NamedTuple):
    """An event under its running number at the venue; an event that a reconcile concluded has a name instead."""

    number: int | str
    event: VenueEvent


class BarsClosed(NamedTuple):
    """Bars of one label have closed: of all instruments, or of some, and the others come by themselves.

    `closed` and `arrived` are nanoseconds since 1970. NaN is an instrument that had no bar. `late`: so many nanoseconds after
    their close its source gave them; 0 where they came in their time (SEMANTICS 5).
    """

    number: int
    bars: Bars
    closed: int
    arrived: int
    late: int = 0


class Connected(NamedTuple):
    """A venue is there. What it says up to the number `head` is past; `newest` is the number of its newest bars.

    `grace`: how many seconds it wants to be waited for when some bars of a label have come and others not (SEMANTICS 5).
    """

    head: int
    newest: int
    grace: float = GRACE


class Disconnected(NamedTuple):
    """A venue is gone."""

    why: str


class MarketOver(NamedTuple):
    """No further bar will come."""

    number: int


class VenueState(NamedTuple):
    """A venue's book after all that it told up to `number`."""

    number: int
    positions: dict[str, float]
    orders: list[Order]
    account: Account


#: What comes from a venue, in the order in which it happened there.
Arrival = VenueSaid | BarsClosed | Connected | Disconnected | MarketOver


class ExecutionModule(ABC):
    """One venue account.

    ================== =====================================================================================
    method             requirement
    ================== =====================================================================================
    supports           order types and times in force that it takes, whether it amends what rests, and whether a closing that is
                       reduce-only never opens the other side (``"reduce_only"``)
    ticked             instruments whose orders meet prices inside the bars of a replay, one by one
    connect            called once before anything else, with the instruments in the order of `Bars`
    submit             hand an order over, and say whether it certainly arrived; raises OrderError where the venue has
                       refused it for certain, and never where it may have taken it
    cancel             ask for one order to be taken off, and say whether it is off for certain; its end arrives as an event
    amend              ask for a resting order to work at another price, and say whether that certainly arrived; that it does
                       arrives as an event
    cancel_all         ask for all orders to be taken off
    events             what happened since the last call, in the order in which it happened
    open_orders        what works at the venue now
    executions         the fills since a label
    filled             how much of an order has filled, told or not: what is asked before another takes its place
    positions          signed quantities by symbol; a failed query raises, it is never an empty answer
    account            cash, equity and margin
    state              the whole book at one moment: what a reconcile compares
    knows              whether the venue ever took an order: what settles a doubt
    settle_time        seconds after which a venue certainly knows an order that it took: one that it does not know is asked for
                       again after them before it counts as absent
    observe            a venue that fills by bars is shown each closed step; others have no need of it
    ================== =====================================================================================
    """

    currency: str
    #: What the venue can do, of `EVERYTHING`. A strategy that asks for more is refused at the start.
    supports: frozenset[str] = frozenset({"market", "limit", "stop", "amend"})
    #: The instruments whose orders it fills by prices inside the bars of a replay.
    ticked: frozenset[str] = frozenset()
    #: 0 where what it says of an order is final.
    settle_time: float = 0.0

    @abstractmethod
    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Get ready to trade these instruments."""

    @abstractmethod
    def submit(self, order: Order) -> bool:
        """Hand an order over; False where it is not known whether it arrived, OrderError where it was refused for certain."""

    @abstractmethod
    def cancel(self, key: OrderKey) -> bool:
        """Ask for an order to be taken off; True where the venue confirmed that it is off."""

    @abstractmethod
    def amend(self, key: OrderKey, price: float) -> bool:
        """Ask for a resting order to work at another price; False where it is not known whether that arrived, or there is none."""

    @abstractmethod
    def events(self) -> list[VenueEvent]:
        """Return what happened since the last call."""

    @abstractmethod
    def open_orders(self) -> list[Order]:
        """Return what works at the venue."""

    @abstractmethod
    def executions(self, since: int = 0) -> list[Fill]:
        """Return the fills of labels from `since` on."""

    def filled(self, key: OrderKey) -> float | None:
        """Return how much of an order has filled by now, whether it was told or not; None where nobody knows. A failed query raises."""
        since = key.label if isinstance(key.label, int) else 0
        return math.fsum(fill.quantity for fill in self.executions(since) if fill.key == key)

    @abstractmethod
    def positions(self) -> dict[str, float]:
        """Return the signed quantities held, by symbol."""

    @abstractmethod
    def account(self) -> Account:
        """Return cash, equity and margin."""

    def cancel_all(self) -> None:
        """Ask for all orders to be taken off."""
        for order in self.open_orders():
            if order.key is not None:
                self.cancel(order.key)

    def order(self, key: OrderKey) -> Order | None:
        """Return a working order by its key."""
        return next((o for o in self.open_orders() if o.key == key), None)

    def state(self) -> VenueState:
        """Return positions, open orders and account as they are together; a failed query raises."""
        raise NotImplementedError(f"{type(self).__name__} cannot be asked for its whole book")

    def knows(self, key: OrderKey) -> bool:
        """Whether the venue ever took an order of this key; a failed query raises."""
        raise NotImplementedError(f"{type(self).__name__} cannot be asked for an order that is not open")

    def observe(self, tape: Any, row: int) -> None:
        """Be shown a closed step; only venues that fill by bars care."""
        return


class Link(Protocol):
    """A run's line to a venue: what a runner asks of one."""

    def open(self, put: Callable[[Arrival], None], since: Callable[[], int]) -> ExecutionModule:
        """Connect, and put what arrives after the number that `since` names; return the account."""

    def close(self) -> None:
        """End the connection."""

    def done(self, number: int) -> None:
        """Say that the step of these bars is decided."""
