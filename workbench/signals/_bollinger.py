"""Bollinger's bands."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._band_events import band_events
from workbench.signals._base import SignalGenerator

__all__ = ["Bollinger"]


class Bollinger(SignalGenerator):
    """Against a close beyond Bollinger's bands, or with it; flat again when the close reaches the middle.

    Emits +1 or -1 at each close beyond a band, 0 at the bar at which the close reaches or crosses the mean, NaN elsewhere
    (SEMANTICS 6): the position is held between.

    Parameters
    ----------
    window : int, default 20
        Bars of the mean and the deviation, at least 2.
    width : float, default 2
        Standard deviations (of the population) on each side.
    mode : {"reversion", "breakout"}, default "reversion"
        Reversion: long below the lower band, short above the upper one. Breakout: the other way round.

    References
    ----------
    Bollinger, J. (2001). Bollinger on Bollinger Bands.

    Examples
    --------
    >>> Bollinger(20, 2.5, mode="breakout")
    Bollinger(window=20, width=2.5, mode='breakout')
    """

    window: int = 20
    width: float = 2.0
    mode: Literal["reversion", "breakout"] = "reversion"

    def check(self) -> None:
        """Refuse a window without a deviation, and a width that is not positive."""
        if self.window < 2:
            raise ParameterError(f"Bollinger: window must be at least 2 bars, got {self.window}")
        if not 0 < self.width < float("inf"):
            raise ParameterError(f"Bollinger: width must be a positive number of standard deviations, got {self.width!r}")

    @property
    def lookback(self) -> int:
        """The window and the bar before."""
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at the events, NaN between, shape (T, N)."""
        return band_events(bars, indicators.bollinger(bars, self.window, self.width), self.mode)
