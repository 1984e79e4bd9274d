"""Recorded files of many sources (the extra data): each is read whole, or refused with a sentence."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbench.data import read_bars
from workbench.errors import DataError
from workbench.instrument import Instrument

FILES = {
    "crypto_btcusd_1d": ("BTCUSD", "crypto", "1D", 1_318, "open"),
    "crypto_unittest_btc_1m": ("UNITTESTBTC", "crypto", "1min", 13_681, "open"),
    "eq_AAPL_1d_raw": ("AAPL", "equity", "1D", 5_849, "open"),
    "eq_BAC_1d_raw": ("BAC", "equity", "1D", 5_849, "open"),
    "eq_IBM_1d_raw": ("IBM", "equity", "1D", 5_849, "open"),
    "eq_SPY_1d_raw": ("SPY", "equity", "1D", 5_849, "open"),
    "fut_6EH4_1m": ("6EH4", "fx", "1min", 29_996, "close"),
    "fx_eurusd_1h": ("EURUSD", "fx", "1h", 30_843, "open"),
}
JUMPS = {"crypto_btcusd_1d": 2, "eq_AAPL_1d_raw": 5, "eq_BAC_1d_raw": 1, "eq_IBM_1d_raw": 1}


@pytest.mark.parametrize("name", FILES)
def test_recorded_files_are_read_whole(shared: Path, name: str) -> None:
    symbol, asset_class, interval, count, stamp = FILES[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        bars = read_bars(shared / "fixtures" / "market" / f"{name}.parquet", stamp=stamp)  # type: ignore[arg-type]
    assert (bars.symbols, bars.instruments[0].asset_class, bars.interval, len(bars)) == ([symbol], asset_class, interval, count)
    assert sum(str(one.message).count(" % at ") for one in caught) == JUMPS.get(name, 0)
    assert len(bars.assumptions) >= 3


def test_the_future_is_moved_to_its_open(shared: Path) -> None:
    path = shared / "fixtures" / "market" / "fut_6EH4_1m.parquet"
    bars = read_bars(path, stamp="close")
    assert bars.index[0] == pd.Timestamp("2024-01-01 23:00", tz="UTC")
    assert bars.instruments[0].multiplier == 125_000
    dated = Instrument("6EH4", asset_class="fx", kind="future", calendar="CMES")
    assert len(read_bars(path, dated, stamp="close")) == len(bars)
    with pytest.raises(DataError, match="these look close-stamped: pass stamp='close'"):
        read_bars(path, dated)


def test_recorded_sessions_agree_with_their_calendar(shared: Path) -> None:
    bars = read_bars(shared / "fixtures" / "market" / "eq_SPY_1d_raw.parquet", Instrument("SPY", calendar="XNYS"))
    assert len(bars) == 5_849


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ticks_xrpeth.parquet", "these are no bars: .* found id, side, price, amount; they look like single trades"),
        ("fx_eurusd_1h_bidask.parquet", "these are no bars: .* found bid_open, .* they look like bid and ask quotes"),
        ("raw/usdjpy-ticks.csv", "these are no bars: .* found timestamp, bid, ask; they look like bid and ask quotes"),
        ("raw/2006-01-02-volume-min-001.txt", "the header names 7 columns, the rows have 8"),
        ("raw/2006-min-005.txt", "2006-01-02 09:05:00 is without a zone, expected UTC"),
    ],
)
def test_recorded_files_that_are_no_bars_are_refused(shared: Path, name: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_bars(shared / "fixtures" / "market" / name)


def test_recorded_text_files_are_read(shared: Path) -> None:
    raw = shared / "fixtures" / "market" / "raw"
    assert len(read_bars(raw / "yhoo-2014.txt")) == 252
    minutes = read_bars(raw / "2006-min-005.txt", "FESX", timezone="Europe/Berlin", stamp="close")
    assert (minutes.interval, minutes.index[0]) == ("5min", pd.Timestamp("2006-01-02 08:00", tz="UTC"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("tradestation_6EH4_1min.txt", {"stamp": "close", "timezone": "America/Chicago", "time_format": "%m/%d/%Y %H:%M"}),
        ("multicharts_6EH4_1min.txt", {"stamp": "close", "timezone": "America/Chicago", "time_format": "%Y/%m/%d %H:%M:%S"}),
        ("mt5_6EH4_M1.csv", {"timezone": "Europe/Athens", "time_format": "%Y.%m.%d %H:%M:%S"}),
    ],
    ids=["tradestation", "multicharts", "metatrader"],
)
def test_exports_can_be_read_when_their_zone_and_stamp_are_said(shared: Path, name: str, options: dict[str, Any]) -> None:
    folder = shared / "fixtures" / "exports"
    truth = pd.read_parquet(folder / "expected_end_stamped_utc.parquet")
    bars = read_bars(folder / name, **options)
    assert bars.symbols == ["6EH4"]
    assert (bars.index == truth.index - pd.Timedelta("1min")).all()
    np.testing.assert_allclose(bars["6EH4"]["close"].to_numpy(), truth["close"].to_numpy())
