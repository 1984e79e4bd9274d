"""Two moving averages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.alignment import warm
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator

__all__ = ["MovingAverageCross"]


class MovingAverageCross(SignalGenerator):
    """Long while the fast mean of the closes is above the slow one, short while below, flat at a tie.

    Parameters
    ----------
    fast : int, default 10
        Bars.
    slow : int, default 50
        Bars; more than `fast`.

    References
    ----------
    Brock, W., Lakonishok, J. and LeBaron, B. (1992). Simple technical trading rules and the stochastic properties of
    stock returns. Journal of Finance 47(5).

    Examples
    --------
    >>> MovingAverageCross(fast=20, slow=100)
    MovingAverageCross(fast=20, slow=100)
    """

    fast: int = 10
    slow: int = 50

    def check(self) -> None:
        """Refuse windows that are not in order."""
        if not 1 <= self.fast < self.slow:
            raise ParameterError(f"MovingAverageCross: fast must be at least 1 bar and below slow, got fast={self.fast}, slow={self.slow}")

    @property
    def lookback(self) -> int:
        """The slow window."""
        return self.slow

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the sign of fast mean - slow mean, shape (T, N)."""
        return indicators.compare(*self._averages(bars))

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the newest signs, shape (N,): the averages are those of all bars, and only their last rows are compared."""
        fast, slow = (average.to_numpy()[-1:] for average in self._averages(bars))
        return warm(indicators.compare(fast, slow)[0], bars, self.lookback, self.cross_sectional)

    def _averages(self, bars: Bars) -> tuple[pd.DataFrame, pd.DataFrame]:
        return indicators.sma(bars, self.fast), indicators.sma(bars, self.slow)
