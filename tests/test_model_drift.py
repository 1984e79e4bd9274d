"""Drift against the rows that a model was trained on."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from trained import FEATURES, bars, trained

from workbench import features
from workbench.errors import ModelError
from workbench.models import Card, drift
from workbench.models._card import POINTS, quantiles
from workbench.models._drift import _stability

RNG = np.random.Generator(np.random.PCG64(5))
THEN = RNG.normal(size=4_000)


def card(**seen: np.ndarray) -> Card:
    """Return a card of a model with these features."""
    plain = trained("logistic").trained.card
    columns = tuple(plain.features[0]._replace(name=name) for name in seen)
    made = {name: getattr(plain, name) for name in Card.__dataclass_fields__}
    return Card(**made | {"features": columns, "quantiles": {name: quantiles(values) for name, values in seen.items()}})


def verdict(now: np.ndarray, then: np.ndarray = THEN) -> str:
    return str(drift(card(x=then), pd.DataFrame({"x": now})).loc["x", "verdict"])


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (RNG.normal(size=500), "stable"),
        (RNG.normal(0.35, 1, 2_000), "drifting"),
        (RNG.normal(1.0, 1, 500), "drifted"),
        (RNG.normal(0, 2.5, 500), "drifted"),
        (RNG.normal(5, 1, 99), "too few rows"),
        (np.full(500, np.nan), "too few rows"),
    ],
    ids=["the same", "a small shift", "a large shift", "wider", "99 rows", "nothing known"],
)
def test_a_shift_has_a_verdict(now: np.ndarray, expected: str) -> None:
    assert verdict(now) == expected


def test_the_same_market_is_rarely_said_to_drift() -> None:
    said = [verdict(np.random.default_rng(seed).normal(size=150)) for seed in range(60)]
    assert said.count("stable") >= 58


@pytest.mark.parametrize("wrong", [0.0, 3.0], ids=["the usual value", "a value never seen"])
def test_a_feature_of_few_values_is_compared_value_by_value(wrong: float) -> None:
    then = np.repeat([-1.0, 0.0, 1.0], [250, 500, 250])
    assert verdict(RNG.permutation(then)[:300], then) == "stable"
    assert verdict(np.full(300, wrong), then) == "drifted"


def test_the_index_is_what_one_works_out_by_hand() -> None:
    then = np.repeat([0.0, 1.0], [50, 50])
    now = np.repeat([0.0, 1.0], [20, 80])
    expected = (0.2 - 0.5) * math.log(0.2 / 0.5) + (0.8 - 0.5) * math.log(0.8 / 0.5)
    assert _stability(then, now) == pytest.approx(expected, rel=1e-12)


def test_quantiles_are_values_that_were_seen() -> None:
    held = quantiles(np.arange(1_000.0))
    assert (len(held), held[0], held[-1]) == (POINTS, 4.0, 994.0)


def test_features_and_predictions_of_a_signal_are_compared() -> None:
    signal = trained("logistic")
    table = features.table(FEATURES, bars()).dropna()
    said = signal.trained.predict(table)[:, 1]
    found = drift(signal.trained.card, table, said)
    assert found.index.tolist() == ["returns_2", "mean_distance_5", "range_position_10", "prediction"]
    assert found["rows"].tolist() == [len(table)] * 4
    assert set(found["verdict"]) == {"stable"}
    shifted = drift(signal.trained.card, table + 5.0)
    assert set(shifted["verdict"]) == {"drifted"}


def test_a_table_without_a_feature_is_refused() -> None:
    with pytest.raises(ModelError, match="drift needs all features of the model, returns_2, range_position_10 missing"):
        drift(trained("logistic").trained.card, pd.DataFrame({"mean_distance_5": [1.0]}))
