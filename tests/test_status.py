"""How a run stands, as a line of HTML: mode, gate, equity, positions, times in UTC and on the wall."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from workbench.live.status import COLOURS, ENDED, PAPER, SIMULATED, badge, clock, line, moment, status_html, table

NOON = 1_704_110_400_000_000_000  # 2024-01-01 12:00 UTC
STATUS = {
    "run": "r",
    "pid": 7,
    "gate": "",
    "over": "",
    "mode": "RUNNING",
    "steps": 1234,
    "label": NOON,
    "arrived": NOON,
    "currency": "USD",
    "equity": 1_234_567.891,
    "cash": 5.0,
    "positions": {"ABC": {"quantity": 12_000.0}, "XYZ": {"quantity": -0.00001}},
    "working": [{}, {}, {}],
    "doubtful": 0,
    "late": {},
}


class Text(HTMLParser):
    """The text of a page, and whether its tags are closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def shown(status: dict[str, Any]) -> str:
    """Return what a person reads."""
    return " ".join("".join(Text(status_html(status)).words).split())


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """Set the machine's time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


# -- the status -------------------------------------------------------------------------------------------------------


def test_it_says_what_a_person_wants_to_know() -> None:
    text = shown(STATUS)
    assert text.startswith("PAPERRUNNING")
    for words in ("steps 1,234", "bar 2024-01-01 12:00 UTC", "equity 1,234,567.89 USD", "positions ABC 12,000, XYZ -1e-05", "orders out 3"):
        assert words in text


def test_what_is_not_the_case_is_not_shown() -> None:
    text = shown(STATUS)
    assert "gate" not in text
    assert "ended" not in text
    assert "GATE" not in text


@pytest.mark.parametrize("mode", COLOURS)
def test_each_mode_has_its_badge_beside_that_of_paper(mode: str) -> None:
    page = status_html(STATUS | {"mode": mode})
    assert badge("PAPER", PAPER) + badge(mode, COLOURS[mode]) in page


@pytest.mark.parametrize("colour", [*COLOURS.values(), PAPER, SIMULATED, ENDED])
def test_white_words_can_be_read_on_each_badge(colour: str) -> None:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (((part + 0.055) / 1.055) ** 2.4 for part in parts)  # WCAG 2
    assert 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


def test_each_mode_has_a_colour_of_its_own() -> None:
    assert len({*COLOURS.values(), PAPER, SIMULATED, ENDED}) == len(COLOURS) + 3


def test_no_mode_but_running_is_green_and_only_halted_is_red() -> None:
    assert {mode for mode, colour in COLOURS.items() if colour == COLOURS["RUNNING"]} == {"RUNNING"}
    assert {mode for mode, colour in COLOURS.items() if colour == COLOURS["HALTED"]} == {"HALTED"}


def test_a_shut_gate_is_shown_with_its_reason() -> None:
    gate = "reconcile: ABC: the venue holds 7, we know of 0"
    text = shown(STATUS | {"gate": gate})
    assert text.startswith("PAPERRUNNINGGATE")
    assert f"gate {gate}" in text


def test_the_end_is_shown_with_its_reason() -> None:
    text = shown(STATUS | {"over": "stopped by the panel"})
    assert text.startswith("PAPERENDEDwas RUNNING")
    assert text.endswith("ended stopped by the panel")


def test_a_run_that_has_ended_is_not_shown_in_the_colour_of_one_that_runs() -> None:
    page = status_html(STATUS | {"over": "stopped by the panel", "gate": "no connection"})
    assert badge("ENDED", ENDED) in page
    assert COLOURS["RUNNING"] not in page
    assert "GATE" not in page


def test_missed_steps_and_a_simulated_market_are_told() -> None:
    text = shown(STATUS | {"missed": 95, "simulated": True})
    assert text.startswith("PAPERSIMULATEDRUNNING")
    assert "steps 1,234 + 95 missed" in text
    assert "missed" not in shown(STATUS | {"missed": 0})


def test_what_models_refuse_and_what_drifts_is_shown() -> None:
    model = {
        "model": "Classifier 0f3a",
        "refused": {"ABC": "the model expired at <2024>"},
        "reasons": {},
        "asked": 5,
        "drifted": {"rsi_14": 0.4},
    }
    text = shown(STATUS | {"models": [model]})
    assert "models Classifier 0f3a predicts nothing of ABC: the model expired at <2024> (0 of 5 live bars); Classifier 0f3a: rsi_14" in text
    assert "models" not in shown(STATUS | {"models": []})


def test_orders_in_doubt_are_shown() -> None:
    assert "orders out 3in doubt 2" in shown(STATUS | {"doubtful": 2})
    assert "orders out 3late XYZ 2 bars" in shown(STATUS | {"late": {"XYZ": 2}})
    assert "doubt" not in shown(STATUS)


def test_no_position_is_flat() -> None:
    assert "positions flat" in shown(STATUS | {"positions": {}})


@pytest.mark.parametrize(
    ("gate", "over", "said"),
    [("connecting", "", " connecting"), ("", "", " starting"), ("connecting", "stopped by me", "ENDED stopped by me")],
)
def test_a_run_that_has_not_begun_says_what_it_waits_for(gate: str, over: str, said: str) -> None:
    assert shown({"run": "r", "pid": 7, "gate": gate, "over": over}) == f"PAPER{said}"


@pytest.mark.parametrize("field", ["gate", "over", "currency"])
def test_text_from_outside_is_no_markup(field: str) -> None:
    page = status_html(STATUS | {field: "<script>alert(1)</script>&"})
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in page


def test_a_symbol_is_no_markup_either() -> None:
    assert "<b>BOLD</b>" not in status_html(STATUS | {"positions": {"<b>BOLD</b>": {"quantity": 1.0}}})


def test_it_reads_on_light_and_dark_pages() -> None:
    # no colour of text or page is set but on the badges' own ground
    page = status_html(STATUS)
    assert len(re.findall(r"[;\"']color:", page)) == page.count("background:#")


# -- lines and tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "width"), [(0.0, "width:0.0%"), (0.256, "width:25.6%"), (1.0, "width:100.0%")])
def test_progress_is_a_bar(share: float, width: str) -> None:
    page = line({"step": "1"}, "", share)
    assert width in page
    Text(page)


def test_there_is_no_bar_where_there_is_no_end() -> None:
    assert "width:" not in line({"step": "1"}, "")


def test_a_table_has_a_row_for_each_line() -> None:
    page = table({"run": "mine & yours", "symbols": "<A>"})
    assert Text(page).words == ["run", "mine & yours", "symbols", "<A>"]
    assert page.count("<tr>") == 2


# -- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2024-01-01 12:00 UTC"),
        ("Europe/Berlin", "2024-01-01 12:00 UTC (13:00 CET)"),
        ("America/New_York", "2024-01-01 12:00 UTC (07:00 EST)"),
    ],
    indirect=["zone"],
)
def test_a_bar_is_told_in_utc_and_as_the_clock_on_the_wall_has_it(zone: str, expected: str) -> None:
    assert clock(NOON) == expected


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_a_moment_has_its_seconds_and_summer_time(zone: str) -> None:
    assert moment(1_720_000_000.0) == "2024-07-03 09:46:40 UTC (local time 2024-07-03 11:46:40 CEST)"


@pytest.mark.parametrize(("label", "expected"), [(0, "-"), (-3_600_000_000_000, "1969-12-31 23:00 UTC")])
@pytest.mark.parametrize("zone", ["UTC"], indirect=True)
def test_no_bar_yet_and_bars_of_long_ago(zone: str, label: int, expected: str) -> None:
    assert clock(label) == expected
