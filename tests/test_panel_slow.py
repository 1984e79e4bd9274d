"""The control panel in JupyterLab, driven in headless Chromium, against a session that papermill runs under its supervisor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from lab import RUN_ALL, Lab, Page, abroad, opened
from watched import NAME, Watched, lab_beside, watched

import workbench as wb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PRESSES = 50


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    strategy = wb.Strategy(
        wb.signals.MovingAverageCross(3, 8), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5, 3.0)], [wb.risk.MaxLeverage(1.0)]
    )
    with watched(tmp_path_factory.mktemp("watched"), strategy, wb.simulate("SIM", bars=10, interval="1h"), 12.0) as made:
        yield made


@pytest.fixture(scope="module")
def lab(run: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab_beside(run, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def panel(lab: Lab, run: Watched) -> Iterator[Page]:
    with opened(lab, "panel") as notebook:
        notebook.run_all()
        notebook.page.wait_for_selector(".workbench-flatten")
        yield notebook


def press(panel: Page, what: str) -> None:
    panel.page.click(f"button.workbench-{what}")


def flattens(run: Watched) -> list[Any]:
    return [command for command in run.journal.commands() if command.what == "flatten"]


def closings_since(run: Watched, before: int) -> list[Any]:
    """Return what a flatten has sent to the venue, but for its first `before` orders."""
    return [entry for entry in list(run.ledger.entries("submit"))[before:] if "flatten" in entry.body.get("reason", "")]


def text_of(panel: Page) -> str:
    return str(panel.page.locator(".jp-OutputArea").last.inner_text())


def test_it_shows_the_run(panel: Page, run: Watched, lab: Lab) -> None:
    run.wait(lambda status: status["positions"])
    panel.page.wait_for_function("() => document.querySelectorAll('.jp-OutputArea path.js-line').length > 0")
    panel.page.wait_for_timeout(1500)
    text = text_of(panel)
    assert all(word in text for word in ("PAPER", "RUNNING", NAME, "equity", "heartbeat", "Positions", "Open orders", "Last decisions"))
    assert "RiskPercent asks for" in text
    assert panel.picture(lab.pictures / "panel.png").stat().st_size > 30_000
    assert (panel.errors, abroad(panel), panel.complaints) == ([], [], [])


#: Where the buttons and what stands below them are, seen from the panel's upper edge.
PLACES = """() => {
    const at = one => document.querySelector(`.workbench-panel ${one}`).getBoundingClientRect().top;
    return ['.workbench-pause', '.workbench-kill', '.workbench-notice', '.workbench-curve'].map(one => at(one) - at('.workbench-pause'));
}"""
WIDTHS = (
    "() => ['.main-svg', '.workbench-curve'].map(one => document.querySelector(`.workbench-panel ${one}`).getBoundingClientRect().width)"
)


def test_nothing_moves_while_a_fast_run_goes_on(panel: Page) -> None:
    seen = set()
    for _ in range(60):
        seen.add(str(panel.page.evaluate(PLACES)))
        panel.page.wait_for_timeout(50)
    assert len(seen) == 1


@pytest.mark.parametrize("width", [900, 1920, 1280])
def test_the_curve_is_as_wide_as_its_box(panel: Page, lab: Lab, width: int) -> None:
    panel.page.set_viewport_size({"width": width, "height": 1000})
    panel.page.wait_for_timeout(1000)
    curve, box = panel.page.evaluate(WIDTHS)
    assert abs(curve - box) <= 1
    assert box < width
    assert panel.picture(lab.pictures / f"panel-{width}.png").is_file()


@pytest.mark.parametrize(("what", "mode"), [("pause", "PAUSED"), ("reduce", "REDUCING"), ("resume", "RUNNING")])
def test_a_press_latches_a_mode(panel: Page, run: Watched, what: str, mode: str) -> None:
    press(panel, what)
    run.wait(lambda status: status["mode"] == mode, 5)
    panel.page.wait_for_function(f"() => [...document.querySelectorAll('.jp-OutputArea')].some(area => area.innerText.includes('{mode}'))")


def test_two_presses_of_flatten_do_not_reverse_the_position(panel: Page, run: Watched) -> None:
    """While it is paused: nothing re-enters, so that a position that is gone stays gone, however slowly a browser clicks."""
    asked: list[Any] = []
    presses = 0
    while not asked and presses < 10:  # its stop may close the position before the first press comes
        run.wait(lambda status: status["positions"])
        press(panel, "pause")
        run.wait(lambda status: status["mode"] == "PAUSED")
        before = len(list(run.ledger.entries("submit")))
        press(panel, "flatten")
        press(panel, "flatten")
        presses += 2
        run.wait(lambda status: not status["positions"], 10)
        run.wait(lambda _, count=presses: sum(command.state != "queued" for command in flattens(run)) == count, 10)
        asked = closings_since(run, before)
        passed = len(list(run.journal.entries("missed")))
        run.wait(lambda _, enough=passed + 5: len(list(run.journal.entries("missed"))) > enough)
        assert not run.status["positions"], "a second closing has opened the other side"
        press(panel, "resume")
        run.wait(lambda status: status["mode"] == "RUNNING")
    assert len(asked) == 1
    assert [command.state for command in flattens(run)] == ["applied"] * presses


def test_kill_takes_openings_off_and_decides_nothing_more(panel: Page, run: Watched) -> None:
    press(panel, "kill")
    run.wait(lambda status: status["mode"] == "HALTED", 5)
    panel.page.wait_for_function("() => document.querySelector('.workbench-answer').innerText.includes('openings taken off')")
    decided = len(list(run.journal.entries("step")))
    time.sleep(1.5)
    assert len(list(run.journal.entries("step"))) == decided
    press(panel, "resume")
    run.wait(lambda status: status["mode"] == "RUNNING", 5)


def test_from_press_to_effect_at_the_venue(panel: Page, run: Watched) -> None:
    """Fifty times: wait for a position, press flatten, and see its closing in the venue's ledger."""
    taken: list[float] = []
    while len(taken) < PRESSES:
        run.wait(lambda status: status["positions"] and not any(order["leg"] == "close" for order in status["working"]))
        before = len(list(run.ledger.entries("submit")))
        started = time.monotonic()
        press(panel, "flatten")
        while time.monotonic() < started + 5:
            if closings_since(run, before):
                taken.append(time.monotonic() - started)
                break
            time.sleep(0.01)
        else:  # the stop was faster: the position was gone before the press
            continue
    taken.sort()
    print(f"\nfrom press to effect, {PRESSES} presses: median {statistics.median(taken):.3f} s, p95 {taken[int(0.95 * PRESSES)]:.3f} s")
    assert taken[int(0.95 * PRESSES)] < 1.0


def test_a_cell_that_is_run_again_leaves_one_panel_at_work(panel: Page, run: Watched) -> None:
    panel.page.evaluate("() => { window.finished = undefined }")
    panel.page.evaluate(RUN_ALL)
    panel.page.wait_for_function("() => window.finished !== undefined")
    panel.page.wait_for_selector(".workbench-flatten:enabled")
    before = len(run.journal.commands())
    press(panel, "pause")
    run.wait(lambda status: status["mode"] == "PAUSED", 10)
    assert len(run.journal.commands()) == before + 1
    press(panel, "resume")
    run.wait(lambda status: status["mode"] == "RUNNING", 10)
    assert panel.errors == []
