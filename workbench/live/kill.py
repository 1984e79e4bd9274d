"""Kill: with a connection of its own, so that it works while the session hangs."""

from __future__ import annotations

import json
import queue
import time
import uuid
from pathlib import Path

from workbench.adapters.paper import PaperLink
from workbench.errors import JournalError, OrderError, RunError, WorkbenchError
from workbench.execution.port import Arrival, Connected
from workbench.journal import Command
from workbench.live.account import PaperAccountFolder
from workbench.live.commands import journal_of, wait_for
from workbench.live.lease import Lease

__all__ = ["kill"]

#: Seconds: for the venue to answer, and for the session to say that it is halted.
PATIENCE = 4.0


def kill(root: Path, name: str) -> str:
    """Take all openings of a run off at the venue, and latch its session to HALTED; a session that hangs is ended.

    Returns
    -------
    str
        What was done, in sentences.
    """
    begun = root / name / "release.json"
    if not begun.is_file():
        journal_of(root, name)  # says what there is instead
        raise RunError(f"the run {name!r} was never started")
    terms = json.loads(begun.read_text(encoding="utf-8"))
    try:
        said = [_take_off(root, terms)]
    except (WorkbenchError, OSError, ValueError, KeyError, queue.Empty) as error:
        said = [f"venue: not reached: {str(error) or 'no answer'}"]  # the session is halted all the same
    try:
        said.append(f"session: {_latch(root, name)}")
    except (JournalError, TimeoutError) as error:
        ended = Lease(terms["account"], "session").end_holder()
        said.append(f"session: {error}; it hangs, process {ended} was ended" if ended else f"session: {error}; none is there")
        said.append(f"session: {_latch(root, name, patience=0.0)}")
    return "\n".join(said)


def _latch(root: Path, name: str, patience: float = PATIENCE) -> str:
    """Queue the command, and return its answer; TimeoutError where a session does not answer in time."""
    journal = journal_of(root, name)
    command = Command(uuid.uuid4().hex, "kill", "the shell", time.time_ns())
    journal.post(command)
    if not patience:
        return "the command is queued: whoever comes up next is halted before it decides anything"
    answer = wait_for(journal, command.id, patience)
    if answer is None:
        raise TimeoutError(f"no answer within {patience:g} s")
    return answer


def _take_off(root: Path, terms: dict[str, str]) -> str:
    folder = PaperAccountFolder(root / "accounts" / terms["account"])
    if not folder.alive:
        return "venue: its process does not run, so nothing can fill there; the session takes its openings off when it is back"
    link = PaperLink(folder.address, *folder.traded())
    arrived: queue.Queue[Arrival] = queue.Queue()
    account = link.open(arrived.put, lambda: 1 << 62)
    try:
        if not isinstance(arrived.get(timeout=PATIENCE), Connected):
            raise OrderError("it was reached and lost again")
        openings = [one for one in account.open_orders() if one.key is not None and one.key.leg == "open"]
        off = sum(account.cancel(one.key) for one in openings if one.key is not None)
    finally:
        link.close()
    return f"venue: {off} of {len(openings)} openings taken off; protective orders stay"
