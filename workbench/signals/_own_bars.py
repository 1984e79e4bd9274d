"""Looking back over an instrument's own bars, where others have bars in between (SEMANTICS 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.signals._base import SignalGenerator

__all__ = ["before", "earlier", "held", "level", "newest_before", "newest_held"]


def before(frame: pd.DataFrame, bars: Bars) -> np.ndarray:
    """Return what stood at each instrument's bar before, shape (T, N); NaN at its first one and at its holes."""
    return _over(frame, bars, lambda one: one.shift(1))


def held(frame: pd.DataFrame, bars: Bars, most: int | None = None) -> np.ndarray:
    """Return each instrument's last value, held for at most so many of its own bars, shape (T, N)."""
    return _over(frame, bars, lambda one: one.ffill(limit=most))


def newest_held(signal: SignalGenerator, bars: Bars, most: int | None = None) -> np.ndarray:
    """Return the last row of `held`, shape (N,): of a signal that has an opinion there no other row is asked for."""
    if not signal.quick:
        return held(signal.stances(bars), bars, most)[-1]
    newest = signal.newest(bars)
    silent = bars.present[-1] & np.isnan(newest)
    return np.where(silent, held(signal.stances(bars), bars, most)[-1], newest) if silent.any() else newest


def newest_before(signal: SignalGenerator, bars: Bars) -> np.ndarray:
    """Return the stance at the bar before each instrument's newest label, shape (N,): the last row of `before`."""
    past = bars.present[:-1]
    rows = np.where(past.any(axis=0), len(past) - 1 - past[::-1].argmax(axis=0), -1) if len(past) else np.full(bars.shape[1], -1)
    out = np.full(bars.shape[1], np.nan)
    for row in np.unique(rows[rows >= 0]):  # one row, but for instruments that had no bar there
        out[rows == row] = signal.newest(bars.iloc[: row + 1])[rows == row]
    return out


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
