"""Our books beside a venue's: what is otherwise, one row each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.market import Order, Position
from workbench.portfolio._frames import DIFFERENCES, table

__all__ = ["Told", "compare"]

#: What is held, by (venue, symbol, ticket); cash by (venue, currency, ""); orders by (venue, key, "").
Told = dict[tuple[str, str, str], float]
#: What is no difference of money.
CENT = 0.005
KNOWN = ("symbol", "quantity", "venue", "ticket")


def position_rows(given: Mapping[str, float] | pd.DataFrame | Iterable[Position], venue: str = "") -> Told:
    """Return a venue's positions in one form.

    Parameters
    ----------
    given : mapping of str to float, DataFrame or positions
        Quantities by symbol; or a table with symbol and quantity, and perhaps venue and ticket; or `Position` values.
    venue : str, default ""
        Of all that does not say where it is.
    """
    if isinstance(given, pd.DataFrame):
        return _rows_of(given, venue)
    if isinstance(given, Mapping):
        return {(venue, str(symbol), ""): _amount(symbol, quantity) for symbol, quantity in given.items()}
    return {(p.instrument.venue or venue, p.instrument.symbol, ""): p.quantity for p in given}


def _rows_of(frame: pd.DataFrame, venue: str) -> Told:
    for name in ("symbol", "quantity"):
        if name not in frame.columns:
            raise ParameterError(f"reconcile: the positions need a column {name!r}{did_you_mean(name, map(str, frame.columns))}")
    told: Told = {}
    for row in frame.reindex(columns=list(KNOWN)).to_dict("records"):
        where, ticket = ("" if pd.isna(row[name]) else str(row[name]) for name in ("venue", "ticket"))
        key = (where or venue, str(row["symbol"]), ticket)
        told[key] = told.get(key, 0.0) + _amount(row["symbol"], row["quantity"])
    return told


def _amount(name: object, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"reconcile: the venue's {name} must be a number, got {value!r}")
    return number


def cash_rows(given: Mapping[str, float], venue: str = "") -> Told:
    """Return a venue's balances, by currency."""
    return {(venue, currency, ""): _amount(currency, amount) for currency, amount in given.items()}


def order_rows(given: Sequence[Order], venue: str = "") -> Told:
    """Return working orders with their signed quantities: one without a key by what it asks for."""
    told: Told = {}
    for order in given:
        name = str(order.key) if order.key else f"{order.instrument.symbol} {order.type}" + (f" at {order.price:g}" if order.price else "")
        key = (order.instrument.venue or venue, name, "")
        told[key] = told.get(key, 0.0) + order.sign * order.quantity
    return told


def compare(
    held: Told,
    balances: Mapping[str, float],
    positions: Mapping[str, float] | pd.DataFrame | Iterable[Position] | None,
    cash: Mapping[str, float] | None,
    orders: Sequence[Order] | None = None,
    working: Sequence[Order] = (),
    venue: str = "",
) -> pd.DataFrame:
    """Return the differences between our positions, balances and working orders and those of a venue that were given."""
    rows = []
    if positions is not None:
        rows += differences("position", held, position_rows(positions, venue))
    if cash is not None:
        rows += differences("cash", cash_rows(balances, venue), cash_rows(cash, venue), CENT)
    if orders is not None:
        rows += differences("order", order_rows(working, venue), order_rows(orders, venue))
    return table(DIFFERENCES, rows)


def differences(what: str, ours: Told, theirs: Told, cents: float = 0.0) -> list[tuple[Any, ...]]:
    """Return the rows that differ, by more than `cents`: what, venue, symbol, ticket, ours, theirs."""
    keys = sorted({*ours, *theirs})
    rows = [(what, *key, ours.get(key, 0.0), theirs.get(key, 0.0)) for key in keys]
    return [row for row in rows if not math.isclose(row[-2], row[-1], rel_tol=1e-12, abs_tol=cents)]
