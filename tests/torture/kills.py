"""Kill everything, again and again, at random moments of a fast paper run: nothing is lost and nothing is sent twice.

    python tests/torture/kills.py --kernel 50 --papermill 20 --supervisor 20 --venue 10

A release with a signal from a notebook cell runs at the paper venue, whose market goes on step by step. At random moments
the kernel, papermill, the supervisor or the venue is ended by SIGKILL, and (for the supervisor) started again by the same
command. At the end the run is stopped, and must be what an undisturbed run is: the same orders, fills and equity.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import workbench as wb
from workbench.journal import Journal
from workbench.live.lease import Lease
from workbench.live.parity import parity
from workbench.live.release import Release, promote

NAME = "tortured"
#: Bars that have closed when a run begins.
HISTORY = 100
PLACES = ("kernel", "papermill", "supervisor", "venue")


class Tortured:
    """A supervised run that processes are taken away from."""

    def __init__(self, folder: Path, seed: int, interval: str = "1h") -> None:
        self.folder = folder
        os.environ["WORKBENCH_STATE"] = str(folder / "state")
        os.chdir(folder)
        self.random = random.Random(seed)
        strategy = wb.Strategy(
            wb.signals.MovingAverageCross(3, 8), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5, 1.0)], [wb.risk.MaxLeverage(1.0)]
        )
        self.release = promote(strategy, wb.simulate("SIM", bars=10, interval=interval), NAME, cash=1_000_000.0)
        self.supervisor: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """The command that a user would give, the same each time."""
        return [sys.executable, "-m", "workbench.cli", "run", str(self.release), "--history", str(HISTORY), "--seed", "7"]

    @property
    def account(self) -> Path:
        """The folder of the paper account."""
        return Path("runs/accounts") / f"paper-{NAME}"

    def start(self) -> None:
        """Start the supervisor."""
        with (self.folder / "supervisor.log").open("ab") as log:
            self.supervisor = subprocess.Popen(self.command, stdout=log, stderr=log)

    def pid_of(self, what: str) -> int | None:
        """Return the process of a part, None where it is not there at the moment."""
        if what == "supervisor":
            return self.supervisor.pid if self.supervisor else None
        if what == "venue":
            return self._noted(self.account / "venue.json")
        kernel = Lease(f"paper-{NAME}", "session")
        if not kernel.taken:
            return None
        pid = kernel.holder.get("pid")
        return pid if what == "kernel" or pid is None else parent_of(pid)

    def _noted(self, path: Path) -> int | None:
        try:
            return int(json.loads(path.read_text())["pid"])
        except (OSError, ValueError):
            return None

    def kill(self, what: str) -> bool:
        """End a part by SIGKILL; whether it was there."""
        pid = self.pid_of(what)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        if what == "supervisor" and self.supervisor is not None:
            self.supervisor.wait()
            self.start()
        return True

    def journal(self) -> Journal:
        """Open the run's journal."""
        return Journal(Path("runs") / NAME / "journal.db")

    def notebooks(self) -> list[Path]:
        """Return the executed notebooks."""
        return list((Path("runs") / NAME).glob("*.ipynb"))

    def steps(self) -> int:
        """Return the number of the newest step's entry; 0 before there is any."""
        path = Path("runs") / NAME / "journal.db"
        if not path.is_file():
            return 0
        newest = self.journal().newest("step")
        return newest.number if newest else 0

    def wait_for_progress(self, patience: float = 120.0) -> None:
        """Wait until a further step is decided."""
        before, deadline = self.steps(), time.monotonic() + patience
        while self.steps() == before:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no further step within {patience:g} s; see {self.folder}")
            time.sleep(0.05)

    def stop(self) -> int:
        """Ask the supervisor to end the run, and return its exit code; one that has just been started is waited for."""
        assert self.supervisor is not None
        deadline = time.monotonic() + 120.0
        while (papermill := self.pid_of("papermill")) is None or parent_of(papermill) != self.supervisor.pid:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the supervisor has no session; see {self.folder}")
            time.sleep(0.05)
        self.supervisor.send_signal(signal.SIGTERM)
        return self.supervisor.wait(600)


def parent_of(pid: int) -> int | None:
    """Return the parent of a process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (OSError, IndexError):
        return None


def torture(counts: dict[str, int], seed: int, folder: Path) -> dict[str, Any]:
    """Kill so many of each, and return what the run looks like afterwards."""
    run = Tortured(folder, seed)
    deeds = [what for what in PLACES for _ in range(counts[what])]
    run.random.shuffle(deeds)
    run.start()
    run.wait_for_progress()
    done: Counter[str] = Counter()
    for number, what in enumerate(deeds):
        time.sleep(run.random.random() * 0.8)
        while not run.kill(what):
            time.sleep(0.05)
        done[what] += 1
        if run.random.random() < 0.8:  # at times the next blow falls while it is still coming back
            run.wait_for_progress()
        print(f"{number + 1}/{len(deeds)} {what}", flush=True)
    run.wait_for_progress()
    code = run.stop()
    return judge(run, code) | {"kills": dict(done), "exit code": code}


def judge(run: Tortured, code: int) -> dict[str, Any]:
    """Compare the journal with the venue's ledger, and the run with an undisturbed one."""
    journal = run.journal()
    ledger = Journal(run.account / "ledger.db")
    taken = [entry.key for entry in ledger.entries("submit")]
    intents = {entry.key for entry in journal.entries("intent")}
    base = Counter(key.rsplit("/", 1)[0] for key in taken)
    report = parity(Release.open(run.release), journal)
    print(report)
    return {
        "entries": journal.verify(),
        "orders at the venue": len(taken),
        "sent twice": sum(count > 1 for count in base.values()),
        "without a prior intent": len(set(taken) - intents),
        "intents that the venue never had": len(intents - set(taken)),
        "steps": report.steps,
        "missed": report.missed,
        "differences": len(report.differences),
        "causes": report.causes,
        "orders compared": report.orders,
    }


def main() -> int:
    """Torture one run, print what came of it, and say whether it held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for what, count in zip(PLACES, (50, 20, 20, 10), strict=True):
        parser.add_argument(f"--{what}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="workbench-torture-"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    found = torture({what: getattr(given, what) for what in PLACES}, given.seed, folder.resolve())
    print(json.dumps(found | {"seconds": round(time.monotonic() - started)}, indent=2))
    held = not (found["sent twice"] or found["without a prior intent"] or found["differences"] or found["exit code"])
    print("held" if held else f"DID NOT HOLD: see {folder}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
