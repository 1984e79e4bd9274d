"""The Parquet store: what goes in comes out, and nothing is overwritten unasked."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.bars import FIELDS, Bars
from workbench.data import ParquetStore, simulate
from workbench.errors import DataError
from workbench.instrument import Instrument


@pytest.fixture
def store(tmp_path: Path) -> ParquetStore:
    return ParquetStore(tmp_path / "bars")


def made(**options: Any) -> Bars:
    return simulate(**{"symbols": ["A", "B"], "bars": 200, "interval": "1h", "seed": 3, "missing": 0.1, **options})


def real(closes: list[float], symbol: str = "SPY", start: str = "2024-01-01", **options: Any) -> Bars:
    index = pd.date_range(start, periods=len(closes), freq="D", tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(FIELDS, closes), index=index, dtype=float)
    return Bars.from_frames({symbol: frame}, interval="1D", **options)


def same(left: Bars, right: Bars) -> bool:
    equal = all(np.array_equal(left.array(name), right.array(name), equal_nan=True) for name in FIELDS)
    return equal and left.index.equals(right.index) and left.instruments == right.instruments and left.fingerprint == right.fingerprint


INSTRUMENTS = {
    "share": Instrument("AAPL", tick_size=0.01, region="US", calendar="XNYS", venue="IB"),
    "pair": Instrument("EURUSD", asset_class="fx", multiplier=100_000),
    "slash": Instrument("BTC/USDT", asset_class="crypto", min_notional=5.0),
    "perpetual": Instrument("BTCUSDT.P", asset_class="crypto", kind="perpetual", margin=0.05),
    "odd": Instrument("^GSPC: a b%", asset_class="index", kind="cfd"),
    "dots": Instrument(".."),
    "letters": Instrument("Ä株"),
}


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS.keys())
def test_a_round_trip_is_equal(store: ParquetStore, instrument: Instrument) -> None:
    bars = simulate(instrument, bars=100, seed=2, missing=0.2)
    store.save(bars)
    back = ParquetStore(store.folder).load(instrument.symbol, "1min")
    assert same(bars, back)
    assert (back.source, back.assumptions, back.simulated) == (bars.source, bars.assumptions, True)


def test_several_symbols_come_back_in_the_order_asked(store: ParquetStore) -> None:
    bars = made()
    store.save(bars)
    assert same(store.load(["A", "B"], "1h"), bars)
    assert store.load(["B", "A"], "1h").symbols == ["B", "A"]


@pytest.mark.parametrize(("saved", "asked"), [("60min", "1h"), ("1h", "60min"), ("24h", "1D"), ("1D", "1440min")])
def test_an_interval_is_found_however_it_is_written(store: ParquetStore, saved: str, asked: str) -> None:
    bars = made(interval=saved)
    store.save(bars)
    assert same(store.load(["A", "B"], asked), bars)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_index_unit_comes_back(store: ParquetStore, unit: str) -> None:
    bars = real([1.0, 1.2, 1.1])
    bars = Bars.from_frames({"SPY": bars["SPY"].set_axis(bars.index.as_unit(unit))}, interval="1D")
    store.save(bars)
    assert (store.load("SPY", "1D").index == bars.index).all()


def test_bars_without_volume_come_back_without(store: ParquetStore) -> None:
    frame = real([1.0, 1.1])["SPY"].drop(columns="volume")
    store.save(Bars.from_frames({"SPY": frame}, interval="1D"))
    assert not store.load("SPY", "1D").has_volume


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [(None, None, 5), ("2024-01-02", None, 4), (None, "2024-01-02", 2), ("2024-01-02", "2024-01-04 12:00", 3), ("2025", None, 0)],
    ids=["all", "from", "to", "between", "none"],
)
def test_start_and_end_are_included(store: ParquetStore, start: str | None, end: str | None, count: int) -> None:
    store.save(real([1.0, 1.1, 1.2, 1.3, 1.4]))
    assert len(store.load("SPY", "1D", start, end)) == count


def test_saving_adds_to_what_is_there(store: ParquetStore) -> None:
    bars = made()
    for part in (bars.iloc[120:], bars.iloc[:80], bars.iloc[60:140]):
        store.save(part)
    assert same(store.load(["A", "B"], "1h"), bars)


def test_sources_and_assumptions_of_both_are_kept(store: ParquetStore) -> None:
    store.save(real([1.0, 1.1], source="a", assumptions=["x"]))
    store.save(real([1.1, 1.2], start="2024-01-02", source="b", assumptions=["x", "y"]))
    back = store.load("SPY", "1D")
    assert (back.source, back.assumptions) == ("a; b", ("x", "y"))


def test_rows_that_contradict_are_refused_and_change_nothing(store: ParquetStore) -> None:
    store.save(real([1.0, 1.1, 1.2]))
    with pytest.raises(
        DataError, match=r"SPY: 1 rows contradict what is stored: open at 2024-01-03 .* is 1.2 in the store and 1.3 here; pass replace"
    ):
        store.save(real([1.1, 1.3, 1.4], start="2024-01-02"))
    assert store.load("SPY", "1D").close["SPY"].tolist() == [1.0, 1.1, 1.2]


def test_one_symbol_that_contradicts_keeps_all_others_out(store: ParquetStore) -> None:
    store.save(made()[["B"]])
    with pytest.raises(DataError, match=r"B: .* rows contradict"):
        store.save(made(symbols=["A", "B"], price=50.0))
    assert store.catalog()["symbol"].tolist() == ["B"]


def test_replace_overwrites_rows_and_keeps_the_others(store: ParquetStore) -> None:
    store.save(real([1.0, 1.1, 1.2]))
    store.save(real([1.15, 1.25], start="2024-01-02", source="revised"), replace=True)
    back = store.load("SPY", "1D")
    assert (back.close["SPY"].tolist(), back.source) == ([1.0, 1.15, 1.25], "revised")


def test_another_instrument_of_the_same_name_is_refused(store: ParquetStore) -> None:
    store.save(real([1.0, 1.1]))
    other = real([1.0, 1.1], instruments=[Instrument("SPY", tick_size=0.01)])
    with pytest.raises(DataError, match=r"SPY: the instrument differs: tick_size is None in the store and 0.01 here"):
        store.save(other)
    store.save(other, replace=True)
    assert store.load("SPY", "1D").instruments[0].tick_size == 0.01


@pytest.mark.parametrize("replace", [False, True], ids=["add", "replace"])
@pytest.mark.parametrize(
    "sources", [("file.csv", "simulated (seed=1)"), ("simulated (seed=1)", "file.csv")], ids=["onto-real", "onto-made-up"]
)
def test_simulated_and_real_bars_do_not_mix(store: ParquetStore, sources: tuple[str, str], replace: bool) -> None:
    store.save(real([1.0, 1.1, 1.2], source=sources[0]))
    with pytest.raises(DataError, match=r"SPY: simulated and real bars do not go into one file: stored .*, new .*; save to another folder"):
        store.save(real([1.15], start="2024-01-02", source=sources[1]), replace=replace)
    back = store.load("SPY", "1D")
    assert (back.close["SPY"].tolist(), back.source) == ([1.0, 1.1, 1.2], sources[0])


def test_replace_renews_bars_of_the_same_kind(store: ParquetStore) -> None:
    store.save(real([1.0, 1.1], source="simulated (seed=1)"))
    store.save(real([1.2, 1.3], source="simulated (seed=2)"), replace=True)
    assert store.load("SPY", "1D").source == "simulated (seed=2)"


def test_what_is_not_stored_gets_a_hint(store: ParquetStore) -> None:
    store.save(made())
    store.save(real([1.0, 1.1], symbol="SPY"))
    with pytest.raises(DataError, match=r"no bars of 'SPX' at 1D in .*; did you mean 'SPY'\?"):
        store.load("SPX", "1D")
    with pytest.raises(DataError, match=r"no bars of 'SPY' at 1min in .*; it is there at 1D"):
        store.load("SPY", "1m")
    with pytest.raises(DataError, match="at least one symbol"):
        store.load([], "1D")


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"], ids=["empty", "cut"])
def test_a_damaged_file_gets_a_sentence(store: ParquetStore, content: bytes) -> None:
    store.save(real([1.0, 1.1]))
    (store.folder / "1D" / "SPY.parquet").write_bytes(content)
    with pytest.raises(DataError, match="the stored bars of SPY cannot be read"):
        store.load("SPY", "1D")


def test_a_file_of_another_writer_is_refused(store: ParquetStore) -> None:
    (store.folder / "1D").mkdir(parents=True)
    real([1.0, 1.1])["SPY"].to_parquet(store.folder / "1D" / "SPY.parquet")
    with pytest.raises(DataError, match="was not written by a ParquetStore; read it with read_bars"):
        store.load("SPY", "1D")
    with pytest.raises(DataError, match="was not written by a ParquetStore"):
        store.catalog()


def test_a_plain_reader_can_read_the_file(store: ParquetStore) -> None:
    bars = real([1.0, 1.1])
    store.save(bars)
    frame = pd.read_parquet(store.folder / "1D" / "SPY.parquet")
    pd.testing.assert_frame_equal(frame, bars["SPY"], check_names=False, check_freq=False)


def test_a_write_that_fails_leaves_the_old_file(store: ParquetStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(real([1.0, 1.1]))

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        store.save(real([1.2], start="2024-01-03"))
    assert len(store.load("SPY", "1D")) == 2
    assert [path.name for path in (store.folder / "1D").iterdir() if path.suffix == ".part"] == []


def test_writers_at_the_same_time_lose_nothing(store: ParquetStore) -> None:
    bars = made()
    parts = [bars.iloc[row : row + 20] for row in range(0, len(bars), 20)]
    threads = [threading.Thread(target=ParquetStore(store.folder).save, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(store.load(["A", "B"], "1h"), bars)


def test_the_catalog_lists_what_is_there(store: ParquetStore) -> None:
    assert store.catalog().empty
    store.save(made())
    store.save(real([1.0, 1.1], source="file.csv"))
    catalog = store.catalog().set_index("symbol")
    assert catalog["simulated"].to_dict() == {"A": True, "B": True, "SPY": False}
    row = catalog.loc["SPY"]
    assert (row["interval"], row["bars"], row["source"]) == ("1D", 2, "file.csv")
    assert (row["first"], row["last"]) == (pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-01-02", tz="UTC"))
