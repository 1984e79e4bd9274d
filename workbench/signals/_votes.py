"""Several signals that vote (SEMANTICS 40)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator
from workbench.signals._breakout import Breakout
from workbench.signals._moving_average import MovingAverageCross

__all__ = ["AllAgree", "Majority", "Votes"]


def held(opinions: pd.DataFrame, bars: Bars, hold: int | None) -> np.ndarray:
    """Return opinions with each instrument's last one held over its own bars, for `hold` of them at most; shape (T, N)."""
    if bars.whole:
        return opinions.ffill(limit=hold).to_numpy()
    out = np.full(bars.shape, np.nan)
    for j, symbol in enumerate(bars.symbols):
        rows = bars.present[:, j]
        out[rows, j] = opinions.loc[rows, symbol].ffill(limit=hold)
    return out


class Votes(SignalGenerator):
    """What the combinations share: each voter's last opinion is held until it gives another.

    Parameters
    ----------
    signals : sequence of SignalGenerator
        The voters, at least two.
    hold : int, optional
        For how many bars an opinion is held; without it, for good.
    """

    signals: Sequence[SignalGenerator]
    hold: int | None = None

    @classmethod
    def example(cls) -> Votes:
        """Return a vote of three trend rules."""
        return cls([MovingAverageCross(5, 20), MovingAverageCross(10, 50), Breakout(20)])

    def check(self) -> None:
        """Refuse fewer than two voters, and a hold below one bar."""
        if len(self.signals) < 2:
            raise ParameterError(f"{type(self).__name__}: needs at least two signals to vote, got {len(self.signals)}")
        if self.hold is not None and self.hold < 1:
            raise ParameterError(f"{type(self).__name__}: hold must be at least 1 bar, got {self.hold}")

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether any voter compares instruments with each other."""
        return any(signal.cross_sectional for signal in self.signals)

    @property
    def lookback(self) -> int:
        """The largest look-back of the voters, and how long an opinion is held where that is bounded."""
        return max(signal.lookback for signal in self.signals) + (self.hold or 0)

    def votes(self, bars: Bars) -> np.ndarray:
        """Return each voter's held opinion as a sign, shape (voters, T, N); NaN where it abstains."""
        return np.sign(np.stack([held(signal.stances(bars), bars, self.hold) for signal in self.signals]))

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the outcome of the vote at each bar, shape (T, N)."""
        return pd.DataFrame(self.count(self.votes(bars)), bars.index, bars.symbols)

    @abstractmethod
    def count(self, votes: np.ndarray) -> np.ndarray:
        """Return the outcome of votes of shape (voters, T, N)."""


class AllAgree(Votes):
    """The sign on which all voters agree, else 0; NaN while any voter has no opinion.

    A 0 closes what is open.

    Parameters
    ----------
    signals : sequence of SignalGenerator
        The voters, at least two.
    hold : int, optional
        For how many bars an opinion is held; without it, for good.

    Examples
    --------
    >>> AllAgree([MovingAverageCross(), Breakout()]).lookback
    50
    """

    def count(self, votes: np.ndarray) -> np.ndarray:
        """Return the common sign, 0 where there is none, NaN where any abstains."""
        low, high = votes.min(axis=0), votes.max(axis=0)
        return np.where(np.isnan(low), np.nan, np.where(low == high, low, 0.0))


class Majority(Votes):
    """The sign held by more than half of all voters, else 0; NaN only while all abstain.

    A 0 closes what is open.

    Parameters
    ----------
    signals : sequence of SignalGenerator
        The voters, at least two.
    hold : int, optional
        For how many bars an opinion is held; without it, for good.

    Examples
    --------
    >>> Majority([MovingAverageCross(), Breakout()], hold=100).hold
    100
    """

    def count(self, votes: np.ndarray) -> np.ndarray:
        """Return the sign of more than half of all voters, 0 where there is none, NaN where all abstain."""
        up, down = (votes > 0).sum(axis=0), (votes < 0).sum(axis=0)
        half = len(votes) / 2
        outcome = np.where(up > half, 1.0, np.where(down > half, -1.0, 0.0))
        return np.where(np.isnan(votes).all(axis=0), np.nan, outcome)
