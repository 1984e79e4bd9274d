"""The probability that the best was chosen for its luck."""

from __future__ import annotations

import importlib
import importlib.util
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ParameterError
from workbench.research.validation import cscv, probability_of_overfitting


def field(periods: int = 240, strategies: int = 10, seed: int = 1, skill: float = 0.0) -> pd.DataFrame:
    """Return noise, of which the last strategy has some skill: a mean of `skill` standard deviations."""
    values = np.random.default_rng(seed).normal(size=(periods, strategies))
    values[:, -1] += skill
    return pd.DataFrame(values / 100, pd.date_range("2024-01-01", periods=periods, tz="UTC"), [f"s{k}" for k in range(strategies)])


@pytest.mark.parametrize("strategies", [3, 10])
def test_noise_is_overfitted_half_of_the_time(strategies: int) -> None:
    found = [probability_of_overfitting(field(strategies=strategies, seed=seed), blocks=10) for seed in range(40)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.08)


def test_skill_is_not_luck() -> None:
    assert probability_of_overfitting(field(skill=0.5)) == 0.0
    assert set(cscv(field(skill=0.5))["best"]) == {"s9"}


def test_what_was_best_by_turns_is_overfitted() -> None:
    # each strategy shines in a block of its own, and loses in every other one
    shining = field(strategies=8) / 100
    for number in range(8):
        shining.iloc[:, number] += np.where(np.arange(240) // 30 == number, 0.05, -0.005)
    assert probability_of_overfitting(shining, blocks=8) > 0.9


def test_every_choice_by_brute_force() -> None:
    performance = field(periods=50, strategies=5)
    blocks = np.array_split(np.arange(50), 4)
    for row, half in zip(cscv(performance, 4).itertuples(), combinations(range(4), 2), strict=True):
        known = np.concatenate([blocks[k] for k in half])
        inside, outside = performance.iloc[known], performance.drop(performance.index[known])
        first, rest = (part.mean() / part.std(ddof=1) for part in (inside, outside))
        assert row.best == first.idxmax()
        assert (row.inside, row.outside) == (pytest.approx(first.max()), pytest.approx(rest[row.best]))
        assert row.rank == pytest.approx(rest.rank()[row.best] / 6)
        assert row.logit == pytest.approx(np.log(row.rank / (1 - row.rank)))


def test_equals_are_neither_better_nor_worse() -> None:
    assert probability_of_overfitting(pd.concat([field(strategies=1)] * 3, axis=1), 8) == 0.5


def test_a_strategy_that_stood_still_has_a_ratio_of_zero() -> None:
    still = field(strategies=3)
    still["s1"] = 0.0
    still["s2"] = 0.0
    found = cscv(still, 8)
    assert (found.loc[found["best"] != "s0", "inside"] == 0).all()
    assert found.notna().all().all()


@pytest.mark.parametrize("strategies", [2, 500], ids=["long", "wide"])
def test_columns_are_strategies_whatever_the_shape(strategies: int) -> None:
    assert set(cscv(field(periods=60, strategies=strategies), 4)["best"]) <= {f"s{k}" for k in range(strategies)}


TRAPS = {
    "a transposed matrix": (
        lambda: probability_of_overfitting(field().T),
        "indexed by time, got Index of 10 rows and 240 columns: is it trans",
    ),
    "an array": (lambda: probability_of_overfitting(field().to_numpy()), "must be a DataFrame, time x strategy, got ndarray"),
    "numbered rows": (lambda: probability_of_overfitting(field().reset_index(drop=True)), "indexed by time, got RangeIndex"),
    "one strategy": (lambda: probability_of_overfitting(field(strategies=1)), "at least two strategies .columns. are needed, got 1"),
    "an odd number of blocks": (lambda: probability_of_overfitting(field(), 7), "blocks must be an even number from 2 to 20, got 7"),
    "too many blocks": (lambda: probability_of_overfitting(field(), 40), "blocks must be an even number from 2 to 20, got 40"),
    "too short": (lambda: probability_of_overfitting(field(periods=31)), "16 blocks need at least 32 periods, got 31"),
    "the wrong way round": (lambda: probability_of_overfitting(field().iloc[::-1]), "one row a period, in the order of time"),
    "below each other": (lambda: probability_of_overfitting(pd.concat([field()] * 2)), "one row a period, in the order of time"),
    "prices": (lambda: probability_of_overfitting(100.0 + field()), "all of 's0' are above 1: are these prices"),
    "a gap": (lambda: probability_of_overfitting(field().replace(field().iloc[3, 4], np.nan)), "nan for 's4' at 2024-01-04"),
}


@pytest.mark.parametrize(("call", "said"), TRAPS.values(), ids=TRAPS)
def test_a_trap_is_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call()


@pytest.fixture
def purgedcv() -> Any:
    if importlib.util.find_spec("purgedcv") is None:
        pytest.skip("the extra `ml` is not installed")
    return importlib.import_module("purgedcv")


@pytest.mark.parametrize("seed", range(4))
def test_purgedcv_gives_the_same_with_strategies_in_rows(purgedcv: Any, seed: int) -> None:
    performance = field(periods=80, strategies=8, seed=seed)
    theirs = purgedcv.probability_of_backtest_overfitting(performance.T.to_numpy(), n_splits=8)
    assert probability_of_overfitting(performance, 8) == pytest.approx(theirs.pbo)
