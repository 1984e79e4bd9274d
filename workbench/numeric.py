"""What is a number: no word, no None, no True, and none too large for a float."""

from __future__ import annotations

import math
from numbers import Real

__all__ = ["is_number", "number", "positive"]


def is_number(given: object) -> bool:
    """Whether a value is a real number: True is none."""
    return isinstance(given, Real) and not isinstance(given, bool)


def number(given: object) -> float:
    """Return what was given as a float; NaN where it is no real number: None, a word, a bool, one too large for a float.

    Examples
    --------
    >>> number(2), number("2"), number(True)
    (2.0, nan, nan)
    """
    if not is_number(given):
        return math.nan
    try:
        return float(given)  # type: ignore[arg-type]
    except (OverflowError, ValueError, TypeError):
        return math.nan


def positive(given: object) -> float:
    """Return a positive finite number as a float, anything else as NaN."""
    value = number(given)
    return value if 0.0 < value < math.inf else math.nan
