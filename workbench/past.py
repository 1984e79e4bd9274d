"""What an account remembers, and limits and sizers ask for: its best equity, its day, its closed trades (SEMANTICS 16, 32).

One list of plain numbers, kept by the research kernel and by the Session through the functions of this file.
"""

from __future__ import annotations

import math

__all__ = ["CLOSED", "DAY", "GAINED", "LOST", "LOST_AT", "NOW", "OPENED", "PAST", "STREAK", "WON", "count_trade", "empty_past"]

#: The places: the step that is decided; how many trades have closed, how many of them won, what winners gained and losers lost in sum
#: (shares of what was put in); how many lost in a row, and the step of the last loss; the day, and the openings sent in it.
NOW, CLOSED, WON, GAINED, LOST, STREAK, LOST_AT, DAY, OPENED = range(9)
#: How many places there are.
PAST = 16


def empty_past() -> list[float]:
    """Return the memory of an account that has not traded."""
    past = [0.0] * PAST
    past[NOW] = past[LOST_AT] = past[DAY] = -math.inf
    return past


def count_trade(past: list[float], gain: float) -> None:
    """Count a trade that has closed; `gain` is its profit after costs as a share of what was put in."""
    past[CLOSED] = past[CLOSED] + 1.0
    if gain > 0.0:
        past[WON] = past[WON] + 1.0
        past[GAINED] = past[GAINED] + gain
        past[STREAK] = 0.0
    else:
        past[LOST] = past[LOST] - gain
        past[STREAK] = past[STREAK] + 1.0
        past[LOST_AT] = past[NOW]
