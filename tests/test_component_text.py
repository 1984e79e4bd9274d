"""Components as text: written, read back, and what is refused on the way."""

from __future__ import annotations

import json
import math
import sys
import types
from typing import Any

import component_samples
import numpy as np
import pandas as pd
import pytest
from component_samples import Cross, Limit, Side, Threshold, Whole, X, Y, stand_in_room, whole
from sklearn.linear_model import LogisticRegression

from workbench.component import Component
from workbench.component_text import from_dict, parts_of, public_path, round_trip, to_dict
from workbench.errors import ParameterError, StrategyError


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return a stand-in room of the package, with a public module over a private one."""
    return stand_in_room(monkeypatch)


def test_text_names_the_shortest_public_path(shipped: types.ModuleType) -> None:
    assert shipped.Trend.__module__ == "workbench.fakes._one"
    assert to_dict(shipped.Trend()) == {"part": "workbench.fakes.Trend", "n": 1, "inner": None, "more": None}


@pytest.mark.parametrize(
    "value",
    [
        math.inf,
        -math.inf,
        (1, (2.5, "x")),
        [1, [2, {"a": (1,)}]],
        {"part": 1, "float": 2.0},
        {"dict": {"tuple": 1}},
        {},
        True,
        "inf",
        np.float64(0.1),
        np.int64(3),
        math.nan,
    ],
    ids=repr,
)
def test_values_survive_the_text(shipped: types.ModuleType, value: Any) -> None:
    back = round_trip(shipped.Trend(more=value, inner=shipped.Other(n=7)))
    assert repr(back) == repr(shipped.Trend(more=value, inner=shipped.Other(n=7)))
    assert json.loads(json.dumps(to_dict(back), allow_nan=False)) == to_dict(back)


@pytest.mark.parametrize(
    "value", [pd.Series([1.0]), np.ones(2), {1: 2}, {1}, object, LogisticRegression(), Side.BUY, b"x"], ids=lambda v: type(v).__name__
)
def test_value_without_text_form_is_named(value: Any) -> None:
    with pytest.raises(StrategyError, match=rf"^Whole.extra\[0\] holds a {type(value).__name__}, which has no text form"):
        to_dict(Whole(extra=[value]))


def test_fitted_part_has_no_text() -> None:
    with pytest.raises(StrategyError, match=r"Threshold has been fitted \(classes_\)"):
        to_dict(Threshold().fit(X, Y))


def test_local_class_has_no_text() -> None:
    class Inner(Component):
        x: int = 1

    with pytest.raises(StrategyError, match="Inner is defined inside a function"):
        to_dict(Inner())


def test_replaced_class_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Cross()
    monkeypatch.setattr(component_samples, "Cross", Limit)
    with pytest.raises(StrategyError, match="does not hold the class Cross any more"):
        to_dict(part)


def test_misspelt_class_says_did_you_mean(shipped: types.ModuleType) -> None:
    with pytest.raises(StrategyError, match=r"^strategy.json names workbench.fakes.Trned, which does not exist; did you mean 'Trend'\?$"):
        from_dict({"part": "workbench.fakes.Trned"})


def test_misspelt_module_says_did_you_mean() -> None:
    with pytest.raises(StrategyError, match=r"workbench.componnt.Component, which does not exist; did you mean 'component'\?"):
        from_dict({"part": "workbench.componnt.Component"})


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("os.system", "only workbench, parts.py and modules that you allow are imported"),
        ("workbenchx.Part", "only workbench"),
        ("parts.Trend", "no parts.py came with it"),
        ("workbench.component.Component.__init__", "no path of a class"),
        ("workbench.__main__.App", "no path of a class"),
        ("workbench.component", "is no part"),
        ("workbench.component.copy.deepcopy", "is no part"),
        ("workbench.errors.ParameterError", "is no part"),
        ("workbench.component.Component()", "no path of a class"),
        ("nowhere.Part", "there is no module 'nowhere'"),
        ("allowed.Part", "there is no module 'allowed'"),
    ],
)
def test_path_that_is_not_loaded(path: str, words: str) -> None:
    with pytest.raises(StrategyError, match=words):
        from_dict({"part": path}, allowed_modules=["nowhere", "allowed"])


def test_user_module_is_imported_only_when_allowed() -> None:
    written = to_dict(Cross(3, 4))
    assert written["part"] == "component_samples.Cross"
    with pytest.raises(StrategyError, match="modules that you allow"):
        from_dict(written)
    assert repr(from_dict(written, allowed_modules=["component_samples"])) == "Cross(fast=3, slow=4)"


def test_parts_come_from_the_local_module_only(monkeypatch: pytest.MonkeyPatch) -> None:
    local = types.ModuleType("parts")
    monkeypatch.setitem(sys.modules, "parts", local)
    exec("from workbench.component import Component\nclass Mine(Component):\n    n: int = 1\n", vars(local))
    assert to_dict(local.Mine(2)) == {"part": "parts.Mine", "n": 2}
    assert repr(from_dict({"part": "parts.Mine", "n": 3}, local_module=local)) == "Mine(n=3)"
    assert repr(round_trip(local.Mine(4))) == "Mine(n=4)"


def test_wrong_parameter_in_text_says_where(shipped: types.ModuleType) -> None:
    inner = {"part": "workbench.fakes.Other", "m": 1}
    with pytest.raises(ParameterError, match="Other has no parameter 'm'") as caught:
        from_dict({"part": "workbench.fakes.Trend", "more": [1, inner]})
    assert caught.value.__notes__[0] == "in strategy.json, more[1]: workbench.fakes.Other"


@pytest.mark.parametrize("data", [[], "x", {}, {"part": 3}])
def test_text_without_a_part_is_refused(data: Any) -> None:
    with pytest.raises(StrategyError, match=r"^strategy.json: expected an object with the path of a part"):
        from_dict(data)


def test_round_trip_of_a_nested_part() -> None:
    assert repr(round_trip(whole())) == repr(whole())
    assert [type(part).__name__ for part in parts_of(whole())] == ["Whole", "Cross", "MaxExposure", "MaxLeverage", "MaxExposure"]


def test_round_trip_notices_a_part_that_changes() -> None:
    part = Whole(extra={"a": 1})
    part.extra = {"a": Strange(1)}
    with pytest.raises(StrategyError, match="Strange"):
        round_trip(part)


class Strange(int):
    pass


def test_public_path_of_a_private_class(shipped: types.ModuleType) -> None:
    assert public_path(sys.modules["workbench.fakes._one"]._Base) == "workbench.fakes._one._Base"
