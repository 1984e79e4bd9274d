"""A file that keeps what is done of many backtests, so that an interruption costs no more than what was under way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from workbench.component_display import literal
from workbench.errors import ParameterError
from workbench.research.parallel import Outcome, Task
from workbench.research.result import fingerprint_of, fingerprint_of_value
from workbench.research.validation.trial import Trial
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["Unfinished"]

#: What its text says all of.
PLAIN = (bool, int, float, str, type(None))


class Unfinished:
    """The outcomes that a file remembers: a line that says of what they are, then one for each.

    A candidate is known by its parameters and the code of its own parts. A torn last line is done again, and what was not kept for
    a study where one is to count it.

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
        told: dict[int, str] = {}
        self._keys = [_key(values, task.setup.system, told) for values in candidates]
        self._with_trials = task.with_trials
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
        known = {one["key"]: one for one in map(_parsed, lines[:-1]) if self._whole(one)}
        self.done = {k: _outcome(known[key]) for k, key in enumerate(self._keys) if key in known}
        if lines and lines[-1]:  # torn: what follows must begin a line of its own
            with self._path.open("ab") as file:
                file.write(b"\n")

    def _whole(self, line: Mapping[str, Any]) -> bool:
        """Return whether a line says all that is asked for: what is counted in a study has a trial."""
        return bool(line) and not (self._with_trials and line["trial"] is None and not line["refused"])

    def add(self, number: int, outcome: Outcome) -> None:
        """Keep an outcome."""
        trial = None if outcome.trial is None else asdict(outcome.trial)
        line = {"key": self._keys[number], "figures": outcome.figures, "refused": outcome.refused, "trial": trial}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _of(task: Task) -> str:
    """Return the hash of all that the candidates share."""
    return hashlib.sha256(json.dumps(fingerprint_of(task.setup), sort_keys=True).encode()).hexdigest()


def _key(values: Mapping[str, Any], strategy: Strategy | Team, told: dict[int, str]) -> str:
    """Return what makes a candidate this one: how it is written, and hashes of values that their text does not tell apart.

    The same part stands in many candidates: `told` has what was worked out of it.
    """
    large = [value for value in values.values() if not isinstance(value, PLAIN)]
    for value in large:
        if id(value) not in told:
            told[id(value)] = fingerprint_of_value(value, strategy)
    return " ".join([literal(dict(values)), *(told[id(value)] for value in large)])


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _outcome(line: Mapping[str, Any]) -> Outcome:
    trial = None if line["trial"] is None else Trial(**line["trial"])
    return Outcome(line["figures"], line["refused"], trial)
