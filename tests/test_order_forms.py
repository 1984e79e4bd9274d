"""Orders in one standard form: what each type and time in force means, at the paper venue and in a run (SEMANTICS 23-27)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd
import pytest
from filled import fills, ran
from paper_worlds import Fed, state_of
from worked import SHARE, Stop, Target, market, plan

import workbench as wb
from workbench.errors import OrderError, ParameterError, StrategyError
from workbench.execution import Costs, ExecutionAlgorithm, Limit, PaperVenue, StopEntry
from workbench.execution.wire import order_from, order_plain
from workbench.market import Market, OrderKey
from workbench.order import ORDER_TYPES, TIMES_IN_FORCE
from workbench.research.comparing import compare

FREE = Costs(commission=0.0, slippage=0.0)
SLIPS = Costs(commission=0.0, slippage=0.01)
HALF = Costs(commission=0.0, slippage=0.0, participation=0.1)  # 40 of a bar
ABC = wb.Instrument("ABC")


class Sends(ExecutionAlgorithm):
    """Sends an opening in the form that is written."""

    kind: str = "market"
    price: float | None = None
    limit_price: float | None = None
    trail: float | None = None
    bars: int = 0
    time_in_force: str = "gtc"
    good_until: int | None = None
    post_only: bool = False
    sends: ClassVar[frozenset[str]] = frozenset({*ORDER_TYPES, *TIMES_IN_FORCE, "post_only"})

    def plan(self, parent: wb.Order, market: Any) -> list[wb.Order]:
        """Return the order as it is written."""
        given = {
            name: getattr(self, name) for name in ("price", "limit_price", "trail", "bars", "time_in_force", "good_until", "post_only")
        }
        return [replace(parent, type=self.kind, **given)]


def run(words: str, *prices: Any, costs: Costs = FREE, **how: Any) -> wb.Backtest:
    parts = {name: how.pop(name) for name in ("exits", "execution") if name in how}
    return ran(words, *prices, quantity=100.0, costs=costs, execution=parts.pop("execution", None) or Sends(**how), **parts)


def entry(words: str, *prices: Any, **how: Any) -> list[tuple[int, float, float]]:
    """Return hour, quantity and price of each fill of the opening."""
    return [(hour, quantity, price) for hour, leg, quantity, price in fills(run(words, *prices, **how)) if leg == "open"]


# -- the order itself -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "stop_limit", "price": 10.0}, "a stop_limit order needs a positive limit_price, got None"),
        ({"type": "trailing_stop"}, "a trailing_stop order needs a positive trail, got None"),
        ({"type": "limits", "price": 10.0}, "unknown type 'limits'; did you mean 'limit'?"),
        ({"type": "limit", "price": 10.0, "trail": 1.0}, "trail goes with a trailing_stop order, got 1.0 with a limit order"),
        ({"post_only": True}, "post_only goes with a limit order"),
        ({"time_in_force": "goc"}, "unknown time_in_force 'goc'"),
        ({"time_in_force": "gtd"}, "time_in_force='gtd' and good_until go together"),
        ({"good_until": 5}, "time_in_force='gtd' and good_until go together"),
        ({"type": "stop", "price": 10.0, "time_in_force": "ioc"}, "ioc fills at once"),
        ({"type": "take_profit", "price": float("nan")}, "needs a positive price, got nan"),
        ({"then": "cros"}, "then must be 'cancel' or 'cross', got 'cros'; did you mean 'cross'?"),
        ({"bars": 1.5}, "bars must be a whole number, 0 for no end, got 1.5"),
        ({"bars": -1}, "bars must be a whole number, 0 for no end, got -1"),
        ({"stop_distance": -1.0}, "stop_distance must be a positive number, got -1.0"),
        ({"target_distance": float("nan")}, "target_distance must be a positive number, got nan"),
        ({"time_in_force": "gtd", "good_until": pd.Timestamp("2026-01-01")}, "good_until is a moment in nanoseconds since 1970"),
    ],
)
def test_an_order_that_no_venue_could_take_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OrderError, match="order for ABC: ") as refused:
        wb.Order(ABC, "buy", 1.0, **given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({}, {"market"}),
        ({"type": "limit", "price": 9.0, "post_only": True, "time_in_force": "day"}, {"limit", "post_only", "day"}),
        ({"type": "stop_limit", "price": 9.0, "limit_price": 9.5, "time_in_force": "gtd", "good_until": 7}, {"stop_limit", "gtd"}),
        ({"type": "trailing_stop", "trail": 0.5}, {"trailing_stop"}),
        ({"reduce_only": True}, {"market", "reduce_only"}),
        ({"reduce_only": True, "time_in_force": "ioc"}, {"market", "reduce_only", "ioc"}),
    ],
)
def test_an_order_says_what_it_needs_and_goes_over_the_wire(given: dict[str, Any], needs: set[str]) -> None:
    order = wb.Order(ABC, "buy", 1.0, key=OrderKey("ABC", 1, "open"), **given)
    assert order.needs == needs
    assert order_from(order_plain(order), {"ABC": ABC}) == order


# -- what waits for a price ------------------------------------------------------------------------------------------------


def test_a_stop_entry_fills_once_the_price_has_come_up_to_it() -> None:
    rising = (100, (100, 101.5, 99, 101), (101, 103, 100, 102), 103)
    assert entry("+...", *rising, kind="stop", price=102.0) == [(2, 100.0, 102.0)]
    assert entry("+...", *rising, kind="stop", price=102.0, costs=SLIPS) == [(2, 100.0, pytest.approx(103.02))]


def test_a_stop_entry_that_the_bar_opens_beyond_fills_at_the_open() -> None:
    assert entry("+..", 100, (104, 105, 103, 104), 104, kind="stop", price=102.0) == [(1, 100.0, 104.0)]


def test_a_stop_entry_of_a_short_position_lies_below() -> None:
    assert entry("-..", 100, (100, 101, 97, 98), 98, kind="stop", price=98.0) == [(1, -100.0, 98.0)]


def test_a_stop_entry_whose_bars_are_over_is_let_go() -> None:
    result = run("+...", 100, 100, 100, 103, kind="stop", price=102.0, bars=2)
    assert fills(result) == []
    assert result.orders["status"].tolist() == ["lapsed"]


def test_a_stop_entry_may_be_stopped_out_in_its_bar_and_not_reach_its_target() -> None:
    bars = (100, (100, 110, 95, 100), 100)
    result = run("+..", *bars, kind="stop", price=102.0, exits=[Stop(3.0), Target(5.0)])
    assert [(leg, price) for _, leg, _, price in fills(result)] == [("open", 102.0), ("stop", 99.0)]
    later = run("+..", 100, (100, 110, 100, 105), 108, kind="stop", price=102.0, exits=[Stop(3.0), Target(5.0)])
    assert [(hour, leg) for hour, leg, _, _ in fills(later)] == [(1, "open"), (2, "target")]


def test_a_stop_limit_pays_no_more_than_its_limit() -> None:
    how = {"kind": "stop_limit", "price": 102.0, "limit_price": 102.5}
    rising = (100, (101, 103, 100, 103), 103)
    assert entry("+..", *rising, **how) == [(1, 100.0, 102.0)]
    assert entry("+..", *rising, costs=SLIPS, **how) == []  # 103.02 at market is more: it rests at 102.5 from then on
    assert entry("+...", *rising, (103, 103, 102, 103), costs=SLIPS, **how) == [(3, 100.0, 102.5)]


def test_a_stop_limit_that_is_gapped_over_rests_at_its_limit() -> None:
    how = {"kind": "stop_limit", "price": 102.0, "limit_price": 102.5}
    assert entry("+...", 100, (104, 105, 103, 104), (104, 104, 102, 103), 103, **how) == [(2, 100.0, 102.5)]
    assert entry("+..", 100, (104, 105, 101, 104), 104, **how) == [(1, 100.0, 102.5)]
    assert entry("+..", 100, (104, 105, 102.5, 104), 104, **how) == []  # touched is not traded through
    assert entry("+..", 100, (102.5, 104, 102.5, 104), 104, **how) == []  # nor is an open at the limit


def test_a_stop_limit_below_its_stop_waits_for_the_next_bar() -> None:
    how = {"kind": "stop_limit", "price": 102.0, "limit_price": 101.0}
    assert entry("+...", 100, (100, 103, 100, 103), (103, 103, 100.5, 101), 101, **how) == [(2, 100.0, 101.0)]
    assert entry("+...", 100, (100, 103, 100, 103), (100.5, 101, 100.2, 101), 101, **how) == [(2, 100.0, 100.5)]  # it stays set off


def test_a_take_profit_goes_to_market_once_the_price_has_come_down_to_it() -> None:
    falling = (100, (100, 101, 98, 99), 99)
    assert entry("+..", *falling, kind="take_profit", price=98.0, costs=SLIPS) == [(1, 100.0, pytest.approx(98.98))]
    assert entry("+..", 100, (97, 99, 97, 98), 98, kind="take_profit", price=98.0) == [(1, 100.0, 97.0)]
    assert entry("+..", 100, (100, 103, 99, 99), 99, kind="take_profit", price=98.0) == []


def test_a_trailing_stop_follows_the_price_from_the_next_bar_on() -> None:
    falling = (100, (100, 101, 96, 97), (97, 98.5, 97, 98), 98)
    assert entry("+...", *falling, kind="trailing_stop", trail=2.0) == [(2, 100.0, 98.0)]  # 102 at first, 98 after the low of 96
    assert entry("+...", 100, (100, 102, 96, 97), 97, 97, kind="trailing_stop", trail=2.0) == [(1, 100.0, 102.0)]


# -- how long an order works -------------------------------------------------------------------------------------------------


def test_a_day_order_ends_with_the_day_of_its_first_bar() -> None:
    prices = [100.0] * 30
    prices[26] = 98.0
    words = "....................+........."
    assert statuses(words, prices, kind="limit", price=99.0, time_in_force="day") == ["lapsed"]
    assert statuses(words, prices, kind="limit", price=99.0) == ["filled"]
    late = "......................." + "+......"  # decided at the last close of the day: its day is the next one
    assert statuses(late, prices, kind="limit", price=99.0, time_in_force="day") == ["filled"]


def statuses(words: str, prices: Any, **how: Any) -> list[str]:
    return run(words, *prices, **how).orders["status"].tolist()


def test_an_order_that_is_good_until_a_moment_is_gone_at_it() -> None:
    labels = market([100.0] * 6).labels
    prices = [100.0, 100.0, 100.0, 100.0, (98.0,) * 4, 98.0]
    how = {"kind": "limit", "price": 99.0, "time_in_force": "gtd"}
    assert statuses("+.....", prices, good_until=int(labels[4]), **how) == ["lapsed"]
    assert statuses("+.....", prices, good_until=int(labels[5]), **how) == ["filled"]


def test_an_order_that_is_over_within_a_bar_fills_at_its_open_alone() -> None:
    labels = market([100.0] * 6).labels
    half = int(labels[3]) + 30 * 60 * 10**9
    how = {"kind": "limit", "price": 99.0, "time_in_force": "gtd", "good_until": half}
    inside = [100.0, 100.0, 100.0, (100.0, 101.0, 98.0, 99.0), 98.0, 98.0]
    assert statuses("+.....", inside, **how) == ["lapsed"]
    opens = [100.0, 100.0, 100.0, (98.0, 101.0, 98.0, 99.0), 98.0, 98.0]
    assert entry("+.....", *opens, **how) == [(3, 100.0, 98.0)]


@pytest.mark.parametrize("how", [{"post_only": True}, {"time_in_force": "ioc"}, {"time_in_force": "day"}, {"bars": 2}])
def test_whatever_form_a_limit_had_it_crosses_at_market(how: dict[str, Any]) -> None:
    strategy = plan("." * 20 + "+" + "." * 39, quantity=1.0, execution=Limit(0.05, then="cross", **how))
    fed = Fed(strategy, market([100.0] * 60), 1, cash=100_000.0).run()
    assert [leg for _, leg, _, _ in fed.fills] == ["open"]
    assert fed.differences().empty
    again, _ = fed.again()
    assert state_of(again) == state_of(fed.session)


def test_at_once_takes_what_there_is_and_all_or_nothing_nothing() -> None:
    prices = [100.0] * 5
    assert entry("+....", *prices, costs=HALF, time_in_force="ioc") == [(1, 40.0, 100.0)]
    assert entry("+....", *prices, costs=HALF, time_in_force="fok") == []
    assert entry("+....", *prices, costs=FREE, time_in_force="fok") == [(1, 100.0, 100.0)]
    resting = {"kind": "limit", "price": 99.0, "time_in_force": "ioc"}
    assert entry("+....", 100, (100, 101, 97, 98), 98, 98, 98, **resting) == []
    assert entry("+....", 100, (98, 101, 97, 98), 98, 98, 98, **resting) == [(1, 100.0, 98.0)]


def test_a_limit_that_may_not_take_is_refused_where_it_would() -> None:
    how = {"kind": "limit", "price": 99.0, "post_only": True}
    assert statuses("+...", [100, (98, 99, 97, 98), 98, 98], **how) == ["rejected"]
    assert entry("+...", 100, (100, 101, 98, 99), 99, 99, **how) == [(1, 100.0, 99.0)]
    assert entry("+...", 100, 100, (98, 99, 97, 98), 98, **how) == [(2, 100.0, 98.0)]  # it rested: the market came to it


# -- what the market has for them -----------------------------------------------------------------------------------------------


def test_a_limit_that_rested_pays_the_makers_fee() -> None:
    costs = Costs(commission=0.01, maker=0.002, slippage=0.0)
    rested = run("+..0..", 100, (100, 101, 98, 99), 99, 99, 99, 99, kind="limit", price=99.0, costs=costs)
    assert rested.fills["fee"].tolist() == [pytest.approx(100 * 99 * 0.002), pytest.approx(100 * 99 * 0.01)]
    gapped = run("+...", 100, 100, (98, 99, 97, 98), 98, kind="limit", price=99.0, costs=costs)  # it was there before the bar opened
    assert gapped.fills["fee"].tolist() == [pytest.approx(100 * 98 * 0.002)]
    takes = run("+...", 100, (98, 99, 97, 98), 98, 98, kind="limit", price=99.0, costs=costs)
    assert takes.fills["fee"].tolist() == [pytest.approx(100 * 98 * 0.01)]
    rebate = run(
        "+...", 100, (100, 101, 98, 99), 99, 99, kind="limit", price=99.0, costs=Costs(commission=0.01, maker=-0.001, slippage=0.0)
    )
    assert rebate.fills["fee"].tolist() == [pytest.approx(-100 * 99 * 0.001)]


def test_a_target_is_a_makers_fill() -> None:
    result = run(
        "+...", 100, 100, (100, 106, 99, 105), 105, exits=[Stop(9.0), Target(5.0)], costs=Costs(commission=0.01, maker=0.0, slippage=0.0)
    )
    assert result.fills["leg"].tolist() == ["open", "target"]
    assert result.fills["fee"].tolist() == [pytest.approx(100.0), 0.0]
    gapped = run("+...", 100, 100, (106, 107, 105, 106), 106, exits=[Target(5.0)], costs=Costs(commission=0.01, maker=0.0, slippage=0.0))
    assert gapped.fills[["price", "fee"]].to_numpy().tolist() == [[100.0, pytest.approx(100.0)], [106.0, 0.0]]


def test_a_limit_waits_for_its_turn() -> None:
    queued = Costs(commission=0.0, slippage=0.0, queue=0.5)  # of a usual bar's 400: 200 stand before it
    falling = (100, 100, (100, 102, 98, 99), (99, 101, 97, 99), (99, 103, 95, 99), 99)  # a quarter, a half, a half of 400 below 99
    how = {"kind": "limit", "price": 99.0, "costs": queued}
    assert entry(".+....", *falling, **how) == [(3, 100.0, 99.0)]
    assert entry(".+....", *falling[:3], (99, 101, 98.2, 99), 100, 100, **how) == [(3, 14.0, 99.0)]


def test_the_spread_of_the_bars_is_paid_at_market() -> None:
    bars = market([100.0, 101.0, 102.0, 103.0, 104.0])
    spread = pd.Series([0.1, 0.2, 0.4, 0.6, 0.8], bars.index)
    known = bars.with_extra("spread", spread, known_at="1h")  # each at the close of its bar
    costs = Costs(commission=0.0, quoted=1.0)
    result = wb.backtest(plan("+.0..", quantity=1.0), known, cash=100_000, costs=costs)
    assert result.fills["price"].tolist() == [pytest.approx(101.05), pytest.approx(103 - 0.2)]
    twice = wb.backtest(plan("+.0..", quantity=1.0), known, cash=100_000, costs=costs.times(2.0, known.instruments[0]))
    assert twice.fills["price"].tolist() == [pytest.approx(101.1), pytest.approx(103 - 0.4)]
    fed = Fed(plan(".+.0.", quantity=1.0), known, 1, cash=100_000.0, costs=costs).run()  # its venue sees them, the session need not
    assert [price for _, _, _, price in fed.fills] == [pytest.approx(102.1), pytest.approx(104 - 0.3)]
    unknown = wb.backtest(plan("+.0..", quantity=1.0), bars, cash=100_000, costs=costs)
    assert unknown.fills["price"].tolist() == [pytest.approx(101 * 1.0005), pytest.approx(103 * 0.9995)]  # the usual slippage


def test_an_order_meets_the_first_bar_that_opens_after_it_arrived() -> None:
    prices = [100, 101, 102, 103, 104]
    slow = Costs(commission=0.0, slippage=0.0, latency=0.25)
    assert entry("+....", *prices, costs=slow) == [(2, 100.0, 102.0)]
    assert entry("+....", *prices, costs=replace_latency(slow, 3_600.0)) == [(2, 100.0, 102.0)]
    assert entry("+....", *prices, costs=replace_latency(slow, 3_601.0)) == [(3, 100.0, 103.0)]
    daily = market([100.0, 101.0, 102.0], interval="1D")  # there long before the next session
    assert wb.backtest(plan("+.."), daily, cash=1e5, costs=slow).fills["price"].tolist() == [101.0]
    closed = fills(run("+..0....", *prices, 105, 106, 107, costs=slow))
    assert closed[1] == (5, "close", -100.0, 105.0)


def replace_latency(costs: Costs, seconds: float) -> Costs:
    return Costs(**{**costs.to_dict(), "latency": seconds})


@pytest.mark.parametrize("given", [{"queue": -0.1}, {"latency": float("inf")}, {"maker": 1.0}])
def test_costs_that_are_none_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=f"Costs: {next(iter(given))}"):
        Costs(**given)


def test_costs_say_all_of_it() -> None:
    said = Costs(commission=0.001, maker=0.0002, queue=0.1, latency=0.5).describe(ABC)
    assert "2 bp where a limit rested" in said
    assert "a limit stands behind 0.1 of a usual bar's volume" in said
    assert "an order is 0.5 s on its way" in said


# -- the shipped algorithms, and what a venue takes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "execution",
    [
        StopEntry(0.001, bars=2),
        StopEntry(0.001, bars=2, limit=0.005),
        Limit(0.001, time_in_force="day"),
        Limit(0.001, time_in_force="ioc", then="cross"),
        Limit(0.001, bars=3, post_only=True),
        Sends(kind="trailing_stop", trail=0.2, bars=4),
    ],
)
def test_live_is_the_backtest_and_lives_again(execution: ExecutionAlgorithm) -> None:
    bars = wb.simulate([SHARE, wb.Instrument("XYZ")], bars=150, interval="1h", seed=4, missing=0.05)
    volume = float(bars.volume.median().min())
    costs = Costs(commission=0.001, maker=0.0, slippage=0.001, participation=0.05, queue=0.02)
    sizer, exits = wb.sizing.FixedQuantity(max(round(volume * 0.08), 2)), [wb.exits.AtrStop(5, 1.0), wb.exits.TakeProfit(2.0)]
    strategy = wb.Strategy(wb.signals.MovingAverageCross(2, 6), sizer, exits, execution=execution)
    fed = Fed(strategy, bars, 20, cash=1e9, costs=costs).run()
    assert fed.differences().empty
    assert len({fill.key for fill in fed.venue.executions()}) > 10
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty


def test_a_stop_entry_goes_beyond_the_close() -> None:
    result = run("+...", 100, (100, 100.5, 99, 100), (100, 102, 100, 101), 101, execution=StopEntry(0.01, bars=2))
    assert fills(result) == [(2, "open", 100.0, 101.0)]
    short = run("-...", 100, (100, 100.5, 98.5, 99), 99, 99, execution=StopEntry(0.01))
    assert fills(short) == [(1, "open", -100.0, 99.0)]


def planned(algorithm: ExecutionAlgorithm, close: float, side: str = "buy", **instrument: Any) -> list[wb.Order]:
    """Return what an algorithm makes of an order for 1 at a close."""
    traded = wb.Instrument("ABC", **instrument)
    return algorithm.plan(wb.Order(traded, side, 1.0), Market(0, traded, {"ABC": traded}, {"ABC": close}, {"ABC": 1.0}, {"ABC": 0.0}, {}))


def test_prices_lie_on_their_side_of_the_close_and_above_zero() -> None:
    (bought,), (sold,) = (planned(StopEntry(0.01, limit=0.02), 100.0, side, tick_size=0.01) for side in ("buy", "sell"))
    assert (bought.price, bought.limit_price) == (101.0, 103.0)
    assert (sold.price, sold.limit_price) == (99.0, 97.0)
    assert planned(Limit(0.5), 0.5, tick_size=1.0) == []
    assert planned(StopEntry(0.5), 0.5, "sell", tick_size=1.0) == []
    assert planned(StopEntry(0.0, limit=0.9), 1.0, "sell", tick_size=1.0) == []
    (resting,) = planned(Limit(0.01, post_only=True, time_in_force="day"), 100.0)
    assert (resting.price, resting.post_only, resting.time_in_force) == (99.0, True, "day")


def test_an_algorithm_sends_what_it_says_it_sends() -> None:
    class Quiet(Sends):
        sends: ClassVar[frozenset[str]] = frozenset({"market"})

    said = r"Quiet\.plan gave an order that asks for stop, and .*: sends = frozenset\(\{'market', 'stop'\}\) does"
    with pytest.raises(StrategyError, match=said):
        run("+..", 100, 100, 100, execution=Quiet(kind="stop", price=101.0))


def test_a_venue_that_takes_less_is_said_at_the_start() -> None:
    class Simple(PaperVenue):
        supports = frozenset({"market", "limit", "stop", "reduce_only", "amend"})

    strategy = plan("+..", execution=Limit(post_only=True, time_in_force="day"))
    with pytest.raises(StrategyError, match=r"cannot do what the strategy asks for: .*post.only.*\(Limit\)"):
        wb.Session(strategy, data=wb.ReplayAdapter(market([100.0] * 3)), execution=Simple())


@pytest.mark.parametrize("given", [{"bars": 0}, {"offset": 1.0}, {"limit": -0.1}])
def test_a_stop_entry_that_is_none_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="StopEntry: "):
        StopEntry(**given)


def test_to_rest_and_not_to_rest_is_refused() -> None:
    with pytest.raises(ParameterError, match="post_only rests and 'ioc' does not"):
        Limit(post_only=True, time_in_force="ioc")
