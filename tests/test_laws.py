"""Laws 1 and 3 over every shipped part, found by subclassing: a part added later is covered unasked."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import Strongest, market_for, random_case, random_market

import laws
from workbench import Bars, Strategy, backtest, simulate
from workbench.component import Component
from workbench.errors import CausalityError
from workbench.execution import ExecutionAlgorithm
from workbench.exits import AtrStop, Exit, TakeProfit
from workbench.features import Feature
from workbench.risk import MaxExposure, MaxLeverage, RiskManager
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
from workbench.sizing import PositionSizer, RiskPercent, VolatilityTarget

WITH_HOLES = (3, 7, 9)
#: Two instruments that are long enough for any look-back.
LONG = simulate(["A", "B"], bars=1_200, interval="1h", seed=3)
#: Look-backs so short that much is said in a random market.
SMALL = [
    RelativeStrength(2, 40, 60),
    Bollinger(5, 1.0),
    Bollinger(5, 1.0, "breakout"),
    Keltner(2, 2, 0.5),
    Keltner(3, 1, 0.5, "reversion"),
    ZScore(6, 1.2, 0.3),
    Momentum(3, 0.004),
    Macd(1, 3, 2),
    Donchian(6, 3, 12),
    PairsSpread(8, 1.2, 0.2),
    CrossSectionalMomentum(6, 1, band=1),
    Crossing(MovingAverageCross(2, 5)),
    TimeOfDay(MovingAverageCross(2, 5), "06:00", "18:00", "Asia/Tokyo", outside="flat"),
    Calendar(Breakout(3), ("Mon", "Tuesday"), first=3),
    VolatilityRegime(MovingAverageCross(2, 5), 3, 9, act="above", outside="flat"),
    AnyOf([MovingAverageCross(2, 5), Breakout(4)], hold=3),
    Weighted([MovingAverageCross(2, 5), Breakout(4), Crossing(Momentum(3))], [1, 2, 3], hold=4),
    HigherTimeframe(MovingAverageCross(1, 3), "4h"),
    AnyOf([HigherTimeframe(Breakout(2), "2h"), HigherTimeframe(Crossing(Momentum(1)), "6h")], hold=3),
    TimeOfDay(AllAgree([Strongest(4), Breakout(3)], hold=5), zone="UTC"),
]
CAUSAL = [
    *laws.examples(SignalGenerator, Exit, Feature),
    MovingAverageCross(1, 3),
    Breakout(1),
    AtrStop(5, average="simple"),
    AtrStop(1),
    TakeProfit(percent=0.01),
    Majority([MovingAverageCross(2, 5), Breakout(4), Breakout(9)], hold=3),
    AllAgree([Strongest(4), Breakout(6)]),
    *SMALL,
    Strongest(),
    Strategy.example(),
    Strategy(Breakout(4), VolatilityTarget(0.1, 100, "garch", refit=15)),
]
FORGETFUL = [part for part in CAUSAL if not laws.remembers_all(part)]
PARTS = [*laws.examples(SignalGenerator, PositionSizer, Exit, Feature, RiskManager, ExecutionAlgorithm), Strategy.example(), *CAUSAL[-7:]]


def ids(part: Any) -> str:
    return laws.named(part)


def test_the_markets_have_holes() -> None:
    assert not any(random_market(seed).whole for seed in WITH_HOLES)
    assert max(len(random_market(seed).symbols) for seed in WITH_HOLES) >= 3


# -- law 1 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", WITH_HOLES)
@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_later_bars_change_nothing(part: Component, seed: int) -> None:
    laws.causality(part, market_for(part, seed))


@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_04_grouping_changes_no_value(part: Component) -> None:
    for seed in WITH_HOLES:
        laws.grouping(part, market_for(part, seed))


@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_06_nothing_is_said_in_the_warm_up_nor_at_a_hole(part: Component) -> None:
    for seed in WITH_HOLES:
        laws.warm_up(part, market_for(part, seed))


@pytest.mark.parametrize("part", FORGETFUL, ids=ids)
def test_06_bars_older_than_the_lookback_change_nothing(part: Component) -> None:
    assert laws.lookback(part, LONG) + sum(laws.lookback(part, market_for(part, seed)) for seed in WITH_HOLES) >= 5


class ShortStop(SignalGenerator):
    """Too short a look-back: a mean of all bars so far."""

    lookback = 5  # type: ignore[assignment]

    def generate(self, bars: Bars) -> pd.DataFrame:
        return (bars.close / bars.close.expanding().mean() - 1).clip(-1, 1)


def test_a_lookback_that_is_too_short_is_caught() -> None:
    with pytest.raises(AssertionError, match="ShortStop: stance from bar 1 on"):
        laws.lookback(ShortStop(), random_market(3))


@pytest.mark.parametrize("part", SMALL, ids=ids)
def test_the_laws_are_put_to_the_test(part: SignalGenerator) -> None:
    stances = [part.stances(market_for(part, seed)).to_numpy() for seed in WITH_HOLES]
    assert min((np.sign(s) == 1).sum() + (np.sign(s) == -1).sum() for s in stances) >= 3
    assert sum(((s == 0) | np.isnan(s)).sum() for s in stances) > 50


# -- law 3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", laws.WAYS)
@pytest.mark.parametrize("part", PARTS, ids=ids)
def test_a_copy_has_the_same_parameters(part: Component, way: str) -> None:
    twin = laws.comes_back(part, way)
    if isinstance(part, (SignalGenerator, Exit, Feature, Strategy)):
        laws.decides_alike(part, twin, market_for(part, 9))


@pytest.mark.parametrize("way", laws.WAYS)
def test_a_copy_of_a_strategy_trades_alike(way: str) -> None:
    bars, strategy = (
        random_market(9),
        Strategy(Breakout(5), RiskPercent(0.01), [AtrStop(5), TakeProfit()], [MaxLeverage(1), MaxExposure.example()]),
    )
    first, second = (backtest(s, bars, **random_case(9).account).record for s in (strategy, laws.comes_back(strategy, way)))
    assert len(first.orders) > 20
    laws.same_bits(first, second)


@pytest.mark.parametrize("seed", range(12))
def test_a_saved_strategy_trades_alike(seed: int, tmp_path: Path) -> None:
    case = random_case(seed)
    if type(case.strategy.signal).__module__.partition(".")[0] != "workbench":
        case.strategy.set_params(signal=Breakout(5))
    back = Strategy.load(case.strategy.save(tmp_path / "kept"))
    assert repr(back) == repr(case.strategy)
    laws.same_bits(*(backtest(s, case.bars, **case.account).record for s in (case.strategy, back)))


# -- a part added later -----------------------------------------------------------------------------------------------

LATER = """
from workbench.signals import SignalGenerator

class Peeking(SignalGenerator):
    '''Looks one bar ahead.'''
    def generate(self, bars):
        return (bars.close.shift(-1) > bars.close) * 1.0
"""


def test_a_part_added_later_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("workbench.signals._later")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(LATER, vars(module))
    later = [part for part in laws.examples(SignalGenerator) if isinstance(part, module.Peeking)]
    assert len(later) == 1
    with pytest.raises(CausalityError, match="Peeking looks ahead"):
        laws.causality(later[0], random_market(3))


def test_every_kind_of_part_is_found() -> None:
    names = {laws.named(part) for part in PARTS}
    assert names >= {
        "MovingAverageCross",
        "Breakout",
        "AllAgree",
        "Majority",
        "FixedQuantity",
        "FixedFraction",
        "RiskPercent",
        "MinimumSize",
    }
    assert names >= {"AtrStop", "TakeProfit", "MaxExposure", "MaxLeverage", "Market", "Limit", "Strategy"}
    assert "PositionSizer" not in names


def test_a_cross_sectional_signal_sees_all_instruments() -> None:
    together = laws.outputs(Strongest(), random_market(3))["stance"]
    assert {-1.0, 1.0} <= set(np.unique(together[~np.isnan(together)]))
