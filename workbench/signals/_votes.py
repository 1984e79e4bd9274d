"""Several signals that vote (SEMANTICS 40)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import field
from typing import Self

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.component_values import named_parts
from workbench.errors import ParameterError
from workbench.signals._base import SignalGenerator
from workbench.signals._breakout import Breakout
from workbench.signals._moving_average import MovingAverageCross
from workbench.signals._own_bars import held, newest_held

__all__ = ["AllAgree", "AnyOf", "Majority", "Votes"]


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
    hold: int | None = field(default=None, kw_only=True)

    @classmethod
    def example(cls) -> Self:
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

    @property
    def quick(self) -> bool:
        """Whether any voter is quick to say its newest stance."""
        return any(signal.quick for signal in self.signals)

    @property
    def voters(self) -> list[str]:
        """The names of the voters, those of their parameters: ``breakout``, a second one ``breakout_2``."""
        return list(named_parts(list(self.signals)))

    def opinions(self, bars: Bars) -> np.ndarray:
        """Return each voter's held opinion, shape (voters, T, N); NaN where it abstains."""
        return np.stack([held(signal.stances(bars), bars, self.hold) for signal in self.signals])

    def votes(self, bars: Bars) -> np.ndarray:
        """Return each voter's held opinion as a sign, shape (voters, T, N); NaN where it abstains."""
        return np.sign(self.opinions(bars))

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the outcome of the vote at each bar, shape (T, N)."""
        return bars.laid_out(self.count(self.opinions(bars)))

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the outcome at the newest label, shape (N,): of a model that votes its newest row is asked for."""
        if not self.quick:
            return super().newest(bars)
        opinions = np.stack([newest_held(signal, bars, self.hold) for signal in self.signals])
        return warm(self.count(opinions[:, None])[0], bars, self.lookback, self.cross_sectional)

    @abstractmethod
    def count(self, opinions: np.ndarray) -> np.ndarray:
        """Return the outcome of held opinions of shape (voters, T, N)."""

    def attribution(self, bars: Bars) -> pd.DataFrame:
        """Return who held which opinion.

        Parameters
        ----------
        bars : Bars of shape (T, N)

        Returns
        -------
        DataFrame of shape (T, N x voters)
            Columns (symbol, voter), in the order of the bars and of the voters; NaN where a voter abstains.

        Examples
        --------
        >>> import workbench as wb
        >>> vote = AllAgree([MovingAverageCross(5, 20), Breakout(10)])
        >>> vote.attribution(wb.simulate("A", bars=50, seed=1)).columns.tolist()
        [('A', 'movingaveragecross'), ('A', 'breakout')]
        """
        columns = pd.MultiIndex.from_product([bars.symbols, self.voters], names=["symbol", "voter"])
        values = self.opinions(bars).transpose(1, 2, 0).reshape(len(bars), -1)
        return pd.DataFrame(values, bars.index, columns)

    def agreement(self, bars: Bars) -> pd.DataFrame:
        """Return how often each two voters agree: voters that always do are one voter.

        Parameters
        ----------
        bars : Bars of shape (T, N)

        Returns
        -------
        DataFrame of shape (voters, voters)
            Of the bars of all instruments at which both hold an opinion, the share at which its sign is the same; NaN
            where there is no such bar.

        Examples
        --------
        >>> import workbench as wb
        >>> vote = AllAgree([MovingAverageCross(5, 20), Breakout(10)])
        >>> vote.agreement(wb.simulate("A", bars=50, seed=1)).shape
        (2, 2)
        """
        votes = self.votes(bars).reshape(len(self.signals), -1)
        both = ~np.isnan(votes[:, None]) & ~np.isnan(votes[None, :])
        count = both.sum(axis=2)
        same = (both & (votes[:, None] == votes[None, :])).sum(axis=2)
        share = np.where(count > 0, same / np.maximum(count, 1), np.nan)
        return pd.DataFrame(share, self.voters, self.voters)


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

    def count(self, opinions: np.ndarray) -> np.ndarray:
        """Return the common sign, 0 where there is none, NaN where any abstains."""
        votes = np.sign(opinions)
        low, high = votes.min(axis=0), votes.max(axis=0)
        return np.where(np.isnan(low), np.nan, np.where(low == high, low, 0.0))


class AnyOf(Votes):
    """The sign that at least one voter holds while none holds the opposite; NaN only while all abstain.

    0 where voters contradict each other, and where all who have an opinion are flat; a voter that is flat or abstains does
    not stand in the way of one that is not. A 0 closes what is open.

    Parameters
    ----------
    signals : sequence of SignalGenerator
        The voters, at least two.
    hold : int, optional
        For how many bars an opinion is held; without it, for good.

    Examples
    --------
    >>> AnyOf([MovingAverageCross(), Breakout()], hold=5).lookback
    55
    """

    def count(self, opinions: np.ndarray) -> np.ndarray:
        """Return the sign that nobody contradicts, 0 where there is none, NaN where all abstain."""
        up, down = (opinions > 0).any(axis=0), (opinions < 0).any(axis=0)
        return np.where(np.isnan(opinions).all(axis=0), np.nan, up * 1.0 - down * 1.0)


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

    def count(self, opinions: np.ndarray) -> np.ndarray:
        """Return the sign of more than half of all voters, 0 where there is none, NaN where all abstain."""
        up, down = (opinions > 0).sum(axis=0), (opinions < 0).sum(axis=0)
        half = len(opinions) / 2
        outcome = np.where(up > half, 1.0, np.where(down > half, -1.0, 0.0))
        return np.where(np.isnan(opinions).all(axis=0), np.nan, outcome)
