"""Averages: simple, exponential, Wilder's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.indicators._base import columnwise, decay, rolling

__all__ = ["ema", "ema_lookback", "sma", "smoothed", "wilder", "wilder_lookback"]


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
    return columnwise(bars, ("sma", field, window), (field,), lambda c: rolling("SMA", c[0], window), window)


def ema(bars: Bars, window: int, field: str = "close") -> pd.DataFrame:
    """Return the exponential moving average.

    Each bar moves it by 2 / (`window` + 1) of the way to the new value. It starts at the `window`-th bar, with the simple
    mean of the first `window`, as TA-Lib and StockCharts do; pandas and TradingView start from the first value instead.

    Parameters
    ----------
    bars : Bars
    window : int
        Bars, also called the span.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        NaN in the first `window` - 1 bars of each instrument and at its holes.

    Examples
    --------
    >>> import workbench as wb
    >>> int(ema(wb.simulate(days=1, seed=1), 3).isna().sum().iloc[0])
    2
    """
    return columnwise(bars, ("ema", field, window), (field,), lambda c: smoothed(c[0], window, 2.0 / (window + 1)), window)


def ema_lookback(window: int) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in `ema`: about 12 windows."""
    return decay(window, 2.0 / (window + 1))


def wilder(bars: Bars, window: int, field: str = "close") -> pd.DataFrame:
    """Return Wilder's moving average: each bar moves it by 1 / `window`; it starts with the mean of the first `window` bars.

    The same as an exponential average of 2 x `window` - 1 bars but for its start.

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

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> import workbench as wb
    >>> int(wilder(wb.simulate(days=1, seed=1), 3).isna().sum().iloc[0])
    2
    """
    return columnwise(bars, ("wilder", field, window), (field,), lambda c: smoothed(c[0], window, 1.0 / window), window)


def wilder_lookback(window: int) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in `wilder`: about 23 windows."""
    return decay(window, 1.0 / window)


def smoothed(values: np.ndarray, window: int, alpha: float) -> np.ndarray:
    """Return the running average of values without holes, started with the mean of the first `window`; NaN before.

    TA-Lib's EMA is the same, but its start hangs on a setting of the whole process (`set_compatibility`), and it has no
    average of Wilder's kind.
    """
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        going = values[window - 1 :].copy()
        going[0] = values[:window].mean()
        out[window - 1 :] = pd.Series(going).ewm(alpha=alpha, adjust=False).mean()
    return out
