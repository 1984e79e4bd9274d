"""The exact record of one or more accounts: dated bookings, from which everything else follows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import Instrument
from workbench.market import Fill, Order, Position
from workbench.portfolio._accounts import FLOWS, INCOME, Accounts, Booking
from workbench.portfolio._exact import exactly, positive
from workbench.portfolio._exchange import Exchange
from workbench.portfolio._frames import BALANCES, LOTS, STATEMENT, table
from workbench.portfolio._lots import METHODS
from workbench.portfolio._reconcile import Told, compare
from workbench.portfolio._taxes import lot_rows, tax_report
from workbench.portfolio._valuation import Valuation, whole_steps

__all__ = ["Ledger"]


class Ledger:
    """Dated bookings of several venues and currencies, added up exactly.

    Numbers count as they are written: 0.1 is a tenth. Bookings come in the order of time; times without a zone are UTC.

    Parameters
    ----------
    currency : str, default "USD"
        Account currency, in which values and profits are told.
    hedging : collection of str, optional
        Venues that keep each ticket apart; all others net.

    Examples
    --------
    >>> import workbench as wb
    >>> abc = wb.Instrument("ABC")
    >>> book = wb.Ledger("USD")
    >>> book.deposit("2026-01-05", 10_000)
    >>> book.fill("2026-01-06", abc, 10, price=50.10, fee=1.00)
    >>> book.fill("2026-01-07", abc, 10, price=52.30, fee=1.00)
    >>> book.fill("2026-01-08", abc, -10, price=55.00, fee=1.00)
    >>> book.at({"ABC": 54.0}).profit
    63.0
    >>> book.tax_report("fifo")["profit"].tolist(), book.tax_report("lifo")["profit"].tolist()
    ([47.0], [25.0])
    """

    def __init__(self, currency: str = "USD", hedging: Collection[str] = ()) -> None:
        self.currency = currency
        self.hedging = frozenset((hedging,) if isinstance(hedging, str) else hedging)
        self.bookings: list[Booking] = []
        self._accounts = Accounts()
        self._instruments: dict[tuple[str, str], Instrument] = {}
        self._deposited = Fraction(0)

    @classmethod
    def of(cls, fills: Iterable[Fill], currency: str = "USD", cash: float = 0.0) -> Ledger:
        """Return the ledger of a session's fills: their fees are in account currency, or what was withheld; their times their labels."""
        fills = list(fills)
        ledger = cls(currency)
        if fills and cash:
            ledger.deposit(pd.Timestamp(fills[0].label, tz="UTC"), cash)
        for fill in fills:
            fee, charged = (fill.withheld, fill.instrument.base) if fill.withheld else (fill.fee, currency)
            ledger.fill(pd.Timestamp(fill.label, tz="UTC"), fill.instrument, fill.sign * fill.quantity, fill.price, fee, charged)
        return ledger

    # -- what happened --------------------------------------------------------------------------------------------

    def fill(
        self,
        time: Any,
        instrument: Instrument,
        quantity: float,
        price: float,
        fee: float = 0.0,
        fee_currency: str | None = None,
        venue: str | None = None,
        ticket: str = "",
    ) -> None:
        """Book a fill.

        Parameters
        ----------
        time : str or Timestamp
        instrument : Instrument
        quantity : float
            Signed: below zero sold.
        price : float
        fee : float, default 0
            Below zero a rebate.
        fee_currency : str, optional
            As charged; the instrument's where not given. A fee in the coin that is traded lessens the position (SEMANTICS 29).
        venue : str, optional
            The instrument's where not given.
        ticket : str, optional
            At a hedging venue the ticket that the fill opens, adds to or closes.
        """
        where = self._place(instrument, venue)
        amount = exactly(quantity, f"the quantity of {instrument.symbol}")
        if not amount:
            raise ParameterError(f"Ledger: a fill of {instrument.symbol} must buy or sell something, got {quantity!r}")
        self._check_ticket(where, instrument, str(ticket), amount)
        known = positive(price, f"the price of {instrument.symbol}")
        charged = exactly(fee, f"the fee of {instrument.symbol}")
        paid_in = fee_currency or str(instrument.quote)
        line = Booking(
            self._time(time), where, "fill", str(instrument.quote), Fraction(0), instrument, str(ticket), amount, known, charged, paid_in
        )
        self._book(line)
        self._instruments.setdefault((where, instrument.symbol), instrument)

    def deposit(self, time: Any, amount: float, currency: str | None = None, venue: str = "", rate: float | None = None) -> None:
        """Book money that was paid in: it is no profit. In a foreign currency `rate` says what one unit of it was worth that day."""
        money = positive(amount, "a deposit")
        self._paid("deposit", time, money, currency or self.currency, venue, rate)

    def withdraw(self, time: Any, amount: float, currency: str | None = None, venue: str = "", rate: float | None = None) -> None:
        """Book money that was paid out: it is no loss, and it must be there."""
        money, name = positive(amount, "a withdrawal"), currency or self.currency
        there = self._accounts.balances.get((venue, name), Fraction(0))
        if money > there:
            where = f" at {venue}" if venue else ""
            raise ParameterError(f"Ledger: a withdrawal of {float(money):,.2f} {name}{where} is more than the {float(there):,.2f} there")
        self._paid("withdrawal", time, -money, name, venue, rate)

    def exchange(self, time: Any, sold: float, currency: str, bought: float, into: str, venue: str = "") -> None:
        """Book an exchange of money: `sold` of a currency became `bought` of another."""
        gone, come = positive(sold, f"the {currency} sold"), positive(bought, f"the {into} bought")
        self._book(Booking(self._time(time), venue, "exchange", currency, -gone))
        self._book(Booking(self._time(time), venue, "exchange", into, come))

    def income(
        self,
        time: Any,
        kind: str,
        amount: float,
        instrument: Instrument | None = None,
        currency: str | None = None,
        venue: str | None = None,
    ) -> None:
        """Book money that is profit or loss and no trade.

        Parameters
        ----------
        time : str or Timestamp
        kind : {"dividend", "funding", "swap", "borrow", "interest", "fee", "tax"}
        amount : float
            Signed: below zero it was paid.
        instrument : Instrument, optional
            For which; its currency and venue count where none is given.
        currency, venue : str, optional
        """
        if kind not in INCOME:
            raise ParameterError(f"Ledger: unknown kind of income {kind!r}{did_you_mean(str(kind), INCOME)}")
        where = self._known(instrument, venue) if instrument else venue or ""
        name = currency or (str(instrument.quote) if instrument else self.currency)
        self._book(Booking(self._time(time), where, kind, name, exactly(amount, f"the {kind}"), instrument))

    def dividend(self, time: Any, instrument: Instrument, per_unit: float, currency: str | None = None, venue: str | None = None) -> None:
        """Book a dividend on what is open at a venue: a short position pays it."""
        where = self._known(instrument, venue)
        each = positive(per_unit, f"the dividend of {instrument.symbol}") * Fraction(instrument.multiplier)
        held = sum((holding.quantity for _, holding in self._accounts.held(instrument.symbol, where)), Fraction(0))
        name = currency or str(instrument.quote)
        self._book(Booking(self._time(time), where, "dividend", name, held * each, instrument))

    def split(self, time: Any, instrument: Instrument, ratio: float | Fraction, venue: str | None = None) -> None:
        """Book a split at a venue: each unit becomes `ratio` of them, 2 for two for one, ``Fraction(1, 3)`` for one for three."""
        where = self._known(instrument, venue)
        each = positive(ratio, f"the split ratio of {instrument.symbol}")
        self._book(Booking(self._time(time), where, "split", instrument=instrument, quantity=each))

    def _paid(self, kind: str, time: Any, amount: Fraction, currency: str, venue: str, rate: float | None) -> None:
        if rate is None and currency != self.currency:
            raise ParameterError(f"Ledger: a {kind} in {currency} needs rate=, what one {currency} was worth in {self.currency} that day")
        worth = Fraction(1) if rate is None else positive(rate, f"the rate of {currency}")
        self._book(Booking(self._time(time), venue, kind, currency, amount))
        self._deposited += amount * worth

    def _book(self, booking: Booking) -> None:
        self._accounts.book(booking)
        self.bookings.append(booking)

    # -- what is refused ------------------------------------------------------------------------------------------

    def _time(self, given: Any) -> pd.Timestamp:
        try:
            time = pd.Timestamp(given)
        except (TypeError, ValueError):
            time = pd.NaT
        if pd.isna(time):
            raise ParameterError(f"Ledger: a booking needs a time such as '2026-01-05 14:30', got {given!r}")
        time = time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
        if self.bookings and time < self.bookings[-1].time:
            raise ParameterError(f"Ledger: bookings come in the order of time, got {time} after {self.bookings[-1].time}")
        return time

    def _place(self, instrument: Instrument, venue: str | None) -> str:
        """Return where an instrument is traded, and refuse another one of the same symbol there."""
        where = venue if venue is not None else instrument.venue or ""
        here = self._instruments.get((where, instrument.symbol), instrument)
        if here != instrument:
            raise ParameterError(f"Ledger: {instrument.symbol} is {here!r} here, got {instrument!r}")
        return where

    def _known(self, instrument: Instrument, venue: str | None) -> str:
        where = self._place(instrument, venue)
        if (where, instrument.symbol) not in self._instruments:
            known = [symbol for place, symbol in self._instruments if place == where]
            at = f" at {where}" if where else ""
            raise ParameterError(f"Ledger: {instrument.symbol} was never traded{at}{did_you_mean(instrument.symbol, known)}")
        return where

    def _check_ticket(self, venue: str, instrument: Instrument, ticket: str, quantity: Fraction) -> None:
        """Refuse a ticket where positions are netted, none where they are not, and a fill that turns one round."""
        if (venue in self.hedging) != bool(ticket):
            said = (
                "keeps tickets apart: give ticket=" if not ticket else f"nets: leave ticket={ticket!r} out, or name the venue in hedging="
            )
            raise ParameterError(f"Ledger: {venue or 'the account'} {said} (fill of {instrument.symbol})")
        held = [holding.quantity for key, holding in self._accounts.held(instrument.symbol, venue) if key.ticket == ticket]
        if ticket and held and held[0] * (held[0] + quantity) < 0:
            raise ParameterError(
                f"Ledger: ticket {ticket} holds {float(held[0]):g} of {instrument.symbol}, it cannot be closed by {float(quantity):g}"
            )

    # -- what follows ---------------------------------------------------------------------------------------------

    def at(self, prices: Mapping[str, float] | None = None, rates: Mapping[str, Any] | None = None) -> Valuation:
        """Return what everything is worth at prices by symbol and rates by pair: equity, profit, positions, exposure.

        Prices of currency pairs and spot coins are rates too. A symbol that is held, or a currency, without one is refused.
        """
        given = dict(prices or {})
        return Valuation(self._accounts, self._exchange(rates, given), given, self._deposited)

    def _exchange(self, rates: Mapping[str, Any] | None, prices: Mapping[str, float] | None = None) -> Exchange:
        currencies = {name for _, name in self._accounts.balances}
        return Exchange(self.currency, rates, self._instruments.values(), prices, currencies)

    @property
    def statement(self) -> pd.DataFrame:
        """All bookings, one row each; `amount` is NaN where no money is named: of a fill, and of a split, whose `quantity` is its ratio."""
        rows = (
            (
                *(line.time, line.venue, line.kind, line.instrument.symbol if line.instrument else "", line.ticket),
                *((line.quantity if line.quantity else float("nan")), (line.price if line.price else float("nan"))),
                *((line.amount if line.kind in FLOWS else float("nan")), line.currency, line.fee, line.fee_currency),
            )
            for line in self.bookings
        )
        return table(STATEMENT, rows)

    @property
    def balances(self) -> pd.DataFrame:
        """The money at each venue, one row a currency: `balance`, and what it came from, each with its sign, in that currency.

        What funded positions cost is the rest: it is paid out of the balance while they are open.
        """
        found = self._accounts
        rows = ((*key, found.balances[key], *(found.flows.get((*key, kind), 0) for kind in FLOWS)) for key in sorted(found.balances))
        return table(BALANCES, rows)

    def lots(self, method: str = "fifo") -> pd.DataFrame:
        """Return the lots that are open: what they cost is in the instrument's currency, before fees."""
        return table(LOTS, lot_rows(self._matched(method)))

    def tax_report(self, method: str = "fifo", rates: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return what was closed, lot by lot, for the tax return.

        Parameters
        ----------
        method : {"fifo", "lifo"}, default "fifo"
            Which lot a closing takes: the oldest or the newest, of the same venue and ticket.
        rates : mapping of str to float or Series, optional
            By pair; a Series is indexed by UTC times. Each side is converted at the rate of its own day; of a margined position
            only the profit moves money, at the rate of its closing.

        Returns
        -------
        DataFrame
            Columns venue, symbol, ticket, side, `quantity` (positive), opened, closed, `days` between them, open_price and close_price
            in `currency`, the instrument's; `cost`, `proceeds`, `fees` and `profit` (after fees) in account currency.
        """
        return tax_report(self._matched(method), self._exchange(rates))

    def _matched(self, method: str) -> Accounts:
        allowed = [name for name in METHODS if name != self._accounts.method]
        if method not in allowed:
            raise ParameterError(f"Ledger: unknown method {method!r}{did_you_mean(str(method), allowed)}")
        return Accounts(method, self.bookings)

    def reconcile(
        self,
        positions: Mapping[str, float] | pd.DataFrame | Sequence[Position] | None = None,
        cash: Mapping[str, float] | None = None,
        orders: Sequence[Order] | None = None,
        working: Sequence[Order] = (),
        venue: str = "",
    ) -> pd.DataFrame:
        """Return where a venue's view is another than ours; empty when they are equal.

        Parameters
        ----------
        positions : mapping of str to float, DataFrame or list of Position, optional
            What the venue says is held: by symbol, or a table with symbol, quantity and perhaps ticket. Dust counts on neither side.
        cash : mapping of str to float, optional
            Its balances by currency; less than half a cent is no difference.
        orders : list of Order, optional
            Its working orders, compared with `working`, ours.
        venue : str, default ""

        Returns
        -------
        DataFrame
            Columns `what` (position, cash or order), venue, symbol (or currency, or key of the order), ticket, ours, theirs.
        """
        balances = {name: float(amount) for (where, name), amount in self._accounts.balances.items() if where == venue}
        return compare(self._held(venue), balances, positions, cash, orders, working, venue)

    def _held(self, venue: str) -> Told:
        whole = {key: whole_steps(one.instrument, one.quantity) for key, one in self._accounts.open() if key.venue == venue}
        return {key: float(quantity) for key, quantity in whole.items() if quantity}
