"""The figures of a result, computed from equity and trades alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from workbench.interval import DAY

__all__ = ["daily_equity", "daily_returns", "drawdown", "performance", "ratio", "statistics"]

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


def daily_returns(equity: pd.Series, cash: float) -> pd.Series:
    """Return the return of each UTC day that has an equity, the first one since the start; NaN where there was nothing to lose."""
    daily = daily_equity(equity)
    before = np.concatenate([[cash], daily.to_numpy()[:-1]])
    return (daily / np.where(before > 0, before, np.nan) - 1.0).rename("daily return")


def ratio(returns: np.ndarray) -> float:
    """Return mean over standard deviation (ddof=1), per period; NaN where the returns do not vary."""
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    mean = float(returns.mean()) if len(returns) else 0.0
    # of equal returns the deviation is rounding, not 0
    return mean / deviation if deviation > 1e-14 * abs(mean) else math.nan


def _downside_ratio(returns: np.ndarray) -> float:
    downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
    return float(returns.mean()) / downside if downside else math.nan


def performance(returns: pd.Series | np.ndarray, periods_per_year: float) -> pd.Series:
    """Return the usual figures of a series of returns.

    Parameters
    ----------
    returns : Series or array of length T
        One a period, as shares. A period whose return is NaN took its time (`annual return` counts it) and says nothing else.
    periods_per_year : float
        252 for the daily returns of shares, 365.25 for those of coins, 12 for monthly ones. It is taken as given.

    Returns
    -------
    Series
        As shares, not in percent: `return` (compounded), `annual return` (compounded: it extrapolates a short record),
        `annual volatility` (ddof=1), `Sharpe` (ddof=1, no risk-free rate), `Sortino` (downside deviation over ALL periods, target
        0), `Calmar` (annual return over the size of the deepest fall), `max drawdown` (from the start or the highest so far, at
        most 0). NaN where there is nothing to divide by.

    Examples
    --------
    >>> performance(np.array([0.01, -0.02, 0.03]), periods_per_year=252)["max drawdown"].round(4).item()
    -0.02
    """
    given = np.asarray(returns, dtype=float)
    values = given[~np.isnan(given)]
    wealth = np.cumprod(np.concatenate([[1.0], 1.0 + values]))
    deepest = float(drawdown(pd.Series(wealth)).min())
    growth = float(wealth[-1] ** (periods_per_year / len(given)) - 1.0) if len(values) and wealth[-1] >= 0 else math.nan
    scale, many = math.sqrt(periods_per_year), len(values) > 1
    figures = {
        "return": float(wealth[-1] - 1.0),
        "annual return": growth,
        "annual volatility": float(values.std(ddof=1)) * scale if many else math.nan,
        "Sharpe": ratio(values) * scale,
        "Sortino": _downside_ratio(values) * scale if many else math.nan,
        "Calmar": growth / -deepest if deepest else math.nan,
        "max drawdown": deepest,
    }
    return pd.Series(figures, name="performance")


def _days(equity: pd.Series) -> np.ndarray:
    """Return the number of each label's UTC day since 1970."""
    return equity.index.as_unit("ns").asi8 // DAY


def statistics(equity: pd.Series, cash: float, trades: pd.DataFrame, orders: int, exposure: float, fees: float) -> pd.Series:
    """Return the figures that a trader looks at first.

    Annual figures use the days that the equity has a value on: how many come in a year is measured, by the intervals from
    the first day to the last, so shares come out near 252 and coins near 365. Volatility, Sharpe and Sortino are of daily
    returns, without a risk-free rate; NaN below three days. The annual return is NaN below a quarter of a year. Calmar is it over
    the size of the deepest fall.

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
    annual, deepest = _annual(equity, cash), float(drawdown(equity).min()) * 100
    closed = trades[trades["exit"] != "open"]
    won, lost = closed.loc[closed["profit"] > 0, "profit"], closed.loc[closed["profit"] <= 0, "profit"]
    values = {
        "start": equity.index[0],
        "end": equity.index[-1],
        "steps": len(equity),
        "start equity": cash,
        "end equity": end,
        "return %": (end / cash - 1.0) * 100,
        **annual,
        "Calmar": annual["annual return %"] / -deepest if deepest else math.nan,
        "max drawdown %": deepest,
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
    if len(daily) < 3 or (daily.to_numpy() <= 0).any():
        return {"annual return %": growth, "annual volatility %": math.nan, "Sharpe": math.nan, "Sortino": math.nan}
    returns = daily_returns(equity, cash).to_numpy()
    # between n days lie n - 1 intervals: counting the days themselves inflates a short sample
    days = _days(daily)
    scale = math.sqrt(YEAR * (len(days) - 1) / (days[-1] - days[0]))
    return {
        "annual return %": growth,
        "annual volatility %": float(returns.std(ddof=1)) * scale * 100,
        "Sharpe": ratio(returns) * scale,
        "Sortino": _downside_ratio(returns) * scale,
    }
