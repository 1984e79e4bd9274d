"""One bar in the kernel: what fills at the open, what fills inside, what it is worth at the close (SEMANTICS 23-25)."""

from __future__ import annotations

from workbench.execution.fills import limit_at_open, limit_inside, stop_at_open, stop_inside, too_old
from workbench.grid import quantity_of
from workbench.interval import DAY
from workbench.money import slipped, worth
from workbench.records import EXPIRED, LIMIT, MARKET
from workbench.research.kernel_orders import end_limit, end_opening, enter, leave
from workbench.research.kernel_state import Columns, Ledger, Output, Settings


def at_open(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill what fills at the open: closings, openings, targets, gapped stops - each over all instruments."""
    for j in range(n):
        slot = a.slots[j]
        first = m.open[t * n + j]
        if slot.closing >= 0 and first == first:
            price = slipped(first, -1.0 if slot.lots > 0 else 1.0, a.specs[j].slip_rate, a.specs[j].slip_offset)
            leave(t, j, slot.closing, price, a, out)
    for j in range(n):
        slot = a.slots[j]
        first = m.open[t * n + j]
        if slot.opening >= 0 and first == first:
            open_at_open(t, j, first, m, a, out, s)
    if s.has_target != 0:
        for j in range(n):
            slot = a.slots[j]
            first = m.open[t * n + j]
            if slot.lots == 0 or first != first or slot.limit_entry == t:
                continue
            if limit_at_open(-1.0 if slot.lots > 0 else 1.0, slot.target, first):
                leave(t, j, slot.target_row, first, a, out)
    if s.has_stop != 0:
        for j in range(n):
            slot = a.slots[j]
            first = m.open[t * n + j]
            if slot.lots != 0 and first == first:
                held = 1.0 if slot.lots > 0 else -1.0
                if stop_at_open(held, slot.stop, first):
                    leave(t, j, slot.stop_row, slipped(first, -held, a.specs[j].slip_rate, a.specs[j].slip_offset), a, out)


def open_at_open(t: int, j: int, first: float, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill a market opening, or a limit that the bar opens beyond; let an old opening go."""
    slot = a.slots[j]
    side = float(slot.side)
    if too_old(waited(slot.since, t, j, m, a, s), s.interval):
        end_opening(t, slot, out, EXPIRED)
    elif slot.kind == MARKET:
        enter(t, j, slipped(first, side, a.specs[j].slip_rate, a.specs[j].slip_offset), a, out, s)
    elif limit_at_open(side, slot.price, first):
        slot.limit_entry = t
        enter(t, j, first, a, out, s)


def waited(since: int, t: int, j: int, m: Columns, a: Ledger, s: Settings) -> int:
    """Return how many intervals, or sessions of daily bars, lie between two steps."""
    if s.interval == DAY:
        n = len(a.specs)
        return m.session[t * n + j] - m.session[since * n + j]
    return (m.label[t] - m.label[since]) // s.interval


def inside(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill what fills inside the bar, instrument by instrument: limit entry, then stop, then target."""
    for j in range(n):
        slot = a.slots[j]
        if slot.lots == 0 and slot.opening < 0:
            continue
        high = m.high[t * n + j]
        if high != high:
            if slot.opening >= 0 and too_old(waited(slot.since, t, j, m, a, s) + 1, s.interval):
                end_opening(t, slot, out, EXPIRED)
            continue
        low = m.low[t * n + j]
        if slot.opening >= 0 and slot.kind == LIMIT:
            if limit_inside(float(slot.side), slot.price, high, low):
                slot.limit_entry = t
                enter(t, j, slot.price, a, out, s)
            else:
                slot.since = t
                slot.left = slot.left - 1
                if slot.left == 0:
                    end_limit(t, slot, out, s)
        if slot.lots == 0:
            continue
        held = 1.0 if slot.lots > 0 else -1.0
        if s.has_stop != 0 and stop_inside(held, slot.stop, high, low):
            leave(t, j, slot.stop_row, slipped(slot.stop, -held, a.specs[j].slip_rate, a.specs[j].slip_offset), a, out)
        elif s.has_target != 0 and slot.limit_entry != t and limit_inside(-held, slot.target, high, low):
            leave(t, j, slot.target_row, slot.target, a, out)


def mark(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> float:
    """Mark the positions at the closes, write the equity, and return the margin that margined positions need."""
    equity = a.purse[0]
    needed = 0.0
    for j in range(n):
        close = m.close[t * n + j]
        if close == close:
            a.price[j] = close
        if s.moving != 0:
            a.unit[j] = m.unit[t * n + j]
            a.base[j] = m.base[t * n + j]
        slot = a.slots[j]
        if slot.lots != 0:
            spec = a.specs[j]
            quantity = quantity_of(slot.lots, spec.number, spec.power)
            equity = equity + worth(quantity, a.price[j], slot.basis, a.unit[j])
            if spec.margined != 0 or quantity < 0.0:
                needed = needed + (abs(quantity) * a.price[j]) * a.unit[j] * spec.margin
    out.equity[t] = equity
    return needed
