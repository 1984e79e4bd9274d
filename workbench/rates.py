"""Conversion rates into the account currency, step by step (SEMANTICS 28)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import DataError
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.sessions import close_times

__all__ = ["Conversion", "Rates", "common_currency", "conversion"]

Rates = Mapping[str, Any]
Pair = tuple[np.ndarray, np.ndarray]


class Conversion(NamedTuple):
    """What quantities are worth in account currency; arrays of shape (T, N), or (1, N) where nothing moves.

    Parameters
    ----------
    unit : ndarray
        Multiplier x rate of the quote currency: turns quantity x price into account currency.
    base : ndarray
        Multiplier x rate of the base currency, for pairs; 0 elsewhere.
    fresh : ndarray of int64
        1 where all rates that the instrument needs are known and recent enough to open a position.
    """

    unit: np.ndarray
    base: np.ndarray
    fresh: np.ndarray

    @property
    def moving(self) -> bool:
        """Whether there is a row for each step."""
        return len(self.unit) > 1


def common_currency(instruments: Sequence[Instrument]) -> str:
    """Return the one currency that all instruments are priced in, or refuse to guess."""
    quotes = sorted({str(i.quote) for i in instruments})
    if len(quotes) > 1:
        raise DataError(
            f"the instruments are priced in {', '.join(quotes)}: say which the account is kept in, currency={quotes[0]!r} for example"
        )
    return quotes[0]


def conversion(currency: str, bars: Bars, rates: Rates | None = None) -> Conversion:
    """Return the conversion of every instrument of `bars` at every step.

    Parameters
    ----------
    currency : str
        Account currency.
    bars : Bars of shape (T, N)
        Their currency pairs are rates too: the last close known at each step.
    rates : mapping of str to float or Series, optional
        By pair, ``{"EURUSD": 1.10}``; a Series is indexed by the time from which its value is known.

    Raises
    ------
    DataError
        A currency cannot be converted.
    """
    table = _Table(currency, bars, rates or {})
    legs = [(str(i.quote), str(i.base) if _exchanges(i) else None) for i in bars.instruments]
    multipliers = np.array([float(i.multiplier) for i in bars.instruments])
    quotes = [table.rate(quote) for quote, _ in legs]
    bases = [table.rate(base) if base else (np.zeros(1), np.ones(1, np.int64)) for _, base in legs]
    rows = max(len(values) for values, _ in (*quotes, *bases))
    unit = np.column_stack([np.broadcast_to(values, rows) for values, _ in quotes]) * multipliers
    base = np.column_stack([np.broadcast_to(values, rows) for values, _ in bases]) * multipliers
    fresh = np.column_stack([np.broadcast_to(q[1] * b[1], rows) for q, b in zip(quotes, bases, strict=True)])
    return Conversion(unit, base, np.ascontiguousarray(fresh))


def _exchanges(instrument: Instrument) -> bool:
    """Whether an instrument's price is an exchange rate of today, and both its currencies count as exposure."""
    return instrument.asset_class == "fx" and instrument.kind not in ("future", "perpetual")


class _Column(NamedTuple):
    """A pair whose closes are in the bars."""

    number: int


class _Table:
    """Looks a currency's rate up, directly or through other pairs."""

    def __init__(self, currency: str, bars: Bars, rates: Rates) -> None:
        self.currency = currency
        self.bars = bars
        self.max_age = (5 if bars.daily else 3) * DAY
        self.pairs: dict[tuple[str, str], Any] = {}
        self.found: dict[str, Pair] = {}
        for name, value in rates.items():
            self.pairs[self._named(name)] = value
        for j, i in enumerate(bars.instruments):
            if _exchanges(i):
                self.pairs[str(i.base), str(i.quote)] = _Column(j)

    def _named(self, name: object) -> tuple[str, str]:
        """Split the name of a pair: at its slash, at a currency that is in use here, or in the middle of six letters."""
        if isinstance(name, str):
            base, slash, quote = name.partition("/")
            if slash and base and quote:
                return base, quote
            used = {self.currency, *(str(i.quote) for i in self.bars.instruments), *(str(i.base) for i in self.bars.instruments)}
            for one in sorted(used, key=len, reverse=True):
                if name.startswith(one) and name[len(one) :] in used:
                    return one, name[len(one) :]
            if len(name) == 6:
                return name[:3], name[3:]
        raise DataError(f"rates are given by pair of currencies such as 'EURUSD', got {name!r}")

    def rate(self, currency: str) -> Pair:
        """Return what one unit of a currency is worth, and whether that is fresh, at each step or once."""
        if currency not in self.found:
            self.found[currency] = self._follow(currency)
        return self.found[currency]

    def _follow(self, currency: str) -> Pair:
        values, fresh = np.ones(1), np.ones(1, np.int64)
        for pair, turned in self._path(currency):
            rate, known = self._series(pair)
            values = values / rate if turned else values * rate
            fresh = fresh * known
        return values, fresh

    def _path(self, currency: str) -> list[tuple[tuple[str, str], bool]]:
        """Return the shortest chain of pairs to the account currency, and which of them are turned over."""
        queue: deque[tuple[str, list[tuple[tuple[str, str], bool]]]] = deque([(currency, [])])
        seen = {currency}
        while queue:
            at, path = queue.popleft()
            if at == self.currency:
                return path
            for pair in self.pairs:
                other = pair[1] if pair[0] == at else pair[0] if pair[1] == at else None
                if other is not None and other not in seen:
                    seen.add(other)
                    queue.append((other, [*path, (pair, pair[1] == at)]))
        raise DataError(
            f"no conversion rate from {currency} to the account currency {self.currency}: "
            f"give rates={{'{currency}{self.currency}': ...}} or add the pair to the bars"
        )

    def _series(self, pair: tuple[str, str]) -> Pair:
        value = self.pairs[pair]
        if isinstance(value, _Column):
            return self._closes(value.number)
        if isinstance(value, pd.Series):
            return self._known(value, pair)
        rate = float(value)
        if not 0 < rate < float("inf"):
            raise DataError(f"the rate of {''.join(pair)} must be a positive number, got {value!r}")
        return np.array([rate]), np.ones(1, np.int64)

    def _closes(self, column: int) -> Pair:
        """Return the last known close of a pair in the bars, and whether it is young enough."""
        present = self.bars.present[:, column]
        last = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
        known = last >= 0
        rows = np.maximum(last, 0)
        labels = self.bars.labels
        values = np.where(known, self.bars.array("close")[rows, column], np.nan)
        return values, (known & (labels - labels[rows] <= self.max_age)).astype(np.int64)

    def _known(self, series: pd.Series, pair: tuple[str, str]) -> Pair:
        """Return the last value of a Series known at the close of each step."""
        index = pd.DatetimeIndex(series.index)
        if index.tz is None or not index.is_monotonic_increasing:
            raise DataError(f"the rates of {''.join(pair)} must be indexed by rising UTC times")
        series = series.dropna()
        times = pd.DatetimeIndex(series.index).as_unit("ns").asi8
        closes = close_times(self.bars)
        rows = np.searchsorted(times, closes, side="right") - 1
        known = rows >= 0
        rows = np.maximum(rows, 0)
        values = np.where(known, series.to_numpy(dtype=float)[rows], np.nan)
        return values, (known & (closes - times[rows] <= self.max_age) & (values > 0)).astype(np.int64)
