"""Which run a panel is for, what its buttons do, and when it looks no more."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import RunError
from workbench.journal import Journal
from workbench.panel import _panel
from workbench.panel._style import BUTTONS, EDGES, FILLED, GROUPS

SECOND = 1_000_000_000
STATUS: dict[str, Any] = {"run": "trend 1", "gate": "", "over": "", "arrived": 0}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    made = Journal(tmp_path / "runs" / "trend" / "journal.db")
    made.take_over("trend 1")
    return made


# -- which run --------------------------------------------------------------------------------------------------------


def run_in(root: Path, name: str, age: float | None = None, **changes: Any) -> Path:
    """Make a run whose session gave a sign of life so many seconds ago."""
    journal = Journal(root / "runs" / name / "journal.db", lambda: time.time_ns() - int((age or 0.0) * SECOND))
    journal.take_over(f"{name} 1")
    if age is not None:
        journal.beat("session", STATUS | changes)
    return root / "runs" / name


def name_of(asked: str | None = None) -> str:
    return wb.ControlPanel(asked)._name


@pytest.mark.parametrize("here", [".", "notebooks"])
@pytest.mark.parametrize("asked", ["my-trend", "runs/my-trend", "../runs/my-trend", "runs/my-trend/journal.db", None])
def test_a_run_is_found_from_the_project_and_from_its_notebooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str, asked: str | None
) -> None:
    run_in(tmp_path, "my-trend")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / here)
    assert name_of(asked) == "my-trend"


def test_a_run_that_is_not_there_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_in(tmp_path, "my-trend")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"no run 'my-trnd' in runs/ or [.][.]/runs/; did you mean 'my-trend'"):
        wb.ControlPanel("my-trnd")
    for asked in ("runs/my-trnd", run.parent / "my-trnd"):
        with pytest.raises(RunError, match=r"no run in .*my-trnd: expected its journal.db; did you mean '.*my-trend'"):
            wb.ControlPanel(asked)
    monkeypatch.chdir(run)
    with pytest.raises(RunError, match=r"no run was found in runs/ or [.][.]/runs/"):
        wb.ControlPanel()


def test_of_two_runs_that_are_alive_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("other", "my-trend"):
        run_in(tmp_path, name, age=0.0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"2 runs are alive, my-trend, other: name the one that you mean, wb.ControlPanel\('my-trend'\)"):
        wb.ControlPanel()
    assert name_of("other") == "other"


def test_the_run_that_is_alive_is_taken_before_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in(tmp_path, "alive", age=0.0)
    run_in(tmp_path, "silent", age=60.0)
    run_in(tmp_path, "ended", age=0.0, over="stopped")
    monkeypatch.chdir(tmp_path)
    assert name_of() == "alive"


def test_the_newest_run_is_taken_where_none_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, age in (("a", 120.0), ("new", 60.0), ("old", 90.0)):
        run_in(tmp_path, name, age=age)
    run_in(tmp_path, "never begun")
    (tmp_path / "runs" / "damaged").mkdir()
    (tmp_path / "runs" / "damaged" / "journal.db").write_text("this is no journal")
    monkeypatch.chdir(tmp_path)
    assert name_of() == "new"


# -- the panel --------------------------------------------------------------------------------------------------------


def text_of(panel: wb.ControlPanel, name: str) -> str:
    panel.refresh()
    return str(panel._texts[name].value)


def test_a_press_is_a_command_that_is_queued_once(journal: Journal, tmp_path: Path) -> None:
    journal.beat("session", STATUS)
    panel = wb.ControlPanel(tmp_path / "runs" / "trend", who="a test")
    panel._buttons["flatten"].click()
    posted = journal.commands("queued")
    assert [(command.what, command.who) for command in posted] == [("flatten", "a test")]
    assert posted[0].expires > posted[0].created
    assert "Flatten, asked by a test at" in text_of(panel, "answer")


def test_kill_does_what_the_shell_does_and_says_it(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(_panel, "kill", lambda root, name, who: asked.append((root, name, who)) or "venue: reached\nsession: none is there")
    panel = wb.ControlPanel(tmp_path / "runs" / "trend", who="a test")
    panel._buttons["kill"].click()
    assert panel._killing is not None
    panel._killing.join()
    assert asked == [(tmp_path / "runs", "trend", "a test")]
    assert "Kill: venue: reached<br>session: none is there" in text_of(panel, "answer")


def test_a_press_of_kill_does_not_wait(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_panel, "kill", lambda root, name, who: time.sleep(0.5) or "done")
    panel = wb.ControlPanel(tmp_path / "runs" / "trend")
    began = time.monotonic()
    panel._buttons["kill"].click()
    assert time.monotonic() - began < 0.4
    assert "are being told" in text_of(panel, "answer")
    assert panel._killing is not None
    panel._killing.join()
    assert "Kill: done" in text_of(panel, "answer")


def test_kill_of_a_bare_journal_is_a_command_that_does_not_expire(journal: Journal) -> None:
    wb.ControlPanel(journal)._buttons["kill"].click()
    assert [(command.what, command.expires) for command in journal.commands("queued")] == [("kill", 0)]


@pytest.mark.parametrize("what", ["kill", "flatten"])
def test_what_is_wrong_with_a_press_is_shown(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def fails(*given: Any, **named: Any) -> str:
        raise RunError("nobody <knows> it")

    panel = wb.ControlPanel(tmp_path / "runs" / "trend")
    monkeypatch.setattr(_panel, "kill", fails)
    monkeypatch.setattr(panel.journal, "post", fails)
    panel._buttons[what].click()
    if panel._killing is not None:
        panel._killing.join()
    assert f"{what.capitalize()} came to nothing: nobody &lt;knows&gt; it" in text_of(panel, "answer")


def test_buttons_can_be_pressed_until_the_run_and_its_supervisor_are_gone(tmp_path: Path) -> None:
    run = run_in(tmp_path, "trend", age=0.0)
    panel = wb.ControlPanel(run)
    journal = Journal(run / "journal.db")
    assert not any(button.disabled for button in panel._buttons.values())
    journal.beat("session", STATUS | {"over": "stopped"})
    journal.beat("supervisor", {"pid": 7, "state": "watching"})
    panel.refresh()
    assert not any(button.disabled for button in panel._buttons.values())
    journal.beat("supervisor", {"pid": 7, "state": "ended"})
    panel.refresh()
    assert all(button.disabled for button in panel._buttons.values())


def test_it_says_what_goes_on_with_a_run_whose_supervisor_is_gone(tmp_path: Path) -> None:
    run = run_in(tmp_path, "trend", age=60.0)
    (run / "release.json").write_text(json.dumps({"release": str(tmp_path / "releases" / "trend")}))
    assert "`workbench run releases/trend` goes on with it" in text_of(wb.ControlPanel(run), "notice")


def test_what_comes_and_goes_stands_below_the_buttons(journal: Journal) -> None:
    panel = wb.ControlPanel(journal)
    order = list(panel.widget.children)
    places = [order.index(panel._texts[name]) for name in ("header", "figures", "answer", "notice")]
    buttons = next(
        k for k, child in enumerate(order) if any(panel._buttons["kill"] in group.children for group in getattr(child, "children", ()))
    )
    assert places[1] < buttons < places[2] < places[3]


def test_flatten_and_kill_stand_apart_and_each_button_looks_different() -> None:
    assert GROUPS == (("pause", "resume", "reduce"), ("flatten",), ("kill",))
    assert len({*EDGES.values(), *FILLED.values()}) == len(BUTTONS)


def test_a_panel_that_is_shown_ends_the_one_before_it(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    async def shown() -> None:
        first, second = wb.ControlPanel(journal), wb.ControlPanel(journal)
        first._ipython_display_()
        task = first._task
        second._ipython_display_()
        await asyncio.sleep(0)
        assert task is not None
        assert task.cancelled()
        assert "looks no more" in first._texts["notice"].value
        assert all(button.disabled for button in first._buttons.values())
        assert second._task is not None
        assert not second._task.done()
        second.close()

    asyncio.run(shown())


def test_a_panel_whose_widget_is_closed_looks_no_more(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_panel, "LOOK", 0.01)

    async def followed() -> None:
        panel = wb.ControlPanel(journal)
        task = asyncio.ensure_future(panel.follow())
        await asyncio.sleep(0.05)
        assert not task.done()
        panel.widget.close()
        await asyncio.wait_for(task, 2)

    asyncio.run(followed())


def test_a_journal_that_cannot_be_read_is_told_and_does_not_end_the_panel(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = wb.ControlPanel(journal)
    monkeypatch.setattr(panel._watch, "look", lambda: 1 / 0)
    panel._look()
    assert "The journal cannot be read: division by zero" in panel._texts["notice"].value
