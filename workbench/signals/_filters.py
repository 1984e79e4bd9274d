"""What the filters share: they let another signal act at some bars only."""

from __future__ import annotations

import zoneinfo
from abc import abstractmethod
from dataclasses import field
from typing import Literal, Self

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.signals._base import SignalGenerator
from workbench.signals._moving_average import MovingAverageCross

__all__ = ["Filter", "require_zone"]


class Filter(SignalGenerator):
    """Another signal's stance inside, and outside no opinion or flat.

    Parameters
    ----------
    signal : SignalGenerator
    outside : {"hold", "flat"}, default "hold"
        Hold: NaN outside, so that a position stays as it is; an event that falls outside is lost. Flat: 0 outside, which
        closes; a state opens again at the first bar inside, an event does not.
    """

    signal: SignalGenerator
    outside: Literal["hold", "flat"] = field(default="hold", kw_only=True)

    @classmethod
    def example(cls) -> Self:
        """Return the filter on two means."""
        return cls(MovingAverageCross(5, 20))

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether the signal compares instruments with each other."""
        return self.signal.cross_sectional

    @property
    def lookback(self) -> int:
        """The look-back of the signal."""
        return self.signal.lookback

    @property
    def quick(self) -> bool:
        """Whether the signal is quick to say its newest stance."""
        return self.signal.quick

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the signal's stances inside, NaN or 0 outside, shape (T, N)."""
        return self.signal.stances(bars).where(self.inside(bars), self._outside)

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the signal's newest stances inside, NaN or 0 outside, shape (N,)."""
        if not self.quick:
            return super().newest(bars)
        newest = np.where(self.inside(bars)[-1], self.signal.newest(bars), self._outside)
        return warm(newest, bars, self.lookback, self.cross_sectional)

    @property
    def _outside(self) -> float:
        return np.nan if self.outside == "hold" else 0.0

    @abstractmethod
    def inside(self, bars: Bars) -> np.ndarray:
        """Return at which bars the signal acts, booleans of shape (T, N)."""


def require_zone(name: str, zone: str) -> None:
    """Refuse a time zone that does not exist."""
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(zone, zoneinfo.available_timezones())
        raise ParameterError(f"{name}: zone must be the name of a time zone such as 'America/New_York', got {zone!r}{near}") from None
