"""The figures of a result against hand values and published vectors."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.calendars import session_times
from workbench.errors import ParameterError
from workbench.interval import nanoseconds
from workbench.research.figures import figures as figures_of
from workbench.research.statistics import Days, daily_equity, daily_returns, drawdown, performance
from workbench.research.trips import EXITS

FIVE_MINUTES = nanoseconds("5min")
NO_TRADES = np.empty(0), np.empty(0, int)


def days(values: list[float], freq: str = "1D", start: str = "2024-01-01") -> pd.Series:
    return pd.Series(values, pd.date_range(start, periods=len(values), freq=freq, tz="UTC"), dtype=float)


def figures(equity: pd.Series, cash: float = 100.0, trades: Any = NO_TRADES) -> dict[str, Any]:
    return figures_of(equity.to_numpy(), Days(equity.index.as_unit("ns").asi8), cash, *trades)


def trades(*profits: float, exits: str = "") -> tuple[np.ndarray, np.ndarray]:
    words = {"s": "stop", "c": "close", "o": "open", "t": "target", "m": "stop-out"}
    return np.array(profits), np.array([EXITS.index(words[x]) for x in (exits or "c" * len(profits))])


# -- fall and days ----------------------------------------------------------------------------------------------------


def test_the_fall_from_the_highest_so_far() -> None:
    assert drawdown(days([100, 110, 99, 121, 60.5])).tolist() == pytest.approx([0, 0, -0.1, 0, -0.5])


def test_the_last_equity_of_each_day() -> None:
    equity = days(list(range(100)), "1h", "2024-01-01 20:00")
    expected = equity.groupby(equity.index.normalize()).last()
    assert daily_equity(equity).tolist() == expected.tolist() == [3, 27, 51, 75, 99]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_the_figures_of_a_year_by_hand() -> None:
    # 366 days later (2024 has 366): 100 -> 121
    equity = pd.Series([100.0, 110.0, 99.0, 121.0], pd.DatetimeIndex(["2024-01-01", "2024-05-01", "2024-09-01", "2025-01-01"], tz="UTC"))
    found = figures(equity)
    years = 366 / 365.25
    returns = [0.0, 0.1, -0.1, 121 / 99 - 1]
    mean = sum(returns) / 4
    deviation = math.sqrt(sum((r - mean) ** 2 for r in returns) / 3)
    scale = math.sqrt(3 / years)  # three intervals lie between the four days
    assert found["return %"] == pytest.approx(21)
    assert found["annual return %"] == pytest.approx((1.21 ** (1 / years) - 1) * 100)
    assert found["annual volatility %"] == pytest.approx(deviation * scale * 100)
    assert found["Sharpe"] == pytest.approx(mean / deviation * scale)
    assert found["Sortino"] == pytest.approx(mean / math.sqrt(0.01 / 4) * scale)
    assert found["max drawdown %"] == pytest.approx(-10)
    assert found["Calmar"] == pytest.approx(found["annual return %"] / 10)


@pytest.fixture
def vectors(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "s11_empyrical_vectors.json").read_text())


def test_the_published_vectors(vectors: dict[str, Any]) -> None:
    percent = vectors["inputs"]["returns_mixed_percent"][1:]
    equity = days(list(100 * np.cumprod([1 + r / 100 for r in percent])))
    found, expected = figures(equity), vectors["expected"]
    # theirs takes the number of days a year as given; ours counts the 7 intervals between the 8 days that there are
    years = 7 / 365.25
    scale = math.sqrt(7 / years / vectors["inputs"]["periods_per_year"])
    assert found["max drawdown %"] / 100 == pytest.approx(expected["max_drawdown"], rel=1e-7)
    assert found["return %"] / 100 == pytest.approx(expected["cum_return_final"], abs=1e-5)
    assert found["annual volatility %"] / 100 == pytest.approx(expected["annual_volatility"] * scale, rel=1e-7)
    assert found["Sharpe"] == pytest.approx(expected["sharpe"] * scale, rel=1e-7)
    assert found["Sortino"] == pytest.approx(expected["sortino"] * scale, rel=1e-7)


def test_the_published_vectors_through_performance(vectors: dict[str, Any]) -> None:
    returns = pd.Series(vectors["inputs"]["returns_mixed_percent"], dtype=float) / 100
    found = performance(returns, vectors["inputs"]["periods_per_year"])
    named = {"max_drawdown": "max drawdown", "cum_return_final": "return", "sharpe": "Sharpe", "sortino": "Sortino", "calmar": "Calmar"}
    for name, expected in vectors["expected"].items():
        # the final return is printed with five digits
        within = {"abs": 1e-5} if name == "cum_return_final" else {"rel": vectors["tolerance"]}
        assert found[named.get(name, name.replace("_", " "))] == pytest.approx(expected, **within), name


def test_performance_by_hand() -> None:
    found = performance(np.array([0.1, -0.1, np.nan, 0.2]), periods_per_year=4)
    assert found["return"] == pytest.approx(1.1 * 0.9 * 1.2 - 1) == pytest.approx(found["annual return"])
    assert found["annual volatility"] == pytest.approx(math.sqrt((1 + 25 + 16) / 30**2 / 2 * 4))
    assert found["Sharpe"] == pytest.approx(0.2 / 3 / math.sqrt(42 / 900 / 2) * 2)
    assert found["Sortino"] == pytest.approx(0.2 / 3 / math.sqrt(0.01 / 3) * 2)
    assert found["max drawdown"] == pytest.approx(-0.1)
    assert found["Calmar"] == pytest.approx(1.88)


@pytest.mark.parametrize("returns", [[], [0.1], [0.1, 0.1, 0.1]], ids=["none", "one", "equal ones"])
def test_performance_says_nothing_where_nothing_varies(returns: list[float]) -> None:
    found = performance(np.array(returns), 252)
    assert found[["Sharpe", "Sortino", "Calmar"]].isna().all()
    assert found["max drawdown"] == 0.0


@pytest.mark.parametrize("periods", [0, -252, math.nan, "daily"])
def test_performance_refuses_years_of_no_periods(periods: Any) -> None:
    with pytest.raises(ParameterError, match="periods_per_year must be a positive number"):
        performance(np.array([0.1, 0.2]), periods)


def test_a_day_without_anything_to_lose_has_no_return() -> None:
    assert daily_returns(days([110, 0, 50]), 100.0).tolist() == pytest.approx([0.1, -1, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("profits", "exits", "expected"),
    [
        ((10, -5, 0, 25), "cscc", {"trades": 4, "win rate %": 50.0, "profit factor": 7.0, "average trade": 7.5, "stopped out %": 25.0}),
        ((10, 20), "cc", {"win rate %": 100.0, "profit factor": math.nan, "average trade": 15.0, "stopped out %": 0.0}),
        ((-10, -20), "ss", {"win rate %": 0.0, "profit factor": 0.0, "stopped out %": 100.0}),
        ((-10, -20, 5, 5), "msct", {"stopped out %": 50.0}),
        ((10, -5, 99), "cto", {"trades": 3, "win rate %": 50.0, "profit factor": 2.0, "average trade": 2.5}),
        (
            (99,),
            "o",
            {"trades": 1, "win rate %": math.nan, "profit factor": math.nan, "average trade": math.nan, "stopped out %": math.nan},
        ),
    ],
    ids=["mixed", "all won", "all lost", "stop-out", "one open", "open only"],
)
def test_trades_by_hand(profits: tuple[float, ...], exits: str, expected: dict[str, float]) -> None:
    found = figures(days([100, 101]), trades=trades(*profits, exits=exits))
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


# -- a number of days a year ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("freq", "a_year"), [("B", 261), ("D", 365.25)], ids=["weekdays", "every day"])
def test_the_days_of_a_year_are_counted(freq: str, a_year: float) -> None:
    index = pd.date_range("2020-01-01", "2023-12-31", freq=freq, tz="UTC")
    values = 100 * np.cumprod(1 + np.random.default_rng(1).normal(0, 0.01, len(index)))
    equity = pd.Series(values, index)
    daily = np.diff(np.log([100, *values]))
    assert figures(equity)["annual volatility %"] == pytest.approx(daily.std() * math.sqrt(a_year) * 100, rel=0.01)


def alternating(index: pd.DatetimeIndex) -> tuple[pd.Series, float]:
    """Return equity that rises by a percent on one day and falls by a percent on the next, and its daily deviation."""
    number = np.cumsum(np.diff(index.normalize().asi8, prepend=0) != 0) - 1
    returns = np.where(np.arange(number[-1] + 1) % 2, -0.01, 0.01)
    return pd.Series(100.0 * np.cumprod(1.0 + returns)[number], index), float(returns.std(ddof=1))


@pytest.mark.parametrize("count", [3, 4, 30, 300])
@pytest.mark.parametrize("freq", ["1D", "1h"])
def test_few_days_are_no_more_a_year_than_many(freq: str, count: int) -> None:
    index = pd.date_range("2024-01-01", pd.Timestamp("2024-01-01") + pd.Timedelta(days=count), freq=freq, inclusive="left", tz="UTC")
    equity, deviation = alternating(index)
    assert figures(equity)["annual volatility %"] == pytest.approx(deviation * math.sqrt(365.25) * 100)


@pytest.mark.parametrize("end", ["2023-03-31", "2023-12-31"], ids=["a quarter", "a year"])
def test_sessions_of_five_minutes_come_out_near_252(end: str) -> None:
    moments = (pd.Timestamp("2023-01-01"), pd.Timestamp(end))
    dates, opens, closes = session_times("XNYS", *(moment.as_unit("ns").value for moment in moments))
    inside = (dates >= moments[0].as_unit("ns").value) & (dates <= moments[1].as_unit("ns").value)
    labels = [np.arange(start, stop, FIVE_MINUTES) for start, stop in zip(opens[inside], closes[inside], strict=True)]
    equity, deviation = alternating(pd.DatetimeIndex(np.concatenate(labels), tz="UTC"))
    assert (figures(equity)["annual volatility %"] / deviation / 100) ** 2 == pytest.approx(252, rel=0.02)


# -- where there is nothing to say ------------------------------------------------------------------------------------

ANNUAL = ("annual return %", "annual volatility %", "Sharpe", "Sortino")


@pytest.mark.parametrize(
    "equity",
    [days([100]), days([100, 101]), days([100, 101, 102], "1h"), days([100, 0, 50, 60]), days([100, -5, 50, 60])],
    ids=["one step", "two days", "one day", "nothing left", "less than nothing"],
)
def test_no_annual_figures_where_there_is_too_little(equity: pd.Series) -> None:
    found = figures(equity)
    assert all(math.isnan(found[name]) for name in ANNUAL[1:])
    assert found["end equity"] == equity.iloc[-1]


def test_no_annual_return_below_a_quarter_of_a_year() -> None:
    quarter = [100.0 + (-1) ** k for k in range(93)]
    assert math.isnan(figures(days(quarter[:91]))["annual return %"])
    assert not math.isnan(figures(days(quarter))["annual return %"])


def test_equity_that_stands_still() -> None:
    found = figures(days([100] * 100))
    assert (found["annual volatility %"], found["annual return %"], found["max drawdown %"]) == (0.0, 0.0, 0.0)
    assert math.isnan(found["Sharpe"])
    assert math.isnan(found["Sortino"])


def test_no_loss_has_no_sortino() -> None:
    found = figures(days([100, 101, 103, 104]))
    assert math.isnan(found["Sortino"])
    assert found["Sharpe"] > 0
