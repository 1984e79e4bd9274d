"""Looking back over an instrument's own bars, where others have bars in between (SEMANTICS 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars

__all__ = ["before", "earlier", "held", "level"]


def before(frame: pd.DataFrame, bars: Bars) -> np.ndarray:
    """Return what stood at each instrument's bar before, shape (T, N); NaN at its first one and at its holes."""
    return _over(frame, bars, lambda one: one.shift(1))


def held(frame: pd.DataFrame, bars: Bars, most: int | None = None) -> np.ndarray:
    """Return each instrument's last value, held for at most so many of its own bars, shape (T, N)."""
    return _over(frame, bars, lambda one: one.ffill(limit=most))


def earlier(values: np.ndarray) -> np.ndarray:
    """Return the values of the bar before, of bars without holes; NaN at the first one."""
    out = np.full(values.shape, np.nan)
    out[1:] = values[:-1]
    return out


def level(like: pd.DataFrame, value: float) -> pd.DataFrame:
    """Return a frame of one number, to compare with."""
    return pd.DataFrame(np.full(like.shape, float(value)), like.index, like.columns, copy=False)


def _over(frame: pd.DataFrame, bars: Bars, make: Callable[[Any], Any]) -> np.ndarray:
    if bars.whole:
        return np.asarray(make(frame))
    out = np.full(bars.shape, np.nan)
    for j, symbol in enumerate(bars.symbols):
        rows = bars.present[:, j]
        out[rows, j] = make(frame.loc[rows, symbol])
    return out
