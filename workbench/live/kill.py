"""Kill: with a connection of its own, so that it works while the session hangs."""

from __future__ import annotations

import queue
import time
import uuid
from pathlib import Path

from workbench.adapters.paper import PaperLink
from workbench.errors import JournalError, OrderError, WorkbenchError
from workbench.execution.port import Arrival, Connected
from workbench.journal import Command
from workbench.live.account import PaperAccountFolder
from workbench.live.commands import account_of, journal_of, wait_for
from workbench.live.lease import Lease
from workbench.live.places import Where

__all__ = ["kill"]

#: Seconds: for the venue to answer, and for the session to say that it is halted.
PATIENCE = 4.0
NONE = "venue: 0 of 0 openings taken off; protective orders stay"


def kill(root: Path, name: str, who: str = "the shell") -> str:
    """Take all openings of a run off at the venue, and latch its session to HALTED; a session that hangs is ended.

    The session is told first, then the venue, and the venue once more when the session is halted: what it sent meanwhile
    must not rest there.

    Returns
    -------
    str
        What was done, in sentences.
    """
    journal_of(root, name)  # says which runs there are where this one is none
    command = Command(uuid.uuid4().hex, "kill", who, time.time_ns())
    posted = _post(root, name, command)
    said = _taken_off(root, name)
    lines = [said, f"session: {_halt(root, name, command, posted)}"]
    later = _taken_off(root, name)
    return "\n".join(lines if later in (said, NONE) else [*lines, f"{later} (sent meanwhile)"])


def _post(root: Path, name: str, command: Command) -> bool:
    """Queue the command; False where a session that hangs in the middle of writing keeps everyone else from it."""
    try:
        journal_of(root, name).post(command)
    except JournalError:
        return False
    return True


def _halt(root: Path, name: str, command: Command, posted: bool) -> str:
    """Wait until the session is halted; end one that does not answer, so that the next finds the command before it decides."""
    try:
        answer = wait_for(journal_of(root, name), command.id, PATIENCE) if posted else None
    except JournalError:
        answer = None
    if answer is not None:
        return answer
    ended = _end_hung(root, name)
    journal_of(root, name).post(command)
    return f"{ended}; the command stays queued and is applied when one comes up"


def _end_hung(root: Path, name: str) -> str:
    try:
        ended = Lease(account_of(root, name), "session").end_holder()
    except (WorkbenchError, OSError, ValueError, KeyError):
        return "no answer, and there is no note of its process"
    return f"it hangs, process {ended} was ended" if ended else "none is there"


def _taken_off(root: Path, name: str) -> str:
    """Take off what rests, and say what came of it; whatever goes wrong, the session is halted all the same."""
    try:
        return f"venue: {_take_off(root, name)}"
    except (WorkbenchError, OSError, ValueError, KeyError, queue.Empty) as error:
        return f"venue: not reached: {str(error) or 'no answer'}"


def _take_off(root: Path, name: str) -> str:
    folder = PaperAccountFolder(Where(root, name, account_of(root, name)).market)
    if not folder.alive:
        return "its process does not run, so nothing can fill there; the session takes its openings off when it is back"
    link = PaperLink(folder.address, *folder.traded())
    arrived: queue.Queue[Arrival] = queue.Queue()
    account = link.open(arrived.put, lambda: 1 << 62)
    try:
        if not isinstance(arrived.get(timeout=PATIENCE), Connected):
            raise OrderError("it was reached and lost again")
        openings = [one for one in account.open_orders() if one.key is not None and not one.reduce_only]
        off = sum(account.cancel(one.key) for one in openings if one.key is not None)
    finally:
        link.close()
    return f"{off} of {len(openings)} openings taken off; protective orders stay"
