"""The direction of a price over a window."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator

__all__ = ["Momentum"]


class Momentum(SignalGenerator):
    """Long while the close is higher than a window of bars ago, short while it is lower: momentum of each instrument by itself.

    Parameters
    ----------
    window : int, default 100
        Bars.
    threshold : float, default 0
        By which fraction it must have moved (0.02 is 2 %); flat while it moved less.

    References
    ----------
    Moskowitz, T. J., Ooi, Y. H. and Pedersen, L. H. (2012). Time series momentum. Journal of Financial Economics 104(2).

    Examples
    --------
    >>> Momentum(250, threshold=0.02)
    Momentum(window=250, threshold=0.02)
    """

    window: int = 100
    threshold: float = 0.0

    def check(self) -> None:
        """Refuse an empty window and a threshold outside [0, 1)."""
        if self.window < 1:
            raise ParameterError(f"Momentum: window must be at least 1 bar, got {self.window}")
        if not 0 <= self.threshold < 1:
            raise ParameterError(f"Momentum: threshold is a fraction of the price from 0 to below 1 (0.02 = 2 %), got {self.threshold!r}")

    @property
    def lookback(self) -> int:
        """The window and the bar before it."""
        return self.window + 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the sign of the change where it is large enough, else 0, shape (T, N)."""
        start = bars.close.shift(self.window)
        up, down = (indicators.compare(bars.close, start * (1 + move)) for move in (self.threshold, -self.threshold))
        stance = np.where(up > 0, 1.0, np.where(down < 0, -1.0, 0.0))
        return bars.laid_out(stance).where(start.notna())
