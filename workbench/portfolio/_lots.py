"""Lots: what was bought or sold short together, and which of them a closing takes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from fractions import Fraction

import pandas as pd

from workbench.instrument import Instrument
from workbench.portfolio._exact import share

__all__ = ["METHODS", "Closed", "Fees", "Holding", "Lot"]

#: Which lots a closing takes: the oldest, the newest, or a part of all as if they were one.
METHODS = ("fifo", "lifo", "average")
#: By currency.
Fees = dict[str, Fraction]
NONE = Fraction(0)


def parts(fees: Fees, part: Fraction, whole: Fraction) -> tuple[Fees, Fees]:
    """Return a part of the fees, and the rest."""
    taken = {currency: share(fee, part, whole) for currency, fee in fees.items()}
    return taken, {currency: fee - taken[currency] for currency, fee in fees.items()}


@dataclass(frozen=True, slots=True)
class Lot:
    """What was opened together: a signed quantity, and its signed cost (quantity x price x multiplier) in the instrument's currency."""

    opened: pd.Timestamp
    quantity: Fraction
    cost: Fraction
    fees: Fees = field(default_factory=dict)

    def __add__(self, other: Lot) -> Lot:
        fees = {name: self.fees.get(name, NONE) + other.fees.get(name, NONE) for name in {**self.fees, **other.fees}}
        return Lot(self.opened, self.quantity + other.quantity, self.cost + other.cost, fees)

    def divided(self, quantity: Fraction) -> tuple[Lot, Lot]:
        """Return the part with that quantity, and the rest."""
        cost = share(self.cost, quantity, self.quantity)
        taken, left = parts(self.fees, quantity, self.quantity)
        rest = Lot(self.opened, self.quantity - quantity, self.cost - cost, left)
        return Lot(self.opened, quantity, cost, taken), rest


@dataclass(frozen=True, slots=True)
class Closed:
    """A lot that was closed: when, what its quantity was worth then (signed like its cost), and the closing's fees."""

    lot: Lot
    closed: pd.Timestamp
    worth: Fraction
    fees: Fees

    @property
    def profit(self) -> Fraction:
        """Before fees, in the instrument's currency."""
        return self.worth - self.lot.cost


class Holding:
    """The open and the closed lots of one instrument at one venue, or of one ticket there.

    Parameters
    ----------
    instrument : Instrument
    method : {"fifo", "lifo", "average"}
    """

    def __init__(self, instrument: Instrument, method: str) -> None:
        self.instrument = instrument
        self.method = method
        self.lots: deque[Lot] = deque()
        self.closed: list[Closed] = []
        self.quantity = NONE
        self.cost = NONE

    def fill(self, time: pd.Timestamp, quantity: Fraction, price: Fraction, fees: Fees) -> Fraction:
        """Book a fill of a signed quantity: through zero it closes first, then opens. Return the profit that it realised."""
        each = price * Fraction(self.instrument.multiplier)
        closing = -max(min(quantity, abs(self.quantity)), -abs(self.quantity)) if self.quantity * quantity < 0 else NONE
        paid, left = parts(fees, -closing, quantity)
        profit = self._close(time, closing, each, paid) if closing else NONE
        if quantity + closing:
            self._open(Lot(time, quantity + closing, (quantity + closing) * each, left))
        return profit

    def _open(self, lot: Lot) -> None:
        if self.method == "average" and self.lots:
            lot = self.lots.pop() + lot
            self.lots.append(lot)
            self.quantity, self.cost = lot.quantity, lot.cost
        else:
            self.lots.append(lot)
            self.quantity, self.cost = self.quantity + lot.quantity, self.cost + lot.cost

    def _close(self, time: pd.Timestamp, quantity: Fraction, each: Fraction, fees: Fees) -> Fraction:
        """Close a quantity, signed like what is held, at a price; return the profit."""
        profit, left = NONE, quantity
        while left:
            lot = self._take(left)
            paid, fees = parts(fees, lot.quantity, left)
            done = Closed(lot, time, lot.quantity * each, paid)
            self.closed.append(done)
            profit, left = profit + done.profit, left - lot.quantity
            self.quantity, self.cost = self.quantity - lot.quantity, self.cost - lot.cost
        return profit

    def _take(self, quantity: Fraction) -> Lot:
        """Take the lot that is next, or as much of it as is wanted."""
        lot = self.lots.pop() if self.method == "lifo" else self.lots.popleft()
        if abs(lot.quantity) <= abs(quantity):
            return lot
        taken, rest = lot.divided(quantity)
        if self.method == "lifo":
            self.lots.append(rest)
        else:
            self.lots.appendleft(rest)
        return taken

    def split(self, ratio: Fraction) -> None:
        """Make `ratio` of each unit: what was paid for them stays."""
        self.lots = deque(replace(lot, quantity=lot.quantity * ratio) for lot in self.lots)
        self.quantity *= ratio
