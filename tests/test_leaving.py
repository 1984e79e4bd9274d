"""What a session means to close is closed: cut, kept back, lost, or behind a trim that cannot be taken off."""

from __future__ import annotations

from typing import Any

import pytest
from asking import LEVEL
from keepers import Cuts, KeepsClosings
from paper_worlds import Fed, state_of
from test_left_over import keep_openings
from worked import Script, Stop, market, plan

import workbench as wb
from workbench.execution import Costs, Limit, Twap
from workbench.execution.port import OrderEnded, OrderFilled, VenueSaid
from workbench.exits import TimeStop
from workbench.market import Fill, OrderKey
from workbench.research.comparing import compare
from workbench.session.checking import Gatekeeper

#: The price jumps while a position is held: a sizer asks for less of it.
JUMPS: list[Any] = [LEVEL, LEVEL, LEVEL, (100, 121, 100, 120, 1e5), *[(120, 121, 119, 120, 1e5)] * 8]
HOURLY = wb.sizing.Rebalance("1h", band=0.0)
SLOW = Costs(commission=0.0, slippage=0.0, latency=1.0)


@pytest.mark.parametrize(
    ("lost", "done"),
    [(False, [("open", 500.0), ("close", -500.0)]), (True, [("open", 500.0), ("trim", -42.0), ("close", -458.0)])],
    ids=["taken off", "not told whether it was taken off"],
)
def test_a_time_stop_closes_all_there_is_though_a_trim_is_on_its_way(lost: bool, done: list[Any]) -> None:
    strategy = wb.Strategy(Script([".+" + "." * 10]), wb.sizing.FixedFraction(0.5), [TimeStop(2)], rebalance=HOURLY)
    fed = Fed(strategy, market(JUMPS), 1, costs=SLOW)
    fed.session.keeper = Gatekeeper(lambda: 0)
    fed.line.cut = lambda asked: lost and isinstance(asked, OrderKey)
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == done
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_what_a_closing_left_open_is_closed_next() -> None:
    fed = Fed(plan(".+" + "." * 10, quantity=10.0, exits=[TimeStop(2)]), market([LEVEL] * 12), 1)
    fed.session.keeper = Cuts()
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (4, "close", -4.0), (5, "close", -4.0), (6, "close", -2.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_an_opening_that_is_told_before_the_closing_beside_it_stays() -> None:
    fed = Fed(plan(".+.0+.......", quantity=10.0), market([LEVEL] * 12), 1, costs=SLOW).run(4)
    state = fed.session.states[0]
    for order in (state.opening, state.closing):
        assert order is not None
        assert order.key is not None
        fill = Fill(order.key, order.instrument, order.side, 10.0, 100.0, 0.0, int(fed.bars.labels[5]), name=order.key.leg)
        fed.session.told([VenueSaid(f"filled {order.key}", OrderFilled(fill))])
    assert (fed.session.portfolio.lots, fed.session.states[0].leaves) == ([10], False)


def trim_that_cannot_be_taken_off(**parts: Any) -> Fed:
    """Return a session whose trim is on its way, and cannot be taken off any more."""
    strategy = plan(".+" + "." * 10, sizer=wb.sizing.FixedFraction(0.5), rebalance=HOURLY, **parts)
    fed = Fed(strategy, market(JUMPS), 1, costs=SLOW).run(3)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    return fed


def test_a_flatten_over_a_trim_that_cannot_be_taken_off_closes_the_rest() -> None:
    fed = trim_that_cannot_be_taken_off()
    assert fed.order("flatten").text == "1 positions could not be closed yet: that is tried again with each bar"
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == [("open", 500.0), ("trim", -42.0), ("close", -458.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


@pytest.mark.parametrize("lost", [False, True], ids=["taken off", "not told"])
def test_a_stop_that_the_session_holds_closes_all_there_is_though_a_trim_is_on_its_way(lost: bool) -> None:
    rows = [LEVEL, LEVEL, LEVEL, (100, 121, 100, 120, 1e5), (120, 121, 90, 115, 1e5), *[(115, 116, 114, 115, 1e5)] * 8]
    strategy = plan(
        ".+" + "." * 11,
        sizer=wb.sizing.FixedFraction(0.5),
        exits=[Stop(8.0)],
        rebalance=HOURLY,
        unsupported="hold",
    )
    fed = Fed(strategy, market(rows), 1, costs=SLOW, supports=["market", "limit", "amend"])
    fed.line.cut = lambda asked: lost and isinstance(asked, OrderKey) and fed.session.steps_done <= 5
    fed.run()
    done = [("open", 500.0), ("trim", -42.0), ("close", -458.0)] if lost else [("open", 500.0), ("close", -500.0)]
    assert [fill[1:3] for fill in fed.fills] == done
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_a_session_that_halts_asks_anew_whatever_it_asked_before() -> None:
    fed = Fed(plan(".+" + "." * 10, quantity=10.0, execution=Limit(0.02, 9)), market([LEVEL] * 12), 1).run(2)
    fed.line.cut = lambda asked: True
    fed.order("kill")
    fed.session.take_off()
    fed.line.cut = lambda asked: False
    assert fed.order("flatten").text == "there is nothing to close"
    assert fed.line.open_orders() == []
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_what_a_flatten_left_open_is_closed_next() -> None:
    fed = Fed(plan(".+" + "." * 10, quantity=10.0), market([LEVEL] * 12), 1).run(2)
    fed.session.keeper = Cuts()
    fed.order("flatten")
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (3, "close", -4.0), (4, "close", -4.0), (5, "close", -2.0)]
    assert fed.session.portfolio.lots == [0]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_an_order_is_asked_to_be_taken_off_once_in_a_step() -> None:
    strategy = wb.Strategy(Script([".+..0......."]), wb.sizing.FixedFraction(0.5), rebalance=HOURLY)
    fed = Fed(strategy, market(JUMPS), 1, costs=SLOW)
    lost: list[OrderKey] = []

    def first_is_lost(asked: wb.Order | OrderKey) -> bool:
        if isinstance(asked, OrderKey):
            lost.append(asked)
        return isinstance(asked, OrderKey) and len(lost) == 1

    fed.line.cut = first_is_lost
    fed.run()
    assert [key.leg for key in lost] == ["trim"]
    assert [fill[1] for fill in fed.fills] == ["open", "trim", "close"]
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.bars).empty


def test_nothing_is_sent_over_a_closing_that_was_kept_back() -> None:
    fed = Fed(plan(".+.-....", quantity=10.0), market([LEVEL] * 8), 1)
    fed.session.keeper = KeepsClosings(2)
    fed.run(3)
    assert [entry.key.leg for entry in fed.journal.entries("intent")] == ["open"]
    fed.run()
    assert fed.line.positions() == {}
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_a_flatten_that_was_kept_back_is_done_at_the_next_step() -> None:
    fed = Fed(plan(".+......", quantity=10.0), market([LEVEL] * 8), 1)
    fed.run(2)
    fed.session.keeper = KeepsClosings(1)
    assert fed.order("flatten").text == "1 positions could not be closed yet: that is tried again with each bar; not now"
    fed.run(2)
    assert fed.line.positions() == {}
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_a_trim_that_was_kept_back_closes_nothing_more() -> None:
    fed = Fed(plan(".+........", sizer=wb.sizing.FixedFraction(0.5), rebalance=HOURLY), market(JUMPS[:10]), 1)
    fed.session.keeper = KeepsClosings(1)
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == [("open", 500.0), ("trim", -42.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_an_opening_that_fills_after_its_stance_turned_is_closed() -> None:
    fed = Fed(plan(".+0.........", quantity=10.0), market([LEVEL] * 12), 1, costs=SLOW)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == [("open", 10.0), ("close", -10.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


@pytest.mark.parametrize("first", ["opening", "closing"])
def test_a_flatten_closes_what_a_part_that_could_not_be_taken_off_fills_whatever_is_told_first(first: str) -> None:
    fed = Fed(plan(".+" + "." * 10, quantity=40.0, execution=Twap(4)), market([LEVEL] * 12), 1).run(2)
    fed.line.cut = lambda asked: True  # nothing reaches the paper venue: the words below are those of another
    assert fed.order("flatten").text.endswith("1 openings could not be taken off: what they fill is closed with the next bar")
    state = fed.session.states[0]
    out = [state.opening, state.closing] if first == "opening" else [state.closing, state.opening]
    for order in out:
        assert order is not None
        assert order.key is not None
        fill = Fill(order.key, order.instrument, order.side, 10.0, 100.0, 0.0, int(fed.bars.labels[3]), name=order.key.leg)
        fed.session.told([VenueSaid(f"filled {order.key}", OrderFilled(fill))])
    assert (fed.session.portfolio.lots, state.leaves) == ([10], True)
    fed.venue._desks[0].opening = None  # it has filled
    fed.step()
    closings = [entry.body["quantity"] for entry in fed.journal.entries("intent") if entry.body.get("reduce_only")]
    assert closings == [10.0, 10.0]


@pytest.mark.parametrize(
    "parts",
    [{"exits": [Stop(1.5)]}, {"exits": [Stop(1.5)], "unsupported": "hold"}, {"exits": [TimeStop(2)]}],
    ids=["a stop at the venue", "a stop that is held", "a time stop"],
)
def test_what_is_left_of_an_entry_that_cannot_be_taken_off_does_not_re_enter(monkeypatch: pytest.MonkeyPatch, parts: Any) -> None:
    keep_openings(monkeypatch)
    rows = [(*LEVEL[:4], 1000)] * 2 + [(100, 100, 98.9, 99.5, 1000), (99.5, 99.6, 97.4, 99.4, 0), (99.4, 99.5, 99.2, 99.3, 1000)]
    rows += [(99.2, 99.3, 98.5, 99.2, 9000), *[(99.2, 99.3, 99.1, 99.2, 9000)] * 5]
    supports = {"supports": ["market", "limit", "amend"]} if "unsupported" in parts else {}
    strategy = plan(".+" + "." * 10, quantity=100.0, execution=Limit(0.01, 20), **parts)
    fed = Fed(strategy, market(rows), 1, costs=Costs(commission=0.0, slippage=0.0, participation=0.05), **supports)
    for _ in range(len(rows) - 1):
        fed.line.cut = lambda asked: isinstance(asked, OrderKey) and fed.exchange.row <= 5
        fed.step()
    left = [fill[:3] for fill in fed.fills if fill[1] == "open"][1:]
    assert left == [(5, "open", 50.0)] or "unsupported" not in parts
    assert (fed.line.positions(), fed.session.states[0].acted) == ({}, 1)
    assert [fill[0] - left[-1][0] for fill in fed.fills if fill[1] != "open"][-1] <= 1  # at the next bar
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_a_halt_that_forgets_a_limit_that_is_to_cross_writes_it_down() -> None:
    strategy = plan(".+" + "." * 10, quantity=10.0, execution=Limit(0.02, 2, "cross"), late_entries="take")
    fed = Fed(strategy, market([LEVEL] * 12), 1).run(2)
    assert fed.exchange.advance()
    fed.listen()
    assert fed.session.states[0].crossing is not None
    fed.session.mode = "HALTED"
    fed.session.take_off()
    assert fed.session.states[0].crossing is None
    assert [entry.key for entry in fed.journal.entries("taken off")] != []


def test_what_a_held_stop_is_to_close_is_closed_though_the_price_has_come_back() -> None:
    rows = [LEVEL, LEVEL, LEVEL, (100, 100.5, 90, 99, 1e5), *[LEVEL] * 6]
    strategy = plan(".+........", quantity=10.0, exits=[Stop(5.0)], unsupported="hold")
    fed = Fed(strategy, market(rows), 1, supports=["market", "limit", "amend"])
    fed.session.keeper = KeepsClosings(2)
    fed.run()
    assert [fill[:2] for fill in fed.fills] == [(2, "open"), (5, "close")]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_an_addition_that_fills_behind_the_closing_of_its_position_is_closed_too() -> None:
    strategy = plan(".+" + "." * 10, sizer=wb.sizing.FixedFraction(0.5), exits=[TimeStop(3)], rebalance=HOURLY)
    rows = [LEVEL, LEVEL, LEVEL, (100, 100.5, 80, 80, 1e5), (80, 80, 64, 64, 1e5), *[(64, 64.5, 63.5, 64, 1e5)] * 6]
    fed = Fed(strategy, market(rows), 1, costs=Costs(commission=0.0, slippage=0.0, latency=5000.0)).run(4)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    while fed.session.states[0].closing is None:
        fed.step()
    state = fed.session.states[0]
    addition, closing = state.opening, state.closing
    assert addition is not None
    assert closing is not None
    for order in (closing, addition):
        assert order.key is not None
        fill = Fill(order.key, order.instrument, order.side, order.quantity, 64.0, 0.0, fed.session.tape.label[-1], name=str(order.key))
        fed.session.told([VenueSaid(f"filled {order.key}", OrderFilled(fill))])
    assert addition.key is not None
    assert (addition.key.leg, fed.session.portfolio.lots[0] > 0, state.leaves) == ("add", True, True)


def test_a_position_on_the_wrong_side_is_closed_however_it_came_about() -> None:
    fed = Fed(plan(".+......", quantity=10.0), market([LEVEL] * 8), 1).run(2)
    fed.session.states[0].acted = -1
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (4, "close", -10.0)]


def test_a_closing_that_ends_without_a_fill_takes_no_later_opening_with_it() -> None:
    fed = Fed(plan(".+..0+........", quantity=10.0), market([LEVEL] * 14), 1, costs=SLOW).run(5)
    state = fed.session.states[0]
    assert state.opening is not None
    assert state.closing is not None
    assert state.closing.key is not None
    fed.venue._desks[0].closing = None
    fed.venue.tell(OrderEnded(state.closing.key, "expired", fed.venue.label))
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(3, "open", 10.0), (8, "close", -10.0), (8, "open", 10.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)
