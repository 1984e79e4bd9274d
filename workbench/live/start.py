"""Start a supervised run from a notebook or a script, and hold on to it."""

from __future__ import annotations

import html
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.bars import Bars
from workbench.data import ParquetStore
from workbench.errors import RunError
from workbench.journal import Journal
from workbench.live.account import Market
from workbench.live.commands import order
from workbench.live.lease import Lease
from workbench.live.places import JOURNAL
from workbench.live.release import Release
from workbench.live.status import status_html

__all__ = ["Started", "start"]

#: Seconds that a clean stop may take.
STOPPING = 60.0
#: Seconds in which a supervisor checks all that it checks.
STARTING = 30.0


class Started:
    """A run that goes on in processes of its own, whatever becomes of this one.

    Parameters
    ----------
    release : Release
    folder : Path
        The run's folder.
    process : Popen
        Its supervisor.
    log : Path
        What the supervisor says.
    """

    def __init__(self, release: Release, folder: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self.release = release
        self.folder = folder
        self._process = process
        self._log = log

    @property
    def journal(self) -> Journal:
        """The run's record."""
        return Journal(self.folder / JOURNAL)

    @property
    def notebook(self) -> Path:
        """The newest notebook that papermill executes, or has executed, for it."""
        found = sorted(self.folder.glob("*.ipynb"))
        if not found:
            raise RunError(f"no notebook yet in {self.folder}")
        return found[-1]

    @property
    def status(self) -> dict[str, Any]:
        """The session's last sign of life."""
        beat = self.journal.beats().get("session")
        return {} if beat is None else dict(beat.body)

    def order(self, what: str) -> str:
        """Ask the session for something - pause, resume, reduce, flatten, kill - and return its answer."""
        return order(self.folder.parent, self.folder.name, what, "a notebook")

    def wait(self, patience: float | None = None) -> int:
        """Wait until the run has ended, and return the supervisor's exit code."""
        code = self._process.wait(patience)
        if code:
            raise RunError(f"the run ended with exit code {code}: {self._said()}")
        return code

    def wait_until_it_runs(self, account: str, begins: int) -> None:
        """Wait until the supervisor has the account.

        Raises
        ------
        RunError
            It has not got it: what it said since `begins`, a place in its log.
        """
        deadline = time.monotonic() + STARTING
        while Lease(account).holder.get("pid") != self._process.pid and time.monotonic() < deadline:
            if self._process.poll():
                said = self._log.read_bytes()[begins:].decode(errors="replace").strip().splitlines()
                raise RunError(f"the run was not started: {said[-1].removeprefix('workbench: ') if said else 'no message'}")
            time.sleep(0.05)

    def stop(self) -> int:
        """End the run cleanly: positions and their protective orders stay at the venue."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
        return self.wait(STOPPING)

    def parity(self) -> Any:
        """Compare what it did so far with what the same release does on the same bars when nothing gets in between."""
        from workbench.live.parity import parity

        return parity(self.release, self.journal)

    def _said(self) -> str:
        return self._log.read_text(errors="replace").strip().splitlines()[-1] if self._log.is_file() else ""

    def __repr__(self) -> str:
        status = self.status
        state = "ended" if self._process.poll() is not None else "running"
        return f"Started({self.folder}, {state}, {status.get('steps', 0)} steps, equity {status.get('equity', 0.0):,.2f})"

    def _repr_html_(self) -> str:
        status = self.status
        return status_html(status) if status else html.escape(repr(self))


def start(
    release: str | Path,
    *,
    bars: Bars | None = None,
    speed: float | None = None,
    seed: int | None = None,
    history: int | None = None,
    late: float | None = None,
    rejects: float | None = None,
    supports: Sequence[str] | None = None,
    account: str | None = None,
    root: str | Path = "runs",
) -> Started:
    """Start a supervised paper run in the background.

    Parameters
    ----------
    release : path
        A release (`wb.promote`).
    bars : Bars, optional
        A recording as the account's market; a simulated market without an end where not given.
    speed : float, optional
        How many times faster than real time the market moves; None: as fast as the session decides.
    seed : int, default 0
        Of the simulated market.
    history : int, default 500
        Bars that have closed already when the account is made.
    late : float, default 0
        The share of bars that come a step late: to see what a strategy does then.
    rejects : float, default 0
        The share of openings that the venue refuses.
    supports : sequence of str, optional
        What the venue takes, ``["market", "limit"]`` for one without stops; everything where not given.
    account : str, optional
        ``"paper-NAME"`` where not given.
    root : path, default "runs"

    Returns
    -------
    Started

    Raises
    ------
    RunError
        The release cannot be trusted, or its run was not started: another holds the account.

    Examples
    --------
    >>> run = start("releases/spx-trend", bars=bars)  # doctest: +SKIP
    >>> run.wait()  # doctest: +SKIP
    """
    kept = Release.open(release)
    folder = Path(root) / kept.name
    folder.mkdir(parents=True, exist_ok=True)
    Market(bars, speed, seed, history, late, rejects, supports)  # what no market can have is refused here, not in a log
    options = ["--root", str(root)]
    said = {"seed": seed, "history": history, "late": late, "rejects": rejects, "speed": speed, "account": account}
    said["supports"] = None if supports is None else ",".join(supports)
    for name, value in said.items():
        options += [] if value is None else [f"--{name}", str(value)]
    if bars is not None:
        ParquetStore(folder / "recording").save(bars, replace=True)
        options += ["--store", str(folder / "recording")]
    log = folder / "supervisor.log"
    begins = log.stat().st_size if log.is_file() else 0
    with log.open("ab") as out:
        command = [sys.executable, "-m", "workbench.cli", "run", str(release), *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    started = Started(kept, folder, process, log)
    started.wait_until_it_runs(account or f"paper-{kept.name}", begins)
    return started
