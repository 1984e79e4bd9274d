"""What a portfolio holds, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import group_names

if TYPE_CHECKING:
    from workbench.portfolio._portfolio import Portfolio

__all__ = ["exposure_by", "positions_table"]

COLUMNS = ("quantity", "average_price", "last_price", "value", "unrealised")


def positions_table(portfolio: Portfolio) -> pd.DataFrame:
    """Return what is held, one row a symbol."""
    held = [j for j, lots in enumerate(portfolio.lots) if lots]
    rows = [portfolio.position(j) for j in held]
    values = [
        [p.quantity, p.average_price, p.last_price, p.quantity * p.last_price * portfolio.unit[j], p.unrealised]
        for j, p in zip(held, rows, strict=True)
    ]
    return pd.DataFrame(values, pd.Index([portfolio.symbols[j] for j in held], name="symbol"), list(COLUMNS), dtype=float)


def exposure_by(portfolio: Portfolio, by: str) -> pd.Series:
    """Return the net exposure of each group in account currency (SEMANTICS 30)."""
    choices = group_names(portfolio.instruments)
    if by not in choices:
        raise ParameterError(f"exposure: unknown group {by!r}{did_you_mean(by, choices)}")
    total: dict[str, float] = {}
    for j, instrument in enumerate(portfolio.instruments):
        if portfolio.lots[j]:
            for group, (base, value) in instrument.legs(by).items():
                each = base * portfolio.base[j] if base else 0.0
                each += value * portfolio.price[j] * portfolio.unit[j] if value else 0.0
                total[group] = total.get(group, 0.0) + portfolio.quantity(j) * each
    return pd.Series(total, dtype=float, name=f"exposure in {portfolio.currency}")
