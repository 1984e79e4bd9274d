"""The grids of quantities and prices: integer steps and ticks (SEMANTICS 34).

Plain scalars that the research kernel compiles and the Session calls as they stand. A step of ``0.01`` is kept as
two whole floats, ``1 / 100``: one division of whole numbers equals the decimal exactly, ``n * 0.01`` does not.
"""

from __future__ import annotations

import math
from decimal import Decimal
from functools import cache

__all__ = ["fraction", "lots_exactly", "lots_of", "on_grid", "quantity_of", "round_away", "ticks_below"]

#: Up to this many of the smallest units of a step (2 ** 52) every one of them is a float of its own.
MOST_LOTS = 4503599627370496.0


@cache
def fraction(step: float) -> tuple[float, float]:
    """Return the numerator and the power of ten of a step, as whole floats.

    Examples
    --------
    >>> fraction(0.05)
    (5.0, 100.0)
    >>> fraction(100)
    (100.0, 1.0)
    """
    _, digits, exponent = Decimal(repr(float(step))).normalize().as_tuple()
    number = int("".join(map(str, digits)))
    power = int(exponent)
    if power >= 0:
        return float(number * 10**power), 1.0
    return float(number), float(10**-power)


def lots_of(quantity: float, number: float, power: float) -> int:
    """Return how many whole steps fit into a quantity >= 0; -1 where no float could hold them.

    The tolerance gives back a step that only float arithmetic lost, and never makes 0.99 of a step a whole one.

    Examples
    --------
    >>> lots_of(0.3, 1.0, 10.0), lots_of(0.29999, 1.0, 10.0)
    (3, 2)
    """
    if not quantity * power < MOST_LOTS:
        return -1
    steps = quantity * power / number
    return math.floor(steps + max(9e-16 * steps, min(1e-9 * steps, 1e-3)))


def lots_exactly(quantity: float, number: float, power: float) -> int:
    """Return the number of steps of a quantity >= 0 that is on the grid: the inverse of `quantity_of`, without tolerance.

    Examples
    --------
    >>> lots_exactly(quantity_of(4_421_081_234_567_891, 1.0, 1e8), 1.0, 1e8)
    4421081234567891
    """
    nearest = round(quantity * power / number)
    for lots in (nearest, nearest - 1, nearest + 1):
        if quantity_of(lots, number, power) == quantity:
            return lots
    return nearest


def quantity_of(lots: float, number: float, power: float) -> float:
    """Return the quantity of so many whole steps: the float nearest to the exact decimal."""
    return lots * number / power


def on_grid(value: float, number: float, power: float) -> bool:
    """Whether a number above 0 is on a grid, to the last bit."""
    return lots_of(value, number, power) > 0 and quantity_of(lots_exactly(value, number, power), number, power) == value


def ticks_below(price: float, number: float, power: float) -> float:
    """Return the highest price on the tick grid that is not above `price`."""
    ticks = price * power / number
    if not abs(ticks) < MOST_LOTS:
        return price
    size = abs(ticks)
    return math.floor(ticks + max(9e-16 * size, min(1e-9 * size, 1e-3))) * number / power


def round_away(price: float, side: float, number: float, power: float) -> float:
    """Round a price to the grid, away from the market: down for a `side` of +1 (it lies below), up for -1.

    Without a grid (`number` 0) the price stays as it is.
    """
    if number == 0.0:
        return price
    if side > 0:
        return ticks_below(price, number, power)
    return -ticks_below(-price, number, power)
