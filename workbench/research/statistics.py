"""The figures of a result, computed from equity and trades alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from workbench.interval import DAY

__all__ = ["daily_equity", "drawdown", "statistics"]

#: Calendar days.
YEAR = 365.25
#: Two good weeks compounded to a year are no figure that a trader should see.
SHORTEST_YEARS = 0.25


def drawdown(equity: pd.Series) -> pd.Series:
    """Return the fall from the highest equity so far, as a share: 0 at a high, -0.1 ten percent below."""
    return equity / equity.cummax() - 1.0


def daily_equity(equity: pd.Series) -> pd.Series:
    """Return the last equity of each UTC day that has any."""
    days = _days(equity)
    last = np.append(days[1:] != days[:-1], True)
    return equity[last]


def _days(equity: pd.Series) -> np.ndarray:
    """Return the number of each label's UTC day since 1970."""
    return equity.index.as_unit("ns").asi8 // DAY


def statistics(equity: pd.Series, cash: float, trades: pd.DataFrame, orders: int, exposure: float, fees: float) -> pd.Series:
    """Return the figures that a trader looks at first.

    Annual figures use the days that the equity has a value on: how many come in a year is measured, by the intervals from
    the first day to the last, so shares come out near 252 and coins near 365. Volatility, Sharpe and Sortino are of daily
    returns, without a risk-free rate; NaN below three days. The annual return is NaN below a quarter of a year.

    Stopped out are the closed trades that a protective stop or the margin ended: the money was taken either way. The
    column `exit` of the trades tells ``"stop"`` from ``"stop-out"`` (SEMANTICS 41).

    Parameters
    ----------
    equity : Series of length T
    cash : float
        At the start.
    trades : DataFrame
        Round trips (`workbench.research.tables.trades_table`).
    orders : int
    exposure : float
        Share of the steps with a position.
    fees : float
    """
    end = float(equity.iloc[-1])
    fall = drawdown(equity)
    closed = trades[trades["exit"] != "open"]
    won, lost = closed.loc[closed["profit"] > 0, "profit"], closed.loc[closed["profit"] <= 0, "profit"]
    values = {
        "start": equity.index[0],
        "end": equity.index[-1],
        "steps": len(equity),
        "start equity": cash,
        "end equity": end,
        "return %": (end / cash - 1.0) * 100,
        **_annual(equity, cash),
        "max drawdown %": float(fall.min()) * 100,
        "orders": orders,
        "trades": len(trades),
        "open trades": len(trades) - len(closed),
        "win rate %": len(won) / len(closed) * 100 if len(closed) else math.nan,
        "profit factor": float(won.sum() / -lost.sum()) if len(lost) and lost.sum() else math.nan,
        "average trade": float(closed["profit"].mean()) if len(closed) else math.nan,
        "stopped out %": float(closed["exit"].isin(("stop", "stop-out")).mean()) * 100 if len(closed) else math.nan,
        "time in market %": exposure * 100,
        "fees": fees,
    }
    return pd.Series(values, dtype=object, name="backtest")


def _annual(equity: pd.Series, cash: float) -> dict[str, float]:
    daily = daily_equity(equity)
    years = (equity.index[-1] - equity.index[0]).value / (YEAR * DAY)
    end = float(equity.iloc[-1])
    growth = ((end / cash) ** (1 / years) - 1) * 100 if years >= SHORTEST_YEARS and end > 0 else math.nan
    values = np.concatenate([[cash], daily.to_numpy()])
    if len(daily) < 3 or (values <= 0).any():
        return {"annual return %": growth, "annual volatility %": math.nan, "Sharpe": math.nan, "Sortino": math.nan}
    returns = values[1:] / values[:-1] - 1.0
    # between n days lie n - 1 intervals: counting the days themselves inflates a short sample
    days = _days(daily)
    scale = math.sqrt(YEAR * (len(days) - 1) / (days[-1] - days[0]))
    deviation = float(returns.std(ddof=1))
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return {
        "annual return %": growth,
        "annual volatility %": deviation * scale * 100,
        "Sharpe": float(returns.mean()) / deviation * scale if deviation else math.nan,
        "Sortino": float(returns.mean()) / downside * scale if downside else math.nan,
    }
