"""What a panel knows of a run: read from its journal, a little more at each look."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.journal import Command, Entry, Journal

__all__ = ["View", "Watch"]

#: How many decisions and commands are kept for the eye, and points for the curve.
DECISIONS, COMMANDS, POINTS = 12, 8, 2_000
#: A run whose sign of life is older than this is not to be trusted (seconds).
SILENT = 5.0


@dataclass
class View:
    """A run at one moment.

    Parameters
    ----------
    status : dict
        The session's last sign of life (`Runner.status`); empty where there is none.
    age : float
        Its age in seconds.
    data_age : float
        Seconds since the newest bars came.
    """

    status: dict[str, Any] = field(default_factory=dict)
    age: float = 0.0
    data_age: float = 0.0
    labels: list[int] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    decisions: deque[tuple[int, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=DECISIONS))
    commands: list[Command] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether the session gives signs of life and has not come to its end."""
        return bool(self.status) and self.age < SILENT and not self.status.get("over")


class Watch:
    """Reads a journal again and again, each time only what is new.

    Parameters
    ----------
    journal : Journal
    clock : callable
        Nanoseconds since 1970.
    """

    def __init__(self, journal: Journal, clock: Callable[[], int] = time.time_ns) -> None:
        self.journal = journal
        self.view = View()
        self._clock = clock
        self._number = 0

    def look(self) -> View:
        """Return the run as it is now."""
        view, now = self.view, self._clock()
        beat = self.journal.beats().get("session")
        if beat is not None:
            view.status, view.age = beat.body, (now - beat.time) / 1e9
            view.data_age = (now - beat.body.get("arrived", 0)) / 1e9 if beat.body.get("arrived") else 0.0
        for entry in self.journal.entries(after=self._number):
            self._take(entry)
        if len(view.labels) > 2 * POINTS:
            view.labels, view.equity = _thinned(view.labels), _thinned(view.equity)
        view.commands = self.journal.commands()[-COMMANDS:]
        return view

    def _take(self, entry: Entry) -> None:
        self._number = entry.number
        if entry.kind in ("step", "missed"):
            self.view.labels.append(int(entry.key))
            self.view.equity.append(entry.body["equity"])
        if entry.kind == "step":
            self.view.decisions.extendleft((int(entry.key), one) for one in entry.body["decisions"])


def _thinned(values: list[Any]) -> list[Any]:
    """Return every second of the older values; the newest quarter stays as it is."""
    kept = len(values) - len(values) // 4
    return values[:kept:2] + values[kept:]
