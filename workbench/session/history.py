"""Bars that grow at their end, without a copy of what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.journal import ReceivedBar

__all__ = ["History"]


class History:
    """Closed bars since the anchor (SEMANTICS 7); a row is added for each step.

    Outside series are those of the bars at the start: rows that are added bring none, and what they say grows no further.

    Parameters
    ----------
    bars : Bars
        What there is at the start.
    """

    def __init__(self, bars: Bars) -> None:
        self._like = bars
        self._column = {symbol: j for j, symbol in enumerate(bars.symbols)}
        self._rows = len(bars)
        room = max(2 * len(bars), 1024)
        self._labels = np.empty(room, np.int64)
        self._labels[: len(bars)] = bars.labels
        self._arrays = {name: np.empty((room, bars.shape[1])) for name in FIELDS}
        for name, array in self._arrays.items():
            array[: len(bars)] = bars.array(name)

    def add(self, bars: Bars) -> None:
        """Add rows at the end."""
        rows = slice(self._rows, self._rows + len(bars))
        if rows.stop > len(self._labels):
            self._labels = np.concatenate([self._labels, np.empty_like(self._labels)])
            self._arrays = {name: np.concatenate([array, np.empty_like(array)]) for name, array in self._arrays.items()}
        self._labels[rows] = bars.labels
        for name, array in self._arrays.items():
            array[rows] = bars.array(name)
        self._rows = rows.stop

    def row_of(self, label: int) -> int | None:
        """Return the row of a label; None where no bar has it."""
        row = int(np.searchsorted(self._labels[: self._rows], label))
        return row if row < self._rows and self._labels[row] == label else None

    def lacks(self, row: int, symbol: str) -> bool:
        """Whether an instrument has no bar in a row."""
        return bool(np.isnan(self._arrays["close"][row, self._column[symbol]]))

    def fill(self, row: int, received: Sequence[ReceivedBar]) -> None:
        """Put bars into their places that came late; what was handed out before stays as it was."""
        self._arrays = {name: array.copy() for name, array in self._arrays.items()}
        for bar in received:
            for name, array in self._arrays.items():
                array[row, self._column[bar.symbol]] = getattr(bar, name)

    def drop(self, rows: int) -> int:
        """Let the oldest rows go; return the first label that is left."""
        self._labels = self._labels[rows : self._rows].copy()
        self._arrays = {name: array[rows : self._rows].copy() for name, array in self._arrays.items()}
        self._rows -= rows
        return int(self._labels[0])

    @property
    def bars(self) -> Bars:
        """All of them: views, made in some microseconds."""
        like, rows = self._like, self._rows
        # whole numbers with a zone are nanoseconds since 1970; no copy is needed: labels that are there are never written again
        index = pd.DatetimeIndex(self._labels[:rows], tz="UTC", name="timestamp", copy=False)
        arrays = {name: array[:rows] for name, array in self._arrays.items()}
        return like.with_rows(index, arrays)

    def __len__(self) -> int:
        return self._rows
