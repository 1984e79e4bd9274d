"""Small models that the examples of this room have learned, on made-up bars, the same ones in any process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.features import RangePosition
from workbench.models import Model
from workbench.signals._breakout import Breakout
from workbench.signals._models import Classifier, Regressor
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._stacked import Stacked
from workbench.signals._trained import TrainedSignal

__all__ = ["FEATURES", "SIGNALS", "practice_model"]

FEATURES = (RangePosition(3), RangePosition(8), RangePosition(20))
SIGNALS = (MovingAverageCross(3, 10), Breakout(5))


@lru_cache
def practice_model(kind: Literal["classifier", "regressor", "stacked"]) -> Model:
    """Return the model of an example; trained once a process."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    estimator: Any = make_pipeline(StandardScaler(), Ridge() if kind == "regressor" else LogisticRegression())
    makers: dict[str, TrainedSignal] = {
        "classifier": Classifier(estimator, list(FEATURES)),
        "regressor": Regressor(estimator, list(FEATURES)),
        "stacked": Stacked(estimator, list(SIGNALS), hold=10),
    }
    bars = _bars()
    change = bars.close.pct_change().shift(-1)
    labels = change if kind == "regressor" else (change > 0).astype(float).where(change.notna())
    return makers[kind].fit(bars, labels, label="the next bar's return" + " is positive" * (kind != "regressor")).trained


def _bars(rows: int = 400) -> Bars:
    """Return bars whose moves tend to go on, so that there is something to learn."""
    steps = np.random.Generator(np.random.PCG64(11)).normal(0.0, 0.01, rows)
    for k in range(1, rows):
        steps[k] += 0.3 * steps[k - 1]
    close = 100.0 * np.exp(np.cumsum(steps))
    first = np.append(100.0, close[:-1])
    frame = pd.DataFrame({"open": first, "high": np.maximum(first, close), "low": np.minimum(first, close), "close": close})
    frame.index = pd.date_range("2024-01-01", periods=rows, freq="h", tz="UTC")
    return Bars.from_frames({"PRACTICE": frame}, interval="1h", source="simulated")
