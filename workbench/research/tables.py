"""A record as tables that a person reads: orders, fills, trades, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from workbench.records import LEGS, STATUSES, TYPES
from workbench.research.trips import EXITS, quantities, trips
from workbench.session.record import Record
from workbench.session.setup import Setup
from workbench.session.words import decision_words, order_words

__all__ = [
    "decisions_table",
    "explained_table",
    "fills_table",
    "orders_table",
    "positions_of",
    "strategies_table",
    "strategy_names",
    "trades_table",
]


def _symbols(setup: Setup, rows: np.ndarray) -> Any:
    return _words(setup.bars.symbols, rows["j"])


def _words(names: Sequence[str], numbers: np.ndarray) -> Any:
    """Return a column of words, taken by number: without a Python string for each row."""
    return pd.array(list(names), dtype="str").take(numbers)


def _times(setup: Setup, steps: np.ndarray) -> Any:
    index = setup.bars.index
    taken = index.take(np.maximum(steps, 0))
    return taken.where(steps >= 0) if (steps < 0).any() else taken


def orders_table(setup: Setup, record: Record) -> pd.DataFrame:
    """Return every order that was sent, protective ones included."""
    rows = record.orders
    return pd.DataFrame(
        {
            "time": _times(setup, rows["t"]),
            "symbol": _symbols(setup, rows),
            "leg": _words(LEGS, rows["leg"]),
            "side": _words(("buy", "sell"), (rows["side"] <= 0).astype(np.intp)),
            "quantity": quantities(setup, rows, "lots"),
            "type": _words(TYPES, rows["kind"]),
            "price": rows["price"],
            "status": _words(STATUSES, rows["status"]),
            "ended": _times(setup, rows["end"]),
            "decision": rows["decision"],
        }
    )


def fills_table(setup: Setup, record: Record) -> pd.DataFrame:
    """Return every fill; value and fee in account currency."""
    rows = record.fills
    quantity = quantities(setup, rows, "lots")
    return pd.DataFrame(
        {
            "time": _times(setup, rows["t"]),
            "symbol": _symbols(setup, rows),
            "leg": _words(LEGS, record.orders["leg"][rows["order"]]),
            "side": _words(("buy", "sell"), (record.orders["side"][rows["order"]] <= 0).astype(np.intp)),
            "quantity": np.abs(quantity),
            "price": rows["price"],
            "value": np.abs(quantity) * rows["price"] * rows["unit"],
            "fee": rows["fee"],
            "order": rows["order"],
        }
    )


def trades_table(setup: Setup, record: Record) -> pd.DataFrame:
    """Return round trips: profit in account currency after fees and funding; an open one is valued at the last close.

    The column `exit` says what ended each: ``"close"`` (its stance), ``"stop"``, ``"target"``, ``"stop-out"`` (the margin,
    SEMANTICS 41), or ``"open"``.
    """
    found = trips(setup, record)
    rank = np.argsort(np.argsort(np.array(setup.bars.symbols), kind="stable"), kind="stable")
    in_time = np.lexsort((rank[found.entries["j"]], found.entries["t"]))
    entries, end, why, quantity, price, fees, funding, profit = (array[in_time] for array in found)
    value = np.abs(quantity) * entries["price"] * entries["unit"]
    steps = np.where(end >= 0, end, len(setup.bars) - 1) - entries["t"]
    return pd.DataFrame(
        {
            "symbol": _symbols(setup, entries),
            "side": _words(("long", "short"), (entries["lots"] <= 0).astype(np.intp)),
            "quantity": np.abs(quantity),
            "entered": _times(setup, entries["t"]),
            "entry_price": entries["price"],
            "exited": _times(setup, end),
            "exit_price": price,
            "exit": _words(EXITS, why),
            "steps": steps,
            "fees": fees,
            "funding": funding,
            "profit": profit,
            "return": profit / value,
        }
    )


def strategy_names(setup: Setup) -> list[str]:
    """Return the names of the strategies of an account; of one strategy that of its signal."""
    return [type(setup.strategy.signal).__name__] if setup.team is None else list(setup.team.strategies)


def strategies_table(setup: Setup, trades: pd.DataFrame) -> pd.DataFrame:
    """Return what each strategy of an account has made of its share, by its name; of one strategy a row under that of its signal."""
    names, shares = strategy_names(setup), [1.0]
    if setup.team is not None:
        shares = [setup.team.share_of(name) for name in names]
    symbols, columns = setup.bars.symbols, [one.mine for one in setup.members[:-1] or (setup,)]
    name_of = {symbols[j]: name for name, mine in zip(names, columns, strict=True) for j in mine}
    each = trades.groupby(trades["symbol"].map(name_of), sort=False)
    closed = trades[trades["exit"] != "open"]
    won = (closed["profit"] > 0).groupby(closed["symbol"].map(name_of)).mean() * 100
    sums = each[["fees", "funding", "profit"]].sum().assign(trades=each.size())
    rows = sums.reindex(pd.Index(names, name="strategy"), fill_value=0)
    rows = rows.assign(share=shares, **{"win rate %": won})
    rows["return %"] = 100 * rows["profit"] / (setup.cash * rows["share"])
    return rows[["share", "profit", "return %", "trades", "win rate %", "fees", "funding"]]


def decisions_table(setup: Setup, record: Record) -> pd.DataFrame:
    """Return each stance that was acted on: what was asked, what was left, who cut it and why."""
    rows = record.decisions
    return pd.DataFrame(
        {
            "time": _times(setup, rows["t"]),
            "symbol": _symbols(setup, rows),
            "stance": rows["stance"],
            "close": rows["price"],
            "equity": rows["equity"],
            "closed": quantities(setup, rows, "closed"),
            "asked": rows["asked"],
            "opened": quantities(setup, rows, "lots"),
            "reason": [decision_words(setup, row) for row in traces(rows)],
        }
    )


def traces(rows: np.ndarray) -> list[Any]:
    """Return rows of decisions with attributes."""
    names = rows.dtype.names or ()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows.tolist()]


def explained_table(setup: Setup, record: Record, last: int) -> pd.DataFrame:
    """Return the newest orders, each with its reason in words."""
    rows = record.orders[-last:] if last else record.orders[:0]
    decisions = dict(zip(rows["decision"].tolist(), traces(record.decisions[rows["decision"]]), strict=True))
    table = orders_table(setup, replace(record, orders=rows)).drop(columns="decision")
    table["reason"] = [order_words(setup, leg, decisions[d]) for leg, d in zip(table["leg"], rows["decision"].tolist(), strict=True)]
    return table


def positions_of(setup: Setup, record: Record) -> pd.DataFrame:
    """Return the signed quantity held at each close, shape (T, N)."""
    lots = np.zeros(setup.bars.shape, dtype=np.int64)
    np.add.at(lots, (record.fills["t"], record.fills["j"]), record.fills["lots"])
    number, power = (np.array([getattr(spec, name) for spec in setup.specs]) for name in ("number", "power"))
    return pd.DataFrame(np.cumsum(lots, axis=0) * number / power, setup.bars.index, setup.bars.symbols)
