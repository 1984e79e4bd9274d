"""A venue that refuses, breaks or does not answer: nothing is sent again and again, and nothing that may be there is taken for gone."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import market, plan

import workbench as wb
from workbench.errors import DuplicateOrder, InsufficientFunds, OutcomeUnknown
from workbench.market import Order, OrderKey
from workbench.risk.gate import Gate, Latch, Situation
from workbench.session.checking import Gatekeeper
from workbench.session.doubts import Doubts, Insistence, send_again

TURNS = ".+-+-+-+-+-+-."


def refusing(fed: Fed, times: int, legs: tuple[str, ...] = ("open",)) -> list[str]:
    """Have the venue refuse so many orders of some legs, and note what reached it."""
    submit, seen = fed.line.submit, list[str]()

    def answer(order: Order) -> bool:
        assert order.key is not None
        seen.append(order.key.leg)
        if order.key.leg in legs and seen.count(order.key.leg) <= times:
            raise InsufficientFunds("the paper venue refused", "-2010", "not enough")
        return submit(order)

    fed.line.submit = answer  # type: ignore[method-assign]
    return seen


def keys_of(fed: Fed) -> list[OrderKey]:
    return [entry.key for entry in fed.journal.entries("intent")]


def alerts(fed: Fed) -> list[str]:
    return [entry.body["text"] for entry in fed.journal.entries("alert")]


def test_an_instrument_whose_orders_are_refused_is_shut_after_the_third() -> None:
    fed = Fed(plan(TURNS), market([100.0] * 14))
    fed.session.keeper = Gatekeeper(lambda: 0)
    seen = refusing(fed, 99)
    fed.run()
    assert seen == ["open"] * 3
    shut = "ABC: the venue has refused 3 orders in a row, and 3 shut the gate"
    assert next(text for text in alerts(fed) if shut in text) == f"{shut}: nothing opens there until it is armed again"
    assert "the paper venue refused (the venue: -2010 not enough)" in alerts(fed)[0]
    again, _ = fed.again()
    assert (state_of(again), again.latches) == (state_of(fed.session), fed.session.latches)


def test_a_person_arms_it_again() -> None:
    fed = Fed(plan(TURNS), market([100.0] * 14))
    fed.session.keeper = Gatekeeper(lambda: 0)
    seen = refusing(fed, 3)
    fed.run(6)
    assert fed.order("arm").text == "armed again: ABC"
    fed.run()
    assert fed.session.portfolio.lots[0] != 0
    assert seen.count("open") > 3


@pytest.mark.parametrize("parts", [{}, {"execution": wb.execution.Limit(0.5, 1)}], ids=["it fills", "it never fills"])
def test_an_order_that_is_taken_begins_the_count_anew(parts: Any) -> None:
    fed = Fed(plan(TURNS, **parts), market([100.0] * 14))
    submit, count = fed.line.submit, [0]

    def every_other(order: Order) -> bool:
        assert order.key is not None
        count[0] += order.key.leg == "open"
        if order.key.leg == "open" and count[0] % 2:
            raise InsufficientFunds("refused")
        return submit(order)

    fed.line.submit = every_other  # type: ignore[method-assign]
    fed.run()
    assert count[0] > 6
    assert not any(latch.why for latch in fed.session.latches.values())


def test_an_order_that_was_taken_first_is_no_refusal() -> None:
    prices: list[Any] = [100.0, 100.0] + [(98.0, 99.0, 97.0, 98.0)] * 12
    fed = Fed(plan(TURNS, execution=wb.execution.Limit(0.0, post_only=True)), market(prices))
    fed.session.keeper = Gatekeeper(lambda: 0)
    fed.run()
    assert not any(latch.why for latch in fed.session.latches.values())


def test_what_the_venue_has_already_is_in_doubt_and_not_refused() -> None:
    fed = Fed(plan(".+......"), market([100.0] * 8))
    submit = fed.line.submit

    def twice(order: Order) -> bool:
        submit(order)
        raise DuplicateOrder("the paper venue refused", "-2010", "Duplicate order sent.")

    fed.line.submit = twice  # type: ignore[method-assign]
    fed.run()
    assert (fed.session.mode, fed.session.portfolio.lots[0]) == ("RUNNING", 1)
    assert [entry.body["keys"] for entry in fed.journal.entries("doubt")] == [[str(key) for key in keys_of(fed)]]


def test_a_shut_latch_stays_shut_whatever_is_switched_off() -> None:
    order = wb.Order(wb.Instrument("ABC"), "buy", 1.0, key=OrderKey("ABC", 1, "open"))
    now = Situation(now=10**18, mode="RUNNING", last=100.0, last_at=10**18, unit=1.0, equity=1e6, reference=100.0)
    for latch in (Latch(why="shut", refused=3), Latch(why="shut", idle=9)):
        for gate in (Gate(repeats=None), Gate(refusals=None), Gate(repeats=None, refusals=None)):
            assert gate.check(order, replace(now, latch=latch)).quantity == 0.0


def test_how_many_refusals_shut_it_can_be_said_or_switched_off() -> None:
    latch = Latch()
    for gate, shuts in ((Gate(refusals=1), True), (Gate(refusals=2), False), (Gate(refusals=None), False)):
        assert bool(gate.rejected(latch, "ABC").why) is shuts
    once = Gate(refusals=2).rejected(latch, "ABC")
    assert once == replace(latch, refused=1)
    with pytest.raises(wb.errors.ParameterError, match="Gate: refusals"):
        Gate(refusals=0)


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer"), TimeoutError("late"), KeyError("a bug of the connector")])
def test_an_order_whose_sending_broke_is_in_doubt_and_asked_for(error: Exception) -> None:
    fed = Fed(plan(".+......"), market([100.0] * 8))
    submit, sent = fed.line.submit, list[Any]()

    def breaking(order: Order) -> bool:
        sent.append(order.key)
        submit(order)  # it arrived all the same
        raise error

    fed.line.submit = breaking  # type: ignore[method-assign]
    assert fed.exchange.advance()
    fed.listen()
    fed.session.append(fed.session.setup.on(fed.known(fed.exchange.row + 1), newest=True), [])
    fed.session.decide([fed.seen])
    assert [order.key for order in fed.session.doubtful] == sent
    assert [entry.body["keys"] for entry in fed.journal.entries("doubt")] == [[str(key) for key in keys_of(fed)]]
    assert Doubts().settle(fed.session, fed.line, 0.0) == []  # the venue knows it
    fed.listen()
    assert fed.session.doubtful == []
    send_again(fed.session, [], closings_only=False)
    fed.run()
    assert (len(sent), fed.session.portfolio.lots[0]) == (1, 1)


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer came"), ssl.SSLError("no answer came"), KeyError("no answer came")])
def test_an_order_that_could_not_be_taken_off_is_out_still(error: Exception) -> None:
    fed = Fed(plan(".+0......", execution=wb.execution.Limit(0.05, bars=5)), market([100.0] * 9))

    def breaking(key: OrderKey) -> bool:
        raise error

    fed.run(1)
    cancel, fed.line.cancel = fed.line.cancel, breaking  # type: ignore[method-assign]
    fed.run(1)
    assert fed.session.states[0].opening is not None
    assert "could not be taken off: " in alerts(fed)[-1]
    assert "no answer came" in alerts(fed)[-1]
    fed.line.cancel = cancel  # type: ignore[method-assign]
    fed.order("kill")
    assert fed.session.states[0].opening is None


def test_what_is_not_confirmed_is_tried_ever_more_rarely() -> None:
    tries = Insistence()
    asked = [at / 10 for at in range(36_000) if tries.is_due(at / 10)]
    assert len(asked) < 130  # in an hour
    assert asked[:4] == [0.0, 0.3, 0.8, 1.8]
    tries.is_due(3_600.0, wanted=False)
    assert tries.is_due(3_600.0)
