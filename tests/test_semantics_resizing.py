"""SEMANTICS 13 and 21: positions that change their size while they are held, by a breached limit or by a rebalance. Worked by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import random_case
from paper_worlds import Fed, state_of
from worked import CONTRACT, EURUSD, FREE, SHARE, Stop, Target, fills, market, plan, reasons

import workbench as wb
from workbench.errors import DataError, ParameterError
from workbench.research.comparing import compare
from workbench.research.risk_states import streaks
from workbench.research.running import run_session
from workbench.risk import MaxDailyLoss, MaxDrawdown, MaxExposure, MaxLeverage, MaxVolatility, ValueAtRisk
from workbench.session.setup import set_up
from workbench.sizing import FixedFraction, FixedQuantity, Rebalance

REDUCE: dict[str, Any] = {"on_breach": "reduce"}


def run(strategy: wb.Strategy, rows: Any, instrument: wb.Instrument = CONTRACT, cash: float = 1000.0, **more: Any) -> wb.Backtest:
    bars = rows if isinstance(rows, wb.Bars) else market(rows, instrument, **more)
    return wb.backtest(strategy, bars, cash=cash, costs=FREE)


def held(result: wb.Backtest) -> list[float]:
    return result.positions.iloc[:, 0].tolist()


# -- what a breached limit reduces ------------------------------------------------------------------------------------


def test_rule_21_a_book_beyond_its_leverage_is_reduced_to_it() -> None:
    # 20 at 100 are 2 x 1,000; at 90 equity is 800 and gross 1,800: 1,600 may stay, 17.8 of 20 contracts, so 17
    result = run(plan("+....", quantity=50, risk=[MaxLeverage(2, **REDUCE)]), [100, 100, 90, 90, 90])
    assert fills(result) == [(1, "open", 20.0, 100.0), (3, "trim", -3.0, 90.0)]
    assert held(result) == [0.0, 20.0, 20.0, 17.0, 17.0]
    assert reasons(result)[1] == "closes 3 long; a limit is breached, and on_breach='reduce'"
    assert result.equity.tolist() == [1000.0, 1000.0, 800.0, 800.0, 800.0]


def test_rule_21_without_it_a_breach_changes_nothing() -> None:
    result = run(plan("+....", quantity=50, risk=[MaxLeverage(2)]), [100, 100, 90, 90, 90])
    assert held(result) == [0.0, 20.0, 20.0, 20.0, 20.0]
    assert result.record.engine.startswith("kernel")


def test_a_short_book_is_reduced_by_buying() -> None:
    result = run(plan("-...", quantity=50, risk=[MaxLeverage(2, **REDUCE)]), [100, 100, 110, 110])
    assert fills(result) == [(1, "open", -20.0, 100.0), (3, "trim", 6.0, 110.0)]  # 1,600 / 110 = 14.5


def test_of_a_net_exposure_only_what_makes_it_too_large_is_reduced() -> None:
    other = wb.Instrument("OIL", "commodity", "future")
    bars = market({CONTRACT: [100, 100, 130, 130], other: [100, 100, 100, 100]})
    limit = MaxExposure(3000, by="asset_class", **REDUCE)
    strategy = wb.Strategy(plan("+...", "-...").signal, FixedQuantity(30), risk=[limit])
    result = wb.backtest(strategy, bars, cash=100_000, costs=FREE, buying_power=False)
    assert fills(result)[:2] == [(1, "open", 30.0, 100.0), (1, "open", -30.0, 100.0)]
    assert len(fills(result)) == 2  # net 900 of 3,000
    tight = wb.Strategy(plan("+...", "-...").signal, FixedQuantity(30), risk=[MaxExposure(500, by="asset_class", **REDUCE)])
    cut = wb.backtest(tight, bars, cash=100_000, costs=FREE, buying_power=False)
    # 5 long fit, then 10 short: net 500 the other way; the rise to 130 leaves 650 against 1,000, which is within
    assert fills(cut) == [(1, "open", 5.0, 100.0), (1, "open", -5.0, 100.0)]


def test_the_group_that_has_grown_is_brought_back() -> None:
    # 5 lots are EUR 500,000 exactly; in dollars the limit shrinks when the euro rises
    bars = market([1.0, 1.0, 1.25, 1.25], EURUSD)
    strategy = wb.Strategy(plan("+...").signal, FixedQuantity(5), risk=[MaxExposure({"EUR": 500_000}, **REDUCE)])
    result = wb.backtest(strategy, bars, cash=100_000, currency="USD", costs=FREE, buying_power=False)
    assert fills(result) == [(1, "open", 5.0, 1.0), (3, "trim", -1.0, 1.25)]


@pytest.mark.parametrize("limit", [MaxDrawdown(0.1, **REDUCE), MaxDailyLoss(0.1, **REDUCE)], ids=["drawdown", "day"])
def test_an_account_that_has_lost_too_much_is_closed_out(limit: wb.risk.RiskManager) -> None:
    # 20 contracts lose 200 of 1,000
    result = run(plan("+....", quantity=20, risk=[limit]), [100, 100, 90, 90, 90])
    assert fills(result) == [(1, "open", 20.0, 100.0), (3, "close", -20.0, 90.0)]
    assert result.trades["exit"].tolist() == ["close"]


RISKY = {
    "historical": ValueAtRisk(0.02, window=20, **REDUCE),
    "gaussian": ValueAtRisk(0.02, window=20, method="gaussian", **REDUCE),
    "volatility": MaxVolatility(0.3, window=20, **REDUCE),
}


def measured(limit: Any, result: wb.Backtest, row: int, quantity: float) -> float:
    """Return what a limit on losses measures of one instrument, as a share of equity, by numpy."""
    closes = result.bars.close.iloc[: row + 1, 0].to_numpy()
    made = (closes[1:] / closes[:-1] - 1.0)[-20:] * quantity * closes[-1] / result.equity.iloc[row]
    return made.std() * 252**0.5 if isinstance(limit, MaxVolatility) else wb.risk.value_at_risk(made, 0.95, limit.method)


@pytest.mark.parametrize("name", RISKY)
def test_a_book_that_has_become_too_risky_is_within_its_limit_after_the_reduction(name: str) -> None:
    limit = RISKY[name]
    bars = wb.simulate([CONTRACT], bars=300, interval="1D", seed=3)
    result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(5, 20), FixedFraction(5.0), risk=[limit]), bars, cash=1e6, costs=FREE)
    trims = [(row - 1, quantity) for row, leg, quantity, _ in fills(result) if leg == "trim"]
    assert len(trims) > 3
    for row, quantity in trims:  # decided at the close before
        before = held(result)[row]
        assert measured(limit, result, row, before + quantity) <= limit.limit * (1 + 1e-9) < measured(limit, result, row, before)


# -- the exits follow -------------------------------------------------------------------------------------------------


def test_rule_27_stop_and_target_stand_for_what_is_left() -> None:
    rows = [100, 100, 90, 90, (90, 90, 70, 75), 75]
    parts: dict[str, Any] = {"risk": [MaxLeverage(2, **REDUCE)], "exits": [Stop(25.0), Target(500.0)]}
    result = run(plan("+.....", quantity=50, **parts), rows)
    assert fills(result) == [(1, "open", 20.0, 100.0), (3, "trim", -3.0, 90.0), (4, "stop", -17.0, 75.0)]
    stop = result.orders[result.orders["leg"] == "stop"].iloc[0]
    assert (stop["quantity"], stop["price"], stop["status"]) == (17.0, 75.0, "filled")
    assert result.orders[result.orders["leg"] == "target"].iloc[0]["quantity"] == 17.0


def test_what_is_trimmed_when_the_stance_turns_closes_in_full() -> None:
    result = run(plan("+..-..", quantity=50, risk=[MaxLeverage(2, **REDUCE)]), [100, 100, 90, 90, 90, 90])
    assert fills(result)[:3] == [(1, "open", 20.0, 100.0), (3, "trim", -3.0, 90.0), (4, "close", -17.0, 90.0)]


def test_a_trim_that_waits_for_a_bar_gives_way_to_the_closing() -> None:
    other = wb.Instrument("OIL", "commodity", "future")
    bars = market({CONTRACT: [100, 100, 90, None, 90, 90], other: [50.0] * 6})
    strategy = wb.Strategy(plan("+.....", ".......").signal, FixedQuantity(50), risk=[MaxLeverage(2, **REDUCE)])
    result = wb.backtest(strategy, bars, cash=1000, costs=FREE)
    assert fills(result) == [(1, "open", 20.0, 100.0), (4, "trim", -3.0, 90.0)]


# -- what a rebalance resizes -----------------------------------------------------------------------------------------


def test_rule_13_a_size_is_set_at_entry_and_kept() -> None:
    result = run(wb.Strategy(plan("+....").signal, FixedFraction(2.0)), [100, 100, 120, 120, 120])
    assert held(result)[1:] == [20.0] * 4


def test_rule_13_a_rebalance_takes_on_more_where_the_sizer_asks_for_more() -> None:
    # at 120 equity is 1,400: 2 x 1,400 / 120 = 23.3
    strategy = wb.Strategy(plan("+....").signal, FixedFraction(2.0), rebalance=Rebalance("1h", band=0.1))
    result = run(strategy, [100, 100, 120, 120, 120])
    assert fills(result) == [(1, "open", 20.0, 100.0), (3, "add", 3.0, 120.0)]
    assert (
        reasons(result)[1] == "FixedFraction asks for 3 more (2,800.00 USD); adds 3 long; resized: the sizer asks for another size by now"
    )
    assert result.trades[["quantity", "profit"]].iloc[0].tolist() == [23.0, 400.0]
    assert result.trades["entry_price"].iloc[0] == pytest.approx((20 * 100 + 3 * 120) / 23)


def test_rule_13_within_the_band_nothing_is_traded() -> None:
    strategy = wb.Strategy(plan("+....").signal, FixedFraction(2.0), rebalance=Rebalance("1h", band=0.2))
    assert len(fills(run(strategy, [100, 100, 120, 120, 120]))) == 1


def test_rule_13_a_rebalance_makes_smaller_whatever_the_limits_say() -> None:
    # at 90 equity is 800: 17.8 of 20
    strategy = wb.Strategy(plan("+....").signal, FixedFraction(2.0), risk=[MaxLeverage(2)], rebalance="1h")
    assert fills(run(strategy, [100, 100, 90, 90, 90])) == [(1, "open", 20.0, 100.0), (3, "trim", -3.0, 90.0)]


def test_rule_13_what_is_added_passes_the_limits() -> None:
    strategy = wb.Strategy(
        plan("+....").signal, FixedFraction(2.0), risk=[MaxExposure(2_640, by="instrument")], rebalance=Rebalance("1h", band=0.0)
    )
    result = run(strategy, [100, 100, 120, 120, 120])
    assert fills(result) == [(1, "open", 20.0, 100.0), (3, "add", 2.0, 120.0)]  # 22 x 120 = 2,640
    assert "MaxExposure: 3 -> 2" in reasons(result)[1]


def test_rule_13_days_turn_at_midnight_and_a_rebalance_comes_with_the_first_close_of_one() -> None:
    rows = [100.0] * 20 + [120.0] * 20
    strategy = wb.Strategy(plan("+" + "." * 39).signal, FixedFraction(2.0), rebalance="1D")
    result = run(strategy, rows, interval="1h")
    assert [row for row, leg, _, _ in fills(result) if leg == "add"] == [25]  # decided at the close of hour 24


def test_rule_13_conviction_counts_at_a_rebalance_too() -> None:
    from worked import Given

    strategy = wb.Strategy(Given([1.0, 1.0, 0.5, 0.5, None]), wb.sizing.Scaled(FixedQuantity(10)), rebalance="1h")
    assert fills(run(strategy, [100.0] * 5)) == [(1, "open", 10.0, 100.0), (3, "trim", -5.0, 100.0)]


def test_the_returns_of_a_resized_position_add_up() -> None:
    strategy = wb.Strategy(plan("+......0..").signal, FixedFraction(2.0), rebalance=Rebalance("1h", band=0.05))
    rows = [100, 100, 120, 110, 90, 130, 125, 118, 121, 121]
    result = wb.backtest(strategy, market(rows, SHARE), cash=100_000)
    assert result.trades["profit"].sum() == pytest.approx(result.equity.iloc[-1] - 100_000)
    assert result.trades["fees"].sum() == pytest.approx(result.fills["fee"].sum())
    assert set(result.trades["exit"]) <= {"trim", "close"}


@pytest.mark.parametrize(("given", "sentence"), [("soon", "interval must look like"), (Rebalance, "band")])
def test_nonsense_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises((DataError, ParameterError), match=sentence):
        wb.Strategy(plan("+").signal, rebalance=given) if isinstance(given, str) else given("1D", band=-0.1)


@pytest.mark.parametrize("seed", range(4))
def test_what_holding_costs_is_told_by_trade_of_a_position_that_changes(seed: int) -> None:
    bars = wb.simulate([wb.Instrument("BTCUSDT", "crypto", "perpetual")], bars=300, interval="1h", seed=seed)
    rates = pd.DataFrame(np.random.Generator(np.random.PCG64(seed)).normal(0, 1e-3, (300, 1)), bars.index, bars.symbols)
    charged = bars.with_extra("funding", rates, known_at="0s")
    strategy = wb.Strategy(wb.signals.MovingAverageCross(3, 8), FixedFraction(0.9), rebalance=Rebalance("1h", band=0.0))
    result = wb.backtest(strategy, charged, cash=50_000)
    assert {"trim", "add"} <= set(result.fills["leg"])
    assert result.trades["funding"].abs().sum() > 0
    assert result.trades["funding"].sum() == pytest.approx(result.stats["funding paid"])
    assert result.trades["profit"].sum() == pytest.approx(result.equity.iloc[-1] - 50_000)


def test_a_trade_lasts_from_flat_to_flat_for_what_counts_losses() -> None:
    # 20 at 100 fall to 90, are trimmed at a loss and closed at 140 with a gain: one trade, which wins
    rows = [100, 100, 90, 90, 140, 140, 140]
    result = run(plan("+...0..", quantity=50, risk=[MaxLeverage(2, **REDUCE)]), rows)
    assert result.trades["exit"].tolist() == ["trim", "close"]
    assert result.trades["profit"].tolist() == [-30.0, 680.0]
    assert streaks(result).tolist() == [0.0] * 7


# -- every path -------------------------------------------------------------------------------------------------------

RISK = [MaxLeverage(1.5, **REDUCE), MaxExposure(1.2, "asset_class", "equity", **REDUCE)]
RESTLESS = wb.Strategy(
    wb.signals.MovingAverageCross(3, 8), FixedFraction(0.9), [wb.exits.AtrStop(5, 2)], RISK, rebalance=Rebalance("1h", band=0.02)
)


@pytest.mark.parametrize("seed", range(12))
def test_two_sessions_are_equal_and_money_is_conserved(seed: int) -> None:
    case = random_case(seed)
    bars, account = case.bars, case.account
    setup = set_up(RESTLESS, bars, **account)
    one, other = run_session(setup), run_session(setup)
    assert compare(one, other, bars).empty
    result = wb.backtest(RESTLESS, bars, **account)
    assert result.equity.iloc[-1] - result.equity.iloc[0] == pytest.approx(result.trades["profit"].sum(), rel=1e-6, abs=1e-3)


def test_the_journal_of_a_live_session_that_resizes_leads_back_to_it() -> None:
    bars = wb.simulate([CONTRACT, SHARE], bars=160, interval="1h", seed=5)
    fed = Fed(RESTLESS, bars, 20).run()
    session, record = fed.again()
    legs = {leg for _, leg, _, _ in fed.fills}
    assert {"add", "trim"} <= legs
    assert state_of(session) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), bars).empty
    assert session.sleeves.at[0].resizer.breached == fed.session.sleeves.at[0].resizer.breached


def test_a_breach_is_an_alert_once_until_it_is_over() -> None:
    bars = market([100, 100, 100, 90, 90, 90, 100, 90], CONTRACT)
    fed = Fed(plan(".+......", quantity=20, risk=[MaxLeverage(2)]), bars, 1, cash=1000.0).run()
    texts = [entry.body["text"] for entry in fed.journal.entries("alert")]
    assert texts == ["MaxLeverage is breached: gross 1,800.00 of 1,600.00 USD (2 x equity)"] * 2
