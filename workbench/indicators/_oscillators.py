"""Momentum and oscillators."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.indicators._averages import ema_lookback, smoothed, wilder_lookback
from workbench.indicators._base import TIE, columnwise, require_window

__all__ = ["MacdLines", "macd", "macd_lookback", "momentum", "rsi", "rsi_lookback"]


def momentum(bars: Bars, window: int, skip: int = 0, field: str = "close") -> pd.DataFrame:
    """Return the rate of change over a window: the value of `skip` bars ago by that of `window` bars ago, less 1.

    Parameters
    ----------
    bars : Bars
    window : int
        Bars.
    skip : int, default 0
        How many of the newest bars are left out; below `window`.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        A fraction: 0.1 is 10 %. NaN in the first `window` bars and at holes.

    Examples
    --------
    >>> import workbench as wb
    >>> int(momentum(wb.simulate(days=1, seed=1), 5).isna().sum().iloc[0])
    5
    """
    require_window("momentum", window)
    if not isinstance(skip, (int, np.integer)) or not 0 <= skip < window:
        raise ParameterError(f"momentum: skip must be a whole number from 0 to below window={window}, got {skip!r}")
    return columnwise(bars, ("momentum", field, window, skip), (field,), lambda c: _change(c[0], window, skip))


def rsi(bars: Bars, window: int = 14, field: str = "close") -> pd.DataFrame:
    """Return the relative strength index: the average gain by the sum of average gain and average loss, times 100.

    Averages are Wilder's, started with the mean of the first `window` changes, so the first value stands at bar
    `window` + 1, as in TA-Lib and StockCharts. Where both averages together are below 1e-9 of the value, in a market that
    stands still, the index is 50; TA-Lib gives 0 there, which would read as oversold.

    Parameters
    ----------
    bars : Bars
    window : int, default 14
        Changes.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        From 0 to 100; NaN in the first `window` bars and at holes.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> import workbench as wb
    >>> bool(rsi(wb.simulate(days=2, seed=1)).iloc[14:].stack().between(0, 100).all())
    True
    """
    return columnwise(bars, ("rsi", field, window), (field,), lambda c: _rsi(c[0], window), window)


def rsi_lookback(window: int = 14) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in the averages of `rsi`."""
    return wilder_lookback(window) + 1


class MacdLines(NamedTuple):
    """What `macd` gives: DataFrames of shape (T, N) in price units."""

    line: pd.DataFrame
    signal: pd.DataFrame
    histogram: pd.DataFrame


def macd(bars: Bars, fast: int = 12, slow: int = 26, signal: int = 9, field: str = "close") -> MacdLines:
    """Return the convergence and divergence of two exponential averages.

    The line is ``ema(fast) - ema(slow)``, the signal its exponential average, the histogram line - signal. Each average
    starts with the simple mean of its first values: the fast one at bar `fast`, the slow one, and so the line, at bar
    `slow`, the signal `signal` - 1 bars after. TA-Lib starts the fast one later, with the `fast` bars before `slow`, and
    shows no line before the signal; the difference fades.

    Parameters
    ----------
    bars : Bars
    fast, slow, signal : int, default 12, 26, 9
        Bars; `fast` below `slow`.
    field : str, default "close"

    Returns
    -------
    MacdLines

    References
    ----------
    Appel, G. (1979). The Moving Average Convergence-Divergence Trading Method.

    Examples
    --------
    >>> import workbench as wb
    >>> line, signal, histogram = macd(wb.simulate(days=3, seed=1))
    >>> int(line.notna().to_numpy().argmax()), int(signal.notna().to_numpy().argmax())
    (25, 33)
    """
    for window in (fast, slow, signal):
        require_window("macd", window)
    if fast >= slow:
        raise ParameterError(f"macd: fast must be below slow, got fast={fast}, slow={slow}")
    key = ("macd", field, fast, slow)
    line = columnwise(bars, key, (field,), lambda c: _line(c[0], fast, slow))
    average = columnwise(bars, (*key, signal), (field,), lambda c: _signal(_line(c[0], fast, slow), slow, signal))
    return bars.memo(("indicator", *key, signal, "lines"), lambda: MacdLines(line, average, line - average))


def macd_lookback(fast: int = 12, slow: int = 26, signal: int = 9) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in the lines of `macd`."""
    return ema_lookback(slow) + ema_lookback(signal) - 1


def _change(values: np.ndarray, window: int, skip: int) -> np.ndarray:
    out = np.full(len(values), np.nan)
    if len(values) > window:
        with np.errstate(divide="ignore", invalid="ignore"):
            out[window:] = values[window - skip : len(values) - skip] / values[:-window] - 1.0
    return out


def _rsi(values: np.ndarray, window: int) -> np.ndarray:
    change = np.diff(values)
    gain, loss = (smoothed(np.maximum(side, 0.0), window, 1.0 / window) for side in (change, -change))
    still = gain + loss <= TIE * np.abs(values[1:])
    index = 100.0 * gain / np.where(still, 1.0, gain + loss)
    return np.concatenate(([np.nan], np.where(still, 50.0, index)))


def _line(values: np.ndarray, fast: int, slow: int) -> np.ndarray:
    return smoothed(values, fast, 2.0 / (fast + 1)) - smoothed(values, slow, 2.0 / (slow + 1))


def _signal(line: np.ndarray, slow: int, window: int) -> np.ndarray:
    out = np.full(len(line), np.nan)
    out[slow - 1 :] = smoothed(line[slow - 1 :], window, 2.0 / (window + 1))
    return out
