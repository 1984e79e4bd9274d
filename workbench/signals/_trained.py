"""What the signals that a model speaks through share: fitting, predicting, and saying why there is no prediction."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from workbench import features as room
from workbench.bars import Bars
from workbench.component import clone
from workbench.component_text import to_dict
from workbench.errors import ModelError, ParameterError
from workbench.features import Feature
from workbench.models import Column, Model, draft, moment, require_names, sample, train, versions
from workbench.signals._base import SignalGenerator

__all__ = ["TrainedSignal"]


class TrainedSignal(SignalGenerator):
    """A signal whose stance is what a trained model says of each bar.

    `fit` puts the trained `Model` in the place of the parameter `model`, so that copying, saving and pickling the signal keep
    it; fitted again, it trains the model's recipe anew. A bar of which a feature is not known, or from the model's expiry on, has
    no stance: `refusals` lists such bars with their reasons, and a run shows those of its newest bar (`workbench.signals.health`).
    In a vote the last stance before stands until its `hold` has run out.

    Parameters
    ----------
    model : estimator or Model
        Of scikit-learn, unfitted; or one that was trained.
    """

    model: Any

    #: What kind of model speaks.
    KIND: ClassVar[Literal["classifier", "regressor"]]

    @abstractmethod
    def columns(self) -> Sequence[Feature]:
        """Return what the model is told of a bar."""

    @abstractmethod
    def decide(self, predicted: np.ndarray) -> np.ndarray:
        """Return the stances, shape (n,), of what the model said, shape (n, classes) or (n,)."""

    def check(self) -> None:
        """Refuse what is no model, and a model that was trained with other features."""
        if isinstance(self.model, Model):
            self._require_trained_for(self.model)
        elif isinstance(self.model, type) or not (hasattr(self.model, "get_params") and hasattr(self.model, "fit")):
            said = f"{type(self).__name__}.model must be an estimator of scikit-learn or a trained wb.models.Model"
            raise ParameterError(f"{said}, got {self.model.__name__ if isinstance(self.model, type) else repr(self.model)}")
        room.names(self.columns())

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether any feature compares instruments with each other."""
        return any(one.cross_sectional for one in self.columns())

    @property
    def lookback(self) -> int:
        """The largest look-back of the features."""
        return max(one.lookback for one in self.columns())

    @property
    def quick(self) -> bool:
        """True: a model is asked of the newest row alone."""
        return True

    # -- training ---------------------------------------------------------------------------------------------------

    def fit(
        self,
        bars: Bars,
        labels: Any,
        weights: Any = None,
        *,
        label: str = "",
        scores: Mapping[str, float] | None = None,
        trials: int = 1,
        trained_at: Any = None,
        expires: Any = None,
        keep: bool = True,
    ) -> Self:
        """Train the model on all rows that have a label and all features, and keep it.

        Parameters
        ----------
        bars : Bars of shape (T, N)
        labels : DataFrame or Series
            Index (timestamp, symbol) with a column ``label``, as the label functions give it; or a DataFrame (time x symbol). For a
            classifier 1, 0 and -1. NaN: not known, or not yet. Joined by time and symbol, never by position.
        weights : DataFrame or Series, optional
            In the same forms, with a column ``weight``; not given, such a column beside the labels counts.
        label : str, default ""
            How the labels were made, for the card.
        scores : mapping of str to float, optional
            What validation found, for the card.
        trials : int, default 1
            How many variants were tried, for the card.
        trained_at, expires : time, optional
            In UTC. A bar that opens at `expires` or later is not predicted.
        keep : bool, default True
            Whether the model is written at once; without, when it is first asked for its card, its hash or its file. For models
            that are tried and mostly not kept: writing can take as long as fitting.

        Returns
        -------
        TrainedSignal
            This signal.

        Raises
        ------
        ModelError
            There is nothing to learn from, or the estimator would judge itself on rows that are not later.
        """
        recipe = self.model.recipe if isinstance(self.model, Model) else self.model
        table = room.table(self.columns(), bars)
        card = {
            "kind": self.KIND,
            "features": tuple(_columns(self.columns(), table)),
            "label": label,
            "symbols": tuple(bars.symbols),
            "interval": bars.interval,
            "fingerprint": bars.fingerprint,
            "versions": versions(),
            "scores": dict(scores or {}),
            "trials": trials,
            "threshold": getattr(self, "threshold", None),
            "trained_at": moment(trained_at, "trained_at"),
            "expires": moment(expires, "expires"),
        }
        given = sample(table, labels, weights)
        self.model = train(recipe, given, card) if keep else draft(recipe, given, card, _again(self.columns(), bars, labels, weights))
        return self

    # -- predicting -------------------------------------------------------------------------------------------------

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at each bar, shape (T, N); NaN where the model says nothing."""
        out = np.full(bars.shape, np.nan)
        rows = room.table(self.columns(), bars)
        out[bars.present] = self._stances(rows, bars.index[np.nonzero(bars.present)[0]])
        return bars.laid_out(out)

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the stances at the newest label, shape (N,): the model is asked of these rows only (SEMANTICS 6)."""
        rows = room.newest(self.columns(), bars)
        return self._stances(rows, bars.index[np.full(len(rows), -1)])

    def _stances(self, rows: pd.DataFrame, labels: pd.DatetimeIndex) -> np.ndarray:
        return self._asked(rows, labels, self.decide)

    def _asked(self, rows: pd.DataFrame, labels: pd.DatetimeIndex, told: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return what is told by the predictions of rows, shape (n,); NaN where the model says nothing."""
        model = self.trained
        self._require_trained_for(model)
        out = np.full(len(rows), np.nan)
        known = np.isfinite(rows.to_numpy()).all(axis=1) & ~model.terms.expired(labels)
        if known.any():
            out[known] = told(model.predict(rows[known]))
        return out

    @property
    def trained(self) -> Model:
        """The model.

        Raises
        ------
        ModelError
            There is none yet.
        """
        if not isinstance(self.model, Model):
            raise ModelError(f"{type(self).__name__} has no trained model yet: train it first, signal.fit(bars, labels)")
        return self.model

    def refusals(self, bars: Bars) -> pd.DataFrame:
        """Return the bars that the model says nothing of.

        Returns
        -------
        DataFrame
            Columns timestamp, symbol, reason.
        """
        rows = room.table(self.columns(), bars)
        labels = pd.DatetimeIndex(rows.index.get_level_values("timestamp"))
        reasons = self.reasons(rows, labels)
        return rows.index[reasons != ""].to_frame(index=False).assign(reason=reasons[reasons != ""])

    def reasons(self, rows: pd.DataFrame, labels: pd.DatetimeIndex) -> np.ndarray:
        """Return why a row of features, the bar of a label, is not predicted, shape (n,); "" where it is."""
        reasons = np.full(len(rows), "", dtype=object)
        for name in reversed(list(rows.columns)):
            reasons[~np.isfinite(rows[name].to_numpy())] = f"{name} is not known"
        card = self.trained.terms
        reasons[card.expired(labels)] = f"the model expired at {card.expires}"
        return reasons

    def _require_trained_for(self, model: Model) -> None:
        """Refuse a model of another kind, and one that was trained with other features or in another order."""
        if model.terms.kind != self.KIND:
            raise ModelError(f"{type(self).__name__} takes a {self.KIND}, and this model is a {model.terms.kind}: {model!r}")
        require_names(model.terms.names, [one.name for one in self.columns()])
        for column, one in zip(model.terms.features, self.columns(), strict=True):
            if json.loads(column.part) != to_dict(one):
                raise ModelError(f"the model was trained with the feature {column.part}, and here {column.name!r} is {one!r}")


def _again(columns: Sequence[Feature], bars: Bars, labels: Any, weights: Any) -> Callable[[], pd.DataFrame]:
    """Return what makes the rows of a training once more; bars are cheaper to hold than rows."""
    parts, held = [clone(one) for one in columns], bars.take()  # without what is remembered on them
    return lambda: sample(room.table(parts, held), labels, weights).rows


def _columns(parts: Sequence[Feature], table: pd.DataFrame) -> list[Column]:
    return [Column(one.name, str(table[one.name].dtype), json.dumps(to_dict(one))) for one in parts]
