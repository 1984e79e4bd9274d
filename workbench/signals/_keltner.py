"""Keltner's bands."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._band_events import band_events
from workbench.signals._base import SignalGenerator

__all__ = ["Keltner"]


class Keltner(SignalGenerator):
    """With a close beyond Keltner's bands, or against it; flat again when the close reaches the middle.

    Emits +1 or -1 at each close beyond a band, 0 at the bar at which the close reaches or crosses the mean, NaN elsewhere
    (SEMANTICS 6): the position is held between.

    Parameters
    ----------
    window : int, default 20
        Bars of the exponential mean.
    atr_window : int, default 10
        Bars of the average true range.
    multiple : float, default 2
        Average true ranges on each side.
    mode : {"breakout", "reversion"}, default "breakout"
        Breakout: long above the upper band, short below the lower one. Reversion: the other way round.

    References
    ----------
    Keltner, C. W. (1960). How to Make Money in Commodities.

    Examples
    --------
    >>> Keltner(multiple=1.5)
    Keltner(window=20, atr_window=10, multiple=1.5, mode='breakout')
    """

    window: int = 20
    atr_window: int = 10
    multiple: float = 2.0
    mode: Literal["breakout", "reversion"] = "breakout"

    def check(self) -> None:
        """Refuse empty windows, and a multiple that is not positive."""
        if self.window < 1 or self.atr_window < 1:
            raise ParameterError(f"Keltner: windows must be at least 1 bar, got window={self.window}, atr_window={self.atr_window}")
        if not 0 < self.multiple < float("inf"):
            raise ParameterError(f"Keltner: multiple must be a positive number, got {self.multiple!r}")

    @property
    def lookback(self) -> int:
        """Until the averages have forgotten their start, and the bar before."""
        return indicators.keltner_lookback(self.window, self.atr_window) + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at the events, NaN between, shape (T, N)."""
        return band_events(bars, indicators.keltner(bars, self.window, self.atr_window, self.multiple), self.mode)
