"""The grids of quantities and prices against exact decimals (SEMANTICS 34, KERNEL traps 2 and 3)."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from workbench.grid import MOST_LOTS, fraction, lots_exactly, lots_of, quantity_of, round_away, ticks_below

STEPS = ["100", "5", "1", "0.5", "0.25", "0.1", "0.05", "0.01", "0.001", "0.015625", "1e-5", "1e-8"]
steps = st.sampled_from(STEPS)
#: Grids of KERNEL's kind: num / 10^k.
grids = st.builds(lambda num, k: Decimal(num).scaleb(-k), st.integers(1, 9999), st.integers(0, 9))


def grid_of(step: str | Decimal) -> tuple[float, float]:
    return fraction(float(step))


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0.05, (5, 100)), (100, (1e2, 1)), (0.015625, (15625, 1e6)), (1e-8, (1, 1e8)), (1.0, (1, 1)), (0.3, (3, 10)), (2.5e-7, (25, 1e8))],
)
def test_a_step_is_two_whole_numbers(step: float, expected: tuple[float, float]) -> None:
    assert fraction(step) == expected
    assert all(isinstance(number, float) for number in fraction(step))


@given(grids)
def test_a_step_is_kept_exactly(step: Decimal) -> None:
    number, power = grid_of(step)
    assert Fraction(int(number), int(power)) == Fraction(step)
    assert number == int(number)
    assert math.log10(power) == round(math.log10(power))


# -- lots to quantity -------------------------------------------------------------------------------------------------


@given(grids, st.integers(-(10**6), 10**6))
def test_a_quantity_is_the_float_nearest_to_the_decimal(step: Decimal, lots: int) -> None:
    assert quantity_of(lots, *grid_of(step)) == float(step * lots)


@given(steps, st.integers(0, 2**45))
def test_a_large_quantity_is_the_nearest_float_while_the_product_is_whole(step: str, lots: int) -> None:
    number, power = grid_of(step)
    assume(lots * number < 2**53)
    assert quantity_of(lots, number, power) == float(Decimal(step) * lots)


def test_lots_times_step_would_not_be_exact() -> None:
    # KERNEL trap 3: this is why one division is made
    wrong = [lots for lots in range(1, 1000) if lots * 0.01 != float(Decimal("0.01") * lots)]
    assert len(wrong) > 50
    assert all(quantity_of(lots, 1.0, 100.0) == float(Decimal("0.01") * lots) for lots in wrong)


@given(grids, st.integers(0, 2**52))
@example(Decimal("1e-8"), 4_421_081_234_567_891)
@example(Decimal("0.1"), 2**52)
@example(Decimal("0.3"), 2**51 - 1)
@example(Decimal("0.05"), 2**50 + 1)
def test_lots_exactly_inverts_quantity_of(step: Decimal, lots: int) -> None:
    number, power = grid_of(step)
    assume(lots * number < 2**53)  # beyond it two neighbours may share a float
    assert lots_exactly(quantity_of(lots, number, power), number, power) == lots


def test_lots_exactly_inverts_up_to_two_to_the_52_on_every_power_of_ten() -> None:
    for power in (10.0**k for k in range(10)):
        for lots in range(2**52 - 200, 2**52 + 1):
            assert lots_exactly(quantity_of(lots, 1.0, power), 1.0, power) == lots


# -- quantity to lots -------------------------------------------------------------------------------------------------


@given(steps, st.integers(1, 10**11))
@example("1e-8", 10**11 - 1)
def test_a_whole_number_of_steps_loses_none(step: str, lots: int) -> None:
    assert lots_of(float(Decimal(step) * lots), *grid_of(step)) == lots


@given(steps, st.integers(0, 10**11), st.floats(0.001, 0.999))
def test_a_part_of_a_step_is_never_made_a_whole_one(step: str, lots: int, part: float) -> None:
    number, power = grid_of(step)
    quantity = float(Decimal(step) * (lots + Decimal(min(part, 0.99))))
    assume(lots < 10**10 or part < 0.9)
    assert lots_of(quantity, number, power) == lots


@given(grids, st.floats(1e-6, 1e6))
def test_lots_are_those_of_the_decimal(step: Decimal, quantity: float) -> None:
    exact = Decimal(quantity) / step
    whole = exact.to_integral_value(rounding="ROUND_FLOOR")
    tolerance = max(Decimal("1e-15") * exact, min(Decimal("1.001e-9") * exact, Decimal("1.001e-3")))
    found = lots_of(quantity, *grid_of(step))
    assert found == whole or (found == whole + 1 and whole + 1 - exact <= tolerance)


@given(steps, st.integers(1, 10**9), st.floats(0.01, 1e5), st.floats(0.1, 1e5))
def test_what_float_arithmetic_lost_is_given_back(step: str, lots: int, price: float, unit: float) -> None:
    # a room in money, (3v - 2v) / (price x unit), holds exactly these lots
    value = quantity_of(lots, *grid_of(step)) * price * unit
    assert lots_of((3 * value - 2 * value) / (price * unit), *grid_of(step)) == lots


@pytest.mark.parametrize(
    ("quantity", "step", "lots"),
    [
        (0.3, 0.1, 3),
        (0.29999, 0.1, 2),
        (0.0, 0.1, 0),
        (0.9999995, 1, 0),
        (0.9999999995, 1, 1),
        (99.99, 100, 0),
        (1.5, 0.01, 150),
        (0.07, 0.01, 7),
    ],
)
def test_lots_by_hand(quantity: float, step: float, lots: int) -> None:
    assert lots_of(quantity, *fraction(step)) == lots


@pytest.mark.parametrize("quantity", [MOST_LOTS, 1e300, math.inf, math.nan])
def test_what_no_float_can_count_is_said(quantity: float) -> None:
    assert lots_of(quantity, 1.0, 1.0) == -1


# -- prices -----------------------------------------------------------------------------------------------------------


@given(st.sampled_from(["0.01", "0.05", "0.25", "0.5", "1e-5", "0.001", "0.015625"]), st.floats(0.001, 1e5), st.sampled_from([1.0, -1.0]))
def test_a_price_is_rounded_away_from_the_market(tick: str, price: float, side: float) -> None:
    rounded = round_away(price, side, *fraction(float(tick)))
    gone = (Decimal(price) - Decimal(rounded)) * int(side)
    slack = Decimal("1e-9") * Decimal(price) + Decimal("1e-12")
    assert -slack <= gone < Decimal(tick) + slack
    ticks = Decimal(rounded) / Decimal(tick)
    assert abs(ticks - ticks.to_integral_value()) < Decimal("1e-6")


@given(st.sampled_from(["0.01", "0.05", "0.25", "1e-5"]), st.integers(1, 10**7), st.sampled_from([1.0, -1.0]))
def test_a_price_on_the_grid_stays(tick: str, ticks: int, side: float) -> None:
    price = float(Decimal(tick) * ticks)
    assert round_away(price, side, *fraction(float(tick))) == price


@pytest.mark.parametrize(
    ("price", "side", "tick", "expected"),
    [
        (100.07, 1, 0.05, 100.05),
        (100.07, -1, 0.05, 100.1),
        (1.234567, 1, 1e-5, 1.23456),
        (1.234567, -1, 1e-5, 1.23457),
        (99.9, 1, 0.25, 99.75),
    ],
)
def test_rounding_by_hand(price: float, side: float, tick: float, expected: float) -> None:
    assert round_away(price, float(side), *fraction(tick)) == expected


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_without_a_grid_or_beyond_it_a_price_stays(side: float) -> None:
    assert round_away(1.2345678, side, 0.0, 1.0) == 1.2345678
    assert round_away(1e17, side, 1.0, 100.0) == 1e17
    assert math.isnan(ticks_below(math.nan, 1.0, 100.0))
