"""Conversion rates into the account currency, step by step (SEMANTICS 28)."""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import DataError, ParameterError
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.numeric import positive
from workbench.quality import SuspectDataWarning, _callers_level
from workbench.sessions import close_times, session_age

__all__ = ["Conversion", "Rates", "common_currency", "conversion", "is_rate", "named_pair", "path_of"]

#: By pair: a number, Bars or a Series; or Bars alone, for every pair among them.
Rates = Mapping[str, Any] | Bars
Pair = tuple[str, str]
#: Values, and whether each is fresh: one a step, or one for all.
Known = tuple[np.ndarray, np.ndarray]
#: For how many days a rate is good enough to open a position, of daily bars and of shorter ones. Where the pair names a calendar, age
#: counts only while its market is open, a whole session as a day; without one the days of weekends and holidays count too.
DAILY_AGE, INTRADAY_AGE = 5, 3


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
    assumptions : tuple of str
        What the rates rest on, one sentence each, for the assumptions of a result.
    """

    unit: np.ndarray
    base: np.ndarray
    fresh: np.ndarray
    assumptions: tuple[str, ...] = ()

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
        Their currency pairs and spot coins are rates too: the last close known at each step.
    rates : mapping of str to float, Bars or Series, or Bars, optional
        By pair, ``{"EURUSD": 1.10}``. Of Bars each close counts from the close of its bar on; a Series is indexed by the
        time from which its value is known. Bars alone stand for every pair among them.

    Raises
    ------
    DataError
        A currency cannot be converted.

    Warns
    -----
    SuspectDataWarning
        A Series has the labels of `bars`: closes at their labels would be known one bar early.
    """
    if rates is not None and not isinstance(rates, (Mapping, Bars)):
        raise ParameterError(f"rates are given by pair, {{'EURUSD': 1.10}}, or as wb.Bars of pairs; got {rates!r}")
    table = _Table(currency, bars, rates or {})
    legs = [(str(i.quote), str(i.base) if _exchanges(i) else None) for i in bars.instruments]
    number = {pair: k for k, pair in enumerate(dict.fromkeys(legs))}  # hundreds of instruments share a few
    multipliers = np.array([float(i.multiplier) for i in bars.instruments])
    quotes = [table.rate(quote) for quote, _ in number]
    bases = [table.rate(base) if base else (np.zeros(1), np.ones(1, np.int64)) for _, base in number]
    rows = max(len(values) for values, _ in (*quotes, *bases))
    which = [number[pair] for pair in legs]

    def spread(known: Sequence[np.ndarray]) -> np.ndarray:
        return np.column_stack([np.broadcast_to(values, rows) for values in known]).take(which, axis=1)

    unit, base = (spread([values for values, _ in known]) * multipliers for known in (quotes, bases))
    fresh = spread([q[1] * b[1] for q, b in zip(quotes, bases, strict=True)])
    return Conversion(unit, base, fresh, tuple(table.assumptions))


def _exchanges(instrument: Instrument) -> bool:
    """Whether an instrument's price is an exchange rate of today, and both its currencies count as exposure."""
    return instrument.asset_class == "fx" and instrument.kind not in ("future", "perpetual")


def is_rate(instrument: Instrument) -> bool:
    """Whether an instrument's close is a rate between two currencies: that of a currency pair, or of a coin at spot."""
    coin = instrument.asset_class == "crypto" and instrument.kind == "spot" and instrument.base is not None
    return coin or _exchanges(instrument)


def named_pair(name: object, used: Collection[str]) -> Pair:
    """Split the name of a pair: at its slash, at a currency that is in use, or in the middle of six letters."""
    if isinstance(name, str):
        base, slash, quote = name.partition("/")
        if slash and base and quote:
            return base, quote
        for one in sorted(used, key=len, reverse=True):
            if name.startswith(one) and name[len(one) :] in used:
                return one, name[len(one) :]
        if len(name) == 6:
            return name[:3], name[3:]
    raise DataError(f"rates are given by pair of currencies such as 'EURUSD', got {name!r}")


def path_of(pairs: Iterable[Pair], start: str, end: str) -> list[tuple[Pair, bool]] | None:
    """Return the shortest chain of pairs from a currency to another, and which of them are turned over; None without one."""
    pairs = list(pairs)
    queue: deque[tuple[str, list[tuple[Pair, bool]]]] = deque([(start, [])])
    seen = {start}
    while queue:
        at, path = queue.popleft()
        if at == end:
            return path
        for pair in pairs:
            other = pair[1] if pair[0] == at else pair[0] if pair[1] == at else None
            if other is not None and other not in seen:
                seen.add(other)
                queue.append((other, [*path, (pair, pair[1] == at)]))
    return None


def _columns_of_pairs(bars: Bars) -> dict[Pair, int]:
    """Return the columns of the instruments whose closes are rates."""
    return {(str(i.base), str(i.quote)): j for j, i in enumerate(bars.instruments) if is_rate(i)}


class _Column(NamedTuple):
    """A pair whose closes are in the bars."""

    number: int


class _Table:
    """Looks a currency's rate up, directly or through other pairs."""

    def __init__(self, currency: str, bars: Bars, rates: Rates) -> None:
        self.currency = currency
        self.bars = bars
        self.max_age = DAILY_AGE if bars.daily else INTRADAY_AGE
        self.pairs: dict[Pair, Any] = {}
        self.found: dict[str, Known] = {}
        self.assumptions: list[str] = []
        if isinstance(rates, Bars):
            self.pairs |= dict.fromkeys(_columns_of_pairs(rates), rates)
        else:
            self.pairs |= {self._named(name): value for name, value in rates.items()}
        self.pairs |= {pair: _Column(j) for pair, j in _columns_of_pairs(bars).items()}

    def _named(self, name: object) -> Pair:
        instruments = self.bars.instruments
        return named_pair(name, {self.currency, *(str(i.quote) for i in instruments), *(str(i.base) for i in instruments)})

    def rate(self, currency: str) -> Known:
        """Return what one unit of a currency is worth, and whether that is fresh, at each step or once."""
        if currency not in self.found:
            self.found[currency] = self._follow(currency)
        return self.found[currency]

    def _follow(self, currency: str) -> Known:
        values, fresh = np.ones(1), np.ones(1, np.int64)
        path = path_of(self.pairs, currency, self.currency)
        if path is None:
            raise DataError(
                f"no conversion rate from {currency} to the account currency {self.currency}: "
                f"give rates={{'{currency}{self.currency}': ...}} or add the pair to the bars"
            )
        for pair, turned in path:
            rate, known = self._series(pair)
            values = values / rate if turned else values * rate
            fresh = fresh * known
        return values, fresh

    def _series(self, pair: Pair) -> Known:
        value = self.pairs[pair]
        if isinstance(value, _Column):
            return self._closes(value.number)
        if isinstance(value, Bars):
            return self._last_known(*_closes_of(value, pair), value.instruments[_columns_of_pairs(value)[pair]].calendar)
        if isinstance(value, pd.Series):
            return self._last_known(*self._own_times(value, pair))
        if math.isnan(rate := positive(value)):
            raise DataError(f"the rate of {''.join(pair)} must be a positive number, got {value!r}")
        return np.array([rate]), np.ones(1, np.int64)

    def _closes(self, column: int) -> Known:
        """Return the last known close of a pair in the bars, and whether it is young enough."""
        present = self.bars.present[:, column]
        last = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
        known = last >= 0
        rows = np.maximum(last, 0)
        calendar = self.bars.instruments[column].calendar
        times = self.bars.labels if calendar is None else close_times(self.bars)
        values = np.where(known, self.bars.array("close")[rows, column], np.nan)
        return values, (known & self._young(times[rows], times, calendar)).astype(np.int64)

    def _young(self, since: np.ndarray, now: np.ndarray, calendar: str | None) -> np.ndarray:
        """Whether what is known since a moment is recent enough; age counts only while the pair's market is open."""
        if calendar is None:
            return np.asarray(now - since <= self.max_age * DAY)
        return session_age(calendar, since, now) <= self.max_age * (1.0 + 1e-9)

    def _last_known(self, times: np.ndarray, values: np.ndarray, calendar: str | None = None) -> Known:
        """Return the last value that is known at the close of each step, and whether it is young enough."""
        closes = close_times(self.bars)
        rows = np.searchsorted(times, closes, side="right")
        # row 0 stands for the steps before anything is known: NaN is never fresh
        last, since = np.append(np.nan, values)[rows], np.append(closes[:1], times)[rows]
        return last, (self._young(since, closes, calendar) & (last > 0)).astype(np.int64)

    def _own_times(self, series: pd.Series, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
        """Return times and values of a Series: each value counts from its own time on, and that is said."""
        name, index = "".join(pair), pd.DatetimeIndex(series.index)
        if index.tz is None or not index.is_monotonic_increasing:
            raise DataError(f"the rates of {name} must be indexed by rising UTC times")
        times, present = index.as_unit("ns").asi8, series.notna().to_numpy()
        said = f"rates of {name} from a Series: each counts as known at its own time, so a close belongs at the close of its bar"
        if said not in self.assumptions:
            self.assumptions.append(said)
            _warn_of_labels(times, self.bars.labels, name)
        return times[present], series.to_numpy(dtype=float)[present]


def _closes_of(bars: Bars, pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Return the closes of a pair, and when each was known."""
    column = _columns_of_pairs(bars).get(pair)
    if column is None:
        name = "".join(pair)
        raise DataError(
            f"the bars given as rates of {name} have no such pair, only {', '.join(bars.symbols)}: "
            f"wb.Instrument({name!r}, asset_class='fx') is one"
        )
    alone = bars.take(columns=[column])
    return close_times(alone), alone.array("close")[:, 0]


def _warn_of_labels(times: np.ndarray, labels: np.ndarray, name: str) -> None:
    """Warn of rates at the very labels of the bars: labels are open times, so closes would be known one bar early."""
    inside = times[(times >= labels[0]) & (times <= labels[-1])]
    if np.array_equal(inside, labels):
        message = (
            f"the rates of {name} have the labels of the bars, and a rate counts as known at its own time: "
            f"hand closes over as Bars, rates={{{name!r}: bars_of_the_pair}}, or each is known one bar early"
        )
        warnings.warn(message, SuspectDataWarning, stacklevel=_callers_level())
