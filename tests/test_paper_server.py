"""The paper venue's wire: a real server and a real client on the loopback interface."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paper_serving import Serving
from worked import OTHER, SHARE

import workbench as wb
from workbench.adapters.paper import PaperLink
from workbench.errors import OrderError, OutcomeUnknown
from workbench.execution.port import BarsClosed, Connected, Disconnected, MarketOver, VenueSaid
from workbench.market import Order, OrderKey
from workbench.practice.paper.server import HURRIED

BARS = wb.simulate([SHARE, OTHER], bars=40, interval="1h", seed=11, missing=0.1).iloc[:30]
KEY = OrderKey("ABC", 7, "open")
ORDER = Order(SHARE, "buy", 2.0, key=KEY, stop_distance=0.5)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """Return a venue of 30 bars, 20 of which are history, that moves step by step."""
    made = Serving(tmp_path, BARS).start()
    yield made
    made.stop()


def until(arrived: queue.Queue[Any], kind: type, patience: float = 5.0) -> list[Any]:
    """Return what arrives up to the first of a kind."""
    seen = [arrived.get(timeout=patience)]
    while not isinstance(seen[-1], kind):
        seen.append(arrived.get(timeout=patience))
    return seen


def listening(serving: Serving, since: int = 0) -> tuple[PaperLink, Any, queue.Queue[Any]]:
    arrived: queue.Queue[Any] = queue.Queue()
    link = serving.link()
    account = link.open(arrived.put, lambda: since)
    return link, account, arrived


# -- what is told -----------------------------------------------------------------------------------------------------


def test_the_past_is_told_from_the_number_that_is_known(serving: Serving) -> None:
    link, _, arrived = listening(serving, since=15)
    assert arrived.get(timeout=5) == Connected(20, 20, HURRIED)
    told = [arrived.get(timeout=5) for _ in range(5)]
    assert [one.number for one in told] == [16, 17, 18, 19, 20]
    assert [one.bars.labels[0] for one in told] == BARS.labels[15:20].tolist()
    assert [one.closed for one in told] == (BARS.labels[15:20] + BARS.interval_ns).tolist()
    np.testing.assert_array_equal(told[3].bars.array("close")[0], BARS.array("close")[18])
    link.close()


def test_the_next_bar_comes_when_the_one_before_is_done_with(serving: Serving) -> None:
    link, _, arrived = listening(serving, since=20)
    assert isinstance(arrived.get(timeout=5), Connected)
    with pytest.raises(queue.Empty):
        arrived.get(timeout=0.15)
    for number in range(20, 30):
        link.done(number)
        assert arrived.get(timeout=5).number == number + 1
    link.done(30)
    assert arrived.get(timeout=5) == MarketOver(31)
    link.close()


def test_with_a_speed_the_market_moves_by_the_clock(tmp_path: Path) -> None:
    serving = Serving(tmp_path, BARS, speed=3600 * 100).start()
    link, _, arrived = listening(serving, since=20)
    assert [type(one) for one in until(arrived, MarketOver)] == [Connected, *[BarsClosed] * 10, MarketOver]
    link.close()
    serving.stop()


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_an_order_is_taken_once_and_found_again(serving: Serving) -> None:
    link, account, arrived = serving.connected(since=20)
    assert not account.knows(KEY)
    assert account.submit(ORDER)
    assert account.submit(ORDER)
    assert account.knows(KEY)
    assert account.open_orders() == [ORDER]
    assert account.state().number == 21
    (said,) = until(arrived, VenueSaid)
    assert (said.number, said.event.order) == (21, ORDER)
    link.close()


def test_the_book_is_that_of_the_venue(serving: Serving) -> None:
    link, account, arrived = serving.connected(since=20)
    account.submit(ORDER)
    link.done(20)
    until(arrived, BarsClosed)
    state = account.state()
    assert (state.positions, state.account) == serving.do(lambda e: (e.venue.positions(), e.venue.account()))
    assert [order.key.leg for order in state.orders if order.key] == ["stop"]
    assert [fill.quantity for fill in account.executions()] == [2.0]
    assert (account.positions(), account.account().currency) == ({"ABC": 2.0}, "USD")
    link.close()


@pytest.mark.parametrize(("first", "second"), [(True, False)])
def test_an_order_is_taken_off_once(serving: Serving, first: bool, second: bool) -> None:
    link, account, _ = serving.connected(since=20)
    account.submit(ORDER)
    assert (account.cancel(KEY), account.cancel(KEY)) == (first, second)
    assert account.open_orders() == []
    link.close()


def test_the_newest_bars_can_be_asked_for(serving: Serving) -> None:
    link, _, _ = serving.connected()
    assert link.history(5).labels.tolist() == BARS.labels[15:20].tolist()
    assert len(link.history(1_000)) == 20
    link.close()


def test_an_unknown_verb_is_refused_in_words(serving: Serving) -> None:
    link, account, _ = serving.connected()
    with pytest.raises(OrderError, match=r"the paper venue refused \(the venue: unknown verb 'explode'"):
        account._connection.ask("explode")
    link.close()


def test_a_client_that_only_acts_names_a_number_beyond_the_log_and_holds_nobody_up(serving: Serving) -> None:
    # as `workbench kill` does
    link, account, arrived = serving.connected(since=1 << 62)
    other, theirs, _ = serving.connected(since=20)
    assert theirs.submit(ORDER)
    assert account.cancel(KEY)
    assert arrived.empty()
    link.close()
    other.close()


# -- broken lines -----------------------------------------------------------------------------------------------------


def test_a_line_comes_back_by_itself_and_nothing_is_missed(serving: Serving) -> None:
    told = [20]
    link, arrived = serving.link(), queue.Queue[Any]()
    account = link.open(arrived.put, lambda: told[0])
    until(arrived, Connected)
    account.submit(ORDER)
    told[0] = until(arrived, VenueSaid)[-1].number
    serving.stop()
    assert isinstance(until(arrived, Disconnected)[-1], Disconnected)
    assert not account.submit(ORDER)
    assert not account.cancel(KEY)
    with pytest.raises(OutcomeUnknown, match="did not answer to 'state'"):
        account.state()
    serving.start()
    assert until(arrived, Connected)[-1] == Connected(21, 20, HURRIED)
    link.done(20)
    assert [one.number for one in until(arrived, BarsClosed)] == [22, 23, 24]
    link.close()


def test_whoever_does_not_know_the_token_is_sent_away_and_tries_again(serving: Serving) -> None:
    known = serving.address.read_text()
    serving.address.write_text(json.dumps(json.loads(known) | {"token": "wrong"}))
    link, account, arrived = listening(serving, since=20)
    assert [type(arrived.get(timeout=5)) for _ in range(2)] == [Disconnected] * 2
    assert not account.submit(ORDER)
    serving.address.write_text(known)  # as when the venue has come up and only then said where it is
    assert until(arrived, Connected)[-1] == Connected(20, 20, HURRIED)
    link.close()


def test_a_venue_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    serving = Serving(tmp_path, BARS)
    link, account, arrived = listening(serving, since=20)
    assert not account.submit(ORDER)
    serving.start()
    assert until(arrived, Connected)[-1] == Connected(20, 20, HURRIED)
    assert not account.knows(KEY)
    link.close()
    serving.stop()


@pytest.mark.parametrize("when", ["before it connects", "connected"])
def test_closing_a_line_takes_no_time(serving: Serving, when: str) -> None:
    link, _, arrived = listening(serving)
    if when == "connected":
        until(arrived, Connected)
    before = time.monotonic()
    link.close()
    link.close()
    assert time.monotonic() - before < 2.0
