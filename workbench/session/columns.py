"""Columns of numbers: one list an instrument."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Columns", "Window", "append", "empty", "rows_of"]

Columns = list[Any]


class Window:
    """The newest rows of a column, under the row numbers of the whole: a list that lets go of its older end.

    Parameters
    ----------
    values : list
        The column so far.
    keep : int
        How many rows stay at least.

    Examples
    --------
    >>> column = Window([0.0, 1.0, 2.0, 3.0, 4.0], keep=2)
    >>> column += [5.0]
    >>> len(column), column.first, column[5]
    (6, 3, 5.0)
    """

    __slots__ = ("_keep", "_values", "first")

    def __init__(self, values: list[Any], keep: int) -> None:
        self._keep, self._values, self.first = keep, values, 0
        self._let_go()

    def __getitem__(self, row: int) -> Any:
        return self._values[self._place(row)]

    def __setitem__(self, row: int, value: Any) -> None:
        self._values[self._place(row)] = value

    def __iadd__(self, values: list[Any]) -> Window:
        self._values += values
        self._let_go()
        return self

    def __len__(self) -> int:
        return self.first + len(self._values)

    def _place(self, row: int) -> int:
        if 0 <= row < self.first:
            raise IndexError(f"row {row} was let go: the first that is kept is {self.first}")
        return row - self.first if row >= 0 else row

    def _let_go(self) -> None:
        if len(self._values) > 2 * self._keep:
            self.first += len(self._values) - self._keep
            del self._values[: -self._keep]


def empty(n: int) -> Columns:
    """Return columns without a row."""
    return [[] for _ in range(n)]


def rows_of(columns: Columns, first: int, end: int) -> list[tuple[Any, ...]]:
    """Return some rows of columns: read column by column, because the values of a row lie far apart in memory."""
    return list(zip(*[column[first:end] for column in columns], strict=True))


def append(columns: Any, array: np.ndarray) -> None:
    """Append the rows of an array of shape (rows, N) to N lists: one conversion a column, no list per row."""
    for j, column in enumerate(columns):
        column += array[:, j].tolist()
