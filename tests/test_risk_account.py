"""Limits on the account as a whole, by hand, through every engine (SEMANTICS 32)."""

from __future__ import annotations

from typing import Any

import pytest
from worked import FREE, OTHER, SHARE, Stop, both, fills, market, plan, reasons

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.market import Book, Market
from workbench.risk import CoolDown, MaxDailyLoss, MaxDrawdown, MaxPositions, MaxTrades
from workbench.sessions import day_numbers, day_of

#: 100 shares of 100 with 100,000: a price that falls by 10 costs one percent.
RUN = {"cash": 100_000, "costs": FREE}


def opened(result: wb.Backtest) -> list[int]:
    """Return the rows in which something opened."""
    return [row for row, leg, _, _ in fills(result) if leg == "open"]


# -- drawdown ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "rows"), [(0.01, [1, 4]), (0.0099, [1])], ids=["at the limit", "beyond"])
def test_32_a_fall_beyond_the_limit_halts_the_account_and_one_at_it_does_not(limit: float, rows: list[int]) -> None:
    result = both(plan("+.0+.", quantity=100, risk=[MaxDrawdown(limit)]), market([100, 100, 90, 90, 90]), **RUN)
    assert opened(result) == rows
    assert ("equity has fallen more than 0.99 % from its highest" in reasons(result)[-1]) == (rows == [1])


def test_32_the_fall_is_measured_from_the_highest_close() -> None:
    # 2 % up, then 1.5 % down from there: below the start by nothing
    rows = [100, 100, 120, 104, 104, 104]
    assert opened(both(plan("+..0+.", quantity=100, risk=[MaxDrawdown(0.015)]), market(rows), **RUN)) == [1]


def test_32_halted_it_stays_halted_though_equity_comes_back() -> None:
    rows = [100, 100, 80, 130, 130, 130]
    assert opened(both(plan("+..0+.", quantity=100, risk=[MaxDrawdown(0.01)]), market(rows), **RUN)) == [1]


def test_32_a_backtest_may_arm_it_again() -> None:
    # halted at row 2, armed again at row 5 from the equity of then
    rows = [100, 100, 80, 80, 80, 80, 80, 80]
    strategy = plan("+..0+-+.", quantity=100, risk=[MaxDrawdown(0.01, rearm_after=3)])
    assert opened(both(strategy, market(rows), **RUN)) == [1, 6, 7]


def test_closings_pass_whatever_the_account_has_lost() -> None:
    result = both(plan("+.0.", quantity=100, risk=[MaxDrawdown(0.01)]), market([100, 100, 50, 50]), **RUN)
    assert [leg for _, leg, _, _ in fills(result)] == ["open", "close"]


# -- a day ------------------------------------------------------------------------------------------------------------


def hours(day: str, rows: list[Any], start: str = "2024-01-01 20:00") -> wb.Backtest:
    strategy = plan("+.0+.0+..", quantity=100, risk=[MaxDailyLoss(0.01)], day=day)
    return both(strategy, market(rows, start=start), **RUN)


def test_32_what_a_day_has_cost_ends_it_and_the_next_one_is_new() -> None:
    # bars of 20:00 to 23:00 close by midnight: row 4 is the next day
    rows = [100, 100, 80, 80, 80, 80, 80, 80, 80]
    assert opened(hours("00:00 UTC", rows)) == [1, 7]
    assert opened(hours("02:00 UTC", rows)) == [1, 7]
    assert opened(hours("04:00 UTC", rows)) == [1]


def test_32_a_loss_that_was_won_back_still_ends_the_day() -> None:
    assert opened(hours("12:00 UTC", [100, 100, 80, 100, 100, 100, 100, 100, 100])) == [1]


def test_32_a_loss_within_the_share_of_equity_does_not_end_the_day() -> None:
    assert opened(hours("12:00 UTC", [100, 100, 91, 91, 91, 91, 91, 91, 91])) == [1, 4, 7]


def test_32_it_counts_from_the_equity_at_the_turn() -> None:
    # a gain of the same day is none that may be lost
    rows = [100, 100, 130, 125, 125, 125, 125, 125, 125]
    assert opened(hours("12:00 UTC", rows)) == [1, 4, 7]


def test_an_amount_of_money_is_a_limit_too() -> None:
    rows = [100, 100, 94, 94, 94]
    for most, expected in ((600, [1, 4]), (599, [1])):
        strategy = plan("+.0+.", quantity=100, risk=[MaxDailyLoss(most, of="money")])
        assert opened(both(strategy, market(rows), **RUN)) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("00:00 UTC", [0, 0, 0, 1, 1]),
        ("22:00 UTC", [0, 1, 1, 1, 1]),
        ("17:00 America/New_York", [0, 1, 1, 1, 1]),
        ("01:00 Europe/Berlin", [0, 0, 0, 1, 1]),
    ],
)
def test_32_a_day_turns_where_it_is_said(day: str, expected: list[int]) -> None:
    numbers = day_numbers(market([100] * 5, start="2024-01-01 21:00"), day)
    assert (numbers - numbers[0]).tolist() == expected


def test_32_a_daily_bar_is_a_day() -> None:
    numbers = day_numbers(market([100] * 3, interval="1D"), "17:00 America/New_York")
    assert (numbers - numbers[0]).tolist() == [0, 1, 2]


# -- how much and how often -------------------------------------------------------------------------------------------


def test_so_many_positions_at_once_and_openings_that_are_out_count() -> None:
    bars = market({SHARE: [100] * 4, OTHER: [50] * 4})
    one = both(plan("+...", "+...", risk=[MaxPositions(1)]), bars)
    assert one.fills["symbol"].tolist() == ["ABC"]
    assert len(both(plan("+...", "+...", risk=[MaxPositions(2)]), bars).fills) == 2


def test_a_flip_needs_no_second_place() -> None:
    assert opened(both(plan("+.-.", risk=[MaxPositions(1)]), market([100] * 4))) == [1, 3]


def test_what_is_held_needs_no_second_place_for_more_of_it() -> None:
    book = wb.Portfolio("USD", 100_000, {SHARE: 5}, {"ABC": 100.0, "XYZ": 50.0})
    strategy = plan("+", risk=[MaxPositions(1)])
    assert strategy.preview(wb.Order(SHARE, "buy", 3), book).quantity == 3.0
    assert strategy.preview(wb.Order(OTHER, "buy", 3), book).quantity == 0.0


@pytest.mark.parametrize(("highest", "lowest"), [(0.0, -5.0), (5.0, 0.0), (-5.0, -5.0)], ids=["a sale", "a purchase", "a short"])
def test_what_is_out_and_what_is_short_need_a_place(highest: float, lowest: float) -> None:
    ends = [{"ABC": 0.0, "XYZ": end} for end in (highest, lowest)]
    at = Market(0, SHARE, {"ABC": SHARE, "XYZ": OTHER}, {"ABC": 100.0, "XYZ": 50.0}, {"ABC": 1.0, "XYZ": 1.0}, {"ABC": 0.0, "XYZ": 0.0})
    book = Book("USD", 1e5, 1e5, {}, *ends)
    assert MaxPositions(1).allowed(wb.Order(SHARE, "buy", 3), book, at)[0] == 0.0
    assert MaxPositions(2).allowed(wb.Order(SHARE, "buy", 3), book, at)[0] == 3.0


def test_so_many_openings_a_day() -> None:
    result = both(plan("+-+-+.", risk=[MaxTrades(3)]), market([100] * 6))
    assert opened(result) == [1, 2, 3]
    assert "at most 3 openings a day" in reasons(result)[-1]
    assert opened(both(plan("+-+-+.", risk=[MaxTrades(3)]), market([100] * 6, start="2024-01-01 22:00"))) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("steps", "rows"), [(2, [1, 3, 6]), (4, [1, 3])])
def test_after_losses_in_a_row_it_cools_down(steps: int, rows: list[int]) -> None:
    # losers are stopped in rows 1 and 3; the stance turns in rows 4 and 5
    bars = market([100, (100, 100, 90, 95), 95, (95, 95, 80, 90), 90, 90, 90])
    result = both(plan("+0+0-+.", exits=[Stop(2.0)], risk=[CoolDown(2, steps)]), bars, costs=FREE)
    assert opened(result) == rows


def test_a_winner_ends_the_row() -> None:
    rows = [100, 100, 90, 90, 99, 99, 90, 90, 90]
    result = both(plan("+0+0+0+..", risk=[CoolDown(2, 50)]), market(rows), costs=FREE)
    assert opened(result) == [1, 3, 5, 7]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: MaxDrawdown(20), ParameterError, "a share of the highest equity below 1 (0.2 = twenty percent), got 20"),
        (lambda: MaxDrawdown(0.1, 0), ParameterError, "rearm_after must be at least 1 step, got 0"),
        (lambda: MaxDailyLoss(3), ParameterError, "a share of equity below 1 (0.03 = three percent), got 3"),
        (lambda: MaxDailyLoss(-3, of="money"), ParameterError, "limit is a positive amount, got -3"),
        (lambda: MaxPositions(0), ParameterError, "MaxPositions: limit must be at least 1, got 0"),
        (lambda: MaxTrades(0), ParameterError, "MaxTrades: limit must be at least 1, got 0"),
        (lambda: CoolDown(0), ParameterError, "CoolDown: losses must be at least 1, got 0"),
        (lambda: plan("+", risk=[MaxDrawdown(0.1), MaxDrawdown(0.2)]), StrategyError, "a strategy takes one MaxDrawdown"),
        (lambda: plan("+", day="midnight"), ParameterError, "day must be a time and a zone, such as '00:00 UTC'"),
        (lambda: plan("+", day="17:00 America/NewYork"), ParameterError, "did you mean 'America/New_York'?"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        make()
    assert said in str(caught.value)


def test_the_turn_of_a_day_is_read() -> None:
    assert day_of("9:30 Europe/London") == ((9 * 60 + 30) * 60 * 10**9, "Europe/London")
