"""A long run in short: what a month of minutes does to the memory of each process and to the notebook.

    python tests/torture/soak.py --steps 50000

A release runs at the paper venue, whose market goes on step by step, as fast as the session decides. Its processes and the
executed notebook are measured while it goes on; then it is stopped, started again by the same command, and stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from kills import PLACES, Tortured

#: From this share of the steps on, the first measure: what is loaded once, and the history up to its bound, is there by then.
WARM = 0.5
#: How much a process may have grown by the end: a share, and bytes for what the allocator keeps.
SHARE, SLACK = 0.05, 4e6


def resident(pid: int | None) -> float:
    """Return the resident memory of a process in MB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS")), 0.0)


def measure(run: Tortured) -> dict[str, float]:
    """Return the resident memory of each process in MB, and the size of the newest notebook in kB."""
    found = {}
    for what in PLACES:
        found[what] = resident(run.pid_of(what))
    notebooks = sorted(run.notebooks(), key=lambda path: path.stat().st_mtime)
    found["notebook"] = notebooks[-1].stat().st_size / 1000 if notebooks else 0.0
    return found


def steps_of(run: Tortured) -> int:
    """Return how many steps the session has decided, by its last sign of life."""
    beat = run.journal().beats().get("session")
    return int(beat.body.get("steps", 0)) if beat else 0


def wait_for(run: Tortured, steps: int, patience: float) -> None:
    """Wait until so many steps are decided."""
    deadline = time.monotonic() + patience
    while steps_of(run) < steps:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{steps_of(run)} of {steps} steps within {patience:g} s; see {run.folder}")
        time.sleep(0.2)


def soak(run: Tortured, steps: int, looks: int) -> list[tuple[int, dict[str, float]]]:
    """Run so many steps, and measure so many times."""
    run.start()
    run.wait_for_progress()
    measured = []
    for look in range(1, looks + 1):
        wait_for(run, steps * look // looks, 3600.0)
        at = steps_of(run)
        measured.append((at, measure(run)))
        print(f"{at:>9,} steps  " + "  ".join(f"{name} {value:,.1f}" for name, value in measured[-1][1].items()), flush=True)
    return measured


def grown(measured: list[tuple[int, dict[str, float]]], steps: int) -> dict[str, float]:
    """Return by how much each process has grown beyond what is allowed, in MB."""
    warm = next(found for at, found in measured if at >= WARM * steps)
    last = measured[-1][1]
    return {what: round(last[what] - warm[what], 1) for what in PLACES if last[what] > warm[what] * (1 + SHARE) + SLACK / 1e6}


def main() -> int:
    """Soak one run, print what came of it, and say whether it stayed flat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=50_000)
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="workbench-soak-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    run = Tortured(folder, 0, interval="1min")
    began = time.monotonic()
    measured = soak(run, given.steps, given.looks)
    found = {"steps": measured[-1][0], "seconds": round(time.monotonic() - began)}
    began = time.monotonic()
    code = run.stop()
    found |= {
        "exit code": code,
        "seconds to the report": round(time.monotonic() - began, 1),
        "notebook at the end, kB": measure(run)["notebook"],
    }
    began = time.monotonic()
    run.start()
    run.wait_for_progress(600.0)
    found |= {"seconds to the first step after a restart": round(time.monotonic() - began, 1), "restarted": measure(run)}
    run.stop()
    too_much = grown(measured, given.steps)
    print(json.dumps(found | {"grown, MB": too_much}, indent=2))
    print(f"grew: see {folder}" if too_much or code else "flat")
    return 1 if too_much or code else 0


if __name__ == "__main__":
    sys.exit(main())
