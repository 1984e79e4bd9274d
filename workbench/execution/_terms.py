"""What a paper venue may be told of itself: read once, and refused in words where it is none."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from workbench.errors import ParameterError, did_you_mean
from workbench.execution.port import EVERYTHING
from workbench.numeric import number

__all__ = ["by_symbol", "finite", "halts_of", "supported"]


def finite(given: Any, name: str, what: str) -> float:
    """Return what is a finite number; refuse anything else."""
    if not math.isfinite(known := number(given)):
        raise ParameterError(f"PaperVenue: {name} is {what}, got {given!r}")
    return known


def supported(given: Collection[str]) -> frozenset[str]:
    """Return what a venue is to take; refuse what there is not."""
    if isinstance(given, str) or not isinstance(given, Collection):
        raise ParameterError(f"PaperVenue: supports is a list of what it takes, ['market', 'stop', ...], got {given!r}")
    for name in given:
        if not isinstance(name, str) or name not in EVERYTHING:
            raise ParameterError(f"PaperVenue: no venue takes {name!r} orders{did_you_mean(str(name), EVERYTHING)}")
    return frozenset({*given, "reduce_only"})


def by_symbol(given: Any, what: str) -> Mapping[str, Any]:
    """Refuse what is not given by symbol."""
    if not isinstance(given, Mapping):
        raise ParameterError(f"PaperVenue: {what} are given by symbol, {{'ABC': ...}}, got {type(given).__name__}")
    return given


def halts_of(given: Any) -> dict[str, list[tuple[int, int]]]:
    """Return the halts of each symbol in nanoseconds."""
    found: dict[str, list[tuple[int, int]]] = {}
    for symbol, halts in by_symbol(given, "halts").items():
        if not isinstance(halts, Sequence) or not all(
            isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2 for one in halts
        ):
            raise ParameterError(f"PaperVenue: the halts of {symbol} are a list of (start, end), got {halts!r}")
        found[symbol] = merged(halt_of(symbol, *one) for one in halts)
    return found


def merged(halts: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return halts in order; those that touch are one.

    Examples
    --------
    >>> merged([(5, 7), (1, 3), (3, 4)])
    [(1, 4), (5, 7)]
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted(halts):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def halt_of(symbol: str, start: Any, end: Any) -> tuple[int, int]:
    """Return the first and the last moment of a halt in nanoseconds."""
    import pandas as pd

    try:
        moments = [pd.Timestamp(one) for one in (start, end)]
        first, last = ((one.tz_localize("UTC") if one.tz is None else one).value for one in moments)
    except (TypeError, ValueError, OverflowError):
        first = last = 0
    if not first < last:
        raise ParameterError(f"PaperVenue: a halt of {symbol} goes from one time to a later one, got {start!r} and {end!r}")
    return first, last
