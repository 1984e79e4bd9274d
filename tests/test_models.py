"""A trained model as a value: its card, its copies, its files, and what it refuses."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone as sklearn_clone
from trained import FEATURES, bars, trained

from workbench import features
from workbench.component import clone
from workbench.errors import ModelError
from workbench.models import Card, Model, versions


@pytest.fixture(scope="module")
def model() -> Model:
    return trained("logistic").trained


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return features.table(FEATURES, bars()).dropna()


def recarded(folder: Path, **changes: Any) -> None:
    """Write a card with other words, as somebody would who changed it on purpose."""
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | changes))


# -- a value ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, sklearn_clone, clone], ids=["copy", "deepcopy", "sklearn", "workbench"])
def test_a_copy_of_a_model_is_the_model(model: Model, way: Callable[[Any], Any]) -> None:
    assert way(model) is model
    assert clone(trained("logistic")).model is model


def test_a_pickled_model_is_equal_and_predicts_the_same(model: Model, rows: pd.DataFrame) -> None:
    back = pickle.loads(pickle.dumps(model))
    assert (back == model, hash(back) == hash(model), back is model) == (True, True, False)
    assert back.predict(rows).tobytes() == model.predict(rows).tobytes()


def test_it_says_what_it_is_in_a_line(model: Model) -> None:
    said = f"<Model Pipeline(StandardScaler, LogisticRegression), sha256 {model.sha256[:12]}, card {model.id}>"
    assert repr(model) == said
    assert model.hash.startswith(model.id)


@pytest.mark.parametrize("name", ["data", "card", "estimator", "more"])
def test_nothing_of_it_can_be_set(model: Model, name: str) -> None:
    with pytest.raises(AttributeError, match=f"a Model never changes: {name} cannot be set"):
        setattr(model, name, None)


def test_its_card_cannot_be_changed_either(model: Model) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.card.threshold = 0.9  # type: ignore[misc]
    with pytest.raises(TypeError, match="does not support item assignment"):
        model.card.scores["auc"] = 1.0  # type: ignore[index]


def test_its_recipe_is_unfitted_and_its_own(model: Model) -> None:
    recipe = model.recipe
    assert recipe is not model.recipe
    assert not hasattr(recipe.steps[-1][1], "coef_")
    assert repr(recipe) == repr(trained("logistic").model.recipe)


# -- the card ---------------------------------------------------------------------------------------------------------


def test_the_card_says_what_it_was_trained_on(model: Model) -> None:
    card, early = model.card, bars().iloc[:150]
    assert card.names == ["returns_2", "mean_distance_5", "range_position_10"]
    assert {column.dtype for column in card.features} == {"float64"}
    assert (card.kind, card.classes, card.threshold, card.trials, card.expires) == ("classifier", (0, 1), 0.5, 1, None)
    assert (card.symbols, card.interval, card.fingerprint) == (("AAA", "BBB"), "1h", early.fingerprint)
    assert card.rows + card.no_label + card.no_feature == early.present.sum()
    assert (card.no_label, card.no_feature) == (2, 18)
    assert dict(card.versions) == versions()


def test_the_card_is_text_and_reads_back(model: Model) -> None:
    assert Card.read(model.card.text) == model.card
    assert json.loads(model.card.text)["features"][0]["part"] == {"part": "workbench.features.Returns", "window": 2}
    assert pickle.loads(pickle.dumps(model.card)) == model.card


def test_what_was_found_out_later_can_be_noted_and_makes_another_model(model: Model) -> None:
    noted = model.noted(scores={"auc": 0.61}, expires="2025-01-01", trials=7)
    assert (noted.sha256 == model.sha256, noted.id == model.id, noted == model) == (True, False, False)
    assert (noted.card.scores["auc"], noted.card.expires, noted.card.trials) == (0.61, "2025-01-01T00:00:00+00:00", 7)
    assert not model.card.scores


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sha256": "0"}, "'sha256' cannot be noted on a card"),
        ({"score": {}}, "did you mean 'scores'?"),
        ({"expires": "soon"}, "expires must be a time, such as '2025-06-30' or a pandas.Timestamp, got 'soon'"),
    ],
    ids=["its file", "misspelt", "no time"],
)
def test_what_is_not_true_of_it_cannot_be_noted(model: Model, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        model.noted(**changes)
    assert said in str(caught.value)


def test_a_score_that_is_no_number_has_no_text(model: Model) -> None:
    with pytest.raises(ModelError, match="a card holds finite numbers only"):
        _ = model.noted(scores={"auc": float("nan")}).hash


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": 5}'], ids=["nothing", "list", "empty", "number"])
def test_a_text_that_is_no_card_gets_a_sentence(text: str) -> None:
    with pytest.raises(ModelError, match=r"card.json is no card of a model"):
        Card.read(text)


# -- predicting -------------------------------------------------------------------------------------------------------


def test_probabilities_are_rounded_to_nine_decimals(model: Model, rows: pd.DataFrame) -> None:
    said = model.predict(rows)
    assert said.shape == (len(rows), 2)
    assert (said == np.round(said, 9)).all()
    np.testing.assert_allclose(said, model.estimator.predict_proba(rows), atol=5.1e-10)
    assert model.predict(rows.iloc[:0]).shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[rows.columns[::-1]], "they are out of order: range_position_10 stands where returns_2 stood"),
        (lambda rows: rows.drop(columns="returns_2"), "returns_2 missing"),
        (lambda rows: rows.rename(columns={"returns_2": "returns_3"}), "returns_2 missing; returns_3 unknown to it"),
        (lambda rows: rows.assign(hour=1.0), "hour unknown to it"),
        (lambda rows: rows.astype({"returns_2": "float32"}), "the feature 'returns_2' is float32, and the model was trained with float64"),
    ],
    ids=["order", "missing", "renamed", "too many", "type"],
)
def test_rows_that_are_not_those_of_the_card_are_refused(model: Model, rows: pd.DataFrame, change: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(ModelError) as caught:
        model.predict(change(rows))
    assert said in str(caught.value)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_model_is_saved_whole_and_reads_back(model: Model, rows: pd.DataFrame, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "kept" / "one")
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.skops"]
    assert [path.name for path in folder.parent.iterdir()] == ["one"]
    back = Model.load(folder)
    assert back == model == Model.load(model.save(folder))
    assert back.predict(rows).tobytes() == model.predict(rows).tobytes()


def test_a_folder_of_another_model_is_not_written_over(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "one")
    with pytest.raises(ModelError, match="holds another model; a model never changes"):
        model.noted(trials=2).save(folder)
    assert Model.load(folder) == model


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "model.skops").write_bytes((f / "model.skops").read_bytes() + b"x"), "model.skops is not the file of its card"),
        (lambda f: (f / "model.skops").unlink(), "expected model.skops and card.json, and model.skops is missing"),
        (lambda f: (f / "card.json").unlink(), "card.json is missing"),
        (lambda f: recarded(f, sha256="0" * 64), "is not the file of its card: their sha256 differ"),
        (lambda f: recarded(f, versions=versions() | {"scikit-learn": "1.2.2"}), "was trained with scikit-learn 1.2.2, and here is"),
        (lambda f: recarded(f, versions=versions() | {"scikit-learn": "2.9.0"}), "train it again, or install scikit-learn 2.9.0"),
        (lambda f: recarded(f, versions={}), "was trained with scikit-learn an unknown version"),
    ],
    ids=["a byte", "no file", "no card", "another hash", "an older version", "a newer version", "no version"],
)
def test_a_model_that_cannot_be_trusted_is_refused(model: Model, tmp_path: Path, change: Callable[[Path], Any], said: str) -> None:
    folder = model.save(tmp_path / "one")
    change(folder)
    with pytest.raises(ModelError) as caught:
        Model.load(folder)
    assert said in str(caught.value)


def test_another_patch_of_the_same_version_is_taken(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "one")
    major, minor = versions()["scikit-learn"].split(".")[:2]
    recarded(folder, versions=versions() | {"scikit-learn": f"{major}.{minor}.99", "numpy": "1.0"})
    assert Model.load(folder).sha256 == model.sha256


def test_the_hash_is_looked_at_before_the_file_is_opened(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model.save(tmp_path / "one")
    (folder / "model.skops").write_bytes(b"no zip")
    monkeypatch.setattr("workbench.models._model.loaded", lambda data, source: pytest.fail("it was opened"))
    with pytest.raises(ModelError, match="their sha256 differ"):
        Model.load(folder)
