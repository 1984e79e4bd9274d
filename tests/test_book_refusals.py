"""What cannot be traded on gets one sentence before any order: in a preview, a backtest and a session alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from worked import FREE, Given, market, plan

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.risk import (
    CoolDown,
    ExpectedShortfall,
    MaxDailyLoss,
    MaxDrawdown,
    MaxExposure,
    MaxLeverage,
    MaxPositions,
    MaxTrades,
    MaxVolatility,
    ValueAtRisk,
)
from workbench.sizing import FixedFraction, Kelly, RiskPercent, TargetWeights

NAN, INF = math.nan, math.inf
US = wb.Instrument("ABC", region="US", tags={"sector": "energy"})
NOWHERE = wb.Instrument("XYZ", tags={"sector": "energy"})
GERMAN = wb.Instrument("SAP", quote="EUR", region="DE")
EURUSD = wb.Instrument("EURUSD", "fx", multiplier=100_000)
PRICES = {"ABC": 10.0, "XYZ": 10.0, "SAP": 10.0, "EURUSD": 1.25}


def preview(strategy: wb.Strategy, instrument: wb.Instrument, cash: Any = 1_000.0, **more: Any) -> wb.Decision:
    given = {"prices": PRICES} | more
    return strategy.preview(wb.Order(instrument, "buy", 5), wb.Portfolio("USD", cash, **given))


def backtest(strategy: wb.Strategy, instrument: wb.Instrument, cash: Any = 1_000.0, **more: Any) -> wb.Backtest:
    return wb.backtest(strategy, market([10.0] * 3, instrument), cash=cash, currency="USD", costs=FREE, **more)


def session(strategy: wb.Strategy, instrument: wb.Instrument, cash: Any = 1_000.0, rates: Any = None) -> wb.Session:
    venue = wb.execution.PaperVenue(cash, FREE, "USD", rates)
    return wb.Session(strategy, data=wb.ReplayAdapter(market([10.0] * 3, instrument)), execution=venue).run()


ROADS = {"preview": preview, "backtest": backtest, "session": session}


def said(make: Callable[[], Any]) -> str:
    """Return the sentence of a refusal: one line, and no other exception."""
    with pytest.raises(WorkbenchError) as caught:
        make()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- on every road ----------------------------------------------------------------------------------------------------

NO_RATE = "no conversion rate from EUR to the account currency USD: give rates={'EURUSD': ...} or add the pair to the bars"
NO_REGION = (
    "MaxExposure(by='region'): XYZ has no region, so nothing would limit it; say where it belongs, wb.Instrument('XYZ', region='US')"
)
EVERYWHERE: list[tuple[str, wb.Instrument, list[Any], dict[str, Any], str]] = [
    ("no rate", GERMAN, [], {}, NO_RATE),
    ("a rate below zero", GERMAN, [], {"rates": {"EURUSD": -1.1}}, "the rate of EURUSD must be a positive number, got -1.1"),
    ("a rate that is none", GERMAN, [], {"rates": {"EURUSD": NAN}}, "the rate of EURUSD must be a positive number, got nan"),
    ("a rate in words", GERMAN, [], {"rates": {"EURUSD": "1.1"}}, "the rate of EURUSD must be a positive number, got '1.1'"),
    ("a rate that is true", GERMAN, [], {"rates": {"EURUSD": True}}, "the rate of EURUSD must be a positive number, got True"),
    ("no pair", GERMAN, [], {"rates": {"EURO": 1.1}}, "rates are given by pair of currencies such as 'EURUSD', got 'EURO'"),
    ("a share without a region", NOWHERE, [MaxExposure(100, by="region")], {}, NO_REGION),
    ("an almost-region", US, [MaxExposure({"USA": 100}, by="region")], {}, "nothing here counts towards region 'USA'; did you mean 'US'?"),
    ("an almost-currency", EURUSD, [MaxExposure({"EURO": 100})], {}, "nothing here counts towards currency 'EURO'; did you mean 'EUR'?"),
    (
        "an almost-group",
        US,
        [MaxExposure({"enrgy": 1}, by="sector")],
        {},
        "sector 'enrgy'; did you mean 'energy'?",
    ),
    ("an almost-class", US, [MaxExposure({"equities": 1}, by="asset_class")], {}, "asset_class 'equities'; did you mean 'equity'?"),
    ("an unknown kind of group", US, [MaxExposure(100, by="regoin")], {}, "no instrument has a tag 'regoin'; did you mean 'region'?"),
    ("an unknown tag", US, [MaxExposure(100, by="sectr")], {}, "no instrument has a tag 'sectr'; did you mean 'sector'?"),
    (
        "a tag that nothing has",
        GERMAN,
        [MaxExposure(100, by="colour")],
        {"rates": {"EURUSD": 1.1}},
        "no instrument has a tag 'colour'; known:",
    ),
]


@pytest.mark.parametrize(("instrument", "risk", "more", "words"), [row[1:] for row in EVERYWHERE], ids=[row[0] for row in EVERYWHERE])
@pytest.mark.parametrize("road", ROADS)
def test_it_is_refused_on_every_road(road: str, instrument: wb.Instrument, risk: Any, more: Any, words: str) -> None:
    assert words in said(lambda: ROADS[road](plan("+..", risk=risk), instrument, **more))


@pytest.mark.parametrize("cash", [0.0, -50.0], ids=["none", "debt"])
def test_without_equity_nothing_opens(cash: float) -> None:
    decision = preview(plan("+.."), US, cash)
    assert str(decision) == f"equity: 5 -> 0, equity is {cash:,.2f} USD, and nothing opens while it is not above zero"
    for road in (backtest, session):
        assert said(lambda road=road: road(plan("+.."), US, cash)) == f"cash must be a positive number, got {cash!r}"


def test_without_equity_what_is_held_may_be_sold() -> None:
    broke = wb.Portfolio("USD", -50.0, {US: 4}, PRICES)
    assert broke.equity == -10.0
    decision = plan("+..").preview(wb.Order(US, "sell", 9), broke)
    assert (decision.quantity, [reason.who for reason in decision.reasons]) == (4.0, ["equity"])


def test_a_book_of_which_no_cash_is_told_is_limited_in_money_only() -> None:
    strategy = plan("+..", risk=[MaxExposure({"ABC": 30}, by="instrument")])
    decision = strategy.preview(wb.Order(US, "buy", 5), wb.Portfolio(prices=PRICES))
    assert decision.quantity == 3.0
    assert decision.outlook is not None
    assert "leverage is not known: equity is not above zero" in decision.outlook.missing
    assert preview(plan("+..", risk=[MaxLeverage(2)]), US, None).quantity == 0.0


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (MaxExposure({"CHF": 100}), "MaxExposure: nothing here counts towards currency 'CHF'; known: USD"),
        (MaxExposure({"AUD": 100}), "MaxExposure: nothing here counts towards currency 'AUD'; did you mean 'USD'?"),
        (MaxExposure({"Asia": 100}, by="region"), "MaxExposure: nothing here counts towards region 'Asia'; known: US"),
        (MaxExposure({"XYZ": 100}, by="instrument"), "MaxExposure: nothing here counts towards instrument 'XYZ'; known: ABC"),
    ],
    ids=["a currency that the book has no rate for", "a currency that is nearly one of the book's", "a region", "an instrument"],
)
def test_a_group_that_may_come_yet_is_no_fault_and_is_said(limit: Any, words: str) -> None:
    decision = preview(plan("+..", risk=[limit]), US)
    assert decision.outlook is not None
    assert words in decision.outlook.missing
    assert words in backtest(plan("+..", risk=[limit]), US).assumptions


# -- books and orders -------------------------------------------------------------------------------------------------

PRICE = "Portfolio: the price of ABC must be a positive number, got "


@pytest.mark.parametrize(
    ("make", "words"),
    [
        *((lambda v=v: preview(plan("+"), US, prices={"ABC": v}), f"{PRICE}{v!r}") for v in (-3.0, 0.0, NAN, INF, True, "10", None)),
        (lambda: wb.Portfolio("USD", 1.0, {US: 1}, PRICES).mark({"ABC": -3.0}), f"{PRICE}-3.0"),
        (lambda: wb.Portfolio("USD", 1.0, {US: 1}, PRICES).mark({"ABD": 3.0}), "no position in 'ABD' to mark; did you mean 'ABC'?"),
        (lambda: preview(plan("+"), wb.Instrument("ABD")), "no price of ABD: give prices={'ABD': ...}; did you mean 'ABC'?"),
        *((lambda v=v: wb.Portfolio("USD", v), f"Portfolio: cash must be a number, got {v!r}") for v in (NAN, INF, True, "100")),
        (lambda: wb.Portfolio(5.0), "Portfolio: currency must be a name such as 'USD', got 5.0"),  # type: ignore[arg-type]
        (lambda: wb.Portfolio("USD", 1.0, {US: True}, PRICES), "the quantity of ABC must be a number, got True"),
        (lambda: wb.Portfolio("USD", 1.0, {US: NAN}, PRICES), "the quantity of ABC must be a number, got nan"),
        (lambda: wb.Portfolio("USD", 1.0, {US: 0.5}, PRICES), "0.5 of ABC is not a multiple of its step 1.0"),
        (lambda: wb.Portfolio("USD", 1.0, {"ABC": 1}, PRICES), "positions are by instrument, {wb.Instrument('AAPL'): 10}, got 'ABC'"),  # type: ignore[dict-item]
        (lambda: wb.Portfolio(buying_power="yes"), "buying_power must be True or False, got 'yes'"),  # type: ignore[arg-type]
        (lambda: wb.Portfolio(history=[1.0]), "history must be wb.Bars, got list"),  # type: ignore[arg-type]
        (lambda: wb.Portfolio().exposure("regoin"), "exposure: unknown group 'regoin'; did you mean 'region'?"),
        (lambda: plan("+").preview("buy", wb.Portfolio()), "preview expected a wb.Order first"),  # type: ignore[arg-type]
        (lambda: plan("+").preview(wb.Order(US, "buy", 1), {}), "preview expected a wb.Portfolio after the order, got {}"),  # type: ignore[arg-type]
        *((lambda v=v: wb.Order(US, "buy", v), f"quantity must be a positive number, got {v!r}") for v in (0, -1, NAN, "5")),
        (lambda: preview(plan("+", risk=[ValueAtRisk()]), US), "ValueAtRisk looks back at past returns: give the portfolio bars"),
        (
            lambda: preview(plan("+", risk=[ValueAtRisk()]), US, history=market([10.0, 11.0], NOWHERE)),
            "ValueAtRisk looks back at past returns: history= has no bars of ABC, only of XYZ",
        ),
    ],
)
def test_a_book_or_an_order_that_cannot_be(make: Any, words: str) -> None:
    assert words in said(make)


@pytest.mark.parametrize("price", [-3.0, NAN, INF], ids=str)
def test_bars_with_a_price_that_is_none_are_refused(price: float) -> None:
    index = pd.date_range("2024-01-01", periods=3, freq="h", tz="UTC")
    frame = pd.DataFrame({name: [10.0, 10.0, 10.0] for name in ("open", "high", "low")} | {"close": [10.0, price, 10.0]}, index)
    assert "2024-01-01 01:00" in said(lambda: wb.Bars.from_frames({"ABC": frame}, interval="1h"))


# -- limits, sizers and words -----------------------------------------------------------------------------------------

SHARES = [MaxLeverage, ValueAtRisk, ExpectedShortfall, MaxVolatility, MaxDrawdown, MaxDailyLoss]
COUNTS = [MaxPositions, MaxTrades, CoolDown]


@pytest.mark.parametrize("kind", [*SHARES, *COUNTS, MaxExposure], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("value", [-1, 0, NAN, INF, True, "5", None], ids=repr)
def test_a_limit_of_nonsense_is_refused(kind: Any, value: Any) -> None:
    words = said(lambda: kind(value))
    assert words.startswith(kind.__name__)
    assert f"got {value!r}" in words


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: MaxExposure(5.0, of="equty"), "MaxExposure.of must be 'money' or 'equity', got 'equty' (str); did you mean 'equity'?"),
        (lambda: MaxExposure(5.0, scope="groos"), "MaxExposure.scope must be 'net' or 'gross', got 'groos' (str); did you mean 'gross'?"),
        (lambda: ValueAtRisk(method="historic"), "got 'historic' (str); did you mean 'historical'?"),
        (lambda: MaxVolatility(method="shrinked"), "got 'shrinked' (str); did you mean 'shrunk'?"),
        (lambda: MaxDailyLoss(500, of="mony"), "MaxDailyLoss.of must be 'equity' or 'money', got 'mony' (str); did you mean 'money'?"),
        (lambda: wb.risk.value_at_risk([0.1, 0.2], method="gausian"), "got 'gausian'; did you mean 'gaussian'?"),
        (lambda: MaxDailyLoss(500), "MaxDailyLoss: limit is a share of equity below 1 (0.03 = three percent), got 500"),
        (lambda: ValueAtRisk(confidence=95), "confidence lies between 0.5 and 1 (0.95 = ninety-five percent), got 95"),
        (lambda: plan("+", sizer=RiskPercent()), "RiskPercent sizes by the distance to a stop, and this strategy has none"),
        (lambda: plan("+", exits=[wb.exits.TakeProfit(multiple=2)]), "TakeProfit as a multiple of the risk needs a stop"),
        (lambda: Kelly(win_rate=None), "Kelly.win_rate must be float, got None"),
        (lambda: Kelly(win_rate=55), "Kelly: win_rate is a chance between 0 and 1, got 55"),
        (lambda: Kelly(source="trade"), "Kelly.source must be 'trades' or 'signal', got 'trade' (str); did you mean 'trades'?"),
        (lambda: backtest(plan("+", sizer=Kelly(source="signal")), US), "asks the signal for the chance to win, and Script has none"),
        (lambda: plan("+", sizer=MaxLeverage(2)), "Strategy.sizer must be PositionSizer, got MaxLeverage(limit=2, scope='gross')"),
        (lambda: plan("+", risk=MaxLeverage(2)), "write risk=[MaxLeverage(...)]"),
        (
            lambda: wb.signals.Weighted([wb.signals.Breakout(3), wb.signals.Breakout(5)], [1.0, 0.0]),
            "Weighted: a weight must be a positive number, got 0.0",
        ),
        (lambda: backtest(wb.Strategy(Given([1.4, None, None]), TargetWeights()), US), "gave 1.4 for ABC at"),
    ],
)
def test_a_part_that_cannot_be(make: Any, words: str) -> None:
    assert words in said(make)


def test_weights_that_come_to_more_than_all_are_cut_and_it_is_said() -> None:
    bars = market({US: [10.0] * 3, NOWHERE: [10.0] * 3})
    result = wb.backtest(wb.Strategy(Given([0.8, None, None]), TargetWeights()), bars, cash=1_000, costs=FREE)
    assert result.decisions["opened"].tolist() == [80.0, 20.0]
    assert "buying power: 80 -> 20 (margin and fees of what equity can carry)" in result.decisions["reason"].iloc[1]


def test_an_expansion_outside_of_its_domain_opens_nothing_and_says_why() -> None:
    rows = [100.0] * 30 + [50.0] + [50.0] * 3
    strategy = plan("." * 31 + "+..", risk=[ValueAtRisk(0.5, method="modified", window=30)], sizer=FixedFraction(0.1))
    assert wb.backtest(strategy, market(rows), cash=10_000).decisions["opened"].tolist() == [0.0]
    book = wb.Portfolio("USD", 10_000, prices={"ABC": 50.0}, history=market(rows))
    decision = strategy.preview(wb.Order(wb.Instrument("ABC"), "buy", 10), book)
    assert "ValueAtRisk: 10 -> 0, Cornish and Fisher's expansion breaks down for these returns" in str(decision)
    with pytest.warns(UserWarning, match="breaks down for these returns"):
        wb.risk.value_at_risk([0.0] * 40 + [-0.5], method="modified")
