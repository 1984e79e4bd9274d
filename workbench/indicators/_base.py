"""What the indicators share: one instrument after the other without its holes, remembered; and comparison with ties."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.errors import ParameterError, did_you_mean

__all__ = ["TIE", "Columns", "columnwise", "compare", "decay", "require_number", "require_short", "require_window", "rolling"]

#: Two numbers nearer than this are a tie (SEMANTICS 6).
TIE = 1e-9
#: The weight at which what is older counts as forgotten: well below a tie.
FORGOTTEN = 1e-10
#: TA-Lib knows no longer window.
LONGEST = 100_000
#: Numbers in a strip of a comparison.
STRIP = 1 << 15
Columns = tuple[np.ndarray, ...]


def compare(left: Any, right: Any) -> Any:
    """Return +1 where left is above right, -1 where below, 0 at a tie of 1e-9, NaN where either is NaN.

    Parameters
    ----------
    left, right : DataFrame or ndarray of shape (T, N)

    Returns
    -------
    DataFrame or ndarray of shape (T, N)
        As both came.

    Examples
    --------
    >>> compare(pd.DataFrame([1.0, 2.0, 3.0]), pd.DataFrame([2.0, 2.0, 2.0]))[0].tolist()
    [-1.0, 0.0, 1.0]
    """
    if isinstance(left, np.ndarray):
        return _signs(left, right)
    a, b = left.to_numpy(float), right.to_numpy(float)
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
        np.copyto(sign[strip], 0.0, where=np.abs(gap, out=gap) <= tie)
    return sign


def columnwise(
    bars: Bars, key: tuple[object, ...], fields: tuple[str, ...], make: Callable[[Columns], np.ndarray], *windows: int
) -> pd.DataFrame:
    """Run `make` on each instrument's bars without its holes, once per Bars object and `key`, whose first word is the name."""
    if not isinstance(bars, Bars):
        raise ParameterError(f"{key[0]} takes wb.Bars, got {type(bars).__name__}; of another field than the close: field='high'")
    for window in windows:
        require_window(str(key[0]), window)
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
        return bars.laid_out(make(tuple(array[0] for array in arrays))[:, None])
    out = np.empty((count, labels))
    if bars.whole:
        for j in range(count if labels else 0):
            out[j] = make(tuple([array[j] for array in arrays]))
    else:
        out.fill(np.nan)
        for j in range(count):
            rows = np.flatnonzero(bars.present[:, j])
            if len(rows):
                out[j, rows] = make(tuple([array[j, rows] for array in arrays]))
    return bars.laid_out(out.T)


def require_window(name: str, window: object, least: int = 1) -> None:
    """Refuse what is no whole number of bars."""
    if not isinstance(window, (int, np.integer)) or isinstance(window, bool) or window < least:
        raise ParameterError(f"{name}: window must be a whole number of bars, at least {least}, got {window!r}")


def require_short(name: str, window: int) -> None:
    """Refuse a window that TA-Lib would refuse in a riddle."""
    if window > LONGEST:
        raise ParameterError(f"{name}: window must be at most {LONGEST:,} bars, got {window:,}: coarser bars (bars.at) need fewer")


def require_number(name: str, what: str, value: float) -> None:
    """Refuse what is no positive number."""
    if not isinstance(value, (int, float, np.number)) or not 0 < value < math.inf:
        raise ParameterError(f"{name}: {what} must be a positive number, got {value!r}")


def decay(window: int, alpha: float) -> int:
    """Return after how many bars what came before them weighs less than 1e-10 in an average that lets `alpha` of it go each bar."""
    return window if alpha == 1.0 else window + math.ceil(math.log(FORGOTTEN) / math.log1p(-alpha))


def rolling(name: str, values: np.ndarray, window: int) -> np.ndarray:
    """Run one of TA-Lib's functions over a window; NaN until it is full."""
    require_short(name.lower(), window)
    if window == 1:
        return values.copy()
    if len(values) < window:
        return np.full(len(values), np.nan)
    result: np.ndarray = _plain(name)(values, timeperiod=window)
    return result


@cache
def _plain(name: str) -> Callable[..., np.ndarray]:
    """Return one of TA-Lib's functions without what it wraps around it for tables: as long as the mean of ten years of days takes."""
    import talib

    function = getattr(talib, name)
    return getattr(function, "__wrapped__", function)
