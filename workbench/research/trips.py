"""Round trips: each entry with the fill that ended it, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.records import CLOSE, LEGS, OPEN, STOPPED_OUT
from workbench.session.record import Record
from workbench.session.setup import Setup
from workbench.session.words import is_stop_out

__all__ = ["EXITS", "STILL_OPEN", "Trips", "quantities", "trips"]

#: How a trade ended: by the leg that closed it, by the margin, or not yet.
EXITS = (*LEGS[1:], "stop-out", "open")
STOPPED, STILL_OPEN = EXITS.index("stop-out"), EXITS.index("open")
EXIT = np.dtype([("t", "i8"), ("price", "f8"), ("fee", "f8"), ("unit", "f8"), ("why", "i8")])


class Trips(NamedTuple):
    """Round trips, instrument after instrument in the order of `Bars`, each in the order of time.

    `entries` are rows of fills; `exits` have t, price, fee, unit and why (`EXITS`), with t = -1 where a trade is still open: it is
    valued at the last close. `quantity` is signed; `profit` is in account currency, after `fees`.
    """

    entries: np.ndarray
    exits: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    fees: np.ndarray
    profit: np.ndarray

    @property
    def closed(self) -> np.ndarray:
        """Which of them have ended."""
        ended: np.ndarray = self.exits["t"] >= 0
        return ended


def trips(setup: Setup, record: Record) -> Trips:
    """Return the round trips of a record."""
    fills = record.fills
    if len(setup.instruments) > 1:
        fills = fills.take(np.argsort(fills["j"], kind="stable"))
    entry = record.orders["leg"][fills["order"]] == OPEN
    # numpy takes whole records fifteen times faster than it indexes them
    entries, exits = fills.take(np.flatnonzero(entry)), _exits_of(fills, entry, record)
    quantity = quantities(setup, entries, "lots")
    closed = exits["t"] >= 0
    unit, price = exits["unit"].copy(), exits["price"].copy()
    if not closed.all():
        still = entries["j"][~closed]
        unit[~closed] = setup.conversion.unit[-1][still]
        price[~closed] = [last_close(setup, j) for j in still.tolist()]
    fees = entries["fee"] + np.where(closed, exits["fee"], 0.0)
    return Trips(entries, exits, quantity, price, fees, _gross(setup, entries, quantity, price, unit) - fees)


def quantities(setup: Setup, rows: np.ndarray, field: str) -> np.ndarray:
    """Return lots as quantities: the float nearest to the exact decimal."""
    number, power = (np.array([getattr(spec, name) for spec in setup.specs]) for name in ("number", "power"))
    return rows[field] * number[rows["j"]] / power[rows["j"]]


def last_close(setup: Setup, j: int) -> float:
    """Return the last close of an instrument that has traded."""
    close = setup.bars.array("close")[:, j]
    return float(close[~np.isnan(close)][-1])


def _exits_of(fills: np.ndarray, entry: np.ndarray, record: Record) -> np.ndarray:
    """Return for each entry the fill that follows it on its instrument."""
    at = np.flatnonzero(entry)
    exits = np.zeros(len(at), EXIT)
    exits["t"], exits["why"] = -1, STILL_OPEN
    after = at + 1
    known = after < len(fills)
    known[known] = (fills["j"][after[known]] == fills["j"][at[known]]) & ~entry[after[known]]
    ends = fills.take(after[known])
    for name in ("t", "price", "fee", "unit"):
        exits[name][known] = ends[name]
    orders = record.orders.take(ends["order"])
    exits["why"][known] = np.where(_are_stop_outs(orders, record), STOPPED, orders["leg"] - 1)
    return exits


def _are_stop_outs(orders: np.ndarray, record: Record) -> np.ndarray:
    """Return which orders close for the margin; most accounts never see one."""
    if not (record.decisions["code"] == STOPPED_OUT).any():
        return np.zeros(len(orders), bool)
    return (orders["leg"] == CLOSE) & is_stop_out(record.decisions[orders["decision"]].view(np.recarray))


def _gross(setup: Setup, entries: np.ndarray, quantity: np.ndarray, price: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the gross profit: paid at the entry's rate if funded, turned over at the exit's rate if margined."""
    funded = np.array([bool(spec.funded) for spec in setup.specs])[entries["j"]]
    paid = quantity * entries["price"] * np.where(funded, entries["unit"], unit)
    return quantity * price * unit - paid
