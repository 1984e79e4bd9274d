"""Laws 1 and 3 over every shipped part, found by subclassing: a part added later is covered unasked."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import Strongest, random_case, random_market

import laws
from workbench import Bars, Strategy, backtest, check_causality
from workbench.component import Component
from workbench.errors import CausalityError
from workbench.execution import ExecutionAlgorithm
from workbench.exits import AtrStop, Exit, TakeProfit
from workbench.features import Feature
from workbench.risk import MaxExposure, MaxLeverage, RiskManager
from workbench.signals import AllAgree, Breakout, Majority, MovingAverageCross, SignalGenerator
from workbench.sizing import PositionSizer, RiskPercent

WITH_HOLES = (3, 7, 9)
CAUSAL = [
    *laws.examples(SignalGenerator, Exit, Feature),
    MovingAverageCross(1, 3),
    Breakout(1),
    AtrStop(5, average="simple"),
    AtrStop(1),
    TakeProfit(percent=0.01),
    Majority([MovingAverageCross(2, 5), Breakout(4), Breakout(9)], hold=3),
    AllAgree([Strongest(4), Breakout(6)]),
    Strongest(),
    Strategy.example(),
]
FORGETFUL = [part for part in CAUSAL if not laws.remembers_all(part)]
PARTS = [*laws.examples(SignalGenerator, PositionSizer, Exit, Feature, RiskManager, ExecutionAlgorithm), Strategy.example(), *CAUSAL[-6:]]


def ids(part: Any) -> str:
    return laws.named(part)


def test_the_markets_have_holes() -> None:
    assert not any(random_market(seed).whole for seed in WITH_HOLES)
    assert max(len(random_market(seed).symbols) for seed in WITH_HOLES) >= 3


# -- law 1 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", WITH_HOLES)
@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_later_bars_change_nothing(part: Component, seed: int) -> None:
    laws.causality(part, random_market(seed))


@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_04_grouping_changes_no_value(part: Component) -> None:
    for seed in WITH_HOLES:
        laws.grouping(part, random_market(seed))


@pytest.mark.parametrize("part", CAUSAL, ids=ids)
def test_06_nothing_is_said_in_the_warm_up_nor_at_a_hole(part: Component) -> None:
    for seed in WITH_HOLES:
        laws.warm_up(part, random_market(seed))


@pytest.mark.parametrize("part", FORGETFUL, ids=ids)
def test_06_bars_older_than_the_lookback_change_nothing(part: Component) -> None:
    assert sum(laws.lookback(part, random_market(seed)) for seed in WITH_HOLES) >= 5


class Scaled(SignalGenerator):
    """A leak: scaled by mean and spread of the full sample."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return ((bars.close - bars.close.mean()) / bars.close.std()).clip(-1, 1)


class Centred(SignalGenerator):
    """A leak: a window that reaches into the future."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return np.sign(bars.close - bars.close.rolling(5, center=True).mean())


class Tomorrow(SignalGenerator):
    """A leak: the next close."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return np.sign(bars.close.shift(-1) - bars.close)


class WidestStop(Exit):
    """A leak: the largest range of the full sample."""

    def distance(self, bars: Bars) -> pd.DataFrame:
        return bars.close * 0 + (bars.high - bars.low).max()


class ShortStop(SignalGenerator):
    """Too short a look-back: a mean of all bars so far."""

    lookback = 5  # type: ignore[assignment]

    def generate(self, bars: Bars) -> pd.DataFrame:
        return (bars.close / bars.close.expanding().mean() - 1).clip(-1, 1)


@pytest.mark.parametrize("leak", [Scaled(), Centred(), Tomorrow(), WidestStop()], ids=ids)
def test_a_planted_leak_is_caught_and_named(leak: Component) -> None:
    report = check_causality(leak, random_market(3))
    assert not report.passed
    assert set(report.failures["component"]) == {laws.named(leak)}
    assert report.failures["time"].isin(random_market(3).index).all()
    with pytest.raises(CausalityError, match=f"{laws.named(leak)} looks ahead: at 20"):
        report.require()


@pytest.mark.parametrize("leak", [Scaled(), Centred(), Tomorrow()], ids=ids)
def test_a_leak_inside_a_strategy_is_named(leak: SignalGenerator) -> None:
    report = check_causality(Strategy(leak, RiskPercent(), [AtrStop()]), random_market(7))
    assert set(report.failures["component"]) == {laws.named(leak)}


def test_a_leak_inside_a_vote_is_caught() -> None:
    report = check_causality(AllAgree([MovingAverageCross(), Tomorrow()]), random_market(7))
    assert not report.passed


def test_a_lookback_that_is_too_short_is_caught() -> None:
    with pytest.raises(AssertionError, match="ShortStop: stance from bar 1 on"):
        laws.lookback(ShortStop(), random_market(3))


# -- law 3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", laws.WAYS)
@pytest.mark.parametrize("part", PARTS, ids=ids)
def test_a_copy_has_the_same_parameters(part: Component, way: str) -> None:
    twin = laws.comes_back(part, way)
    if isinstance(part, (SignalGenerator, Exit, Feature, Strategy)):
        laws.decides_alike(part, twin, random_market(9))


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
