"""The gate in a live session: every order passes it before it is written down, and what it said is written down with the order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gate_worlds import SHUT
from markets import random_case
from markets_held import alone
from paper_worlds import Fed, state_of
from run_worlds import BARS, PARTS, World
from worked import Stop, market, plan

import workbench as wb
from workbench.errors import RunError
from workbench.execution import Limit
from workbench.exits import AtrStop
from workbench.live.parity import GATE
from workbench.live.release import Release, promote
from workbench.market import OrderKey
from workbench.records import GATED
from workbench.research.comparing import compare
from workbench.risk.gate import Gate, Latch, Situation
from workbench.session.checking import Gatekeeper, Recalled, situation_of
from workbench.session.doubts import Doubts, send_again
from workbench.session.events import Alert

MINUTE = 60 * 10**9


class Clock:
    """Nanoseconds that stand still until they are moved; bars of a `Fed` come at its beginning."""

    def __init__(self) -> None:
        self.now = 100

    def __call__(self) -> int:
        return self.now


def gated(fed: Fed, gate: Gate | None = None, clock: Clock | None = None) -> Fed:
    """Put a gate before a session."""
    setup = fed.session.setup
    object.__setattr__(setup, "gate", gate or Gate())
    fed.session.keeper = Gatekeeper(clock or Clock())
    return fed


def world(words: str = "+...0.", quantity: float = 10, gate: Gate | None = None, prices: Any = None, **parts: Any) -> Fed:
    """Return a session on a share of 100, cash 10,000, whose stances are written out."""
    return fed_from(words, prices or [100.0] * len(words), gate, quantity=quantity, **parts)


def fed_from(
    words: str, prices: Sequence[Any], gate: Gate | None = None, clock: Clock | None = None, interval: str = "1h", **parts: Any
) -> Fed:
    """Return a session that decides the first of the stances at its first step, after one bar of history."""
    bars = market([prices[0], *prices], interval=interval)
    return gated(Fed(plan(f".{words}", **parts), bars, 1, cash=10_000.0), gate, clock)


def opened(fed: Fed) -> list[float]:
    return [quantity for _, leg, quantity, _ in fed.fills if leg == "open"]


def alerts_of(fed: Fed) -> list[str]:
    return [entry.body["text"] for entry in fed.journal.entries("alert")]


def is_lived_again(fed: Fed) -> bool:
    session, record = fed.again()
    known = (session.latches, session.moments) == (fed.session.latches, fed.session.moments)
    return known and state_of(session) == state_of(fed.session) and bool(compare(record, fed.recorder.record(), fed.full.bars).empty)


# -- no way around it -------------------------------------------------------------------------------------------------


def test_an_order_leaves_a_session_by_one_door_alone() -> None:
    """What is appended to the outbox was put out, and what is put out is looked at."""
    found = {
        path.name: len(re.findall(r"_outbox\.append|_outbox \+=|_outbox\.extend", path.read_text()))
        for path in Path(wb.session.__file__).parent.glob("*.py")
    }
    assert {name for name, count in found.items() if count} == {"booking.py"}
    assert found["booking.py"] == 1


@pytest.mark.parametrize("seed", [0, 2, 3, 7, 13, 19, 26])
def test_the_usual_gate_holds_nothing_back_that_the_kernel_sends(seed: int) -> None:
    case = random_case(seed)
    account = case.account | {"buying_power": True}
    fed = gated(Fed(case.strategy, alone(case.bars).iloc[:120], 20, **account), Gate(repeats=None)).run()  # its venue books no funding
    assert [text for text in alerts_of(fed) if "gate" in text] == []
    assert fed.differences().empty
    assert is_lived_again(fed)


def test_every_order_is_asked_about_once() -> None:
    fed, asked = world("+.-.0.", exits=[Stop(50.0)]), []
    keeper = fed.session.keeper
    ask = keeper.ask
    keeper.ask = lambda session, order: asked.append(str(order.key)) or ask(session, order)  # type: ignore[method-assign]
    fed.run()
    assert asked == [str(entry.key) for entry in fed.journal.entries("intent")]
    assert len(asked) == 4


def shown(fed: Fed, **order: Any) -> Situation:
    """Return what the gate is shown of an order of the session's instrument."""
    return situation_of(fed.session, wb.Order(fed.bars.instruments[0], "sell", 1, **order), fed.session.keeper.now(fed.session))


def test_the_gate_is_shown_the_book_as_it_is() -> None:
    fed = world("+.....", prices=[100.0, 100, 102, 102, 102, 102], exits=[Stop(5.0)]).run(3)
    fed.session.latches["ABC"] = SHUT
    seen = shown(fed)
    assert (seen.mode, seen.position, seen.last, seen.latch) == ("RUNNING", 10.0, 102.0, SHUT)
    assert [(order.type, order.quantity) for order in seen.orders] == [("stop", 10.0)]
    assert set(seen.keys) == set(fed.session.lives.keys) != set()
    assert list(seen.sent) == list(fed.session.moments[0]) != []
    fed.order("pause")
    assert shown(fed).mode == "PAUSED"


def test_an_opening_that_crosses_later_is_held_against_the_price_it_was_decided_on() -> None:
    fed = world("+....", prices=[100.0, 107, 107, 107, 107], execution=Limit(0.001, 1, "cross"), gate=Gate(reference_collar=0.05)).run()
    assert opened(fed) == []
    assert alerts_of(fed) == ["the gate: ABC: the price 107 must be within 5 % of the reference 100"]


def test_the_same_order_twice_in_a_minute_is_counted() -> None:
    fed = fed_from("+-+-", [100.0] * 4, Gate(max_orders=1), interval="1min", quantity=1).run()
    assert [text for text in alerts_of(fed) if "1 orders were sent within a minute" in text]


@pytest.mark.parametrize(
    ("interval", "later", "open_"),
    [("1h", 4, True), ("1h", 6, False), ("1h", 18 * 60, True), ("1D", 6, True)],
    ids=["just after the bar", "at night", "in the next session", "daily bars"],
)
def test_an_order_is_sent_by_the_calendar_or_just_after_its_bar(interval: str, later: int, open_: bool) -> None:
    clock, share = Clock(), wb.Instrument("ABC", calendar="XNYS")
    start = "2024-01-02" if interval == "1D" else "2024-01-02 19:00"  # the session ends at 21:00, with the second hour
    fed = gated(Fed(plan(".."), market([100.0] * 2, share, interval, start), 1), clock=clock).run(1)
    clock.now += later * MINUTE
    assert shown(fed).open == open_


def test_what_was_said_then_is_said_again_of_no_more_than_is_asked_for_now() -> None:
    order = wb.Order(BARS.instruments[0], "buy", 5, key=OrderKey("ABC", 1, "open"))
    keeper = Recalled({"at": 7, "said": {str(order.key): [9.0, "cut", ["told"]]}})
    session = world().session
    assert keeper.now(session) == 7
    assert keeper.ask(session, order) == (5.0, "cut", ("told",))
    assert keeper.ask(session, replace(order, quantity=12)) == (9.0, "cut", ("told",))
    assert keeper.ask(session, replace(order, key=None)) == (5.0, "", ())


# -- cut and refused --------------------------------------------------------------------------------------------------


def test_an_opening_is_cut_to_what_the_position_may_be() -> None:
    fed = world(gate=Gate(max_position=0.05)).run()
    assert opened(fed) == [5.0]
    intent = next(iter(fed.journal.entries("intent"))).body
    assert intent["quantity"] == 5.0
    assert alerts_of(fed) == [
        "the gate: ABC: a position may be worth at most 500.00, and +0 could be held in its direction already, each worth 100.00"
    ]
    assert is_lived_again(fed)


def test_a_refused_opening_is_not_tried_again_until_the_stance_turns() -> None:
    fed = world("++++-+", gate=Gate(max_quantity=9), quantity=10).run()
    assert fed.fills == []
    decisions = fed.recorder.record().decisions
    assert decisions["code"].tolist() == [GATED, GATED, GATED]
    assert decisions["lots"].tolist() == [0, 0, 0]
    assert is_lived_again(fed)


def test_the_reason_of_a_refused_decision_names_the_check() -> None:
    fed = world(gate=Gate(max_quantity=9)).run()
    first = next(iter(fed.journal.entries("step"))).body["decisions"][0]["reason"]
    assert first.endswith("refused by the gate, the last look before the venue; ABC: an order may be at most 9, got 10")


def test_what_crosses_passes_the_gate_again() -> None:
    fed = world("+....", prices=[100.0, 101, 101, 101, 101], execution=Limit(0.001, 1, "cross"), gate=Gate(max_position=0.1)).run()
    # at 100 the ten shares were worth 1,000 of 10,000; at the close of 101 nine are left of them
    assert opened(fed) == [9.0]
    assert is_lived_again(fed)


def test_a_rejected_price_keeps_a_limit_away_from_the_market() -> None:
    fed = world("+...", execution=Limit(0.2, 3), gate=Gate()).run()
    assert fed.fills == []
    assert "the price 80 must be within 5 % of the last price 100" in alerts_of(fed)[0]


# -- closings ---------------------------------------------------------------------------------------------------------


def test_a_closing_that_the_latch_keeps_back_is_tried_at_every_step_until_a_person_asks() -> None:
    fed = world("+.0....")
    fed.run(2)
    fed.session.latches["ABC"] = Latch(idle=9, why="ABC: nothing moves")
    fed.run(3)
    assert fed.line.positions() == {"ABC": 10.0}
    assert [text for text in alerts_of(fed) if "nothing moves" in text] == [
        "the gate: ABC: nothing moves; a person has to arm it again"
    ] * 3
    assert fed.order("flatten").text.startswith("1 positions are being closed")
    fed.step()
    assert fed.line.positions() == {}


def test_nothing_opens_over_a_closing_that_was_kept_back() -> None:
    fed = world("+.-...")
    fed.run(2)
    fed.session.latches["ABC"] = Latch(idle=9, why="ABC: nothing moves")
    fed.run(1)
    assert fed.recorder.record().decisions["code"].tolist()[-1] == GATED
    assert fed.line.positions() == {"ABC": 10.0}


def test_a_flatten_tells_what_the_gate_said_of_it() -> None:
    fed = world("+.....", gate=Gate(max_quantity=None))
    fed.run(2)
    fed.session.latches["ABC"] = Latch(idle=9, why="ABC: nothing moves")
    assert fed.order("arm").text == "armed again: ABC"
    assert fed.order("arm").text == "no latch is shut"
    answer = fed.order("flatten")
    assert answer.text == "1 positions are being closed"
    fed.step()
    assert is_lived_again(fed)


# -- the market's clock -----------------------------------------------------------------------------------------------


def lost_opening(minutes: float) -> Fed:
    """Return a session whose opening got lost, and is sent again so much later."""
    clock = Clock()
    fed = fed_from("+....", [100.0] * 5, clock=clock, quantity=10)
    fed.line.cut = lambda asked: isinstance(asked, wb.Order)
    fed.step()
    fed.line.cut = lambda asked: False
    clock.now += int(minutes * MINUTE)
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=False)
    fed.run()
    return fed


def test_an_opening_is_sent_again_while_its_price_is_fresh() -> None:
    fed = lost_opening(minutes=4)
    assert opened(fed) == [10.0]
    assert is_lived_again(fed)


def test_an_opening_is_not_sent_again_on_an_old_price() -> None:
    fed = lost_opening(minutes=6)
    assert opened(fed) == []
    assert alerts_of(fed) == ["the gate: ABC: its last price is 360 s old, and at most 300 s are allowed"]
    assert is_lived_again(fed)


def test_a_closing_is_sent_on_an_old_price_and_said_to_be() -> None:
    clock = Clock()
    fed = fed_from("+.....", [100.0] * 6, clock=clock, quantity=10)
    fed.run(2)
    clock.now += 60 * MINUTE
    assert fed.order("flatten").text == "1 positions are being closed"
    fed.step()
    assert fed.line.positions() == {}
    assert alerts_of(fed) == ["ABC: its last price is 3600 s old, and at most 300 s are allowed"]


def test_orders_within_a_minute_are_counted_over_a_restart() -> None:
    fed = fed_from("+-+-", [100.0] * 4, Gate(max_orders=1), interval="1min", quantity=1)
    fed.run(1)
    session, _ = fed.again()
    assert [list(moments) for moments in session.moments] == [list(moments) for moments in fed.session.moments] != [[]]


# -- the latch --------------------------------------------------------------------------------------------------------


def test_a_position_that_is_stopped_as_soon_as_it_is_opened_shuts_the_latch() -> None:
    heard: list[Alert] = []
    words = "+-" * 6
    prices = [(100.0, 103.0, 97.0, 100.0)] * len(words)
    fed = fed_from(words, prices, Gate(repeats=3), interval="1min", quantity=1, exits=[Stop(1.0)])
    fed.session.on(Alert, heard.append)
    fed.run()
    assert len(opened(fed)) == 3
    assert fed.session.latches["ABC"].why == "ABC: 3 positions were closed within 5 s of their opening, and 3 shut the gate"
    assert "nothing opens there until it is armed again" in heard[0].text
    assert is_lived_again(fed)


# -- an instrument that is traded in several columns ----------------------------------------------------------------------


def entering(gate: Gate, words: str = "+++++.", prices: Any = None, clock: Clock | None = None, **parts: Any) -> Fed:
    """Return a session that enters with each step."""
    return fed_from(words, prices or [100.0] * len(words), gate, clock, quantity=10, entries="each", max_entries=4, **parts)


def test_a_position_is_what_all_entries_hold_together() -> None:
    fed = entering(Gate(max_position=0.25)).run()  # of 10,000: 25 pieces
    assert [fill.quantity for fill in fed.venue.executions()] == [10, 10, 5]
    assert "+20 could be held in its direction already" in alerts_of(fed)[0]
    assert is_lived_again(fed)


def test_orders_within_a_minute_are_those_of_all_strategies() -> None:
    team = wb.Team({"a": plan(".+..", quantity=10), "b": plan(".+..", quantity=10)})
    fed = gated(Fed(team, market([100.0] * 4), 1, cash=10_000.0), Gate(max_orders=1)).run()
    assert [fill.key.instrument for fill in fed.venue.executions()] == ["a/ABC"]
    assert alerts_of(fed) == ["the gate: b/ABC: 1 orders were sent within a minute, and at most 1 are allowed"]
    assert is_lived_again(fed)


@pytest.mark.parametrize(
    ("other", "held"),
    [(".+..", {"a/ABC": 20.0, "b/ABC": 5.0}), (".-..", {"a/ABC": -20.0, "b/ABC": 25.0})],
    ids=["an opening that is out counts", "what is held the other way makes no room"],
)
def test_a_position_is_what_all_strategies_could_hold_on_one_side(other: str, held: dict[str, float]) -> None:
    second = ".+.." if "+" in other else "..+."
    team = wb.Team({"a": plan(other, quantity=20), "b": plan(second, quantity=40)})
    fed = gated(Fed(team, market([100.0] * 4), 1, cash=10_000.0), Gate(max_position=0.25)).run()
    assert fed.line.positions() == held
    assert is_lived_again(fed)


def test_the_largest_order_is_named_by_the_symbol_of_the_market() -> None:
    fed = entering(Gate(max_quantity={"ABC": 10})).run()
    assert len(fed.venue.executions()) == 4


def test_a_latch_that_one_entry_shut_is_shut_for_all_of_them_and_a_person_arms_it() -> None:
    prices = [(100.0, 103.0, 97.0, 100.0)] * 8
    fed = entering(Gate(repeats=2), "++++++++", prices, interval="1min", exits=[Stop(1.0)]).run()
    assert [(fill.key.leg, fill.key.instrument) for fill in fed.venue.executions()] == [
        ("open", "ABC"), ("stop", "ABC"), ("open", "ABC#2"), ("stop", "ABC#2")
    ]  # fmt: skip
    assert shown(fed).latch.why.startswith("ABC#2: 2 positions were closed within 5 s")
    assert fed.order("arm").text == "armed again: ABC#2"
    assert is_lived_again(fed)


# -- releases and reports ---------------------------------------------------------------------------------------------


def test_a_release_carries_its_gate(tmp_path: Path) -> None:
    kept = promote(wb.Strategy(*PARTS), BARS, "tight", gate=Gate(max_position=0.5, max_quantity={"ABC": 3}), folder=tmp_path)
    assert Release.open(kept).setup(BARS).gate == Gate(max_position=0.5, max_quantity={"ABC": 3})
    with pytest.raises(RunError, match=r"tight is another release: gate is .* there and None here"):
        promote(wb.Strategy(*PARTS), BARS, "tight", folder=tmp_path)
    with pytest.raises(RunError, match=r"gate must be a wb\.risk\.Gate, got 5"):
        promote(wb.Strategy(*PARTS), BARS, "other", gate=5, folder=tmp_path)  # type: ignore[arg-type]


def test_the_report_of_a_run_names_the_gate_as_the_cause(tmp_path: Path) -> None:
    world = World(tmp_path, wb.Strategy(PARTS[0], wb.sizing.FixedFraction(0.5), [AtrStop(5, 1.0)]))
    gated(world.fed, Gate(max_position=0.4)).run()
    report = world.report()
    assert set(report.causes) == {GATE}
    assert report.by_cause()["cause"].tolist() == ["gate: what the gate cut or refused before it was sent"]
