"""SEMANTICS 18-21: limits, and the book they are held against; 22 is in test_semantics_buying_power.py. Worked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from worked import CONTRACT, EURUSD, FREE, OTHER, SHARE, Stop, Target, both, fills, market, opened, plan, reasons

import workbench as wb
from workbench.risk import MaxExposure, MaxLeverage
from workbench.sizing import FixedFraction

EURGBP = wb.Instrument("EURGBP", "fx", multiplier=100_000)
GBPUSD = wb.Instrument("GBPUSD", "fx", multiplier=100_000)
BITCOIN = wb.Instrument("BTCUSD", "crypto")
USDCHF = wb.Instrument("USDCHF", "fx", multiplier=100_000)
COSTLY = wb.execution.Costs(commission=0.01, slippage=0.01)


class Room(wb.risk.RiskManager):
    """A limit of the user's own: a number, whatever is asked."""

    room: Any = 1.0

    def limit(self, order, portfolio, market):
        self.seen_ = [*getattr(self, "seen_", []), (order.instrument.symbol, order.side, order.quantity)]
        return self.room, "so it is written"


def preview(order: wb.Order, book: wb.Portfolio, *limits: wb.risk.RiskManager) -> float:
    return plan("+", risk=list(limits)).preview(order, book).quantity


# -- 18: checked once, at the decision --------------------------------------------------------------------------------


@pytest.mark.parametrize("costs", [FREE, COSTLY], ids=["free", "costly"])
def test_rule_18_limits_are_held_against_unmoved_closes(costs):
    # 2 x 1,000 / 100 = 20 exactly; the contract's margin of 1/10 leaves buying power aside
    result = both(plan("+.", quantity=50, risk=[MaxLeverage(2)]), market([100, 100], CONTRACT), cash=1000, costs=costs)
    assert opened(result) == [20.0]


def test_rule_18_nothing_is_cut_again_at_the_fill():
    # 10 at a close of 100 are 1 x 1,000; the open of 150 makes them 1.5 x, and all of them fill
    result = both(plan("+.", quantity=50, risk=[MaxLeverage(1)]), market([100, 150], CONTRACT), cash=1000)
    assert fills(result) == [(1, "open", 10.0, 150.0)]


def test_rule_18_buying_power_alone_adds_slippage_and_fees():
    # a share of 100 needs 101 and a fee of 1.01: 1,000 / 102.01 = 9.8
    result = both(plan("+.", quantity=50, risk=[MaxLeverage(1)]), market([100, 100]), cash=1000, costs=COSTLY)
    assert opened(result) == [9.0]
    assert "MaxLeverage: 50 -> 10" in reasons(result)[0]
    assert "buying power: 10 -> 9.8" in reasons(result)[0]


# -- 19: closings are never cut ---------------------------------------------------------------------------------------


def test_rule_19_a_closing_passes_whatever_is_breached():
    # short 10 of 1,000 equity; at 150 equity is 500 and gross 1,500: 3 x. The closing goes in full
    result = both(plan("-.0.", quantity=10, risk=[MaxLeverage(1), Room(0.0)]), market([100, 100, 150, 150], CONTRACT), cash=1000)
    assert opened(result) == [0.0, 0.0]
    result = both(plan("-.0.", quantity=10, risk=[MaxLeverage(1)]), market([100, 100, 150, 150], CONTRACT), cash=1000)
    assert fills(result) == [(1, "open", -10.0, 100.0), (3, "close", 10.0, 150.0)]


def test_rule_19_a_closing_passes_though_it_raises_another_measure():
    # long EURUSD and long USDCHF net in USD: closing either doubles the dollar's exposure
    book = wb.Portfolio("USD", 1e6, {EURUSD: 4, USDCHF: 5}, {"EURUSD": 1.25, "USDCHF": 0.8})
    limit = MaxExposure({"USD": 100_000})
    assert preview(wb.Order(EURUSD, "sell", 4), book, limit) == 4.0
    assert preview(wb.Order(USDCHF, "sell", 5), book, limit) == 5.0


def test_rule_19_an_order_through_zero_is_split():
    # 6 long; the closing 6 always pass, and nothing of the other 8 where the user's own limit says so
    book = wb.Portfolio("EUR", 100_000, {EURUSD: 6}, {"EURUSD": 1.25})
    own = Room(0.0)
    assert preview(wb.Order(EURUSD, "sell", 14), book, own) == 6.0
    assert own.seen_ == [("EURUSD", "sell", 8.0)]


def test_rule_19_limits_are_not_asked_about_closings():
    own = Room(9.0)
    both(plan("+.0.", risk=[own], exits=[Stop(50.0)]), market([100, 100, 100, 100]))
    assert {side for _, side, _ in own.seen_} == {"buy"}


# -- 20: the largest allowed size -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "asked", "allowed"),
    [
        ("buy", 4.0, 1.5),  # 750,000 - 600,000
        ("buy", 1.5, 1.5),  # equality
        ("buy", 1.51, 1.5),
        ("sell", 4.0, 4.0),  # reduces
        ("sell", 6.0, 6.0),
        ("sell", 14.0, 13.5),  # 6 close, 7.5 open
        ("sell", 13.5, 13.5),
    ],
)
def test_rule_20_the_written_example(side, asked, allowed):
    # 6 lots are 600,000 EUR; the limit is 750,000
    book = wb.Portfolio("EUR", 100_000, {EURUSD: 6}, {"EURUSD": 1.10})
    assert preview(wb.Order(EURUSD, side, asked), book, MaxExposure({"EUR": 750_000})) == allowed


def test_rule_20_the_written_example_says_why():
    book = wb.Portfolio("EUR", 100_000, {EURUSD: 6}, {"EURUSD": 1.10})
    decision = plan("+", risk=[MaxExposure({"EUR": 750_000})]).preview(wb.Order(EURUSD, "buy", 4), book)
    assert [(reason.who, reason.before, reason.after) for reason in decision.reasons] == [("MaxExposure", 4.0, 1.5)]
    assert "600,000" in str(decision)
    assert "750,000" in str(decision)


def test_rule_20_the_written_example_in_a_run():
    # 6 lots of EURUSD first; then EURGBP asks for 6 and may have 1.5
    bars = market({EURUSD: [1.25] * 4, EURGBP: [0.8] * 4})
    limit = MaxExposure({"EUR": 750_000}, by="currency")
    result = both(plan("+...", "..+.", quantity=6, risk=[limit]), bars, currency="EUR", cash=100_000)
    assert opened(result) == [6.0, 1.5]
    assert "MaxExposure: 6 -> 1.5 (" in reasons(result)[1]
    assert "750,000" in reasons(result)[1]


def test_rule_20_a_pair_counts_with_both_legs():
    # 5 long GBPUSD are 625,000 dollars short; selling USDCHF adds 100,000 a lot: 750,000 leave 1.25
    book = wb.Portfolio("USD", 1e6, {GBPUSD: 5}, {"GBPUSD": 1.25, "USDCHF": 0.8})
    assert preview(wb.Order(USDCHF, "sell", 4), book.with_instrument(USDCHF), MaxExposure({"USD": 750_000})) == 1.25
    assert preview(wb.Order(USDCHF, "buy", 4), book.with_instrument(USDCHF), MaxExposure({"USD": 750_000})) == 4.0


def test_rule_20_leverage_is_reached_exactly_and_then_nothing_more_passes():
    # 8 x 50,000 - 2 x 125,000 = 150,000 dollars: 1.5 lots of USDCHF, whatever its price
    book = wb.Portfolio("USD", 50_000, {GBPUSD: 2}, {"GBPUSD": 1.25, "USDCHF": 0.8})
    assert preview(wb.Order(USDCHF, "buy", 1.6), book, MaxLeverage(8)) == 1.5
    full = wb.Portfolio("USD", 50_000, {GBPUSD: 2, USDCHF: 1.5}, {"GBPUSD": 1.25, "USDCHF": 0.8, "EURUSD": 1.1})
    assert preview(wb.Order(EURUSD, "buy", 0.01), full, MaxLeverage(8)) == 0.0


def test_rule_20_gross_counts_both_directions():
    # 3 long EURUSD are 375,000 dollars short; of 500,000 gross 125,000 are left for USDCHF, of 500,000 net 875,000
    book = wb.Portfolio("USD", 1e6, {EURUSD: 3}, {"EURUSD": 1.25, "USDCHF": 0.8})
    assert preview(wb.Order(USDCHF, "buy", 9), book, MaxExposure({"USD": 500_000}, scope="gross")) == 1.25
    assert preview(wb.Order(USDCHF, "sell", 9), book, MaxExposure({"USD": 500_000}, scope="gross")) == 1.25
    assert preview(wb.Order(USDCHF, "buy", 9), book, MaxExposure({"USD": 500_000})) == 8.75


def test_rule_20_what_is_held_of_the_same_instrument_counts_once():
    # 3 x 100 of 1,000 are held: 7 more
    book = wb.Portfolio("USD", 700, {SHARE: 3}, {"ABC": 100})
    for limit in (
        MaxLeverage(1),
        MaxExposure(1000, by="instrument"),
        MaxExposure({"equity": 1.0}, by="asset_class", of="equity", scope="gross"),
    ):
        assert preview(wb.Order(SHARE, "buy", 50), book, limit) == 7.0


def test_rule_20_float_noise_is_no_breach():
    # 3 x 0.1 is more than 0.3 in floats; the limit of 0.3 is reached, not breached: what it does not touch passes
    bars = market({wb.Instrument("ABC", quantity_step=0.1): [0.1] * 4, BITCOIN: [100] * 4})
    limit = MaxExposure({"equity": 0.3}, by="asset_class")
    assert opened(both(plan("+...", "..+.", quantity=50, risk=[limit]), bars)) == [3.0, 50.0]


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        (MaxLeverage(1), 10.0),
        (MaxLeverage(1.05), 10.0),
        (MaxLeverage(0.05), 0.0),
        (MaxExposure(1000, by="instrument"), 10.0),
        (MaxExposure(999.9999995, by="instrument"), 10.0),  # within 1e-9 of 1,000
        (MaxExposure(999.99999, by="instrument"), 9.0),
        (MaxExposure(0.5, by="asset_class", of="equity"), 5.0),
        (MaxExposure({"crypto": 1.0}, by="asset_class"), 50.0),
        (Room(3.7), 3.0),
        (Room(0.0), 0.0),
        (Room(float("nan")), 0.0),
        (Room(-1.0), 0.0),
        (Room(1e9), 50.0),
    ],
    ids=[
        "equal",
        "1.05 x",
        "less than a share",
        "by instrument",
        "1e-9 below",
        "1e-8 below",
        "of equity",
        "another group",
        "own",
        "own 0",
        "own NaN",
        "own < 0",
        "own above",
    ],
)
def test_rule_20_the_largest_size_within_the_limit(limit, allowed):
    # 50 shares of 100 wanted, equity 1,000
    result = both(plan("+.", quantity=50, risk=[limit]), market([100, 100]), cash=1000, buying_power=False)
    assert opened(result) == [allowed]


@pytest.mark.parametrize("side", "+-")
def test_rule_20_a_limit_is_the_same_for_long_and_short(side):
    limits = [MaxLeverage(0.3), MaxExposure(2500, by="instrument"), MaxExposure({"equity": 2300}, by="asset_class", scope="gross")]
    result = both(plan(f"{side}.", quantity=50, risk=limits), market([100, 100]), cash=10_000)
    assert opened(result) == [23.0]
    said = [words.split(" ")[0] for words in reasons(result)[0].split("; ")]
    assert said == ["FixedQuantity", "MaxLeverage:", "MaxExposure:", "MaxExposure:", "opens"]


def test_rule_20_one_pass_in_any_order_is_the_fixed_point():
    limits = [MaxLeverage(3), MaxExposure(2500, by="instrument"), Room(23.0)]
    for turned in (limits, limits[::-1], [limits[1], limits[2], limits[0]]):
        result = both(plan("+.", quantity=50, risk=turned), market([100, 100]), cash=1000, buying_power=False)
        assert opened(result) == [23.0]


def test_rule_20_nan_leaves_nothing_to_the_next_limit():
    result = both(plan("+.", quantity=50, risk=[Room(float("nan")), Room(3.0)]), market([100, 100]))
    assert opened(result) == [0.0]


def test_rule_20_lots_are_made_once_last():
    # 2.5 shares of 1,000 are left by the first limit; whole shares there would make 2 x 0.4 of it, here it is 2
    result = both(plan("+.", sizer=FixedFraction(0.25), risk=[Room(2.5)]), market([100, 100]), cash=1000, buying_power=False)
    assert opened(result) == [2.0]
    own = Room(9.0)
    both(plan("+.", sizer=FixedFraction(0.25), risk=[own]), market([100, 100]), cash=1000)
    assert own.seen_[0] == ("ABC", "buy", 2.5)


def test_rule_20_an_order_that_reduces_every_breached_measure_passes_in_full():
    # 10 long at 100; at 150 they are 1,500 of at most 1,000. Selling 5 of the other brings the group to 1,000
    bars = market({SHARE: [100, 100, 150, 150], OTHER: [100] * 4})
    limit = MaxExposure({"equity": 1000}, by="asset_class")
    for quantity, allowed in ((10, 10.0), (30, 25.0)):
        result = both(plan("+...", "..-.", quantity=quantity, risk=[limit]), bars, cash=10_000)
        assert opened(result) == [10.0, allowed]  # 25 short would turn +1,500 into -1,000


# -- 21: what is working counts in full -------------------------------------------------------------------------------

HOLE = {SHARE: [100, None, 100, 100], OTHER: [100, 100, 100, 100]}


def test_rule_21_a_pending_opening_of_another_symbol_counts_in_full():
    # ABC waits for its next bar with 6 of the 10 that fit; XYZ may have 4
    result = both(plan("+...", ".+..", quantity=6, risk=[MaxLeverage(1)]), market(HOLE), cash=1000)
    assert fills(result) == [(2, "open", 6.0, 100.0), (2, "open", 4.0, 100.0)]


def test_rule_21_a_resting_limit_entry_counts_in_full():
    # the limit is held against the closes (100), not against the limit price of 50
    limit = wb.execution.Limit(offset=0.5, bars=9)
    bars = market({SHARE: [100] * 4, OTHER: [100] * 4})
    assert opened(both(plan("+...", ".+..", quantity=6, risk=[MaxLeverage(1)], execution=limit), bars, cash=1000)) == [6.0, 4.0]


@pytest.mark.parametrize(("pending", "stance", "allowed"), [("+", "-", 10.0), ("-", "+", 10.0), ("+", "+", 4.0), ("-", "-", 4.0)])
def test_rule_21_buys_and_sells_are_not_netted(pending, stance, allowed):
    # of 1,000 net the pending 600 leave 400 in their direction; in the other one they make no more room than 1,000
    limits = [MaxExposure({"ABC": 600}, by="instrument"), MaxExposure({"equity": 1000}, by="asset_class")]
    strategy = plan(f"{pending}...", f".{stance}..", quantity=30, risk=limits)
    assert opened(both(strategy, market(HOLE), cash=10_000)) == [6.0, allowed]


@pytest.mark.parametrize(
    ("exits", "short"),
    [([], 22.0), ([Stop(90.0)], 12.0), ([Target(90.0)], 12.0), ([Stop(90.0), Target(90.0)], 12.0)],
    ids=["no exit", "stop", "target", "stop and target are one"],
)
def test_rule_21_positions_count_with_and_without_their_closings(exits, short):
    # 10 long of 1,200 net: without a stop 22 can be sold (1,000 - 2,200); with one the long may be gone, and 12 are the most
    bars = market({SHARE: [100] * 4, OTHER: [100] * 4})
    limits = [MaxExposure({"ABC": 1000}, by="instrument"), MaxExposure({"equity": 1200}, by="asset_class")]
    assert opened(both(plan("+...", "..-.", quantity=40, risk=limits, exits=exits), bars, cash=10_000)) == [10.0, short]


@pytest.mark.parametrize("exits", [[], [Stop(90.0)], [Target(90.0)]], ids=["no exit", "stop", "target"])
@pytest.mark.parametrize("stance", "+-")
def test_rule_21_the_worse_of_with_and_without_counts(exits, stance):
    # 10 of 12 are held in the same direction: resting exits make no room, in any measure
    bars = market({SHARE: [100] * 4, OTHER: [100] * 4})
    for limit in (MaxLeverage(0.12), MaxExposure(1200, by="asset_class"), MaxExposure(1200, by="asset_class", scope="gross")):
        strategy = plan(f"{stance}...", f"..{stance}.", quantity=10, risk=[limit], exits=exits)
        assert opened(both(strategy, bars, cash=10_000)) == [10.0, 2.0]
    alone = plan(f"{stance}...", f"..{stance}.", quantity=10, exits=exits)
    assert opened(both(alone, bars, cash=1200)) == [10.0, 2.0]


def test_rule_21_a_closing_of_an_earlier_step_does_not_count_as_done():
    # ABC's closing waits over its hole: XYZ finds no room; decided in the same step it has all of it
    hole = {SHARE: [100, 100, 100, None, 100], OTHER: [100] * 5}
    waiting = both(plan("+.0..", "...+.", quantity=10, risk=[MaxLeverage(1)]), market(hole), cash=1000)
    assert opened(waiting) == [10.0, 0.0, 0.0]
    at_once = both(plan("+.0..", "..+..", quantity=10, risk=[MaxLeverage(1)]), market(hole), cash=1000)
    assert sorted(opened(at_once)) == [0.0, 10.0, 10.0]


@pytest.mark.parametrize("stance", "+-")
def test_rule_21_after_a_breach_only_what_reduces_it_passes(stance):
    # 10 short of 1,000 equity: at 150 equity is 500 and gross 1,500 of 500: nothing can reduce gross but closing
    bars = market({CONTRACT: [100, 100, 150, 150], OTHER: [10] * 4})
    result = both(plan("-...", f"..{stance}.", quantity=10, risk=[MaxLeverage(1)]), bars, cash=1000)
    assert opened(result) == [10.0, 0.0]


def test_rule_21_a_breached_group_lets_nothing_through_that_adds_to_it():
    # 10 long at 100 grow to 1,500 of at most 1,000: no more shares, on the long side
    bars = market({SHARE: [100, 100, 150, 150], OTHER: [100] * 4})
    assert opened(both(plan("+...", "..+.", quantity=10, risk=[MaxExposure({"equity": 1000}, by="asset_class")]), bars)) == [10.0, 0.0]


def test_rule_21_until_a_breach_is_over_an_order_beside_it_does_not_pass():
    # the coin does not touch the shares' group, but only orders that reduce every breached measure pass
    bars = market({SHARE: [100, 100, 150, 150], BITCOIN: [100] * 4})
    limit = MaxExposure({"equity": 1000}, by="asset_class")
    assert opened(both(plan("+...", "..+.", quantity=10, risk=[limit]), bars)) == [10.0, 0.0]


def test_rule_21_when_the_breach_is_over_openings_pass_again():
    bars = market({SHARE: [100, 100, 150, 150, 60, 60], OTHER: [100] * 6})
    limit = MaxExposure({"equity": 1000}, by="asset_class")
    result = both(plan("+.....", "..+0+.", quantity=10, risk=[limit]), bars)
    assert opened(result) == [10.0, 0.0, 0.0, 4.0]  # 1,000 - 10 x 60
