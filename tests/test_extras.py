"""Outside series: what was known at each close, on every slice, in hash and pickle; and what is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import OTHER, SHARE, market

import workbench as wb
from workbench.errors import DataError
from workbench.session.history import History

NAN = float("nan")
BARS = market({SHARE: [10, 11, None, 13, 14, 15], OTHER: [20, 21, 22, 23, 24, 25]})  # 2024-01-01 00:00, hourly
TIMES = pd.date_range("2024-01-01", periods=3, freq="2h", tz="UTC")
RATE = pd.Series([1.0, 2.0, 3.0], TIMES)
RATED = BARS.with_extra("rate", RATE, known_at="0s")


def values(bars: wb.Bars, name: str = "rate") -> list[float]:
    return bars.extra[name].tolist()


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_a_value_stands_from_the_first_close_at_which_it_was_known() -> None:
    # known at 00:00, 02:00 and 04:00; the bars close at 01:00, 02:00 ...
    assert values(RATED) == [1, 2, 2, 3, 3, 3]
    found = RATED.extra["rate"]
    assert found.index.equals(BARS.index)
    assert found.name == "rate"


@pytest.mark.parametrize(
    ("known_at", "expected"),
    [
        ("1h", [1, 1, 2, 2, 3, 3]),
        (pd.Timedelta("90min"), [NAN, 1, 1, 2, 2, 3]),
        (timedelta(hours=1), [1, 1, 2, 2, 3, 3]),
        (np.timedelta64(90, "m"), [NAN, 1, 1, 2, 2, 3]),
        (TIMES + pd.to_timedelta([1, 3, 2], unit="h"), [1, 1, 1, 1, 2, 3]),
        (["2024-01-01 05:00+01:00", "2024-01-01 05:00+01:00", "2024-01-01 06:00+01:00"], [NAN, NAN, NAN, 2, 3, 3]),
        ("30D", [NAN] * 6),
    ],
    ids=["a span", "a timedelta", "a timedelta of Python", "a timedelta of numpy", "times", "texts of another zone", "never yet"],
)
def test_a_value_counts_from_when_it_was_known(known_at: Any, expected: list[float]) -> None:
    np.testing.assert_array_equal(BARS.with_extra("rate", RATE, known_at=known_at).extra["rate"], expected)


def test_a_table_has_its_columns() -> None:
    table = pd.DataFrame({"bid": [1, 2, NAN], "ask": [3, 4, 5]}, TIMES)
    found = BARS.with_extra("rate", table, known_at="0s").extra["rate"]
    assert found.columns.tolist() == ["bid", "ask"]
    np.testing.assert_array_equal(found["bid"], [1, 2, 2, NAN, NAN, NAN])
    np.testing.assert_array_equal(found["ask"], [3, 4, 4, 5, 5, 5])


def test_a_daily_bar_of_an_exchange_closes_with_its_session() -> None:
    share = wb.Instrument("SPY", calendar="XNYS")
    days = market([10, 11, 12], share, interval="1D", start="2024-01-03")  # New York closes at 21:00 UTC
    rate = pd.Series([1.0, 2.0], pd.to_datetime(["2024-01-03 21:00", "2024-01-04 21:01"], utc=True))
    assert values(days.with_extra("rate", rate, known_at="0s")) == [1, 1, 2]


# -- kept by all that makes bars of bars ------------------------------------------------------------------------------

WAYS: dict[str, tuple[Callable[[wb.Bars], wb.Bars], list[float]]] = {
    "iloc": (lambda bars: bars.iloc[1:3], [2, 2]),
    "loc": (lambda bars: bars.loc["2024-01-01 03:00":], [3, 3, 3]),  # type: ignore[misc]
    "a row": (lambda bars: bars.iloc[3], [3]),
    "symbols": (lambda bars: bars[["ABC"]], [1, 2, 3, 3, 3]),
    "blocks": (lambda bars: next(block for columns, _, block in bars.blocks() if columns == [0]), [1, 2, 3, 3, 3]),
    "pickle": (lambda bars: pickle.loads(pickle.dumps(bars)), [1, 2, 2, 3, 3, 3]),
    "coarser": (lambda bars: bars.at("2h"), [2, 3, 3]),
    "another order": (wb.validation.permute_bars, [1, 2, 2, 3, 3, 3]),
    "history": (lambda bars: History(bars).bars, [1, 2, 2, 3, 3, 3]),
}


@pytest.mark.parametrize(("way", "expected"), WAYS.values(), ids=WAYS)
def test_bars_made_of_bars_keep_it(way: Callable[[wb.Bars], wb.Bars], expected: list[float]) -> None:
    assert values(way(RATED)) == expected


def test_rows_that_are_added_live_find_what_was_given() -> None:
    history = History(RATED.iloc[:2])
    history.add(BARS.iloc[2:4])
    assert values(history.bars) == [1, 2, 2, 3]


class Rated(wb.signals.SignalGenerator):
    """Long while the rate is above its mean so far."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        rate = bars.extra["rate"]
        sign = np.sign(rate - rate.expanding().mean())
        return pd.DataFrame(dict.fromkeys(bars.symbols, sign))


def test_a_signal_that_reads_it_is_causal_and_trades_alike_in_replay() -> None:
    bars = wb.simulate(["A", "B"], bars=200, interval="1h", seed=1)
    rate = pd.Series(np.random.default_rng(1).normal(size=70), bars.index[::3][:67].append(bars.index[-3:] + pd.Timedelta("1D")))
    rated = bars.with_extra("rate", rate, known_at="4h")
    assert wb.check_causality(Rated(), rated).passed
    report = wb.check_parity(wb.Strategy(Rated()), rated, cuts=20)
    assert report.differences.empty
    assert report.orders > 20


def test_values_that_are_not_known_yet_change_nothing_before() -> None:
    later = RATE.copy()
    later.iloc[2] = 99.0
    assert values(BARS.with_extra("rate", later, known_at="0s"))[:3] == values(RATED)[:3]


def test_the_fingerprint_includes_it() -> None:
    other = BARS.with_extra("rate", RATE + 1, known_at="0s")
    renamed = BARS.with_extra("prime", RATE, known_at="0s")
    assert len({bars.fingerprint for bars in (BARS, RATED, other, renamed)}) == 4
    assert BARS.with_extra("rate", RATE, known_at="0s").fingerprint == RATED.fingerprint


def test_several_stand_beside_each_other() -> None:
    both = RATED.with_extra("mood", RATE * 10, known_at="2h")
    assert list(both.extra) == ["rate", "mood"]
    assert "mood" in both.extra
    assert "mood" not in RATED.extra
    np.testing.assert_array_equal(values(both, "mood"), [NAN, 10, 10, 20, 20, 30])
    assert repr(both.extra) == "Extras(rate, mood)"
    assert np.shares_memory(both.extra["mood"].to_numpy(), both.extra["mood"].to_numpy())


def test_what_was_given_may_change_afterwards() -> None:
    mine = RATE.copy()
    bars = BARS.with_extra("rate", mine, known_at="0s")
    mine.iloc[:] = 0.0
    assert values(bars) == [1, 2, 2, 3, 3, 3]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "known_at", "said"),
    [
        (RATE.tz_localize(None), "0s", "the index must name a time zone, as tz_localize('UTC') gives it, got times without one"),
        (RATE.iloc[::-1], "0s", "the index must be in order of time, got 2024-01-01 02:00:00+00:00 after 2024-01-01 04:00:00+00:00"),
        (RATE, "-1h", "the value of 2024-01-01 00:00:00+00:00 cannot be known at 2023-12-31 23:00:00+00:00, before its own time"),
        (RATE, TIMES - pd.to_timedelta([0, 1, 0], unit="h"), "the value of 2024-01-01 02:00:00+00:00 cannot be known at"),
        (RATE, TIMES[::-1], "known_at must be in order of time"),
        (RATE, TIMES[:2], "known_at must give one time a row, got 2 for 3 rows"),
        (RATE, TIMES.tz_localize(None), "known_at must name a time zone"),
        (RATE, "soon", "known_at must be a span such as '0s' or '1D', or one time a row, got 'soon'"),
        (RATE, 0, "known_at must be a span such as '0s' or '1D', or one time a row, got 0"),
        (RATE, "NaT", "known_at must be a span such as '0s' or '1D', or one time a row, got 'NaT'"),
        (RATE.astype(str) + "x", "0s", "expected numbers, got values that are none"),
        ([1, 2, 3], "0s", "expected a Series or DataFrame with times as its index, got list"),
        (RATE.reset_index(drop=True), "0s", "expected a Series or DataFrame with times as its index"),
        (RATE.set_axis(TIMES.insert(1, pd.NaT)[:3]), "0s", "the index lacks a time at row 1"),
    ],
    ids=[
        "no zone",
        "backwards",
        "before",
        "one before",
        "known backwards",
        "too few",
        "known without zone",
        "no span",
        "a number",
        "no time",
        "texts",
        "list",
        "numbered",
        "NaT",
    ],
)
def test_a_series_that_cannot_be_trusted_gets_a_sentence(given: Any, known_at: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        BARS.with_extra("rate", given, known_at=known_at)
    assert str(caught.value).startswith("with_extra('rate'): ")
    assert said in str(caught.value)


def test_a_name_that_is_taken_or_unknown_gets_a_sentence() -> None:
    with pytest.raises(DataError, match="have an outside series 'rate' already; take another name"):
        RATED.with_extra("rate", RATE, known_at="0s")
    with pytest.raises(DataError, match=r"no outside series 'rte'; did you mean 'rate'\?"):
        RATED.extra["rte"]
    with pytest.raises(DataError, match=r"no outside series 'rate'; bars.with_extra\('rate', ...\) gives it to them"):
        BARS.extra["rate"]


def test_a_store_does_not_lose_it_in_silence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ParquetStore holds bars only, these have outside series \(rate\): add them after loading"):
        wb.ParquetStore(tmp_path).save(RATED)
