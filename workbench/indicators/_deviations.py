"""How far values lie apart: deviation, z-score, volatility.

Each window is worked out from its own values, as differences from its newest one, in the same order of additions wherever
it stands. A running sum of squares would lose all digits of a small move of a large price (pandas: 4e-5 of the deviation
where a price of 100,000 moves by 0.001), and keep a trace of everything that ever passed through it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.indicators._averages import smoothed
from workbench.indicators._base import columnwise, decay, require_window

__all__ = ["deviation", "ewma_lookback", "ewma_volatility", "volatility", "volatility_quantile", "zscore"]


def deviation(bars: Bars, window: int, ddof: int = 0, field: str = "close") -> pd.DataFrame:
    """Return the standard deviation of the last `window` bars.

    Parameters
    ----------
    bars : Bars
    window : int
        Bars, more than `ddof`.
    ddof : int, default 0
        The sum of squares is divided by `window` - `ddof`: 0 is the population's (Bollinger), 1 the sample's.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        In the field's units; exactly 0 where nothing moved; NaN in the first `window` - 1 bars and at holes.

    Examples
    --------
    >>> import workbench as wb
    >>> float(deviation(wb.simulate(days=1, seed=1), 20).iloc[-1, 0]) > 0
    True
    """
    require_window("deviation", window, _least("deviation", ddof))
    return columnwise(bars, ("deviation", field, window, ddof), (field,), lambda c: _deviation(c[0], window, ddof), window)


def zscore(bars: Bars, window: int, ddof: int = 0, field: str = "close") -> pd.DataFrame:
    """Return how many standard deviations the newest value lies above the mean of the last `window`, itself included.

    Parameters
    ----------
    bars : Bars
    window : int
        Bars, more than `ddof`.
    ddof : int, default 0
        As in `deviation`.
    field : str, default "close"

    Returns
    -------
    DataFrame of shape (T, N)
        0 where nothing moved: the value is at its mean. NaN in the first `window` - 1 bars and at holes.

    Examples
    --------
    >>> import workbench as wb
    >>> int(zscore(wb.simulate(days=1, seed=1), 20).isna().sum().iloc[0])
    19
    """
    require_window("zscore", window, _least("zscore", ddof))
    return columnwise(bars, ("zscore", field, window, ddof), (field,), lambda c: _zscore(c[0], window, ddof), window)


def volatility(bars: Bars, window: int, ddof: int = 1) -> pd.DataFrame:
    """Return the standard deviation of the last `window` log returns of the close, a bar: nothing is annualised.

    Parameters
    ----------
    bars : Bars
    window : int
        Returns, more than `ddof`; one bar more is needed.
    ddof : int, default 1
        As in `deviation`; 1 is the sample's.

    Returns
    -------
    DataFrame of shape (T, N)
        A fraction: 0.01 is 1 % a bar. NaN in the first `window` bars, at holes, and where a price is not above 0.

    Examples
    --------
    >>> import workbench as wb
    >>> bool(volatility(wb.simulate(days=2, seed=1), 20).iloc[-1, 0] < 0.1)
    True
    """
    require_window("volatility", window, _least("volatility", ddof))
    return columnwise(bars, ("volatility", window, ddof), ("close",), lambda c: _volatility(c[0], window, ddof), window)


def ewma_volatility(bars: Bars, span: int) -> pd.DataFrame:
    """Return the root of the exponential average of squared log returns of the close, a bar: nothing is annualised.

    Each bar moves the average by 2 / (`span` + 1) of the way to the new square; it starts with the mean of the first `span` squares.
    No mean is taken off. A span of 32 is the decay of 0.94 of RiskMetrics (1996).

    Parameters
    ----------
    bars : Bars
    span : int
        At least 2.

    Returns
    -------
    DataFrame of shape (T, N)
        A fraction: 0.01 is 1 % a bar. NaN in the first `span` bars, at holes, and where a price is not above 0.

    Examples
    --------
    >>> import workbench as wb
    >>> int(ewma_volatility(wb.simulate(days=1, seed=1), 32).isna().sum().iloc[0])
    32
    """
    require_window("ewma_volatility", span, 2)
    return columnwise(bars, ("ewma_volatility", span), ("close",), lambda c: _ewma(c[0], span))


def ewma_lookback(span: int) -> int:
    """Return after how many bars older ones weigh less than 1e-10 in `ewma_volatility`."""
    return decay(span + 1, 2.0 / (span + 1))


def _ewma(close: np.ndarray, span: int) -> np.ndarray:
    out = np.full(len(close), np.nan)
    if len(close) > span:
        with np.errstate(invalid="ignore", divide="ignore"):
            out[1:] = np.sqrt(smoothed(np.diff(np.log(close)) ** 2, span, 2.0 / (span + 1)))
    return out


def volatility_quantile(bars: Bars, window: int, trailing: int, quantile: float) -> pd.DataFrame:
    """Return a quantile of the last `trailing` values of `volatility`, the newest included, interpolated between two of them.

    Parameters
    ----------
    bars : Bars
    window : int
        Returns in a volatility.
    trailing : int
        Volatilities to take the quantile of.
    quantile : float
        From 0 to 1: 0.5 is the median.

    Returns
    -------
    DataFrame of shape (T, N)
        NaN in the first `window` + `trailing` - 1 bars and at holes.
    """
    if not 0 <= quantile <= 1:
        raise ParameterError(f"volatility_quantile: quantile must lie between 0 and 1, got {quantile!r}")
    require_window("volatility_quantile", window, 2)
    key = ("volatility_quantile", window, trailing, quantile)
    return columnwise(bars, key, ("close",), lambda c: _trailing(_volatility(c[0], window, 1), trailing, quantile), trailing)


def _least(name: str, ddof: int) -> int:
    if ddof not in (0, 1):
        raise ParameterError(f"{name}: ddof must be 0 (population) or 1 (sample), got {ddof!r}")
    return ddof + 1


def _moments(values: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean - newest, and the sum of squares about the mean, of each full window."""
    newest, last = values[window - 1 :], len(values)
    lags = [values[window - 1 - k : last - k] for k in range(1, window)]
    mean = np.zeros(len(newest))
    for lag in lags:
        mean += lag - newest
    mean /= window
    squares = mean * mean
    for lag in lags:
        gap = lag - newest
        gap -= mean
        gap *= gap
        squares += gap
    return mean, squares


def _deviation(values: np.ndarray, window: int, ddof: int) -> np.ndarray:
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        out[window - 1 :] = np.sqrt(_moments(values, window)[1] / (window - ddof))
    return out


def _zscore(values: np.ndarray, window: int, ddof: int) -> np.ndarray:
    out = np.full(len(values), np.nan)
    if len(values) >= window:
        mean, squares = _moments(values, window)
        spread = np.sqrt(squares / (window - ddof))
        out[window - 1 :] = (0.0 - mean) / np.where(spread > 0, spread, 1.0)
    return out


def _volatility(close: np.ndarray, window: int, ddof: int) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        changes = np.diff(np.log(np.where(close > 0, close, np.nan)))
    return np.concatenate(([np.nan], _deviation(changes, window, ddof)))


def _trailing(values: np.ndarray, window: int, quantile: float) -> np.ndarray:
    return pd.Series(values).rolling(window).quantile(quantile).to_numpy()
