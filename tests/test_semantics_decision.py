"""SEMANTICS 9-17: from a stance to an order. Numbers are worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from worked import CONTRACT, EURUSD, OTHER, SHARE, USDJPY, Given, Stop, Target, both, ends, fills, market, opened, plan, reasons

import workbench as wb
from workbench.errors import StrategyError
from workbench.sizing import FixedFraction, FixedQuantity, RiskPercent

FUTURE = wb.Instrument("ES", "index", "future", multiplier=50, tick_size=0.25)

# -- 9: acted ---------------------------------------------------------------------------------------------------------

WALK = [100, 101, 102, 103, 104]


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        ("+....", [(1, "open", 1.0, 101.0)]),
        ("+++++", [(1, "open", 1.0, 101.0)]),
        (".-...", [(2, "open", -1.0, 102.0)]),
        ("00000", []),
        (".....", []),
        ("+.0..", [(1, "open", 1.0, 101.0), (3, "close", -1.0, 103.0)]),
        ("+.-..", [(1, "open", 1.0, 101.0), (3, "close", -1.0, 103.0), (3, "open", -1.0, 103.0)]),
        (
            "+-+..",
            [
                (1, "open", 1.0, 101.0),
                *[(2, leg, -1.0, 102.0) for leg in ("close", "open")],
                *[(3, leg, 1.0, 103.0) for leg in ("close", "open")],
            ],
        ),
        ("+00+.", [(1, "open", 1.0, 101.0), (2, "close", -1.0, 102.0), (4, "open", 1.0, 104.0)]),
        ("....+", []),
    ],
    ids=[
        "first",
        "repeated",
        "NaN first",
        "zero from flat",
        "never",
        "zero closes",
        "flip",
        "flip twice",
        "again after zero",
        "no bar left",
    ],
)
def test_rule_09_only_a_turned_stance_acts(stances, expected):
    assert fills(both(plan(stances), market(WALK))) == expected


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        ("+.+..", []),
        ("+-...", [(2, "open", -1.0, 102.0)]),
        ("..+-.", [(4, "open", -1.0, 104.0)]),
        ("0+...", [(2, "open", 1.0, 102.0)]),
        ("+0+..", [(3, "open", 1.0, 103.0)]),
    ],
    ids=["the same again", "turned", "NaN is not the first", "zero is", "through zero"],
)
def test_rule_09_wait_only_notes_the_first_stance(stances, expected):
    assert fills(both(plan(stances, start="wait"), market(WALK))) == expected


def test_rule_09_wait_is_kept_for_each_instrument():
    bars = market({SHARE: WALK, OTHER: WALK})
    assert fills(both(plan("+....", "0+...", start="wait"), bars)) == [(2, "open", 1.0, 102.0)]


def test_rule_09_an_unfilled_opening_is_withdrawn_when_the_stance_turns():
    # a limit at 87.5 that would work for 9 bars, and would be traded through in the last one
    limit = wb.execution.Limit(offset=0.125, bars=9)
    result = both(plan("+.0..", execution=limit), market([100, 100, 100, 100, (100, 100, 80, 100)]))
    assert ends(result) == [("open", "cancelled", 2)]
    assert len(result.fills) == 0


def test_rule_09_a_withdrawn_opening_leaves_room_for_the_other_direction():
    # 10 short at a limit of 112.5 after 10 long at 87.5 were withdrawn: one at a time fits 1 x equity
    limit = wb.execution.Limit(offset=0.125, bars=9)
    bars = market([100, 100, 100, (100, 113, 100, 100)])
    result = both(plan("+.-.", quantity=10, execution=limit, risk=[wb.risk.MaxLeverage(1)]), bars, cash=1000)
    assert [status for _, status, _ in ends(result)] == ["cancelled", "filled"]
    assert fills(result) == [(3, "open", -10.0, 112.5)]


# -- 10: acted is set whatever becomes of the opening -----------------------------------------------------------------


def test_rule_10_an_opening_cut_to_nothing_is_not_tried_again():
    # 50 in cash buys no share at 100, but would at 40: not before the stance has changed
    result = both(plan("++++0+."), market([100, 100, 40, 40, 40, 40, 40]), cash=50)
    assert opened(result) == [0.0, 0.0, 1.0]
    assert fills(result) == [(6, "open", 1.0, 40.0)]


@pytest.mark.parametrize("word", ["stop", "target"])
def test_rule_10_after_an_exit_there_is_no_reentry_until_the_stance_changes(word):
    exits = [Stop(5.0), Target(5.0)]
    reached = {"stop": (100, 100, 94, 100), "target": (100, 106, 100, 100)}[word]
    result = both(plan("+++++0+.", exits=exits), market([100, 100, reached, 100, 100, 100, 100, 100]))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (2, word), (7, "open")]


def test_rule_10_a_closing_is_repeated_until_it_is_done():
    # no bar for three weeks after the closing was decided
    hole = [None] * 500
    bars = market({SHARE: [100, 100, *hole, 90], OTHER: [50] * 503})
    result = both(plan("+0", "."), bars)
    assert fills(result) == [(1, "open", 1.0, 100.0), (502, "close", -1.0, 90.0)]


def test_rule_10_an_expired_opening_is_not_tried_again():
    bars = market({SHARE: [100, *[None] * 6, 100, 100, 100], OTHER: [50] * 10})
    result = both(plan("++++++++++", "."), bars)
    assert [status for _, status, _ in ends(result)] == ["expired"]
    assert len(result.decisions) == 1


# -- 12, 13: conviction, and size at entry ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sizer", [FixedQuantity(10), FixedFraction(0.5), RiskPercent(0.01), wb.sizing.MinimumSize()], ids=lambda s: type(s).__name__
)
def test_rule_12_sizers_see_the_sign(sizer):
    bars = market(WALK)
    weak, strong = (both(wb.Strategy(Given([c, None, None, None, None]), sizer, [Stop(5.0)]), bars) for c in (0.1, 1.0))
    assert fills(weak) == fills(strong) != []


def test_rule_12_a_change_of_conviction_is_no_event():
    result = both(wb.Strategy(Given([0.2, 0.9, 0.1, 1.0, -0.5]), FixedQuantity(1)), market(WALK))
    assert result.decisions["stance"].tolist() == [0.2, -0.5]
    assert fills(result) == [(1, "open", 1.0, 101.0)]


def test_rule_13_a_size_is_not_maintained():
    # half of 1,000 is 5 shares at 100; at 300 half of the equity would be 3 of them
    result = both(plan("+++++", sizer=FixedFraction(0.5)), market([100, 100, 300, 50, 100]), cash=1000)
    assert fills(result) == [(1, "open", 5.0, 100.0)]
    assert result.equity.tolist() == [1000.0, 1000.0, 2000.0, 750.0, 1000.0]


# -- 14: a flip is two legs -------------------------------------------------------------------------------------------


def test_rule_14_a_flip_is_a_closing_and_an_opening_from_one_snapshot():
    # 10 at 100; at 110 equity is 1,100: 10 short. At the next open of 120 both legs go: cash 1,200, and 10 short at 120
    result = both(plan("+.-.", sizer=FixedFraction(1.0)), market([100, 100, 110, 120]), cash=1000)
    assert fills(result) == [(1, "open", 10.0, 100.0), (3, "close", -10.0, 120.0), (3, "open", -10.0, 120.0)]
    assert result.orders["time"].tolist()[1:] == [result.bars.index[2]] * 2
    assert result.equity.iloc[-1] == 1200.0


def test_rule_14_a_flip_with_a_cut_opening_still_closes_in_full():
    # at 100: 10 long; then 4 of the 10 wanted may be short
    cap = wb.risk.MaxExposure(400, by="instrument")
    result = both(plan("+.-.", quantity=10, risk=[cap]), market([40, 40, 100, 100]), cash=10_000)
    assert fills(result) == [(1, "open", 10.0, 40.0), (3, "close", -10.0, 100.0), (3, "open", -4.0, 100.0)]
    assert result.decisions[["closed", "asked", "opened"]].iloc[1].tolist() == [10.0, 10.0, 4.0]


def test_rule_14_a_flip_with_an_opening_cut_to_nothing_is_a_closing():
    result = both(plan("+.-.", quantity=10, risk=[wb.risk.MaxExposure(400, by="instrument")]), market([40, 40, 500, 500]), cash=10_000)
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (3, "close")]
    assert "MaxExposure" in reasons(result)[1]


def test_rule_14_without_shorts_a_negative_stance_is_flat_and_says_why():
    long_only = wb.Instrument("ABC", can_short=False)
    result = both(plan("+.-.+."), market([*WALK, 105], long_only))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (3, "close"), (5, "open")]
    assert "short selling is not possible" in reasons(result)[1]


def test_rule_14_without_shorts_nothing_opens_from_flat():
    assert len(both(plan("-.-.."), market(WALK, wb.Instrument("ABC", can_short=False))).orders) == 0


@pytest.mark.parametrize(
    ("asset_class", "kind", "expected"),
    [
        ("crypto", "spot", False),
        ("crypto", "perpetual", True),
        ("crypto", "future", True),
        ("crypto", "cfd", True),
        ("equity", "spot", True),
        ("fx", "spot", True),
        ("index", "cfd", True),
        ("commodity", "future", True),
    ],
)
def test_rule_14_only_spot_coins_cannot_be_sold_short(asset_class, kind, expected):
    assert wb.Instrument("BTCUSDT", asset_class, kind, "BTC", "USDT").can_short is expected


def test_rule_14_borrow_costs_are_said_to_be_missing():
    assert any("borrow" in line and "not modelled" in line for line in both(plan("-...."), market(WALK)).assumptions)


# -- 15: one snapshot -------------------------------------------------------------------------------------------------


def test_rule_15_equity_counts_fees_paid_and_open_profit_but_no_future_costs():
    # half of 1,000 buys 5 at 100, 1 % fee: 5. The close of 104 adds 20: equity 1,015, of which half is 50.75 -> 50 at 10
    bars = market({SHARE: [100, (100, 104, 100, 104), 104], OTHER: [10, 10, 10]})
    costs = wb.execution.Costs(commission=0.01, slippage=0.0)
    result = both(plan("+..", ".+.", sizer=FixedFraction(0.5)), bars, cash=1000, costs=costs, buying_power=False)
    assert result.decisions["equity"].tolist() == [1000.0, 1015.0]
    assert opened(result) == [5.0, 50.0]


def test_rule_15_all_sizers_of_a_step_see_the_equity_before_its_orders():
    bars = market({SHARE: [100, 100], OTHER: [10, 10]})
    costs = wb.execution.Costs(commission=0.01, slippage=0.0)
    result = both(plan("+.", "+.", sizer=FixedFraction(0.4)), bars, cash=1000, costs=costs)
    assert result.decisions["equity"].tolist() == [1000.0, 1000.0]
    assert opened(result) == [4.0, 40.0]


def test_rule_15_sizes_use_this_close_not_the_next_open():
    result = both(plan("+..", sizer=FixedFraction(1.0)), market([(90, 100, 90, 100), 125, 125]), cash=1000, buying_power=False)
    assert fills(result) == [(1, "open", 10.0, 125.0)]


def test_rule_15_a_stop_of_this_bar_is_in_the_equity():
    # 5 at 100, stopped at 90 in the bar that closes at 100: equity 950, half of it 475 -> 23 of the other at 20
    bars = market({SHARE: [100, 100, (100, 100, 85, 100), 100], OTHER: [20, 20, 20, 20]})
    result = both(plan("+...", "..+.", sizer=FixedFraction(0.5), exits=[Stop(10.0)]), bars, cash=1000)
    assert result.decisions["equity"].tolist() == [1000.0, 950.0]
    assert opened(result) == [5.0, 23.0]


@pytest.mark.parametrize("seed", range(8))
def test_rule_15_equity_is_cash_and_open_profit_of_all_fills(seed):
    # recomputed from nothing but fills and closes: what was paid and charged, and what is held at the closes
    rng = np.random.default_rng(seed)
    rows = {one: [float(p) for p in 100 + np.cumsum(rng.integers(-2, 3, 60))] for one in (SHARE, FUTURE, OTHER)}
    lines = ["".join(rng.choice(list("+-0..."), 60)) for _ in rows]
    result = both(plan(*lines, sizer=FixedFraction(0.7), exits=[Stop(3.0)]), market(rows), costs=None)
    steps = result.bars.index.get_indexer(result.fills["time"])
    expected = np.full(60, 100_000.0)
    for step, fill in zip(steps, result.fills.itertuples(), strict=True):
        signed = fill.quantity * (1 if fill.side == "buy" else -1) * (50 if fill.symbol == "ES" else 1)
        expected[step:] += signed * (result.bars.close[fill.symbol].to_numpy()[step:] - fill.price) - fill.fee
    np.testing.assert_allclose(result.equity, expected, rtol=1e-12)
    assert len(result.fills) > 30


# -- 16: RiskPercent --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "price", "away", "currency", "lots"),
    [
        (SHARE, 100.0, 5.0, "USD", 200.0),  # 1,000 / 5
        (FUTURE, 1000.0, 2.5, "USD", 8.0),  # 1,000 / (2.5 x 50)
        (EURUSD, 1.25, 0.0050, "USD", 2.0),  # 1,000 / (0.005 x 100,000)
        (EURUSD, 1.25, 0.0050, "EUR", 2.5),  # 500 USD a lot are 400 EUR
        (USDJPY, 125.0, 1.0, "USD", 1.25),  # 100,000 JPY a lot are 800 USD
        (wb.Instrument("BTCUSDT", "crypto"), 50_000.0, 3000.0, "USDT", 0.33333333),  # 1,000 / 3,000 in steps of 1e-8
        (SHARE, 100.0, 7.0, "USD", 142.0),  # 142.86, whole shares
    ],
    ids=["share", "future", "EURUSD in USD", "EURUSD in EUR", "USDJPY in USD", "coin", "rounded down"],
)
def test_rule_16_risk_is_a_share_of_equity_over_the_distance(instrument, price, away, currency, lots):
    strategy = plan("+.", sizer=RiskPercent(0.01), exits=[Stop(away)])
    assert opened(both(strategy, market([price, price], instrument), currency=currency)) == [lots]


def test_rule_16_the_nearest_stop_counts():
    strategy = plan("+..", sizer=RiskPercent(0.01), exits=[Stop(10.0), Stop(4.0), Stop(8.0)])
    result = both(strategy, market([100, 100, (100, 100, 95, 95)]))
    assert fills(result) == [(1, "open", 250.0, 100.0), (2, "stop", -250.0, 96.0)]


def test_rule_16_costs_are_not_part_of_the_risk():
    costs = wb.execution.Costs(commission=0.01, slippage=0.01)
    assert opened(both(plan("+.", sizer=RiskPercent(0.01), exits=[Stop(5.0)]), market([100, 100]), costs=costs)) == [200.0]


def test_rule_16_the_distance_is_that_of_the_decisions_close():
    strategy = plan(".+.", sizer=RiskPercent(0.01), exits=[Stop([1.0, 5.0, 2.0])])
    assert opened(both(strategy, market([100, 100, 100]))) == [200.0]


def test_rule_16_risk_percent_refuses_a_strategy_without_a_stop():
    with pytest.raises(StrategyError, match="stop"):
        wb.Strategy(wb.signals.MovingAverageCross(), RiskPercent(), [wb.exits.TakeProfit(percent=0.1)])


# -- 17: order within a step ------------------------------------------------------------------------------------------

PAIR = {SHARE: [100] * 4, OTHER: [100] * 4}


def test_rule_17_closings_come_first_and_count_as_done():
    # 10 XYZ use the whole of 1 x equity; they are closed in the step in which ABC, earlier in the order, opens 10
    strategy = plan("..+.", "+.0.", quantity=10, risk=[wb.risk.MaxLeverage(1)])
    result = both(strategy, market(PAIR), cash=1000)
    expected = [["XYZ", "open", 10.0], ["XYZ", "close", 10.0], ["ABC", "open", 10.0]]
    assert result.orders[["symbol", "leg", "quantity"]].values.tolist() == expected
    assert result.fills[["symbol", "leg", "quantity"]].values.tolist() == expected


def test_rule_17_openings_go_in_the_order_of_the_instruments():
    # 6 of the 10 that fit go to the first, 4 to the second
    for first, second in ((SHARE, OTHER), (OTHER, SHARE)):
        bars = market({first: [100, 100], second: [100, 100]})
        result = both(plan("+.", "+.", quantity=6, risk=[wb.risk.MaxLeverage(1)]), bars, cash=1000)
        assert result.decisions[["symbol", "opened"]].values.tolist() == [[first.symbol, 6.0], [second.symbol, 4.0]]


def test_rule_17_an_earlier_opening_counts_at_its_cut_size():
    # ABC asks for 8 and may have 3; of 10 in all that leaves 7 for XYZ
    limits = [wb.risk.MaxExposure({"ABC": 300}, by="instrument"), wb.risk.MaxLeverage(1)]
    result = both(plan("+.", "+.", quantity=8, risk=limits), market({SHARE: [100, 100], OTHER: [100, 100]}), cash=1000)
    assert opened(result) == [3.0, 7.0]


def test_rule_17_a_flip_of_one_leaves_its_room_to_another():
    # long 10 ABC becomes short 4 (its own limit): 600 of 1,000 are left for XYZ
    limits = [wb.risk.MaxExposure({"ABC": 400}, by="instrument"), wb.risk.MaxLeverage(1)]
    bars = market({SHARE: [40, 40, 100, 100], OTHER: [100] * 4})
    result = both(plan("+.-.", "..+.", quantity=10, risk=limits), bars, cash=400)
    assert fills(result)[1:] == [(3, "close", -10.0, 100.0), (3, "open", -4.0, 100.0), (3, "open", 6.0, 100.0)]


def test_rule_17_closings_fill_before_openings_over_all_symbols():
    bars = market({SHARE: [100] * 4, OTHER: [100] * 4, CONTRACT: [100] * 4})
    result = both(plan("+.-.", ".-+.", "..+."), bars)
    said = [(symbol, leg) for symbol, leg in result.fills[["symbol", "leg"]].values.tolist()][2:]
    assert said == [("ABC", "close"), ("XYZ", "close"), ("ABC", "open"), ("XYZ", "open"), ("FUT", "open")]
