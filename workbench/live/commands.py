"""Commands from outside: a row in the journal of a run, and the session's answer to it."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

from workbench.errors import RunError, did_you_mean
from workbench.journal import Command, Journal
from workbench.live.account import PaperAccountFolder
from workbench.live.lease import Lease
from workbench.live.places import JOURNAL, Where, runs_in

__all__ = ["account_of", "end_idle_venue", "journal_of", "order", "wait_for"]

#: Seconds that a command waits for its answer.
PATIENCE = 10.0


def journal_of(root: Path, name: str) -> Journal:
    """Return the journal of a run by its name."""
    path = root / name / JOURNAL
    if not path.is_file():
        raise RunError(f"no run {name!r} in {root}{did_you_mean(name, [found.name for found in runs_in(root)])}")
    return Journal(path)


def order(root: Path, name: str, what: str, who: str, patience: float = PATIENCE, body: dict[str, Any] | None = None) -> str:
    """Ask a run for something, and return its answer; a stop is not kept: it must not end a run that starts later.

    `body` has what the verb needs besides: of an opening that waits its symbol, and another quantity (SEMANTICS 39).

    Raises
    ------
    RunError
        There is no such run, or it is to be stopped and does not run.
    """
    journal = journal_of(root, name)
    if what == "stop" and not _runs(root, name):
        raise RunError(f"the run {name!r} does not run, so there is nothing to stop")
    now = time.time_ns()
    command = Command(uuid.uuid4().hex, what, who, now, now + int(patience * 1e9) if what == "stop" else 0, body)
    journal.post(command)
    answer = wait_for(journal, command.id, patience)
    kept = "it was not kept" if what == "stop" else "it stays queued and is applied when one comes up"
    return answer or f"no session has answered the {what} within {patience:g} s; {kept}"


def account_of(root: Path, name: str) -> str:
    """Return the account of a run; a run that has not begun has none, and OSError, ValueError or KeyError say so."""
    return str(json.loads(Where(root, name, "").begun.read_text(encoding="utf-8"))["account"])


def end_idle_venue(root: Path, name: str) -> int:
    """End the paper venue of a run that does not run, as scheduled steps leave it; return its process, 0 where there is none."""
    journal_of(root, name)
    if _runs(root, name):
        return 0
    venue = PaperAccountFolder(Where(root, name, account_of(root, name)).market)
    if not venue.alive:
        return 0
    ended = venue.pid
    venue.end()
    return ended


def _runs(root: Path, name: str) -> bool:
    """Whether anybody runs it on this machine; a run whose account is not noted may."""
    try:
        account = account_of(root, name)
    except (OSError, ValueError, KeyError):
        return True
    return Lease(account).taken or Lease(account, "session").taken


def wait_for(journal: Journal, command: str, patience: float) -> str | None:
    """Return the answer to a command; None where none came in time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found = next((one for one in journal.commands() if one.id == command and one.state != "queued"), None)
        if found is not None:
            return f"{found.state}: {found.answer}"
        time.sleep(0.05)
    return None
