"""The port of journals, and the lines that pass through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["Answer", "Beat", "Command", "Entry", "JournalPort", "ReceivedBar"]


class Entry(NamedTuple):
    """One line: what kind of thing, under which unique key, and what it says; `number` and `time` once it is written."""

    kind: str
    key: Any
    body: Any
    number: int = 0
    time: int = 0


class ReceivedBar(NamedTuple):
    """One bar of one instrument as it was received, and when (nanoseconds since 1970, UTC)."""

    label: int
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    arrived: int


class Command(NamedTuple):
    """What a person, or the supervisor, asks of a run.

    Parameters
    ----------
    id : str
        Applied once, however often it is posted.
    what : str
        The verb: pause, resume, reduce, flatten, kill, stop, arm.
    who : str
        Who asked, and from where: ``"panel"``, ``"shell"``.
    created, expires : int
        Nanoseconds since 1970; 0 for a command that never expires.
    body : dict
        What the verb needs besides.
    state : str
        ``"queued"``, ``"applied"``, ``"refused"`` or ``"expired"``.
    answer : str
        What the session said to it.
    answered : int
        When.
    """

    id: str
    what: str
    who: str
    created: int
    expires: int = 0
    body: Any = None
    state: str = "queued"
    answer: str = ""
    answered: int = 0


class Answer(NamedTuple):
    """What a session says to a command."""

    id: str
    state: str
    text: str
    time: int


class Beat(NamedTuple):
    """A sign of life: who, when, and how it stands."""

    name: str
    time: int
    body: Any


class JournalPort(ABC):
    """Where a session writes what it means to do before it does it.

    ============ ==================================================================================================
    method       requirement
    ============ ==================================================================================================
    commit       write entries in order, all or none, durable on return; a (kind, key) already there is not written twice
    entries      read them back, in order
    ============ ==================================================================================================

    A journal of a run that others watch keeps more: bars as received, commands, signs of life (`Journal`).
    """

    @abstractmethod
    def commit(self, entries: Sequence[Entry], bars: Sequence[ReceivedBar] = (), answers: Sequence[Answer] = ()) -> None:
        """Write entries, bars and answers to commands: all or none, durable when this returns."""

    @abstractmethod
    def entries(self, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
        """Return the entries of one kind, or all, whose number is above `after`, in the order in which they were written."""
