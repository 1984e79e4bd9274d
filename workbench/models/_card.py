"""The card of a trained model: what it was trained on and with, and until when it may be used."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from workbench.errors import ModelError
from workbench.version import __version__

__all__ = ["Card", "Column", "moment", "quantiles", "require_versions", "versions"]

#: How many equally likely values stand for a whole distribution.
POINTS = 100


class Column(NamedTuple):
    """A feature as the model was trained with it: its name, its type, and the part that computes it, as text."""

    name: str
    dtype: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that has to be known of a trained model besides its weights; a value, and readable text.

    Parameters
    ----------
    kind : {"classifier", "regressor"}
    estimator : str
        What was trained, in words.
    features : tuple of Column
        In the order of the columns.
    classes : tuple of int
        The labels of a classifier.
    label : str
        How the labels were made.
    symbols, interval, first, last, fingerprint
        The bars it was trained on; `first` and `last` are the labels of the first and last row used.
    rows, no_label, no_feature : int
        Rows used, and those left out because they had no label, or a feature was not known.
    versions : mapping of str to str
    scores : mapping of str to float
        As the user measured them.
    trials : int
        How many variants were tried before this one: what a deflated Sharpe ratio needs.
    threshold : float
        What a prediction has to exceed.
    expires, trained_at : str or None
        UTC; `expires` is judged against the label of a bar, never a clock.
    quantiles : mapping of str to tuple of float
        Equally likely values of each feature and of the predictions, to see later ones drift from.
    sha256 : str
        Of the file ``model.skops``.
    """

    kind: Literal["classifier", "regressor"]
    estimator: str
    features: tuple[Column, ...]
    classes: tuple[int, ...] = ()
    label: str = ""
    symbols: tuple[str, ...]
    interval: str
    first: str
    last: str
    fingerprint: str
    rows: int
    no_label: int = 0
    no_feature: int = 0
    versions: Mapping[str, str]
    scores: Mapping[str, float] = field(default_factory=dict)
    trials: int = 1
    threshold: float
    expires: str | None = None
    trained_at: str | None = None
    quantiles: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    sha256: str

    def __post_init__(self) -> None:
        for name in ("versions", "scores", "quantiles"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        return Card.read, (self.text,)

    @property
    def text(self) -> str:
        """The card as JSON."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        plain |= {name: dict(plain[name]) for name in ("versions", "scores", "quantiles")}
        plain["features"] = [column._asdict() | {"part": json.loads(column.part)} for column in self.features]
        try:  # a line a field: indented, the quantiles would be a thousand lines
            return "{\n" + ",\n".join(f'  "{name}": {json.dumps(value, allow_nan=False)}' for name, value in plain.items()) + "\n}\n"
        except ValueError:
            raise ModelError("a card holds finite numbers only: one of its scores or quantiles is none") from None

    @property
    def hash(self) -> str:
        """The sha256 of the card's text, which names the model's file too: it stands for the whole model."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @classmethod
    def read(cls, text: str, source: str = "card.json") -> Card:
        """Return the card that a text holds.

        Raises
        ------
        ModelError
            It is no card.
        """
        try:
            plain = json.loads(text)
            plain["features"] = tuple(Column(one["name"], one["dtype"], json.dumps(one["part"])) for one in plain["features"])
            for name in ("classes", "symbols"):
                plain[name] = tuple(plain[name])
            plain["quantiles"] = {name: tuple(values) for name, values in plain["quantiles"].items()}
            return cls(**plain)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{source} is no card of a model: {error}") from None

    @property
    def names(self) -> list[str]:
        """The names of the features, in their order."""
        return [column.name for column in self.features]

    def expired(self, labels: pd.DatetimeIndex) -> np.ndarray:
        """Return which labels the model may not be used at any more: those from `expires` on, booleans of shape (T,)."""
        if self.expires is None:
            return np.zeros(len(labels), dtype=bool)
        return np.asarray(labels >= pd.Timestamp(self.expires))


def quantiles(values: np.ndarray) -> tuple[float, ...]:
    """Return values that stand for a distribution: the middles of a hundred equally likely parts, each one that was seen."""
    found = np.quantile(values, (np.arange(POINTS) + 0.5) / POINTS, method="inverted_cdf")
    return tuple(float(f"{value:.9g}") for value in found)


def moment(given: Any, name: str) -> str | None:
    """Return a time as text in UTC; one without a zone is UTC.

    Raises
    ------
    ModelError
        It is no time.
    """
    if given is None:
        return None
    try:
        time = pd.Timestamp(given)
    except (ValueError, TypeError):
        raise ModelError(f"{name} must be a time, such as '2025-06-30' or a pandas.Timestamp, got {given!r}") from None
    return str((time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")).isoformat())


def versions() -> dict[str, str]:
    """Return what a model was made with; nothing is imported for it."""
    return {"python": platform.python_version(), **_installed(), "workbench": __version__}


@cache  # each is a file to read, and stays what it is
def _installed() -> dict[str, str]:
    return {name: version(name) for name in ("numpy", "scikit-learn", "skops")}


def require_versions(card: Card, source: str = "this model") -> None:
    """Refuse a model that another major or minor version of scikit-learn made: its weights may mean something else there.

    Raises
    ------
    ModelError
    """
    made, here = card.versions.get("scikit-learn", "an unknown version"), versions()["scikit-learn"]
    if _minor(made) != _minor(here):
        raise ModelError(
            f"{source} was trained with scikit-learn {made}, and here is {here}: train it again, or install scikit-learn {made}"
        )


def _minor(text: str) -> Sequence[str]:
    return text.split(".")[:2]
