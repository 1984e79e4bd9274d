"""The tape: closed bars and what follows from them, column by column, as plain lists of floats.

Replay fills it whole; a live feed appends a row for each closed step. Session and paper venue read it by row number.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.session.setup import Setup

__all__ = ["Tape"]

Columns = list[list[float]]


class Tape:
    """Columns of one strategy's bars: ``tape.close[j][row]`` is the close of instrument j at a row.

    `price`, `unit` and `base` are the last known values, moved on by `advance`.
    """

    __slots__ = (
        "base", "base_rows", "close", "fresh", "high", "interval", "label", "low", "moving", "open",
        "price", "session", "stance", "stop", "target", "unit", "unit_rows",
    )  # fmt: skip

    def __init__(self, setup: Setup) -> None:
        n = len(setup.instruments)
        self.interval = setup.interval_ns
        self.moving = setup.conversion.moving
        self.label: list[int] = []
        self.open, self.high, self.low, self.close, self.stance = (_empty(n) for _ in range(5))
        self.stop = None if setup.inputs.stop is None else _empty(n)
        self.target = None if setup.inputs.target is None else _empty(n)
        self.session = None if setup.sessions is None else _empty(n)
        self.unit_rows, self.base_rows, self.fresh = (_empty(n) for _ in range(3))
        self.price = [math.nan] * n
        self.unit, self.base = (array[0].tolist() for array in setup.conversion[:2])

    @classmethod
    def of(cls, setup: Setup) -> Tape:
        """Return a tape with all rows of a backtest or replay."""
        tape = cls(setup)
        tape.extend(setup)
        return tape

    def extend(self, setup: Setup) -> None:
        """Append rows."""
        bars, inputs, conversion = setup.bars, setup.inputs, setup.conversion
        self.label += bars.labels.tolist()
        for name in ("open", "high", "low", "close"):
            _append(getattr(self, name), bars.array(name))
        _append(self.stance, inputs.stance)
        for mine, theirs in ((self.stop, inputs.stop), (self.target, inputs.target), (self.session, setup.sessions)):
            if mine is not None and theirs is not None:
                _append(mine, theirs)
        if self.moving:
            _append(self.unit_rows, conversion.unit)
            _append(self.base_rows, conversion.base)
            _append(self.fresh, conversion.fresh)
        elif not self.fresh[0]:
            _append(self.fresh, conversion.fresh)

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

    def is_fresh(self, j: int, row: int) -> bool:
        """Whether the rates of an instrument are known and recent enough to open a position."""
        return bool(self.fresh[j][row if self.moving else 0])

    def distances(self, j: int, row: int) -> tuple[float, float]:
        """Return the distances of stop and target; NaN where there is none."""
        return (
            math.nan if self.stop is None else self.stop[j][row],
            math.nan if self.target is None else self.target[j][row],
        )

    def __len__(self) -> int:
        return len(self.label)


def _empty(n: int) -> Columns:
    return [[] for _ in range(n)]


def _append(columns: Any, array: np.ndarray) -> None:
    """Append the rows of an array of shape (rows, N) to N lists: one conversion a column, no list per row."""
    for j, column in enumerate(columns):
        column += array[:, j].tolist()
