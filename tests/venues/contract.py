"""The contract of a venue: one set of cases, run against the paper venue and every connector.

A test file of a venue subclasses `Contract` and gives it a `Counterpart`: the account as a session sees it, and the other side, whose
market trades when it is told to, and whose line breaks.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import pytest

from workbench import Instrument, Order
from workbench.errors import OrderError, VenueError
from workbench.execution.orders import Life
from workbench.execution.port import EVERYTHING, ExecutionModule, OrderAccepted, OrderAmended, OrderEnded, OrderFilled, VenueEvent
from workbench.market import Fill, OrderKey

PATIENCE = 10.0


class Counterpart(ABC):
    """Both sides of a venue."""

    #: What is traded: in whole units, its price near 100, with ticks of 0.01. Of each bar an order gets `ROOM` units.
    instrument: Instrument
    ROOM = 40.0

    @property
    @abstractmethod
    def account(self) -> ExecutionModule:
        """The account, as a session has it."""

    @abstractmethod
    def heard(self) -> list[VenueEvent]:
        """Return what the venue has told since the last look; nothing is missing or told twice, whatever happened to the line."""

    @abstractmethod
    def trade(self, low: float = 100.0, high: float = 100.0) -> None:
        """Let the market trade once, from 100 to 100, in between as low and as high as this."""

    @abstractmethod
    def cut(self) -> None:
        """Break the line: what is asked gets no answer, and the venue does not hear of it."""

    @abstractmethod
    def mend(self) -> None:
        """Have the line come back."""

    @abstractmethod
    def lose_answers(self) -> None:
        """Have the venue hear what is asked next, and its answers get lost."""

    @abstractmethod
    def somebody_else(self, order: Order) -> None:
        """Put an order into the account from another place."""


class Contract:
    """The cases."""

    @pytest.fixture
    def venue(self) -> Any:
        """Return the counterpart of a fresh account with 100,000."""
        raise NotImplementedError

    # -- how the cases speak -----------------------------------------------------------------------------------------

    @staticmethod
    def order(venue: Counterpart, side: Any = "buy", quantity: float = 10.0, label: int = 1, **more: Any) -> Order:
        """Return an opening; `leg="close"` makes it a closing."""
        leg = more.pop("leg", "open")
        key = OrderKey(venue.instrument.symbol, label, leg, account="acc", deployment="dep")
        return Order(venue.instrument, side, quantity, key=key, reduce_only=leg == "close", **more)

    @staticmethod
    def wait(venue: Counterpart, kinds: tuple[type, ...], key: OrderKey | None, count: int = 1) -> list[Any]:
        """Return the next events of an order, of these kinds, once there are so many."""
        found: list[Any] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count:
            found += [event for event in venue.heard() if isinstance(event, kinds) and key_of(event) == key]
            assert time.monotonic() < deadline, f"the venue told {found} of {key}"
            time.sleep(0.001)
        return found

    def filled(self, venue: Counterpart, order: Order, count: int = 1) -> list[Fill]:
        return [event.fill for event in self.wait(venue, (OrderFilled,), order.key, count)]

    def sent(self, venue: Counterpart, **how: Any) -> Order:
        """Return an order that the venue has taken."""
        order = self.order(venue, **how)
        assert venue.account.submit(order)
        assert self.wait(venue, (OrderAccepted,), order.key)[0].order.quantity == order.quantity
        return order

    # -- the cases ---------------------------------------------------------------------------------------------------

    def test_an_order_is_taken_and_filled(self, venue: Counterpart) -> None:
        order = self.sent(venue)
        assert [one.key for one in venue.account.open_orders()] == [order.key]
        venue.trade()
        (fill,) = self.filled(venue, order)
        assert (fill.side, fill.quantity, fill.left) == ("buy", 10.0, 0.0)
        assert venue.account.positions() == {venue.instrument.symbol: 10.0}
        assert venue.account.open_orders() == []
        assert venue.account.account().cash == pytest.approx(100_000 - 10 * fill.price - fill.fee)
        assert [one.key for one in venue.account.executions()] == [order.key]

    def test_an_order_fills_in_parts(self, venue: Counterpart) -> None:
        order = self.sent(venue, quantity=100.0)
        fills: list[Fill] = []
        for count in range(3):
            venue.trade()
            fills += self.filled(venue, order)
            assert sum(fill.quantity for fill in fills) == min(venue.ROOM * (count + 1), 100.0)
        assert [fill.left for fill in fills] == [60.0, 20.0, 0.0]
        life = Life(100, "working")
        for fill in fills:
            life, _ = life.with_fill(int(fill.quantity))
        assert life.state == "filled"

    def test_a_closing_closes(self, venue: Counterpart) -> None:
        self.sent(venue)
        venue.trade()
        closing = self.sent(venue, side="sell", label=2, leg="close")
        venue.trade()
        assert self.filled(venue, closing)[0].side == "sell"
        assert venue.account.positions() == {}

    def test_a_limit_rests_and_fills_at_its_price(self, venue: Counterpart) -> None:
        order = self.sent(venue, type="limit", price=99.0)
        venue.trade(low=99.5)
        assert [one.price for one in venue.account.open_orders()] == [99.0]
        venue.trade(low=98.5)
        assert self.filled(venue, order)[0].price == 99.0

    def test_an_order_is_taken_off_once(self, venue: Counterpart) -> None:
        order = self.sent(venue, type="limit", price=90.0)
        assert order.key is not None
        assert venue.account.cancel(order.key)
        assert self.wait(venue, (OrderEnded,), order.key)[0].status == "cancelled"
        assert not venue.account.cancel(order.key)
        assert venue.account.open_orders() == []

    def test_a_cancellation_that_comes_too_late_takes_nothing_off(self, venue: Counterpart) -> None:
        order = self.sent(venue)
        assert order.key is not None
        venue.trade()
        assert not venue.account.cancel(order.key)
        assert self.filled(venue, order)[0].quantity == 10.0
        assert venue.account.positions() == {venue.instrument.symbol: 10.0}

    def test_what_is_left_of_an_order_is_taken_off_and_what_filled_is_kept(self, venue: Counterpart) -> None:
        order = self.sent(venue, quantity=100.0)
        assert order.key is not None
        venue.trade()
        assert venue.account.cancel(order.key)
        assert self.filled(venue, order)[0].left == 60.0
        assert venue.account.positions() == {venue.instrument.symbol: venue.ROOM}

    def test_protective_orders_rest_with_the_opening(self, venue: Counterpart) -> None:
        order = self.sent(venue, stop_distance=5.0, target_distance=8.0)
        venue.trade()
        fill = self.filled(venue, order)[0]
        resting = {one.key.leg: one for one in venue.account.open_orders() if one.key is not None}
        assert {leg: one.price for leg, one in resting.items()} == {"stop": fill.price - 5.0, "target": fill.price + 8.0}
        assert venue.account.amend(resting["stop"].key, 98.0)  # type: ignore[arg-type]
        assert self.wait(venue, (OrderAmended,), resting["stop"].key)[0].price == 98.0
        venue.trade(low=97.0)
        assert self.filled(venue, resting["stop"])[0].price == pytest.approx(98.0, rel=0.01)
        assert venue.account.open_orders() == []
        assert venue.account.positions() == {}

    def test_an_order_that_is_sent_twice_is_one_order(self, venue: Counterpart) -> None:
        order = self.sent(venue)
        venue.account.submit(order)
        venue.trade()
        self.filled(venue, order)
        venue.trade()
        assert venue.account.positions() == {venue.instrument.symbol: 10.0}
        assert len(venue.account.executions()) == 1

    @pytest.mark.parametrize(
        ("how", "said"),
        [
            ({"quantity": 10.5}, "in steps of 1, got 10.5"),
            ({"type": "limit", "price": 99.005}, "in ticks of 0.01, got 99.005"),
            ({"type": "stop", "price": 95.0, "side": "sell", "leg": "close"}, "got stop"),
        ],
        ids=["off the grid", "between ticks", "a type it does not take"],
    )
    def test_what_it_does_not_take_is_refused_in_words_and_leaves_nothing(self, venue: Counterpart, how: Any, said: str) -> None:
        order = self.order(venue, **how)
        with pytest.raises(OrderError, match=said):
            venue.account.submit(order)
        assert order.key is not None
        assert not venue.account.knows(order.key)
        venue.trade(high=106.0)
        assert venue.account.positions() == {}
        self.test_an_order_is_taken_and_filled(venue)

    def test_of_an_order_that_got_lost_it_is_not_said_that_it_arrived(self, venue: Counterpart) -> None:
        order = self.order(venue)
        assert order.key is not None
        venue.cut()
        assert venue.account.submit(order) is False
        with pytest.raises(VenueError):
            venue.account.knows(order.key)  # a failed query is never an answer
        with pytest.raises(VenueError):
            venue.account.state()
        venue.mend()
        assert not venue.account.knows(order.key)
        assert venue.account.submit(order)
        venue.trade()
        assert self.filled(venue, order)[0].quantity == 10.0

    def test_an_order_whose_answer_got_lost_is_found_and_not_sent_again(self, venue: Counterpart) -> None:
        order = self.order(venue)
        assert order.key is not None
        venue.lose_answers()
        assert venue.account.submit(order) is False
        venue.mend()
        assert venue.account.knows(order.key)
        venue.trade()
        assert self.filled(venue, order)[0].quantity == 10.0
        assert venue.account.positions() == {venue.instrument.symbol: 10.0}

    def test_what_fills_while_the_line_is_down_is_told_once_when_it_is_back(self, venue: Counterpart) -> None:
        order = self.sent(venue, quantity=100.0)
        venue.trade()
        first = self.filled(venue, order)
        venue.cut()
        venue.trade()
        venue.trade()
        venue.mend()
        fills = [*first, *self.filled(venue, order, 2)]
        assert [fill.quantity for fill in fills] == [40.0, 40.0, 20.0]
        assert not [event for event in venue.heard() if isinstance(event, OrderFilled)]
        assert venue.account.positions() == {venue.instrument.symbol: 100.0}

    def test_an_order_from_another_place_is_seen(self, venue: Counterpart) -> None:
        foreign = self.order(venue, label=77, type="limit", price=90.0)
        assert foreign.key is not None
        venue.somebody_else(replace(foreign, key=replace(foreign.key, deployment="another")))
        accepted = self.wait(venue, (OrderAccepted,), replace(foreign.key, deployment="another"))
        assert accepted[0].order.price == 90.0
        assert [one.key.deployment for one in venue.account.open_orders() if one.key is not None] == ["another"]

    def test_the_whole_book_is_one_answer(self, venue: Counterpart) -> None:
        order = self.sent(venue, stop_distance=5.0)
        venue.trade()
        self.filled(venue, order)
        state = venue.account.state()
        assert state.positions == venue.account.positions() == {venue.instrument.symbol: 10.0}
        assert [one.type for one in state.orders] == ["stop"]
        assert state.account == venue.account.account()

    def test_it_says_what_it_can_do(self, venue: Counterpart) -> None:
        assert {"market"} <= venue.account.supports <= EVERYTHING

    # -- forms that not every venue has: taken as they are, or refused in words -------------------------------------------

    def form(self, venue: Counterpart, **how: Any) -> Order | None:
        """Return an order in a form that was taken; None where the venue says that it has none such, and refuses it."""
        order = self.order(venue, **how)
        if order.needs <= venue.account.supports:
            return self.sent(venue, **how)
        with pytest.raises(OrderError):
            venue.account.submit(order)
        return None

    def test_a_stop_entry_waits_for_its_price(self, venue: Counterpart) -> None:
        order = self.form(venue, type="stop", price=102.0)
        if order is not None:
            venue.trade(high=101.0)
            assert venue.account.positions() == {}
            venue.trade(high=103.0)
            assert self.filled(venue, order)[0].price >= 102.0

    def test_a_stop_limit_pays_no_more_than_its_limit(self, venue: Counterpart) -> None:
        order = self.form(venue, type="stop_limit", price=102.0, limit_price=102.5)
        if order is not None:
            venue.trade(high=103.0)
            assert 102.0 <= self.filled(venue, order)[0].price <= 102.5

    def test_what_does_not_fill_at_once_is_over(self, venue: Counterpart) -> None:
        order = self.form(venue, quantity=100.0, time_in_force="ioc")
        if order is not None:
            venue.trade()
            assert self.filled(venue, order)[0].quantity == venue.ROOM
            assert venue.account.open_orders() == []

    def test_all_or_nothing_is_nothing(self, venue: Counterpart) -> None:
        order = self.form(venue, quantity=100.0, time_in_force="fok")
        if order is not None:
            venue.trade()
            assert self.wait(venue, (OrderEnded,), order.key)[0].status in ("lapsed", "cancelled", "expired")
            assert venue.account.positions() == {}

    def test_a_limit_that_would_take_is_refused_where_it_only_posts(self, venue: Counterpart) -> None:
        order = self.form(venue, type="limit", price=101.0, post_only=True)
        if order is not None:
            venue.trade()
            assert self.wait(venue, (OrderEnded,), order.key)[0].status == "rejected"
            assert venue.account.positions() == {}

    def test_a_closing_never_opens_the_other_side(self, venue: Counterpart) -> None:
        order = self.sent(venue)
        venue.trade()
        self.filled(venue, order)
        closing = self.form(venue, side="sell", quantity=15.0, label=2, leg="close")
        if closing is not None:
            venue.trade()
            assert self.filled(venue, closing)[0].quantity == 10.0
            venue.trade()
            assert venue.account.positions() == {}
            assert venue.account.open_orders() == []


def key_of(event: VenueEvent) -> OrderKey | None:
    """Return of which order an event tells."""
    if isinstance(event, OrderAccepted):
        return event.order.key
    if isinstance(event, OrderFilled):
        return event.fill.key
    return event.key if isinstance(event, (OrderEnded, OrderAmended)) else None
