"""The runs of a folder, as a table for the shell."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from workbench.journal import Journal
from workbench.live.places import JOURNAL, runs_in
from workbench.live.status import about_models, clock, held

__all__ = ["listing"]

#: A run whose last sign of life is older is not running (nanoseconds).
ALIVE = 5e9


def listing(root: Path) -> str:
    """Return one line a run."""
    rows: list[tuple[str, ...]] = [("run", "state", "mode", "equity", "positions", "last bar", "sign of life", "models")]
    rows += [_row(folder) for folder in runs_in(root)]
    if len(rows) == 1:
        return f"no runs in {root}"
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(folder: Path) -> tuple[str, ...]:
    journal = Journal(folder / JOURNAL)
    beats, waiting = journal.beats(), [command.what for command in journal.commands("queued")]
    beat, supervisor = beats.get("session"), beats.get("supervisor")
    attended = supervisor is not None and time.time_ns() - supervisor.time < ALIVE and supervisor.body["state"] != "ended"
    if beat is None:
        return (folder.name, "starting" if attended else "never begun", *[""] * 6)
    status: dict[str, Any] = beat.body
    age = time.time_ns() - beat.time
    running = age < ALIVE and not status["over"]
    state = "running" if running else "starting" if attended else status["over"] or "NO SIGN OF LIFE"
    state += f" ({', '.join(waiting)} queued)" if waiting else ""
    if "mode" not in status:
        return (folder.name, state, "", "", "", "", f"{age / 1e9:,.0f} s ago", "")
    equity = f"{status['equity']:,.2f} {status['currency']}"
    mode = status["mode"] if running else f"was {status['mode']}"
    alive = f"{age / 1e9:,.0f} s ago"
    return (folder.name, state, mode, equity, held(status), clock(status["label"]), alive, "; ".join(about_models(status)))
