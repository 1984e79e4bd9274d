"""A model on top of other signals: their stances are its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.features import Feature
from workbench.signals._base import SignalGenerator
from workbench.signals._models import require_probability, stance_of
from workbench.signals._own_bars import held, newest_held
from workbench.signals._trained import TrainedSignal

__all__ = ["Stacked", "Stance"]


class Stance(Feature):
    """The stance of a signal: its last opinion is held as in a vote (SEMANTICS 40), and no opinion counts as 0.

    Parameters
    ----------
    signal : SignalGenerator
    hold : int, optional
        For how many bars an opinion is held; without it, for good, and the feature then depends on the anchor.

    Examples
    --------
    >>> from workbench.signals import Breakout
    >>> Stance(Breakout(20), hold=50).name
    'stance_breakout_20_50'
    """

    signal: SignalGenerator
    hold: int | None = None

    @classmethod
    def example(cls) -> Stance:
        """Return the stance of a breakout, held for 10 bars."""
        from workbench.signals import Breakout

        return cls(Breakout(5), hold=10)

    def check(self) -> None:
        """Refuse a hold below one bar."""
        if self.hold is not None and self.hold < 1:
            raise ParameterError(f"Stance: hold must be at least 1 bar, got {self.hold}")

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether the signal compares instruments with each other."""
        return self.signal.cross_sectional

    @property
    def lookback(self) -> int:
        """That of the signal, and how long its opinions are held where that is bounded."""
        return self.signal.lookback + (self.hold or 0)

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the held stance, shape (T, N)."""
        stances = held(self.signal.stances(bars), bars, self.hold)
        return bars.laid_out(np.nan_to_num(stances))

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the held stance at the newest label, shape (N,)."""
        if not self.signal.quick:
            return super().newest(bars)
        stances = newest_held(self.signal, bars, self.hold)
        return warm(np.nan_to_num(stances), bars, self.lookback, self.cross_sectional)


class Stacked(TrainedSignal):
    """A `Classifier` whose features are the stances of other signals: it learns which of them to believe, and when.

    Parameters
    ----------
    model : estimator or Model
        A classifier of scikit-learn, or one that was trained.
    signals : sequence of SignalGenerator
        Those that are models themselves have to be trained, on earlier bars.
    hold : int, optional
        For how many bars their opinions are held; without it, for good.
    threshold : float, optional
    short : bool, default True
    conviction : bool, default False
        As in `Classifier`.

    References
    ----------
    Wolpert, D. H. (1992). Stacked generalization. Neural Networks 5(2).

    Examples
    --------
    >>> Stacked.example().trained.card.names
    ['stance_moving_average_cross_3_10_10', 'stance_breakout_5_10']
    """

    signals: Sequence[SignalGenerator]
    hold: int | None = None
    threshold: float | None = None
    short: bool = True
    conviction: bool = False

    KIND: ClassVar[Literal["classifier", "regressor"]] = "classifier"

    @classmethod
    def example(cls) -> Stacked:
        """Return a trained one: a logistic regression over a crossing and a breakout."""
        from workbench.signals._practice import SIGNALS, practice_model

        return cls(practice_model("stacked"), list(SIGNALS), hold=10)

    def check(self) -> None:
        """Refuse a threshold that is no probability, and what is no model for these signals."""
        require_probability("Stacked", self.threshold)
        super().check()

    def columns(self) -> Sequence[Feature]:
        """Return the stances of the signals as features."""
        return [Stance(signal, self.hold) for signal in self.signals]

    def decide(self, predicted: np.ndarray) -> np.ndarray:
        """Return the stances of probabilities of shape (n, classes)."""
        card = self.trained.card
        threshold = card.threshold if self.threshold is None else self.threshold
        return stance_of(predicted, card.classes, threshold, self.short, self.conviction)
