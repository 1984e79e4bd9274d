"""A filter by the hour."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._filters import Filter, require_zone

__all__ = ["TimeOfDay"]

MINUTE = 60_000_000_000


class TimeOfDay(Filter):
    """A signal that acts in some hours of the day only.

    What counts is the moment of the decision, the end of the bar (label + interval): from `start` on and before `end`, on
    the clock of `zone`, its summer time included. An order follows at the next bar: to be out of the market at 16:00 with
    bars of 5 minutes, let `end` be 15:50 and `outside` be "flat". Bars of a day and longer are refused: all of them end at the
    same hour.

    Parameters
    ----------
    signal : SignalGenerator
    start : str, default "09:30"
    end : str, default "16:00"
        Hours and minutes; an `end` before `start` is on the next day.
    zone : str, default "America/New_York"
        Name of a time zone.
    outside : {"hold", "flat"}, default "hold"
        Hold: NaN outside, so that a position stays as it is; an event that falls outside is lost. Flat: 0 outside, which
        closes; a state opens again at the first bar inside, an event does not.

    Examples
    --------
    >>> import workbench as wb
    >>> TimeOfDay(wb.signals.MovingAverageCross(), "08:00", "17:00", "Europe/London", outside="flat").lookback
    50
    """

    start: str = "09:30"
    end: str = "16:00"
    zone: str = "America/New_York"

    def check(self) -> None:
        """Refuse what is no time of day, an empty stretch, and an unknown zone."""
        for name, value in (("start", self.start), ("end", self.end)):
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
                raise ParameterError(f"TimeOfDay: {name} must be hours and minutes such as '09:30', got {value!r}")
        if self.start == self.end:
            raise ParameterError(f"TimeOfDay: start and end must differ, got {self.start} for both")
        require_zone("TimeOfDay", self.zone)

    def inside(self, bars: Bars) -> np.ndarray:
        """Return at which bars the decision falls into the hours, booleans of shape (T, N).

        Raises
        ------
        ParameterError
            Bars of a day or longer.
        """
        if bars.daily:
            raise ParameterError(f"TimeOfDay: bars of {bars.interval} have no hours; take shorter ones, or Calendar for days")
        ends = (bars.index + pd.Timedelta(bars.interval_ns, "ns")).tz_convert(self.zone)
        clock = ends.hour.to_numpy() * 60 + ends.minute.to_numpy()
        start, end = (int(value[:2]) * 60 + int(value[3:]) for value in (self.start, self.end))
        inside = (clock >= start) & (clock < end) if start < end else (clock >= start) | (clock < end)
        return np.broadcast_to(inside[:, None], bars.shape)
