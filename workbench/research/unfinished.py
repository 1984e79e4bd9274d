"""A file that keeps what is done of many backtests, so that an interruption costs no more than what was under way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.errors import ParameterError
from workbench.research.parallel import Outcome, Task
from workbench.research.result import fingerprint_of, fingerprint_of_values
from workbench.research.validation.trial import Trial

__all__ = ["Unfinished"]


class Unfinished:
    """The outcomes that a file remembers: a line that says of what they are, then one for each.

    A candidate is known by its parameters, and by the code of parts that do not come with the workbench; a torn last line is done again.

    Parameters
    ----------
    path : Path
    task : Task
    candidates : sequence of mapping

    Raises
    ------
    ParameterError
        The file is of another strategy, other bars or another account; or of a sweep with a study where this one has none.
    """

    def __init__(self, path: Path, task: Task, candidates: Sequence[Mapping[str, Any]]) -> None:
        self._path = path
        self._keys = [fingerprint_of_values(values, task.setup.strategy) for values in candidates]
        self.done: dict[int, Outcome] = {}
        of = _of(task)
        if path.is_file() and path.stat().st_size:
            self._read(of)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"of": of}) + "\n", encoding="utf-8")

    def _read(self, of: str) -> None:
        first, *lines = self._path.read_bytes().split(b"\n")
        if _parsed(first).get("of") != of:
            raise ParameterError(
                f"{self._path} keeps a sweep of another strategy, other bars, another account or another version, "
                "or one with a study where this has none (or the other way round); name another file"
            )
        known = {one["key"]: one for one in map(_parsed, lines[:-1]) if one}
        self.done = {k: _outcome(known[key]) for k, key in enumerate(self._keys) if key in known}
        if lines and lines[-1]:  # torn: what follows must begin a line of its own
            with self._path.open("ab") as file:
                file.write(b"\n")

    def add(self, number: int, outcome: Outcome) -> None:
        """Keep an outcome."""
        trial = None if outcome.trial is None else asdict(outcome.trial)
        line = {"key": self._keys[number], "figures": outcome.figures, "refused": outcome.refused, "trial": trial}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _of(task: Task) -> str:
    """Return the hash of all that the candidates share."""
    whole = fingerprint_of(task.setup) | {"trials": str(task.with_trials)}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _outcome(line: Mapping[str, Any]) -> Outcome:
    trial = None if line["trial"] is None else Trial(**line["trial"])
    return Outcome(line["figures"], line["refused"], trial)
