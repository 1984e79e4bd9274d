"""A filter by the volatility."""

from __future__ import annotations

from typing import Literal

import numpy as np

from workbench import indicators
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._filters import Filter

__all__ = ["VolatilityRegime"]


class VolatilityRegime(Filter):
    """A signal that acts in quiet markets only, or in wild ones only, measured by the market's own past.

    Quiet: `workbench.indicators.volatility` is at most the quantile of its own last `trailing` values, this one included.

    Parameters
    ----------
    signal : SignalGenerator
    window : int, default 20
        Returns in a volatility, at least 2.
    trailing : int, default 250
        Volatilities to compare with, at least 2.
    quantile : float, default 0.5
        Between 0 and 1.
    act : {"below", "above"}, default "below"
        Below: while it is at most the quantile. Above: while it is higher.
    outside : {"hold", "flat"}, default "hold"
        Hold: NaN outside, so that a position stays as it is; an event that falls outside is lost. Flat: 0 outside, which
        closes; a state opens again at the first bar inside, an event does not.

    Examples
    --------
    >>> import workbench as wb
    >>> VolatilityRegime(wb.signals.MovingAverageCross(), quantile=0.8, outside="flat").lookback
    270
    """

    window: int = 20
    trailing: int = 250
    quantile: float = 0.5
    act: Literal["below", "above"] = "below"

    def check(self) -> None:
        """Refuse windows without a volatility or a quantile, and a quantile outside (0, 1)."""
        if self.window < 2 or self.trailing < 2:
            raise ParameterError(
                f"VolatilityRegime: window and trailing must be at least 2 bars, got window={self.window}, trailing={self.trailing}"
            )
        if not 0 < self.quantile < 1:
            raise ParameterError(f"VolatilityRegime: quantile must lie between 0 and 1 (0.5 = the median), got {self.quantile!r}")

    @property
    def lookback(self) -> int:
        """The look-back of the signal, or the returns in all volatilities that are compared."""
        return max(self.signal.lookback, self.window + self.trailing)

    def inside(self, bars: Bars) -> np.ndarray:
        """Return where the volatility is on the wanted side, booleans of shape (T, N)."""
        now = indicators.volatility(bars, self.window).to_numpy()
        mark = indicators.volatility_quantile(bars, self.window, self.trailing, self.quantile).to_numpy()
        return np.asarray(now <= mark if self.act == "below" else now > mark)
