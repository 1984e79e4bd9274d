"""Orders that meet the quotes or trades inside a bar: the other side of the quote, what came first, no price that nobody offered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from filled import quotes
from markets import random_case
from worked import FREE, OTHER, SHARE, START, Stop, Target, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.execution import Costs, Limit, PaperVenue, StopEntry
from workbench.research.comparing import compare
from workbench.session.recorder import Recorder
from workbench.session.setup import set_up

BARS = [100.0, (100.0, 106.0, 94.0, 100.0), (100.0, 106.0, 94.0, 100.0), 100.0, 100.0]
DEAR = Costs(commission=0.0, slippage=0.01)


def run(words: str, ticks: Any, bars: Any = BARS, costs: Costs = DEAR, **parts: Any) -> list[tuple[str, int, float]]:
    """Return leg, row and price of each fill."""
    venue = PaperVenue(1e6, costs, ticks={"ABC": ticks})
    session = wb.Session(plan(words, **parts), data=wb.ReplayAdapter(market(bars)), execution=venue).run()
    assert venue.account().cash == session.portfolio.cash
    return [(fill.key.leg, session.tape.row_of(fill.label), fill.price) for fill in venue.executions()]


def test_a_market_order_pays_the_ask_and_gets_the_bid_of_the_first_quote_that_it_meets() -> None:
    ticks = quotes(("01:00:01", 99.5, 100.5), ("01:30", 98.0, 99.0), ("02:00:02", 101.0, 101.5))
    assert run("+0...", ticks) == [("open", 1, 100.5), ("close", 2, 101.0)]


def test_an_order_on_its_way_meets_the_quote_that_is_there_when_it_comes() -> None:
    ticks = quotes(("01:00", 99.5, 100.5), ("01:00:03", 99.8, 100.2), ("01:00:09", 97.0, 98.0))
    costs = Costs(commission=0.0, slippage=0.01, latency=2.5)
    assert run("+....", ticks, costs=costs) == [("open", 1, 100.2)]


def test_a_bar_without_quotes_fills_by_its_prices() -> None:
    assert run("+0...", quotes(("01:00", 99.5, 100.5))) == [("open", 1, 100.5), ("close", 2, 99.0)]
    assert run("+....", quotes(("03:00", 99.5, 100.5))) == [("open", 1, 101.0)]


def test_what_was_reached_first_fills() -> None:
    exits = [Stop(5.0), Target(5.0)]
    up_then_down = quotes(("01:00", 100.0, 100.0), ("01:10", 105.5, 106.0), ("01:20", 94.0, 95.0))
    down_then_up = quotes(("01:00", 100.0, 100.0), ("01:10", 94.0, 95.0), ("01:20", 105.5, 106.0))
    assert run("+....", up_then_down, exits=exits) == [("open", 1, 100.0), ("target", 1, 105.0)]
    assert run("+....", down_then_up, exits=exits) == [("open", 1, 100.0), ("stop", 1, 94.0)]  # at what was bid, not at its level
    free = wb.Session(plan("+....", exits=exits), data=wb.ReplayAdapter(market(BARS)), execution=PaperVenue(1e6, FREE)).run()
    assert [fill.key.leg for fill in free.execution.executions()] == ["open", "stop"]  # of a bar alone the worse is taken


def test_a_gap_over_the_stop_of_what_was_held_before_is_none_of_what_is_entered_in_the_bar() -> None:
    # the flip sells at 90, below the stop of the long; that of the short, at 95, lies beyond all ticks
    bars = [100.0, 100.0, (90.0, 96.0, 89.0, 91.0), 91.0, 91.0]
    ticks = quotes(("02:00", 90.0, 90.0), ("02:30", 91.0, 91.0))
    done = run("+-...", ticks, bars, FREE, exits=[Stop(5.0)])
    assert done == [("open", 1, 100.0), ("close", 2, 90.0), ("open", 2, 90.0), ("stop", 2, 95.0)]


def test_a_short_position_is_stopped_by_the_ask() -> None:
    ticks = quotes(("01:00", 100.0, 100.2), ("01:10", 104.8, 105.1), ("01:20", 105.0, 105.2))
    assert run("-....", ticks, exits=[Stop(5.0)]) == [("open", 1, 100.0), ("stop", 1, 105.1)]


@pytest.mark.parametrize(
    ("asks", "filled"),
    [([100.0, 99.0, 98.9], 99.0), ([100.0, 99.0, 99.1], None), ([98.5, 98.0, 98.0], 98.5)],
    ids=["through", "only touched", "there when it came"],
)
def test_a_limit_fills_when_the_ask_goes_through_it(asks: list[float], filled: float | None) -> None:
    ticks = quotes(*((f"01:{10 * k:02d}", ask - 0.2, ask) for k, ask in enumerate(asks)))
    expected = [] if filled is None else [("open", 1, filled)]
    assert run("+....", ticks, execution=Limit(0.01, bars=1)) == expected


def test_a_limit_that_only_rests_is_refused_where_its_price_is_there() -> None:
    assert run("+....", quotes(("01:00", 98.0, 98.5)), execution=Limit(0.01, bars=2, post_only=True)) == []


def test_a_limit_s_target_may_fill_in_its_bar_when_the_order_is_known() -> None:
    ticks = quotes(("01:00", 100.0, 100.1), ("01:10", 98.0, 98.5), ("01:20", 104.5, 105.0))
    assert run("+....", ticks, execution=Limit(0.01, bars=1), exits=[Stop(5.0), Target(5.0)]) == [("open", 1, 99.0), ("target", 1, 104.0)]
    at_once = quotes(("01:00", 98.0, 98.5), ("01:10", 104.5, 105.0))
    assert run("+....", at_once, execution=Limit(0.01, bars=1), exits=[Target(5.0)]) == [("open", 1, 98.5), ("target", 1, 103.5)]


def test_an_entry_that_waits_for_the_price_takes_the_quote_that_sets_it_off() -> None:
    ticks = quotes(("01:00", 100.0, 100.4), ("01:10", 100.8, 101.2), ("01:20", 103.0, 104.0))
    assert run("+....", ticks, execution=StopEntry(0.01, 1)) == [("open", 1, 101.2)]
    beyond = quotes(("01:00", 100.0, 100.4), ("01:10", 103.0, 104.0), ("01:20", 101.0, 101.4))
    assert run("+....", beyond, execution=StopEntry(0.01, 1, limit=0.01)) == [("open", 1, 102.0)]  # beyond its limit it rests there


def test_an_entry_works_for_its_bars_and_no_longer() -> None:
    ticks = quotes(("01:00", 100.0, 100.1), ("02:00", 100.0, 100.1), ("03:00", 98.0, 98.5))
    assert run("+....", ticks, execution=Limit(0.01, bars=2)) == []
    assert run("+....", ticks, execution=Limit(0.01, bars=3)) == [("open", 3, 99.0)]
    now = quotes(("01:00", 100.0, 100.1), ("01:01", 98.0, 98.5))
    assert run("+....", now, execution=Limit(0.01, time_in_force="ioc")) == []


def test_trades_have_one_price_and_pay_the_usual_slippage() -> None:
    trades = pd.DataFrame({"price": [100.5, 94.0]}, pd.DatetimeIndex([f"{START} 01:00", f"{START} 01:30"]))
    assert run("+....", trades, exits=[Stop(5.0)]) == [("open", 1, pytest.approx(101.505)), ("stop", 1, pytest.approx(93.06))]


def test_what_has_no_ticks_fills_by_bars_beside_what_has() -> None:
    bars = market({SHARE: BARS, OTHER: BARS})
    venue = PaperVenue(1e6, FREE, ticks={"ABC": quotes(("01:00", 99.0, 101.0))})
    session = wb.Session(plan("+....", "+...."), data=wb.ReplayAdapter(bars), execution=venue).run()
    assert sorted((fill.key.instrument, fill.price) for fill in session.execution.executions()) == [("ABC", 101.0), ("XYZ", 100.0)]


def test_a_backtest_at_such_a_venue_has_all_its_tables() -> None:
    ticks = {"ABC": quotes(("01:00", 99.5, 100.5), ("02:00", 101.0, 101.5))}
    result = wb.backtest(plan("+0..."), market(BARS), venue=PaperVenue(1e6, DEAR, ticks=ticks))
    assert result.trades["profit"].tolist() == [0.5]
    assert wb.research.shortfall(result)["paid"].tolist() == [100.5, 101.0]
    with pytest.raises(ParameterError, match="the account is the venue's"):
        wb.backtest(plan("+0..."), market(BARS), cash=5.0, venue=PaperVenue(1e6))
    with pytest.raises(ParameterError, match=r"must be a wb\.execution\.PaperVenue"):
        wb.backtest(plan("+0..."), market(BARS), venue="paper")  # type: ignore[arg-type]


FRAME = quotes(("01:00", 99.5, 100.5), ("01:30", 98.0, 99.0))


@pytest.mark.parametrize(
    ("ticks", "said"),
    [
        ({"ABD": FRAME}, "ticks of 'ABD', which is not traded; did you mean 'ABC'?"),
        ({"ABC": FRAME[::-1]}, "must be in the order of time"),
        ({"ABC": FRAME.rename(columns={"bid": "bidd"})}, "have the columns bid and ask, or price; got bidd, ask; did you mean 'bid'?"),
        ({"ABC": FRAME.assign(ask=98.5)}, "the ask not below the bid; got 99.5 and 98.5 at 2024-01-01 01:00:00+00:00"),
        ({"ABC": FRAME.assign(bid=-1.0)}, "prices are positive"),
        ({"ABC": [1.0]}, "are a DataFrame indexed by time, got list"),
        ({"ABC": FRAME.reset_index()}, "are a DataFrame indexed by time"),
    ],
)
def test_what_are_no_ticks_is_refused(ticks: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        wb.Session(plan("+."), data=wb.ReplayAdapter(market([1.0, 1.0])), execution=PaperVenue(ticks=ticks))
    assert said in str(caught.value)


def test_times_may_have_a_zone_and_gaps_are_left_out() -> None:
    berlin = quotes(("02:00", 99.5, 100.5)).tz_localize("Europe/Berlin")
    with_gap = pd.concat([berlin.assign(ask=np.nan), berlin])
    assert run("+....", with_gap) == [("open", 1, 100.5)]


def trades_of(bars: wb.Bars, symbol: str) -> pd.DataFrame:
    """Return each bar's four prices as trades in it, the worse end first for a long."""
    j, step = bars.symbols.index(symbol), bars.interval_ns // 4
    rows = [
        (label + k * step, bars.array(name)[t, j])
        for t, label in enumerate(bars.labels)
        for k, name in enumerate(("open", "low", "high", "close"))
    ]
    times, prices = zip(*rows, strict=True)
    return pd.DataFrame({"price": prices}, pd.DatetimeIndex(np.array(times, "datetime64[ns]")).tz_localize("UTC")).dropna()


@pytest.mark.parametrize("seed", range(12))
def test_in_random_runs_the_book_stays_ours_and_the_openings_at_market_are_those_of_the_bars(seed: int) -> None:
    case = random_case(seed)
    algorithm = [wb.execution.Market(), wb.execution.Twap(3), Limit(0.0005, 2, "cross"), StopEntry(0.0005, 3)][seed % 4]
    bars = case.bars.iloc[:120]
    setup = set_up(case.strategy.set_params(execution=algorithm), bars, **case.account)
    costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
    ticks = {symbol: trades_of(bars, symbol) for symbol in bars.symbols}
    records = []
    for given in ({}, ticks):
        venue = PaperVenue(setup.cash, costs, setup.currency, setup.rates, ticks=given)
        session = wb.Session.of(setup, venue)
        recorder = Recorder(session)
        for _ in range(len(bars)):
            session.step()
            held = zip(setup.instruments, session.portfolio.lots, strict=True)
            assert venue.positions() == {i.symbol: session.portfolio.quantity(j) for j, (i, lots) in enumerate(held) if lots}
            assert {str(order.key) for order in venue.open_orders()} == {str(o.key) for state in session.states for o in state.orders}
        assert venue.account().cash == session.portfolio.cash
        records.append(recorder.record())
    if not setup.strategy.exits and seed % 4 < 2:  # then nothing hangs on what came first
        assert compare(*records, bars).empty
