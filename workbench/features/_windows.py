"""What the features need of rolling windows and `workbench.indicators` does not have yet, in one place."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from workbench.bars import Bars

__all__ = ["deviation", "mean", "rsi", "rsi_lookback"]


def mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last `window` rows, shape as given; NaN before.

    Each window is added up on its own, in one order: a running sum would carry what left it long ago.
    """
    out = np.full(values.shape, np.nan)
    if len(values) >= window:
        out[window - 1 :] = _sum(_rows(values, window)) / window
    return out


def deviation(values: np.ndarray, window: int) -> np.ndarray:
    """Return the standard deviation of the last `window` rows (divided by their number), shape as given; NaN before."""
    out = np.full(values.shape, np.nan)
    if len(values) >= window:
        rows = _rows(values, window)
        middle = _sum(rows) / window
        out[window - 1 :] = np.sqrt(_sum([(row - middle) ** 2 for row in rows]) / window)
    return out


def _rows(values: np.ndarray, window: int) -> list[np.ndarray]:
    """Return the oldest rows of all windows, the second oldest, and so on: views."""
    return [values[k : len(values) - window + 1 + k] for k in range(window)]


def _sum(rows: list[np.ndarray]) -> np.ndarray:
    total = rows[0].copy()
    for row in rows[1:]:
        total += row
    return total


def rsi(bars: Bars, window: int) -> pd.DataFrame:
    """Return Wilder's relative strength index of the closes, shape (T, N), 0 to 100; 50 where no close has moved."""
    import talib

    def made(close: np.ndarray) -> np.ndarray:
        return 50.0 + talib.CMO(close, timeperiod=window) / 2.0  # Wilder's averages too, and 0 where TA-Lib's RSI divides 0 by 0

    return _each(bars, made, window)


def rsi_lookback(window: int) -> int:
    """Return after how many bars Wilder's averages have forgotten older ones to 1e-10."""
    return window + 1 + (math.ceil(math.log(1e-10) / math.log1p(-1.0 / window)) if window > 1 else 0)


def _each(bars: Bars, make: Callable[[np.ndarray], np.ndarray], window: int) -> pd.DataFrame:
    close = bars.columns("close")
    out = np.array([make(row) if len(row) > window else np.full(len(row), np.nan) for row in close])
    return bars.laid_out(out.T)
