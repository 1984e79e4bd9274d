"""Features and labels meet by time and symbol, and what is left out is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from trained import FEATURES, bars, estimator, labels, long_form

from workbench import features
from workbench.errors import ModelError
from workbench.models import sample
from workbench.models._training import by_row
from workbench.signals import Classifier

TABLE = features.table(FEATURES, bars())
WIDE = labels(bars())
LONG = long_form(WIDE)


def shuffled(given: Any) -> Any:
    return given.sample(frac=1.0, random_state=3)


@pytest.mark.parametrize(
    "given",
    [LONG, LONG["label"], WIDE, LONG.reset_index(), shuffled(LONG), WIDE[["BBB", "AAA"]], LONG.dropna(), shuffled(WIDE)],
    ids=["table", "series", "wide", "columns", "shuffled", "columns turned", "without unknown", "shuffled wide"],
)
def test_labels_are_joined_by_time_and_symbol_whatever_their_form(given: Any) -> None:
    found = sample(TABLE, given)
    expected = [WIDE.loc[time, symbol] for time, symbol in found.rows.index]
    assert found.labels.tolist() == expected
    known = np.array([not np.isnan(WIDE.loc[key]) for key in TABLE.index])
    pd.testing.assert_frame_equal(found.rows, TABLE[TABLE.notna().all(axis=1) & known])


def test_rows_are_in_the_order_of_time() -> None:
    times = sample(TABLE, shuffled(LONG)).rows.index.get_level_values(0)
    assert times.is_monotonic_increasing


def test_what_is_left_out_is_counted() -> None:
    known = LONG["label"].dropna()
    known.iloc[100:130] = np.nan
    found = sample(TABLE, known)
    assert found.no_label == 30 + 2
    assert found.no_feature == 18
    assert len(found.rows) == len(TABLE) - 32 - 18


def test_a_label_that_was_not_known_at_the_last_bar_is_none() -> None:
    early = TABLE[TABLE.index.get_level_values(0) <= bars().index[150]]
    ends = LONG["end"] + pd.Timedelta(hours=10)
    found = sample(early, LONG.assign(end=ends))
    last = found.rows.index.get_level_values(0)[-1]
    assert last <= bars().index[140]
    assert found.no_label == len(early) - (early.index.get_level_values(0) <= bars().index[140]).sum()


def test_a_feature_that_is_endless_is_not_known() -> None:
    table = TABLE.copy()
    table.iloc[50, 0] = np.inf
    assert sample(table, LONG).no_feature == 19


def test_times_of_another_resolution_are_the_same_times() -> None:
    coarse = WIDE.set_axis(WIDE.index.as_unit("s"))
    assert len(sample(TABLE, coarse).rows) == len(sample(TABLE, WIDE).rows)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: WIDE.to_numpy(), "expected a table indexed by (timestamp, symbol) with a column 'label', a Series with that index"),
        (lambda: LONG.rename(columns={"label": "y"}), "got columns ['y', 'end']"),
        (lambda: WIDE["AAA"], "got Series"),
        (lambda: WIDE.tz_localize(None), "the times of the labels have no zone, and bars are in UTC"),
        (lambda: pd.concat([LONG, LONG.iloc[:1]]), "the label of AAA at 2024-01-01 00:00:00+00:00 is there twice"),
        (lambda: WIDE.rename(columns={"AAA": "AAB"}), "there are labels of 'AAB', and no bars of it; did you mean 'AAA'?"),
        (lambda: WIDE.shift(freq="1000D"), "no bar has both a label and all features: labels and bars reach from 2026"),
        (lambda: WIDE * np.nan, "no bar has both a label and all features"),
    ],
    ids=["array", "another column", "one symbol", "no zone", "twice", "unknown symbol", "other times", "nothing known"],
)
def test_labels_that_cannot_be_joined_get_a_sentence(given: Callable[[], Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        sample(TABLE, given())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda wide: wide * 0.0, "all 450 labels are 0: there is nothing to tell apart"),
        (lambda wide: wide * 2.0, "a label of a classifier is 1 (up), 0 (neither, or down) or -1 (down), got 2 for"),
    ],
    ids=["one class", "another number"],
)
def test_labels_that_are_none_of_a_classifier_are_refused(change: Callable[[Any], Any], said: str) -> None:
    rows = len(sample(TABLE, WIDE).rows)
    with pytest.raises(ModelError) as caught:
        Classifier(LogisticRegression(), list(FEATURES)).fit(bars(), change(WIDE))
    assert said.replace("450", str(rows)) in str(caught.value)


# -- weights ----------------------------------------------------------------------------------------------------------


def test_weights_reach_the_last_step_of_a_pipeline() -> None:
    weights = (LONG["label"] * 0 + 1.0).rename("weight")
    weights.iloc[:200] = 0.0
    weighted = Classifier(estimator("logistic"), list(FEATURES)).fit(bars(), WIDE, weights)
    chosen = sample(TABLE, WIDE, weights)
    scaler = StandardScaler().fit(chosen.rows)
    later = chosen.weights.to_numpy() > 0  # type: ignore[union-attr]
    expected = LogisticRegression().fit(scaler.transform(chosen.rows)[later], chosen.labels[later])
    np.testing.assert_allclose(weighted.trained.estimator[-1].coef_, expected.coef_, rtol=1e-3)


def test_a_column_beside_the_labels_weighs_where_no_weights_are_given() -> None:
    weights = (LONG["label"] * 0 + 1.0).rename("weight")
    weights.iloc[:200] = 0.5
    beside, apart = (Classifier(estimator("logistic"), list(FEATURES)) for _ in range(2))
    beside.fit(bars(), LONG.assign(weight=weights))
    assert beside.trained.sha256 == apart.fit(bars(), LONG, weights).trained.sha256
    assert beside.trained.sha256 != apart.fit(bars(), LONG).trained.sha256


@pytest.mark.parametrize(
    ("recipe", "weights", "said"),
    [
        (KNeighborsClassifier(), WIDE * 0 + 1, "KNeighborsClassifier takes no weights"),
        (
            make_pipeline(StandardScaler(), KNeighborsClassifier()),
            WIDE * 0 + 1,
            "Pipeline(StandardScaler, KNeighborsClassifier) takes no weights",
        ),
        (LogisticRegression(), WIDE - 2, "needs a weight that is not negative"),
        (LogisticRegression(), WIDE.iloc[:200] * 0 + 1, "rows needs a weight that is not negative; "),
        (LogisticRegression(), [1.0], "with a column 'weight'"),
    ],
    ids=["no weights", "in a pipeline", "negative", "missing", "a list"],
)
def test_weights_that_cannot_be_used_are_refused(recipe: Any, weights: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        Classifier(recipe, list(FEATURES)).fit(bars(), WIDE, weights)
    assert said in str(caught.value)


def test_one_form_for_labels_and_weights() -> None:
    assert by_row(LONG.rename(columns={"label": "weight"}), "weight").equals(by_row(LONG, "label"))
