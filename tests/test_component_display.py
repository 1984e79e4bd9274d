"""The repr is the constructor call, the notebook shows a small table."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from component_samples import Cross, MaxExposure, MaxLeverage, Side, Typed, Whole, whole  # noqa: F401 - the repr names them

from workbench.component import Component
from workbench.component_display import literal


@pytest.mark.parametrize(
    "part",
    [
        Cross(),
        whole(),
        Typed(number=math.inf, count=np.int64(3), parts=(Cross(),), table={"EUR": -math.inf}),
        Whole(extra=[Side.BUY, Cross, len]),
    ],
    ids=["flat", "nested", "odd values", "names"],
)
def test_repr_is_the_constructor_call(part: Component) -> None:
    again = eval(repr(part))
    assert repr(again) == repr(part)
    assert type(again) is type(part)


def test_repr_shows_every_parameter_and_breaks_long_calls() -> None:
    assert repr(Cross(5)) == "Cross(fast=5, slow=50)"
    assert repr(whole()).splitlines()[:2] == ["Whole(", "    signal=Cross(fast=5, slow=20),"]
    assert repr(Whole(extra=[whole()] * 3)).splitlines()[5] == "        Whole("


def test_repr_of_data_is_short() -> None:
    assert literal(np.ones((500, 2))) == "<ndarray of shape (500, 2)>"
    assert "<DataFrame of shape (3, 1)>" in repr(Whole(extra=pd.DataFrame({"a": [1, 2, 3]})))


def test_html_is_a_small_table_without_own_colours() -> None:
    html = Whole(Cross(5, 20), [MaxLeverage()], note="<b>")._repr_html_()
    assert html.count("<tr") == 8
    assert "&lt;b&gt;" in html
    assert "Whole</b>" in html
    assert "Long while fast is above slow" in Cross()._repr_html_()
    assert len(html) < 6000
    assert not [word for word in ("#fff", "#000", "white;", "black") if word in html]


def test_html_indents_nested_parts() -> None:
    html = Whole(Cross(5, 20), [MaxLeverage()])._repr_html_()
    assert {name: int(indent) for indent, name in re.findall(r"2px (\d+)px;[^>]*opacity:.75\">(\w+)<", html)} == {
        "signal": 4,
        "fast": 24,
        "slow": 24,
        "risk": 4,
        "maxleverage": 24,
        "limit": 44,
        "note": 4,
        "extra": 4,
    }


def test_example_is_the_default_instance() -> None:
    assert repr(Cross.example()) == repr(Cross())
