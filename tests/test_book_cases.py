"""A book, limits and one order: what is allowed of it, worked out by hand, through the public names alone.

A row of a table is a case; the comment beside it is the working. Rates: EURUSD 1.25, GBPUSD 1.50, USDJPY 150, EURGBP 1.25 / 1.50,
USDCHF 0.80, EURHKD 8.50.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.risk import ExpectedShortfall, MaxExposure, MaxLeverage, MaxPositions, MaxVolatility, ValueAtRisk

PAIRS = ("EURUSD", "GBPUSD", "USDJPY", "EURGBP", "USDCHF", "USDCAD")
EURUSD, GBPUSD, USDJPY, EURGBP, USDCHF, USDCAD = (wb.Instrument(name, "fx", multiplier=100_000) for name in PAIRS)
US, OTHER_US = wb.Instrument("US1", region="US", tags={"sector": "energy"}), wb.Instrument("US2", region="US", tags={"sector": "banks"})
GERMAN = wb.Instrument("DE1", quote="EUR", region="DE", tags={"sector": "energy"})
HONG_KONG = wb.Instrument("HK1", quote="HKD", region="HK", tags={"sector": "banks"})
SP = wb.Instrument("ES", "index", "future", multiplier=50, region="US")
DAX = wb.Instrument("FDAX", "index", "future", quote="EUR", multiplier=25, region="DE")
OIL = wb.Instrument("CL", "commodity", "cfd", multiplier=100, quantity_step=0.1)
PERPETUAL = wb.Instrument("BTCUSDT", "crypto", "perpetual", quote="USD")
COIN = wb.Instrument("BTCUSD", "crypto", quantity_step=0.001, min_notional=25)
DEAR = wb.Instrument("BTC2USD", "crypto", base="BTC", quote="USD", quantity_step=0.001, min_notional=60)
PRICES = {
    "EURUSD": 1.25,
    "GBPUSD": 1.5,
    "USDJPY": 150.0,
    "EURGBP": 1.25 / 1.5,
    "USDCHF": 0.8,
    "US1": 100.0,
    "US2": 50.0,
    "DE1": 80.0,
    "HK1": 425.0,
    "ES": 5_000.0,
    "FDAX": 16_000.0,
    "CL": 75.0,
    "BTCUSDT": 50_000.0,
    "BTCUSD": 50_000.0,
    "BTC2USD": 50_000.0,
}
RATES = {"EURUSD": 1.25, "USDJPY": 150.0, "EURGBP": 1.25 / 1.5, "EURHKD": 8.5}


def book(currency: str, equity: float, held: dict[wb.Instrument, float], **more: Any) -> wb.Portfolio:
    """Return a portfolio of so much equity: the cash is what shares and coins leave of it."""
    portfolio = wb.Portfolio(currency, 0.0, held, PRICES, RATES, **more)
    portfolio.cash = equity - portfolio.equity
    return wb.Portfolio(currency, portfolio.cash, held, PRICES, RATES, **more)


def allowed(portfolio: wb.Portfolio, order: wb.Order, *limits: wb.risk.RiskManager) -> wb.Decision:
    return wb.Strategy(wb.signals.Breakout(), risk=list(limits)).preview(order, portfolio)


def euros(limit: float) -> MaxExposure:
    return MaxExposure({"EUR": limit})


CURRENCIES = [
    # account, equity, held, side, instrument, lots, limit, allowed
    ("short side", "EUR", 1e6, {EURUSD: -6}, "sell", EURUSD, 4, euros(750_000), 1.5),  # 750,000 - 600,000 = 150,000 a lot of 100,000
    ("two pairs of one currency", "EUR", 1e6, {EURUSD: 2, EURGBP: 3}, "buy", EURUSD, 4, euros(750_000), 2.5),  # 750,000 - 500,000
    ("a cross sells the other leg", "EUR", 1e6, {}, "buy", EURGBP, 5, MaxExposure({"GBP": 170_000}), 1.7),  # -100,000 EUR of GBP a lot
    ("legs that net", "USD", 1e6, {EURUSD: 4, GBPUSD: -2}, "sell", USDJPY, 9, MaxExposure({"USD": 500_000}), 3.0),
    # USD -500,000 + 300,000 = -200,000; a lot sold of USDJPY is -100,000 USD: 3
    ("every currency counts", "USD", 1e6, {}, "buy", EURGBP, 9, MaxExposure(300_000), 2.4),  # EUR +125,000 and GBP -125,000 a lot
    ("yen account, dollars", "JPY", 1e9, {}, "buy", USDJPY, 9, MaxExposure({"USD": 30e6}), 2.0),  # 100,000 x 150 = 15 million a lot
    ("yen account, euros", "JPY", 1e9, {}, "buy", EURUSD, 9, euros(37.5e6), 2.0),  # 100,000 x 1.25 x 150 = 18.75 million a lot
    ("share of equity", "EUR", 200_000, {}, "buy", EURUSD, 9, MaxExposure({"EUR": 1.5}, of="equity"), 3.0),  # 300,000
    ("a flip within", "EUR", 1e6, {EURUSD: 3}, "sell", EURUSD, 7, euros(400_000), 7.0),  # ends at -400,000
    ("a flip beyond", "EUR", 1e6, {EURUSD: 3}, "sell", EURUSD, 10, euros(400_000), 7.0),  # 3 close, 4 of 7 open
    ("breached, more", "EUR", 1e6, {EURUSD: 9}, "buy", EURUSD, 1, euros(750_000), 0.0),
    ("breached, less", "EUR", 1e6, {EURUSD: 9}, "sell", EURUSD, 3, euros(750_000), 3.0),  # still 600,000: it falls
    ("breached, through zero", "EUR", 1e6, {EURUSD: 9}, "sell", EURUSD, 20, euros(750_000), 16.5),  # to -7.5
    ("breached by another pair", "EUR", 1e6, {EURGBP: 9}, "sell", EURUSD, 20, euros(750_000), 16.5),  # 900,000 - x >= -750,000
    ("breached, a stranger", "USD", 1e6, {EURUSD: 9}, "buy", USDJPY, 1, euros(750_000), 0.0),  # only what reduces it passes (SEMANTICS 21)
    ("shares in another currency", "EUR", 1e6, {}, "buy", HONG_KONG, 999, MaxExposure({"HKD": 10_000}), 200.0),  # 85,000 HKD / 425
    ("a loan nets nothing here", "USD", 1e6, {GERMAN: 500}, "buy", EURUSD, 9, euros(300_000), 2.0),  # 500 x 80 x 1.25 = 50,000 used
    ("futures are no currency", "USD", 1e6, {}, "buy", DAX, 2, euros(1.0), 2.0),
    ("contracts for difference neither", "USD", 1e6, {}, "buy", OIL, 2, MaxExposure(1.0), 2.0),
    ("perpetuals neither", "USD", 1e6, {}, "buy", PERPETUAL, 2, MaxExposure({"BTC": 1.0}), 2.0),
    ("a coin is its own", "USD", 1e6, {}, "buy", COIN, 9, MaxExposure({"BTC": 20_000}), 0.4),  # 20,000 / 50,000
    ("nothing in the quote", "USD", 1e6, {}, "buy", COIN, 9, MaxExposure({"USD": 1.0}), 9.0),
]

GROUPS = [
    ("region", "USD", 100_000, {US: 200}, "buy", OTHER_US, 999, MaxExposure({"US": 0.3}, "region", "equity"), 200.0),
    # 30,000 - 20,000 = 10,000 / 50
    ("region net", "USD", 1e6, {US: 100, OTHER_US: -200}, "buy", US, 999, MaxExposure({"US": 25_000}, "region"), 250.0),  # net 0
    ("region gross", "USD", 1e6, {US: 100, OTHER_US: -200}, "buy", US, 999, MaxExposure({"US": 25_000}, "region", scope="gross"), 50.0),
    ("region of a contract", "USD", 1e7, {}, "buy", DAX, 9, MaxExposure({"DE": 1_100_000}, "region"), 2.0),  # 16,000 x 25 x 1.25 = 500,000
    ("region of contract and share", "USD", 1e7, {GERMAN: 1_000}, "buy", DAX, 9, MaxExposure({"DE": 1_100_000}, "region"), 2.0),
    # 1,100,000 - 100,000 = 2 x 500,000, exactly
    ("another region is free", "USD", 1e6, {US: 999}, "buy", GERMAN, 999, MaxExposure({"US": 100_000}, "region"), 999.0),
    ("a breached region stops another", "USD", 1e6, {US: 999}, "buy", GERMAN, 999, MaxExposure({"US": 50_000}, "region"), 0.0),
    ("a short counts against a long", "USD", 1e7, {SP: 2}, "sell", US, 9_999, MaxExposure({"US": 500_000}, "region"), 9_999.0),
    ("asset class", "EUR", 1e6, {GERMAN: 500}, "buy", US, 999, MaxExposure({"equity": 0.1}, "asset_class", "equity"), 750.0),
    # 100,000 - 40,000 = 60,000 EUR = 75,000 USD
    ("a coin in its class", "USD", 1e6, {PERPETUAL: 1}, "buy", COIN, 9, MaxExposure({"crypto": 100_000}, "asset_class"), 1.0),
    ("a tag", "USD", 1e6, {GERMAN: 100}, "buy", US, 999, MaxExposure({"energy": 25_000}, "sector"), 150.0),  # 25,000 - 10,000
    ("one name", "USD", 100_000, {US: 20}, "buy", US, 999, MaxExposure(0.05, "instrument", "equity"), 30.0),  # 5,000 - 2,000
    ("one name, short", "USD", 100_000, {US: -20}, "sell", US, 999, MaxExposure(0.05, "instrument", "equity"), 30.0),
]

SIZES = [
    ("leverage of shares abroad", "EUR", 10_000, {}, "buy", US, 999, MaxLeverage(2), 250.0),  # 20,000 EUR = 25,000 USD / 100
    ("leverage counts shorts", "USD", 100_000, {US: -500}, "buy", OTHER_US, 9_999, MaxLeverage(2), 3_000.0),  # 200,000 - 50,000
    ("contracts by multiplier", "USD", 250_000, {SP: 1}, "buy", SP, 9, MaxLeverage(3), 2.0),  # a contract is 250,000
    ("a contract through zero", "USD", 250_000, {SP: 2}, "sell", SP, 5, MaxLeverage(2), 4.0),  # to -2
    ("a tenth of a contract", "USD", 10_000, {}, "buy", OIL, 9, MaxLeverage(2.5), 3.3),  # 25,000 / 7,500 = 3.33
    ("at the limit", "USD", 50_000, {GBPUSD: 2}, "buy", USDCHF, 1, MaxLeverage(8), 1.0),  # (300,000 + 100,000) / 50,000
    ("beyond it", "USD", 50_000, {GBPUSD: 2, USDCHF: 1}, "buy", EURUSD, 0.01, MaxLeverage(8), 0.0),
    ("steps of a perpetual", "USD", 1e6, {}, "buy", PERPETUAL, 9, MaxExposure({"crypto": 100_020}, "asset_class"), 2.0),  # 2.0004
    ("minimum value after rounding", "USD", 1e6, {}, "buy", COIN, 9, MaxExposure({"BTC": 99}), 0.001),  # 0.00198 -> 50 >= 25
    ("no step is left", "USD", 1e6, {}, "buy", COIN, 9, MaxExposure({"BTC": 49}), 0.0),  # 0.00098
    ("below the minimum value", "USD", 1e6, {}, "buy", DEAR, 9, MaxExposure({"BTC": 99}), 0.0),  # 0.00198 -> 0.001 = 50 < 60
    ("a place is free", "USD", 1e6, {US: 1, GERMAN: 1}, "buy", SP, 1, MaxPositions(3), 1.0),
    ("no place is free", "USD", 1e6, {US: 1, GERMAN: 1, SP: 1}, "buy", COIN, 1, MaxPositions(3), 0.0),
    ("more of what is held", "USD", 1e6, {US: 1, GERMAN: 1, SP: 1}, "buy", US, 5, MaxPositions(3), 5.0),
    ("no short sale of coins", "USD", 1e6, {COIN: 0.5}, "sell", COIN, 2, MaxLeverage(9), 0.5),
]


@pytest.mark.parametrize(
    ("currency", "equity", "held", "side", "instrument", "asked", "limit", "expected"),
    [row[1:] for row in (*CURRENCIES, *GROUPS, *SIZES)],
    ids=[row[0] for row in (*CURRENCIES, *GROUPS, *SIZES)],
)
def test_what_is_allowed(
    currency: str, equity: float, held: Any, side: Any, instrument: wb.Instrument, asked: float, limit: Any, expected: float
) -> None:
    portfolio = book(currency, equity, held)
    assert portfolio.equity == pytest.approx(equity)
    decision = allowed(portfolio, wb.Order(instrument, side, asked), limit)
    assert decision.quantity == pytest.approx(expected, abs=1e-9)
    assert bool(decision.reasons) == (expected != asked)


def test_the_smaller_of_two_limits_decides_in_either_order() -> None:
    limits = [MaxExposure({"US": 0.3}, "region", "equity"), MaxExposure({"equity": 25_000}, "asset_class")]
    portfolio, order = book("USD", 100_000, {US: 200}), wb.Order(OTHER_US, "buy", 999)
    assert [allowed(portfolio, order, *pair).quantity for pair in (limits, limits[::-1])] == [100.0, 100.0]  # 25,000 - 20,000


def test_buying_power_of_a_euro_account() -> None:
    # 30,000 EUR = 37,500 USD; a contract needs 5,000 x 1.001 x 50 / 10 = 25,025 and 2.50
    portfolio = book("EUR", 30_000, {}, buying_power=True)
    assert allowed(portfolio, wb.Order(SP, "buy", 5)).quantity == 1.0  # 37,500 / 25,027.50
    assert allowed(portfolio, wb.Order(US, "buy", 999)).quantity == 374.0  # 37,500 / (100.05 x 1.0005) = 374.6


# -- losses -----------------------------------------------------------------------------------------------------------

DAYS = pd.date_range("2024-01-01", periods=61, freq="D", tz="UTC")
A, B = wb.Instrument("A", quantity_step=1), wb.Instrument("B", quantity_step=1)
UP_AND_DOWN = np.tile([0.01, -0.01], 30)  # mean 0, deviation 0.01, and every loss is 0.01


def past(*returns: np.ndarray) -> wb.Bars:
    frames = {}
    for one, each in zip((A, B), returns, strict=False):
        close = np.cumprod(np.append(1.0, 1.0 + each))
        frames[one.symbol] = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), DAYS)
    return wb.Bars.from_frames(frames, interval="1D", instruments=[A, B][: len(returns)])


def lossy(held: dict[wb.Instrument, float], *returns: np.ndarray, equity: float = 1e6) -> wb.Portfolio:
    portfolio = wb.Portfolio("USD", 0.0, held, {"A": 1.0, "B": 1.0})
    return wb.Portfolio("USD", equity - portfolio.equity, held, {"A": 1.0, "B": 1.0}, history=past(*returns))


LOSSES = [
    ("historical", ValueAtRisk(2_000, 0.95, "historical", 60, "money"), 200_000),  # 2,000 / 0.01
    ("gaussian", ValueAtRisk(2_000, 0.95, "gaussian", 60, "money"), 121_591),  # 2,000 / (1.6448536 x 0.01) = 121,591.37
    ("gaussian at 99", ValueAtRisk(2_000, 0.99, "gaussian", 60, "money"), 85_971),  # 2,000 / (2.3263479 x 0.01) = 85,971.67
    ("filtered", ValueAtRisk(2_000, 0.95, "filtered", 59, "money"), 200_000),  # the volatility never changes
    ("of equity", ValueAtRisk(0.002, 0.95, "historical", 60), 200_000),  # of 1,000,000
    ("four days", ValueAtRisk(2_000, 0.95, "historical", 60, "money", 4.0), 100_000),  # twice a day's
    ("shortfall", ExpectedShortfall(2_000, 0.95, "historical", 60, "money"), 200_000),
    ("gaussian shortfall", ExpectedShortfall(2_000, 0.95, "gaussian", 60, "money"), 96_959),  # / (0.1031356 / 0.05 x 0.01) = 96,959.7
    ("volatility", MaxVolatility(150_000, "sample", 60, of="money"), 944_911),  # 150,000 / (0.01 x sqrt 252) = 944,911.18
    ("volatility by decay", MaxVolatility(0.15, "ewma", 60), 944_911),
    ("volatility of a year of 365 days", MaxVolatility(0.15, "sample", 60, year=365), 785_135),  # 150,000 / (0.01 x sqrt 365) = 785,135.8
    ("no past is long enough", ValueAtRisk(2_000, 0.95, "historical", 61, "money"), 0),
    ("an expansion that breaks down", ValueAtRisk(2_000, 0.95, "modified", 60, "money"), 0),  # its kurtosis is 1
]


@pytest.mark.parametrize(("limit", "expected"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES])
def test_what_may_be_lost(limit: Any, expected: float) -> None:
    decision = allowed(lossy({}, UP_AND_DOWN), wb.Order(A, "buy", 5_000_000), limit)
    assert decision.quantity == expected
    assert [reason.who for reason in decision.reasons] == [type(limit).__name__]


@pytest.mark.parametrize(
    ("side", "other", "expected"),
    [
        ("buy", UP_AND_DOWN, 100_000),  # both lose at once: 100,000 + x <= 200,000
        ("sell", UP_AND_DOWN, 300_000),  # a hedge: 100,000 - x >= -200,000
        ("buy", -UP_AND_DOWN, 300_000),
        ("sell", -UP_AND_DOWN, 100_000),
    ],
    ids=["the same", "a hedge", "the opposite", "the opposite sold"],
)
def test_how_two_move_together_is_in_it(side: Any, other: np.ndarray, expected: float) -> None:
    limit = ValueAtRisk(2_000, 0.95, "historical", 60, "money")
    assert allowed(lossy({A: 100_000}, UP_AND_DOWN, other), wb.Order(B, side, 999_999), limit).quantity == expected


def test_a_breached_loss_lets_a_hedge_through() -> None:
    # A alone loses 3,000 of 2,000: the loss may not rise, so B may be sold until it is 3,000 again on the other side
    limit = ValueAtRisk(2_000, 0.95, "historical", 60, "money")
    portfolio = lossy({A: 300_000}, UP_AND_DOWN, UP_AND_DOWN)
    assert allowed(portfolio, wb.Order(B, "buy", 1), limit).quantity == 0.0
    assert allowed(portfolio, wb.Order(B, "sell", 100_000), limit).quantity == 100_000.0
    assert allowed(portfolio, wb.Order(A, "sell", 100_000), limit).quantity == 100_000.0


# -- the written references -------------------------------------------------------------------------------------------


@pytest.fixture
def cases(shared: Path) -> dict[str, Any]:
    data = json.loads((shared / "reference" / "risk_cases.json").read_text())
    return {case["id"]: case for case in data["cases"]}


@pytest.mark.parametrize("told", [True, False], ids=["with cash", "nothing said of cash"])
@pytest.mark.parametrize("number", [0, 1, 2], ids=["cut", "reduces", "flips"])
def test_s_r1(cases: dict[str, Any], number: int, told: bool) -> None:
    given, expected = cases["S-R1"]["inputs"], cases["S-R1"]["expected"][number]
    signal = given["signals"][number]
    portfolio = wb.Portfolio("EUR", 100_000 if told else None, {EURUSD: given["position_lots"]}, {"EURUSD": 1.10})
    order = wb.Order(EURUSD, signal["side"].lower(), signal["lots"])
    decision = allowed(portfolio, order, euros(given["limit_eur"]))
    assert decision.quantity == pytest.approx(expected["allowed"], abs=1e-9)
    assert decision.outlook is not None
    after = {effect.what: effect.after for effect in decision.outlook.effects}
    assert after["exposure to EUR"] == pytest.approx(expected["net_after"], abs=0.01)


def test_s_r2(cases: dict[str, Any]) -> None:
    expected, prices = cases["S-R2"]["expected"], {"EURUSD": 1.10, "USDJPY": 150.0, "EURGBP": 0.85, "USDCHF": 0.90}
    portfolio = wb.Portfolio("USD", positions={EURUSD: 3, USDJPY: -2, EURGBP: 1}, prices=prices)
    assert portfolio.exposure().to_dict() == pytest.approx(expected["in_usd"], abs=0.01)
    decision = allowed(portfolio, wb.Order(USDCHF, "sell", 5), MaxExposure(750_000))
    assert decision.quantity == pytest.approx(expected["allowed_lots"], abs=1e-9)
    assert decision.outlook is not None
    after = {effect.what: effect.after for effect in decision.outlook.effects}
    assert after["exposure to USD"] == pytest.approx(expected["usd_after"], abs=0.01)
    assert after["exposure to CHF"] * 0.90 == pytest.approx(expected["chf_after"], abs=0.01)


def test_s_r3(cases: dict[str, Any]) -> None:
    expected = cases["S-R3"]["expected"]
    old, sap, new = (wb.Instrument(n, quote=q, region=r) for n, q, r in (("OLD", "USD", "US"), ("SAP", "EUR", "DE"), ("NEW", "USD", "US")))
    prices = {"OLD": 200.0, "SAP": 150.0, "NEW": 400.0}
    portfolio = wb.Portfolio("EUR", 137_000, {old: 300, sap: 100}, prices, {"EURUSD": 1.25})
    limits = [MaxExposure({name: most}, by, "equity") for name, most, by in (("US", 0.4, "region"), ("USD", 0.3, "currency"))]
    limits.append(MaxExposure({"equity": 0.9}, "asset_class", "equity"))
    rooms = [allowed(portfolio, wb.Order(new, "buy", 1_000), limit).quantity for limit in limits]
    assert rooms == [expected[f"room_{name}_shares"] for name in ("region", "currency", "class")]
    decision = allowed(portfolio, wb.Order(new, "buy", 250), *limits)
    assert (decision.quantity, portfolio.exposure("region").to_dict()) == (expected["allowed"], pytest.approx(expected["region"]))
    assert decision.outlook is not None
    after = {effect.what: effect.after for effect in decision.outlook.effects}
    assert after["exposure to USD"] == pytest.approx(expected["usd_after_eur"], abs=0.01)


def test_s_r4(cases: dict[str, Any]) -> None:
    portfolio = wb.Portfolio("USD", 50_000, {GBPUSD: 2}, {"GBPUSD": 1.25, "USDCAD": 1.36, "EURUSD": 1.10})
    for (instrument, lots), expected in zip(((USDCAD, 1.5), (EURUSD, 0.01)), cases["S-R4"]["expected"], strict=True):
        decision = allowed(portfolio, wb.Order(instrument, "buy", lots), MaxLeverage(8))
        assert decision.quantity == expected["allowed"]
        assert decision.outlook is not None
        after = {effect.what: effect.after for effect in decision.outlook.effects}
        assert after["gross notional"] == pytest.approx(expected["gross_after"], abs=0.01)
        assert after["leverage"] == pytest.approx(expected.get("leverage_after", 8.0))
        held = {GBPUSD: 2, instrument: decision.quantity}
        portfolio = wb.Portfolio("USD", 50_000, held, {"GBPUSD": 1.25, "USDCAD": 1.36, "EURUSD": 1.10})


def test_s_r5(cases: dict[str, Any]) -> None:
    # two series of mean 0, deviations 0.01 and 0.02, and a correlation of 0.25 to the last digit
    basis, _ = np.linalg.qr(np.column_stack([np.ones(60), np.random.default_rng(1).normal(size=(60, 2))]))
    one, free = (basis[:, 1:] * math.sqrt(60)).T
    other = 0.25 * one + math.sqrt(1 - 0.25**2) * free
    portfolio = lossy({A: 1_000_000}, 0.01 * one, 0.02 * other, equity=1e7)
    decision = allowed(portfolio, wb.Order(B, "buy", 600_000), ValueAtRisk(20_000, 0.95, "gaussian", 60, "money"))
    expected = cases["S-R5"]["expected"]
    assert math.floor(expected["max_notional"]) == decision.quantity
    assert math.floor(decision.quantity / 1_000) * 1_000 == expected["allowed"]
    assert f"value at risk {expected['var_before']:,.2f} of 20,000.00 USD" in str(decision)


@pytest.mark.parametrize("group", ["expected", "expected_more"])
def test_s09_the_published_losses_as_figures_and_as_limits(shared: Path, group: str) -> None:
    case = json.loads((shared / "reference" / "s09_var_es_edhec.json").read_text())
    returns = np.array(case["inputs"]["returns"])
    close = np.cumprod(np.append(1.0, 1.0 + returns))
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), close), pd.date_range("2024-01-01", periods=101, tz="UTC"))
    portfolio = wb.Portfolio("USD", 1e9, prices={"A": 1.0}, history=wb.Bars.from_frames({"A": frame}, interval="1D", instruments=[A]))
    for name, figures in case[group].items():
        method, confidence = name.rsplit("_", 1)
        for kind, limit, figure in (("VaR", ValueAtRisk, wb.risk.value_at_risk), ("ES", ExpectedShortfall, wb.risk.expected_shortfall)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert figure(returns, float(confidence), method) == pytest.approx(figures[kind], abs=case["tolerance"])
            most = limit(1_000.0, float(confidence), method, 100, "money")
            quantity = allowed(portfolio, wb.Order(A, "buy", 1e7), most).quantity
            breaks = "breaks down" in str(allowed(portfolio, wb.Order(A, "buy", 1e7), most))
            assert quantity == (0.0 if breaks else pytest.approx(1_000.0 / figures[kind], rel=1e-3, abs=1.0))
