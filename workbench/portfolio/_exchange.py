"""Exact conversion into one currency, at one rate for all time or at the last one known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import pandas as pd

from workbench.errors import ParameterError
from workbench.instrument import COINS, CURRENCIES, STABLE, Instrument
from workbench.portfolio._exact import positive
from workbench.rates import is_rate, named_pair, path_of

__all__ = ["Exchange"]


class Exchange:
    """Converts into a currency.

    Parameters
    ----------
    currency : str
        Into which.
    rates : mapping of str to float or Series, optional
        By pair, ``{"EURUSD": 1.10}``; a Series is indexed by the UTC time from which each value is known.
    instruments, prices : optional
        Prices of currency pairs and spot coins among the instruments are rates too, and newer than `rates`.
    balances : iterable of str, optional
        Other currencies that are in use: they tell where the name of a pair is to be split.
    """

    def __init__(
        self,
        currency: str,
        rates: Mapping[str, Any] | None = None,
        instruments: Iterable[Instrument] = (),
        prices: Mapping[str, Any] | None = None,
        balances: Iterable[str] = (),
    ) -> None:
        self.currency = currency
        instruments, prices = list(instruments), prices or {}
        traded = {name for i in instruments for name in (i.base, i.quote) if name}
        used = {currency, *balances, *traded, *CURRENCIES, *COINS, *STABLE}
        self.pairs = {named_pair(name, used): rate for name, rate in (rates or {}).items()}
        for one in instruments:
            if is_rate(one) and one.symbol in prices:
                self.pairs.pop((str(one.quote), str(one.base)), None)
                self.pairs[str(one.base), str(one.quote)] = prices[one.symbol]

    def rate(self, currency: str, time: pd.Timestamp | None = None) -> Fraction:
        """Return what one unit of a currency is worth, at a time or now."""
        if currency == self.currency:
            return Fraction(1)
        path = path_of(self.pairs, currency, self.currency)
        if path is None:
            wanted = f"{currency}{self.currency}"
            raise ParameterError(f"Ledger: no rate from {currency} to {self.currency}: give rates={{{wanted!r}: ...}}")
        worth = Fraction(1)
        for pair, turned in path:
            rate = positive(_known(self.pairs[pair], "".join(pair), time), f"the rate of {''.join(pair)}")
            worth = worth / rate if turned else worth * rate
        return worth


def _known(rate: Any, name: str, time: pd.Timestamp | None) -> Any:
    """Return a rate, of a Series the last that was known at a time."""
    if not isinstance(rate, pd.Series):
        return rate
    index = pd.DatetimeIndex(rate.index)
    if index.tz is None or not index.is_monotonic_increasing:
        raise ParameterError(f"Ledger: the rates of {name} must be indexed by rising UTC times")
    known = (rate if time is None else rate[index <= time]).dropna()
    if known.empty:
        raise ParameterError(f"Ledger: no rate of {name} is known at {time}, the first is of {index[0] if len(index) else 'no time'}")
    return known.iloc[-1]
