"""The rows of a data set in time: when each begins, when its label is known, and which of them overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError

__all__ = ["Rows", "first_overlap", "require_folds", "require_span"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows in the order of time.

    Parameters
    ----------
    start, end : ndarray of int, length n
        When the row's bar is labelled, and the bar at whose close its label is known: nanoseconds since 1970.
    times : ndarray of int
        The distinct starts: what a number of bars is counted in.
    """

    start: np.ndarray
    end: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, X: Any, ends: pd.Series | None) -> Rows:
        """Read the rows of a data set, and join the ends of their labels by key.

        Without `ends` a label is known at the close of its own bar.

        Raises
        ------
        ParameterError
            No index of times, rows that are not in the order of time, a row without an end.
        """
        start = _starts(X)
        end = start if ends is None else _ends(X.index, ends, start)
        return cls(start, end, np.unique(start))

    def groups(self, count: int, who: str) -> np.ndarray:
        """Return the number of each row's group, of `count` groups of bars in a row, as even as can be."""
        if len(self.times) < count:
            raise ParameterError(f"{who}: {count} groups need at least as many bars, X has {len(self.times)} distinct times")
        sizes = [len(part) for part in np.array_split(self.times, count)]
        return np.repeat(np.arange(count), sizes)[np.searchsorted(self.times, self.start)]

    def purged(self, test: np.ndarray, blocks: Sequence[np.ndarray], embargo: int | timedelta) -> np.ndarray:
        """Return the rows that may train: no test row, no label span that meets one of a test row, none under embargo.

        Parameters
        ----------
        test : ndarray of bool
        blocks : sequence of ndarray of bool
            The groups in a row that the test is made of; an embargo follows the last label's end of each.
        embargo : int or timedelta
        """
        train = ~test & (first_overlap(self.start, self.end, self.start[test], self.end[test]) < 0)
        for block in blocks:
            last = self.end[block].max()
            train &= (self.start <= last) | (self.start > _beyond(self.times, last, embargo))
        return train


def _starts(X: Any) -> np.ndarray:
    """Return the times of the rows, rising."""
    index = getattr(X, "index", None)
    times = index.get_level_values(0) if isinstance(index, pd.MultiIndex) else index
    if not isinstance(times, pd.DatetimeIndex):
        got = type(X).__name__ if not isinstance(index, pd.Index) else f"one indexed by {type(times).__name__}"
        raise ParameterError(f"X must be a DataFrame indexed by time or (timestamp, symbol): folds follow time; got {got}")
    start = times.as_unit("ns").asi8
    back = np.flatnonzero(np.diff(start) < 0)
    if len(back) or times.hasnans:
        row = int(back[0]) + 1 if len(back) else int(np.argmax(times.isna()))
        said = f"row {row} is of {times[row]}, the row before it of {times[row - 1]}"
        raise ParameterError(f"the rows of X must be in the order of time: {said}; X.sort_index() puts them right")
    return start


def _ends(index: pd.Index, ends: Any, start: np.ndarray) -> np.ndarray:
    """Return the end of each row's label, joined by the key of the row."""
    if not isinstance(ends, pd.Series) or not (isinstance(ends.dtype, pd.DatetimeTZDtype) or ends.dtype.kind == "M"):
        got = f"a Series of {ends.dtype}" if isinstance(ends, pd.Series) else type(ends).__name__
        raise ParameterError(f"ends must be a Series of times indexed like X, such as labels['end'], got {got}")
    if ends.index.nlevels == 2 and index.nlevels == 1 and ends.index.get_level_values(1).nunique() == 1:
        ends = ends.droplevel(1)
    if ends.index.nlevels != index.nlevels or not ends.index.is_unique:
        said = f"{ends.index.nlevels} levels, X {index.nlevels}" if ends.index.nlevels != index.nlevels else "a row twice"
        raise ParameterError(f"ends must be indexed like X, with one end a row, got {said}")
    mine, theirs = (getattr(one.get_level_values(0), "tz", None) for one in (index, ends.index))
    if (mine is None) != (theirs is None):
        raise ParameterError(f"X and ends must name their time zone both, got {mine or 'none'} for X and {theirs or 'none'} for ends")
    found = pd.DatetimeIndex(ends.reindex(index))
    if found.hasnans:
        raise ParameterError(f"no end is known for the label of row {index[int(np.argmax(found.isna()))]}: leave such rows out of X and y")
    end = found.as_unit("ns").asi8
    if (end < start).any():
        row = int(np.argmax(end < start))
        raise ParameterError(f"a label ends before its bar: row {index[row]} ends at {found[row]}")
    return end


def first_overlap(start: np.ndarray, end: np.ndarray, other_start: np.ndarray, other_end: np.ndarray) -> np.ndarray:
    """Return for each closed span [start, end] the number of another that it meets, -1 where it meets none."""
    if not len(other_start):
        return np.full(len(start), -1)
    order = np.argsort(other_start, kind="stable")
    reach = np.maximum.accumulate(other_end[order])
    # the span that reaches furthest among those up to each: the one to meet, if any is met
    furthest = np.maximum.accumulate(np.where(other_end[order] == reach, np.arange(len(order)), 0))
    begun = np.searchsorted(other_start[order], end, "right") - 1
    met = (begun >= 0) & (reach[begun] >= start)
    return np.where(met, order[furthest[begun]], -1)


def _beyond(times: np.ndarray, moment: int, span: int | timedelta) -> int:
    """Return the time that lies a span after a moment: the last of so many later bars, or so much later."""
    if isinstance(span, timedelta):
        return int(moment + pd.Timedelta(span).as_unit("ns").value)
    reached = int(np.searchsorted(times, moment, "right")) + int(span) - 1
    return max(int(moment), int(times[min(reached, len(times) - 1)]))


def require_span(span: Any, name: str) -> None:
    """Refuse in a sentence what is neither a number of bars nor a length of time."""
    # numpy counts its timedelta64 among the whole numbers
    whole = isinstance(span, (int, np.integer)) and not isinstance(span, (bool, np.timedelta64)) and span >= 0
    if not whole and not (isinstance(span, timedelta) and span >= timedelta(0)):
        raise ParameterError(f"{name} must be a number of bars (0, 1, ...) or a Timedelta of at least 0, got {span!r}")


def require_folds(number: Any, name: str, least: int) -> None:
    """Refuse in a sentence what is no whole number of at least `least`."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}, got {number!r}")
