"""The append-only record of what a run meant to do and did; recovery and the panel read it.

`Journal` keeps it in a database (SQLite, or any that SQLAlchemy knows), `MemoryJournal` in the process. Both are a
`JournalPort`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from workbench.errors import unknown_name
from workbench.journal._memory import MemoryJournal
from workbench.journal._port import Answer, Beat, Command, Entry, JournalPort, ReceivedBar

if TYPE_CHECKING:
    from workbench.journal._database import Journal

__all__ = ["Answer", "Beat", "Command", "Entry", "Journal", "JournalPort", "MemoryJournal", "ReceivedBar"]


def __getattr__(name: str) -> Any:
    # SQLAlchemy takes a quarter of a second: replay in memory has no need of it
    if name == "Journal":
        return importlib.import_module("workbench.journal._database").Journal
    raise unknown_name(__name__, name, __all__)
