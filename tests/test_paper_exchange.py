"""The paper venue without its wire: it fills as `PaperVenue` does, takes a key once, and lives through its ledger to the same end."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_worlds import FREE, through_json, told
from worked import OTHER, SHARE, market

import workbench as wb
from workbench.errors import JournalError
from workbench.execution import PaperVenue
from workbench.execution.wire import event_plain, order_plain
from workbench.journal import Journal, MemoryJournal
from workbench.market import Order, OrderKey
from workbench.practice.paper.exchange import Exchange, Message
from workbench.practice.paper.feeds import BLOCK, Endless, Feed, Recorded
from workbench.rates import conversion
from workbench.session.tape import MarketTape
from workbench.sessions import session_numbers

BARS = wb.simulate([SHARE, OTHER], bars=60, interval="1h", seed=11, missing=0.1)
SYMBOLS = {one.symbol: one for one in BARS.instruments}
ROWS = [100, 101, 102, (102, 103, 90, 95), 96]


def exchange_on(feed: Feed | wb.Bars, ledger: Any = None, **account: Any) -> Exchange:
    account = {"cash": 100_000.0, "costs": FREE} | account
    return Exchange(feed if isinstance(feed, Endless) else Recorded(feed), PaperVenue(**account), ledger or MemoryJournal())  # type: ignore[arg-type]


def order_of(side: str = "buy", quantity: float = 1.0, label: Any = 1, symbol: str = "ABC", **more: Any) -> Order:
    leg = "close" if more.get("reduce_only") else "open"
    return Order(SYMBOLS[symbol], side, quantity, key=OrderKey(symbol, label, leg), **more)  # type: ignore[arg-type]


def sent(exchange: Exchange, order: Order) -> bool:
    return exchange.submit(through_json(order_plain(order)))


def drawn(rng: random.Random, venue: PaperVenue, label: int, price: dict[str, float]) -> list[Order | OrderKey]:
    """Return what a client may ask between two bars: an opening, a closing of what is held, or to take an order off."""
    asked: list[Order | OrderKey] = []
    held, out = venue.positions(), venue.open_orders()
    for symbol in SYMBOLS:
        fate = rng.random()
        if fate < 0.25 and symbol not in held:
            limit = {"type": "limit", "price": round(price[symbol] * rng.uniform(0.98, 1.02), 2), "bars": rng.randint(0, 3)}
            exits = {"stop_distance": rng.uniform(0.2, 2.0), "target_distance": rng.uniform(0.2, 2.0)}
            more = (limit if rng.random() < 0.5 else {}) | (exits if rng.random() < 0.7 else {})
            asked.append(order_of(rng.choice(["buy", "sell"]), rng.randint(1, 50), label, symbol, **more))
        elif fate < 0.4 and symbol in held:
            asked.append(order_of("sell" if held[symbol] > 0 else "buy", abs(held[symbol]), label, symbol, reduce_only=True))
        elif fate < 0.5:
            asked += [order.key for order in out if order.key is not None and order.instrument.symbol == symbol][:1]
    return asked


def traded(seed: int, exchange: Exchange, rows: int = 60) -> Exchange:
    """Let a random client trade, and the market pass."""
    rng = random.Random(seed)
    for _ in range(rows - 1 - exchange.row):
        exchange.advance()
        price = dict(zip(SYMBOLS, exchange.tape.price, strict=True))
        for one in drawn(rng, exchange.venue, exchange.tape.label[exchange.row], price):
            if isinstance(one, Order) and price[one.instrument.symbol] == price[one.instrument.symbol]:
                sent(exchange, one)
            elif isinstance(one, OrderKey):
                exchange.cancel(one)
    return exchange


def bare(seed: int) -> tuple[PaperVenue, list[Any]]:
    """Have the same client trade at a `PaperVenue` alone; return it, and the events in their order."""
    venue, tape, events, rng = PaperVenue(100_000.0, FREE, "USD"), MarketTape(2, BARS.interval_ns), [], random.Random(seed)
    venue.connect(BARS.instruments)
    tape.add(BARS, conversion("USD", BARS, None), session_numbers(BARS))
    for row in range(len(BARS)):
        venue.observe(tape, row)
        events += venue.events()
        tape.advance(row)
        price = dict(zip(SYMBOLS, tape.price, strict=True))
        for one in drawn(rng, venue, tape.label[row], price):
            if isinstance(one, Order) and price[one.instrument.symbol] == price[one.instrument.symbol]:
                venue.submit(one)
            elif isinstance(one, OrderKey):
                venue.cancel(one)
            events += venue.events()
    return venue, events


# -- fills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_orders_fill_as_at_the_paper_venue(seed: int) -> None:
    exchange = traded(seed, exchange_on(BARS))
    venue, events = bare(seed)
    assert [message.event for message in exchange.since(0) if message.event is not None] == [event_plain(event) for event in events]
    assert exchange.venue.account() == venue.account()
    assert exchange.venue.executions() == venue.executions()
    assert len(venue.executions()) > 10


def test_a_row_is_told_after_the_fills_of_its_bars_under_running_numbers() -> None:
    exchange = exchange_on(market(ROWS))
    exchange.advance()
    sent(exchange, order_of())
    exchange.advance()
    told = [(m.number, m.event["event"] if m.event else "bars", m.row) for m in exchange.since(0)]
    assert told == [(1, "bars", 0), (2, "accepted", 0), (3, "filled", 1), (4, "bars", 1)]
    assert exchange.newest == 4


def test_a_closing_that_comes_after_the_stop_ends_without_a_fill() -> None:
    exchange = exchange_on(market(ROWS), costs=wb.execution.Costs(commission=0.001, minimum=5.0))
    exchange.advance()
    sent(exchange, order_of(stop_distance=5.0))
    for _ in range(3):
        exchange.advance()
    assert exchange.venue.positions() == {}
    assert sent(exchange, order_of("sell", 1.0, 9, reduce_only=True))
    exchange.advance()
    assert [fill.key.leg for fill in exchange.venue.executions()] == ["open", "stop"]
    ended = [m.event for m in exchange.since(0) if m.event and m.event["event"] == "ended"]
    assert [(one["key"]["leg"], one["status"]) for one in ended] == [("close", "cancelled")]


def test_the_same_key_twice_changes_nothing() -> None:
    exchange = exchange_on(market(ROWS))
    exchange.advance()
    assert sent(exchange, order_of("buy", 1.0))
    log, ledger = told(exchange), list(exchange.ledger.entries())
    assert not sent(exchange, order_of("buy", 1.0))
    assert not sent(exchange, order_of("sell", 7.0))
    assert (told(exchange), list(exchange.ledger.entries())) == (log, ledger)
    exchange.advance()
    assert not sent(exchange, order_of("buy", 1.0))  # not after it has filled either
    assert exchange.venue.positions() == {"ABC": 1.0}


def test_another_attempt_is_another_key() -> None:
    exchange = exchange_on(market(ROWS))
    exchange.advance()
    key = OrderKey("ABC", 1, "open", attempt=1)
    assert [exchange.knows(order_of().key), exchange.knows(key)] == [False, False]  # type: ignore[arg-type]
    assert sent(exchange, order_of())
    assert [exchange.knows(order_of().key), exchange.knows(key)] == [True, False]  # type: ignore[arg-type]
    assert sent(exchange, Order(SHARE, "buy", 1.0, key=key))


def test_what_is_not_there_cannot_be_taken_off() -> None:
    exchange = exchange_on(market(ROWS))
    exchange.advance()
    key = order_of().key
    assert key is not None
    assert not exchange.cancel(key)
    sent(exchange, order_of())
    assert exchange.cancel(key)
    assert not exchange.cancel(key)
    assert [entry.kind for entry in exchange.ledger.entries()] == ["bar", "submit", "cancel"]
    assert exchange.venue.open_orders() == []


def test_nothing_is_accepted_that_is_not_in_the_ledger(tmp_path: Path) -> None:
    ledger = Journal(tmp_path / "ledger.db")
    ledger.take_over("one venue")
    exchange = exchange_on(market(ROWS), ledger)
    exchange.advance()
    ledger.take_over("another")
    ledger._epoch = 1
    for call in (lambda: sent(exchange, order_of()), exchange.advance):
        with pytest.raises(JournalError, match="another session has taken this journal over"):
            call()  # type: ignore[operator]
    assert (exchange.venue.open_orders(), exchange.row, exchange.head) == ([], 0, 1)
    ledger.close()


# -- the ledger -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=15)
def test_a_ledger_lived_through_again_gives_the_same_log_and_account(seed: int, rows: int) -> None:
    exchange = traded(seed, exchange_on(BARS), rows)
    again = exchange_on(BARS, exchange.ledger)
    assert (told(again), again.row, again.newest) == (told(exchange), exchange.row, exchange.newest)
    assert again.venue.account() == exchange.venue.account()
    assert again.venue.open_orders() == exchange.venue.open_orders()
    assert again.venue.executions() == exchange.venue.executions()


@pytest.mark.parametrize("rows", [1, 30])
def test_a_venue_that_came_back_goes_on_as_if_nothing_had_been(rows: int) -> None:
    whole = traded(3, exchange_on(BARS))
    again = exchange_on(BARS, traded(3, exchange_on(BARS), rows).ledger)
    for entry in list(whole.ledger.entries())[len(list(again.ledger.entries())) :]:
        if entry.kind == "bar":
            again.advance()
        elif entry.kind == "submit":
            again.submit(entry.body)
        else:
            again.cancel(entry.key)
    assert (told(again), again.venue.account()) == (told(whole), whole.venue.account())


def test_a_ledger_in_a_database_gives_the_same(tmp_path: Path) -> None:
    ledger = Journal(tmp_path / "ledger.db")
    ledger.take_over("venue")
    exchange = traded(5, exchange_on(BARS, ledger), 40)
    ledger.close()
    reopened = Journal(tmp_path / "ledger.db")
    again = exchange_on(BARS, reopened)
    assert (told(again), again.venue.account()) == (told(exchange), exchange.venue.account())
    keys = [OrderKey(**entry.body["key"]) for entry in again.ledger.entries("submit")]
    assert [again.knows(key) for key in keys] == [True] * len(keys)
    reopened.close()


# -- history, bars, what was told -------------------------------------------------------------------------------------


def test_the_first_rows_pass_at_once_and_only_where_nothing_has_happened() -> None:
    exchange = exchange_on(BARS)
    exchange.begin(10)
    exchange.begin(5)
    assert (exchange.row, exchange.head) == (9, 10)
    again = exchange_on(BARS, exchange.ledger)
    again.begin(10)
    assert (again.row, [entry.kind for entry in again.ledger.entries()]) == (9, ["history"])
    again.advance()
    assert again.row == 10


@pytest.mark.parametrize(("rows", "row"), [(0, -1), (1, 0), (60, 59), (1_000, 59)])
def test_a_history_is_as_long_as_there_are_bars(rows: int, row: int) -> None:
    exchange = exchange_on(BARS)
    exchange.begin(rows)
    assert (exchange.row, exchange.over) == (row, row == 59)


def test_a_recording_is_over_at_its_end() -> None:
    exchange = exchange_on(market(ROWS))
    assert [exchange.advance() for _ in range(7)] == [True] * 5 + [False] * 2
    assert exchange.over
    exchange.end()
    assert list(exchange.since(0))[-1] == Message(6, -1)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (3, 9), (0, 60), (59, 60), (5, 5)])
def test_bars_by_row(first: int, last: int) -> None:
    exchange = exchange_on(BARS)
    found = exchange.bars(first, last)
    assert found.labels.tolist() == BARS.labels[first:last].tolist()
    np.testing.assert_array_equal(found.array("close"), BARS.array("close")[first:last])


@pytest.mark.parametrize("number", [0, 1, 4, 5, 99, 1 << 62])
def test_what_was_told_after_a_number(number: int) -> None:
    exchange = exchange_on(market(ROWS))
    exchange.begin(4)
    assert [message.number for message in exchange.since(number)] == list(range(number + 1, 5))


def test_bars_close_an_interval_after_their_label() -> None:
    exchange = exchange_on(BARS)
    assert [exchange.closes_at(row) for row in range(60)] == (BARS.labels + BARS.interval_ns).tolist()


# -- a market without an end ------------------------------------------------------------------------------------------


TICKING = wb.Instrument("TCK", tick_size=0.01)
ENDLESS: list[tuple[str, Callable[[int], Endless]]] = [
    ("share", lambda seed: Endless((TICKING,), "1min", seed)),
    (
        "three",
        lambda seed: Endless(
            (TICKING, wb.Instrument("EURUSD", "fx", tick_size=1e-5), wb.Instrument("BTCUSD", "crypto", tick_size=0.5)), "1h", seed
        ),
    ),
    ("daily", lambda seed: Endless((TICKING,), "1D", seed, "1990-01-01")),
]


@pytest.mark.parametrize("make", [make for _, make in ENDLESS], ids=[name for name, _ in ENDLESS])
def test_the_endless_market_goes_on_without_a_jump(make: Callable[[int], Endless]) -> None:
    first, second, third = islice(make(1).blocks(), 3)
    for before, after in ((first, second), (second, third)):
        assert after.index[0] > before.index[-1]
        moves = np.abs(np.diff(np.log(np.concatenate([before.array("close"), after.array("close")])), axis=0))
        np.testing.assert_allclose(after.array("open")[0], before.array("close")[-1], rtol=2e-3)
        assert (moves[len(before) - 1] <= moves.max(axis=0)).all()
        assert (after.array("high") >= np.maximum(after.array("open"), after.array("close"))).all()
        assert (after.array("low") <= np.minimum(after.array("open"), after.array("close"))).all()


@pytest.mark.parametrize("make", [make for _, make in ENDLESS], ids=[name for name, _ in ENDLESS])
def test_the_endless_market_is_on_the_grid_and_the_same_at_each_start(make: Callable[[int], Endless]) -> None:
    once, again, other = (list(islice(make(seed).blocks(), 2)) for seed in (1, 1, 2))
    assert [bars.fingerprint for bars in once] == [bars.fingerprint for bars in again]
    assert [bars.fingerprint for bars in once] != [bars.fingerprint for bars in other]
    for j, instrument in enumerate(once[1].instruments):
        ticks = once[1].array("close")[:200, j] / instrument.tick_size
        np.testing.assert_allclose(ticks, np.round(ticks), atol=1e-6)


def test_bars_of_the_endless_market_are_found_over_the_joint_of_two_blocks() -> None:
    exchange = exchange_on(ENDLESS[0][1](1), buying_power=False)
    exchange.begin(BLOCK + 3)
    found = exchange.bars(BLOCK - 2, BLOCK + 3)
    first, second = islice(ENDLESS[0][1](1).blocks(), 2)
    assert found.labels.tolist() == [*first.labels[-2:], *second.labels[:3]]
    assert found.array("close")[:, 0].tolist() == [*first.array("close")[-2:, 0], *second.array("close")[:3, 0]]
    assert not exchange.over
    assert exchange.closes_at(BLOCK) == exchange.tape.label[BLOCK] + exchange.tape.interval


# -- for long ---------------------------------------------------------------------------------------------------------


def kept(feed: Any, keep: int, ledger: Any = None, late: bool = False) -> Exchange:
    return Exchange(feed, PaperVenue(100_000.0, FREE), ledger or MemoryJournal(), lambda row, column: late, keep=keep)


def test_a_recording_may_be_longer_than_what_is_kept() -> None:
    exchange = kept(Recorded(BARS), keep=10)
    exchange.begin(5)
    while exchange.advance():
        pass
    assert exchange.row == len(BARS) - 1
    assert [one.row for one in exchange.since(0) if one.bars is not None] == list(range(len(BARS)))


@pytest.mark.parametrize("late", [False, True])
def test_whoever_was_away_for_long_is_told_all_with_its_bars(late: bool) -> None:
    exchange = kept(Endless((SHARE,), "1h", 3), keep=2 * BLOCK, late=late)
    exchange.begin(5)
    for _ in range(7 * BLOCK):
        exchange.advance()
    told_again = [one for one in exchange.since(0) if one.bars is not None]
    assert [one.row for one in told_again] == list(range(exchange.row + 1 - late))
    assert all(len(one.bars) == 1 for one in told_again if one.bars is not None)
    assert [one.number for one in exchange.since(2 * BLOCK)] == list(range(2 * BLOCK + 1, exchange.head + 1))
    whole = kept(Endless((SHARE,), "1h", 3), keep=1 << 62, ledger=exchange.ledger, late=late)
    assert exchange.closes_at(0) == whole.closes_at(0)


def test_an_amendment_back_to_where_an_order_stood_is_in_the_ledger_too() -> None:
    exchange = exchange_on(market(ROWS))
    exchange.begin(1)
    sent(exchange, order_of(stop_distance=5.0))
    exchange.advance()
    (stop,) = exchange.venue.open_orders()
    assert stop.key is not None
    for price in (95.0, 92.0, 95.0):
        assert exchange.amend(stop.key, price)
    again = exchange_on(market(ROWS), exchange.ledger)
    assert [order.price for order in again.venue.open_orders()] == [95.0]
    assert told(again) == told(exchange)
