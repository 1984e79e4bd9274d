"""What an order would do to the book, and what a preview cannot know."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.errors import ParameterError
from workbench.market import Effect, Order
from workbench.past import AT, History, empty_past
from workbench.portfolio import Portfolio
from workbench.risk import CoolDown, LossLimit, MaxDailyLoss, MaxDrawdown, MaxExposure, MaxLeverage, MaxTrades, RiskManager, Snapshot
from workbench.sessions import day_numbers

__all__ = ["consequences", "looked_back"]

#: Limits on what an account has lived through.
REMEMBERING = (CoolDown, MaxDailyLoss, MaxDrawdown, MaxTrades)


def consequences(
    order: Order, quantity: float, portfolio: Portfolio, risk: Sequence[RiskManager]
) -> tuple[tuple[Effect, ...], tuple[str, ...]]:
    """Return what trading so much of an order changes at the last prices, before costs; and what could not be looked at.

    Parameters
    ----------
    order : Order
    quantity : float
        What is allowed of it.
    portfolio : Portfolio
        With a column for the order's instrument.
    risk : sequence of RiskManager
        By the groups of its exposure limits, and by currency, exposure is told.
    """
    j, change = portfolio.column[order.instrument.symbol], order.sign * quantity
    effects = _size(portfolio, j, change, risk)
    groups = dict.fromkeys(["currency", *(part.by for part in risk if isinstance(part, MaxExposure))])
    for by in groups:
        effects += _exposure(portfolio, j, change, by, risk)
    effects += [_loss(portfolio, j, change, part) for part in risk if isinstance(part, LossLimit) and _has_history(portfolio)]
    return tuple(effects), tuple(_missing(order, portfolio, list(groups), risk))


def looked_back(part: RiskManager, portfolio: Portfolio) -> History:
    """Return what a limit looks back at: the past of a portfolio's bars.

    Raises
    ------
    ParameterError
        The portfolio has no past bars, or none of an instrument.
    """
    if portfolio.history is None:
        raise ParameterError(f"{type(part).__name__} looks back at past returns: give the portfolio bars, wb.Portfolio(..., history=bars)")
    without = [symbol for symbol in portfolio.symbols if symbol not in portfolio.history.symbols]
    if without:
        known = ", ".join(portfolio.history.symbols)
        raise ParameterError(f"{type(part).__name__} looks back at past returns: history= has no bars of {without[0]}, only of {known}")
    bars = portfolio.history[portfolio.symbols]
    past = empty_past(portfolio.equity)
    past[AT] = len(bars) - 1
    series = part.series(bars)
    assert series is not None
    return History(past, series.T.ravel().tolist(), day_numbers(bars, "00:00 UTC").tolist(), [])


def _has_history(portfolio: Portfolio) -> bool:
    return portfolio.history is not None and set(portfolio.symbols) <= set(portfolio.history.symbols)


def _size(portfolio: Portfolio, j: int, change: float, risk: Sequence[RiskManager]) -> list[Effect]:
    """Return leverage, net too where that is limited, and gross notional."""
    worth = portfolio.price[j] * portfolio.unit[j]
    values = zip(_lots(portfolio), portfolio.price, portfolio.unit, strict=True)
    before = sum(abs(held * price * unit) for held, price, unit in values if held)
    held = portfolio.quantity(j)
    after = before + (abs(held + change) - abs(held)) * worth
    equity = portfolio.equity if portfolio.equity > 0 else math.nan
    most, net = (
        min((float(part.limit) for part in risk if isinstance(part, MaxLeverage) and part.scope == scope), default=None)
        for scope in ("gross", "net")
    )
    found = [Effect("leverage", before / equity, after / equity, "x", most), Effect("gross notional", before, after, portfolio.currency)]
    if net is not None:
        long = float(portfolio.positions["value"].sum())
        found.append(Effect("net leverage", long / equity, (long + change * worth) / equity, "x", net))
    return found


def _exposure(portfolio: Portfolio, j: int, change: float, by: str, risk: Sequence[RiskManager]) -> list[Effect]:
    """Return the net exposure of each group that the instrument counts in, and the gross one where it is limited."""
    found: list[Effect] = []
    for group in portfolio.instruments[j].legs(by):
        held = [(i, lots) for i, lots in enumerate(_lots(portfolio)) if lots or i == j]
        parts = [(lots, lots + change * (i == j), _leg(portfolio, i, by, group)) for i, lots in held]
        net, gross = (_cap(risk, by, scope, group, portfolio.equity) for scope in ("net", "gross"))
        before, after = (sum(part[k] * part[2] for part in parts) for k in (0, 1))
        found.append(Effect(f"exposure to {group}", before, after, portfolio.currency, net))
        if gross is not None:
            before, after = (sum(abs(part[k] * part[2]) for part in parts) for k in (0, 1))
            found.append(Effect(f"gross exposure to {group}", before, after, portfolio.currency, gross))
    return found


def _lots(portfolio: Portfolio) -> list[float]:
    return [portfolio.quantity(i) for i in range(len(portfolio.symbols))]


def _leg(portfolio: Portfolio, i: int, by: str, group: str) -> float:
    """Return what one lot of an instrument adds to a group; 0 where it does not count in it."""
    base, value = portfolio.instruments[i].legs(by).get(group, (0.0, 0.0))
    return (base * portfolio.base[i] if base else 0.0) + (value * portfolio.price[i] * portfolio.unit[i] if value else 0.0)


def _cap(risk: Sequence[RiskManager], by: str, scope: str, group: str, equity: float) -> float | None:
    """Return the nearest limit on a group's exposure in account currency, None for none."""
    parts = [part for part in risk if isinstance(part, MaxExposure) and (part.by, part.scope) == (by, scope)]
    caps = [part.money_of(group, equity) for part in parts if part.limits(group)]
    return min(caps, default=None)


def _loss(portfolio: Portfolio, j: int, change: float, part: LossLimit) -> Effect:
    """Return what a limit on losses measures of the book as it is, and as it would be."""
    held = _lots(portfolio)
    after = [lots + change * (i == j) for i, lots in enumerate(held)]
    book = Snapshot(j, portfolio.equity, held, held, portfolio.price, portfolio.unit, portfolio.base, looked_back(part, portfolio))
    before, then = (
        part.measured_of(book._replace(hi=lots, lo=lots), portfolio.instruments, portfolio.currency) if any(lots) else 0.0
        for lots in (held, after)
    )
    return Effect(part.what, before, then, portfolio.currency, part.most(portfolio.equity))


def _missing(order: Order, portfolio: Portfolio, groups: list[str], risk: Sequence[RiskManager]) -> list[str]:
    """Return one sentence for each thing that is not known."""
    said = [f"{order.instrument.symbol} counts towards no {by.replace('_', ' ')}" for by in groups if not order.instrument.legs(by)]
    said += [words for part in risk for words in part.notes(portfolio.instruments) if words not in said]
    if not portfolio.equity > 0:
        said.append("leverage is not known: equity is not above zero")
    losses = dict.fromkeys(type(part).__name__ for part in risk if isinstance(part, LossLimit))
    if losses and not _has_history(portfolio):
        said.append(f"{', '.join(losses)}: the portfolio has no past bars of all that is held, so it is not measured")
    blind = dict.fromkeys(type(part).__name__ for part in risk if isinstance(part, REMEMBERING))
    if blind:
        said.append(f"{', '.join(blind)}: no past equity, no day and no closed trades are known here, so nothing was cut for them")
    return said
