"""Filters: hours of a time zone, days, the turn of the month, and the market's own volatility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import Strongest, random_market
from worked import Given, market

from workbench import Bars, indicators, simulate
from workbench.errors import ParameterError
from workbench.signals import Breakout, Calendar, MovingAverageCross, SignalGenerator, TimeOfDay, VolatilityRegime

NAN = float("nan")


class Always(SignalGenerator):
    """Long at every bar."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return bars.close * 0 + 1


def flat(start: str, periods: int, interval: str) -> Bars:
    return market([10.0] * periods, interval=interval, start=start)


def acting(signal: SignalGenerator, bars: Bars) -> list[str]:
    """Return the labels at which the signal acts, as month-day hour:minute."""
    column = signal.stances(bars).iloc[:, 0]
    return [f"{label:%m-%d %H:%M}" for label in column.index[column == 1]]


# -- hours ------------------------------------------------------------------------------------------------------------


def test_a_bar_counts_by_its_end() -> None:
    # from 09:00 on and before 11:00: the bars that end at 09:00 and at 10:00
    assert acting(TimeOfDay(Always(), "09:00", "11:00", "UTC"), flat("2024-01-01", 24, "1h")) == ["01-01 08:00", "01-01 09:00"]


def test_hours_follow_the_summer_time_of_the_zone() -> None:
    # New York was 5 hours behind UTC until 10 March 2024, and 4 hours after it
    signal = TimeOfDay(Always(), "09:30", "10:30", "America/New_York")
    assert acting(signal, flat("2024-03-08", 48, "30min")) == ["03-08 14:00", "03-08 14:30"]
    assert acting(signal, flat("2024-03-11", 48, "30min")) == ["03-11 13:00", "03-11 13:30"]


def test_hours_may_run_over_midnight() -> None:
    assert acting(TimeOfDay(Always(), "22:30", "02:00", "UTC"), flat("2024-01-01", 24, "1h")) == [
        "01-01 00:00", "01-01 22:00", "01-01 23:00"
    ]  # fmt: skip


@pytest.mark.parametrize(("outside", "value"), [("hold", NAN), ("flat", 0.0)])
def test_outside_it_holds_or_is_flat(outside: Any, value: float) -> None:
    signal = TimeOfDay(Given([1, -1, 1, -1]), "02:00", "04:00", "UTC", outside=outside)
    np.testing.assert_array_equal(signal.stances(flat("2024-01-01", 4, "1h"))["ABC"], [value, -1, 1, value])


# -- days -------------------------------------------------------------------------------------------------------------


def days(signal: SignalGenerator, start: str, periods: int) -> list[str]:
    return [label[:5] for label in acting(signal, flat(start, periods, "1D"))]


def test_weekdays_by_name() -> None:
    # 2024-01-01 was a Monday
    assert days(Calendar(Always(), ["Mon", "friday"]), "2024-01-01", 14) == ["01-01", "01-05", "01-08", "01-12"]


def test_months_by_number() -> None:
    assert days(Calendar(Always(), months=(2,)), "2024-01-30", 60) == [f"02-{day:02}" for day in range(1, 30)]
    assert days(Calendar(Always(), ("Thu",), (2,)), "2024-01-30", 60) == ["02-01", "02-08", "02-15", "02-22", "02-29"]


def test_the_turn_of_the_month() -> None:
    # Friday 29 March is the last weekday, 1, 2 and 3 April the first; the weekend between them belongs to the turn
    assert days(Calendar(Always(), last=1, first=3), "2024-03-15", 31) == ["03-29", "03-30", "03-31", "04-01", "04-02", "04-03"]
    assert days(Calendar(Always(), last=2), "2024-03-15", 31) == ["03-28", "03-29", "03-30", "03-31"]
    assert days(Calendar(Always(), first=1), "2024-05-28", 12) == ["06-01", "06-02", "06-03"]


def test_a_day_is_that_of_the_zone() -> None:
    # in Tokyo, 9 hours ahead, the Monday begins at 15:00 UTC of the Sunday
    found = acting(Calendar(Always(), ("Mon",), zone="Asia/Tokyo"), flat("2024-01-07", 48, "1h"))
    assert (found[0], found[-1], len(found)) == ("01-07 15:00", "01-08 14:00", 24)
    assert days(Calendar(Always(), ("Mon",), zone="Asia/Tokyo"), "2024-01-07", 3) == ["01-08"]


# -- volatility -------------------------------------------------------------------------------------------------------


def test_a_quiet_market_by_hand() -> None:
    # volatilities of two returns, in steps of log 1.1: 0, 0.71, 0.71, 1.41, 1.41, 0.71, 0
    bars = market([100, 100, 100, 110, 110, 121, 110, 121, 121, 121])
    inside = VolatilityRegime(Always(), 2, 3, 0.5).stances(bars)["ABC"]
    # medians of three: 0.71 (bars 2-4) ... 1.41 (6-8), 0.71 (7-9)
    volatility = indicators.volatility(bars, 2)["ABC"]
    expected = [1.0 if volatility.iloc[t] <= np.median(volatility.iloc[t - 2 : t + 1]) else NAN for t in range(4, 10)]
    np.testing.assert_array_equal(inside[4:], expected)
    assert np.isnan(inside[:4]).all()
    assert 1 < np.nansum(inside) < 6


@pytest.mark.parametrize("bars", [simulate("A", bars=600, seed=3), random_market(7)], ids=["whole", "with holes"])
def test_below_and_above_share_the_bars_out(bars: Bars) -> None:
    quiet, wild = (
        VolatilityRegime(Always(), 5, 40, 0.7, act=act, outside="flat").stances(bars).to_numpy()  # type: ignore[arg-type]
        for act in ("below", "above")
    )
    known = ~np.isnan(quiet)
    np.testing.assert_array_equal((quiet + wild)[known], 1)
    assert 0.6 < quiet[known].mean() < 0.8


# -- what they share --------------------------------------------------------------------------------------------------


def test_a_filter_has_the_view_and_the_lookback_of_its_signal() -> None:
    assert TimeOfDay(Breakout(30)).lookback == 31
    assert VolatilityRegime(Breakout(30), 5, 10).lookback == 31
    assert VolatilityRegime(Breakout(30), 5, 100).lookback == 105
    assert Calendar(Strongest()).cross_sectional
    assert not Calendar(Breakout()).cross_sectional


def test_the_hours_of_daily_bars_are_refused() -> None:
    with pytest.raises(ParameterError, match="TimeOfDay: bars of 1D have no hours; take shorter ones, or Calendar for days"):
        TimeOfDay(Always()).stances(flat("2024-01-01", 3, "1D"))


def test_filters_may_be_put_into_each_other() -> None:
    signal = TimeOfDay(Calendar(Always(), ("Tue",)), "00:00", "02:30", "UTC")
    assert acting(signal, flat("2024-01-01", 72, "1h")) == ["01-02 00:00", "01-02 01:00", "01-02 23:00"]
    assert signal.get_params()["signal__weekdays"] == ("Tue",)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TimeOfDay(Always(), "9:30"), "TimeOfDay: start must be hours and minutes such as '09:30', got '9:30'"),
        (lambda: TimeOfDay(Always(), end="24:00"), "end must be hours and minutes"),
        (lambda: TimeOfDay(Always(), "10:00", "10:00"), "TimeOfDay: start and end must differ, got 10:00 for both"),
        (lambda: TimeOfDay(Always(), zone="America/NewYork"), "did you mean 'America/New_York'?"),
        (lambda: TimeOfDay(Always(), outside="close"), "outside"),
        (lambda: Calendar(Always(), ["Mo"]), "Calendar: a weekday is 'Monday' or 'Mon' to 'Sunday' or 'Sun', got 'Mo'"),
        (lambda: Calendar(Always(), ["Tusday"]), "did you mean 'Tuesday'?"),
        (lambda: Calendar(Always(), months=[13]), "Calendar: months run from 1 to 12, got 13"),
        (lambda: Calendar(Always(), last=-1), "last and first must be at least 0 days, got last=-1, first=0"),
        (lambda: Calendar(Always(), zone=""), "Calendar: zone must be the name of a time zone such as 'America/New_York', got ''"),
        (lambda: VolatilityRegime(Always(), 1), "window and trailing must be at least 2 bars, got window=1, trailing=250"),
        (lambda: VolatilityRegime(Always(), quantile=80), "quantile must lie between 0 and 1 (0.5 = the median), got 80"),
        (lambda: VolatilityRegime(MovingAverageCross), "write MovingAverageCross(...) to make one"),
    ],
)
def test_a_wrong_filter_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)
