"""Folds that follow time, and training that does not look into the test."""

from __future__ import annotations

import importlib.util
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_score

import workbench as wb
from workbench.errors import ParameterError
from workbench.research.validation import CombinatorialPurged, PurgedKFold, WalkForward, audit_split
from workbench.research.validation.rows import first_overlap


def rows(count: int, horizon: int, symbols: int = 1) -> pd.DataFrame:
    """Return a data set of `count` daily bars whose labels [t, t + horizon] are in the column `end`."""
    times = pd.date_range("2024-01-01", periods=count + horizon, freq="1D", tz="UTC")
    index = pd.MultiIndex.from_product([times[:count], list("ABC")[:symbols]], names=["timestamp", "symbol"])
    values = np.random.default_rng(1).normal(size=len(index))
    return pd.DataFrame({"x": values, "end": np.repeat(times[horizon:], symbols)}, index)


def folds(splitter: Any, X: pd.DataFrame) -> list[tuple[list[int], list[int]]]:
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(X)]


# -- purged k-fold --------------------------------------------------------------------------------------------------------


def test_the_reference_case_of_purge_and_embargo(shared: Path) -> None:
    case = json.loads((shared / "reference" / "s04_purged_kfold.json").read_text())
    given_ = case["inputs"]
    X = rows(given_["n"], given_["horizon"])
    found = folds(PurgedKFold(given_["n_splits"], ends=X["end"], embargo=given_["embargo"]), X)
    assert found == [(fold["train_strict"], fold["test"]) for fold in case["expected"]]


def test_purge_and_embargo_by_hand() -> None:
    # 9 bars, labels [t, t+1]: the middle fold tests 3-5, its labels reach 6; 2 reaches 3, 6 is met, 7 is under embargo
    X = rows(9, 1)
    assert folds(PurgedKFold(3, ends=X["end"], embargo=1), X)[1] == ([0, 1, 8], [3, 4, 5])
    assert folds(PurgedKFold(3, ends=X["end"]), X)[1] == ([0, 1, 7, 8], [3, 4, 5])


@pytest.mark.parametrize("horizon", [1, 4, 7])
@pytest.mark.parametrize("embargo", [0, 1, 2])
def test_the_embargo_counts_from_the_end_of_the_last_label(horizon: int, embargo: int) -> None:
    X = rows(60, horizon)
    train, test = folds(PurgedKFold(5, ends=X["end"], embargo=embargo), X)[0]
    assert min(train) == max(test) + horizon + embargo + 1


def test_an_embargo_may_be_a_length_of_time() -> None:
    X = rows(40, 2)
    by_bars = folds(PurgedKFold(4, ends=X["end"], embargo=3), X)
    assert folds(PurgedKFold(4, ends=X["end"], embargo=pd.Timedelta("3D")), X) == by_bars


# -- walk-forward ---------------------------------------------------------------------------------------------------------


def test_walk_forward_is_anchored_or_rolls() -> None:
    X = rows(12, 0)
    assert folds(WalkForward(2, test_size=3), X) == [(list(range(6)), [6, 7, 8]), (list(range(9)), [9, 10, 11])]
    assert folds(WalkForward(2, test_size=3, train_size=4), X) == [([2, 3, 4, 5], [6, 7, 8]), ([5, 6, 7, 8], [9, 10, 11])]


@pytest.mark.parametrize("purge", [2, pd.Timedelta("2D")], ids=["bars", "time"])
def test_walk_forward_leaves_out_what_is_purged(purge: Any) -> None:
    assert folds(WalkForward(1, test_size=3, train_size=2, purge=purge), rows(9, 0)) == [([2, 3], [6, 7, 8])]


def test_walk_forward_leaves_out_labels_that_reach_into_the_test() -> None:
    X = rows(12, 2)
    assert folds(WalkForward(1, test_size=3, ends=X["end"]), X) == [(list(range(7)), [9, 10, 11])]
    assert folds(WalkForward(1, test_size=3, ends=X["end"]), X) == folds(WalkForward(1, test_size=3, purge=2), X)


def test_walk_forward_splits_as_scikit_learn_does() -> None:
    X = rows(53, 0)
    assert folds(WalkForward(4), X) == folds(TimeSeriesSplit(4), X)
    assert folds(WalkForward(4, test_size=5, train_size=20, purge=3), X) == folds(
        TimeSeriesSplit(4, test_size=5, max_train_size=20, gap=3), X
    )


# -- combinations ---------------------------------------------------------------------------------------------------------


def test_every_choice_of_groups_is_tested() -> None:
    X = rows(12, 0)
    splitter = CombinatorialPurged(4, 2, ends=X["end"])
    tests = [test for _, test in folds(splitter, X)]
    groups = [[3 * g, 3 * g + 1, 3 * g + 2] for g in range(4)]
    assert tests == [groups[a] + groups[b] for a, b in combinations(range(4), 2)]
    assert (splitter.get_n_splits(), splitter.n_paths) == (6, 3)


def test_an_embargo_follows_every_group() -> None:
    X = rows(20, 1)
    train, test = folds(CombinatorialPurged(5, 2, ends=X["end"], embargo=1), X)[2]
    assert test == [0, 1, 2, 3, 12, 13, 14, 15]
    assert train == [6, 7, 8, 9, 10, 18, 19]


def test_paths_predict_every_row_once_with_a_model_that_did_not_see_it() -> None:
    X = rows(30, 2)
    splitter = CombinatorialPurged(5, 2, ends=X["end"], embargo=1)
    split = folds(splitter, X)
    paths = splitter.paths(X, [np.full(len(test), fold) for fold, (_, test) in enumerate(split)])
    assert paths.shape == (30, 4)
    assert paths.index.equals(X.index)
    for row, models in enumerate(paths.to_numpy().astype(int)):
        assert len(set(models)) == 4
        assert all(row in split[fold][1] and row not in split[fold][0] for fold in models)


# -- in scikit-learn ------------------------------------------------------------------------------------------------------


def data_set() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    bars = wb.simulate(["A", "B"], bars=300, seed=2, missing=0.05)
    labels = wb.labels.fixed_horizon(bars, 5).dropna()
    moves = bars.close.pct_change(fill_method=None).stack().rename_axis(labels.index.names)
    X = pd.DataFrame({"move": moves, "before": moves.groupby(level=1).shift()}).dropna()
    X = X.loc[X.index.intersection(labels.index)].sort_index()
    return X, (labels["label"].loc[X.index] > 0).astype(int), labels["end"]


SPLITTERS = {
    "walk-forward": lambda ends: WalkForward(4, ends=ends),
    "purged": lambda ends: PurgedKFold(4, ends=ends, embargo=3),
    "combinatorial": lambda ends: CombinatorialPurged(4, 2, ends=ends, embargo=3),
}


@pytest.mark.parametrize("make", SPLITTERS.values(), ids=SPLITTERS)
def test_scikit_learn_takes_the_splitter(make: Any) -> None:
    X, y, ends = data_set()
    splitter = make(ends)
    scores = cross_val_score(LogisticRegression(), X, y, cv=splitter, error_score="raise")
    assert len(scores) == splitter.get_n_splits()
    assert np.isfinite(scores).all()
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=splitter, error_score="raise").fit(X, y)
    assert search.n_splits_ == splitter.get_n_splits()


@pytest.mark.parametrize("make", SPLITTERS.values(), ids=SPLITTERS)
def test_the_symbols_of_one_time_stay_together(make: Any) -> None:
    X, _, ends = data_set()
    times = X.index.get_level_values(0)
    for train, test in make(ends).split(X):
        assert not set(times[train]) & set(times[test])


# -- the audit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", SPLITTERS.values(), ids=SPLITTERS)
@pytest.mark.parametrize("horizon", [0, 1, 6])
@pytest.mark.parametrize("symbols", [1, 3])
def test_our_splitters_let_nothing_through(make: Any, horizon: int, symbols: int) -> None:
    X = rows(80, horizon, symbols)
    assert audit_split(make(X["end"]), X, X["end"]).empty


SCIKIT = {"in order": KFold(4), "shuffled": KFold(4, shuffle=True, random_state=1), "time series": TimeSeriesSplit(4)}


@pytest.mark.parametrize("splitter", SCIKIT.values(), ids=SCIKIT)
def test_scikit_learns_splitters_are_caught(splitter: Any) -> None:
    X = rows(40, 3)
    found = audit_split(splitter, X, X["end"])
    assert set(found["fold"]) == {0, 1, 2, 3}
    assert (
        (found["train"].map(lambda key: key[0]) <= found["test_end"]) & (found["train_end"] >= found["test"].map(lambda key: key[0]))
    ).all()


def test_the_audit_counts_overlaps_by_hand() -> None:
    X = rows(40, 3)
    assert audit_split(TimeSeriesSplit(4), X, X["end"]).groupby("fold").size().tolist() == [3, 3, 3, 3]
    assert audit_split(TimeSeriesSplit(4, gap=3), X, X["end"]).empty


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=15)


@settings(max_examples=200)
@given(spans, spans)
def test_overlaps_are_those_of_the_definition(mine: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    a, b = (np.array(pairs, dtype=np.int64).reshape(-1, 2) for pairs in (mine, theirs))
    found = first_overlap(a[:, 0], a.sum(axis=1), b[:, 0], b.sum(axis=1))
    for (start, length), other in zip(mine, found, strict=True):
        meets = [first <= start + length and first + more >= start for first, more in theirs]
        assert any(meets) == (other >= 0)
        assert other < 0 or meets[other]


# -- beside purgedcv ------------------------------------------------------------------------------------------------------


@pytest.fixture
def purgedcv() -> Any:
    if importlib.util.find_spec("purgedcv") is None:
        pytest.skip("the extra `ml` is not installed")
    return importlib.import_module("purgedcv")


def theirs(library: Any, X: pd.DataFrame, **embargo: Any) -> list[tuple[list[int], list[int]]]:
    # its spans are open at the end: an hour more closes them, between daily bars
    times = {"prediction_times": X.index.get_level_values(0), "evaluation_times": pd.DatetimeIndex(X["end"]) + pd.Timedelta("1h")}
    return folds(library.PurgedKFold(5, **times, **embargo, purge_horizon="0s"), X)


@pytest.mark.parametrize("horizon", [1, 4])
def test_purgedcv_agrees_on_an_embargo_of_time(purgedcv: Any, horizon: int) -> None:
    X = rows(60, horizon)
    assert theirs(purgedcv, X, embargo="3D") == folds(PurgedKFold(5, ends=X["end"], embargo=3), X)


def test_purgedcv_counts_an_embargo_of_rows_from_the_test_block(purgedcv: Any) -> None:
    X = rows(60, 4)
    # labels of four bars: their embargo of two does nothing
    assert theirs(purgedcv, X, embargo_observations=2) == folds(PurgedKFold(5, ends=X["end"]), X)
    assert theirs(purgedcv, X, embargo_observations=2) != folds(PurgedKFold(5, ends=X["end"], embargo=2), X)


# -- refusals -------------------------------------------------------------------------------------------------------------

X20 = rows(20, 3)
MINE = PurgedKFold(4, ends=X20["end"])
REFUSED = {
    "an array": (lambda: folds(MINE, X20.to_numpy()), "X must be a DataFrame indexed by time .* got ndarray"),
    "numbered rows": (lambda: folds(MINE, X20.reset_index()), "got one indexed by RangeIndex"),
    "rows out of order": (lambda: folds(MINE, X20.iloc[::-1]), "row 1 is of 2024-01-19 .*X.sort_index"),
    "a row without an end": (
        lambda: folds(PurgedKFold(4, ends=X20["end"].iloc[:-1]), X20),
        "no end is known .* row .*2024-01-20",
    ),
    "an end that is NaT": (lambda: folds(PurgedKFold(4, ends=X20["end"].where(X20["x"] < 9e9).shift()), X20), "leave such rows out"),
    "ends that are no times": (
        lambda: folds(PurgedKFold(4, ends=X20["x"]), X20),
        "ends must be a Series of times .* float64",
    ),
    "ends given twice": (lambda: folds(PurgedKFold(4, ends=pd.concat([X20["end"]] * 2)), X20), "one end a row, got a row twice"),
    "an end before its bar": (lambda: folds(PurgedKFold(4, ends=X20["end"] - pd.Timedelta("9D")), X20), "a label ends before its bar"),
    "no ends": (lambda: PurgedKFold(4, ends=None), "PurgedKFold needs ends="),
    "one fold": (lambda: PurgedKFold(1, ends=X20["end"]), "n_splits must be a whole number of at least 2, got 1"),
    "a negative embargo": (lambda: PurgedKFold(4, ends=X20["end"], embargo=-1), "embargo must be a number of bars"),
    "half an embargo": (lambda: PurgedKFold(4, ends=X20["end"], embargo=0.01), "embargo must be a number of bars .* got 0.01"),
    "an embargo of numpy": (lambda: PurgedKFold(4, ends=X20["end"], embargo=np.timedelta64(2, "D")), "embargo must be a number of bars"),
    "X without a zone": (
        lambda: folds(MINE, X20.droplevel(1).tz_localize(None)),
        "name their time zone both, got none for X and UTC for ends",
    ),
    "an embargo over all": (lambda: folds(PurgedKFold(2, ends=X20["end"], embargo=99), X20), "no row is left to train on beside group 0"),
    "more folds than bars": (lambda: folds(PurgedKFold(21, ends=X20["end"]), X20), "21 groups need at least as many bars"),
    "too many tests": (lambda: folds(WalkForward(5, test_size=4), X20), "5 tests of 4 bars need more than 20 bars, X has 20"),
    "all purged": (lambda: folds(WalkForward(1, test_size=4, purge=16), X20), "no row is left to train on before 2024-01-17"),
    "all groups tested": (lambda: CombinatorialPurged(3, 3, ends=X20["end"]), "n_test_groups must be below n_groups=3, got 3"),
    "too few folds": (lambda: CombinatorialPurged(3, 1, ends=X20["end"]).paths(X20, [1]), "the predictions of all 3 folds, got 1"),
    "too few rows": (lambda: CombinatorialPurged(2, 1, ends=X20["end"]).paths(X20, [[1.0]] * 2), "fold 0 tests 10 rows, got 1"),
}


@pytest.mark.parametrize(("call", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_a_sentence(call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call()


def test_ends_of_one_symbol_fit_a_plain_index_of_times() -> None:
    plain = X20.droplevel(1)
    assert folds(MINE, plain) == folds(MINE, X20)


def test_a_splitter_shows_how_it_was_made() -> None:
    assert repr(MINE) == "PurgedKFold(4, ends=<20 ends>, embargo=0)"
    assert repr(CombinatorialPurged(ends=X20["end"])) == "CombinatorialPurged(6, 2, ends=<20 ends>, embargo=0)"
    assert repr(WalkForward(3, purge=1)) == "WalkForward(3, test_size=None, train_size=None, purge=1, ends=None)"
