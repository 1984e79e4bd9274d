"""Troubles that a paper venue can be asked for: orders refused, halts, the same each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from markets import random_case
from worked import FREE, OTHER, SHARE, market, plan

import workbench as wb
from workbench.errors import OrderError, ParameterError
from workbench.execution import PaperVenue
from workbench.market import OrderKey
from workbench.records import STATUSES
from workbench.research.comparing import compare
from workbench.session.recorder import Recorder
from workbench.session.setup import set_up

TURNS = "+0" * 40
KEY = OrderKey("ABC", 0, "open")


def run(words: str, prices: list[Any], **troubles: Any) -> tuple[wb.Session, Any]:
    session = wb.Session(plan(words), data=wb.ReplayAdapter(market(prices)), execution=PaperVenue(1e5, FREE, **troubles))
    recorder = Recorder(session)
    return session.run(), recorder.record()


def opened(seed: int, rejects: float) -> tuple[int, ...]:
    session, _ = run(TURNS, [100.0] * len(TURNS), rejects=rejects, seed=seed)
    return tuple(fill.label for fill in session.execution.executions() if fill.key.leg == "open")


def test_a_share_of_the_openings_is_refused_and_the_same_ones_each_time() -> None:
    everything = opened(1, 0.0)
    some = opened(1, 0.3)
    assert len(everything) == 40
    assert 18 <= len(some) <= 36
    assert opened(1, 0.3) == some
    assert opened(2, 0.3) != some
    assert opened(1, 1.0) == ()


def test_a_refused_opening_is_not_tried_again_and_the_book_stays_ours() -> None:
    session, record = run(TURNS, [100.0] * len(TURNS), rejects=0.5, seed=3)
    statuses = [STATUSES[status] for status in record.orders["status"]]
    assert all(state.opening is None for state in session.states)
    assert session.portfolio.cash == session.execution.account().cash
    assert len(record.orders) > len(record.fills)
    assert statuses.count("rejected") == len(record.orders) - len(record.fills) - statuses.count("working") > 10


def test_nothing_trades_in_a_halt_and_what_rests_goes_on_after_it() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 03:00")]}
    session, _ = run("+....", [100, 101, 102, 103, 104], halts=halt)
    (fill,) = session.execution.executions()
    assert (fill.price, fill.label) == (103.0, int(market([1.0] * 5).labels[3]))
    assert session.equity == 100_000 + 1.0  # marked at the close of 104


def test_a_halt_is_that_of_all_entries() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 04:00")]}
    strategy = plan("+" * 8, entries="each", max_entries=3)
    session = wb.Session(strategy, data=wb.ReplayAdapter(market([100.0] * 8)), execution=PaperVenue(1e5, FREE, halts=halt)).run()
    assert min(fill.label for fill in session.execution.executions()) == int(market([1.0] * 5).labels[4])


def test_the_same_openings_are_refused_under_any_name() -> None:
    venue = PaperVenue(rejects=0.5, seed=1)
    keys = [OrderKey("ABC", label, "open") for label in range(50)]
    named = [replace(key, account="acc", deployment="dep", attempt=1) for key in keys]
    assert [venue._is_unlucky(key) for key in keys] == [venue._is_unlucky(key) for key in named]


def test_an_opening_that_waits_too_long_in_a_halt_expires() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 09:00+00:00")]}
    _, record = run("+" + "." * 11, [100.0] * 12, halts=halt)
    assert len(record.fills) == 0


def with_margin(strategy: wb.Strategy, bars: wb.Bars, margin: bool, **account: Any) -> list[tuple[str, float, float]]:
    """Return the fills at a venue that looks at its margin, or does not."""
    session = wb.Session(strategy, data=wb.ReplayAdapter(bars), execution=PaperVenue(costs=FREE, margin=margin, **account)).run()
    return [(fill.key.leg, fill.sign * fill.quantity, fill.price) for fill in session.execution.executions()]


def test_an_opening_that_the_account_cannot_pay_is_refused_where_the_venue_looks() -> None:
    bars, account = market([100.0, 100.0, 100.0]), {"cash": 1_000.0, "buying_power": False}
    assert with_margin(plan("+..", quantity=11.0), bars, True, **account) == []
    assert with_margin(plan("+..", quantity=11.0), bars, False, **account) == [("open", 11.0, 100.0)]
    assert with_margin(plan("+..", quantity=10.0), bars, True, **account) == [("open", 10.0, 100.0)]  # all of it, to the last unit


def test_what_is_on_its_way_counts_and_what_is_being_closed_does_not() -> None:
    bars = market({SHARE: [100.0] * 4, OTHER: [100.0] * 4})
    both = plan("+...", "+...", quantity=6.0)
    assert with_margin(both, bars, True, cash=1_000.0, buying_power=False) == [("open", 6.0, 100.0)]
    later = plan("+...", ".+..", quantity=6.0)
    assert with_margin(later, bars, True, cash=1_000.0, buying_power=False) == [("open", 6.0, 100.0)]  # what is held counts as well
    turns = plan("+.-.", quantity=10.0)
    filled = with_margin(turns, market([100.0] * 5), True, cash=1_000.0, buying_power=False)
    assert filled == [("open", 10.0, 100.0), ("close", -10.0, 100.0), ("open", -10.0, 100.0)]


class Shifted(wb.signals.SignalGenerator):
    """Wants 80 % of the first and 20 % of the second, from the third bar on the other way round."""

    cross_sectional: ClassVar[bool] = True

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        first = np.where(np.arange(len(bars)) < 2, 0.8, 0.2)
        return pd.DataFrame(np.array([first, 1.0 - first]).T, bars.index, bars.symbols)


def test_what_is_trimmed_makes_room_for_what_is_added() -> None:
    bars = market({SHARE: [100.0] * 6, OTHER: [100.0] * 6})
    strategy = wb.Strategy(Shifted(), wb.sizing.TargetWeights(), rebalance="1h")
    filled = with_margin(strategy, bars, True, cash=1e4)
    assert filled == with_margin(strategy, bars, False, cash=1e4)
    assert [fill[:2] for fill in filled] == [("open", 80.0), ("open", 20.0), ("trim", -60.0), ("add", 60.0)]


def test_a_crossing_whose_price_has_gone_on_is_refused() -> None:
    entry = wb.execution.Limit(0.01, bars=1, then="cross")
    prices = [100.0, (100.0, 105.0, 100.0, 105.0), 105.0, 105.0]
    crossing = plan("+...", quantity=10.0, execution=entry)
    assert with_margin(crossing, market(prices), False, cash=1_000.0) == [("open", 10.0, 105.0)]
    assert with_margin(crossing, market(prices), True, cash=1_000.0) == []


@pytest.mark.parametrize("seed", range(40))
def test_what_a_session_has_checked_is_never_refused(seed: int) -> None:
    case = random_case(seed)
    strategy, account = case.strategy.set_params(execution=wb.execution.Market()), case.account | {"buying_power": True}
    setup = set_up(strategy, case.bars, **account)
    costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
    records = []
    for margin in (False, True):
        session = wb.Session.of(setup, PaperVenue(setup.cash, costs, setup.currency, setup.rates, margin=margin))
        recorder = Recorder(session)
        session.run()
        records.append(recorder.record())
    assert compare(*records, setup.bars).empty


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rejects": 1.5}, "rejects is a share of all openings between 0 and 1, got 1.5"),
        ({"halts": {"ABC": [("2024-01-02", "2024-01-01")]}}, "a halt of ABC goes from one time to a later one"),
        ({"halts": {"ABC": [("noon", "2024-01-01")]}}, "a halt of ABC goes from one time to a later one"),
        ({"halts": {"ABD": [("2024-01-01", "2024-01-02")]}}, "halts of 'ABD', which is not traded; did you mean 'ABC'"),
        ({"halts": {"ABC": ("2024-01-01 15:00", "2024-01-01 16:00")}}, "the halts of ABC are a list of (start, end), got ('2024"),
        ({"halts": [("2024-01-01", "2024-01-02")]}, "halts are given by symbol, {'ABC': ...}, got list"),
        ({"ticks": pd.DataFrame({"price": [1.0]})}, "ticks are given by symbol, {'ABC': ...}, got DataFrame"),
        ({"rejects": "1%"}, "rejects is a share of all openings between 0 and 1, got '1%'"),
        ({"supports": "market"}, "supports is a list of what it takes, ['market', 'stop', ...], got 'market'"),
        ({"supports": 5}, "supports is a list of what it takes, ['market', 'stop', ...], got 5"),
        ({"buying_power": "no"}, "buying_power is True or False, got 'no'"),
        ({"margin": "yes"}, "margin is True or False, got 'yes'"),
        ({"halts": {"ABC": [("1500-01-01", "3000-01-01")]}}, "a halt of ABC goes from one time to a later one, got '1500-01-01'"),
        ({"supports": ["market", "limt"]}, "no venue takes 'limt' orders; did you mean 'limit'?"),
    ],
)
def test_troubles_that_are_none_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        run("+.", [100.0, 100.0], **given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({}, "an order for ABC has no key"),
        ({"instrument": OTHER, "key": KEY}, "no instrument 'XYZ' here; it was connected with ABC"),
        ({"key": KEY, "type": "stop", "price": 9.0}, "stop orders are not taken here, got one for ABC; what is: limit, market"),
        ({"key": KEY, "stop_distance": 1.0}, "stop orders are not taken here, got one for ABC; what is: limit, market"),
        ({"key": KEY, "type": "limit", "price": 9.0, "reduce_only": True}, "a closing for ABC goes by market order, got limit"),
    ],
)
def test_an_order_that_is_not_taken_gets_a_sentence(order: dict[str, Any], said: str) -> None:
    venue = PaperVenue(supports=["market", "limit"])
    venue.connect([SHARE])
    with pytest.raises(OrderError, match=said):
        venue.submit(wb.Order(**{"instrument": SHARE, "side": "buy", "quantity": 1.0} | order))
    assert venue.events() == []


def test_an_account_is_traded_by_one_session() -> None:
    venue, bars = PaperVenue(1e5, FREE), market([100.0] * 3)
    wb.Session(plan("+.."), data=wb.ReplayAdapter(bars), execution=venue).run()
    with pytest.raises(OrderError, match="has been traded by a session already; make a new PaperVenue"):
        wb.Session(plan("+.."), data=wb.ReplayAdapter(bars), execution=venue)


def test_cash_is_a_sum_of_money_and_both_prices_of_an_order_lie_on_the_grid() -> None:
    with pytest.raises(ParameterError, match="PaperVenue: cash is a sum of money, got '10k'"):
        PaperVenue(cash="10k")  # type: ignore[arg-type]
    venue, traded = PaperVenue(), wb.Instrument("ABC", tick_size=0.5)
    venue.connect([traded])
    with pytest.raises(OrderError, match=r"the price of ABC goes in ticks of 0.5, got 101.3"):
        venue.submit(wb.Order(traded, "buy", 1.0, "stop_limit", 101.0, KEY, limit_price=101.3))
