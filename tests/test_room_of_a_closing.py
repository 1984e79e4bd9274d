"""No opening goes out on the room, or in the place, of a closing that is in doubt, was refused or was cut (SEMANTICS 17, 21, 37)."""

from __future__ import annotations

from typing import Any

import pytest
from asking import LEVEL, require_same_again
from keepers import Cuts
from paper_worlds import Fed
from worked import OTHER, SHARE, market, plan

import workbench as wb
from workbench.execution import Limit
from workbench.execution.port import OrderEnded, VenueSaid
from workbench.market import Order
from workbench.session.doubts import Doubts, send_again

FLIP = ".+.-........"


def refusing(fed: Fed, times: int) -> list[str]:
    """Have the venue refuse so many closings, and note the legs of all that reaches it."""
    submit, reached = fed.line.submit, []

    def answered(order: Order) -> bool:
        assert order.key is not None
        reached.append(order.key.leg)
        if order.reduce_only and reached.count("close") <= times:
            raise wb.errors.OrderError("try later")
        return submit(order)

    fed.line.submit = answered  # type: ignore[method-assign]
    return reached


def losing(fed: Fed, *legs: str) -> None:
    """Have what is sent of these legs get lost."""
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.key is not None and asked.key.leg in legs


def settled(fed: Fed) -> None:
    """Ask the venue for what is in doubt, and send again what is to be."""
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=False)
    fed.listen()


def in_turn() -> Fed:
    """Return a session of two instruments of which the account carries one: as ABC closes, XYZ opens."""
    strategy = plan(".+.0....", "...+....", sizer=wb.sizing.FixedFraction(0.9), risk=[wb.risk.MaxLeverage(1.0)])
    return Fed(strategy, market({SHARE: [LEVEL] * 8, OTHER: [LEVEL] * 8}), 1, buying_power=False).run(2)


def leverage(fed: Fed) -> float:
    return sum(abs(quantity) * 100.0 for quantity in fed.line.positions().values()) / fed.session.portfolio.equity


def alerts(fed: Fed) -> list[str]:
    return [entry.body["text"] for entry in fed.journal.entries("alert")]


def ends(fed: Fed) -> list[tuple[str, str]]:
    """Return how orders ended without a fill: leg and status."""
    said = [entry.body for entry in fed.journal.entries("event") if entry.body["event"] == "ended"]
    return [(one["key"]["leg"], one["status"]) for one in said]


def test_17_what_needs_the_room_of_a_closing_is_not_sent_where_that_was_refused() -> None:
    fed = in_turn()
    reached = refusing(fed, 1)
    fed.run(1)
    assert reached == ["close"]
    assert ends(fed) == [("close", "rejected"), ("open", "absent")]
    assert [life.state for key, life in fed.session.lives.all.items() if "/open/" in key] == ["filled", "absent"]
    fed.run()
    assert (fed.line.positions(), fed.fills[-1][:2]) == ({}, (5, "close"))
    require_same_again(fed)


def test_17_nor_where_it_is_in_doubt_and_both_go_out_again_in_their_order() -> None:
    fed = in_turn()
    losing(fed, "close")
    fed.run(1)
    assert [order.key.leg for order in fed.session.doubtful if order.key is not None] == ["close", "open"]
    assert fed.line.open_orders() == []
    losing(fed)
    settled(fed)
    fed.run()
    assert [fill[:2] for fill in fed.fills] == [(2, "open"), (4, "close"), (4, "open")]
    assert leverage(fed) <= 1.0
    require_same_again(fed)


@pytest.mark.parametrize("how", ["lost", "refused"])
def test_an_opening_that_comes_to_nothing_keeps_no_other_back(how: str) -> None:
    fed = Fed(plan(".+......", ".+......", quantity=10.0), market({SHARE: [LEVEL] * 8, OTHER: [LEVEL] * 8}), 1)
    submit = fed.line.submit

    def answered(order: Order) -> bool:
        if order.instrument is OTHER:
            return submit(order)
        if how == "refused":
            raise wb.errors.OrderError("not now")
        return False

    fed.line.submit = answered  # type: ignore[method-assign]
    fed.run()
    assert fed.line.positions() == {OTHER.symbol: 10.0}
    require_same_again(fed)


def test_17_where_only_the_opening_has_not_arrived_it_goes_out_again() -> None:
    fed = in_turn()
    arrives = fed.line.submit

    def unanswered(order: Order) -> bool:
        return arrives(order) and not order.reduce_only

    fed.line.submit = unanswered  # type: ignore[method-assign]
    fed.run(1)
    assert [order.key.leg for order in fed.line.open_orders() if order.key is not None] == ["close"]
    settled(fed)
    fed.run()
    assert [fill[:2] for fill in fed.fills] == [(2, "open"), (4, "close"), (4, "open")]
    require_same_again(fed)


def test_17_while_the_closing_stays_lost_nothing_opens_and_no_limit_breaks() -> None:
    fed = in_turn()
    losing(fed, "close")
    fed.run()
    assert leverage(fed) <= 1.0
    assert [fill[1] for fill in fed.fills] == ["open"]


def test_21_a_breach_beside_a_closing_in_doubt_is_said() -> None:
    fed = in_turn()
    losing(fed, "close")
    fed.run(1)
    losing(fed)
    fed.line.submit(next(order for order in fed.session.doubtful if not order.reduce_only))  # it arrives late, and alone
    fed.listen()
    fed.run(3)
    assert leverage(fed) > 1.5
    assert [text for text in alerts(fed) if text.startswith("MaxLeverage is breached")] != []


@pytest.mark.parametrize("times", [1, 2])
def test_17_the_opening_of_a_flip_comes_to_nothing_where_its_closing_was_refused(times: int) -> None:
    fed = Fed(plan(FLIP, quantity=10.0), market([LEVEL] * 12), 1).run(2)
    reached = refusing(fed, times)
    fed.run()
    assert reached == ["close"] * (times + 1)
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (4 + times, "close", -10.0)]
    require_same_again(fed)


def test_17_the_opening_of_a_flip_is_not_sent_beside_a_part_of_its_closing() -> None:
    fed = Fed(plan(FLIP, quantity=10.0), market([LEVEL] * 12), 1).run(2)
    fed.session.keeper = Cuts()
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (4, "close", -4.0), (5, "close", -4.0), (6, "close", -2.0)]
    assert [entry.body["quantity"] for entry in fed.journal.entries("intent")] == [10.0, 4.0, 4.0, 2.0]
    require_same_again(fed)


def ended(fed: Fed, order: Order, status: Any) -> None:
    """Have the venue say that an order has ended."""
    assert order.key is not None
    fed.session.told([VenueSaid(f"{status} {order.key}", OrderEnded(order.key, status, fed.session.tape.label[-1]))])


def test_17_what_never_arrived_is_not_sent_again_beside_a_closing_that_was_refused_meanwhile() -> None:
    fed = in_turn()
    losing(fed, "close", "open")
    fed.run(1)
    losing(fed)
    closing, opening = fed.session.doubtful
    ended(fed, closing, "rejected")
    settled(fed)
    assert fed.line.open_orders() == []
    assert ends(fed) == [("close", "rejected"), ("open", "absent")]
    assert not fed.session.timely(opening)
    fed.run()
    assert fed.line.positions() == {}
    require_same_again(fed)


def test_an_opening_the_other_way_stays_while_its_closing_is_sent_anew() -> None:
    strategy = plan(".+.-........", quantity=10.0, execution=Limit(0.01, 20))
    rows = [LEVEL, LEVEL, (100, 100.5, 98.5, 100, 1e5), *[LEVEL] * 3, (100, 102, 99.5, 100, 1e5), *[LEVEL] * 5]
    fed = Fed(strategy, market(rows), 1).run(3)
    closing = fed.session.states[0].closing
    assert closing is not None
    fed.venue._desks[0].closing = None
    ended(fed, closing, "rejected")
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 10.0), (5, "close", -10.0), (6, "open", -10.0)]
    assert fed.line.positions() == {"ABC": -10.0}
