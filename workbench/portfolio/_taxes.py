"""Lots in the standard form: those that are open, and those that were closed, for the tax return."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pandas as pd

from workbench.instrument import Instrument
from workbench.portfolio._accounts import Accounts, Key
from workbench.portfolio._exchange import Exchange
from workbench.portfolio._frames import TAXES, table
from workbench.portfolio._lots import Closed, Fees

__all__ = ["lot_rows", "tax_report"]


def lot_rows(accounts: Accounts) -> Iterator[tuple[Any, ...]]:
    """Yield the open lots."""
    for key, holding in accounts.open():
        currency = str(holding.instrument.quote)
        for lot in holding.lots:
            price = _price(lot.cost, lot.quantity, holding.instrument)
            yield (*key, _side(lot.quantity), abs(lot.quantity), lot.opened, price, abs(lot.cost), currency)


def tax_report(accounts: Accounts, exchange: Exchange) -> pd.DataFrame:
    """Return the closed lots, in the order in which they were closed, with money in the currency of `exchange`."""
    closed = [(key, holding.instrument, one) for key, holding in accounts.holdings.items() for one in holding.closed]
    closed.sort(key=lambda row: (row[2].closed, row[0]))
    return table(TAXES, (_row(*each, exchange) for each in closed))


def _row(key: Key, instrument: Instrument, one: Closed, exchange: Exchange) -> tuple[Any, ...]:
    lot, currency = one.lot, str(instrument.quote)
    at_closing = exchange.rate(currency, one.closed)
    at_opening = exchange.rate(currency, lot.opened) if instrument.funded else at_closing
    opening, closing = lot.cost * at_opening, one.worth * at_closing
    # a short sale brings its money first and costs it afterwards
    cost, proceeds = (opening, closing) if lot.quantity > 0 else (-closing, -opening)
    fees = _paid(lot.fees, exchange, lot.opened) + _paid(one.fees, exchange, one.closed)
    return (
        *(*key, _side(lot.quantity), abs(lot.quantity), lot.opened, one.closed, (one.closed - lot.opened) / pd.Timedelta(days=1)),
        *(_price(lot.cost, lot.quantity, instrument), _price(one.worth, lot.quantity, instrument), currency),
        *(cost, proceeds, fees, proceeds - cost - fees),
    )


def _paid(fees: Fees, exchange: Exchange, time: pd.Timestamp) -> Fraction:
    return sum((fee * exchange.rate(currency, time) for currency, fee in fees.items()), Fraction(0))


def _price(money: Fraction, quantity: Fraction, instrument: Instrument) -> Fraction:
    return money / (quantity * Fraction(instrument.multiplier))


def _side(quantity: Fraction) -> str:
    return "long" if quantity > 0 else "short"
