"""How the times of a table become labels: OPEN times in UTC, daily bars at their session date."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd

from workbench.errors import DataError, ParameterError, did_you_mean
from workbench.interval import DAY, nanoseconds
from workbench.quality import rising, spell, usual_spacing

__all__ = ["Labels", "infer_interval", "open_labels", "read_labels"]

#: Names of time columns, lower case, the likeliest first.
TIME_NAMES = ("timestamp", "datetime", "date", "time", "open_time", "opentime", "open time", "date_time", "ts", "t")
#: Names of UTC that need no conversion.
UTC_NAMES = frozenset(("UTC", "Etc/UTC", "GMT", "Etc/GMT", "UCT", "Zulu", "UTC+00:00", "+00:00"))
#: Numbers below these are seconds, milliseconds, microseconds since 1970; above, nanoseconds.
EPOCHS = ((1e11, "s", "seconds"), (1e14, "ms", "milliseconds"), (1e17, "us", "microseconds"), (np.inf, "ns", "nanoseconds"))


@dataclass(frozen=True, slots=True)
class Labels:
    """The times of a table as read, in the zone they were written in; `settled` when they may be taken to UTC."""

    times: pd.DatetimeIndex
    notes: tuple[str, ...] = ()
    dates: bool = False
    settled: bool = False


def read_labels(table: pd.DataFrame, name: str, localize: bool, timezone: str | None, time_format: str | None) -> Labels:
    """Find the times of a table and give them their zone, where the caller said which.

    Parameters
    ----------
    table : DataFrame
        Column names in lower case. The times are its index, or a column such as timestamp, date, date and time.
    name : str
        Named in sentences.
    localize : bool
        Whether times without a zone may be read as UTC, and other zones be converted.
    timezone : str, optional
        The zone of times written without one.
    time_format : str, optional
        How times in text are written; ISO 8601 where not given.

    Returns
    -------
    Labels
        Times without a permitted zone stay as they are: the check of the frame refuses them.
    """
    raw, column = _find(table, name)
    labels = _parse(raw, f"{name}: {column}", time_format, localize or timezone is not None)
    if timezone is not None:
        _known_zone(timezone)
    if labels.times.tz is not None:
        return _aware(labels, localize, timezone)
    if not (localize or timezone or labels.dates):
        return labels
    said = "dates without a time: session dates" if labels.dates else f"times without a zone read as {timezone or 'UTC'}"
    return _settle(labels, _localize(labels.times, timezone or "UTC", name), said)


def _aware(labels: Labels, localize: bool, timezone: str | None) -> Labels:
    zone = str(labels.times.tz)
    if zone in UTC_NAMES:
        return _settle(labels, labels.times.tz_convert(timezone or "UTC"))
    if not (localize or timezone):
        return labels
    return _settle(labels, labels.times.tz_convert(timezone) if timezone else labels.times, f"times in {zone} converted to UTC")


def _settle(labels: Labels, times: pd.DatetimeIndex, said: str = "") -> Labels:
    return replace(labels, times=times, notes=(*labels.notes, said) if said else labels.notes, settled=True)


def _find(table: pd.DataFrame, name: str) -> tuple[pd.Series, str]:
    """Return the raw times and the name of their column."""
    if isinstance(table.index, pd.DatetimeIndex):
        return table.index.to_series(), "index"
    columns = [column for column in TIME_NAMES if column in table]
    if "date" in columns and "time" in columns and table["date"].dtype.kind not in "iufM":
        return table["date"].astype(str) + " " + table["time"].astype(str), "date and time"
    if columns:
        return table[columns[0]], columns[0]
    if isinstance(table.index, (pd.RangeIndex, pd.MultiIndex)):
        raise DataError(f"{name}: no times found: expected a DatetimeIndex or a column timestamp, datetime, date or time")
    return table.index.to_series(), "index"


def _parse(raw: pd.Series, where: str, time_format: str | None, convert: bool) -> Labels:
    if raw.dtype.kind == "M":
        return Labels(pd.DatetimeIndex(raw))
    if raw.dtype.kind in "iuf" and time_format is None:
        return _epoch(raw, where)
    first = raw.iloc[0] if len(raw) else None
    if isinstance(first, date):
        return Labels(pd.DatetimeIndex(pd.to_datetime(raw.to_numpy())), dates=not isinstance(first, datetime))
    return _text(raw.astype(str).str.strip(), where, time_format, convert)


def _epoch(raw: pd.Series, where: str) -> Labels:
    numbers = raw.to_numpy(dtype=float, na_value=np.nan)
    bad = np.flatnonzero(~(numbers > 1e8))
    if len(bad):
        raise DataError(f"{where}, row {bad[0]}: {numbers[bad[0]]:g} is no time since 1970 (or pass time_format=)")
    unit, word = next((unit, word) for limit, unit, word in EPOCHS if np.median(numbers) < limit)
    whole = raw.to_numpy(dtype=np.int64) if raw.dtype.kind in "iu" else np.round(numbers).astype(np.int64)
    times = pd.DatetimeIndex(whole.astype(f"datetime64[{unit}]")).tz_localize("UTC")
    return Labels(times, (f"times read as {word} since 1970, UTC",))


def _text(text: pd.Series, where: str, time_format: str | None, convert: bool) -> Labels:
    how = time_format or "ISO8601"
    try:
        times = pd.to_datetime(text, format=how)
    except ValueError as error:
        if "ixed time" not in str(error) and "tz-aware" not in str(error):
            raise _unreadable(text, where, how) from None
        if not convert:
            raise DataError(f"{where}: times carry several offsets, such as {text.iloc[0]!r}; choose repair=['localize']") from None
        return Labels(pd.DatetimeIndex(pd.to_datetime(text, format=how, utc=True)), ("times of several offsets converted to UTC",))
    only_dates = not any(code in time_format for code in ("%H", "%I")) if time_format else bool(text.str.len().max() <= 10)
    return Labels(pd.DatetimeIndex(times), dates=only_dates)


def _unreadable(text: pd.Series, where: str, how: str) -> DataError:
    parsed = pd.to_datetime(text, format=how, errors="coerce", utc=True)
    row = int(np.argmax(parsed.isna().to_numpy()))
    expected = "an ISO time such as 2024-01-31 16:00" if how == "ISO8601" else f"a time written {how}"
    return DataError(f"{where}, row {row}: {text.iloc[row]!r} is not {expected}; pass time_format, such as '%m/%d/%Y %H:%M'")


def _localize(times: pd.DatetimeIndex, timezone: str, name: str) -> pd.DatetimeIndex:
    try:
        return times.tz_localize(timezone)
    except ValueError as error:
        raise DataError(f"{name}: a time does not exist, or exists twice, in {timezone}: {error}") from None


def _known_zone(timezone: str) -> None:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError):
        hint = did_you_mean(str(timezone), zoneinfo.available_timezones())
        raise ParameterError(
            f"unknown timezone {timezone!r}{hint if 'did you' in hint else ', give one such as America/New_York'}"
        ) from None


def infer_interval(times: pd.DatetimeIndex, name: str) -> str:
    """Return the commonest step between labels as an interval."""
    labels = rising(times[times.notna()].as_unit("ns").asi8)
    if len(labels) < 2:
        raise DataError(f"{name}: {len(times)} rows do not tell the interval; pass interval='1min', '1h' or '1D'")
    step, count = usual_spacing(labels)
    if step % 1_000_000_000:
        said = f"the commonest step between labels is {spell(step)} ({count} of {len(labels) - 1})"
        raise DataError(f"{name}: {said}: these look like single trades, not bars")
    return spell(step)


def open_labels(labels: Labels, interval: str, stamp: str, around_the_clock: bool) -> tuple[pd.DatetimeIndex, list[str]]:
    """Return OPEN labels in UTC, and what was assumed for it (SEMANTICS 2).

    Parameters
    ----------
    labels : Labels
    interval : str
    stamp : {"open", "close"}
        What the times of the table are.
    around_the_clock : bool
        Whether days end at midnight (coins): a daily bar stamped with its close at 00:00 then belongs to the day before.
    """
    length = nanoseconds(interval)
    said = "labels taken as OPEN times (stamp='open')" if stamp == "open" else "labels were CLOSE times, moved to the OPEN (stamp='close')"
    if not labels.settled:
        return labels.times, [said]
    if length % DAY == 0:
        days = _session_dates(labels.times, length // DAY, stamp, around_the_clock)
        moved = stamp == "open" and not days.equals(labels.times.tz_convert("UTC"))
        return days, [said, "daily labels moved to the session date at 00:00 UTC"] if moved else [said]
    times = labels.times.tz_convert("UTC")
    return times if stamp == "open" else times - pd.Timedelta(length, "ns"), [said]


def _session_dates(times: pd.DatetimeIndex, days: int, stamp: str, around_the_clock: bool) -> pd.DatetimeIndex:
    utc = times.tz_convert("UTC")
    if not _midnight(utc) and stamp == "open" and str(times.tz) == "UTC":
        # Whose day 22:00 UTC belongs to depends on the exchange: the check of the frame asks for its zone.
        return utc
    wall = utc if _midnight(utc) else times.tz_localize(None).tz_localize("UTC")
    dates = wall.normalize()
    if stamp == "close":
        dates = dates - pd.Timedelta(days if around_the_clock and _midnight(wall) else days - 1, "D")
    return dates


def _midnight(times: pd.DatetimeIndex) -> bool:
    return bool((times.as_unit("ns").asi8 % DAY == 0).all())
