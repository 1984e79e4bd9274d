"""What the tests of trained models share: bars, labels, and the four kinds of estimator that are tried."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from workbench.features import MeanDistance, RangePosition, Returns
from workbench.signals import Classifier

FEATURES = (Returns(2), MeanDistance(5), RangePosition(10))
KINDS = ("logistic", "forest", "boosting", "network")


@lru_cache
def bars(rows: int = 260, seed: int = 4, missing: float = 0.05) -> wb.Bars:
    return wb.simulate(["AAA", "BBB"], bars=rows, interval="1h", seed=seed, missing=missing)


def labels(given: wb.Bars, ahead: int = 1) -> pd.DataFrame:
    """Return 1 where an instrument's close some bars on is higher, else 0; NaN at the end and at holes; (time x symbol)."""
    out = pd.DataFrame(np.nan, given.index, given.symbols)
    for symbol in given.symbols:
        close = given[symbol]["close"]
        later = close.shift(-ahead)
        out.loc[close.index, symbol] = (later > close).astype(float).where(later.notna())
    return out


def long_form(wide: pd.DataFrame) -> pd.DataFrame:
    """Return labels as the label functions give them: index (timestamp, symbol), columns label and end."""
    stacked = wide.rename_axis(index="timestamp", columns="symbol").stack().to_frame("label")
    return stacked.assign(end=stacked.index.get_level_values("timestamp"))


def estimator(kind: str) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "forest":
        return RandomForestClassifier(12, max_depth=4, random_state=0)
    if kind == "boosting":
        return HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=7, early_stopping=False, random_state=0)
    last = LogisticRegression() if kind == "logistic" else MLPClassifier((4,), solver="lbfgs", alpha=1.0, tol=1e-2, random_state=0)
    return make_pipeline(StandardScaler(), last)


@lru_cache
def trained(kind: str = "logistic", **changes: Any) -> Classifier:
    """Return a classifier of a kind, trained on the first 150 bars; not to be changed."""
    early = bars().iloc[:150]
    return Classifier(estimator(kind), list(FEATURES), **changes).fit(early, labels(early))
