"""A result as a vectorbt Portfolio: the same money, the same trades."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worked import CONTRACT, OTHER, SHARE, Stop, both, market, plan

import workbench as wb

ROOT = Path(__file__).resolve().parents[1]
SHARES = wb.simulate(["A", "B", "C"], days=4, interval="15min", seed=8)
COINS = [wb.Instrument(name, "crypto", quantity_step=0.001) for name in ("BTCUSD", "ETHUSD")]
PROTECTED = [wb.exits.AtrStop(5), wb.exits.TakeProfit()]
FUTURE = wb.Instrument("F", "index", "future", multiplier=5)
CASES: dict[str, Any] = {
    "shares": (wb.Strategy(wb.signals.MovingAverageCross(3, 9), wb.sizing.FixedFraction(0.3)), SHARES, {}),
    "stops and targets": (wb.Strategy(wb.signals.MovingAverageCross(2, 5), wb.sizing.RiskPercent(0.01), PROTECTED), SHARES, {}),
    "coins": (wb.Strategy(wb.signals.Breakout(5), wb.sizing.FixedFraction(0.4)), wb.simulate(COINS, days=2, interval="15min", seed=2), {}),
    "in euro": (
        wb.Strategy(wb.signals.Breakout(8), wb.sizing.FixedFraction(0.5)),
        SHARES,
        {"currency": "EUR", "rates": {"EURUSD": 1.25}},
    ),
    "contracts": (
        wb.Strategy(wb.signals.Breakout(8), wb.sizing.FixedQuantity(3)),
        wb.simulate([FUTURE], days=3, interval="15min", seed=4),
        {},
    ),
    "no trades": (plan("..."), market([100, 101, 102]), {}),
    "one open trade": (plan("+..", quantity=4), market([100, 101, 102]), {}),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def result(request: pytest.FixtureRequest) -> wb.Backtest:
    strategy, bars, options = CASES[request.param]
    return wb.backtest(strategy, bars, **options)


def test_the_final_value_is_ours(result: wb.Backtest) -> None:
    assert float(result.portfolio.final_value()) == pytest.approx(result.equity.iloc[-1], rel=1e-9)


def test_the_value_of_every_step_is_ours(result: wb.Backtest) -> None:
    np.testing.assert_allclose(result.portfolio.value().to_numpy(), result.equity.to_numpy(), rtol=1e-9)


def test_the_number_of_trades_is_ours(result: wb.Backtest) -> None:
    assert int(result.portfolio.trades.count().sum()) == len(result.trades)
    closed = int((result.trades["exit"] != "open").sum())
    assert int(result.portfolio.trades.closed.count().sum()) == closed


def test_the_orders_are_our_fills(result: wb.Backtest) -> None:
    records = result.portfolio.orders.records
    assert len(records) == len(result.fills)
    assert records["fees"].sum() == pytest.approx(result.fills["fee"].sum())
    assert (records["size"] * records["price"]).sum() == pytest.approx(result.fills["value"].sum())


def test_the_profit_of_the_trades_is_ours(result: wb.Backtest) -> None:
    records = result.portfolio.trades.records
    ours = result.trades.sort_values(["symbol", "entered"], kind="stable")["profit"]
    if len(ours):
        np.testing.assert_allclose(np.sort(records["pnl"]), np.sort(ours), rtol=1e-6, atol=1e-6)


def test_the_index_has_no_zone_and_the_columns_are_symbols() -> None:
    portfolio = both(plan("+..", ".+."), market({SHARE: [100] * 3, OTHER: [50] * 3})).portfolio
    assert portfolio.wrapper.index.tz is None
    assert list(portfolio.wrapper.columns) == ["ABC", "XYZ"]
    assert portfolio.wrapper.freq is not None


def test_holes_keep_the_last_close() -> None:
    bars = market({SHARE: [100, 100, 110, None, None, 120], OTHER: [10] * 6})
    result = both(plan("+....", "....."), bars)
    np.testing.assert_allclose(result.portfolio.value(), result.equity)


def test_the_portfolio_is_made_once() -> None:
    result = both(plan("+0..", exits=[Stop(5.0)]), market([100] * 4, CONTRACT))
    assert result.portfolio is result.portfolio


def test_our_own_figures_need_no_vectorbt() -> None:
    code = """
import sys
import workbench as wb
result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(3, 8)), wb.simulate(days=1, seed=1))
result.stats, result.trades, result.decisions, repr(result), result.plot()
assert "vectorbt" not in sys.modules and "numba" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
