"""Every fault of a frame of bars is found, named and counted."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.errors import DataError
from workbench.quality import SuspectDataWarning, check_frame, find_faults, require_bar_columns, rising, spell, usual_spacing

Change = Callable[[pd.DataFrame], pd.DataFrame]


def bars(count: int = 50, step: str = "1min", start: str = "2024-01-02 14:30", zone: str | None = "UTC") -> pd.DataFrame:
    index = pd.date_range(start, periods=count, freq=step, tz=zone)
    return pd.DataFrame({"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 10.0}, index=index)


def put(row: int, column: str, value: float) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.iloc[row, frame.columns.get_loc(column)] = value
        return frame

    return change


def relabel(make: Callable[[pd.DatetimeIndex], object]) -> Change:
    return lambda frame: frame.set_axis(make(frame.index))


def swap(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[[0, 2, 1, *range(3, len(frame))]]


def repeat(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[[0, 1, 1, *range(2, len(frame))]]


def shift_row(index: pd.DatetimeIndex, row: int, by: str) -> pd.DatetimeIndex:
    labels = list(index)
    labels[row] += pd.Timedelta(by)
    return pd.DatetimeIndex(labels)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    texts = frame["close"].astype(object)
    texts.iloc[4] = "1,234.5"
    return frame.assign(close=texts)


FAULTS = {
    "nan": (put(3, "close", np.nan), "price missing or infinite", ["row 3", "column close: nan", "1 row]", "drop_bad"]),
    "inf": (put(3, "high", np.inf), "price missing or infinite", ["column high: inf"]),
    "minus-inf": (put(3, "low", -np.inf), "price missing or infinite", ["column low: -inf"]),
    "zero": (put(5, "low", 0.0), "price not positive", ["row 5", "column low: 0.0"]),
    "negative": (put(5, "open", -37.63), "price not positive", ["column open: -37.63"]),
    "high-below-open": (put(7, "open", 105.0), "crossed prices", ["row 7", "column high: 101.0 is below open 105.0"]),
    "high-below-close": (put(7, "close", 106.0), "crossed prices", ["column high: 101.0 is below close 106.0"]),
    "high-below-low": (put(7, "low", 102.0), "crossed prices", ["column high: 101.0 is below low 102.0"]),
    "low-above-open": (put(7, "open", 98.0), "crossed prices", ["column low: 99.0 is above open 98.0"]),
    "low-above-close": (put(7, "close", 97.0), "crossed prices", ["column low: 99.0 is above close 97.0"]),
    "negative-volume": (put(9, "volume", -1.0), "volume negative", ["row 9", "column volume: -1.0"]),
    "infinite-volume": (put(9, "volume", np.inf), "volume infinite", ["column volume: inf"]),
    "missing-volume": (put(9, "volume", np.nan), "volume missing", ["column volume: nan"]),
    "text": (as_text, "no number", ["row 4", "column close: '1,234.5'"]),
    "unsorted": (swap, "not sorted", ["row 2", "14:31:00+00:00 comes after", "14:32:00", "'sort'"]),
    "duplicated": (repeat, "duplicated label", ["row 2", "is the label of row 1 too", "'drop_duplicates'"]),
    "naive": (relabel(lambda index: index.tz_localize(None)), "index not in UTC", ["without a zone", "50 rows", "'localize'"]),
    "zone": (relabel(lambda index: index.tz_convert("America/New_York")), "index not in UTC", ["in the zone America/New_York"]),
    "no-times": (relabel(lambda index: range(len(index))), "index holds no times", ["row 0, index: 0"]),
    "nat": (relabel(lambda index: index.where(index != index[4])), "label missing", ["row 4, index: NaT"]),
    "too-close": (relabel(lambda index: shift_row(index, 6, "30s")), "labels too close", ["row 7", "comes 30s after"]),
    "off-the-grid": (relabel(lambda index: shift_row(index, 49, "30s")), "labels off the grid", ["row 49", "on a grid of 1min"]),
}


@pytest.mark.parametrize(("change", "kind", "words"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_named_with_row_column_and_value(change: Change, kind: str, words: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        check_frame(change(bars()), "SPY", "1min")
    message = str(caught.value)
    assert message.startswith("SPY: ")
    assert f"[{kind}, " in message
    assert all(word in message for word in words), message


def test_a_clean_frame_passes() -> None:
    check_frame(bars(), "SPY", "1min")
    assert find_faults(bars(), "1min") == []


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_index_unit_passes(unit: str) -> None:
    frame = bars()
    check_frame(frame.set_axis(frame.index.as_unit(unit)), "SPY", "1min")


@pytest.mark.parametrize("zone", [dt.UTC, "UTC"], ids=["datetime", "name"])
def test_every_way_to_say_utc_passes(zone: dt.tzinfo | str) -> None:
    frame = bars()
    check_frame(frame.set_axis(frame.index.tz_localize(None).tz_localize(zone)), "SPY", "1min")


@pytest.mark.parametrize("kind", ["float32", "Float64", "int64", "object", "double[pyarrow]"])
def test_every_kind_of_number_passes(kind: str) -> None:
    frame = bars().assign(close=100.0)
    check_frame(frame.astype(kind), "SPY", "1min")


def test_volume_that_is_missing_throughout_is_no_fault() -> None:
    check_frame(bars().assign(volume=np.nan), "SPY", "1min")
    check_frame(bars().drop(columns="volume"), "SPY", "1min")


def test_few_and_no_rows_pass() -> None:
    for count in (0, 1, 2):
        check_frame(bars(count), "SPY", "1min")


def test_all_faults_are_found_at_once() -> None:
    frame = put(9, "volume", -1.0)(put(5, "low", 0.0)(put(3, "close", np.nan)(bars())))
    with pytest.raises(DataError, match=r"^SPY: 4 faults in 50 bars: .*nan.*0\.0.*-1\.0.*comes after.*repair=\['drop_bad', 'sort'\]"):
        check_frame(swap(frame), "SPY", "1min")


def test_rows_are_counted_and_the_first_is_named() -> None:
    frame = bars()
    frame.iloc[[8, 20, 30], 3] = np.nan
    fault = find_faults(frame, "1min")[0]
    assert fault.count == 3
    assert fault.where.startswith("row 8 (2024-01-02 14:38:00+00:00)")


# -- columns --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["id", "side", "price", "amount"], "found id, side, price, amount; they look like single trades"),
        (["bid_open", "ask_open"], "found bid_open, ask_open; they look like bid and ask quotes"),
        (["open", "high", "low"], "expected columns open, high, low, close"),
        ([], "found none"),
        (["open", "high", "low", "close", "close"], "found close 2 times"),
        (["Open", "High", "Low", "Close"], "found Open, High, Low, Close"),
    ],
    ids=["ticks", "quotes", "no-close", "empty", "twice", "capitals"],
)
def test_what_is_no_bars_is_refused(columns: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        require_bar_columns(pd.DataFrame(columns=columns, dtype=float), "X")


# -- interval -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "interval", "words"),
    [
        ("1h", "1min", r"commonest step between labels is 1h \(49 of 49\), not the interval 1min"),
        ("1min", "1h", "is 1min"),
        ("1D", "1h", "is 1D"),
        ("7D", "1D", "is 7D"),
        ("5min", "1D", "is 5min"),
    ],
)
def test_a_wrong_interval_is_refused(step: str, interval: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        check_frame(bars(step=step, start="2024-01-02"), "X", interval)


def test_five_rows_that_agree_contradict_an_interval_and_two_do_not() -> None:
    assert [fault.kind for fault in find_faults(bars(5, "1h"), "1min")] == ["wrong interval"]
    assert find_faults(bars(3, "1h"), "1min") == []


def test_holes_are_no_fault() -> None:
    kept = np.random.default_rng(1).random(500) < 0.4
    assert find_faults(bars(500)[kept], "1min") == []


@pytest.mark.parametrize("label", ["2024-01-02 05:00", "2024-01-02 21:00"])
def test_daily_labels_are_session_dates(label: str) -> None:
    with pytest.raises(DataError, match=r"expected 00:00 UTC, the session date \(pass timezone="):
        check_frame(bars(10, "1D", label), "X", "1D")


def test_daily_bars_with_weekends_left_out_pass() -> None:
    index = pd.bdate_range("2024-01-01", periods=300, tz="UTC")
    check_frame(bars(300).set_axis(index), "X", "1D")


def test_four_hour_bars_may_move_with_daylight_saving() -> None:
    index = pd.date_range("2024-03-01 17:00", periods=100, freq="4h", tz="UTC")
    moved = index.where(index < pd.Timestamp("2024-03-10", tz="UTC"), index + pd.Timedelta("3h"))
    check_frame(bars(100).set_axis(moved), "X", "4h")


def test_a_break_at_noon_may_start_a_second_grid() -> None:
    days = pd.bdate_range("2024-01-02", periods=5, tz="UTC")
    hours = [pd.Timedelta(text) for text in ("01:30:00", "02:30:00", "03:30:00", "05:00:00", "06:00:00", "07:00:00")]
    index = pd.DatetimeIndex([day + hour for day in days for hour in hours])
    check_frame(bars(len(index)).set_axis(index), "X", "1h")


def test_spacing_is_the_commonest_step() -> None:
    assert usual_spacing(np.array([0, 1, 2, 3, 10])) == (1, 3)
    assert usual_spacing(np.array([0, 5, 6, 8, 13, 14, 16])) == (1, 2)


def test_rising_sorts_and_keeps_each_label_once() -> None:
    assert rising(np.array([3, 1, 2, 3, 1])).tolist() == [1, 2, 3]
    assert rising(np.array([], dtype=int)).tolist() == []


@pytest.mark.parametrize(("seconds", "text"), [(1, "1s"), (60, "1min"), (5400, "90min"), (7200, "2h"), (86_400, "1D"), (0.5, "0.5s")])
def test_lengths_are_spelt_as_intervals(seconds: float, text: str) -> None:
    assert spell(int(seconds * 1e9)) == text


# -- calendars ------------------------------------------------------------------------------------------------------


def session_bars(first: str, last: str, step: str = "30min") -> pd.DataFrame:
    days = pd.bdate_range("2024-01-02", "2024-01-12", tz="UTC")
    labels = [pd.date_range(f"{day:%Y-%m-%d} {first}", f"{day:%Y-%m-%d} {last}", freq=step, tz="UTC") for day in days]
    index = labels[0].append(labels[1:])
    return bars(len(index)).set_axis(index)


def test_open_stamped_bars_agree_with_their_calendar() -> None:
    check_frame(session_bars("14:30", "20:30"), "SPY", "30min", "XNYS")


def test_close_stamped_bars_contradict_their_calendar() -> None:
    with pytest.raises(DataError, match=r"9 labels are a close of XNYS.*look close-stamped: pass stamp='close'"):
        check_frame(session_bars("15:00", "21:00"), "SPY", "30min", "XNYS")


def test_close_stamps_without_the_last_bar_are_seen_at_the_open() -> None:
    with pytest.raises(DataError, match="9 its first bar's close and none its open; these look close-stamped"):
        check_frame(session_bars("15:00", "20:30"), "SPY", "30min", "XNYS")


def test_open_stamps_moved_back_are_seen() -> None:
    with pytest.raises(DataError, match=r"row 0, .* outside the sessions of XNYS; these look open-stamped: pass stamp='open'"):
        check_frame(session_bars("14:00", "20:00"), "SPY", "30min", "XNYS")


def test_bars_outside_the_sessions_are_refused() -> None:
    with pytest.raises(DataError, match=r"2024-01-02 13:00:00\+00:00 lies outside the sessions of XNYS \[.*, 45 rows\].*drop_closed"):
        check_frame(session_bars("13:00", "21:30"), "SPY", "30min", "XNYS")


def test_daily_labels_that_are_no_session_are_refused() -> None:
    frame = bars(10, "1D", "2024-01-08")
    with pytest.raises(DataError, match=r"row 5, index: 2024-01-13 is no session of XNYS \[no session, 3 rows\]"):
        check_frame(frame, "SPY", "1D", "XNYS")


def test_daily_sessions_pass() -> None:
    index = pd.bdate_range("2024-01-02", periods=9, tz="UTC")
    check_frame(bars(9).set_axis(index), "SPY", "1D", "XNYS")


def test_a_market_that_never_closes_is_never_close_stamped() -> None:
    check_frame(bars(500, "1h"), "BTCUSD", "1h", "24/7")


def test_a_misspelt_calendar_gets_a_hint() -> None:
    with pytest.raises(DataError, match="unknown calendar 'XNYSE'; did you mean 'XNYS'"):
        check_frame(bars(), "SPY", "1min", "XNYSE")


def test_a_calendar_that_does_not_reach_back_says_so() -> None:
    with pytest.raises(DataError, match="calendar XHKG does not cover 1949 to 1950"):
        check_frame(bars(5, "1D", "1950-01-02"), "X", "1D", "XHKG")


# -- suspicion ------------------------------------------------------------------------------------------------------


def with_closes(*closes: float) -> pd.DataFrame:
    price = pd.Series(closes)
    frame = bars(len(closes), "1D", "2024-01-01")
    return frame.assign(**{name: price.to_numpy() for name in ("open", "high", "low", "close")})


@pytest.mark.parametrize(
    ("closes", "size"),
    [
        ((100.0, 50.0, 51.0), "-50 % at 2024-01-02"),
        ((100.0, 101.0, 202.0), r"\+100 % at 2024-01-03"),
        ((700.0, 100.0), "-86 % at 2024-01-02"),
    ],
    ids=["two-for-one", "reverse", "seven-for-one"],
)
def test_a_move_that_may_be_a_split_is_told(closes: tuple[float, ...], size: str) -> None:
    said = check_frame(with_closes(*closes), "AAPL", "1D")
    assert re.match(f"AAPL: a move of more than 40% in one bar, possibly a split.*{size}", said)


def test_the_warning_points_at_the_users_line() -> None:
    with pytest.warns(SuspectDataWarning, match="possibly a split") as caught:
        bars = wb.Bars.from_frames({"AAPL": with_closes(100.0, 50.0)}, interval="1D")
    assert caught[0].filename == __file__
    assert len(caught) == 1
    assert bars.assumptions == (f"warning: {caught[0].message}",)


def test_many_moves_are_one_warning() -> None:
    assert re.search("moves of more than.* and 3 more$", check_frame(with_closes(*([100.0, 200.0] * 5)), "AAPL", "1D"))


def test_a_move_of_forty_percent_is_no_warning() -> None:
    assert check_frame(with_closes(100.0, 140.0, 84.0), "AAPL", "1D") == ""
