"""Orders that fill in parts, and move the price: by how much is traded (SEMANTICS 24, 25 and 27)."""

from __future__ import annotations

import math

import pytest
from filled import SHARES, VOLUME, bars_of, fills, ran
from paper_worlds import Fed, state_of
from worked import SHARE, Stop, Target, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.execution import Costs, Limit, StopEntry
from workbench.execution.liquidity import impact_of, usual
from workbench.research.comparing import compare


def test_an_opening_fills_by_its_share_of_each_bars_volume() -> None:
    result = ran("+.....", 100, 101, 102, 103, 103, 103)
    assert fills(result) == [(1, "open", 40.0, 101.0), (2, "open", 40.0, 102.0), (3, "open", 20.0, 103.0)]
    assert result.orders["status"].tolist() == ["filled"]
    assert result.orders["ended"].dt.hour.tolist() == [3]
    trade = result.trades.iloc[0]
    assert (trade["quantity"], trade["entry_price"]) == (100.0, pytest.approx(101.8))


def test_a_closing_fills_by_its_share_too() -> None:
    result = ran("+...0...", 100, 100, 100, 100, 100, 101, 102, 103)
    assert fills(result)[3:] == [(5, "close", -40.0, 101.0), (6, "close", -40.0, 102.0), (7, "close", -20.0, 103.0)]
    assert result.equity.iloc[-1] == 100_000 + 40 + 80 + 60
    assert len(result.trades) == 3  # each part of the way out


def test_a_flip_opens_once_what_was_held_is_closed() -> None:
    result = ran("+...-.......", *[100.0] * 12)
    signed = [(row, leg, quantity) for row, leg, quantity, _ in fills(result)[3:]]
    assert signed == [
        (5, "close", -40.0), (6, "close", -40.0), (7, "close", -20.0),
        (7, "open", -20.0), (8, "open", -40.0), (9, "open", -40.0),
    ]  # fmt: skip


def test_a_stance_that_turns_takes_off_what_has_not_filled() -> None:
    result = ran("+.0....", *[100.0] * 7)
    assert [(row, leg, quantity) for row, leg, quantity, _ in fills(result)] == [
        (1, "open", 40.0), (2, "open", 40.0), (3, "close", -40.0), (4, "close", -40.0),
    ]  # fmt: skip
    assert result.orders["status"].tolist() == ["cancelled", "filled"]


def test_exits_stand_for_what_has_filled_at_their_distance_from_the_average() -> None:
    # 40 at 100 and 40 at 104: the average is 102, and the stop moves up to 97
    result = ran("+.....", 100, 100, 104, (104, 104, 96, 104), 104, 104, exits=[Stop(5.0), Target(50.0)])
    stop = result.orders[result.orders["leg"] == "stop"].iloc[0]
    assert fills(result)[:2] == [(1, "open", 40.0, 100.0), (2, "open", 40.0, 104.0)]
    # in bar 3 the last 20 fill at 104: average 102.4, stop 97.4; it is reached, 20 are left of the bar, and the rest goes at the next opens
    assert fills(result)[2:] == [
        (3, "open", 20.0, 104.0),
        (3, "stop", -20.0, pytest.approx(97.4)),
        (4, "stop", -40.0, 104.0),
        (5, "stop", -40.0, 104.0),
    ]
    assert stop["price"] == pytest.approx(97.4)
    assert result.positions.iloc[-1].tolist() == [0.0]


def test_a_stop_that_filled_in_part_goes_on() -> None:
    result = ran("+.......", *[100.0] * 4, (100, 100, 90, 90), 90, 90, 90, exits=[Stop(5.0)])
    assert fills(result)[3:] == [(4, "stop", -40.0, 95.0), (5, "stop", -40.0, 90.0), (6, "stop", -20.0, 90.0)]
    assert result.orders["status"].tolist() == ["filled", "filled"]


def test_a_limit_keeps_what_it_got_when_its_bars_are_over() -> None:
    result = ran("+.....", 100, (100, 100, 98, 100), (100, 100, 98, 100), 100, 100, 100, execution=Limit(0.01, 2))
    assert fills(result) == [(1, "open", 40.0, 99.0), (2, "open", 40.0, 99.0)]
    assert result.orders["status"].tolist() == ["lapsed"]
    assert result.positions.iloc[-1].tolist() == [80.0]


def test_what_is_left_of_an_opening_counts_in_full_against_the_limits() -> None:
    other = wb.Instrument("XYZ")
    given = {SHARE: [(100, 100, 100, 100, VOLUME)] * 6, other: [(100, 100, 100, 100, 1e9)] * 6}
    strategy = plan("+.....", "..+...", quantity=100, risk=[wb.risk.MaxLeverage(1.5)])
    result = wb.backtest(strategy, market(given), cash=10_000, costs=SHARES, buying_power=False)
    # 80 of the first have filled when the second is decided: all 100 of it count, 50 are left
    assert result.decisions["opened"].tolist() == [100.0, 50.0]


def test_a_bar_without_volume_has_no_room() -> None:
    bars = market([(100, 100, 100, 100, 400.0), (100, 100, 100, 100, 0.0), (101, 101, 101, 101, 2_000.0), (100, 100, 100, 100, 400.0)])
    result = wb.backtest(plan("+...", quantity=100), bars, costs=SHARES)
    assert fills(result) == [(2, "open", 100.0, 101.0)]


def test_a_stop_that_is_reached_where_there_is_no_room_goes_at_the_next_open() -> None:
    bars = [*[(100, 100, 100, 100, 400.0)] * 2, (100, 100, 94, 99, 0.0), *[(99, 99, 99, 99, 400.0)] * 2]
    result = wb.backtest(plan("+....", quantity=40, exits=[Stop(5.0)]), market(bars), costs=SHARES)
    assert fills(result) == [(1, "open", 40.0, 100.0), (3, "stop", -40.0, 99.0)]


def test_a_stop_in_the_bar_of_its_entry_has_what_the_entry_left() -> None:
    result = ran("+....", 100, (100, 100, 90, 90), 90, 90, 90, quantity=30, exits=[Stop(5.0)])
    assert fills(result) == [(1, "open", 30.0, 100.0), (1, "stop", -10.0, 95.0), (2, "stop", -20.0, 90.0)]


def test_two_strategies_share_what_a_bar_has() -> None:
    team = wb.Team({"one": plan("+...", quantity=60), "two": plan("+...", quantity=50)})
    result = wb.backtest(team, bars_of(100, 100, 100, 100), cash=100_000, costs=SHARES)
    assert [(row, quantity) for row, _, quantity, _ in fills(result)] == [(1, 40.0), (2, 20.0), (2, 20.0), (3, 30.0)]


def test_entries_share_what_a_bar_has() -> None:
    strategy = plan("++..", quantity=30, entries="each", max_entries=2)
    result = wb.backtest(strategy, bars_of(100, 100, 100, 100), cash=100_000, costs=SHARES)
    assert [(row, quantity) for row, _, quantity, _ in fills(result)] == [(1, 30.0), (2, 30.0)]
    both = wb.backtest(plan("++..", quantity=60, entries="each", max_entries=2), bars_of(*[100] * 4), cash=100_000, costs=SHARES)
    assert [(row, quantity) for row, _, quantity, _ in fills(both)] == [(1, 40.0), (2, 20.0), (2, 20.0), (3, 40.0)]


def test_a_stop_that_found_no_room_ends_what_was_still_to_come() -> None:
    result = ran("+......", 100, 100, (100, 100, 90, 90), *[90] * 4, exits=[Stop(5.0)])
    assert fills(result) == [(1, "open", 40.0, 100.0), (2, "open", 40.0, 100.0), (3, "stop", -40.0, 90.0), (4, "stop", -40.0, 90.0)]
    assert result.orders["status"].tolist() == ["cancelled", "filled"]
    assert result.orders["ended"].dt.hour.tolist() == [2, 4]


def test_a_target_that_was_reached_ends_what_was_still_to_come() -> None:
    low = (100, 100, 98.5, 100)
    result = ran("+.....", 100, low, (100, 103, 100, 102), low, low, 100, execution=Limit(0.01, 5), exits=[Target(2.0)])
    assert fills(result) == [(1, "open", 40.0, 99.0), (2, "target", -40.0, 101.0)]


def test_a_stop_that_has_moved_on_stays_where_it_is_when_another_part_comes() -> None:
    # 40 at 100; the high of 110 moves the stop to 105; 40 more at 110 are 105 on average, whose stop would be at 100
    bars = (100, (100, 110, 100, 110), (110, 110, 104, 106), 106, 106, 106)
    result = ran("+.....", *bars, exits=[wb.exits.TrailingStop(price=5.0)])
    assert fills(result)[2:] == [(3, "stop", -40.0, 106.0), (4, "stop", -40.0, 106.0)]


def test_a_stop_entry_that_flips_waits_for_what_is_closed_in_parts() -> None:
    rising, falling = (100, 101, 100, 100), (100, 100, 99, 100)
    result = ran("+...-.........", 100, rising, *[100.0] * 3, *[falling] * 9, execution=StopEntry(0.001, 9))
    assert "rejected" not in result.orders["status"].tolist()
    assert result.positions.iloc[-1].tolist()[0] < 0


# -- impact -----------------------------------------------------------------------------------------------------------


def test_an_order_moves_the_price_by_the_square_root_law() -> None:
    prices = [100.0, 102.0, 99.0, 101.0, 100.0, 100.0]
    result = ran("...+..", *prices, costs=Costs(commission=0.0, slippage=0.0, impact=0.8))
    returns = [0.02, 99 / 102 - 1, 101 / 99 - 1]
    mean = sum(returns) / 3
    volatility = math.sqrt(sum((one - mean) ** 2 for one in returns) / 2)
    assert usual(prices, [VOLUME] * 6, 4) == (pytest.approx(volatility), VOLUME)
    assert fills(result)[0][3] == pytest.approx(100.0 * (1 + 0.8 * volatility * math.sqrt(100 / 400)))


def test_smaller_orders_move_the_price_less() -> None:
    small, large = (impact_of(1.0, quantity, 0.02, 10_000) for quantity in (100.0, 400.0))
    assert large == 2 * small
    assert impact_of(1.0, 100, math.nan, 10_000) == impact_of(1.0, 100, 0.02, math.nan) == 0.0
    assert [value != value for value in usual([100.0], [math.nan], 1)] == [True, True]
    long, traded = [100.0 + k * k % 7 for k in range(60)], [float(k) for k in range(60)]
    assert usual(long, traded, 60) == usual(long[39:], traded[39:], 21)  # the last 20 bars, and the close before them


def test_limits_do_not_pay_for_their_weight() -> None:
    bars = [100, 101, 99, 101, 100, (100, 100, 98, 100), 100]
    result = ran("....+..", *bars, costs=Costs(commission=0.0, slippage=0.0, impact=0.8), execution=Limit(0.01, 1))
    assert fills(result)[0][3] == 99.0


# -- live -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_live_session_does_what_the_backtest_does_and_lives_again(seed: int) -> None:
    bars = wb.simulate([SHARE, wb.Instrument("XYZ")], bars=120, interval="1h", seed=seed, missing=0.05)
    typical = float(bars.volume.median().min())
    costs = Costs(participation=0.05, impact=0.5)
    strategy = wb.Strategy(
        wb.signals.MovingAverageCross(2, 6),
        wb.sizing.FixedQuantity(max(round(typical * 0.12), 2)),
        [wb.exits.AtrStop(5, 1.0), wb.exits.TakeProfit(2.0)],
    )
    fed = Fed(strategy, bars, 20, cash=1e9, costs=costs).run()
    assert fed.differences().empty
    orders = [fill.key for fill in fed.venue.executions()]
    assert len(orders) > len(set(orders)) > 10  # many of them in parts
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty
    assert fed.venue.account().cash == fed.session.portfolio.cash


def test_what_asks_for_volumes_is_refused_without_any() -> None:
    with pytest.raises(ParameterError, match=r"Costs\(participation=...\) needs volumes, and the bars of ABC have none"):
        wb.backtest(plan("+.."), market([100.0] * 3), costs=SHARES)
    with pytest.raises(ParameterError, match=r"Costs\(impact=...\) needs volumes"):
        wb.backtest(plan("+.."), market([100.0] * 3), costs=Costs(impact=1.0))
    for wrong in (0.0, 1.5):
        with pytest.raises(ParameterError, match="participation is a share of a bar's volume above 0 and at most 1"):
            Costs(participation=wrong)


def test_the_result_says_what_it_assumed() -> None:
    result = ran("+.....", *[100.0] * 6, costs=Costs(participation=0.1, impact=0.5))
    words = str(result.assumptions)
    assert "0.5 x volatility x sqrt(quantity / volume)" in words
    assert "orders fill at most 0.1 of a bar's volume" in words


def test_what_is_left_of_a_reached_stop_goes_at_market_though_the_price_recovers() -> None:
    result = ran("+.......", *[100.0] * 4, (100, 100, 94, 99), 99, 99, 99, exits=[Stop(5.0)])
    assert fills(result)[3:] == [(4, "stop", -40.0, 95.0), (5, "stop", -40.0, 99.0), (6, "stop", -20.0, 99.0)]


def test_a_trade_that_is_half_closed_at_the_end_is_two() -> None:
    result = ran("+....", (100, 100, 100, 100), 100, 100, 100, (100, 120, 90, 120), quantity=80, exits=[Stop(5.0)])
    assert result.trades["quantity"].tolist() == [40.0, 40.0]
    assert sorted(result.trades["exit"]) == ["open", "stop"]


def test_a_limit_that_flips_waits_for_what_is_closed_in_parts() -> None:
    up = (100, 102, 100, 100)
    result = ran("+...-.........", *[100.0] * 5, *[up] * 9, execution=Limit(0.0001, 9))
    assert "rejected" not in result.orders["status"].tolist()
    assert result.positions.iloc[-1].tolist()[0] < 0


def test_nothing_crosses_of_an_opening_whose_target_was_reached() -> None:
    bars = [(100, 100, 100, 100, 1e6), (100, 100, 98.5, 100, 400.0), (100, 103, 99.5, 102, 1e6), *[(102, 102, 102, 102, 1e6)] * 2]
    strategy = plan("+....", quantity=100, execution=Limit(0.01, 2, "cross"), exits=[Target(2.0)])
    result = wb.backtest(strategy, market(bars), cash=100_000, costs=SHARES)
    assert [(leg, quantity) for _, leg, quantity, _ in fills(result)] == [("open", 40.0), ("target", -40.0)]
