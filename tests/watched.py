"""A paper run that papermill executes under its supervisor, for the panel to watch: what its browser tests share."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lab import ROOT, Lab, lab_over

import workbench as wb
from workbench.journal import Journal
from workbench.live.account import PaperAccountFolder
from workbench.live.notebook import notebook_path

NAME = "watched"


@dataclass
class Watched:
    """A supervised paper run, and the journals of both sides."""

    folder: Path
    supervisor: subprocess.Popen[bytes]

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "runs" / NAME / "journal.db")

    @property
    def ledger(self) -> Journal:
        return Journal(self.folder / "runs" / "accounts" / f"paper-{NAME}" / "ledger.db")

    @property
    def status(self) -> dict[str, Any]:
        beat = self.journal.beats().get("session")
        return beat.body if beat else {}

    def wait(self, holds: Callable[[dict[str, Any]], object], patience: float = 60.0) -> None:
        """Wait until the run's sign of life says so."""
        until = time.monotonic() + patience
        while not holds(self.status):
            assert time.monotonic() < until, self.status
            assert self.supervisor.poll() is None, "the run has ended"
            time.sleep(0.05)


@contextmanager
def watched(folder: Path, strategy: wb.Strategy, market: wb.Bars, bars_a_second: float) -> Iterator[Watched]:
    """Run a strategy on an hourly market, and stop it by SIGTERM: it must end well."""
    release = wb.promote(strategy, market, NAME, folder=folder / "releases")
    environment = os.environ | {"WORKBENCH_STATE": str(folder / "state"), "PYTHONPATH": str(ROOT)}
    speed = str(bars_a_second * 3600.0)
    command = [sys.executable, "-m", "workbench.cli", "run", str(release), "--speed", speed, "--history", "100"]
    with (folder / "log").open("wb") as log:
        supervisor = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    run = Watched(folder, supervisor)
    run.wait(lambda status: status.get("steps", 0) > 3)
    yield run
    supervisor.send_signal(signal.SIGTERM)
    code = supervisor.wait(90)
    PaperAccountFolder(folder / "runs" / "accounts" / f"paper-{NAME}").end()
    assert code == 0, (folder / "log").read_text()


@contextmanager
def lab_beside(run: Watched, folders: pytest.TempPathFactory) -> Iterator[Lab]:
    """Serve the panel's notebook beside a run; pictures go where `WORKBENCH_PICTURES` says."""
    pictures = Path(os.environ.get("WORKBENCH_PICTURES") or folders.mktemp("pictures"))
    notebooks = run.folder / "notebooks"
    notebooks.mkdir()
    shutil.copy(notebook_path("panel.ipynb"), notebooks)
    with lab_over(notebooks, folders.mktemp("private"), pictures) as made:
        yield made
