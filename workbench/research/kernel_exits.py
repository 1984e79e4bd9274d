"""Exits at the close in the kernel: stops that move, and positions that have lasted long enough (SEMANTICS 23-25)."""

from __future__ import annotations

import math

from workbench.execution.fills import best_price, even_level, nearer, trailed_level
from workbench.records import TIMED_OUT
from workbench.research.kernel_orders import close_position, new_decision
from workbench.research.kernel_state import Columns, Ledger, Output, Settings

__all__ = ["move_exits"]


def move_exits(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings, equity: float) -> None:
    """Move the stops of what is held and had a bar, and close what has lasted as many bars as it may."""
    for j in range(n):
        close = m.close[t * n + j]
        if a.quantity[j] == 0.0 or close != close or a.closing[j] >= 0:
            continue
        slot = a.slots[j]
        slot.age = slot.age + 1
        move_stop(t, j, close, m, a, out, s)
        if s.has_time != 0 and slot.age >= slot.lasts:
            row = new_decision(t, j, math.nan, equity, a, out)
            out.decisions[row].closed = slot.lots
            out.decisions[row].code = TIMED_OUT
            close_position(t, j, row, a, out)


def move_stop(t: int, j: int, close: float, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Move one stop to where the trailing distance or the break-even move puts it, where that is nearer."""
    slot, spec = a.slots[j], a.specs[j]
    held = 1.0 if a.quantity[j] > 0.0 else -1.0
    stop = slot.stop
    if s.has_trail != 0:
        at = t * len(a.specs) + j
        reached = close
        if s.extreme != 0 and slot.limit_entry != t:
            reached = m.high[at] if held > 0.0 else m.low[at]
        slot.best = best_price(held, slot.best, reached)
        stop = nearer(held, stop, trailed_level(held, slot.best, slot.trail, spec.tick_number, spec.tick_power))
    if s.has_even != 0 and held * (close - slot.filled) >= slot.even:
        stop = nearer(held, stop, even_level(held, slot.filled, s.plus, spec.tick_number, spec.tick_power))
    if stop != slot.stop:
        slot.stop = stop
        out.orders[slot.stop_row].price = stop
