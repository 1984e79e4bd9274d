"""A session whose inputs come one by one: it is the session of the backtest, and its journal leads back to it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from markets import random_case
from markets_held import alone
from paper_worlds import Fed, lived_again, state_of
from worked import OTHER, SHARE, Stop, Target, market, plan

import workbench as wb
from workbench.errors import JournalError, OrderError
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit
from workbench.journal import Entry, MemoryJournal
from workbench.market import Order
from workbench.records import CANCELLED, FILLED, LAPSED, STATUSES
from workbench.research.comparing import compare
from workbench.session.doubts import Doubts, send_again
from workbench.session.events import Alert, OrderSent, StepClosed
from workbench.session.recorder import Recorder
from workbench.session.recovery import relived
from workbench.session.setup import set_up
from workbench.signals import Breakout, MovingAverageCross
from workbench.sizing import FixedQuantity, RiskPercent

CROSS = MovingAverageCross(3, 8)
STRATEGIES = {
    "market": wb.Strategy(CROSS, RiskPercent(0.01), [AtrStop(5, 1.0), TakeProfit(percent=0.01)], [wb.risk.MaxLeverage(1.0)]),
    "limit that crosses": wb.Strategy(CROSS, RiskPercent(0.01), [AtrStop(5, 1.0)], execution=Limit(0.0002, 2, "cross")),
    "limit": wb.Strategy(Breakout(5), exits=[AtrStop(5)], execution=Limit(0.001, 1)),
    "target alone": wb.Strategy(Breakout(4), FixedQuantity(3), [TakeProfit(percent=0.004)]),
    "wait": wb.Strategy(CROSS, start="wait"),
    "vote": wb.Strategy(wb.signals.Majority([CROSS, Breakout(10), Breakout(30)]), risk=[wb.risk.MaxExposure(20_000.0, "instrument")]),
}
HISTORY = 20


def bars_with_holes() -> wb.Bars:
    return wb.simulate([SHARE, OTHER], bars=200, interval="1h", seed=4, missing=0.1)


def same(record: Any, bars: wb.Bars, other: Any) -> bool:
    return bool(compare(record, other, bars).empty)


# -- the same as a backtest -------------------------------------------------------------------------------------------


@lru_cache
def lived(name: str) -> Fed:
    """Return a whole run of a strategy."""
    return Fed(STRATEGIES[name], bars_with_holes(), HISTORY).run()


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_is_fed_bar_by_bar_is_the_backtest(name: str) -> None:
    fed = lived(name)
    record = fed.recorder.record()
    assert fed.differences().empty
    assert len(record.fills) > 10
    assert (fed.session.equity, fed.session.portfolio.cash) == (fed.venue.account().equity, fed.venue.account().cash)


@pytest.mark.parametrize("seed", [0, 2, 3, 7, 13, 19, 26])
def test_random_strategies_on_random_markets_are_their_backtests(seed: int) -> None:
    case = random_case(seed)
    fed = Fed(case.strategy, alone(case.bars).iloc[:120], HISTORY, **case.account).run()  # its venue books no funding
    assert fed.differences().empty
    session, record = fed.again()
    assert same(fed.recorder.record(), fed.bars, record)
    assert state_of(session) == state_of(fed.session)


def test_the_strategies_meet_every_end_of_an_order() -> None:
    seen = {status for name in STRATEGIES for status in lived(name).recorder.record().orders["status"].tolist()}
    assert {FILLED, CANCELLED, LAPSED} <= seen


@pytest.mark.parametrize("stop", range(HISTORY, 200, 45))
def test_the_journal_leads_back_to_the_same_session_at_any_step(stop: int) -> None:
    fed = Fed(STRATEGIES["limit that crosses"], bars_with_holes(), HISTORY).run(stop - HISTORY)
    session, record = fed.again()
    assert state_of(session) == state_of(fed.session)
    assert same(fed.recorder.record(), fed.bars, record)


def test_a_session_that_came_back_goes_on_as_if_nothing_had_been() -> None:
    fed = Fed(STRATEGIES["limit that crosses"], bars_with_holes(), HISTORY).run(90)
    recorders: list[Recorder] = []
    fed.session = relived(
        fed.session.setup.on(fed.session.setup.bars), fed.journal.entries(), HISTORY, lambda one: recorders.append(Recorder(one))
    )
    fed.session.execution, fed.session.journal, fed.recorder = fed.line, fed.journal, recorders[0]
    assert fed.session.steps_done == HISTORY + 90
    assert fed.run().differences().empty


def test_rule_35_an_order_is_in_the_journal_before_it_leaves() -> None:
    fed = Fed(STRATEGIES["market"], bars_with_holes(), HISTORY)
    missing: list[str] = []
    fed.session.on(OrderSent, lambda event: missing.extend({str(event.order.key)} - {str(e.key) for e in fed.journal.entries("intent")}))
    fed.run()
    keys = [str(entry.key) for entry in fed.journal.entries("intent")]
    assert missing == []
    assert len(keys) == len(set(keys)) > 20


# -- a changed strategy -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signal", "sizer", "said"),
    [
        (MovingAverageCross(3, 9), RiskPercent(0.01), r"order //\w+/\d+/\w+/0/0: then .*, decided again .*|the step of 20"),
        (CROSS, RiskPercent(0.001), r"the step of 2024-01-\d\d .* had an equity of [\d.]+, lived through again it has|order .*: then"),
        (
            Breakout(1_000),
            RiskPercent(0.01),
            r"order .*: then \{.*\}, decided again not sent; this release or this workbench is not the one",
        ),
    ],
    ids=["signal", "sizer", "silent"],
)
def test_a_strategy_that_was_changed_is_refused(signal: Any, sizer: Any, said: str) -> None:
    fed = Fed(STRATEGIES["market"], bars_with_holes(), HISTORY).run(100)
    changed = wb.Strategy(signal, sizer, [AtrStop(5, 1.0), TakeProfit(percent=0.01)], [wb.risk.MaxLeverage(1.0)])
    with pytest.raises(JournalError, match=said):
        lived_again(set_up(changed, fed.session.setup.bars, 100_000.0, fed.full.costs[0]), fed.journal, HISTORY)


def test_a_strategy_that_sends_more_than_it_did_is_refused() -> None:
    fed = Fed(plan("....."), market([100.0] * 5)).run()
    with pytest.raises(JournalError, match=r"order //ABC/\d+/open/0/0: then not sent, decided again \{'instrument': 'ABC', 'side': 'buy'"):
        lived_again(set_up(plan("...+."), fed.bars), fed.journal, 1)


def test_an_order_more_after_the_last_entry_is_refused_too() -> None:
    fed = Fed(plan("....."), market([100.0] * 5)).run()
    with pytest.raises(JournalError, match="then not sent, decided again"):
        lived_again(set_up(plan("....+"), fed.bars), fed.journal, 1)


def test_when_the_newest_bar_came_is_known_again() -> None:
    fed = Fed(plan(".+..."), market([100.0] * 5)).run(3)
    timed = [entry._replace(time=1000 * entry.number) for entry in fed.journal.entries()]
    session = relived(fed.session.setup.on(fed.session.setup.market), timed, 1)
    assert session.arrived == max(entry.time for entry in timed if entry.kind == "step")


def test_an_equity_that_was_edited_is_named_by_its_step() -> None:
    fed = Fed(plan("+....."), market([100.0, 100.0, 101.0, 102.0, 103.0])).run()
    edited = MemoryJournal()
    for entry in fed.journal.entries():
        lower = entry.kind == "step" and entry.body["equity"] == 100_000.0
        edited.commit([entry._replace(body=entry.body | {"equity": 99_000.0}) if lower else entry])
    with pytest.raises(JournalError, match=r"the step of 2024-01-01 01:00:00\+00:00 had an equity of 99000.0, .* it has 100000.0"):
        lived_again(fed.session.setup, edited, 1)


# -- missed steps (SEMANTICS 36) --------------------------------------------------------------------------------------

FLAT = [100.0] * 10


def missed(stances: str, which: set[int], late: str = "skip", rows: Any = FLAT, **parts: Any) -> Fed:
    """Run a plan whose steps of some rows are missed."""
    fed = Fed(plan(stances, late_entries=late, **parts), market(rows))
    while not fed.over:
        fed.step("the session was down" if fed.exchange.row + 1 in which else "")
    session, record = fed.again()
    assert state_of(session) == state_of(fed.session)
    assert same(fed.recorder.record(), fed.bars, record)
    return fed


def legs(fed: Fed) -> list[tuple[int, str, float]]:
    return [fill[:3] for fill in fed.fills]


@pytest.mark.parametrize(
    ("stances", "which", "late", "expected"),
    [
        (".+.-------", {3}, "skip", [(2, "open", 1), (5, "close", -1)]),
        (".+.-------", {3}, "take", [(2, "open", 1), (5, "close", -1), (5, "open", -1)]),
        (".+++------", {3}, "skip", [(2, "open", 1), (5, "close", -1), (5, "open", -1)]),
        (".+.-------", {3, 4, 5}, "skip", [(2, "open", 1), (7, "close", -1)]),
        (".+.-------", {3, 4, 5}, "take", [(2, "open", 1), (7, "close", -1), (7, "open", -1)]),
        (".+.-+-....", {3, 4}, "skip", [(2, "open", 1), (6, "close", -1), (6, "open", -1)]),
        (".+.-+.....", {3, 4}, "take", [(2, "open", 1)]),
        (".0+++.....", {2}, "skip", []),
        (".0+++.....", {2}, "take", [(4, "open", 1)]),
        (".0++0+....", {2}, "skip", [(6, "open", 1)]),
        (".+.0......", {3}, "skip", [(2, "open", 1), (5, "close", -1)]),
        (".+.-......", {3}, "skip", [(2, "open", 1), (5, "close", -1)]),
        (".+.-......", {3}, "take", [(2, "open", 1), (5, "close", -1), (5, "open", -1)]),
        (".+.-.-....", {3, 4}, "skip", [(2, "open", 1), (6, "close", -1)]),
        (".+.-.+....", {3, 4}, "skip", [(2, "open", 1)]),
        (".0..+.....", {3}, "skip", [(5, "open", 1)]),
        (".+.000....", {3}, "skip", [(2, "open", 1), (5, "close", -1)]),
        (".+........", {2}, "skip", [(2, "open", 1)]),
    ],
    ids=[
        "a missed flip closes", "a missed flip taken late", "turned in the newest step", "three missed", "three missed, taken late",
        "turned again in the newest step", "there and back", "a missed entry", "a missed entry taken late", "a missed entry turns again",
        "an exit, no opinion since", "a flip, no opinion since",
        "a flip taken late, no opinion since", "the same opinion again", "there and back after silence", "nothing said in what was missed",
        "a missed exit", "the fill of a missed step",
    ],
)  # fmt: skip
def test_rule_36_missed_steps(stances: str, which: set[int], late: str, expected: list[Any]) -> None:
    assert legs(missed(stances, which, late)) == expected


def test_rule_36_the_late_opening_has_its_reason() -> None:
    decisions = [d for e in missed(".+.-------", {3}).journal.entries("step") for d in e.body["decisions"]]
    assert decisions[-1]["reason"].startswith("closes 1 long; the stance turned on a bar that came late, or while no steps were decided")


def test_rule_36_a_stop_works_while_steps_are_missed() -> None:
    fed = missed(".+........", {3, 4, 5}, rows=[100, 100, 100, 100, (100, 100, 90, 95), 95, 95], exits=[Stop(5.0)])
    assert fed.fills == [(2, "open", 1.0, 100.0), (4, "stop", -1.0, 95.0)]


@pytest.mark.parametrize(("late", "expected"), [("skip", []), ("take", [(5, "open", 1)])])
def test_rule_36_a_limit_that_ended_in_a_missed_step_does_not_cross_late(late: str, expected: list[Any]) -> None:
    rows = [100, 100, 101, 102, 103, 104, 105]
    fed = missed(".+.....", {3}, late, rows, execution=Limit(0.005, 2, "cross"))
    assert legs(fed) == expected


def test_rule_36_one_that_ended_in_the_newest_step_crosses() -> None:
    fed = missed(".+.....", {2}, "skip", [100, 100, 101, 102, 103, 104, 105], execution=Limit(0.005, 2, "cross"))
    assert legs(fed) == [(4, "open", 1)]


def test_a_missed_step_is_told_and_written_down() -> None:
    fed = Fed(plan(".+......"), market(FLAT))
    told: list[int] = []
    fed.session.on(StepClosed, lambda event: told.append(event.step))
    for why in ("", "the venue was gone", ""):
        fed.step(why)
    assert told == [1, 2, 3]
    assert [(e.body["why"], e.body["equity"]) for e in fed.journal.entries("missed")] == [("the venue was gone", 100_000.0)]
    assert len(fed.recorder.record().equity) == 4


# -- orders that never arrived (SEMANTICS 37) -------------------------------------------------------------------------


def cut_once(fed: Fed, leg: str) -> None:
    """Lose the next order of a leg."""
    fed.line.cut = lambda asked: not fed.line.lost and getattr(asked, "key", asked).leg == leg


def ended_as_absent(fed: Fed) -> Any:
    """Settle the one doubt as a runner does: the venue has never had the order."""
    (order,) = Doubts().settle(fed.session, fed.line, 0.0)
    return order


@pytest.mark.parametrize("leg", ["open", "close"])
def test_rule_37_what_never_arrived_is_sent_again_as_the_next_attempt(leg: str) -> None:
    fed = Fed(plan(".+..0....."), market(FLAT))
    cut_once(fed, leg)
    while not fed.line.lost:
        fed.step()
    order = ended_as_absent(fed)
    assert fed.session.doubtful == []
    fed.session.again(order)
    fed.listen()
    (entry,) = fed.journal.entries("again")
    assert (entry.key.attempt, entry.key.leg, str(entry.key)) == (1, leg, str(order.key)[:-1] + "1")
    assert str(entry.key) in {str(e.key) for e in fed.journal.entries("intent")}
    assert fed.run().differences().empty
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_rule_37_the_lost_closing_of_a_flip_does_not_close_the_new_position_too() -> None:
    fed = Fed(plan(".+..-....."), market(FLAT))
    cut_once(fed, "close")
    while not fed.line.lost:
        fed.step()
    assert [order.key.leg for order in fed.session.doubtful if order.key] == ["open", "close"]  # the opening waited for the closing
    assert fed.line.open_orders() == []
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=False)
    fed.listen()
    assert fed.run().differences().empty
    assert [leg for _, leg, *_ in fed.fills] == ["open", "close", "open"]


def test_rule_37_what_never_arrived_and_is_not_sent_again_is_absent_in_the_record() -> None:
    fed = Fed(plan(".+......"), market(FLAT))
    cut_once(fed, "open")
    fed.step()
    ended_as_absent(fed)
    fed.run()
    record, again = fed.recorder.record(), fed.again()[1]
    assert [STATUSES[status] for status in record.orders["status"]] == ["absent"]
    assert same(record, fed.bars, again)
    assert fed.fills == []


def test_rule_37_a_closing_is_cut_to_what_is_still_open() -> None:
    fed = Fed(plan(".+.0....", exits=[Stop(5.0)]), market([100, 100, 100, 100, (100, 100, 90, 95), 95, 95]))
    cut_once(fed, "close")
    fed.run(4)  # the stop fills in the bar after the closing was lost
    order = ended_as_absent(fed)
    fed.session.again(order)
    assert fed.fills == [(2, "open", 1.0, 100.0), (4, "stop", -1.0, 95.0)]
    assert (list(fed.journal.entries("again")), fed.line.open_orders(), fed.session.working) == ([], [], [])
    fed.run()
    assert len(fed.fills) == 2
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_rule_37_nothing_opens_on_top_of_a_doubt() -> None:
    fed = Fed(plan(".+-......"), market(FLAT))
    fed.line.cut = lambda asked: not isinstance(asked, wb.Order) or asked.side == "buy"
    fed.run(2)
    (order,) = fed.session.doubtful
    reasons = [d["reason"] for e in fed.journal.entries("step") for d in e.body["decisions"]]
    assert reasons[-1] == "an earlier order of this instrument is in doubt, so nothing opens on top of it"
    assert (order.side, fed.line.open_orders()) == ("buy", [])


@pytest.mark.parametrize(("leg", "expected"), [("open", []), ("close", [(2, "open", 1), (5, "close", -1)])])
def test_rule_10_what_the_venue_refuses_is_over_and_a_closing_is_sent_anew(leg: str, expected: list[Any]) -> None:
    fed = Fed(plan(".+.0....."), market(FLAT))
    submit, told = fed.line.submit, []
    fed.session.on(Alert, told.append)

    def refusing(order: Order) -> bool:
        if not told and order.key is not None and order.key.leg == leg:
            raise OrderError("the paper venue refused: its desk is closed")
        return submit(order)

    fed.line.submit = refusing  # type: ignore[method-assign]
    fed.run()
    assert legs(fed) == expected
    assert [alert.text.split(": ", 1)[1] for alert in told] == ["the paper venue refused: its desk is closed"]
    session, record = fed.again()
    assert (state_of(session), same(fed.recorder.record(), fed.bars, record)) == (state_of(fed.session), True)
    assert "rejected" in {STATUSES[status] for status in record.orders["status"]}


def test_a_closing_that_comes_to_nothing_is_sent_anew_at_the_next_step() -> None:
    fed = Fed(plan(".+.0......"), market(FLAT))
    cut_once(fed, "close")
    fed.run(3)
    ended_as_absent(fed)
    fed.run()
    assert legs(fed) == [(2, "open", 1), (5, "close", -1)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_the_target_is_known_as_soon_as_the_venue_says_so() -> None:
    fed = Fed(plan(".+......", exits=[Stop(5.0), Target(5.0)]), market(FLAT)).run(2)
    assert sorted(order.key.leg for order in fed.session.working if order.key) == ["stop", "target"]
    assert fed.session.doubtful == []
    assert np.isfinite([order.price for order in fed.session.working]).all()


def test_what_the_venue_said_is_in_the_journal_under_its_number() -> None:
    fed = Fed(plan(".+.0......"), market(FLAT)).run()
    events = [entry for entry in fed.journal.entries("event") if isinstance(entry, Entry)]
    assert [entry.key for entry in events] == sorted({entry.key for entry in events})
    assert [entry.body["event"] for entry in events] == ["accepted", "filled", "accepted", "filled"]
