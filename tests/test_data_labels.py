"""Stamps, daily labels, zones and repairs: every label ends as the OPEN time in UTC, every repair is counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.bars import Bars
from workbench.data import read_bars
from workbench.errors import DataError
from workbench.instrument import Instrument


def table(count: int = 20, step: str = "1min", start: str = "2024-01-02 14:30", zone: str | None = "UTC") -> pd.DataFrame:
    index = pd.date_range(start, periods=count, freq=step, tz=zone)
    close = 100 + np.arange(count) / 10
    return pd.DataFrame({"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 10.0}, index=index)


def said(bars: Bars) -> str:
    return "\n".join(bars.assumptions)


def test_rule_02_open_stamps_stay_and_are_an_assumption() -> None:
    bars = read_bars(table(), "SPY")
    assert bars.index[0] == pd.Timestamp("2024-01-02 14:30", tz="UTC")
    assert "labels taken as OPEN times (stamp='open')" in said(bars)


@pytest.mark.parametrize("step", ["1min", "1h"])
def test_rule_02_close_stamps_move_back_one_interval(step: str) -> None:
    bars = read_bars(table(step=step), "SPY", stamp="close")
    assert (bars.index == table(step=step).index - pd.Timedelta(step)).all()
    assert "labels were CLOSE times, moved to the OPEN (stamp='close')" in said(bars)


DAILY = {
    "midnight": ("2024-01-02", "UTC", "EURUSD", {}, "2024-01-02"),
    "midnight-close-share": ("2024-01-02", "UTC", "SPY", {"stamp": "close"}, "2024-01-02"),
    "midnight-close-coin": ("2024-01-02", "UTC", "BTCUSDT", {"stamp": "close"}, "2024-01-01"),
    "evening-close": ("2024-01-02 21:00", "UTC", "SPY", {"stamp": "close"}, "2024-01-02"),
    "new-york-midnight": ("2024-01-02", "America/New_York", "SPY", {"repair": "localize"}, "2024-01-02"),
    "tokyo-midnight": ("2024-01-02", "Asia/Tokyo", "7203", {"repair": "localize"}, "2024-01-02"),
    "tokyo-in-utc": ("2024-01-01 15:00", "UTC", "7203", {"timezone": "Asia/Tokyo"}, "2024-01-02"),
    "utc-with-a-zone": ("2024-01-02", "UTC", "SPY", {"timezone": "America/New_York"}, "2024-01-02"),
    "naive-close-of-day": ("2024-01-02 16:00", None, "SPY", {"timezone": "America/New_York", "stamp": "close"}, "2024-01-02"),
    "naive-repaired": ("2024-01-02", None, "SPY", {"repair": "localize"}, "2024-01-02"),
}


@pytest.mark.parametrize(("start", "zone", "symbol", "options", "first"), DAILY.values(), ids=DAILY.keys())
def test_rule_02_daily_labels_are_session_dates(start: str, zone: str | None, symbol: str, options: dict[str, Any], first: str) -> None:
    bars = read_bars(table(step="1D", start=start, zone=zone), symbol, "1D", **options)
    assert bars.index[0] == pd.Timestamp(first, tz="UTC")
    assert (np.diff(bars.labels) == 86_400 * 10**9).all()


def test_daily_labels_at_another_hour_ask_for_the_zone() -> None:
    with pytest.raises(DataError, match=r"expected 00:00 UTC, the session date \(pass timezone= of the exchange\)"):
        read_bars(table(step="1D", start="2024-01-02 22:00"), "SPY", "1D")


def test_three_day_bars_stamped_with_their_last_day_move_to_the_first() -> None:
    bars = read_bars(table(step="3D", start="2024-01-03"), "SPY", stamp="close")
    assert bars.index[0] == pd.Timestamp("2024-01-01", tz="UTC")


def test_dates_without_a_time_need_no_zone() -> None:
    days = [dt.date(2024, 1, day) for day in range(1, 21)]
    for dates in (days, [str(day) for day in days]):
        bars = read_bars(table(step="1D").set_axis(pd.Index(dates, dtype=object)).rename_axis("date").reset_index(), "SPY")
        assert bars.index[0] == pd.Timestamp("2024-01-01", tz="UTC")
        assert "dates without a time: session dates" in said(bars)


def test_times_without_a_zone_are_read_in_the_zone_that_was_named() -> None:
    bars = read_bars(table(zone=None), "SPY", timezone="America/New_York")
    assert bars.index[0] == pd.Timestamp("2024-01-02 19:30", tz="UTC")
    assert "times without a zone read as America/New_York" in said(bars)


def test_a_time_that_exists_twice_is_refused() -> None:
    with pytest.raises(DataError, match="does not exist, or exists twice, in America/New_York"):
        read_bars(table(step="30min", start="2024-11-03 00:30", zone=None), "SPY", timezone="America/New_York")


def test_a_stamp_that_contradicts_the_calendar_raises() -> None:
    spy = Instrument("SPY", calendar="XNYS")
    frame = table(14, "30min", "2024-01-02 14:30").iloc[:13]
    assert len(read_bars(frame, spy)) == 13
    closing = frame.set_axis(frame.index + pd.Timedelta("30min"))
    with pytest.raises(DataError, match="pass stamp='close'"):
        read_bars(closing, spy)
    assert (read_bars(closing, spy, stamp="close").index == frame.index).all()


# -- repairs --------------------------------------------------------------------------------------------------------


def test_sort_is_counted() -> None:
    frame = table()
    bars = read_bars(frame.iloc[[0, 2, 1, *range(3, 20)]], "SPY", repair="sort")
    assert "repair sort: 1 labels stood before an earlier one" in said(bars)
    np.testing.assert_array_equal(bars["SPY"].to_numpy(), frame.to_numpy())


def test_drop_duplicates_keeps_the_last_and_counts_those_that_differ() -> None:
    frame = table()
    other = frame.iloc[[5]].assign(volume=99.0)
    bars = read_bars(pd.concat([frame.iloc[:6], other, frame.iloc[6:8], frame.iloc[7:]]), "SPY", repair=["drop_duplicates"])
    assert bars["SPY"]["volume"].iloc[5] == 99.0
    assert "repair drop_duplicates: 2 of 22 rows dropped, the first at 2024-01-02 14:35:00+00:00, 1 of them unlike the row kept" in said(
        bars
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [("close", np.nan), ("high", np.inf), ("low", 0.0), ("open", -1.0), ("high", 1.0), ("volume", -1.0)],
    ids=["nan", "inf", "zero", "negative", "crossed", "volume"],
)
def test_drop_bad_drops_the_row(column: str, value: float) -> None:
    frame = table()
    frame.loc[frame.index[7], column] = value
    bars = read_bars(frame, "SPY", repair="drop_bad")
    assert len(bars) == 19
    assert "repair drop_bad: 1 of 20 rows dropped, the first at 2024-01-02 14:37:00+00:00" in said(bars)


def test_drop_bad_drops_text() -> None:
    frame = table().astype({"close": object})
    frame.loc[frame.index[7], "close"] = "n.v."
    assert len(read_bars(frame, "SPY", repair="drop_bad")) == 19


def test_drop_closed_keeps_the_sessions() -> None:
    spy = Instrument("SPY", calendar="XNYS")
    frame = table(24 * 7, "1h", "2024-01-08 00:30")
    bars = read_bars(frame, spy, repair="drop_closed")
    assert len(bars) == 7 * 5
    assert "repair drop_closed: 133 of 168 rows dropped" in said(bars)
    days = read_bars(table(14, "1D", "2024-01-08"), spy, repair="drop_closed")
    assert len(days) == 9


def test_localize_reads_utc_and_says_so() -> None:
    bars = read_bars(table(zone=None), "SPY", repair="localize")
    assert bars.index[0] == pd.Timestamp("2024-01-02 14:30", tz="UTC")
    assert "times without a zone read as UTC" in said(bars)
    assert "times in Asia/Tokyo converted to UTC" in said(read_bars(table(zone="Asia/Tokyo"), "SPY", repair="localize"))


def test_a_repair_with_nothing_to_do_says_nothing() -> None:
    bars = read_bars(table(), "SPY", repair=["sort", "drop_duplicates", "drop_bad", "localize"])
    assert "repair" not in said(bars)


def test_repairs_work_together_in_any_order() -> None:
    frame = table(zone=None)
    frame.loc[frame.index[3], "close"] = np.nan
    broken = pd.concat([frame, frame.iloc[[9]]]).iloc[::-1]
    bars = read_bars(broken, "SPY", repair=["drop_bad", "drop_duplicates", "sort", "localize"])
    assert len(bars) == 19
    assert said(bars).count("repair ") == 3
