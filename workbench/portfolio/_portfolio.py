"""The ledger: positions, cash and profit in account currency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import copy
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.dust import Dust
from workbench.errors import ParameterError, did_you_mean
from workbench.grid import lots_exactly, quantity_of
from workbench.instrument import Instrument
from workbench.maintenance import kept_for
from workbench.market import Account, Fill, Position
from workbench.money import average_of, cash_after, worth
from workbench.numeric import number
from workbench.portfolio._checks import require_account
from workbench.portfolio._exact import exactly, positive, price_of
from workbench.portfolio._margin import liquidation_prices, margin_of
from workbench.portfolio._reconcile import Told, compare
from workbench.portfolio._shown import exposure_by, positions_table
from workbench.rates import conversion
from workbench.spec import spec_of

__all__ = ["Portfolio"]


class Portfolio:
    """Positions and cash of one account.

    Quantities are whole steps inside, never running float sums; money is summed in the order of the instruments.

    Parameters
    ----------
    currency : str, default "USD"
        Account currency; `cash`, fees and every amount that is reported are in it.
    cash : float, optional
        What is not told is 0 and no account: `Strategy.preview` then opens at no equity too, as far as the limits in money go.
    positions : mapping of Instrument to float, optional
        Signed quantities held. Margined ones are taken as entered at their price, with no open profit.
    prices : mapping of str to float, optional
        Last prices by symbol; a pair's price may be left out where `rates` has it.
    rates : mapping of str to float, optional
        Conversion rates by pair, ``{"EURUSD": 1.10}``; that of a pair which is held holds until the pair is marked.
    buying_power : bool, default False
        Whether `Strategy.preview` also asks for margin and the usual costs (SEMANTICS 22, 31).
    history : Bars, optional
        Past bars of its instruments, which limits on losses look back at.

    Raises
    ------
    ParameterError
        A quantity, a price or the cash is no number that an account can have, or two instruments share a symbol.

    Examples
    --------
    >>> import workbench as wb
    >>> eurusd = wb.Instrument("EURUSD", asset_class="fx", multiplier=100_000)
    >>> book = wb.Portfolio(currency="EUR", cash=100_000, positions={eurusd: 6}, prices={"EURUSD": 1.10})
    >>> round(book.exposure(by="currency")["EUR"])
    600000
    """

    def __init__(
        self,
        currency: str = "USD",
        cash: float | None = None,
        positions: Mapping[Instrument, float] | None = None,
        prices: Mapping[str, float] | None = None,
        rates: Mapping[str, Any] | None = None,
        buying_power: bool = False,
        history: Bars | None = None,
    ) -> None:
        require_account(currency, cash, positions, buying_power, history)
        self.history = history
        self.currency = currency
        #: Whether the cash was told: without it no equity is known.
        self.told = cash is not None
        self.cash = float(cash or 0.0)
        self.buying_power = buying_power
        #: Rates of a hand-made portfolio; None where a session sets the conversion step by step.
        self.rates: dict[str, Any] | None = {str(name).replace("/", ""): rate for name, rate in (rates or {}).items()}
        self.given = dict(prices or {})
        self.fees_paid = 0.0
        self.realised = 0.0
        self._set_up(list(positions or {}))
        for instrument, quantity in (positions or {}).items():
            self._hold(instrument, quantity)
        self._convert(self.instruments, self.price)
        self.paid = [price * unit for price, unit in zip(self.price, self.unit, strict=True)]
        #: Dividends, funding, swap and interest, less what was paid of them.
        self.earned = 0.0
        #: What came in from outside, the start included: equity less this is profit.
        self.deposited = self.value()[0]

    def _set_up(self, instruments: Sequence[Instrument], specs: Sequence[Any] | None = None) -> None:
        self.instruments = list(instruments)
        self.symbols = [i.symbol for i in self.instruments]
        self.column = {symbol: j for j, symbol in enumerate(self.symbols)}
        self.specs = list(specs) if specs is not None else [spec_of(i) for i in self.instruments]
        n = len(self.instruments)
        self.lots = [0] * n
        #: The same as signed quantities.
        self.held = [0.0] * n
        #: What purchases left below a step.
        self.remains = Dust()
        self.basis = [0.0] * n
        self.average = [0.0] * n
        #: What one lot of a funded instrument cost on average, in account currency at the rates of its entries.
        self.paid = [0.0] * n
        self.price: list[float] = [math.nan] * n
        self.unit: list[float] = [float(i.multiplier) for i in self.instruments]
        self.base = [0.0] * n

    @classmethod
    def empty(cls, instruments: Sequence[Instrument], currency: str, cash: float, specs: Sequence[Any]) -> Portfolio:
        """Return the flat portfolio that a session starts with, its columns in the order of `instruments`."""
        portfolio = cls(currency, cash, buying_power=True)
        portfolio.rates = None
        portfolio._set_up(instruments, specs)
        return portfolio

    def with_instrument(self, instrument: Instrument) -> Portfolio:
        """Return the same portfolio with a column for one more instrument, which needs a price."""
        self._refuse_another(instrument)
        if instrument.symbol in self.column:
            return self
        wider = copy(self)
        wider._widen(instrument, self._given_price(instrument))
        return wider

    def _refuse_another(self, instrument: Instrument) -> None:
        """Refuse an instrument that is not the one which its symbol means here."""
        j = self.column.get(instrument.symbol)
        if j is not None and self.instruments[j] != instrument:
            raise ParameterError(f"Portfolio: {instrument.symbol} is {self.instruments[j]!r} here, got {instrument!r}")

    def _widen(self, instrument: Instrument, price: float) -> None:
        """Add a column in new lists, which a copy does not share; nothing is changed where there is no conversion."""
        instruments, prices = [*self.instruments, instrument], [*self.price, price]
        self._convert(instruments, prices)
        self.instruments, self.price = instruments, prices
        self.symbols = [*self.symbols, instrument.symbol]
        self.column = {symbol: j for j, symbol in enumerate(self.symbols)}
        self.specs, self.remains = [*self.specs, spec_of(instrument)], copy(self.remains)
        self.lots, self.held = [*self.lots, 0], [*self.held, 0.0]
        self.basis, self.average, self.paid = [*self.basis, 0.0], [*self.average, 0.0], [*self.paid, 0.0]

    def _hold(self, instrument: Instrument, quantity: float) -> None:
        self._refuse_another(instrument)
        if not math.isfinite(number(quantity)):
            raise ParameterError(f"Portfolio: the quantity of {instrument.symbol} must be a number, got {quantity!r}")
        j = self.column[instrument.symbol]
        lots = lots_exactly(abs(quantity), *instrument.step)
        if not math.isclose(quantity_of(lots, *instrument.step), abs(quantity), rel_tol=1e-9):
            raise ParameterError(f"Portfolio: {quantity!r} of {instrument.symbol} is not a multiple of its step {instrument.quantity_step}")
        self._set(j, int(math.copysign(lots, quantity)))
        self.price[j] = self._given_price(instrument)
        self.average[j] = self.price[j]
        self.basis[j] = 0.0 if instrument.funded else self.price[j]

    def _convert(self, instruments: Sequence[Instrument], prices: Sequence[float]) -> None:
        """Look the conversion rates of a hand-made portfolio up: those that were given, else the prices of its pairs."""
        if not instruments:
            return
        known = [float((self.rates or {}).get(f"{i.base}{i.quote}", price)) for i, price in zip(instruments, prices, strict=True)]
        row = {name: np.array([known]) for name in FIELDS}
        bars = Bars(pd.DatetimeIndex(["1970-01-01"], tz="UTC"), instruments, "1D", row)
        found = conversion(self.currency, bars, self.rates)
        self.unit, self.base = found.unit[0].tolist(), found.base[0].tolist()

    def _given_price(self, instrument: Instrument) -> float:
        symbol = instrument.symbol
        rate = (self.rates or {}).get(f"{instrument.base}{instrument.quote}") if instrument.asset_class == "fx" else None
        price = self.given.get(symbol, rate)
        if price is None and symbol not in self.given:
            raise ParameterError(f"Portfolio: no price of {symbol}: give prices={{{symbol!r}: ...}}{did_you_mean(symbol, self.given)}")
        return price_of(symbol, price)

    # -- the flow of fills and prices ---------------------------------------------------------------------------

    def apply(self, fill: Fill) -> None:
        """Book a fill: a fill through zero closes first, then opens. An instrument that is new here is taken in at its price."""
        self._refuse_another(fill.instrument)
        if fill.instrument.symbol not in self.column:
            self._widen(fill.instrument, price_of(fill.instrument.symbol, fill.price))
        j = self.column[fill.instrument.symbol]
        lots = self.lots_in(j, fill.quantity) * fill.sign
        if fill.withheld:  # all of it is paid for, and less comes in
            come = self.remains.bought(j, lots, fill.withheld, (self.specs[j].number, self.specs[j].power))
            self._book(j, come, fill.price, fill.fee, paid=fill.quantity)
            return
        held = self.lots[j]
        closing = 0 if held * lots >= 0 else max(-abs(held), -abs(lots)) * (1 if held > 0 else -1)
        share = closing / lots if lots else 0.0
        if closing:
            self._book(j, closing, fill.price, fill.fee * share if share < 1.0 else fill.fee)
        if lots != closing:
            self._book(j, lots - closing, fill.price, fill.fee * (1.0 - share) if closing else fill.fee)

    def _book(self, j: int, lots: int, price: float, fee: float, paid: float | None = None) -> None:
        """Book steps that come or go; `paid` is the quantity that money is paid for, its fee included, where that is another."""
        spec, held = self.specs[j], self.lots[j]
        quantity = quantity_of(lots, spec.number, spec.power)
        opening = held * lots >= 0
        if opening:
            before = self.held[j]
            self.average[j] = average_of(before, self.average[j], quantity, price)
            self.paid[j] = average_of(before, self.paid[j], quantity, price * self.unit[j])
        else:
            self.realised += self._profit(j, -quantity, price)
        basis = 0.0 if spec.funded else price if opening else self.basis[j]
        flow, charged = (quantity, fee) if paid is None else (paid, 0.0)
        self.cash = cash_after(self.cash, flow, price, basis, self.unit[j], charged)
        self.fees_paid += fee
        self._set(j, held + lots)
        self.basis[j] = 0.0 if spec.funded else self.average[j]

    def _set(self, j: int, lots: int) -> None:
        """Hold so many steps of column j."""
        self.lots[j], self.held[j] = lots, quantity_of(lots, self.specs[j].number, self.specs[j].power)

    def _profit(self, j: int, quantity: float, price: float) -> float:
        """Return the profit of a quantity of column j: paid at the entry's rate if funded, turned over at today's if margined."""
        if self.specs[j].funded:
            return quantity * (price * self.unit[j] - self.paid[j])
        return worth(quantity, price, self.average[j], self.unit[j])

    def mark(self, prices: Mapping[str, float]) -> None:
        """Value the positions at new prices; symbols without a price keep their last.

        A pair's price is a conversion rate too: from then on it stands for what `rates=` gave for that pair.
        """
        new = list(self.price)
        for symbol, price in prices.items():
            if symbol not in self.column:
                raise ParameterError(f"Portfolio: no position in {symbol!r} to mark{did_you_mean(symbol, self.symbols)}")
            new[self.column[symbol]] = price_of(symbol, price)
        self.price[:] = new
        if self.rates is not None:
            self._forget([self.instruments[self.column[symbol]] for symbol in prices])
            self._convert(self.instruments, self.price)

    def _forget(self, instruments: Sequence[Instrument]) -> None:
        """Forget the rates that were given of those pairs, in either direction."""
        pairs = [i for i in instruments if self.base[self.column[i.symbol]]]
        told = {name for i in pairs for name in (f"{i.base}{i.quote}", f"{i.quote}{i.base}")}
        self.rates = {name: rate for name, rate in (self.rates or {}).items() if name not in told}

    # -- what is no fill ------------------------------------------------------------------------------------------

    def deposit(self, amount: float) -> None:
        """Pay money in: it is no profit."""
        money = float(positive(amount, "a deposit", "Portfolio"))
        self.cash, self.deposited = self.cash + money, self.deposited + money

    def withdraw(self, amount: float) -> None:
        """Pay money out: it is no loss, and it must be there."""
        money = float(positive(amount, "a withdrawal", "Portfolio"))
        if money > self.cash:
            raise ParameterError(f"Portfolio: a withdrawal of {money:,.2f} {self.currency} is more than the cash of {self.cash:,.2f}")
        self.cash, self.deposited = self.cash - money, self.deposited - money

    def income(self, amount: float) -> None:
        """Book funding, swap or interest in account currency: below zero it was paid."""
        money = float(exactly(amount, "income", "Portfolio"))
        self.cash, self.earned = self.cash + money, self.earned + money

    def dividend(self, symbol: str, per_unit: float) -> None:
        """Book a dividend on what is held, in the instrument's currency per unit: a short position pays it."""
        j, each = self._held(symbol), positive(per_unit, f"the dividend of {symbol}", "Portfolio")
        self.income(self.quantity(j) * float(each) * self.unit[j])

    def split(self, symbol: str, ratio: float | Fraction) -> None:
        """Make `ratio` of each unit, ``Fraction(1, 3)`` for one for three; what is below a step is settled in cash at the last price."""
        j, each = self._held(symbol), positive(ratio, f"the split ratio of {symbol}", "Portfolio")
        exact = self.lots[j] * each
        whole, factor, spec = int(exact), float(each), self.specs[j]
        self._set(j, whole)
        self.remains.split(j, each)
        rest = float(exact - whole) * spec.number / spec.power
        for prices in (self.price, self.average, self.paid, self.basis):
            prices[j] /= factor
        self.realised += self._profit(j, rest, self.price[j])
        self.cash = cash_after(self.cash, -rest, self.price[j], self.basis[j], self.unit[j], 0.0)

    def _held(self, symbol: str) -> int:
        """Return the column of a symbol that is known here."""
        if symbol not in self.column:
            raise ParameterError(f"Portfolio: no position in {symbol!r}{did_you_mean(symbol, self.symbols)}")
        return self.column[symbol]

    # -- what it is worth ---------------------------------------------------------------------------------------

    def value(self) -> tuple[float, float]:
        """Return equity and the margin that margined positions must keep (SEMANTICS 41).

        One loop in the order of the instruments, the same as the research kernel's.
        """
        equity, needed = self.cash, 0.0
        specs, prices, units, basis = self.specs, self.price, self.unit, self.basis
        for j, quantity in enumerate(self.held):
            if quantity:
                spec, price, unit = specs[j], prices[j], units[j]
                equity = equity + worth(quantity, price, basis[j], unit)
                if spec.margined or quantity < 0.0:
                    needed = needed + kept_for(quantity, price, unit, spec)
        if self.remains.any:
            equity = equity + self.remains.all_worth(self.price, self.unit)
        return equity, needed

    @property
    def equity(self) -> float:
        """Cash + open profit (SEMANTICS 15)."""
        return self.value()[0]

    @property
    def profit(self) -> float:
        """Equity without what was paid in and out."""
        return self.equity - self.deposited

    @property
    def account(self) -> Account:
        """Cash, equity and margin in account currency."""
        return Account(self.currency, self.cash, self.equity, margin_of(self))

    def liquidation_prices(self) -> pd.Series:
        """Return at which price of each position the account would be stopped out (SEMANTICS 41).

        That is where equity is what all margined positions must keep (`Instrument.maintenance`), while all other prices and all rates
        stand still: of a cross-margined perpetual its venue's liquidation price, of a wallet with one position the isolated one.

        Returns
        -------
        Series
            Indexed by symbol, in the instrument's currency. NaN where no price of it liquidates: it is paid in full, or a fall to
            0 leaves enough. Above the last price of a long position, or below that of a short one, where it is too late.

        Examples
        --------
        >>> import workbench as wb
        >>> perpetual = wb.Instrument("BTCUSDT", "crypto", "perpetual", maintenance=0.05)
        >>> book = wb.Portfolio("USDT", cash=1_450, positions={perpetual: 0.1}, prices={"BTCUSDT": 24_000})
        >>> round(book.liquidation_prices()["BTCUSDT"])
        10000
        """
        return liquidation_prices(self)

    def quantity(self, j: int) -> float:
        """Return the signed quantity of column j."""
        return self.held[j]

    def lots_in(self, j: int, quantity: float) -> int:
        """Return the whole steps of a quantity of column j that is on its grid."""
        return lots_exactly(quantity, self.specs[j].number, self.specs[j].power)

    @property
    def positions(self) -> pd.DataFrame:
        """What is held, one row a symbol: quantity, average and last price, value and open profit in account currency."""
        return positions_table(self)

    @property
    def dust(self) -> pd.Series:
        """What purchases left below a step, as a quantity by symbol: part of equity, and no position (SEMANTICS 29)."""
        left = {symbol: self.remains.quantity(j) for j, symbol in enumerate(self.symbols) if self.remains.quantity(j)}
        return pd.Series(left, dtype=float, name="dust")

    def position(self, j: int) -> Position:
        """Return what is held in a column, with its open profit in account currency."""
        quantity, price = self.quantity(j), self.price[j]
        return Position(self.instruments[j], quantity, self.average[j], price, self._profit(j, quantity, price))

    def exposure(self, by: str = "currency") -> pd.Series:
        """Return the net exposure of each group in account currency (SEMANTICS 30).

        Parameters
        ----------
        by : {"currency", "region", "asset_class", "instrument"} or str, default "currency"
            Or the name of a tag that instruments have (`Instrument.tags`).

        Returns
        -------
        Series
            Indexed by group.
        """
        return exposure_by(self, by)

    def reconcile(
        self, positions: Mapping[str, float] | pd.DataFrame | None = None, cash: Mapping[str, float] | None = None
    ) -> pd.DataFrame:
        """Return the differences from a venue's positions and cash by currency, in the form of `Ledger.reconcile`; empty when equal."""
        held: Told = {("", self.symbols[j], ""): self.quantity(j) for j, lots in enumerate(self.lots) if lots}
        return compare(held, {self.currency: self.cash}, positions, cash)
