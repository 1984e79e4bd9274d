"""From a table of features and labels to a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ModelError, did_you_mean
from workbench.models._card import Card, quantiles
from workbench.models._draft import Draft
from workbench.models._files import dumped
from workbench.models._model import Model
from workbench.models._time_order import require_time_order

__all__ = ["Sample", "by_row", "draft", "one_number", "sample", "train"]

#: What a label of a classifier may be.
LABELS = (-1, 0, 1)


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that a model learns from, in the order of time, and how many were left out."""

    rows: pd.DataFrame
    labels: pd.Series
    weights: pd.Series | None
    no_label: int
    no_feature: int


def by_row(given: Any, what: str) -> pd.Series:
    """Return labels or weights as one Series, index (timestamp, symbol).

    Parameters
    ----------
    given : DataFrame or Series
        Index (timestamp, symbol), a DataFrame with a column `what`; or a DataFrame (time x symbol).
    what : {"label", "weight"}

    Raises
    ------
    ModelError
        It is neither, or a row is there twice.
    """
    if isinstance(given, pd.DataFrame) and what in given.columns:
        given = given[what] if isinstance(given.index, pd.MultiIndex) else _by_columns(given, what)
    elif isinstance(given, pd.DataFrame) and isinstance(given.index, pd.DatetimeIndex):
        given = given.stack()
    times = given.index.levels[0] if isinstance(given, pd.Series) and isinstance(given.index, pd.MultiIndex) else None
    if not isinstance(times, pd.DatetimeIndex) or given.index.nlevels != 2:
        found = f"columns {list(given.columns)[:5]}" if isinstance(given, pd.DataFrame) else type(given).__name__
        raise ModelError(
            f"expected a table indexed by (timestamp, symbol) with a column {what!r}, a Series with that index, "
            f"or a DataFrame (time x symbol), got {found}"
        )
    if times.tz is None:
        raise ModelError(f"the times of the {what}s have no zone, and bars are in UTC: index.tz_localize('UTC') says so")
    if given.index.has_duplicates:
        time, symbol = given.index[given.index.duplicated()][0]
        raise ModelError(f"the {what} of {symbol} at {time} is there twice")
    return given.astype(float)


def _by_columns(given: pd.DataFrame, what: str) -> Any:
    return given.set_index(["timestamp", "symbol"])[what] if {"timestamp", "symbol"} <= set(given.columns) else given


def sample(table: pd.DataFrame, labels: Any, weights: Any = None) -> Sample:
    """Join features and labels by time and symbol, never by position, and leave out what is not known.

    Parameters
    ----------
    table : DataFrame
        As `wb.features.table` gives it.
    labels, weights : DataFrame or Series
        As in `by_row`; NaN means: not known, or not yet. A label whose ``end`` lies after the last bar of the table was not
        known there, and counts as none. Without `weights`, those in a column ``weight`` beside the labels count.

    Raises
    ------
    ModelError
        No row has both.
    """
    known = by_row(labels, "label")
    if isinstance(labels, pd.DataFrame) and {"label", "end"} <= set(labels.columns) and len(table):
        known = known.where(np.asarray(labels["end"] <= table.index[-1][0]))
    symbols = table.index.unique("symbol")
    for symbol in known.index.unique(1):
        if symbol not in symbols:
            raise ModelError(f"there are labels of {symbol!r}, and no bars of it{did_you_mean(str(symbol), map(str, symbols))}")
    y = known.reindex(table.index)
    labelled, complete = y.notna(), np.isfinite(table.to_numpy()).all(axis=1)
    used = np.asarray(labelled & complete)
    if not used.any():
        spans = [f"{index[0]} to {index[-1]}" for index in (known.index.unique(0), table.index.unique(0)) if len(index)]
        raise ModelError(f"no bar has both a label and all features: labels and bars reach from {' and from '.join(spans) or 'nowhere'}")
    if weights is None and isinstance(labels, pd.DataFrame) and {"label", "weight"} <= set(labels.columns):
        weights = labels
    w = None if weights is None else by_row(weights, "weight").reindex(table.index)[used]
    if w is not None and not (w >= 0).all():
        raise ModelError(f"each of the {used.sum()} rows needs a weight that is not negative; {int((~(w >= 0)).sum())} have none")
    return Sample(table[used], y[used], w, int((~labelled).sum()), int((labelled & ~complete).sum()))


def train(recipe: Any, given: Sample, card: dict[str, Any]) -> Model:
    """Fit a clone of a recipe to all rows, and return the model.

    Parameters
    ----------
    recipe : estimator
        Never fitted itself.
    given : Sample
    card : dict
        What the caller knows for the card; a `threshold` of None is the one that the estimator found, or 0.5.

    Raises
    ------
    ModelError
        The recipe would judge itself on rows that are not later, the labels are no labels, or what came out cannot be kept.
    """
    return written(*_trained(recipe, given, card), given.rows)


def draft(recipe: Any, given: Sample, card: dict[str, Any], rows: Callable[[], pd.DataFrame]) -> Draft:
    """Fit a clone of a recipe to all rows, and leave writing it until it is asked for; `rows` gives the rows once more then."""
    return Draft(*_trained(recipe, given, card), rows, written)


def _trained(recipe: Any, given: Sample, card: dict[str, Any]) -> tuple[Any, Card]:
    """Return the fitted estimator, and its card without what writing finds out."""
    require_time_order(recipe)
    labels = _classes(given.labels) if card["kind"] == "classifier" else given.labels.to_numpy()
    estimator = _fitted(recipe, given, labels)
    if card["threshold"] is None:
        card["threshold"] = float(getattr(estimator, "best_threshold_", 0.5))
    return estimator, Card(
        **card,
        estimator=in_words(recipe),
        classes=tuple(int(one) for one in getattr(estimator, "classes_", ())),
        rows=len(given.rows),
        first=given.rows.index[0][0].isoformat(),
        last=given.rows.index[-1][0].isoformat(),
        no_label=given.no_label,
        no_feature=given.no_feature,
        sha256="",
    )


def written(estimator: Any, card: Card, rows: pd.DataFrame) -> Model:
    """Return what is read back of the file that an estimator makes."""
    data = dumped(estimator)
    return _with_quantiles(Model(data, replace(card, sha256=hashlib.sha256(data).hexdigest())), rows)


def _with_quantiles(model: Model, rows: pd.DataFrame) -> Model:
    """Return the model with what its features and predictions were like, for drift to be seen by."""
    found = {str(name): quantiles(rows[name].to_numpy()) for name in rows}
    said = one_number(model.predict(rows), model.card.classes)
    return model.noted(quantiles={**found, "prediction": quantiles(said)})


def one_number(predicted: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Return one number a row: a regressor's prediction, or the probability of a rise (the label 1, else all but the lowest)."""
    return predicted if predicted.ndim == 1 else predicted[:, classes.index(1)] if 1 in classes else 1.0 - predicted[:, 0]


def _classes(labels: pd.Series) -> np.ndarray:
    odd = labels[~labels.isin(LABELS)]
    if len(odd):
        time, symbol = odd.index[0]
        raise ModelError(
            f"a label of a classifier is 1 (up), 0 (neither, or down) or -1 (down), got {odd.iloc[0]:g} for {symbol} at {time}"
        )
    if labels.nunique() < 2:
        raise ModelError(f"all {len(labels)} labels are {labels.iloc[0]:g}: there is nothing to tell apart")
    return labels.to_numpy().astype(int)


def _fitted(recipe: Any, given: Sample, labels: np.ndarray) -> Any:
    from sklearn.base import clone

    estimator = clone(recipe)
    weights = {} if given.weights is None else {_weight_name(estimator): given.weights.to_numpy()}
    return estimator.fit(given.rows, labels, **weights)


def _weight_name(estimator: Any) -> str:
    """Return under which name an estimator takes weights: a Pipeline hands them to its last step."""
    from sklearn.utils.validation import has_fit_parameter

    last = estimator.steps[-1] if hasattr(estimator, "steps") else None
    if not has_fit_parameter(last[1] if last else estimator, "sample_weight"):
        raise ModelError(f"{in_words(estimator)} takes no weights: leave them out, or take an estimator that does")
    return f"{last[0]}__sample_weight" if last else "sample_weight"


def in_words(estimator: Any) -> str:
    """Return what an estimator is made of: ``Pipeline(StandardScaler, LogisticRegression)``."""
    inner = [step for _, step in estimator.steps] if hasattr(estimator, "steps") else [getattr(estimator, "estimator", None)]
    names = [in_words(one) for one in inner if hasattr(one, "get_params")]
    return type(estimator).__name__ + (f"({', '.join(names)})" if names else "")
