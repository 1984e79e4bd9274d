"""Features of closes and ranges, all without a unit: the same model serves a share of 5 and an index of 5,000."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.features._base import Feature, require_window

__all__ = ["MeanDistance", "RangePosition", "Returns", "Rsi", "TrueRange", "Volatility", "VolumeRatio"]


class Returns(Feature):
    """The close over the close some bars before, less 1.

    Parameters
    ----------
    window : int, default 1
        Bars.

    Examples
    --------
    >>> Returns(5).name
    'returns_5'
    """

    window: int = 1

    def check(self) -> None:
        """Refuse an empty window."""
        require_window(self, self.window)

    @property
    def lookback(self) -> int:
        """The window, and the close before it."""
        return self.window + 1

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the simple return, shape (T, N)."""
        return indicators.momentum(bars, self.window)


class Volatility(Feature):
    """The sample standard deviation of the log returns of the last bars (`workbench.indicators.volatility`), a bar, not a year.

    Parameters
    ----------
    window : int, default 20
        Returns, at least 2.

    Examples
    --------
    >>> Volatility(20).lookback
    21
    """

    window: int = 20

    def check(self) -> None:
        """Refuse a window of one return, which has no deviation."""
        require_window(self, self.window, 2)

    @property
    def lookback(self) -> int:
        """The window, and the close before it."""
        return self.window + 1

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the deviation of the returns, shape (T, N)."""
        return indicators.volatility(bars, self.window)


class MeanDistance(Feature):
    """The close over its simple mean, less 1.

    Parameters
    ----------
    window : int, default 20
        Bars.

    Examples
    --------
    >>> MeanDistance(50).name
    'mean_distance_50'
    """

    window: int = 20

    def check(self) -> None:
        """Refuse a window of one bar, whose mean is the close itself."""
        require_window(self, self.window, 2)

    @property
    def lookback(self) -> int:
        """The window."""
        return self.window

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return how far the close is from its mean, shape (T, N)."""
        return bars.close / _mean(bars.array("close"), self.window) - 1.0


class Rsi(Feature):
    """Wilder's relative strength index of the closes, 0 to 100; 50 where no close has moved.

    Parameters
    ----------
    window : int, default 14
        Bars, at least 2.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> Rsi().lookback  # Wilder's averages forget slowly
    326
    """

    window: int = 14

    def check(self) -> None:
        """Refuse a window below 2 bars."""
        require_window(self, self.window, 2)

    @property
    def lookback(self) -> int:
        """Until Wilder's averages have forgotten what was before."""
        return indicators.rsi_lookback(self.window)

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the index, shape (T, N)."""
        return indicators.rsi(bars, self.window)


class RangePosition(Feature):
    """Where the close stands between the lowest low (0) and the highest high (1) of the last bars; 0.5 where they are equal.

    Parameters
    ----------
    window : int, default 20
        Bars.

    Examples
    --------
    >>> RangePosition(55).lookback
    55
    """

    window: int = 20

    def check(self) -> None:
        """Refuse an empty window."""
        require_window(self, self.window)

    @property
    def lookback(self) -> int:
        """The window."""
        return self.window

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the position, shape (T, N)."""
        low, high = indicators.lowest(bars, self.window).to_numpy(), indicators.highest(bars, self.window).to_numpy()
        width = high - low
        place = np.divide(bars.array("close") - low, width, out=np.full(bars.shape, 0.5), where=width != 0.0)
        return bars.laid_out(place)


class TrueRange(Feature):
    """Wilder's average true range over the close.

    Parameters
    ----------
    window : int, default 14
        Bars.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> TrueRange(5).name
    'true_range_5'
    """

    window: int = 14

    def check(self) -> None:
        """Refuse an empty window."""
        require_window(self, self.window)

    @property
    def lookback(self) -> int:
        """Until Wilder's average has forgotten what was before."""
        return indicators.atr_lookback(self.window)

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the range as a share of the close, shape (T, N)."""
        return indicators.atr(bars, self.window) / bars.close


class VolumeRatio(Feature):
    """The volume over its simple mean, this bar included; NaN where nothing was traded in all of them.

    Parameters
    ----------
    window : int, default 20
        Bars.

    Examples
    --------
    >>> VolumeRatio().name
    'volume_ratio_20'
    """

    window: int = 20

    def check(self) -> None:
        """Refuse a window of one bar, whose ratio is always 1."""
        require_window(self, self.window, 2)

    @property
    def lookback(self) -> int:
        """The window."""
        return self.window

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the ratio, shape (T, N)."""
        average = _mean(bars.volume.to_numpy(), self.window)
        return bars.volume / np.where(average > 0.0, average, np.nan)


def _mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean of the last `window` rows of bars without holes, shape as given; NaN before.

    Each window is added up on its own. `workbench.indicators.sma` is a running sum, whose trace of what left it long ago would
    be all that is left of a mean in a market without volume, and of a close that stands at its mean.
    """
    out = np.full(values.shape, np.nan)
    if len(values) >= window:
        total = values[: len(values) - window + 1].copy()
        for k in range(1, window):
            total += values[k : len(values) - window + 1 + k]
        out[window - 1 :] = total / window
    return out
