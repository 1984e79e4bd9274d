"""The append-only record of what a session meant to do and did; recovery reads it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

__all__ = ["Entry", "Journal", "MemoryJournal"]


class Entry(NamedTuple):
    """One line: what kind of thing, under which unique key, and what it says."""

    kind: str
    key: Any
    body: Any


class Journal(ABC):
    """Where intents are written before they are sent.

    ============ ==================================================================================================
    method       requirement
    ============ ==================================================================================================
    commit       write entries in order, all or none, durable on return; a (kind, key) already there is not written twice
    entries      read them back, in order
    ============ ==================================================================================================
    """

    @abstractmethod
    def commit(self, entries: Sequence[Entry]) -> None:
        """Write entries: all or none, durable when this returns."""

    @abstractmethod
    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """Return the entries of one kind, or all, in the order in which they were written."""


class MemoryJournal(Journal):
    """A journal that lives as long as its process: for replay and tests.

    Examples
    --------
    >>> journal = MemoryJournal()
    >>> journal.commit([Entry("intent", 1, "buy"), Entry("intent", 1, "buy")])
    >>> [entry.body for entry in journal.entries("intent")]
    ['buy']
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, Any], Entry] = {}

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write entries that are not there yet."""
        for entry in entries:
            self._entries.setdefault((entry.kind, entry.key), entry)

    def entries(self, kind: str | None = None) -> Iterator[Entry]:
        """Return the entries of one kind, or all."""
        return iter([entry for entry in self._entries.values() if kind is None or entry.kind == kind])

    def __len__(self) -> int:
        return len(self._entries)
