"""The tape: closed bars and what follows from them, column by column, as plain lists of floats.

Replay fills it whole; a live feed appends a row for each closed step. Session and paper venue read it by row number.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from workbench.bars import Bars
from workbench.rates import Conversion
from workbench.session.setup import Setup

__all__ = ["MarketTape", "Tape"]

Columns = list[list[float]]


class MarketTape:
    """Columns of some instruments' bars: ``tape.close[j][row]`` is the close of instrument j at a row.

    `price`, `unit` and `base` are the last known values, moved on by `advance`.

    Parameters
    ----------
    n : int
        How many instruments.
    interval : int
        Length of a bar in nanoseconds.
    """

    __slots__ = (
        "base", "base_rows", "close", "high", "interval", "label", "low", "moving", "open", "price", "session", "unit", "unit_rows",
    )  # fmt: skip

    def __init__(self, n: int, interval: int) -> None:
        self.interval = interval
        self.moving = False
        self.label: list[int] = []
        self.open, self.high, self.low, self.close = (_empty(n) for _ in range(4))
        self.unit_rows, self.base_rows = _empty(n), _empty(n)
        self.session: Columns | None = None
        self.price = [math.nan] * n
        self.unit, self.base = [math.nan] * n, [math.nan] * n

    def add(self, bars: Bars, conversion: Conversion, sessions: np.ndarray | None, first: int = 0) -> None:
        """Append the rows from `first` on."""
        if not self.label:
            self.moving = conversion.moving
            self.unit, self.base = (array[0].tolist() for array in conversion[:2])
            self.session = None if sessions is None else _empty(len(self.price))
        self.label += bars.labels[first:].tolist()
        for name in ("open", "high", "low", "close"):
            _append(getattr(self, name), bars.array(name)[first:])
        if self.session is not None and sessions is not None:
            _append(self.session, sessions[first:])
        if self.moving:
            _append(self.unit_rows, conversion.unit[first:])
            _append(self.base_rows, conversion.base[first:])

    def advance(self, row: int) -> None:
        """Move the last known closes and rates on to a closed step."""
        price = self.price
        for j, column in enumerate(self.close):
            close = column[row]
            if close == close:
                price[j] = close
        if self.moving:
            for j, rates in enumerate(self.unit_rows):
                self.unit[j] = rates[row]
                self.base[j] = self.base_rows[j][row]

    def waited(self, j: int, since: int, row: int) -> int:
        """Return how many intervals, or sessions of daily bars, lie between two rows."""
        if self.session is not None:
            return int(self.session[j][row] - self.session[j][since])
        return (self.label[row] - self.label[since]) // self.interval

    def row_of(self, label: int) -> int:
        """Return the row of a label."""
        return bisect_left(self.label, label)

    def __len__(self) -> int:
        return len(self.label)


class Tape(MarketTape):
    """The columns of one strategy's bars, and what follows from them: stances, distances, whether rates are fresh."""

    __slots__ = ("fresh", "stance", "stop", "target")

    def __init__(self, setup: Setup) -> None:
        n = len(setup.instruments)
        super().__init__(n, setup.interval_ns)
        self.stance = _empty(n)
        self.stop = None if setup.inputs.stop is None else _empty(n)
        self.target = None if setup.inputs.target is None else _empty(n)
        self.fresh = _empty(n)

    @classmethod
    def of(cls, setup: Setup) -> Tape:
        """Return a tape with all rows of a backtest or replay."""
        tape = cls(setup)
        tape.extend(setup)
        return tape

    def extend(self, setup: Setup, first: int = 0) -> None:
        """Append the rows from `first` on."""
        self.add(setup.bars, setup.conversion, setup.sessions, first)
        _append(self.stance, setup.inputs.stance[first:])
        for mine, theirs in ((self.stop, setup.inputs.stop), (self.target, setup.inputs.target)):
            if mine is not None and theirs is not None:
                _append(mine, theirs[first:])
        if self.moving:
            _append(self.fresh, setup.conversion.fresh[first:])
        elif not self.fresh[0]:
            _append(self.fresh, setup.conversion.fresh)

    def is_fresh(self, j: int, row: int) -> bool:
        """Whether the rates of an instrument are known and recent enough to open a position."""
        return bool(self.fresh[j][row if self.moving else 0])

    def distances(self, j: int, row: int) -> tuple[float, float]:
        """Return the distances of stop and target; NaN where there is none."""
        return (
            math.nan if self.stop is None else self.stop[j][row],
            math.nan if self.target is None else self.target[j][row],
        )


def _empty(n: int) -> Columns:
    return [[] for _ in range(n)]


def _append(columns: Any, array: np.ndarray) -> None:
    """Append the rows of an array of shape (rows, N) to N lists: one conversion a column, no list per row."""
    for j, column in enumerate(columns):
        column += array[:, j].tolist()
