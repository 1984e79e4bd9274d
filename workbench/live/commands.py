"""Commands from outside: a row in the journal of a run, and the session's answer to it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from workbench.errors import RunError, did_you_mean
from workbench.journal import Command, Journal
from workbench.live.places import JOURNAL, runs_in

__all__ = ["journal_of", "order", "wait_for"]

#: Seconds that a command waits for its answer.
PATIENCE = 10.0


def journal_of(root: Path, name: str) -> Journal:
    """Return the journal of a run by its name."""
    path = root / name / JOURNAL
    if not path.is_file():
        raise RunError(f"no run {name!r} in {root}{did_you_mean(name, [found.name for found in runs_in(root)])}")
    return Journal(path)


def order(root: Path, name: str, what: str, who: str, patience: float = PATIENCE) -> str:
    """Ask a run for something, and return its answer."""
    journal = journal_of(root, name)
    command = Command(uuid.uuid4().hex, what, who, time.time_ns())
    journal.post(command)
    answer = wait_for(journal, command.id, patience)
    return answer or f"no session has answered within {patience:g} s; the command stays queued and is applied when one comes up"


def wait_for(journal: Journal, command: str, patience: float) -> str | None:
    """Return the answer to a command; None where none came in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = next((one for one in journal.commands() if one.id == command and one.state != "queued"), None)
        if found is not None:
            return f"{found.state}: {found.answer}"
        time.sleep(0.05)
    return None
