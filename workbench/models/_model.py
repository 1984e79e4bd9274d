"""A trained model as a value: the bytes that were tested are the bytes that trade."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from workbench.errors import ModelError, did_you_mean
from workbench.models._card import Card, moment, require_versions
from workbench.models._files import loaded

__all__ = ["CARD", "FILE", "Model"]

FILE, CARD = "model.skops", "card.json"
#: Probabilities are rounded before they meet a threshold: linear models differ by 2e-16 between one row and many (SEMANTICS 6).
DECIMALS = 9
#: What may be found out about a model after it was trained.
NOTES = ("label", "scores", "trials", "expires", "trained_at", "quantiles")


class Model:
    """A fitted estimator with its card; it never changes, so that copies of a strategy share it.

    It holds the bytes of its file, and predicts with the estimator that is read from them: what was tested is what is saved.
    `copy.deepcopy`, `sklearn.base.clone` and `workbench.component.clone` give the same object back. `recipe` is what to train anew.

    Parameters
    ----------
    data : bytes
        What ``model.skops`` holds.
    card : Card

    Raises
    ------
    ModelError
        The card is that of another file, another version of scikit-learn made it, or it holds a foreign type.

    Examples
    --------
    >>> from workbench.signals import Classifier
    >>> model = Classifier.example().model
    >>> model.card.estimator
    'Pipeline(StandardScaler, LogisticRegression)'
    """

    #: How other rooms know a model without importing this one.
    _workbench_model: ClassVar[bool] = True
    data: bytes
    card: Card
    estimator: Any
    #: What speaks, and on which terms: estimator and card, also of a model that is not written yet.
    speaker: Any
    terms: Card

    def __init__(self, data: bytes, card: Card, source: str = "this model") -> None:
        if hashlib.sha256(data).hexdigest() != card.sha256:
            raise ModelError(f"{source} is not the file of its card: their sha256 differ, so it is refused")
        require_versions(card, source)
        estimator = loaded(data, source)
        vars(self).update(data=data, card=card, estimator=estimator, speaker=estimator, terms=card)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Model never changes: {name} cannot be set; fit the signal again for another one")

    def __reduce__(self) -> tuple[Any, ...]:
        return Model, (self.data, self.card)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __sklearn_clone__(self) -> Self:
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and other.hash == self.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"<Model {self.card.estimator}, sha256 {self.sha256[:12]}, card {self.id}>"

    @property
    def sha256(self) -> str:
        """Of the file ``model.skops``."""
        return self.card.sha256

    @cached_property
    def hash(self) -> str:
        """The sha256 of the card, which names that of the file: it stands for both."""
        return self.card.hash

    @property
    def id(self) -> str:
        """The first twelve digits of `hash`: the name of its folder."""
        return self.hash[:12]

    @property
    def recipe(self) -> Any:
        """What was fitted, unfitted: the estimator to train anew."""
        from sklearn.base import clone

        return clone(self.speaker)

    def noted(self, **changes: Any) -> Model:
        """Return the same estimator with more on its card: what was found out about it after it was trained.

        Parameters
        ----------
        **changes
            `label`, `scores`, `trials`, `expires`, `trained_at`, `quantiles`.

        Raises
        ------
        ModelError
            For anything else: it would not be true of this model.
        """
        for name in changes:
            if name not in NOTES:
                raise ModelError(f"{name!r} cannot be noted on a card{did_you_mean(name, NOTES)}")
        changes |= {name: moment(changes[name], name) for name in ("expires", "trained_at") if name in changes}
        twin = object.__new__(Model)
        card = replace(self.card, **changes)
        vars(twin).update(data=self.data, card=card, estimator=self.estimator, speaker=self.estimator, terms=card)
        return twin

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return what the model says of rows without NaN, rounded to 9 decimals.

        Parameters
        ----------
        rows : DataFrame of shape (n, features)
            Columns as on the card.

        Returns
        -------
        ndarray of shape (n, classes) or (n,)
            Probabilities in the order of ``card.classes``, or the predictions of a regressor.

        Raises
        ------
        ModelError
            A column is missing, too many, renamed, in another place or of another type.
        """
        self.require_columns(rows)
        if not len(rows):
            return np.empty((0, len(self.terms.classes)) if self.terms.classes else 0)
        raw = self.speaker.predict_proba(rows) if self.terms.kind == "classifier" else self.speaker.predict(rows)
        return np.round(np.asarray(raw, dtype=float), DECIMALS)

    def require_columns(self, rows: pd.DataFrame) -> None:
        """Refuse rows whose columns are not those of the card: names, order and types."""
        require_names(self.terms.names, list(rows.columns))
        for column, dtype in zip(self.terms.features, rows.dtypes, strict=True):
            if str(dtype) != column.dtype:
                raise ModelError(f"the feature {column.name!r} is {dtype}, and the model was trained with {column.dtype}")

    def save(self, folder: str | Path) -> Path:
        """Write the model into a folder of its own, whole or not at all; the same one again changes nothing.

        Returns
        -------
        Path
            The folder, which holds ``model.skops`` and ``card.json``.
        """
        folder = Path(folder)
        if folder.exists():
            if Model.load(folder) != self:
                raise ModelError(f"{folder} holds another model; a model never changes, so save this one elsewhere")
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as draft:
            made = Path(draft) / "made"
            made.mkdir()
            for name, content in self.files().items():
                (made / name).write_bytes(content)
            os.replace(made, folder)
        return folder

    def files(self) -> dict[str, bytes]:
        """Return what the folder of the model holds, by name."""
        return {FILE: self.data, CARD: self.card.text.encode()}

    @classmethod
    def load(cls, folder: str | Path) -> Model:
        """Read a model: its hash first, then its versions, then its types, and only then the estimator.

        Raises
        ------
        ModelError
            It is not there, was changed, was made by another version, or holds a foreign type.
        """
        folder = Path(folder)
        for name in (FILE, CARD):
            if not (folder / name).is_file():
                raise ModelError(f"no model in {folder}: expected {FILE} and {CARD}, and {name} is missing")
        card = Card.read((folder / CARD).read_text(encoding="utf-8"), str(folder / CARD))
        return cls((folder / FILE).read_bytes(), card, str(folder / FILE))


def require_names(trained: list[str], given: list[str]) -> None:
    """Refuse features that are not those of a model, in its order; the sentence names the first that differs."""
    if given == trained:
        return
    missing, foreign = [n for n in trained if n not in given], [n for n in given if n not in trained]
    if missing or foreign:
        said = [f"{', '.join(missing)} missing"] * bool(missing) + [f"{', '.join(foreign)} unknown to it"] * bool(foreign)
    else:
        place = next(k for k, (one, other) in enumerate(zip(trained, given, strict=False)) if one != other)
        said = [f"they are out of order: {given[place]} stands where {trained[place]} stood"]
    raise ModelError(f"these are not the features of the model, which are {', '.join(trained)}: {'; '.join(said)}")
