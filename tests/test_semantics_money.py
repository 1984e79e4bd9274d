"""SEMANTICS 28-34: rates, fees, exposure, costs, grids. Numbers are worked by hand."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest
from worked import COIN, CONTRACT, EURUSD, FREE, OTHER, SHARE, USDJPY, Stop, both, fills, market, opened, plan, reasons

import workbench as wb
from workbench.errors import DataError
from workbench.execution import Costs, Limit
from workbench.risk import MaxExposure
from workbench.sizing import FixedFraction, MinimumSize

PERCENT = Costs(commission=0.01, slippage=0.0)
BITCOIN = wb.Instrument("BTCUSD", "crypto")
PERPETUAL = wb.Instrument("BTCUSDT", "crypto", "perpetual")
TICKED = wb.Instrument("FUT", "commodity", "future", tick_size=0.25)

# -- 28: rates --------------------------------------------------------------------------------------------------------


def test_rule_28_open_profit_is_converted_at_the_current_rate():
    # 1 lot of USDJPY at 125: at 128 it has made 300,000 JPY = 2,343.75 USD, at 160 3,500,000 JPY = 21,875 USD
    result = both(plan("+..."), market([125, 125, 128, 160], USDJPY), currency="USD")
    assert result.equity.tolist() == [100_000.0, 100_000.0, 102_343.75, 121_875.0]


def test_rule_28_realised_profit_is_converted_at_the_last_completed_steps_rate():
    # sold at the open of 160, when the last known rate is 128: 3,500,000 JPY / 128 = 27,343.75, and it stays that
    result = both(plan("+.0.."), market([125, 125, 128, 160, 100], USDJPY), currency="USD")
    assert result.equity.tolist()[-2:] == [127_343.75, 127_343.75]
    assert result.trades["profit"].tolist() == [27_343.75]


def test_rule_28_fees_are_converted_at_the_last_completed_steps_rate():
    # 1 % of 100,000 x 160 JPY, at 128: 1,250 USD; at the entry 1 % of 12,500,000 JPY at 125: 1,000 USD
    result = both(plan("+.0.."), market([125, 125, 128, 160, 100], USDJPY), currency="USD", costs=PERCENT)
    assert result.fills["fee"].tolist() == [1000.0, 1250.0]


FOREIGN = {SHARE: [100, 100, 100, 100], EURUSD: [1.25, 1.6, 2.0, 2.0]}


def test_rule_28_a_foreign_share_is_paid_at_the_last_rate_and_marked_at_the_current_one():
    # 10 x 100 USD: 800 EUR paid at 1.25, worth 625 at 1.6 and 500 at 2.0
    result = both(plan("+...", "....", quantity=10), market(FOREIGN), currency="EUR", cash=10_000)
    assert result.equity.tolist() == [10_000.0, 9825.0, 9700.0, 9700.0]


def test_rule_28_a_closing_is_booked_at_the_last_completed_steps_rate():
    # sold in row 2, whose close is not known at its open: 1,000 USD at 1.6 are 625 EUR, for good
    result = both(plan("+0..", "....", quantity=10), market(FOREIGN), currency="EUR", cash=10_000)
    assert result.equity.tolist() == [10_000.0, 9825.0, 9825.0, 9825.0]


def test_rule_28_sizes_use_the_steps_close_of_the_pair():
    # row 1: 1,000 EUR at 1.6 are 1,600 USD
    result = both(plan(".+..", "....", sizer=FixedFraction(1.0)), market(FOREIGN), currency="EUR", cash=1000)
    assert opened(result) == [16.0]


def test_rule_28_a_given_rate_counts_like_one_in_the_bars():
    known = pd.Series(FOREIGN[EURUSD], pd.date_range("2024-01-01 01:00", periods=4, freq="h", tz="UTC"))
    result = both(plan("+...", quantity=10), market(FOREIGN[SHARE]), currency="EUR", cash=10_000, rates={"EURUSD": known})
    assert result.equity.tolist() == [10_000.0, 9825.0, 9700.0, 9700.0]


def test_rule_28_a_cross_is_converted_through_other_pairs():
    # JPY -> USD -> EUR: 1,000,000 JPY / 125 = 8,000 USD / 1.25 = 6,400 EUR; the equity buys 15 shares of 1,000,000 JPY
    share = wb.Instrument("TOYO", quote="JPY")
    result = both(plan("+.", sizer=FixedFraction(1.0)), market([1e6, 1e6], share), currency="EUR", rates={"EURUSD": 1.25, "USDJPY": 125})
    assert opened(result) == [15.0]


def test_rule_28_without_a_rate_nothing_opens_and_it_is_said():
    # the pair's first bar comes after the decision; the wish is not repeated
    bars = market({SHARE: [100] * 4, EURUSD: [None, 1.25, 1.25, 1.25]})
    result = both(plan("++++", "...."), bars, currency="EUR")
    assert opened(result) == [0.0]
    assert "conversion rate" in reasons(result)[0]


@pytest.mark.parametrize(
    ("interval", "age", "lots"),
    [("1D", 5, 1.0), ("1D", 6, 0.0), ("1h", 72, 1.0), ("1h", 73, 0.0)],
    ids=["five days", "six days", "three days of hours", "an hour more"],
)
def test_rule_28_a_rate_grows_too_old_to_open(interval, age, lots):
    bars = market({SHARE: [100] * (age + 2), EURUSD: [1.25, *[None] * (age + 1)]}, interval=interval)
    result = both(plan("." * age + "+.", "."), bars, currency="EUR")
    assert opened(result) == [lots]


def test_rule_28_a_rate_that_is_too_old_still_marks_and_closes():
    rows = [100, 100, *[100] * 7, 100]
    bars = market({SHARE: rows, EURUSD: [1.25, 1.25, *[None] * 8]}, interval="1D")
    result = both(plan("+" + "." * 7 + "0.", "."), bars, currency="EUR", cash=1000)
    assert [(row, leg) for row, leg, _, _ in fills(result)] == [(1, "open"), (9, "close")]
    assert set(result.equity) == {1000.0}


def test_rule_28_a_currency_without_any_rate_is_refused_before_anything_happens():
    with pytest.raises(DataError, match="no conversion rate from USD to the account currency CHF"):
        wb.backtest(plan("+."), market([100, 100]), currency="CHF")


# -- 29: fees in the currency charged ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("costs", "fee"),
    [(Costs(commission=0.01), 8.0), (Costs(minimum=20.0), 16.0), (Costs(per_unit=2.5), 20.0), (Costs(commission=0.01, minimum=10.0), 8.0)],
    ids=["share of the notional", "least fee", "a share", "the larger: equal"],
)
def test_rule_29_fees_are_charged_in_the_currency_of_the_instrument(costs, fee):
    # 10 at 100 USD, 1.25 USD a EUR: 10 USD are 8 EUR
    result = both(
        plan("+.", quantity=10),
        market([100, 100]),
        costs=Costs(**{**costs.get_params(), "slippage": 0.0}),
        currency="EUR",
        rates={"EURUSD": 1.25},
    )
    assert result.fills["fee"].tolist() == [fee]
    assert result.equity.iloc[-1] == 100_000.0 - fee


def test_rule_29_each_fill_pays_its_fee():
    result = both(plan("+-0..", quantity=10), market([100] * 5), costs=Costs(minimum=3.0, slippage=0.0))
    assert result.fills["fee"].tolist() == [3.0] * 4
    assert result.equity.tolist() == [100_000.0, 99_997.0, 99_991.0, 99_988.0, 99_988.0]


# -- 30: exposure by currency -----------------------------------------------------------------------------------------


def book_of(currency: str, positions: dict[wb.Instrument, float], prices: dict[str, float], **rates: float) -> dict[str, float]:
    portfolio = wb.Portfolio(currency, 1e6, positions, prices, rates)
    return portfolio.exposure(by="currency").to_dict()


def test_rule_30_a_pair_counts_with_both_legs_and_all_legs_sum_to_zero():
    eurgbp, gbpusd = wb.Instrument("EURGBP", "fx", multiplier=100_000), {"GBPUSD": 1.25}
    found = book_of("USD", {EURUSD: 3, USDJPY: -2, eurgbp: 1}, {"EURUSD": 1.0, "USDJPY": 125, "EURGBP": 0.8}, **gbpusd)
    # EUR 3 + 1 lots at 1.0; USD -300,000 - 200,000; JPY +25,000,000 at 125; GBP -80,000 at 1.25
    assert found == pytest.approx({"EUR": 400_000.0, "USD": -500_000.0, "JPY": 200_000.0, "GBP": -100_000.0})
    assert sum(found.values()) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        (SHARE, {"USD": 800.0}),
        (BITCOIN, {"BTC": 800.0}),
        (CONTRACT, {}),
        (wb.Instrument("BTCUSD", "crypto", "perpetual"), {}),
        (wb.Instrument("EURUSD", "fx", "future", base="EUR", quote="USD"), {}),
    ],
    ids=["share", "coin", "future", "perpetual", "currency future"],
)
def test_rule_30_what_counts_as_exposure_to_a_currency(instrument, expected):
    # 10 at 100 USD are 800 EUR; a million of cash in EUR is none
    assert book_of("EUR", {instrument: 10}, {instrument.symbol: 100.0}, EURUSD=1.25) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("instrument", "limit", "allowed"),
    [
        (SHARE, {"USD": 400.0}, 5.0),  # 80 EUR each
        (SHARE, {"EUR": 1.0}, 10.0),
        (BITCOIN, {"BTC": 400.0}, 5.0),
        (BITCOIN, {"USD": 1.0}, 10.0),
        (CONTRACT, {"USD": 1.0}, 10.0),
        (wb.Instrument("BTCUSD", "crypto", "perpetual"), {"BTC": 1.0, "USD": 1.0}, 10.0),
    ],
    ids=["share", "share and account currency", "coin", "coin and quote", "future", "perpetual"],
)
def test_rule_30_a_limit_by_currency_sees_those_legs(instrument, limit, allowed):
    result = both(
        plan("+.", quantity=10, risk=[MaxExposure(limit)]), market([100, 100], instrument), currency="EUR", rates={"EURUSD": 1.25}
    )
    assert opened(result) == [allowed]


@pytest.mark.parametrize(
    ("limit", "allowed"), [({"USD": 250_000}, 2.5), ({"JPY": 250_000}, 2.5), ({"EUR": 1}, 4.0)], ids=["base", "quote", "neither"]
)
def test_rule_30_both_legs_of_a_pair_are_limited(limit, allowed):
    # a lot of USDJPY is 100,000 USD on one side and 12,500,000 JPY / 125 on the other
    result = both(plan("-.", quantity=4, risk=[MaxExposure(limit)]), market([125, 125], USDJPY), currency="USD")
    assert opened(result) == [allowed]


# -- 31: default costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "close", "quantity", "price", "fee", "words"),
    [
        (BITCOIN, 100, 1, 100.05, 0.10005, "10 bp, slippage 5 bp"),
        (PERPETUAL, 100, 1, 100.05, 0.050025, "5 bp, slippage 5 bp"),
        (SHARE, 100, 100, 100.05, 5.0025, "at least 1 a fill"),
        (SHARE, 100, 1, 100.05, 1.0, "5 bp + at least 1 a fill, slippage 5 bp"),
        (EURUSD, 1.25, 1, 1.250125, 12.50125, "1 bp, slippage 1 bp"),
        (TICKED, 100, 3, 100.25, 7.5, "2.5 a unit, slippage 0.25"),
        (CONTRACT, 100, 3, 100.1, 7.5, "slippage 10 bp"),
    ],
    ids=["coin", "perpetual", "share", "small trade in shares", "currencies", "future", "future without a tick"],
)
def test_rule_31_the_usual_costs_of_each_market(instrument, close, quantity, price, fee, words):
    result = both(plan("+.", quantity=quantity), market([close, close], instrument), costs=None)
    assert result.fills[["price", "fee"]].iloc[0].tolist() == pytest.approx([price, fee], rel=1e-12)
    assert any(words in line for line in result.assumptions)


def test_rule_31_a_future_slips_a_tick_each_way():
    result = both(plan("-.0."), market([100] * 4, TICKED), costs=None)
    assert fills(result) == [(1, "open", -1.0, 99.75), (3, "close", 1.0, 100.25)]
    assert result.equity.iloc[-1] == 100_000.0 - 0.5 - 5.0


def test_rule_31_half_of_a_known_spread_is_paid():
    # 4 bp of spread: 2 bp each way, and the usual 1 bp of commission
    result = both(plan("+."), market([1.25, 1.25], EURUSD), costs=Costs(spread=0.0004))
    assert result.fills[["price", "fee"]].iloc[0].tolist() == pytest.approx([1.25025, 12.5025], rel=1e-12)


@pytest.mark.parametrize(
    ("instrument", "word"),
    [(PERPETUAL, "funding not modelled"), (EURUSD, "swap not modelled"), (SHARE, "borrow costs of short positions not modelled")],
    ids=["perpetual", "currencies", "share"],
)
def test_rule_31_what_is_not_modelled_is_said(instrument, word):
    assert any(word in line for line in both(plan("+."), market([1, 1], instrument), costs=None).assumptions)


def test_rule_31_costs_by_symbol_leave_the_others_their_usual_ones():
    bars = market({SHARE: [100, 100], OTHER: [100, 100]})
    result = both(plan("+.", "+.", quantity=100), bars, costs={"ABC": FREE})
    assert result.fills["fee"].tolist() == pytest.approx([0.0, 5.0025])


# -- 34: steps and ticks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "asked", "quantity"),
    [
        (1.0, 0.99999, "0"),
        (1.0, 1 - 1e-10, "1"),  # float noise is given back
        (1.0, 1 - 2e-9, "0"),  # two parts in 1e9 are not noise
        (1.0, 2.9999999999, "3"),
        (0.1, 0.3, "0.3"),
        (0.1, 0.1 + 0.2, "0.3"),
        (0.1, 0.29999, "0.2"),
        (0.1, 0.8 - 0.1, "0.7"),
        (0.05, 0.15, "0.15"),
        (0.05, 0.19, "0.15"),
        (0.001, 0.069, "0.069"),
        (100.0, 399.0, "300"),
        (1e-8, 0.00000003, "0.00000003"),
        (1e-8, 0.123456789, "0.12345678"),
        (1e-8, 100.00000001, "100.00000001"),
        (1e-8, 100.000000019, "100.00000001"),  # a tolerance of 1e-9 of 1e10 steps would be ten of them
        (1e-8, 99.99999999, "99.99999999"),
    ],
)
def test_rule_34_a_quantity_is_a_whole_number_of_steps(step, asked, quantity):
    instrument = wb.Instrument("ABC", quantity_step=step)
    found = both(plan("+.", quantity=asked), market([0.5, 0.5], instrument))
    assert opened(found) == [float(Decimal(quantity))]
    assert ["smallest" in words for words in reasons(found)] == [quantity == "0"]


@pytest.mark.parametrize("fraction", [0.07, 0.14, 0.28, 0.29, 0.55, 0.56, 0.57, 0.58])
def test_rule_34_no_step_is_lost_to_float_arithmetic(fraction):
    # fraction x 1,000 / 100 in steps of 0.1 is whole on paper, and falls short of it in binary for some of these
    instrument = wb.Instrument("ABC", quantity_step=0.1)
    result = both(plan("+.", sizer=FixedFraction(fraction)), market([100, 100], instrument), cash=1000)
    assert opened(result) == [float(Decimal(str(fraction)) * 10)]


@pytest.mark.parametrize("step", [0.1, 0.01, 0.001, 0.05, 1e-5, 1e-8])
def test_rule_34_a_quantity_as_float_is_the_nearest_to_the_decimal(step):
    instrument = wb.Instrument("ABC", quantity_step=step)
    for n in (3, 7, 29, 57, 1005):
        exact = Decimal(repr(step)) * n
        session = wb.Session(plan("+.", quantity=float(exact)), data=wb.ReplayAdapter(market([0.5, 0.5], instrument))).run()
        assert session.execution.positions() == {"ABC": float(exact)}
        assert session.portfolio.positions["quantity"].tolist() == [float(exact)]


def test_rule_34_positions_are_whole_steps_through_any_number_of_turns():
    stances = "+-" * 30 + "0."
    result = both(plan(stances, quantity=0.3), market([100] * 62, wb.Instrument("ABC", quantity_step=0.1)))
    assert set(result.positions["ABC"].iloc[1:-1]) == {0.3, -0.3}
    assert result.positions["ABC"].iloc[-1] == 0.0


@pytest.mark.parametrize(
    ("instrument", "quantity", "price", "allowed"),
    [
        (wb.Instrument("ABC", min_notional=500), 5, 100, 5.0),
        (wb.Instrument("ABC", min_notional=500), 4, 100, 0.0),
        (wb.Instrument("ABC", min_notional=500.0000001), 5, 100, 5.0),  # within 1e-9
        (wb.Instrument("FUT", "commodity", "future", multiplier=10, min_notional=500), 1, 50, 1.0),
        (wb.Instrument("FUT", "commodity", "future", multiplier=10, min_notional=500), 1, 49, 0.0),
        (wb.Instrument("ABC", min_quantity=5), 5, 100, 5.0),
        (wb.Instrument("ABC", min_quantity=5), 4, 100, 0.0),
        (wb.Instrument("ABC", quantity_step=0.1, min_quantity=0.1 + 0.2), 0.3, 100, 0.3),
    ],
    ids=[
        "notional",
        "notional below",
        "notional tie",
        "with multiplier",
        "with multiplier below",
        "quantity",
        "quantity below",
        "quantity in floats",
    ],
)
def test_rule_34_below_the_minimum_there_is_no_trade(instrument, quantity, price, allowed):
    result = both(plan("+.", quantity=quantity), market([price, price], instrument))
    assert opened(result) == [allowed]
    assert ("smallest order" in reasons(result)[0]) == (allowed == 0.0)


def test_rule_34_the_least_notional_is_in_the_instruments_currency():
    # 5 x 100 USD are 400 EUR, and enough for 500 USD
    result = both(
        plan("+.", quantity=5), market([100, 100], wb.Instrument("ABC", min_notional=500)), currency="EUR", rates={"EURUSD": 1.25}
    )
    assert opened(result) == [5.0]


def test_rule_34_a_cut_below_the_minimum_is_no_trade():
    limit = MaxExposure(400, by="instrument")
    result = both(plan("+.", quantity=50, risk=[limit]), market([100, 100], wb.Instrument("ABC", min_quantity=5)))
    assert opened(result) == [0.0]
    assert "MaxExposure: 50 -> 4" in reasons(result)[0]
    assert "smallest order" in reasons(result)[0]


@pytest.mark.parametrize(
    ("instrument", "price", "quantity"),
    [
        (SHARE, 100, 1.0),
        (wb.Instrument("ABC", quantity_step=0.001, min_notional=10), 300, 0.034),  # 0.0333...
        (wb.Instrument("ABC", quantity_step=0.001, min_notional=12), 300, 0.04),  # exactly
        (wb.Instrument("ABC", quantity_step=0.1, min_quantity=0.3), 300, 0.3),
        (wb.Instrument("FUT", "commodity", "future", multiplier=10, min_notional=1500), 100, 2.0),
    ],
    ids=["share", "rounded up", "exactly", "least quantity", "with multiplier"],
)
def test_rule_34_minimum_size_is_the_smallest_that_is_taken(instrument, price, quantity):
    assert opened(both(plan("+.", sizer=MinimumSize()), market([price, price], instrument))) == [quantity]


@pytest.mark.parametrize(
    ("stance", "close", "tick", "offset", "price"),
    [
        ("+", 100.03, 0.01, 0.05, 95.02),  # 95.0285
        ("-", 100.03, 0.01, 0.05, 105.04),  # 105.0315
        ("+", 100.05, 0.05, 0.0, 100.05),
        ("-", 100.05, 0.05, 0.0, 100.05),
        ("+", 100.07, 0.05, 0.0, 100.05),
        ("-", 100.07, 0.05, 0.0, 100.10),
        ("+", 1.23457, 0.00001, 0.0, 1.23457),
        ("+", 3.3, 0.1, 0.0, 3.3),
    ],
)
def test_rule_34_limits_are_sent_on_the_tick_away_from_the_market(stance, close, tick, offset, price):
    instrument = wb.Instrument("ABC", tick_size=tick)
    result = both(plan(f"{stance}.", execution=Limit(offset=offset)), market([close, close], instrument))
    assert result.orders["price"].iloc[0] == price


def test_rule_34_slipped_fills_are_never_rounded():
    # 100 x 1.001 on a grid of 0.25; the stop is gapped and slips too
    instrument = wb.Instrument("ABC", tick_size=0.25)
    result = both(plan("+..", exits=[Stop(5.0)]), market([100, 100, 90], instrument), costs=Costs(commission=0.0, slippage=0.001))
    assert [price for *_, price in fills(result)] == pytest.approx([100.1, 89.91], rel=1e-14)


def test_rule_34_a_limit_below_the_first_tick_is_no_order_in_any_engine():
    # half of 0.9 on a grid of 1 would be a price of 0
    result = both(plan("+..", execution=Limit(offset=0.5)), market([0.9, 0.9, 0.9], wb.Instrument("ABC", tick_size=1)))
    assert len(result.fills) == 0


def test_rule_34_coins_are_sized_in_steps_of_1e_8():
    assert COIN.quantity_step == 1e-8
    assert opened(both(plan("+.", sizer=FixedFraction(1.0)), market([30_000, 30_000], COIN), cash=1000)) == [0.03333333]
