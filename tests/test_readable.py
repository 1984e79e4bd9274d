"""Tables for the eye: decimals that line up, texts that begin below their header, nothing that a browser could run."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.research.readable import LAST, NUMBER, TEXT, WORD, as_html, as_text, decimals, money_decimals, time_format

REASON = "RiskPercent asks for 18.7009; MaxLeverage: 18.7009 -> 13.2563"
FRAME = pd.DataFrame(
    {
        "time": pd.to_datetime(["2024-01-02", "2024-01-03"], utc=True),
        "side": ["buy", "sell"],
        "entry_price": [941.33, 1020.5],
        "profit": [1234.5, -0.001],
        "reason": [REASON, "closed"],
    }
)


def cells(page: str, tag: str) -> list[tuple[str, str]]:
    return re.findall(rf"<{tag} style='([^']*)'>([^<]*)</{tag}>", page)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1229.22998046875, 941.5], 2),
        ([1.10345, 1.1], 5),
        ([42123.45, 40000.0], 1),
        ([3.0, 250.0, -1.0], 0),
        ([9.86, 12.5, 100.0], 2),
        ([0.001, 250.0], 3),
        ([0.00001, 5000.0], 5),
        ([np.nan, 0.0, 1e-17], 0),
        ([], 0),
    ],
    ids=["prices", "pairs", "six digits", "whole", "quantities", "small steps", "nothing shown as nothing", "dust", "none"],
)
def test_a_column_has_as_many_decimals_as_it_needs(values: list[float], expected: int) -> None:
    assert decimals(values) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1234.5678, 0.1234], 2), ([1.0, 1.0], 2), ([0.000512, -0.01], 6), ([0.25, 0.5], 2), ([np.nan], 2)],
    ids=["usual", "whole", "coins", "cents", "none"],
)
def test_money_has_two_decimals_and_coins_up_to_six(values: list[float], expected: int) -> None:
    assert money_decimals(values) == expected


def test_an_account_in_coins_shows_its_equity() -> None:
    shown = as_text(pd.DataFrame({"equity": [10.0, 10.123456], "fee": [0.0, 0.000512]}))
    assert shown["equity"].tolist() == ["10.000000", "10.123456"]
    assert shown["fee"].tolist() == ["0.000000", "0.000512"]
    assert as_text(pd.DataFrame({"equity": [50_000.123456]}))["equity"].tolist() == ["50,000.12"]


def test_cells_are_at_a_precision_that_a_person_reads() -> None:
    shown = as_text(FRAME.assign(steps=[1_500, 2], exit_price=[np.nan, 1.5], **{"return": [0.01234, -0.5]}))
    assert shown.iloc[0].tolist() == ["2024-01-02", "buy", "941.33", "1,234.50", REASON, "1,500", "", "1.23%"]
    assert shown["profit"].tolist() == ["1,234.50", "0.00"]
    assert shown.columns[2] == "entry price"


def test_decimal_points_line_up() -> None:
    shown = as_text(pd.DataFrame({"price": [1.1, 1.10345, 0.9]}))["price"]
    assert {len(text.partition(".")[2]) for text in shown} == {5}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["2024-01-02", None], "%Y-%m-%d"),
        (["2024-01-02 00:00", "2024-01-02 09:30"], "%Y-%m-%d %H:%M"),
        (["2024-01-02 09:30:15"], "%Y-%m-%d %H:%M:%S"),
    ],
)
def test_times_are_as_short_as_they_can_be(times: list[str | None], expected: str) -> None:
    assert time_format(pd.to_datetime(times, utc=True)) == expected


def test_texts_are_left_and_numbers_right_with_their_headers() -> None:
    page = as_html(FRAME)
    looks = [WORD, WORD, NUMBER, NUMBER, LAST]
    assert [look for look, _ in cells(page, "th")] == looks
    assert [look for look, _ in cells(page, "td")] == looks * 2
    assert "text-align:right" in NUMBER
    assert all("text-align:left" in look for look in (WORD, TEXT, LAST))


def test_a_sentence_is_wrapped_and_has_room() -> None:
    assert "white-space:normal" in TEXT
    assert "min-width:18rem" in TEXT
    assert "tabular-nums" in as_html(FRAME)
    looks = [look for look, _ in cells(as_html(FRAME[["reason", "side", "profit"]]), "th")]
    assert looks == [TEXT, WORD, NUMBER]


def test_the_last_column_wraps_before_the_page_has_to_be_scrolled() -> None:
    assert "white-space:normal" in LAST
    narrow, wide = (float(look.partition("min-width:")[2].removesuffix("rem")) for look in (LAST, TEXT))
    assert narrow < wide / 2
    assert [look for look, _ in cells(as_html(FRAME[["profit", "reason"]]), "td")] == [NUMBER, LAST] * 2


def test_an_empty_table_says_so() -> None:
    page = wb.Readable(FRAME.iloc[:0])._repr_html_()
    assert "colspan='5'" in page
    assert ">none<" in page


def test_what_a_user_wrote_is_escaped() -> None:
    assert "<b>" not in as_html(pd.DataFrame({"<b>": ["<script>"]}))
    assert "&lt;script&gt;" in as_html(pd.DataFrame({"name": ["<script>"]}))


def test_in_a_terminal_it_is_a_table_too() -> None:
    lines = repr(wb.Readable(FRAME[["side", "entry_price", "reason"]])).splitlines()
    assert lines == ["side  entry price  reason", f"buy        941.33  {REASON}", "sell     1,020.50  closed"]
