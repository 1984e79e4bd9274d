"""Reading bars: tables of every shape come in, every assumption and repair is said, and nothing is mended unasked."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.bars import Bars
from workbench.data import ParquetStore, read_bars, simulate
from workbench.errors import DataError, ParameterError
from workbench.instrument import Instrument
from workbench.quality import SuspectDataWarning

FIELDS = ["open", "high", "low", "close", "volume"]


def table(count: int = 20, step: str = "1min", start: str = "2024-01-02 14:30", zone: str | None = "UTC") -> pd.DataFrame:
    index = pd.date_range(start, periods=count, freq=step, tz=zone)
    close = 100 + np.arange(count) / 10
    return pd.DataFrame({"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 10.0}, index=index)


def said(bars: Bars) -> str:
    return "\n".join(bars.assumptions)


# -- shapes of tables -----------------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "index": lambda frame: frame,
    "milliseconds": lambda frame: frame.set_axis(frame.index.as_unit("ms")),
    "capitals": lambda frame: frame.rename(columns=str.title),
    "shouting": lambda frame: frame.rename(columns=str.upper),
    "letters": lambda frame: frame.set_axis(list("ohlcv"), axis=1),
    "angle-brackets": lambda frame: frame.set_axis([f"<{name.upper()}>" for name in FIELDS], axis=1),
    "vol": lambda frame: frame.rename(columns={"volume": "Vol"}),
    "timestamp-column": lambda frame: frame.rename_axis("timestamp").reset_index(),
    "Date-column": lambda frame: frame.rename_axis("Date").reset_index(),
    "time-column": lambda frame: frame.rename_axis("time").reset_index(),
    "datetime-column": lambda frame: frame.rename_axis("DateTime").reset_index(),
    "open-time-column": lambda frame: frame.rename_axis("Open time").reset_index(),
    "text-column": lambda frame: frame.set_axis(frame.index.astype(str)).rename_axis("timestamp").reset_index(),
    "text-index": lambda frame: frame.set_axis(frame.index.astype(str)),
    "iso-z": lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "objects": lambda frame: frame.set_axis(frame.index.to_pydatetime().astype(object)).rename_axis("t").reset_index(),
    "epoch-s": lambda frame: frame.set_axis(frame.index.as_unit("s").asi8).rename_axis("time").reset_index(),
    "epoch-ms": lambda frame: frame.set_axis(frame.index.as_unit("ms").asi8).rename_axis("timestamp").reset_index(),
    "epoch-us": lambda frame: frame.set_axis(frame.index.as_unit("us").asi8).rename_axis("timestamp").reset_index(),
    "epoch-ns": lambda frame: frame.set_axis(frame.index.as_unit("ns").asi8).rename_axis("timestamp").reset_index(),
    "epoch-float": lambda frame: frame.set_axis(frame.index.as_unit("s").asi8.astype(float)).rename_axis("t").reset_index(),
    "extra-columns": lambda frame: frame.assign(trades=3, note="x"),
    "text-prices": lambda frame: frame.astype(str),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_table_of_any_shape_gives_the_same_bars(shape: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    frame = table()
    bars = read_bars(shape(frame.copy()), "SPY", "1min")
    assert (bars.index == frame.index).all()
    assert str(bars.index.tz) == "UTC"
    np.testing.assert_array_equal(bars["SPY"].to_numpy(), frame.to_numpy())


def test_the_frame_handed_in_is_not_changed() -> None:
    frame = table().rename(columns=str.title).iloc[::-1]
    before = frame.copy()
    read_bars(frame, "SPY", "1min", repair="sort")
    pd.testing.assert_frame_equal(frame, before)


def test_columns_left_out_and_a_missing_volume_are_said() -> None:
    bars = read_bars(table().drop(columns="volume").assign(trades=3), "SPY")
    assert "columns left out: trades" in said(bars)
    assert "no volume column" in said(bars)
    assert not bars.has_volume


def test_volume_of_zero_counts_as_none_and_is_said() -> None:
    bars = read_bars(table().assign(volume=0.0), "SPY")
    assert "volume is 0 or missing throughout: counted as none" in said(bars)


def test_adjusted_closes_are_left_out() -> None:
    bars = read_bars(table().assign(**{"Adj Close": 1.0}), "SPY")
    assert bars.close.iloc[0, 0] == 100.0
    assert "columns left out: adj close" in said(bars)


def test_the_long_form_gives_several_instruments() -> None:
    long = pd.concat([table().assign(symbol="A"), table(10).assign(symbol="B")])
    bars = read_bars(long, interval="1min")
    assert bars.symbols == ["A", "B"]
    assert bars.present.sum(axis=0).tolist() == [20, 10]


def test_the_long_form_takes_instruments_by_symbol() -> None:
    long = pd.concat([table().assign(ticker=name) for name in ("A", "B")])
    given = [Instrument("B", tick_size=0.5), Instrument("A", region="US")]
    assert read_bars(long, given).instruments == (given[1], given[0])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
@pytest.mark.parametrize("names", [["A", "B"], ["A", "A"]], ids=["several", "one"])
def test_rows_that_name_no_symbol_are_refused(names: list[str], missing: Any) -> None:
    frame = table().assign(Symbol=pd.Series([*names * 9, missing, missing], dtype=object).to_numpy())
    with pytest.raises(DataError, match=r"DataFrame: row 18, column symbol: \S+ names no instrument \[symbol missing, 2 rows\]"):
        read_bars(frame)


def test_a_symbol_column_that_is_empty_throughout_says_nothing() -> None:
    bars = read_bars(table().assign(symbol=None), "SPY")
    assert (bars.symbols, len(bars)) == (["SPY"], 20)


@pytest.mark.parametrize(
    ("change", "given", "words"),
    [
        (lambda frame: frame.assign(symbol=["A", "B"] * 10), "A", "holds 2 symbols: give a sequence of Instrument"),
        (lambda frame: frame, [Instrument("A")], "holds one instrument: give an Instrument or its symbol, not a list"),
    ],
    ids=["several", "one"],
)
def test_instruments_must_fit_the_table(change: Any, given: Any, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        read_bars(change(table()), given)


# -- what is refused ------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "ticks": (lambda frame: frame[["close"]].rename(columns={"close": "price"}), "these are no bars: .* found price; .* single trades"),
    "no-times": (lambda frame: frame.reset_index(drop=True), "no times found: expected a DatetimeIndex or a column timestamp"),
    "no-rows": (lambda frame: frame.iloc[:0], "DataFrame: no rows"),
    "small-numbers": (lambda frame: frame.set_axis(range(5, 25)).rename_axis("t").reset_index(), "row 0: 5 is no time since 1970"),
    "american": (lambda frame: frame.set_axis(frame.index.strftime("%m/%d/%Y")), "index, row 0: '01/02/2024' is not an ISO time"),
    "one-bad-time": (lambda frame: frame.set_axis([*frame.index.astype(str)[:-1], "soon"]), "row 19: 'soon' is not an ISO time"),
    "two-levels": (lambda frame: pd.concat({"SPY": frame}, axis=1), "the columns have 2 levels"),
    "naive": (lambda frame: frame.tz_localize(None), r"without a zone, expected UTC .* choose wb.read_bars\(..., repair=\['localize'\]"),
    "naive-text": (lambda frame: frame.set_axis(frame.index.strftime("%Y-%m-%d %H:%M")), "without a zone, expected UTC"),
    "zone": (lambda frame: frame.tz_convert("Asia/Tokyo"), "in the zone Asia/Tokyo, expected UTC"),
    "nan": (lambda frame: frame.assign(close=frame["close"].where(frame["close"] != 100.5)), r"row 5 \(.*\), column close: nan"),
    "unsorted": (lambda frame: frame.iloc[::-1], "19 rows"),
    "one-row": (lambda frame: frame.iloc[:1], "1 rows do not tell the interval; pass interval="),
    "irregular": (lambda frame: frame.set_axis(frame.index + pd.to_timedelta(np.arange(20) ** 2, unit="ms")), "look like single trades"),
}


@pytest.mark.parametrize(("change", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_trusted_is_refused(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_bars(change(table()), "SPY")


def test_times_of_several_offsets_are_refused_until_conversion_is_chosen() -> None:
    texts = ["2024-03-08 09:30:00-05:00", "2024-03-11 09:30:00-04:00"]
    frame = table(2).set_axis(texts)
    with pytest.raises(DataError, match=r"several offsets, such as '2024-03-08 09:30:00-05:00'; choose repair=\['localize'\]"):
        read_bars(frame, "SPY", "1min")
    bars = read_bars(frame, "SPY", "1min", repair="localize")
    assert [f"{label:%H:%M}" for label in bars.index] == ["14:30", "13:30"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stamp": "opening"}, "stamp must be 'open' or 'close', got 'opening'; did you mean 'open'"),
        ({"repair": "srot"}, "unknown repair 'srot'; did you mean 'sort'"),
        ({"timezone": "America/New_Yrok"}, "unknown timezone 'America/New_Yrok'; did you mean 'America/New_York'"),
        ({"repair": "drop_closed"}, "repair 'drop_closed' needs an instrument with a calendar"),
    ],
    ids=["stamp", "repair", "timezone", "no-calendar"],
)
def test_a_wrong_option_gets_a_sentence(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        read_bars(table(), "SPY", **options)


def test_a_wrong_source_gets_a_sentence() -> None:
    with pytest.raises(ParameterError, match="read_bars needs a path or a DataFrame, got list"):
        read_bars([1, 2])  # type: ignore[arg-type]


def test_a_possible_split_is_warned_about_at_the_users_line() -> None:
    frame = table()
    frame.iloc[10:, :4] /= 2
    with pytest.warns(SuspectDataWarning, match="SPY: a move of more than 40% .* 2024-01-02 14:40") as caught:
        read_bars(frame, "SPY")
    assert caught[0].filename == __file__


# -- instrument, interval -------------------------------------------------------------------------------------------


def test_an_instrument_given_is_taken_as_it_is() -> None:
    given = Instrument("EURUSD", asset_class="fx", multiplier=100_000)
    bars = read_bars(table(), given)
    assert bars.instruments == (given,)
    assert "instrument" not in said(bars)


def test_a_symbol_is_kept_and_its_class_guessed_aloud() -> None:
    bars = read_bars(table(), "btc/usdt")
    assert (bars.symbols, bars.instruments[0].asset_class) == (["btc/usdt"], "crypto")
    assert "instrument Instrument('btc/usdt', asset_class='crypto'), guessed from the name 'btc/usdt'" in said(bars)


def test_a_frame_without_a_name_is_an_asset() -> None:
    bars = read_bars(table())
    assert bars.symbols == ["ASSET"]
    assert "nothing names it: taken as a share priced in USD" in said(bars)


@pytest.mark.parametrize("step", ["1s", "1min", "5min", "90min", "1h", "4h"])
def test_the_interval_is_the_commonest_step(step: str) -> None:
    bars = read_bars(table(step=step).drop(table(step=step).index[[3, 8]]), "SPY")
    assert bars.interval == step
    assert f"interval {step}, the commonest step between labels" in said(bars)


def test_an_interval_given_is_not_an_assumption_and_must_be_right() -> None:
    assert "interval" not in said(read_bars(table(), "SPY", "1m"))
    with pytest.raises(DataError, match="commonest step between labels is 1min"):
        read_bars(table(), "SPY", "1h")


# -- files ----------------------------------------------------------------------------------------------------------


def write(folder: Path, ending: str) -> Path:
    frame, path = table().rename_axis("timestamp"), folder / f"eq_SPY_1m.{ending}"
    if ending == "parquet":
        frame.to_parquet(path)
    elif ending == "feather":
        frame.reset_index().to_feather(path)
    else:
        text = frame.to_csv(sep={"csv": ",", "txt": "\t", "csv.gz": ";"}[ending])
        path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize("ending", ["parquet", "feather", "csv", "txt", "csv.gz"])
@pytest.mark.parametrize("kind", [Path, str])
def test_files_are_read(tmp_path: Path, ending: str, kind: Any) -> None:
    bars = read_bars(kind(write(tmp_path, ending)))
    assert (bars.symbols, bars.interval, bars.source) == (["SPY"], "1min", f"eq_SPY_1m.{ending}")
    np.testing.assert_array_equal(bars["SPY"].to_numpy(), table().to_numpy())


def test_date_and_time_apart_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    rows = "".join(f"2024-01-02,14:3{minute}:00,1,2,1,2,5\n" for minute in range(6))
    path.write_text("Date,Time,Open,High,Low,Close,Volume\n" + rows)
    assert read_bars(path, timezone="UTC").index[5] == pd.Timestamp("2024-01-02 14:35", tz="UTC")


def test_other_ways_to_write_times_are_named(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    path.write_text("Date,Open,High,Low,Close\n1/4/1999,1,2,1,2\n1/5/1999,1,2,1,2\n")
    with pytest.raises(DataError, match=r"date, row 0: '1/4/1999' is not an ISO time .* pass time_format"):
        read_bars(path)
    assert read_bars(path, time_format="%m/%d/%Y").index[0] == pd.Timestamp("1999-01-04", tz="UTC")
    assert read_bars(path, interval="1D", time_format="%d/%m/%Y", repair="sort").index[0] == pd.Timestamp("1999-04-01", tz="UTC")


def test_a_header_shorter_than_its_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    path.write_text("Date,Open,High,Low,Close\n2024-01-02,09:01,1,2,1,2\n")
    with pytest.raises(DataError, match="the header names 5 columns, the rows have 6: every column would be shifted"):
        read_bars(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.parquet", None, "no file .*missing.parquet"),
        ("eq_SPY.parquet", b"no parquet", "eq_SPY.parquet cannot be read: "),
        ("book.xlsx", b"x", "book.xlsx: read_bars reads .parquet, .csv, .*, not .xlsx"),
        ("empty.csv", b"", "empty.csv cannot be read: "),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_bars(tmp_path / name)


def test_a_misspelt_file_gets_a_hint(tmp_path: Path) -> None:
    write(tmp_path, "csv")
    with pytest.raises(DataError, match=r"eq_SPX_1m.csv; did you mean 'eq_SPY_1m.csv'\?"):
        read_bars(tmp_path / "eq_SPX_1m.csv")
    with pytest.raises(DataError, match="is a folder; read_bars reads one file"):
        read_bars(tmp_path)


def test_a_file_of_the_store_brings_its_own_description(tmp_path: Path) -> None:
    made = simulate(Instrument("EURUSD", asset_class="fx", multiplier=100_000), bars=50, seed=1)
    ParquetStore(tmp_path).save(made)
    bars = read_bars(tmp_path / "1min" / "EURUSD.parquet")
    assert bars.instruments == made.instruments
    assert bars.simulated
