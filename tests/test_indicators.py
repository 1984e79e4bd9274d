"""Indicators against pandas, naive loops and the chart vendor's worksheet."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markets import random_market
from worked import OTHER, SHARE, market, same_numbers

from workbench import Bars, indicators, simulate
from workbench.errors import ParameterError
from workbench.signals import MovingAverageCross

WHOLE = simulate(["A", "B"], bars=400, seed=4)
HOLED = random_market(7)
BARS = pytest.mark.parametrize("bars", [WHOLE, HOLED], ids=["whole", "with holes"])
WINDOWS = pytest.mark.parametrize("window", [1, 2, 5, 20])
BY_HAND = [(10, 12, 9, 11), (11, 15, 11, 14), (13, 13, 8, 9), (9, 10, 9, 10), (12, 14, 12, 13)]
# true ranges: 3; max(4, 4, 0); max(5, 1, 6); max(1, 1, 0); max(2, 4, 2)
TRUE_RANGES = [3.0, 4.0, 6.0, 1.0, 4.0]


def each(bars: Bars, name: str) -> list[pd.Series]:
    return [bars[symbol][name] for symbol in bars.symbols]


def laid(bars: Bars, columns: list[pd.Series]) -> pd.DataFrame:
    return pd.DataFrame({symbol: column.reindex(bars.index) for symbol, column in zip(bars.symbols, columns, strict=True)})


def close_to(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(found.columns) == list(expected.columns)
    assert found.index.equals(expected.index)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-9, atol=0)


def naive_true_range(frame: pd.DataFrame) -> list[float]:
    found, before = [], None
    for high, low, close in frame[["high", "low", "close"]].itertuples(index=False):
        found.append(high - low if before is None else max(high - low, abs(high - before), abs(low - before)))
        before = close
    return found


def naive_wilder(ranges: list[float], window: int) -> list[float]:
    found = [float("nan")] * (window - 1)
    for t in range(window - 1, len(ranges)):
        found.append(sum(ranges[:window]) / window if t == window - 1 else (found[-1] * (window - 1) + ranges[t]) / window)
    return found[: len(ranges)]


# -- means and extremes -----------------------------------------------------------------------------------------------


@BARS
@WINDOWS
@pytest.mark.parametrize("field", ["close", "open"])
def test_the_mean_is_that_of_pandas(bars: Bars, window: int, field: str) -> None:
    close_to(indicators.sma(bars, window, field), laid(bars, [s.rolling(window).mean() for s in each(bars, field)]))


@BARS
@WINDOWS
def test_the_highest_and_lowest_are_those_of_pandas(bars: Bars, window: int) -> None:
    high = laid(bars, [s.rolling(window).max() for s in each(bars, "high")])
    low = laid(bars, [s.rolling(window).min() for s in each(bars, "low")])
    pd.testing.assert_frame_equal(indicators.highest(bars, window), high, check_freq=False)
    pd.testing.assert_frame_equal(indicators.lowest(bars, window), low, check_freq=False)


def test_missing_bars_are_skipped_and_stay_missing() -> None:
    bars = market({SHARE: [10, 11, None, 13, 14], OTHER: [20, 21, 22, 23, 24]})
    np.testing.assert_array_equal(indicators.sma(bars, 3)["ABC"], [np.nan, np.nan, np.nan, 34 / 3, 38 / 3])
    np.testing.assert_array_equal(indicators.sma(bars, 3)["XYZ"], [np.nan, np.nan, 21, 22, 23])


@pytest.mark.parametrize("window", [6, 100])
def test_a_window_longer_than_the_bars_knows_nothing(window: int) -> None:
    bars = market(BY_HAND)
    for made in (
        indicators.sma(bars, window),
        indicators.highest(bars, window),
        indicators.atr(bars, window),
        indicators.atr(bars, window, "simple"),
    ):
        assert made.isna().all(axis=None)
        assert made.shape == (5, 1)


# -- true range and its average ---------------------------------------------------------------------------------------


def test_the_true_range_by_hand() -> None:
    assert indicators.true_range(market(BY_HAND))["ABC"].tolist() == TRUE_RANGES


@BARS
def test_the_true_range_is_that_of_a_loop(bars: Bars) -> None:
    expected = [pd.Series(naive_true_range(bars[s]), bars[s].index) for s in bars.symbols]
    close_to(indicators.true_range(bars), laid(bars, expected))


def test_wilders_average_by_hand() -> None:
    # (3 + 4 + 6) / 3, then (2 x before + newest) / 3
    found = indicators.atr(market(BY_HAND), 3)["ABC"].tolist()
    assert found[2:] == pytest.approx([13 / 3, (2 * 13 / 3 + 1) / 3, (2 * (2 * 13 / 3 + 1) / 3 + 4) / 3], rel=1e-14)
    assert np.isnan(found[:2]).all()


def test_the_simple_average_by_hand() -> None:
    assert indicators.atr(market(BY_HAND), 3, "simple")["ABC"].tolist()[2:] == pytest.approx([13 / 3, 11 / 3, 11 / 3], rel=1e-14)


@BARS
@pytest.mark.parametrize("window", [1, 2, 14])
def test_wilders_average_is_that_of_a_loop(bars: Bars, window: int) -> None:
    expected = [pd.Series(naive_wilder(naive_true_range(bars[s]), window), bars[s].index) for s in bars.symbols]
    close_to(indicators.atr(bars, window), laid(bars, expected))


@BARS
@pytest.mark.parametrize("window", [1, 2, 14])
def test_the_simple_average_is_that_of_pandas(bars: Bars, window: int) -> None:
    ranges = [pd.Series(naive_true_range(bars[s]), bars[s].index) for s in bars.symbols]
    close_to(indicators.atr(bars, window, "simple"), laid(bars, [r.rolling(window).mean() for r in ranges]))


@pytest.fixture
def worksheet(shared: Path) -> tuple[Bars, list[float]]:
    data = json.loads((shared / "reference" / "s10_stockcharts_rsi_atr_bbands.json").read_text())
    high, low, close = (data["inputs"][f"atr_{name}"] for name in ("high", "low", "close"))
    frame = pd.DataFrame(
        {"open": close, "high": high, "low": low, "close": close}, pd.date_range("2024-01-01", periods=30, freq="1h", tz="UTC")
    )
    expected = [float("nan") if value is None else value for value in data["expected"]["atr14_first_bar_included"]]
    return Bars.from_frames({"A": frame}, interval="1h"), expected


def test_the_average_is_that_of_the_worksheet(worksheet: tuple[Bars, list[float]]) -> None:
    bars, expected = worksheet
    np.testing.assert_allclose(indicators.atr(bars, 14)["A"], expected, rtol=1e-8)


# -- look-back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "average", "expected"), [(14, "simple", 15), (1, "wilder", 2), (14, "wilder", 325)])
def test_the_lookback_of_the_average(window: int, average: str, expected: int) -> None:
    assert indicators.atr_lookback(window, average) == expected


@pytest.mark.parametrize("window", [2, 5, 14, 50])
def test_06_what_is_older_than_the_lookback_weighs_less_than_1e_9(window: int) -> None:
    # a bar's weight falls by (window - 1) / window with each bar after it
    after = indicators.atr_lookback(window) - window
    assert (1 - 1 / window) ** after <= 1.0001e-10
    assert (1 - 1 / window) ** (after - 2) > 1e-10


# -- comparison -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "sign"),
    [
        (2.0, 1.0, 1.0),
        (1.0, 2.0, -1.0),
        (100.0, 100.0, 0.0),
        (100.0 + 0.9e-7, 100.0, 0.0),
        (100.0 - 0.9e-7, 100.0, 0.0),
        (100.0 + 1.2e-7, 100.0, 1.0),
        (-100.0 + 0.9e-7, -100.0, 0.0),
        (0.0, 0.0, 0.0),
        (1e-300, 0.0, 1.0),
        (float("nan"), 1.0, float("nan")),
        (1.0, float("nan"), float("nan")),
    ],
)
def test_06_two_numbers_nearer_than_1e_9_are_a_tie(left: float, right: float, sign: float) -> None:
    found = indicators.compare(pd.DataFrame({"A": [left]}), pd.DataFrame({"A": [right]}))
    np.testing.assert_array_equal(found.to_numpy(), [[sign]])


def test_06_no_tie_is_missed_where_means_of_ticks_are_equal() -> None:
    # exact integers decide: KERNEL trap 7
    ticks = np.random.default_rng(1).integers(99, 103, 20_000)
    close = pd.Series(ticks / 10.0)
    sums = [pd.Series(ticks).rolling(window).sum().to_numpy() for window in (3, 10)]
    exact = np.sign(sums[0] * 10 - sums[1] * 3)
    fast, slow = (indicators.sma(market(close.tolist(), interval="1min"), window) for window in (3, 10))
    np.testing.assert_array_equal(indicators.compare(fast, slow).to_numpy()[:, 0], exact)
    assert (exact == 0).sum() > 400


# -- asked twice, asked wrongly ---------------------------------------------------------------------------------------


def test_an_indicator_is_worked_out_once() -> None:
    bars = market(BY_HAND)
    assert same_numbers(indicators.sma(bars, 2), indicators.sma(bars, 2))
    assert not same_numbers(indicators.sma(bars, 2), indicators.sma(bars, 2, "open"))
    assert not same_numbers(indicators.atr(bars, 2), indicators.atr(bars, 2, "simple"))
    assert not same_numbers(indicators.highest(bars, 2), indicators.lowest(bars, 2))


ASKED: dict[str, Callable[[Bars], pd.DataFrame]] = {
    "indicator": lambda bars: indicators.sma(bars, 2),
    "band": lambda bars: indicators.bollinger(bars, 2).upper,
    "close": lambda bars: bars.close,
    "outside series": lambda bars: bars.extra["rate"],
}
WRITTEN = {
    "a cell": "frame.iloc[2, 0] = 0.0",
    "a mask": "frame[frame > 0] = 0.0",
    "in place": "frame -= 1.0",
    "a column": "frame['mean'] = 0.0",
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_what_is_written_into_a_frame_is_seen_by_nobody_else(ask: Callable[[Bars], pd.DataFrame], write: str) -> None:
    bars = market(BY_HAND)
    bars = bars.with_extra("rate", bars.close + 0.0, known_at="0s")
    before, mine = ask(bars).copy(), ask(bars)
    exec(write, {"frame": mine})
    assert not mine.equals(before)
    pd.testing.assert_frame_equal(ask(bars), before)


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("ask", (ASKED | {"stances": lambda bars: MovingAverageCross(1, 2).stances(bars)}).values())
def test_a_frame_can_be_written_into_when_its_bars_are_gone(ask: Callable[[Bars], pd.DataFrame], write: str) -> None:
    bars = market(BY_HAND)
    mine = ask(bars.with_extra("rate", bars.close + 0.0, known_at="0s"))
    before = mine.copy()
    del bars
    gc.collect()
    exec(write, {"frame": mine})
    assert not mine.equals(before)


@pytest.mark.parametrize("window", [0, -1, 2.5, "3", None], ids=str)
def test_a_window_that_is_none_is_refused(window: object) -> None:
    for function in (indicators.sma, indicators.highest, indicators.atr):
        with pytest.raises(ParameterError, match="window must be a whole number of bars, at least 1, got"):
            function(market(BY_HAND), window)  # type: ignore[operator]


def test_an_average_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ParameterError, match="wilder"):
        indicators.atr(market(BY_HAND), 3, "wilderr")


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises((ParameterError, ValueError), match="did you mean 'close'"):
        indicators.sma(market(BY_HAND), 3, "clsoe")
