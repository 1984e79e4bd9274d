"""Plans run on a few bars with a volume, twice through the Session, and what filled."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from worked import START, market, plan

import workbench as wb
from workbench.execution import Costs, PaperVenue
from workbench.research.comparing import compare
from workbench.research.running import run_session
from workbench.session.recorder import Recorder

__all__ = ["SHARES", "VOLUME", "bars_of", "fills", "quotes", "ran"]

#: Of each bar's volume of 400 an order gets 40.
SHARES = Costs(commission=0.0, slippage=0.0, participation=0.1)
VOLUME = 400.0


def bars_of(*prices: Any) -> wb.Bars:
    """Return bars of the same volume."""
    whole = [(price,) * 4 if isinstance(price, (int, float)) else price for price in prices]
    return market([(*row, VOLUME) for row in whole])


def ran(words: str, *prices: Any, quantity: float = 100.0, costs: Costs = SHARES, **parts: Any) -> wb.Backtest:
    """Run a plan; two sessions are equal, and the venue's cash is ours to the last bit."""
    bars = bars_of(*prices)
    result = wb.backtest(plan(words, quantity=quantity, **parts), bars, cash=100_000, costs=costs)
    assert compare(result.record, run_session(result.setup), bars).empty
    venue = PaperVenue(100_000, costs)
    session = wb.Session(result.strategy, data=wb.ReplayAdapter(bars), execution=venue)
    recorder = Recorder(session)
    session.run()
    assert compare(result.record, recorder.record(), bars).empty
    assert venue.account().cash == session.portfolio.cash
    assert {symbol: lots for symbol, lots in zip(bars.symbols, session.portfolio.lots, strict=True) if lots} == venue.positions()
    trades = result.trades
    assert float(trades["profit"].sum()) == pytest.approx(result.equity.iloc[-1] - 100_000)
    return result


def fills(result: wb.Backtest) -> list[tuple[int, str, float, float]]:
    table = result.fills
    signed = table["quantity"].where(table["side"] == "buy", -table["quantity"])
    return list(zip(table["time"].dt.hour, table["leg"], signed, table["price"], strict=True))


def quotes(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Return quotes at times of the first day: time, bid and ask."""
    times = pd.DatetimeIndex([f"{START} {time}" for time, *_ in rows])
    return pd.DataFrame([prices for _, *prices in rows], times, ["bid", "ask"])
