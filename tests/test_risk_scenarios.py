"""What a book would have made in past steps, by hand: which steps count, how much of each instrument, and the returns themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from worked import OTHER, SHARE, market

from workbench.past import empty_memory
from workbench.risk._returns import filtered_returns, own_returns
from workbench.risk._scenarios import BLOCK, DEPTH, Returns, kept_places, scenarios, scratch_places
from workbench.risk._volatility import shrunk

NAN, WINDOW = math.nan, 3
#: Returns of two instruments, the oldest first.
FIRST, SECOND = [0.5, 0.25, -0.5, 1.0], [1.0, -1.0, 2.0, 4.0]


def found(
    j: int, side: float, hi: list[float], lo: list[float], rows: Any = (FIRST, SECOND), days: Any = None, scaled: Any = None
) -> tuple[list[float], list[float], float]:
    """Return what the book and one lot more would have made, newest first, and the number of days; prices 10 and 100, in units of 2."""
    steps = len(rows[0])
    series = [number for row in (*rows, *(scaled or ())) for number in row]
    memory = empty_memory(scratch_places(WINDOW) + kept_places(2, WINDOW))
    depth, begins = DEPTH * WINDOW, scratch_places(WINDOW)
    returns = Returns(series, steps, 0, steps - 1, 2, float(scaled is not None), depth, memory, begins)
    count = scenarios(j, side, WINDOW, hi, lo, [10.0, 100.0], [2.0, 2.0], days or list(range(steps)), returns)
    return list(memory[:count]), list(memory[WINDOW : WINDOW + count]), memory[3 * WINDOW]


def test_33_the_newest_steps_at_their_worth_of_now() -> None:
    # 3 of the first are worth 60, one of the second 200
    made, more, days = found(1, 1.0, [3.0, 0.0], [3.0, 0.0])
    assert (made, more, days) == ([60.0, -30.0, 15.0], [800.0, 400.0, -200.0], 3.0)
    assert found(1, -1.0, [3.0, 0.0], [3.0, 0.0])[1] == [-800.0, -400.0, 200.0]


@pytest.mark.parametrize(
    ("j", "side", "ends", "held"),
    [(1, 1.0, (3.0, -1.0), 3.0), (1, 1.0, (1.0, -3.0), -3.0), (0, 1.0, (1.0, -3.0), 1.0), (0, -1.0, (3.0, -1.0), -1.0)],
    ids=["the larger end above", "the larger end below", "of its own the end that a buy enlarges", "or a sale"],
)
def test_21_the_worse_end_of_another_and_the_enlarged_one_of_its_own_count(j: int, side: float, ends: Any, held: float) -> None:
    assert found(j, side, [ends[0], 0.0], [ends[1], 0.0])[0] == [20.0 * held * one for one in (1.0, -0.5, 0.25)]


def test_33_steps_count_at_which_all_that_is_held_and_is_to_be_held_had_a_bar() -> None:
    first, second = [0.5, 0.25, -0.5, 1.0, NAN], [1.0, -1.0, NAN, 4.0, 2.0]
    assert found(1, 1.0, [1.0, 0.0], [1.0, 0.0], (first, second))[0] == [20.0, 5.0, 10.0]
    assert found(0, 1.0, [1.0, 0.0], [1.0, 0.0], (first, second))[0] == [20.0, -10.0, 5.0]


@pytest.mark.parametrize(("holes", "count"), [(3, 3), (4, 2)], ids=["within it", "beyond it"])
def test_33_steps_are_looked_for_in_two_windows(holes: int, count: int) -> None:
    row = [0.5, 0.25, -0.5, *[NAN] * holes]
    assert len(found(0, 1.0, [1.0, 0.0], [1.0, 0.0], (row, row))[0]) == count


def test_33_every_instrument_of_a_large_book_counts() -> None:
    n, steps = 2 * BLOCK + 3, 4
    series = [float(i + k) for i in range(n) for k in range(steps)]
    memory = empty_memory(scratch_places(WINDOW) + kept_places(n, WINDOW))
    returns = Returns(series, steps, 0, steps - 1, n, 0.0, DEPTH * WINDOW, memory, scratch_places(WINDOW))
    ones = [1.0] * n
    assert scenarios(0, 1.0, WINDOW, ones, ones, ones, ones, list(range(steps)), returns) == WINDOW
    assert list(memory[:WINDOW]) == [sum(i + k for i in range(n)) for k in (3, 2, 1)]


def test_33_a_day_is_counted_once() -> None:
    assert found(0, 1.0, [1.0, 0.0], [1.0, 0.0], days=[4, 5, 5, 6])[2] == 2.0


def test_33_filtered_returns_move_with_the_volatility_of_now() -> None:
    made, more, _ = found(0, 1.0, [3.0, 0.0], [3.0, 0.0], scaled=([9.0] * 3 + [0.5], [9.0] * 3 + [2.0]))
    assert (made, more) == ([30.0, -15.0, 7.5], [10.0, -5.0, 2.5])


@pytest.mark.parametrize(("j", "ends", "held"), [(1, (1.0, -3.0), -3.0), (0, (1.0, -3.0), 1.0)], ids=["another", "its own"])
def test_33_a_book_that_does_not_move_together_counts_the_same_ends(j: int, ends: Any, held: float) -> None:
    memory = empty_memory(scratch_places(WINDOW))
    memory[6], memory[7], memory[8] = 3.0, 2.0, 1.0  # the columns of the steps
    shrunk(1.0, j, 1.0, 0, [ends[0], 0.0], [ends[1], 0.0], [10.0, 100.0], [2.0, 2.0], FIRST + SECOND, 4, 3, WINDOW, memory)
    assert memory[3 * WINDOW + 5] == pytest.approx((20.0 * held) ** 2 * np.var(FIRST[1:]))


# -- returns ----------------------------------------------------------------------------------------------------------


def test_33_a_return_is_from_the_instruments_own_bar_before() -> None:
    returns = own_returns(market({SHARE: [100, None, 150, 75], OTHER: [100, 110, 121, 121]}))
    assert np.allclose(returns, [[NAN, NAN], [NAN, 0.1], [0.5, 0.1], [-0.5, 0.0]], equal_nan=True)


def test_33_a_filtered_return_is_over_the_volatility_known_before_it() -> None:
    # with weights of 1, 0.94, 0.94 x 0.94 from the newest back
    after_one, after_two = 0.5, math.sqrt((0.04 + 0.94 * 0.25) / 1.94)
    found = filtered_returns(market({SHARE: [100, 150, None, 120, 120], OTHER: [100.0] * 5}))
    assert np.allclose(found[:, 0], [NAN, NAN, NAN, -0.2 / after_one, 0.0 / after_two], equal_nan=True)
    after_three = math.sqrt((0.94 * 0.04 + 0.94**2 * 0.25) / (1 + 0.94 + 0.94**2))
    assert np.allclose(found[:, 2], [NAN, after_one, after_one, after_two, after_three], equal_nan=True)
