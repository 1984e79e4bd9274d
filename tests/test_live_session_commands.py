"""What people ask of a session: the modes, flatten, kill and stop; each is done once, and is in the journal."""

from __future__ import annotations

from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.execution import Limit
from workbench.execution.port import OrderEnded, VenueSaid
from workbench.research.comparing import compare

FLAT = [100.0] * 12
FALL = [100, 100, 100, 100, 100, (100, 100, 90, 95), 95, 95, 95]
PAIR = {SHARE: FLAT, OTHER: FLAT}


@pytest.fixture
def long() -> Fed:
    """Return a session that holds one share with a stop, bought at row 2."""
    return Fed(plan(".+..........", exits=[Stop(5.0)]), market(FALL)).run(2)


def comes_back(fed: Fed) -> bool:
    """Whether the journal leads to the same session and record."""
    session, record = fed.again()
    return state_of(session) == state_of(fed.session) and compare(fed.recorder.record(), record, fed.bars).empty


def legs(fed: Fed) -> list[Any]:
    return [fill[:3] for fill in fed.fills]


# -- modes (SEMANTICS 38) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "mode", "said"),
    [
        ("pause", "PAUSED", "PAUSED: no decisions; protective orders stay"),
        ("resume", "RUNNING", "RUNNING already"),
        ("reduce", "REDUCING", "REDUCING: only closings are sent"),
        ("kill", "HALTED", "HALTED: 0 opening orders taken off; protective orders stay"),
        ("flatten", "RUNNING", "1 positions are being closed"),
        ("stop", "RUNNING", "the run ends; positions and their protective orders stay"),
    ],
)
def test_a_command_is_answered_and_comes_back_with_the_journal(long: Fed, verb: str, mode: str, said: str) -> None:
    answer = long.order(verb, now=7)
    assert (answer.state, answer.text, answer.time, long.session.mode) == ("applied", said, 7, mode)
    (entry,) = long.journal.entries("command")
    assert (entry.key, entry.body["what"], entry.body["who"], entry.body["state"], entry.body["answer"]) == (
        f"{verb} 1", verb, "me", "applied", said,
    )  # fmt: skip
    assert comes_back(long)
    assert comes_back(long.run())


@pytest.mark.parametrize("verb", ["pause", "reduce", "kill"])
def test_the_same_mode_again_says_so(long: Fed, verb: str) -> None:
    long.order(verb)
    mode = long.session.mode
    assert mode in long.order(verb).text
    assert long.session.mode == mode
    assert long.order("resume").text == "RUNNING: decisions go on"


@pytest.mark.parametrize("verb", ["pause", "reduce", "kill"])
def test_rule_38_a_stop_works_in_every_mode(long: Fed, verb: str) -> None:
    long.order(verb)
    long.run()
    assert long.fills == [(2, "open", 1.0, 100.0), (5, "stop", -1.0, 95.0)]
    assert comes_back(long)


def test_rule_38_a_paused_session_decides_nothing_and_its_steps_are_missed() -> None:
    fed = Fed(plan(".+.0........"), market(FLAT)).run(2)
    fed.order("pause")
    fed.run(4)
    assert legs(fed) == [(2, "open", 1)]
    assert [entry.body["why"] for entry in fed.journal.entries("missed")] == ["PAUSED"] * 4
    fed.order("resume")
    assert legs(fed.run()) == [(2, "open", 1), (8, "close", -1)]
    assert comes_back(fed)


def test_rule_38_a_reducing_session_sends_closings_only() -> None:
    fed = Fed(plan(".+.-...+...."), market(FLAT)).run(2)
    fed.order("reduce")
    fed.run(2)
    reasons = [d["reason"] for e in fed.journal.entries("step") for d in e.body["decisions"]]
    assert reasons[-1] == "closes 1 long; the session only reduces: nothing opens"
    fed.order("resume")
    assert legs(fed.run()) == [(2, "open", 1), (4, "close", -1), (8, "open", 1)]
    assert comes_back(fed)


@pytest.mark.parametrize("verb", ["reduce", "pause"])
def test_rule_38_a_limit_does_not_cross_unless_the_session_runs(verb: str) -> None:
    fed = Fed(plan(".+......", execution=Limit(0.01, 2, "cross")), market(FLAT)).run(2)
    fed.order(verb)
    fed.run(2)
    fed.order("resume")
    assert legs(fed.run()) == []
    assert comes_back(fed)


# -- flatten ----------------------------------------------------------------------------------------------------------


def test_flatten_closes_every_position_once_and_nothing_enters_again_until_a_stance_turns() -> None:
    fed = Fed(plan(".+.....-....", ".-........0."), market(PAIR)).run(2)
    assert fed.order("flatten", name="f-1").text == "2 positions are being closed"
    assert fed.order("flatten").text == "2 positions are being closed"
    closings = [order for order in fed.line.open_orders() if order.reduce_only]
    assert [(order.key.label, order.key.leg, order.side) for order in closings if order.key] == [
        ("f-1", "close", "sell"), ("f-1", "close", "buy"),
    ]  # fmt: skip
    fed.run()
    assert legs(fed) == [(2, "open", 1), (2, "open", -1), (3, "close", -1), (3, "close", 1), (8, "open", -1)]
    assert comes_back(fed)


def test_flatten_is_in_the_journal_before_it_is_sent(long: Fed) -> None:
    long.line.cut = lambda asked: True
    long.order("flatten", name="f-1")
    kinds = [(entry.kind, str(entry.key)) for entry in long.journal.entries()][-3:-1]
    assert kinds == [("command", "f-1"), ("intent", "//ABC/f-1/close/0/0")]
    assert [str(order.key) for order in long.session.doubtful] == ["//ABC/f-1/close/0/0"]
    assert comes_back(long)


def test_flatten_takes_openings_off_too() -> None:
    fed = Fed(plan(".+..........", execution=Limit(0.01, 5)), market(FLAT)).run(2)
    assert len(fed.line.open_orders()) == 1
    assert fed.order("flatten").text == "there is nothing to close"
    assert (fed.line.open_orders(), fed.session.working) == ([], [])
    assert comes_back(fed.run())


def test_flatten_does_not_double_a_closing_that_is_out() -> None:
    fed = Fed(plan(".+.0........"), market(FLAT)).run(3)
    assert fed.order("flatten").text == "1 positions are being closed"
    assert legs(fed.run()) == [(2, "open", 1), (4, "close", -1)]


def test_a_flatten_whose_order_was_lost_is_made_good_at_the_next_step() -> None:
    fed = Fed(plan(".+.........."), market(FLAT)).run(2)
    fed.line.cut = lambda asked: not fed.line.lost
    fed.order("flatten")
    (order,) = fed.session.doubtful
    assert order.key is not None
    fed.session.told([VenueSaid(f"absent {order.key}", OrderEnded(order.key, "absent", 0))])
    fed.run()
    assert legs(fed) == [(2, "open", 1), (4, "close", -1)]
    assert comes_back(fed)


def test_rule_38_a_halted_session_can_be_flattened(long: Fed) -> None:
    long.order("kill")
    long.order("flatten")
    long.run()
    assert legs(long) == [(2, "open", 1), (3, "close", -1)]
    assert (long.session.mode, long.line.open_orders()) == ("HALTED", [])
    assert comes_back(long)


# -- kill and stop ----------------------------------------------------------------------------------------------------


def test_rule_38_kill_takes_openings_off_and_keeps_protective_stops() -> None:
    bars = market({SHARE: [100, 100, 99, 99, 99, (99, 99, 90, 95), 95, 95, 95], OTHER: FLAT[:9]})
    fed = Fed(plan(".+.......", "..+......", exits=[Stop(5.0)], execution=Limit(0.0, 9)), bars).run(2)
    assert sorted(order.key.leg for order in fed.line.open_orders() if order.key) == ["open", "stop"]
    assert fed.order("kill").text == "HALTED: 1 opening orders taken off; protective orders stay"
    assert [order.key.leg for order in fed.line.open_orders() if order.key] == ["stop"]
    fed.run()
    assert legs(fed) == [(2, "open", 1), (5, "stop", -1)]
    assert comes_back(fed)


def test_kill_tries_again_until_the_venue_has_confirmed() -> None:
    fed = Fed(plan(".+......", execution=Limit(0.01, 9)), market(FLAT[:8])).run(2)
    fed.line.cut = lambda asked: True
    assert fed.order("kill").text == "HALTED: 0 opening orders taken off; protective orders stay"
    fed.session.take_off()
    assert [len(fed.session.working), len(list(fed.journal.entries("taken off")))] == [1, 0]
    assert comes_back(fed)
    fed.line.cut = lambda asked: False
    fed.session.take_off()
    fed.session.take_off()
    assert [len(fed.session.working), len(list(fed.journal.entries("taken off")))] == [0, 1]
    assert fed.line.open_orders() == []
    fed.listen()
    assert comes_back(fed.run())


def test_a_stop_that_was_answered_is_an_end_in_the_same_commit(long: Fed) -> None:
    long.session.name = "a run"
    commit, together = long.journal.commit, list[list[str]]()

    def noting(entries: Any, *rest: Any, **more: Any) -> None:
        together.append([entry.kind for entry in entries])
        commit(entries, *rest, **more)

    long.journal.commit = noting  # type: ignore[method-assign]
    long.order("stop")
    assert together == [["command", "end"]]
    assert [(entry.key, entry.body) for entry in long.journal.entries("end")] == [("a run", {"why": "stopped by me"})]


def test_stop_ends_the_run_and_leaves_the_position_as_it_is(long: Fed) -> None:
    orders = long.line.open_orders()
    long.order("stop")
    assert long.session.stopping == "stopped by me"
    assert long.line.open_orders() == orders
    assert long.line.positions() == {"ABC": 1.0}


# -- what goes on while nothing is decided ------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["reduce", "pause", "kill"])
def test_21_a_breach_is_said_in_every_mode(verb: str) -> None:
    level = (100, 100.5, 99.5, 100, 1e5)
    rows = [level, level, level, *[(100 * 1.2**k,) * 4 + (1e5,) for k in range(1, 5)]]
    limit = wb.risk.MaxExposure(60_000.0, by="instrument", of="money")
    fed = Fed(plan(".+.....", sizer=wb.sizing.FixedFraction(0.5), risk=[limit]), market(rows), 1).run(2)
    fed.order(verb)
    fed.run()
    said = [entry.body["text"] for entry in fed.journal.entries("alert")]
    assert said == ["MaxExposure is breached: net instrument exposure ABC 72,000 of 60,000 USD"]
    assert comes_back(fed)


@pytest.mark.parametrize("verb", ["reduce", "pause", "kill"])
def test_41_a_stop_out_closes_in_every_mode(verb: str) -> None:
    rows = [100.0] * 3 + [100.0 - 1.5 * k for k in range(1, 9)] + [88.0] * 2
    future = wb.Instrument("FUT", "commodity", "future")
    fed = Fed(plan(".+" + "." * 11, quantity=9000.0), market(rows, future), 1).run(2)
    fed.order(verb)
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 9000.0), (8, "close", -9000.0)]
    assert comes_back(fed)


def test_41_but_of_a_step_that_passed_while_nobody_was_there_nothing_is_sent() -> None:
    rows = [100.0] * 3 + [100.0 - 1.5 * k for k in range(1, 9)] + [88.0] * 2
    fed = Fed(plan(".+" + "." * 11, quantity=9000.0), market(rows, wb.Instrument("FUT", "commodity", "future")), 1).run(2)
    for _ in range(7):
        fed.step("the session was down")
    assert len(list(fed.journal.entries("intent"))) == 1
    fed.run(2)
    assert fed.fills[-1][:3] == (11, "close", -9000.0)
    assert comes_back(fed)


# -- what is not done -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["explode", "", "PAUSE"])
def test_an_unknown_command_is_refused_with_what_there_is(long: Fed, verb: str) -> None:
    before = state_of(long.session)
    answer = long.order(verb)
    assert (answer.state, answer.text) == (
        "refused",
        f"a session knows pause, resume, reduce, flatten, kill, stop, arm, approve, veto, resize, absent; got {verb!r}",
    )
    assert state_of(long.session) == before
    assert comes_back(long)


@pytest.mark.parametrize(("expires", "now", "state"), [(10, 11, "expired"), (10, 10, "applied"), (0, 10**18, "applied")])
def test_a_command_that_came_too_late_is_not_applied(long: Fed, expires: int, now: int, state: str) -> None:
    answer = long.order("flatten", expires, now)
    assert answer.state == state
    assert [order.key.leg for order in long.session.working if order.key] == ["close", "stop"][state == "expired" :]
    assert comes_back(long.run())
