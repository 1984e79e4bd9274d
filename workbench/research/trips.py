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
    `price` is the exit's, `why` is how it came (`EXITS`); `quantity` is signed; `profit` is in account currency, after `fees` and
    `funding`: what holding it cost, below zero what it brought.
    """

    entries: np.ndarray
    end: np.ndarray
    why: np.ndarray
    quantity: np.ndarray
    price: np.ndarray
    fees: np.ndarray
    funding: np.ndarray
    profit: np.ndarray


def trips(setup: Setup, record: Record) -> Trips:
    """Return the round trips of a record."""
    # numpy takes whole records fifteen times faster than it indexes them
    fills = record.fills
    if len(setup.instruments) > 1:
        fills = fills.take(np.argsort(fills["j"], kind="stable"))
    legs = record.orders["leg"][fills["order"]]
    dust = (fills["lots"] == 0) & ((legs == OPEN) | (legs == ADD))
    if dust.any():  # purchases of which no whole step came in are no trades
        fills, legs = fills[~dust], legs[~dust]
    if (legs >= TRIM).any() or _in_parts(fills, legs == OPEN):
        held, ends, closed = _resized(fills, legs)
        entries = np.array([one.fill for one in held], fills.dtype)
    else:
        held = []
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
    funding = _funding_of_parts(setup, held, end) if held else _funding(setup, entries["j"], entries["t"], end, quantity)
    profit = _gross(setup, entries, quantity, price, unit) - fees - funding
    return Trips(entries, end, why, quantity, price, fees, funding, profit)


def _in_parts(fills: np.ndarray, entry: np.ndarray) -> bool:
    """Whether an order filled in parts: else what follows an entry on its instrument ends all of it, and after that comes an entry."""
    same = fills["j"][1:] == fills["j"][:-1]
    whole = ~entry[1:] & entry[:-1] & (fills["lots"][1:] == -fills["lots"][:-1])
    return bool((same & ~whole & ~(entry[1:] & ~entry[:-1])).any())


def _funding_of_parts(setup: Setup, held: list[Held], end: np.ndarray) -> np.ndarray:
    """Return what each trade was charged whose parts began at steps of their own."""
    rows = [(number, int(one.fill["j"]), t, lots) for number, one in enumerate(held) for t, lots in one.parts]
    owner, j, t = (np.array(column) for column in list(zip(*rows, strict=True))[:3])
    specs = [setup.specs[column] for column in j.tolist()]
    quantity = np.array([lots * spec.number / spec.power for (*_, lots), spec in zip(rows, specs, strict=True)])
    return np.bincount(owner, _funding(setup, j, t, end[owner], quantity), len(held))


def _funding(setup: Setup, column: np.ndarray, since: np.ndarray, end: np.ndarray, quantity: np.ndarray) -> np.ndarray:
    """Return what was charged while it was held: from the close of its first step to before the open's fills of its last."""
    charges, steps = setup.financing, len(setup.bars)
    if charges is None or not len(charges.moment):
        return np.zeros(len(column))
    rows, j = (charges.moment // 2 - 1) * int(setup.conversion.moving), charges.column  # the last completed step's rate
    order = np.argsort(j, kind="stable")
    reached = (j * 2 * (steps + 1) + charges.moment)[order]
    begun = np.searchsorted(reached, column * 2 * (steps + 1) + 2 * since, side="right")
    over = np.searchsorted(reached, column * 2 * (steps + 1) + 2 * np.where(end >= 0, end, steps), side="right")
    sums = [np.append(0.0, np.cumsum((side * setup.conversion.unit[rows, j])[order])) for side in (charges.long, -charges.short)]
    return quantity * np.where(quantity > 0, *(paid[over] - paid[begun] for paid in sums))


class Held(NamedTuple):
    """A position that may change its size: its fill, at the average price, and since when which part of it has been held, in lots."""

    fill: Any
    parts: list[tuple[int, float]]

    @classmethod
    def of(cls, fill: Any) -> Held:
        """Return the position that a fill opened."""
        return cls(fill.copy(), [(int(fill["t"]), float(fill["lots"]))])

    def joined(self, more: Any) -> Held:
        """Return a position that has grown: it began when its first part did."""
        both, (one, other) = self.fill.copy(), (float(self.fill["lots"]), float(more["lots"]))
        paid = average_of(one, self.fill["price"] * self.fill["unit"], other, more["price"] * more["unit"])
        both["price"] = average_of(one, self.fill["price"], other, more["price"])
        both["lots"], both["fee"] = self.fill["lots"] + more["lots"], self.fill["fee"] + more["fee"]
        both["unit"] = paid / both["price"]
        return Held(both, [*self.parts, *Held.of(more).parts])

    def parted(self, lots: int) -> tuple[Held, Held | None]:
        """Return what leaves and what stays, each with its share of all: None where all of it leaves."""
        if lots == self.fill["lots"]:
            return self, None
        share, part, rest = lots / int(self.fill["lots"]), self.fill.copy(), self.fill.copy()
        part["lots"], rest["lots"] = lots, self.fill["lots"] - lots
        part["fee"] = self.fill["fee"] * share
        rest["fee"] = self.fill["fee"] - part["fee"]
        return Held(part, [(t, own * share) for t, own in self.parts]), Held(rest, [(t, own * (1.0 - share)) for t, own in self.parts])


def _resized(fills: np.ndarray, legs: np.ndarray) -> tuple[list[Held], np.ndarray, np.ndarray]:
    """Return what each fill that made a position smaller took from it, and what is left; those fills; and which were closed by one."""
    entries: list[Held] = []
    ends: list[Any] = []
    closed: list[bool] = []
    held: Held | None = None
    for fill, leg in zip(fills, legs.tolist(), strict=True):
        if held is not None and held.fill["j"] != fill["j"]:
            entries, closed, held = [*entries, held], [*closed, False], None
        if leg in (OPEN, ADD):
            held = Held.of(fill) if held is None else held.joined(fill)
        elif held is not None:
            part, held = held.parted(-int(fill["lots"]))
            entries.append(part)
            ends.append(fill)
            closed.append(True)
    if held is not None:
        entries, closed = [*entries, held], [*closed, False]
    return entries, np.array(ends, fills.dtype), np.array(closed)


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
