"""Bars: joined, read, chosen, grouped; never changed."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import OTHER, SHARE, market, same_numbers

from workbench import Bars, Instrument, simulate
from workbench.bars import FIELDS
from workbench.errors import DataError

NAN = float("nan")
HOLED = market({SHARE: [10, 11, None, 13, None, 15], OTHER: [None, 21, None, 23, 24, 25]})  # label 2: nobody
WHOLE = simulate(["A", "B", "C"], days=2, interval="1h", seed=3)


def frame(values: list[float], index: pd.DatetimeIndex, **more: list[float]) -> pd.DataFrame:
    return pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), values) | more, index, dtype=float)


HOURS = pd.date_range("2024-01-01", periods=4, freq="1h", tz="UTC")


# -- made -------------------------------------------------------------------------------------------------------------


def test_03_the_index_is_the_union_of_labels() -> None:
    assert [label.hour for label in HOLED.index] == [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(HOLED.array("close"), [[10, NAN], [11, 21], [13, 23], [NAN, 24], [15, 25]])
    assert HOLED.shape == (5, 2)
    assert HOLED.symbols == ["ABC", "XYZ"]


def test_frames_of_other_lengths_are_joined_in_order_of_time() -> None:
    bars = Bars.from_frames({"A": frame([10, 11], HOURS[2:]), "B": frame([30, 31], HOURS[:2])}, interval="1h")
    assert bars.index.equals(HOURS)
    assert bars.index.is_monotonic_increasing
    assert bars.close["A"].tolist()[2:] == [10, 11]
    assert bars.present.tolist() == [[False, True], [False, True], [True, False], [True, False]]


def test_instruments_by_list_or_mapping_or_not_at_all() -> None:
    frames = {"A": frame([10, 11, 12, 13], HOURS), "B": frame([10, 11, 12, 13], HOURS)}
    given = [Instrument("B", quote="EUR"), Instrument("A", quote="GBP")]
    assert [i.quote for i in Bars.from_frames(frames, interval="1h", instruments=given).instruments] == ["GBP", "EUR"]
    by_name = Bars.from_frames(frames, interval="1h", instruments={i.symbol: i for i in given})
    assert by_name.symbols == ["A", "B"]
    assert Bars.from_frames(frames, interval="1h").instruments == (Instrument("A"), Instrument("B"))


def test_no_frames_are_refused() -> None:
    with pytest.raises(DataError, match="at least one symbol, got none"):
        Bars.from_frames({}, interval="1h")


def test_a_frame_without_its_instrument_is_refused() -> None:
    with pytest.raises(DataError, match=r"no instrument given for the bars of 'AAPL'; did you mean 'APPL'\?"):
        Bars.from_frames({"AAPL": frame([10, 11, 12, 13], HOURS)}, interval="1h", instruments=[Instrument("APPL")])


def test_a_source_and_what_it_assumed_go_along() -> None:
    bars = Bars.from_frames({"A": frame([10, 11, 12, 13], HOURS)}, interval="1h", source="a file", assumptions=["open times"])
    for chosen in (bars, bars.iloc[:2], bars[["A"]]):
        assert (chosen.source, chosen.assumptions, chosen.simulated) == ("a file", ("open times",), False)
    assert WHOLE.simulated
    assert "simulated" in repr(WHOLE)


# -- read -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "volume"])
def test_a_field_is_a_frame_of_time_by_symbol(name: str) -> None:
    found: pd.DataFrame = getattr(WHOLE, name)
    assert found.index.equals(WHOLE.index)
    assert list(found.columns) == ["A", "B", "C"]
    np.testing.assert_array_equal(found.to_numpy(), WHOLE.array(name))
    assert same_numbers(getattr(WHOLE, name), found)


def test_volume_is_refused_where_there_is_none() -> None:
    assert not HOLED.has_volume
    with pytest.raises(DataError, match="these bars of ABC, XYZ have no volume"):
        _ = HOLED.volume


@pytest.mark.parametrize(("volume", "has"), [([1, 2, 0, 4], True), ([0, 0, 0, 0], False), ([0, 0, 0, 1e-9], True)])
def test_volume_of_zeros_is_none(volume: list[float], has: bool) -> None:
    bars = Bars.from_frames({"A": frame([10, 11, 12, 13], HOURS, volume=volume)}, interval="1h")
    assert bars.has_volume is has


def test_one_instrument_without_volume_is_enough_to_refuse() -> None:
    frames = {"A": frame([10, 11, 12, 13], HOURS, volume=[1, 1, 1, 1]), "B": frame([10, 11, 12, 13], HOURS)}
    bars = Bars.from_frames(frames, interval="1h")
    with pytest.raises(DataError, match="these bars of A, B have no volume"):
        _ = bars.volume
    assert bars[["A"]].volume["A"].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(("interval", "length", "daily"), [("5min", 300, False), ("1h", 3600, False), ("1D", 86_400, True)])
def test_labels_and_lengths_in_nanoseconds(interval: str, length: int, daily: bool) -> None:
    bars = market([1, 1, 1], interval=interval)
    assert bars.interval_ns == length * 10**9
    assert np.diff(bars.labels).tolist() == [length * 10**9] * 2
    assert bars.labels[0] == pd.Timestamp("2024-01-01", tz="UTC").value
    assert bars.daily is daily


def test_whole_and_present() -> None:
    assert WHOLE.whole
    assert not HOLED.whole
    assert HOLED.present.tolist() == [[True, False], [True, True], [True, True], [False, True], [True, True]]


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        (HOLED, "Bars(ABC, XYZ, 1h, 5 labels, 2024-01-01 00:00 to 2024-01-01 05:00 UTC)"),
        (HOLED.iloc[:0], "Bars(none, ABC, XYZ, 1h)"),
        (simulate(list("ABCDEF"), bars=3), "Bars(A, B, C, D and 2 more, 1min, 3 labels"),
    ],
    ids=["two", "none", "many"],
)
def test_the_repr(bars: Bars, said: str) -> None:
    assert repr(bars).startswith(said)


# -- chosen -----------------------------------------------------------------------------------------------------------


def test_one_symbol_is_a_frame_without_its_holes() -> None:
    found = HOLED["ABC"]
    assert found["close"].tolist() == [10, 11, 13, 15]
    assert list(found.columns) == list(FIELDS)
    assert [label.hour for label in found.index] == [0, 1, 3, 5]


def test_several_symbols_are_bars_on_their_own_labels() -> None:
    alone = HOLED[["ABC"]]
    assert isinstance(alone, Bars)
    assert len(alone) == 4
    assert alone.whole
    turned = HOLED[["XYZ", "ABC"]]
    assert turned.symbols == ["XYZ", "ABC"]
    np.testing.assert_array_equal(turned.array("close"), HOLED.array("close")[:, ::-1])


@pytest.mark.parametrize("wrong", ["ABD", ["ABC", "ABD"]], ids=["one", "list"])
def test_an_unknown_symbol_is_refused(wrong: Any) -> None:
    with pytest.raises(DataError, match=r"no bars of 'ABD'; did you mean 'ABC'\?"):
        HOLED[wrong]


@pytest.mark.parametrize(
    "rows", [slice(3), slice(-2, None), slice(None, None, 2), 0, -1, [1, 3], np.array([True, False, True, False, True])], ids=str
)
def test_rows_by_number(rows: Any) -> None:
    expected = HOLED.close.iloc[[rows]] if isinstance(rows, int) else HOLED.close.iloc[rows]
    pd.testing.assert_frame_equal(HOLED.iloc[rows].close, expected, check_freq=False)


@pytest.mark.parametrize(
    "rows", ["2024-01-01 03:00", "2024-01-01", slice("2024-01-01 01:00", "2024-01-01 04:00"), slice(None, "2024-01-01 01:30")], ids=str
)
def test_rows_by_label(rows: Any) -> None:
    expected = HOLED.close.loc[rows]
    expected = expected.to_frame().T if isinstance(expected, pd.Series) else expected
    np.testing.assert_array_equal(HOLED.loc[rows].close.to_numpy(), expected.to_numpy())
    assert isinstance(HOLED.loc[rows], Bars)


# -- blocks -----------------------------------------------------------------------------------------------------------


def test_04_blocks_have_no_holes_and_cover_everything() -> None:
    bars = market({Instrument(s): rows for s, rows in {"A": [1, None, 3], "B": [4, 5, 6], "C": [7, None, 9], "D": [1, 2, 3]}.items()})
    found = {tuple(columns): block for columns, _, block in bars.blocks()}
    assert sorted(found) == [(0, 2), (1, 3)]
    assert all(block.whole for block in found.values())
    assert found[0, 2].close.to_numpy().tolist() == [[1, 7], [3, 9]]


def test_04_blocks_lie_where_they_came_from() -> None:
    laid = np.full(HOLED.shape, np.nan)
    for columns, rows, block in HOLED.blocks():
        laid[np.ix_(np.flatnonzero(rows), columns)] = block.array("close")
    np.testing.assert_array_equal(laid, HOLED.array("close"))
    columns, rows, block = next(WHOLE.blocks())
    assert (columns, rows) == ([0, 1, 2], slice(None))
    assert block is WHOLE


# -- never changed ----------------------------------------------------------------------------------------------------


def test_bars_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable: interval cannot be set"):
        HOLED.interval = "1D"
    with pytest.raises(ValueError, match="read-only"):
        HOLED.array("close")[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        HOLED.close.to_numpy()[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        HOLED.present[0, 0] = False


def test_what_is_worked_out_is_kept() -> None:
    calls: list[int] = []
    bars = market([1, 2, 3])
    assert [bars.memo("key", lambda: calls.append(1) or 7) for _ in range(3)] == [7, 7, 7]
    assert calls == [1]


def test_a_copy_by_pickle_is_the_same() -> None:
    twin = pickle.loads(pickle.dumps(HOLED))
    assert twin.fingerprint == HOLED.fingerprint
    assert twin.instruments == HOLED.instruments
    pd.testing.assert_frame_equal(twin.close, HOLED.close)


def test_the_fingerprint_changes_with_anything_that_matters() -> None:
    rows = [10, 11, 12]
    made = [market(rows), market([10, 11, 12.000001]), market(rows, OTHER), market(rows, interval="5min"), market(rows, start="2024-01-02")]
    made.append(market(rows, Instrument("ABC", multiplier=2)))
    assert len({bars.fingerprint for bars in made}) == len(made)
    assert market(rows).fingerprint == market(rows).fingerprint
    assert len(market(rows).fingerprint) == 16
