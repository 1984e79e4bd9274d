"""Inner splits in the order of time: what scikit-learn does not do unless it is told to.

Calibration, thresholds, searches and early stopping hold rows back to judge themselves by. Where those are drawn at random, or
are older than the rows learned from, the model has seen its judges' neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.errors import ModelError

__all__ = ["calibrated", "require_time_order", "tuned_threshold"]

_WRITE = "cv=TimeSeriesSplit(5, gap=...)"


def calibrated(estimator: Any, folds: int = 5, gap: int = 0, method: str = "sigmoid") -> Any:
    """Return an estimator whose probabilities are calibrated on folds that come after what it learned from.

    Parameters
    ----------
    estimator : classifier
        Unfitted.
    folds : int, default 5
        One model a fold; their probabilities are averaged.
    gap : int, default 0
        Rows (bars x instruments) left out before each fold: at least as many as a label looks ahead.
    method : {"sigmoid", "isotonic", "temperature"}, default "sigmoid"

    Returns
    -------
    CalibratedClassifierCV

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> calibrated(LogisticRegression(), folds=3, gap=10).cv
    TimeSeriesSplit(gap=10, max_train_size=None, n_splits=3, test_size=None)
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import TimeSeriesSplit

    return CalibratedClassifierCV(estimator, method=method, cv=TimeSeriesSplit(folds, gap=gap), ensemble=True)


def tuned_threshold(estimator: Any, folds: int = 5, gap: int = 0, scoring: Any = "balanced_accuracy") -> Any:
    """Return an estimator that finds its threshold on folds that come after what it learned from, then learns from all rows.

    The threshold stands on the model's card, and a `Classifier` without one of its own takes it from there.

    Parameters
    ----------
    estimator : classifier of two classes
        Unfitted.
    folds : int, default 5
    gap : int, default 0
        Rows (bars x instruments) left out before each fold: at least as many as a label looks ahead.
    scoring : str, default "balanced_accuracy"

    Returns
    -------
    TunedThresholdClassifierCV
    """
    from sklearn.model_selection import TimeSeriesSplit, TunedThresholdClassifierCV

    return TunedThresholdClassifierCV(estimator, cv=TimeSeriesSplit(folds, gap=gap), scoring=scoring, refit=True)


def require_time_order(estimator: Any) -> None:
    """Refuse an estimator that would judge itself on rows that are not later than those it learned from.

    Raises
    ------
    ModelError
        The sentence names the part, and what to write instead.
    """
    for part in _estimators(estimator):
        params = part.get_params(deep=False)
        _check_cv(type(part).__name__, params)
        _check_early_stopping(type(part).__name__, params)


def _estimators(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and every one in its parameters, in Pipelines as well."""
    yield estimator
    for value in estimator.get_params(deep=True).values():
        if hasattr(value, "get_params") and not isinstance(value, type):
            yield value


def _check_cv(name: str, params: dict[str, Any]) -> None:
    if "cv" not in params:
        return
    if not _in_order(params["cv"]):
        helper = {"CalibratedClassifierCV": "wb.models.calibrated(...)", "TunedThresholdClassifierCV": "wb.models.tuned_threshold(...)"}
        instead = f"write {_WRITE}" + (f", or {helper[name]}" if name in helper else "")
        raise ModelError(f"{name} has cv={params['cv']!r}, whose folds are not in the order of time: {instead}")
    if name == "CalibratedClassifierCV" and params.get("ensemble") is False:
        raise ModelError(
            "CalibratedClassifierCV with ensemble=False needs every row in a fold once, which no order of time gives: leave it out"
        )


def _in_order(cv: Any) -> bool:
    """Return whether each fold comes after what is learned from."""
    if isinstance(cv, str):
        return cv == "prefit"  # nothing is split
    if isinstance(cv, (list, tuple)):
        return all(np.max(train) < np.min(test) for train, test in cv)
    return type(cv).__name__ == "TimeSeriesSplit"  # the only one of its kind that a file of a model may hold


def _check_early_stopping(name: str, params: dict[str, Any]) -> None:
    """Refuse early stopping: the rows that scikit-learn holds back for it are drawn at random."""
    if params.get("early_stopping", False) is not False:
        said, instead = f"early_stopping={params['early_stopping']!r}", "early_stopping=False, and choose max_iter by a walk-forward"
    elif name.startswith("GradientBoosting") and params.get("n_iter_no_change") is not None:
        said, instead = f"n_iter_no_change={params['n_iter_no_change']}", "n_iter_no_change=None, and choose n_estimators by a walk-forward"
    else:
        return
    raise ModelError(f"{name} has {said}, which holds rows back at random to judge itself by: write {instead}")
