"""Running averages and what is made of them: ema, Wilder's average, RSI, MACD; against loops, by hand, by worksheet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from markets import random_market
from worked import OTHER, SHARE, market, same_numbers

from workbench import Bars, indicators, simulate
from workbench.errors import ParameterError

NAN = float("nan")
WHOLE = simulate(["A", "B"], bars=1_500, seed=4)
HOLED = random_market(7)
BARS = pytest.mark.parametrize("bars", [WHOLE, HOLED], ids=["whole", "with holes"])
RUNNING: dict[str, tuple[Callable[[Bars], pd.DataFrame], int]] = {
    "ema": (lambda bars: indicators.ema(bars, 20), indicators.ema_lookback(20)),
    "wilder": (lambda bars: indicators.wilder(bars, 9), indicators.wilder_lookback(9)),
    "rsi": (lambda bars: indicators.rsi(bars, 9), indicators.rsi_lookback(9)),
    "keltner": (lambda bars: indicators.keltner(bars, 20, 10).upper, indicators.keltner_lookback(20, 10)),
    "macd": (lambda bars: bars.close + indicators.macd(bars, 5, 13, 4).histogram, indicators.macd_lookback(5, 13, 4)),
}


def column(frame: pd.DataFrame) -> list[float]:
    return frame.iloc[:, 0].tolist()


def loop(values: np.ndarray, window: int, alpha: float) -> np.ndarray:
    found = np.full(len(values), NAN)
    for t in range(window - 1, len(values)):
        found[t] = values[:window].mean() if t == window - 1 else found[t - 1] + alpha * (values[t] - found[t - 1])
    return found


def laid(bars: Bars, make: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    out = np.full(bars.shape, NAN)
    for j, symbol in enumerate(bars.symbols):
        out[bars.present[:, j], j] = make(bars[symbol]["close"].to_numpy())
    return out


@BARS
@pytest.mark.parametrize("window", [1, 2, 20])
def test_running_averages_are_those_of_a_loop(bars: Bars, window: int) -> None:
    expected = laid(bars, lambda close: loop(close, window, 2 / (window + 1)))
    np.testing.assert_allclose(indicators.ema(bars, window), expected, rtol=1e-12)
    expected = laid(bars, lambda close: loop(close, window, 1 / window))
    np.testing.assert_allclose(indicators.wilder(bars, window), expected, rtol=1e-12)


def test_the_exponential_average_starts_as_that_of_talib() -> None:
    close = WHOLE["A"]["close"].to_numpy()
    np.testing.assert_allclose(indicators.ema(WHOLE, 20)["A"], talib.EMA(close, 20), rtol=1e-12)


def test_running_averages_by_hand() -> None:
    bars = market([1, 2, 6, 7])
    assert column(indicators.ema(bars, 3))[2:] == [3.0, 5.0]
    assert column(indicators.wilder(bars, 3))[2:] == pytest.approx([3.0, 3 + 4 / 3], rel=1e-15)
    assert column(indicators.ema(bars, 5)) == pytest.approx([NAN] * 4, nan_ok=True)


@pytest.mark.parametrize(("make", "need"), RUNNING.values(), ids=RUNNING)
def test_06_what_is_older_than_the_lookback_changes_nothing(make: Callable[[Bars], pd.DataFrame], need: int) -> None:
    alone = WHOLE[["A"]]
    whole = make(alone).to_numpy()
    for start in (1, 7, 300):
        later = make(alone.iloc[start:]).to_numpy()
        np.testing.assert_allclose(later[need - 1 :], whole[start + need - 1 :], rtol=1e-9, atol=0)
    assert np.isfinite(later[need - 1 :]).all()


@pytest.mark.parametrize("make", [make for make, _ in RUNNING.values()], ids=RUNNING)
def test_later_bars_change_nothing(make: Callable[[Bars], pd.DataFrame]) -> None:
    whole = make(HOLED).to_numpy()
    for last in (1, 14, 60, 149):
        np.testing.assert_array_equal(make(HOLED.iloc[:last]), whole[:last])


# -- relative strength ------------------------------------------------------------------------------------------------


def test_the_relative_strength_of_the_worksheet(shared: Path) -> None:
    data = json.loads((shared / "reference" / "s10_stockcharts_rsi_atr_bbands.json").read_text())
    expected = [NAN if value is None else value for value in data["expected"]["rsi14"]]
    found = column(indicators.rsi(market(data["inputs"]["rsi_close"]), 14))
    np.testing.assert_allclose(found, expected, rtol=0, atol=data["tolerance"])
    assert round(found[14], 2) == 70.53
    assert np.isnan(found[:14]).all()


def test_the_relative_strength_by_hand() -> None:
    # changes +2, -1, +2: gains 1 and losses 0.5 of two; then gains (1 + 2) / 2, losses 0.25
    assert column(indicators.rsi(market([10, 12, 11, 13]), 2))[2:] == pytest.approx([100 / 1.5, 150 / 1.75], rel=1e-14)
    assert column(indicators.rsi(market([10, 11, 12, 13]), 2))[2:] == [100, 100]
    assert column(indicators.rsi(market([13, 12, 11, 10]), 2))[2:] == [0, 0]


@BARS
def test_the_relative_strength_is_that_of_talib(bars: Bars) -> None:
    np.testing.assert_allclose(indicators.rsi(bars), laid(bars, lambda close: talib.RSI(close, 14)), rtol=1e-9)


def test_a_market_that_stands_still_is_neither_bought_nor_sold() -> None:
    assert column(indicators.rsi(market([10.1] * 20), 14))[14:] == [50] * 6
    # a move of 1 % has faded to less than 1e-9 of the price long before its look-back has passed
    assert column(indicators.rsi(market([10.0, *[10.1] * 400]), 14))[14] == 100
    assert column(indicators.rsi(market([10.0, *[10.1] * 400]), 14))[indicators.rsi_lookback(14)] == 50


# -- convergence and divergence ---------------------------------------------------------------------------------------


def test_the_lines_by_hand() -> None:
    # ema(1) is the close; ema(3): 3, 5, 5.5; line: 3, 2, 0.5; signal of two: 2.5, then a third of it and two thirds of 0.5
    line, signal, histogram = (column(frame) for frame in indicators.macd(market([1, 2, 6, 7, 6]), 1, 3, 2))
    assert line[2:] == [3, 2, 0.5]
    assert signal[3:] == pytest.approx([2.5, 2.5 / 3 + 1 / 3], rel=1e-15)
    assert histogram[3:] == pytest.approx([-0.5, 0.5 - 3.5 / 3], rel=1e-14)
    assert np.isnan(line[:2] + signal[:3] + histogram[:3]).all()


def test_the_lines_fade_into_those_of_talib() -> None:
    theirs = talib.MACD(WHOLE["A"]["close"].to_numpy(), 12, 26, 9)
    for mine, other in zip(indicators.macd(WHOLE), theirs, strict=True):
        np.testing.assert_allclose(mine["A"][400:], other[400:], rtol=0, atol=1e-9)


def test_holes_are_skipped() -> None:
    bars = market({SHARE: [1, 2, None, 6, 7], OTHER: [20] * 5})
    np.testing.assert_array_equal(indicators.ema(bars, 3)["ABC"], [NAN, NAN, NAN, 3, 5])
    np.testing.assert_array_equal(indicators.macd(bars, 1, 3, 1).line["ABC"], [NAN, NAN, NAN, 3, 2])


# -- asked twice, asked wrongly ---------------------------------------------------------------------------------------


def test_what_is_asked_twice_is_worked_out_once() -> None:
    bars = market([1.0, 2, 6, 7, 6])
    assert same_numbers(indicators.macd(bars, 1, 3, 2).histogram, indicators.macd(bars, 1, 3, 2).histogram)
    assert same_numbers(indicators.rsi(bars, 2), indicators.rsi(bars, 2))
    assert not same_numbers(indicators.ema(bars, 2), indicators.wilder(bars, 2))
    assert not same_numbers(indicators.bollinger(bars, 2, 2.0).upper, indicators.bollinger(bars, 2, 1.0).upper)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda bars: indicators.ema(bars, 0), "ema: window must be a whole number of bars, at least 1, got 0"),
        (lambda bars: indicators.rsi(bars, 1.5), "rsi: window must be a whole number"),
        (lambda bars: indicators.macd(bars, 26, 12), "macd: fast must be below slow, got fast=26, slow=12"),
        (lambda bars: indicators.macd(bars, 2, 3, 0), "macd: window must be a whole number"),
        (lambda bars: indicators.sma(bars, 100_001), "sma: window must be at most 100,000 bars, got 100,001"),
        (lambda bars: indicators.atr(bars, 100_001), "atr: window must be at most 100,000 bars"),
        (lambda bars: indicators.wilder(bars, 3, "clsoe"), "did you mean 'close'?"),
    ],
)
def test_a_wrong_question_gets_a_sentence(make: Callable[[Bars], object], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make(WHOLE)
    assert said in str(caught.value)


@pytest.mark.parametrize(("window", "ema", "wilder"), [(1, 1, 1), (2, 23, 36), (14, 175, 325)])
def test_the_lookbacks(window: int, ema: int, wilder: int) -> None:
    assert (indicators.ema_lookback(window), indicators.wilder_lookback(window)) == (ema, wilder)
