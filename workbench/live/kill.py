"""Kill: with a connection of its own, so that it works while the session hangs."""

from __future__ import annotations

import json
import queue
from pathlib import Path

from workbench.adapters.paper import PaperLink
from workbench.errors import RunError, WorkbenchError
from workbench.execution.port import Arrival, Connected
from workbench.live.account import PaperAccountFolder
from workbench.live.commands import journal_of, order

__all__ = ["kill"]

#: Seconds: for the venue to answer, and for the session to say that it is halted.
PATIENCE = 5.0


def kill(root: Path, name: str) -> str:
    """Take all openings of a run off at the venue, and latch its session to HALTED.

    Returns
    -------
    str
        What was done, in sentences.
    """
    journal_of(root, name)
    try:
        said = _take_off(root, name)
    except (WorkbenchError, OSError, ValueError, KeyError, queue.Empty) as error:
        said = f"venue: not reached: {str(error) or 'no answer'}"  # the session is halted all the same
    return f"{said}\nsession: {order(root, name, 'kill', 'the shell', PATIENCE)}"


def _take_off(root: Path, name: str) -> str:
    begun = json.loads((root / name / "release.json").read_text(encoding="utf-8"))
    folder = PaperAccountFolder(root / "accounts" / begun["account"])
    if not folder.alive:
        return "venue: its process does not run, so nothing can fill there; the session takes its openings off when it is back"
    link = PaperLink(folder.address, *folder.traded())
    arrived: queue.Queue[Arrival] = queue.Queue()
    account = link.open(arrived.put, lambda: 1 << 62)
    try:
        if not isinstance(arrived.get(timeout=PATIENCE), Connected):
            raise RunError("the venue was reached and lost again")
        openings = [one for one in account.open_orders() if one.key is not None and one.key.leg == "open"]
        off = sum(account.cancel(one.key) for one in openings if one.key is not None)
    finally:
        link.close()
    return f"venue: {off} of {len(openings)} openings taken off; protective orders stay"
