"""Sizers that look at volatility, at closed trades, at the signal's chance and at its conviction: by hand, through every engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import COIN, EURUSD, FREE, SHARE, Given, Stop, both, market, plan, reasons

import workbench as wb
from workbench import indicators
from workbench.errors import ParameterError, StrategyError
from workbench.interval import DAY
from workbench.market import Book, Market
from workbench.sizing import EqualRisk, FixedFraction, FixedQuantity, Kelly, PositionSizer, RiskPercent, Scaled, VolatilityTarget

HOUR = DAY // 24
MOVES = [100, 101, 99, 102, 100, 103, 101, 104]


def asked(result: wb.Backtest) -> list[float]:
    return result.decisions["asked"].dropna().tolist()


# -- Kelly ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fraction", "cap", "share"), [(1.0, 1.0, 0.2), (0.5, 1.0, 0.1), (1.0, 0.15, 0.15)], ids=["full", "half", "capped"]
)
def test_a_fraction_of_it_and_no_more_than_the_cap(fraction: float, cap: float, share: float) -> None:
    sizer = Kelly(fraction, 0.6, 1.0, 1.0, cap=cap)
    assert asked(both(plan("+.", sizer=sizer), market([100, 100]), cash=10_000)) == pytest.approx([share * 100], rel=1e-12)


def test_without_an_edge_nothing_opens() -> None:
    result = both(plan("+.", sizer=Kelly(win_rate=0.5)), market([100, 100]))
    assert not len(result.fills)
    assert "Kelly asks for nothing" in reasons(result)[0]


def test_16_closed_trades_outweigh_the_prior_once_there_are_enough() -> None:
    # won 10 %, lost 5 %, won 10 %: the fourth knows of w = 2/3, gain 0.1, loss 0.05 and f = 2/3/0.05 - 1/3/0.1 = 10
    rows = [100, 100, 110, 110, 110, 104.5, 104.5, 104.5, 114.95, 114.95, 114.95]
    sizer = Kelly(0.01, win_rate=0.6, gain=1.0, loss=1.0, least=3, cap=2.0)
    result = both(plan("+0.+0.+0.+.", sizer=sizer), market(rows), cash=100_000, costs=FREE)
    share = [size * price / equity for size, price, equity in result.decisions[["asked", "close", "equity"]].dropna().to_numpy()]
    assert share[:3] == pytest.approx([0.002] * 3, rel=1e-9)
    assert share[3] == pytest.approx(0.01 * (2 / 3 / 0.05 - 1 / 3 / 0.1), rel=1e-2)


def test_costs_count_in_a_closed_trade() -> None:
    # the price does not move: with costs the trade has lost, and a winner is needed for an edge
    rows, sizer = [100] * 6, Kelly(1.0, least=1, cap=5.0)
    result = both(plan("+0.+..", sizer=sizer), market(rows), costs=wb.execution.Costs(commission=0.01, slippage=0.0))
    assert len(asked(result)) == 2
    assert asked(result)[1] == 0.0


class Sure(Given):
    """Says how sure it is."""

    chances: float = 0.7

    def chance(self, bars: wb.Bars, newest: bool = False) -> np.ndarray:
        return np.full(bars.shape, self.chances)


def test_the_chance_may_come_from_the_signal() -> None:
    strategy = wb.Strategy(Sure([1.0, None]), Kelly(1.0, gain=1.0, loss=1.0, source="signal"))
    assert asked(both(strategy, market([100, 100]), cash=10_000)) == pytest.approx([40.0], rel=1e-12)


def test_a_classifier_says_its_chance() -> None:
    signal = wb.signals.Classifier.example()
    bars = wb.simulate(bars=300, interval="1h", seed=2)
    chance, stance = signal.chance(bars)[:, 0], signal.stances(bars).to_numpy()[:, 0]
    said = (stance == 1) | (stance == -1)
    assert said.sum() > 50
    assert (chance[said] > 0.5).all()
    assert np.isnan(chance[~said]).all()
    np.testing.assert_array_equal(signal.chance(bars, newest=True)[-1], signal.chance(bars)[-1])


def test_a_signal_without_a_chance_is_refused() -> None:
    with pytest.raises(ParameterError, match="asks the signal for the chance to win, and Script has none"):
        wb.backtest(plan("+.", sizer=Kelly(source="signal")), market([100, 100]))


# -- volatility -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rolling", "ewma"])
def test_as_much_as_makes_the_volatility_a_share_of_equity(method: Any) -> None:
    bars = market(MOVES)
    measure = indicators.volatility if method == "rolling" else indicators.ewma_volatility
    expected = 0.1 * 10_000 / (measure(bars, 3).iloc[5, 0] * math.sqrt(252 * 6.5) * 103)
    result = both(plan(".....+..", sizer=VolatilityTarget(0.1, 3, method)), bars, cash=10_000)
    assert asked(result) == pytest.approx([expected], rel=1e-12)


def test_while_the_volatility_is_not_known_nothing_opens() -> None:
    assert not len(both(plan("+.", sizer=VolatilityTarget(0.1, 3)), market(MOVES[:2])).fills)


def test_it_never_exceeds_its_cap() -> None:
    quiet = [100 + 0.0001 * (k % 2) for k in range(8)]
    assert asked(both(plan(".....+..", sizer=VolatilityTarget(0.5, 3, cap=2.0)), market(quiet), cash=10_000))[0] == pytest.approx(
        200, rel=1e-5
    )


@pytest.mark.parametrize(
    ("instrument", "interval", "bars"),
    [
        (SHARE, DAY, 252),
        (COIN, DAY, 365.25),
        (EURUSD, DAY, 260),
        (SHARE, HOUR, 1638),
        (COIN, HOUR, 8766),
        (EURUSD, HOUR, 6240),
        (SHARE, 7 * DAY, 36),
    ],
)
def test_a_year_of_bars(instrument: wb.Instrument, interval: int, bars: float) -> None:
    from workbench.sizing._volatility_target import bars_a_year

    assert bars_a_year(instrument, interval) == pytest.approx(bars)


def test_equal_risk_shares_the_target_among_the_instruments() -> None:
    bars = wb.simulate(["A", "B"], bars=60, interval="1h", seed=5)
    one = wb.Strategy(wb.signals.Breakout(3), VolatilityTarget(0.1, 10)).inputs(bars).measured
    each = wb.Strategy(wb.signals.Breakout(3), EqualRisk(0.1, 10)).inputs(bars).measured
    np.testing.assert_array_equal(each, one * 2)


# -- conviction -------------------------------------------------------------------------------------------------------


def test_12_conviction_scales_a_size_only_through_scaled() -> None:
    for sizer, expected in ((FixedQuantity(8), 8.0), (Scaled(FixedQuantity(8)), 2.0)):
        assert asked(both(wb.Strategy(Given([0.25, None]), sizer), market([100, 100]))) == [expected]
        assert asked(both(wb.Strategy(Given([-0.25, None]), sizer), market([100, 100]))) == [expected]


def test_what_is_scaled_may_be_a_part_of_ones_own() -> None:
    class Tenth(PositionSizer):
        def size(self, signal: float, portfolio: Any, market: Any) -> float:
            assert signal == 1.0
            return 0.1 * portfolio.equity / market.price

    result = wb.backtest(wb.Strategy(Given([0.5, None]), Scaled(Tenth())), market([100, 100]), cash=10_000)
    assert asked(result) == [5.0]
    assert result.record.engine == "session"


@pytest.mark.parametrize(("stance", "expected"), [(0.25, 2.0), (-0.25, 2.0), (-3.0, 8.0)])
def test_12_asked_directly_scaled_counts_the_conviction_up_to_1(stance: float, expected: float) -> None:
    at = Market(0, SHARE, {"ABC": SHARE}, {"ABC": 100.0}, {"ABC": 1.0}, {"ABC": 0.0})
    assert Scaled(FixedQuantity(8)).size(stance, Book("USD", 1e4, 1e4, {}, {}, {}), at) == expected


def test_what_is_scaled_is_measured_and_looks_back_as_the_sizer_does() -> None:
    bars, sizer = market(MOVES), VolatilityTarget(0.1, 3)
    alone, scaled = (both(plan(".....+..", sizer=one), bars, cash=10_000) for one in (sizer, Scaled(sizer)))
    assert asked(scaled) == asked(alone)
    assert asked(scaled)[0] > 0
    assert Scaled(sizer).lookback == sizer.lookback == 4


def test_what_is_scaled_still_needs_its_stop() -> None:
    with pytest.raises(StrategyError, match="RiskPercent sizes by the distance to a stop"):
        plan("+", sizer=Scaled(RiskPercent()))
    result = both(plan("+.", sizer=Scaled(RiskPercent(0.01)), exits=[Stop(2.0)]), market([100, 100]), cash=10_000)
    assert asked(result) == [50.0]


def test_a_measure_of_ones_own_is_looked_at_bar_by_bar() -> None:
    class Measured(PositionSizer):
        def measure(self, bars: wb.Bars) -> pd.DataFrame:
            return bars.close * 2

        def size(self, signal: float, portfolio: Any, market: Any) -> float:
            return float(market.inputs["measured"])

    assert asked(wb.backtest(plan(".+.", sizer=Measured()), market([10, 20, 30]), cash=1e6)) == [40.0]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Kelly(0), "fraction is a share of Kelly's f, above 0 and at most 1, got 0"),
        (lambda: Kelly(win_rate=55), "win_rate is a chance between 0 and 1, got 55"),
        (lambda: Kelly(loss=0), "loss must be a positive number, got 0"),
        (lambda: Kelly(least=0), "least must be at least 1 trade, got 0"),
        (lambda: VolatilityTarget(10), "target is a share of equity a year (0.10 = ten percent), got 10"),
        (lambda: VolatilityTarget(window=1), "window must be at least 2 returns, got 1"),
        (lambda: VolatilityTarget(year=0), "year must be a positive number, got 0"),
        (lambda: Scaled(Scaled(FixedFraction())), "the sizer inside is scaled already"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)
