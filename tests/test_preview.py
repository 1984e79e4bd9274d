"""What the limits would allow of one order, outside of any run."""

from __future__ import annotations

from typing import Any

import pytest
from worked import COIN, CONTRACT, EURUSD, SHARE

import workbench as wb
from workbench.errors import ParameterError
from workbench.risk import MaxExposure, MaxLeverage

BIG = wb.Instrument("BIG", min_quantity=10)
DEAR = wb.Instrument("DEAR", quantity_step=0.01, min_notional=500)
TENTHS = wb.Instrument("TEN", quantity_step=0.1)
PRICES = {"ABC": 100.0, "FUT": 50.0, "EURUSD": 1.25, "BIG": 10.0, "DEAR": 100.0, "TEN": 10.0}


class Own(wb.risk.RiskManager):
    """A limit that says what it is told, and notes what it was asked."""

    room: Any = 1.0

    def limit(self, order, portfolio, market):
        self.seen_ = [*getattr(self, "seen_", []), (order, portfolio, market)]
        return self.room, "so it is written"


def book(positions: dict[wb.Instrument, float] | None = None, cash: float = 1000.0, **more: Any) -> wb.Portfolio:
    return wb.Portfolio("USD", cash, positions, PRICES, **more)


def preview(order: wb.Order, portfolio: wb.Portfolio, *limits: Any) -> wb.Decision:
    return wb.Strategy(wb.signals.Breakout(), risk=list(limits)).preview(order, portfolio)


def trace(decision: wb.Decision) -> list[tuple[str, float, float]]:
    return [(reason.who, reason.before, reason.after) for reason in decision.reasons]


# -- closing and opening ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "side", "quantity", "expected"),
    [
        (5, "sell", 3, 3.0),
        (5, "sell", 5, 5.0),
        (5, "sell", 9, 6.0),  # 5 close, 1 of 4 opens
        (5, "buy", 3, 1.0),
        (-5, "buy", 9, 6.0),
        (-5, "sell", 3, 1.0),
        (0, "buy", 3, 1.0),
    ],
    ids=["part", "all", "through zero", "more", "short through zero", "more short", "flat"],
)
def test_only_what_opens_is_cut(held: float, side: Any, quantity: float, expected: float) -> None:
    own = Own(1.0)
    found = preview(wb.Order(SHARE, side, quantity), book({SHARE: held}), own)
    assert found.quantity == expected
    assert bool(found.reasons) == (expected != quantity)
    assert [order.quantity for order, *_ in getattr(own, "seen_", [])] == ([] if expected == quantity else [quantity - (expected - 1.0)])


def test_a_cut_through_zero_is_told_in_terms_of_the_whole_order() -> None:
    assert trace(preview(wb.Order(SHARE, "sell", 9), book({SHARE: 5}), Own(1.0))) == [("Own", 9.0, 6.0)]


def test_the_closing_part_counts_as_done() -> None:
    own = Own(1.0)
    preview(wb.Order(SHARE, "sell", 9), book({SHARE: 5, CONTRACT: 2}), own)
    order, frozen, market = own.seen_[0]
    assert (dict(frozen.positions), frozen.equity, order.quantity) == ({"ABC": 0.0, "FUT": 2.0}, 1500.0, 4.0)
    assert (frozen.highest, frozen.lowest) == (frozen.positions, frozen.positions)
    assert (market.price, market.unit, list(market.instruments)) == (100.0, 1.0, ["ABC", "FUT"])


def test_a_closing_that_float_arithmetic_made_a_hair_larger_is_a_closing() -> None:
    own = Own(0.0)
    found = preview(wb.Order(TENTHS, "sell", 0.1 * 3), book({TENTHS: 0.3}), own)
    assert (found.quantity, found.reasons) == (0.3, ())
    assert not hasattr(own, "seen_")


# -- one limit after the other ----------------------------------------------------------------------------------------


def test_each_limit_cuts_what_the_one_before_left() -> None:
    limits = [Own(40.0), MaxLeverage(3), MaxExposure({"ABC": 2500}, by="instrument"), Own(99.0)]
    found = preview(wb.Order(SHARE, "buy", 50), book(), *limits)
    assert trace(found) == [("Own", 50.0, 40.0), ("MaxLeverage", 40.0, 30.0), ("MaxExposure", 30.0, 25.0)]
    assert found.quantity == 25.0


def test_nothing_is_said_where_nothing_is_cut() -> None:
    found = preview(wb.Order(SHARE, "buy", 5), book(), MaxLeverage(3))
    assert (found.quantity, found.reasons, str(found)) == (5.0, (), "5, nothing cut")


@pytest.mark.parametrize("room", [0.0, -3.0, float("nan"), 0.5], ids=["none", "negative", "nan", "less than a step"])
def test_no_room_is_nothing(room: float) -> None:
    found = preview(wb.Order(SHARE, "buy", 5), book(), Own(room))
    assert found.quantity == 0.0
    assert trace(found)[0] == ("Own", 5.0, 0.0)


# -- whole steps and the smallest order -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "asked", "expected", "why"),
    [
        (SHARE, 2.7, 2.0, "ABC is traded in steps of 1"),
        (BIG, 9.0, 0.0, "the smallest order of BIG is 10"),
        (BIG, 10.0, 10.0, ""),
        (DEAR, 4.99, 0.0, "the smallest order of DEAR is 5"),
        (DEAR, 5.0, 5.0, ""),
        (EURUSD, 0.019, 0.01, "EURUSD is traded in steps of 0.01"),
    ],
)
def test_what_the_venue_takes(instrument: wb.Instrument, asked: float, expected: float, why: str) -> None:
    found = preview(wb.Order(instrument, "buy", asked), book())
    assert found.quantity == expected
    assert [reason.why for reason in found.reasons] == ([why] if why else [])


def test_a_cut_below_the_smallest_order_names_both() -> None:
    found = preview(wb.Order(BIG, "buy", 50), book(), Own(9.5))
    assert trace(found) == [("Own", 50.0, 9.0), ("venue", 9.0, 0.0)]


def test_more_steps_than_can_be_counted_are_said_as_that() -> None:
    found = preview(wb.Order(COIN, "buy", 1e8), wb.Portfolio("USDT", 1e20, prices={"BTCUSDT": 1.0}))
    assert found.quantity == 0.0
    assert "quantity_step is too fine" in str(found)


# -- buying power -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "held", "expected"),
    [
        (SHARE, {}, 10.0),  # 1,000 / 100
        (CONTRACT, {}, 200.0),  # 1,000 / (50 x 1/10)
        (EURUSD, {}, 0.24),  # 1,000 x 30 / 125,000
        (SHARE, {CONTRACT: 100}, 5.0),  # 500 tied up
        (SHARE, {CONTRACT: -100}, 5.0),
        (CONTRACT, {CONTRACT: 100}, 100.0),  # 500 of 1,000 are left
        (CONTRACT, {SHARE: 4}, 200.0),  # 1,000 in cash and 400 in shares, which tie up 400
    ],
    ids=["share", "contract", "fx", "beside a contract", "beside a short", "more of it", "beside a share"],
)
def test_22_buying_power_where_the_portfolio_asks_for_it(instrument: wb.Instrument, held: dict[Any, float], expected: float) -> None:
    found = preview(wb.Order(instrument, "buy", 1000), book(held, buying_power=True))
    assert found.quantity == expected
    assert trace(found) == [("buying power", 1000.0, expected)]
    assert preview(wb.Order(instrument, "buy", 1000), book(held)).quantity == 1000.0


def test_22_nothing_opens_without_equity() -> None:
    broke = book({SHARE: 1}, cash=-500.0, buying_power=True)
    assert broke.equity < 0
    assert preview(wb.Order(SHARE, "buy", 5), broke).quantity == 0.0
    assert preview(wb.Order(SHARE, "sell", 1), broke).quantity == 1.0


def test_a_portfolio_without_the_instrument_is_widened() -> None:
    portfolio = book({SHARE: 4})
    assert preview(wb.Order(CONTRACT, "buy", 5), portfolio).quantity == 5.0
    assert portfolio.symbols == ["ABC"]


def test_an_order_for_what_has_no_price_is_refused() -> None:
    with pytest.raises(ParameterError, match="no price of XYZ: give prices="):
        preview(wb.Order(wb.Instrument("XYZ"), "buy", 5), book())
