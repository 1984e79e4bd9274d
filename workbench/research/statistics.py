"""Days, returns, and the figures of a series of returns."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.interval import DAY

__all__ = ["Days", "daily_equity", "daily_returns", "downside_ratio", "drawdown", "over", "performance", "ratio", "returns_of"]

#: Calendar days.
YEAR = 365.25
#: Two good weeks compounded to a year are no figure that a trader should see.
SHORTEST_YEARS = 0.25


def drawdown(equity: pd.Series) -> pd.Series:
    """Return the fall from the highest equity so far, as a share: 0 at a high, -0.1 ten percent below."""
    return equity / equity.cummax() - 1.0


class Days:
    """The UTC days that labels fall on.

    How many come in a year is measured, by the intervals from the first day to the last - n days have n - 1, and counting the
    days themselves inflates a short sample - so shares come out near 252 and coins near 365.

    Parameters
    ----------
    labels : ndarray of int64
        Nanoseconds since 1970, rising.
    """

    def __init__(self, labels: np.ndarray) -> None:
        days = labels // DAY
        #: The row of the last label of each day.
        self.ends = np.flatnonzero(np.append(days[1:] != days[:-1], True))
        span = int(days[-1] - days[0])
        #: The root of the number of days in a year; NaN where there is one day only.
        self.scale = math.sqrt(YEAR * (len(self.ends) - 1) / span) if span else math.nan
        #: From the first label to the last.
        self.years = (int(labels[-1]) - int(labels[0])) / (YEAR * DAY)


def daily_equity(equity: pd.Series) -> pd.Series:
    """Return the last equity of each UTC day that has any."""
    return equity.iloc[Days(equity.index.as_unit("ns").asi8).ends]


def daily_returns(equity: pd.Series, cash: float) -> pd.Series:
    """Return the return of each UTC day that has an equity, the first one since the start; NaN where there was nothing to lose."""
    daily = daily_equity(equity)
    return pd.Series(returns_of(daily.to_numpy(), cash), daily.index, name="daily return")


def returns_of(values: np.ndarray, start: float) -> np.ndarray:
    """Return the return from each value to the next, the first one since the start; NaN where there was nothing to lose."""
    before = np.concatenate([[start], values[:-1]])
    made: np.ndarray = values / np.where(before > 0, before, np.nan) - 1.0
    return made


def ratio(returns: np.ndarray) -> float:
    """Return mean over standard deviation (ddof=1), per period; NaN where the returns do not vary."""
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else 0.0
    return over(float(returns.mean()) if len(returns) else 0.0, deviation)


def over(mean: float, deviation: float) -> float:
    """Return a mean over a standard deviation; NaN where that is nothing but rounding."""
    # of equal returns the deviation is rounding, not 0
    return mean / deviation if deviation > 1e-14 * abs(mean) else math.nan


def downside_ratio(returns: np.ndarray) -> float:
    """Return mean over downside deviation (target 0, over all of them), per period; NaN where nothing fell."""
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

    Raises
    ------
    ParameterError
        `periods_per_year` is no positive number.

    Examples
    --------
    >>> performance(np.array([0.01, -0.02, 0.03]), periods_per_year=252)["max drawdown"].round(4).item()
    -0.02
    """
    if not isinstance(periods_per_year, (int, float, np.number)) or not 0 < periods_per_year < math.inf:
        raise ParameterError(f"periods_per_year must be a positive number, 252 for daily returns of shares, got {periods_per_year!r}")
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
        "Sortino": downside_ratio(values) * scale if many else math.nan,
        "Calmar": growth / -deepest if deepest else math.nan,
        "max drawdown": deepest,
    }
    return pd.Series(figures, name="performance")
