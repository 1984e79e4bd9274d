"""What the panel reads of a journal and how it says it; `test_panel_buttons.py` presses its buttons, and a browser does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from workbench.journal import Answer, Command, Entry, Journal
from workbench.live.status import COLOURS, ENDED, badge
from workbench.panel import _watch
from workbench.panel._notice import SHOWN, answer_html, notice_html
from workbench.panel._view import commands_html, decisions_html, figures_html, header_html, orders_html, positions_html, table
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


def test_it_knows_what_was_ordered_last_and_when_something_opened(journal: Journal, clock: Clock) -> None:
    for name, at in (("a", 1), ("b", 2)):
        journal.post(Command(name, "pause", name, NOON))
        journal.commit([], answers=[Answer(name, "applied", "PAUSED", NOON + at)])
    journal.post(Command("c", "pause", "c", NOON))
    journal.commit([Entry("intent", f"paper/trend/ABC/{NOON}/open/0/0", {}), Entry("intent", f"paper/trend/ABC/{NOON}/close/0/0", {})])
    view = Watch(journal, clock).look()
    assert (view.applied["pause"].who, view.opened) == ("b", NOON)


@pytest.mark.parametrize(
    ("state", "age", "known"), [("watching", 1, "watching"), ("starting", 1, "starting"), ("ended", 1, "gone"), ("watching", 6, "gone")]
)
def test_a_supervisor_is_there_while_it_gives_signs_of_life(journal: Journal, clock: Clock, state: str, age: int, known: str) -> None:
    assert Watch(journal, clock).look().supervisor == "gone"
    journal.beat("supervisor", {"pid": 7, "state": state})
    clock.now += age * SECOND
    assert Watch(journal, clock).look().supervisor == known


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


def view_of(age: float = 0.5, supervisor: str = "watching", **changes: Any) -> View:
    return View(STATUS | changes, age, 0.5, [NOON], [100_000.0], supervisor=supervisor, now=NOON)


def words_of(page: str) -> str:
    return re.sub(r"<[^>]*>", "", page)


def applied(what: str, answer: str = "done", who: str = "me") -> Command:
    return Command(what, what, who, NOON, 0, None, "applied", answer, NOON + SECOND // 4)


def test_the_header_says_which_run_paper_and_mode_and_the_figures_follow() -> None:
    said = header_html(view_of(), "trend")
    assert all(words in said for words in ("PAPER", "RUNNING", ">trend<", "session of 1<"))
    assert "SIMULATED" not in said
    figures = figures_html(view_of(missed=95))
    assert all(words in figures for words in ("101,234.50 USD", "+1,234.50", "2024-01-01 12:00 UTC", "0.5 s ago", "12 + 95 missed"))


def test_the_name_of_the_run_is_the_largest_word() -> None:
    sizes = {word: float(size) for size, word in re.findall(r"font-size:([0-9.]+)em[^>]*>([^<]*)<", header_html(view_of(), "trend"))}
    assert max(sizes, key=lambda word: sizes[word]) == "trend"


def test_a_simulated_market_is_marked() -> None:
    assert "SIMULATED" in header_html(view_of(simulated=True))


@pytest.mark.parametrize(
    ("view", "shown"),
    [
        (view_of(age=12.0), "NO SIGN OF LIFE"),
        (view_of(over="stopped"), "ENDED"),
        (view_of(age=12.0, over="stopped"), "ENDED"),
        (view_of(age=12.0, supervisor="starting"), "STARTING"),
        (view_of(age=12.0, supervisor="starting", over="stopped"), "STARTING"),
        (View(supervisor="starting"), "STARTING"),
        (View(), "NOT BEGUN"),
    ],
    ids=["silent", "ended", "ended long ago", "back up", "begun again", "first start", "nothing"],
)
def test_a_run_that_nobody_hears_of_has_no_green_badge(view: View, shown: str) -> None:
    said = header_html(view)
    assert badge(shown, ENDED) in said
    assert COLOURS["RUNNING"] not in said
    assert ("was RUNNING" in said) == (shown in ("NO SIGN OF LIFE", "ENDED"))


def test_a_shut_gate_is_beside_the_mode() -> None:
    assert badge("GATE", COLOURS["HALTED"]) in header_html(view_of(gate="no connection"))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (view_of(age=12.0), "NO SIGN OF LIFE for 12 s; the supervisor starts it again."),
        (view_of(age=12.0, supervisor="gone"), "its supervisor is gone: `workbench run releases/trend` goes on with it."),
        (view_of(age=12.0, supervisor="starting"), "The supervisor brings a session up; what stands below was known last."),
        (view_of(gate="reconcile: ABC: the venue holds 5, we know of 0"), "Nothing is decided: reconcile: ABC: the venue holds 5"),
        (view_of(over="stopped by the shell"), "The run has ended: stopped by the shell."),
        (view_of(doubtful=2), "2 orders are in doubt"),
        (view_of(doubtful=1), "1 order is in doubt"),
        (view_of(late={"ABC": 3, "XYZ": 1}), "Bars come late: ABC (3 in a row). Nothing opens on them in time."),
        (view_of(joins=[["ABC", -5.0, -490.0]]), "The first step will join: -5 ABC (-490)"),
        (View(), "No session has begun yet; its supervisor is gone"),
    ],
    ids=["silent", "alone", "back up", "gate", "ended", "doubt", "one doubt", "late", "joins", "nothing"],
)
def test_what_must_not_be_overlooked(view: View, said: str) -> None:
    assert said in words_of(notice_html(view, "releases/trend"))


def test_a_healthy_run_has_no_notice() -> None:
    assert notice_html(view_of()) == ""


@pytest.mark.parametrize(
    ("mode", "what", "words"),
    [("PAUSED", "pause", "nothing is decided"), ("REDUCING", "reduce", "only closings are sent"), ("HALTED", "kill", "openings are off")],
)
def test_a_mode_says_who_ordered_it_when_and_how_to_go_on(mode: str, what: str, words: str) -> None:
    view = view_of(mode=mode)
    view.applied = {what: applied(what)}
    said = words_of(notice_html(view))
    assert f"{mode.capitalize()} by me at 12:00:00 UTC: " in said
    assert words in said
    assert "Resume" in said


def test_after_a_flatten_it_says_what_re_enters_until_something_did() -> None:
    view = view_of(positions={})
    view.applied = {"flatten": applied("flatten", "1 positions are being closed")}
    assert "Flattened by me at 12:00:00 UTC: nothing re-enters until a stance turns" in words_of(notice_html(view))
    view.opened = NOON + SECOND
    assert notice_html(view) == ""
    view.opened, view.applied = 0, {"flatten": applied("flatten", "there is nothing to close")}
    assert notice_html(view) == ""


def test_the_answer_to_a_command_stays_for_half_a_minute() -> None:
    view = view_of()
    view.commands = [applied("pause", "PAUSED: no decisions")]
    assert "Pause, asked by me at 12:00:00 UTC: applied after 0.25 s: PAUSED: no decisions" in answer_html(view)
    view.now = NOON + int((SHOWN + 1) * SECOND)
    assert answer_html(view) == ""


def test_what_the_panel_says_itself_gives_way_to_a_command_that_came_later() -> None:
    view = view_of()
    view.commands = [applied("pause")]
    assert "Kill: venue" in answer_html(view, "Kill: venue", NOON + 1)
    assert "Pause" in answer_html(view, "Kill: venue", NOON - 1)


def test_what_a_model_refuses_and_what_drifts_is_a_notice_while_the_run_is_alive() -> None:
    model = {
        "model": "Classifier 0f3a",
        "refused": {"ABC": "the model expired at <2024>"},
        "reasons": {},
        "asked": 5,
        "drifted": {"rsi_14": 0.4},
    }
    said = notice_html(view_of(models=[model]))
    assert words_of(said).startswith(
        "A model: Classifier 0f3a predicts nothing of ABC: the model expired at &lt;2024&gt; (0 of 5 live bars)."
    )
    assert "rsi_14 has drifted from what the model was trained on (population stability index 0.40)." in said
    assert "A model" not in notice_html(view_of(models=[]))
    assert "A model" not in notice_html(view_of(models=[model], over="stopped by the panel"))


def test_positions_and_orders_in_full() -> None:
    said = positions_html(view_of()) + orders_html(view_of())
    assert all(words in said for words in ("-1,250", "98.5", "98.25", "-122,812", "+312.50", "stop of the entry", "buy stop at 99.5"))
    assert "flat" in positions_html(view_of(positions={}))
    assert "none is out" in orders_html(view_of(working=[]))
    parts = orders_html(view_of(working=[ORDER | {"filled": 40.0, "state": "partial"}]))
    assert "40" in parts
    assert "partial" in parts


def test_an_old_mark_says_its_age() -> None:
    assert "98.25 (3 steps old)" in positions_html(view_of(positions={"ABC": POSITION | {"stale": 3}}))
    assert "ABC (dust)" in positions_html(view_of(dust={"ABC": {"quantity": 0.09, "worth": 9.9}}))
    assert ">0.0000731<" in positions_html(view_of(dust={"ABC": {"quantity": 7.31e-05, "worth": 0.01}}))


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
