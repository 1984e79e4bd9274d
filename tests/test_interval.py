"""How bar intervals are written, and how long they are."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.interval import DAY, canonical, nanoseconds


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1min", "1min"), ("5m", "5min"), ("15t", "15min"), ("h", "1h"), ("4H", "4h"), ("1d", "1D"), ("D", "1D"),
        (" 5 min ", "5min"), ("30s", "30s"), ("30S", "30s"), ("90min", "90min"),
        ("60min", "1h"), ("60s", "1min"), ("3600s", "1h"), ("120m", "2h"), ("1440min", "1D"), ("24h", "1D"),
        ("36h", "36h"), ("7D", "7D"), ("168h", "7D"),
    ],
)  # fmt: skip
def test_an_interval_is_written_in_one_way(written: str, expected: str) -> None:
    assert canonical(written) == expected


@given(st.integers(1, 10_000), st.sampled_from(["s", "min", "h", "D"]))
def test_the_length_is_what_pandas_says(count: int, unit: str) -> None:
    written = f"{count}{unit}"
    assert nanoseconds(written) == pd.Timedelta(written).value
    assert nanoseconds(canonical(written)) == nanoseconds(written)


@given(st.integers(1, 10_000), st.sampled_from(["s", "min", "h", "D"]), st.integers(1, 10_000), st.sampled_from(["s", "min", "h", "D"]))
def test_two_intervals_are_written_alike_where_they_are_as_long(count: int, unit: str, other: int, second: str) -> None:
    left, right = f"{count}{unit}", f"{other}{second}"
    assert (canonical(left) == canonical(right)) == (nanoseconds(left) == nanoseconds(right))
    assert canonical(canonical(left)) == canonical(left)


def test_a_day_is_a_day() -> None:
    assert nanoseconds("1D") == nanoseconds("24h") == DAY == 86_400 * 10**9


@pytest.mark.parametrize(
    "wrong", ["", "5", "15T", "min5", "5 weeks", "1M", "-1min", "0min", "0h", "1.5h", "1h30min", None, 5, pd.Timedelta("1h")]
)
def test_anything_else_is_refused_with_what_came(wrong: object) -> None:
    with pytest.raises(DataError, match=r"interval must look like '1min', '5min', '1h' or '1D' \(a week is '7D'\), got") as caught:
        canonical(wrong)  # type: ignore[arg-type]
    assert repr(wrong) in str(caught.value)


@pytest.mark.parametrize("written", ["00min", "000h"])
def test_no_length_is_refused_however_it_is_written(written: str) -> None:
    with pytest.raises(DataError, match="interval must look like"):
        canonical(written)


def test_leading_zeros_go() -> None:
    assert canonical("05min") == "5min"
