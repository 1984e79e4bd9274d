"""Machine learning walked forward, beside the bare fits and predictions of scikit-learn on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks import data, rules
from benchmarks.timing import Line, agree, in_turn
from benchmarks.warm import OURS
from workbench.research.compiled import warm
from workbench.research.walk_forward import cut

__all__ = ["bare", "recipes", "same_stances", "walk", "walk_forward"]

BARS, FOLDS, HORIZON = 50_000, 20, 10
#: What walking forward may cost beyond the fits and predictions, as a share of them.
MOST = 0.10
PART, THEIRS = "learning", "bare scikit-learn"
FEATURES = (
    wb.features.Returns(5),
    wb.features.Returns(20),
    wb.features.Volatility(20),
    wb.features.MeanDistance(50),
    wb.features.Rsi(14),
    wb.features.RangePosition(20),
    wb.features.TrueRange(14),
    wb.features.VolumeRatio(20),
)


def recipes() -> dict[str, tuple[Any, int]]:
    """Return the estimators by name, each with its number of timed rounds; one thread each."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    forest = RandomForestClassifier(40, max_depth=6, random_state=1, n_jobs=1)
    return {
        "scaler and logistic regression": (make_pipeline(StandardScaler(), LogisticRegression()), 5),
        "scaler and random forest": (make_pipeline(StandardScaler(), forest), 2),
    }


def labels(bars: wb.Bars) -> pd.DataFrame:
    """Return the label of each bar: up or not over the next bars."""
    return wb.labels.fixed_horizon(bars, HORIZON)


def walk(recipe: Any, bars: wb.Bars, folds: int = FOLDS) -> wb.WalkForwardResult:
    """Return the walk-forward; without the runs on the training parts, which the bare calls have no part like."""
    strategy = wb.Strategy(wb.signals.Classifier(recipe, list(FEATURES)), sizer=wb.sizing.FixedQuantity(1))
    costs = rules.costs(rules.CROSS_FEE)
    return wb.walk_forward(strategy, bars, labels=labels, folds=folds, in_sample=False, cash=rules.CASH, costs=costs, progress=False)


def bare(recipe: Any, bars: wb.Bars, folds: int = FOLDS) -> list[np.ndarray]:
    """Return the probabilities of each fold's test rows: features and labels once, then a fit and a prediction a fold."""
    from sklearn.base import clone

    table, known = wb.features.table(FEATURES, bars), labels(bars)
    rows, y = table.to_numpy(), known["label"].reindex(table.index).to_numpy()
    end = np.searchsorted(bars.index, pd.DatetimeIndex(known["end"].reindex(table.index)))
    complete = np.isfinite(rows).all(axis=1)
    lookback = max(one.lookback for one in FEATURES)
    found = []
    for fold in cut(len(bars), folds, None, 0, lookback):
        train = np.flatnonzero(complete[: fold.begin] & ~np.isnan(y[: fold.begin]) & (end[: fold.begin] < fold.begin))
        fitted = clone(recipe).fit(table.iloc[train], y[train].astype(int))
        found.append(fitted.predict_proba(table.iloc[fold.begin : fold.end]))
    return found


def same_stances(walked: wb.WalkForwardResult, probabilities: list[np.ndarray]) -> int:
    """Refuse to go on where any stance is not that of the bare probabilities; return how many were compared."""
    for k, (result, given, strategy) in enumerate(zip(walked.results, probabilities, walked.strategies, strict=True)):
        classes = strategy.signal.trained.card.classes
        rise, fall = (np.round(given[:, classes.index(one)], 9) for one in (1, -1 if -1 in classes else 0))
        wanted = np.where((rise > 0.5) & (rise >= fall), 1.0, np.where(fall > 0.5, -1.0, 0.0))
        agree(f"fold {k}, stances", tuple(result.setup.inputs.stance[:, 0]), tuple(wanted))
    return sum(map(len, probabilities))


def walk_forward(bars: int = BARS) -> tuple[list[Line], list[str]]:
    """Time the walk-forward of each estimator beside its bare calls; return lines and what was compared."""
    from threadpoolctl import threadpool_limits

    held, lines, said = rules.bars_of({"X": data.minutes(bars)}, "1min"), [], []
    chosen = recipes()  # imports what the next line limits
    warm()  # the kernel is loaded once a process, as for the other parts
    with threadpool_limits(1):  # threads that wait for each other would be timed, and differently each time
        for name, (recipe, rounds) in chosen.items():
            compared = same_stances(walk(recipe, rules.fresh(held)), bare(recipe, held))
            said.append(f"walk-forward, {name}: workbench = bare scikit-learn, stance by stance, {compared:,} bars")
            lines += _lines(name, recipe, rounds, held)
    return lines, said


def _lines(name: str, recipe: Any, rounds: int, bars: wb.Bars) -> list[Line]:
    calls: dict[str, Callable[[], object]] = {
        OURS: lambda: walk(recipe, rules.fresh(bars)),
        THEIRS: lambda: bare(recipe, rules.fresh(bars)),
    }
    taken = in_turn(calls, rounds, uncounted=0)  # both ran before, to be compared
    what = f"{name}, {FOLDS} folds of {len(bars):,} bars"
    over, least = (taken[OURS].median / taken[THEIRS].median - 1) * 100, (taken[OURS].best / taken[THEIRS].best - 1) * 100
    lines = [Line(PART, what, who, taken[who].median, taken[who].best, "s") for who in (OURS, THEIRS)]
    return [*lines, Line(PART, what, "overhead", over, least, "%", f"<= {MOST * 100:g} %", over <= MOST * 100)]
