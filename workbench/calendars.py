"""The sessions of a named calendar: the only importer of exchange_calendars, which is slow to import."""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np
import pandas as pd

from workbench.errors import DataError, did_you_mean
from workbench.interval import DAY

__all__ = ["is_open", "session_times"]


def session_times(calendar: str, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dates (00:00 UTC), opens and closes of a calendar's sessions around two moments, all in nanoseconds."""
    years = [pd.Timestamp(moment).year for moment in (first - 7 * DAY, last + 7 * DAY)]
    return _calendar(calendar, years[0], years[1])


def is_open(calendar: str, moment: int) -> bool:
    """Whether a session of a calendar is on at a moment, in nanoseconds."""
    _, opens, closes = session_times(calendar, moment, moment)
    at = int(np.searchsorted(opens, moment, side="right")) - 1
    return at >= 0 and moment < int(closes[at])


@lru_cache(maxsize=16)
def _calendar(name: str, first_year: int, last_year: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        # exchange_calendars 4.13 uses what pandas 3.1 warns about.
        warnings.simplefilter("ignore")
        import exchange_calendars

        try:
            calendar = exchange_calendars.get_calendar(name, start=f"{first_year}-01-01", end=f"{last_year}-12-31")
        except exchange_calendars.errors.InvalidCalendarName:
            known = exchange_calendars.get_calendar_names()
            raise DataError(f"unknown calendar {name!r}{did_you_mean(name, known)}") from None
        except ValueError as error:
            raise DataError(f"the calendar {name} does not cover {first_year} to {last_year}: {error}") from None
    return calendar.schedule.index.as_unit("ns").asi8, calendar.opens_nanos, calendar.closes_nanos
