"""Signals that a model speaks through: trained, asked, refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler
from trained import FEATURES, bars, estimator, labels, long_form, trained
from worked import OTHER, SHARE, market

import laws
import workbench as wb
from workbench.component import clone
from workbench.errors import ModelError, ParameterError
from workbench.features import Feature, Hour, RangePosition, Returns
from workbench.models import calibrated, tuned_threshold
from workbench.signals import Breakout, Classifier, MovingAverageCross, Regressor, Stacked, Stance
from workbench.signals._models import stance_of

NAN = float("nan")
EARLY = bars().iloc[:150]


def fresh(**changes: Any) -> Classifier:
    return Classifier(estimator("logistic"), list(FEATURES), **changes)


def refusal(call: Callable[[], object], error: type[Exception] = ModelError) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


# -- from probabilities to stances ------------------------------------------------------------------------------------


def said(ups: Sequence[float], **changes: Any) -> list[float]:
    given = {"threshold": 0.6, "short": True, "conviction": False} | changes
    return stance_of(np.array([[1 - up, up] for up in ups]), (0, 1), **given).tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [-1, -1, 0, 0, 0, 1, 1]),
        ({"short": False}, [0, 0, 0, 0, 0, 1, 1]),
        ({"threshold": 0.5}, [-1, -1, -1, 0, 1, 1, 1]),
        ({"threshold": 0.3, "short": False}, [0, 0, 1, 1, 1, 1, 1]),
        ({"conviction": True}, [-1, -0.5, 0, 0, 0, 0.5, 1]),
        ({"conviction": True, "short": False}, [0, 0, 0, 0, 0, 0.5, 1]),
    ],
    ids=["both ways", "long only", "a half", "low threshold", "conviction", "conviction, long only"],
)
def test_a_probability_becomes_a_stance(changes: dict[str, Any], expected: list[float]) -> None:
    assert said([0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0], **changes) == pytest.approx(expected)


@pytest.mark.parametrize("threshold", [0.55, 0.6, 0.7, 0.8, 0.9])
def test_rule_6_a_probability_on_the_threshold_is_flat_on_both_sides(threshold: float) -> None:
    assert said([round(1 - threshold, 9), threshold], threshold=threshold) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0.1, 0.2, 0.7], 1), ([0.7, 0.2, 0.1], -1), ([0.2, 0.6, 0.2], 0), ([0.45, 0.05, 0.5], 1), ([0.45, 0.1, 0.45], 0)],
    ids=["up", "down", "neither", "the likelier of two", "both alike"],
)
def test_three_classes(row: list[float], expected: float) -> None:
    assert stance_of(np.array([row]), (-1, 0, 1), 0.4, short=True, conviction=False).tolist() == [expected]


def test_a_model_of_falls_alone_is_only_ever_short() -> None:
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert stance_of(probabilities, (-1, 0), 0.5, short=True, conviction=False).tolist() == [-1.0, 0.0]


# -- training ---------------------------------------------------------------------------------------------------------


def test_fitting_puts_the_model_in_the_place_of_the_recipe_and_leaves_the_recipe_alone() -> None:
    recipe = estimator("logistic")
    signal = Classifier(recipe, list(FEATURES))
    assert signal.fit(EARLY, labels(EARLY)) is signal
    assert signal.model is signal.trained is clone(signal).model is copy.deepcopy(signal).model
    assert not hasattr(recipe.steps[0][1], "mean_")


def test_fitting_again_trains_the_recipe_anew() -> None:
    signal = fresh().fit(EARLY, labels(EARLY))
    first = signal.trained
    signal.fit(bars(), labels(bars()))
    assert signal.trained.sha256 != first.sha256
    assert signal.fit(EARLY, labels(EARLY)).trained == first


@pytest.mark.parametrize("make", [labels, lambda given: long_form(labels(given))], ids=["wide", "label table"])
def test_both_forms_of_labels_train_the_same_model(make: Callable[[Any], Any]) -> None:
    assert fresh().fit(EARLY, make(EARLY)).trained.sha256 == trained("logistic").trained.sha256


def test_the_card_keeps_what_it_was_told() -> None:
    told = {
        "label": "up in one bar",
        "scores": {"auc": 0.6},
        "trials": 12,
        "trained_at": "2024-03-01",
        "expires": pd.Timestamp("2025-01-01"),
    }
    card = fresh(threshold=0.55).fit(EARLY, labels(EARLY), **told).trained.card
    assert (card.label, dict(card.scores), card.trials, card.threshold) == ("up in one bar", {"auc": 0.6}, 12, 0.55)
    assert (card.trained_at, card.expires) == ("2024-03-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00")


def test_labels_up_down_and_neither_make_three_classes() -> None:
    wide = labels(EARLY) * 2 - 1
    wide.iloc[::3] = 0.0
    signal = Classifier(LogisticRegression(), list(FEATURES), threshold=0.34).fit(EARLY, wide)
    assert signal.trained.card.classes == (-1, 0, 1)
    assert {-1.0, 0.0, 1.0} >= set(signal.stances(bars()).stack().dropna()) > {0.0}


def test_a_tuned_threshold_is_taken_from_the_card() -> None:
    wide = labels(EARLY).where(lambda up: up.isna() | (np.arange(len(up)) % 4 > 0)[:, None], 0.0)
    tuned = Classifier(tuned_threshold(LogisticRegression(), 2, 4), list(FEATURES), short=False).fit(EARLY, wide)
    found = tuned.trained.card.threshold
    assert found == tuned.trained.estimator.best_threshold_ != 0.5
    up = tuned.trained.predict(wb.features.table(FEATURES, EARLY).dropna())[:, 1]
    stances = tuned.stances(EARLY).stack().dropna()
    assert (stances == 1.0).sum() == (up > found).sum() > 0


def test_a_calibrated_model_is_a_model() -> None:
    signal = Classifier(calibrated(LogisticRegression(), 2, 4), list(FEATURES)).fit(EARLY, labels(EARLY))
    assert signal.trained.card.estimator == "CalibratedClassifierCV(LogisticRegression)"
    assert signal.stances(bars()).notna().sum().sum() > 300


def test_a_recipe_that_judges_itself_on_earlier_rows_is_refused() -> None:
    signal = Classifier(RandomForestClassifier(), list(FEATURES))
    signal.set_params(model=calibrated(LogisticRegression()).set_params(cv=5))
    assert "whose folds are not in the order of time" in refusal(lambda: signal.fit(EARLY, labels(EARLY)))


# -- asking -----------------------------------------------------------------------------------------------------------


def test_without_a_trained_model_there_is_one_sentence() -> None:
    sentence = "Classifier has no trained model yet: train it first, signal.fit(bars, labels)"
    for call in (lambda: fresh().stances(EARLY), lambda: fresh().newest(EARLY), lambda: fresh().refusals(EARLY)):
        assert refusal(call) == sentence


def test_a_regressor_speaks_beyond_its_threshold() -> None:
    change = bars().close.pct_change(fill_method=None).shift(-1) * 100
    signal = Regressor(LinearRegression(), list(FEATURES), threshold=0.01).fit(bars(), change)
    rows = wb.features.table(FEATURES, bars()).dropna()
    predicted = signal.trained.predict(rows)
    expected = np.where(predicted > 0.01, 1.0, np.where(predicted < -0.01, -1.0, 0.0))
    np.testing.assert_array_equal(signal.stances(bars()).stack().loc[rows.index], expected)
    long_only = clone(signal).set_params(short=False)
    assert set(long_only.stances(bars()).stack().dropna()) == {0.0, 1.0}


@pytest.mark.parametrize("part", [Classifier.example(), Regressor.example(), Stacked.example()], ids=laws.named)
def test_the_newest_stances_are_the_last_row_of_all(part: Any) -> None:
    given = bars(120, 9, 0.1)
    whole = part.stances(given).to_numpy()
    for t in range(0, len(given), 7):
        laws.require_equal(part.newest(given.iloc[: t + 1]), whole[t], f"row {t}")


# -- no prediction, and why -------------------------------------------------------------------------------------------


def test_a_bar_without_a_prediction_has_a_reason() -> None:
    signal, given = trained("logistic"), bars().iloc[:12]
    found = signal.refusals(given)
    assert found.columns.tolist() == ["timestamp", "symbol", "reason"]
    reasons = found[found["symbol"] == "AAA"]["reason"].tolist()
    assert reasons[:2] == ["returns_2 is not known"] * 2
    assert reasons[2:4] == ["mean_distance_5 is not known"] * 2
    assert set(reasons[4:]) == {"range_position_10 is not known"}
    stances = signal.stances(given)
    refused = {(row.timestamp, row.symbol) for row in found.itertuples()}
    assert all(np.isnan(stances.loc[time, symbol]) for time, symbol in refused)
    assert len(refused) + stances.notna().sum().sum() == given.present.sum()


def test_from_its_expiry_on_a_model_says_nothing_by_the_label_of_the_bar() -> None:
    last = bars().index[200]
    signal = clone(trained("logistic")).set_params(model=trained("logistic").trained.noted(expires=last))
    stances = signal.stances(bars())
    laws.require_equal(stances.to_numpy()[:200], trained("logistic").stances(bars()).to_numpy()[:200], "before")
    assert stances.iloc[200:].isna().all(axis=None)
    found = signal.refusals(bars())
    assert set(found[found["timestamp"] >= last]["reason"]) == {f"the model expired at {last.isoformat()}"}
    assert np.isnan(signal.newest(bars())).all()
    assert wb.check_parity(wb.Strategy(signal), bars(), cuts=10).differences.empty


# -- the features of the model ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (FEATURES[::-1], "they are out of order: range_position_10 stands where returns_2 stood"),
        (FEATURES[:2], "range_position_10 missing"),
        ((*FEATURES, Hour()), "hour unknown to it"),
        ((Returns(3), *FEATURES[1:]), "returns_2 missing; returns_3 unknown to it"),
    ],
    ids=["order", "missing", "too many", "another window"],
)
def test_a_model_with_other_features_is_refused(chosen: Sequence[Feature], sentence: str) -> None:
    assert sentence in refusal(lambda: Classifier(trained("logistic").trained, list(chosen)))
    assert sentence in refusal(lambda: clone(trained("logistic")).set_params(features=list(chosen)))


def test_a_list_of_features_that_was_changed_behind_its_back_is_refused_when_it_is_asked() -> None:
    signal = clone(trained("logistic"))
    signal.features.reverse()  # type: ignore[attr-defined]
    assert "out of order" in refusal(lambda: signal.stances(bars()))
    assert "out of order" in refusal(lambda: signal.newest(bars()))


class Impostor(Feature):
    """Another feature under a name that the model knows."""

    @property
    def name(self) -> str:
        return "returns_2"

    def compute(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.close


def test_another_feature_under_a_known_name_is_refused() -> None:
    sentence = refusal(lambda: Classifier(trained("logistic").trained, [Impostor(), *FEATURES[1:]]))
    assert "the model was trained with the feature" in sentence
    assert "and here 'returns_2' is Impostor()" in sentence


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (
            lambda: Regressor(trained("logistic").trained, list(FEATURES)),
            ModelError,
            "Regressor takes a regressor, and this model is a classifier",
        ),
        (lambda: Classifier(LogisticRegression, list(FEATURES)), ParameterError, "Classifier.model must be an estimator"),
        (lambda: Classifier("logistic", list(FEATURES)), ParameterError, "got 'logistic'"),
        (lambda: Classifier(LogisticRegression(), []), ParameterError, "needs at least one feature, got none"),
        (lambda: Classifier(LogisticRegression(), list(FEATURES), threshold=1.0), ParameterError, "from 0 to below 1, got 1"),
        (lambda: Regressor(LinearRegression(), list(FEATURES), threshold=-1.0), ParameterError, "threshold must not be negative, got -1"),
        (lambda: Stance(Breakout(5), hold=0), ParameterError, "hold must be at least 1 bar, got 0"),
    ],
    ids=["kind", "a class", "a word", "no features", "threshold", "negative", "hold"],
)
def test_what_does_not_fit_together_is_refused_at_once(call: Callable[[], object], error: type[Exception], sentence: str) -> None:
    assert sentence in refusal(call, error)


def test_an_estimator_has_nested_parameters_until_it_is_trained() -> None:
    signal = Classifier(LogisticRegression(), list(FEATURES)).set_params(model__C=0.5)
    assert signal.get_params()["model__C"] == 0.5
    assert "model__C" not in signal.fit(EARLY, labels(EARLY)).get_params()
    assert signal.model.recipe.C == 0.5


def test_a_pickled_signal_says_the_same() -> None:
    back = pickle.loads(pickle.dumps(trained("forest")))
    laws.require_equal(back.stances(bars()).to_numpy(), trained("forest").stances(bars()).to_numpy(), "pickled")


def test_a_feature_of_all_instruments_makes_a_signal_of_all_instruments() -> None:
    class Rank(Feature):
        cross_sectional = True

        def compute(self, bars: wb.Bars) -> pd.DataFrame:
            return bars.close.rank(axis=1)

    assert Classifier(LogisticRegression(), [RangePosition(5), Rank()]).cross_sectional
    assert not trained("logistic").cross_sectional


# -- stacked ----------------------------------------------------------------------------------------------------------


def test_a_stance_is_held_and_no_opinion_is_flat() -> None:
    given = market({SHARE: [10, 10, 12, None, 11, 11, 8], OTHER: [10, 10, 10, 10, 10, 10, 10]})
    found = Stance(Breakout(2), hold=1).values(given)
    np.testing.assert_array_equal(found[:, 0], [NAN, NAN, NAN, NAN, 1, 0, -1])
    np.testing.assert_array_equal(found[:, 1], [NAN, NAN, NAN, 0, 0, 0, 0])


def test_a_stack_learns_whom_to_believe() -> None:
    right = MovingAverageCross(1, 2)
    change = bars().close.pct_change(fill_method=None)
    target = (change > 0).astype(float).where(change.notna())  # what the first signal says of the same bar
    stack = Stacked(LogisticRegression(), [right, Breakout(30)], hold=20).fit(bars(), target)
    believed, ignored = stack.trained.estimator.coef_[0]
    assert believed > 2.0 > abs(ignored)
    assert stack.trained.card.names == ["stance_moving_average_cross_1_2_20", "stance_breakout_30_20"]
    assert stack.lookback == 31 + 20


def test_a_stack_on_a_trained_model_keeps_it() -> None:
    stack = Stacked(LogisticRegression(), [trained("logistic"), MovingAverageCross(2, 5)], hold=5).fit(bars(), labels(bars()))
    assert clone(stack).signals[0].model is trained("logistic").model  # type: ignore[attr-defined]
    assert wb.check_causality(stack, bars(), cuts=5).passed


# -- scaling ----------------------------------------------------------------------------------------------------------


def test_a_scaler_in_the_pipeline_knows_the_training_rows_only() -> None:
    fitted = trained("logistic").trained.estimator[0]
    known = wb.features.table(FEATURES, EARLY).dropna()
    known = known.loc[labels(EARLY).stack().dropna().index.intersection(known.index)]
    np.testing.assert_allclose(fitted.mean_, StandardScaler().fit(known).mean_, rtol=1e-12)
