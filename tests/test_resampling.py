"""Coarser bars: completed ones only, by hand, against pandas, the same with later bars and from a later anchor."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from markets import random_market
from worked import OTHER, SHARE, Given, market

import workbench as wb
from workbench.errors import DataError, ParameterError
from workbench.signals import Breakout, Crossing, HigherTimeframe, MovingAverageCross

NAN = float("nan")
HOURS = wb.simulate(["A", "B"], bars=300, interval="1h", seed=2)
HOLED = next(bars for bars in map(random_market, range(1, 60)) if bars.interval == "1h" and len(bars.symbols) > 1 and not bars.whole)


def labels(bars: wb.Bars) -> list[str]:
    return [f"{label:%d %H:%M}" for label in bars.index]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_a_coarser_bar_by_hand() -> None:
    rows = [(10, 12, 9, 11), (11, 15, 11, 14), (13, 13, 8, 9), (9, 10, 9, 10), (12, 14, 12, 13)]
    found = market(rows, interval="1h").at("2h")
    assert found.interval == "2h"
    assert labels(found) == ["01 00:00", "01 02:00"]
    assert found["ABC"][["open", "high", "low", "close"]].to_numpy().tolist() == [[10, 15, 9, 14], [13, 13, 8, 10]]


def test_volume_is_the_sum() -> None:
    frame = HOURS["A"].iloc[:48]
    frame["volume"] = 2.0
    assert wb.Bars.from_frames({"A": frame}, interval="1h").at("1D").volume["A"].tolist() == [48.0, 48.0]
    assert not market([10.0] * 24).at("4h").has_volume


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        ("2024-01-01 00:00", 3, []),
        ("2024-01-01 00:00", 4, ["01 00:00"]),
        ("2024-01-01 00:00", 7, ["01 00:00"]),
        ("2024-01-01 01:00", 7, ["01 04:00"]),
        ("2024-01-01 01:00", 6, []),
        ("2024-01-01 01:00", 11, ["01 04:00", "01 08:00"]),
    ],
)
def test_what_still_runs_and_what_began_before_is_left_out(start: str, count: int, expected: list[str]) -> None:
    assert labels(market([10.0] * count, interval="1h", start=start).at("4h")) == expected


def test_a_coarser_bar_ends_with_its_interval_though_its_last_bars_are_missing() -> None:
    bars = market([10, 11, 12, None, None, 13, 14], interval="1h")
    assert labels(bars.iloc[:3].at("4h")) == []
    assert bars.iloc[:4].at("4h").close["ABC"].tolist() == [12]


def test_each_instrument_has_its_own_bars_and_its_own_beginning() -> None:
    bars = market({SHARE: [None, 11, 12, 13, None, None, 14, 15], OTHER: [20, 21, 22, 23, 24, 25, 26, 27]}, interval="1h")
    found = bars.at("2h").close
    np.testing.assert_array_equal(found["ABC"], [NAN, 13, NAN, 15])
    np.testing.assert_array_equal(found["XYZ"], [21, 23, 25, 27])
    assert labels(bars[["ABC"]].at("2h")) == ["01 02:00", "01 06:00"]


def test_days_begin_at_midnight_and_weeks_on_monday() -> None:
    # 2024-01-01 was a Monday
    bars = wb.simulate(bars=24 * 20, interval="1h", seed=1, start=pd.Timestamp("2024-01-03 05:00", tz="UTC"))
    assert [f"{t:%m-%d}" for t in bars.at("1D").index[:2]] == ["01-04", "01-05"]
    assert [f"{t:%m-%d}" for t in bars.at("7D").index] == ["01-08", "01-15"]


# -- against pandas, and as time goes on ------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["2h", "4h", "1D"])
@pytest.mark.parametrize("bars", [HOURS, HOLED], ids=["whole", "with holes"])
def test_coarser_bars_are_those_of_pandas(bars: wb.Bars, interval: str) -> None:
    found = bars.at(interval)
    close = bars.index[-1] + pd.Timedelta("1h")
    for symbol in bars.symbols:
        own = bars[symbol]
        rule = {"open": "first", "high": "max", "low": "min", "close": "last"}
        expected = own.resample(interval).agg(rule).dropna()
        expected = expected[expected.index + pd.Timedelta(interval) <= close]
        expected = expected[expected.index >= own.index[0]]
        pd.testing.assert_frame_equal(found[symbol][list(rule)], expected, check_freq=False)


@pytest.mark.parametrize("bars", [HOURS, HOLED], ids=["whole", "with holes"])
def test_up_to_each_bar_there_is_exactly_what_has_ended(bars: wb.Bars) -> None:
    whole = bars.at("4h")
    ends = whole.index + pd.Timedelta("4h")
    for t in range(0, len(bars), 5):
        now, close = bars.iloc[: t + 1].at("4h"), bars.index[t] + pd.Timedelta("1h")
        expected = whole.iloc[: int((ends <= close).sum())]
        assert now.index.equals(expected.index)
        for field in wb.bars.FIELDS:
            np.testing.assert_array_equal(now.array(field), expected.array(field))


def test_a_later_beginning_gives_the_same_bars() -> None:
    whole = HOURS.at("1D")
    for start in (1, 23, 24, 30):
        later = HOURS.iloc[start:].at("1D")
        assert later.fingerprint == whole.iloc[len(whole) - len(later) :].fingerprint
        assert later.index[0] >= HOURS.index[start] > later.index[0] - pd.Timedelta("1D")


def test_bars_are_made_once_and_stay_what_they_are() -> None:
    assert HOURS.at("1D") is HOURS.at("24h")
    assert HOURS.at("1h") is HOURS
    assert (HOURS.at("1D").source, HOURS.at("1D").instruments) == (HOURS.source, HOURS.instruments)
    assert len(HOURS.iloc[:0].at("1D")) == 0


@pytest.mark.parametrize(
    ("interval", "said"),
    [("90min", "bars of 1h make bars of a multiple of 1h, got 90min"), ("1min", "got 1min"), ("x", "interval must look like")],
)
def test_no_multiple_is_refused(interval: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        HOURS.at(interval)
    assert said in str(caught.value)


# -- a signal on them -------------------------------------------------------------------------------------------------


def test_a_stance_stands_from_the_close_of_its_bar_on_until_the_next() -> None:
    bars = market([10.0] * 9, interval="1h")
    found = HigherTimeframe(Given([1, None, -1, None]), "2h").generate(bars)["ABC"]
    # the first two hours end with bar 1, the second with bar 3, of which nothing is said, the third with bar 5
    np.testing.assert_array_equal(found, [NAN, 1, 1, NAN, NAN, -1, -1, NAN, NAN])


def test_the_lookback_counts_the_bars_below() -> None:
    assert HigherTimeframe(MovingAverageCross(5, 20), "1D", of="5min").lookback == 22 * 288
    assert Crossing(HigherTimeframe(Breakout(3), "4h")).lookback == 6 * 4 + 1


def test_it_is_the_signal_of_the_coarser_bars() -> None:
    signal = HigherTimeframe(MovingAverageCross(1, 3), "4h")
    coarse = MovingAverageCross(1, 3).stances(HOURS.at("4h"))
    found = signal.stances(HOURS)
    at_ends = found[(found.index.hour % 4 == 3) & (np.arange(len(found)) >= signal.lookback)]
    expected = coarse.loc[at_ends.index - pd.Timedelta("3h")]
    np.testing.assert_array_equal(at_ends, expected)
    assert {-1.0, 1.0} <= set(at_ends["A"])


def test_a_higher_timeframe_trades_alike_in_research_and_replay() -> None:
    strategy = wb.Strategy(HigherTimeframe(MovingAverageCross(1, 3), "4h"), wb.sizing.FixedQuantity(1))
    report = wb.check_parity(strategy, HOURS, cuts=20)
    assert report.differences.empty
    assert report.orders > 20


def test_a_leak_within_is_named_on_its_own_bars() -> None:
    from leaks import Shifted

    report = wb.check_causality(HigherTimeframe(Shifted(), "4h"), HOURS, cuts=20)
    assert set(report.failures["component"]) == {"Shifted"}
    assert report.failures["time"].isin(HOURS.at("4h").index).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HigherTimeframe(Breakout(), "1h"), "HigherTimeframe: interval must be a multiple of of='1h', got interval='1h'"),
        (lambda: HigherTimeframe(Breakout(), "90min"), "got interval='90min'"),
        (lambda: HigherTimeframe(Breakout(), "1D", of="5min").stances(HOURS), "these are bars of 1h, not of 5min; write of='1h'"),
    ],
)
def test_a_wrong_interval_gets_a_sentence(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ParameterError) as caught, warnings.catch_warnings():
        make()
    assert said in str(caught.value)
