"""One bar in the kernel: what fills at the open, what fills inside, what it is worth at the close (SEMANTICS 23-25)."""

from __future__ import annotations

from workbench.execution.fills import limit_at_open, limit_inside, stop_at_open, stop_inside, too_old
from workbench.interval import DAY
from workbench.maintenance import kept_for
from workbench.money import carried, slipped, worth
from workbench.records import EXPIRED, LIMIT, MARKET
from workbench.research.kernel_orders import end_limit, end_opening, enter, leave
from workbench.research.kernel_state import Columns, Ledger, Output, Settings


def charge(moment: int, m: Columns, a: Ledger) -> None:
    """Take from the cash what positions are charged up to a moment, at the last completed step's rate.

    Charges of bars that were passed over are behind: nothing was held there, and nothing is now.
    """
    k = a.counts[3]
    while k < len(m.charged) and m.charged[k] <= moment:
        j = m.charge_column[k]
        if a.quantity[j] != 0.0:
            paid = carried(a.quantity[j], m.charge_long[k], m.charge_short[k], a.unit[j])
            a.purse[0] = a.purse[0] - paid
            a.slots[j].spent = a.slots[j].spent + paid
        k += 1
    a.counts[3] = k


def orders_at_open(t: int, waiting: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill what was decided and fills at the open: first all closings, then all openings."""
    for k in range(waiting):
        j = a.busy[k]
        if a.closing[j] >= 0:
            first = m.open[t * n + j]
            if first == first:
                leave(t, j, a.closing[j], against(j, first, -1.0 if a.quantity[j] > 0.0 else 1.0, a), a, out)
    for k in range(waiting):
        j = a.busy[k]
        if a.opening[j] >= 0:
            first = m.open[t * n + j]
            if first == first:
                open_at_open(t, j, first, m, a, out, s)


def exits_at_open(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill the protective orders that the bar opens beyond: first all targets, then all stops."""
    if s.has_target != 0:
        for j in range(n):
            if a.quantity[j] != 0.0:
                first = m.open[t * n + j]
                slot = a.slots[j]
                if first == first and slot.limit_entry != t and limit_at_open(-1.0 if a.quantity[j] > 0.0 else 1.0, slot.target, first):
                    leave(t, j, slot.target_row, first, a, out)
    if s.has_stop != 0:
        for j in range(n):
            if a.quantity[j] != 0.0:
                first = m.open[t * n + j]
                held = 1.0 if a.quantity[j] > 0.0 else -1.0
                if first == first and stop_at_open(held, a.slots[j].stop, first):
                    leave(t, j, a.slots[j].stop_row, against(j, first, -held, a), a, out)


def against(j: int, price: float, side: float, a: Ledger) -> float:
    """Return the price of a market order, moved against us."""
    return slipped(price, side, a.specs[j].slip_rate, a.specs[j].slip_offset)


def open_at_open(t: int, j: int, first: float, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill a market opening, or a limit that the bar opens beyond; let an old opening go."""
    slot = a.slots[j]
    side = float(slot.side)
    if too_old(waited(slot.since, t, j, m, a, s), s.interval):
        end_opening(t, j, a, out, EXPIRED)
    elif slot.kind == MARKET:
        enter(t, j, against(j, first, side, a), a, out, s)
    elif limit_at_open(side, slot.price, first):
        slot.limit_entry = t
        enter(t, j, first, a, out, s)


def waited(since: int, t: int, j: int, m: Columns, a: Ledger, s: Settings) -> int:
    """Return how many intervals, or sessions of daily bars, lie between two steps."""
    if s.interval == DAY:
        k = j if s.sessions > 1 else 0
        return m.session[t * s.sessions + k] - m.session[since * s.sessions + k]
    return (m.label[t] - m.label[since]) // s.interval


def inside(t: int, waiting: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill what fills inside the bar, instrument by instrument: limit entry, then stop, then target."""
    exits = s.has_stop + s.has_target
    for k in range(n if exits != 0 else waiting):
        j = k if exits != 0 else a.busy[k]
        if a.opening[j] < 0 and (exits == 0 or a.quantity[j] == 0.0):
            continue
        high = m.high[t * n + j]
        low = m.low[t * n + j]
        slot = a.slots[j]
        if a.opening[j] >= 0:
            work_opening(t, j, high, low, m, a, out, s)
        if a.quantity[j] == 0.0 or high != high:
            continue
        held = 1.0 if a.quantity[j] > 0.0 else -1.0
        if s.has_stop != 0 and stop_inside(held, slot.stop, high, low):
            leave(t, j, slot.stop_row, against(j, slot.stop, -held, a), a, out)
        elif s.has_target != 0 and slot.limit_entry != t and limit_inside(-held, slot.target, high, low):
            leave(t, j, slot.target_row, slot.target, a, out)


def work_opening(t: int, j: int, high: float, low: float, m: Columns, a: Ledger, out: Output, s: Settings) -> None:
    """Fill a limit entry that is traded through, count the bars that it works, and let go what has waited too long for a bar."""
    slot = a.slots[j]
    if high != high:
        if too_old(waited(slot.since, t, j, m, a, s) + 1, s.interval):
            end_opening(t, j, a, out, EXPIRED)
    elif slot.kind == LIMIT:
        if limit_inside(float(slot.side), slot.price, high, low):
            slot.limit_entry = t
            enter(t, j, slot.price, a, out, s)
        else:
            slot.since = t
            slot.left = slot.left - 1
            if slot.left == 0:
                end_limit(t, j, a, out, s)


def mark(t: int, n: int, m: Columns, a: Ledger, out: Output, s: Settings) -> float:
    """Mark the positions at the closes, write the equity, and return the margin that margined positions must keep."""
    equity = a.purse[0]
    needed = 0.0
    for j in range(n):
        close = m.close[t * n + j]
        if close == close:
            a.price[j] = close
        if s.moving != 0:
            a.unit[j] = m.unit[t * n + j]
            a.base[j] = m.base[t * n + j]
        quantity = a.quantity[j]
        # a choice between two numbers, not a branch: which instruments are held, no processor can guess
        value = worth(quantity, a.price[j], a.basis[j], a.unit[j])
        equity = equity + (value if quantity != 0.0 else 0.0)
    if s.margined != 0:
        for j in range(n):
            if a.quantity[j] < 0.0 or (a.quantity[j] != 0.0 and a.specs[j].margined != 0):
                needed = needed + kept_for(a.quantity[j], a.price[j], a.unit[j], a.specs[j])
    out.equity[t] = equity
    return needed
