"""Donchian's channel with an exit channel of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator

__all__ = ["Donchian"]


class Donchian(SignalGenerator):
    """Long on a close above the entry channel, flat again on one below the exit channel; short the other way round.

    The channels are the highest high and the lowest low of the bars before. `Breakout` is always in the market, from one
    break to the opposite one; this rule leaves earlier, at the narrower channel, as the Turtles did.

    Emits +1 or -1 at each break, 0 at the exit, NaN elsewhere (SEMANTICS 6). Which exit counts depends on the last break:
    it is remembered for `hold` bars, so that the look-back is finite. What made no new extreme of the entry channel for
    that long is closed.

    Parameters
    ----------
    entry : int, default 20
        Bars of the entry channel.
    exit : int, default 10
        Bars of the exit channel, at most `entry`.
    hold : int, default 250
        Bars after the last break at which a position is closed in any case.

    References
    ----------
    Donchian, R. D. (1960). High finance in copper. Financial Analysts Journal 16(6).
    Faith, C. M. (2003). The Original Turtle Trading Rules.

    Examples
    --------
    >>> Donchian(55, 20).lookback
    307
    """

    entry: int = 20
    exit: int = 10
    hold: int = 250

    def check(self) -> None:
        """Refuse channels that are not in order, and a hold below one bar."""
        if not 1 <= self.exit <= self.entry:
            raise ParameterError(f"Donchian: exit must be at least 1 bar and at most entry, got entry={self.entry}, exit={self.exit}")
        if self.hold < 1:
            raise ParameterError(f"Donchian: hold must be at least 1 bar, got {self.hold}")

    @property
    def lookback(self) -> int:
        """The entry channel, the bar that breaks out of it, and how long that is remembered."""
        return self.entry + self.hold + 2

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return +1 or -1 at a break, 0 at the exit, NaN elsewhere, shape (T, N)."""
        up, down = self._breaks(bars, self.entry)
        rise, fall = self._breaks(bars, self.exit)
        broke = np.where(up, 1.0, np.where(down, -1.0, np.nan))
        row = np.arange(len(bars))[:, None]
        last = np.maximum.accumulate(np.where(np.isnan(broke), -1, row), axis=0)
        age = np.where(last < 0, self.hold + 2, row - last)
        side = np.where(age <= self.hold, np.take_along_axis(broke, np.maximum(last, 0), axis=0), 0.0)
        left = ((side > 0) & fall) | ((side < 0) & rise) | (age == self.hold + 1)
        return bars.laid_out(np.where(np.isnan(broke) & left, 0.0, broke))

    def _breaks(self, bars: Bars, window: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the close lies above, and where below, the channel of the bars before."""
        above, below = (indicators.compare(bars.close, edge.shift(1)).to_numpy() for edge in indicators.donchian(bars, window))
        return above > 0, below < 0
