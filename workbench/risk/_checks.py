"""The checks of the gate, one function each: what must hold of an order, and what is left of one of which it does not.

Each comparison is written as what has to be true, and negated: NaN fails it. What may hold an opening up and not a closing leaves
`Asked.soft`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from workbench.errors import did_you_mean
from workbench.grid import lots_of, on_grid, quantity_of
from workbench.instrument import Instrument
from workbench.market import Order, OrderKey
from workbench.numeric import number, positive
from workbench.order import ORDER_TYPES
from workbench.risk._room import TOLERANCE
from workbench.risk._situation import Failure, Situation, seconds

if TYPE_CHECKING:
    from workbench.risk.gate import Gate

__all__ = ["ALL", "CHECKS", "MODES", "asked_of", "minimum", "rounded_down"]

MODES = ("RUNNING", "REDUCING", "PAUSED", "HALTED")
#: Seconds by which a price may be ahead of our clock: no two clocks agree.
AHEAD = 2.0
MINUTE = 60.0
#: What a check leaves of an order that it refuses, and of one that it only raises an alert about.
NOTHING, ALL = 0.0, math.inf


class Asked(NamedTuple):
    """An order and its situation, its numbers as floats: NaN where they are none.

    `price` is what it will probably cost: its own price, the other side of the quote, or the last price. `dearest` is that or the last
    price, whichever is higher. `reached` is the position that open orders in its direction could lead to. `soft` is what a check leaves
    of it that may hold an opening up, and not a closing.
    """

    order: Order
    situation: Situation
    symbol: str
    quantity: float
    price: float
    last: float
    dearest: float
    unit: float
    reached: float
    closing: bool
    by_hand: bool
    soft: float


def asked_of(order: Order, now: Situation) -> Asked:
    """Return an order and its situation with numbers that are numbers."""
    last, closing = positive(now.last), order.reduce_only is True
    quoted = positive(now.ask if order.side == "buy" else now.bid)
    if order.type == "market" or (order.type == "trailing_stop" and order.price is None):
        price = last if now.bid is None and now.ask is None else quoted
    else:
        price = positive(order.price if order.limit_price is None else order.limit_price)
    dearest = max(price, last) if price == price and last == last else math.nan
    by_hand = isinstance(order.key, OrderKey) and isinstance(order.key.label, str)
    reached = _reached(order, now)
    soft = ALL if closing else NOTHING
    symbol, quantity, unit = order.instrument.symbol, positive(order.quantity), positive(now.unit)
    return Asked(order, now, symbol, quantity, price, last, dearest, unit, reached, closing, by_hand, soft)


def _others(order: Order, now: Situation) -> list[Order]:
    """Return the orders of the same instrument that are out, without the order itself."""
    return [one for one in now.orders if one.instrument.symbol == order.instrument.symbol and (one.key is None or one.key != order.key)]


def _reached(order: Order, now: Situation) -> float:
    """Return the position, in the order's direction, at its worst: with open orders filled, and closings or not (SEMANTICS 21)."""
    others, held = _others(order, now), _finite(now.position) * order.sign
    openings = sum(positive(one.quantity) for one in others if not one.reduce_only and one.sign == order.sign)
    closings = sum(positive(one.quantity) for one in others if one.reduce_only and one.sign == order.sign)
    if held < 0.0 and closings > 0.0:
        held = min(held + closings, 0.0)
    return held + openings + _finite(now.elsewhere) if closings == closings else math.nan


def _finite(given: object) -> float:
    """Return a finite number as a float, anything else as NaN."""
    value = number(given)
    return value if math.isfinite(value) else math.nan


def rounded_down(quantity: float, instrument: Instrument) -> float:
    """Return the largest quantity on the grid that is not above a number."""
    return quantity_of(max(lots_of(quantity, *instrument.step), 0), *instrument.step)


# -- the checks, in the order in which they are told ----------------------------------------------------------------------


def _numbers(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require that every number is one: finite, and positive where it has to be."""
    order, now = asked.order, asked.situation
    for numbers, room in ((_of_the_order(order), NOTHING), (_of_the_situation(gate, asked), asked.soft)):
        for name, value in numbers.items():
            if not 0.0 < number(value) < math.inf:
                yield Failure("numbers", f"{asked.symbol}: {name} must be a positive number, got {value!r}", room)
    latched = (("the latch's count of idle fills", now.latch.idle), ("the latch's count of refusals", now.latch.refused))
    counts = (("bars", order.bars), *latched, ("elsewhere", now.elsewhere))
    for name, value in counts:
        if not 0.0 <= number(value) < math.inf:
            yield Failure("numbers", f"{asked.symbol}: {name} must be a number from 0, got {value!r}", asked.soft)
    if not math.isfinite(number(now.position)):  # nobody knows then what a closing may close
        yield Failure("numbers", f"{asked.symbol}: position must be a finite number, got {now.position!r}", NOTHING)


def _of_the_order(order: Order) -> dict[str, object]:
    """Return the numbers that would go to the venue."""
    optional = {name: getattr(order, name) for name in ("price", "limit_price", "trail", "stop_distance", "target_distance")}
    needed = ORDER_TYPES.get(order.type, ("price",))
    return {"quantity": order.quantity} | {name: value for name, value in optional.items() if value is not None or name in needed}


def _of_the_situation(gate: Gate, asked: Asked) -> dict[str, object]:
    """Return the numbers that an order is held against."""
    now = asked.situation
    found: dict[str, object] = {name: getattr(now, name) for name in ("now", "last", "last_at", "unit", "equity")}
    if gate.reference_collar is not None or now.reference is not None:
        found["reference"] = now.reference
    if now.bid is not None or now.ask is not None:
        found |= {"bid": now.bid, "ask": now.ask}
    found |= {f"the quantity of order {one.key}": one.quantity for one in _others(asked.order, now)}
    found |= {f"time {place} of the orders sent": at for place, at in enumerate(now.sent)}
    found |= {f"time {place} of the latch": at for place, at in enumerate(now.latch.rounds)}
    return found | ({"the latch's time of the opening": now.latch.opened_at} if now.latch.opened_at is not None else {})


def _grid(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require the grids: what is not on them was never rounded, and is somebody's float. A closing is rounded down."""
    instrument, quantity, price = asked.order.instrument, asked.quantity, asked.order.price
    if not on_grid(quantity, *instrument.step):
        room = rounded_down(quantity, instrument) if asked.closing else NOTHING
        yield Failure("grid", f"{asked.symbol}: quantity must be in steps of {instrument.quantity_step:g}, got {quantity!r}", room)
    if price is not None and instrument.tick_size is not None and not on_grid(positive(price), *instrument.tick):
        yield Failure("grid", f"{asked.symbol}: price must be in ticks of {instrument.tick_size:g}, got {price!r}", asked.soft)


def _key(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require a key under which no order was ever sent (SEMANTICS 35)."""
    key = asked.order.key
    if not isinstance(key, OrderKey):
        yield Failure("key", f"{asked.symbol}: an order needs a wb.market.OrderKey, got {key!r}", NOTHING)
    elif str(key) in asked.situation.keys:
        yield Failure("key", f"{asked.symbol}: an order was sent under the key {key} already", NOTHING)


def _mode(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require RUNNING for an opening; a closing passes, in HALTED with an alert unless a person asked for it (SEMANTICS 38)."""
    mode, symbol = asked.situation.mode, asked.symbol
    if mode not in MODES:
        yield Failure("mode", f"{symbol}: mode must be one of {', '.join(MODES)}, got {mode!r}{did_you_mean(str(mode), MODES)}", asked.soft)
    elif not asked.closing and mode != "RUNNING":
        yield Failure("mode", f"{symbol}: an opening needs the mode RUNNING, and it is {mode}", NOTHING)
    elif asked.closing and mode == "HALTED" and not asked.by_hand:
        yield Failure("mode", f"{symbol}: the mode is HALTED, and no person asked for this closing", ALL)


def _latch(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require an open latch. Where fills do not move the position, more closings only repeat it: then a person has to ask for them."""
    latch = asked.situation.latch
    if not latch.why:
        return
    blind = gate.repeats is not None and not number(latch.idle) < gate.repeats
    yield Failure("latch", f"{latch.why}; a person has to arm it again", NOTHING if blind and not asked.by_hand else asked.soft)


def _market_open(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require a calendar that lets orders through."""
    if gate.calendar and asked.situation.open is not True:
        yield Failure("calendar", f"{asked.symbol}: its calendar must be open, got open={asked.situation.open!r}", asked.soft)


def _closing(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require that a closing is against the position, and no larger than what other closings at market leave of it."""
    if not asked.closing:
        return
    order, now = asked.order, asked.situation
    held = -_finite(now.position) * order.sign
    # stops and targets that rest stand for the same position: only one of them will fill
    leaving = sum(
        positive(one.quantity) for one in _others(order, now) if one.reduce_only and one.type == "market" and one.sign == order.sign
    )
    left = held - leaving
    if not asked.quantity <= left:
        said = f"the position is {now.position!r}" + (f", {leaving:g} of it being closed" if leaving else "")
        yield Failure(
            "closing",
            f"{asked.symbol}: {order.side} {order.quantity!r} may close what is open, and {said}",
            left if left > 0.0 else NOTHING,
        )


def _freshness(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require a last price that is recent, and not from the future."""
    age = seconds(positive(asked.situation.last_at), positive(asked.situation.now))
    if gate.max_age is not None and not -AHEAD <= age <= gate.max_age:
        said = f"its last price is {age:g} s old" if not age < 0.0 else f"its last price is {-age:g} s ahead of the clock"
        yield Failure("freshness", f"{asked.symbol}: {said}, and at most {gate.max_age:g} s are allowed", asked.soft)


def _spread(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require bid and ask, where known, in their order and near each other."""
    now = asked.situation
    if gate.max_spread is None or (now.bid is None and now.ask is None):
        return
    bid, ask = positive(now.bid), positive(now.ask)
    if not 0.0 <= ask - bid <= gate.max_spread * (bid / 2 + ask / 2) * (1.0 + TOLERANCE):
        said = f"bid {now.bid!r} and ask {now.ask!r}"
        yield Failure("spread", f"{asked.symbol}: {said} must be at most {100 * gate.max_spread:g} % apart, bid below ask", asked.soft)


def _collar(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require that what the order will probably cost is near the last price, and near the reference."""
    reference = positive(asked.situation.reference)
    for most, near, name in ((gate.collar, asked.last, "last price"), (gate.reference_collar, reference, "reference")):
        if most is not None and not abs(asked.price - near) <= most * near * (1.0 + TOLERANCE):
            said = f"the price {asked.price:g} must be within {100 * most:g} % of the {name} {near:g}"
            yield Failure("collar", f"{asked.symbol}: {said}", asked.soft)


def _max_quantity(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require an order that is not larger than its symbol's limit."""
    limits, symbol = gate.max_quantity, asked.situation.symbol or asked.symbol
    if isinstance(limits, Mapping) and symbol not in limits:
        yield Failure("quantity", f"{symbol}: max_quantity must name it{did_you_mean(symbol, limits)}", asked.soft)
        return
    most = limits[symbol] if isinstance(limits, Mapping) else limits
    if most is not None and not asked.quantity <= most:
        yield Failure("quantity", f"{symbol}: an order may be at most {most:g}, got {asked.quantity:g}", asked.soft)


def _notional(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require an order that is not worth more than the limit."""
    if gate.max_notional is None:
        return
    most, value = gate.limit(gate.max_notional, positive(asked.situation.equity)), asked.quantity * asked.dearest * asked.unit
    if not value <= most * (1.0 + TOLERANCE) < math.inf:
        yield Failure("notional", f"{asked.symbol}: an order may be worth at most {most:,.2f}, and this one is {value:,.2f}", asked.soft)


def _position(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require that the position it could lead to is within the limit; it is cut to what is left of that."""
    if gate.max_position is None or asked.closing:
        return
    most, each = gate.limit(gate.max_position, positive(asked.situation.equity)), asked.dearest * asked.unit
    if not (asked.reached + asked.quantity) * each <= most * (1.0 + TOLERANCE) < math.inf:
        left = most / each - asked.reached if each > 0.0 and most < math.inf else math.nan
        said = f"{asked.reached:+g} could be held in its direction already, each worth {each:,.2f}"
        yield Failure(
            "position", f"{asked.symbol}: a position may be worth at most {most:,.2f}, and {said}", left if left > 0.0 else NOTHING
        )


def _rate(gate: Gate, asked: Asked) -> Iterator[Failure]:
    """Require that not too many orders of the instrument were sent within the last minute."""
    if gate.max_orders is None:
        return
    recent = sum(not seconds(at, asked.situation.now) >= MINUTE for at in asked.situation.sent)
    if not recent < gate.max_orders:
        yield Failure(
            "rate", f"{asked.symbol}: {recent} orders were sent within a minute, and at most {gate.max_orders} are allowed", asked.soft
        )


def minimum(asked: Asked, quantity: float) -> Failure | None:
    """Return why what is left of an order is too small; whether a closing is, the venue may say itself (SEMANTICS 34)."""
    instrument = asked.order.instrument
    least, value = instrument.min_quantity or 0.0, quantity * asked.price * instrument.multiplier
    if quantity >= least and value >= instrument.min_notional:
        return None
    said = f"an order must be at least {least:g} and worth {instrument.min_notional:g} {instrument.quote}, and {quantity:g} is left of it"
    return Failure("minimum", f"{asked.symbol}: {said}", asked.soft)


CHECKS: tuple[Callable[[Gate, Asked], Iterator[Failure]], ...] = (
    _numbers,
    _grid,
    _key,
    _mode,
    _latch,
    _market_open,
    _closing,
    _freshness,
    _spread,
    _collar,
    _max_quantity,
    _notional,
    _position,
    _rate,
)
