"""Which run a panel is for: by name, by folder, or the one that is alive."""

from __future__ import annotations

import time
from pathlib import Path

from workbench.errors import RunError, did_you_mean
from workbench.journal import Beat, Journal
from workbench.live.places import JOURNAL, runs_in
from workbench.panel._watch import SILENT

__all__ = ["chosen"]

#: Where runs lie, seen from the project's folder and from its notebooks.
ROOTS = (Path("runs"), Path("../runs"))


def chosen(asked: str | Path | None) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    asked : str, Path or None
        A name, a folder, or None for the one run that is alive; where none is, the one with the newest sign of life.

    Raises
    ------
    RunError
        There is no such run, or more than one is alive and none was named.
    """
    return (_only() if asked is None else _found(Path(asked))).resolve()


def _found(asked: Path) -> Path:
    folder = asked.parent if asked.name == JOURNAL else asked
    found = next((path for path in _places(folder) if (path / JOURNAL).is_file()), None)
    if found is not None:
        return found
    if _is_bare(folder):
        raise RunError(f"no run {folder.name!r} in runs/ or ../runs/{did_you_mean(folder.name, [run.name for run in _all()])}")
    near = {str(run) for root in (folder.parent, *ROOTS) for run in runs_in(root)}
    raise RunError(f"no run in {folder}: expected its {JOURNAL}{did_you_mean(str(folder), near)}")


def _places(folder: Path) -> list[Path]:
    """Return where a run may lie: as it was written, and seen from the other of the two folders that people work in."""
    if folder.is_absolute():
        return [folder]
    if _is_bare(folder):
        return [folder, *(root / folder for root in ROOTS)]
    other = Path(*folder.parts[1:]) if folder.parts[0] == ".." else Path("..") / folder
    return [folder, other]


def _is_bare(folder: Path) -> bool:
    return len(folder.parts) == 1 and not folder.is_absolute()


def _all() -> list[Path]:
    """Return the runs of this folder and the one above it, each once."""
    return list({run.resolve(): run for root in ROOTS for run in runs_in(root)}.values())


def _only() -> Path:
    """Return the run that is alive; where none is, the one with the newest sign of life."""
    runs = _all()
    if not runs:
        raise RunError("no run was found in runs/ or ../runs/: name one, wb.ControlPanel('runs/NAME'), or start one with `workbench run`")
    beats = {run: _beats(run) for run in runs}
    alive = [run for run in runs if _is_alive(beats[run].get("session"))]
    if len(alive) > 1:  # to take either would send a press of Kill to the wrong one
        names = sorted(run.name for run in alive)
        raise RunError(f"{len(alive)} runs are alive, {', '.join(names)}: name the one that you mean, wb.ControlPanel({names[0]!r})")
    return alive[0] if alive else max(runs, key=lambda run: max((beat.time for beat in beats[run].values()), default=0))


def _beats(run: Path) -> dict[str, Beat]:
    try:
        return Journal(run / JOURNAL).beats()
    except Exception:  # a record that cannot be read is that of no run that is alive; the one that is chosen says what is wrong
        return {}


def _is_alive(beat: Beat | None) -> bool:
    return beat is not None and time.time_ns() - beat.time < SILENT * 1e9 and not beat.body.get("over")
