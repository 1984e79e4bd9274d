"""Taking times on a machine that others use too: turn by turn, medians and bests."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Disagreement", "Line", "Taken", "agree", "in_turn"]

ROUNDS = 5


class Disagreement(Exception):
    """Two engines gave different results for the same rule: their speeds are not compared."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of the same call, round by round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """The least: what the machine can do when nobody disturbs."""
        return min(self.seconds)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table.

    Parameters
    ----------
    part, what, who : str
        Section, what is measured, and whose it is.
    median, best : float
        In `unit`.
    target : str, default ""
        What is asked of it.
    met : bool, optional
        Whether the median meets it.
    note : str, default ""
    """

    part: str
    what: str
    who: str
    median: float
    best: float
    unit: str
    target: str = ""
    met: bool | None = None
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the line as plain values."""
        return asdict(self)


def in_turn(calls: Mapping[str, Callable[[], object]], rounds: int = ROUNDS, uncounted: int = 1) -> dict[str, Taken]:
    """Time each call once a round, so that a busy moment strikes all of them; a first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + uncounted):
        for name, call in calls.items():
            gc.collect()
            start = time.perf_counter()
            kept = call()
            spent = time.perf_counter() - start
            del kept
            if number >= uncounted:
                taken[name].append(spent)
    return {name: Taken(tuple(seconds)) for name, seconds in taken.items()}


def agree(what: str, got: tuple[float, ...], wanted: tuple[float, ...], tolerance: float = 1e-9) -> None:
    """Refuse to go on where two results differ by more than a share of the wanted one."""
    if len(got) != len(wanted) or any(abs(a - b) > tolerance * max(1.0, abs(b)) for a, b in zip(got, wanted, strict=True)):
        raise Disagreement(f"{what}: got {got}, expected {wanted}")
