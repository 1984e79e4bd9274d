"""The parity report of a run: nothing where nothing got in between, else every difference with its cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Runs, Serving
from paper_worlds import Fed
from run_worlds import BARS, FREE, HISTORY, PARTS, STRATEGY, World

import workbench as wb
from workbench.errors import JournalError
from workbench.execution import Limit
from workbench.execution.port import VenueSaid
from workbench.exits import AtrStop
from workbench.journal import Command, Journal
from workbench.live.parity import BUG, MISSED, OVERRIDE, VENUE, RunParity, parity
from workbench.live.release import Release, promote
from workbench.market import OrderKey
from workbench.records import LEGS
from workbench.session.gathering import bars_received
from workbench.session.record import Record
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.signals import MovingAverageCross
from workbench.sizing import RiskPercent


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


def causes(report: RunParity) -> set[str]:
    return set(report.causes)


# -- nothing in between -----------------------------------------------------------------------------------------------


def test_an_undisturbed_run_has_no_differences(world: World) -> None:
    world.fed.run()
    report = world.report()
    assert report.differences.empty
    assert (report.orders, report.steps, report.missed, report.commands) == (len(world.fed.recorder.record().orders), 60, 0, 0)
    assert repr(report) == f"parity: 0 differences in {report.orders} orders over 60 steps (0 steps missed, 0 commands)"
    assert (report.explained, report.causes, report.orders > 20) == (True, {}, True)


def test_only_commands_that_were_applied_are_counted(world: World) -> None:
    world.fed.run(20)
    answers = [world.fed.order("dance"), world.fed.order("flatten", expires=1, now=2), world.fed.order("resume")]
    world.fed.run()
    assert [answer.state for answer in answers] == ["refused", "expired", "applied"]
    assert (world.report().differences.empty, world.report().commands) == (True, 1)


@pytest.mark.parametrize("verb", ["resume", "stop"])
def test_a_command_that_changes_nothing_is_counted_and_makes_no_difference(world: World, verb: str) -> None:
    world.fed.run(20)
    world.fed.order(verb)
    world.fed.run()
    report = world.report()
    assert (report.differences.empty, report.commands) == (True, 1)


def test_a_report_in_the_middle_of_a_run_is_about_what_there_is(world: World) -> None:
    world.fed.run(30)
    report = world.report()
    assert (report.differences.empty, report.steps) == (True, 30)


class Going(Journal):
    """A journal to which a running session writes while it is read."""

    step: Callable[[], object]

    def bars(self, after: int | None = None) -> list[Any]:
        self.step()
        return super().bars(after)


def test_a_report_on_a_run_that_goes_on_meanwhile_ends_at_the_step_that_was_read(world: World, tmp_path: Path) -> None:
    world.fed.run(30)
    going = Going(tmp_path / "journal.db")
    going.step = world.fed.step
    report = parity(world.release, going)
    assert (report.differences.empty, report.steps, len(list(going.entries("step")))) == (True, 30, 31)
    going.close()


def test_a_run_at_the_venue_s_process_is_compared_too(tmp_path: Path) -> None:
    serving = Serving(tmp_path, BARS.iloc[:45], HISTORY).start()
    runs = Runs(serving, STRATEGY)
    for _ in range(3):
        runs.run(once=True)
    runs.run()
    report = parity(Release.open(promote(STRATEGY, BARS, "run", costs=FREE, folder=tmp_path)), runs.journal)
    assert (report.differences.empty, report.steps) == (True, 25)
    serving.stop()
    runs.journal.close()


# -- causes -----------------------------------------------------------------------------------------------------------


def test_a_missed_step_is_the_cause_of_what_follows_from_it(world: World) -> None:
    world.fed.run(10)
    for _ in range(5):
        world.fed.step("the session was down")
    world.fed.run()
    report = world.report()
    assert causes(report) == {MISSED}
    assert (report.missed, report.explained) == (5, True)
    assert f"caused by: missed {len(report.differences)} (5 steps missed, 0 commands)" in repr(report)


@pytest.mark.parametrize("verb", ["flatten", "kill", "reduce", "pause"])
def test_what_a_person_ordered_is_the_cause_of_what_follows_from_it(world: World, verb: str) -> None:
    world.held().order(verb)
    world.fed.run(12)
    world.fed.order("resume")
    world.fed.run()
    report = world.report()
    assert causes(report) == {OVERRIDE}
    assert (report.commands, report.explained) == (2, True)


def test_a_word_of_a_person_s_is_the_cause_of_what_it_changed(tmp_path: Path) -> None:
    world = World(tmp_path, wb.Strategy(*PARTS, execution=Limit(0.0002, 2, "cross"), approval=60.0))
    said = 0
    while not world.fed.over:
        world.fed.step()
        for one in world.fed.session.proposals:
            said += 1
            what, body = ("veto", {}) if said % 3 == 0 else ("resize", {"quantity": 1.0}) if said % 3 == 1 else ("approve", {})
            world.fed.session.apply(Command(f"word {said}", what, "me", 0, 0, body | {"symbol": one.order.instrument.symbol}), 0)
            world.fed.listen()
    report = world.report()
    world.journal.close()
    assert said > 6
    assert causes(report) == {OVERRIDE}
    assert report.explained


def test_a_flatten_after_the_last_step_is_an_override_too(world: World) -> None:
    world.held().order("flatten")
    report = world.report()
    assert causes(report) == {OVERRIDE}
    assert report.differences.iloc[0][["what", "leg", "field"]].tolist() == ["order", "close", "present"]


def test_each_difference_has_the_cause_that_it_comes_from(world: World) -> None:
    world.fed.run(10)
    for _ in range(5):
        world.fed.step("the session was down")
    early = len(world.fed.session.tape)
    world.fed.run(25)
    world.held().order("flatten")
    world.fed.run()
    table = world.report().differences
    assert set(table["cause"]) == {MISSED, OVERRIDE}
    first = table[(table["what"] == "decision") & (table["time"] <= BARS.index[early - 1])]
    assert set(first["cause"]) == {MISSED}


def cancels(world: World) -> Any:
    """Cut the line for what is to be taken off: orders still get through."""
    fed = world.fed
    fed.line.cut = lambda asked: isinstance(asked, OrderKey) and fed.line.lost.append(str(asked)) is None
    return fed


def test_an_opening_that_could_not_be_taken_off_when_its_stance_turned_is_the_venue_s_doing(tmp_path: Path) -> None:
    world = World(tmp_path, wb.Strategy(*PARTS, execution=Limit(0.003, 12, "cross")))
    cancels(world).run()
    report = world.report()
    assert (causes(report), len(set(world.fed.line.lost)) > 3) == ({VENUE}, True)
    world.journal.close()


def opening_out(world: World) -> Fed:
    """Decide steps until an opening is out."""
    return world.until(lambda: any(not order.reduce_only for order in world.fed.line.open_orders()))


@pytest.mark.parametrize("later", ["taken off", "left to the venue"])
def test_a_kill_while_the_line_is_cut_is_no_bug(world: World, later: str) -> None:
    opening_out(world)
    cancels(world).order("kill")
    world.fed.line.cut = lambda asked: False
    if later == "taken off":
        world.fed.session.take_off()
        world.fed.listen()
    world.fed.run(12)
    world.fed.order("resume")
    world.fed.run()
    found = causes(world.report())
    assert len(list(world.journal.entries("taken off"))) == (later == "taken off")
    assert OVERRIDE in found
    assert BUG not in found


def test_an_opening_that_was_taken_off_though_nobody_heard_of_it_is_the_venue_s_doing(world: World) -> None:
    fed = opening_out(world)
    (order,) = [one for one in fed.line.open_orders() if not one.reduce_only]
    fed.exchange.cancel(order.key)
    fed.listen()
    fed.run()
    assert causes(world.report()) == {VENUE}


def test_a_flatten_between_the_fills_of_a_bar_and_its_step_is_an_override(world: World) -> None:
    fed = opening_out(world)
    while not (filled := [entry for entry in fed.journal.entries("event") if entry.body["event"] == "filled"]):
        assert fed.exchange.advance()
        fed.listen()
        filled = [entry for entry in fed.journal.entries("event") if entry.body["event"] == "filled"]
        if filled:
            assert fed.order("flatten").text.startswith("1 positions")
        take_up(fed)
    fed.run()
    assert (len(filled) > 0, causes(world.report())) == (True, {OVERRIDE})


def take_up(fed: Fed) -> None:
    """Decide the step of the bar that the exchange is at."""
    row = fed.exchange.row
    fed.session.append(fed.session.setup.on(fed.known(row + 1)), bars_received(BARS, row, row))
    fed.session.decide([fed.seen])
    fed.listen()


# -- bugs -------------------------------------------------------------------------------------------------------------


def falsely(world: World, change: Callable[[Any], Any]) -> None:
    """Have the session be told the first fill otherwise than the rules say: all that it writes follows from that."""
    book, told = world.fed.session.told, []

    def tells(said: Any) -> None:
        if not told and hasattr(said[0].event, "fill"):
            told.append(said)
            said = [VenueSaid(said[0].number, said[0].event._replace(fill=change(said[0].event.fill)))]
        book(said)

    world.fed.session.told = tells  # type: ignore[method-assign]


@pytest.mark.parametrize("field", ["price", "fee"])
def test_a_difference_without_a_cause_is_called_a_bug(world: World, field: str) -> None:
    falsely(world, lambda fill: replace(fill, **{field: getattr(fill, field) + 0.5}))
    world.fed.run()
    report = world.report()
    assert (causes(report), report.explained) == ({BUG}, False)
    assert report.differences[report.differences["what"] == "fill"].iloc[0]["field"] == field
    assert "caused by: bug" in repr(report)


def test_a_bug_stays_one_beside_other_causes(world: World) -> None:
    falsely(world, lambda fill: replace(fill, price=fill.price + 0.5))
    world.fed.run(30)
    world.held().order("flatten")
    world.fed.run()
    assert BUG in causes(world.report())
    assert OVERRIDE in causes(world.report())


def distorted(monkeypatch: pytest.MonkeyPatch, change: Callable[[Record], object]) -> None:
    """Have the run have lived otherwise than it did."""

    def told(live: Any) -> Record:
        record = recorded(live)
        if live.func is relived:
            change(record)
        return record

    monkeypatch.setattr("workbench.live.parity.recorded", told)


def test_what_is_wrong_with_an_order_of_a_person_s_is_a_bug(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.held()
    before = len(world.fed.recorder.record().orders)
    world.fed.order("flatten")
    world.fed.run(10)
    explained = world.report()

    def change(record: Record) -> None:
        assert LEGS[record.orders["leg"][before]] == "close"
        record.orders["lots"][before] += 1000
        record.orders["price"][before] = 1.23

    distorted(monkeypatch, change)
    report = world.report()
    wrong = report.differences[report.differences["cause"] == BUG]
    assert (causes(explained), causes(report), report.explained) == ({OVERRIDE}, {OVERRIDE, BUG}, False)
    assert wrong[["what", "leg", "field"]].to_numpy().tolist() == [["order", "close", "lots"], ["order", "close", "price"]]
    assert wrong["got"].iloc[0] == wrong["expected"].iloc[0] + 1000


def test_an_equity_that_was_edited_alone_is_refused(world: World, tmp_path: Path) -> None:
    world.fed.run()
    edited = Journal(tmp_path / "edited.db")
    edited.take_over("somebody")
    last = world.journal.newest("step")
    assert last is not None
    entries = [e._replace(body=e.body | {"equity": 1.0}) if e.number == last.number else e for e in world.journal.entries()]
    edited.commit(entries, world.journal.bars())
    with pytest.raises(JournalError, match=r"the step of 2024-01-04 .* had an equity of 1\.0, lived through again it has"):
        parity(world.release, edited)
    edited.close()


# -- what cannot be compared, and how it looks ------------------------------------------------------------------------


def test_a_run_that_has_not_begun_says_so(tmp_path: Path, world: World) -> None:
    empty = Journal(tmp_path / "empty.db")
    with pytest.raises(JournalError, match="is the record of a run that has not begun"):
        parity(world.release, empty)
    empty.close()


def test_another_release_is_refused(world: World, tmp_path: Path) -> None:
    world.fed.run(40)
    other = promote(wb.Strategy(MovingAverageCross(3, 9), RiskPercent(0.002), [AtrStop(5)]), BARS, "other", costs=FREE, folder=tmp_path)
    with pytest.raises(JournalError, match=r"decided again|lived through again"):
        parity(Release.open(other), world.journal)


@pytest.mark.parametrize(("verb", "colour"), [("", "#1f9e77"), ("flatten", "#e69f00")])
def test_a_page_shows_by_its_colour_whether_all_is_explained(world: World, verb: str, colour: str) -> None:
    world.held()
    if verb:
        world.fed.order(verb)
    shown = world.report()._repr_html_()
    assert colour in shown
    assert ("<table" in shown) == bool(verb)
