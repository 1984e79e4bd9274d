"""Sizes by volatility: the quieter an instrument, the more of it."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench import indicators
from workbench.alignment import aligned, blockwise
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.sizing._base import PositionSizer

__all__ = ["EqualRisk", "VolatilityTarget", "bars_a_year"]

#: Trading days a year and hours a day, where the market is open around the clock every day, on weekdays, and for a session.
ALWAYS, WEEKDAYS, SESSION = (365.25, 24.0), (260.0, 24.0), (252.0, 6.5)
#: The window where none is given, and the least that a method can do with.
USUAL = {"rolling": 20, "ewma": 20, "garch": 500}
LEAST = {"rolling": 2, "ewma": 2, "garch": 100}


def bars_a_year(instrument: Instrument, interval_ns: int) -> float:
    """Return how many bars of an instrument a year has: coins trade always, currencies on weekdays, others 6.5 hours on 252 days.

    Examples
    --------
    >>> bars_a_year(Instrument("BTCUSDT", "crypto"), DAY)
    365.25
    >>> bars_a_year(Instrument("ABC"), DAY // 24)
    1638.0
    """
    days, hours = ALWAYS if instrument.asset_class == "crypto" else WEEKDAYS if instrument.asset_class == "fx" else SESSION
    return days * DAY / interval_ns if interval_ns >= DAY else days * (hours / 24.0) * DAY / interval_ns


class VolatilityTarget(PositionSizer):
    """As much as makes the position's volatility a share of equity: ``target x equity / (volatility x price x unit)``.

    Set at entry and not maintained (SEMANTICS 13).

    Parameters
    ----------
    target : float, default 0.10
        Standard deviation a year, as a share of equity.
    window : int, optional
        Returns in the volatility, 20 where not given; of ``"ewma"`` the span (32 is RiskMetrics' decay of 0.94); of ``"garch"`` the
        returns that its parameters are fitted on, 500 where not given.
    method : {"rolling", "ewma", "garch"}, default "rolling"
        `workbench.indicators.volatility`, `workbench.indicators.ewma_volatility`, or `workbench.indicators.garch_volatility`, the only
        one that says what the next bar is expected to do; the `arch` library is loaded for it.
    year : float, optional
        Bars a year; where not given coins trade always, currencies on 260 days, others 6.5 hours on 252 days.
    cap : float, default 10
        The notional is never more than so many times the equity.
    refit : int, default 200
        Of ``"garch"``: intervals by the clock after which the parameters are fitted anew.

    Examples
    --------
    >>> VolatilityTarget(0.15, window=60).lookback
    61
    >>> VolatilityTarget(0.15, method="garch").lookback
    900
    """

    target: float = 0.10
    window: int | None = None
    method: Literal["rolling", "ewma", "garch"] = "rolling"
    year: float | None = None
    cap: float = 10.0
    refit: int = 200

    def check(self) -> None:
        """Refuse what is no volatility, a window without a deviation, and what is not positive."""
        for name in ("target", "year", "cap"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"{type(self).__name__}: {name} must be a positive number, got {value!r}")
        if self.target >= 5:
            raise ParameterError(f"{type(self).__name__}: target is a share of equity a year (0.10 = ten percent), got {self.target!r}")
        least = LEAST[self.method]
        if self._window < least:
            who = type(self).__name__
            raise ParameterError(f"{who}(method={self.method!r}): window must be at least {least} returns, got {self.window}")
        if self.refit < 1:
            raise ParameterError(f"{type(self).__name__}: refit must be at least 1 bar, got {self.refit}")

    @property
    def _window(self) -> int:
        """The window, or the usual one of the method."""
        return USUAL[self.method] if self.window is None else self.window

    @property
    def lookback(self) -> int:
        """That of the volatility."""
        if self.method == "garch":
            return indicators.garch_lookback(self._window, self.refit)
        return self._window + 1 if self.method == "rolling" else indicators.ewma_lookback(self._window)

    def parameters(self) -> tuple[float, ...]:
        """Return target and cap."""
        return float(self.target), float(self.cap)

    def measure(self, bars: Bars) -> pd.DataFrame:
        """Return the volatility a year at each bar, shape (T, N)."""
        return self._yearly(bars)

    def measured(self, bars: Bars, signal: Any, newest: bool = False) -> np.ndarray | None:
        """Return the volatility a year, shape (T, N); with `newest` no more is fitted than the last row needs."""
        if self.method != "garch" or not newest:
            return super().measured(bars, signal, newest)
        who = f"{type(self).__name__}.measure"
        return blockwise(bars, lambda block: aligned(self._yearly(block, True), block, who, "a number"))

    def _yearly(self, bars: Bars, newest: bool = False) -> pd.DataFrame:
        if self.method == "garch":
            found = indicators.garch_volatility(bars, self._window, self.refit, newest)
        else:
            found = (indicators.volatility if self.method == "rolling" else indicators.ewma_volatility)(bars, self._window)
        years = [self.year or bars_a_year(instrument, bars.interval_ns) for instrument in bars.instruments]
        return found * np.sqrt(np.array(years))

    @staticmethod
    def decision(
        p: Any, spec: Any, side: float, stance: float, equity: float, price: float, unit: float, distance: float, measured: float, past: Any
    ) -> float:
        """Return target x equity / (volatility x price x unit), at most cap x equity; 0 where the volatility is not known."""
        if not measured > 0.0:
            return 0.0
        return (min(p[0] / measured, p[1]) * equity) / (price * unit)

    def words(self, equity: float, distance: float, currency: str) -> str:
        """Return the volatility that is aimed at."""
        return f"{self.target:.3g} of {equity:,.2f} {currency} a year"


class EqualRisk(VolatilityTarget):
    """The same volatility from every instrument: the target is shared equally by all instruments of the bars.

    Each position gets ``target / N`` of equity as its own volatility a year. How they move together is not looked at: the book
    stays below the target unless all move as one.

    Examples
    --------
    >>> EqualRisk(0.10).target
    0.1
    """

    def measured(self, bars: Bars, signal: Any, newest: bool = False) -> np.ndarray | None:
        """Return the volatility a year times the number of instruments, shape (T, N)."""
        found = super().measured(bars, signal, newest)
        assert found is not None
        return found * len(bars.instruments)
