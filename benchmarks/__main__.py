"""Runs all measurements, prints one table, and writes it to `results.json` and `RESULTS.md` beside this file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import answers, cold, learning, scaling, sweeps, warm
from benchmarks.timing import Line

HERE = Path(__file__).parent
LIBRARIES = ("workbench", "numpy", "pandas", "numba", "scikit-learn", "pyarrow", "TA-Lib", "vectorbt", "vectorbt-rust", "backtesting")
HEAD = ("", "measured", "whose", "median", "best", "target", "met")


def machine() -> dict[str, Any]:
    """Return what the figures depend on; the load says how quiet the machine was."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpus": os.cpu_count(),
        "processor": processor(),
        "load before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def processor() -> str:
    """Return the processor's name, as far as the system tells."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def number(value: float, unit: str) -> str:
    """Return a figure with its unit, at a precision that a person reads."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits + (value < 1)}f} {unit}"


def cells(line: Line) -> tuple[str, ...]:
    """Return a line as text."""
    met = {True: "yes", False: "NO", None: ""}[line.met]
    return line.part, line.what, line.who, number(line.median, line.unit), number(line.best, line.unit), line.target, met


def text(lines: Sequence[Line]) -> str:
    """Return an aligned table."""
    rows = [HEAD, *(cells(line) for line in lines)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def markdown(lines: Sequence[Line], said: Sequence[str], about: dict[str, Any]) -> str:
    """Return the whole page."""
    libraries = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    rows = [HEAD, ("---",) * len(HEAD), *(cells(line) for line in lines)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    notes = sorted({f"{line.who}: {line.note}" for line in lines if line.note})
    return (
        "# Measured side by side\n\n"
        f"Made by `make bench`, {about['date']}: {about['cpus']} CPUs ({about['processor']}), load {about['load before']} before the "
        f"start, Python {about['python']}; {libraries}.\n\n"
        "Seeded bars (`data.py`); each call is timed turn by turn with its peer's, the first round not counted. Bars objects are fresh\n"
        "each time, so nothing is remembered from the round before. vectorbt gets an index without a time zone:\n"
        "one with makes it 40 times slower.\n\n"
        f"{table}\n\n## The results agree\n\n" + "".join(f"- {one}\n" for one in [*said, *notes])
    )


def main() -> None:
    """Measure everything: the cold start first, while this process is still small."""
    about = machine()
    print("benchmarks: cold start ...", flush=True)
    lines = cold.measure()
    minutes, part, days = warm.frames()
    said = answers.shared_answers()
    print("benchmarks: kernel and whole calls ...", flush=True)
    lines += warm.kernel(minutes)
    whole, compared = warm.whole_calls(minutes)
    print("benchmarks: replay and many symbols ...", flush=True)
    replayed, replay_said = warm.replay(part)
    spread, spread_said = warm.daily(days)
    print("benchmarks: sweeps (vectorbt's alone takes most of a minute) ...", flush=True)
    swept, sweep_said = sweeps.pairs()
    print("benchmarks: machine learning and growth ...", flush=True)
    learnt, learning_said = learning.walk_forward()
    grown, scaling_said = scaling.measure()
    lines = [*lines, *whole, *replayed, *spread, *swept, *sweeps.own_signal(), *learnt, *grown]
    said = [*compared, replay_said, spread_said, sweep_said, *learning_said, scaling_said, *said]
    print("\n".join(["", text(lines), "", "The results agree:", *(f"- {one}" for one in said)]))
    report = {"machine": about, "lines": [line.to_dict() for line in lines], "agreement": said}
    (HERE / "results.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (HERE / "RESULTS.md").write_text(markdown(lines, said, about), encoding="utf-8")


if __name__ == "__main__":
    main()
