"""A seeded market: regimes, clustered volatility, jumps and gaps on the instruments' price grids. Made up, and labelled so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.data.adapter import moment
from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.interval import DAY, canonical, nanoseconds

__all__ = ["simulate"]

#: Regimes: how likely, their volatility, their drift in units of a bar's volatility (its sign is drawn).
REGIMES = {"calm": (0.5, 0.7, 0.0), "trending": (0.3, 1.0, 0.03), "turbulent": (0.2, 1.8, 0.0)}
REGIME_BARS = 400
#: Volatility is a product of components that switch between 1 +- SPREAD, each three times as seldom as the one before.
SPREAD, COMPONENTS, FASTEST = 0.35, 8, 0.1
#: One bar in so many jumps, by so many volatilities times a Student t with 3 degrees of freedom, at most so many.
JUMP_BARS, JUMP_SIZE, JUMP_MOST = 1_000, 3.0, 12.0
#: No bar moves by more than this (logarithm): a simulated move is never taken for a split.
LARGEST_MOVE = 0.3
#: Share of a session's variance that falls on the night before it, and of a bar's on the step from the bar before.
NIGHT, STEP = 0.25, 0.01
YEAR, SESSIONS = 365.25 * DAY, 252


@dataclass(frozen=True, slots=True)
class _Market:
    """What all symbols share: labels, volatility of each bar and of the gap before it, regime volatility, drift, shocks."""

    labels: np.ndarray
    bar: np.ndarray
    gap: np.ndarray
    level: np.ndarray
    drift: np.ndarray
    shocks: np.ndarray


def simulate(
    symbols: str | Instrument | Sequence[str | Instrument] = "SIM",
    days: int | None = None,
    interval: str = "1min",
    seed: int = 0,
    *,
    bars: int | None = None,
    instruments: Sequence[Instrument] | None = None,
    start: Any = "2024-01-01",
    price: float | None = None,
    volatility: float = 0.2,
    correlation: float = 0.5,
    missing: float = 0.0,
    still: float = 0.0,
    session: tuple[str, str] | None = None,
) -> Bars:
    """Make up a market, the same one for the same seed.

    Volatility is a Markov-switching multifractal (Calvet and Fisher 2004) times a regime (calm, trending, turbulent); returns
    are normal given it, with rare jumps. So returns have fat tails and hardly any autocorrelation, their size clusters,
    and volume follows it. Random numbers come from numpy's PCG64, one stream for the market and one for each symbol: the same
    on every Python and machine with the same numpy, and a symbol's prices do not depend on the symbols after it.

    Parameters
    ----------
    symbols : str, Instrument or sequence of them, default "SIM"
        Names become shares priced in USD with a tick of 0.01.
    days : int, optional
        Days of bars (24 hours each), sessions with `session` or for daily bars. Default: 5, or 500 daily bars.
    interval : str, default "1min"
        Daily bars lie on weekdays, on all days where every instrument is a coin.
    seed : int, default 0
    bars : int, optional
        Number of labels before holes, instead of `days`.
    instruments : sequence of Instrument, optional
        Instead of `symbols`: what is traded, with the grid of its prices.
    start : str, datetime or Timestamp, default "2024-01-01"
        The first label, or the day of the first session.
    price : float, optional
        First price. Default: 100, and 1.10 for currency pairs (110 in JPY).
    volatility : float, default 0.2
        On average, for a year.
    correlation : float, default 0.5
        Of the returns of two symbols.
    missing : float, default 0
        Share of the bars that an instrument misses. A label that all miss does not exist.
    still : float, default 0
        Share of bars without a move: open, high, low and close are the close before.
    session : (str, str), optional
        Opening and closing time in UTC, as in ``("14:30", "21:00")``: bars on weekdays between them, with a gap over night.

    Returns
    -------
    Bars
        `source` is ``"simulated (seed=...)"``.

    Raises
    ------
    ParameterError
        A parameter out of its range.

    Examples
    --------
    >>> simulate(["A", "B"], bars=500, interval="1h", seed=3).shape
    (500, 2)
    """
    interval = canonical(interval)
    chosen = _instruments(symbols if instruments is None else instruments)
    _check(days=days, bars=bars, seed=seed, price=price, volatility=volatility, correlation=correlation, missing=missing, still=still)
    days = days if days is not None or bars is not None else 500 if nanoseconds(interval) >= DAY else 5
    every_day = all(one.asset_class == "crypto" for one in chosen)
    labels, opens = _labels(nanoseconds(interval), days, bars, moment(start, "start"), session, every_day)
    market = _market(_stream(seed, 0), labels, opens, nanoseconds(interval), volatility)
    columns = []
    for number, instrument in enumerate(chosen):
        random = _stream(seed, number + 1)
        columns.append(_symbol(random, market, instrument, price or _first_price(instrument), correlation, still))
        columns[-1][:, np.flatnonzero(random.random(len(labels)) < missing)] = np.nan
    cube = np.stack(columns, axis=2)
    kept = ~np.isnan(cube[0]).all(axis=1)
    index = pd.DatetimeIndex(labels[kept], tz="UTC", name="timestamp")
    arrays = {name: cube[row][kept] for row, name in enumerate(FIELDS)}
    return Bars(index, chosen, interval, arrays, f"simulated (seed={seed})", ("made-up prices, not a real market",))


def _stream(seed: int, number: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))


def _instruments(symbols: str | Instrument | Sequence[str | Instrument]) -> list[Instrument]:
    named = [symbols] if isinstance(symbols, (str, Instrument)) else list(symbols)
    chosen = [one if isinstance(one, Instrument) else Instrument(one, tick_size=0.01) for one in named]
    if not chosen or len({one.symbol for one in chosen}) < len(chosen):
        raise ParameterError(f"simulate: symbols must be one or several different names, got {[one.symbol for one in chosen]}")
    return chosen


def _check(days: int | None, bars: int | None, seed: int, price: float | None, volatility: float, **shares: float) -> None:
    if days is not None and bars is not None:
        raise ParameterError(f"simulate: give days or bars, not both (days={days}, bars={bars})")
    for name, count in (("days", days), ("bars", bars)):
        if count is not None and not (isinstance(count, (int, np.integer)) and count > 0):
            raise ParameterError(f"simulate: {name} must be a whole number above 0, got {count!r}")
    if not (isinstance(seed, (int, np.integer)) and seed >= 0):
        raise ParameterError(f"simulate: seed must be a whole number of at least 0, got {seed!r}")
    for name, value in (("price", price), ("volatility", volatility)):
        if value is not None and not 0 < value < float("inf"):
            raise ParameterError(f"simulate: {name} must be a positive number, got {value!r}")
    for name, value in shares.items():
        if not 0 <= value < 1:
            raise ParameterError(f"simulate: {name} must be at least 0 and below 1, got {value!r}")


def _first_price(instrument: Instrument) -> float:
    if instrument.asset_class != "fx":
        return 100.0
    return 110.0 if instrument.quote == "JPY" else 1.10


# -- labels ---------------------------------------------------------------------------------------------------------


def _labels(
    length: int, days: int | None, bars: int | None, start: int, session: tuple[str, str] | None, every_day: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels (nanoseconds), and where a session opens."""
    if length >= DAY:
        return _daily(length, bars or days or 0, start, every_day), np.ones(bars or days or 0, dtype=bool)
    if session is None:
        labels = start + length * np.arange(bars or (days or 0) * DAY // length, dtype=np.int64)
        return labels, np.zeros(len(labels), dtype=bool)
    begin, end = (_time_of_day(one) for one in session)
    each = (end - begin) // length
    if each < 1:
        raise ParameterError(f"simulate: session must be at least one bar long, as ('14:30', '21:00'), got {session!r}")
    dates = _daily(DAY, days or -(-(bars or 0) // each), start, False)
    labels = (dates[:, None] + begin + length * np.arange(each)).ravel()[: bars or None]
    return labels, np.arange(len(labels)) % each == 0


def _daily(length: int, count: int, start: int, every_day: bool) -> np.ndarray:
    first = start // DAY
    if every_day or length > DAY:
        return np.asarray(first * DAY + length * np.arange(count, dtype=np.int64))
    dates = np.busday_offset(np.datetime64(first, "D"), np.arange(count), roll="forward")
    return np.asarray(dates.astype(np.int64) * DAY)


def _time_of_day(text: str) -> int:
    try:
        return int(pd.Timedelta(f"{text}:00").as_unit("ns").value)
    except ValueError:
        raise ParameterError(f"simulate: session needs times such as ('14:30', '21:00'), got {text!r}") from None


# -- prices ---------------------------------------------------------------------------------------------------------


def _market(random: np.random.Generator, labels: np.ndarray, opens: np.ndarray, length: int, volatility: float) -> _Market:
    bar, gap = _volatilities(opens, length, volatility)
    regime, sign = _spells(random, len(labels))
    chances, levels, drifts = (np.array(column) for column in zip(*REGIMES.values(), strict=True))
    level = levels[regime] * _multifractal(random, len(labels)) / np.sqrt((chances * levels**2).sum())
    return _Market(labels, bar, gap, level, drifts[regime] * sign, random.standard_normal(len(labels)))


def _volatilities(opens: np.ndarray, length: int, volatility: float) -> tuple[np.ndarray, np.ndarray]:
    """Return each bar's own volatility and that of the gap before it."""
    if not opens.any():
        variance = np.full(len(opens), volatility**2 * length / YEAR)
        return np.sqrt((1 - STEP) * variance), np.sqrt(STEP * variance)
    day = volatility**2 / SESSIONS * max(1.0, length / DAY)
    each = len(opens) / opens.sum()
    variance = np.full(len(opens), (1 - NIGHT) * day / each)
    return np.sqrt(variance), np.sqrt(np.where(opens, NIGHT * day, STEP * variance))


def _spells(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each bar's regime and the sign of its drift."""
    spell = np.cumsum(random.random(count) < 1 / REGIME_BARS)
    chances = np.cumsum([chance for chance, _, _ in REGIMES.values()])
    regimes = np.searchsorted(chances / chances[-1], random.random(spell[-1] + 1))
    signs = np.where(random.random(spell[-1] + 1) < 0.5, -1.0, 1.0)
    return regimes[spell], signs[spell]


def _multifractal(random: np.random.Generator, count: int) -> np.ndarray:
    """Return volatility around 1: the root of a product of components that switch at different speeds."""
    variance = np.ones(count)
    for number in range(COMPONENTS):
        spell = np.cumsum(random.random(count) < FASTEST / 3**number)
        high = random.random(spell[-1] + 1) < 0.5
        variance *= np.where(high, 1 + SPREAD, 1 - SPREAD)[spell]
    return np.sqrt(variance)


def _symbol(
    random: np.random.Generator, market: _Market, instrument: Instrument, price: float, correlation: float, still: float
) -> np.ndarray:
    """Return one symbol's five fields, shape (5, T)."""
    count = len(market.labels)
    own, night = random.standard_normal(count), random.standard_normal(count)
    shocks = np.sqrt(correlation) * market.shocks + np.sqrt(1 - correlation) * own
    width = market.bar * market.level
    move = width * (shocks + market.drift) - width**2 / 2 + _jumps(random, width)
    step = market.gap * market.level * night
    step[0] = 0.0
    flat = random.random(count) < still
    moves, steps, widths = (np.where(flat, 0.0, np.clip(one, -LARGEST_MOVE / 2, LARGEST_MOVE / 2)) for one in (move, step, width))
    last = np.cumsum(moves + steps) + np.log(price)
    prices = _on_grid(np.exp(_within(random, last - moves, moves, widths)), instrument)
    return np.vstack([prices, _volume(random, market.level, shocks, flat)])


def _jumps(random: np.random.Generator, width: np.ndarray) -> np.ndarray:
    sizes = np.zeros(len(width))
    rows = np.flatnonzero(random.random(len(width)) < 1 / JUMP_BARS)
    sizes[rows] = width[rows] * np.clip(JUMP_SIZE * random.standard_t(3, len(rows)), -JUMP_MOST, JUMP_MOST)
    return sizes


def _within(random: np.random.Generator, first: np.ndarray, move: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return open, high, low and close (logarithms): the extremes are those of a Brownian path with the bar's ends."""
    up, down = (np.sqrt(move**2 - 2 * width**2 * np.log1p(-random.random(len(move)))) for _ in range(2))
    return np.stack([first, first + (move + up) / 2, first + (move - down) / 2, first + move])


def _on_grid(prices: np.ndarray, instrument: Instrument) -> np.ndarray:
    number, power = instrument.tick
    if number == 0.0:
        number, power = 1.0, 1e8
    return np.asarray(np.maximum(np.round(prices * (power / number)), 1.0) * number / power)


def _volume(random: np.random.Generator, level: np.ndarray, shocks: np.ndarray, flat: np.ndarray) -> np.ndarray:
    volume = 1000 * level * (0.5 + np.abs(shocks)) * np.exp(0.4 * random.standard_normal(len(level)))
    return np.where(flat, 1.0, np.maximum(np.round(volume), 1.0))
