"""Indicators: causal functions of bars, computed once per Bars object and parameter.

Each instrument's missing bars are skipped and stay NaN. Running sums go from the first bar on, so the value at a bar does
not depend on how many bars follow (law 1), and equals that of a longer history to 1e-9 once `lookback` bars have passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.errors import ParameterError, did_you_mean

__all__ = ["atr", "atr_lookback", "compare", "highest", "lowest", "sma", "true_range"]

#: Two numbers nearer than this are a tie (SEMANTICS 6).
TIE = 1e-9
#: Numbers in a strip of a comparison.
STRIP = 1 << 15
Columns = tuple[np.ndarray, ...]


def sma(bars: Bars, window: int, field: str = "close") -> pd.DataFrame:
    """Return the simple moving average.

    Parameters
    ----------
    bars : Bars
    window : int
        Bars.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        NaN in the first `window` - 1 bars of each instrument and at its holes.

    Examples
    --------
    >>> import workbench as wb
    >>> float(sma(wb.simulate(days=1, seed=1), 3).iloc[2, 0]) > 0
    True
    """
    return _columnwise(bars, ("sma", field, window), (field,), lambda c: _mean(c[0], window), window)


def true_range(bars: Bars) -> pd.DataFrame:
    """Return the true range, shape (T, N); that of the first bar is high - low (Wilder, 1978)."""
    return _columnwise(bars, ("tr",), ("high", "low", "close"), _true_range, 1)


def atr(bars: Bars, window: int = 14, average: str = "wilder") -> pd.DataFrame:
    """Return the average true range.

    Parameters
    ----------
    bars : Bars
    window : int, default 14
        Bars.
    average : {"wilder", "simple"}, default "wilder"
        Wilder's smoothing, started with the mean of the first `window` true ranges, or the mean of the last `window`.
        The first true range is high - low.

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
    return _columnwise(bars, ("atr", average, window), ("high", "low", "close"), lambda c: make(c, window), window)


def atr_lookback(window: int, average: str = "wilder") -> int:
    """Return after how many bars older ones change the average by less than 1e-9 of it.

    A true range needs the close before it: one bar more than the window.
    """
    if average == "simple" or window == 1:
        return window + 1
    return window + math.ceil(math.log(1e-10) / math.log1p(-1.0 / window))


def highest(bars: Bars, window: int, field: str = "high") -> pd.DataFrame:
    """Return the highest value of the last `window` bars, shape (T, N); NaN before."""
    return _columnwise(bars, ("max", field, window), (field,), lambda c: _rolling("MAX", c[0], window), window)


def lowest(bars: Bars, window: int, field: str = "low") -> pd.DataFrame:
    """Return the lowest value of the last `window` bars, shape (T, N); NaN before."""
    return _columnwise(bars, ("min", field, window), (field,), lambda c: _rolling("MIN", c[0], window), window)


def compare(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Return +1 where left is above right, -1 where below, 0 at a tie of 1e-9, NaN where either is NaN.

    Examples
    --------
    >>> compare(pd.DataFrame([1.0, 2.0, 3.0]), pd.DataFrame([2.0, 2.0, 2.0]))[0].tolist()
    [-1.0, 0.0, 1.0]
    """
    a, b = left.to_numpy(), right.to_numpy()
    # Column by column where columns lie together in memory.
    sign = _signs(a, b) if a.flags.c_contiguous else _signs(a.T, b.T).T
    return pd.DataFrame(sign, left.index, left.columns, copy=False)


def _signs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the sign of a - b, strip by strip, so that what lies between stays in the processor's cache."""
    sign = np.empty(a.shape)
    height = STRIP // max(a.shape[1], 1) + 1
    for first in range(0, len(a), height):
        strip = slice(first, first + height)
        gap = a[strip] - b[strip]
        tie = np.abs(b[strip])
        tie *= TIE
        np.sign(gap, out=sign[strip])
        sign[strip][np.abs(gap, out=gap) <= tie] = 0.0
    return sign


def _columnwise(
    bars: Bars, key: tuple[object, ...], fields: tuple[str, ...], make: Callable[[Columns], np.ndarray], window: int
) -> pd.DataFrame:
    """Run `make` on each instrument's bars without its holes, once per Bars object."""
    if not isinstance(window, (int, np.integer)) or window < 1:
        raise ParameterError(f"{key[0]}: window must be a whole number of bars, at least 1, got {window!r}")
    for field in fields:
        if field not in FIELDS:
            raise ParameterError(f"{key[0]}: bars have no field {field!r}{did_you_mean(str(field), FIELDS)}")
    if "volume" in fields:
        bars.volume  # noqa: B018  refused in a sentence where there is none
    return bars.memo(("indicator", *key), lambda: _compute(bars, fields, make))


def _compute(bars: Bars, fields: tuple[str, ...], make: Callable[[Columns], np.ndarray]) -> pd.DataFrame:
    arrays = [bars.columns(field) for field in fields]
    labels, count = bars.shape
    if count == 1 and bars.whole and labels:
        return pd.DataFrame(make(tuple(array[0] for array in arrays))[:, None], bars.index, bars.symbols, copy=False)
    out = np.full((count, labels), np.nan)
    for j in range(count):
        rows = slice(None) if bars.whole else np.flatnonzero(bars.present[:, j])
        columns = tuple(array[j, rows] for array in arrays)
        if len(columns[0]):
            out[j, rows] = make(columns)
    return pd.DataFrame(out.T, bars.index, bars.symbols, copy=False)


def _rolling(name: str, values: np.ndarray, window: int) -> np.ndarray:
    import talib

    if window == 1:
        return values.copy()
    if len(values) < window:
        return np.full(len(values), np.nan)
    result: np.ndarray = getattr(talib, name)(values, timeperiod=window)
    return result


def _mean(values: np.ndarray, window: int) -> np.ndarray:
    return _rolling("SMA", values, window)


def _led(columns: Columns) -> Columns:
    """Put a copy of the first bar in front: the true range of the first bar is then its high - low."""
    return tuple(np.concatenate((column[:1], column)) for column in columns)


def _true_range(columns: Columns) -> np.ndarray:
    import talib

    result: np.ndarray = talib.TRANGE(*columns)
    result[0] = columns[0][0] - columns[1][0]
    return result


def _simple_atr(columns: Columns, window: int) -> np.ndarray:
    return _mean(_true_range(columns), window)


def _wilder_atr(columns: Columns, window: int) -> np.ndarray:
    import talib

    if len(columns[0]) < window:
        return np.full(len(columns[0]), np.nan)
    result: np.ndarray = talib.ATR(*_led(columns), timeperiod=window)[1:]
    return result


def __dir__() -> list[str]:
    return sorted(__all__)
