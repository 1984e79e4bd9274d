"""From a stance to a quantity: the one path that every opening takes, in research, replay and live (SEMANTICS 15-22, 34).

Plain scalars over lists or arrays: the research kernel compiles them, the Session calls them as they stand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from workbench.grid import lots_of, quantity_of
from workbench.money import below_minimum, fee_of, slipped
from workbench.records import BELOW_MINIMUM, CUT_TO_NOTHING, NO_SIZE, OPENED, TOO_MANY

__all__ = ["BookColumns", "Chain", "buying_power_room", "enter_book", "no_limit", "opening", "start_book", "usable"]


class Chain(NamedTuple):
    """The decisions that an opening passes: sizer, then limits, each with its numbers."""

    size: Any
    size_p: Any
    limits: Any
    limit_p: Any
    tables: Any
    length: int
    buying_power: int
    scaled: int


class BookColumns(NamedTuple):
    """One number an instrument, in the order of `Bars`.

    `hi` and `lo` are the positions that open orders could still lead to, `price` the last closes, `unit` what turns
    quantity x price into account currency, `base` what one lot's base currency is worth there, `fees` what open openings
    will cost, `margin` what an instrument needs at its worst; `used` is the sum of both over all of them, so that an opening
    among hundreds need not add them up anew.
    """

    specs: Any
    price: Any
    unit: Any
    base: Any
    hi: Any
    lo: Any
    fees: Any
    margin: Any
    used: Any


def no_limit(
    p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
) -> float:
    """Allow everything."""
    return 1e300


def buying_power_room(b: BookColumns, j: int, side: float, equity: float) -> float:
    """Return the quantity that the account can still pay margin and fees for (SEMANTICS 22)."""
    left = equity - (b.used[0] - b.margin[j])
    spec = b.specs[j]
    worst = slipped(b.price[j], 1.0, spec.slip_rate, spec.slip_offset) * b.unit[j]
    each = worst * spec.margin
    reached = b.hi[j] if side > 0 else -b.lo[j]
    opposite = -b.lo[j] if side > 0 else b.hi[j]
    if opposite * each > left:
        return 0.0
    left = left - max(reached, 0.0) * each
    exchange = b.unit[j] / spec.multiplier
    by_rate = left / (each + worst * spec.fee_rate + spec.fee_unit * exchange)
    by_minimum = (left - spec.fee_minimum * exchange) / each
    by_most = left / (each + worst * spec.fee_most)
    return max(min(by_rate, by_minimum), by_most, 0.0)


def opening(
    c: Chain, b: BookColumns, j: int, side: float, stance: float, equity: float, distance: float, measured: float, history: Any, row: Any
) -> int:
    """Size one opening, cut it by each limit in order, and make whole steps of it once, last.

    The trace goes into `row`: ``asked``, ``after[k]`` (the quantity left after limit k; buying power is the last),
    ``lots`` and ``code``.

    Returns
    -------
    int
        Whole steps to open; 0 where nothing may be opened.
    """
    asked = c.size(c.size_p, b.specs[j], side, stance, equity, b.price[j], b.unit[j], distance, measured, history.past)
    if c.scaled != 0:
        asked = asked * min(abs(stance), 1.0)
    row.asked = asked
    if not asked > 0.0:
        row.code = NO_SIZE
        return 0
    allowed = asked
    for k in range(c.length):
        allowed = cut(allowed, c.limits[k](c.limit_p[k], c.tables[k], j, side, equity, b.hi, b.lo, b.price, b.unit, b.base, history))
        row.after[k] = allowed
    if c.buying_power != 0:
        allowed = cut(allowed, buying_power_room(b, j, side, equity))
        row.after[c.length] = allowed
    return whole_steps(allowed, b.specs[j], b.price[j], row)


def cut(allowed: float, room: float) -> float:
    """Return what a limit leaves; NaN leaves nothing."""
    if room >= allowed:
        return allowed
    return room if room > 0.0 else 0.0


def whole_steps(allowed: float, spec: Any, price: float, row: Any) -> int:
    """Return the whole steps in what is allowed, 0 below what the venue takes."""
    lots = lots_of(allowed, spec.number, spec.power)
    quantity = quantity_of(lots, spec.number, spec.power)
    if not allowed > 0.0:
        row.code = CUT_TO_NOTHING
    elif lots < 0:
        row.code = TOO_MANY
    elif lots == 0 or below_minimum(quantity, price, spec):
        row.code = BELOW_MINIMUM
    else:
        row.code = OPENED
        row.lots = lots
        return lots
    return 0


def usable(has: int, distance: float, below: float) -> bool:
    """Whether an exit that the strategy has can be placed: its distance is a positive number, that of a long's stop below the price."""
    return has == 0 or (distance > 0.0 and distance < below)


def start_book(b: BookColumns, j: int, quantity: float, leaving: int, done: int) -> float:
    """Write what an instrument's position and its closings could lead to, and return the margin that it takes.

    The sum over all instruments goes into `used`, before the openings are entered.

    `leaving` says whether anything is out that closes the position, `done` whether it was decided in this step: it then
    counts as done.
    """
    held = 0.0 if done != 0 else quantity
    b.fees[j] = 0.0
    b.hi[j] = max(held, 0.0) if leaving != 0 else held
    b.lo[j] = min(held, 0.0) if leaving != 0 else held
    margin = margin_of(b, j, abs(held))
    b.margin[j] = margin
    return margin


def enter_book(b: BookColumns, j: int, side: float, lots: int) -> None:
    """Count an opening into the book at its full size, for the openings decided after it."""
    spec = b.specs[j]
    quantity = quantity_of(lots, spec.number, spec.power)
    if side > 0:
        b.hi[j] = b.hi[j] + quantity
    else:
        b.lo[j] = b.lo[j] - quantity
    worst = slipped(b.price[j], 1.0, spec.slip_rate, spec.slip_offset)
    fee = fee_of(quantity, worst, b.unit[j], spec.multiplier, spec.fee_rate, spec.fee_unit, spec.fee_minimum, spec.fee_most)
    margin = margin_of(b, j, max(abs(b.hi[j]), abs(b.lo[j])))
    b.used[0] = b.used[0] + ((margin - b.margin[j]) + fee)
    b.fees[j] = b.fees[j] + fee
    b.margin[j] = margin


def margin_of(b: BookColumns, j: int, most: float) -> float:
    """Return the margin that an instrument needs at its worst, a quantity, at a price moved against us."""
    spec = b.specs[j]
    needed = ((most * slipped(b.price[j], 1.0, spec.slip_rate, spec.slip_offset)) * b.unit[j]) * spec.margin
    return needed if most > 0.0 else 0.0  # chosen, not branched off to: in the kernel nobody can guess which instruments are held
