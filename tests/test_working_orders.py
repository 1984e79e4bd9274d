"""Openings that are worked over several bars: slices, shown parts, quotes that follow the price (SEMANTICS 17, 21, 27 and 38)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from filled import fills
from paper_worlds import Fed, state_of
from worked import FREE, SHARE, Stop, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.execution import Costs, Iceberg, LimitChase, Sliced, Twap, Vwap, WorkingAlgorithm, volume_profile
from workbench.research.comparing import compare
from workbench.research.running import run_session
from workbench.session.standing import standing

ALGORITHMS = {
    "twap": Twap(4),
    "vwap": Vwap(4, profile={"01:00": 300.0, "02:00": 100.0}),
    "chase": LimitChase(0.01, 4),
    "chase, let go": LimitChase(0.01, 4, "cancel"),
    "iceberg": Iceberg(0.3, 0.0003, 6),
    "iceberg, let go": Iceberg(0.3, 0.0003, 6, "cancel"),
}


def ran(words: str, *prices: Any, quantity: float = 100.0, costs: Any = FREE, **parts: Any) -> wb.Backtest:
    """Run a plan; two sessions are equal."""
    bars = market(list(prices))
    result = wb.backtest(plan(words, quantity=quantity, **parts), bars, cash=1_000_000, costs=costs)
    assert compare(result.record, run_session(result.setup), bars).empty
    assert float(result.trades["profit"].sum()) == pytest.approx(result.equity.iloc[-1] - 1_000_000)
    return result


# -- slices -----------------------------------------------------------------------------------------------------------


def test_twap_sends_equal_slices_that_sum_to_the_order() -> None:
    result = ran("+......", 100, 101, 102, 103, 104, 105, 105, quantity=10, execution=Twap(4))
    assert fills(result) == [(1, "open", 2.0, 101.0), (2, "open", 3.0, 102.0), (3, "open", 2.0, 103.0), (4, "open", 3.0, 104.0)]
    assert result.orders["status"].tolist() == ["filled"] * 4
    assert result.decisions["opened"].tolist() == [10.0]
    assert result.trades["quantity"].tolist() == [10.0]


def test_vwap_sends_what_is_usually_traded() -> None:
    profile = {"01:00": 300.0, "02:00": 100.0, "03:00": 200.0, "04:00": 200.0}
    result = ran("+......", *[100.0] * 7, quantity=80, execution=Vwap(4, profile=profile))
    assert [quantity for _, _, quantity, _ in fills(result)] == [30.0, 10.0, 20.0, 20.0]


def test_a_profile_is_the_mean_volume_by_time_of_the_day() -> None:
    bars = market([(1, 1, 1, 1, float(10 + k)) for k in range(48)])
    profile = volume_profile(bars)
    assert (profile["00:00"], profile["23:00"], len(profile)) == (22.0, 45.0, 24)
    with pytest.raises(ParameterError, match="no bars of 'ABD'; did you mean 'ABC'"):
        volume_profile(bars, "ABD")


def test_a_slice_that_is_too_small_waits_for_the_next() -> None:
    least = wb.Instrument("ABC", min_quantity=4)
    bars = market([100.0] * 7, least)
    result = wb.backtest(plan("+......", quantity=10, execution=Twap(5)), bars, costs=FREE)
    assert fills(result) == [(2, "open", 4.0, 100.0), (4, "open", 6.0, 100.0)]  # 2 would be left, which nobody takes


def test_what_did_not_fill_of_a_slice_is_in_the_next() -> None:
    costs = Costs(commission=0.0, slippage=0.0, participation=0.1)
    prices = [(100, 100, 100, 100, volume) for volume in (400.0, 100.0, 1_000.0, 400.0, 400.0, 400.0)]
    result = ran("+.....", *prices, quantity=80, costs=costs, execution=Twap(4))
    assert [(row, quantity) for row, _, quantity, _ in fills(result)] == [(1, 10.0), (2, 30.0), (3, 20.0), (4, 20.0)]
    assert result.orders["status"].tolist() == ["cancelled", "filled", "filled", "filled"]


# -- limits -----------------------------------------------------------------------------------------------------------


def test_a_chase_quotes_nearer_at_each_close_and_crosses_at_the_end() -> None:
    result = ran("+......", *[100.0] * 7, execution=LimitChase(0.03, 4))
    assert [price == price for price in result.orders["price"]] == [True, True, True, False]
    assert result.orders["price"].tolist()[:3] == [97.0, 98.0, 99.0]
    assert fills(result) == [(4, "open", 100.0, 100.0)]


def test_a_chase_fills_where_the_price_comes_to_it() -> None:
    result = ran("+......", 100, 100, (100, 100, 97.5, 100), 100, 100, 100, 100, execution=LimitChase(0.03, 4))
    assert fills(result) == [(2, "open", 100.0, 98.0)]
    assert result.orders["status"].tolist() == ["cancelled", "filled"]


def test_a_chase_may_let_go() -> None:
    result = ran("+......", *[100.0] * 7, execution=LimitChase(0.03, 4, "cancel"))
    assert result.fills.empty
    assert result.orders["status"].tolist() == ["cancelled"] * 3 + ["lapsed"]


def test_an_iceberg_shows_a_part_after_the_other_at_one_price() -> None:
    low = (100, 103, 98, 103)
    result = ran("+.......", 100, low, 100, low, low, 100, 100, 100, quantity=10, execution=Iceberg(0.4, 0.01, 6))
    assert fills(result) == [(1, "open", 4.0, 99.0), (3, "open", 4.0, 99.0), (4, "open", 2.0, 99.0)]
    assert result.orders["price"].tolist() == [99.0] * 3  # each part is one order, wherever the price has gone on to


def test_what_an_iceberg_shows_is_not_below_what_a_venue_takes() -> None:
    bars = market([100.0, *[(100, 100, 98, 100)] * 6], wb.Instrument("ABC", min_quantity=4))
    result = wb.backtest(plan("+......", quantity=10, execution=Iceberg(0.2, 0.01, 6)), bars, costs=FREE)
    assert fills(result) == [(1, "open", 4.0, 99.0), (2, "open", 6.0, 99.0)]


def test_what_an_iceberg_has_left_crosses() -> None:
    result = ran("+.......", 100, (100, 100, 98, 100), *[100.0] * 6, quantity=10, execution=Iceberg(0.4, 0.01, 3))
    assert fills(result) == [(1, "open", 4.0, 99.0), (3, "open", 6.0, 100.0)]


# -- what ends it -----------------------------------------------------------------------------------------------------


def test_no_slice_is_sent_once_the_stance_has_turned() -> None:
    result = ran("+.0....", *[100.0] * 7, quantity=40, execution=Twap(4))
    assert fills(result) == [(1, "open", 10.0, 100.0), (2, "open", 10.0, 100.0), (3, "close", -20.0, 100.0)]


def test_no_slice_is_sent_once_the_stop_was_hit() -> None:
    result = ran("+......", 100, 100, (100, 100, 90, 100), *[100.0] * 4, quantity=40, execution=Twap(4), exits=[Stop(5.0)])
    assert fills(result) == [(1, "open", 10.0, 100.0), (2, "open", 10.0, 100.0), (2, "stop", -20.0, 95.0)]


def test_all_of_it_counts_against_the_limits_from_the_decision_on() -> None:
    other = wb.Instrument("XYZ")
    bars = market({SHARE: [100.0] * 6, other: [100.0] * 6})
    strategy = plan("+.....", ".+....", quantity=100, risk=[wb.risk.MaxLeverage(1.5)], execution=Twap(4))
    result = wb.backtest(strategy, bars, cash=10_000, costs=FREE, buying_power=False)
    assert result.decisions["opened"].tolist() == [100.0, 50.0]


def test_exits_stand_at_their_distance_from_the_average() -> None:
    result = ran("+.....", 100, 100, 110, 110, 110, 110, quantity=40, execution=Twap(2), exits=[Stop(5.0)])
    assert result.orders[result.orders["leg"] == "stop"]["price"].tolist() == [100.0]


@pytest.mark.parametrize(("verb", "after"), [("pause", []), ("kill", []), ("reduce", []), ("flatten", [])])
def test_slices_stop_at_once(verb: str, after: list[int]) -> None:
    fed = Fed(plan(".+........", quantity=40, execution=Twap(4)), market([100.0] * 10), cash=100_000.0)
    fed.run(2)
    fed.order(verb)
    before = [entry.key.child for entry in fed.journal.entries("intent") if entry.key.leg == "open"]
    fed.run(3)
    sent = [entry.key.child for entry in fed.journal.entries("intent") if entry.key.leg == "open"]
    assert (before, sent[len(before) :]) == ([0, 1], after)
    assert state_of(fed.again()[0]) == state_of(fed.session)


@pytest.mark.parametrize("verb", ["pause", "kill", "reduce", "flatten"])
def test_a_quote_that_is_out_is_taken_off_at_once(verb: str) -> None:
    fed = Fed(plan(".+........", quantity=40, execution=LimitChase(0.02, 3)), market([100.0] * 10), cash=100_000.0).run(2)
    assert len(fed.line.open_orders()) == 1
    fed.order(verb)
    assert fed.line.open_orders() == []


def test_a_slice_that_the_venue_refuses_is_the_last() -> None:
    fed = Fed(plan(".+........", quantity=40, execution=Twap(4)), market([100.0] * 10), cash=100_000.0)
    submit = fed.line.submit

    def refuses_the_second(order: wb.Order) -> bool:
        if order.key is not None and order.key.child == 1:
            raise wb.errors.OrderError("too many orders")
        return submit(order)

    fed.line.submit = refuses_the_second  # type: ignore[method-assign]
    fed.run()
    assert [quantity for _, _, quantity, _ in fed.fills] == [10.0]
    assert [entry.key.child for entry in fed.journal.entries("intent")] == [0, 1]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_slices_go_on_after_a_pause() -> None:
    fed = Fed(plan(".+........", quantity=40, execution=Twap(4)), market([100.0] * 10), cash=100_000.0).run(2)
    fed.order("pause")
    fed.run(2)
    fed.order("resume")
    fed.run()
    assert [quantity for _, _, quantity, _ in fed.fills] == [10.0, 10.0, 10.0, 10.0]


# -- of one's own -----------------------------------------------------------------------------------------------------


class InHalves(WorkingAlgorithm):
    """Half of what is left at each of three closes, all of it at the last."""

    closes = 3

    def work(self, parent: wb.Order, market: Any, progress: Any) -> list[wb.Order]:
        return [parent if progress.closes == 2 else replace(parent, quantity=parent.quantity / 2)]


class FrontLoaded(Sliced):
    """Most of it first."""

    def due(self, progress: Any) -> float:
        return 1 - 0.5 ** (progress.closes + 1)


@pytest.mark.parametrize(("algorithm", "slices"), [(InHalves(), [20.0, 10.0, 10.0]), (FrontLoaded(3), [20.0, 10.0, 10.0])])
def test_an_algorithm_of_ones_own_is_worked_too(algorithm: Any, slices: list[float]) -> None:
    result = ran("+......", *[100.0] * 7, quantity=40, execution=algorithm)
    assert [quantity for _, _, quantity, _ in fills(result)] == slices


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize("seed", range(2))
def test_a_live_session_does_what_the_backtest_does_and_lives_again(name: str, seed: int) -> None:
    bars = wb.simulate([SHARE, wb.Instrument("XYZ")], bars=140, interval="1h", seed=seed, missing=0.05)
    typical = float(bars.volume.median().min())
    strategy = wb.Strategy(
        wb.signals.MovingAverageCross(2, 6),
        wb.sizing.FixedQuantity(max(round(typical * 0.1), 20)),
        [wb.exits.AtrStop(5, 1.5), wb.exits.TakeProfit(2.0), wb.exits.TimeStop(9)],
        execution=ALGORITHMS[name],
    )
    fed = Fed(strategy, bars, 20, cash=1e9, costs=Costs(participation=0.05, impact=0.5)).run()
    assert fed.differences().empty
    assert len(fed.venue.executions()) > 20
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty
    assert fed.venue.account().cash == fed.session.portfolio.cash
    mine = {symbol: lots for symbol, lots in zip(bars.symbols, fed.session.portfolio.lots, strict=True) if lots}
    assert mine == fed.line.positions()


def test_numbers_that_make_no_algorithm_are_refused() -> None:
    for make, said in (
        (lambda: Twap(0), "Twap: bars must be at least 1, got 0"),
        (lambda: Vwap(3, profile={}), "profile has volumes by time of the day"),
        (lambda: LimitChase(1.5), "offset is a share of the close"),
        (lambda: LimitChase(bars=1), "bars must be at least 2"),
        (lambda: Iceberg(0.0), "shown is a share of the order"),
        (lambda: Iceberg(bars=1), "bars must be at least 2"),
    ):
        with pytest.raises(ParameterError, match=said):
            make()


def test_parent_and_children_are_one_line_of_how_a_run_stands() -> None:
    fed = Fed(plan(".+........", quantity=40, execution=Twap(4)), market([100.0] * 10), cash=100_000.0).run(2)
    (told,) = standing(fed.session)["working"]
    assert {name: told[name] for name in ("quantity", "filled", "state", "type", "leg")} == {
        "quantity": 30.0, "filled": 10.0, "state": "working", "type": "market", "leg": "open",
    }  # fmt: skip
    fed.run()
    assert standing(fed.session)["working"] == []


def test_an_order_that_fills_in_parts_says_how_much() -> None:
    prices = [(100, 100, 100, 100, 400.0)] * 6
    fed = Fed(plan(".+....", quantity=100), market(prices), cash=100_000.0, costs=Costs(participation=0.1)).run(2)
    (told,) = standing(fed.session)["working"]
    assert (told["quantity"], told["filled"], told["state"]) == (60.0, 40.0, "partial")


# -- what a reading by fresh eyes found -------------------------------------------------------------------------------


def test_a_rebalance_waits_until_an_opening_is_done() -> None:
    result = ran("+........", *[100.0] * 9, quantity=40, execution=Twap(4), rebalance="1h")
    assert [quantity for _, leg, quantity, _ in fills(result)] == [10.0] * 4


def test_a_halt_between_two_slices_is_written_down_and_lives_again() -> None:
    fed = Fed(plan(".+........", quantity=40, execution=Twap(4)), market([100.0] * 10), cash=100_000.0).run(1)
    assert fed.exchange.advance()
    fed.listen()
    fed.session.mode = "HALTED"
    assert fed.session.states[0].work is not None
    fed.session.take_off()
    assert len(list(fed.journal.entries("taken off"))) == 1
    fed.session.take_off()
    assert len(list(fed.journal.entries("taken off"))) == 1
    assert fed.session.states[0].work is None


def test_a_cancellation_that_got_lost_is_tried_again_at_the_next_close() -> None:
    fed = Fed(plan(".+........", quantity=40, execution=LimitChase(0.02, 3)), market([100.0] * 10), cash=100_000.0).run(2)
    fed.line.cut = lambda asked: not isinstance(asked, wb.Order)
    fed.run(1)
    fed.line.cut = lambda asked: False
    fed.run()
    assert [(leg, quantity) for _, leg, quantity, _ in fed.fills] == [("open", 40.0)]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_nothing_of_an_opening_is_sent_once_the_account_is_worth_nothing() -> None:
    given = {SHARE: [100, 100, 100, 100, 100, 100, 100, 50, 50, 50, 50], wb.Instrument("XYZ"): [100.0] * 11}
    strategy = plan("+..........", ".....+.....", quantity=300, execution=Twap(4))
    result = wb.backtest(strategy, market(given), cash=10_000, costs=FREE, buying_power=False)
    assert [row for row, _, _, _ in fills(result) if row > 7] == []


def test_what_a_limit_reduces_is_worked_no_further() -> None:
    prices = [100, 100, 100, 130, 140, 140, 140, 140, 140, 140]
    limit = wb.risk.MaxLeverage(0.3, on_breach="reduce")
    result = ran("-.........", *prices, quantity=3_200, execution=Twap(8), risk=[limit])
    legs = [leg for _, leg, _, _ in fills(result)]
    assert "trim" in legs
    assert "open" not in legs[legs.index("trim") :]


def test_an_algorithm_that_is_asked_once_leaves_nothing_that_counts() -> None:
    class Half(WorkingAlgorithm):
        def work(self, parent: wb.Order, market: Any, progress: Any) -> list[wb.Order]:
            return [replace(parent, quantity=parent.quantity / 2)]

    other = wb.Instrument("XYZ")
    strategy = plan("+.....", "...+..", quantity=100, risk=[wb.risk.MaxLeverage(1.0)], execution=Half())
    result = wb.backtest(strategy, market({SHARE: [100.0] * 6, other: [100.0] * 6}), cash=15_000, costs=FREE, buying_power=False)
    assert result.decisions["opened"].tolist() == [100.0, 100.0]


def test_a_time_of_the_day_is_written_in_full() -> None:
    with pytest.raises(ParameterError, match="a time of the day is written '09:30', got '9:30'"):
        Vwap(4, profile={"9:30": 1.0})
