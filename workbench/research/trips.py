"""Round trips: each entry with the fill that ended it, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from workbench.money import average_of
from workbench.records import ADD, CLOSE, LEGS, OPEN, STOPPED_OUT, TIMED_OUT, TRIM
from workbench.session.record import Record
from workbench.session.setup import Setup
from workbench.session.words import is_forced

__all__ = ["EXITS", "STILL_OPEN", "Trips", "quantities", "trips"]

#: How a trade ended: by the leg that closed it, by the margin, by time, or not yet.
EXITS = (*LEGS[CLOSE:ADD], "stop-out", "time", "open")
FORCED = {STOPPED_OUT: EXITS.index("stop-out"), TIMED_OUT: EXITS.index("time")}
STILL_OPEN = EXITS.index("open")


class Trips(NamedTuple):
    """Round trips, instrument after instrument in the order of `Bars`, each in the order of time: columns of one length.

    `entries` are rows of fills; `end` is the step of the exit, -1 where a trade is still open: it is valued at the last close.
    `price` is the exit's, `why` is how it came (`EXITS`); `quantity` is signed; `profit` is in account currency, after `fees`.
    """

    entries: np.ndarray
    end: np.ndarray
    why: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    fees: np.ndarray
    profit: np.ndarray


def trips(setup: Setup, record: Record) -> Trips:
    """Return the round trips of a record."""
    # numpy takes whole records fifteen times faster than it indexes them
    fills = record.fills
    if len(setup.instruments) > 1:
        fills = fills.take(np.argsort(fills["j"], kind="stable"))
    legs = record.orders["leg"][fills["order"]]
    if (legs >= TRIM).any():
        entries, ends, closed = _resized(fills, legs)
    else:
        entry = legs == OPEN
        entries, ends = (fills.take(np.flatnonzero(rows)) for rows in (entry, ~entry))
        closed = ~np.append(entry, True)[1:][entry]  # on its instrument an entry is followed by what ended it, or by nothing
    orders = record.orders.take(ends["order"])
    reasons = _reasons(orders, record)
    end, why, price, fee, unit = (
        _laid_out(values, closed, otherwise)
        for values, otherwise in (
            (ends["t"], -1),
            (reasons, STILL_OPEN),
            (ends["price"], np.nan),
            (ends["fee"], 0.0),
            (ends["unit"], np.nan),
        )
    )
    if len(ends) < len(entries):
        still = entries["j"][~closed]
        unit[~closed] = setup.conversion.unit[-1][still]
        price[~closed] = [last_close(setup, j) for j in still.tolist()]
    quantity, fees = quantities(setup, entries, "lots"), entries["fee"] + fee
    return Trips(entries, end, why, quantity, price, fees, _gross(setup, entries, quantity, price, unit) - fees)


def _resized(fills: np.ndarray, legs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an entry for each fill that made a position smaller, and for what is left: at the average price, with its share of fees."""
    entries, ends, closed = [], [], []
    held: Any = None
    for fill, leg in zip(fills, legs.tolist(), strict=True):
        if held is not None and held["j"] != fill["j"]:
            entries.append(held)
            closed.append(False)
            held = None
        if leg in (OPEN, ADD):
            held = fill.copy() if held is None else _joined(held, fill)
        else:
            part, held = _parted(held, -int(fill["lots"]))
            entries.append(part)
            ends.append(fill)
            closed.append(True)
    if held is not None:
        entries.append(held)
        closed.append(False)
    return np.array(entries, fills.dtype), np.array(ends, fills.dtype), np.array(closed)


def _joined(held: Any, more: Any) -> Any:
    """Return the entry of a position that has grown: it began when its first part did."""
    both, (one, other) = held.copy(), (float(held["lots"]), float(more["lots"]))
    paid = average_of(one, held["price"] * held["unit"], other, more["price"] * more["unit"])
    both["price"] = average_of(one, held["price"], other, more["price"])
    both["lots"], both["fee"], both["unit"] = held["lots"] + more["lots"], held["fee"] + more["fee"], paid / both["price"]
    return both


def _parted(held: Any, lots: int) -> tuple[Any, Any]:
    """Return the entry of what leaves, and that of what stays: None where all of it leaves."""
    if lots == held["lots"]:
        return held, None
    part, rest = held.copy(), held.copy()
    part["lots"], rest["lots"] = lots, held["lots"] - lots
    part["fee"] = held["fee"] * (lots / held["lots"])
    rest["fee"] = held["fee"] - part["fee"]
    return part, rest


def _laid_out(values: np.ndarray, where: np.ndarray, otherwise: float) -> np.ndarray:
    """Return values of the closed trades among all of them."""
    if len(values) == len(where):
        return values
    out = np.full(len(where), otherwise, values.dtype)
    out[where] = values
    return out


def quantities(setup: Setup, rows: np.ndarray, field: str) -> np.ndarray:
    """Return lots as quantities: the float nearest to the exact decimal."""
    number, power = (np.array([getattr(spec, name) for spec in setup.specs]) for name in ("number", "power"))
    return rows[field] * number[rows["j"]] / power[rows["j"]]


def last_close(setup: Setup, j: int) -> float:
    """Return the last close of an instrument that has traded."""
    close = setup.bars.array("close")[:, j]
    return float(close[~np.isnan(close)][-1])


def _reasons(orders: np.ndarray, record: Record) -> np.ndarray:
    """Return how orders that closed came about (`EXITS`): most runs see nothing but legs."""
    reasons = orders["leg"] - 1
    for code, why in FORCED.items():
        if (record.decisions["code"] == code).any():
            forced = is_forced(record.decisions[orders["decision"]].view(np.recarray), code)
            reasons[(orders["leg"] == CLOSE) & forced] = why
    return reasons


def _gross(setup: Setup, entries: np.ndarray, quantity: np.ndarray, price: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the gross profit: paid at the entry's rate if funded, turned over at the exit's rate if margined."""
    funded = np.array([bool(spec.funded) for spec in setup.specs])[entries["j"]]
    paid = quantity * entries["price"] * np.where(funded, entries["unit"], unit)
    return quantity * price * unit - paid
