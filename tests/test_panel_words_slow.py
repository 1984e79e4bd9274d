"""Openings that wait for a person's word, answered in the control panel in headless Chromium (SEMANTICS 39)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab, Page, abroad, opened
from watched import Watched, lab_beside, watched

import workbench as wb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SYMBOLS = ("AAA", "BBB", "CCC")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One bar a second, and averages so slow that what waits goes on waiting."""
    strategy = wb.Strategy(
        wb.signals.MovingAverageCross(20, 90), wb.sizing.FixedFraction(0.2), [wb.exits.AtrStop(20, 9.0)], approval=3600.0
    )
    market = wb.simulate(SYMBOLS, bars=10, interval="1h")
    with watched(tmp_path_factory.mktemp("asking"), strategy, market, 1.0) as made:
        yield made


@pytest.fixture(scope="module")
def lab(run: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_beside(run, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def panel(lab: Lab, run: Watched) -> Iterator[Page]:
    with opened(lab, "panel") as notebook:
        notebook.run_all()
        notebook.page.wait_for_selector(".workbench-approve")
        yield notebook


def row(panel: Page, symbol: str) -> Any:
    """Return the row of buttons of an opening."""
    return panel.page.locator(f".workbench-asking .widget-hbox:has-text('{symbol}')")


def words(run: Watched) -> list[tuple[str, str, str]]:
    return [(command.what, command.body["symbol"], command.state) for command in run.journal.commands()]


def waiting(status: dict[str, Any]) -> list[str]:
    return [one["symbol"] for one in status["proposals"]]


def test_each_opening_waits_for_its_own_word(panel: Page, run: Watched, lab: Lab) -> None:
    run.wait(lambda status: waiting(status) == list(SYMBOLS))
    assert panel.picture(lab.pictures / "panel-asking.png").is_file()
    assert list(run.ledger.entries("submit")) == []

    row(panel, "BBB").locator("button.workbench-veto").click()
    run.wait(lambda status: waiting(status) == ["AAA", "CCC"], 10)

    row(panel, "CCC").locator("input").fill("7.5")
    row(panel, "CCC").locator("button.workbench-resize").click()
    panel.page.wait_for_function("() => document.querySelector('.workbench-answer').innerText.includes('in steps of 1; got 7.5')")
    assert waiting(run.status) == ["AAA", "CCC"]

    row(panel, "CCC").locator("input").fill("7")
    row(panel, "CCC").locator("button.workbench-resize").click()
    run.wait(lambda status: waiting(status) == ["AAA"], 10)

    row(panel, "AAA").locator("button.workbench-approve").click()
    run.wait(lambda status: not waiting(status) and {"AAA", "CCC"} == set(status["positions"]), 20)

    assert abs(run.status["positions"]["CCC"]["quantity"]) == 7.0
    assert words(run) == [
        ("veto", "BBB", "applied"),
        ("resize", "CCC", "refused"),
        ("resize", "CCC", "applied"),
        ("approve", "AAA", "applied"),
    ]
    sent = [entry.body for entry in run.ledger.entries("submit")]
    assert {order["instrument"] for order in sent} == {"AAA", "CCC"}
    panel.page.wait_for_function("() => document.querySelectorAll('.workbench-approve').length === 0")
    assert panel.picture(lab.pictures / "panel-asked.png").is_file()
    assert (panel.errors, abroad(panel), panel.complaints) == ([], [], [])
