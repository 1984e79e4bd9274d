"""Trading sessions: when each step is known, and how many sessions lie between two daily bars."""

from __future__ import annotations

import numpy as np

from workbench.bars import Bars
from workbench.calendars import session_times
from workbench.instrument import Instrument
from workbench.interval import DAY

__all__ = ["close_times", "session_numbers"]


def close_times(bars: Bars) -> np.ndarray:
    """Return when each step is known: the latest close of its label, nanoseconds since 1970, int64 of length T (SEMANTICS 1).

    A bar closes at label + interval, a daily bar of an instrument with a calendar at that session's close.
    """
    plain = bars.labels + bars.interval_ns
    calendars = {instrument.calendar for instrument in bars.instruments}
    if bars.interval_ns != DAY or not len(bars) or calendars == {None}:
        return plain
    closes = [plain if name is None else _session_closes(bars.labels, plain, name) for name in sorted(calendars, key=str)]
    return np.asarray(np.max(closes, axis=0))


def _session_closes(labels: np.ndarray, plain: np.ndarray, calendar: str) -> np.ndarray:
    dates, _, closes = session_times(calendar, int(labels[0]), int(labels[-1]))
    place = np.minimum(np.searchsorted(dates, labels), len(dates) - 1)
    return np.where(dates[place] == labels, closes[place], plain)


def session_numbers(bars: Bars) -> np.ndarray | None:
    """Return the running number of each daily bar's session, int64 of shape (T, N); None for other bars.

    Coins trade every day; an instrument with a calendar on its sessions; all others from Monday to Friday.
    """
    if bars.interval_ns != DAY:
        return None
    return np.column_stack([_numbers(bars.labels, instrument) for instrument in bars.instruments])


def _numbers(labels: np.ndarray, instrument: Instrument) -> np.ndarray:
    days = labels // DAY
    if instrument.calendar is not None and len(labels):
        dates, _, _ = session_times(instrument.calendar, int(labels[0]), int(labels[-1]))
        return np.searchsorted(dates, labels, side="right")
    if instrument.asset_class == "crypto":
        return days
    # 1970-01-01 was a Thursday; a weekend's bar belongs to the Friday before.
    shifted = days + 3
    return shifted // 7 * 5 + np.minimum(shifted % 7, 4)
