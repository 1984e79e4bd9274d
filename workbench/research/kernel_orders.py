"""Orders in the kernel: rows written, fills booked, protective orders rested and taken off."""

from __future__ import annotations

import math

from workbench.execution.fills import limit_price, stop_level, target_level
from workbench.grid import quantity_of
from workbench.money import below_minimum, cash_after, fee_of
from workbench.past import count_trade
from workbench.records import CANCELLED, CLOSE, FILLED, LAPSED, LIMIT, MARKET, MOST_LIMITS, OPEN, STOP, STOP_ORDER, TARGET, WORKING
from workbench.research.kernel_state import Ledger, Output, Settings


def send_opening(t: int, j: int, a: Ledger, out: Output, s: Settings) -> None:
    """Send the opening as the execution algorithm has it: at market, or as a limit better than the close."""
    slot = a.slots[j]
    slot.kind = s.kind
    slot.sent = t
    slot.since = t
    slot.left = s.bars
    slot.price = limit_of(j, float(slot.side), a, s) if s.kind == LIMIT else math.nan
    a.opening[j] = new_order(t, j, OPEN, 0, slot.side, slot.size, s.kind, slot.price, -1, slot.decision, out, a)


def limit_of(j: int, side: float, a: Ledger, s: Settings) -> float:
    """Return the price of a limit entry at the last close."""
    return limit_price(side, a.price[j], s.offset, a.specs[j].tick_number, a.specs[j].tick_power)


def new_order(
    t: int, j: int, leg: int, child: int, side: int, lots: int, kind: int, price: float, parent: int, decision: int, out: Output, a: Ledger
) -> int:
    """Write an order's row and return its number."""
    number = a.counts[0]
    a.counts[0] = number + 1
    row = out.orders[number]
    row.t = t
    row.j = j
    row.leg = leg
    row.child = child
    row.side = side
    row.lots = lots
    row.kind = kind
    row.price = price
    row.parent = parent
    row.decision = decision
    row.status = WORKING
    row.end = -1
    return number


def new_decision(t: int, j: int, stance: float, equity: float, a: Ledger, out: Output) -> int:
    """Write a decision's row and return its number."""
    number = a.counts[2]
    a.counts[2] = number + 1
    row = out.decisions[number]
    row.t = t
    row.j = j
    row.stance = stance
    row.price = a.price[j]
    row.equity = equity
    row.distance = math.nan
    row.asked = math.nan
    for k in range(MOST_LIMITS + 1):
        row.after[k] = math.nan
    row.closed = 0
    row.lots = 0
    row.code = 0
    return number


def end_order(t: int, number: int, status: int, out: Output) -> None:
    """Write how and when an order ended."""
    row = out.orders[number]
    row.status = status
    row.end = t


def end_opening(t: int, j: int, a: Ledger, out: Output, status: int) -> None:
    """Take an unfilled opening off."""
    end_order(t, a.opening[j], status, out)
    a.opening[j] = -1


def end_limit(t: int, j: int, a: Ledger, out: Output, s: Settings) -> None:
    """End a limit that did not fill in time: for good, or until the decision sends it on as a market order."""
    end_opening(t, j, a, out, LAPSED)
    a.slots[j].crossing = s.cross


def cross_over(t: int, n: int, a: Ledger, out: Output, equity: float) -> None:
    """Send on, at market, the limits that ended at this close and are still wanted; nothing without equity, or below the smallest order."""
    for j in range(n):
        slot = a.slots[j]
        if slot.crossing != 0:
            slot.crossing = 0
            spec = a.specs[j]
            if not equity > 0.0 or below_minimum(quantity_of(slot.size, spec.number, spec.power), a.price[j], spec):
                continue
            slot.kind = MARKET
            slot.price = math.nan
            slot.since = t
            a.opening[j] = new_order(slot.sent, j, OPEN, 1, slot.side, slot.size, MARKET, math.nan, -1, slot.decision, out, a)


def close_position(t: int, j: int, decision: int, a: Ledger, out: Output) -> None:
    """Send the closing of a position at market."""
    slot = a.slots[j]
    side = -1 if slot.lots > 0 else 1
    slot.closed_at = t
    a.closing[j] = new_order(t, j, CLOSE, 0, side, abs(slot.lots), MARKET, math.nan, -1, decision, out, a)


def enter(t: int, j: int, price: float, a: Ledger, out: Output, s: Settings) -> None:
    """Book the fill of an opening and rest its protective orders."""
    slot = a.slots[j]
    spec = a.specs[j]
    number = a.opening[j]
    lots = slot.side * slot.size
    a.basis[j] = 0.0 if spec.funded != 0 else price
    before = a.purse[0]
    a.quantity[j] = book(t, j, number, lots, price, a, out)
    slot.spent = before - a.purse[0]
    slot.put_in = (abs(a.quantity[j]) * price) * a.unit[j]
    slot.lots = lots
    a.opening[j] = -1
    parent = out.orders[number]
    held = float(slot.side)
    slot.filled = price
    slot.best = price
    slot.age = 0
    if s.has_stop != 0:
        slot.stop = stop_level(held, price, slot.stop_distance, spec.tick_number, spec.tick_power)
        slot.stop_row = new_order(parent.t, j, STOP, 0, -slot.side, slot.size, STOP_ORDER, slot.stop, number, parent.decision, out, a)
    if s.has_target != 0:
        slot.target = target_level(held, price, slot.target_distance, spec.tick_number, spec.tick_power)
        slot.target_row = new_order(parent.t, j, TARGET, 0, -slot.side, slot.size, LIMIT, slot.target, number, parent.decision, out, a)


def leave(t: int, j: int, number: int, price: float, a: Ledger, out: Output) -> None:
    """Book the fill of whatever closed a position, and take off what else was there to close it."""
    slot = a.slots[j]
    before = a.purse[0]
    book(t, j, number, -slot.lots, price, a, out)
    count_trade(a.past, ((a.purse[0] - before) - slot.spent) / slot.put_in)
    slot.lots = 0
    a.quantity[j] = 0.0
    if a.closing[j] >= 0 and a.closing[j] != number:
        end_order(t, a.closing[j], CANCELLED, out)
    if slot.stop_row >= 0 and slot.stop_row != number:
        end_order(t, slot.stop_row, CANCELLED, out)
    if slot.target_row >= 0 and slot.target_row != number:
        end_order(t, slot.target_row, CANCELLED, out)
    a.closing[j] = -1
    slot.stop_row = -1
    slot.target_row = -1


def book(t: int, j: int, number: int, lots: int, price: float, a: Ledger, out: Output) -> float:
    """Write a fill and move the cash, at the last completed step's rate; return the signed quantity."""
    spec = a.specs[j]
    quantity = quantity_of(lots, spec.number, spec.power)
    fee = fee_of(quantity, price, a.unit[j], spec.multiplier, spec.fee_rate, spec.fee_unit, spec.fee_minimum, spec.fee_most)
    a.purse[0] = cash_after(a.purse[0], quantity, price, a.basis[j], a.unit[j], fee)
    end_order(t, number, FILLED, out)
    row = out.fills[a.counts[1]]
    a.counts[1] = a.counts[1] + 1
    row.order = number
    row.t = t
    row.j = j
    row.lots = lots
    row.price = price
    row.fee = fee
    row.unit = a.unit[j]
    return quantity
