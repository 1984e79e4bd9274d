"""Law 4 in runs: every opening of random backtests, held against the book as it could become (SEMANTICS 21).

The book is put together anew from the tables of the result: fills make the positions, orders that are out count in full.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from limit_worlds import CATALOGUE, WORTH, Array, World, drawn_limit, measured
from markets import Restless

import workbench as wb
from workbench.exits import StopLoss, TakeProfit
from workbench.quality import SuspectDataWarning
from workbench.risk import (
    CoolDown,
    LossLimit,
    MaxDailyLoss,
    MaxDrawdown,
    MaxExposure,
    MaxLeverage,
    MaxPositions,
    MaxTrades,
    MaxVolatility,
    RiskManager,
)

RUNS, CHUNK, STEPS, CASH = 30, 10, 90, 1e6
NOISE = 2e-9
ACCOUNT = wb.Portfolio("USD", 1.0)
#: Pairs that say what a dollar is worth, and what is priced in their currencies.
TRADED = [row for row in CATALOGUE if row[0].symbol not in ("EURGBP",)]
RATES = {"EURUSD": 1.1, "USDJPY": 150.0, "GBPUSD": 1.27, "USDCHF": 1 / 1.13, "USDT/USD": 1.0}


@dataclass(repr=False)
class Run:
    """A backtest, and its tables as arrays."""

    seed: int
    result: wb.Backtest
    limits: list[RiskManager]
    account: list[RiskManager]
    catalogue: list[Any]

    def __repr__(self) -> str:
        return f"run {self.seed}: {self.limits}"

    def __post_init__(self) -> None:
        index, symbols = self.result.bars.index, self.result.bars.symbols
        self.closes = self.result.bars.close.ffill().to_numpy()
        self.orders, self.fills, self.decisions = (
            table.assign(t=index.get_indexer(table["time"]), j=[symbols.index(s) for s in table["symbol"]])
            for table in (self.result.orders, self.result.fills, self.result.decisions)
        )
        self.orders["end"] = index.get_indexer(self.orders["ended"])  # -1 where it is out still
        close = self.result.bars.close
        self.returns = np.column_stack([close[s].dropna().pct_change().reindex(index) for s in symbols])
        self.days = index.floor("D").asi8
        self.held = self.result.positions.to_numpy()
        signs = np.where(self.orders["side"] == "buy", 1.0, -1.0)
        self.orders["signed"] = signs * self.orders["quantity"]

    def position(self, t: int) -> Array:
        """Return what is held at the close of a step."""
        return self.held[t]

    def reach(self, t: int, decision: int) -> tuple[Array, Array]:
        """Return the highest and the lowest positions that the book of a decision could become."""
        held, orders = self.position(t).copy(), self.orders
        out = orders[(orders["t"] <= t) & ((orders["end"] > t) | (orders["end"] < 0))]
        closing = out[out["leg"].isin(["close", "stop", "target"])]
        now = closing[(closing["t"] == t) & (closing["leg"] == "close")]
        held[now["j"]] = 0.0
        leaving = np.isin(np.arange(len(held)), closing["j"])
        high, low = np.where(leaving, np.maximum(held, 0), held), np.where(leaving, np.minimum(held, 0), held)
        for j, signed, number, sent in out[out["leg"] == "open"][["j", "signed", "decision", "t"]].itertuples(index=False):
            if sent < t or number < decision:
                (high if signed > 0 else low)[j] += signed
        return high, low

    def world(self, t: int, equity: float) -> World:
        """Return prices, rates and past returns of a step."""
        worth = dict(WORTH)
        for j, (one, _, _) in enumerate(self.catalogue):
            if one.asset_class == "fx" and one.kind != "future":
                base, quote, price = str(one.base), str(one.quote), self.closes[t, j]
                worth |= {base: price} if quote == "USD" else {quote: 1 / price}
        past = (self.returns[: t + 1], self.days[: t + 1])
        return World(self.seed, self.catalogue, "USD", worth, self.closes[t], self.position(t), equity, ACCOUNT, *past)


# -- random runs ------------------------------------------------------------------------------------------------------


def random_run(seed: int, reduce: bool = False) -> Run:
    rng = np.random.default_rng(80_000 + seed)
    catalogue = [TRADED[k] for k in rng.choice(len(TRADED), int(rng.integers(2, 5)), replace=False)]
    bars = random_bars(rng, catalogue)
    limits = [random_limit(rng, seed, catalogue, bars) for _ in range(int(rng.integers(1, 4)))]
    account = [MaxDrawdown(0.05), MaxDailyLoss(0.01), MaxTrades(2), CoolDown(2, 8)]
    halting = [] if reduce else [part for part in account if rng.random() < 0.15]
    if reduce:
        limits = [type(part)(**part.get_params() | {"on_breach": "reduce"}) for part in limits[:1]]
    strategy = wb.Strategy(
        Restless(float(rng.uniform(0.1, 0.5))),
        wb.sizing.FixedFraction(float(rng.choice([0.2, 0.5, 1.0, 3.0]))),
        [part for part in (StopLoss(percent=0.03), TakeProfit(percent=0.03)) if rng.random() < 0.5],
        [*limits, *halting],
        wb.execution.Limit(0.005, 2) if rng.random() < 0.3 else wb.execution.Market(),
    )
    result = wb.backtest(strategy, bars, cash=CASH, currency="USD", rates=RATES, buying_power=bool(rng.random() < 0.3))
    return Run(seed, result, limits, halting, catalogue)


def random_bars(rng: np.random.Generator, catalogue: list[Any]) -> wb.Bars:
    interval = str(rng.choice(["1D", "4h"]))
    index, frames = pd.date_range("2024-01-01", periods=STEPS, freq=interval, tz="UTC"), {}
    common = rng.standard_t(4, STEPS) * 0.008
    for one, price, _ in catalogue:
        start = price or WORTH[str(one.base)] / WORTH[str(one.quote)]
        close = start * np.exp(np.cumsum(rng.uniform(-1, 1) * common + rng.standard_t(4, STEPS) * 0.008))
        opened = np.append(start, close[:-1]) * np.exp(rng.normal(0, 0.003, STEPS))
        high, low = np.maximum(opened, close) * 1.005, np.minimum(opened, close) * 0.995
        kept = rng.random(STEPS) >= rng.choice([0.0, 0.1])
        kept[0] = True
        frames[one.symbol] = pd.DataFrame({"open": opened, "high": high, "low": low, "close": close}, index)[kept]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SuspectDataWarning)  # over a hole a price may have moved far
        return wb.Bars.from_frames(frames, interval=interval, instruments=[row[0] for row in catalogue])


def random_limit(rng: np.random.Generator, seed: int, catalogue: list[Any], bars: wb.Bars) -> RiskManager:
    """Return a limit that a run is likely to meet."""
    first, none = bars.close.iloc[0].to_numpy(), np.zeros((0, len(catalogue)))
    limit = drawn_limit(rng, World(seed, catalogue, "USD", WORTH, first, first, CASH, wb.Portfolio("USD", CASH), none, none))
    most = {MaxLeverage: (0.2, 2), MaxExposure: (0.1, 1), MaxVolatility: (0.05, 0.4)}.get(type(limit), (0.003, 0.03))
    amount = float(rng.uniform(*most)) * (CASH if getattr(limit, "of", "") == "money" else 1.0)
    if isinstance(limit, MaxPositions):
        return MaxPositions(int(rng.integers(1, 4)))
    given = dict.fromkeys(limit.limit, amount) if isinstance(getattr(limit, "limit", None), dict) else amount
    return type(limit)(**limit.get_params() | {"limit": given})


@pytest.fixture(scope="module", params=range(0, RUNS, CHUNK), ids=lambda first: f"runs {first}-{first + CHUNK - 1}")
def runs(request: pytest.FixtureRequest) -> list[Run]:
    return [random_run(seed) for seed in range(request.param, request.param + CHUNK)]


def reaches(limit: RiskManager, high: Array, low: Array, j: int, side: float) -> Array:
    """Return the books that count for a limit, one a row: what a book could lose is that of one, all openings filled and no closing."""
    if isinstance(limit, LossLimit):
        larger = np.where(np.abs(high) >= np.abs(low), high, low)
        larger[j] = (high if side > 0 else low)[j]
        return larger[None]
    return np.array(list(product(*zip(high.tolist(), low.tolist(), strict=True))))


def fits(run: Run, number: int, row: Any, sizes: Array, noise: float = NOISE, less: float = 0.0) -> Array:
    """Whether at each size every figure is within its limit, or was beyond it and has not grown; the first size is 0."""
    (high, low), world, found = run.reach(row.t, number), run.world(row.t, row.equity), np.full(len(sizes), True)
    side = 1.0 if row.stance > 0 else -1.0
    for limit in run.limits:
        books = []
        for size in sizes:
            top, bottom = high.copy(), low.copy()
            (top if side > 0 else bottom)[row.j] += side * size
            books.append(reaches(limit, top, bottom, row.j, side))
        for values, most in measured(limit, world, np.concatenate(books), row.j):
            figure = values.reshape(len(sizes), -1).max(axis=1)
            beyond = not figure[0] <= most * (1 + 1e-9)
            before = figure[0] if math.isfinite(figure[0]) else math.nan
            found &= figure <= (before * (1 - less) + noise * abs(before) if beyond else most * (1 + 1e-9 + noise))
    return found


def decided(runs: list[Run]) -> list[tuple[Run, int, Any]]:
    """Return each wish to open that came to its limits."""
    return [(run, n, row) for run in runs for n, row in enumerate(run.decisions.itertuples()) if row.asked > 0]


def test_no_opening_of_a_run_breaches_a_limit_newly(runs: list[Run]) -> None:
    openings = [one for one in decided(runs) if one[2].opened > 0]
    wrong = [f"{run}, decision {n}: {row}" for run, n, row in openings if not fits(run, n, row, row.opened * np.linspace(0, 1, 5)).all()]
    assert not wrong, "\n".join(wrong)
    assert len(openings) > 5 * CHUNK


def test_one_step_more_would_breach_a_limit(runs: list[Run]) -> None:
    free = [one for one in decided(runs) if not one[0].result.setup.buying_power and not one[0].account]
    cut, wrong = 0, []
    for run, n, row in free:
        one, price = run.catalogue[row.j][0], run.closes[row.t, row.j]
        step, least = one.step[0] / one.step[1], max(one.min_quantity or 0.0, one.min_notional / (price * one.multiplier))
        more = max(row.opened + step, math.ceil(least / step - 1e-9) * step) + 2e-6 * CASH / run.world(row.t, row.equity).each[row.j]
        if more <= row.asked:
            cut += 1
            if fits(run, n, row, np.array([0.0, row.opened + 0.5 * (more - row.opened), more]), 0.0, less=1e-9)[1:].all():
                wrong.append(f"{run}, decision {n}: {row}")
    assert not wrong, "\n".join(wrong)
    assert cut > CHUNK


def test_halted_accounts_open_nothing(runs: list[Run]) -> None:
    for run in runs:
        equity, days = run.result.equity.to_numpy(), run.days
        for part in run.account:
            for t in run.decisions["t"][run.decisions["opened"] > 0]:
                today = np.flatnonzero(days[: t + 1] == days[t])
                begun = equity[today[0] - 1] if today[0] else CASH
                if isinstance(part, MaxDailyLoss):
                    assert begun - min(equity[today].min(), begun) <= part.limit * begun * (1 + 1e-9), f"{run} at {t}"
                if isinstance(part, MaxTrades):
                    sent = run.decisions[(run.decisions["opened"] > 0) & run.decisions["t"].isin(today)]
                    assert len(sent) <= part.limit, f"{run} at {t}"
                if isinstance(part, MaxDrawdown):
                    assert 1 - equity[t] / max(CASH, equity[: t + 1].max()) <= part.limit * (1 + 1e-9), f"{run} at {t}"


# -- on a breach ------------------------------------------------------------------------------------------------------


def test_what_is_reduced_is_within_the_limit_at_the_prices_of_the_decision() -> None:
    assert sum(map(reductions, range(20))) > 20


def reductions(seed: int) -> int:
    """Return how many reductions of a run were looked at."""
    run, looked = random_run(seed, reduce=True), 0
    for t in sorted(set(run.decisions["t"][run.decisions["reason"].str.contains("on_breach='reduce'")])):
        out = run.orders[(run.orders["t"] <= t) & ((run.orders["end"] > t) | (run.orders["end"] < 0))]
        if ((out["leg"] == "trim") & (out["t"] < t)).any():
            continue  # an earlier one waits for its bar: one order at a time makes a position smaller
        held = run.position(t).copy()
        held[out["j"][out["leg"] == "close"]] = 0.0
        looked += 1
        for j, signed in out[(out["leg"] == "trim") & (out["t"] == t)][["j", "signed"]].itertuples(index=False):
            held[j] += signed
        (limit,), world = run.limits, run.world(t, float(run.result.equity.iloc[t]))
        some = int(np.abs(held).argmax())
        for values, most in measured(limit, world, held[None], some):
            assert values[0] <= most * (1 + 1e-9 + NOISE), f"{run} at {t}: {limit}"
    return looked
