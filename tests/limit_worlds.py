"""Random books with random limits, and what they measure: plain numpy, written from SEMANTICS 20-22, 30 and 33 and not from the code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import workbench as wb
from workbench import Instrument
from workbench.risk import ExpectedShortfall, MaxExposure, MaxLeverage, MaxPositions, MaxVolatility, RiskManager, ValueAtRisk

Random = np.random.Generator
Array = np.ndarray
#: What 1 of a currency or coin is worth, in dollars.
WORTH = {"USD": 1.0, "EUR": 1.1, "JPY": 1 / 150, "GBP": 1.27, "CHF": 1.13, "USDT": 1.0, "BTC": 60_000.0, "ETH": 2_500.0, "DOGE": 0.1}
#: Every asset class and kind: the price (None for what is a rate), and as what a long position counts by currency (SEMANTICS 30).
CATALOGUE: tuple[tuple[Instrument, float | None, str], ...] = (
    (Instrument("AAA", region="US", tags={"sector": "energy"}), 80.0, "USD"),
    (Instrument("BBB", region="EU", quote="EUR", quantity_step=10, tags={"sector": "energy"}), 12.0, "EUR"),
    (Instrument("CCC", region="JP", quote="JPY", quantity_step=100, can_short=False, tags={"sector": "cars"}), 2_500.0, "JPY"),
    (Instrument("DDD", region="US", quantity_step=0.01, min_notional=500, margin=0.25), 310.0, "USD"),
    (Instrument("BTCUSD", "crypto"), None, "BTC"),
    (Instrument("ETHEUR", "crypto", quantity_step=0.001, can_short=True, tags={"sector": "chains"}), None, "ETH"),
    (Instrument("DOGEUSDT", "crypto", quantity_step=5, min_notional=10, region="nowhere"), None, "DOGE"),
    (Instrument("EURUSD", "fx", multiplier=100_000), None, "+EUR -USD"),
    (Instrument("USDJPY", "fx", multiplier=100_000), None, "+USD -JPY"),
    (Instrument("EURGBP", "fx", multiplier=100_000, quantity_step=0.1), None, "+EUR -GBP"),
    (Instrument("USDCHF", "fx", min_quantity=1_000), None, "+USD -CHF"),
    (Instrument("GBPUSD", "fx", "cfd", multiplier=10_000), None, "+GBP -USD"),
    (Instrument("EURFUT", "fx", "future", base="EUR", quote="USD", multiplier=125_000), 1.1, ""),
    (Instrument("STK", "index", "future", multiplier=50, tick_size=0.25, region="US"), 5_000.0, ""),
    (Instrument("BND", "rate", "future", multiplier=1_000, quote="EUR", region="EU"), 131.0, ""),
    (Instrument("OIL", "commodity", "cfd", multiplier=10, quantity_step=0.3), 77.0, ""),
    (Instrument("DAX", "index", "cfd", quote="EUR", min_quantity=0.1, region="EU", tags={"sector": "cars"}), 18_000.0, ""),
    (Instrument("ETHUSDT-P", "crypto", "perpetual", base="ETH", quote="USDT", tags={"sector": "chains"}), 2_500.0, ""),
    (Instrument("GOLD", "commodity"), 2_300.0, "USD"),
)
#: The usual costs by market (SEMANTICS 31): share of the notional, a contract, least a fill, slippage as a share.
USUAL = {"coin": (1e-3, 0, 0, 5e-4), "perpetual": (5e-4, 0, 0, 5e-4), "fx": (1e-4, 0, 0, 1e-4), "future": (0, 2.5, 0, 1e-3)}
SHARES = (5e-4, 0, 1.0, 5e-4)
HISTORIES, PAST = 30, 60
#: To integrate with: Gauss and Legendre's.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


@dataclass
class World:
    """A book and its market: one number an instrument, in account currency where it is money."""

    seed: int
    catalogue: list[tuple[Instrument, float | None, str]]
    currency: str
    worth: dict[str, float]
    price: Array
    held: Array
    equity: float
    portfolio: wb.Portfolio
    returns: Array
    days: Array

    @property
    def instruments(self) -> list[Instrument]:
        return [row[0] for row in self.catalogue]

    @property
    def rate(self) -> Array:
        return np.array([self.worth[str(one.quote)] for one in self.instruments])

    @property
    def each(self) -> Array:
        """What one lot is worth."""
        return self.price * self.rate * [one.multiplier for one in self.instruments]

    def legs(self, by: str) -> dict[str, Array]:
        """Return what one lot of each instrument adds to each group."""
        found: dict[str, Array] = {}
        for i, (one, _, text) in enumerate(self.catalogue):
            for group, value in self._legs_of(i, one, text, by):
                found.setdefault(group, np.zeros(len(self.catalogue)))[i] += value
        return found

    def _legs_of(self, i: int, one: Instrument, text: str, by: str) -> list[tuple[str, float]]:
        value = self.each[i]
        if by == "currency":
            amounts = {"+": one.multiplier * self.worth.get(str(one.base), 0.0), "-": -value}
            return [(leg.lstrip("+-"), amounts.get(leg[0], value)) for leg in text.split()]
        names = {"region": one.region, "asset_class": one.asset_class, "instrument": one.symbol} | dict(one.tags)
        return [(str(names[by]), value)] if names.get(by) else []


# -- what a limit measures --------------------------------------------------------------------------------------------


def measured(limit: RiskManager, world: World, book: Array, j: int) -> list[tuple[Array, float]]:
    """Return each figure that a limit looks at, at every book (rows of positions), with the most that it may be."""
    if isinstance(limit, MaxExposure):
        return _exposures(limit, world, book)
    if isinstance(limit, MaxLeverage):
        return [(np.abs(book * world.each).sum(axis=1), limit.limit * world.equity)]
    if isinstance(limit, MaxPositions):
        return [((book != 0).sum(axis=1), limit.limit)]
    return [_loss(limit, world, book, j)]


def _exposures(limit: MaxExposure, world: World, book: Array) -> list[tuple[Array, float]]:
    legs = world.legs(limit.by)
    limits = limit.limit if isinstance(limit.limit, dict) else dict.fromkeys(legs, limit.limit)
    value = (lambda one: np.abs(book * one).sum(axis=1)) if limit.scope == "gross" else (lambda one: np.abs(book @ one))
    return [(value(one), limits[group] * (world.equity if limit.of == "equity" else 1.0)) for group, one in legs.items() if group in limits]


def _loss(limit: Any, world: World, book: Array, j: int) -> tuple[Array, float]:
    """Return volatility, value at risk or shortfall of books that differ in instrument j alone; NaN for too few returns."""
    active = (book != 0).any(axis=0)
    active[j] = True
    returns = _filtered(world.returns) if limit.method == "filtered" else world.returns
    rows = [t for t in range(len(returns))[-2 * limit.window :] if not np.isnan(returns[t, active]).any()][-limit.window :]
    most = limit.limit * (world.equity if limit.of == "equity" else 1.0)
    if len(rows) < limit.window:
        return np.full(len(book), math.nan), most
    made = (book * world.each)[:, active] @ returns[np.ix_(rows, active)].T
    a_day = len(rows) / len(np.unique(world.days[rows]))
    if isinstance(limit, MaxVolatility):
        each = (book * world.each)[:, active]
        return _deviation(limit, made, each, returns[np.ix_(rows, active)]) * math.sqrt(limit.year * a_day), most
    figure = {"gaussian": _gaussian, "modified": _modified}.get(limit.method, _historical)
    value = figure(made, 1 - limit.confidence, isinstance(limit, ExpectedShortfall))
    return value * math.sqrt(limit.horizon * a_day), most


def _deviation(limit: MaxVolatility, made: Array, each: Array, returns: Array) -> Array:
    if limit.method == "ewma":
        weights = 0.94 ** np.arange(made.shape[1])[::-1]
        return np.sqrt((made**2) @ weights / weights.sum())
    variance = made.var(axis=1)
    if limit.method == "shrunk":
        variance = (1 - limit.shrink) * variance + limit.shrink * (each**2 @ returns.var(axis=0))
    return np.sqrt(variance)


def _historical(made: Array, part: float, short: bool) -> Array:
    if short:
        return -np.sort(made, axis=1)[:, : math.floor((made.shape[1] - 1) * part) + 1].mean(axis=1)
    return -np.quantile(made, part, axis=1)


def _gaussian(made: Array, part: float, short: bool) -> Array:
    z = stats.norm.ppf(part)
    return (stats.norm.pdf(z) / part if short else -z) * made.std(axis=1) - made.mean(axis=1)


def _modified(made: Array, part: float, short: bool) -> Array:
    """Return Cornish and Fisher's figure, by integration where it is a shortfall; infinite where its quantiles fall somewhere."""
    return np.array([_expanded(row, stats.norm.ppf(part), part, short) for row in made])


def _expanded(made: Array, z: float, part: float, short: bool) -> float:
    deviation, away = made.std(), made - made.mean()
    if not deviation > 1e-12 * np.abs(made).max():
        return -float(made.mean())
    skew, excess = (away**3).mean() / deviation**3, (away**4).mean() / deviation**4 - 3
    bends = (excess / 8 - skew**2 / 6, skew / 3, 1 - excess / 8 + 5 * skew**2 / 36)  # of the quantiles' slope, a square in z
    if not (bends[0] >= 0 and bends[2] >= 0 and bends[1] ** 2 <= 4 * bends[0] * bends[2]):
        return math.inf
    h = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    if not short:
        return float(-made.mean() - deviation * h)
    x = -12 + (h + 12) * (NODES + 1) / 2
    bent = 1 + skew / 6 * (x**3 - 3 * x) + excess / 24 * (x**4 - 6 * x**2 + 3) + skew**2 / 72 * (x**6 - 15 * x**4 + 45 * x**2 - 15)
    below = WEIGHTS @ (x * bent * stats.norm.pdf(x)) * (h + 12) / 2
    return float(-made.mean() - deviation * min(below / part, h))


@lru_cache(maxsize=256)
def _filtered_once(data: bytes, shape: tuple[int, int]) -> Array:
    returns = np.frombuffer(data).reshape(shape)
    out = np.full(shape, math.nan)
    for j in range(shape[1]):
        rows = np.flatnonzero(~np.isnan(returns[:, j]))
        own = returns[rows, j]
        if not len(own):
            continue
        known = [math.sqrt((own[: k + 1] ** 2 @ 0.94 ** np.arange(k, -1, -1)) / (0.94 ** np.arange(k + 1)).sum()) for k in range(len(own))]
        out[rows[1:], j] = own[1:] / known[:-1] * known[-1]
    return out


def _filtered(returns: Array) -> Array:
    """Return each return over its volatility then, times that of now (RiskMetrics, 0.94)."""
    return _filtered_once(np.ascontiguousarray(returns).tobytes(), returns.shape)


def margin_and_fees(world: World, book: Array, j: int, opened: Array) -> tuple[Array, float]:
    """Return what the book ties up at prices moved against us, and the fee of the opening (SEMANTICS 22, 31)."""
    costs = np.array([_costs(one) for one in world.instruments])
    offset = np.array([one.tick_size or 0.0 if one.kind == "future" else 0.0 for one in world.instruments])
    slip = np.where(offset > 0, 0.0, costs[:, 3])
    worst = (world.price * (1 + slip) + offset) * world.each / world.price
    tied = np.abs(book * worst) @ np.array([one.margin for one in world.instruments])
    fee = opened * worst[j] * costs[j, 0] + opened * costs[j, 1] * world.rate[j]
    return tied + np.where(opened > 0, np.maximum(fee, costs[j, 2] * world.rate[j]), 0.0), world.equity


def _costs(one: Instrument) -> tuple[float, ...]:
    coin = one.asset_class == "crypto" and one.kind == "spot"
    kind = one.kind if one.kind in ("future", "perpetual") else "fx" if one.asset_class == "fx" else "coin" if coin else ""
    return USUAL.get(kind, SHARES)


# -- random worlds ----------------------------------------------------------------------------------------------------


@lru_cache
def history(number: int) -> wb.Bars:
    """Return past bars of the whole catalogue, with holes in some of them, by the day or by the hour."""
    rng = np.random.default_rng(1_000 + number)
    interval = str(rng.choice(["1D", "4h"]))
    index = pd.date_range("2024-01-01", periods=PAST, freq=interval, tz="UTC")
    common = rng.standard_t(4, PAST) * 0.01
    frames = {}
    for one, _, _ in CATALOGUE:
        close = 100 * np.exp(np.cumsum(rng.uniform(-1, 1) * common + rng.standard_t(4, PAST) * 0.008))
        kept = rng.random(PAST) >= rng.choice([0.0, 0.0, 0.05])
        frames[one.symbol] = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index)[kept]
    return wb.Bars.from_frames(frames, interval=interval, instruments=[row[0] for row in CATALOGUE])


@lru_cache
def returns_of(number: int) -> tuple[Array, Array]:
    """Return the return of each bar from the instrument's own bar before, and the day of each."""
    close = history(number).close
    returns = [close[name].dropna().pct_change().reindex(close.index) for name in close.columns]
    return np.column_stack(returns), close.index.floor("D").asi8


def random_world(seed: int) -> World:
    """Return a book of one to seven instruments."""
    rng = np.random.default_rng(seed)
    catalogue = [CATALOGUE[k] for k in rng.choice(len(CATALOGUE), int(rng.integers(1, 8)), replace=False)]
    currency = str(rng.choice(["USD", "EUR", "JPY"]))
    worth = {name: value * math.exp(rng.normal(0, 0.2)) for name, value in WORTH.items()}
    worth = {name: value / worth[currency] for name, value in worth.items()}
    price = np.array([_price(rng, row, worth) for row in catalogue])
    instruments = [row[0] for row in catalogue]
    size = (
        rng.uniform(0.2, 3.0)
        * 10 ** rng.uniform(4, 7)
        / np.array([p * one.multiplier * worth[str(one.quote)] for p, one in zip(price, instruments, strict=True)])
    )
    held = np.array([on_grid(one, rng.normal() * most) for one, most in zip(instruments, size / worth["USD"] ** -1, strict=True)])
    held[rng.random(len(held)) < 0.25] = 0.0
    return _world(rng, seed, catalogue, currency, worth, price, held)


def _world(rng: Random, seed: int, catalogue: list[Any], currency: str, worth: dict[str, float], price: Array, held: Array) -> World:
    instruments = [row[0] for row in catalogue]
    rates = {f"{c}/{currency}": worth[c] for one in instruments for c in (one.quote, one.base) if c in worth and c != currency}
    number = int(rng.integers(HISTORIES))
    value = held * price * [one.multiplier * worth[str(one.quote)] for one in instruments]
    funded = sum(v for one, v in zip(instruments, value, strict=True) if one.kind == "spot" and one.asset_class != "fx")
    equity = np.abs(value).sum() * rng.uniform(0.2, 3) + 1e4 * worth["USD"]
    equity = -equity if rng.random() < 0.03 else equity
    positions, prices = dict(zip(instruments, held, strict=True)), {one.symbol: p for one, p in zip(instruments, price, strict=True)}
    careful = bool(rng.random() < 0.3)
    portfolio = wb.Portfolio(currency, equity - funded, positions, prices, rates, buying_power=careful, history=history(number))
    returns, days = returns_of(number)
    columns = [next(k for k, row in enumerate(CATALOGUE) if row is one) for one in catalogue]
    return World(seed, catalogue, currency, worth, price, held, equity, portfolio, returns[:, columns], days)


def _price(rng: Random, row: tuple[Instrument, float | None, str], worth: dict[str, float]) -> float:
    one, price, _ = row
    return worth[str(one.base)] / worth[str(one.quote)] if price is None else price * math.exp(rng.normal(0, 0.3))


def on_grid(one: Instrument, quantity: float) -> float:
    """Return a quantity in whole steps, towards zero."""
    number, power = one.step
    return int(quantity * power / number) * number / power


def random_limits(rng: Random, world: World, book: Array, asked: Array, j: int) -> list[RiskManager]:
    """Return one to four limits that are near to what the book measures before or after an order."""
    return [_near(rng, world, book, asked, j) for _ in range(int(rng.integers(1, 4)))]


def _near(rng: Random, world: World, book: Array, asked: Array, j: int) -> RiskManager:
    limit = drawn_limit(rng, world)
    if isinstance(limit, MaxPositions):
        return limit
    ends = np.stack([book, asked])
    figures = [value for value, _ in measured(limit, world, ends, j) if np.isfinite(value).all()]
    of_equity = isinstance(limit, MaxLeverage) or limit.of == "equity"
    most = np.max(figures, axis=0) if figures else np.array([1.0, 1.0])
    low, high = sorted(most / (abs(world.equity) if of_equity else 1.0))
    aims = [low, high, *rng.uniform(low, high, 4), low * rng.uniform(0.3, 1), *high * rng.uniform(1, 2, 2)]
    aim = min(max(float(rng.choice(aims)), 1e-9), 9.0 if of_equity else math.inf)
    given: Any = aim
    if isinstance(limit, MaxExposure) and isinstance(limit.limit, dict):
        given = {group: aim * float(rng.choice([1, 0.5, 2])) for group in limit.limit}
    return type(limit)(**limit.get_params() | {"limit": given})


def drawn_limit(rng: Random, world: World) -> RiskManager:
    """Return a limit of some kind, with 1 for its limit."""
    of: Any = str(rng.choice(["money", "equity"]))
    window, confidence = int(rng.integers(5, 30)), float(rng.choice([0.9, 0.95, 0.8]))
    kind = int(rng.integers(6))
    if kind == 0:
        return MaxLeverage(1.0)
    if kind == 1:
        return MaxPositions(int(rng.integers(2, 9)))
    if kind == 2:
        return MaxVolatility(1.0, str(rng.choice(["sample", "ewma", "shrunk"])), window, float(rng.uniform()), of)  # type: ignore[arg-type]
    if kind == 3:
        loss = ValueAtRisk if rng.random() < 0.5 else ExpectedShortfall
        method: Any = str(rng.choice(["historical", "gaussian", "modified", "filtered"]))
        return loss(1.0, confidence, method, window, of, float(rng.choice([1, 10])))
    kinds = ["currency", "currency", "region", "asset_class", "instrument", *({"sector"} if world.legs("sector") else ())]
    by = str(rng.choice(kinds))
    groups = list(world.legs(by))
    some = {str(group): 1.0 for group in groups if rng.random() < 0.7}
    given: Any = some if some and rng.random() < 0.4 else 1.0
    return MaxExposure(given, by, of, str(rng.choice(["net", "gross"])))  # type: ignore[arg-type]


def random_order(rng: Random, world: World) -> tuple[int, wb.Order]:
    """Return an order of any size in one of the instruments, often through zero."""
    j = int(rng.integers(len(world.instruments)))
    one, side = world.instruments[j], str(rng.choice(["buy", "sell"]))
    usual = 10 ** rng.uniform(3, 7) * world.worth["USD"] / world.each[j]
    sizes: Sequence[float] = [usual, usual, abs(world.held[j]) + usual, abs(world.held[j]) * rng.uniform(0, 3), abs(world.held[j])]
    number, power = one.step
    quantity = max(on_grid(one, float(rng.choice(sizes))), number / power)
    return j, wb.Order(one, side, quantity)  # type: ignore[arg-type]
