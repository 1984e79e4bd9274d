"""A state as an event."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.signals._base import SignalGenerator
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._own_bars import before, newest_before

__all__ = ["Crossing"]


class Crossing(SignalGenerator):
    """The sign of another signal at the bars at which it changes, NaN on the bars after (SEMANTICS 6).

    For a sizer, an exit or a vote with `hold=` that should see the crossing and not the state after it. An opinion that
    follows a bar without one counts as a change; the first one of all does not, for nobody knows what was before.

    Parameters
    ----------
    signal : SignalGenerator

    Examples
    --------
    >>> Crossing(MovingAverageCross(10, 50)).lookback
    51
    """

    signal: SignalGenerator

    @classmethod
    def example(cls) -> Crossing:
        """Return the crossing of two means."""
        return cls(MovingAverageCross(5, 20))

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether the signal compares instruments with each other."""
        return self.signal.cross_sectional

    @property
    def lookback(self) -> int:
        """The look-back of the signal and the bar before."""
        return self.signal.lookback + 1

    @property
    def quick(self) -> bool:
        """Whether the signal is quick to say its newest stance."""
        return self.signal.quick

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the sign where it is another than at the bar before, else NaN, shape (T, N)."""
        sign = np.sign(self.signal.stances(bars))
        return sign.where(sign.to_numpy() != before(sign, bars))

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the newest sign where it is another than at the bar before, else NaN, shape (N,)."""
        if not self.quick:
            return super().newest(bars)
        sign = np.sign(self.signal.newest(bars))
        changed = sign != np.sign(newest_before(self.signal, bars))
        return warm(np.where(changed, sign, np.nan), bars, self.lookback, self.cross_sectional)
