"""A runner against the paper venue on the loopback interface: whole runs, restarts, broken lines, doubts and the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Background, Runs, starting, until
from paper_worlds import expected, lived_again
from worked import OTHER, SHARE, market, plan

import workbench as wb
from workbench.errors import JournalError
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit
from workbench.market import Order, OrderKey
from workbench.research.comparing import compare
from workbench.session.setup import set_up
from workbench.signals import MovingAverageCross
from workbench.sizing import RiskPercent

HISTORY = 20
BARS = wb.simulate([SHARE, OTHER], bars=80, interval="1h", seed=4, missing=0.05).iloc[:70]
STRATEGY = wb.Strategy(
    MovingAverageCross(2, 5), RiskPercent(0.01), [AtrStop(5, 1.0), TakeProfit(percent=0.01)], execution=Limit(0.0002, 2, "cross")
)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Runs]]:
    """Return what starts a venue, and runs on it."""
    with starting(tmp_path) as start:
        yield lambda bars=BARS, strategy=STRATEGY, **options: start(bars, strategy, **options)


def differences(runs: Runs) -> Any:
    """Return how what the journal holds differs from the backtest."""
    serving = runs.serving
    setup = set_up(runs.strategy, serving.bars, **serving.account)
    _, record = lived_again(setup, runs.journal, serving.history)
    return compare(expected(setup, serving.history), record, serving.bars)


def steps(runs: Runs) -> int:
    newest = runs.journal.newest("step")
    return 0 if newest is None else len(list(runs.journal.entries("step")))


# -- whole runs -------------------------------------------------------------------------------------------------------


def test_a_whole_recording_is_its_backtest(started: Callable[..., Runs]) -> None:
    runs = started()
    runner = runs.run()
    assert (runner.over, runner.gate) == ("the recording is over", "")
    assert differences(runs).empty
    assert compare(runs.recorder.record(), lived_again(runner.session.setup, runs.journal, HISTORY)[1], BARS).empty  # type: ignore[union-attr]
    assert len(runs.recorder.record().fills) > 10
    assert runs.journal.verify() == len(list(runs.journal.entries()))


def test_the_status_says_how_the_run_stands(started: Callable[..., Runs]) -> None:
    runs = started()
    status = runs.run().status()
    venue = runs.serving.do(lambda exchange: exchange.venue)
    assert status == runs.journal.beats()["session"].body
    assert (status["mode"], status["steps"], status["label"]) == ("RUNNING", len(BARS) - HISTORY, int(BARS.labels[-1]))
    assert (status["equity"], status["cash"], {name: one["quantity"] for name, one in status["positions"].items()}) == (
        venue.account().equity,
        venue.cash,
        venue.positions(),
    )
    assert (len(status["working"]), status["doubtful"], status["run"]) == (len(venue.open_orders()), 0, "run 1")


@pytest.mark.parametrize("stops", [(1,), (7, 8, 30)], ids=str)
def test_a_restart_in_the_middle_changes_nothing(started: Callable[..., Runs], stops: tuple[int, ...]) -> None:
    runs = started()
    for stop in stops:
        runner = runs.runner()
        background = Background(runner)
        until(lambda stop=stop: steps(runs) >= stop)
        runner.over = "the process is gone"
        background.wait()
    assert runs.run().over == "the recording is over"
    assert differences(runs).empty
    assert [entry.key for entry in runs.journal.entries("start")] == ["run 1"]


def one_step_at_a_time(runs: Runs) -> int:
    """Run one step a runner until the recording is over, and return how many it took."""
    for count in range(1, len(runs.serving.bars) + 3):
        if runs.run(once=True).over == "the recording is over":
            return count
    raise AssertionError("it never ended")


def test_one_step_a_process_is_the_long_run(started: Callable[..., Runs]) -> None:
    runs = started(BARS.iloc[:45])
    assert one_step_at_a_time(runs) == 26
    assert differences(runs).empty


@pytest.mark.slow
def test_two_hundred_bars_one_step_a_process_are_the_long_run(started: Callable[..., Runs]) -> None:
    runs = started(wb.simulate([SHARE, OTHER], bars=230, interval="1h", seed=4, missing=0.05).iloc[:220])
    assert one_step_at_a_time(runs) == 201
    assert differences(runs).empty


def test_a_market_that_moves_by_the_clock_is_traded_too(started: Callable[..., Runs]) -> None:
    runs = started(BARS.iloc[:30], speed=3600 * 20.0)
    assert runs.run().over == "the recording is over"
    began = runs.journal.newest("start")
    assert began is not None
    session, _ = lived_again(set_up(STRATEGY, BARS.iloc[:30], **runs.serving.account), runs.journal, began.body["rows"])
    assert session.steps_done == 30
    assert session.portfolio.cash == runs.serving.do(lambda exchange: exchange.venue.cash)


def test_a_run_that_finds_no_bars_yet_begins_with_the_first(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 6), plan(".+..0."), history=0)
    assert runs.run().over == "the recording is over"
    began = runs.journal.newest("start")
    assert began is not None
    assert began.body["rows"] >= 1
    assert steps(runs) == 6 - began.body["rows"]


# -- broken lines -----------------------------------------------------------------------------------------------------


def test_a_venue_that_is_stopped_and_started_again_changes_nothing(started: Callable[..., Runs]) -> None:
    runs = started()
    background = Background(runs.runner())
    for stop in (5, 20):
        until(lambda stop=stop: steps(runs) >= stop)
        runs.serving.stop()
        until(lambda: background.runner.gate.startswith("no connection"))
        runs.serving.start()
    assert background.wait().over == "the recording is over"
    assert differences(runs).empty


def test_bars_that_passed_while_nobody_was_there_are_missed_and_the_newest_is_decided(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 12), plan(".+....0...."), history=1)
    runs.run(once=True)
    for _ in range(3):
        runs.serving.do(lambda exchange: exchange.advance())
    runs.run()
    assert [entry.body["why"] for entry in runs.journal.entries("missed")] == ["the session was down"] * 2
    fills = runs.serving.do(lambda exchange: [(fill.key.leg, fill.label) for fill in exchange.venue.executions()])
    assert fills == [("open", int(runs.serving.bars.labels[2])), ("close", int(runs.serving.bars.labels[7]))]


def test_a_long_catch_up_gives_signs_of_life(started: Callable[..., Runs], monkeypatch: pytest.MonkeyPatch) -> None:
    runs = started(market([100.0] * 12), plan("............"), history=1)
    runs.run(once=True)
    for _ in range(9):
        runs.serving.do(lambda exchange: exchange.advance())
    monkeypatch.setattr("workbench.session.runner.BEAT", 0.0)
    runner, seen = runs.runner(), set[int | None]()
    beat = runs.journal.beat
    runs.journal.beat = lambda who, body: (seen.add(body.get("missed")), beat(who, body))  # type: ignore[method-assign]
    runner.run()
    assert set(range(9)) <= seen


def test_what_came_before_a_line_broke_in_the_middle_of_the_past_is_not_lost(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 9), plan(".+..0...."), history=4)
    link = Breaking(runs.serving.link(), after=2)
    runs.run(link=link)
    assert link.broken
    began = runs.journal.newest("start")
    assert began is not None
    assert (began.body["rows"], steps(runs)) == (4, 5)


class Breaking:
    """A line that breaks once, after so many messages of the past."""

    def __init__(self, link: Any, after: int) -> None:
        self.link, self.left, self.broken = link, after, False

    def open(self, put: Callable[[Any], None], since: Callable[[], int]) -> Any:
        """Connect; the first so many messages come through, then the line is made anew."""
        from workbench.execution.port import Connected, Disconnected

        taken = threading.Event()

        def passed(said: Any) -> None:
            if self.broken or isinstance(said, Connected):
                put(said)
            elif self.left:
                self.left -= 1
                put(said)
            elif not self.broken:
                until(lambda: since() == 2)
                self.broken = True
                put(Disconnected("cut"))
                taken.set()
                raise OSError("cut")

        return self.link.open(passed, since)

    def close(self) -> None:
        """End the line."""
        self.link.close()

    def done(self, number: int) -> None:
        """Pass it on."""
        self.link.done(number)


def test_no_step_is_lost_where_the_disk_failed_between_what_was_told_and_the_step(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 12), plan(".+..........", execution=Limit(0.01, 9)), history=1)
    runs.run(once=True)
    (order,) = runs.serving.do(lambda exchange: exchange.venue.open_orders())
    runs.serving.do(lambda exchange: exchange.cancel(order.key))  # somebody takes it off while the session is down
    runs.journal.commit, commit = failing(runs.journal.commit), runs.journal.commit  # type: ignore[method-assign]
    with pytest.raises(JournalError, match="disk is full"):
        runs.run()
    runs.journal.commit = commit  # type: ignore[method-assign]
    runs.run()
    assert steps(runs) == 11
    labels = sorted({bar.label for bar in runs.journal.bars()})
    assert labels == runs.serving.bars.labels.tolist()


def failing(commit: Callable[..., None]) -> Callable[..., None]:
    """Return a commit that fails once it comes to a step."""

    def commits(entries: Any, *more: Any, **options: Any) -> None:
        if any(entry.kind == "step" for entry in entries):
            raise JournalError("the journal cannot be written, so nothing is sent: database or disk is full")
        commit(entries, *more, **options)

    return commits


# -- doubts and the gate (SEMANTICS 37, 38) ---------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


class Losing:
    """A line that loses one order: before it reaches the venue, or only the answer. Then the process is killed, or it goes on."""

    def __init__(self, link: Any, arrives: bool, error: type[BaseException] = Killed) -> None:
        self.link, self.arrives, self.error, self.lost = link, arrives, error, []

    def open(self, put: Callable[[Any], None], since: Callable[[], int]) -> Any:
        """Connect."""
        account = self.link.open(put, since)
        submit = account.submit

        def losing(order: Order) -> bool:
            if self.lost:
                return bool(submit(order))
            self.lost.append(order.key)
            if self.arrives:
                submit(order)
            raise self.error("here")

        account.submit = losing
        return account

    def close(self) -> None:
        """End the line."""
        self.link.close()

    def done(self, number: int) -> None:
        """Pass it on."""
        self.link.done(number)


@pytest.mark.parametrize("arrives", [False, True], ids=["never arrived", "arrived"])
def test_rule_37_an_order_in_doubt_is_sent_again_only_where_it_never_arrived(started: Callable[..., Runs], arrives: bool) -> None:
    runs = started(market([100.0] * 9), plan(".+...0..."), history=1)
    link = Losing(runs.serving.link(), arrives)
    with pytest.raises(Killed):
        runs.run(link=link)
    assert runs.run().over == "the recording is over"
    taken = [OrderKey(**one.body["key"]) for one in runs.serving.do(lambda exchange: list(exchange.ledger.entries("submit")))]
    assert [(key.leg, key.attempt) for key in taken] == [("open", 0 if arrives else 1), ("close", 0)]
    assert len(list(runs.journal.entries("again"))) == (not arrives)
    assert differences(runs).empty


@pytest.mark.parametrize("arrives", [False, True], ids=["never arrived", "arrived"])
@pytest.mark.parametrize("error", [TimeoutError, KeyError], ids=["no answer", "a fault of the connector"])
def test_rule_37_an_order_in_doubt_is_asked_for_though_no_line_broke(
    started: Callable[..., Runs], arrives: bool, error: type[Exception]
) -> None:
    runs = started(market([100.0] * 9), plan(".+...0..."), history=1)
    assert runs.run(link=Losing(runs.serving.link(), arrives, error)).over == "the recording is over"
    taken = [OrderKey(**one.body["key"]) for one in runs.serving.do(lambda exchange: list(exchange.ledger.entries("submit")))]
    assert [key.leg for key in taken] == (["open", "close"] if arrives else [])  # by the time that it was asked for it was too late
    assert len(list(runs.journal.entries("doubt"))) == 1


def test_rule_37_a_late_opening_that_never_arrived_is_not_sent_again(started: Callable[..., Runs]) -> None:
    runs = started(market([100.0] * 9), plan(".+......."), history=1)
    with pytest.raises(Killed):
        runs.run(link=Losing(runs.serving.link(), arrives=False))
    runs.serving.do(lambda exchange: exchange.advance())
    runs.run()
    assert runs.serving.do(lambda exchange: list(exchange.ledger.entries("submit"))) == []
    assert [entry.body["status"] for entry in runs.journal.entries("event")] == ["absent"]
