"""Ranges: the true range and its average, the highest and the lowest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.indicators._averages import wilder_lookback
from workbench.indicators._base import Columns, columnwise, require_short, rolling

__all__ = ["atr", "atr_lookback", "highest", "lowest", "true_range"]


def true_range(bars: Bars) -> pd.DataFrame:
    """Return the true range, shape (T, N); that of the first bar is high - low (Wilder, 1978)."""
    return columnwise(bars, ("tr",), ("high", "low", "close"), _true_range)


def atr(bars: Bars, window: int = 14, average: str = "wilder") -> pd.DataFrame:
    """Return the average true range.

    Parameters
    ----------
    bars : Bars
    window : int, default 14
        Bars.
    average : {"wilder", "simple"}, default "wilder"
        Wilder's smoothing, started with the mean of the first `window` true ranges, or the mean of the last `window`.
        The first true range is high - low, so the first value stands at the `window`-th bar; TA-Lib leaves the first
        bar out and begins one bar later.

    Returns
    -------
    DataFrame of shape (T, N)
        In price units; NaN in the first `window` - 1 bars of each instrument and at its holes.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.
    """
    if average not in ("wilder", "simple"):
        near = did_you_mean(str(average), ("wilder", "simple"))
        raise ParameterError(f"atr: average must be 'wilder' or 'simple', got {average!r}{near}")
    make = _wilder_atr if average == "wilder" else _simple_atr
    return columnwise(bars, ("atr", average, window), ("high", "low", "close"), lambda c: make(c, window), window)


def atr_lookback(window: int, average: str = "wilder") -> int:
    """Return after how many bars older ones change the average by less than 1e-9 of it.

    A true range needs the close before it: one bar more than the window.
    """
    if average == "simple" or window == 1:
        return window + 1
    return wilder_lookback(window)


def highest(bars: Bars, window: int, field: str = "high") -> pd.DataFrame:
    """Return the highest value of the last `window` bars, shape (T, N); NaN before."""
    return columnwise(bars, ("max", field, window), (field,), lambda c: rolling("MAX", c[0], window), window)


def lowest(bars: Bars, window: int, field: str = "low") -> pd.DataFrame:
    """Return the lowest value of the last `window` bars, shape (T, N); NaN before."""
    return columnwise(bars, ("min", field, window), (field,), lambda c: rolling("MIN", c[0], window), window)


def _led(columns: Columns) -> Columns:
    """Put a copy of the first bar in front: the true range of the first bar is then its high - low."""
    return tuple(np.concatenate((column[:1], column)) for column in columns)


def _true_range(columns: Columns) -> np.ndarray:
    import talib

    result: np.ndarray = talib.TRANGE(*columns)
    result[0] = columns[0][0] - columns[1][0]
    return result


def _simple_atr(columns: Columns, window: int) -> np.ndarray:
    return rolling("SMA", _true_range(columns), window)


def _wilder_atr(columns: Columns, window: int) -> np.ndarray:
    import talib

    require_short("atr", window)
    if len(columns[0]) < window:
        return np.full(len(columns[0]), np.nan)
    result: np.ndarray = talib.ATR(*_led(columns), timeperiod=window)[1:]
    return result
