"""SEMANTICS 23-27: fills and exits within a bar. Numbers are worked by hand."""

from __future__ import annotations

import pytest
from worked import CONTRACT, OTHER, SHARE, Stop, Target, both, ends, fills, market, opened, plan, reasons

import workbench as wb
from workbench.execution import Costs, Limit

SLIP = Costs(commission=0.0, slippage=0.01)
FRIDAY = "2024-01-05"
SIDES = [("+", 1.0), ("-", -1.0)]


def mirrored(row: tuple[float, float, float, float], sign: float) -> tuple[float, ...]:
    """Turn a bar around 100: what rises for a long falls for a short."""
    first, high, low, last = (100 + sign * (p - 100) for p in row)
    return (first, max(high, low), min(high, low), last)


# -- 23: the open -----------------------------------------------------------------------------------------------------


def test_rule_23_market_orders_fill_at_the_open_moved_against_us():
    # buys at 200 x 1.01, sells at 300 x 0.99
    result = both(plan("+.0."), market([100, (200, 250, 150, 200), 100, (300, 300, 300, 300)]), costs=SLIP)
    assert fills(result) == [(1, "open", 1.0, 202.0), (3, "close", -1.0, 297.0)]


def test_rule_23_a_short_sells_lower_and_buys_higher():
    result = both(plan("-.0."), market([100, 200, 100, 300]), costs=SLIP)
    assert fills(result) == [(1, "open", -1.0, 198.0), (3, "close", 1.0, 303.0)]


@pytest.mark.parametrize(("stance", "sign"), SIDES, ids=["long", "short"])
@pytest.mark.parametrize(
    ("row", "leg", "price"),
    [
        ((100, 104, 96, 100), None, None),
        ((100, 104, 95, 100), "stop", 95.0),  # touched
        ((100, 104, 90, 91), "stop", 95.0),
        ((95, 96, 94, 95), "stop", 95.0),  # opens on it
        ((92, 94, 90, 93), "stop", 92.0),  # gapped through: at the open
        ((92, 107, 90, 100), "stop", 92.0),
        ((100, 106, 100, 101), None, None),  # the target is touched, not traded through
        ((100, 107, 100, 101), "target", 106.0),
        ((106, 106, 106, 106), None, None),  # opens on it
        ((106, 107, 106, 106), "target", 106.0),
        ((108, 109, 107, 108), "target", 108.0),  # opens beyond: at the open
        ((108, 109, 90, 91), "target", 108.0),  # and what comes later in the bar does not matter
        ((100, 110, 90, 100), "stop", 95.0),  # both inside: stop before target
        ((106, 110, 95, 100), "stop", 95.0),
        ((104, 104, 104, 104), None, None),
        ((95, 95, 95, 95), "stop", 95.0),  # zero range, on the stop
        ((107, 107, 107, 107), "target", 107.0),
    ],
    ids=lambda v: "-".join(map(str, v)) if isinstance(v, tuple) else str(v),
)
def test_rule_23_stop_and_target(stance, sign, row, leg, price):
    # in at 100, stop 5 away, target 6 away
    strategy = plan(f"{stance}...", exits=[Stop(5.0), Target(6.0)])
    result = both(strategy, market([100, 100, mirrored(row, sign), 100]))
    expected = [] if leg is None else [(2, leg, -sign, 100 + sign * (price - 100))]
    assert fills(result)[1:] == expected


@pytest.mark.parametrize(
    ("row", "leg", "price"),
    [
        ((100, 100, 94, 100), "stop", 95.0 * 0.99),
        ((90, 92, 90, 90), "stop", 90.0 * 0.99),
        ((100, 108, 100, 100), "target", 107.0),
        ((110, 110, 110, 110), "target", 110.0),
    ],
    ids=["stop", "gapped stop", "target", "target opened beyond"],
)
def test_rule_23_stops_carry_slippage_and_targets_none(row, leg, price):
    # in at 100 x 1.01 = 101: stop 95, target 107
    result = both(plan("+...", exits=[Stop(6.0), Target(6.0)]), market([100, 100, row, 100]), costs=SLIP)
    assert fills(result)[1] == (2, leg, -1.0, pytest.approx(price, rel=1e-15))


@pytest.mark.parametrize(("stance", "sign"), SIDES, ids=["long", "short"])
@pytest.mark.parametrize(
    ("row", "price"),
    [
        ((100, 101, 96, 100), None),
        ((100, 101, 95, 100), None),  # touched only
        ((100, 101, 94.9, 100), 95.0),  # at its price, never better
        ((95, 96, 95, 95), None),  # opens on it
        ((95, 96, 94, 95), 95.0),
        ((93, 96, 92, 95), 93.0),  # opens beyond: at the open
        ((93, 93, 93, 93), 93.0),
        ((95, 95, 95, 95), None),
    ],
    ids=lambda v: "-".join(map(str, v)) if isinstance(v, tuple) else str(v),
)
def test_rule_23_a_limit_must_be_traded_through(stance, sign, row, price):
    # 5 % better than a close of 100; slippage does not touch it
    instrument = wb.Instrument("ABC", tick_size=0.01)
    result = both(plan(f"{stance}..", execution=Limit(offset=0.05)), market([100, mirrored(row, sign), 100], instrument), costs=SLIP)
    assert fills(result) == ([] if price is None else [(1, "open", sign, 100 + sign * (price - 100))])


def test_rule_23_a_whole_bar_goes_phase_by_phase_over_all_symbols():
    # XYZ is stopped at its open, ABC inside: XYZ's fill comes first though ABC is first in the bars
    bars = market({SHARE: [100, 100, (100, 100, 90, 100)], OTHER: [100, 100, (90, 90, 90, 90)]})
    result = both(plan("+..", "+..", exits=[Stop(5.0)]), bars)
    assert result.fills[["symbol", "leg"]].values.tolist()[2:] == [["XYZ", "stop"], ["ABC", "stop"]]


def test_rule_23_at_the_open_targets_come_before_gapped_stops():
    bars = market({SHARE: [100, 100, (90, 90, 90, 90)], OTHER: [100, 100, (110, 110, 110, 110)], CONTRACT: [100, 100, 100]})
    result = both(plan("+..", "+..", ".+.", exits=[Stop(5.0), Target(5.0)]), bars)
    assert result.fills[["symbol", "leg"]].values.tolist()[2:] == [["FUT", "open"], ["XYZ", "target"], ["ABC", "stop"]]


def test_rule_23_the_close_marks_after_all_fills_of_the_bar():
    # stopped at 95 in a bar that closes at 120
    result = both(plan("+..", exits=[Stop(5.0)]), market([100, 100, (100, 120, 90, 120)]), cash=1000)
    assert result.equity.tolist() == [1000.0, 1000.0, 995.0]


# -- 24: exits work from the fill on ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("stance", "sign"), SIDES, ids=["long", "short"])
@pytest.mark.parametrize(
    ("row", "leg", "price"),
    [((100, 104, 94, 100), "stop", 95.0), ((100, 107, 99, 100), "target", 106.0), ((100, 107, 94, 100), "stop", 95.0)],
    ids=["stop", "target", "both"],
)
def test_rule_24_exits_work_on_the_bar_of_a_market_entry(stance, sign, row, leg, price):
    result = both(plan(f"{stance}..", exits=[Stop(5.0), Target(6.0)]), market([100, mirrored(row, sign), 100]))
    assert fills(result) == [(1, "open", sign, 100.0), (1, leg, -sign, 100 + sign * (price - 100))]


@pytest.mark.parametrize(("stance", "sign"), SIDES, ids=["long", "short"])
@pytest.mark.parametrize(
    ("row", "entry", "stop"),
    [
        ((100, 120, 94, 118), 95.0, None),
        ((100, 120, 90, 118), 95.0, 90.0),
        ((100, 120, 80, 118), 95.0, 90.0),
        ((94, 120, 93, 118), 94.0, None),
        ((94, 120, 89, 118), 94.0, 89.0),
        ((94, 120, 89.5, 118), 94.0, None),
    ],
    ids=["through", "stop touched", "stop passed", "opened beyond", "opened beyond, stop touched", "opened beyond, stop of its own"],
)
def test_rule_24_after_a_limit_entry_the_stop_may_fill_in_its_bar_the_target_may_not(stance, sign, row, entry, stop):
    # limit 95; stop 5 and target 5 from the fill. The target of 100 is far inside the bar, and fills in the next one
    bars = market([100, mirrored(row, sign), 100 + sign * 18, 100], wb.Instrument("ABC", tick_size=0.01))
    result = both(plan(f"{stance}...", execution=Limit(offset=0.05), exits=[Stop(5.0), Target(5.0)]), bars)
    turned = [(at, leg, 100 + sign * (price - 100)) for at, leg, _, price in fills(result)]
    assert turned == [(1, "open", entry), (1, "stop", stop) if stop else (2, "target", 118.0)]


@pytest.mark.parametrize("distance", [None, 0.0, -1.0], ids=["NaN", "zero", "negative"])
@pytest.mark.parametrize("exit_", [Stop, Target], ids=["stop", "target"])
def test_rule_24_nothing_opens_without_a_distance_and_it_is_not_tried_again(exit_, distance):
    result = both(plan("++++", exits=[Stop(3.0), exit_([distance, 5.0, 5.0, 5.0])]), market([100] * 4))
    assert opened(result) == [0.0]
    assert "distance" in reasons(result)[0]


@pytest.mark.parametrize("exit_", [Stop, Target], ids=["stop", "target"])
def test_rule_24_infinity_is_no_distance(exit_):
    assert opened(both(plan("+..", exits=[exit_([float("inf")] * 3)]), market([100] * 3))) == [0.0]


def test_rule_24_nothing_opens_in_the_warm_up_of_the_atr():
    # two true ranges are needed: the first bar has no distance, the second has
    bars = [(100, 102, 98, 100)] * 4
    stop = wb.exits.AtrStop(2, 1.0)
    assert opened(both(plan("+...", exits=[stop]), market(bars))) == [0.0]
    assert fills(both(plan(".+..", exits=[stop]), market(bars))) == [(2, "open", 1.0, 100.0)]


FAR = [("+", Target(100.0)), ("+", Target(250.0)), ("-", Stop(100.0)), ("-", Stop(250.0))]


@pytest.mark.parametrize(("stance", "exit_"), FAR, ids=["long doubles", "long to 350", "short to 200", "short to 350"])
def test_rule_24_a_positive_distance_opens_however_far_it_is(stance, exit_):
    result = both(plan(f"{stance}..", exits=[exit_]), market([100, 100, 100]))
    assert opened(result) == [1.0], reasons(result)


@pytest.mark.parametrize(
    "row", [(94, 94, 94, 94), (100, 110, 90, 100), (110, 110, 110, 110)], ids=["stop gapped", "both inside", "target opened beyond"]
)
def test_rule_24_a_closing_due_at_the_open_fills_there_and_cancels_the_exits(row):
    result = both(plan("+.0.", exits=[Stop(5.0), Target(5.0)]), market([100, 100, 100, row]))
    assert fills(result)[1:] == [(3, "close", -1.0, float(row[0]))]
    assert ends(result)[1:] == [("stop", "cancelled", 3), ("target", "cancelled", 3), ("close", "filled", 3)]


def test_rule_24_a_filled_stop_takes_the_target_off():
    result = both(plan("+..", exits=[Stop(5.0), Target(5.0)]), market([100, 100, (100, 100, 90, 100)]))
    assert ends(result) == [("open", "filled", 1), ("stop", "filled", 2), ("target", "cancelled", 2)]


def test_rule_24_exits_work_while_a_closing_waits_over_a_hole_of_another_symbol():
    # ABC's closing is decided at row 2, its next bar is row 4: filled there at the open, before the stop
    bars = market({SHARE: [100, 100, 100, None, (94, 100, 80, 100)], OTHER: [50] * 5})
    assert fills(both(plan("+.0..", ".", exits=[Stop(5.0)]), bars))[1:] == [(4, "close", -1.0, 94.0)]


# -- 25: distances and levels -----------------------------------------------------------------------------------------


def test_rule_25_distances_are_fixed_at_the_decision():
    result = both(plan("+...", exits=[Stop([5.0, 1.0, 1.0, 1.0])]), market([100, 100, 97, (95, 95, 95, 95)]))
    assert fills(result)[1] == (3, "stop", -1.0, 95.0)


def test_rule_25_levels_are_set_from_the_fill_price():
    # decided at 100, filled at 110 x 1.01 = 111.1: stop 106.1, target 117.1
    result = both(plan("+..", exits=[Stop(5.0), Target(6.0)]), market([100, 110, 110]), costs=SLIP)
    levels = result.orders.set_index("leg")["price"]
    assert levels[["stop", "target"]].tolist() == pytest.approx([106.1, 117.1], rel=1e-12)


@pytest.mark.parametrize(("stance", "stop", "target"), [("+", 98.75, 101.25), ("-", 101.25, 98.75)], ids=["long", "short"])
def test_rule_25_levels_are_rounded_to_the_tick_away_from_the_market(stance, stop, target):
    # filled at 100, 1.1 away: 98.9 and 101.1 on a grid of 0.25
    bars = market([100, 100, 100], wb.Instrument("ABC", tick_size=0.25))
    levels = both(plan(f"{stance}..", exits=[Stop(1.1), Target(1.1)]), bars).orders.set_index("leg")["price"]
    assert (levels["stop"], levels["target"]) == (stop, target)


def test_rule_25_a_level_on_the_grid_stays_where_it_is():
    # 100.1 - 0.3 = 99.8 and 100.1 + 0.3 = 100.4 exactly, though not in binary floats
    bars = market([100.1, 100.1, 100.1], wb.Instrument("ABC", tick_size=0.1))
    levels = both(plan("+..", exits=[Stop(0.3), Target(0.3)]), bars).orders.set_index("leg")["price"]
    assert (levels["stop"], levels["target"]) == (99.8, 100.4)


def test_rule_25_the_target_may_be_a_multiple_of_the_risk():
    # stop 4 away, target 3 x 4
    exits = [Stop(4.0), wb.exits.TakeProfit(multiple=3.0)]
    assert fills(both(plan("+..", exits=exits), market([100, 100, (100, 113, 100, 100)])))[1] == (2, "target", -1.0, 112.0)


def test_rule_25_a_percent_target_is_a_share_of_the_decisions_close():
    # 10 % of 100, from the fill at 105
    result = both(plan("+..", exits=[wb.exits.TakeProfit(percent=0.1)]), market([100, 105, (105, 116, 105, 105)]))
    assert fills(result)[1] == (2, "target", -1.0, 115.0)


# -- 26: flat after a stop --------------------------------------------------------------------------------------------


def test_rule_26_stopped_in_a_bar_is_flat_at_its_close():
    # stopped in row 2, turned at its close: no closing, only the new opening
    result = both(plan("+.-.", exits=[Stop(5.0)]), market([100, 100, (100, 100, 90, 100), 100]))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (2, "stop"), (3, "open")]
    assert result.decisions["closed"].tolist() == [0.0, 0.0]


def test_rule_26_stopped_on_the_entry_bar_and_turned_at_its_close():
    result = both(plan("+-..", exits=[Stop(5.0)]), market([100, (100, 100, 90, 100), 100, 100]))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (1, "stop"), (2, "open")]


def test_rule_26_a_room_that_a_stop_freed_is_there_at_the_close():
    bars = market({SHARE: [100, 100, (100, 100, 90, 100), 100], OTHER: [90] * 4})
    result = both(plan("+...", "..+.", quantity=10, exits=[Stop(10.0)]), bars, cash=1000)
    assert opened(result) == [10.0, 10.0]  # 900 are left and buy 10 at 90


# -- 27: the next bar, holes, limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", ["own", "of another"])
@pytest.mark.parametrize(("missing", "status"), [(0, "filled"), (4, "filled"), (5, "expired"), (6, "expired")])
def test_rule_27_an_opening_expires_after_five_intervals_without_a_bar(missing, status, steps):
    # where another symbol makes the steps, the opening ends at the close of the fifth; else when the next bar shows it
    rows = [100, *[None] * missing, 110, 110]
    bars = market({SHARE: rows, OTHER: [50] * len(rows)}) if steps == "of another" else market(rows)
    result = both(plan("+", "."), bars) if steps == "of another" else both(plan("+"), bars)
    ended = missing + 1 if status == "filled" else 5
    assert ends(result) == [("open", status, ended if steps == "of another" else 1)]


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([100, None, None, 110], "filled"),  # Monday
        ([100, None, None, None, None, 110], "filled"),  # Wednesday: two sessions without a bar
        ([100, None, None, None, None, None, 110], "expired"),  # Thursday: three
    ],
    ids=["Monday", "Wednesday", "Thursday"],
)
def test_rule_27_a_daily_opening_expires_after_three_sessions(rows, status):
    result = both(plan("+"), market(rows, interval="1D", start=FRIDAY))
    assert [s for _, s, _ in ends(result)] == [status]


def test_rule_27_a_holiday_of_the_calendar_is_no_session():
    # decided on Friday; Monday 15 January 2024 is a holiday, Tuesday and Wednesday have no bar: two sessions
    rows = [100, None, None, None, None, None, 110]
    result = both(plan("+"), market(rows, wb.Instrument("SPY", calendar="XNYS"), "1D", "2024-01-12"))
    assert [s for _, s, _ in ends(result)] == ["filled"]


@pytest.mark.parametrize(("missing", "status"), [(2, "filled"), (3, "expired")])
def test_rule_27_a_coin_trades_on_seven_days(missing, status):
    result = both(plan("+"), market([100, *[None] * missing, 110], wb.Instrument("BTCUSD", "crypto"), "1D", FRIDAY))
    assert [s for _, s, _ in ends(result)] == [status]


@pytest.mark.parametrize("interval", ["2D", "7D"])
def test_rule_27_an_opening_on_longer_bars_fills_at_the_next_one(interval):
    assert fills(both(plan("+.."), market([100, 101, 102], interval=interval))) == [(1, "open", 1.0, 101.0)]


def test_rule_27_a_closing_never_expires():
    rows = [100, 100, 100, *[None] * 30, 110]
    assert fills(both(plan("+.0"), market(rows)))[1] == (3, "close", -1.0, 110.0)
    assert fills(both(plan("+.0"), market(rows, interval="1D")))[1] == (3, "close", -1.0, 110.0)


def test_rule_27_a_flip_over_a_hole_closes_though_its_opening_expires():
    rows = [100, 100, 100, *[None] * 5, 110, 110]
    result = both(plan("+.-"), market(rows))
    assert ends(result) == [("open", "filled", 1), ("close", "filled", 3), ("open", "expired", 3)]


def test_rule_27_a_symbol_fills_at_its_own_next_bar():
    bars = market({SHARE: [100, None, 103, 104], OTHER: [50, 51, 52, 53]})
    assert fills(both(plan("+...", "+..."), bars)) == [(1, "open", 1.0, 51.0), (2, "open", 1.0, 103.0)]


def test_rule_27_a_limit_is_cancelled_at_the_close_of_its_bar():
    result = both(plan("+..", execution=Limit(offset=0.05)), market([100, 100, (100, 100, 90, 100)]))
    assert [(leg, row) for leg, _, row in ends(result)] == [("open", 1)]
    assert len(result.fills) == 0


def test_rule_27_a_limit_works_for_its_number_of_own_bars():
    # two bars of its own, a hole between them: traded through in the second
    bars = market({SHARE: [100, 100, None, (100, 100, 90, 100)], OTHER: [50] * 4})
    limit = Limit(offset=0.125, bars=2)
    assert fills(both(plan("+...", ".", execution=limit), bars)) == []
    deep = market({SHARE: [100, 100, None, (100, 100, 87, 100)], OTHER: [50] * 4})
    assert fills(both(plan("+...", ".", execution=limit), deep)) == [(3, "open", 1.0, 87.5)]


def test_rule_27_a_limit_is_gone_before_the_decision():
    # row 1: the limit is off, so the turned stance of that close has nothing to withdraw, and all of the room
    strategy = plan("+-..", quantity=10, execution=Limit(offset=0.125), risk=[wb.risk.MaxLeverage(1)])
    result = both(strategy, market([100, 100, (100, 113, 100, 100), 100]), cash=1000)
    assert [status for _, status, _ in ends(result)] == ["lapsed", "filled"]
    assert fills(result) == [(2, "open", -10.0, 112.5)]


def test_rule_27_a_limit_that_crosses_goes_on_at_market():
    # not traded through in row 1; at market at the open of row 2, with slippage; distances are those of row 0
    strategy = plan("+...", execution=Limit(offset=0.05, then="cross"), exits=[Stop([4.0, 9.0, 9.0, 9.0])])
    result = both(strategy, market([100, 100, 200, (200, 200, 198, 200)]), costs=SLIP)
    assert fills(result) == [(2, "open", 1.0, 202.0), (3, "stop", -1.0, pytest.approx(198.0 * 0.99, rel=1e-15))]


@pytest.mark.parametrize("turn", "-0")
def test_rule_27_a_limit_does_not_cross_when_the_stance_turned_at_that_close(turn):
    result = both(plan(f"+{turn}..", execution=Limit(offset=0.05, then="cross")), market([100, 100, 100, 100]))
    assert 1.0 not in [quantity for _, _, quantity, _ in fills(result)]


def test_rule_27_a_crossing_order_is_in_the_book_of_the_close_at_which_it_goes_on():
    bars = market({SHARE: [100] * 4, OTHER: [100] * 4})
    strategy = plan("+...", ".+..", quantity=6, execution=Limit(offset=0.05, then="cross"), risk=[wb.risk.MaxLeverage(1)])
    assert opened(both(strategy, bars, cash=1000)) == [6.0, 4.0]


@pytest.mark.parametrize("steps", ["own", "of another"])
def test_rule_27_a_limit_that_expired_over_a_hole_does_not_cross(steps):
    rows = [100, *[None] * 6, 100, 100, 100]
    bars = market({SHARE: rows, OTHER: [50] * 10}) if steps == "of another" else market(rows)
    strategy = plan("+", *(["."] if steps == "of another" else []), execution=Limit(offset=0.05, then="cross"))
    result = both(strategy, bars)
    assert [status for _, status, _ in ends(result)] == ["expired"]


def test_rule_27_a_crossed_order_expires_over_a_hole_too():
    rows = [100, 100, *[None] * 5, 110, 110]
    result = both(plan("+", execution=Limit(offset=0.05, then="cross")), market(rows))
    assert [status for _, status, _ in ends(result)] == ["lapsed", "expired"]


def test_rule_27_exits_follow_at_the_filled_size():
    # 10 wanted, 4 allowed: stop and target are for 4
    limit = wb.risk.MaxExposure(400, by="instrument")
    result = both(plan("+..", quantity=10, risk=[limit], exits=[Stop(5.0), Target(5.0)]), market([100, 100, (100, 100, 90, 100)]))
    assert result.orders["quantity"].tolist() == [4.0, 4.0, 4.0]
    assert result.positions["ABC"].tolist() == [0.0, 4.0, 0.0]
