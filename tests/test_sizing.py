"""Sizers by hand, and through the method that a user's own part would have."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import EURUSD, FREE, SHARE, Stop, both, market, opened, plan, reasons

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.market import Book, Market
from workbench.rates import conversion
from workbench.sizing import FixedFraction, FixedQuantity, MinimumSize, PositionSizer, RiskPercent

NAN = float("nan")


def size(sizer: PositionSizer, instrument: wb.Instrument = SHARE, price: float = 100.0, stance: float = 1.0, **more: Any) -> float:
    """Ask a sizer as a session does."""
    equity, currency = more.get("equity", 10_000.0), more.get("currency", "USD")
    unit = float(conversion(currency, market([price, price], instrument), more.get("rates", {})).unit[0, 0])
    book = Book(currency, equity, equity, {}, {}, {})
    inputs = {"stop_distance": more["distance"]} if "distance" in more else {}
    symbol = instrument.symbol
    return sizer.size(stance, book, Market(0, instrument, {symbol: instrument}, {symbol: price}, {symbol: unit}, {symbol: 0.0}, inputs))


# -- worked cases -----------------------------------------------------------------------------------------------------


@given(st.floats(100, 1e7), st.floats(0.0001, 0.49), st.floats(0.001, 50), st.floats(1, 1e4))
def test_16_the_loss_at_the_stop_is_the_risk(equity: float, risk: float, distance: float, price: float) -> None:
    quantity = size(RiskPercent(risk), price=price, equity=equity, distance=distance)
    assert quantity * distance == pytest.approx(risk * equity, rel=1e-12)


@pytest.mark.parametrize(
    ("sizer", "more", "expected"),
    [
        (FixedQuantity(3), {}, 3.0),
        (FixedQuantity(0.25), {"price": 1e5}, 0.25),
        (FixedFraction(0.5), {}, 50.0),
        (FixedFraction(0.5), {"stance": -0.3}, 50.0),
        (FixedFraction(2), {"instrument": EURUSD, "price": 1.25}, 0.16),
        (FixedFraction(2), {"instrument": EURUSD, "price": 1.25, "currency": "EUR", "rates": {}}, 0.2),
        (RiskPercent(0.01), {"distance": 2.0, "stance": -1.0}, 50.0),
        (MinimumSize(), {}, 1.0),
        (MinimumSize(), {"instrument": EURUSD, "price": 1.25}, 0.01),
        (MinimumSize(), {"instrument": wb.Instrument("M", min_quantity=2.5, quantity_step=1)}, 3.0),
        (MinimumSize(), {"instrument": wb.Instrument("M", min_notional=250)}, 3.0),
        (MinimumSize(), {"instrument": wb.Instrument("M", min_notional=300)}, 3.0),
        (MinimumSize(), {"instrument": wb.Instrument("M", min_notional=300, multiplier=10)}, 1.0),
        (MinimumSize(), {"instrument": wb.Instrument("M", min_notional=300, min_quantity=7)}, 7.0),
    ],
    ids=repr,
)
def test_a_size_by_hand(sizer: PositionSizer, more: dict[str, Any], expected: float) -> None:
    assert size(sizer, **more) == pytest.approx(expected, rel=1e-12)


@given(st.sampled_from(["1", "0.1", "0.01", "0.05", "0.001", "5"]), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_minimum_is_the_first_step_that_the_venue_takes(step: str, steps: int, cents: int, notional: int) -> None:
    price, least = cents / 100, float(Decimal(step) * (1 + steps % 50))
    instrument = wb.Instrument("M", quantity_step=float(step), min_quantity=least, min_notional=notional)
    found = Decimal(size(MinimumSize(), instrument, price))
    needed = max(Decimal(least), Decimal(notional) / Decimal(price))
    assert needed * (1 - Decimal("1.1e-9")) <= found < needed + Decimal(step) * (1 - Decimal("1e-6"))
    assert abs(found / Decimal(step) - round(found / Decimal(step))) < Decimal("1e-6")


def test_12_conviction_is_not_size() -> None:
    assert size(FixedFraction(0.5), stance=0.01) == size(FixedFraction(0.5), stance=1.0)


def test_a_minimum_opens_what_the_venue_takes() -> None:
    instrument = wb.Instrument("M", min_notional=250, quantity_step=0.01)
    result = both(plan("+.", sizer=MinimumSize()), market([99.7, 99.7], instrument), costs=FREE)
    assert opened(result) == [2.51]  # 250 / 99.7 = 2.5075


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FixedQuantity(0), "FixedQuantity: quantity must be a positive number, got 0"),
        (lambda: FixedQuantity(math.inf), "got inf"),
        (lambda: FixedFraction(-0.5), "FixedFraction: fraction must be a positive number (0.5 = half of equity), got -0.5"),
        (lambda: RiskPercent(0), "RiskPercent: risk is a fraction of equity below 0.5 (0.005 = half a percent), got 0"),
        (lambda: RiskPercent(2), "got 2"),
        (lambda: RiskPercent(0.5), "0.005 = half a percent"),
        (lambda: RiskPercent("1%"), "RiskPercent.risk must be float, got '1%' (str)"),
        (lambda: RiskPercent(rsk=0.01), "did you mean 'risk'?"),
        (lambda: MinimumSize(1), "MinimumSize"),
    ],
    ids=["nothing", "endless", "negative", "no risk", "twice everything", "half a percent meant", "text", "misspelt", "no parameter"],
)
def test_a_wrong_size_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)


def test_risk_without_a_stop_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"RiskPercent sizes by the distance to a stop.*add exits=\[wb.exits.AtrStop\(\)\]"):
        wb.Strategy(wb.signals.Breakout(), RiskPercent())
    with pytest.raises(StrategyError, match="RiskPercent"):
        wb.Strategy(wb.signals.Breakout(), RiskPercent(), exits=[wb.exits.TakeProfit(percent=0.1)])


# -- a sizer of one's own ---------------------------------------------------------------------------------------------


class TenthOfEquity(PositionSizer):
    """The five lines of the docstring."""

    part: float = 0.1

    def size(self, signal, portfolio, market):
        return self.part * portfolio.equity / (market.price * market.unit)


class Told(PositionSizer):
    """Asks for what it is told."""

    what: Any = 1.0

    def size(self, signal, portfolio, market):
        self.asked_ = [*getattr(self, "asked_", []), (signal, portfolio.equity, market.price, market.inputs.get("stop_distance"))]
        return self.what


def test_the_sizer_of_the_docstring_runs_through_the_session() -> None:
    result = both(plan("+.", sizer=TenthOfEquity()), market([100, 100]), cash=10_000)
    assert opened(result) == [10.0]
    assert result.record.engine == "session"


def test_a_sizer_sees_the_stance_the_equity_and_the_stop() -> None:
    own = Told(2)
    both(plan("+0-.", sizer=own, exits=[Stop(7.0)]), market([100, 100, 110, 110]), cash=10_000)
    assert own.asked_[:2] == [(1.0, 10_000.0, 100.0, 7.0), (-1.0, 10_020.0, 110.0, 7.0)]


@pytest.mark.parametrize(("stance", "side"), [(0.4, 1.0), (-0.4, -1.0), (3.0, 1.0)])
def test_12_a_decision_of_ones_own_is_given_the_side_and_the_stance(stance: float, side: float) -> None:
    class Sided(PositionSizer):
        @staticmethod
        def decision(p, spec, side, stance, equity, price, unit, distance, measured, past):
            return 100.0 * side + stance

    assert size(Sided(), stance=stance) == 100.0 * side + stance


@pytest.mark.parametrize("what", [0, -1.0, NAN], ids=str)
def test_a_sizer_that_asks_for_nothing_opens_nothing(what: float) -> None:
    result = both(plan("+.", sizer=Told(what)), market([100, 100]))
    assert opened(result) == [0.0]
    assert reasons(result) == ["Told asks for nothing" + (": what it measures is not known yet" if what != what else "")]


def test_a_sizer_without_a_rule_says_what_is_missing() -> None:
    class Empty(PositionSizer):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must define size\(self, signal, portfolio, market\)"):
        size(Empty())
