"""Estimators that would judge themselves on rows that are not later are refused, with what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, HistGradientBoostingRegressor, StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, TimeSeriesSplit, TunedThresholdClassifierCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from workbench.errors import ModelError
from workbench.models import calibrated, require_time_order, tuned_threshold

PLAIN = LogisticRegression()
ORDERED = TimeSeriesSplit(3, gap=5)
LATER = [(np.arange(10), np.arange(12, 20)), (np.arange(20), np.arange(22, 30))]
MIXED = [(np.arange(10), np.arange(5, 20))]


class Purged:
    """A splitter of one's own: a file of a model cannot hold it."""

    def split(self, rows: Any, labels: Any = None, groups: Any = None) -> Any:
        return LATER


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (
            CalibratedClassifierCV(PLAIN),
            "CalibratedClassifierCV has cv=None, whose folds are not in the order of time: write cv=TimeSeriesSplit",
        ),
        (CalibratedClassifierCV(PLAIN, cv=5), "cv=5"),
        (CalibratedClassifierCV(PLAIN, cv=KFold(3)), "wb.models.calibrated(...)"),
        (CalibratedClassifierCV(PLAIN, cv=ORDERED, ensemble=False), "CalibratedClassifierCV with ensemble=False"),
        (TunedThresholdClassifierCV(PLAIN), "TunedThresholdClassifierCV has cv=None"),
        (TunedThresholdClassifierCV(PLAIN, cv=StratifiedKFold(3)), "wb.models.tuned_threshold(...)"),
        (GridSearchCV(PLAIN, {"C": [1]}, cv=3), "GridSearchCV has cv=3"),
        (GridSearchCV(PLAIN, {"C": [1]}, cv=MIXED), "GridSearchCV has cv=["),
        (GridSearchCV(PLAIN, {"C": [1]}, cv=Purged()), "GridSearchCV has cv=<"),
        (StackingClassifier([("a", PLAIN)]), "StackingClassifier has cv=None"),
        (RidgeCV(), "RidgeCV has cv=None"),
        (HistGradientBoostingClassifier(), "early_stopping='auto', which holds rows back at random"),
        (HistGradientBoostingRegressor(early_stopping=True), "write early_stopping=False"),
        (MLPClassifier(early_stopping=True), "MLPClassifier has early_stopping=True"),
        (GradientBoostingClassifier(n_iter_no_change=5), "GradientBoostingClassifier has n_iter_no_change=5"),
        (make_pipeline(StandardScaler(), HistGradientBoostingClassifier()), "HistGradientBoostingClassifier has early_stopping"),
        (calibrated(make_pipeline(StandardScaler(), MLPClassifier(early_stopping=True))), "MLPClassifier has early_stopping=True"),
        (calibrated(GridSearchCV(PLAIN, {"C": [1]})), "GridSearchCV has cv=None"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_a_split_that_is_not_in_the_order_of_time_is_refused(estimator: Any, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        require_time_order(estimator)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "estimator",
    [
        PLAIN,
        calibrated(PLAIN),
        tuned_threshold(PLAIN, gap=10),
        GridSearchCV(PLAIN, {"C": [1]}, cv=ORDERED),
        GridSearchCV(PLAIN, {"C": [1]}, cv=LATER),
        StackingClassifier([("a", FrozenEstimator(PLAIN))], cv="prefit"),
        HistGradientBoostingClassifier(early_stopping=False),
        GradientBoostingClassifier(),
        MLPClassifier(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_keeps_the_order_is_taken(estimator: Any) -> None:
    require_time_order(estimator)
    assert hasattr(estimator, "fit")


def test_calibration_learns_from_what_was_before_each_fold_only() -> None:
    made = calibrated(PLAIN, folds=3, gap=7)
    assert (made.cv.n_splits, made.cv.gap, made.ensemble) == (3, 7, True)
    for train, test in made.cv.split(np.zeros((80, 1))):
        assert test.min() - train.max() == 8


def test_a_threshold_is_found_and_the_rest_is_learned_from_all_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 2))
    labels = (rows[:, 0] > 0.9).astype(int)
    made = tuned_threshold(PLAIN, folds=3, gap=2).fit(rows, labels)
    assert 0.0 < made.best_threshold_ < 0.5  # few are positive, so that the balance lies below a half
    np.testing.assert_array_equal(made.estimator_.coef_, LogisticRegression().fit(rows, labels).coef_)
