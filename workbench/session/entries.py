"""Which entry a step is: with ``entries="each"`` every step with a stance in the direction acted on is one more (SEMANTICS 11)."""

from __future__ import annotations

from workbench.session.setup import Setup

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
