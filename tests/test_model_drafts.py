"""A model that is not written yet: it says what the written one says, and is written when it is asked for."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from trained import FEATURES, KINDS, bars, estimator, labels, trained

import workbench as wb
from workbench.component import clone
from workbench.errors import ModelError
from workbench.models import Model, _training
from workbench.signals import Classifier

EARLY = bars().iloc[:150]


@pytest.fixture
def dumps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the estimators that are written during a test."""
    written: list[Any] = []
    dumped = _training.dumped
    monkeypatch.setattr(_training, "dumped", lambda fitted: written.append(fitted) or dumped(fitted))
    return written


def draft(kind: str = "logistic", **changes: Any) -> Classifier:
    return Classifier(estimator(kind), list(FEATURES)).fit(EARLY, labels(EARLY), keep=False, **changes)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_written_one_says(kind: str, dumps: list[Any]) -> None:
    said = draft(kind).generate(bars())
    assert dumps == []
    np.testing.assert_array_equal(said, trained(kind).generate(bars()))


@pytest.mark.parametrize("kind", KINDS)
def test_written_it_is_the_model_that_is_kept_at_once(kind: str) -> None:
    late = draft(kind, label="up or not", expires="2030-01-01").model
    assert late == Classifier(estimator(kind), list(FEATURES)).fit(EARLY, labels(EARLY), label="up or not", expires="2030-01-01").model
    assert late.card.quantiles == late.written.card.quantiles != {}


@pytest.mark.parametrize(
    "ask",
    [
        lambda model, folder: model.card,
        lambda model, folder: model.hash,
        lambda model, folder: model.data,
        lambda model, folder: pickle.dumps(model),
        lambda model, folder: model.save(folder / "model"),
        lambda model, folder: model.noted(trials=3),
        lambda model, folder: repr(model),
    ],
    ids=["card", "hash", "bytes", "pickle", "save", "note", "repr"],
)
def test_it_is_written_once_when_it_is_asked_for(ask: Any, dumps: list[Any], tmp_path: Path) -> None:
    model = draft().model
    for _ in range(2):
        ask(model, tmp_path)
    assert len(dumps) == 1


def test_copies_share_it(dumps: list[Any]) -> None:
    signal = draft()
    assert clone(signal).model is copy.deepcopy(signal).model is signal.model
    assert type(pickle.loads(pickle.dumps(signal)).model) is Model
    assert len(dumps) == 1


def test_it_can_be_trained_anew(dumps: list[Any]) -> None:
    signal = draft()
    before = signal.generate(bars())
    pd.testing.assert_frame_equal(clone(signal).fit(EARLY, labels(EARLY), keep=False).generate(bars()), before)
    assert dumps == []


def test_what_does_not_say_the_same_once_it_was_read_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = draft().model, trained("forest").model
    monkeypatch.setitem(vars(model), "_write", lambda *_: other)
    with pytest.raises(ModelError, match=r"Pipeline\(StandardScaler, LogisticRegression\) does not say the same once it was written"):
        _ = model.card


def test_it_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError, match="a Model has no attribute 'weights'"):
        _ = draft().model.weights


def test_a_walk_forward_writes_the_models_that_are_asked_for(dumps: list[Any], tmp_path: Path) -> None:
    strategy = wb.Strategy(Classifier(estimator("logistic"), list(FEATURES)))
    found = wb.walk_forward(strategy, bars(), labels=labels, folds=3, progress=False)
    assert dumps == []
    found.strategies[1].save(tmp_path / "strategy.json")
    assert len(dumps) == 1
    known = bars().iloc[: len(bars()) - 2 * (len(bars()) // 4)]
    alone = clone(strategy.signal).fit(known, labels(known)).model
    assert found.strategies[1].signal.model == alone
    assert found.results[1].setup.strategy.signal.trained.card.last == alone.card.last
