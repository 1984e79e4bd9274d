"""Reversion to the mean, in standard deviations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator
from workbench.signals._own_bars import earlier

__all__ = ["ZScore", "check_levels", "reversion_events"]


class ZScore(SignalGenerator):
    """Against a close that lies far from its mean: long below, short above; flat again when it has come back.

    Emits +1 while the z-score is below -`entry`, -1 while it is above `entry`, 0 while it lies within `exit` of the mean or
    at the bar at which it jumped over it, NaN elsewhere (SEMANTICS 6): between the levels the position is held.

    Parameters
    ----------
    window : int, default 20
        Bars of mean and deviation (`workbench.indicators.zscore`), at least 2.
    entry : float, default 2
        Standard deviations at which it enters.
    exit : float, default 0.5
        At which it leaves, from 0 to below `entry`.

    References
    ----------
    Chan, E. P. (2013). Algorithmic Trading: Winning Strategies and Their Rationale. Chapter 3.

    Examples
    --------
    >>> ZScore(50, entry=1.5)
    ZScore(window=50, entry=1.5, exit=0.5)
    """

    window: int = 20
    entry: float = 2.0
    exit: float = 0.5

    def check(self) -> None:
        """Refuse a window without a deviation, and levels that are not in order."""
        check_levels("ZScore", self.window, 2, self.entry, self.exit)

    @property
    def lookback(self) -> int:
        """The window and the bar before."""
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at the events, NaN between, shape (T, N)."""
        return reversion_events(indicators.zscore(bars, self.window), self.entry, self.exit)


def reversion_events(score: pd.DataFrame, entry: float, leave: float) -> pd.DataFrame:
    """Return +1 below -entry, -1 above entry, 0 within `leave` of 0 or where 0 was jumped over, NaN elsewhere."""
    z = score.to_numpy().round(9)  # a tie is a tie (SEMANTICS 6), at 0 too
    side, before = np.sign(z), np.sign(earlier(z))
    back = (np.abs(z) <= leave) | ((side != before) & ~np.isnan(side + before))
    events = np.where(np.abs(z) > entry, -side, np.where(back, 0.0, np.nan))
    return pd.DataFrame(events, score.index, score.columns)


def check_levels(name: str, window: int, least: int, entry: float, leave: float) -> None:
    """Refuse a window that is too short, and levels that are not in order."""
    if window < least:
        raise ParameterError(f"{name}: window must be at least {least} bars, got {window}")
    if not 0 <= leave < entry < float("inf"):
        raise ParameterError(f"{name}: exit must be at least 0 and below entry, got entry={entry}, exit={leave}")
