"""When and at what price an order fills within a bar (SEMANTICS 23-25).

Plain scalars, the same in the research kernel and in the paper venue. `side` is +1 for a buy, -1 for a sell; for the
protective orders `held` is +1 for a long position, -1 for a short one.
"""

from __future__ import annotations

from workbench.grid import round_away
from workbench.interval import DAY

__all__ = [
    "best_price",
    "even_level",
    "limit_at_open",
    "limit_inside",
    "limit_price",
    "nearer",
    "stop_at_open",
    "stop_inside",
    "stop_level",
    "target_level",
    "too_old",
    "trailed_level",
]

#: An opening lives this many intervals (daily bars: sessions) without a bar of its instrument (SEMANTICS 27).
MOST_INTERVALS, MOST_SESSIONS = 5, 3
SMALLEST = 1e-9


def limit_price(side: float, close: float, offset: float, number: float, power: float) -> float:
    """Return the price of a limit entry: better than the close by a share of it, rounded away from the market."""
    return round_away(close * (1.0 - side * offset), side, number, power)


def limit_at_open(side: float, limit: float, first: float) -> bool:
    """Whether the bar opens beyond a limit: it then fills at the open."""
    return side * (limit - first) > 0.0


def limit_inside(side: float, limit: float, high: float, low: float) -> bool:
    """Whether a limit was traded strictly through: it then fills at its own price."""
    return low < limit if side > 0 else high > limit


def stop_at_open(held: float, stop: float, first: float) -> bool:
    """Whether the bar opens at or beyond a protective stop: it then fills at the open."""
    return held * (stop - first) >= 0.0


def stop_inside(held: float, stop: float, high: float, low: float) -> bool:
    """Whether a protective stop was touched."""
    return low <= stop if held > 0 else high >= stop


def stop_level(held: float, filled: float, distance: float, number: float, power: float) -> float:
    """Return the stop's price: the distance from the fill, rounded away from the market."""
    level = round_away(filled - held * distance, held, number, power)
    return level if level > 0.0 else max(number / power, SMALLEST)


def best_price(held: float, best: float, reached: float) -> float:
    """Return the best price that a position has seen."""
    return max(best, reached) if held > 0 else min(best, reached)


def trailed_level(held: float, best: float, distance: float, number: float, power: float) -> float:
    """Return a trailing stop's price: the distance from the best price, rounded away from the market."""
    return stop_level(held, best, distance, number, power)


def even_level(held: float, filled: float, plus: float, number: float, power: float) -> float:
    """Return the price of a stop that was moved to the entry: so large a share of it beyond, rounded away from the market."""
    return round_away(filled * (1.0 + held * plus), held, number, power)


def nearer(held: float, stop: float, level: float) -> float:
    """Return which of two stops lies nearer to the market: a stop never goes back."""
    return max(stop, level) if held > 0 else min(stop, level)


def target_level(held: float, filled: float, distance: float, number: float, power: float) -> float:
    """Return the target's price: the distance from the fill, rounded away from the market."""
    level = round_away(filled + held * distance, -held, number, power)
    return level if level > 0.0 else max(number / power, SMALLEST)


def too_old(waited: int, interval: int) -> bool:
    """Whether an opening has expired after so many intervals, or sessions of daily bars, since its last bar."""
    return waited > (MOST_SESSIONS if interval == DAY else MOST_INTERVALS)
