"""The past returns that limits on losses look back at."""

from __future__ import annotations

import numpy as np

from workbench.bars import Bars

__all__ = ["DECAY", "filtered_returns", "own_returns"]

#: What each step back weighs in RiskMetrics' volatility, of the weight of the one after it.
DECAY = 0.94


def own_returns(bars: Bars) -> np.ndarray:
    """Return each instrument's return from its own bar before, shape (T, N); NaN at its first bar and at holes."""
    close = bars.array("close")
    if bars.whole:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.concatenate([np.full((min(1, len(close)), close.shape[1]), np.nan), close[1:] / close[:-1] - 1.0])
    out = np.full(close.shape, np.nan)
    for j in range(close.shape[1]):
        rows = np.flatnonzero(bars.present[:, j])
        out[rows[1:], j] = close[rows[1:], j] / close[rows[:-1], j] - 1.0
    return out


def filtered_returns(bars: Bars) -> np.ndarray:
    """Return each return over the volatility that was known before it, and beside them the volatility known now, shape (T, 2 N).

    What is known stays known over steps without a bar; a return is none there.
    """
    returns = own_returns(bars)
    scaled, known = np.full(returns.shape, np.nan), np.full(returns.shape, np.nan)
    for j in range(returns.shape[1]):
        rows = np.flatnonzero(~np.isnan(returns[:, j]))
        if len(rows) > 1:
            volatility = np.sqrt(_smoothed(returns[rows, j] ** 2))
            with np.errstate(invalid="ignore", divide="ignore"):
                scaled[rows[1:], j] = returns[rows[1:], j] / volatility[:-1]
            newest = np.searchsorted(rows, np.arange(len(returns)), side="right") - 1
            known[rows[0] :, j] = volatility[newest[rows[0] :]]
    return np.concatenate([scaled, known], axis=1)


def _smoothed(squares: np.ndarray) -> np.ndarray:
    """Return the exponential average of squares, each weighed by the decay from the newest back."""
    import pandas as pd

    return np.asarray(pd.Series(squares).ewm(alpha=1.0 - DECAY, adjust=True).mean(), dtype=float)
