"""The standard forms: a table has these columns, in this order and of these types, whatever a venue returned, with or without rows.

Times are UTC, names are text, everything else is a float; what is not known is NaN or an empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from workbench.portfolio._accounts import FLOWS

__all__ = ["BALANCES", "DIFFERENCES", "LOTS", "POSITIONS", "STATEMENT", "TAXES", "table"]

TIMES = frozenset(("time", "opened", "closed"))
TEXTS = frozenset(("venue", "symbol", "ticket", "side", "kind", "what", "currency", "fee_currency"))

PLACE = ("venue", "symbol", "ticket")
STATEMENT = ("time", "venue", "kind", "symbol", "ticket", "quantity", "price", "amount", "currency", "fee", "fee_currency")
BALANCES = ("venue", "currency", "balance", *FLOWS)
POSITIONS = (*PLACE, "quantity", "dust", "average_price", "last_price", "currency", "value", "unrealised")
LOTS = (*PLACE, "side", "quantity", "opened", "open_price", "cost", "currency")
CLOSED = ("side", "quantity", "opened", "closed", "days", "open_price", "close_price", "currency", "cost", "proceeds", "fees", "profit")
TAXES = (*PLACE, *CLOSED)
DIFFERENCES = ("what", *PLACE, "ours", "theirs")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Return rows in a standard form."""
    rows = list(rows)
    cells = zip(*rows, strict=True) if rows else ([] for _ in columns)
    return pd.DataFrame({name: _column(name, list(values)) for name, values in zip(columns, cells, strict=True)})


def _column(name: str, values: list[Any]) -> pd.Series:
    if name in TIMES:
        return pd.Series(pd.DatetimeIndex(values, tz="UTC").as_unit("ns"))
    if name in TEXTS:
        return pd.Series(values, dtype="str")
    return pd.Series([float(value) for value in values], dtype="float64")
