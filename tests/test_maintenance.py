"""Maintenance margin: rates and tiers by hand, prices of liquidation, refusals (SEMANTICS 41)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import EURUSD, SHARE, both, fills, market, plan, reasons

import workbench as wb
from workbench.errors import ParameterError
from workbench.maintenance import MOST_TIERS, kept_for, liquidation_price
from workbench.spec import spec_of

#: 1 % of the first 1,000; 5 % of what is above.
TIERS = [(0, 0.01, 0), (1_000, 0.05, 40)]


def perpetual(symbol: str = "ETHUSDT", maintenance: Any = 0.05, **given: Any) -> wb.Instrument:
    return wb.Instrument(symbol, "crypto", "perpetual", maintenance=maintenance, **given)


def wallet(cash: float, *held: tuple[wb.Instrument, float, float, float]) -> wb.Portfolio:
    """Return an account in USDT with positions: instrument, quantity, entry price, last price."""
    entries = {one.symbol: entry for one, _, entry, _ in held}
    book = wb.Portfolio("USDT", cash, {one: quantity for one, quantity, _, _ in held}, entries)
    book.mark({one.symbol: last for one, _, _, last in held})
    return book


# -- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maintenance", "notional", "kept"),
    [(None, 800, 40.0), (0.02, 800, 16.0), (TIERS, 800, 8.0), (TIERS, 1_000, 10.0), (TIERS, 1_600, 40.0), ([(0, 0.1, 100)], 500, 0.0)],
    ids=["half of a tenth", "a rate", "first tier", "its bound", "second tier", "never below nothing"],
)
@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_what_a_position_must_keep(maintenance: Any, notional: float, kept: float, side: int) -> None:
    spec = spec_of(perpetual(maintenance=maintenance))
    assert kept_for(side * notional / 50, 50.0, 1.0, spec) == pytest.approx(kept)


def test_tiers_are_in_the_instruments_currency() -> None:
    # a contract of 10, at 1.25 EUR a USDT: 1,600 USDT keep 40, which are 50
    assert kept_for(4.0, 40.0, 12.5, spec_of(perpetual(maintenance=TIERS, multiplier=10))) == pytest.approx(50.0)


# -- declared on an instrument ----------------------------------------------------------------------------------------


def test_an_instrument_with_tiers_stays_a_value() -> None:
    made = perpetual(maintenance=TIERS)
    assert made.maintenance == ((0.0, 0.01, 0.0), (1000.0, 0.05, 40.0))
    assert {made, wb.Instrument(**json.loads(json.dumps(made.to_dict())))} == {made}
    assert eval(repr(made), {"Instrument": wb.Instrument}) == made


def test_half_of_the_margin_is_not_declared() -> None:
    assert perpetual(maintenance=None).maintenance is None
    assert perpetual(maintenance=None).tiers == ((0.0, 0.05, 0.0),)


@pytest.mark.parametrize(
    ("maintenance", "said"),
    [
        ("much", "maintenance must be a rate such as 0.005, or 1 to 16 tiers of (from which notional on, rate, amount), got 'much'"),
        ([], "maintenance must be a rate such as 0.005, or 1 to 16 tiers of (from which notional on, rate, amount), got []"),
        (True, "maintenance must be a rate such as 0.005, or 1 to 16 tiers of (from which notional on, rate, amount), got True"),
        ([(0, 0.01)], "or 1 to 16 tiers of (from which notional on, rate, amount), got [(0, 0.01)]"),
        (0.0, "a maintenance rate is a share of the notional between 0 and 1, and its amount not negative, got 0 and 0 from 0 on"),
        (math.nan, "a maintenance rate is a share of the notional between 0 and 1"),
        ([(0, 0.01, -1)], "and its amount not negative, got 0.01 and -1 from 0 on"),
        ([(5, 0.01, 0)], "the first maintenance tier must begin at a notional of 0, got 5"),
        ([(0, 0.01, 0), (9, 0.01, 0)], "notionals and rates of maintenance tiers must rise, got 9 at 0.01 after 0 at 0.01"),
        ([(0, 0.01, 0), (100, 0.02, 2)], "the maintenance tier from 100 on must have the amount 1, else the margin jumps there, got 2"),
        (0.2, "a position opened at a margin of 0.1 could never keep a maintenance margin of 0.2"),
        ([(k, (k + 1) / 99, 0) for k in range(MOST_TIERS + 1)], "1 to 16 tiers"),
    ],
)
def test_a_wrong_maintenance_margin_gets_a_sentence(maintenance: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        perpetual(maintenance=maintenance)
    assert str(caught.value).startswith("Instrument ETHUSDT: ")
    assert said in str(caught.value)


# -- the price of liquidation -----------------------------------------------------------------------------------------


def test_a_long_and_a_short_position_by_hand() -> None:
    # 100 + 10 (p - 100) = 0.05 x 10 p: 900 = 9.5 p; short: 100 - 10 (p - 100) = 0.05 x 10 p: 1,100 = 10.5 p
    assert wallet(100, (perpetual(), 10, 100, 100)).liquidation_prices()["ETHUSDT"] == pytest.approx(900 / 9.5)
    assert wallet(100, (perpetual(), -10, 100, 100)).liquidation_prices()["ETHUSDT"] == pytest.approx(1_100 / 10.5)


def test_the_tier_is_that_of_the_price_of_liquidation() -> None:
    # at 120 the notional is 1,200, in the second tier; at liquidation in the first: 500 + 10 (p - 120) = 0.01 x 10 p
    assert wallet(500, (perpetual(maintenance=TIERS), 10, 120, 120)).liquidation_prices()["ETHUSDT"] == pytest.approx(700 / 9.9)
    # short from 80, the other way: 500 - 10 (p - 80) = 0.05 x 10 p - 40
    assert wallet(500, (perpetual(maintenance=TIERS), -10, 80, 80)).liquidation_prices()["ETHUSDT"] == pytest.approx(1_340 / 10.5)


def test_profit_and_margin_of_the_others_count() -> None:
    # BTC has made 50 and keeps 0.05 x 1,050 = 52.50: 97.50 + 10 (p - 100) = 0.5 p
    book = wallet(100, (perpetual(), 10, 100, 100), (perpetual("BTCUSDT"), 1, 1_000, 1_050))
    assert book.liquidation_prices()["ETHUSDT"] == pytest.approx(902.5 / 9.5)


def test_what_no_price_liquidates_has_none() -> None:
    coin = wb.Instrument("BTCUSDT", "crypto")
    found = wallet(2_000, (perpetual(), 10, 100, 100), (coin, 1, 100, 100), (perpetual("SOLUSDT"), 0, 1, 1)).liquidation_prices()
    assert found.index.tolist() == ["ETHUSDT", "BTCUSDT"]
    assert found.isna().all()


def test_a_short_position_that_no_price_saves_is_liquidated_at_any() -> None:
    assert wallet(-2_000, (perpetual(), -10, 100, 100)).liquidation_prices()["ETHUSDT"] == 0.0


def test_in_an_account_of_another_currency_it_is_still_the_instruments_price() -> None:
    # 6 lots of EURUSD for 1,000 USD at half of a thirtieth: 1,000 + 6,000 (p - 1.1) = 100 p
    pair = wb.Instrument("EURUSD", "fx", multiplier=1_000)
    dollars = wb.Portfolio("USD", 1_000, {pair: 6}, {"EURUSD": 1.1})
    assert dollars.liquidation_prices()["EURUSD"] == pytest.approx(5_600 / 5_900)
    gold = wb.Instrument("XAU", "commodity", "cfd", maintenance=0.05)
    euros = wb.Portfolio("EUR", 800, {gold: 10}, {"XAU": 2_000}, {"EURUSD": 1.25})
    # 800 EUR are 1,000 USD: 1,000 + 10 (p - 2,000) = 0.5 p
    assert euros.liquidation_prices()["XAU"] == pytest.approx(19_000 / 9.5)


def test_the_account_still_says_what_positions_tie_up() -> None:
    assert wallet(500, (perpetual(), 10, 100, 100)).account.margin == 100.0
    assert wb.Portfolio("USD", 500, {SHARE: 2, EURUSD: 0}, {"ABC": 100, "EURUSD": 1.1}).account.margin == 0.0


@given(
    side=st.sampled_from([1.0, -1.0]),
    entry=st.floats(1, 500),
    rest=st.floats(1, 5_000),
    tiers=st.sampled_from([0.02, TIERS, [(0, 0.01, 0), (500, 0.02, 5), (2_000, 0.1, 165)]]),
)
def test_at_its_price_of_liquidation_a_position_has_what_it_must_keep(side: float, entry: float, rest: float, tiers: Any) -> None:
    spec = spec_of(perpetual(maintenance=tiers))
    price = liquidation_price(10 * side, entry, 1.0, rest, spec)
    equity = rest + 10 * side * (price - entry)
    assert price <= 0 or equity == pytest.approx(kept_for(10 * side, price, 1.0, spec), abs=1e-6)


# -- the shared reference ---------------------------------------------------------------------------------------------


def held_at_the_venue(case: dict[str, Any], *symbols: str) -> wb.Portfolio:
    given = case["inputs"]
    held = [
        (perpetual(symbol, [(0, one["mmr"], one["cum"])], quantity_step=0.001), one["pos"], one["ep"], one["mark"])
        for symbol in symbols
        for one in [given[symbol]]
    ]
    return wallet(given["wallet_balance"], *held)


@pytest.mark.parametrize("wallets", ["expected", "isolated_expected"], ids=["cross", "isolated"])
@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDT"])
def test_liquidation_prices_of_the_reference(shared: Path, symbol: str, wallets: str) -> None:
    case = json.loads((shared / "reference" / "s08_binance_liquidation_cross.json").read_text())
    symbols = ["ETHUSDT", "BTCUSDT"] if wallets == "expected" else [symbol]
    found = held_at_the_venue(case, *symbols).liquidation_prices()
    print(f"\n{symbol}, {wallets}: {found[symbol]:.4f}")
    assert found[symbol] == pytest.approx(case[wallets][symbol], abs=case["tolerance"])


# -- 41 in every engine -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("maintenance", "low", "out"),
    [
        (0.005, 80.5, False),  # 25 against 50 x 80.5 x 0.005 = 20.125
        (0.005, 80.3, True),  # 15 against 20.075
        ([(0, 0.005, 0), (4_000, 0.05, 180)], 80.5, False),  # 25 against 50 x 80.5 x 0.05 - 180 = 21.25
        ([(0, 0.005, 0), (4_000, 0.05, 180)], 80.4, True),  # 20 against 21
        (None, 84.0, True),
    ],
)
def test_rule_41_a_declared_maintenance_margin_counts_instead_of_half(maintenance: Any, low: float, out: bool) -> None:
    # 50 at 100 with 1,000
    bars = market([100, 100, low, 100, 100], perpetual(maintenance=maintenance))
    result = both(plan("+....", quantity=50), bars, cash=1_000)
    assert [(row, leg) for row, leg, _, _ in fills(result)][1:] == ([(3, "close")] if out else [])
    assert ["stop-out" in words for words in reasons(result)] == [False, True][: 1 + out]


def test_rule_41_the_account_is_stopped_out_at_the_price_of_liquidation() -> None:
    # 1,000 + 50 (p - 100) = 0.25 p
    price = wallet(1_000, (perpetual(maintenance=0.005), 50, 100, 100)).liquidation_prices()["ETHUSDT"]
    assert price == pytest.approx(4_000 / 49.75)
    for low, out in ((price + 1e-6, False), (price - 1e-6, True)):
        result = both(plan("+...", quantity=50), market([100, 100, low, 100], perpetual(maintenance=0.005)), cash=1_000)
        assert (result.trades["exit"].tolist() == ["stop-out"]) == out


def test_rule_41_one_with_and_one_without_a_declared_margin_are_added_up() -> None:
    # at 90: 200 in all, against 40 x 90 x 0.01 + 40 x 90 x 0.05 = 216
    two = {perpetual(maintenance=0.01): [100, 100, 90, 90], perpetual("BTCUSDT", None): [100, 100, 90, 90]}
    result = both(plan("+...", "+...", quantity=40), market(two), cash=1_000)
    assert result.trades["exit"].tolist() == ["stop-out", "stop-out"]


def test_rule_41_a_result_says_what_must_be_kept() -> None:
    said = both(plan("+."), market([100, 100], perpetual(maintenance=TIERS)), cash=1_000).assumptions
    assert "ETHUSDT: stop-out below a maintenance margin of 1 % to 5 % of the notional, in 2 tiers" in said
