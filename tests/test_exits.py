"""Distances of the protective orders, and the levels they make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from worked import CONTRACT, Stop, Target, both, fills, market, plan

import workbench as wb
from workbench import indicators
from workbench.errors import ParameterError, StrategyError
from workbench.exits import AtrStop, Exit, TakeProfit
from workbench.market import Market, Order

CENTS = wb.Instrument("ABC", tick_size=0.05)
BARS = wb.simulate(["A", "B"], bars=200, seed=5)
HOURS = [(100, 104, 98, 102), (102, 103, 99, 100), (100, 106, 100, 105), (105, 107, 101, 103)]
# true ranges: 6, 4, 6, 6


def level(exit: Exit, side: Any, away: float, price: float = 100.0, type: str = "market", instrument: wb.Instrument = CENTS) -> float:
    order = Order(instrument, side, 1.0, type, 90.0 if type == "limit" else None)
    symbol = instrument.symbol
    snapshot = Market(0, instrument, {symbol: instrument}, {symbol: price}, {symbol: 1.0}, {symbol: 0.0}, {f"{exit.kind}_distance": away})
    return exit.levels(order, snapshot)


# -- distances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("average", ["wilder", "simple"])
@pytest.mark.parametrize(("window", "multiple"), [(14, 2.0), (1, 0.5), (3, 1)])
def test_a_stop_by_the_average_range(window: int, multiple: float, average: Any) -> None:
    found = AtrStop(window, multiple, average).distance(BARS)
    np.testing.assert_array_equal(found, indicators.atr(BARS, window, average) * multiple)
    assert found.isna().to_numpy().sum() == 2 * (window - 1)


def test_a_stop_by_hand() -> None:
    found = AtrStop(3, 1.5).distance(market(HOURS))["ABC"].tolist()
    assert found[2:] == pytest.approx([1.5 * 16 / 3, 1.5 * (2 * 16 / 3 + 6) / 3], rel=1e-14)


def test_a_target_by_share_of_the_close() -> None:
    assert TakeProfit(percent=0.02).distance(market(HOURS))["ABC"].tolist() == pytest.approx([2.04, 2.0, 2.1, 2.06])


@pytest.mark.parametrize(
    ("target", "times"),
    [(TakeProfit(), 2.0), (TakeProfit(multiple=3), 3.0), (TakeProfit(percent=0.1), None)],
    ids=["neither", "multiple", "percent"],
)
def test_a_target_by_the_risk(target: TakeProfit, times: float | None) -> None:
    assert target.times_risk == times
    strategy = wb.Strategy(wb.signals.Breakout(), exits=[AtrStop(3), target])
    inputs = strategy.inputs(BARS)
    assert inputs.stop is not None
    expected = BARS.array("close") * 0.1 if times is None else inputs.stop * times
    np.testing.assert_array_equal(inputs.target, expected)


def test_the_nearest_of_several_counts_and_none_while_one_is_not_known() -> None:
    exits = [AtrStop(3, 2.0), AtrStop(5, 1.0), Target(7.0), TakeProfit(percent=0.01)]
    inputs = wb.Strategy(wb.signals.Breakout(), exits=exits).inputs(BARS)
    first, second = exits[0].distance(BARS).to_numpy(), exits[1].distance(BARS).to_numpy()
    np.testing.assert_array_equal(inputs.stop, np.where(np.isnan(first) | np.isnan(second), np.nan, np.fmin(first, second)))
    np.testing.assert_array_equal(inputs.target, np.fmin(7.0, BARS.array("close") * 0.01))


def test_distances_are_worked_out_without_the_holes() -> None:
    bars = market({wb.Instrument("ABC"): [10, None, 12, 11], wb.Instrument("XYZ"): [20, 21, 22, 23]})
    found = wb.Strategy(wb.signals.Breakout(), exits=[AtrStop(2, 1.0)]).inputs(bars).stop
    np.testing.assert_array_equal(found, [[np.nan, np.nan], [np.nan, 0.5], [1.0, 0.75], [1.0, 0.875]])


def test_without_exits_there_are_no_distances() -> None:
    inputs = wb.Strategy(wb.signals.Breakout()).inputs(BARS)
    assert (inputs.stop, inputs.target) == (None, None)


# -- levels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exit", "side", "expected"),
    [(Stop(), "buy", 98.75), (Stop(), "sell", 101.25), (Target(), "buy", 101.25), (Target(), "sell", 98.75)],
    ids=["stop of a long", "stop of a short", "target of a long", "target of a short"],
)
def test_25_a_level_is_rounded_away_from_the_market(exit: Exit, side: Any, expected: float) -> None:
    assert level(exit, side, 1.23) == expected
    assert level(exit, side, 1.25) == expected


def test_a_level_starts_from_the_entrys_own_price_where_it_has_one() -> None:
    assert level(Stop(), "buy", 1.0, type="limit") == 89.0
    assert level(Stop(), "buy", 1.2345, instrument=wb.Instrument("ABC")) == pytest.approx(98.7655)


@pytest.mark.parametrize(("stance", "stop", "target"), [("+", 97.0, 106.0), ("-", 103.0, 94.0)], ids=["long", "short"])
def test_both_rest_after_the_fill(stance: str, stop: float, target: float) -> None:
    result = both(plan(f"{stance}.", exits=[Stop(3.0), TakeProfit()]), market([100, 100], CONTRACT))
    resting = result.orders[result.orders["leg"] != "open"]
    assert dict(zip(resting["leg"], resting["price"], strict=True)) == {"stop": stop, "target": target}
    assert fills(result)[0][1] == "open"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: AtrStop(0), ParameterError, "AtrStop: window must be at least 1 bar, got 0"),
        (lambda: AtrStop(multiple=0), ParameterError, "AtrStop: multiple must be a positive number, got 0"),
        (lambda: AtrStop(average="ema"), ParameterError, "AtrStop.average must be 'wilder' or 'simple', got 'ema' (str)"),
        (lambda: AtrStop(windw=3), ParameterError, "did you mean 'window'?"),
        (lambda: TakeProfit(0.1, 2), ParameterError, "TakeProfit takes one of percent, multiple or price, got percent=0.1 and multiple=2"),
        (lambda: TakeProfit(percent=-0.1), ParameterError, "TakeProfit: percent must be a positive number, got -0.1"),
        (lambda: TakeProfit(multiple=0), ParameterError, "TakeProfit: multiple must be a positive number, got 0"),
        (
            lambda: wb.Strategy(wb.signals.Breakout(), exits=[TakeProfit()]),
            StrategyError,
            "TakeProfit as a multiple of the risk needs a stop",
        ),
        (
            lambda: wb.Strategy(wb.signals.Breakout(), exits=[AtrStop]),
            ParameterError,
            "got the class AtrStop; write AtrStop(...) to make one",
        ),
    ],
    ids=["window", "multiple", "average", "misspelt", "both", "negative", "zero", "no stop", "a class"],
)
def test_a_wrong_exit_gets_a_sentence(make: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)


# -- an exit of one's own ---------------------------------------------------------------------------------------------


class PercentStop(Exit):
    """The five lines of the docstring."""

    percent: float = 0.02

    def distance(self, bars):
        return self.percent * bars.close


class Short(Exit):
    """Gives one row too few."""

    def distance(self, bars):
        return bars.close.iloc[1:]


def test_the_exit_of_the_docstring() -> None:
    result = both(plan("+...", exits=[PercentStop()]), market([100, 100, (99, 99, 97, 98), 98]))
    assert fills(result) == [(1, "open", 1.0, 100.0), (2, "stop", -1.0, 98.0)]


def test_a_distance_of_the_wrong_shape_gets_a_sentence() -> None:
    with pytest.raises(ParameterError, match=r"Short.distance must give a distance in price units .* shape \(4, 1\), got \(3, 1\)"):
        both(plan("+...", exits=[Short()]), market([100] * 4))
