"""Two records side by side: every difference, named by its order (law 2)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.records import LEGS, STATUSES
from workbench.session.record import Record

__all__ = ["COLUMNS", "compare", "same"]

COLUMNS = ["what", "time", "symbol", "leg", "field", "expected", "got"]
ORDER_FIELDS = ("side", "lots", "kind", "price", "status", "end")
FILL_FIELDS = ("t", "lots", "price", "fee", "unit")
DECISION_FIELDS = ("stance", "price", "equity", "distance", "asked", "closed", "lots", "code")
Key = tuple[int, int, int, int, int]


def same(left: Any, right: Any) -> bool:
    """Whether two numbers are equal to the last bit; NaN equals NaN."""
    return bool(left == right or (left != left and right != right))


def compare(expected: Record, got: Record, bars: Bars) -> pd.DataFrame:
    """Return every difference between two records over the same bars.

    Orders are matched by their key (SEMANTICS 35, without account, deployment and attempt), fills by their sequence,
    decisions by step and instrument, equity by step. Numbers must be equal to the last bit.

    Returns
    -------
    DataFrame
        Columns what, time, symbol, leg, field, expected, got; empty where the records are equal.
    """
    rows = _orders(expected, got, bars) + _fills(expected, got, bars) + _decisions(expected, got, bars)
    rows += _equity(expected.equity, got.equity, bars)
    if not same(expected.cash, got.cash):
        rows.append(("cash", bars.index[-1], "", "", "cash", expected.cash, got.cash))
    return pd.DataFrame(rows, columns=COLUMNS)


def _equity(expected: np.ndarray, got: np.ndarray, bars: Bars) -> list[tuple[Any, ...]]:
    if len(expected) != len(got):
        return [("equity", bars.index[-1], "", "", "steps", len(expected), len(got))]
    unequal = np.flatnonzero(~((expected == got) | (np.isnan(expected) & np.isnan(got))))
    return [("equity", bars.index[t], "", "", "equity", float(expected[t]), float(got[t])) for t in unequal[:10]]


def _keyed(record: Record) -> dict[Key, Any]:
    """Return the orders by their key; of those that share one, as closings that two commands ask for do, each has its number."""
    found: dict[Key, Any] = {}
    seen: Counter[tuple[int, ...]] = Counter()
    for order in record.orders:
        key = int(order["t"]), int(order["j"]), int(order["leg"]), int(order["child"])
        found[(*key, seen[key])] = order
        seen[key] += 1
    return found


def _matched(what: str, left: dict[Any, Any], right: dict[Any, Any], fields: tuple[str, ...], name: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for key in sorted({*left, *right}):
        if key not in left or key not in right:
            rows.append((what, *name(key), "present", key in left, key in right))
            continue
        one, other = left[key], right[key]
        rows += [(what, *name(key), f, one[f].item(), other[f].item()) for f in fields if not same(one[f], other[f])]
    return rows


def _orders(expected: Record, got: Record, bars: Bars) -> list[tuple[Any, ...]]:
    def name(key: Key) -> tuple[Any, ...]:
        return bars.index[key[0]], bars.symbols[key[1]], LEGS[key[2]]

    return [_worded(row) for row in _matched("order", _keyed(expected), _keyed(got), ORDER_FIELDS, name)]


def _worded(row: tuple[Any, ...]) -> tuple[Any, ...]:
    if row[4] != "status":
        return row
    return (*row[:5], STATUSES[row[5]], STATUSES[row[6]])


def _fills(expected: Record, got: Record, bars: Bars) -> list[tuple[Any, ...]]:
    left, right = (dict(enumerate(record.fills)) for record in (expected, got))

    def name(number: int) -> tuple[Any, ...]:
        record = expected if number < len(expected.fills) else got
        fill = record.fills[number]
        return bars.index[fill["t"]], bars.symbols[fill["j"]], LEGS[record.orders[fill["order"]]["leg"]]

    return _matched("fill", left, right, FILL_FIELDS, name)


def _decisions(expected: Record, got: Record, bars: Bars) -> list[tuple[Any, ...]]:
    left, right = ({(int(d["t"]), int(d["j"])): d for d in record.decisions} for record in (expected, got))

    def name(key: tuple[int, int]) -> tuple[Any, ...]:
        return bars.index[key[0]], bars.symbols[key[1]], ""

    rows = _matched("decision", left, right, DECISION_FIELDS, name)
    for key in left.keys() & right.keys():
        cuts = zip(left[key]["after"].tolist(), right[key]["after"].tolist(), strict=True)
        rows += [("decision", *name(key), f"cut {k + 1}", one, other) for k, (one, other) in enumerate(cuts) if not same(one, other)]
    return rows
