"""What an order would do to the book, and what a preview cannot know."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.market import Effect, Order
from workbench.portfolio import Portfolio
from workbench.risk import CoolDown, MaxDailyLoss, MaxDrawdown, MaxExposure, MaxTrades, RiskManager

__all__ = ["consequences"]

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
    effects = _size(portfolio, j, change)
    groups = dict.fromkeys(["currency", *(part.by for part in risk if isinstance(part, MaxExposure))])
    for by in groups:
        effects += _exposure(portfolio, j, change, by)
    return tuple(effects), tuple(_missing(order, portfolio, list(groups), risk))


def _size(portfolio: Portfolio, j: int, change: float) -> list[Effect]:
    """Return leverage and gross notional."""
    worth = portfolio.price[j] * portfolio.unit[j]
    before = float(portfolio.positions["value"].abs().sum())
    held = portfolio.quantity(j)
    after = before + (abs(held + change) - abs(held)) * worth
    equity = portfolio.equity if portfolio.equity > 0 else math.nan
    return [Effect("leverage", before / equity, after / equity, "x"), Effect("gross notional", before, after, portfolio.currency)]


def _exposure(portfolio: Portfolio, j: int, change: float, by: str) -> list[Effect]:
    """Return the net exposure of each group that the instrument counts in."""
    now, found = portfolio.exposure(by), []
    for group, (base, value) in portfolio.instruments[j].legs(by).items():
        each = (base * portfolio.base[j] if base else 0.0) + (value * portfolio.price[j] * portfolio.unit[j] if value else 0.0)
        before = float(now.get(group, 0.0))
        found.append(Effect(f"exposure to {group}", before, before + change * each, portfolio.currency))
    return found


def _missing(order: Order, portfolio: Portfolio, groups: list[str], risk: Sequence[RiskManager]) -> list[str]:
    """Return one sentence for each thing that is not known."""
    said = [f"{order.instrument.symbol} counts towards no {by.replace('_', ' ')}" for by in groups if not order.instrument.legs(by)]
    said += [words for part in risk for words in part.notes(portfolio.instruments) if words not in said]
    if not portfolio.equity > 0:
        said.append("leverage is not known: equity is not above zero")
    blind = dict.fromkeys(type(part).__name__ for part in risk if isinstance(part, REMEMBERING))
    if blind:
        said.append(f"{', '.join(blind)}: no past equity, no day and no closed trades are known here, so nothing was cut for them")
    return said
