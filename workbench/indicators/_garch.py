"""Volatility forecasts by GARCH: parameters that stand for a stretch of time, and a variance that every bar moves."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.indicators._base import require_window

__all__ = ["Fitted", "fitted", "garch_lookback", "garch_volatility"]

#: Fewer returns than this leave the parameters to chance.
LEAST = 100
#: A fit that fails is stood in for by so many before it; one more and the look-back had no end.
KEPT = 1


class Fitted(NamedTuple):
    """A GARCH(1, 1): ``variance = omega + alpha x return^2 + beta x variance``, and the variance that it starts from."""

    omega: float
    alpha: float
    beta: float
    start: float

    def following(self, variance: float, change: float) -> float:
        """Return the variance of the next bar."""
        return self.omega + self.alpha * change * change + self.beta * variance


def garch_volatility(bars: Bars, window: int = 500, refit: int = 200, newest: bool = False) -> pd.DataFrame:
    """Return the standard deviation that a GARCH(1, 1) expects of the next log return of the close: nothing is annualised.

    The parameters are fitted by the `arch` library (mean 0, normal errors, maximum likelihood) on the last `window` returns, at the first
    bar of each stretch of `refit` intervals by the clock, counted from 1970: at the same bars whatever bar the history begins with.
    Between two fits each bar moves the variance by the plain recursion. No fit begins where another one ended, so that older bars are
    forgotten. A fit that fails keeps the parameters of the one before; two in a row leave nothing to say.

    Parameters
    ----------
    bars : Bars
    window : int, default 500
        Returns, at least 100.
    refit : int, default 200
        Intervals. A fit takes about 30 ms.
    newest : bool, default False
        Whether only the last row will be looked at; the others are then NaN.

    Returns
    -------
    DataFrame of shape (T, N)
        A fraction: 0.01 is 1 % a bar. NaN until a fit has a full window, at holes, and for a window after a price that is not above 0.

    Raises
    ------
    ParameterError
        Too short a window, or no whole number of bars.

    References
    ----------
    Bollerslev, T. (1986). Generalized Autoregressive Conditional Heteroskedasticity. Journal of Econometrics 31.

    Examples
    --------
    >>> import workbench as wb
    >>> forecast = garch_volatility(wb.simulate(bars=300, interval="1h", seed=1), window=100, refit=50)
    >>> bool(forecast.iloc[-1, 0] < 0.1)
    True
    """
    require_window("garch_volatility", window, LEAST)
    require_window("garch_volatility (refit)", refit)
    key = ("indicator", "garch_volatility", window, refit, newest)
    return bars.memo(key, lambda: bars.laid_out(_laid_out(bars, window, refit, newest)))


def garch_lookback(window: int, refit: int) -> int:
    """Return how many bars `garch_volatility` looks back at: a window before the oldest fit that may stand in."""
    return window + (1 + KEPT) * refit


def _laid_out(bars: Bars, window: int, refit: int, newest: bool) -> np.ndarray:
    """Work out one instrument after the other, without its holes."""
    out, close, stretch = np.full(bars.shape, np.nan), bars.array("close"), bars.labels // (refit * bars.interval_ns)
    for j in range(bars.shape[1]):
        rows = np.flatnonzero(bars.present[:, j])
        out[rows, j] = _forecasts(close[rows, j], stretch[rows], window, len(rows) - 1 if newest else 0)
    return out


def _forecasts(close: np.ndarray, stretch: np.ndarray, window: int, first: int) -> np.ndarray:
    """Return the forecast at each bar from row `first` on, NaN before it."""
    out = np.full(len(close), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        changes = np.append(np.nan, np.diff(np.log(np.where(close > 0, close, np.nan))))
    begins = np.flatnonzero(np.diff(stretch)) + 1
    anchors = begins[begins >= window].tolist()
    for k, (anchor, end) in enumerate(pairwise([*anchors, len(close)])):
        found = _found(changes, anchors[max(k - KEPT, 0) : k + 1], window) if end > first else None
        if found is not None:
            out[anchor:end] = _filtered(found, changes[anchor - window + 1 : end].tolist())[window - 1 :]
    out[:first] = np.nan
    return out


def _found(changes: np.ndarray, anchors: list[int], window: int) -> Fitted | None:
    """Return the newest fit that did not fail."""
    tried = (fitted(changes[anchor - window + 1 : anchor + 1].tobytes()) for anchor in reversed(anchors))
    return next((one for one in tried if one is not None), None)


def _filtered(found: Fitted, changes: list[float]) -> list[float]:
    """Return the deviation that is expected after each return."""
    out, variance = [], found.following(found.start, math.sqrt(found.start))
    for change in changes:
        variance = found.following(variance, change)
        out.append(math.sqrt(variance))
    return out


@lru_cache(maxsize=1024)
def fitted(window: bytes) -> Fitted | None:
    """Return the parameters that fit a window of returns best; None where the search fails, or nothing moved.

    The same returns give the same parameters, so a live run asks once for a stretch.

    Parameters
    ----------
    window : bytes
        Of an array of floats: what a cache can be asked for.
    """
    from arch.univariate import GARCH, ZeroMean

    changes = np.frombuffer(window)
    scale = math.sqrt(float(np.mean(changes * changes)))
    if not 0.0 < scale < math.inf:
        return None
    model = ZeroMean(changes / scale, volatility=GARCH(), rescale=False)  # the search wants numbers about 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of starting values and of the optimizer: its flag is looked at
        try:
            result = model.fit(disp="off", show_warning=False)
        except (ArithmeticError, ValueError):
            return None
    omega, alpha, beta = map(float, result.params)
    start = float(model.volatility.backcast(changes / scale))
    known = result.convergence_flag == 0 and all(map(math.isfinite, (omega, alpha, beta)))
    return Fitted(omega * scale * scale, alpha, beta, start * scale * scale) if known else None
