"""What a panel knows of a run: read from its journal, a little more at each look."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workbench.journal import Beat, Command, Entry, Journal

__all__ = ["View", "Watch"]

#: How many decisions and commands are kept for the eye, and points for the curve.
DECISIONS, COMMANDS, POINTS = 12, 8, 2_000
#: A sign of life that is older than this is not to be trusted (seconds).
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
    supervisor : str
        ``"starting"`` or ``"watching"``; ``"gone"`` where it has ended or gives no sign of life.
    now : int
        When it was looked at: nanoseconds since 1970.
    applied : dict
        The newest command of each kind that a session has applied.
    opened : int
        When the last opening was decided: nanoseconds since 1970.
    """

    status: dict[str, Any] = field(default_factory=dict)
    age: float = 0.0
    data_age: float = 0.0
    labels: list[int] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    decisions: deque[tuple[int, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=DECISIONS))
    commands: list[Command] = field(default_factory=list)
    supervisor: str = "gone"
    now: int = 0
    applied: dict[str, Command] = field(default_factory=dict)
    opened: int = 0

    @property
    def alive(self) -> bool:
        """Whether the session gives signs of life and has not come to its end."""
        return bool(self.status) and self.age < SILENT and not self.status.get("over")

    @property
    def starting(self) -> bool:
        """Whether a session is being brought up."""
        return self.supervisor == "starting" and not self.alive

    @property
    def closed(self) -> bool:
        """Whether nobody is there to be ordered about, nor will be: the run has ended, and its supervisor with it."""
        return bool(self.status.get("over")) and self.supervisor == "gone"


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
        beats = self.journal.beats()
        beat = beats.get("session")
        if beat is not None:
            view.status, view.age = beat.body, (now - beat.time) / 1e9
            view.data_age = (now - beat.body.get("arrived", 0)) / 1e9 if beat.body.get("arrived") else 0.0
        view.supervisor, view.now = _supervisor(beats.get("supervisor"), now), now
        for entry in self.journal.entries(after=self._number):
            self._take(entry)
        if len(view.labels) > 2 * POINTS:
            view.labels, view.equity = _thinned(view.labels), _thinned(view.equity)
        commands = self.journal.commands()
        view.commands = commands[-COMMANDS:]
        view.applied = {one.what: one for one in sorted(commands, key=lambda one: one.answered) if one.state == "applied"}
        return view

    def _take(self, entry: Entry) -> None:
        self._number = entry.number
        if entry.kind in ("step", "missed"):
            self.view.labels.append(int(entry.key))
            self.view.equity.append(entry.body["equity"])
        if entry.kind == "step":
            self.view.decisions.extendleft((int(entry.key), one) for one in entry.body["decisions"])
        elif entry.kind == "intent" and "/open/" in str(entry.key):
            self.view.opened = entry.time


def _supervisor(beat: Beat | None, now: int) -> str:
    """Return what the supervisor is at."""
    if beat is None or now - beat.time >= SILENT * 1e9 or beat.body.get("state") == "ended":
        return "gone"
    return str(beat.body.get("state", "watching"))


def _thinned(values: list[Any]) -> list[Any]:
    """Return every second of the older values; the newest quarter stays as it is."""
    kept = len(values) - len(values) // 4
    return values[:kept:2] + values[kept:]
