"""The figures that a trader looks at first: of one result, or of one run after another over the same bars."""

from __future__ import annotations

import math

import numpy as np

from workbench.records import NONE, OPENED
from workbench.research.statistics import SHORTEST_YEARS, Days, downside_ratio, over, returns_of
from workbench.research.trips import EXITS, STILL_OPEN, Trips, trips
from workbench.session.record import Record
from workbench.session.setup import Setup

__all__ = ["Figures", "figures"]

#: Steps that are looked at together.
STRETCH = 512
STOPS = (EXITS.index("stop"), EXITS.index("stop-out"))


class Figures:
    """Makes the figures of runs over the same bars.

    Parameters
    ----------
    setup : Setup
        Any of them.
    """

    def __init__(self, setup: Setup) -> None:
        self._days = Days(setup.bars.labels)

    def of(self, setup: Setup, record: Record) -> dict[str, float]:
        """Return the figures of a run."""
        found, codes = trips(setup, record), record.decisions["code"]
        made = figures(record.equity, self._days, setup.cash, found.profit, found.why)
        return made | {
            "orders": len(record.orders),
            "time in market %": _in_market(setup, found) * 100,
            "fees": float(record.fills["fee"].sum()),
            "funding paid": float(found.funding.sum()) if setup.financing is not None else math.nan,
            "openings refused": int(np.count_nonzero((codes != NONE) & (codes != OPENED))),
        }


def figures(equity: np.ndarray, days: Days, cash: float, profit: np.ndarray, why: np.ndarray) -> dict[str, float]:
    """Return the figures of an equity and of round trips.

    Volatility, Sharpe and Sortino are of daily returns (ddof=1; the downside over all days), without a risk-free rate; NaN below
    three days. The annual return is NaN below a quarter of a year. Calmar is it over the size of the deepest fall. Stopped out are
    the closed trades that a protective stop or the margin ended: the money was taken either way.

    Parameters
    ----------
    equity : ndarray of shape (T,)
        At the close of each step, in account currency.
    days : Days
        Of its labels.
    cash : float
        At the start.
    profit : ndarray of shape (trades,)
        After fees and funding; an open trade is valued at the last close.
    why : ndarray of shape (trades,)
        How each ended (`workbench.research.trips.EXITS`).
    """
    end, annual, deepest = float(equity[-1]), _annual(equity, days, cash), deepest_fall(equity) * 100
    return {
        "end equity": end,
        "return %": (end / cash - 1.0) * 100,
        **annual,
        "Calmar": annual["annual return %"] / -deepest if deepest else math.nan,
        "max drawdown %": deepest,
        **_of_trades(profit, why),
    }


def deepest_fall(equity: np.ndarray) -> float:
    """Return the deepest fall from the highest equity so far, as a share: at most 0.

    Stretch by stretch: the lowest of a stretch over the highest before or in it says how deep it can have fallen at most, and few
    stretches have to be gone through value by value.
    """
    starts = np.arange(0, len(equity), STRETCH)
    highest = np.maximum.accumulate(np.maximum.reduceat(equity, starts))
    lowest = np.minimum.reduceat(equity, starts)
    deepest = 1.0
    bounds = np.where(lowest < 0.0, -np.inf, lowest / highest)  # what is below zero is the deeper, the lower the high before it
    for k in np.argsort(bounds):
        if not bounds[k] < deepest:
            break
        stretch = equity[starts[k] : starts[k] + STRETCH]
        peak = np.maximum.accumulate(np.maximum(stretch, highest[k - 1]) if k else stretch)
        deepest = min(deepest, float(np.min(stretch / peak)))
    return deepest - 1.0


def _annual(equity: np.ndarray, days: Days, cash: float) -> dict[str, float]:
    end, daily = float(equity[-1]), equity[days.ends]
    growth = ((end / cash) ** (1 / days.years) - 1) * 100 if days.years >= SHORTEST_YEARS and end > 0 else math.nan
    if len(daily) < 3 or (daily <= 0).any():
        return {"annual return %": growth, "annual volatility %": math.nan, "Sharpe": math.nan, "Sortino": math.nan}
    returns = returns_of(daily, cash)
    deviation = float(returns.std(ddof=1))
    return {
        "annual return %": growth,
        "annual volatility %": deviation * days.scale * 100,
        "Sharpe": over(float(returns.mean()), deviation) * days.scale,
        "Sortino": downside_ratio(returns) * days.scale,
    }


def _of_trades(profit: np.ndarray, why: np.ndarray) -> dict[str, float]:
    closed = why != STILL_OPEN
    ended, count = profit[closed], int(np.count_nonzero(closed))
    won, lost = float(ended[ended > 0].sum()), float(ended[ended <= 0].sum())
    return {
        "trades": len(profit),
        "open trades": len(profit) - count,
        "win rate %": np.count_nonzero(ended > 0) / count * 100 if count else math.nan,
        "profit factor": won / -lost if lost else math.nan,
        "average trade": float(ended.mean()) if count else math.nan,
        "stopped out %": sum(np.count_nonzero(why == how) for how in STOPS) / count * 100 if count else math.nan,
    }


def _in_market(setup: Setup, found: Trips) -> float:
    """Return the share of the steps at whose close there is a position."""
    steps = len(setup.bars)
    begun, ended = found.entries["t"], np.where(found.end >= 0, found.end, steps)
    if len(setup.instruments) == 1:  # its trades do not overlap
        return float((ended - begun).sum()) / steps
    change = np.bincount(begun, minlength=steps + 1) - np.bincount(ended, minlength=steps + 1)
    return float(np.count_nonzero(np.cumsum(change[:steps]) > 0)) / steps
