"""An order in one standard form for every destination, its key, and what a venue makes of it. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

from workbench.errors import OrderError, did_you_mean
from workbench.instrument import Instrument
from workbench.numeric import is_number

__all__ = ["ORDER_TYPES", "TIMES_IN_FORCE", "Fill", "Order", "OrderKey", "Side"]

Side = Literal["buy", "sell"]
#: The types of orders, and which of its numbers each of them needs.
ORDER_TYPES: dict[str, tuple[str, ...]] = {
    "market": (),
    "limit": ("price",),
    "stop": ("price",),
    "stop_limit": ("price", "limit_price"),
    "take_profit": ("price",),
    "trailing_stop": ("trail",),
}
#: What a venue has to know of an order that is nothing but its type.
ALONE = {name: frozenset({name}) for name in ORDER_TYPES}
REDUCING = {name: frozenset({name, "reduce_only"}) for name in ORDER_TYPES}
#: How long an order works: until it is cancelled, to the end of its day, at once or not at all (IOC: what fills at once; FOK: all of it
#: or nothing), or until a moment.
TIMES_IN_FORCE = ("gtc", "day", "ioc", "fok", "gtd")
#: What becomes of an order whose time is over.
THEN = ("cancel", "cross")
#: What no other type of order has.
ONLY = {
    "price": tuple(name for name in ("limit", *ORDER_TYPES) if name != "market"),
    "limit_price": ("stop_limit",),
    "trail": ("trailing_stop",),
    "post_only": ("limit",),
}


@dataclass(frozen=True, slots=True)
class OrderKey:
    """What makes an order the same order, wherever and however often it is spoken of (SEMANTICS 35).

    `label` is the step's label in nanoseconds; for an order that a command asked for, the command's id. Law 2 compares
    `instrument`, `label`, `leg` and `child`.
    """

    instrument: str
    label: int | str
    leg: str
    child: int = 0
    account: str = ""
    deployment: str = ""
    attempt: int = 0

    def __str__(self) -> str:
        return "/".join(map(str, (self.account, self.deployment, self.instrument, self.label, self.leg, self.child, self.attempt)))


#: What an order's key usually is.
KEYS = (OrderKey, type(None))


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a venue.

    Parameters
    ----------
    instrument : Instrument
    side : {"buy", "sell"}
    quantity : float
        Positive, on the instrument's grid.
    type : {"market", "limit", "stop", "stop_limit", "take_profit", "trailing_stop"}, default "market"
        A stop goes to market once the price has moved to it against its side (a buy: up), a stop-limit becomes a limit then; a
        take-profit goes to market once the price has moved to it with its side (a buy: down); a trailing stop is a stop that
        follows the price.
    price : float, optional
        The limit, or what sets a stop, stop-limit or take-profit off.
    key : OrderKey, optional
        Given by the session.
    reduce_only : bool, default False
        Whether it may only make the position smaller.
    bars : int, default 0
        For how many bars an opening works that is no market order; 0 until its time in force is over.
    then : {"cancel", "cross"}, default "cancel"
        What becomes of a limit that did not fill in time.
    stop_distance, target_distance : float, optional
        The protective orders that the venue rests when this one fills, as distances from the fill price: one cancels the other.
    reason : str, default ""
        Why it was sent, in words.
    limit_price : float, optional
        The limit that a stop-limit order becomes.
    trail : float, optional
        How far a trailing stop stays behind the best price, in units of price.
    time_in_force : {"gtc", "day", "ioc", "fok", "gtd"}, default "gtc"
        Until cancelled, to the end of the day (UTC) in which it met its first bar, at once as much as there is, at once all of it or
        nothing, or until `good_until`.
    good_until : int, optional
        Until when an order works, in nanoseconds since 1970.
    post_only : bool, default False
        Whether a limit is refused that would fill as soon as it arrives: it is there to be filled, at a maker's fee.

    Examples
    --------
    >>> order = Order(Instrument("ABC"), "buy", 2, type="stop_limit", price=101.0, limit_price=101.5, time_in_force="day")
    >>> sorted(order.needs)
    ['day', 'stop_limit']
    """

    instrument: Instrument
    side: Side
    quantity: float
    type: str = "market"
    price: float | None = None
    key: OrderKey | None = None
    reduce_only: bool = False
    bars: int = 0
    then: str = "cancel"
    stop_distance: float | None = None
    target_distance: float | None = None
    reason: str = ""
    limit_price: float | None = None
    trail: float | None = None
    time_in_force: str = "gtc"
    good_until: int | None = None
    post_only: bool = False

    def __post_init__(self) -> None:
        """Refuse what no venue could take."""
        if type(self.instrument) is not Instrument and not _is(self.instrument, Instrument):
            raise OrderError(f"order: instrument must be a wb.Instrument, got {self.instrument!r}")
        if self.side not in ("buy", "sell"):
            raise OrderError(f"order for {self.instrument.symbol}: side must be 'buy' or 'sell', got {self.side!r}")
        if (type(self.quantity) is not float and not is_number(self.quantity)) or not 0 < self.quantity < float("inf"):
            raise OrderError(f"order for {self.instrument.symbol}: quantity must be a positive number, got {self.quantity!r}")
        if self.type != "market" or self.price is not None or self.limit_price is not None or self.trail is not None or self.post_only:
            self._check_type()
        if type(self.reduce_only) is not bool or type(self.post_only) is not bool or type(self.key) not in KEYS:
            self._check_kinds()
        if self.time_in_force != "gtc" or self.good_until is not None:
            self._check_time()
        if self.bars or self.then != "cancel" or self.stop_distance is not None or self.target_distance is not None:
            self._check_rest()

    def _check_type(self) -> None:
        who = f"order for {self.instrument.symbol}"
        if not _is(self.type, str) or self.type not in ORDER_TYPES:
            raise OrderError(f"{who}: unknown type {self.type!r}{did_you_mean(str(self.type), ORDER_TYPES)}")
        for name in ORDER_TYPES[self.type]:
            value: Any = getattr(self, name)
            if not (is_number(value) and 0 < value < float("inf")):
                raise OrderError(f"{who}: a {self.type} order needs a positive {name}, got {value!r}")
        for name, types in ONLY.items():
            value = getattr(self, name)
            if value is not None and value is not False and self.type not in types:
                raise OrderError(f"{who}: {name} goes with a {types[0]} order, got {value!r} with a {self.type} order")
        if self.price is not None and not (is_number(self.price) and 0 < self.price < float("inf")):
            raise OrderError(f"{who}: price must be a positive number, got {self.price!r}")

    def _check_kinds(self) -> None:
        who = f"order for {self.instrument.symbol}"
        for name in ("reduce_only", "post_only"):
            if not _is(getattr(self, name), bool):
                raise OrderError(f"{who}: {name} must be True or False, got {getattr(self, name)!r}")
        if self.key is not None and not _is(self.key, OrderKey):
            raise OrderError(f"{who}: key must be an OrderKey, got {self.key!r}")

    def _check_time(self) -> None:
        who = f"order for {self.instrument.symbol}"
        if self.time_in_force not in TIMES_IN_FORCE:
            raise OrderError(f"{who}: unknown time_in_force {self.time_in_force!r}{did_you_mean(str(self.time_in_force), TIMES_IN_FORCE)}")
        if (self.time_in_force == "gtd") != (self.good_until is not None):
            raise OrderError(f"{who}: time_in_force='gtd' and good_until go together, got {self.time_in_force!r} and {self.good_until!r}")
        if self.good_until is not None and not _is(self.good_until, Integral):
            raise OrderError(f"{who}: good_until is a moment in nanoseconds since 1970, pd.Timestamp(...).value, got {self.good_until!r}")
        if self.time_in_force in ("ioc", "fok") and (self.bars or self.post_only or self.type not in ("market", "limit")):
            raise OrderError(f"{who}: {self.time_in_force} fills at once: a market order or a limit without bars= and post_only=")

    def _check_rest(self) -> None:
        who = f"order for {self.instrument.symbol}"
        if not _is(self.bars, Integral) or _is(self.bars, bool) or self.bars < 0:
            raise OrderError(f"{who}: bars must be a whole number, 0 for no end, got {self.bars!r}")
        if self.then == "cross" and self.type == "market":
            raise OrderError(f"{who}: then='cross' sends a limit on at market; a market order is there already")
        if self.then not in THEN:
            raise OrderError(f"{who}: then must be 'cancel' or 'cross', got {self.then!r}{did_you_mean(str(self.then), THEN)}")
        for name in ("stop_distance", "target_distance"):
            value = getattr(self, name)
            if value is not None and not (is_number(value) and 0 < value < float("inf")):
                raise OrderError(f"{who}: {name} must be a positive number, got {value!r}")

    @property
    def sign(self) -> int:
        """Return +1 for buy, -1 for sell."""
        return 1 if self.side == "buy" else -1

    @property
    def needs(self) -> frozenset[str]:
        """What a venue has to be able to do for it (`ExecutionModule.supports`)."""
        alone = (REDUCING if self.reduce_only else ALONE)[self.type]
        if self.time_in_force == "gtc" and not self.post_only:
            return alone
        return alone | {self.time_in_force} - {"gtc"} | ({"post_only"} if self.post_only else set())


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind, whatever its annotation promised."""
    return isinstance(value, kind)


@dataclass(frozen=True, slots=True)
class Fill:
    """What a venue did: a quantity at a price, and its fee in account currency.

    Under `name`, the venue's own, it is booked once; `left` is what of its order still works. `withheld` is what the venue kept of a
    purchase as its fee, as a quantity: the position grows by so much less (SEMANTICS 29), and `fee` says what it was worth.
    """

    key: OrderKey
    instrument: Instrument
    side: Side
    quantity: float
    price: float
    fee: float
    label: int
    stop: float | None = None
    target: float | None = None
    name: str = ""
    left: float = 0.0
    withheld: float = 0.0

    @property
    def sign(self) -> int:
        """Return +1 for buy, -1 for sell."""
        return 1 if self.side == "buy" else -1
