"""What happens to a portfolio besides fills: money in and out, dividends, funding, splits."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import CONTRACT, SHARE

from workbench import Instrument, Portfolio
from workbench.errors import ParameterError

EURO_SHARE = Instrument("SAP", quote="EUR")


def held(instrument: Instrument = SHARE, quantity: float = 10, price: float = 50.0) -> Portfolio:
    return Portfolio("USD", 1000.0, {instrument: quantity}, {instrument.symbol: price}, {"EURUSD": 1.25})


def test_money_in_and_out_is_no_profit() -> None:
    book = held()
    book.mark({"ABC": 51.0})
    book.deposit(500)
    book.withdraw(1200)
    assert (book.cash, book.equity, book.profit) == (300.0, 810.0, 10.0)


def test_funding_is_profit() -> None:
    book = held(CONTRACT, -2)
    book.income(-1.25)
    assert (book.cash, book.earned, book.profit) == (998.75, -1.25, -1.25)


@pytest.mark.parametrize(("quantity", "cash"), [(10, 1003.0), (-10, 997.0)], ids=["long", "short"])
def test_a_dividend_is_converted_and_a_short_position_pays_it(quantity: float, cash: float) -> None:
    book = held(EURO_SHARE, quantity)
    book.dividend("SAP", 0.24)
    assert book.cash == cash


def test_a_split_keeps_what_was_paid() -> None:
    book = held()
    book.split("ABC", 4)
    assert book.positions.loc["ABC"].tolist() == [40.0, 12.5, 12.5, 500.0, 0.0]
    book.mark({"ABC": 15.0})
    assert book.positions["unrealised"].tolist() == [100.0]


@pytest.mark.parametrize("instrument", [SHARE, CONTRACT], ids=["funded", "margined"])
def test_what_a_split_leaves_below_a_step_is_settled_at_the_last_price(instrument: Instrument) -> None:
    # 10 bought at 50 and worth 60: one for four leaves 2, and half of one that cost 200 and brings 240
    book = held(instrument)
    book.mark({instrument.symbol: 60.0})
    before = book.equity
    book.split(instrument.symbol, Fraction(1, 4))
    assert (book.positions["quantity"].tolist(), book.realised, book.equity) == ([2.0], 20.0, before)
    assert book.cash == (1120.0 if instrument is SHARE else 1020.0)


@given(st.integers(-500, 500).filter(bool), st.fractions(Fraction(1, 20), 20, max_denominator=20), st.floats(1, 500))
def test_a_split_changes_no_value(quantity: int, ratio: Fraction, price: float) -> None:
    for instrument in (SHARE, CONTRACT, EURO_SHARE):
        book = held(instrument, quantity)
        book.mark({instrument.symbol: price})
        before = book.equity
        book.split(instrument.symbol, ratio)
        assert book.equity == pytest.approx(before, rel=1e-9, abs=1e-6)
        assert book.profit == pytest.approx(book.realised + book.positions["unrealised"].sum(), rel=1e-9, abs=1e-6)


def test_cash_is_compared_with_the_venues_too() -> None:
    found = held().reconcile({"ABC": 10}, {"USD": 999.0, "EUR": 0.001})
    assert found[["what", "symbol", "ours", "theirs"]].to_numpy().tolist() == [["cash", "USD", 1000.0, 999.0]]


REFUSED: dict[str, tuple[Callable[[Portfolio], Any], str]] = {
    "deposit": (lambda b: b.deposit(-5), "a deposit must be a positive number, got -5"),
    "withdrawal": (lambda b: b.withdraw(1000.01), "a withdrawal of 1,000.01 USD is more than the cash of 1,000.00"),
    "income": (lambda b: b.income(float("nan")), "income must be a number, got nan"),
    "unknown": (lambda b: b.dividend("ABD", 1.0), "no position in 'ABD'; did you mean 'ABC'?"),
    "dividend": (lambda b: b.dividend("ABC", -1.0), "the dividend of ABC must be a positive number, got -1.0"),
    "split": (lambda b: b.split("ABC", 0), "the split ratio of ABC must be a positive number, got 0"),
}


@pytest.mark.parametrize(("asked", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_a_sentence(asked: Callable[[Portfolio], Any], said: str) -> None:
    book = held()
    with pytest.raises(ParameterError) as caught:
        asked(book)
    assert str(caught.value).startswith(f"Portfolio: {said}")
    assert (book.cash, book.earned, book.lots) == (1000.0, 0.0, [10])
