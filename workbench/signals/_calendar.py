"""A filter by the day."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.signals._filters import Filter, require_zone

__all__ = ["Calendar"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Calendar(Filter):
    """A signal that acts on some weekdays, in some months or about the turn of the month only.

    What counts is the day in which the bar lies, on the clock of `zone`; a daily bar lies in the day of its label. Where
    several are given, a day must meet all.

    Parameters
    ----------
    signal : SignalGenerator
    weekdays : sequence of str, default ()
        English names or their first three letters: ``("Mon", "Friday")``; none: every day.
    months : sequence of int, default ()
        From 1 to 12; none: every month.
    last, first : int, default 0
        About the turn of the month: how many of its last and of its first days from Monday to Friday, with the weekends
        between them; both 0: all of the month. Known in advance, and so holidays do not count as such.
    zone : str, default "UTC"
        Name of a time zone; daily bars take none but UTC, in which they are labelled.
    outside : {"hold", "flat"}, default "hold"
        Hold: NaN outside, so that a position stays as it is; an event that falls outside is lost. Flat: 0 outside, which
        closes; a state opens again at the first bar inside, an event does not.

    References
    ----------
    Lakonishok, J. and Smidt, S. (1988). Are seasonal anomalies real? A ninety-year perspective. Review of Financial
    Studies 1(4).

    Examples
    --------
    >>> import workbench as wb
    >>> Calendar(wb.signals.MovingAverageCross(), last=1, first=3, outside="flat").lookback
    50
    """

    weekdays: Sequence[str] = ()
    months: Sequence[int] = ()
    last: int = 0
    first: int = 0
    zone: str = "UTC"

    def check(self) -> None:
        """Refuse days and months that do not exist, and an unknown zone."""
        for name in self.weekdays:
            _weekday(name)
        for month in self.months:
            if not 1 <= month <= 12:
                raise ParameterError(f"Calendar: months run from 1 to 12, got {month}")
        if self.last < 0 or self.first < 0:
            raise ParameterError(f"Calendar: last and first must be at least 0 days, got last={self.last}, first={self.first}")
        require_zone("Calendar", self.zone)

    def inside(self, bars: Bars) -> np.ndarray:
        """Return at which bars the day is one of them, booleans of shape (T, N)."""
        zone = "UTC" if bars.daily else self.zone
        days = bars.index.tz_convert(zone).tz_localize(None)
        inside = np.ones(len(bars), bool)
        if len(self.weekdays):
            inside &= np.isin(days.day_of_week, [_weekday(name) for name in self.weekdays])
        if len(self.months):
            inside &= np.isin(days.month, list(self.months))
        if self.last or self.first:
            inside &= self._about_the_turn(days)
        return np.broadcast_to(inside[:, None], bars.shape)

    def _about_the_turn(self, days: pd.DatetimeIndex) -> np.ndarray:
        """Return which days have few enough weekdays of their month left, or behind them."""
        today, month = days.to_numpy().astype("datetime64[D]"), days.to_numpy().astype("datetime64[M]")
        left = np.busday_count(today, (month + np.timedelta64(1, "M")).astype("datetime64[D]"))
        gone = np.busday_count(month.astype("datetime64[D]"), today + np.timedelta64(1, "D"))
        return ((left <= self.last) & (self.last > 0)) | ((gone <= self.first) & (self.first > 0))


def _weekday(name: str) -> int:
    """Return the number of a weekday, 0 for Monday."""
    for number, whole in enumerate(WEEKDAYS):
        if isinstance(name, str) and name.capitalize() in (whole, whole[:3]):
            return number
    raise ParameterError(f"Calendar: a weekday is 'Monday' or 'Mon' to 'Sunday' or 'Sun', got {name!r}{did_you_mean(str(name), WEEKDAYS)}")
