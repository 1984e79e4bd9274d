"""Sizes, exits and limits on the account in small runs, worked out by hand, through the public names alone.

Every run is a backtest whose replay must agree with it (`wb.check_parity`). A row of a table is a case, the comment its working.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from worked import FREE, Given, fills, market, opened, plan

import workbench as wb
from workbench.exits import BreakEven, StopLoss, TakeProfit, TimeStop, TrailingStop
from workbench.risk import CoolDown, MaxDailyLoss, MaxDrawdown, MaxExposure, MaxLeverage, MaxTrades
from workbench.sizing import (
    EqualRisk,
    FixedFraction,
    FixedQuantity,
    Kelly,
    MinimumSize,
    RiskPercent,
    Scaled,
    TargetWeights,
    VolatilityTarget,
)

EURUSD, USDJPY = (wb.Instrument(name, "fx", multiplier=100_000) for name in ("EURUSD", "USDJPY"))
SHARE, OTHER, TOKYO = wb.Instrument("ABC"), wb.Instrument("XYZ"), wb.Instrument("N1", quote="JPY", quantity_step=100)
SP = wb.Instrument("ES", "index", "future", multiplier=50)
DAX = wb.Instrument("FDAX", "index", "future", quote="EUR", multiplier=25)
COIN = wb.Instrument("BTCUSD", "crypto", quantity_step=0.001, min_notional=25)
DEAR = wb.Instrument("BTC2USD", "crypto", base="BTC", quote="USD", quantity_step=0.001, min_notional=40)


def ran(strategy: wb.Strategy, bars: wb.Bars, **account: Any) -> wb.Backtest:
    """Run it as research, and require that replay does the same."""
    account.setdefault("costs", FREE)
    assert wb.check_parity(strategy, bars, **account).differences.empty
    return wb.backtest(strategy, bars, **account)


# -- sizes ------------------------------------------------------------------------------------------------------------

DOLLARS, EUROS, YEN = {"cash": 10_000, "currency": "USD"}, {"cash": 30_000, "currency": "EUR"}, {"cash": 3_000_000, "currency": "JPY"}
EUR = {"rates": {"EURUSD": 1.25}}
JPY = {"rates": {"USDJPY": 150.0}}
SIZES = [
    # sizer, distance to the stop, instrument, price, account, opened
    ("yen account, dollars", RiskPercent(0.01), 0.30, USDJPY, 150.0, YEN, 1.0),  # 30,000 / (0.30 x 100,000)
    ("yen account, euros", RiskPercent(0.011), 0.0020, EURUSD, 1.25, YEN | JPY, 1.1),  # 33,000 / (200 USD = 30,000)
    ("contract", RiskPercent(0.05), 1.5, SP, 100.0, DOLLARS, 6.0),  # 500 / (1.5 x 50) = 6.67
    ("contract abroad", RiskPercent(0.1), 20.0, DAX, 800.0, DOLLARS | EUR, 1.0),  # 1,000 / (20 x 25 x 1.25) = 1.6
    ("coin", RiskPercent(0.01), 900.0, COIN, 30_000.0, DOLLARS, 0.111),  # 100 / 900 = 0.1111
    ("coin below a step", RiskPercent(0.00008), 900.0, COIN, 30_000.0, DOLLARS, 0.0),  # 0.8 / 900 = 0.00089
    ("coin below the minimum value", RiskPercent(0.0001), 900.0, DEAR, 30_000.0, DOLLARS, 0.0),  # 0.0011 -> 0.001 = 30 < 40
    ("coin above it", RiskPercent(0.0001), 900.0, COIN, 30_000.0, DOLLARS, 0.001),  # 30 >= 25
    ("half of equity abroad", FixedFraction(0.5), None, SHARE, 100.0, EUROS | EUR, 187.0),  # 15,000 EUR = 18,750 USD
    ("half of equity in yen", FixedFraction(0.5), None, TOKYO, 2_500.0, DOLLARS | JPY, 300.0),  # 5,000 USD = 750,000 JPY
    ("less than a share", FixedQuantity(0.5), None, SHARE, 100.0, DOLLARS, 0.0),
    ("the least", MinimumSize(), None, DEAR, 30_000.0, DOLLARS, 0.002),  # 40 / 30,000 = 0.0013
    ("Kelly", Kelly(0.1, 0.6, 0.1, 0.05), None, SHARE, 100.0, DOLLARS, 80.0),  # 0.1 x (0.6 / 0.05 - 0.4 / 0.1) = 0.8
    ("Kelly capped", Kelly(0.5, 0.6, 0.1, 0.05), None, SHARE, 100.0, DOLLARS, 100.0),  # 4 -> 1
    ("Kelly capped higher, margin", Kelly(0.5, 0.6, 0.1, 0.05, cap=3), None, SP, 2.0, DOLLARS, 300.0),  # 30,000 / (2 x 50)
    ("Kelly without an edge", Kelly(1.0, 0.3, 0.1, 0.05), None, SHARE, 100.0, DOLLARS, 0.0),  # 6 - 7
    ("more than equity pays for", FixedFraction(2.0), None, SHARE, 100.0, DOLLARS, 100.0),
]


@pytest.mark.parametrize(
    ("sizer", "distance", "instrument", "price", "account", "expected"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES]
)
@pytest.mark.parametrize("side", ["+", "-"])
def test_a_size(
    side: str, sizer: Any, distance: float | None, instrument: wb.Instrument, price: float, account: Any, expected: float
) -> None:
    exits = [StopLoss(price=distance)] if distance else []
    result = ran(plan(f"{side}..", sizer=sizer, exits=exits), market([price] * 3, instrument), **account)
    possible = side == "+" or instrument.can_short
    assert opened(result) == [pytest.approx(expected if possible else 0.0, abs=1e-9)]


#: 100 and 101 in turns: log returns of 0.00995033, up and down alike, so their mean is 0 over an even number.
WAVE = [100.0 + k % 2 for k in range(23)]
VOLATILITIES = [
    # 0.00995033 x sqrt(20 / 19) x sqrt 250 = 0.161416 a year; 0.1 / 0.161416 = 0.6195 of 10,000 at 100
    ("rolling", VolatilityTarget(0.1, 20, year=250), 61.0),
    ("ewma", VolatilityTarget(0.1, 10, "ewma", 250), 63.0),  # 0.00995033 x sqrt 250 = 0.157329
    ("twice as much", VolatilityTarget(0.2, 20, year=250, cap=3), 123.0),
    ("capped", VolatilityTarget(0.2, 20, year=250, cap=0.5), 50.0),
    ("a year of 1,000 bars", VolatilityTarget(0.1, 20, year=1_000), 30.0),  # half
]


@pytest.mark.parametrize(("sizer", "expected"), [row[1:] for row in VOLATILITIES], ids=[row[0] for row in VOLATILITIES])
def test_a_size_by_volatility(sizer: Any, expected: float) -> None:
    result = ran(plan("." * 20 + "+..", sizer=sizer), market(WAVE, SHARE), cash=10_000, buying_power=False)
    assert opened(result) == [expected]


def test_equal_risk_gives_each_instrument_its_part() -> None:
    # 0.1 / 2 each; XYZ moves half as much, so it gets about twice as many of half the price: 0.05 / (0.00499 x 1.02598 x 15.8114)
    bars = market({SHARE: WAVE, OTHER: [100.0 + 0.5 * (k % 2) for k in range(23)]})
    script = "." * 20 + "+.."
    result = ran(plan(script, script, sizer=EqualRisk(0.1, 20, year=250)), bars, cash=10_000, buying_power=False)
    assert opened(result) == [30.0, 61.0]  # 30.98 and 61.80


@pytest.mark.parametrize(
    ("sizer", "stance", "expected"),
    [
        (TargetWeights(), 0.25, 25.0),
        (TargetWeights(1.5), -0.4, -60.0),
        (Scaled(FixedFraction(0.5)), 0.4, 20.0),
        (Scaled(FixedFraction(0.5)), -1.0, -50.0),
        (FixedFraction(0.5), 0.4, 50.0),
    ],
    ids=["a weight", "a weight of more, short", "scaled", "scaled, sure", "conviction is no size"],
)
def test_a_size_by_conviction(sizer: Any, stance: float, expected: float) -> None:
    result = ran(wb.Strategy(Given([stance, None, None]), sizer), market([100.0] * 3), cash=10_000)
    assert opened(result) == [abs(expected)]
    assert fills(result)[0][2] == expected


@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_s06_lots_by_the_money_at_risk(shared: Path, case: str) -> None:
    cases = json.loads((shared / "reference" / "s06_position_sizing.json").read_text())["cases"]
    expected = next(one["expected"] for one in cases if one["id"] == case)
    cash, currency, risk, instrument, price, distance = {
        "a": (10_000, "USD", 0.02, EURUSD, 1.25, 0.0050),
        "b": (30_000, "EUR", 0.01, EURUSD, 1.25, 0.0025),
        "c": (20_000, "USD", 0.02, USDJPY, 150.0, 0.40),
    }[case]
    strategy = plan("+..", sizer=RiskPercent(risk), exits=[StopLoss(price=distance)])
    assert opened(ran(strategy, market([price] * 3, instrument), cash=cash, currency=currency)) == [pytest.approx(expected, abs=1e-9)]


def test_s02_the_coin_that_wins_six_times_in_ten(shared: Path) -> None:
    case = json.loads((shared / "reference" / "s02_kelly.json").read_text())
    p, b, fine = case["inputs"]["p"], case["inputs"]["b"], wb.Instrument("COIN", quantity_step=1e-8)
    bars = market([1.0, 1.0, 1.0], fine)
    assert opened(ran(plan("+..", sizer=Kelly(1.0, p, float(b), 1.0)), bars, cash=1.0)) == [pytest.approx(case["expected"]["f"], abs=1e-8)]
    f = case["expected"]["f"]
    assert p * math.log1p(f * b) + (1 - p) * math.log1p(-f) == pytest.approx(case["expected"]["growth_per_bet_log"], abs=1e-9)


# -- exits together ---------------------------------------------------------------------------------------------------

#: Bought at 100 in row 1, from a decision at 100.
ROAD: list[Any] = [100, (100, 102, 99, 101), (101, 105, 101, 104.5), (104, 108, 103, 107), (106, 106, 101, 103), (103, 103, 95, 98), 98]
STOP = StopLoss(price=4.0)
EXITS = [
    ("stop", [STOP], (5, "stop", 96.0)),
    ("nearest of two stops", [STOP, StopLoss(percent=0.02)], (5, "stop", 98.0)),
    ("break-even", [STOP, BreakEven()], (5, "stop", 100.0)),  # the close of row 2 is 104.5 >= 104
    ("break-even at half the risk", [STOP, BreakEven(multiple=0.5)], (5, "stop", 100.0)),
    ("break-even that is never reached", [STOP, BreakEven(price=7.5)], (5, "stop", 96.0)),  # the best close is 107
    ("break-even and costs", [STOP, BreakEven(plus=0.015)], (4, "stop", 101.5)),
    ("trailing closes", [STOP, TrailingStop(price=5.0, of="close")], (4, "stop", 102.0)),  # best close 107
    ("trailing highs", [STOP, TrailingStop(price=5.0)], (4, "stop", 103.0)),  # best high 108
    ("trailing by share", [TrailingStop(percent=0.055)], (4, "stop", 102.5)),  # 5.5 of the decision's close
    ("trailing near", [STOP, TrailingStop(price=2.5)], (4, "stop", 105.5)),  # 97.5, 99.5, 102.5, 105.5
    ("break-even under a trailing stop", [STOP, BreakEven(), TrailingStop(price=5.0, of="close")], (4, "stop", 102.0)),
    ("target of the risk", [STOP, TakeProfit(multiple=1.5)], (3, "target", 106.0)),
    ("usual target", [STOP, TakeProfit()], (5, "stop", 96.0)),  # 108 is touched, not traded through
    ("target of the nearest stop", [STOP, StopLoss(price=6.0), TakeProfit(multiple=1.5)], (3, "target", 106.0)),
    ("target by share", [STOP, TakeProfit(percent=0.07)], (3, "target", 107.0)),
    ("nearest of two targets", [STOP, TakeProfit(percent=0.07), TakeProfit(multiple=1.0)], (2, "target", 104.0)),
    ("time", [STOP, TimeStop(3)], (4, "close", 106.0)),  # rows 1, 2, 3; out at the next open
    ("time after the trailing stop", [TimeStop(4), TrailingStop(price=5.0)], (4, "stop", 103.0)),
    ("all, the target first", [STOP, BreakEven(), TrailingStop(price=5.0), TakeProfit(multiple=1.5), TimeStop(3)], (3, "target", 106.0)),
    ("all, the time first", [STOP, BreakEven(), TrailingStop(price=5.0), TakeProfit(multiple=3), TimeStop(2)], (3, "close", 104.0)),
]


@pytest.mark.parametrize(("exits", "expected"), [row[1:] for row in EXITS], ids=[row[0] for row in EXITS])
@pytest.mark.parametrize("side", ["long", "short"])
def test_how_a_position_ends(side: str, exits: Any, expected: tuple[int, str, float]) -> None:
    mirrored = [200 - row if isinstance(row, int) else tuple(200 - row[k] for k in (0, 2, 1, 3)) for row in ROAD]
    result = ran(plan("+......" if side == "long" else "-......", exits=exits), market(ROAD if side == "long" else mirrored))
    row, leg, quantity, price = fills(result)[1]
    assert len(result.fills) == 2
    assert (row, leg) == expected[:2]
    assert (quantity, price) == ((-1.0, pytest.approx(expected[2])) if side == "long" else (1.0, pytest.approx(200 - expected[2])))


def test_a_gap_through_the_stop_is_filled_at_the_open() -> None:
    result = ran(plan("+...", exits=[STOP, TakeProfit(price=3.0)]), market([100, 100, (90, 104, 90, 95), 95]))
    assert fills(result)[1] == (2, "stop", -1.0, 90.0)


def test_where_stop_and_target_lie_in_one_bar_the_stop_comes_first() -> None:
    result = ran(plan("+...", exits=[STOP, TakeProfit(price=3.0)]), market([100, 100, (100, 104, 95, 100), 95]))
    assert fills(result)[1] == (2, "stop", -1.0, 96.0)


def test_after_a_stop_nothing_opens_until_the_stance_turns() -> None:
    result = ran(plan("+++-..", exits=[STOP]), market([100, 100, (100, 100, 90, 95), 95, 95, 95]))
    assert [(row, leg) for row, leg, *_ in fills(result)] == [(1, "open"), (2, "stop"), (4, "open")]


def test_the_loss_at_the_stop_is_the_risk_in_account_currency() -> None:
    # 150,000 x 0.0025 = 375 USD, booked at the rate of the last completed step: 300 EUR (SEMANTICS 28)
    rows = [1.25, 1.25, (1.25, 1.25, 1.2475, 1.2475), 1.2475]
    result = ran(plan("+...", sizer=RiskPercent(0.01), exits=[StopLoss(price=0.0025)]), market(rows, EURUSD), cash=30_000, currency="EUR")
    assert result.equity.iloc[-1] == pytest.approx(29_700)


# -- limits on the account --------------------------------------------------------------------------------------------


def openings(result: wb.Backtest) -> list[int]:
    return [row for row, leg, *_ in fills(result) if leg == "open"]


LOSING = [100, 100, 85, 85, 85, 85]  # 100 shares of 100,000: the fall costs 1.5 percent in row 2
ACCOUNT = [
    # limit, day, start, prices, script, rows that open
    ("drawdown at the limit", MaxDrawdown(0.015), "00:00 UTC", "2024-01-01", LOSING, "+.0+..", [1, 4]),
    ("drawdown beyond it", MaxDrawdown(0.0149), "00:00 UTC", "2024-01-01", LOSING, "+.0+..", [1]),
    ("drawdown armed again", MaxDrawdown(0.0149, rearm_after=1), "00:00 UTC", "2024-01-01", LOSING, "+.0+..", [1, 4]),
    ("drawdown from the highest", MaxDrawdown(0.02), "00:00 UTC", "2024-01-01", [100, 100, 130, 108, 108, 108], "+..0+.", [1]),
    # 103,000 to 100,800 is 2.14 percent
    ("daily loss", MaxDailyLoss(0.01), "00:00 UTC", "2024-01-01 19:00", LOSING, "+.0+..", [1]),
    ("daily loss, the day turns in winter", MaxDailyLoss(0.01), "17:00 America/New_York", "2024-01-01 19:00", LOSING, "+.0+..", [1, 4]),
    ("daily loss, the day turns in summer", MaxDailyLoss(0.01), "17:00 America/New_York", "2024-07-01 18:00", LOSING, "+.0+..", [1, 4]),
    ("daily loss in money", MaxDailyLoss(1_500, "money"), "00:00 UTC", "2024-01-01", LOSING, "+.0+..", [1, 4]),
    ("trades a day", MaxTrades(2), "00:00 UTC", "2024-01-01", [100] * 6, "+-+-+-", [1, 2]),
    ("trades a day in Tokyo", MaxTrades(2), "09:00 Asia/Tokyo", "2024-01-01 21:00", [100] * 7, "+-+-+-.", [1, 2, 4, 5]),
    ("cool-down", CoolDown(1, 2), "00:00 UTC", "2024-01-01", [100, 100, 90, 90, 90, 90, 90], "+0+0+..", [1, 5]),
    # closed at a loss in row 2: rows 2 and 3 are without an opening
    ("two losses in a row", CoolDown(2, 9), "00:00 UTC", "2024-01-01", [100, 100, 90, 90, 80, 80, 80, 80], "+0+0+...", [1, 3]),
]


@pytest.mark.parametrize(
    ("limit", "day", "start", "prices", "script", "expected"), [row[1:] for row in ACCOUNT], ids=[row[0] for row in ACCOUNT]
)
def test_what_an_account_may_still_do(limit: Any, day: str, start: str, prices: Any, script: str, expected: list[int]) -> None:
    result = ran(plan(script, quantity=100, risk=[limit], day=day), market(prices, start=start), cash=100_000)
    assert openings(result) == expected


def test_drawdown_of_a_yen_account() -> None:
    # 400 x 2,500 = 1,000,000 JPY: at 2,250 exactly a tenth is lost, at 2,249 more
    for last, expected in ((2_250, [1, 4]), (2_249, [1])):
        bars = market([2_500, 2_500, last, last, last, last], TOKYO)
        strategy = plan("+.0+..", quantity=400, risk=[MaxDrawdown(0.1)])
        assert openings(ran(strategy, bars, cash=1_000_000, currency="JPY")) == expected


def test_limits_and_buying_power_cut_one_after_the_other() -> None:
    # 300 asked for; 15,000 by name are 150 shares; 12,000 gross are 120; 10,000 pay for 100
    limits = [MaxExposure(15_000, by="instrument"), MaxLeverage(1.2)]
    result = ran(plan("+..", quantity=300, risk=limits), market([100.0] * 3), cash=10_000)
    assert opened(result) == [100.0]
    words = result.decisions["reason"].iloc[0]
    assert [cut in words for cut in ("300 -> 150", "150 -> 120", "buying power: 120 -> 100")] == [True] * 3


def test_a_flip_sizes_its_opening_from_the_snapshot() -> None:
    # long 100 of 100, sold at 110: 11,000; half of it is 50 short
    result = ran(plan("+.-..", sizer=FixedFraction(0.5)), market([100, 100, 110, 110, 110]), cash=10_000)
    assert fills(result) == [(1, "open", 50.0, 100.0), (3, "close", -50.0, 110.0), (3, "open", -47.0, 110.0)]  # 5,250 / 110 = 47.7


def test_openings_of_one_step_count_for_each_other() -> None:
    result = ran(plan("+..", "+..", quantity=80, risk=[MaxLeverage(1)]), market({SHARE: [100.0] * 3, OTHER: [50.0] * 3}), cash=10_000)
    assert opened(result) == [80.0, 40.0]  # 8,000, then 2,000 / 50


@pytest.mark.parametrize("case", [0, 1, 2])
def test_s07_the_examples_of_a_broker(shared: Path, case: int) -> None:
    given = json.loads((shared / "reference" / "s07_ib_fixed_commission.json").read_text())["cases"][case]
    costs = wb.execution.Costs(per_unit=0.005, minimum=1.0, maximum=0.01, slippage=0.0)
    result = ran(plan("+..", quantity=given["shares"]), market([given["price"]] * 3), costs=costs, cash=1e6)
    assert result.fills["fee"].tolist() == [pytest.approx(given["expected"], rel=1e-12)]
