"""How much more a limit on a sum leaves: plain scalars that the kernel compiles."""

from __future__ import annotations

__all__ = ["TOLERANCE", "UNLIMITED", "gross_room", "group_room"]

#: Relative room for float arithmetic when a measure is compared with its limit (SEMANTICS 20).
TOLERANCE = 1e-9
#: What is left where nothing is limited.
UNLIMITED = 1e300


def gross_room(most: float, top: float, each: float, side: float, high: float, low: float) -> float:
    """Return the quantity that a gross limit leaves when the other instruments have used so much of it (`top`)."""
    reached = high if side > 0 else -low
    opposite = -low if side > 0 else high
    # of the limit, not of what is left of it: where little is left, rounding alone is more than a billionth of that
    if not top + opposite * each <= most * (1.0 + TOLERANCE):
        return 0.0
    return UNLIMITED if each == 0.0 else (most - top) / each - reached


def group_room(most: float, top: float, bottom: float, move: float) -> float:
    """Return the quantity that one group leaves; a breached group lets only through what reduces it (SEMANTICS 21)."""
    over = not top <= most * (1.0 + TOLERANCE)
    under = not -bottom <= most * (1.0 + TOLERANCE)
    if (over and not move < 0.0) or (under and not move > 0.0):
        return 0.0
    if move > 0.0:
        return (most - top) / move
    if move < 0.0:
        return (most + bottom) / -move
    return UNLIMITED if move == 0.0 else 0.0
