"""A trained model that is not written down yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ModelError
from workbench.models._card import Card
from workbench.models._model import Model

__all__ = ["Draft"]

#: What only a model that is written has.
WRITTEN = ("data", "card", "estimator")


class Draft(Model):
    """A model that predicts with the estimator as it was fitted, until it is asked for what names or keeps it.

    To write some estimators and to read them back takes as long as to fit them, and of the models of a walk-forward few are
    kept. Asked for its bytes, its card or its hash, or copied to another process, a draft is written, read back, and has to say the
    same of the rows that it was trained on.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    terms : Card
        Without the hash of a file and without quantiles.
    rows : callable
        Gives the rows that it was trained on.
    write : callable
        Makes the model of estimator, terms and rows.
    """

    def __init__(
        self, estimator: Any, terms: Card, rows: Callable[[], pd.DataFrame], write: Callable[[Any, Card, pd.DataFrame], Model]
    ) -> None:
        vars(self).update(speaker=estimator, terms=terms, _rows=rows, _write=write)

    @cached_property
    def written(self) -> Model:
        """The model as its file has it.

        Raises
        ------
        ModelError
            It cannot be kept, or does not say the same once it was read back.
        """
        rows = vars(self)["_rows"]()
        model: Model = vars(self)["_write"](self.speaker, self.terms, rows)
        if not np.array_equal(model.predict(rows), self.predict(rows)):
            raise ModelError(f"{self.terms.estimator} does not say the same once it was written and read back, so it cannot be kept")
        return model

    def __getattr__(self, name: str) -> Any:
        if name in WRITTEN:
            return getattr(self.written, name)
        raise AttributeError(f"a Model has no attribute {name!r}")
