"""What a class statement may not do: every trap seen with dataclasses and scikit-learn's BaseEstimator."""

from __future__ import annotations

import dataclasses
import types
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from component_samples import Cross, Signal, Whole
from sklearn.linear_model import LogisticRegression

from workbench.component import Component
from workbench.errors import ParameterError
from workbench.exits import Exit


@pytest.mark.parametrize(
    "default",
    [[1], {"a": 1}, {1}, np.ones(2), pd.Series([1.0]), Cross(), LogisticRegression(), (Cross(),), field(default=Cross())],
    ids=lambda value: type(value).__name__,
)
def test_shared_default_is_refused(default: Any) -> None:
    with pytest.raises(ParameterError, match=r"Bad.x: one \w+ as a default would be shared by every Bad; write .*default_factory"):
        types.new_class("Bad", (Component,), exec_body=lambda body: body.update(__annotations__={"x": Any}, x=default))


def test_default_factory_is_not_shared() -> None:
    assert Whole().signal is not Whole().signal
    assert Whole().risk is not Whole().risk


def test_slots_are_refused() -> None:
    with pytest.raises(ParameterError, match="Slotted has __slots__, which breaks pickling"):

        @dataclass(slots=True, eq=False)
        class Slotted(Component):
            x: int = 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Decorated is decorated with @dataclass, which breaks hashing and =="),
        ({"eq": False}, "which breaks repr"),
        ({"frozen": True}, "which breaks set_params"),
    ],
    ids=["plain", "eq=False", "frozen"],
)
def test_dataclass_decorator_is_detected(options: dict[str, Any], words: str) -> None:
    class Decorated(Component):
        x: int = 1

    decorated: Any = dataclass(**options)(Decorated)
    with pytest.raises(ParameterError, match=words):
        decorated()


def test_dataclass_decorator_on_a_base_is_detected_in_the_subclass() -> None:
    @dataclass
    class Decorated(Component):
        x: int = 1

    with pytest.raises(ParameterError, match="Decorated is decorated"):

        class Below(Decorated):
            y: int = 2


def test_frozen_below_another_part_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="cannot inherit frozen dataclass from a non-frozen one"):

        @dataclass(frozen=True)
        class Frozen(Cross):
            z: int = 1


def test_own_init_is_refused() -> None:
    with pytest.raises(ParameterError, match="Own writes its own __init__; write each parameter as a typed field"):

        class Own(Component):
            def __init__(self) -> None:
                pass


def test_parameter_changed_in_post_init_is_refused() -> None:
    class Copying(Component):
        values: list[int] = field(default_factory=list)

        def __post_init__(self) -> None:
            self.values = list(self.values)

    with pytest.raises(ParameterError, match="Copying changes its parameter 'values' while it is built"):
        Copying([1])


def test_untyped_override_of_a_parameter_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"Faster.fast: Cross has a parameter of this name; give it its type again"):

        class Faster(Cross):
            fast = 3


def test_typed_override_of_a_parameter_and_of_a_property_works() -> None:
    class Faster(Cross):
        fast: int = 3
        lookback: int = 7

    assert Faster().get_params() == {"fast": 3, "slow": 50, "lookback": 7}


@pytest.mark.parametrize(
    ("annotations", "names", "words"),
    [
        ({"check": bool}, {"check": True}, r"would hide the method check\(\)"),
        ({"a__b": int}, {"a__b": 1}, "'__' separates nested names"),
        ({"lookback": int}, {}, "takes the place of a property; give the parameter a default"),
        ({"x": int}, {"x": property(lambda self: 1)}, "is both a typed parameter and a property"),
        ({"x": "InitVar[int]"}, {"x": 1}, "is an InitVar, which is not kept"),
        ({"x": dataclasses.InitVar[int]}, {"x": 1}, "is an InitVar, which is not kept"),
        ({"a": int, "b": int}, {"a": 1}, "non-default argument 'b' follows default argument.*write parameters without a default first"),
    ],
)
def test_parameter_that_cannot_be_one_is_refused(annotations: dict[str, Any], names: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        types.new_class("Bad", (Signal,), exec_body=lambda body: body.update(__annotations__=annotations, **names))


def test_abstract_parts_cannot_be_made() -> None:
    class Port(Component):
        @abstractmethod
        def generate(self) -> int: ...

    with pytest.raises(TypeError, match="abstract"):
        Port()  # type: ignore[abstract]


@pytest.mark.parametrize("value", [200, 0.5, "mean", None, (1, 2), True], ids=repr)
def test_a_value_without_a_type_is_no_parameter_and_refused(value: object) -> None:
    with pytest.raises(ParameterError, match=r"Own[.]window has no type, so it would be no parameter: write window: "):
        type("Own", (Component,), {"window": value})


def test_constants_in_capitals_state_and_what_a_base_has_need_no_type() -> None:
    class Own(Exit):
        WINDOWS = (1, 2)
        _seen = 0
        model_ = None
        kind = "target"

        def distance(self, bars: Any) -> Any:
            return bars.close

    assert Own().get_params() == {}
