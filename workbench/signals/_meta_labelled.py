"""A signal whose trades a model allows or not."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.signals._base import SignalGenerator
from workbench.signals._filters import Filter
from workbench.signals._models import Classifier
from workbench.signals._moving_average import MovingAverageCross

__all__ = ["MetaLabelled"]


class MetaLabelled(Filter):
    """A signal that says which side, and another one, a model most often, that says whether and how much.

    Inside: where the judge's stance is above 0. The stance is the signal's times the judge's, so that a judge with
    ``conviction=True`` makes likelier trades larger. It is trained on whether the signal's sides made money::

        primary = wb.signals.MovingAverageCross(10, 50)
        judge = wb.signals.Classifier(LogisticRegression(), features, short=False)
        strategy = wb.Strategy(wb.signals.MetaLabelled(primary, judge, outside="flat"))

        def labels(bars):
            return wb.labels.meta_labels(wb.labels.fixed_horizon(bars, 20), primary.stances(bars))

        wb.walk_forward(strategy, bars, labels=labels)

    Parameters
    ----------
    signal : SignalGenerator
        The primary one.
    judge : SignalGenerator
        Its negative stances count as 0.
    outside : {"hold", "flat"}, default "hold"
        Hold: NaN outside, so that a position stays as it is; an event that falls outside is lost. Flat: 0 outside, which
        closes; a state opens again at the first bar inside, an event does not. Where the judge says nothing is outside.

    References
    ----------
    Lopez de Prado, M. (2018). Advances in Financial Machine Learning, 3.6-3.7. Wiley.

    Examples
    --------
    >>> import workbench as wb
    >>> MetaLabelled(wb.signals.MovingAverageCross(5, 40), wb.signals.Classifier.example()).lookback
    40
    """

    judge: SignalGenerator

    @classmethod
    def example(cls) -> Self:
        """Return two means under a logistic regression that was trained on made-up bars."""
        return cls(MovingAverageCross(5, 20), Classifier.example())

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether either compares instruments with each other."""
        return self.signal.cross_sectional or self.judge.cross_sectional

    @property
    def lookback(self) -> int:
        """The longer look-back of the two."""
        return max(self.signal.lookback, self.judge.lookback)

    @property
    def quick(self) -> bool:
        """Whether either is quick to say its newest stance."""
        return self.signal.quick or self.judge.quick

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the signal's stances times the judge's inside, NaN or 0 outside, shape (T, N)."""
        said = self.judge.stances(bars)
        return (self.signal.stances(bars) * said).where(said > 0, self._outside)

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the newest stances, shape (N,)."""
        if not self.quick:
            return super().newest(bars)
        said = self.judge.newest(bars)
        newest = np.where(said > 0, self.signal.newest(bars) * said, self._outside)
        return warm(newest, bars, self.lookback, self.cross_sectional)

    def inside(self, bars: Bars) -> np.ndarray:
        """Return where the judge's stance is above 0, booleans of shape (T, N)."""
        return self.judge.stances(bars).to_numpy() > 0
