"""Runs all measurements, prints them, and writes them to `results.json` and `RESULTS.md` beside this file.

``python -m benchmarks limits`` measures a part alone (or several); the figures of the others stay, each with the day it was measured.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import answers, cold, learning, limits, live, scaling, sweeps, warm
from benchmarks.timing import Line

Measured = tuple[list[Line], list[str]]

HERE = Path(__file__).parent
REPORT, PAGE = HERE / "results.json", HERE / "RESULTS.md"
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


def markdown(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the whole page: a part after the other, each with when and where it was measured."""
    head = (
        "# Measured side by side\n\nMade by `make bench`, or a part alone by `python -m benchmarks PART`.\n"
        "Seeded bars (`data.py`); each call is timed turn by turn with its peer's, the first round not counted. Bars objects are fresh\n"
        "each time, so nothing is remembered from the round before. vectorbt gets an index without a time zone:\n"
        "one with makes it 40 times slower.\n"
    )
    return head + "".join(f"\n{section(name, parts[name])}" for name in PARTS if name in parts)


def section(name: str, part: Mapping[str, Any]) -> str:
    """Return what the page says of a part."""
    lines, about = [Line(**line) for line in part["lines"]], part["machine"]
    libraries = ", ".join(f"{library} {number}" for library, number in about["versions"].items())
    where = (
        f"{about['cpus']} CPUs ({about['processor']}), load {about['load before']} before the start, Python {about['python']}; {libraries}"
    )
    rows = [HEAD, ("---",) * len(HEAD), *(cells(line) for line in lines)] if lines else []
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    said = [*part["agreement"], *sorted({f"{line.who}: {line.note}" for line in lines if line.note})]
    title = PARTS[name][0]
    return f"## {title[0].upper()}{title[1:]}\n\n{about['date']}: {where}.\n\n" + "\n".join(
        filter(None, [table, "".join(f"- {one}\n" for one in said)])
    )


frames = cache(warm.frames)


def _kernel() -> Measured:
    minutes, _ = frames()
    lines = warm.kernel(minutes)
    whole, said = warm.whole_calls(minutes)
    return [*lines, *whole], said


def _replay() -> Measured:
    return warm.replay(*frames())


def _symbols() -> Measured:
    lines, said = warm.daily(frames()[1])
    return lines, [said]


def _limits() -> Measured:
    minutes, days = frames()
    return limits.measure(minutes, days)


def _live() -> Measured:
    lines, said = live.measure()
    more, also = live.day()
    return [*lines, *more], [*said, *also]


def _sweep() -> Measured:
    lines, said = sweeps.pairs()
    return [*lines, *sweeps.own_signal()], [said]


def _scaling() -> Measured:
    lines, said = scaling.measure()
    return lines, [said]


#: The parts by name, in the order in which they are measured: the cold start first, while this process is still small.
PARTS: dict[str, tuple[str, Callable[[], Measured]]] = {
    "cold": ("cold start", lambda: (cold.measure(), [])),
    "answers": ("the exact answers of the extra data", lambda: ([], answers.shared_answers())),
    "kernel": ("kernel and whole calls", _kernel),
    "replay": ("replay", _replay),
    "symbols": ("many symbols", _symbols),
    "limits": ("limits, and losses of a large book", _limits),
    "live": ("live steps, and a day through the session", _live),
    "sweep": ("sweeps (vectorbt's alone takes most of a minute)", _sweep),
    "learning": ("machine learning", learning.walk_forward),
    "scaling": ("growth", _scaling),
}


def main(names: Sequence[str] = ()) -> None:
    """Measure all parts, or those that are named, and write what came out beside what is known of the others."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"benchmarks: no part is named {unknown[0]!r}; there are {', '.join(PARTS)}")
    report = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
    for name in names or PARTS:
        what, measure = PARTS[name]
        print(f"benchmarks: {what} ...", flush=True)
        about = machine()
        lines, said = measure()
        print("\n".join(["", text(lines), "", "The results agree:", *(f"- {one}" for one in said), ""]))
        report[name] = {"machine": about, "lines": [line.to_dict() for line in lines], "agreement": said}
    REPORT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(markdown(report), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
