"""A value is judged by the annotation of its parameter."""

from __future__ import annotations

import math
import types
from typing import Any

import numpy as np
import pytest
from component_samples import Cross, MaxLeverage, Side, Signal, Typed

from workbench.component import Component
from workbench.errors import ParameterError

FITTING = [
    ("number", 2),
    ("number", np.float32(2)),
    ("number", np.int64(2)),
    ("number", math.inf),
    ("count", np.int64(4)),
    ("flag", np.True_),
    ("name", np.str_("b")),
    ("kind", 1),
    ("maybe", None),
    ("maybe", 4),
    ("part", Cross()),
    ("part", None),
    ("parts", [Cross(), Signal()]),
    ("parts", (Cross(),)),
    ("table", {"EUR": 1}),
    ("pair", (2, "b")),
    ("side", Side.SELL),
    ("unknown", object()),
    ("anything", math.nan),
    ("frame", "not judged"),
]

REFUSED = [
    ("number", "2", r"^Typed.number must be float, got '2' \(str\)$"),
    ("number", True, r"must be float, got True \(bool\)"),
    ("number", math.nan, r"must be float, got nan \(no number\)$"),
    ("number", np.float64("nan"), r"must be float, got nan \(no number\)$"),
    ("number", None, "must be float, got None"),
    ("count", 2.0, r"must be int, got 2.0 \(float\)"),
    ("count", True, "must be int, got True"),
    ("flag", 1, "must be bool, got 1"),
    ("name", 3, "must be str, got 3"),
    ("kind", "b", r"^Typed.kind must be 'a' or 1, got 'b' \(str\)$"),
    ("kind", "A", r"must be 'a' or 1, got 'A' \(str\); did you mean 'a'\?$"),
    ("kind", True, "got True"),
    ("maybe", "4", r"must be int \| None, got '4'"),
    ("part", MaxLeverage(), r"must be Signal \| None, got MaxLeverage\(limit=3.0\)"),
    ("part", Cross, r"got the class Cross; write Cross\(...\) to make one"),
    ("parts", [Cross(), 3], r"must be Sequence\[Signal\], got 3 \(int\) at position 1"),
    ("parts", Cross(), "must be Sequence"),
    ("parts", "cross", "must be Sequence"),
    ("table", {"EUR": "1"}, "must be dict"),
    ("table", [1.0], "must be dict"),
    ("pair", (1, 2), "must be tuple"),
    ("pair", (1,), "must be tuple"),
    ("side", "buy", "must be Side, got 'buy'"),
]


@pytest.mark.parametrize(("name", "value"), FITTING)
def test_value_that_fits(name: str, value: Any) -> None:
    assert getattr(Typed(**{name: value}), name) is value


@pytest.mark.parametrize(("name", "value", "words"), REFUSED)
def test_value_that_does_not_fit(name: str, value: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Typed(**{name: value})


def test_annotations_as_objects_are_judged_too() -> None:
    cls = types.new_class(
        "Plain", (Component,), exec_body=lambda body: body.update(__annotations__={"n": int, "xs": list[float]}, n=1, xs=())
    )
    with pytest.raises(ParameterError, match=r"^Plain.n must be int, got 'x' \(str\)$"):
        cls(n="x")
    with pytest.raises(ParameterError, match=r"must be list\[float\], got nan \(no number\) at position 1"):
        cls(xs=[1.0, math.nan])


def test_setting_an_attribute_is_judged_too() -> None:
    part = Cross()
    with pytest.raises(ParameterError, match=r"Cross.fast must be int, got 'x'"):
        part.fast = "x"  # type: ignore[assignment]
    assert part.fast == 10


def test_check_runs_at_the_end_of_construction() -> None:
    with pytest.raises(ParameterError, match="fast must be below slow, got 60 and 50"):
        Cross(fast=60)
