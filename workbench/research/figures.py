"""The figures of one run after another over the same bars: those of `Backtest.stats`, without a table in between."""

from __future__ import annotations

import math

import numpy as np

from workbench.interval import DAY
from workbench.records import NONE, OPENED
from workbench.research.statistics import SHORTEST_YEARS, YEAR
from workbench.research.trips import EXITS, Trips, trips
from workbench.session.record import Record
from workbench.session.setup import Setup

__all__ = ["Figures"]

STOPS = (EXITS.index("stop"), EXITS.index("stop-out"))


class Figures:
    """What is the same in every run over the same bars: where the days end, and how many of them come in a year.

    Parameters
    ----------
    setup : Setup
    """

    def __init__(self, setup: Setup) -> None:
        labels = setup.bars.labels
        days = labels // DAY
        self._ends = np.flatnonzero(np.append(days[1:] != days[:-1], True))
        self._years = (int(labels[-1]) - int(labels[0])) / (YEAR * DAY)
        span = days[self._ends[-1]] - days[self._ends[0]]
        self._scale = math.sqrt(YEAR * (len(self._ends) - 1) / span) if span else math.nan
        self._peak = np.empty(len(labels))

    def of(self, setup: Setup, record: Record) -> dict[str, float]:
        """Return the figures of a run, named as in `Backtest.stats`."""
        equity, cash, codes = record.equity, setup.cash, record.decisions["code"]
        end, found = float(equity[-1]), trips(setup, record)
        return {
            "end equity": end,
            "return %": (end / cash - 1.0) * 100,
            **self._annual(equity, cash),
            "max drawdown %": self._fall(equity) * 100,
            "orders": len(record.orders),
            "trades": len(found.profit),
            **_of_trades(found),
            "time in market %": _in_market(setup, found) * 100,
            "fees": float(record.fills["fee"].sum()),
            "openings refused": int(np.count_nonzero((codes != NONE) & (codes != OPENED))),
        }

    def _fall(self, equity: np.ndarray) -> float:
        peak = np.maximum.accumulate(equity, out=self._peak)
        return float(np.min(np.divide(equity, peak, out=peak))) - 1.0

    def _annual(self, equity: np.ndarray, cash: float) -> dict[str, float]:
        end = float(equity[-1])
        growth = ((end / cash) ** (1 / self._years) - 1) * 100 if self._years >= SHORTEST_YEARS and end > 0 else math.nan
        values = np.concatenate([[cash], equity[self._ends]])
        if len(values) < 4 or (values <= 0).any():
            return {"annual return %": growth, "annual volatility %": math.nan, "Sharpe": math.nan, "Sortino": math.nan}
        returns = values[1:] / values[:-1] - 1.0
        mean, deviation = float(returns.mean()), float(returns.std(ddof=1))
        downside = math.sqrt(float(np.mean(np.minimum(returns, 0.0) ** 2)))
        return {
            "annual return %": growth,
            "annual volatility %": deviation * self._scale * 100,
            "Sharpe": mean / deviation * self._scale if deviation else math.nan,
            "Sortino": mean / downside * self._scale if downside else math.nan,
        }


def _of_trades(found: Trips) -> dict[str, float]:
    """Return the figures of the closed trades."""
    profit = found.profit[found.closed]
    won, lost = float(profit[profit > 0].sum()), float(profit[profit <= 0].sum())
    count = len(profit)
    stopped = np.count_nonzero(np.isin(found.exits["why"], STOPS))
    return {
        "win rate %": np.count_nonzero(profit > 0) / count * 100 if count else math.nan,
        "profit factor": won / -lost if lost else math.nan,
        "average trade": float(profit.mean()) if count else math.nan,
        "stopped out %": stopped / count * 100 if count else math.nan,
    }


def _in_market(setup: Setup, found: Trips) -> float:
    """Return the share of the steps at whose close there is a position."""
    steps = len(setup.bars)
    begun, ended = found.entries["t"], np.where(found.closed, found.exits["t"], steps)
    if len(setup.instruments) == 1:
        return float((ended - begun).sum()) / steps
    change = np.bincount(begun, minlength=steps + 1) - np.bincount(ended, minlength=steps + 1)
    return float(np.count_nonzero(np.cumsum(change[:steps]) > 0)) / steps
