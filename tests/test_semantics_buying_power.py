"""SEMANTICS 22: buying power. Numbers are worked by hand."""

from __future__ import annotations

import pytest
from worked import CONTRACT, EURUSD, FREE, OTHER, SHARE, Stop, both, market, opened, plan, reasons

import workbench as wb
from workbench.risk import MaxExposure
from workbench.sizing import FixedFraction

BITCOIN = wb.Instrument("BTCUSD", "crypto")
COSTLY = wb.execution.Costs(commission=0.01, slippage=0.01)


@pytest.mark.parametrize(
    ("asset_class", "kind", "margin"),
    [
        ("index", "future", 1 / 10),
        ("crypto", "future", 1 / 10),
        ("fx", "future", 1 / 10),
        ("crypto", "perpetual", 1 / 10),
        ("index", "cfd", 1 / 20),
        ("commodity", "cfd", 1 / 10),
        ("equity", "cfd", 1 / 5),
        ("crypto", "cfd", 1 / 2),
        ("fx", "cfd", 1 / 30),
        ("fx", "spot", 1 / 30),
        ("equity", "spot", 1.0),
        ("crypto", "spot", 1.0),
    ],
)
def test_rule_22_default_margins_go_by_kind_first(asset_class, kind, margin):
    assert wb.Instrument("EURUSD", asset_class, kind).margin == margin


@pytest.mark.parametrize(
    ("instrument", "costs", "allowed"),
    [
        (SHARE, FREE, 10.0),  # 1,000 / 100, equality
        (CONTRACT, FREE, 100.0),  # 1,000 / (100 x 1/10)
        (SHARE, wb.execution.Costs(commission=0.0, slippage=0.01), 9.0),  # 1,000 / 101
        (SHARE, COSTLY, 9.0),  # 1,000 / (101 + 1.01)
        (SHARE, wb.execution.Costs(minimum=50.0, slippage=0.0), 9.0),  # 950 / 100
        (SHARE, wb.execution.Costs(per_unit=11.0, slippage=0.0), 9.0),  # 1,000 / 111
        (CONTRACT, wb.execution.Costs(per_unit=2.5, slippage=0.0), 80.0),  # 1,000 / 12.5, equality
        (CONTRACT, wb.execution.Costs(commission=0.01, slippage=0.0), 90.0),  # 1,000 / (10 + 1) = 90.9
        (BITCOIN, FREE, 10.0),
        (wb.Instrument("CFD", "index", "cfd"), FREE, 200.0),
    ],
    ids=["share", "future", "slippage", "slippage and fee", "least fee", "fee a share", "fee a contract", "fee on notional", "coin", "cfd"],
)
def test_rule_22_margin_and_fees_may_not_exceed_equity(instrument, costs, allowed):
    assert opened(both(plan("+.", quantity=1000), market([100, 100], instrument), cash=1000, costs=costs)) == [allowed]


def test_rule_22_a_short_needs_as_much_as_a_long():
    assert opened(both(plan("-.", quantity=1000), market([100, 100]), cash=1000)) == [10.0]


def test_rule_22_the_rate_of_the_quote_currency_counts():
    # 1 lot at 1.25 in a EUR account: 100,000 EUR, 1/30 of it 3,333.33: 3 lots and nothing left
    assert opened(both(plan("+.", quantity=50), market([1.25, 1.25], EURUSD), currency="EUR", cash=10_000)) == [3.0]


@pytest.mark.parametrize(
    ("stances", "rows"),
    [(("+...", "+..."), [100, 100, 100, 100]), (("+...", ".+.."), [100, None, 100, 100])],
    ids=["of the same step", "pending"],
)
def test_rule_22_earlier_openings_tie_up_margin_and_fees(stances, rows):
    # ABC: 5 x 100 + 50. XYZ at 10: 1,000 - 550 - 50 = 400 -> 40; without ABC's fee it would be 45
    bars = market({SHARE: rows, OTHER: [10] * 4})
    strategy = plan(*stances, quantity=100, risk=[MaxExposure({"ABC": 500}, by="instrument")])
    assert opened(both(strategy, bars, cash=1000, costs=wb.execution.Costs(minimum=50.0, slippage=0.0))) == [5.0, 40.0]


def test_rule_22_a_closing_of_the_step_frees_its_margin_but_an_earlier_one_does_not():
    hole = {SHARE: [100, 100, 100, None, 100], OTHER: [100] * 5}
    assert sorted(opened(both(plan("+.0..", "..+..", quantity=10), market(hole), cash=1000))) == [0.0, 10.0, 10.0]
    assert opened(both(plan("+.0..", "...+.", quantity=10), market(hole), cash=1000)) == [10.0, 0.0, 0.0]


def test_rule_22_positions_count_at_their_closes():
    # 4 shares bought at 100 are worth 800 at 200: equity 1,400, of which 600 are left; 0.45 x 1,400 / 10 = 63 are asked for
    bars = market({SHARE: [100, 100, 200, 200], OTHER: [10] * 4})
    assert opened(both(plan("+...", "..+.", sizer=FixedFraction(0.45)), bars, cash=1000)) == [4.0, 60.0]


def test_rule_22_it_can_be_switched_off():
    assert opened(both(plan("+.", quantity=1000), market([100, 100]), cash=1000, buying_power=False)) == [1000.0]


@pytest.mark.parametrize(("on", "allowed"), [(False, 50.0), (True, 9.0)], ids=["off", "on"])
def test_rule_22_a_hand_made_portfolio_asks_only_if_told_to(on, allowed):
    # a share costs 100.05 and a fill at least 1 (rule 31): 999 / 100.05 = 9.99
    book = wb.Portfolio("USD", 1000, {SHARE: 0}, {"ABC": 100}, buying_power=on)
    assert plan("+").preview(wb.Order(SHARE, "buy", 50), book).quantity == allowed


def test_rule_22_backtest_and_venue_ask_unless_told_not_to():
    assert wb.backtest(plan("+."), market([100, 100])).setup.buying_power
    assert wb.execution.PaperVenue().buying_power


def test_rule_22_without_equity_a_limit_does_not_cross():
    # the stop of 50 FUT is gapped at 80 and takes all of 1,000 in the bar in which the limit of ABC ends untouched
    bars = market({CONTRACT: [100, (100, 100, 99.9, 100), 100, 80, 80], SHARE: [1] * 5})
    strategy = plan("+....", "..+..", quantity=50, exits=[Stop(0.5)], execution=wb.execution.Limit(offset=0.0, then="cross"))
    result = both(strategy, bars, cash=1000)
    assert result.equity.iloc[3] == 0.0
    assert "ABC" not in result.fills["symbol"].tolist()


@pytest.mark.parametrize("low", [80.0, 70.0], ids=["zero equity", "negative equity"])
@pytest.mark.parametrize("stance", "+-")
def test_rule_22_without_equity_nothing_opens_and_the_result_says_so(low, stance):
    # 50 at 100 with 1,000: at 80 nothing is left, at 70 there is a debt of 500. Stopped out at the next open
    bars = market([100, 100, low, low, low, low], CONTRACT)
    result = both(plan(f"+..0{stance}.", quantity=50), bars, cash=1000)
    assert result.equity.iloc[-1] == 1000.0 - 50 * (100.0 - low)
    assert opened(result)[-1] == 0.0
    assert "equity is not above zero" in reasons(result)[-1]
