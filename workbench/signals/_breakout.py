"""A close beyond the range of the bars before it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator

__all__ = ["Breakout"]


class Breakout(SignalGenerator):
    """Long on a close above the highest high of the bars before, short on one below their lowest low.

    Emits the event only, NaN between (SEMANTICS 6): the position is held until the opposite break. `Donchian` leaves earlier,
    at an exit channel of its own.

    Parameters
    ----------
    window : int, default 20
        Bars before the one that breaks out.

    References
    ----------
    Donchian, R. D. (1960). High finance in copper. Financial Analysts Journal 16(6).

    Examples
    --------
    >>> Breakout(55)
    Breakout(window=55)
    """

    window: int = 20

    def check(self) -> None:
        """Refuse an empty window."""
        if self.window < 1:
            raise ParameterError(f"Breakout: window must be at least 1 bar, got {self.window}")

    @property
    def lookback(self) -> int:
        """The window and the bar that breaks out of it."""
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return +1 at a break upwards, -1 at one downwards, NaN elsewhere, shape (T, N)."""
        above = indicators.compare(bars.close, indicators.highest(bars, self.window).shift(1))
        below = indicators.compare(bars.close, indicators.lowest(bars, self.window).shift(1))
        events = np.where(above > 0, 1.0, np.where(below < 0, -1.0, np.nan))
        return bars.laid_out(events)
