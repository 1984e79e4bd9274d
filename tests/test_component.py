"""A component's parameters, `set_params`, identity, and how the shipped ones are found."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
import types
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from component_samples import Cross, Limit, MaxLeverage, Model, Whole, stand_in_room, whole
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from workbench import component as component_module
from workbench.component import Component, all_components
from workbench.errors import ParameterError


def test_fields_are_parameters_and_plain_attributes_are_not() -> None:
    assert Cross().get_params() == {"fast": 10, "slow": 50}
    assert Cross(5).fast == 5
    assert Cross.SCALE == 2


def test_parameters_are_stored_by_identity() -> None:
    data, limits = pd.Series([1.0]), [MaxLeverage()]
    part = Whole(risk=limits, extra=data)
    assert part.extra is data
    assert part.risk is limits


def test_get_params_is_nested_with_names_for_parts_in_lists() -> None:
    part = whole()
    params = part.get_params()
    assert params["signal__fast"] == 5
    assert params["risk__maxleverage"] is part.risk[1]
    assert params["risk__maxexposure__limit"] == 0.5
    assert params["risk__maxexposure_2__limit"] == 0.8
    assert list(part.get_params(deep=False)) == ["signal", "risk", "note", "extra"]


def test_get_params_names_parts_in_tuples_dicts_and_estimators() -> None:
    part = Whole(extra={"trend": Cross(), "model": LogisticRegression(C=2.0), "n": 1})
    assert part.get_params()["extra__trend__slow"] == 50
    assert part.get_params()["extra__model__C"] == 2.0
    assert Whole(extra=(Cross(),)).get_params()["extra__cross__fast"] == 10


def test_unknown_parameter_says_did_you_mean() -> None:
    with pytest.raises(ParameterError, match=r"^Cross has no parameter 'fsat'; did you mean 'fast'\?$"):
        Cross(fsat=3)  # type: ignore[call-arg]


def test_attribute_typo_is_refused_in_the_same_words() -> None:
    part = Cross()
    with pytest.raises(ParameterError, match=r"^Cross has no parameter 'fsat'; did you mean 'fast'\?$"):
        part.fsat = 3  # type: ignore[attr-defined]
    assert "fsat" not in vars(part)


def test_state_class_attributes_and_properties_may_be_set() -> None:
    class Gauge(Cross):
        @property
        def level(self) -> int:
            return self._level

        @level.setter
        def level(self, value: int) -> None:
            self._level = value

    part = Gauge()
    part.level, part.model_ = 4, "fitted"
    assert (part.level, part.model_) == (4, "fitted")
    assert list(part.get_params()) == ["fast", "slow"]


def test_annotated_state_is_no_parameter() -> None:
    class Fitted(Component):
        window: int = 3
        model_: LogisticRegression
        _cache: dict[str, int] = field(default_factory=dict)
        kind: ClassVar[str] = "fitted"

    assert Fitted().get_params() == {"window": 3}
    assert Fitted()._cache == {}
    assert Fitted()._cache is not Fitted()._cache
    with pytest.raises(ParameterError, match="no parameter '_cache'"):
        Fitted(_cache={})  # type: ignore[call-arg]


def test_missing_parameter_is_named() -> None:
    with pytest.raises(ParameterError, match=r"^Limit needs the parameter 'limit', which has no default$"):
        Limit()  # type: ignore[call-arg]


def test_too_many_and_doubled_values_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"at most 2 parameters by position \(fast, slow\), got 3"):
        Cross(1, 2, 3)  # type: ignore[call-arg]
    with pytest.raises(ParameterError, match="two values for the parameter 'fast'"):
        Cross(1, fast=2)  # type: ignore[misc]


def test_keyword_only_parameters() -> None:
    class Named(Component):
        a: int = 1
        _: dataclasses.KW_ONLY
        b: int = 2

    assert Named(3, b=4).get_params() == {"a": 3, "b": 4}
    with pytest.raises(ParameterError, match="at most 1"):
        Named(3, 4)  # type: ignore[misc]


def test_set_params_reaches_nested_parts_and_lists() -> None:
    part = whole()
    assert part.set_params(signal__fast=7, risk__maxexposure_2__limit=0.9, note="n") is part
    assert (part.signal.fast, part.risk[2].limit, part.note) == (7, 0.9, "n")  # type: ignore[attr-defined]


def test_set_params_replaces_a_part_in_a_new_list() -> None:
    part = whole()
    given, limits = MaxLeverage(9.0), part.risk
    before = list(limits)
    part.set_params(risk__maxleverage=given, risk__maxexposure__limit=0.1)
    assert part.risk[1] is given
    assert part.risk[0].limit == 0.1
    assert limits == before


def test_set_params_sets_a_new_part_before_its_parameters() -> None:
    part = Whole().set_params(signal__fast=3, signal=Cross(1, 9))
    assert part.signal.get_params() == {"fast": 3, "slow": 9}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"note": "x", "signal__fsat": 1}, "Cross has no parameter 'fsat'; did you mean 'fast'"),
        ({"note": "x", "signl__fast": 1}, "Whole has no parameter 'signl'; did you mean 'signal'"),
        ({"note": "x", "signal__fast": 60}, "fast must be below slow, got 60 and 20"),
        ({"signal__fast": 6, "note": "refused"}, "this note is refused"),
        ({"note": "x", "risk__maxlevrage__limit": 1.0}, "Whole.risk holds no part 'maxlevrage'; did you mean 'maxleverage'"),
        ({"signal__fast": 6, "risk__maxleverage__limit": math.nan}, "must be float, got nan"),
        ({"note": "x", "risk__maxleverage": 3}, "at position 1"),
        ({"note": "x", "extra__C": 3}, "holds no part 'C'"),
    ],
)
def test_failed_set_params_changes_nothing(params: dict[str, Any], words: str) -> None:
    part = whole()
    before, text = part.get_params(), repr(part)
    with pytest.raises(ParameterError, match=words):
        part.set_params(**params)
    assert repr(part) == text
    assert all(value is before[name] for name, value in part.get_params().items())


def test_failed_set_params_leaves_a_nested_estimator_and_a_given_part_alone() -> None:
    part, given = Model(), Cross(5, 20)
    with pytest.raises(ValueError, match="Invalid parameter"):
        part.set_params(estimator__C=7.0, estimator__nothing=1)
    assert part.estimator.C == 1.0
    with pytest.raises(ParameterError):
        whole().set_params(signal=given, signal__fast=99)
    assert given.fast == 5


def test_set_params_repairs_a_part_that_was_broken_by_hand() -> None:
    part = Cross()
    part.fast = 90
    assert part.set_params(fast=3).fast == 3


def test_parts_are_equal_and_hashed_by_identity_even_with_arrays() -> None:
    one, other = Whole(extra=np.ones(3)), Whole(extra=np.ones(3))
    assert one != other
    assert len({one, other, one}) == 2


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """Return a stand-in room of the package, with a public module over a private one."""
    return stand_in_room(monkeypatch)


def test_all_components_finds_the_public_ones(shipped: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component_module, "_import_rooms", lambda: None)
    found = all_components()
    assert {"Trend", "Other"} <= {cls.__name__ for cls in found}
    assert not {"_Base", "Cross", "Component"} & {cls.__name__ for cls in found}
    assert all_components(shipped.Trend) == [shipped.Other]


def test_all_components_imports_the_rooms() -> None:
    code = "from workbench.component import all_components; print(*[cls.__name__ for cls in all_components()])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert {"MovingAverageCross", "Breakout", "AllAgree", "Majority"} <= set(done.stdout.split())
    assert not {"SignalGenerator", "RiskManager", "PositionSizer"} & set(done.stdout.split())


def test_component_is_quick_to_import() -> None:
    code = (
        "import sys, workbench.component, workbench.component_text; print([m for m in ('numpy', 'pandas', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_base_estimator_is_not_a_base() -> None:
    assert not isinstance(Cross(), BaseEstimator)


def test_a_constant_cannot_be_set_on_one_part() -> None:
    with pytest.raises(ParameterError, match="SCALE belongs to the class and is no parameter"):
        Cross().SCALE = 3
