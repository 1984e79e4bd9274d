"""Openings that wait for a person's word (SEMANTICS 39): approved, resized, vetoed, or met with silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asking import LEVEL, SECOND, asking, fed, require_same_again, say
from paper_worlds import Fed
from worked import OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.cli import app
from workbench.execution import Limit, Twap
from workbench.journal import Journal


def test_an_opening_waits_and_is_sent_when_it_is_approved() -> None:
    run = fed(asking(".+.........."))
    run.run(2)
    assert [one.order.quantity for one in run.session.proposals] == [10.0]
    assert list(run.journal.entries("intent")) == []
    assert say(run, "approve", symbol="ABC") == "applied: buy 10 ABC: made"
    run.run()
    assert run.fills == [(3, "open", 10.0, 100.0)]


def test_a_veto_lets_it_go_until_the_stance_turns() -> None:
    run = fed(asking(".+...-+....."))
    run.run(2)
    assert say(run, "veto") == "applied: buy 10 ABC: not made"
    run.run(3)
    assert [one.order.side for one in run.session.proposals] == ["sell"]
    require_same_again(run)
    run.run(1)
    assert [one.order.side for one in run.session.proposals] == ["buy"]  # what waited went with the stance
    assert run.fills == []


def test_what_waits_goes_with_its_stance() -> None:
    run = fed(asking(".+.0........"))
    run.run(3)
    assert run.session.proposals == []
    assert say(run, "approve") == "refused: no opening waits for a word"


def test_a_person_may_resize_it() -> None:
    run = fed(asking(".+..........", exits=[Stop(5.0)]))
    run.run(2)
    assert say(run, "resize", quantity=4).startswith("applied: buy 4 ABC: made")
    run.run()
    assert run.fills == [(3, "open", 4.0, 100.0)]
    assert [order.quantity for order in run.line.open_orders()] == [4.0]


@pytest.mark.parametrize(
    ("what", "body", "said"),
    [
        ("approve", {"symbol": "ABD"}, "no opening 'ABD' waits for a word; did you mean 'ABC'?"),
        ("resize", {"quantity": "a lot"}, "an opening of ABC is at least 1, in steps of 1; got 'a lot'"),
        ("resize", {"quantity": 1.5}, "in steps of 1; got 1.5"),
        ("resize", {}, "got None"),
    ],
)
def test_a_word_that_is_none_changes_nothing(what: str, body: dict[str, Any], said: str) -> None:
    run = fed(asking(".+.........."))
    run.run(2)
    answer = say(run, what, **body)
    assert answer.startswith("refused: ")
    assert said in answer
    assert len(run.session.proposals) == 1


@pytest.mark.parametrize(("on_silence", "done"), [("skip", []), ("send", [(3, "open", 10.0, 100.0)])])
def test_silence_is_an_answer(on_silence: str, done: list[Any]) -> None:
    run = fed(asking(".+..........", 60.0, on_silence))
    run.run(2)
    until = 1 + 60 * SECOND  # its bar arrived at 1
    run.session.hear_silence(until - 1)
    run.session.hear_silence(until, shut=True)  # nobody is heard over a doubt
    assert len(run.session.proposals) == 1
    run.session.hear_silence(until)
    run.listen()
    require_same_again(run)
    assert run.session.proposals == []
    run.run()
    assert run.fills == done


@pytest.mark.parametrize("verb", ["pause", "reduce"])
def test_silence_sends_nothing_while_nothing_may_open(verb: str) -> None:
    run = fed(asking(".+..........", 60.0, "send"))
    run.run(2)
    run.order(verb)
    run.session.hear_silence(run.session.proposals[0].until)
    run.order("resume")
    run.run()
    assert run.fills == []


def test_a_veto_is_heard_while_nothing_may_open() -> None:
    run = fed(asking(".+.........."))
    run.run(2)
    run.order("pause")
    assert say(run, "veto") == "applied: buy 10 ABC: not made"


def test_where_two_wait_a_word_names_which() -> None:
    run = Fed(asking(".+.......... .-.........."), market({SHARE: [LEVEL] * 12, OTHER: [LEVEL] * 12}), 1)
    run.run(2)
    assert say(run, "approve") == "refused: 2 openings wait for a word; name one of them: ABC, XYZ"
    assert say(run, "veto", symbol="XYZ") == "applied: sell 10 XYZ: not made"
    assert say(run, "approve") == "applied: buy 10 ABC: made"


def test_another_quantity_is_no_less_than_a_venue_takes() -> None:
    share = wb.Instrument("ABC", min_notional=500.0)
    run = Fed(asking(".+.........."), market([LEVEL] * 12, share), 1)
    run.run(2)
    assert say(run, "resize", quantity=4) == "refused: an opening of ABC is at least 5, in steps of 1; got 4"
    assert say(run, "resize", quantity=5) == "applied: buy 5 ABC: made"


@pytest.mark.parametrize("verb", ["pause", "reduce", "kill"])
def test_nothing_is_approved_while_nothing_may_open(verb: str) -> None:
    run = fed(asking(".+.........."))
    run.run(2)
    run.order(verb)
    assert say(run, "approve").startswith("refused: no" if verb == "kill" else "refused: nothing opens while the session is")


def test_closings_never_wait() -> None:
    run = fed(asking(".+..0......."))
    run.run(2)
    say(run, "approve")
    run.run()
    assert [fill[:2] for fill in run.fills] == [(3, "open"), (5, "close")]


def test_slices_begin_when_they_are_approved() -> None:
    run = fed(asking(".+..........", execution=Twap(2)))
    run.run(4)
    assert say(run, "approve") == "applied: buy 10 ABC: made"
    run.run()
    assert run.fills == [(5, "open", 5.0, 100.0), (6, "open", 5.0, 100.0)]


def test_what_waits_counts_against_the_limits() -> None:
    made = plan(".+" + "." * 10, "..+" + "." * 9, quantity=600.0)
    strategy = wb.Strategy(made.signal, made.sizer, risk=[wb.risk.MaxLeverage(1.0)], execution=Limit(0.001), approval=60.0)
    run = Fed(strategy, market({SHARE: [LEVEL] * 12, OTHER: [LEVEL] * 12}), 1)
    run.run(3)
    assert [one.order.quantity for one in run.session.proposals] == [600.0, 400.0]


def test_a_backtest_asks_nobody() -> None:
    result = wb.backtest(asking(".+.........."), market([LEVEL] * 12))
    assert len(result.fills) == 1
    assert "every opening approved at once: in a run each waits up to 60 s for a person's word" in result.assumptions


@pytest.mark.parametrize("seconds", [-1.0, float("inf")])
def test_a_time_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(wb.errors.StrategyError, match="approval is a number of seconds"):
        asking(".+..", seconds)


# -- asked and answered -----------------------------------------------------------------------------------------------


def test_what_waits_has_buttons_that_say_what_is_pressed() -> None:
    from workbench.panel._asking import Asking

    said: list[tuple[str, dict[str, Any]]] = []
    asking_panel = Asking(lambda what, body: said.append((what, body)))
    one = {"symbol": "ABC", "side": "buy", "quantity": 10.0, "reason": "stance <turned>", "until": 61 * SECOND}
    asking_panel.show([one], [], SECOND)
    rows = asking_panel.widget.children[0]
    title, row = rows.children
    text, approve, veto, quantity, resize = row.children
    assert "Waiting for your word" in title.value
    assert text.value == "<b>buy 10 ABC</b> &nbsp; stance &lt;turned&gt;; 60 s left"
    quantity.value = 4.0
    asking_panel.show([one], [], 2 * SECOND)
    assert rows.children == (title, row)
    for button in (approve, veto, resize):
        button.click()
    assert said == [("approve", {"symbol": "ABC"}), ("veto", {"symbol": "ABC"}), ("resize", {"symbol": "ABC", "quantity": 4.0})]
    asking_panel.show([one | {"until": 3600 * SECOND}], [], SECOND)
    assert rows.children[2].children[0].value.endswith("; 60 min left")
    asking_panel.show([], [], 3 * SECOND)
    assert rows.children == ()


def test_nobody_s_typing_is_lost_when_another_opening_comes_or_goes() -> None:
    from workbench.panel._asking import Asking

    panel = Asking(lambda what, body: None)
    first, second, third = ({"symbol": s, "side": "buy", "quantity": 10.0, "reason": "turned", "until": 61 * SECOND} for s in "ABC")
    panel.show([first, third], [], SECOND)
    rows = panel.widget.children[0]
    _, gone, kept = rows.children
    kept.children[3].value = 4.0
    panel.show([third], [], SECOND)
    panel.show([second, third], [], SECOND)
    assert rows.children[1:3] == (gone, kept)
    assert [row.layout.visibility for row in rows.children[1:]] == ["hidden", None, None]
    assert (kept.children[3].value, kept.children[0].value[:13]) == (4.0, "<b>buy 10 C</")
    panel.show([], [], SECOND)
    panel.show([first], [], SECOND)
    assert [row.children[3].value for row in rows.children[1:]] == [10.0]


def test_an_order_in_doubt_has_a_button_that_says_that_it_never_arrived() -> None:
    from workbench.panel._asking import Asking

    said: list[tuple[str, dict[str, Any]]] = []
    asking_panel = Asking(lambda what, body: said.append((what, body)))
    doubt = {"key": "//ABC/5/close/0/0", "symbol": "ABC", "side": "sell", "quantity": 10.0, "leg": "close"}
    asking_panel.show([], [doubt], 0)
    title, row = asking_panel.widget.children[1].children
    assert "In doubt" in title.value
    assert row.children[0].value == "<b>sell 10 ABC</b> &nbsp; close; the venue says nothing of it"
    row.children[1].click()
    assert said == [("absent", {"order": "//ABC/5/close/0/0"})]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["resize"], "resize and --quantity go together, got 'resize' and None"),
        (["veto", "--key", "//ABC/5/close/0/0"], "absent and --key go together, got 'veto'"),
        (["veto", "--quantity", "3"], "resize and --quantity go together, got 'veto' and 3.0"),
        (["approv"], "got 'approv'; did you mean 'approve'?"),
    ],
)
def test_a_word_by_the_shell_that_is_none(words: list[str], said: str) -> None:
    with pytest.raises(wb.errors.RunError) as refused:
        app(["order", "trend", *words], standalone_mode=False)
    assert said in str(refused.value)


def test_a_word_by_the_shell_reaches_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "trend" / "journal.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.live.commands.PATIENCE", 0.0)
        app(["order", "trend", "resize", "--symbol", "ABC", "--quantity", "3", "--root", str(tmp_path)], standalone_mode=False)
    (command,) = journal.commands("queued")
    assert (command.what, command.body) == ("resize", {"symbol": "ABC", "quantity": 3.0})
    journal.close()
