"""The research kernel: one pass over the bars, phase by phase over all instruments (SEMANTICS 9-27, KERNEL.md's order).

Plain Python that numba compiles unchanged (`compiled.py`); small runs call it as it stands, on lists instead of arrays.
Columns are flat, row after row: the bar of instrument j at step t lies at ``t * n + j``. Slots, specs and output rows are
records in compiled runs and plain objects otherwise (`records.py`).
"""

from __future__ import annotations

import math
from typing import Any

from workbench.decision import BookColumns, Chain, enter_book, opening, start_book, usable
from workbench.past import AT, NOW, OPENED, History, remember
from workbench.records import CANCELLED, LIMIT, NO_EQUITY, NO_EXIT, NO_RATE, NO_SHORT, NOT_SENT, STOPPED_OUT
from workbench.research.kernel_bar import charge, exits_at_open, inside, mark, orders_at_open
from workbench.research.kernel_calm import calm
from workbench.research.kernel_exits import move_exits
from workbench.research.kernel_orders import close_position, cross_over, end_opening, limit_of, new_decision, send_opening
from workbench.research.kernel_state import Columns, Ledger, Output, Settings

__all__ = ["ROWS_A_STEP", "run"]

#: The most rows of one kind that one instrument can need in one step.
ROWS_A_STEP = 6


def run(
    first: int,
    m: Columns,
    a: Ledger,
    b: BookColumns,
    out: Output,
    s: Settings,
    size: Any,
    size_p: Any,
    limits: Any,
    limit_p: Any,
    tables: Any,
    count: int,
    buying_power: int,
    scaled: int,
) -> int:
    """Step through the bars from step `first` on; return where it stopped: at the end, or where the rows run out.

    Functions and their numbers are handed over one by one: numba turns them into first-class functions only there.
    """
    chain = Chain(size, size_p, limits, limit_p, tables, count, buying_power, scaled)
    n = len(a.specs)
    spare = ROWS_A_STEP * n
    exits = s.has_stop + s.has_target
    waiting = list_busy(n, a)  # how many instruments have an order out; on most bars none has
    t = first
    while t < len(m.label):
        if n == 1 and waiting == 0:
            t = calm(t, m, a, out, s)
            if t == len(m.label):
                break
        if not roomy(spare, a, out):
            return t
        a.past[NOW] = t
        if s.financed != 0:
            charge(2 * t, m, a)
        if waiting != 0:
            orders_at_open(t, waiting, n, m, a, out, s)
        if exits != 0:
            exits_at_open(t, n, m, a, out, s)
        if waiting + exits != 0:
            inside(t, waiting, n, m, a, out, s)
        if s.financed != 0:
            charge(2 * t + 1, m, a)
        needed = mark(t, n, m, a, out, s)
        sent = a.counts[0]
        decide(t, n, m, a, b, out, s, needed, chain)
        if waiting != 0 or a.counts[0] != sent:
            waiting = list_busy(n, a)
        t += 1
    return t


def decide(t: int, n: int, m: Columns, a: Ledger, b: BookColumns, out: Output, s: Settings, needed: float, chain: Chain) -> None:
    """Decide a step that is marked: exits that move, closings, then openings."""
    equity = out.equity[t]
    if s.remembers != 0:
        remember(a.past, t, m.day[t], equity, s.drawdown, s.rearm)
    if s.moves != 0:
        move_exits(t, n, m, a, out, s, equity)
    wanted = close_what_turned(t, n, m, a, out, equity)
    if needed > 0.0 and equity < needed:
        stop_out(t, n, a, out)
        wanted = refuse_all(n, a, out, wanted)
    if s.cross != 0:
        cross_over(t, n, a, out, equity)
    if wanted > 0:
        fill_book(t, n, a, b, s)
        decide_openings(t, n, m, a, b, out, s, equity, chain)


def roomy(spare: int, a: Ledger, out: Output) -> bool:
    """Whether there are so many rows left of each kind."""
    orders, fills, decisions = len(out.orders), len(out.fills), len(out.decisions)
    return a.counts[0] + spare <= orders and a.counts[1] + spare <= fills and a.counts[2] + spare <= decisions


def list_busy(n: int, a: Ledger) -> int:
    """List the instruments that have an order to open or to close out; return how many they are."""
    count = 0
    for j in range(n):
        if a.opening[j] >= 0 or a.closing[j] >= 0:
            a.busy[count] = j
            count += 1
    return count


def close_what_turned(t: int, n: int, m: Columns, a: Ledger, out: Output, equity: float) -> int:
    """Act on each stance that turned: withdraw, close, and mark who wants to open. Return how many do."""
    wanted = 0
    for j in range(n):
        stance = m.stance[t * n + j]
        if stance == a.said[j] or stance != stance:
            continue
        a.said[j] = stance
        wish = 1 if stance > 0.0 else (-1 if stance < 0.0 else 0)
        if wish != a.wish[j]:  # what is not new was acted on when it was
            a.wish[j] = wish
            wanted += turn(t, j, stance, wish, a, out, equity)
    return wanted


def turn(t: int, j: int, stance: float, wish: int, a: Ledger, out: Output, equity: float) -> int:
    """Act on a stance that turned; return 1 where it wants to open."""
    slot = a.slots[j]
    refused = wish < 0 and a.specs[j].can_short == 0
    sign = 0 if refused else wish
    if slot.waiting != 0:
        slot.waiting = 0
        slot.acted = sign
        return 0
    if sign == slot.acted:
        if refused:
            out.decisions[new_decision(t, j, stance, equity, a, out)].code = NO_SHORT
        return 0
    slot.acted = sign
    slot.crossing = 0
    if a.opening[j] >= 0:
        end_opening(t, j, a, out, CANCELLED)
    row = new_decision(t, j, stance, equity, a, out)
    if refused:
        out.decisions[row].code = NO_SHORT
    if slot.lots != 0 and a.closing[j] < 0:
        out.decisions[row].closed = slot.lots
        close_position(t, j, row, a, out)
    if sign == 0:
        return 0
    slot.wanted = sign
    slot.decision = row
    return 1


def stop_out(t: int, n: int, a: Ledger, out: Output) -> None:
    """Withdraw all openings and close all margined positions: equity is under what they must keep."""
    for j in range(n):
        slot = a.slots[j]
        slot.crossing = 0
        if a.opening[j] >= 0:
            end_opening(t, j, a, out, CANCELLED)
        if slot.lots != 0 and a.closing[j] < 0 and (a.specs[j].margined != 0 or slot.lots < 0):
            row = new_decision(t, j, math.nan, out.equity[t], a, out)
            out.decisions[row].closed = slot.lots
            out.decisions[row].code = STOPPED_OUT
            close_position(t, j, row, a, out)


def refuse_all(n: int, a: Ledger, out: Output, wanted: int) -> int:
    """Open nothing in the step of a stop-out."""
    if wanted > 0:
        for j in range(n):
            slot = a.slots[j]
            if slot.wanted != 0:
                out.decisions[slot.decision].code = STOPPED_OUT
                slot.wanted = 0
    return 0


def fill_book(t: int, n: int, a: Ledger, b: BookColumns, s: Settings) -> None:
    """Write the positions that open orders could still lead to; closings decided in this step count as done."""
    exits = s.has_stop + s.has_target
    used = 0.0
    for j in range(n):
        closing = a.closing[j] >= 0
        done = int(closing and a.slots[j].closed_at == t)
        used = used + start_book(b, j, a.quantity[j], int(closing or exits != 0), done)
    b.used[0] = used
    for j in range(n):
        if a.opening[j] >= 0:
            enter_book(b, j, float(a.slots[j].side), a.slots[j].size)


def decide_openings(t: int, n: int, m: Columns, a: Ledger, b: BookColumns, out: Output, s: Settings, equity: float, chain: Chain) -> None:
    """Decide the openings of a step, in the order of the instruments."""
    for j in range(n):
        slot = a.slots[j]
        if slot.wanted != 0:
            decide_opening(t, j, m, a, b, out, s, equity, chain)
            slot.wanted = 0


def decide_opening(t: int, j: int, m: Columns, a: Ledger, b: BookColumns, out: Output, s: Settings, equity: float, chain: Chain) -> None:
    """Size an opening, cut it, and send what is left."""
    slot = a.slots[j]
    row = out.decisions[slot.decision]
    at = t * len(a.specs) + j
    stop = m.stop[at] if s.has_stop != 0 else math.nan
    target = m.target[at] if s.has_target != 0 else math.nan
    even = m.even[at] if s.has_even != 0 else math.nan
    lasts = m.time[at] if s.has_time != 0 else math.nan
    row.distance = stop
    side = float(slot.wanted)
    if not equity > 0.0:
        row.code = NO_EQUITY
    elif m.fresh[at if s.moving != 0 else j] == 0:
        row.code = NO_RATE
    elif not placeable(a.price[j] if side > 0.0 else math.inf, stop, target, even, lasts, s):
        row.code = NO_EXIT
    else:
        measured = m.measured[at] if s.has_measured != 0 else math.nan
        a.past[AT] = t
        lots = opening(chain, b, j, side, m.stance[at], equity, stop, measured, History(a.past, m.series, m.day, a.memory), row)
        if lots > 0 and s.kind == LIMIT and not limit_of(j, side, a, s) > 0.0:
            row.code = NOT_SENT
            row.lots = 0
        elif lots > 0:
            enter_book(b, j, side, lots)
            a.past[OPENED] = a.past[OPENED] + 1.0
            slot.size = lots
            slot.side = slot.wanted
            slot.stop_distance = stop
            slot.target_distance = target
            slot.trail = m.trail[at] if s.has_trail != 0 else math.nan
            slot.even = even
            slot.lasts = lasts
            send_opening(t, j, a, out, s)


def placeable(below: float, stop: float, target: float, even: float, lasts: float, s: Settings) -> bool:
    """Whether every exit that the strategy has can be placed."""
    protected = usable(s.has_stop, stop, below) and usable(s.has_target, target, math.inf)
    return protected and usable(s.has_even, even, math.inf) and usable(s.has_time, lasts, math.inf)
