"""Exits that move in a live session: written down before they are sent, asked for again where the answer was lost, kept up while paused."""

from __future__ import annotations

from typing import Any

import pytest
from paper_worlds import Fed
from worked import market, plan

from workbench.errors import OrderError
from workbench.exits import BreakEven, TimeStop, TrailingStop
from workbench.market import OrderKey

ROWS = [100, 100, 101, (101, 105, 101, 104), (104, 110, 104, 109), 109, (109, 109, 104, 105), 105, 105]
TRAIL = TrailingStop(price=3.0)


def fed(**parts: Any) -> Fed:
    return Fed(plan(".+.......", exits=[TRAIL], **parts), market(ROWS))


def resting(of: Fed) -> float:
    """Return where the stop rests at the venue."""
    return next(float(order.price or 0.0) for order in of.venue.open_orders() if order.type == "stop")


def test_a_moved_stop_is_the_backtests_and_rests_at_the_venue() -> None:
    long = fed().run(4)
    assert resting(long) == 107.0
    assert long.session.states[0].stop is not None
    assert long.session.states[0].stop.price == 107.0
    assert not len(long.run().differences())


def test_a_move_is_in_the_journal_before_it_leaves() -> None:
    long = fed().run(2)
    written: list[int] = []
    amend = long.line.exchange.amend

    def noted(key: OrderKey, price: float) -> bool:
        moved = [entry.body["moved"] for entry in long.journal.entries("step") if "moved" in entry.body]
        written.append(moved[-1][str(key)] == price)
        return amend(key, price)

    long.line.exchange.amend = noted  # type: ignore[method-assign]
    long.run(2)
    assert written == [True, True]


def test_a_move_that_was_lost_is_asked_for_at_the_next_close() -> None:
    long = fed().run(3)
    long.line.cut = lambda asked: isinstance(asked, OrderKey)
    long.step()
    assert resting(long) == 102.0
    long.line.cut = lambda asked: False
    long.step()
    assert resting(long) == 107.0


def test_a_move_that_the_venue_refuses_leaves_the_stop_and_raises_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    long = fed().run(3)

    def refuse(key: OrderKey, price: float) -> bool:
        raise OrderError("too near")

    monkeypatch.setattr(long.line, "amend", refuse)
    long.step()
    assert resting(long) == 102.0
    assert [entry.body["text"] for entry in long.journal.entries("alert")] == ["the stop of ABC stays where it was: too near"]


@pytest.mark.parametrize("stop", range(2, 9))
def test_the_journal_leads_back_to_the_same_exits(stop: int) -> None:
    strategy = plan(".+.......", exits=[TRAIL, BreakEven(price=2.0), TimeStop(5)])
    long = Fed(strategy, market(ROWS)).run(stop)
    again, record = long.again()
    state, was = again.states[0], long.session.states[0]
    assert [getattr(state, name) for name in ("age", "best", "filled_at", "stop", "plan")] == [
        getattr(was, name) for name in ("age", "best", "filled_at", "stop", "plan")
    ] or state.age == 0
    assert record.equity.tolist() == long.recorder.record().equity.tolist()


def test_rule_38_a_paused_session_keeps_its_exits_up() -> None:
    long = fed().run(3)
    long.order("pause")
    long.step()
    assert resting(long) == 107.0


def test_rule_38_a_paused_session_closes_what_has_lasted_long_enough() -> None:
    long = Fed(plan(".+.......", exits=[TimeStop(2)]), market(ROWS)).run(2)
    long.order("pause")
    long.step()
    long.step()
    assert [(row, leg) for row, leg, _, _ in long.fills] == [(2, "open"), (4, "close")]


def test_a_step_that_was_missed_moves_the_stop_and_leaves_the_closing_to_the_newest() -> None:
    long = Fed(plan(".+.......", exits=[TRAIL, TimeStop(2)]), market(ROWS)).run(2)
    long.step("the session was down")
    long.step()
    long.step()
    assert [(row, leg) for row, leg, _, _ in long.fills] == [(2, "open"), (5, "close")]
