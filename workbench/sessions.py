"""Trading sessions: when each step is known, what cannot share it, and how many sessions lie between two daily bars."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.calendars import session_times
from workbench.errors import DataError, ParameterError, did_you_mean
from workbench.interval import DAY

__all__ = ["close_times", "day_numbers", "day_of", "open_times", "require_later_opens", "session_age", "session_numbers"]


def close_times(bars: Bars) -> np.ndarray:
    """Return when each step is known: the latest close of its label, nanoseconds since 1970, int64 of length T (SEMANTICS 1).

    A bar closes at label + interval, a daily bar of an instrument with a calendar at that session's close: a holiday adds none.
    """
    plain = bars.labels + bars.interval_ns
    if not _has_sessions(bars):
        return plain
    latest = _latest(_spans(bars))
    return np.where(latest > 0, latest, plain)


def open_times(bars: Bars, column: int) -> np.ndarray:
    """Return when each bar of an instrument opens, int64 of length T: at its label, a daily bar with a calendar when its session does."""
    calendar = bars.instruments[column].calendar if bars.interval_ns == DAY else None
    return bars.labels if calendar is None or not len(bars) else _span(bars.labels, calendar).opens


@cache
def day_of(text: str) -> tuple[int, str]:
    """Return when a day turns, as nanoseconds since midnight, and the zone.

    Raises
    ------
    ParameterError
        It is no time of day with a zone.

    Examples
    --------
    >>> day_of("17:00 America/New_York")
    (61200000000000, 'America/New_York')
    """
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d) (\S+)", text)
    if not found:
        raise ParameterError(f"day must be a time and a zone, such as '00:00 UTC' or '17:00 America/New_York', got {text!r}")
    hours, minutes, zone = found.groups()
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterError(f"day: no time zone {zone!r}{did_you_mean(zone, zoneinfo.available_timezones())}") from None
    return (int(hours) * 60 + int(minutes)) * 60 * 10**9, zone


def day_numbers(bars: Bars, day: str) -> np.ndarray:
    """Return the number of the day that each bar lies in, int64 of length T; a daily bar is a day of its own (SEMANTICS 32)."""
    if bars.interval_ns >= DAY:
        return bars.labels // DAY
    offset, zone = day_of(day)
    inside = bars.labels + (bars.interval_ns - 1)  # a bar that closes at the turn lies before it
    if zone == "UTC":
        return (inside - offset) // DAY
    local = pd.DatetimeIndex(inside).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    return (local.as_unit("ns").asi8 - offset) // DAY


def require_later_opens(bars: Bars) -> None:
    """Raise `DataError` where a daily bar opens before the step before it is decided: its fills would precede their decision."""
    if not _has_sessions(bars):
        return
    spans = _spans(bars)
    latest = _latest(spans)
    for column, instrument in enumerate(bars.instruments):
        opens = spans[instrument.calendar].opens
        early = np.flatnonzero((opens[1:] < latest[:-1]) & bars.present[1:, column])
        if len(early):
            row = int(early[0])
            last = next(one.symbol for one in bars.instruments if spans[one.calendar].closes[row] == latest[row])
            raise DataError(_early(instrument.symbol, last, int(bars.labels[row]), int(latest[row]), int(opens[row + 1])))


def _early(symbol: str, last: str, label: int, close: int, first: int) -> str:
    step, decided, opened = (f"{pd.Timestamp(time):%Y-%m-%d %H:%M}" for time in (label, close, first))
    return (
        f"{symbol} and {last} cannot share a strategy: the step {step[:10]} is decided when {last} closes, {decided} UTC, "
        f"and the next session of {symbol} opens before that, {opened} UTC; trade them in two strategies"
    )


def _has_sessions(bars: Bars) -> bool:
    """Whether sessions matter: daily bars of which some instrument names a calendar."""
    return bars.interval_ns == DAY and len(bars) > 0 and any(one.calendar is not None for one in bars.instruments)


class _Span(NamedTuple):
    """When the daily bars of a calendar open and close; where it has no session they open at the label and close at 0, never."""

    opens: np.ndarray
    closes: np.ndarray


def _spans(bars: Bars) -> dict[str | None, _Span]:
    return {name: _span(bars.labels, name) for name in {one.calendar for one in bars.instruments}}


def _span(labels: np.ndarray, calendar: str | None) -> _Span:
    if calendar is None:
        return _Span(labels, labels + DAY)
    dates, opens, closes = session_times(calendar, int(labels[0]), int(labels[-1]))
    place = np.minimum(np.searchsorted(dates, labels), len(dates) - 1)
    known = dates[place] == labels
    return _Span(np.where(known, opens[place], labels), np.where(known, closes[place], 0))


def _latest(spans: dict[str | None, _Span]) -> np.ndarray:
    return np.asarray(np.max([span.closes for span in spans.values()], axis=0))


def session_age(calendar: str, since: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return how many sessions of a calendar lie between moments, float array: of one that is on, the part that has passed.

    Examples
    --------
    >>> since, now = (pd.DatetimeIndex([time]).as_unit("ns").asi8 for time in ("2024-01-05 21:00", "2024-01-09 17:45"))
    >>> session_age("XNYS", since, now).tolist()  # Monday's session and, from 14:30 on, half of Tuesday's; not the weekend
    [1.5]
    """
    both = np.stack([since, now])
    if not both.size:
        return np.zeros(0)
    _, opens, closes = session_times(calendar, int(both.min()), int(both.max()))
    knots = np.column_stack([opens, closes]).ravel()
    passed = np.column_stack([np.arange(len(opens)), np.arange(1, len(opens) + 1)]).ravel()
    # from the first open on: nanoseconds since 1970 are more than a float can tell apart
    begun, reached = np.interp(both - knots[0], knots - knots[0], passed)
    return np.asarray(reached - begun)


def session_numbers(bars: Bars) -> np.ndarray | None:
    """Return the running number of each daily bar's session, int64; None for other bars.

    Coins trade every day; an instrument with a calendar on its sessions; all others from Monday to Friday. The shape is (T, N), or
    (T, 1) where all instruments have the same sessions.
    """
    if bars.interval_ns != DAY:
        return None
    kinds = [(one.calendar, one.asset_class == "crypto") for one in bars.instruments]
    made = {kind: _numbers(bars.labels, *kind) for kind in dict.fromkeys(kinds)}
    return np.column_stack([made[kind] for kind in (kinds if len(made) > 1 else made)])


def _numbers(labels: np.ndarray, calendar: str | None, daily: bool) -> np.ndarray:
    days = labels // DAY
    if calendar is not None and len(labels):
        dates, _, _ = session_times(calendar, int(labels[0]), int(labels[-1]))
        return np.searchsorted(dates, labels, side="right")
    if daily:
        return days
    # 1970-01-01 was a Thursday; a weekend's bar belongs to the Friday before.
    shifted = days + 3
    return shifted // 7 * 5 + np.minimum(shifted % 7, 4)
