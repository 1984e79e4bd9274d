"""The gate of a runner: shut while the books differ or a doubt is open, lifted by evidence or by a person (SEMANTICS 37-38)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Background, Runs, starting, until
from worked import SHARE, market, plan

import workbench as wb
from workbench.journal import Command, Entry
from workbench.market import Order, OrderKey
from workbench.session.runner import Runner


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Runs]]:
    """Return what starts a venue, and runs on it."""
    with starting(tmp_path) as start:
        yield start


def still(link: Any) -> Any:
    """Return a line on which no further bar comes: its market is never told to go on."""
    link.done = lambda number: None
    return link


def leave(background: Background) -> Runner:
    background.runner.over = "enough"
    return background.wait()


def steps(runs: Runs) -> int:
    return len(list(runs.journal.entries("step")))


def answers(runs: Runs) -> list[tuple[str, str]]:
    return [(one.state, one.answer) for one in runs.journal.commands()]


def test_rule_38_a_journal_from_nowhere_keeps_the_gate_shut(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 8), plan("++++++++"), history=1)
    foreign = Order(SHARE, "buy", 7.0, key=OrderKey("ABC", 1, "open"))
    runs.serving.do(lambda exchange: (exchange.venue.submit(foreign), exchange._tell(), exchange.advance()))
    runner = runs.run()
    assert runner.gate == "reconcile: ABC: the venue holds 7, we know of 0"
    assert runs.journal.beats()["session"].body["gate"] == runner.gate
    assert (steps(runs), {entry.body["why"] for entry in runs.journal.entries("missed")}) == (0, {runner.gate})
    assert list(runs.journal.entries("intent")) == []


def test_rule_38_the_gate_lifts_once_the_books_agree(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 40), plan("+" * 40), history=1)
    foreign = Order(SHARE, "buy", 7.0, "limit", 90.0, key=OrderKey("ABC", 1, "open"), bars=3)
    runs.serving.do(lambda exchange: (exchange.venue.submit(foreign), exchange._tell()))
    runner = runs.run()
    whys = [entry.body["why"] for entry in runs.journal.entries("missed")]
    assert whys[0] == "reconcile: order //ABC/1/open/0/0 works at the venue and is not known here"
    assert (runner.gate, len(whys)) == ("", 2)
    assert steps(runs) == 37


def test_a_venue_whose_ledger_is_another_one_keeps_the_gate_shut(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 8), plan("........"), history=1)
    runs.journal.take_over("elsewhere")
    runs.journal.commit([Entry("start", "elsewhere", {"rows": 1, "seen": 99, "source": "", "anchor": 0})], [first_bar(runs)])
    background = Background(runs.runner())
    until(lambda: background.runner.gate.startswith("reconcile"))
    assert "its ledger is not the one of this run" in background.runner.gate
    background.runner.over = "enough"
    background.wait()


def first_bar(runs: Runs) -> Any:
    from workbench.session.gathering import bars_received

    return bars_received(runs.serving.bars, 0, 0)[0]


# -- doubts and people ------------------------------------------------------------------------------------------------


class Unreadable:
    """A line to a venue whose book cannot be asked for while `broken`."""

    def __init__(self, runs: Runs) -> None:
        self.link, self.broken = runs.serving.link(), True
        opened = self.link.open

        def opens(*args: Any) -> Any:
            account = opened(*args)
            state = account.state

            def asked() -> Any:
                if self.broken:
                    raise OSError("the venue is busy")
                return state()

            account.state = asked  # type: ignore[method-assign]
            return account

        self.link.open = opens  # type: ignore[method-assign]


def test_a_query_that_failed_is_no_answer_and_nothing_is_approved_over_it(started: Callable[..., Runs]) -> None:
    trend = plan(".+....")
    runs = started(market([100.0] * 8), wb.Strategy(trend.signal, trend.sizer, approval=1e6), history=1)
    runs.run(once=True)
    line = Unreadable(runs)
    runs.journal.post(Command("1", "approve", "me", time.time_ns(), 0, {"symbol": "ABC"}))
    background = Background(runs.runner(link=still(line.link)))
    until(lambda: background.runner.gate == "reconcile: the venue is busy")
    time.sleep(0.3)
    assert [state for state, _ in answers(runs)] == ["queued"]
    line.broken = False
    until(lambda: [state for state, _ in answers(runs)] == ["applied"])
    assert background.runner.gate == ""
    leave(background)


def test_a_person_settles_a_doubt_that_no_query_settles(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 8), plan(".+....+."), history=1)
    link = runs.serving.link()
    opens, go_on, told = link.open, link.done, list[int]()

    def mute(*args: Any) -> Any:
        """Lose every order, and have no answer about any."""
        account = opens(*args)

        def unanswered(key: OrderKey) -> bool:
            raise OSError("nobody answers about orders")

        account.submit, account.knows = (lambda order: False), unanswered  # type: ignore[method-assign]
        return account

    def first_bar_alone(number: int) -> None:
        told.append(number)
        if len(told) == 1:
            go_on(number)

    link.open, link.done = mute, first_bar_alone  # type: ignore[method-assign]
    background = Background(runs.runner(link=link))
    until(lambda: background.runner.status().get("doubts"))
    (doubt,) = background.runner.status()["doubts"]
    until(lambda: background.runner.gate == "reconcile: nobody answers about orders")
    assert (doubt["symbol"], doubt["side"], doubt["leg"]) == ("ABC", "buy", "open")
    runs.journal.post(Command("1", "absent", "me", time.time_ns(), 0, {"order": doubt["key"]}))
    until(lambda: answers(runs) == [("applied", "buy 1 ABC: not sent again")])
    until(lambda: background.runner.gate == "")
    assert background.runner.status()["doubts"] == []
    leave(background)


def test_a_person_settles_no_doubt_before_all_is_heard(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 8), plan(".+......"), history=1)
    link, sent = runs.serving.link(), list[str]()
    opens = link.open

    def dies_after_sending(*args: Any) -> Any:
        account = opens(*args)
        submit = account.submit

        def dying(order: Order) -> bool:
            submit(order)
            sent.append(str(order.key))
            raise SystemExit("killed")

        account.submit = dying  # type: ignore[method-assign]
        return account

    link.open = dies_after_sending  # type: ignore[method-assign]
    killed = Background(runs.runner(link=link))
    until(lambda: killed.error is not None)
    runs.serving.do(lambda exchange: exchange.advance())  # it fills
    runs.journal.post(Command("1", "absent", "me", time.time_ns(), 0, {"order": sent[0]}))
    runner = runs.run()
    assert answers(runs) == [("refused", "no order is in doubt")]
    assert (runner.status()["mode"], runner.session and runner.session.portfolio.lots) == ("RUNNING", [1])


def test_an_order_of_somebody_else_shuts_the_gate(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 8), plan("........"), history=1)
    background = Background(runs.runner(link=still(runs.serving.link())))
    until(lambda: background.runner.gate == "" and background.runner.session)
    foreign = Order(SHARE, "buy", 7.0, "limit", 90.0, key=OrderKey("ABC", 1, "open", account="somebody"), bars=3)
    line, account, _ = runs.serving.connected()
    account.submit(foreign)
    until(
        lambda: background.runner.gate.startswith("reconcile: the venue has order somebody//ABC/1/open/0/0, which this journal never sent")
    )
    leave(background)
    line.close()
