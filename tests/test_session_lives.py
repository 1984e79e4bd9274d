"""Orders in a live session move by the table of their lives: what does not fit is booked where it is money, said, and halts the session."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import market, plan

from workbench.execution.port import OrderAccepted, OrderEnded, OrderFilled, VenueEvent, VenueSaid
from workbench.market import Fill, Order
from workbench.research.comparing import compare

FLAT = [100.0] * 10


def with_an_opening(**parts: Any) -> tuple[Fed, Order]:
    """Return a session whose opening of 10 works at the venue, and the opening."""
    fed = Fed(plan(".+........", quantity=10, **parts), market(FLAT), cash=10_000.0).run(1)
    opening = fed.session.states[0].opening
    assert opening is not None
    return fed, opening


def say(fed: Fed, *events: VenueEvent) -> None:
    """Have the venue say something that it has no reason to."""
    for event in events:
        fed.seen += 1
        fed.session.told([VenueSaid(1_000 + fed.seen, event)])


def filled(order: Order, quantity: float, name: str = "") -> OrderFilled:
    assert order.key is not None
    label = int(market(FLAT).labels[2])
    return OrderFilled(Fill(order.key, order.instrument, order.side, quantity, 100.0, 0.0, label, name=name))


def ended(order: Order, status: Any) -> OrderEnded:
    assert order.key is not None
    return OrderEnded(order.key, status, int(market(FLAT).labels[2]))


def alerts_of(fed: Fed) -> list[str]:
    return [entry.body["text"] for entry in fed.journal.entries("alert")]


def life_of(fed: Fed, order: Order) -> tuple[str, int]:
    life = fed.session.lives.of(order)
    return life.state, life.filled


def test_an_order_goes_from_sent_to_working_to_filled() -> None:
    fed = Fed(plan(".+........", quantity=10), market(FLAT), cash=10_000.0)
    fed.line.cut = lambda asked: True
    fed.run(1)
    opening = fed.session.states[0].opening
    assert opening is not None
    assert life_of(fed, opening) == ("unknown", 0)
    assert [entry.body for entry in fed.journal.entries("doubt")] == [{"keys": [str(opening.key)]}]
    assert fed.session.doubtful == [opening]
    say(fed, OrderAccepted(opening))
    assert (life_of(fed, opening), fed.session.doubtful) == (("working", 0), [])
    say(fed, filled(opening, 10))
    assert life_of(fed, opening) == ("filled", 10)
    assert (fed.session.mode, alerts_of(fed)) == ("RUNNING", [])


def test_more_than_was_asked_for_halts_the_session() -> None:
    fed, opening = with_an_opening()
    say(fed, filled(opening, 10, "a"), filled(opening, 4, "b"))
    assert fed.session.mode == "HALTED"
    assert fed.session.portfolio.lots == [14]  # it is held: the book says so
    assert alerts_of(fed) == [f"order {opening.key} was filled 14 of 10 steps: more than was asked for, so the session halts"]
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty
    fed.order("resume")
    assert fed.session.mode == "RUNNING"


def test_a_fill_that_is_told_twice_is_booked_once() -> None:
    fed, opening = with_an_opening()
    say(fed, filled(opening, 10, "a"), filled(opening, 10, "a"))
    assert fed.session.portfolio.lots == [10]
    assert (fed.session.mode, alerts_of(fed)) == ("RUNNING", [])


def test_a_fill_that_was_on_its_way_when_the_order_was_taken_off_is_booked_said_and_closed() -> None:
    fed, opening = with_an_opening()
    fed.order("flatten")
    assert life_of(fed, opening) == ("cancelled", 0)
    say(fed, filled(opening, 10))
    assert life_of(fed, opening) == ("filled", 10)
    assert alerts_of(fed) == [f"order {opening.key} was filled after it had been cancelled: it is booked, and what it opened is closed"]
    fed.step()
    closing = fed.session.states[0].closing
    assert fed.session.mode == "RUNNING"
    assert closing is None or (closing.side, closing.quantity) == ("sell", 10.0)
    assert [entry.key.leg for entry in fed.journal.entries("intent")] == ["open", "close"]


@pytest.mark.parametrize("status", ["rejected", "absent"])
def test_an_order_that_works_after_all_halts_the_session(status: str) -> None:
    fed, opening = with_an_opening()
    fed.session.lives.doubt([str(opening.key)])
    say(fed, ended(opening, status), OrderAccepted(opening))
    assert fed.session.mode == "HALTED"
    assert life_of(fed, opening) == ("working", 0)
    assert alerts_of(fed) == [f"order {opening.key} is {status} here and working at the venue, which cannot be: the session halts"]


def test_an_end_that_comes_after_the_fill_is_no_news() -> None:
    fed, opening = with_an_opening()
    say(fed, filled(opening, 10), ended(opening, "cancelled"), OrderAccepted(opening))
    assert (life_of(fed, opening), fed.session.mode, alerts_of(fed)) == (("filled", 10), "RUNNING", [])


def test_a_fill_of_an_order_that_was_never_sent_from_here_halts_the_session() -> None:
    fed, opening = with_an_opening()
    assert opening.key is not None
    other = replace(opening, key=replace(opening.key, deployment="another"))
    say(fed, ended(other, "cancelled"))
    assert (fed.session.mode, alerts_of(fed)) == ("RUNNING", [])
    say(fed, filled(other, 3))
    assert fed.session.mode == "HALTED"
    assert alerts_of(fed) == [f"order {other.key} was filled, and was never sent from here: the session halts"]
