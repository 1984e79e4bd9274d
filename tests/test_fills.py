"""When and at what price an order fills within a bar (SEMANTICS 23-27)."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import market

from workbench import Bars, Instrument
from workbench.execution import fills
from workbench.execution.fills import (
    limit_at_open,
    limit_inside,
    limit_price,
    stop_at_open,
    stop_inside,
    stop_level,
    target_level,
    too_old,
)
from workbench.grid import fraction
from workbench.interval import DAY
from workbench.sessions import session_numbers

NO_GRID = (0.0, 1.0)
A_DAY = np.timedelta64(1, "D")
CENT = fraction(0.01)
HOUR = DAY // 24
prices = st.floats(1.0, 1e4)


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        # a buy at 100: the open beyond it fills, the open at it does not yet
        (limit_at_open, (1.0, 100.0, 99.99), True),
        (limit_at_open, (1.0, 100.0, 100.0), False),
        (limit_at_open, (1.0, 100.0, 100.01), False),
        (limit_at_open, (-1.0, 100.0, 100.01), True),
        (limit_at_open, (-1.0, 100.0, 100.0), False),
        # inside, a limit must be traded strictly through
        (limit_inside, (1.0, 100.0, 105.0, 99.99), True),
        (limit_inside, (1.0, 100.0, 105.0, 100.0), False),
        (limit_inside, (-1.0, 100.0, 100.01, 95.0), True),
        (limit_inside, (-1.0, 100.0, 100.0, 95.0), False),
        # a stop is gone through at the open, or touched
        (stop_at_open, (1.0, 100.0, 100.0), True),
        (stop_at_open, (1.0, 100.0, 99.0), True),
        (stop_at_open, (1.0, 100.0, 100.01), False),
        (stop_at_open, (-1.0, 100.0, 100.0), True),
        (stop_at_open, (-1.0, 100.0, 99.99), False),
        (stop_inside, (1.0, 100.0, 105.0, 100.0), True),
        (stop_inside, (1.0, 100.0, 105.0, 100.01), False),
        (stop_inside, (-1.0, 100.0, 100.0, 95.0), True),
        (stop_inside, (-1.0, 100.0, 99.99, 95.0), False),
    ],
)
def test_23_touched_or_traded_through(function: object, arguments: tuple[float, ...], expected: bool) -> None:
    assert function(*arguments) is expected  # type: ignore[operator]


@given(prices, prices, prices)
def test_a_limit_never_fills_where_a_bar_did_not_trade_through(limit: float, one: float, other: float) -> None:
    high, low = max(one, other), min(one, other)
    assert limit_inside(1.0, limit, high, low) == (low < limit)
    assert limit_inside(-1.0, limit, high, low) == (high > limit)
    assert stop_inside(1.0, limit, high, low) == (low <= limit)
    if limit_at_open(1.0, limit, low):
        assert limit_inside(1.0, limit, high, low)


# -- prices of orders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "close", "offset", "grid", "expected"),
    [
        (1.0, 100.0, 0.001, NO_GRID, 99.9),
        (-1.0, 100.0, 0.001, NO_GRID, 100.1),
        (1.0, 100.0, 0.00105, CENT, 99.89),
        (-1.0, 100.0, 0.00105, CENT, 100.11),
        (1.0, 100.0, 0.0, CENT, 100.0),
    ],
)
def test_a_limit_is_better_than_the_close(side: float, close: float, offset: float, grid: tuple[float, float], expected: float) -> None:
    assert limit_price(side, close, offset, *grid) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("function", "held", "expected"),
    [(stop_level, 1.0, 98.76), (stop_level, -1.0, 101.24), (target_level, 1.0, 101.24), (target_level, -1.0, 98.76)],
    ids=["stop of a long", "stop of a short", "target of a long", "target of a short"],
)
def test_25_levels_are_rounded_away_from_the_market(function: object, held: float, expected: float) -> None:
    assert function(held, 100.0, 1.234, *CENT) == expected  # type: ignore[operator]
    assert function(held, 100.0, 1.234, *NO_GRID) == pytest.approx(expected, abs=0.01)  # type: ignore[operator]


@given(prices, st.floats(0.001, 0.9), st.sampled_from([1.0, -1.0]), st.sampled_from(["0.01", "0.05", "0.25"]))
def test_a_level_is_at_least_its_distance_away_and_less_than_a_tick_more(filled: float, share: float, held: float, tick: str) -> None:
    distance = filled * share
    for level, sign in (
        (stop_level(held, filled, distance, *fraction(float(tick))), -held),
        (target_level(held, filled, distance, *fraction(float(tick))), held),
    ):
        gone = (level - filled) * sign
        assert level <= float(tick) or distance - 1e-6 <= gone < distance + float(tick) + 1e-6
        assert abs(Decimal(level) / Decimal(tick) - round(Decimal(level) / Decimal(tick))) < Decimal("1e-6")


@pytest.mark.parametrize(("grid", "least"), [(CENT, 0.01), (NO_GRID, fills.SMALLEST)])
def test_a_level_stays_above_nothing(grid: tuple[float, float], least: float) -> None:
    assert stop_level(1.0, 1.0, 1.0, *grid) == least
    assert stop_level(1.0, 1.0, 5.0, *grid) == least
    assert target_level(-1.0, 1.0, 5.0, *grid) == least


# -- age --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waited", "interval", "expected"), [(3, DAY, False), (4, DAY, True), (5, HOUR, False), (6, HOUR, True), (0, DAY, False)]
)
def test_27_an_opening_lives_three_sessions_or_five_intervals(waited: int, interval: int, expected: bool) -> None:
    assert too_old(waited, interval) is expected


def numbers(instrument: Instrument, first: str, days: int) -> list[int]:
    rows = session_numbers(market([10] * days, instrument, interval="1D", start=first))
    assert rows is not None
    return [int(number) for number in rows[:, 0] - rows[0, 0]]


@given(st.integers(0, 20_000), st.integers(1, 40))
def test_sessions_of_shares_are_weekdays(first: int, days: int) -> None:
    dates = np.arange(first, first + days).astype("datetime64[D]")
    begun = [int(np.busday_count(dates[0] + A_DAY, date + A_DAY)) if date > dates[0] else 0 for date in dates]
    assert numbers(Instrument("ABC"), str(dates[0]), days) == begun


def test_sessions_of_coins_are_days() -> None:
    assert numbers(Instrument("BTCUSD", "crypto"), "2024-01-05", 5) == [0, 1, 2, 3, 4]


def test_sessions_of_a_calendar_leave_its_holidays_out() -> None:
    # Friday 22 December 2023, Tuesday, Wednesday: Monday was Christmas
    index = pd.DatetimeIndex(["2023-12-22", "2023-12-26", "2023-12-27"], tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), 10.0), index)
    for calendar, expected in (("XNYS", [0, 1, 2]), (None, [0, 2, 3])):
        bars = Bars.from_frames({"ABC": frame}, interval="1D", instruments=[Instrument("ABC", calendar=calendar)])
        rows = session_numbers(bars)
        assert rows is not None
        assert (rows[:, 0] - rows[0, 0]).tolist() == expected


def test_only_daily_bars_have_session_numbers() -> None:
    assert session_numbers(market([10, 10])) is None
