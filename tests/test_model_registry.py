"""The registry: who is champion follows from the log alone, and nothing in it is half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from trained import trained

from workbench.errors import ModelError
from workbench.models import Model, Registry


def variant(number: int) -> Model:
    """Return a model that differs from the others by its card."""
    return trained("logistic").trained.noted(trials=number, scores={"auc": 0.5 + number / 100})


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ModelError) as caught:
        call()
    return str(caught.value)


def test_what_is_registered_challenges_and_what_is_promoted_is_champion(registry: Registry) -> None:
    first, second = variant(1), variant(2)
    assert registry.register(first, "trend", "the first") == registry.challenger("trend") == first
    assert registry.promote("trend", "there was none") == registry.champion("trend") == first
    registry.register(second, "trend")
    assert (registry.champion("trend"), registry.challenger("trend")) == (first, second)


def test_a_roll_back_brings_the_champion_before_back(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.register(variant(number), "trend")
        registry.promote("trend", f"better, {number}")
    assert registry.roll_back("trend", "it lost money") == registry.champion("trend") == variant(2)
    assert registry.roll_back("trend", "so did this") == registry.champion("trend") == variant(1)
    assert "no champion before its present one" in refusal(lambda: registry.roll_back("trend", "again"))
    registry.register(variant(3), "trend")
    assert registry.promote("trend", "mended") == registry.champion("trend") == variant(3)


def test_the_log_says_who_did_what_when_and_why(registry: Registry) -> None:
    registry.register(variant(1), "trend", "from the notebook", who="ann")
    registry.promote("trend", "auc 0.51", who="bob")
    registry.register(variant(2), "carry")
    log = registry.log
    assert log[["act", "name", "who", "why"]].values.tolist()[:2] == [
        ["registered", "trend", "ann", "from the notebook"],
        ["promoted", "trend", "bob", "auc 0.51"],
    ]
    assert log["who"].iloc[2]
    assert log["id"].tolist() == [variant(1).id, variant(1).id, variant(2).id]
    assert all(pd.Timestamp(when).tzinfo is not None for when in log["when"])
    assert registry.names() == ["carry", "trend"]


def test_the_cards_of_a_name_are_a_table(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.register(variant(number), "trend")
        if number < 3:
            registry.promote("trend", "better")
    table = registry.cards("trend")
    assert table["role"].tolist() == ["former champion", "champion", "challenger"]
    assert table["auc"].tolist() == [0.51, 0.52, 0.53]
    assert table.index.tolist() == [variant(number).id for number in (1, 2, 3)]


def test_the_same_model_twice_is_kept_once(registry: Registry) -> None:
    registry.register(variant(1), "trend")
    registry.promote("trend", "good")
    registry.register(variant(1), "trend")
    assert len(registry.cards("trend")) == 1
    assert "has no challenger" in refusal(lambda: registry.challenger("trend"))


def test_another_object_on_the_same_folder_sees_the_same(registry: Registry) -> None:
    registry.register(variant(1), "trend")
    registry.promote("trend", "good")
    assert Registry(registry.folder).champion("trend") == variant(1)


def test_many_at_once_lose_no_act(registry: Registry) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: registry.register(variant(number), "trend"), range(12)))
    assert len(registry.log) == len(registry.cards("trend")) == 12
    assert {path.name for path in registry.folder.iterdir()} <= {".lock", "log.jsonl", "trend"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda r: r.champion("trnd"), "has no model 'trnd'; did you mean 'trend'?"),
        (lambda r: r.champion("trend"), "'trend' has no champion"),
        (lambda r: r.promote("trend", " "), "a model is not promoted without a reason"),
        (
            lambda r: r.register(trained("logistic"), "trend"),
            "a registry keeps trained models, got Classifier: signal.fit(bars, labels).model",
        ),
        (lambda r: r.register(variant(1), "../trend"), "a name is made of letters, digits, - and _, got '../trend'"),
    ],
    ids=["misspelt", "no champion", "no reason", "a signal", "a path"],
)
def test_what_cannot_be_done_gets_a_sentence(registry: Registry, call: Callable[[Registry], object], said: str) -> None:
    registry.register(variant(1), "trend")
    assert said in refusal(lambda: call(registry))
    assert len(registry.log) == 1


def test_a_model_that_was_tampered_with_is_not_promoted(registry: Registry) -> None:
    registry.register(variant(1), "trend")
    file = registry.folder / "trend" / variant(1).id / "model.skops"
    file.write_bytes(file.read_bytes() + b"x")
    assert "is not the file of its card" in refusal(lambda: registry.promote("trend", "good"))
    assert len(registry.log) == 1


def test_a_card_that_was_swapped_is_noticed(registry: Registry) -> None:
    registry.register(variant(1), "trend")
    (registry.folder / "trend" / variant(1).id / "card.json").write_text(variant(2).card.text)
    assert "is named after another card" in refusal(lambda: registry.challenger("trend"))


def test_a_line_of_the_log_that_is_none_is_named(registry: Registry) -> None:
    registry.register(variant(1), "trend")
    with (registry.folder / "log.jsonl").open("a") as log:
        log.write(json.dumps({"act": "promoted"}) + "\n")
    assert "log.jsonl, line 2 is no act of a registry" in refusal(lambda: registry.champion("trend"))
