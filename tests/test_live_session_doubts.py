"""Orders in doubt and what a person asks meanwhile: a flatten leaves nothing behind, an opening does not go out over a doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from paper_worlds import Fed, state_of
from test_order_forms import Sends
from worked import Stop, market, plan

from workbench import Order
from workbench.execution import Twap
from workbench.execution.port import OrderAccepted, VenueSaid
from workbench.market import OrderKey
from workbench.session.doubts import Doubts, send_again
from workbench.session.standing import MOVED, difference

FLAT = [100.0] * 12
HELD = [100, 100, 100, 100, 100, (100, 100, 90, 95), *[95.0] * 6]


def opening(asked: Order | OrderKey) -> bool:
    key = asked.key if isinstance(asked, Order) else asked
    return key is not None and key.leg == "open"


def fed_until_opening(stances: str = ".+..........", **parts: Any) -> Fed:
    """Run a plan up to the step that sends its opening."""
    return Fed(plan(stances, **parts), market(FLAT)).run(1)


def same_again(fed: Fed) -> bool:
    return state_of(fed.again()[0]) == state_of(fed.session)


# -- flatten while an opening is out --------------------------------------------------------------------------------------


def test_a_flatten_closes_what_an_unread_fill_opened() -> None:
    fed = fed_until_opening()
    fed.exchange.advance()  # it fills, and the session has not heard of it yet
    answer = fed.order("flatten")
    assert answer.text == "there is nothing to close; 1 openings could not be taken off: what they fill is closed with the next bar"
    fed.session.append(fed.session.setup.on(fed.known(fed.exchange.row + 1)))
    fed.session.decide([fed.seen])
    fed.listen()
    fed.run()
    assert [(leg, side) for _, leg, side, _ in fed.fills] == [("open", 1.0), ("close", -1.0)]
    assert (fed.line.positions(), fed.line.open_orders(), same_again(fed)) == ({}, [], True)


def test_a_flatten_whose_cancel_got_lost_closes_what_fills() -> None:
    fed = fed_until_opening()
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.order("flatten")
    fed.line.cut = lambda asked: False
    fed.run()
    assert [(row, leg, side) for row, leg, side, _ in fed.fills] == [(2, "open", 1.0), (3, "close", -1.0)]
    assert (fed.line.positions(), same_again(fed)) == ({}, True)


@pytest.mark.parametrize("verb", ["pause", "kill"])
def test_what_a_flatten_wants_closed_is_closed_in_every_mode(verb: str) -> None:
    fed = fed_until_opening()
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.order("flatten")
    fed.order(verb)
    fed.line.cut = lambda asked: False
    fed.run()
    assert [(row, leg, side) for row, leg, side, _ in fed.fills] == [(2, "open", 1.0), (3, "close", -1.0)]
    assert same_again(fed)


def test_an_opening_that_is_proven_absent_is_not_sent_after_a_flatten() -> None:
    fed = Fed(plan(".+.........."), market(FLAT))
    fed.line.cut = lambda asked: True
    fed.run(1)
    fed.order("flatten")
    fed.line.cut = lambda asked: False
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=False)
    fed.run()
    assert (fed.fills, fed.line.lost[:1], list(fed.journal.entries("again"))) == ([], ["//ABC/1704070800000000000/open/0/0"], [])
    assert same_again(fed)


def lost(stances: str, leg: str, **parts: Any) -> Fed:
    """Run a plan up to the step in which its first order of a leg gets lost."""
    fed = Fed(plan(stances, **parts), market(FLAT))
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.key is not None and asked.key.leg == leg and not fed.line.lost
    while not fed.line.lost:
        fed.step()
    assert same_again(fed)
    return fed


def sent_again(fed: Fed, closings_only: bool = False) -> list[str]:
    """Settle, send again what may be, and return the legs of that."""
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only)
    fed.listen()
    assert same_again(fed)
    return [entry.key.leg for entry in fed.journal.entries("again")]


def test_an_opening_is_sent_again_only_while_its_step_is_the_newest() -> None:
    fed = lost(".+..........", "open")
    fed.step("no connection")
    assert sent_again(fed) == []


@pytest.mark.parametrize("verb", ["pause", "reduce"])
def test_no_opening_is_sent_again_while_nothing_may_open(verb: str) -> None:
    fed = lost(".+..........", "open")
    fed.order(verb)
    assert sent_again(fed) == []


def test_a_closing_is_sent_again_whenever_it_is_proven_absent() -> None:
    fed = lost(".+.0........", "close")
    fed.step("no connection")
    assert sent_again(fed, closings_only=True) == ["close"]
    fed.step()
    assert fed.line.positions() == {}


def test_of_a_flip_the_closing_is_sent_again_first() -> None:
    assert sent_again(lost(".+..-.......", "close")) == ["close", "open"]


def test_the_opening_of_a_flip_waits_for_a_closing_that_got_lost_again() -> None:
    fed = lost(".+..-.......", "close")
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.reduce_only
    assert sent_again(fed) == ["close"]


def test_an_opening_waits_where_only_closings_may_go() -> None:
    assert sent_again(lost(".+..........", "open"), closings_only=True) == []


def test_a_closing_that_is_sent_again_is_no_more_than_what_is_held() -> None:
    fed = lost(".+.0........", "close", quantity=10.0)
    key = OrderKey("ABC", "flatten 1", "close")
    fed.line.submit(Order(fed.bars.instruments[0], "sell", 4.0, key=key, reduce_only=True))  # as by another hand
    fed.step("no connection")
    assert fed.line.positions() == {"ABC": 6.0}
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=True)
    assert [entry.body["quantity"] for entry in fed.journal.entries("intent")][-1] == 6.0


def test_an_order_that_was_sent_a_moment_ago_is_no_news() -> None:
    fed = Fed(plan(".+.........."), market(FLAT))
    fed.line.cut = lambda asked: True
    fed.run(1)
    doubts = Doubts()
    assert [len(doubts.lasting(fed.session, now)) for now in (10.0, 11.9, 12.0)] == [0, 0, 1]
    Doubts().settle(fed.session, fed.line, 0.0)
    assert doubts.lasting(fed.session, 20.0) == []


# -- evidence, or a person ------------------------------------------------------------------------------------------------


def slow(fed: Fed, *known: bool) -> list[int]:
    """Have the venue know its orders late: these are its answers, a second apart; return how many were absent after each."""
    doubts, answers = Doubts(), list(known)
    fed.line.settle_time = 1.5
    fed.line.knows = lambda key: answers.pop(0)  # type: ignore[method-assign]
    return [len(doubts.settle(fed.session, fed.line, 10.0 + second)) for second in range(len(known))]


@pytest.mark.parametrize(
    ("known", "absent"),
    [((False, False, False), [0, 0, 1]), ((False, True, False), [0, 0, 0]), ((False, True, False, False, False), [0, 0, 0, 0, 1])],
)
def test_a_venue_that_knows_its_orders_late_is_asked_until_it_would_know(known: tuple[bool, ...], absent: list[int]) -> None:
    fed = lost(".+..........", "open")
    assert slow(fed, *known) == absent
    assert len(fed.session.doubtful) == 1 - absent[-1]
    assert same_again(fed)


def test_what_is_not_found_is_not_absent_while_the_rest_of_the_book_is_another() -> None:
    fed = lost(".+..........", "open")
    fed.line.submit(Order(fed.bars.instruments[0], "buy", 1.0, key=OrderKey("ABC", 7, "open")))
    fed.exchange.advance()  # bought, and the fill has not been told yet
    assert slow(fed, False, False, False) == [0, 0, 0]
    assert len(fed.session.doubtful) == 1


def word(fed: Fed, order: Any = None) -> str:
    """Say that an order never arrived: the only one in doubt, where none is named."""
    (first, *_) = fed.session.doubtful
    answer = fed.order("absent", order=order or str(first.key))
    assert same_again(fed)
    return f"{answer.state}: {answer.text}"


def test_a_person_may_say_that_an_opening_never_arrived() -> None:
    fed = lost(".+..-.......", "open")
    assert word(fed) == "applied: buy 1 ABC: not sent again"
    assert fed.session.doubtful == []
    fed.run()
    assert [(row, leg, side) for row, leg, side, _ in fed.fills] == [(5, "open", -1.0)]


def test_a_part_that_never_arrived_is_in_the_next() -> None:
    fed = lost(".+..........", "open", quantity=10.0, execution=Twap(2))
    assert word(fed) == "applied: buy 5 ABC: its next part is sent in its time"
    fed.run()
    assert [quantity for _, _, quantity, _ in fed.fills] == [10.0]


@pytest.mark.parametrize("verb", ["resume", "pause", "reduce", "kill"])
def test_a_closing_that_never_arrived_is_sent_again_at_once(verb: str) -> None:
    fed = lost(".+.0........", "close")
    fed.order(verb)
    assert word(fed) == "applied: sell 1 ABC: sent again"
    fed.run(1)
    assert fed.line.positions() == {}


def test_nothing_is_sent_again_to_close_what_its_stop_closed() -> None:
    fed = Fed(plan(".+.0........", exits=[Stop(5.0)]), market([100, 100, 100, 100, (100, 100, 90, 95), *[95.0] * 7]))
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.reduce_only
    fed.run(4)
    assert word(fed) == "applied: sell 1 ABC: there is nothing left to close"
    assert fed.line.open_orders() == []


def test_the_opening_of_a_flip_goes_out_behind_its_closing() -> None:
    fed = lost(".+..-.......", "close")
    (closing,) = (str(order.key) for order in fed.session.doubtful if order.reduce_only)
    word(fed, closing)
    assert sent_again(fed) == ["close", "open"]
    fed.run()
    assert fed.line.positions() == {"ABC": -1.0}


def test_a_person_names_which_order_never_arrived() -> None:
    fed = lost(".+..-.......", "close")
    first, second = (str(order.key) for order in fed.session.doubtful)
    assert fed.order("absent").text == f"2 orders are in doubt; name one of them: {first}, {second}"
    assert word(fed, first[:-1] + "7").startswith(f"refused: no order '{first[:-1]}7' is in doubt; did you mean")
    assert word(fed, 7).startswith("refused: no order '7' is in doubt; known: ")
    assert word(fed, first).startswith("applied: ")
    assert fed.order("absent").text == f"1 order is in doubt; name it: {second}"  # nobody guesses: another may come in doubt meanwhile
    assert word(fed, second).startswith("applied: ")
    assert fed.order("absent", order=first).text == "no order is in doubt"


def test_a_fill_of_what_a_person_said_never_arrived_is_booked_and_halts_the_session() -> None:
    fed = Fed(plan(".+.........."), market(FLAT))
    fed.line.cut = lambda asked: True
    fed.run(1)
    (order,) = fed.session.doubtful
    word(fed)
    fed.line.cut = lambda asked: False
    fed.line.submit(order)  # it was on its way all the same
    fed.run(2)
    assert (fed.session.mode, fed.session.portfolio.quantity(0)) == ("HALTED", 1.0)


# -- the books ------------------------------------------------------------------------------------------------------------


def test_every_way_in_which_the_books_may_differ_is_said() -> None:
    fed = Fed(plan(".+..........", exits=[Stop(5.0)]), market(FLAT)).run(2)
    state, told = fed.line.state(), fed.line.state().number
    (stop,) = state.orders
    foreign = replace(stop, key=OrderKey("ABC", 5, "open"))
    assert difference(fed.session, state, told) == ""
    for other, said in (
        (state._replace(number=told + 1), MOVED),
        (state._replace(number=told - 1), f"the venue has told {told - 1} messages, and we have {told} of it"),
        (state._replace(positions={"ABC": 2.0}), "ABC: the venue holds 2, we know of 1"),
        (state._replace(positions={}), "ABC: the venue holds 0, we know of 1"),
        (state._replace(orders=[]), f"order {stop.key} is known here and does not work at the venue"),
        (state._replace(orders=[stop, foreign]), "order //ABC/5/open/0/0 works at the venue and is not known here"),
        (state._replace(account=replace(state.account, cash=1.0)), "the venue has 1.0 USD in cash"),
        (state._replace(orders=[replace(stop, quantity=0.5)]), "the venue has sell 0.5 stop at 95, we know of sell 1 stop at 95"),
        (state._replace(orders=[replace(stop, price=20.0)]), "the venue has sell 1 stop at 20, we know of sell 1 stop at 95"),
        (state._replace(orders=[replace(stop, side="buy")]), "the venue has buy 1 stop at 95, we know of sell 1 stop at 95"),
    ):
        assert said in difference(fed.session, other, told)


def test_an_entry_that_follows_the_price_at_the_venue_makes_no_difference_of_the_books() -> None:
    falling = [(100 - k, 100.2 - k, 99 - k, 99.5 - k, 1e5) for k in range(8)]
    fed = Fed(plan(".+......", quantity=10.0, execution=Sends(kind="trailing_stop", trail=3.0)), market(falling), 1).run(4)
    (theirs,), (ours,) = fed.line.open_orders(), fed.session.working
    assert (theirs.price, ours.price) == (98.0, None)
    assert difference(fed.session, fed.line.state(), fed.line.state().number) == ""


# -- flips ----------------------------------------------------------------------------------------------------------------


def test_a_flips_opening_waits_for_its_closing_to_be_out() -> None:
    fed = Fed(plan(".+..-......."), market(FLAT))
    fed.line.cut = lambda asked: not fed.line.lost and not opening(asked)
    while not fed.line.lost:
        fed.step()
    assert fed.line.open_orders() == []
    assert fed.line.positions() == {"ABC": 1.0}
    fed.run()  # nobody settles it: the position stays as it was, and is known
    assert (fed.line.positions(), fed.session.portfolio.quantity(0)) == ({"ABC": 1.0}, 1.0)


def test_a_closing_that_came_too_late_for_its_stop_leaves_the_new_position_alone() -> None:
    fed = Fed(plan(".+..-.......", exits=[Stop(5.0)]), market(HELD))
    fed.run(3)
    fed.line.cut = lambda asked: isinstance(asked, Order)  # both orders of the flip are on their way
    fed.step()
    sent = fed.session.doubtful
    fed.line.cut = lambda asked: False
    fed.exchange.advance()  # the stop fills in this bar, then they arrive
    for order in sorted(sent, key=opening):
        fed.line.submit(order)
    fed.listen()
    fed.session.append(fed.session.setup.on(fed.known(fed.exchange.row + 1)))
    fed.session.decide([fed.seen])
    fed.listen()
    fed.run()
    assert [(leg, side) for _, leg, side, _ in fed.fills] == [("open", 1.0), ("stop", -1.0), ("open", -1.0)]
    assert (fed.line.positions(), fed.session.portfolio.quantity(0), same_again(fed)) == ({"ABC": -1.0}, -1.0, True)


def test_the_paper_venue_opens_nothing_on_top_of_a_position() -> None:
    fed = Fed(plan(".+.........."), market(FLAT)).run(2)
    fed.line.submit(Order(fed.bars.instruments[0], "sell", 3.0, key=OrderKey("ABC", 7, "open")))
    fed.exchange.advance()
    assert fed.line.positions() == {"ABC": 1.0}
    ended = [message.event for message in fed.exchange.since(0) if message.event and message.event["event"] == "ended"]
    assert [event["status"] for event in ended] == ["rejected"]


# -- orders that this journal never sent ----------------------------------------------------------------------------------


def test_an_order_that_was_never_sent_from_here_is_noticed() -> None:
    fed = Fed(plan(".+.........."), market(FLAT)).run(3)
    assert fed.session.foreign == ""
    order = Order(fed.bars.instruments[0], "sell", 1.0, key=OrderKey("ABC", 7, "close"))
    fed.session.told([VenueSaid(99, OrderAccepted(order))])
    assert fed.session.foreign.startswith("the venue has order //ABC/7/close/0/0, which this journal never sent: it is an older copy")
    assert fed.again()[0].foreign == fed.session.foreign
