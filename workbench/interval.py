"""Bar intervals: how they are written and how long they are."""

from __future__ import annotations

import re

from workbench.errors import DataError

__all__ = ["DAY", "canonical", "nanoseconds"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
UNITS = {"s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND, "D": DAY}
SPELT = {"m": "min", "min": "min", "t": "min", "h": "h", "H": "h", "d": "D", "D": "D", "s": "s", "S": "s"}


def canonical(interval: str) -> str:
    """Return an interval in the one way we write it: in the longest unit that it is a whole number of.

    Examples
    --------
    >>> canonical("5m"), canonical("1d"), canonical("60min")
    ('5min', '1D', '1h')
    """
    length = nanoseconds(interval)
    unit = max((name for name in UNITS if length % UNITS[name] == 0), key=UNITS.__getitem__)
    return f"{length // UNITS[unit]}{unit}"


def nanoseconds(interval: str) -> int:
    """Return the length of an interval in nanoseconds.

    Examples
    --------
    >>> nanoseconds("1min")
    60000000000
    """
    match = re.fullmatch(r"\s*(\d*)\s*([A-Za-z]+)\s*", interval) if isinstance(interval, str) else None
    unit = SPELT.get(match[2]) if match else None
    if match is None or unit is None or (match[1] and not int(match[1])):
        raise DataError(f"interval must look like '1min', '5min', '1h' or '1D' (a week is '7D'), got {interval!r}")
    return int(match[1] or 1) * UNITS[unit]
