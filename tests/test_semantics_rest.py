"""SEMANTICS 35, 40, 41: keys of orders, votes, stop-out. The other rules from 36 on are still to come (README.md)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from worked import CONTRACT, OTHER, SHARE, START, Given, Stop, Target, both, ends, fills, market, opened, plan, reasons

import workbench as wb
from workbench.execution import Limit
from workbench.session.events import OrderAccepted
from workbench.signals import AllAgree, Majority

# -- 35: the key of an order ------------------------------------------------------------------------------------------


def keys_of(strategy: wb.Strategy, bars: wb.Bars) -> list[tuple[str, int, str, int]]:
    """Return instrument, row of the label, leg and child of every order, in the order of acceptance."""
    session = wb.Session(strategy, data=wb.ReplayAdapter(bars))
    keys: list = []
    session.on(OrderAccepted, lambda event: keys.append(event.order.key))
    session.run()
    assert len(set(keys)) == len(keys)
    first, interval = int(bars.labels[0]), bars.interval_ns
    return [(key.instrument, (key.label - first) // interval, key.leg, key.child) for key in keys]


def test_rule_35_a_flip_is_two_legs_of_one_label():
    assert keys_of(plan("+.-."), market([100] * 4)) == [("ABC", 0, "open", 0), ("ABC", 2, "close", 0), ("ABC", 2, "open", 0)]


def test_rule_35_exits_have_their_parents_label():
    strategy = plan(".+.", exits=[Stop(5.0), Target(5.0)])
    assert keys_of(strategy, market([100] * 3)) == [("ABC", 1, "open", 0), ("ABC", 1, "stop", 0), ("ABC", 1, "target", 0)]


def test_rule_35_a_crossing_limit_is_a_child_of_the_same_opening():
    strategy = plan("+..", execution=Limit(offset=0.1, then="cross"))
    assert keys_of(strategy, market([100] * 3)) == [("ABC", 0, "open", 0), ("ABC", 0, "open", 1)]


def test_rule_35_a_stop_out_has_the_label_of_the_close_that_found_it():
    assert keys_of(plan("+...", quantity=9000), market([100, 100, 89, 89], CONTRACT)) == [("FUT", 0, "open", 0), ("FUT", 2, "close", 0)]


def test_rule_35_the_label_is_the_steps_and_the_rest_is_named_at_promotion():
    session = wb.Session(plan("+."), data=wb.ReplayAdapter(market([100, 100])))
    session.run()
    (entry,) = session.journal.entries("intent")
    key = entry.key
    assert key.label == pd.Timestamp(START, tz="UTC").as_unit("ns").value
    assert (key.account, key.deployment, key.attempt) == ("", "", 0)


# -- 40: votes --------------------------------------------------------------------------------------------------------

NO = None


def voted(vote: wb.signals.SignalGenerator, bars: int = 6) -> list[float]:
    return vote.stances(market([100] * bars))["ABC"].tolist()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([NO, 1, NO, -1, NO, -1], [1, NO, NO, NO, -1, NO], [NO, 1, 1, 0, -1, -1]),
        ([1, 1, 1, 1, 1, 1], [NO, NO, NO, NO, NO, NO], [NO] * 6),
        ([0, NO, NO, 1, NO, NO], [0, NO, NO, 0, NO, 1], [0, 0, 0, 0, 0, 1]),
        ([0.2, NO, -0.1, NO, NO, NO], [1, NO, -1, NO, NO, NO], [1, 1, -1, -1, -1, -1]),
    ],
    ids=["held opinions", "one never votes", "flat is an opinion", "only signs count"],
)
def test_rule_40_all_agree(first, second, expected):
    np.testing.assert_array_equal(voted(AllAgree([Given(first), Given(second)])), np.array(expected, dtype=float))


@pytest.mark.parametrize(
    ("voters", "expected"),
    [
        # one of three is not more than half; then two are; a third against them changes nothing; 1 : 1 : flat; two against
        ([[1, NO, NO, NO, -1, NO], [NO, 1, NO, 0, NO, NO], [NO, NO, -1, NO, NO, NO]], [0, 1, 1, 0, -1, -1]),
        ([[NO, 1, NO, NO, NO, NO], [NO, NO, 1, NO, NO, NO]], [NO, 0, 1, 1, 1, 1]),
        ([[1] * 6, [1] * 6, [-1] * 6, [-1] * 6], [0] * 6),
        ([[1] * 6, [1] * 6, [1] * 6, [NO] * 6, [NO] * 6], [1] * 6),
        ([[1] * 6, [1] * 6, [NO] * 6, [NO] * 6], [0] * 6),
        ([[NO] * 6, [NO] * 6, [NO] * 6], [NO] * 6),
        ([[0] * 6, [0] * 6, [1] * 6], [0] * 6),
    ],
    ids=["of three", "of two", "two against two", "three of five", "two of four", "all abstain", "flat"],
)
def test_rule_40_majority_is_more_than_half_of_all_voters(voters, expected):
    np.testing.assert_array_equal(voted(Majority([Given(v) for v in voters])), np.array(expected, dtype=float))


ALWAYS = Given([1] * 8)


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        # two bars of hold make a look-back of three: the first two bars have no stance
        (AllAgree([Given([1, *[NO] * 7]), ALWAYS], hold=2), [NO, NO, 1, NO, NO, NO, NO, NO]),
        (AllAgree([Given([NO, NO, NO, 1, *[NO] * 4]), ALWAYS], hold=2), [NO, NO, NO, 1, 1, 1, NO, NO]),
        (AllAgree([Given([NO, NO, 1, NO, NO, 1, NO, NO]), ALWAYS], hold=1), [NO, NO, 1, 1, NO, 1, 1, NO]),
        (Majority([Given([NO, NO, 1, *[NO] * 5]), Given([NO, NO, NO, 1, *[NO] * 4])], hold=2), [NO, NO, 0, 1, 1, 0, NO, NO]),
    ],
    ids=["warm-up", "runs out", "comes again", "one left, then none"],
)
def test_rule_40_hold_bounds_an_opinion(vote, expected):
    np.testing.assert_array_equal(voted(vote, 8), np.array(expected, dtype=float))


def test_rule_40_hold_bounds_the_lookback_too():
    # an opinion of a two-bar breakout (3 bars) that is held for 5 more depends on 8 bars
    assert Majority([wb.signals.Breakout(2), wb.signals.Breakout(2)], hold=5).lookback == 8


def test_rule_40_an_abstention_keeps_the_position_and_a_disagreement_closes_it():
    # both long at row 0; row 3: the first says short, they disagree, 0 closes
    vote = AllAgree([Given([1, NO, NO, -1, NO, NO]), Given([1, NO, NO, NO, NO, NO])])
    result = both(wb.Strategy(vote, wb.sizing.FixedQuantity(1)), market([100] * 6))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (4, "close")]


def test_rule_40_votes_that_run_out_keep_the_position():
    # agreed in row 1, the first of the look-back; from row 3 on all abstain: NaN decides nothing, what was acted on is held
    vote = AllAgree([Given([NO, 1, NO, NO, NO, NO]), Given([NO, 1, NO, NO, NO, NO])], hold=1)
    result = both(wb.Strategy(vote, wb.sizing.FixedQuantity(1)), market([100] * 6))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(2, "open")]


@pytest.mark.parametrize("vote", [AllAgree, Majority])
def test_rule_40_the_docstring_says_that_0_closes(vote):
    assert "0 closes" in (vote.__doc__ or "")


# -- 41: stop-out -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stance", "low", "out"),
    [
        ("+", 85.0, False),  # 250 against half of 50 x 85 / 10 = 212.50
        ("+", 84.0, True),  # 200 against 210
        ("-", 114.0, False),  # 300 against 285
        ("-", 116.0, True),  # 200 against 290
    ],
)
def test_rule_41_under_half_of_the_required_margin_positions_close(stance, low, out):
    # 50 at 100 with 1,000
    result = both(plan(f"{stance}.....", quantity=50), market([100, 100, low, 100, 100, 100], CONTRACT), cash=1000)
    assert [(row, leg, price) for row, leg, _, price in fills(result)][1:] == ([(3, "close", 100.0)] if out else [])
    assert ["stop-out" in words for words in reasons(result)] == [False, True][: 1 + out]


def test_rule_41_a_stop_out_is_marked_and_counted():
    result = both(plan("+.....", quantity=50), market([100, 100, 84, 100, 100, 100], CONTRACT), cash=1000)
    assert result.trades["exit"].tolist() == ["stop-out"]
    assert result.stats["stopped out %"] == 100.0
    assert result.explain()["reason"].tolist()[1] == "stop-out: equity fell under the maintenance margin"


@pytest.mark.parametrize("turned", ["0", "-"], ids=["flat", "short"])
def test_rule_41_what_its_own_stance_closes_at_that_close_is_no_stop_out(turned):
    # at 84 the equity is under half of the margin: XYZ goes for that, ABC and FUT because their stances turned
    held = wb.Instrument("XYZ", "commodity", "future")
    bars = market({SHARE: [100] * 4, CONTRACT: [100, 100, 84, 84], held: [100, 100, 84, 84]})
    limit = wb.risk.MaxExposure({"ABC": 200, "FUT": 2500, "XYZ": 2500}, by="instrument")
    result = both(plan(f"+.{turned}.", f"+.{turned}.", "+...", quantity=50, risk=[limit]), bars, cash=1000)
    assert result.trades.set_index("symbol")["exit"].to_dict() == {"ABC": "close", "FUT": "close", "XYZ": "stop-out"}
    closings = result.explain().query("leg == 'close'").set_index("symbol")["reason"]
    assert set(closings[["ABC", "FUT"]]) == {f"the stance turned {'flat' if turned == '0' else 'short'}"}
    assert closings["XYZ"] == "stop-out: equity fell under the maintenance margin"


def test_rule_41_exactly_half_is_enough():
    # 250 against half of 10 x 100 x 0.5
    instrument = wb.Instrument("FUT", "commodity", "future", margin=0.5)
    result = both(plan("+...", quantity=10), market([100] * 4, instrument), cash=250, buying_power=False)
    assert len(result.fills) == 1


def test_rule_41_only_margined_positions_close():
    # 4 shares for 400 and 50 contracts: at 86 equity is 300 of a needed 430; at 82 it is 100 of 410, and the contracts go
    bars = market({SHARE: [100] * 5, CONTRACT: [100, 100, 86, 82, 82]})
    limit = wb.risk.MaxExposure({"ABC": 400}, by="instrument")
    result = both(plan("+....", "+....", quantity=50, risk=[limit]), bars, cash=1000)
    assert result.fills[["symbol", "leg", "quantity"]].values.tolist() == [
        ["ABC", "open", 4.0],
        ["FUT", "open", 50.0],
        ["FUT", "close", 50.0],
    ]
    assert result.positions["ABC"].iloc[-1] == 4.0


def test_rule_41_a_stop_out_takes_the_exits_off_and_is_not_undone():
    # acted stays: no re-entry while the stance is the same; a new one opens
    result = both(
        plan("++++++0+.", quantity=50, exits=[Stop(60.0)]), market([100, 100, 84, 100, 100, 100, 100, 100, 100], CONTRACT), cash=1000
    )
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (3, "close"), (8, "open")]
    assert ends(result)[1:3] == [("stop", "cancelled", 3), ("close", "filled", 3)]


def test_rule_41_nothing_opens_in_the_step_of_a_stop_out():
    bars = market({CONTRACT: [100, 100, 84, 84], OTHER: [1] * 4})
    result = both(plan("+...", "..+.", quantity=50), bars, cash=1000)
    assert sorted(opened(result)) == [0.0, 0.0, 50.0]
    assert sum("stop-out" in words for words in reasons(result)) == 2


def test_rule_41_a_stance_that_turns_at_that_close_is_closed_once():
    result = both(plan("+.-.", quantity=50), market([100, 100, 84, 84], CONTRACT), cash=1000)
    assert fills(result)[1:] == [(3, "close", -50.0, 84.0)]


def test_rule_41_over_a_hole_the_closing_waits_for_its_bar():
    # two contracts: FUT falls, GAP has no bar in row 3; both are closed, each at its own next open
    gap = wb.Instrument("GAP", "commodity", "future")
    bars = market({CONTRACT: [100, 100, 80, 80, 80], gap: [100, 100, 100, None, 90]})
    result = both(plan("+....", "+....", quantity=45), bars, cash=1000)
    assert fills(result)[2:] == [(3, "close", -45.0, 80.0), (4, "close", -45.0, 90.0)]


def test_rule_41_a_stop_of_the_bar_comes_before_the_stop_out():
    # stopped at 95 in the bar that closes at 50: nothing is left to be closed
    result = both(plan("+...", quantity=50, exits=[Stop(5.0)]), market([100, 100, (100, 100, 50, 50), 50], CONTRACT), cash=1000)
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (2, "stop")]


def test_rule_41_shares_bought_with_borrowed_money_are_margined_too():
    # 3.9 x equity at a quarter of margin: the fall to 80 leaves 2,200 of a needed 7,800
    instrument = wb.Instrument("ABC", margin=0.25)
    result = both(plan("+....", sizer=wb.sizing.FixedFraction(3.9)), market([100, 100, 80, 80, 80], instrument), cash=10_000)
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (3, "close")]
    assert "stop-out" in reasons(result)[-1]


def test_rule_41_shares_paid_in_full_stay():
    result = both(plan("+....", sizer=wb.sizing.FixedFraction(0.9)), market([100, 100, 1, 1, 1]), cash=10_000)
    assert [leg for _, leg, _, _ in fills(result)] == ["open"]
