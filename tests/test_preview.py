"""What the limits would allow of one order, outside of any run."""

from __future__ import annotations

from typing import Any

import pytest
from worked import COIN, CONTRACT, EURUSD, SHARE, market, plan

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.risk import MaxExposure, MaxLeverage

BIG = wb.Instrument("BIG", min_quantity=10)
DEAR = wb.Instrument("DEAR", quantity_step=0.01, min_notional=500)
TENTHS = wb.Instrument("TEN", quantity_step=0.1)
THIRDS = wb.Instrument("THI", min_notional=100)
PRICES = {"ABC": 100.0, "FUT": 50.0, "EURUSD": 1.25, "BIG": 10.0, "DEAR": 100.0, "TEN": 10.0, "THI": 30.0, "BTCUSDT": 100.0}


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


@pytest.mark.parametrize(
    ("held", "asked", "expected"),
    [(5, 3.7, 3.0), (5, 5.7, 5.0), (5, 7.7, 7.0), (5, 0.7, 0.0), (5, 5.0, 5.0)],
    ids=["part", "all and a rest", "through zero", "less than a step", "all"],
)
def test_34_what_closes_and_the_whole_are_whole_steps(held: float, asked: float, expected: float) -> None:
    found = preview(wb.Order(SHARE, "sell", asked), book({SHARE: held}))
    assert found.quantity == expected
    assert [reason.why for reason in found.reasons] == (["ABC is traded in steps of 1"] if asked != expected else [])
    assert trace(found) == ([("venue", asked, pytest.approx(expected))] if asked != expected else [])


def test_34_the_whole_is_counted_in_steps_and_not_summed_in_floats() -> None:
    # 0.1 + 0.2 would be 0.30000000000000004
    assert preview(wb.Order(TENTHS, "sell", 0.3), book({TENTHS: 0.1})).quantity == 0.3


# -- short sales ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "side", "expected"),
    [(0, "sell", 0.0), (0.5, "sell", 0.5), (3, "sell", 2.0), (0, "buy", 2.0)],
    ids=["not held", "more than is held", "less than is held", "a purchase"],
)
def test_14_what_cannot_be_sold_short_is_sold_as_far_as_it_is_held(held: float, side: Any, expected: float) -> None:
    portfolio = wb.Portfolio("USDT", 1000.0, {COIN: held}, PRICES)
    own = Own(9.0)
    found = preview(wb.Order(COIN, side, 2.0), portfolio, own)
    assert found.quantity == expected
    assert trace(found) == ([("venue", 2.0, expected)] if expected != 2.0 else [])
    assert [reason.why for reason in found.reasons] == (["BTCUSDT cannot be sold short"] if expected != 2.0 else [])
    assert hasattr(own, "seen_") == (side == "buy")


def test_14_a_short_that_is_held_all_the_same_is_bought_back() -> None:
    assert preview(wb.Order(COIN, "buy", 2.0), wb.Portfolio("USDT", 1000.0, {COIN: -2}, PRICES)).quantity == 2.0


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


def test_a_limit_is_asked_about_what_the_one_before_left_and_not_about_nothing() -> None:
    first, second, third = Own(40.0), Own(0.0), Own(9.0)
    preview(wb.Order(SHARE, "buy", 50), book(), first, second, third)
    assert [own.seen_[0][0].quantity for own in (first, second)] == [50.0, 40.0]
    assert not hasattr(third, "seen_")


def test_a_limit_that_gives_no_number_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"Own\.limit must return a number, got 'all'"):
        preview(wb.Order(SHARE, "buy", 5), book(), Own("all"))


def test_a_run_and_a_preview_of_its_order_agree() -> None:
    # 1,000 in shares of 100 at the usual costs, and a limit of three times that
    bars, limits = market([100, 100]), [MaxLeverage(3), Own(40.0)]
    run = wb.Session(plan("+.", quantity=50, risk=limits), data=wb.ReplayAdapter(bars), execution=wb.execution.PaperVenue(1000.0))
    rows: list[Any] = []
    run.on(wb.session.Decided, lambda event: rows.append(event.row))
    run.run()
    found = preview(wb.Order(SHARE, "buy", 50), book(buying_power=True), *limits)
    assert trace(found)[:-1] == [("MaxLeverage", 50.0, rows[0].after[0])]
    assert (found.quantity, found.reasons[-1].before) == (rows[0].lots, rows[0].after[1])


# -- whole steps and the smallest order -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "asked", "expected", "why"),
    [
        (SHARE, 2.7, 2.0, "ABC is traded in steps of 1"),
        (BIG, 9.0, 0.0, "the smallest order of BIG is 10"),
        (BIG, 10.0, 10.0, ""),
        (DEAR, 4.99, 0.0, "the smallest order of DEAR is 5"),
        (DEAR, 5.0, 5.0, ""),
        (THIRDS, 3.0, 0.0, "the smallest order of THI is 4"),
        (THIRDS, 4.0, 4.0, ""),
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


@pytest.mark.parametrize("sold", [5e7, 1e8], ids=["half", "all"])
def test_what_closes_passes_though_its_steps_cannot_be_counted(sold: float) -> None:
    held = wb.Portfolio("USDT", 0.0, {COIN: 1e8}, {"BTCUSDT": 1.0})
    assert preview(wb.Order(COIN, "sell", sold), held) == wb.Decision(sold)


# -- buying power -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "held", "expected"),
    [
        (SHARE, {}, 9.0),  # (1,000 - 1) / 100.05 = 9.99
        (CONTRACT, {}, 133.0),  # 1,000 / (50.05 x 1/10 + 2.50) = 133.2
        (EURUSD, {}, 0.23),  # 1,000 / (125,012.50 / 30 + 12.50) = 0.239
        (SHARE, {CONTRACT: 100}, 4.0),  # 500.50 tied up: 498.50 / 100.05
        (SHARE, {CONTRACT: -100}, 4.0),
        (CONTRACT, {CONTRACT: 100}, 66.0),  # 499.50 / 7.505
        (CONTRACT, {SHARE: 4}, 133.0),  # 1,000 in cash and 400 in shares, which tie up 400.20: 999.80 / 7.505
    ],
    ids=["share", "contract", "fx", "beside a contract", "beside a short", "more of it", "beside a share"],
)
def test_22_buying_power_where_the_portfolio_asks_for_it(instrument: wb.Instrument, held: dict[Any, float], expected: float) -> None:
    found = preview(wb.Order(instrument, "buy", 1000), book(held, buying_power=True))
    assert found.quantity == expected
    assert trace(found) == [("buying power", 1000.0, expected)]
    assert preview(wb.Order(instrument, "buy", 1000), book(held)).quantity == 1000.0


def test_22_buying_power_in_words() -> None:
    found = preview(wb.Order(SHARE, "buy", 1000), book(buying_power=True))
    assert str(found) == "buying power: 1000 -> 9, equity 1,000.00 USD pays for the margin and costs of 9.98501"


def test_22_the_book_of_a_session_has_its_own_costs() -> None:
    costs = wb.execution.Costs(commission=0.01, slippage=0.01)
    venue = wb.execution.PaperVenue(1000.0, costs)
    run = wb.Session(plan(".."), data=wb.ReplayAdapter(market([100, 100])), execution=venue).run()
    assert preview(wb.Order(SHARE, "buy", 50), run.portfolio).quantity == 9.0  # 1,000 / (101 + 1.01) = 9.80


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


def test_an_order_for_another_instrument_of_a_held_symbol_is_refused() -> None:
    mini = wb.Instrument("FUT", "commodity", "future", multiplier=5)
    with pytest.raises(ParameterError, match=r"FUT is Instrument\('FUT', .*\) here, got Instrument\('FUT', .*multiplier=5\)"):
        preview(wb.Order(mini, "buy", 5), book({CONTRACT: 1}))
