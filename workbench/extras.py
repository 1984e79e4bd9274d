"""Outside series beside bars - rates, sentiment, funding - each value from the moment on at which it was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from workbench.arrays import read_only
from workbench.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from workbench.bars import Bars

__all__ = ["Extra", "Extras", "extra_from"]


@dataclass(frozen=True, slots=True, eq=False)
class Extra:
    """One outside series as it became known.

    Parameters
    ----------
    known : ndarray of int64, shape (K,)
        When each row was known, nanoseconds since 1970, never falling.
    values : ndarray of shape (K, C)
    columns : tuple of str, optional
        The columns of a DataFrame; None for a Series, C = 1.
    """

    known: np.ndarray
    values: np.ndarray
    columns: tuple[Any, ...] | None

    def at(self, closes: np.ndarray) -> np.ndarray:
        """Return the values last known at each close, shape (T, C); NaN before the first."""
        rows = np.searchsorted(self.known, closes, side="right") - 1
        out = np.full((len(closes), self.values.shape[1]), np.nan)
        out[rows >= 0] = self.values[rows[rows >= 0]]
        return out


class Extras(Mapping[str, Any]):
    """The outside series of some bars by name, laid on their labels: ``bars.extra["rate"]``.

    Parameters
    ----------
    bars : Bars
    held : mapping of str to Extra
    """

    def __init__(self, bars: Bars, held: Mapping[str, Extra]) -> None:
        self._bars = bars
        #: What was given, whatever the labels.
        self.held = held

    def __getitem__(self, name: str) -> Any:
        """Return a Series of length T, or a DataFrame of T rows: at each bar what was known at its close."""
        if name not in self.held:
            known = did_you_mean(str(name), self.held) or (f"; known: {', '.join(self.held)}" if self.held else "")
            raise DataError(f"these bars have no outside series {name!r}{known}; bars.with_extra({name!r}, ...) gives it to them")
        return self._bars.memo(("extra", name), lambda: self._laid(name))

    def _laid(self, name: str) -> Any:
        from workbench.sessions import close_times

        held = self.held[name]
        values = held.at(close_times(self._bars))
        if held.columns is None:
            return pd.Series(values[:, 0], self._bars.index, name=name)
        return pd.DataFrame(values, self._bars.index, list(held.columns))

    def __contains__(self, name: object) -> bool:
        return name in self.held

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __repr__(self) -> str:
        return f"Extras({', '.join(self.held) or 'none'})"


def extra_from(name: str, given: Any, known_at: Any) -> Extra:
    """Return an outside series, checked.

    Parameters
    ----------
    name : str
    given : Series or DataFrame
        Numbers; its index is the time that each row is about.
    known_at : str, timedelta or sequence of times
        How long after its own time each row was known, or when.

    Raises
    ------
    DataError
        No time zone, not in order, no numbers, or known before its own time: one sentence that names the row.
    """
    if not isinstance(given, (pd.Series, pd.DataFrame)) or not isinstance(given.index, pd.DatetimeIndex):
        raise DataError(f"with_extra({name!r}): expected a Series or DataFrame with times as its index, got {type(given).__name__}")
    own = _utc(given.index, name, "the index")
    known = _known(own, known_at, name)
    try:
        values = given.to_numpy(dtype=float).reshape(len(own), -1).copy()
    except (TypeError, ValueError):
        raise DataError(f"with_extra({name!r}): expected numbers, got values that are none") from None
    return Extra(read_only(known), read_only(values), tuple(given.columns) if isinstance(given, pd.DataFrame) else None)


def _known(own: np.ndarray, known_at: Any, name: str) -> np.ndarray:
    """Return when each row was known, in nanoseconds."""
    try:
        given = pd.Timedelta(known_at) if isinstance(known_at, (str, timedelta, np.timedelta64)) else pd.DatetimeIndex(known_at)
    except (TypeError, ValueError):
        given = pd.NaT
    if isinstance(given, pd.DatetimeIndex):
        if len(given) != len(own):
            raise DataError(f"with_extra({name!r}): known_at must give one time a row, got {len(given)} for {len(own)} rows")
        known = _utc(given, name, "known_at")
    elif isinstance(given, pd.Timedelta):
        known = own + given.as_unit("ns").value
    else:
        said = "a span such as '0s' or '1D', or one time a row"
        raise DataError(f"with_extra({name!r}): known_at must be {said}, got {known_at!r}")
    early = np.flatnonzero(known < own)
    if len(early):
        when, about = (pd.Timestamp(int(times[early[0]]), tz="UTC") for times in (known, own))
        raise DataError(f"with_extra({name!r}): the value of {about} cannot be known at {when}, before its own time")
    return known


def _utc(times: pd.DatetimeIndex, name: str, what: str) -> np.ndarray:
    """Return times in order as nanoseconds since 1970."""
    if times.tz is None:
        raise DataError(f"with_extra({name!r}): {what} must name a time zone, as tz_localize('UTC') gives it, got times without one")
    if times.hasnans:
        raise DataError(f"with_extra({name!r}): {what} lacks a time at row {int(np.flatnonzero(times.isna())[0])}")
    stamps = times.as_unit("ns").asi8.copy()
    back = np.flatnonzero(np.diff(stamps) < 0)
    if len(back):
        row = int(back[0])
        raise DataError(f"with_extra({name!r}): {what} must be in order of time, got {times[row + 1]} after {times[row]}")
    return stamps
