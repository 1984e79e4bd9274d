"""Which entry a step is: with ``entries="each"`` every step with a stance in the direction acted on is one more (SEMANTICS 11)."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.session.setup import Setup
from workbench.session.state import State

__all__ = ["Entries"]


class Entries:
    """Counts, for each instrument of a strategy, the steps since its stance last turned.

    Parameters
    ----------
    setup : Setup
    """

    def __init__(self, setup: Setup) -> None:
        layout, n = setup.layout, len(setup.market.instruments)
        #: Which entry of its instrument a column is, from 0 on; they stand side by side.
        self.number = layout.entries(n)
        #: Whether any strategy enters more than once.
        self.several = any(entries > 1 for _, entries in layout.parts)
        self._sign = [0] * len(self.number)
        self._count = [0] * len(self.number)

    def stance(self, j: int, stance: float) -> float:
        """Return the stance of a column, given that of its strategy, which is a number: 0 before its entry has come."""
        first = j - self.number[j]
        if first == j:
            sign = (stance > 0.0) - (stance < 0.0)
            self._count[j] = self._count[j] + 1 if sign and sign == self._sign[j] else abs(sign)
            self._sign[j] = sign
        return stance if self._count[first] > self.number[j] else 0.0

    def spend(self, states: Sequence[State], short: Sequence[bool]) -> None:
        """Count the entries still to come as made: nothing more enters until the stance turns."""
        for j, number in enumerate(self.number):
            sign = self._sign[j - number]
            if sign and self._count[j - number] <= number:
                states[j].wish, states[j].acted = sign, sign if sign > 0 or short[j] else 0
        self._count = [len(self.number)] * len(self.number)
