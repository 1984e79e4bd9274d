"""The bookings of a ledger, and the accounts that follow from them: balances, lots and sums by kind, exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import pandas as pd

from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.portfolio._lots import Fees, Holding

__all__ = ["CASH", "FLOWS", "INCOME", "Accounts", "Booking", "Key"]

#: Money that is profit or loss and no trade, as it is booked with its sign.
INCOME = ("dividend", "funding", "swap", "borrow", "interest", "fee", "tax")
#: Money that only moves.
CASH = ("deposit", "withdrawal", "exchange")
#: What changes a balance, in the order of the table of balances; `realised` and most fees come from fills.
FLOWS = (*CASH, "realised", *INCOME)
NONE = Fraction(0)


@dataclass(frozen=True, slots=True)
class Booking:
    """One dated line.

    `kind` is ``fill``, ``split``, or one of `FLOWS`. `quantity` and `price` are those of a fill, `quantity` also the ratio of a
    split; `amount` is the money in `currency` that all other kinds move; a fill has the instrument's currency.
    """

    time: pd.Timestamp
    venue: str
    kind: str
    currency: str = ""
    amount: Fraction = NONE
    instrument: Instrument | None = None
    ticket: str = ""
    quantity: Fraction = NONE
    price: Fraction = NONE
    fee: Fraction = NONE
    fee_currency: str = ""


class Key(NamedTuple):
    """Where something is held; `ticket` is empty where the venue nets."""

    venue: str
    symbol: str
    ticket: str = ""


class Accounts:
    """The accounts of all venues after some bookings.

    Parameters
    ----------
    method : {"average", "fifo", "lifo"}, default "average"
        Which lots a closing takes; venues show the average.
    """

    def __init__(self, method: str = "average", bookings: Iterable[Booking] = ()) -> None:
        self.method = method
        self.holdings: dict[Key, Holding] = {}
        self.balances: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        #: By venue, currency and kind.
        self.flows: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        for booking in bookings:
            self.book(booking)

    def book(self, booking: Booking) -> None:
        """Book one line."""
        if booking.kind == "fill":
            self._fill(booking)
        elif booking.kind == "split":
            for _, holding in self.held(str(booking.instrument and booking.instrument.symbol), booking.venue):
                holding.split(booking.quantity)
        else:
            self._move(booking.venue, booking.currency, booking.kind, booking.amount)

    def held(self, symbol: str, venue: str | None = None) -> Iterator[tuple[Key, Holding]]:
        """Yield what is held of a symbol, at one venue or at all."""
        for key, holding in self.holdings.items():
            if key.symbol == symbol and venue in (None, key.venue) and holding.quantity:
                yield key, holding

    def open(self) -> list[tuple[Key, Holding]]:
        """Return all that is held, dust included."""
        return [(key, holding) for key, holding in sorted(self.holdings.items()) if holding.quantity]

    def _move(self, venue: str, currency: str, kind: str, amount: Fraction) -> None:
        self.balances[venue, currency] += amount
        self.flows[venue, currency, kind] += amount

    def _fill(self, booking: Booking) -> None:
        instrument = booking.instrument
        assert instrument is not None
        quote = str(instrument.quote)
        quantity, fees = _settled(booking, instrument)
        holding = self.holdings.setdefault(Key(booking.venue, instrument.symbol, booking.ticket), Holding(instrument, self.method))
        before = holding.cost
        profit = holding.fill(booking.time, quantity, booking.price, fees)
        self._move(booking.venue, quote, "realised", profit)
        if instrument.funded:
            self.balances[booking.venue, quote] -= holding.cost - before
        for currency, fee in fees.items():
            self._move(booking.venue, currency, "fee", -fee)


def _settled(booking: Booking, instrument: Instrument) -> tuple[Fraction, Fees]:
    """Return the quantity that a fill brings in, and its fees.

    A fee in the coin that is traded lessens what is received (SEMANTICS 29). To buy 1 and give 0.001 away is to buy 0.999 and
    to pay the price of 0.001: the money is the same, and what is held has its true cost.
    """
    if not booking.fee:
        return booking.quantity, {}
    if not (instrument.funded and booking.fee_currency == instrument.base):
        return booking.quantity, {booking.fee_currency: booking.fee}
    quantity = booking.quantity - booking.fee / Fraction(instrument.multiplier)
    if quantity * booking.quantity <= 0:
        raise ParameterError(
            f"Ledger: the fee of {float(booking.fee):g} {booking.fee_currency} is all that was bought of {instrument.symbol}"
        )
    return quantity, {str(instrument.quote): booking.fee * booking.price}
