"""Made-up histories: drawn returns, drawn trades, bars in another order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.validation import bootstrap, monte_carlo, permutation_test, permute_bars
from workbench.research.validation.distribution import Distribution, PermutationTest
from workbench.research.validation.resampling import _rows

RETURNS = np.random.default_rng(1).normal(0.001, 0.01, 400)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(3, 8))


# -- the bootstrap --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "within"), [("stationary", 0.3), ("block", 0.3), ("iid", 0.05)])
def test_the_mean_varies_by_its_standard_error(method: Any, within: float) -> None:
    # blocks also see what autocorrelation these 400 returns have by chance
    found = bootstrap(RETURNS, np.mean, method, samples=2000, seed=1)
    assert found.observed == RETURNS.mean()
    assert found.values.std() == pytest.approx(RETURNS.std() / 20, rel=within)
    low, high = found.interval()
    assert low < RETURNS.mean() < high


@pytest.mark.parametrize("method", ["stationary", "block"])
def test_blocks_keep_what_hangs_together(method: Any) -> None:
    moving = np.convolve(RETURNS, np.ones(10) / 10)
    apart, together = (bootstrap(moving, np.mean, how, samples=500).values.std() for how in ("iid", method))
    assert together > 1.5 * apart


def test_blocks_are_as_long_as_they_should_be() -> None:
    random = np.random.default_rng(1)
    drawn = [_rows(random, 1000, "stationary", 20.0) for _ in range(50)]
    breaks = np.mean([(np.diff(rows) % 1000 != 1).mean() for rows in drawn])
    assert 1 / breaks == pytest.approx(20, rel=0.1)
    assert set(np.flatnonzero(np.diff(_rows(random, 100, "block", 10)) % 100 != 1)) <= {9, 19, 29, 39, 49, 59, 69, 79, 89}


@pytest.mark.parametrize("method", ["stationary", "block"])
def test_arch_draws_the_same_distribution(method: Any) -> None:
    from arch.bootstrap import CircularBlockBootstrap, StationaryBootstrap

    theirs = {"stationary": StationaryBootstrap, "block": CircularBlockBootstrap}[method](8, RETURNS, seed=1).apply(np.mean, 2000)
    ours = bootstrap(RETURNS, np.mean, method, size=8, samples=2000, seed=2)
    assert ours.values.std() == pytest.approx(theirs.std(), rel=0.1)
    assert ours.values.mean() == pytest.approx(theirs.mean(), abs=3 * theirs.std() / math.sqrt(1000))


def test_the_same_seed_draws_the_same() -> None:
    one, same, other = (bootstrap(RETURNS, samples=20, seed=seed).values.tolist() for seed in (1, 1, 2))
    assert one == same != other


def test_a_backtest_is_resampled_by_its_daily_returns() -> None:
    result = wb.backtest(STRATEGY, wb.simulate(days=30, interval="1h", seed=1))
    assert bootstrap(result, len, samples=5).observed == 30


def test_samples_without_a_figure_are_left_out_of_the_interval() -> None:
    found = Distribution("figure", 1.0, np.array([np.nan, 1.0, 2.0, 3.0]))
    assert found.interval(0.5) == (1.5, 2.5)
    assert found.summary()["mean"] == 2.0
    assert repr(found) == "figure: 1, 95 % of 4 samples from 1.05 to 2.95"


# -- trades ---------------------------------------------------------------------------------------------------------------


def test_shuffled_trades_end_at_the_same_equity_after_other_falls() -> None:
    found = monte_carlo([10.0, -10.0, 10.0, -10.0], 100.0, method="shuffle", samples=400)
    assert found.end_equity.values.tolist() == pytest.approx([100.0] * 400)
    assert found.max_drawdown.observed == pytest.approx(-10 / 110)
    # a gain before both losses, both gains before, or the losses first
    assert set(np.round(found.max_drawdown.values, 6)) == {
        round(fall, 6) for fall in (-20 / 120, -20 / 110, -20 / 100, -10 / 110, -10 / 100)
    }


def test_drawn_trades_by_hand() -> None:
    found = monte_carlo([50.0, -50.0], 100.0, samples=4000, ruin=0.5)
    assert np.unique(found.end_equity.values, return_counts=True)[1] / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
    assert set(found.end_equity.values) == {0.0, 100.0, 200.0}
    # both losses, or a loss before a gain
    assert found.ruin == pytest.approx(0.5, abs=0.03)
    assert found.ruin_level == 50.0


def test_shares_of_equity_compound() -> None:
    found = monte_carlo([100.0, -100.0], 100.0, compound=True, samples=200)
    assert found.end_equity.observed == pytest.approx(100.0)
    assert set(found.end_equity.values.round(9)) == {400.0, 100.0, 25.0}


def test_a_backtest_brings_its_cash_and_its_closed_trades() -> None:
    result = wb.backtest(STRATEGY, wb.simulate(bars=300, seed=1), cash=50_000)
    closed = result.trades[result.trades["exit"] != "open"]
    found = monte_carlo(result, samples=10)
    assert found.end_equity.observed == pytest.approx(50_000 + closed["profit"].sum())
    assert found.end_equity.values.tolist() == monte_carlo(closed, 50_000, samples=10).end_equity.values.tolist()
    assert list(found.summary().index) == ["end equity", "max drawdown"]


def test_many_samples_are_drawn_in_parts() -> None:
    profits = np.random.default_rng(1).normal(size=3_000)
    assert len(monte_carlo(profits, 1_000.0, samples=2_000).end_equity.values) == 2_000


# -- bars in another order ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0.0, 0.2], ids=["whole", "with holes"])
def test_permuted_bars_have_the_same_moves_in_another_order(missing: float) -> None:
    bars = wb.simulate(["A", "B"], bars=200, seed=1, missing=missing)
    other = permute_bars(bars, seed=3)
    assert (other.present == bars.present).all()
    for symbol in bars.symbols:
        mine, theirs = bars[symbol], other[symbol]
        for field in ("open", "high", "low"):
            shapes = [np.sort((one[field] / one["close"]).to_numpy()) for one in (mine, theirs)]
            assert shapes[0] == pytest.approx(shapes[1], rel=1e-12)
        moves = [one["close"].pct_change().dropna().to_numpy() for one in (mine, theirs)]
        assert np.sort(moves[0]) == pytest.approx(np.sort(moves[1]), abs=1e-12)
        assert not np.allclose(*moves)
        assert theirs["close"].iloc[-1] == pytest.approx(mine["close"].iloc[-1])


def test_permuted_bars_are_bars() -> None:
    other = permute_bars(wb.simulate(bars=500, seed=1, still=0.3), seed=3)
    one = other["SIM"]
    assert (one["high"] >= one[["open", "close"]].max(axis=1)).all()
    assert (one["low"] <= one[["open", "close"]].min(axis=1)).all()
    assert other.simulated
    assert "in another order (seed=3)" in other.source


def test_symbols_of_the_same_labels_keep_what_they_have_in_common() -> None:
    bars = wb.simulate(["A", "B"], bars=300, seed=1, correlation=0.9)
    before, after = (one.close.pct_change().corr().iloc[0, 1] for one in (bars, permute_bars(bars, seed=1)))
    assert after == pytest.approx(before, abs=1e-6)


def trending(count: int = 240) -> wb.Bars:
    """Return prices that rise for thirty bars and fall for thirty bars, with some noise."""
    moves = 0.004 * np.where(np.arange(count) // 30 % 2 == 0, 1, -1) + np.random.default_rng(1).normal(0, 0.001, count)
    close = 100 * np.cumprod(1 + moves)
    index = pd.date_range("2024-01-01", periods=count, freq="1h", tz="UTC")
    return wb.Bars.from_frames({"A": pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), index)}, interval="1h")


def test_a_strategy_that_follows_a_real_trend_beats_every_order() -> None:
    found = permutation_test(STRATEGY, trending(), samples=99)
    assert found.p_value == 0.01
    assert found.observed > found.values.max()


def test_a_random_market_gives_no_small_p_value() -> None:
    values = [permutation_test(STRATEGY, wb.simulate(bars=150, seed=seed), samples=19, seed=seed).p_value for seed in range(6)]
    assert sum(value <= 0.05 for value in values) <= 1
    assert 0.2 < np.mean(values) < 0.9


def test_the_p_value_counts_the_history_that_was() -> None:
    assert PermutationTest("x", 2.0, np.array([1.0, 2.0, 3.0, np.nan])).p_value == 4 / 5
    assert PermutationTest("x", 9.0, np.array([1.0, 2.0, 3.0])).p_value == 1 / 4


def test_a_figure_of_the_backtest_is_tested_by_name_or_by_function() -> None:
    bars = wb.simulate(bars=200, seed=1)
    named = permutation_test(STRATEGY, bars, "return %", samples=5, cash=10_000)
    computed = permutation_test(STRATEGY, bars, samples=5, cash=10_000)
    assert named.values / 100 == pytest.approx(computed.values)
    assert named.observed == wb.backtest(STRATEGY, bars, cash=10_000).stats["return %"]


def test_many_small_runs_give_what_single_ones_give() -> None:
    bars = wb.simulate(bars=600, seed=1)
    few, many = (permutation_test(STRATEGY, bars, samples=samples) for samples in (3, 90))
    assert few.observed == many.observed
    assert few.values.tolist() == many.values[:3].tolist()


# -- refusals -------------------------------------------------------------------------------------------------------------

BARS = wb.simulate(days=1, seed=1)
REFUSED = {
    "an unknown method": (lambda: bootstrap(RETURNS, method="stationery"), "did you mean 'stationary'"),
    "a block over all": (lambda: bootstrap(RETURNS, size=401), "size must be a number of periods from 1 to 400 .* got 401"),
    "half a period": (lambda: bootstrap(RETURNS, method="block", size=2.5), "whole for method='block'"),
    "a size of single returns": (lambda: bootstrap(RETURNS, method="iid", size=5), "method='iid' has none; got size=5"),
    "one return": (lambda: bootstrap([0.01]), "the bootstrap needs at least two returns, got 1"),
    "one sample": (lambda: bootstrap(RETURNS, samples=1), "samples must be a whole number of at least 2, got 1"),
    "a negative seed": (lambda: monte_carlo([1.0], 9.0, seed=-1), "seed must be a whole number of at least 0, got -1"),
    "no cash": (lambda: monte_carlo([1.0]), "monte_carlo needs cash="),
    "cash of 0": (lambda: monte_carlo([1.0], 0), "cash must be a positive number, got 0"),
    "no trades": (lambda: monte_carlo([], 9.0), "at least one closed trade"),
    "no profits": (lambda: monte_carlo(pd.DataFrame({"profits": [1]}), 9.0), "trades need a column 'profit'; did you mean 'profits'"),
    "an unknown way": (lambda: monte_carlo([1.0], 9.0, method="shufle"), "did you mean 'shuffle'"),
    "ruin above all": (lambda: monte_carlo([1.0], 9.0, ruin=1.5), "ruin must be a share of the cash from 0 to below 1, got 1.5"),
    "nothing left to lose": (lambda: monte_carlo([-9.0, 1.0], 9.0, compound=True), "these trades lost everything"),
    "an unknown figure": (lambda: permutation_test(STRATEGY, BARS, "Sharp"), "'Sharp' is no figure of a backtest; did you mean 'Sharpe'"),
    "a figure that is none": (lambda: permutation_test(STRATEGY, BARS, "Sharpe"), "Sharpe has no figure on these bars"),
    "two bars": (lambda: permutation_test(STRATEGY, BARS.iloc[:2]), "there is no other order of 2 bars"),
    "no confidence": (lambda: bootstrap(RETURNS, samples=9).interval(95), "confidence must lie between 0 and 1, got 95"),
}


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call()


def test_prices_of_zero_cannot_be_permuted() -> None:
    bars = wb.simulate(bars=20, seed=1)
    arrays = {name: bars.array(name).copy() for name in ("open", "high", "low", "close", "volume")}
    arrays["low"][5] = 0.0
    with pytest.raises(ParameterError, match="prices of 0 or below cannot be permuted"):
        permute_bars(wb.Bars(bars.index, bars.instruments, bars.interval, arrays))
