"""How closed bars come into a session: a step's at the end of its history, late ones into their places (SEMANTICS 5 and 7)."""

from __future__ import annotations

from workbench.bars import Bars
from workbench.interval import DAY
from workbench.session.gathering import Late, Step
from workbench.session.history import History
from workbench.session.live import LiveSession

__all__ = ["Intake"]

#: Bars of history that a session computes from before its anchor moves on (SEMANTICS 7).
MOST_HISTORY = 20_000


class Intake:
    """The bars since the anchor, of one session.

    Parameters
    ----------
    session : LiveSession
    bars : Bars
        What it has begun with, or has lived through again.
    """

    def __init__(self, session: LiveSession, bars: Bars) -> None:
        self._session = session
        self._instruments = bars.instruments
        self._history = History(bars)

    def add(self, step: Step) -> None:
        """Take a step's bars in; whether it is decided is another matter."""
        anchor = self._roll(step.label)
        self._history.add(step.bars(self._instruments))
        self._session.append(self._session.setup.on(self._history.bars, newest=True), step.received, anchor)

    def add_late(self, late: Late) -> None:
        """Take bars in whose step has passed: only later steps know of them."""
        part, row = late.part, self._history.row_of(late.label)
        if row is None:
            whose = f"the bars of {', '.join(part.bars.symbols)} of {part.bars.index[0]} came after later ones"
            self._session.alert(f"{whose} and were left out: no step has their label", f"left out {part.number}", [part.number])
            return
        new = [bar for bar in Step(late.label, (part,)).received if self._history.lacks(row, bar.symbol)]
        if new:
            self._history.fill(row, new)
            self._session.late(self._session.setup.on(self._history.bars.iloc[: row + 1], newest=True), new, [part.number])

    def _roll(self, label: int) -> int | None:
        """Move the anchor at the turn of a day, once there is more history than is needed; return it if it moved."""
        lookback, rows = self._session.setup.system.lookback, len(self._history)
        most = max(MOST_HISTORY, 4 * lookback)
        if rows <= most or label // DAY == self._session.tape.label[-1] // DAY:
            return None
        return self._history.drop(rows - max(most // 2, 2 * lookback))
