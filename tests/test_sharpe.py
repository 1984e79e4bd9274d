"""What a Sharpe ratio is worth, and the traps of feeding it wrong figures."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.validation import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe,
)

FOUR = [0.01, -0.01, 0.02, 0.0]
MONTHLY = (0.458, 24, 0.0, 3.0)


def noise(count: int = 1000, mean: float = 0.05, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, count) / 100


def test_the_reference_cases_of_the_probabilistic_ratio(shared: Path) -> None:
    case = json.loads((shared / "reference" / "s01_probabilistic_sharpe.json").read_text())
    given = case["inputs"]
    for shape, expected in zip(given["cases"], case["expected"], strict=True):
        found = probabilistic_sharpe((given["sr_per_period"], given["T"], shape["skew"], shape["kurtosis_raw"]), given["benchmark"])
        assert found == pytest.approx(expected["psr"], abs=case["tolerance"])
        assert found == pytest.approx(expected["published"], abs=5e-4)


def test_the_moments_of_four_returns_by_hand() -> None:
    # mean 0.005, deviations 0.005, -0.015, 0.015, -0.005
    found = moments(FOUR)
    variance = 5e-4 / 4
    assert found.sharpe == pytest.approx(0.005 / math.sqrt(5e-4 / 3)) == pytest.approx(sharpe(FOUR))
    assert (found.periods, found.skew) == (4, pytest.approx(0.0, abs=1e-12))
    assert found.kurtosis == pytest.approx((2 * 0.005**4 + 2 * 0.015**4) / 4 / variance**2)


def test_a_normal_distribution_has_a_kurtosis_of_three() -> None:
    assert moments(noise(200_000)).kurtosis == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("returns", [pd.Series([np.nan, *FOUR]), np.array([*FOUR, np.nan]), FOUR], ids=["series", "array", "list"])
def test_periods_without_a_return_are_left_out(returns: Any) -> None:
    assert moments(returns) == moments(FOUR)


def test_a_backtest_is_judged_by_its_daily_returns() -> None:
    result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(3, 8)), wb.simulate(days=30, interval="1h", seed=1))
    assert moments(result).periods == 30
    assert sharpe(result) * math.sqrt(365.25) == pytest.approx(result.stats["Sharpe"])


def test_a_wide_benchmark_turns_the_probability_round() -> None:
    assert probabilistic_sharpe(MONTHLY, 0.458) == pytest.approx(0.5)
    assert probabilistic_sharpe(MONTHLY, 0.2) > 0.5 > probabilistic_sharpe(MONTHLY, 0.7)


def test_fat_tails_and_a_skew_to_losses_make_it_less_sure() -> None:
    assert probabilistic_sharpe((0.458, 24, -2.448, 10.164)) < probabilistic_sharpe(MONTHLY)


def test_the_track_record_is_as_long_as_it_takes() -> None:
    length = minimum_track_record(MONTHLY, 0.1, confidence=0.9)
    longer, shorter = (probabilistic_sharpe((0.458, periods, 0.0, 3.0), 0.1) for periods in (math.ceil(length), math.floor(length)))
    assert longer > 0.9 > shorter
    assert minimum_track_record((0.458, 24, -2.448, 10.164)) > minimum_track_record(MONTHLY)
    assert minimum_track_record(MONTHLY, benchmark=0.5) == math.inf


def test_the_best_of_many_without_skill() -> None:
    drawn = np.random.default_rng(1).normal(0, 0.1, (20_000, 50)).max(axis=1)
    assert expected_best(50, 0.01) == pytest.approx(drawn.mean(), rel=0.02)
    assert expected_best(1, 0.01) == 0.0
    assert expected_best(10**18, 0.01) > expected_best(10**15, 0.01)


@pytest.mark.parametrize(("trials", "expected"), [(100, 0.9004), (46, 0.9505)])
def test_the_worked_example_of_the_paper_on_deflation(trials: int, expected: float) -> None:
    # five years of days, 250 a year; annual ratio 2.5, annual variance of the trials' ratios 1/2, skew -3, raw kurtosis 10
    chosen = (2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    assert expected_best(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(chosen, trials=trials, variance=0.5 / 250) == pytest.approx(expected, abs=5e-5)


def test_more_trials_deflate_more() -> None:
    returns = noise()
    found = [deflated_sharpe(returns, trials=trials, variance=0.001) for trials in (1, 2, 10, 1000)]
    assert found == sorted(found, reverse=True)
    assert found[0] == probabilistic_sharpe(returns)


def test_a_strategy_that_stands_still_has_no_ratio() -> None:
    assert all(
        math.isnan(of(returns)) for of in (sharpe, probabilistic_sharpe, minimum_track_record) for returns in ([0.0] * 9, [0.01] * 9)
    )


# -- traps ----------------------------------------------------------------------------------------------------------------

ANNUAL = 0.05 * math.sqrt(252)
TRAPS = {
    "an annual ratio of daily returns": (lambda: probabilistic_sharpe((ANNUAL, 1000, 0.0, 3.0)), "over 1000 periods is 2. standard errors"),
    "an annual ratio to deflate": (lambda: deflated_sharpe((1.5, 252, 0.0, 3.0), trials=9, variance=0.001), "looks annualised"),
    "an annual ratio's track record": (lambda: minimum_track_record((1.5, 252, 0.0, 3.0)), "divided by the root of the periods in a year"),
    "an annual benchmark": (lambda: probabilistic_sharpe(noise(), 0.5), "a benchmark of 0.5 over 1000 periods"),
    "an annual variance": (
        lambda: deflated_sharpe(noise(), trials=9, variance=0.3),
        "standard deviation of the trials' Sharpe ratios of 0.54",
    ),
    "excess kurtosis": (
        lambda: probabilistic_sharpe((0.1, 250, 0.0, 0.0)),
        "no distribution of skew 0 has a kurtosis of 0: is it the excess",
    ),
    "excess kurtosis and skew": (lambda: probabilistic_sharpe((0.1, 250, -2.0, 4.0)), "no distribution of skew -2 has a kurtosis of 4"),
    "prices": (lambda: sharpe([100.0, 101.0, 99.0]), "are these prices"),
    "an equity of nothing": (lambda: sharpe([0.01, math.inf, 0.02]), "expected finite returns, got inf"),
    "several columns": (lambda: sharpe(pd.DataFrame({"a": FOUR})), "expected one series of returns per period, got DataFrame"),
    "words": (lambda: sharpe(["a", "b"]), "expected returns as numbers, got list of 'a'"),
    "three figures": (lambda: probabilistic_sharpe((0.1, 250, 0.0)), "got a tuple of 3"),
    "one period": (lambda: probabilistic_sharpe([0.01]), "at least two periods, got 1"),
    "no trials": (lambda: deflated_sharpe(FOUR, trials=0, variance=0.1), "trials must be how many were run, .* got 0"),
    "a negative variance": (lambda: deflated_sharpe(FOUR, trials=2, variance=-0.1), "variance must be a number of at least 0, got -0.1"),
    "no confidence": (lambda: minimum_track_record(MONTHLY, confidence=95), "confidence must lie between 0.5 and 1, got 95"),
}


@pytest.mark.parametrize(("call", "said"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call()


def test_measured_returns_are_never_taken_for_annualised() -> None:
    assert probabilistic_sharpe(noise(mean=1.5)) == pytest.approx(1.0)


# -- beside purgedcv ------------------------------------------------------------------------------------------------------


@pytest.fixture
def purgedcv() -> Any:
    if importlib.util.find_spec("purgedcv") is None:
        pytest.skip("the extra `ml` is not installed")
    return importlib.import_module("purgedcv")


def test_purgedcv_gives_the_same(purgedcv: Any) -> None:
    returns, m = noise(5_000), Moments(0.1, 250, -0.5, 5.0)
    # it divides by another number in the deviation and corrects skew and kurtosis for bias: nothing, at this length
    assert probabilistic_sharpe(returns, 0.03) == pytest.approx(purgedcv.probabilistic_sharpe_ratio(returns, 0.03), rel=1e-3)
    theirs = purgedcv.deflated_sharpe_ratio(returns, 20, 0.0004)
    assert deflated_sharpe(returns, trials=20, variance=0.0004) == pytest.approx(theirs, rel=1e-3)
    assert math.ceil(minimum_track_record(m)) == purgedcv.min_track_record_length(m.sharpe, 0.0, 0.05, m.skew, m.kurtosis)
