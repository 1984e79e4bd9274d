"""The exits of a strategy together: what they are at each bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from workbench.alignment import aligned, blockwise
from workbench.bars import Bars
from workbench.errors import StrategyError, did_you_mean
from workbench.exits._base import Exit

__all__ = ["Distances", "distance_of", "distances", "require_fitting"]


class Distances(NamedTuple):
    """Arrays of shape (T, N), each None where a strategy has no such exit; NaN where a distance is not known.

    `stop` is the nearest of all stops, where a trailing one begins among them; `time` counts bars.
    """

    stop: np.ndarray | None
    target: np.ndarray | None
    trail: np.ndarray | None
    even: np.ndarray | None
    time: np.ndarray | None


KINDS = Distances._fields


def require_fitting(exits: Sequence[Exit]) -> bool:
    """Refuse exits that do not fit together; return whether there is a stop among them."""
    for part in exits:
        if part.kind not in KINDS:
            said = f"{type(part).__name__}.kind must be {', '.join(KINDS[:-1])} or {KINDS[-1]}"
            raise StrategyError(f"{said}, got {part.kind!r}{did_you_mean(str(part.kind), KINDS)}")
    stops = any(part.kind in ("stop", "trail") for part in exits)
    for part in exits:
        if not stops and (part.kind == "even" or part.times_risk is not None):
            needs = "moves a stop" if part.kind == "even" else "as a multiple of the risk needs a stop"
            also = ", or give it a distance of its own" if part.kind != "even" else ""
            raise StrategyError(f"{type(part).__name__} {needs}, and this strategy has none: add exits=[wb.exits.AtrStop()]{also}")
    for kind in ("trail", "even"):
        several = [type(part).__name__ for part in exits if part.kind == kind]
        if len(several) > 1:
            raise StrategyError(f"a strategy takes one exit that moves its stop in this way, got {' and '.join(several)}")
    return stops


def distances(exits: Sequence[Exit], bars: Bars) -> Distances:
    """Return what the exits are at every bar: the nearest of each kind; NaN where any is not known, so that nothing opens without it."""
    own = [(part, distance_of(part, bars)) for part in exits if part.times_risk is None]
    trail = _nearest([found for part, found in own if part.kind == "trail"])
    stop = _nearest([found for part, found in own if part.kind in ("stop", "trail")])
    of_risk = [(part, distance_of(part, bars, stop)) for part in exits if part.times_risk is not None]
    target, even, time = (_nearest([found for part, found in own + of_risk if part.kind == kind]) for kind in ("target", "even", "time"))
    return Distances(stop, target, trail, even, time)


def distance_of(part: Exit, bars: Bars, stop: np.ndarray | None = None) -> np.ndarray:
    """Return one exit's distances; NaN where they are not known, laid out over blocks without holes."""
    if part.times_risk is not None:
        return np.full(bars.shape, np.nan) if stop is None else stop * part.times_risk
    who = f"{type(part).__name__}.distance"
    return blockwise(bars, lambda block: aligned(part.distance(block), block, who, "a distance in price units"))


def _nearest(found: list[np.ndarray]) -> np.ndarray | None:
    """Return the smallest; NaN where any is not known."""
    if not found:
        return None
    nearest = found[0]
    for other in found[1:]:
        nearest = np.minimum(nearest, other)
    return nearest
