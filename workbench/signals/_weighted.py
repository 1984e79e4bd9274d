"""A vote in which voters have weights (SEMANTICS 40)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.errors import ParameterError
from workbench.signals._breakout import Breakout
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._votes import Votes

__all__ = ["Weighted"]

#: Sums of weights nearer than this are equal (SEMANTICS 6).
TIE = 1e-9


class Weighted(Votes):
    """The weighted mean of the held opinions of those who vote; NaN while less than half of the weight votes.

    Opinions count with their conviction. A mean within 1e-9 of 0 is 0, and a 0 closes what is open.

    Parameters
    ----------
    signals : sequence of SignalGenerator
        The voters, at least two.
    weights : sequence of float
        One positive number a voter; only their proportions matter.
    hold : int, optional
        For how many bars an opinion is held; without it, for good.

    Examples
    --------
    >>> Weighted([MovingAverageCross(), Breakout()], [2, 1]).lookback
    50
    """

    weights: Sequence[float]

    @classmethod
    def example(cls) -> Weighted:
        """Return a vote of three trend rules, the slowest of which counts double."""
        return cls([MovingAverageCross(5, 20), MovingAverageCross(10, 50), Breakout(20)], [1.0, 2.0, 1.0])

    def check(self) -> None:
        """Refuse what every vote refuses, and weights that are not one positive number a voter."""
        super().check()
        if len(self.weights) != len(self.signals):
            raise ParameterError(f"Weighted: expected one weight a signal, got {len(self.weights)} weights for {len(self.signals)} signals")
        for weight in self.weights:
            if not 0 < weight < float("inf"):
                raise ParameterError(f"Weighted: a weight must be a positive number, got {weight!r}")

    def count(self, opinions: np.ndarray) -> np.ndarray:
        """Return the weighted mean of those who vote, NaN where they have less than half of the weight."""
        shares = np.asarray(self.weights, float)[:, None, None] / sum(self.weights)
        voting = np.where(np.isnan(opinions), 0.0, shares).sum(axis=0)
        mean = np.where(np.isnan(opinions), 0.0, shares * opinions).sum(axis=0) / np.where(voting > 0, voting, 1.0)
        mean = np.where(np.abs(mean) <= TIE, 0.0, mean.clip(-1.0, 1.0))
        return np.where(voting < 0.5 * (1 - TIE), np.nan, mean)
