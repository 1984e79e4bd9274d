"""Classifiers and regressors as signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from workbench import features as room
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.features import Feature
from workbench.signals._trained import TrainedSignal

__all__ = ["Classifier", "Regressor", "stance_of"]


class Classifier(TrainedSignal):
    """Long where the probability of a rise is above a threshold, short where that of a fall is, flat between.

    The probability of a fall is that of the label -1, and where there is no such label, of no rise. Where both are above the
    threshold the likelier one counts; with ``short=False`` that of a fall is not looked at. Probabilities are rounded to 9
    decimals first (SEMANTICS 6).

    Parameters
    ----------
    model : estimator or Model
        A classifier of scikit-learn, alone or at the end of a Pipeline; or one that was trained.
    features : sequence of Feature
        What it is told of a bar, in this order.
    threshold : float, optional
        Between 0 and 1; without one, that on the model's card: 0.5, or what `wb.models.tuned_threshold` found.
    short : bool, default True
        Whether a likely fall is -1, or 0.
    conviction : bool, default False
        Whether the stance grows in a line from 0 at the threshold to 1 at certainty, or is 1 from the threshold on.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from workbench.features import Returns, Volatility
    >>> signal = Classifier(LogisticRegression(), [Returns(5), Volatility(20)])
    >>> signal.lookback
    21
    >>> Classifier.example().trained.card.names
    ['range_position_3', 'range_position_8', 'range_position_20']
    """

    features: Sequence[Feature]
    threshold: float | None = None
    short: bool = True
    conviction: bool = False

    KIND: ClassVar[Literal["classifier", "regressor"]] = "classifier"

    @classmethod
    def example(cls) -> Classifier:
        """Return a trained one: a logistic regression on made-up bars."""
        from workbench.signals._practice import FEATURES, practice_model

        return cls(practice_model("classifier"), list(FEATURES))

    def check(self) -> None:
        """Refuse a threshold that is no probability, and what is no model for these features."""
        require_probability(type(self).__name__, self.threshold)
        super().check()

    def columns(self) -> Sequence[Feature]:
        """Return the features."""
        return self.features

    def decide(self, predicted: np.ndarray) -> np.ndarray:
        """Return the stances of probabilities of shape (n, classes)."""
        card = self.trained.terms
        threshold = card.threshold if self.threshold is None else self.threshold
        return stance_of(predicted, card.classes, threshold, self.short, self.conviction)

    def chance(self, bars: Bars, newest: bool = False) -> np.ndarray:
        """Return the probability of the side that it takes at each bar, shape (T, N); NaN where it takes none.

        What `workbench.sizing.Kelly` asks for; with `newest` of the last bar alone.
        """

        def told(predicted: np.ndarray) -> np.ndarray:
            stance, (up, down) = self.decide(predicted), sides(predicted, self.trained.terms.classes)
            return np.where(stance > 0, up, np.where(stance < 0, down, np.nan))

        out = np.full(bars.shape, np.nan)
        if newest:
            rows = room.newest(self.columns(), bars)
            out[-1] = self._asked(rows, bars.index[np.full(len(rows), -1)], told)
        else:
            out[bars.present] = self._asked(room.table(self.columns(), bars), bars.index[np.nonzero(bars.present)[0]], told)
        return out


class Regressor(TrainedSignal):
    """Long where the predicted label - a return, say - is above a threshold, short where it is below its negative, flat between.

    Predictions are rounded to 9 decimals first (SEMANTICS 6).

    Parameters
    ----------
    model : estimator or Model
        A regressor of scikit-learn, alone or at the end of a Pipeline; or one that was trained.
    features : sequence of Feature
        What it is told of a bar, in this order.
    threshold : float, default 0.0
        In the unit of the labels.
    short : bool, default True
        Whether a low prediction is -1, or 0.

    Examples
    --------
    >>> Regressor.example().threshold
    0.0
    """

    features: Sequence[Feature]
    threshold: float = 0.0
    short: bool = True

    KIND: ClassVar[Literal["classifier", "regressor"]] = "regressor"

    @classmethod
    def example(cls) -> Regressor:
        """Return a trained one: a ridge regression on made-up bars."""
        from workbench.signals._practice import FEATURES, practice_model

        return cls(practice_model("regressor"), list(FEATURES))

    def check(self) -> None:
        """Refuse a negative threshold, and what is no model for these features."""
        if self.threshold < 0.0:
            raise ParameterError(f"Regressor: threshold must not be negative, got {self.threshold:g}")
        super().check()

    def columns(self) -> Sequence[Feature]:
        """Return the features."""
        return self.features

    def decide(self, predicted: np.ndarray) -> np.ndarray:
        """Return the stances of predictions of shape (n,)."""
        low = -1.0 if self.short else 0.0
        return np.where(predicted > self.threshold, 1.0, np.where(predicted < -self.threshold, low, 0.0))


def require_probability(who: str, threshold: float | None) -> None:
    """Refuse a threshold outside of 0 to 1."""
    if threshold is not None and not 0.0 <= threshold < 1.0:
        raise ParameterError(f"{who}: threshold is a probability, from 0 to below 1, got {threshold:g}")


def sides(predicted: np.ndarray, classes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of a rise and of a fall, shape (n,) each, of those of all classes, shape (n, classes)."""
    up = predicted[:, classes.index(1)] if 1 in classes else np.zeros(len(predicted))
    return up, predicted[:, classes.index(-1)] if -1 in classes else np.round(1.0 - up, 9)


def stance_of(predicted: np.ndarray, classes: Sequence[int], threshold: float, short: bool, conviction: bool) -> np.ndarray:
    """Return the stances, shape (n,), of probabilities of shape (n, classes)."""
    up, down = sides(predicted, classes)
    rises, falls = (up > threshold) & ((up > down) | (not short)), (down > threshold) & (down > up) & short
    if conviction:
        return np.where(rises, up - threshold, np.where(falls, threshold - down, 0.0)) / (1.0 - threshold)
    return np.where(rises, 1.0, np.where(falls, -1.0, 0.0))
