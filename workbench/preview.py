"""What would this order do: the decision of an opening, asked about one order outside of any run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

from workbench.decision import BookColumns, Chain, opening, start_book
from workbench.errors import ParameterError, StrategyError
from workbench.execution import Costs
from workbench.grid import lots_of, quantity_of
from workbench.instrument import Instrument
from workbench.market import Book, Decision, Market, Order, Outlook, Reason
from workbench.portfolio import Portfolio
from workbench.preview_effects import consequences, looked_back
from workbench.records import BELOW_MINIMUM, TOO_MANY, WORDS, DecisionRow
from workbench.risk import RiskManager
from workbench.spec import spec_of

__all__ = ["left_of", "number_of", "preview"]


def preview(order: Order, portfolio: Portfolio, risk: Sequence[RiskManager]) -> Decision:
    """Return what the limits allow of an order, in whole steps.

    The part that makes the position smaller is never cut (SEMANTICS 19); the part that opens takes the path of every
    opening: each limit in turn, then the buying power if the portfolio asks for it, whole steps once, last.
    """
    _require(order, portfolio)
    portfolio = portfolio.with_instrument(order.instrument)
    decision, trace = _decide(order, portfolio, risk)
    venue = tuple(reason for reason in decision.reasons if reason.who == "venue")
    return replace(decision, outlook=Outlook(order, (*trace, *venue), *consequences(order, decision.quantity, portfolio, risk)))


def _require(order: object, portfolio: object) -> None:
    """Refuse anything but an order and a portfolio, whatever the annotations promised."""
    if not isinstance(order, Order):
        raise ParameterError(f"preview expected a wb.Order first, wb.Order(instrument, 'buy', 10), got {order!r}")
    if not isinstance(portfolio, Portfolio):
        raise ParameterError(f"preview expected a wb.Portfolio after the order, got {portfolio!r}")


def _decide(order: Order, portfolio: Portfolio, risk: Sequence[RiskManager]) -> tuple[Decision, list[Reason]]:
    """Return the decision, and what every limit left of the order."""
    j, instrument = portfolio.column[order.instrument.symbol], order.instrument
    closing = max(-order.sign * portfolio.lots[j], 0)
    closed, whole = quantity_of(closing, *instrument.step), _whole(order.quantity, instrument)
    if whole <= closed:
        return Decision(whole, tuple(_venue(instrument, order.quantity, whole))), []
    if order.sign < 0 and not instrument.can_short:
        return Decision(closed, (Reason("venue", order.quantity, closed, f"{instrument.symbol} cannot be sold short"),)), []
    if portfolio.told and not portfolio.equity > 0:
        why = f"equity is {portfolio.equity:,.2f} {portfolio.currency}, and nothing opens while it is not above zero"
        return Decision(closed, (Reason("equity", order.quantity, closed, why),)), []
    opened, *found = _open(replace(order, quantity=order.quantity - closed), portfolio, j, closing, risk)
    # a cut of the part that opens is told in terms of the whole order
    reasons, trace = ([replace(r, before=r.before + closed, after=r.after + closed) for r in told] for told in found)
    return Decision(quantity_of(closing + opened, *instrument.step), tuple(reasons)), trace


def _open(order: Order, portfolio: Portfolio, j: int, closing: int, risk: Sequence[RiskManager]) -> tuple[int, list[Reason], list[Reason]]:
    """Decide the part of an order that opens: a chain whose sizer asks for what was ordered; return its lots, the cuts and the trace."""
    book, market = _frozen(portfolio, j, portfolio.lots[j] + order.sign * closing)
    row, said = DecisionRow(), []

    def ask(_: Any, part: RiskManager, *columns: Any) -> float:
        """Ask a limit through its own method, compiled or not: that one also says why."""
        left, who = left_of(row), type(part).__name__
        room, why = part.allowed(replace(order, quantity=left), _looking_back(book, part, portfolio), market) if left > 0.0 else (0.0, "")
        said.append((who, why))
        return number_of(room, f"{who}.limit")

    # where a compiled limit has its table, `ask` has the limit itself
    chain = Chain(lambda *_: order.quantity, (), [ask] * len(risk), risk, risk, len(risk), int(portfolio.buying_power), 0)
    n = len(portfolio.symbols)
    columns = BookColumns(
        _priced(portfolio), portfolio.price, portfolio.unit, portfolio.base, [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n, [0.0]
    )
    columns.used[0] = sum(start_book(columns, i, held, 0, 0) for i, held in enumerate(book.positions.values()))
    lots = opening(chain, columns, j, float(order.sign), math.nan, book.equity, math.nan, math.nan, book.history, row)
    said.append(("buying power", f"equity {book.equity:,.2f} {book.currency} pays for the margin and costs of {left_of(row):g}"))
    return lots, _reasons(row, said, market), _trace(row, said)


def _looking_back(book: Book, part: RiskManager, portfolio: Portfolio) -> Book:
    """Return the book with what a limit looks back at."""
    return replace(book, history=looked_back(part, portfolio)) if part.series_rows(len(portfolio.symbols)) else book


def _frozen(portfolio: Portfolio, j: int, left: int) -> tuple[Book, Market]:
    """Return book and market as values, with `left` lots of instrument j: the closing part of the order counts as done."""
    instrument, symbols = portfolio.instruments[j], portfolio.symbols
    positions = {s: portfolio.quantity(i) for i, s in enumerate(symbols)} | {instrument.symbol: quantity_of(left, *instrument.step)}
    book = Book(portfolio.currency, portfolio.equity, portfolio.cash, positions, positions, positions)
    by_symbol = [dict(zip(symbols, values, strict=True)) for values in (portfolio.price, portfolio.unit, portfolio.base)]
    return book, Market(0, instrument, dict(zip(symbols, portfolio.instruments, strict=True)), *by_symbol)


def _priced(portfolio: Portfolio) -> list[Any]:
    """Return the instruments with their costs: a session's book knows them, a hand-made one has the usual ones (SEMANTICS 31)."""
    if portfolio.rates is None:
        return portfolio.specs
    return [spec_of(i, Costs().numbers(i)) for i in portfolio.instruments]


def _whole(quantity: float, instrument: Instrument) -> float:
    """Return the whole steps in a quantity; where they are too many to count, every float is whole."""
    lots = lots_of(quantity, *instrument.step)
    return quantity_of(lots, *instrument.step) if lots >= 0 else quantity


def left_of(row: Any) -> float:
    """Return what the limits asked so far have left of an opening."""
    return next((after for after in reversed(row.after) if after == after), row.asked)


def number_of(given: object, who: str) -> float:
    """Return what a user's own part gave as a float, or say that it is none."""
    if not isinstance(given, Real):
        raise StrategyError(f"{who} must return a number, got {given!r}")
    return float(given)


# -- the row of a decision in words -----------------------------------------------------------------------------------


def _reasons(row: Any, said: list[tuple[str, str]], market: Market) -> list[Reason]:
    """Return who cut, from what to what and why; the last cut ends at whole steps."""
    reasons, left = [], row.asked
    for (who, why), after in zip(said, row.after, strict=False):
        if after < left * (1.0 - 1e-12):
            reasons.append(Reason(who, left, after, why))
            left = after
    if row.code == TOO_MANY:
        return [*reasons, Reason("venue", left, 0.0, WORDS[TOO_MANY])]
    whole = _whole(left, market.instrument)
    reasons = [*reasons[:-1], replace(reasons[-1], after=whole)] if reasons else _venue(market.instrument, left, whole)
    if whole and row.code == BELOW_MINIMUM:
        reasons.append(Reason("venue", whole, 0.0, _smallest(market)))
    return reasons


def _trace(row: Any, said: list[tuple[str, str]]) -> list[Reason]:
    """Return what every limit left, also where it cut nothing; what comes after a cut to nothing was not asked."""
    before = [row.asked, *row.after]
    return [
        Reason(who, had, left, why if had > 0.0 else "not asked: nothing was left")
        for (who, why), had, left in zip(said, before, row.after, strict=False)
        if left == left
    ]


def _venue(instrument: Instrument, asked: float, whole: float) -> list[Reason]:
    """Return the reason for whole steps, where they are less than what was asked for."""
    why = f"{instrument.symbol} is traded in steps of {instrument.quantity_step:g}"
    return [Reason("venue", asked, whole, why)] if whole < asked * (1.0 - 1e-9) else []


def _smallest(market: Market) -> str:
    """Return the smallest order in words."""
    return f"the smallest order of {market.instrument.symbol} is {market.instrument.smallest(market.price):g}"
