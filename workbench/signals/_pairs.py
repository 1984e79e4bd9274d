"""The spread of two instruments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.signals._base import SignalGenerator
from workbench.signals._zscore import check_levels, reversion_events

__all__ = ["PairsSpread"]

#: A spread of log prices that is not above this is rounding, and 0.
STILL = 1e-12


class PairsSpread(SignalGenerator):
    """Against a spread of two instruments that has run away: long the cheap one and short the dear one until it comes back.

    The spread is the newest residual of a least-squares line of the log prices of the first on those of the second, over
    the last `window` bars that both have; its z-score is the residual by the residuals' deviation (of the population). The
    slope is the hedge ratio; where it is not positive the two do not move together, and both stances are 0. Events are
    those of `ZScore`, +1 on one instrument and -1 on the other; other instruments get no opinion. How much is bought of
    each is the sizer's business: equal money with `TargetWeights` or `FixedFraction`, not the hedge ratio.

    Parameters
    ----------
    window : int, default 60
        Bars of the line, at least 3.
    entry : float, default 2
        Deviations at which it enters.
    exit : float, default 0.5
        At which it leaves, from 0 to below `entry`.
    first, second : str, optional
        Symbols; without them the bars must hold exactly two instruments.

    References
    ----------
    Gatev, E., Goetzmann, W. N. and Rouwenhorst, K. G. (2006). Pairs trading: performance of a relative-value arbitrage
    rule. Review of Financial Studies 19(3).

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(["A", "B"], bars=300, seed=1)
    >>> bool((PairsSpread().stances(bars).sum(axis=1) == 0).all())
    True
    """

    cross_sectional: ClassVar[bool] = True

    window: int = 60
    entry: float = 2.0
    exit: float = 0.5
    first: str | None = None
    second: str | None = None

    def check(self) -> None:
        """Refuse a window without a line, levels that are not in order, and half a pair."""
        check_levels("PairsSpread", self.window, 3, self.entry, self.exit)
        if (self.first is None) != (self.second is None) or (self.first is not None and self.first == self.second):
            raise ParameterError(f"PairsSpread: name two instruments or none, got first={self.first!r}, second={self.second!r}")

    @property
    def lookback(self) -> int:
        """The window and the bar before."""
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at the events, opposite on the two, NaN elsewhere, shape (T, N)."""
        one, other = self._columns(bars)
        rows = np.flatnonzero(bars.present[:, one] & bars.present[:, other])
        close = np.where(bars.array("close") > 0, bars.array("close"), np.nan)[rows]
        score, slope = _spread(np.log(close[:, one]), np.log(close[:, other]), self.window)
        events = reversion_events(pd.DataFrame(score), self.entry, self.exit).to_numpy()[:, 0]
        events = np.where(slope > 0, events, np.where(np.isnan(slope), np.nan, 0.0))
        out = np.full(bars.shape, np.nan)
        out[rows, one], out[rows, other] = events, -events
        return bars.laid_out(out)

    def _columns(self, bars: Bars) -> tuple[int, int]:
        if self.first is None or self.second is None:
            if len(bars.symbols) != 2:
                held = ", ".join(bars.symbols[:4]) + (", ..." if len(bars.symbols) > 4 else "")
                raise ParameterError(f"PairsSpread needs two instruments, got {len(bars.symbols)} ({held}); name them: first=, second=")
            return 0, 1
        for name in (self.first, self.second):
            if name not in bars.symbols:
                raise ParameterError(f"PairsSpread: these bars hold no {name!r}{did_you_mean(name, bars.symbols)}")
        return bars.symbols.index(self.first), bars.symbols.index(self.second)


def _spread(a: np.ndarray, b: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the z-score of the newest residual of a on b, and the slope, of each window; NaN before it is full.

    Each window is worked out from its own values, as differences from its newest ones, as `workbench.indicators.deviation` is.
    """
    score, slope = np.full(len(a), np.nan), np.full(len(a), np.nan)
    if len(a) < window:
        return score, slope
    mean_a, mean_b = (sum(_lags(values, window)) / window for values in (a, b))
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in _both(a, b, window))
    variance = sum((y - mean_b) ** 2 for y in _lags(b, window))
    moved = variance > 0
    ratio = np.where(moved, covariance / np.where(moved, variance, 1.0), 0.0)
    squares = sum(((x - mean_a) - ratio * (y - mean_b)) ** 2 for x, y in _both(a, b, window))
    spread = np.sqrt(squares / window)
    newest = ratio * mean_b - mean_a
    score[window - 1 :] = np.where(spread > STILL, newest, 0.0) / np.where(spread > STILL, spread, 1.0)
    slope[window - 1 :] = ratio
    return score, slope


def _lags(values: np.ndarray, window: int) -> Iterator[np.ndarray]:
    """Yield the values of each window, from the newest back, less the newest."""
    newest = values[window - 1 :]
    for k in range(window):
        yield values[window - 1 - k : len(values) - k] - newest


def _both(a: np.ndarray, b: np.ndarray, window: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return zip(_lags(a, window), _lags(b, window), strict=True)
