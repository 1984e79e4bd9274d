"""What would this order do: the limits asked about one order, outside of any run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workbench.decision import BookColumns, buying_power_room, whole_steps
from workbench.grid import lots_of, quantity_of
from workbench.market import Book, Decision, Market, Order, Reason
from workbench.portfolio import Portfolio
from workbench.records import BELOW_MINIMUM, TOO_MANY, WORDS, DecisionRow
from workbench.risk import RiskManager

__all__ = ["preview"]


def preview(order: Order, portfolio: Portfolio, risk: Sequence[RiskManager]) -> Decision:
    """Return what the limits allow of an order.

    The part that makes the position smaller is never cut (SEMANTICS 19); the part that opens is cut by each limit in
    turn, then by the buying power if the portfolio asks for it, and made whole steps once, last.
    """
    portfolio = portfolio.with_instrument(order.instrument)
    j = portfolio.column[order.instrument.symbol]
    held = portfolio.quantity(j)
    closing = min(order.quantity, abs(held)) if held * order.sign < 0 else 0.0
    wanted = order.quantity - closing
    if wanted <= 1e-9 * closing:
        return Decision(closing)
    left = held + order.sign * closing
    book, market = _frozen(portfolio, j, left)
    allowed, reasons = _cut(replace(order, quantity=wanted), book, market, risk)
    if portfolio.buying_power:
        allowed, reasons = _afford(order, portfolio, j, book, allowed, reasons)
    opened, reasons = _whole(order, portfolio.specs[j], allowed, reasons, market.price)
    return Decision(closing + opened, tuple(_total(r, closing) for r in reasons))


def _frozen(portfolio: Portfolio, j: int, left: float) -> tuple[Book, Market]:
    """Return book and market as values, the closing part of the order counted as done."""
    positions = {s: portfolio.quantity(i) for i, s in enumerate(portfolio.symbols)} | {portfolio.symbols[j]: left}
    book = Book(portfolio.currency, portfolio.equity, portfolio.cash, positions, positions, positions)
    by_symbol = [dict(zip(portfolio.symbols, values, strict=True)) for values in (portfolio.price, portfolio.unit, portfolio.base)]
    market = Market(0, portfolio.instruments[j], dict(zip(portfolio.symbols, portfolio.instruments, strict=True)), *by_symbol)
    return book, market


def _cut(order: Order, book: Book, market: Market, risk: Sequence[RiskManager]) -> tuple[float, list[Reason]]:
    allowed, reasons = order.quantity, []
    for part in risk:
        room, why = part.allowed(order, book, market)
        room = max(room, 0.0) if room == room else 0.0
        if room < allowed * (1.0 - 1e-12):
            reasons.append(Reason(type(part).__name__, allowed, room, why))
            allowed = room
    return allowed, reasons


def _afford(order: Order, portfolio: Portfolio, j: int, book: Book, allowed: float, reasons: list[Reason]) -> tuple[float, list[Reason]]:
    held = list(book.positions.values())
    columns = BookColumns(portfolio.specs, portfolio.price, portfolio.unit, portfolio.base, held, held, [0.0] * len(held))
    room = buying_power_room(columns, j, float(order.sign), book.equity)
    if room < allowed:
        why = f"equity {book.equity:,.2f} {portfolio.currency} pays for the margin of {room:g}"
        return room, [*reasons, Reason("buying power", allowed, room, why)]
    return allowed, reasons


def _whole(order: Order, spec: Any, allowed: float, reasons: list[Reason], price: float) -> tuple[float, list[Reason]]:
    """Return whole steps, or nothing where that is below what the venue takes."""
    row = DecisionRow()
    whole_steps(allowed, spec, price, row)
    if row.code == TOO_MANY:
        return 0.0, [*reasons, Reason("venue", allowed, 0.0, WORDS[TOO_MANY])]
    quantity = quantity_of(lots_of(allowed, spec.number, spec.power), spec.number, spec.power)
    if reasons:
        reasons = [*reasons[:-1], replace(reasons[-1], after=quantity)]
    elif quantity < allowed * (1.0 - 1e-9):
        instrument = order.instrument
        reasons = [Reason("venue", allowed, quantity, f"{instrument.symbol} is traded in steps of {instrument.quantity_step:g}")]
    if quantity and row.code == BELOW_MINIMUM:
        least = max(spec.min_quantity, spec.min_notional / (price * spec.multiplier))
        return 0.0, [*reasons, Reason("venue", quantity, 0.0, f"the smallest order of {order.instrument.symbol} is {least:g}")]
    return quantity, reasons


def _total(reason: Reason, closing: float) -> Reason:
    """Say a cut of the opening part in terms of the whole order."""
    return replace(reason, before=reason.before + closing, after=reason.after + closing)
