"""Decisions of limits on losses made again in numpy, one by one: how much the book as it was then may take of an opening.

Nothing is shared with the package but the record of a run: which instruments were held, and what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import workbench as wb

__all__ = ["Asked", "asked_in", "largest", "rooms"]

CONFIDENCE = 0.95
PART = 1.0 - CONFIDENCE
#: The normal quantile of that part, and the mean beyond it in deviations.
QUANTILE = -1.6448536269514722
BEYOND = math.exp(-0.5 * QUANTILE * QUANTILE) / math.sqrt(2.0 * math.pi) / PART
#: How close to a limit counts as on it.
TINY = 1e-12

Room = Callable[[np.ndarray, np.ndarray, float], float]


class Asked(NamedTuple):
    """One opening that a limit was asked about.

    Parameters
    ----------
    t, j : int
    side, asked, allowed, equity : float
        `allowed` is what the limit left of it in the run.
    held : ndarray of shape (N,)
        Signed quantities at the decision: what turned in the step is closed, what was decided before is open.
    """

    t: int
    j: int
    side: float
    asked: float
    allowed: float
    equity: float
    held: np.ndarray


def asked_in(result: wb.Backtest, steps: Sequence[int]) -> Iterator[Asked]:
    """Yield the openings asked for in some steps, in their order."""
    rows, held, wanted = result.record.decisions, np.zeros(len(result.bars.symbols)), set(steps)
    size = np.array([instrument.quantity_step for instrument in result.bars.instruments], dtype=float)
    for of_step in np.split(rows, np.flatnonzero(np.diff(rows["t"])) + 1):
        held[of_step["j"]] = 0.0
        for row in of_step:
            side, j = float(np.sign(row["stance"])), int(row["j"])
            if row["asked"] > 0.0 and int(row["t"]) in wanted:
                yield Asked(int(row["t"]), j, side, float(row["asked"]), float(row["after"][0]), float(row["equity"]), held.copy())
            held[j] = side * row["lots"] * size[j]


def rooms(asked: Sequence[Asked], close: np.ndarray, window: int, limit: float, room: Room) -> np.ndarray:
    """Return the quantity that a limit, a share of equity, leaves of each opening; closes of shape (T, N), none missing."""
    returns = close[1:] / close[:-1] - 1.0
    found = np.empty(len(asked))
    for k, one in enumerate(asked):
        last = returns[one.t - window : one.t]
        own = np.flatnonzero(one.held)
        book = last[:, own] @ (one.held[own] * close[one.t, own])
        more = last[:, one.j] * (one.side * close[one.t, one.j])
        found[k] = min(max(room(book, more, limit * one.equity), 0.0), one.asked)
    return found


def largest(part: Any) -> Room:
    """Return the function that finds how much keeps a book within a limit, by what the limit measures."""
    short = isinstance(part, wb.risk.ExpectedShortfall)
    if part.method == "gaussian":
        times = BEYOND if short else -QUANTILE
        return lambda book, more, limit: gaussian_room(book, more, limit, times)
    return shortfall_room if short else quantile_room


def gaussian_room(book: np.ndarray, more: np.ndarray, limit: float, times: float) -> float:
    """Return the size at which ``times x deviation - mean`` comes to the limit: the root of a square."""
    mean, slope = book.mean(), more.mean()
    a, b = book - mean, more - slope
    square, cross, bend = (float(np.mean(part)) for part in (a * a, a * b, b * b))
    most = max(limit, times * math.sqrt(square) - mean) + mean
    two, one = times * times * bend - slope * slope, times * times * cross - most * slope
    none = min(times * times * square - most * most, 0.0)
    root = math.sqrt(max(one * one - two * none, 0.0))
    return float((root - one) / two if one < 0.0 else -none / (root + one))


def shortfall_room(book: np.ndarray, more: np.ndarray, limit: float) -> float:
    """Return the size up to which the mean of the worst steps stays within the limit, by Newton's method from where it is too large."""
    tail = math.floor((len(book) - 1) * PART) + 1
    worst = np.argpartition(book, tail - 1)[:tail]
    most = max(limit, -float(book[worst].mean()))
    worst = np.argpartition(more, tail - 1)[:tail]
    for _ in range(100):
        level, slope = float(book[worst].mean()), float(more[worst].mean())
        if not slope < 0.0:
            return math.inf
        x = (-most - level) / slope
        if not x > 0.0:
            return 0.0
        worst = np.argpartition(book + x * more, tail - 1)[:tail]
        if -float((book + x * more)[worst].mean()) <= most * (1.0 + TINY):
            return x
    return x


def quantile_room(book: np.ndarray, more: np.ndarray, limit: float) -> float:
    """Return the first size at which the interpolated quantile falls below the limit.

    Every step is a line in the size. Between two sizes at which any of them crosses the limit, so many are below it; where that is one
    more than the rank, the quantile lies between the best of them and the worst of the others.
    """
    place = (len(book) - 1) * PART
    rank, share = math.floor(place), place - math.floor(place)
    floor = min(-limit, float(np.quantile(book, PART)))
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = (floor - book) / more
    ends = np.concatenate([[0.0], np.sort(crossings[(crossings > 0.0) & np.isfinite(crossings)]), [math.inf]])
    middles = np.append(0.5 * (ends[:-2] + ends[1:-1]), 2.0 * ends[-2] + 1.0)
    below = np.searchsorted(np.sort(crossings[more < 0.0]), middles) + np.sum(crossings[more > 0.0][:, None] > middles, axis=0)
    below += np.sum((more == 0.0) & (book < floor))
    for k in np.flatnonzero(below > rank):
        x, end = float(ends[k]), float(ends[k + 1])
        found = x if below[k] > rank + 1 else between(book, more, book + middles[k] * more < floor, x, end, share, floor)
        if found < end:
            return found
    return math.inf


def between(book: np.ndarray, more: np.ndarray, under: np.ndarray, x: float, end: float, share: float, floor: float) -> float:
    """Return where the interpolation between the best line below and the worst above comes to the floor, or where that stretch ends."""
    made = book + x * more
    top, bottom = int(np.argmax(np.where(under, made, -math.inf))), int(np.argmin(np.where(under, math.inf, made)))
    while True:
        level, slope = ((1.0 - share) * part[top] + share * part[bottom] for part in (book, more))
        other = np.where(under, top, bottom)
        steeper = more - more[other]
        with np.errstate(divide="ignore", invalid="ignore"):
            meet = np.where(np.where(under, steeper > 0.0, steeper < 0.0), (book[other] - book) / steeper, math.inf)
        meet[~(meet >= x)] = math.inf
        taker = int(np.argmin(meet))
        fallen = max((floor - level) / slope, x) if slope < 0.0 else math.inf
        if min(fallen, end) <= meet[taker]:
            return min(float(fallen), end)
        x = float(meet[taker])
        top, bottom = (taker, bottom) if under[taker] else (top, taker)
