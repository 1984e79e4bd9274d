"""Rules 23-25 for exits that move a stop or end a position at a close: every case by hand, through every engine."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from worked import OTHER, SHARE, Stop, Target, both, fills, market, plan, reasons

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.exits import BreakEven, StopLoss, TakeProfit, TimeStop, TrailingStop


class Trail(Stop):
    """A trailing stop at the distance that is written."""

    kind: ClassVar[str] = "trail"
    of: str = "extreme"


def stop_price(result: wb.Backtest) -> float:
    """Return where the stop rested last."""
    return float(result.orders.set_index("leg")["price"]["stop"])


# -- trailing ---------------------------------------------------------------------------------------------------------


def test_rule_25_a_trailing_stop_begins_at_its_distance_from_the_fill():
    assert fills(both(plan("+..", exits=[Trail(3.0)]), market([100, 101, (101, 101, 97, 100)])))[1] == (2, "stop", -1.0, 98.0)


def test_rule_25_a_trailing_stop_moves_once_per_closed_bar_and_holds_from_the_next():
    # row 2 reaches 110: the stop was 97 in it, and is 107 from row 3 on
    rows = [100, 100, (105, 110, 105, 108), (108, 109, 106, 108)]
    assert fills(both(plan("+...", exits=[Trail(3.0)]), market(rows)))[1] == (3, "stop", -1.0, 107.0)


def test_rule_25_a_trailing_stop_never_goes_back():
    rows = [100, 100, (100, 110, 100, 108), (108, 108, 107.5, 107.5), (107, 107, 106, 106)]
    assert fills(both(plan("+....", exits=[Trail(3.0)]), market(rows)))[1] == (4, "stop", -1.0, 107.0)


@pytest.mark.parametrize(("of", "level"), [("extreme", 107.0), ("close", 105.0)])
def test_rule_25_it_follows_highs_or_closes(of, level):
    result = both(plan("+..", exits=[Trail(3.0, of)]), market([100, 100, (100, 110, 100, 108)]))
    assert stop_price(result) == level


def test_rule_25_a_short_is_followed_from_below():
    rows = [100, 100, (100, 100, 90, 92), (92, 93.5, 92, 93)]
    assert fills(both(plan("-...", exits=[Trail(3.0)]), market(rows)))[1] == (3, "stop", 1.0, 93.0)


def test_rule_25_a_moved_level_is_rounded_to_the_tick_away_from_the_market():
    bars = market([100, 100, (100, 103.3, 100, 103)], wb.Instrument("ABC", tick_size=0.25))
    assert stop_price(both(plan("+..", exits=[Trail(1.1)]), bars)) == 102.0  # 102.2 of an instrument with ticks of a quarter


def test_rule_25_the_trailing_distance_is_fixed_at_the_decision():
    result = both(plan("+...", exits=[Trail([5.0, 1.0, 1.0, 1.0])]), market([100, 100, (100, 110, 100, 108), 108]))
    assert stop_price(result) == 105.0


def test_rule_25_a_bar_that_closes_beyond_the_new_level_is_left_at_the_next_open():
    # the high of row 2 puts the stop at 107, its close lies below: row 3 opens beyond it
    result = both(plan("+...", exits=[Trail(3.0)]), market([100, 100, (100, 110, 98, 100), (101, 102, 100, 101)]))
    assert fills(result)[1] == (3, "stop", -1.0, 101.0)


def test_rule_25_in_the_bar_of_a_limit_entry_the_close_counts():
    limit = wb.execution.Limit(offset=0.01, bars=1)
    rows = [100, (100, 105, 98, 99.5), (99.5, 99.5, 99.4, 99.4)]
    # filled at 99; whether 105 came before that nobody knows: the stop follows 99.5 to 96.5
    assert stop_price(both(plan("+..", exits=[Trail(3.0)], execution=limit), market(rows))) == 96.5


def test_rule_23_a_hole_moves_nothing():
    bars = market({SHARE: [100, 100, None, (100, 110, 100, 108)], OTHER: [50] * 4})
    result = both(plan("+...", "....", exits=[Trail(3.0), TimeStop(3)]), bars)
    assert stop_price(result) == 107.0
    assert len(fills(result)) == 1  # rows 1 and 3 are its bars: two, not three


def test_the_nearest_stop_counts_and_a_trailing_one_is_one_of_them():
    rows = [100, 100, (100, 101, 100, 101), (101, 101, 97, 100)]
    assert fills(both(plan("+...", exits=[Stop(3.0), Trail(5.0)]), market(rows)))[1] == (3, "stop", -1.0, 97.0)
    assert stop_price(both(plan("+...", exits=[Stop(3.0), Trail(5.0)]), market([*rows[:2], (100, 110, 100, 108), 108]))) == 105.0


def test_16_the_risk_is_the_way_to_the_nearest_stop_be_it_a_trailing_one():
    result = both(plan("+.", exits=[Trail(2.0)], sizer=wb.sizing.RiskPercent(0.01)), market([100, 100]), cash=10_000)
    assert result.decisions["asked"].tolist() == [50.0]


# -- to the entry -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exit", "moved"),
    [(BreakEven(multiple=1.0), True), (BreakEven(multiple=2.0), False), (BreakEven(percent=0.03), True), (BreakEven(price=3.5), False)],
    ids=["as far as the risk", "not twice the risk", "by percent", "by price"],
)
def test_rule_25_a_close_that_is_far_enough_moves_the_stop_to_the_entry(exit, moved):
    # the stop is 3 away; a high of 110 is no close
    result = both(plan("+..", exits=[Stop(3.0), exit]), market([100, 100, (100, 110, 100, 103)]))
    assert stop_price(result) == (100.0 if moved else 97.0)


def test_rule_25_the_move_to_the_entry_holds_from_the_next_bar():
    rows = [100, 100, (100, 104, 99, 103), (103, 103, 99, 103)]
    assert fills(both(plan("+...", exits=[Stop(3.0), BreakEven()]), market(rows)))[1] == (3, "stop", -1.0, 100.0)


@pytest.mark.parametrize(("stance", "close", "level"), [("+", 104, 100.5), ("-", 96, 99.5)], ids=["long", "short"])
def test_rule_25_it_may_go_beyond_the_entry_to_pay_for_the_costs(stance, close, level):
    result = both(plan(f"{stance}..", exits=[Stop(3.0), BreakEven(plus=0.005)]), market([100, 100, close]))
    assert stop_price(result) == pytest.approx(level, rel=1e-12)


def test_rule_25_a_stop_that_is_nearer_stays():
    result = both(plan("+..", exits=[Trail(2.0), BreakEven(price=1.0)]), market([100, 100, (100, 110, 100, 105)]))
    assert stop_price(result) == 108.0


# -- by time ----------------------------------------------------------------------------------------------------------


def test_rule_23_a_time_stop_is_decided_at_a_close_and_filled_at_the_next_open():
    # rows 1, 2, 3 are three bars
    result = both(plan("+.....", exits=[TimeStop(3)]), market([100, 100, 101, 102, (103, 104, 102, 103), 100]))
    assert fills(result)[1] == (4, "close", -1.0, 103.0)
    assert result.trades["exit"].tolist() == ["time"]
    assert "the position has lasted as many bars as it may" in reasons(result)[-1]


def test_rule_10_after_a_time_stop_nothing_re_enters_until_the_stance_changes():
    result = both(plan("+.+.+-..", exits=[TimeStop(1)]), market([100, 100, 101, 102, 103, 104, 105, 106]))
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (2, "close"), (6, "open"), (7, "close")]


def test_a_stance_that_turns_in_the_same_step_closes_once():
    result = both(plan("+.-.", exits=[TimeStop(2)]), market([100, 100, 101, 102]))
    assert [(row, leg, size) for row, leg, size, _ in fills(result)] == [(1, "open", 1.0), (3, "close", -1.0), (3, "open", -1.0)]


def test_a_stop_is_quicker_than_time():
    result = both(plan("+...", exits=[Stop(3.0), TimeStop(2)]), market([100, 100, (100, 100, 90, 95), 95]))
    assert result.trades["exit"].tolist() == ["stop"]


# -- together ---------------------------------------------------------------------------------------------------------


def test_all_kinds_at_once():
    exits = [StopLoss(percent=0.05), TrailingStop(price=4.0), TakeProfit(price=20.0), BreakEven(), TimeStop(10)]
    rows = [100, 100, (100, 105, 100, 104.5), (104.5, 104.5, 100.5, 101), 101]
    assert fills(both(plan("+....", exits=exits), market(rows)))[1] == (3, "stop", -1.0, 101.0)


def test_rule_24_nothing_opens_while_any_of_them_is_not_known():
    for exit in (Trail([None, 1.0, 1.0]), TrailingStop(multiple=2.0, window=5)):
        result = both(plan("+..", exits=[exit]), market([100, 100, 100]))
        assert not len(result.fills)
        assert "not a positive number yet" in reasons(result)[0]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: StopLoss(0.02, 1.0), ParameterError, "StopLoss takes one of percent or price, got percent=0.02 and price=1.0"),
        (lambda: StopLoss(percent=2), ParameterError, "percent is a share of the price below 1 (0.02 = two percent), got 2"),
        (lambda: StopLoss(price=-1), ParameterError, "StopLoss: price must be a positive number, got -1"),
        (lambda: TrailingStop(3, 0.1), ParameterError, "takes one of multiple, percent or price, got multiple=3 and percent=0.1"),
        (lambda: TrailingStop(percent=5), ParameterError, "percent is a share of the price below 1 (0.05 = five percent), got 5"),
        (lambda: TrailingStop(window=0), ParameterError, "TrailingStop: window must be at least 1 bar, got 0"),
        (lambda: BreakEven(plus=-0.1), ParameterError, "plus is a share of the entry price from 0 to below 1, got -0.1"),
        (lambda: TimeStop(0), ParameterError, "TimeStop: bars must be at least 1, got 0"),
        (lambda: plan("+", exits=[BreakEven(price=1.0)]), StrategyError, "BreakEven moves a stop, and this strategy has none"),
        (lambda: plan("+", exits=[TakeProfit()]), StrategyError, "TakeProfit as a multiple of the risk needs a stop"),
        (lambda: plan("+", exits=[TrailingStop(), Trail(1.0)]), StrategyError, "got TrailingStop and Trail"),
        (lambda: plan("+", exits=[Target(1.0)], sizer=wb.sizing.RiskPercent()), StrategyError, "and this strategy has none"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)
