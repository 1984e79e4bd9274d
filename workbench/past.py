"""What an account remembers, and limits and sizers ask for: its best equity, its day, its closed trades (SEMANTICS 16, 32).

One list of plain numbers, kept by the research kernel and by the Session through the functions of this file.
"""

from __future__ import annotations

import math
from array import array
from typing import Any, NamedTuple

__all__ = ["PAST", "History", "count_trade", "empty_memory", "empty_past", "no_history", "remember"]

#: The places: the step that is decided; how many trades have closed, how many of them won, what winners gained and losers lost in sum
#: (shares of what was put in); how many lost in a row, and the step of the last loss.
NOW, CLOSED, WON, GAINED, LOST, STREAK, LOST_AT = range(7)
#: The day, equity when it began and lowest since, the openings sent in it; the newest equity; the highest one since the beginning, or
#: since the limit on the fall from it was armed again; the step at which that fall went beyond the limit, -1 while it has not.
#: Which column of a history is the newest.
DAY, DAY_EQUITY, DAY_LOW, OPENED, EQUITY, PEAK, HALTED, AT = range(7, 15)
#: How many places there are.
PAST = 16
#: Relative room for float arithmetic when a fall is compared with its limit (SEMANTICS 20).
TOLERANCE = 1e-9


class History(NamedTuple):
    """What a limit may look back at.

    Parameters
    ----------
    past : list of float
        What the account remembers, under the names of this file.
    series : list of float
        Rows of numbers, one a step, that the limits ask for (`RiskManager.series`), one after the other.
    days : list of int
        The number of each step's day.
    memory : list of float
        Room to reckon in.
    """

    past: Any
    series: Any
    days: Any
    memory: Any


def empty_memory(places: int) -> memoryview:
    """Return so many numbers to reckon in, all 0: parts of it are cut out without a copy, as they are of an array."""
    return memoryview(array("d", bytes(8 * places)))


def no_history(past: Any) -> History:
    """Return what an account remembers, with nothing else to look back at."""
    return History(past, (0.0,), (0,), [0.0])


def empty_past(cash: float = 0.0) -> list[float]:
    """Return the memory of an account that has not traded."""
    past = [0.0] * PAST
    past[NOW] = past[LOST_AT] = past[DAY] = -math.inf
    past[DAY_EQUITY] = past[DAY_LOW] = past[EQUITY] = past[PEAK] = cash
    past[HALTED] = -1.0
    return past


def remember(past: Any, t: int, day: int, equity: float, limit: float, rearm: int) -> None:
    """Take a closed step in.

    Parameters
    ----------
    past : list of float
    t : int
        The step.
    day : int
        The number of its day.
    equity : float
        At its close.
    limit : float
        The fall from the highest equity, as a share of it, that halts the account; 0 for none.
    rearm : int
        After how many steps a halted account may open again; 0 for never.
    """
    if day != past[DAY]:
        past[DAY] = day
        past[DAY_EQUITY] = past[EQUITY]
        past[DAY_LOW] = past[EQUITY]
        past[OPENED] = 0.0
    past[EQUITY] = equity
    if equity < past[DAY_LOW]:  # what is not written need not be waited for at the next step
        past[DAY_LOW] = equity
    if past[HALTED] >= 0.0 and rearm > 0 and t - past[HALTED] >= rearm:
        past[HALTED] = -1.0
        past[PEAK] = equity
    if equity > past[PEAK]:
        past[PEAK] = equity
    if limit > 0.0 and past[HALTED] < 0.0 and past[PEAK] - equity > limit * past[PEAK] * (1.0 + TOLERANCE):
        past[HALTED] = t


def count_trade(past: Any, gain: float) -> None:
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
