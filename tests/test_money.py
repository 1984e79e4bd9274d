"""The arithmetic of money against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.money import cash_after, fee_of, slipped, worth

quantities = st.floats(-1e6, 1e6).filter(lambda q: abs(q) > 1e-6)
prices = st.floats(0.01, 1e5)
units = st.floats(0.001, 1e5)
rates = st.floats(0, 0.01)


def near(value: float, exact: Fraction, scale: Fraction | int = 1) -> bool:
    return abs(Fraction(value) - exact) <= Fraction(1, 10**14) * max(abs(exact), abs(Fraction(scale)))


@given(prices, st.sampled_from([1.0, -1.0]), rates, st.floats(0, 1))
def test_slippage_moves_a_price_against_us(price: float, side: float, rate: float, offset: float) -> None:
    moved = slipped(price, side, rate, offset)
    assert (moved - price) * side >= 0
    assert near(moved, Fraction(price) * (1 + Fraction(side) * Fraction(rate)) + Fraction(side) * Fraction(offset), Fraction(price) + 1)


@pytest.mark.parametrize(
    ("arguments", "fee"),
    [
        ((100, 25.0, 1.0, 1.0, 0.001, 0.0, 0.0), 2.5),
        ((-100, 25.0, 1.0, 1.0, 0.001, 0.0, 0.0), 2.5),
        ((100, 25.0, 1.0, 1.0, 0.0, 0.005, 1.0), 1.0),
        ((1000, 25.0, 1.0, 1.0, 0.0, 0.005, 1.0), 5.0),
        ((2, 5000.0, 50.0, 50.0, 0.0, 2.5, 0.0), 5.0),
        ((2, 5000.0, 50 * 0.8, 50.0, 0.0, 2.5, 0.0), 4.0),
        ((1, 100.0, 0.5, 1.0, 0.001, 0.0, 1.0), 0.5),
        ((1, 100.0, 0.5, 1.0, 0.001, 1.0, 1.0), 0.55),
    ],
    ids=["rate", "of a sale", "least", "a share", "a contract", "a contract, converted", "least, converted", "rate and unit"],
)
def test_a_fee_by_hand(arguments: tuple[float, ...], fee: float) -> None:
    assert fee_of(*arguments) == pytest.approx(fee, rel=1e-15)


@given(quantities, prices, units, st.floats(0.01, 1e5), rates, st.floats(0, 10), st.floats(0, 10))
def test_a_fee_is_the_larger_of_its_parts_and_the_least(
    quantity: float, price: float, unit: float, multiplier: float, rate: float, each: float, least: float
) -> None:
    q, p, u, m = (Fraction(x) for x in (quantity, price, unit, multiplier))
    parts = abs(q) * p * u * Fraction(rate) + abs(q) * Fraction(each) * u / m
    exact = max(parts, Fraction(least) * u / m)
    assert near(fee_of(quantity, price, unit, multiplier, rate, each, least), exact)


@given(st.floats(-1e9, 1e9), quantities, prices, prices, units, st.floats(0, 100))
def test_cash_and_worth_against_fractions(cash: float, quantity: float, price: float, basis: float, unit: float, fee: float) -> None:
    q, p, b, u = (Fraction(x) for x in (quantity, price, basis, unit))
    scale = abs(q) * max(p, b) * u + abs(Fraction(cash)) + Fraction(fee)
    assert near(worth(quantity, price, basis, unit), q * (p - b) * u, scale)
    assert near(cash_after(cash, quantity, price, basis, unit, fee), Fraction(cash) - q * (p - b) * u - Fraction(fee), scale)


@given(st.integers(1, 1000), prices, prices)
def test_a_round_trip_costs_its_fees_only_when_the_price_stands_still(lots: int, price: float, cash: float) -> None:
    bought = cash_after(cash, float(lots), price, 0.0, 1.0, 0.0)
    sold = cash_after(bought, -float(lots), price, 0.0, 1.0, 0.0)
    assert sold == pytest.approx(cash, abs=1e-9 * lots * price)
    assert bought + worth(float(lots), price, 0.0, 1.0) == pytest.approx(cash, abs=1e-9 * lots * price)


def test_the_order_of_operations_is_the_written_one() -> None:
    q, p, u, fee = 0.1, 0.7, 0.3, 0.013
    assert worth(q, p, 0.0, u) == (q * p) * u
    assert cash_after(1.1, q, p, 0.0, u, fee) == 1.1 - ((q * p) * u + fee)
    assert (q * p) * u != q * (p * u)
