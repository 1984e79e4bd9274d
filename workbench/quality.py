"""Whether a frame of bars can be trusted: every fault is named with its row, column and value, and nothing is mended unasked."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import pandas as pd

from workbench.calendars import session_times
from workbench.errors import DataError
from workbench.interval import DAY, UNITS, nanoseconds

__all__ = ["Fault", "SuspectDataWarning", "check_frame", "find_faults", "require_bar_columns", "warn_of"]

PRICES = ("open", "high", "low", "close")
#: A one-bar move of the close above this share may be a split.
JUMP = 0.40
#: How many faults of a frame, and moves of a warning, are written out.
SHOWN = 6
#: Daylight saving moves sessions by an hour, so longer intervals are held to its grid only.
HOUR = UNITS["h"]


class SuspectDataWarning(UserWarning):
    """Bars that are possible but look wrong, such as a move that may be a split."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault of a frame: where it is first seen, how many rows have it, and which repair would mend it."""

    kind: str
    where: str
    count: int = 1
    repair: str | None = None

    def __str__(self) -> str:
        return f"{self.where} [{self.kind}, {self.count:,} row{'s' * (self.count != 1)}]"


def require_bar_columns(frame: pd.DataFrame, symbol: str) -> None:
    """Raise `DataError` where a frame holds no bars: a column is missing or there twice."""
    names = [str(name) for name in frame.columns]
    wanted = "expected columns open, high, low, close[, volume]"
    if any(name not in frame for name in PRICES):
        raise DataError(f"{symbol}: these are no bars: {wanted}, found {', '.join(names) or 'none'}{_what_it_is(names)}")
    twice = [name for name in (*PRICES, "volume") if names.count(name) > 1]
    if twice:
        raise DataError(f"{symbol}: {wanted}, found {twice[0]} {names.count(twice[0])} times")


def _what_it_is(names: Sequence[str]) -> str:
    low = [name.lower() for name in names]
    if any(name.startswith(("bid", "ask")) for name in low):
        return "; they look like bid and ask quotes: make bars of the mid price first"
    if "price" in low and not {"open", "high"} & set(low):
        return "; they look like single trades (ticks): make bars of them first"
    return ""


def check_frame(frame: pd.DataFrame, symbol: str, interval: str, calendar: str | None = None) -> str:
    """Raise `DataError` with all faults of a frame of bars; return what looks doubtful in words, or nothing.

    Parameters
    ----------
    frame : DataFrame
        Columns open, high, low, close and, if there is one, volume; index UTC, the OPEN time of each bar. No NaN but in
        a volume column that is NaN throughout.
    symbol : str
        Named in the sentence.
    interval : str
    calendar : str, optional
        A calendar of exchange_calendars that the labels are held against.

    Returns
    -------
    str
        Moves of more than 40 % in one bar, which may be splits.

    Raises
    ------
    DataError
        Each kind of fault once: first row, column, value, number of rows.
    """
    require_bar_columns(frame, symbol)
    faults = find_faults(frame, interval, calendar)
    if faults:
        raise DataError(_sentence(faults, symbol, len(frame)))
    return _jumps(frame, symbol)


def _sentence(faults: Sequence[Fault], symbol: str, rows: int) -> str:
    shown = "; ".join(map(str, faults[:SHOWN])) + (f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else "")
    repairs = list(dict.fromkeys(fault.repair for fault in faults if fault.repair))
    advice = f" Mend the source, or choose wb.read_bars(..., repair={repairs})." if repairs else ""
    return f"{symbol}: {len(faults)} fault{'s' * (len(faults) != 1)} in {rows:,} bars: {shown}.{advice}"


def find_faults(frame: pd.DataFrame, interval: str, calendar: str | None = None) -> list[Fault]:
    """Return every kind of fault of a frame that has the columns of bars; an empty list when it is clean.

    Examples
    --------
    >>> frame = pd.DataFrame(1.0, pd.date_range("2024", periods=3, tz="UTC"), ["open", "high", "low", "close"])
    >>> find_faults(frame, "1D")
    []
    """
    values = {name: as_floats(frame[name]) for name in (*PRICES, "volume") if name in frame}
    index_faults = _index_faults(frame)
    faults = [*_text_faults(frame, values), *_price_faults(frame, values), *_volume_faults(frame, values.get("volume")), *index_faults]
    if isinstance(frame.index, pd.DatetimeIndex) and not frame.index.hasnans:
        labels = frame.index.as_unit("ns").asi8
        ordered = not any(fault.kind in ("not sorted", "duplicated label") for fault in index_faults)
        faults += _spacing_faults(frame, labels if ordered else rising(labels), interval, ordered)
        if calendar and not index_faults and len(labels):
            faults += _calendar_faults(frame, labels, nanoseconds(interval), calendar)
    return faults


def as_floats(column: pd.Series) -> np.ndarray:
    """Return a column as floats; what is no number becomes NaN."""
    if column.dtype.kind in "fiu" and isinstance(column.dtype, np.dtype):
        return np.asarray(column.to_numpy(dtype=float))
    if column.dtype.kind in "mM":
        return np.full(len(column), np.nan)
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def _text_faults(frame: pd.DataFrame, values: dict[str, np.ndarray]) -> list[Fault]:
    faults = []
    for name, numbers in values.items():
        if frame[name].dtype.kind not in "fiu":
            lost = np.flatnonzero(np.isnan(numbers) & frame[name].notna().to_numpy())
            if len(lost):
                faults.append(Fault("no number", _place(frame, lost[0], name, frame[name].iloc[lost[0]]), len(lost), "drop_bad"))
    return faults


def _place(frame: pd.DataFrame, row: Any, column: str, value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else str(value)
    return f"row {row} ({frame.index[row]}), column {column}: {shown}"


def good_rows(values: dict[str, np.ndarray]) -> np.ndarray:
    """Return where prices are finite, positive and not crossed (a comparison with NaN is False)."""
    first, high, low, last = (values[name] for name in PRICES)
    good = (low > 0) & (high < np.inf)
    for price in (first, last):
        good &= (low <= price) & (price <= high)
    return np.asarray(good)


def good_volume(volume: np.ndarray | None) -> Any:
    """Return where volume is a number of at least 0; True where there is none at all."""
    if volume is None or np.isnan(volume).all():
        return True
    return (volume >= 0) & (volume < np.inf)


def _price_faults(frame: pd.DataFrame, values: dict[str, np.ndarray]) -> list[Fault]:
    good = good_rows(values)
    if good.all():
        return []
    rows = np.flatnonzero(~good)
    prices = np.column_stack([values[name][rows] for name in PRICES])
    finite = np.isfinite(prices)
    with np.errstate(invalid="ignore"):
        negative = finite & (prices <= 0)
    faults = [
        *_cell_fault("price missing or infinite", frame, rows, ~finite, prices),
        *_cell_fault("price not positive", frame, rows, negative, prices),
    ]
    sound = finite.all(axis=1) & ~negative.any(axis=1)
    return faults + _crossed(frame, rows[sound], prices[sound])


def _cell_fault(kind: str, frame: pd.DataFrame, rows: np.ndarray, bad: np.ndarray, prices: np.ndarray) -> list[Fault]:
    where = np.argwhere(bad)
    if not len(where):
        return []
    row, column = where[0]
    return [Fault(kind, _place(frame, rows[row], PRICES[column], prices[row, column]), int(bad.any(axis=1).sum()), "drop_bad")]


def _crossed(frame: pd.DataFrame, rows: np.ndarray, prices: np.ndarray) -> list[Fault]:
    if not len(rows):
        return []
    first, high, low, last = prices[0]
    names = {"open": first, "close": last, "low": low}
    other = max(names, key=lambda name: names[name])
    if names[other] > high:
        said = f"{_place(frame, rows[0], 'high', high)} is below {other} {names[other]}"
    else:
        other = "open" if first < last else "close"
        said = f"{_place(frame, rows[0], 'low', low)} is above {other} {min(first, last)}"
    return [Fault("crossed prices", said, len(rows), "drop_bad")]


def _volume_faults(frame: pd.DataFrame, volume: np.ndarray | None) -> list[Fault]:
    if volume is None or np.all(good_volume(volume)):
        return []
    kinds = {"volume missing": np.isnan(volume), "volume infinite": volume == np.inf, "volume negative": volume < 0}
    found = {kind: np.flatnonzero(bad) for kind, bad in kinds.items()}
    return [
        Fault(kind, _place(frame, rows[0], "volume", volume[rows[0]]), len(rows), "drop_bad") for kind, rows in found.items() if len(rows)
    ]


def _index_faults(frame: pd.DataFrame) -> list[Fault]:
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex):
        return [Fault("index holds no times", f"row 0, index: {index[0]!r}, expected labels in UTC", len(index))] if len(index) else []
    faults = []
    if str(index.tz) != "UTC" and len(index):
        zone = "without a zone" if index.tz is None else f"in the zone {index.tz}"
        faults.append(
            Fault("index not in UTC", f"row 0, index: {index[0]} is {zone}, expected UTC (timezone= names another)", len(index), "localize")
        )
    if index.hasnans:
        rows = np.flatnonzero(index.isna())
        return [*faults, Fault("label missing", f"row {rows[0]}, index: NaT", len(rows))]
    return faults + _order_faults(index)


def _order_faults(index: pd.DatetimeIndex) -> list[Fault]:
    steps = np.diff(index.asi8)
    if not len(steps) or steps.min() > 0:
        return []
    faults = []
    back = np.flatnonzero(steps < 0) + 1
    if len(back):
        faults.append(Fault("not sorted", f"row {back[0]}, index: {index[back[0]]} comes after {index[back[0] - 1]}", len(back), "sort"))
    twice = np.flatnonzero(index.duplicated())
    if len(twice):
        first = int(np.argmax(index == index[twice[0]]))
        said = f"row {twice[0]}, index: {index[twice[0]]} is the label of row {first} too"
        faults.append(Fault("duplicated label", said, len(twice), "drop_duplicates"))
    return faults


def usual_spacing(labels: np.ndarray) -> tuple[int, int]:
    """Return the commonest step between rising labels (nanoseconds; the shortest of several) and how often it is there."""
    steps = np.diff(labels)
    middle = np.partition(steps, len(steps) // 2)[len(steps) // 2]
    count = int(np.count_nonzero(steps == middle))
    if 2 * count > len(steps):
        return int(middle), count
    lengths, counts = np.unique(steps, return_counts=True)
    most = int(np.argmax(counts))
    return int(lengths[most]), int(counts[most])


def rising(labels: np.ndarray) -> np.ndarray:
    """Return labels in order, each once (numpy's own `unique` is ten times slower on whole numbers)."""
    ordered = np.sort(labels)
    return ordered[np.append(True, ordered[1:] > ordered[:-1])] if len(ordered) else ordered


def spell(length: int) -> str:
    """Return a length in nanoseconds as an interval, the way we write it: ``"1h"``."""
    for unit in ("D", "h", "min", "s"):
        if length and length % UNITS[unit] == 0:
            return f"{length // UNITS[unit]}{unit}"
    return f"{length / UNITS['s']:g}s"


def _spacing_faults(frame: pd.DataFrame, labels: np.ndarray, interval: str, ordered: bool) -> list[Fault]:
    length = nanoseconds(interval)
    steps = np.diff(labels)
    if 2 * np.count_nonzero(steps == length) <= len(steps) and len(steps) >= 4:
        step, count = usual_spacing(labels)
        # Few labels with holes say nothing: a short frame contradicts its interval only when all its steps agree.
        if step != length and 2 * count > len(steps) and (len(steps) >= 10 or count == len(steps)):
            said = f"the commonest step between labels is {spell(step)} ({count:,} of {len(steps):,}), not the interval {interval}"
            return [Fault("wrong interval", said, count)]
    if not ordered:
        return []
    near = np.flatnonzero(steps < length) + 1
    if len(near):
        row = near[0]
        said = f"row {row}, index: {frame.index[row]} comes {spell(int(steps[row - 1]))} after the label before, not {interval} or more"
        return [Fault("labels too close", said, len(near)), *_grid_faults(frame, labels, length)]
    return _grid_faults(frame, labels, length)


def _grid_faults(frame: pd.DataFrame, labels: np.ndarray, length: int) -> list[Fault]:
    if not len(labels):
        return []
    grid = DAY if length % DAY == 0 else gcd(length, HOUR)
    offsets = labels % grid
    usual = 0 if grid == DAY else offsets[0]
    off = offsets != usual
    if not off.any():
        return []
    if grid != DAY:
        # A break at noon may start a second grid (10:30, 11:30, 13:00): it counts when a fifth of the labels lie on it.
        kinds, counts = np.unique(offsets, return_counts=True)
        usual = kinds[np.argmax(counts)]
        off = ~np.isin(offsets, kinds[(counts >= 3) & (5 * counts >= len(labels)) | (kinds == usual)])
    rows = np.flatnonzero(off)
    if not len(rows):
        return []
    wanted = "00:00 UTC, the session date (pass timezone= of the exchange)" if grid == DAY else f"the others on a grid of {spell(grid)}"
    return [Fault("labels off the grid", f"row {rows[0]}, index: {frame.index[rows[0]]}, expected {wanted}", len(rows))]


def _calendar_faults(frame: pd.DataFrame, labels: np.ndarray, length: int, calendar: str) -> list[Fault]:
    dates, opens, closes = session_times(calendar, int(labels[0]), int(labels[-1]))
    if length >= DAY:
        rows = np.flatnonzero(~np.isin(labels, dates)) if length == DAY else np.array([], dtype=int)
        where = [f"row {row}, index: {frame.index[row]:%Y-%m-%d} is no session of {calendar}" for row in rows[:1]]
        return [Fault("no session", said, len(rows), "drop_closed") for said in where]
    closing = _stamp_faults(labels, length, calendar, opens, closes)
    rows = np.flatnonzero(~inside_sessions(labels, length, opens, closes))
    if closing or not len(rows):
        return closing
    early = _among(opens - length, labels).any() and not _among(closes - length, labels).any()
    hint = "; these look open-stamped: pass stamp='open'" if early else ""
    said = f"row {rows[0]}, index: {frame.index[rows[0]]} lies outside the sessions of {calendar}{hint}"
    return [Fault("outside the sessions", said, len(rows), None if early else "drop_closed")]


def _stamp_faults(labels: np.ndarray, length: int, calendar: str, opens: np.ndarray, closes: np.ndarray) -> list[Fault]:
    """Find labels that are the bars' closes: never a session's open, but its close, or its first bar's close."""
    if _among(opens, labels).any():
        return []
    covered = np.count_nonzero(np.diff(np.searchsorted(labels, opens)))
    on_close, after_open = (int(_among(times, labels).sum()) for times in (closes, opens + length))
    inside = inside_sessions(labels - length, length, opens, closes).mean()
    if inside < 0.99 or not (on_close or 2 * after_open > covered):
        return []
    said = f"index: {on_close} labels are a close of {calendar}, {after_open} its first bar's close and none its open"
    return [Fault("close-stamped", f"{said}; these look close-stamped: pass stamp='close'", len(labels))]


def _among(times: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which times are a label; few times among many rising labels are found faster than by `np.isin`."""
    return np.asarray(labels[np.minimum(np.searchsorted(labels, times), len(labels) - 1)] == times)


def inside_sessions(labels: np.ndarray, length: int, opens: np.ndarray, closes: np.ndarray) -> np.ndarray:
    """Return which bars lie inside a session."""
    # A calendar knows an exchange's early closes, not which of its products keep trading: the usual length counts.
    lasts = np.maximum(closes, opens + np.median(closes - opens).astype(np.int64))
    number = np.searchsorted(opens, labels + length) - 1
    return np.asarray((number >= 0) & (labels < lasts[number]))


def _jumps(frame: pd.DataFrame, symbol: str) -> str:
    """Return which closes moved by more than 40 % in one bar - a split, or an error; nothing where none did."""
    close = as_floats(frame["close"])
    moves = close[1:] / close[:-1] - 1
    rows = np.flatnonzero(np.abs(moves) > JUMP) + 1
    if not len(rows):
        return ""
    said = ", ".join(f"{100 * moves[row - 1]:+.0f} % at {frame.index[row]:%Y-%m-%d %H:%M}" for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    kind = "moves" if len(rows) > 1 else "a move"
    return f"{symbol}: {kind} of more than {JUMP:.0%} in one bar, possibly a split in unadjusted prices: {said}{more}"


def warn_of(message: str) -> None:
    """Warn (`SuspectDataWarning`) at the line of the user's that brought the data."""
    warnings.warn(message, SuspectDataWarning, stacklevel=_callers_level())


def _callers_level() -> int:
    """Return the stack level of the first caller outside the package, so that the warning points at the user's line."""
    here, frame, level = os.path.dirname(__file__), sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(here):
        frame, level = frame.f_back, level + 1
    return level
