"""Wilder's relative strength index."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator
from workbench.signals._own_bars import earlier, level

__all__ = ["RelativeStrength"]


class RelativeStrength(SignalGenerator):
    """Long when the relative strength index comes back up through the low level, short when down through the high one.

    Emits +1 at the bar at which the index is no longer below `low`, -1 at the one at which it is no longer above `high`,
    NaN elsewhere (SEMANTICS 6): the position is held until the opposite event. While the index stays below `low` nothing
    is bought; a fall may go on for long.

    Parameters
    ----------
    window : int, default 14
        Bars of `workbench.indicators.rsi`.
    low : float, default 30
    high : float, default 70
        Levels between 0 and 100, `low` below `high`.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> RelativeStrength(low=25, high=75)
    RelativeStrength(window=14, low=25, high=75)
    """

    window: int = 14
    low: float = 30.0
    high: float = 70.0

    def check(self) -> None:
        """Refuse an empty window, and levels that are not in order."""
        if self.window < 1:
            raise ParameterError(f"RelativeStrength: window must be at least 1 bar, got {self.window}")
        if not 0 < self.low < self.high < 100:
            raise ParameterError(
                f"RelativeStrength: low must be above 0 and below high, high below 100, got low={self.low}, high={self.high}"
            )

    @property
    def lookback(self) -> int:
        """Until the averages have forgotten their start, and the bar before."""
        return indicators.rsi_lookback(self.window) + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return +1 on the way up through low, -1 on the way down through high, NaN elsewhere, shape (T, N)."""
        index = indicators.rsi(bars, self.window)
        low, high = (indicators.compare(index, level(index, mark)).to_numpy() for mark in (self.low, self.high))
        up, down = (low >= 0) & (earlier(low) < 0), (high <= 0) & (earlier(high) > 0)
        return bars.laid_out(np.where(up, 1.0, np.where(down, -1.0, np.nan)))
