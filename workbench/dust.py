"""What purchases leave below a step, where their fee is taken from what was bought (SEMANTICS 29).

Kept exactly, as fractions: a position is whole steps, and what is left below one is its dust - worth money, neither traded nor
counted as a position, until later purchases make a whole step of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["Dust"]


class Dust:
    """The dust of an account, by column.

    Examples
    --------
    >>> dust = Dust()
    >>> dust.bought(0, 100, 0.1, (1.0, 1.0)), dust.quantity(0)
    (99, 0.9)
    >>> dust.bought(0, 100, 0.1, (1.0, 1.0)), dust.quantity(0)
    (100, 0.8)
    """

    __slots__ = ("_left", "any")

    def __init__(self) -> None:
        self._left: dict[int, Fraction] = {}
        #: Whether there ever was any: what a step without it looks at.
        self.any = False

    def bought(self, j: int, lots: int, withheld: float, step: tuple[float, float]) -> int:
        """Return by how many steps a purchase makes a position larger, and keep the rest.

        Parameters
        ----------
        j : int
            The column.
        lots : int
            The steps that were bought.
        withheld : float
            What of it the venue took as its fee, as a quantity.
        step : tuple of float
            Numerator and power of ten of a step (`workbench.grid.fraction`).
        """
        self.any, size = True, Fraction(step[0]) / Fraction(step[1])
        whole, self._left[j] = divmod(lots * size - Fraction(repr(withheld)) + self._left.get(j, 0), size)
        return int(whole)

    def __copy__(self) -> Dust:
        """Return the same dust, which goes its own way."""
        other = Dust()
        other._left, other.any = dict(self._left), self.any
        return other

    def split(self, j: int, ratio: Fraction) -> None:
        """Make `ratio` of each unit."""
        if j in self._left:
            self._left[j] *= ratio

    def __contains__(self, j: int) -> bool:
        """Whether a column has any: one that never traded may have no price yet."""
        return j in self._left

    def quantity(self, j: int) -> float:
        """Return the dust of a column, as a quantity."""
        return float(self._left.get(j, 0))

    def worth(self, j: int, price: float, unit: float) -> float:
        """Return what the dust of a column is worth in account currency (`unit`: multiplier x rate)."""
        return (self.quantity(j) * price) * unit

    def all_worth(self, price: Sequence[float], unit: Sequence[float]) -> float:
        """Return what all dust is worth at prices by column."""
        total = 0.0
        for j in self._left:
            total = total + self.worth(j, price[j], unit[j])
        return total
