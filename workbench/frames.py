"""OHLCV frames of several instruments, laid side by side on the union of their labels; and how frames are handed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
import pandas as pd

from workbench.errors import DataError, did_you_mean
from workbench.instrument import Instrument
from workbench.quality import require_bar_columns

__all__ = ["FIELDS", "handed_out", "instruments_for", "join_frames", "made_once"]

T = TypeVar("T")
FIELDS = ("open", "high", "low", "close", "volume")


def join_frames(frames: Sequence[pd.DataFrame]) -> tuple[pd.DatetimeIndex, dict[str, np.ndarray]]:
    """Return the union of checked frames' labels, and the fields on it, NaN where a frame has no row or no such column."""
    index = pd.DatetimeIndex(frames[0].index)
    for frame in frames[1:]:
        index = index if index.equals(frame.index) else index.union(pd.DatetimeIndex(frame.index))
    arrays = {name: np.full((len(index), len(frames)), np.nan) for name in FIELDS}
    for column, frame in enumerate(frames):
        rows = slice(None) if len(frame) == len(index) else index.get_indexer(pd.DatetimeIndex(frame.index))
        for name in FIELDS:
            if name in frame:
                arrays[name][rows, column] = frame[name].to_numpy(dtype=float)
    return index, arrays


def instruments_for(frames: Mapping[str, pd.DataFrame], given: Mapping[str, Instrument] | Sequence[Instrument] | None) -> list[Instrument]:
    """Return the instrument of each frame, shares where none are given, after a look at the frames' columns."""
    known = {i.symbol: i for i in (given.values() if isinstance(given, Mapping) else given or ())}
    for name, frame in frames.items():
        require_bar_columns(frame, name)
    if not known:
        return [Instrument(name) for name in frames]
    for name in frames:
        if name not in known:
            raise DataError(f"no instrument given for the bars of {name!r}{did_you_mean(name, known)}")
    return [known[name] for name in frames]


def handed_out(kept: Any) -> Any:
    """Return what somebody may write into while what is kept stays as it is: a frame shares its numbers until then (copy on write)."""
    if isinstance(kept, (pd.DataFrame, pd.Series)):
        return kept.copy(deep=False)
    if isinstance(kept, tuple) and hasattr(kept, "_make"):
        return kept._make(map(handed_out, kept))
    return kept


class made_once(Generic[T]):
    """A property whose table is made at the first look and handed out: what somebody writes into it, no other look sees."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self.make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_made_{name}"

    @overload
    def __get__(self, owned: None, owner: type) -> made_once[T]: ...

    @overload
    def __get__(self, owned: object, owner: type) -> T: ...

    def __get__(self, owned: Any, owner: type) -> Any:
        if owned is None:
            return self
        kept = owned.__dict__
        if self.name not in kept:
            kept[self.name] = self.make(owned)
        return handed_out(kept[self.name])
