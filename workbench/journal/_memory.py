"""A journal that lives as long as its process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.journal._port import Answer, Entry, JournalPort, ReceivedBar

__all__ = ["MemoryJournal"]


class MemoryJournal(JournalPort):
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

    def commit(self, entries: Sequence[Entry], bars: Sequence[ReceivedBar] = (), answers: Sequence[Answer] = ()) -> None:
        """Write entries that are not there yet; a replay has its bars and no commands."""
        for entry in entries:
            if (entry.kind, entry.key) not in self._entries:
                self._entries[entry.kind, entry.key] = Entry(entry.kind, entry.key, entry.body, len(self._entries) + 1)

    def entries(self, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
        """Return the entries of one kind, or all, whose number is above `after`."""
        return iter([e for e in self._entries.values() if e.number > after and (kind is None or e.kind == kind)])

    def __len__(self) -> int:
        return len(self._entries)
