"""The label table: made from each instrument's own bars, joined by (timestamp, symbol)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.alignment import aligned
from workbench.bars import Bars
from workbench.errors import ParameterError

__all__ = [
    "LABELLED",
    "LEVELS",
    "TIE",
    "Own",
    "check_table",
    "each_instrument",
    "index_at",
    "keys_of",
    "label_table",
    "require_bars",
    "require_count",
    "widths",
]

#: Under this name a label table notes in its `attrs` how many bars there were: rows that are not all of them give themselves away.
LABELLED = "bars"
#: Names of the two levels of the index.
LEVELS = ("timestamp", "symbol")
#: Prices as near to each other as this are equal (SEMANTICS 6).
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Own:
    """One instrument's own bars, without its holes.

    Parameters
    ----------
    column : int
        Its place among the instruments.
    rows : ndarray of length n
        Rows of `Bars` at which it has a bar.
    prices : dict of str to ndarray of length n
        Open, high, low and close of these rows.
    """

    column: int
    rows: np.ndarray
    prices: dict[str, np.ndarray]


def require_bars(bars: Any, who: str) -> Bars:
    """Return the bars, or refuse in a sentence what is none."""
    if not isinstance(bars, Bars):
        raise ParameterError(f"{who} takes wb.Bars, got {type(bars).__name__}: wb.read_bars(...) or wb.Bars.from_frames(...) makes them")
    return bars


def require_count(number: Any, name: str, least: int = 1) -> int:
    """Return a whole number of at least `least`, or refuse in a sentence what is none."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}, got {number!r}")
    return int(number)


def each_instrument(bars: Bars) -> Iterator[Own]:
    """Yield each instrument's own bars."""
    for column in range(len(bars.instruments)):
        rows = np.flatnonzero(bars.present[:, column])
        yield Own(column, rows, {name: bars.array(name)[rows, column] for name in ("open", "high", "low", "close")})


def widths(multiple: float | None, volatility: Any, bars: Bars, name: str) -> np.ndarray:
    """Return how far a barrier lies from each close, as a share of it, shape (T, N): `multiple` of the volatility where one is given.

    A volatility of 0 or less, or NaN, gives NaN: there is no barrier to test, so no label.
    """
    if multiple is None:
        return np.full(bars.shape, np.inf)
    if not isinstance(multiple, (int, float, np.number)) or not 0 <= multiple < np.inf:
        raise ParameterError(f"{name} must be a number of at least 0, got {multiple!r}")
    if volatility is None:
        return np.full(bars.shape, float(multiple))
    unit = aligned(volatility, bars, "volatility", "a share of the price")
    return float(multiple) * np.where(unit > 0, unit, np.nan)


def index_at(bars: Bars, t: np.ndarray, j: np.ndarray) -> pd.MultiIndex:
    """Return the index (timestamp, symbol) of the bars in these rows and columns.

    By places, for to find the times among themselves again takes longer than the labels; symbols stay in the order of the bars.
    """
    return pd.MultiIndex([bars.index, pd.Index(bars.symbols)], [t, j], names=LEVELS, verify_integrity=False)


def label_table(bars: Bars, present: np.ndarray, end: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    """Lay fields of shape (T, N) out as a label table, one row for each True of `present`.

    Parameters
    ----------
    bars : Bars of shape (T, N)
    present : ndarray of bool, shape (T, N)
    end : ndarray of int, shape (T, N)
        Row of `Bars` at whose close the label is known, -1 where unknown.
    columns : ndarray of shape (T, N)
        The other columns; `label` and `ret` are set to NaN where `end` is unknown.
    """
    t, j = np.nonzero(present)
    times, index = pd.DatetimeIndex(bars.index), index_at(bars, t, j)
    known = end[t, j] >= 0
    ends = times.take(np.maximum(end[t, j], 0)).where(known)
    values: dict[str, Any] = {"label": np.where(known, columns.pop("label")[t, j], np.nan), "end": ends}
    values["ret"] = np.where(known, columns.pop("ret")[t, j], np.nan)
    table = pd.DataFrame(values | {name: array[t, j] for name, array in columns.items()}, index)
    table.attrs[LABELLED] = int(bars.present.sum())
    return table


def check_table(labels: Any, who: str) -> pd.DataFrame:
    """Return a label table, or refuse in a sentence what is none."""
    if not isinstance(labels, pd.DataFrame) or not {"label", "end", "ret"} <= set(labels.columns):
        raise ParameterError(f"{who} takes a label table (columns label, end, ret), got {_said(labels)}: wb.labels.fixed_horizon makes one")
    if not isinstance(labels.index, pd.MultiIndex) or labels.index.nlevels != 2:
        raise ParameterError(f"{who}: a label table is indexed by (timestamp, symbol), got {type(labels.index).__name__}")
    if not labels.index.is_unique:
        twice = labels.index[labels.index.duplicated()][0]
        raise ParameterError(f"{who}: a label table has one row a bar and symbol, {twice[1]} at {twice[0]} stands in it twice")
    return labels


def _said(given: Any) -> str:
    return f"a DataFrame with {', '.join(map(str, given.columns[:4]))}" if isinstance(given, pd.DataFrame) else type(given).__name__


def keys_of(given: Any, bars: Bars, who: str) -> np.ndarray:
    """Return where `given` names a bar, booleans of shape (T, N): times (of every symbol), (timestamp, symbol) or a frame of booleans.

    Of a Series of booleans the rows that are true count, of any other its index.

    Raises
    ------
    ParameterError
        A time or symbol at which there is no bar, a frame of anything but booleans.
    """
    if isinstance(given, pd.DataFrame) and not isinstance(given.index, pd.MultiIndex):
        values = aligned(given, bars, who, "true or false")
        if not np.isin(values[bars.present], (0.0, 1.0)).all():
            raise ParameterError(f"{who} must be a frame of booleans, got other numbers; of stances: stances.fillna(0) != 0")
        return (values == 1) & bars.present
    if isinstance(given, pd.Series) and given.dtype == bool:
        given = given[given]
    index = given if isinstance(given, pd.Index) else getattr(given, "index", None)
    chosen = np.zeros(bars.shape, bool)
    if isinstance(index, pd.MultiIndex) and index.nlevels == 2:
        rows, columns = bars.index.get_indexer(index.get_level_values(0)), pd.Index(bars.symbols).get_indexer(index.get_level_values(1))
        there = (rows >= 0) & (columns >= 0) & bars.present[rows, columns]
        chosen[rows, columns] = True
    elif isinstance(index, pd.DatetimeIndex):
        rows = bars.index.get_indexer(index)
        there = rows >= 0
        chosen[rows] = bars.present[rows]
    else:
        raise ParameterError(f"{who} must be times, (timestamp, symbol) pairs or a frame of booleans, got {type(given).__name__}")
    if not there.all():
        zone = "" if getattr(index.get_level_values(0), "tz", None) else "; bars are labelled in UTC, and these times name no time zone"
        raise ParameterError(f"{who}: there is no bar at {index[int(np.argmin(there))]}{zone}")
    return chosen
