"""What all accounts of a ledger are worth, at one set of prices and rates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.instrument import Instrument
from workbench.portfolio._accounts import Accounts
from workbench.portfolio._exact import positive
from workbench.portfolio._exchange import Exchange
from workbench.portfolio._frames import POSITIONS, table
from workbench.portfolio._lots import Holding

__all__ = ["Valuation", "whole_steps"]

GROUPS = ("currency", "region", "asset_class", "instrument", "venue")


def whole_steps(instrument: Instrument, quantity: Fraction) -> Fraction:
    """Return the part of a quantity that is whole steps: the rest is dust (SEMANTICS 29)."""
    number, power = instrument.step
    step = Fraction(number) / Fraction(power)
    return int(quantity / step) * step


class Valuation:
    """All accounts at given prices and rates; made by `Ledger.at`.

    Parameters
    ----------
    accounts : Accounts
    exchange : Exchange
        Into the account currency.
    prices : mapping of str to float
        By symbol, one for each that is held.
    deposited : Fraction
        Deposits less withdrawals in account currency, each at the rate of its day.

    Examples
    --------
    >>> import workbench as wb
    >>> sap = wb.Instrument("SAP", quote="EUR")
    >>> book = wb.Ledger("USD")
    >>> book.deposit("2026-01-05", 10_000)
    >>> book.fill("2026-01-06", sap, 10, price=100.00)
    >>> now = book.at({"SAP": 110.0}, {"EURUSD": 1.25})
    >>> now.equity, now.exposure("instrument").to_dict()
    (10125.0, {'SAP': 1375.0})
    """

    def __init__(self, accounts: Accounts, exchange: Exchange, prices: Mapping[str, Any], deposited: Fraction) -> None:
        self._open = accounts.open()
        self._balances = {key: amount for key, amount in accounts.balances.items() if amount}
        self._exchange = exchange
        self._deposited = deposited
        self._prices = {key.symbol: _price(key.symbol, prices) for key, _ in self._open}

    @property
    def exact(self) -> Fraction:
        """Equity to the last digit: every balance, and what every position adds to it (SEMANTICS 15)."""
        cash = sum((amount * self._exchange.rate(currency) for (_, currency), amount in self._balances.items()), Fraction(0))
        return cash + sum((self._worth(holding) for _, holding in self._open), Fraction(0))

    @property
    def equity(self) -> float:
        """Equity in account currency."""
        return float(self.exact)

    @property
    def profit(self) -> float:
        """Equity without what was paid in and out."""
        return float(self.exact - self._deposited)

    @property
    def positions(self) -> pd.DataFrame:
        """What is held, one row an instrument and venue, or a ticket where a venue hedges.

        Columns venue, symbol, ticket; `quantity` in whole steps, signed, and `dust`, the rest below one step; `average_price` and
        `last_price` in `currency`, the instrument's; `value` and `unrealised` (quantity and dust) in account currency.
        """
        return table(POSITIONS, self._rows())

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        for key, holding in self._open:
            instrument, quantity = holding.instrument, holding.quantity
            whole = whole_steps(instrument, quantity)
            each = quantity * Fraction(instrument.multiplier)
            value = each * self._prices[key.symbol]
            rate = self._exchange.rate(str(instrument.quote))
            prices = (holding.cost / each, self._prices[key.symbol], str(instrument.quote))
            yield (*key, whole, quantity - whole, *prices, value * rate, (value - holding.cost) * rate)

    def _worth(self, holding: Holding) -> Fraction:
        """Return what a holding adds to equity: its value if funded, its open profit if margined."""
        instrument = holding.instrument
        value = holding.quantity * Fraction(instrument.multiplier) * self._prices[instrument.symbol]
        return (value if instrument.funded else value - holding.cost) * self._exchange.rate(str(instrument.quote))

    def exposure(self, by: str = "currency") -> pd.Series:
        """Return the net exposure of each group in account currency (SEMANTICS 30), over all venues.

        Parameters
        ----------
        by : {"currency", "region", "asset_class", "instrument", "venue"}, default "currency"
            Of currencies also the balances count, but for those in account currency.
        """
        if by not in GROUPS:
            raise ParameterError(f"exposure: unknown group {by!r}{did_you_mean(by, GROUPS)}")
        total: dict[str, Fraction] = {}
        for group, amount in self._exposed(by):
            total[group] = total.get(group, Fraction(0)) + amount
        found = {group: float(amount) for group, amount in total.items()}
        return pd.Series(found, dtype=float, name=f"exposure in {self._exchange.currency}")

    def _exposed(self, by: str) -> Iterator[tuple[str, Fraction]]:
        for key, holding in self._open:
            instrument = holding.instrument
            each = holding.quantity * Fraction(instrument.multiplier)
            value = each * self._prices[key.symbol] * self._exchange.rate(str(instrument.quote))
            legs = {key.venue: (0.0, 1.0)} if by == "venue" else instrument.legs(by)
            for group, (base, weight) in legs.items():
                coins = each * self._exchange.rate(str(instrument.base)) if base else Fraction(0)
                yield group, coins * Fraction(base) + value * Fraction(weight)
        for (_, currency), amount in self._balances.items():
            if by == "currency" and currency != self._exchange.currency:
                yield currency, amount * self._exchange.rate(currency)


def _price(symbol: str, prices: Mapping[str, Any]) -> Fraction:
    if symbol not in prices:
        raise ParameterError(f"Ledger: no price of {symbol}: give prices={{{symbol!r}: ...}}{did_you_mean(symbol, prices)}")
    return positive(prices[symbol], f"the price of {symbol}")
