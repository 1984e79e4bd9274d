"""Coarser bars out of finer ones: completed ones only, decided from labels and interval alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.errors import DataError
from workbench.frames import FIELDS
from workbench.interval import DAY, canonical, nanoseconds

if TYPE_CHECKING:
    from workbench.bars import Bars

__all__ = ["coarser", "start_of"]

WEEK = 7 * DAY
#: 1970-01-05, the first Monday: whole weeks begin there.
MONDAY = 4 * DAY


def coarser(bars: Bars, interval: str) -> Bars:
    """Return the completed bars of a coarser interval; `Bars.at` says what they are.

    Parameters
    ----------
    bars : Bars
    interval : str
        A multiple of the bars' own.

    Raises
    ------
    DataError
        Not a multiple.
    """
    length = nanoseconds(interval)
    if length % bars.interval_ns:
        raise DataError(f"bars of {bars.interval} make bars of a multiple of {bars.interval}, got {canonical(interval)}")
    if length == bars.interval_ns:
        return bars
    start = start_of(bars.labels, length)
    # both run upwards, so what has ended comes first
    ended = int(np.searchsorted(start + length, bars.labels[-1] + bars.interval_ns, side="right")) if len(bars) else 0
    inside = bars.present[:ended] & (np.arange(ended)[:, None] >= _whole_from(bars, start))
    edges = np.flatnonzero(np.diff(start[:ended], prepend=-1))
    if not len(edges):
        return bars.with_rows(bars.index[:0], {name: bars.array(name)[:0] for name in FIELDS}, canonical(interval))
    arrays = _joined(bars, inside, edges)
    some = ~np.isnan(arrays["close"]).all(axis=1)
    index = pd.DatetimeIndex(start[edges][some].view("datetime64[ns]"), name=bars.index.name).tz_localize("UTC").as_unit(bars.index.unit)
    return bars.with_rows(index, {name: array[some] for name, array in arrays.items()}, canonical(interval))


def _joined(bars: Bars, inside: np.ndarray, edges: np.ndarray) -> dict[str, np.ndarray]:
    """Return the fields of the coarser bars that begin at rows `edges`, of the bars `inside`; NaN where there are none."""
    rows = np.arange(len(inside))[:, None]
    first = np.minimum.reduceat(np.where(inside, rows, len(inside)), edges, axis=0)
    last = np.maximum.reduceat(np.where(inside, rows, -1), edges, axis=0)
    none = last < 0
    column = np.arange(inside.shape[1])
    kept = {name: np.where(inside, bars.array(name)[: len(inside)], np.nan) for name in ("high", "low")}
    volume = np.where(inside, bars.array("volume")[: len(inside)], 0.0)
    made = {
        "open": bars.array("open")[np.where(none, 0, first), column],
        "high": np.fmax.reduceat(kept["high"], edges, axis=0),
        "low": np.fmin.reduceat(kept["low"], edges, axis=0),
        "close": bars.array("close")[last, column],
        "volume": np.add.reduceat(volume, edges, axis=0),
    }
    return {name: np.where(none, np.nan, made[name]) for name in FIELDS}


def start_of(label: Any, length: int) -> Any:
    """Return the label of the coarser bar that a bar belongs to, or each of an array: days from 00:00 UTC, weeks from Monday."""
    shift = MONDAY if length % WEEK == 0 else 0
    return (label - shift) // length * length + shift


def _whole_from(bars: Bars, start: np.ndarray) -> np.ndarray:
    """Return for each instrument the row from which on its coarser bars are whole: the one that its bars begin in may lack some."""
    found = np.zeros(bars.shape[1], int)
    for j in range(bars.shape[1]):
        rows = np.flatnonzero(bars.present[:, j])
        if len(rows) and start[rows[0]] != bars.labels[rows[0]]:
            found[j] = np.searchsorted(start, start[rows[0]], side="right")
    return found
