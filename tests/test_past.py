"""What an account remembers, step by step and by hand (SEMANTICS 16, 32)."""

from __future__ import annotations

import math

import pytest

from workbench.past import (
    CLOSED,
    DAY_EQUITY,
    DAY_LOW,
    EQUITY,
    GAINED,
    HALTED,
    LOST,
    LOST_AT,
    NOW,
    OPENED,
    PEAK,
    STREAK,
    WON,
    count_trade,
    empty_past,
    remember,
)


def test_32_a_day_begins_with_the_equity_before_it_and_knows_its_lowest() -> None:
    past = empty_past(100.0)
    days = []
    for t, (day, equity) in enumerate([(5, 90.0), (5, 95.0), (6, 93.0), (6, 94.0), (7, 99.0)]):
        remember(past, t, day, equity, 0.0, 0)
        days.append((past[DAY_EQUITY], past[DAY_LOW], past[EQUITY]))
    assert days == [(100.0, 90.0, 90.0), (100.0, 90.0, 95.0), (95.0, 93.0, 93.0), (95.0, 93.0, 94.0), (94.0, 94.0, 99.0)]


def test_32_the_openings_of_a_day_are_those_of_that_day() -> None:
    past = empty_past(100.0)
    for t, day in enumerate((1, 1, 2)):
        remember(past, t, day, 100.0, 0.0, 0)
        past[OPENED] += 1.0
    assert past[OPENED] == 1.0


@pytest.mark.parametrize(
    ("rearm", "halts"), [(0, [-1, 1, 1, 1, 1, 1]), (3, [-1, 1, 1, 1, -1, 5])], ids=["never again", "after three steps"]
)
def test_32_a_halt_holds_from_its_step_until_it_is_armed_again(rearm: int, halts: list[int]) -> None:
    # a fall of more than a tenth halts; armed again, the fall is one from the equity of then
    past, found, peaks = empty_past(100.0), [], []
    for t, equity in enumerate([90.0, 89.0, 70.0, 88.0, 80.0, 71.0]):
        remember(past, t, 0, equity, 0.1, rearm)
        found.append(past[HALTED])
        peaks.append(past[PEAK])
    assert found == halts
    assert peaks == ([100.0] * 6 if rearm == 0 else [*[100.0] * 4, 80.0, 80.0])


def test_32_a_fall_is_one_from_the_highest_equity() -> None:
    past, found = empty_past(100.0), []
    for t, equity in enumerate([120.0, 110.0, 109.0, 107.0]):
        remember(past, t, 0, equity, 0.1, 0)
        found.append((past[PEAK], past[HALTED]))
    assert found == [(120.0, -1.0), (120.0, -1.0), (120.0, -1.0), (120.0, 3.0)]


def test_16_closed_trades_are_counted_and_summed() -> None:
    past = empty_past(100.0)
    streaks = []
    for t, gain in enumerate([0.5, -0.25, 0.0, -0.5, 0.125, -0.125]):
        past[NOW] = float(t)
        count_trade(past, gain)
        streaks.append((past[STREAK], past[LOST_AT]))
    assert (past[CLOSED], past[WON], past[GAINED], past[LOST]) == (6.0, 2.0, 0.625, 0.875)
    assert streaks == [(0.0, -math.inf), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (0.0, 3.0), (1.0, 5.0)]
