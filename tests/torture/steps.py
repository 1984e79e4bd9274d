"""Two shapes, one run: a session that stays, and one process a bar, over the same bars - by the commands that a user gives.

    python tests/torture/steps.py --steps 200

Each ``workbench run RELEASE --step`` starts supervisor, papermill and kernel, decides one step, and leaves; the paper venue
stays. Orders, fills, decisions and equity must be those of the run that stays.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kills import HISTORY, Tortured
from tqdm import tqdm

import workbench as wb
from workbench.journal import Journal
from workbench.live.account import PaperAccountFolder
from workbench.live.parity import parity
from workbench.live.release import Release
from workbench.research.comparing import compare
from workbench.session.record import Record
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.session.written import Written

RECORDING = "SIM_1h.parquet"


def commanded(folder: Path, bars: wb.Bars, times: int, *options: str) -> Tortured:
    """Give the command to run a release over a recording so many times, one after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    run = Tortured(folder, 0)
    bars["SIM"].to_parquet(RECORDING)
    with (folder / "supervisor.log").open("ab") as log:
        for _ in tqdm(range(times), desc="commands", file=sys.stdout, mininterval=20.0):
            subprocess.run([*run.command, "--bars", RECORDING, *options], stdout=log, stderr=log, check=True, timeout=300)
    PaperAccountFolder(run.account).end()
    return run


def lived(run: Tortured) -> Record:
    """Return what a run did, and say how it compares with what it should have done."""
    os.chdir(run.folder)
    release, journal = Release.open(run.release), run.journal()
    print(f"{run.folder.name}: {parity(release, journal)}")
    written = Written.of(journal, release.instruments, release.interval)
    return recorded(lambda listen: relived(written.setup(release.setup), journal.entries(), written.first, listen))


def decided(journal: Journal) -> int:
    """Return how many steps a journal has."""
    return sum(1 for _ in journal.entries("step"))


def main() -> int:
    """Run both shapes, compare them, and say whether they are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="workbench-steps-"))).resolve()
    bars = wb.simulate("SIM", bars=HISTORY + given.steps, interval="1h", seed=7)
    began = time.monotonic()
    stayed = commanded(folder / "in one session", bars, 1)
    stepped = commanded(folder / "one process a bar", bars, given.steps, "--step")
    differences = compare(lived(stayed), lived(stepped), bars)
    steps = [decided(Journal(run.folder / "runs" / "tortured" / "journal.db")) for run in (stayed, stepped)]
    print(f"{steps[0]} and {steps[1]} steps: {len(differences)} differences; {time.monotonic() - began:.0f} s")
    return int(len(differences) > 0 or steps != [given.steps] * 2)


if __name__ == "__main__":
    sys.exit(main())
