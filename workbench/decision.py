"""From a stance to a quantity: the one path that every opening takes, in research, replay and live (SEMANTICS 15-22, 34).

Plain scalars over lists or arrays. The research kernel compiles them, the Session calls them as they stand. `hi` and `lo`
hold, per instrument, the positions that open orders could still lead to; `price` the last closes; `unit` what turns
quantity x price into account currency; `base` what one unit of the base is worth there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.grid import lots_of, quantity_of
from workbench.money import fee_of, slipped
from workbench.records import BELOW_MINIMUM, CUT_TO_NOTHING, NO_SIZE, OPENED, TOO_MANY

__all__ = ["buying_power_room", "enter_book", "no_limit", "opening"]


def no_limit(p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any) -> float:
    """Allow everything."""
    return 1e300


def buying_power_room(
    j: int, side: float, equity: float, specs: Any, hi: Sequence[float], lo: Sequence[float], price: Sequence[float], unit: Sequence[float], fees: Sequence[float]
) -> float:
    """Return the quantity that the account can still pay margin and fees for (SEMANTICS 22)."""
    left = equity
    for i in range(len(hi)):
        left = left - fees[i]
        if i != j:
            most = max(abs(hi[i]), abs(lo[i]))
            if most > 0.0:
                left = left - ((most * slipped(price[i], 1.0, specs[i].slip_rate, specs[i].slip_offset)) * unit[i]) * specs[i].margin
    spec = specs[j]
    worst = slipped(price[j], 1.0, spec.slip_rate, spec.slip_offset) * unit[j]
    each = worst * spec.margin
    now = hi[j] if side > 0 else -lo[j]
    other = -lo[j] if side > 0 else hi[j]
    exchange = unit[j] / spec.multiplier
    by_rate = (left - max(now, 0.0) * each) / (each + worst * spec.fee_rate + spec.fee_unit * exchange)
    by_minimum = (left - max(now, 0.0) * each - spec.fee_minimum * exchange) / each
    room = min(by_rate, by_minimum)
    return 0.0 if other * each > left else max(room, 0.0)


def opening(
    size: Callable[..., float],
    size_p: Any,
    limits: Sequence[Callable[..., float]],
    limit_p: Any,
    tables: Any,
    count: int,
    buying_power: int,
    j: int,
    side: float,
    stance: float,
    equity: float,
    specs: Any,
    distance: float,
    hi: Any,
    lo: Any,
    price: Any,
    unit: Any,
    base: Any,
    fees: Any,
    row: Any,
) -> int:
    """Size one opening, cut it by each limit in order, and make whole steps of it once, last.

    The trace goes into `row`: ``asked``, ``after[k]`` (the quantity left after limit k; buying power is the last),
    ``lots`` and ``code``.

    Returns
    -------
    int
        Whole steps to open; 0 where nothing may be opened.
    """
    spec = specs[j]
    asked = size(size_p, spec, side, stance, equity, price[j], unit[j], distance)
    row.asked = asked
    if not asked > 0.0:
        row.code = NO_SIZE
        return 0
    allowed = asked
    for k in range(count):
        room = limits[k](limit_p[k], tables[k], j, side, equity, hi, lo, price, unit, base)
        if not room >= allowed:
            allowed = room if room > 0.0 else 0.0
        row.after[k] = allowed
    if buying_power:
        room = buying_power_room(j, side, equity, specs, hi, lo, price, unit, fees)
        if not room >= allowed:
            allowed = room if room > 0.0 else 0.0
        row.after[count] = allowed
    lots = lots_of(allowed, spec.number, spec.power)
    quantity = quantity_of(lots, spec.number, spec.power)
    row.code = OPENED
    if not allowed > 0.0:
        row.code = CUT_TO_NOTHING
    elif lots < 0:
        row.code = TOO_MANY
    elif lots <= 0 or quantity < spec.min_quantity * (1.0 - 1e-9) or (quantity * price[j]) * spec.multiplier < spec.min_notional * (1.0 - 1e-9):
        row.code = BELOW_MINIMUM
    if row.code != OPENED:
        return 0
    row.lots = lots
    return lots


def enter_book(j: int, side: float, lots: int, specs: Any, hi: Any, lo: Any, price: Any, unit: Any, fees: Any) -> None:
    """Count an opening into the book at its full size, for the openings decided after it."""
    spec = specs[j]
    quantity = quantity_of(lots, spec.number, spec.power)
    if side > 0:
        hi[j] = hi[j] + quantity
    else:
        lo[j] = lo[j] - quantity
    worst = slipped(price[j], 1.0, spec.slip_rate, spec.slip_offset)
    fees[j] = fees[j] + fee_of(quantity, worst, unit[j], spec.multiplier, spec.fee_rate, spec.fee_unit, spec.fee_minimum)
