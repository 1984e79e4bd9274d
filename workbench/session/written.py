"""What the journal of a run holds: the one way from a journal back to its bars, its set-up, and what was known when."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.errors import JournalError
from workbench.execution.port import EVERYTHING
from workbench.instrument import Instrument
from workbench.journal import Entry, Journal, ReceivedBar
from workbench.session.gathering import bars_received
from workbench.session.laying import inputs_over
from workbench.session.setup import Setup
from workbench.session.tape import Tape
from workbench.strategy import Inputs

__all__ = ["Known", "Written", "bars_of", "heard_of", "numbers_of"]


@dataclass(frozen=True, slots=True)
class Written:
    """A run's record, as far as it was written when it was read.

    Parameters
    ----------
    began : Entry
        Its ``start``.
    bars : Bars
        All bars that it received, late ones in their places.
    anchors, late : list of Entry
        Where the anchor moved, and which bars came after their step.
    last : int, optional
        The number of its last entry, where it ends before the journal does (`closed`).
    """

    began: Entry
    bars: Bars
    anchors: list[Entry]
    late: list[Entry]
    last: int = sys.maxsize

    @classmethod
    def read(cls, journal: Journal, instruments: Sequence[Instrument], interval: str) -> Written | None:
        """Read a journal; None where its run has not begun."""
        began = journal.newest("start")
        if began is None:
            return None
        bars = bars_of(journal.bars(), instruments, interval, began.body["source"])
        return cls(began, bars, list(journal.entries("anchor")), list(journal.entries("late")))

    @property
    def supports(self) -> frozenset[str]:
        """What the venue could do, where the session holds in its place what it could not."""
        return frozenset(self.began.body.get("supports", EVERYTHING))

    @classmethod
    def of(cls, journal: Journal, instruments: Sequence[Instrument], interval: str) -> Written:
        """Read a journal.

        Raises
        ------
        JournalError
            Its run has not begun.
        """
        written = cls.read(journal, instruments, interval)
        if written is None:
            raise JournalError(
                f"{journal.place} is the record of a run that has not begun: the venue was never reached, or no bar has closed"
            )
        return written

    @classmethod
    def closed(cls, journal: Journal, instruments: Sequence[Instrument], interval: str) -> Written:
        """Read a journal up to the end of its last step: what was told since belongs to a bar that the run has not received.

        A run that goes on meanwhile is read up to the last step that was there at first.

        Raises
        ------
        JournalError
            Its run has not begun.
        """
        last, steps = _end_of(journal.entries())
        return cls.of(journal, instruments, interval).until(last, steps)

    def until(self, number: int, steps: int) -> Written:
        """Return the record up to an entry, with the bars of so many steps; bars that came late after it are still to come."""
        number, bars = max(number, self.began.number), self.bars.iloc[: self.first + steps]
        anchors = [entry for entry in self.anchors if entry.number <= number]
        late = [entry for entry in self.late if entry.body["label"] <= bars.labels[-1]]
        return Written(self.began, bars, anchors, late, number)

    def lived(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield those entries that are part of the record."""
        return (entry for entry in entries if entry.number <= self.last)

    @property
    def first(self) -> int:
        """The row of the first step that the run could decide."""
        return int(self.began.body["rows"])

    @property
    def names(self) -> tuple[str, str]:
        """Account and deployment, which name the orders."""
        return str(self.began.body.get("account", "")), str(self.began.body.get("deployment", ""))

    @property
    def history(self) -> Bars:
        """The bars since the newest anchor."""
        if not self.anchors:
            return self.bars
        return self.bars.iloc[int(np.searchsorted(self.bars.labels, self.anchors[-1].body["anchor"])) :]

    def setup(self, setting: Callable[[Bars], Setup]) -> Setup:
        """Return the set-up over all bars, its inputs computed from the anchors that the run had (SEMANTICS 7)."""
        bars, setup = self.bars, setting(self.bars)
        if not self.anchors:
            return setup
        whole = Inputs(*(None if array is None else array.copy() for array in setup.inputs))  # type: ignore[arg-type]
        labels = [int(entry.key) for entry in self.anchors]
        ends = [*labels[1:], int(bars.labels[-1]) + 1]
        for entry, label, end in zip(self.anchors, labels, ends, strict=True):
            first, begin, last = np.searchsorted(bars.labels, [entry.body["anchor"], label, end])
            part = inputs_over(setup.system, bars.iloc[first:last])
            for mine, theirs in zip(whole, part, strict=True):
                if mine is not None and theirs is not None:
                    mine[begin:last] = theirs[begin - first :]
        return setup.with_inputs(whole)


class Known:
    """Bars as a run came to know them: those that came late are hidden until it is told of them.

    Parameters
    ----------
    setup : Setup
        Over all bars.
    late : iterable of Entry
        The entries that tell of late bars.
    """

    def __init__(self, setup: Setup, late: Iterable[Entry]) -> None:
        self.whole = setup
        self._anchor = 0
        self._row = {int(label): row for row, label in enumerate(setup.market.labels)}
        column = {symbol: j for j, symbol in enumerate(setup.market.symbols)}
        self._cells = {str(e.key): [(self._row[e.body["label"]], column[symbol]) for symbol in e.body["symbols"]] for e in late}
        self._hidden = {cell for cells in self._cells.values() for cell in cells}
        self._arrays = {name: setup.market.array(name) for name in FIELDS}
        if self._hidden:
            self._arrays = {name: array.copy() for name, array in self._arrays.items()}
            for array in self._arrays.values():
                for cell in self._hidden:
                    array[cell] = math.nan

    @property
    def setup(self) -> Setup:
        """The set-up as it was known at first: no late bar has come. `show` makes its inputs right."""
        return self.whole.knowing(self._bars(0, len(self._row))) if self._hidden else self.whole

    def show(self, tape: Tape, row: int) -> None:
        """Have a tape hold a row as it is known: it was made as if all that is still to come had been known from the first."""
        if any(hidden <= row for hidden, _ in self._hidden):
            tape.replace(self.at(row), row)

    def at(self, row: int) -> Setup:
        """Return the set-up that the run had at a row: over the bars since its anchor, as far as it knew them."""
        return self.whole.on(self._bars(self._anchor, row + 1), newest=True)

    def move(self, anchor: int) -> None:
        """Move the anchor to a label."""
        self._anchor = int(np.searchsorted(self.whole.market.labels, anchor))

    def come(self, entry: Entry) -> tuple[int, list[ReceivedBar]]:
        """Let late bars come: return their row, and the bars."""
        cells = self._cells[str(entry.key)]
        self._hidden.difference_update(cells)
        for name, array in self._arrays.items():
            for cell in cells:
                array[cell] = self.whole.market.array(name)[cell]
        row = cells[0][0]
        return row, [bar for bar in bars_received(self.whole.market, row, 0) if bar.symbol in entry.body["symbols"]]

    def _bars(self, first: int, last: int) -> Bars:
        like = self.whole.market
        arrays = {name: array[first:last].copy() for name, array in self._arrays.items()}
        return like.with_rows(like.index[first:last], arrays)


def numbers_of(entry: Entry) -> Sequence[int]:
    """Return the numbers of what an entry tells of, as the venue gave them."""
    if entry.kind == "event":
        return [int(entry.key)] if str(entry.key).isdigit() else []
    return entry.body.get("seen", ()) if entry.kind in ("step", "missed", "late", "alert") else ()


def bars_of(received: Iterable[ReceivedBar], instruments: Sequence[Instrument], interval: str, source: str) -> Bars:
    """Return bars as they were received; of one received twice the last."""
    column = {instrument.symbol: j for j, instrument in enumerate(instruments)}
    rows: dict[int, np.ndarray] = {}
    for bar in received:
        if bar.label not in rows:
            rows[bar.label] = np.full((len(FIELDS), len(instruments)), math.nan)
        rows[bar.label][:, column[bar.symbol]] = [getattr(bar, name) for name in FIELDS]
    labels = sorted(rows)
    cube = np.stack([rows[label] for label in labels], axis=1) if labels else np.empty((len(FIELDS), 0, len(instruments)))
    index = pd.DatetimeIndex(np.array(labels, dtype="datetime64[ns]"), name="timestamp").tz_localize("UTC")
    return Bars(index, instruments, interval, dict(zip(FIELDS, cube, strict=True)), source)


def heard_of(entry: Entry) -> int:
    """Return the label of the bar that an event belongs to; 0 where it belongs to none."""
    if entry.kind != "event" or entry.body["event"] == "accepted":
        return 0
    return int(entry.body["fill"]["label"] if entry.body["event"] == "filled" else entry.body["label"])


def _end_of(entries: Iterable[Entry]) -> tuple[int, int]:
    """Return the number of the last entry that belongs to a step, an order sent after it included, and how many steps there are."""
    last = steps = closed = heard = 0
    for entry in entries:
        heard = max(heard, heard_of(entry))
        if entry.kind in ("step", "missed"):
            last, steps, closed = entry.number, steps + 1, int(entry.key)
        elif entry.kind == "intent" and heard <= closed:
            last = entry.number
    return last, steps
