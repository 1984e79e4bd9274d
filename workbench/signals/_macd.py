"""Convergence and divergence of two averages."""

from __future__ import annotations

import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator

__all__ = ["Macd"]


class Macd(SignalGenerator):
    """Long while the MACD line is above its signal line, short while below; flat where they differ by less than 1e-9 of the price.

    Parameters
    ----------
    fast : int, default 12
    slow : int, default 26
        Bars of the exponential averages whose difference is the line; `fast` below `slow`.
    signal : int, default 9
        Bars of the average of the line.

    References
    ----------
    Appel, G. (1979). The Moving Average Convergence-Divergence Trading Method.

    Examples
    --------
    >>> Macd(8, 21)
    Macd(fast=8, slow=21, signal=9)
    """

    fast: int = 12
    slow: int = 26
    signal: int = 9

    def check(self) -> None:
        """Refuse windows that are not in order."""
        if not 1 <= self.fast < self.slow:
            raise ParameterError(f"Macd: fast must be at least 1 bar and below slow, got fast={self.fast}, slow={self.slow}")
        if self.signal < 1:
            raise ParameterError(f"Macd: signal must be at least 1 bar, got {self.signal}")

    @property
    def lookback(self) -> int:
        """Until the averages have forgotten their start."""
        return indicators.macd_lookback(self.fast, self.slow, self.signal)

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the sign of the histogram, shape (T, N)."""
        histogram = indicators.macd(bars, self.fast, self.slow, self.signal).histogram
        return indicators.compare(bars.close + histogram, bars.close)
