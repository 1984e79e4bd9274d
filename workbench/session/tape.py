"""The tape: closed bars and what follows from them, column by column, as plain lists of floats.

Replay fills it whole; a live feed appends a row for each closed step, and lets go of rows that nobody will ask for again.
Session and paper venue read it by row number.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.exits import Distances
from workbench.financing import Financing
from workbench.rates import Conversion
from workbench.session.columns import Columns, Window, append, empty, rows_of
from workbench.session.setup import Setup

__all__ = ["MarketTape", "Planned", "Tape"]

#: How many rows a tape of a live run keeps at least: more than any order waits.
KEPT = 2_000
#: How many values are read ahead at once.
BLOCK = 16_384
EXITS = Distances._fields


class Planned(NamedTuple):
    """What the exits of an opening are: distances in price units, and how many bars it lasts; NaN where there is no such exit."""

    stop: float
    target: float
    trail: float
    even: float
    time: float


class MarketTape:
    """Columns of some instruments' bars: ``tape.close[j][row]`` is the close of instrument j at a row.

    `price`, `unit` and `base` are the last known values, moved on by `advance`.

    Parameters
    ----------
    n : int
        How many instruments.
    interval : int
        Length of a bar in nanoseconds.
    volumes, spreads : bool, default False
        Whether anybody asks how much was traded, and what the spread was (``bars.extra["spread"]``).
    """

    __slots__ = (
        "_ahead", "_ahead_from", "_block", "base", "base_rows", "charges", "close", "high", "holes", "interval", "label", "low", "moving",
        "open", "price", "session", "spread", "stance", "stances", "unit", "unit_rows", "volume",
    )  # fmt: skip

    def __init__(self, n: int, interval: int, volumes: bool = False, spreads: bool = False) -> None:
        self.interval = interval
        self.volume: Columns | None = empty(n) if volumes else None
        self.spread: Columns | None = empty(n) if spreads else None
        self.moving = False
        self.label: list[int] = []
        self.open, self.high, self.low, self.close = (empty(n) for _ in range(4))
        self.unit_rows, self.base_rows = empty(n), empty(n)
        #: By instrument, and of the newest row that was moved on to: what a strategy thinks; empty where there is none.
        self.stance: Columns = []
        self.stances: Sequence[float] = ()
        #: Closes and stances of the rows from one on: as many as are read at once, until the tape grows.
        self._ahead: list[tuple[Sequence[float], Sequence[float]]] = []
        self._ahead_from, self._block = 0, BLOCK // max(n, 1) + 1
        #: Whether any instrument had no bar at any row.
        self.holes = False
        self.session: Columns | None = None
        self.price = [math.nan] * n
        self.unit, self.base = [math.nan] * n, [math.nan] * n
        #: By row what holding a position costs there: moment, instrument, and what each side pays (`workbench.financing`).
        self.charges: dict[int, list[tuple[int, int, float, float]]] = {}

    def charge(self, charges: Financing, first: int = 0) -> None:
        """Take in what holding a position costs from a row on."""
        start = int(np.searchsorted(charges.moment, 2 * first))
        for one in zip(*(array[start:].tolist() for array in charges[:4]), strict=True):
            self.charges.setdefault(one[0] // 2, []).append(one)

    def add(self, bars: Bars, conversion: Conversion, sessions: np.ndarray | None, first: int = 0) -> None:
        """Append the rows from `first` on."""
        if not self.label:
            self.moving = conversion.moving
            self.unit, self.base = (array[0].tolist() for array in conversion[:2])
            self.session = None if sessions is None else empty(len(self.price))
        elif conversion.moving and not self.moving:  # of a single row nobody can tell whether its rates move
            self.moving = True
            self.unit_rows[:], self.base_rows[:] = [[u] for u in self.unit], [[b] for b in self.base]
        if self.label:
            self._changed()
        close = bars.array("close")[first:]
        self.holes = self.holes or bool(np.isnan(close).any())
        self.label += bars.labels[first:].tolist()
        for name in ("open", "high", "low", "close"):
            append(getattr(self, name), bars.array(name)[first:])
        if self.volume is not None:
            append(self.volume, bars.array("volume")[first:])
        if self.spread is not None:
            append(self.spread, spreads_of(bars)[first:])
        if self.session is not None and sessions is not None:
            append(self.session, np.broadcast_to(sessions[first:], (len(sessions) - first, len(self.price))))
        if self.moving:
            append(self.unit_rows, conversion.unit[first:])
            append(self.base_rows, conversion.base[first:])

    def shorten(self, keep: int = KEPT) -> None:
        """Keep only the newest rows from now on: a run without an end must not grow without one."""
        self._changed()
        self.label = Window(self.label, keep)  # type: ignore[assignment]
        for columns in self._columns():
            columns[:] = [Window(column, keep) for column in columns]

    def _columns(self) -> list[Columns]:
        """Return all columns that have a value for each row."""
        moving = [self.unit_rows, self.base_rows] if self.moving else []
        some = [columns for columns in (self.session, self.volume, self.spread) if columns is not None]
        return [self.open, self.high, self.low, self.close, *moving, *some]

    @property
    def first(self) -> int:
        """The oldest row that is there."""
        return getattr(self.label, "first", 0)

    def age(self, j: int, row: int) -> int:
        """Return the age of a mark: how many rows before this one its last bar is (SEMANTICS 3), as far back as is kept."""
        column = self.close[j]
        return next((row - k for k in range(row, self.first - 1, -1) if column[k] == column[k]), row - self.first)

    def advance(self, row: int) -> None:
        """Move the last known closes and rates on to a closed step."""
        k = row - self._ahead_from
        if not 0 <= k < len(self._ahead):
            self._look_ahead(row)
            k = 0
        closes, self.stances = self._ahead[k]
        if self.holes:
            closes = [new if new == new else old for new, old in zip(closes, self.price, strict=True)]
        self.price[:] = closes
        if self.moving:
            self.unit[:] = [rates[row] for rates in self.unit_rows]
            self.base[:] = [rates[row] for rates in self.base_rows]

    def _look_ahead(self, row: int) -> None:
        """Read the closes and stances of a row, and of some after it where the tape is whole."""
        self._ahead_from, end = row, row + self._block
        if self._block:
            closes, stances = (rows_of(columns, row, end) for columns in (self.close, self.stance))
            self._ahead = list(zip(closes, stances or [()] * len(closes), strict=True))
        else:
            self._ahead = [([column[row] for column in self.close], [column[row] for column in self.stance])]

    def _changed(self) -> None:
        """Read each row by itself from now on: the tape has grown or lets go of rows, or a value in it is another."""
        self._block, self._ahead = 0, []

    def waited(self, j: int, since: int, row: int) -> int:
        """Return how many intervals, or sessions of daily bars, lie between two rows."""
        if self.session is not None:
            return int(self.session[j][row] - self.session[j][since])
        return (self.label[row] - self.label[since]) // self.interval

    def row_of(self, label: int) -> int:
        """Return the row of a label."""
        return bisect_left(self.label, label, self.first)

    def __len__(self) -> int:
        return len(self.label)


def spreads_of(bars: Bars) -> np.ndarray:
    """Return the spread that each instrument is known to have at each bar, shape (T, N), in units of price; NaN where none is known."""
    if "spread" not in bars.extra:
        return np.full(bars.shape, np.nan)
    known = bars.extra["spread"]
    symbols = [one.traded_as for one in bars.instruments]
    frame = known if isinstance(known, pd.DataFrame) else pd.DataFrame(dict.fromkeys(symbols, known))
    return frame.reindex(columns=symbols).to_numpy(float)


class Tape(MarketTape):
    """The columns of one strategy's bars, and what follows from them: stances, distances, whether rates are fresh."""

    stop: Columns | None
    target: Columns | None
    trail: Columns | None
    even: Columns | None
    time: Columns | None
    measured: Columns | None
    series: Columns | None
    __slots__ = ("day", "even", "fresh", "measured", "series", "stop", "target", "time", "trail")

    def __init__(self, setup: Setup) -> None:
        n = len(setup.instruments)
        by_volume, quoted = any(costs.by_volume for costs in setup.costs), any(costs.quoted for costs in setup.costs)
        super().__init__(n, setup.interval_ns, by_volume, quoted)
        self.stance = empty(n)
        for name in (*EXITS, "measured"):
            setattr(self, name, None if getattr(setup.inputs, name) is None else empty(n))
        self.series = None if setup.inputs.series is None else empty(setup.inputs.series.shape[1])
        self.fresh = empty(n)
        #: The number of each row's day, where a limit asks for it.
        remembers = any(one.rules.remembers for one in setup.members or (setup,))
        self.day: list[int] | None = [] if remembers or self.series is not None else None

    @classmethod
    def of(cls, setup: Setup) -> Tape:
        """Return a tape with all rows of a backtest or replay."""
        tape = cls(setup)
        tape.extend(setup)
        return tape

    def extend(self, setup: Setup, first: int = 0) -> None:
        """Append the rows from `first` on."""
        self.add(setup.bars, setup.conversion, setup.sessions, first)
        if setup.financing is not None:
            self.charge(setup.financing, first)
        if self.day is not None:
            self.day += setup.days[first:].tolist()
        append(self.stance, setup.inputs.stance[first:])
        for mine, theirs in self._said(setup):
            append(mine, theirs[first:])
        if self.series is not None and setup.inputs.series is not None:
            append(self.series, setup.inputs.series[first:])
        if self.moving:
            append(self.fresh, setup.conversion.fresh[first:])
        elif not self.fresh[0]:
            append(self.fresh, setup.conversion.fresh)

    def shorten(self, keep: int = KEPT) -> None:
        """Keep only the newest rows from now on, of the days as well."""
        super().shorten(keep)
        if self.day is not None:
            self.day = Window(self.day, keep)  # type: ignore[assignment]

    def replace(self, setup: Setup, row: int, columns: Sequence[int] | None = None) -> None:
        """Write the last row of a setup, of some columns or of all, over a row: what is known there has changed."""
        self._changed()
        self.holes = True
        if self.series is not None and setup.inputs.series is not None:
            for mine, value in zip(self.series, setup.inputs.series[-1].tolist(), strict=True):
                mine[row] = value
        for j in range(len(self.price)) if columns is None else columns:
            for name in FIELDS[:4] if self.volume is None else FIELDS:
                getattr(self, name)[j][row] = float(setup.bars.array(name)[-1, j])
            self.stance[j][row] = float(setup.inputs.stance[-1, j])
            for mine, theirs in self._said(setup):
                mine[j][row] = float(theirs[-1, j])
            if self.moving:
                for column, array in ((self.unit_rows, setup.conversion.unit), (self.base_rows, setup.conversion.base)):
                    column[j][row] = float(array[-1, j])
                self.fresh[j][row] = setup.conversion.fresh[-1, j]

    def _columns(self) -> list[Columns]:
        also = (self.stance, *self.exits, self.measured, self.series, self.fresh if self.moving else None)
        return [*super()._columns(), *(columns for columns in also if columns is not None)]

    def let_stand(self, j: int, row: int, stance: float) -> None:
        """Have another stance stand in the row that was moved on to last."""
        self._changed()
        self.stance[j][row] = stance
        self.stances = [*self.stances[:j], stance, *self.stances[j + 1 :]]

    def is_fresh(self, j: int, row: int) -> bool:
        """Whether the rates of an instrument are known and recent enough to open a position."""
        return bool(self.fresh[j][row if self.moving else 0])

    def distances(self, j: int, row: int) -> Planned:
        """Return what the exits are at a row; NaN where there is none."""
        return Planned(*(math.nan if columns is None else columns[j][row] for columns in self.exits))

    @property
    def exits(self) -> list[Columns | None]:
        """The columns of each kind of exit, None where there is none."""
        return [getattr(self, name) for name in EXITS]

    def measured_at(self, j: int, row: int) -> float:
        """Return what the sizer measures; NaN where it does not."""
        return math.nan if self.measured is None else self.measured[j][row]

    def _said(self, setup: Setup) -> list[tuple[Columns, np.ndarray]]:
        """Return the columns of exits and sizer that there are, each with what a set-up has of it."""
        both = zip([*self.exits, self.measured], setup.inputs[1:-1], strict=True)
        return [(mine, theirs) for mine, theirs in both if mine is not None and theirs is not None]
