"""What the positions of a portfolio tie up, and at which prices they would be liquidated (SEMANTICS 22, 41)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from workbench.maintenance import kept_for, liquidation_price
from workbench.money import worth

if TYPE_CHECKING:
    from workbench.portfolio._portfolio import Portfolio

__all__ = ["liquidation_prices", "margin_of"]


def _margined(portfolio: Portfolio) -> list[int]:
    """Return the columns of the positions that tie margin up."""
    return [j for j, lots in enumerate(portfolio.lots) if lots and (portfolio.specs[j].margined or lots < 0)]


def margin_of(portfolio: Portfolio) -> float:
    """Return the margin that positions tie up, in account currency."""
    total = 0.0
    for j in _margined(portfolio):
        total = total + (abs(portfolio.quantity(j)) * portfolio.price[j]) * portfolio.unit[j] * portfolio.specs[j].margin
    return total


def liquidation_prices(portfolio: Portfolio) -> pd.Series:
    """Return the price of each margined position at which equity is what must be kept; NaN where it has none."""
    equity, kept = portfolio.value()
    found = {symbol: math.nan for symbol, lots in zip(portfolio.symbols, portfolio.lots, strict=True) if lots}
    for j in _margined(portfolio):
        quantity, basis = portfolio.quantity(j), portfolio.basis[j]
        price, unit, spec = portfolio.price[j], portfolio.unit[j], portfolio.specs[j]
        others = equity - worth(quantity, price, basis, unit)
        rest = others - (kept - kept_for(quantity, price, unit, spec))
        reached = liquidation_price(quantity, basis, unit, rest, spec)
        # a long position without one survives a price of 0; a short one that no price saves is liquidated at any
        found[portfolio.symbols[j]] = max(reached, 0.0) if reached > 0.0 or quantity < 0.0 else math.nan
    return pd.Series(found, dtype=float, name="liquidation price")
