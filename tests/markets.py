"""Random markets and strategies for the laws: the same for the same seed, made of whatever parts the package ships."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from markets_held import held_at_a_cost

from workbench import Bars, Instrument, Strategy
from workbench.component import Component, all_components
from workbench.component_text import parts_of
from workbench.execution import Costs, ExecutionAlgorithm, Limit, Market
from workbench.exits import AtrStop, BreakEven, Exit, StopLoss, TakeProfit, TimeStop, TrailingStop
from workbench.quality import SuspectDataWarning
from workbench.risk import (
    CoolDown,
    ExpectedShortfall,
    MaxDailyLoss,
    MaxDrawdown,
    MaxExposure,
    MaxLeverage,
    MaxPositions,
    MaxTrades,
    MaxVolatility,
    RiskManager,
    ValueAtRisk,
)
from workbench.session.setup import Setup, set_up
from workbench.signals import (
    AllAgree,
    AnyOf,
    Bollinger,
    Breakout,
    Calendar,
    Crossing,
    CrossSectionalMomentum,
    Donchian,
    HigherTimeframe,
    Keltner,
    Macd,
    Majority,
    Momentum,
    MovingAverageCross,
    PairsSpread,
    RelativeStrength,
    SignalGenerator,
    TimeOfDay,
    VolatilityRegime,
    Weighted,
    ZScore,
)
from workbench.sizing import (
    EqualRisk,
    FixedFraction,
    FixedQuantity,
    Kelly,
    MinimumSize,
    PositionSizer,
    RiskPercent,
    Scaled,
    TargetWeights,
    VolatilityTarget,
)

Random = np.random.Generator

INTERVALS = ("1min", "5min", "1h", "1D")
#: What 1 of the first currency is worth in the second; pairs among the bars move away from it.
RATES = {"EURUSD": 1.10, "USDJPY": 148.0, "GBPUSD": 1.27, "AUDUSD": 0.66}

#: Every kind of market, with a price to start from: funded and margined, many grids, four currencies of quotation.
CATALOGUE: tuple[tuple[Instrument, float], ...] = (
    (Instrument("AAA", tick_size=0.01, region="America"), 80.0),
    (Instrument("BBB", tick_size=0.05, quantity_step=100, quote="EUR", region="Europe"), 12.0),
    (Instrument("CCC", tick_size=0.01, quantity_step=0.01, can_short=False, min_notional=25, region="America"), 310.0),
    (Instrument("BTCUSD", "crypto", tick_size=0.01, region="nowhere"), 42_000.0),
    (Instrument("ETHEUR", "crypto", tick_size=0.05, quantity_step=0.001, min_notional=10), 2_300.0),
    (Instrument("DOGEUSD", "crypto", quantity_step=5, can_short=True), 0.08),
    (Instrument("EURUSD", "fx", multiplier=100_000, tick_size=1e-5), 1.10),
    (Instrument("USDJPY", "fx", multiplier=100_000, tick_size=0.001), 148.0),
    (Instrument("EURGBP", "fx", multiplier=100_000, tick_size=1e-5, quantity_step=0.1), 0.87),
    (Instrument("AUDUSD", "fx", tick_size=1e-5, min_quantity=1_000), 0.66),
    (Instrument("STK", "index", "future", multiplier=50, tick_size=0.25, region="America"), 5_000.0),
    (Instrument("BND", "rate", "future", multiplier=1_000, tick_size=0.015625, quote="EUR", region="Europe"), 131.0),
    (Instrument("OIL", "commodity", "cfd", multiplier=10, quantity_step=0.3), 77.0),
    (Instrument("DAX", "index", "cfd", tick_size=0.5, quote="EUR", min_quantity=0.1, region="Europe"), 18_000.0),
    (Instrument("ETHUSD", "crypto", "perpetual", tick_size=0.05), 2_500.0),
)


@dataclass(frozen=True)
class Case:
    """A strategy, its market and its account."""

    seed: int
    strategy: Strategy
    bars: Bars
    account: dict[str, Any]

    def setup(self, **changes: Any) -> Setup:
        return set_up(changes.pop("strategy", self.strategy), self.bars, **(self.account | changes))


# -- markets ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def random_market(seed: int, symbols: int | None = None) -> Bars:
    """Return 150-700 bars of 1-5 instruments with holes, missing bars, jumps, gaps, ties on ticks and zero-range bars."""
    rng = np.random.Generator(np.random.PCG64(seed))
    count = symbols or int(rng.integers(1, 6))
    chosen = rng.choice(len(CATALOGUE), count, replace=False)
    interval = str(rng.choice(INTERVALS))
    index = pd.date_range("2024-01-01", periods=int(rng.integers(150, 701)), freq=interval, tz="UTC")
    if interval == "1D" and rng.random() < 0.5:
        index = index[index.day_of_week < 5]
    frames = {}
    for number in chosen:
        instrument, price = CATALOGUE[number]
        prices = _prices(rng, instrument, price, index)
        prices["volume"] = np.random.Generator(np.random.PCG64(seed + 99)).integers(1, 1_000, len(index)).astype(float)
        frames[instrument.symbol] = _with_holes(rng, prices)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SuspectDataWarning)  # over a hole a price may have moved far
        return Bars.from_frames(frames, interval=interval, instruments=[CATALOGUE[n][0] for n in chosen], source="simulated")


def _prices(rng: Random, instrument: Instrument, price: float, index: pd.DatetimeIndex) -> pd.DataFrame:
    """Return clean bars on the instrument's grid, which is coarse for half of them, so that prices often tie."""
    n = len(index)
    volatility = rng.uniform(0.003, 0.02)
    steps = rng.normal(0, volatility, n) + np.where(rng.random(n) < 0.01, rng.choice([-0.1, 0.1], n), 0.0)
    close = price * np.exp(np.clip(np.cumsum(steps - 0.002 * np.cumsum(steps)), -1.5, 1.5))
    gaps = np.where(rng.random(n) < 0.2, rng.normal(0, volatility, n), 0.0)
    first = np.append(price, close[:-1]) * np.exp(gaps)
    up, down = np.abs(rng.normal(0, volatility / 2, (2, n)))
    high, low = np.maximum(first, close) * (1 + up), np.minimum(first, close) * (1 - down)
    flat = rng.random(n) < 0.08
    first, high, low = (np.where(flat, close, values) for values in (first, high, low))
    number, power = instrument.step if instrument.tick_size is None else instrument.tick
    number = number if instrument.tick_size else power * price / 10_000
    coarse = max(1.0, round(price * volatility / 6 / (number / power))) if rng.random() < 0.5 else 1.0
    columns = [np.maximum(np.round(v * power / (number * coarse)), 1) * (number * coarse) / power for v in (first, high, low, close)]
    return pd.DataFrame(dict(zip(("open", "high", "low", "close"), columns, strict=True)), index)


def _with_holes(rng: Random, frame: pd.DataFrame) -> pd.DataFrame:
    """Take single bars, up to two longer stretches, and sometimes the beginning away."""
    kept = rng.random(len(frame)) >= rng.choice([0.0, 0.005, 0.03])
    for _ in range(int(rng.integers(0, 3))):
        start = int(rng.integers(0, len(frame)))
        kept[start : start + int(rng.integers(2, 30))] = False
    if rng.random() < 0.15:
        kept[: len(frame) // 4] = False
    return frame[kept]


def market_for(part: Component, seed: int) -> Bars:
    """Return a random market: two instruments for a part that trades pairs, the right interval for a higher one, hours for hours."""
    inner = list(parts_of(part))
    count = 2 if any(isinstance(one, PairsSpread) for one in inner) else None
    of = {one.of for one in inner if isinstance(one, HigherTimeframe)}
    tried = (random_market(seed + 1_000 * k, count) for k in range(50))
    hours = any(isinstance(one, TimeOfDay) for one in inner)
    return next(bars for bars in tried if (not of or of == {bars.interval}) and not (hours and bars.daily))


# -- strategies -------------------------------------------------------------------------------------------------------


class Restless(SignalGenerator):
    """A stance drawn from the digits of each close: any conviction, zero, and mostly no opinion."""

    every: float = 0.15

    def generate(self, bars: Bars) -> pd.DataFrame:
        drawn = np.modf(np.abs(np.sin(bars.close.to_numpy() * 12.9898 + bars.high.to_numpy())) * 43758.5453)[0]
        stance = np.round(np.modf(drawn * 977)[0] * 2.4 - 1.2, 1).clip(-1, 1)
        return pd.DataFrame(np.where(drawn < self.every, stance, np.nan), bars.index, bars.symbols)


class Strongest(SignalGenerator):
    """Long what rose more over some bars than the mean of all, short what rose less: it needs all instruments at once."""

    bars_back: int = 5
    cross_sectional = True

    @property
    def lookback(self) -> int:
        return self.bars_back + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        change = bars.close / bars.close.shift(self.bars_back) - 1
        return np.sign(change.sub(change.mean(axis=1), axis=0).round(9))


def _average(rng: Random) -> SignalGenerator:
    fast = int(rng.integers(1, 9))
    return MovingAverageCross(fast, fast + int(rng.integers(2, 30)))


def _vote(kind: Any) -> Callable[[Random], SignalGenerator]:
    def make(rng: Random) -> SignalGenerator:
        voters = [Breakout(int(rng.integers(2, 15))), *(_average(rng) for _ in range(int(rng.integers(1, 4))))]
        return kind(voters, hold=None if rng.random() < 0.5 else int(rng.integers(1, 40)))

    return make


def _weighted(rng: Random) -> SignalGenerator:
    voters = [Breakout(int(rng.integers(2, 15))), *(_average(rng) for _ in range(int(rng.integers(1, 4))))]
    return Weighted(voters, [float(rng.uniform(0.5, 3)) for _ in voters])


def _filter(kind: Any, **drawn: Callable[[Random], Any]) -> Callable[[Random], SignalGenerator]:
    def make(rng: Random) -> SignalGenerator:
        given = {name: draw(rng) for name, draw in drawn.items()}
        return kind(_average(rng), outside=str(rng.choice(["hold", "flat"])), **given)

    return make


def _mode(rng: Random) -> Any:
    return str(rng.choice(["reversion", "breakout"]))


def _losses(rng: Random) -> dict[str, Any]:
    return {"limit": float(rng.uniform(0.002, 0.05)), "confidence": float(rng.choice([0.9, 0.95])), "window": int(rng.integers(3, 40))}


def _volatility(rng: Random) -> Any:
    return str(rng.choice(["rolling", "ewma"]))


def _followed(rng: Random) -> Any:
    return str(rng.choice(["extreme", "close"]))


def _exposure(rng: Random) -> RiskManager:
    of = str(rng.choice(["money", "equity"]))
    limit = rng.uniform(0.3, 3.0) * (100_000 if of == "money" else 1)
    by = str(rng.choice(["currency", "asset_class", "region", "instrument"]))
    groups = {"EUR": limit, "USD": 2 * limit, "JPY": limit / 2} if by == "currency" and rng.random() < 0.3 else limit
    return MaxExposure(groups, by, of, str(rng.choice(["net", "gross"])))  # type: ignore[arg-type]


def _limit(rng: Random) -> ExecutionAlgorithm:
    return Limit(float(rng.choice([0.0, 0.0005, 0.002, 0.01])), int(rng.integers(1, 4)), str(rng.choice(["cancel", "cross"])))  # type: ignore[arg-type]


#: How a part is drawn; one that is not here comes as its `example()`.
DRAWN: dict[type, Callable[[Random], Any]] = {
    MovingAverageCross: _average,
    Breakout: lambda rng: Breakout(int(rng.integers(1, 25))),
    AllAgree: _vote(AllAgree),
    Majority: _vote(Majority),
    AnyOf: _vote(AnyOf),
    Weighted: _weighted,
    RelativeStrength: lambda rng: RelativeStrength(int(rng.integers(2, 6)), float(rng.uniform(20, 50)), float(rng.uniform(51, 80))),
    Bollinger: lambda rng: Bollinger(int(rng.integers(3, 20)), float(rng.uniform(0.8, 2)), _mode(rng)),
    Keltner: lambda rng: Keltner(int(rng.integers(1, 5)), int(rng.integers(1, 5)), float(rng.uniform(0.3, 1.5)), _mode(rng)),
    ZScore: lambda rng: ZScore(int(rng.integers(3, 20)), float(rng.uniform(0.9, 2)), float(rng.uniform(0, 0.8))),
    Momentum: lambda rng: Momentum(int(rng.integers(1, 30)), float(rng.choice([0, 0.005]))),
    Macd: lambda rng: Macd(int(rng.integers(1, 3)), int(rng.integers(4, 7)), int(rng.integers(1, 4))),
    Donchian: lambda rng: Donchian(int(rng.integers(4, 12)), int(rng.integers(1, 4)), int(rng.integers(3, 40))),
    PairsSpread: lambda rng: PairsSpread(int(rng.integers(4, 30)), float(rng.uniform(0.9, 1.8)), float(rng.uniform(0, 0.8))),
    CrossSectionalMomentum: lambda rng: CrossSectionalMomentum(
        int(rng.integers(3, 30)), int(rng.integers(0, 3)), band=int(rng.integers(0, 3))
    ),
    Crossing: lambda rng: Crossing(_average(rng)),
    HigherTimeframe: lambda rng: HigherTimeframe(_average(rng), str(rng.choice(["2h", "4h"]))),
    TimeOfDay: _filter(
        TimeOfDay, start=lambda rng: f"{rng.integers(0, 9):02}:30", zone=lambda rng: str(rng.choice(["UTC", "Europe/London"]))
    ),
    Calendar: _filter(
        Calendar, weekdays=lambda rng: ["Mon", "Wed", "Thu"][: int(rng.integers(1, 4))], first=lambda rng: int(rng.integers(0, 4))
    ),
    VolatilityRegime: _filter(VolatilityRegime, window=lambda rng: int(rng.integers(2, 9)), trailing=lambda rng: int(rng.integers(5, 40))),
    Restless: lambda rng: Restless(float(rng.uniform(0.05, 0.5))),
    Strongest: lambda rng: Strongest(int(rng.integers(1, 30))),
    FixedFraction: lambda rng: FixedFraction(float(rng.choice([0.1, 0.5, 0.95, 3.0, 20.0, 60.0]))),
    FixedQuantity: lambda rng: FixedQuantity(float(rng.choice([0.3, 0.7, 1, 3, 40, 300]))),
    RiskPercent: lambda rng: RiskPercent(float(rng.choice([0.002, 0.01, 0.05, 0.4]))),
    MinimumSize: lambda rng: MinimumSize(),
    Kelly: lambda rng: Kelly(float(rng.uniform(0.1, 1)), least=int(rng.integers(1, 15)), cap=float(rng.choice([0.5, 2.0]))),
    VolatilityTarget: lambda rng: VolatilityTarget(float(rng.uniform(0.05, 0.6)), int(rng.integers(2, 30)), _volatility(rng)),
    EqualRisk: lambda rng: EqualRisk(float(rng.uniform(0.1, 1.5)), int(rng.integers(2, 30)), _volatility(rng)),
    Scaled: lambda rng: Scaled(FixedFraction(float(rng.uniform(0.2, 3))) if rng.random() < 0.5 else Kelly(1.0, least=3)),
    TargetWeights: lambda rng: TargetWeights(float(rng.choice([0.5, 1.0, 5.0]))),
    AtrStop: lambda rng: AtrStop(int(rng.integers(1, 40)), float(rng.uniform(0.3, 3)), str(rng.choice(["wilder", "simple"]))),  # type: ignore[arg-type]
    StopLoss: lambda rng: StopLoss(percent=float(rng.uniform(0.002, 0.06))),
    TrailingStop: lambda rng: TrailingStop(float(rng.uniform(0.5, 4)), window=int(rng.integers(1, 40)), of=_followed(rng)),
    BreakEven: lambda rng: BreakEven(percent=float(rng.uniform(0.002, 0.02)), plus=float(rng.choice([0, 0.001]))),
    TimeStop: lambda rng: TimeStop(int(rng.integers(1, 30))),
    TakeProfit: lambda rng: TakeProfit(percent=float(rng.uniform(0.002, 0.06))),
    MaxLeverage: lambda rng: MaxLeverage(float(rng.uniform(0.3, 5)), "net" if rng.random() < 0.3 else "gross"),
    MaxExposure: _exposure,
    MaxDrawdown: lambda rng: MaxDrawdown(float(rng.uniform(0.01, 0.2)), int(rng.integers(5, 80)) if rng.random() < 0.7 else None),
    MaxDailyLoss: lambda rng: MaxDailyLoss(float(rng.uniform(0.002, 0.03))),
    MaxPositions: lambda rng: MaxPositions(int(rng.integers(1, 4))),
    MaxTrades: lambda rng: MaxTrades(int(rng.integers(1, 5))),
    ValueAtRisk: lambda rng: ValueAtRisk(**_losses(rng), method=str(rng.choice(["historical", "gaussian", "modified", "filtered"]))),  # type: ignore[arg-type]
    ExpectedShortfall: lambda rng: ExpectedShortfall(**_losses(rng), method=str(rng.choice(["historical", "gaussian"]))),  # type: ignore[arg-type]
    MaxVolatility: lambda rng: MaxVolatility(
        float(rng.uniform(0.02, 0.5)),
        str(rng.choice(["sample", "ewma", "shrunk"])),
        int(rng.integers(3, 40)),  # type: ignore[arg-type]
    ),
    CoolDown: lambda rng: CoolDown(int(rng.integers(1, 4)), int(rng.integers(2, 40))),
    Market: lambda rng: Market(),
    Limit: _limit,
}


def shipped(base: type) -> list[type]:
    """Return every shipped part of a kind; execution algorithms only where the kernel knows them."""
    return [cls for cls in all_components(base) if getattr(cls, "compiled", True) and not inspect.isabstract(cls)]


def drawn(rng: Random, base: type, *more: type) -> Any:
    """Return a random part of a kind."""
    kinds = [*shipped(base), *more]
    kind = kinds[int(rng.integers(len(kinds)))]
    return DRAWN.get(kind, lambda _: kind.example())(rng)  # type: ignore[attr-defined]


def _exits(rng: Random, sizer: PositionSizer) -> list[Exit]:
    """Return any of: stops, a trailing one, a target, a move to the entry, an end by time; those that need a stop only with one."""
    found = [drawn(rng, Exit) for _ in range(12)]
    first = {kind: next((part for part in found if part.kind == kind), None) for kind in ("stop", "trail", "target", "even", "time")}
    chosen = {kind: part for kind, part in first.items() if part is not None and rng.random() < (0.65 if kind == "target" else 0.45)}
    if sizer.needs_stop and not {"stop", "trail"} & set(chosen):
        chosen["stop"] = first["stop"] or AtrStop()
    if {"stop", "trail"} & set(chosen):
        if "target" in chosen and rng.random() < 0.5:
            chosen["target"] = TakeProfit(multiple=float(rng.uniform(0.5, 3)))
        if "even" in chosen and rng.random() < 0.5:
            chosen["even"] = BreakEven(multiple=float(rng.uniform(0.2, 2)))
    else:
        chosen.pop("even", None)
    return list(chosen.values())


def random_strategy(seed: int) -> Strategy:
    """Return a strategy drawn from all shipped parts."""
    rng = np.random.Generator(np.random.PCG64(10_000 + seed))
    sizer = drawn(rng, PositionSizer)
    risk = [drawn(rng, RiskManager) for _ in range(int(rng.integers(0, 3)))]
    risk = [part for k, part in enumerate(risk) if not isinstance(part, MaxDrawdown) or k == 0]
    start = "wait" if rng.random() < 0.15 else "join"
    return Strategy(
        drawn(rng, SignalGenerator, Restless, Strongest),
        sizer,
        _exits(rng, sizer),
        risk,
        drawn(rng, ExecutionAlgorithm),
        start,
        day=str(rng.choice(["00:00 UTC", "17:00 America/New_York", "09:30 Europe/London"])),
    )  # type: ignore[arg-type]


def _costs(rng: Random) -> Costs | None:
    choices = [
        None,
        Costs(commission=0.0, slippage=0.0),
        Costs(commission=0.0005, minimum=3.0, slippage=0.001),
        Costs(per_unit=0.02, ticks=2),
        Costs(commission=0.0003, spread=0.001),
    ]
    return choices[int(rng.integers(len(choices)))]


def _rates(rng: Random, index: pd.DatetimeIndex) -> dict[str, Any]:
    """Return rates that stand still, or one that moves and is sometimes not renewed for days."""
    if rng.random() < 0.7:
        return dict(RATES)
    times = index[np.sort(rng.choice(len(index), min(len(index), 12), replace=False))]
    moving = pd.Series(RATES["EURUSD"] * np.exp(rng.normal(0, 0.02, len(times))), times)
    return RATES | {"EURUSD": moving}


def random_case(seed: int) -> Case:
    """Return a random strategy on a random market with a random account."""
    rng = np.random.Generator(np.random.PCG64(20_000 + seed))
    market = market_for(strategy := random_strategy(seed), seed)
    account = {
        "cash": float(rng.choice([3_000.0, 50_000.0, 1_000_000.0])),
        "costs": _costs(rng),
        "currency": str(rng.choice(["USD", "EUR"])),
        "rates": _rates(rng, market.index),
        "buying_power": bool(rng.random() < 0.6),
    }
    return Case(seed, strategy, held_at_a_cost(rng, market), account)
