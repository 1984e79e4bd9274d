"""Bars that come one by one become steps: when those of a label are all there, or when its time is over (SEMANTICS 5)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from workbench.bars import FIELDS, Bars
from workbench.execution.port import GRACE, BarsClosed
from workbench.instrument import Instrument
from workbench.journal import ReceivedBar

__all__ = ["Gathering", "Late", "Step", "bars_received"]


class Step(NamedTuple):
    """The bars of a label that are there when it is to be decided; `late`: how late the first of them came, in nanoseconds."""

    label: int
    parts: tuple[BarsClosed, ...]
    late: int = 0

    @property
    def numbers(self) -> list[int]:
        """Under which numbers they were told."""
        return [part.number for part in self.parts]

    @property
    def arrived(self) -> int:
        """When the last of them came."""
        return max(part.arrived for part in self.parts)

    @property
    def received(self) -> list[ReceivedBar]:
        """Each bar as it was received."""
        return [bar for part in self.parts for bar in bars_received(part.bars, 0, part.arrived)]

    def bars(self, instruments: Sequence[Instrument]) -> Bars:
        """Return them as one row of all instruments; NaN where none has come."""
        like = self.parts[0].bars
        column = {instrument.symbol: j for j, instrument in enumerate(instruments)}
        cube = np.full((len(FIELDS), 1, len(instruments)), math.nan)
        for part in self.parts:
            places = [column[symbol] for symbol in part.bars.symbols]
            for k, name in enumerate(FIELDS):
                cube[k, :, places] = part.bars.array(name).T
        return Bars(like.index, instruments, like.interval, dict(zip(FIELDS, cube, strict=True)), like.source)


class Late(NamedTuple):
    """Bars of a label whose step has passed."""

    label: int
    part: BarsClosed

    @property
    def numbers(self) -> list[int]:
        """Under which number they were told."""
        return [self.part.number]

    @property
    def arrived(self) -> int:
        """When they came."""
        return self.part.arrived


class Gathering:
    """Collects the bars of the newest label.

    Parameters
    ----------
    symbols : sequence of str
        Whose bars make a step whole.
    last : int
        The label that was decided last.
    grace : float
        Seconds to wait for what is missing, after the first bar of a label has come; it belongs to the source.
    """

    def __init__(self, symbols: Sequence[str], last: int = -1, grace: float = GRACE) -> None:
        self._all = frozenset(symbols)
        self._parts: list[BarsClosed] = []
        self._label = -1
        self.last = last
        self.grace = grace
        #: When what is missing has had its time, on the clock of `take`; infinite while nothing is waited for.
        self.due = math.inf

    def take(self, part: BarsClosed, now: float) -> Iterator[Step | Late]:
        """Take bars of one label; yield what follows: steps to decide, in the order of their labels, and late bars.

        A label is over when the next one begins: a source gives labels in rising order.
        """
        label = int(part.bars.labels[0])
        if self._parts and (label > self._label or (label == self._label and part.late)):
            yield self._close()
        if label <= self.last or label < self._label:
            yield Late(label, part)
            return
        if not self._parts:
            self._label, self.due = label, now + self.grace
        there = {symbol for one in self._parts for symbol in one.bars.symbols}
        new = [symbol for symbol in part.bars.symbols if symbol not in there]
        if new:  # else a source repeats itself, after it has come back for one
            self._parts.append(part if len(new) == len(part.bars.symbols) else part._replace(bars=part.bars[new]))
        if part.late or there | set(part.bars.symbols) == self._all:
            yield self._close()

    def overdue(self, now: float) -> Iterator[Step]:
        """Yield the step whose time is over, if there is one."""
        if now >= self.due:
            yield self._close()

    @property
    def waiting(self) -> bool:
        """Whether a label is half there."""
        return bool(self._parts)

    def _close(self) -> Step:
        step = Step(self._label, tuple(self._parts), min(part.late for part in self._parts))
        self.last, self._parts, self.due = self._label, [], math.inf
        return step


def bars_received(bars: Bars, row: int, arrived: int) -> list[ReceivedBar]:
    """Return one row of bars as they were received."""
    rows = []
    for j, instrument in enumerate(bars.instruments):
        first, high, low, close, volume = (float(bars.array(name)[row, j]) for name in FIELDS)
        if close == close:
            rows.append(ReceivedBar(int(bars.labels[row]), instrument.symbol, first, high, low, close, volume, arrived))
    return rows
