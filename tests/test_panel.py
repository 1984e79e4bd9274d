"""What the panel reads of a journal and how it says it; the browser tests press its buttons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import RunError
from workbench.journal import Answer, Command, Entry, Journal
from workbench.panel import _watch
from workbench.panel._view import commands_html, decisions_html, header_html, orders_html, positions_html, table
from workbench.panel._watch import View, Watch

NOON = 1_704_110_400_000_000_000  # 2024-01-01 12:00 UTC
HOUR = 3_600_000_000_000
SECOND = 1_000_000_000
POSITION = {"symbol": "ABC", "quantity": -1_250.0, "average": 98.5, "last": 98.25, "stale": 0, "notional": -122_812.5, "unrealised": 312.5}
ORDER = {"symbol": "ABC", "leg": "stop", "side": "buy", "quantity": 1_250.0, "type": "stop", "price": 99.5, "reason": "stop of the entry"}
STATUS: dict[str, Any] = {
    "run": "trend 1", "gate": "", "over": "", "mode": "RUNNING", "joins": [], "steps": 12, "label": NOON, "arrived": NOON,
    "currency": "USD",    "equity": 101_234.5, "cash": 1.0, "positions": {"ABC": POSITION}, "working": [ORDER], "doubtful": 0, "late": {},
}  # fmt: skip


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Journal:
    made = Journal(tmp_path / "runs" / "trend" / "journal.db", clock)
    made.take_over("trend 1")
    return made


def step(number: int, equity: float, *decisions: dict[str, Any]) -> Entry:
    return Entry("step", NOON + number * HOUR, {"equity": equity, "seen": number, "decisions": list(decisions)})


# -- what it reads ----------------------------------------------------------------------------------------------------


def test_it_reads_what_is_new_and_nothing_twice(journal: Journal, clock: Clock) -> None:
    watch = Watch(journal, clock)
    assert watch.look().status == {}
    journal.commit([step(1, 100.0), step(2, 101.0)])
    journal.beat("session", STATUS)
    assert watch.look().equity == [100.0, 101.0]
    journal.commit([Entry("missed", NOON + 3 * HOUR, {"why": "PAUSED", "equity": 99.0, "seen": 3}), step(4, 98.0)])
    view = watch.look()
    assert (view.equity, view.labels[-1], view.status["mode"]) == ([100.0, 101.0, 99.0, 98.0], NOON + 4 * HOUR, "RUNNING")


def test_the_newest_decisions_come_first(journal: Journal, clock: Clock) -> None:
    journal.commit([step(number, 1.0, {"symbol": "ABC", "stance": 1.0, "reason": f"number {number}"}) for number in range(30)])
    shown = Watch(journal, clock).look().decisions
    assert [one["reason"] for _, one in shown] == [f"number {number}" for number in range(29, 29 - _watch.DECISIONS, -1)]


def test_ages_are_told_by_the_clock(journal: Journal, clock: Clock) -> None:
    journal.beat("session", STATUS)
    clock.now += 2 * SECOND
    view = Watch(journal, clock).look()
    assert (view.age, view.data_age, view.alive) == (2.0, 2.0, True)
    clock.now += 10 * SECOND
    assert Watch(journal, clock).look().alive is False


def test_a_long_curve_is_thinned_and_keeps_its_newest_part(journal: Journal, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watch, "POINTS", 100)
    journal.commit([step(number, float(number)) for number in range(1000)])
    view = Watch(journal, clock).look()
    assert len(view.labels) == len(view.equity) < 700
    assert view.equity[-100:] == [float(number) for number in range(900, 1000)]
    assert view.equity[0] == 0.0


# -- what it says -----------------------------------------------------------------------------------------------------


def view_of(age: float = 0.5, **changes: Any) -> View:
    return View(STATUS | changes, age, 0.5, [NOON], [100_000.0])


def test_the_header_says_paper_mode_and_figures() -> None:
    said = header_html(view_of())
    assert all(
        words in said for words in ("PAPER", "RUNNING", "trend 1", "101,234.50 USD", "+1,234.50", "2024-01-01 12:00 UTC", "0.5 s ago")
    )


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (view_of(age=12.0), "NO SIGN OF LIFE for 12 s"),
        (view_of(gate="reconcile: ABC: the venue holds 5, we know of 0"), "Nothing is decided: reconcile: ABC: the venue holds 5"),
        (view_of(over="stopped by the shell"), "The run has ended: stopped by the shell."),
        (view_of(doubtful=2), "2 orders are in doubt"),
        (view_of(late={"ABC": 3, "XYZ": 1}), "Bars come late: ABC (3 in a row). Nothing opens on them in time."),
        (view_of(joins=[["ABC", -5.0, -490.0]]), "The first step will join: -5 ABC (-490)"),
        (View(), "no session has begun yet"),
    ],
    ids=["silent", "gate", "ended", "doubt", "late", "joins", "nothing"],
)
def test_what_must_not_be_overlooked(view: View, said: str) -> None:
    assert said in header_html(view)


def test_positions_and_orders_in_full() -> None:
    said = positions_html(view_of()) + orders_html(view_of())
    assert all(words in said for words in ("-1,250", "98.5", "98.25", "-122,812", "+312.50", "stop of the entry", "99.5"))
    assert "flat" in positions_html(view_of(positions={}))
    assert "none is out" in orders_html(view_of(working=[]))


def test_an_old_mark_says_its_age() -> None:
    assert "98.25 (3 steps old)" in positions_html(view_of(positions={"ABC": POSITION | {"stale": 3}}))


def test_decisions_with_their_reasons() -> None:
    view = view_of()
    view.decisions.append((NOON, {"symbol": "ABC", "stance": -1.0, "reason": "MaxLeverage: 5 -> 3 (gross limit < 300 USD)"}))
    said = decisions_html(view)
    assert all(words in said for words in ("short", "MaxLeverage: 5 -&gt; 3", "&lt; 300 USD"))


def test_commands_and_what_became_of_them(journal: Journal) -> None:
    journal.post(Command("a", "flatten", "panel", NOON))
    journal.post(Command("b", "kill", "the shell", NOON))
    journal.commit([], answers=[Answer("a", "applied", "1 positions are being closed", NOON + SECOND // 4)])
    said = commands_html(journal.commands())
    assert all(words in said for words in ("applied after 0.25 s", "1 positions are being closed", "queued", "the shell"))


def test_figures_stand_to_the_right_and_words_to_the_left() -> None:
    said = table("T", ("a", "b"), [("x", "1,000.5"), ("y", "-2")], "none")
    assert said.count("text-align:right") == said.count("text-align:left") == 3


# -- the panel --------------------------------------------------------------------------------------------------------


def test_a_press_is_a_command_that_is_queued_once(journal: Journal, tmp_path: Path) -> None:
    journal.beat("session", STATUS)
    panel = wb.ControlPanel(tmp_path / "runs" / "trend", who="a test")
    panel._buttons["flatten"].click()
    panel._buttons["kill"].click()
    posted = {command.what: command for command in journal.commands("queued")}
    assert set(posted) == {"flatten", "kill"}
    assert posted["flatten"].expires > posted["flatten"].created
    assert (posted["kill"].expires, posted["kill"].who) == (0, "a test")


def test_a_run_that_is_not_there_gets_a_sentence(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"no run in .*trnd: expected its journal.db; did you mean"):
        wb.ControlPanel(tmp_path / "runs" / "trnd")
    monkeypatch.chdir(tmp_path / "runs" / "trend")
    with pytest.raises(RunError, match=r"no run was found in runs/ or [.][.]/runs/"):
        wb.ControlPanel()


def test_the_newest_run_is_taken_where_none_is_named(journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.beat("session", STATUS)
    monkeypatch.chdir(tmp_path)
    assert "trend 1" in wb.ControlPanel()._texts["header"].value
