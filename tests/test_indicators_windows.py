"""What a window decides: deviation, z-score, volatility, momentum and bands, against numpy, by hand, and to the last bit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markets import random_market
from worked import OTHER, SHARE, market

from workbench import Bars, indicators, simulate
from workbench.errors import ParameterError

NAN = float("nan")
HOLED = random_market(7)
#: A price of 100,000 that moves by a thousandth or not at all.
TINY = market((100_000 + np.cumsum(np.random.default_rng(0).choice([-1e-3, 0.0, 1e-3], 3_000))).tolist(), interval="1min")
BARS = pytest.mark.parametrize("bars", [simulate(["A", "B"], bars=300, seed=4), HOLED, TINY], ids=["whole", "with holes", "tiny moves"])
WINDOWED: dict[str, Callable[[Bars], pd.DataFrame]] = {
    "deviation": lambda bars: indicators.deviation(bars, 20),
    "sample deviation": lambda bars: indicators.deviation(bars, 7, ddof=1, field="open"),
    "zscore": lambda bars: indicators.zscore(bars, 20),
    "volatility": lambda bars: indicators.volatility(bars, 19),
    "quantile": lambda bars: indicators.volatility_quantile(bars, 5, 15, 0.3),
    "momentum": lambda bars: indicators.momentum(bars, 19, 4),
}


def by_window(bars: Bars, make: Callable[[np.ndarray], float], window: int) -> np.ndarray:
    """Work each window of each instrument's own closes out with numpy."""
    out = np.full(bars.shape, NAN)
    for j, symbol in enumerate(bars.symbols):
        rows, close = np.flatnonzero(bars.present[:, j]), bars[symbol]["close"].to_numpy()
        for t in range(window - 1, len(close)):
            out[rows[t], j] = make(close[t - window + 1 : t + 1])
    return out


def column(frame: pd.DataFrame) -> list[float]:
    return frame.iloc[:, 0].tolist()


# -- against numpy ----------------------------------------------------------------------------------------------------


def exact_deviation(ddof: int) -> Callable[[np.ndarray], float]:
    """Sum in whole numbers, where rounding cannot hide."""
    return lambda values: float(np.std((values - values[0]).astype(np.longdouble), ddof=ddof))


@BARS
@pytest.mark.parametrize("ddof", [0, 1])
def test_the_deviation_is_that_of_each_window_alone(bars: Bars, ddof: int) -> None:
    np.testing.assert_allclose(
        indicators.deviation(bars, 20, ddof), by_window(bars, exact_deviation(ddof), 20), rtol=1e-9, atol=1e-14, equal_nan=True
    )


@BARS
def test_the_zscore_is_that_of_each_window_alone(bars: Bars) -> None:
    def score(values: np.ndarray) -> float:
        moved = (values - values[0]).astype(np.longdouble)
        return float((moved[-1] - moved.mean()) / moved.std()) if moved.std() else 0.0

    np.testing.assert_allclose(indicators.zscore(bars, 20), by_window(bars, score, 20), rtol=1e-9, atol=1e-12, equal_nan=True)


@BARS
def test_the_volatility_is_that_of_log_returns(bars: Bars) -> None:
    expected = by_window(bars, lambda values: float(np.diff(np.log(values)).std(ddof=1)), 21)
    np.testing.assert_allclose(indicators.volatility(bars, 20), expected, rtol=1e-6, atol=1e-15, equal_nan=True)


@BARS
@pytest.mark.parametrize(("window", "skip"), [(1, 0), (10, 0), (10, 9), (5, 2)])
def test_the_momentum_is_a_ratio_of_two_bars(bars: Bars, window: int, skip: int) -> None:
    expected = by_window(bars, lambda values: values[window - skip] / values[0] - 1, window + 1)
    np.testing.assert_array_equal(indicators.momentum(bars, window, skip), expected)


@BARS
def test_the_quantile_is_that_of_the_trailing_volatilities(bars: Bars) -> None:
    expected = by_window(bars, lambda v: float(np.quantile([np.diff(np.log(v[k : k + 6])).std(ddof=1) for k in range(15)], 0.3)), 20)
    np.testing.assert_allclose(
        indicators.volatility_quantile(bars, 5, 15, 0.3), expected, rtol=1e-5 if bars is TINY else 1e-9, atol=1e-15, equal_nan=True
    )


# -- law 1, and the anchor --------------------------------------------------------------------------------------------


@BARS
@pytest.mark.parametrize("make", WINDOWED.values(), ids=WINDOWED)
def test_a_window_does_not_know_where_it_stands(make: Callable[[Bars], pd.DataFrame], bars: Bars) -> None:
    alone = bars[[bars.symbols[0]]]
    whole = make(alone).to_numpy()
    for first, last in ((0, 40), (0, 151), (1, 90), (57, 100), (100, 140)):
        part = make(alone.iloc[first:last]).to_numpy()
        np.testing.assert_array_equal(part[19:], whole[first + 19 : last])


def test_a_large_jump_leaves_no_trace() -> None:
    bars = market([1.0, 1e9, *([5.0, 5.001] * 30)], interval="1min")
    assert column(indicators.deviation(bars, 4))[10:] == pytest.approx([0.0005] * 52, rel=1e-9)


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_the_deviation_by_hand() -> None:
    # 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares 32
    bars = market([2, 4, 4, 4, 5, 5, 7, 9])
    assert column(indicators.deviation(bars, 8))[-1] == 2.0
    assert column(indicators.deviation(bars, 8, ddof=1))[-1] == pytest.approx(math.sqrt(32 / 7), rel=1e-15)
    assert column(indicators.zscore(bars, 8))[-1] == 2.0
    assert np.isnan(column(indicators.deviation(bars, 8))[:-1]).all()


def test_what_does_not_move_has_no_deviation_and_lies_at_its_mean() -> None:
    bars = market([0.1] * 6)
    assert column(indicators.deviation(bars, 3))[2:] == [0.0] * 4
    assert column(indicators.zscore(bars, 3))[2:] == [0.0] * 4
    assert column(indicators.volatility(bars, 2))[2:] == [0.0] * 4
    bands = indicators.bollinger(bars, 3)
    assert column(indicators.compare(bands.upper, bands.lower))[2:] == [0.0] * 4


def test_the_volatility_by_hand() -> None:
    # log returns +l, -l: mean 0, squares 2 l^2
    step = math.log(1.1)
    assert column(indicators.volatility(market([100, 110, 100]), 2))[2] == pytest.approx(step * math.sqrt(2), rel=1e-12)
    assert column(indicators.volatility(market([100, 110, 100]), 2, ddof=0))[2] == pytest.approx(step, rel=1e-12)


def test_momentum_by_hand() -> None:
    assert column(indicators.momentum(market([100, 110, 121, 60.5]), 2))[2:] == pytest.approx([0.21, -0.45])
    assert column(indicators.momentum(market([100, 110, 121, 60.5]), 2, skip=1))[2:] == pytest.approx([0.1, 0.1])


def test_bands_by_hand() -> None:
    bars = market([(10, 12, 9, 11), (11, 15, 11, 14), (13, 13, 8, 8)])
    # mean 11, deviation sqrt((0 + 9 + 9) / 3)
    mid, upper, lower = (column(frame)[2] for frame in indicators.bollinger(bars, 3, 2))
    assert (mid, upper, lower) == pytest.approx((11, 11 + 2 * math.sqrt(6), 11 - 2 * math.sqrt(6)), rel=1e-15)
    # true ranges 3, 4, 6; ema of 2: 12.5, then a third of it and two thirds of 8
    keltner = [column(frame)[2] for frame in indicators.keltner(bars, 2, 3, 1.5)]
    assert keltner == pytest.approx([9.5, 9.5 + 1.5 * 13 / 3, 9.5 - 1.5 * 13 / 3], rel=1e-15)
    assert [column(frame)[2] for frame in indicators.donchian(bars, 2)] == [15, 8]


def test_holes_are_skipped() -> None:
    bars = market({SHARE: [10, 12, None, 14, 10], OTHER: [20, 20, 20, 20, 26]})
    np.testing.assert_array_equal(indicators.deviation(bars, 2)["ABC"], [NAN, 1, NAN, 1, 2])
    np.testing.assert_array_equal(indicators.momentum(bars, 2)["ABC"], [NAN, NAN, NAN, 14 / 10 - 1, 10 / 12 - 1])


def test_bands_of_the_worksheet(shared: Path) -> None:
    data = json.loads((shared / "reference" / "s10_stockcharts_rsi_atr_bbands.json").read_text())
    bands = indicators.bollinger(market(data["inputs"]["bb_close"]), 20, 2)
    for name, found in zip(("bb_mid", "bb_high", "bb_low"), bands, strict=True):
        expected = [NAN if value is None else value for value in data["expected"][name]]
        np.testing.assert_allclose(column(found), expected, rtol=0, atol=data["tolerance"])


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda bars: indicators.deviation(bars, 0), "deviation: window must be a whole number of bars, at least 1, got 0"),
        (lambda bars: indicators.deviation(bars, 1, ddof=1), "at least 2, got 1"),
        (lambda bars: indicators.zscore(bars, 5, ddof=2), "zscore: ddof must be 0 (population) or 1 (sample), got 2"),
        (lambda bars: indicators.volatility(bars, 1), "volatility: window must be a whole number of bars, at least 2, got 1"),
        (lambda bars: indicators.volatility_quantile(bars, 5, 5, 50), "quantile must lie between 0 and 1, got 50"),
        (lambda bars: indicators.momentum(bars, 5, 5), "momentum: skip must be a whole number from 0 to below window=5, got 5"),
        (lambda bars: indicators.momentum(bars, 5, 1.5), "got 1.5"),  # type: ignore[arg-type]
        (lambda bars: indicators.bollinger(bars, 5, "2"), "bollinger: width must be a positive number, got '2'"),  # type: ignore[arg-type]
        (lambda bars: indicators.sma(bars.close, 5), "sma takes wb.Bars, got DataFrame"),  # type: ignore[arg-type]
        (lambda bars: indicators.momentum(bars, 2.5), "momentum: window must be a whole number of bars"),
        (lambda bars: indicators.bollinger(bars, 5, 0), "bollinger: width must be a positive number, got 0"),
        (lambda bars: indicators.keltner(bars, 5, 5, math.inf), "keltner: multiple must be a positive number, got inf"),
        (lambda bars: indicators.zscore(bars, 5, field="clsoe"), "did you mean 'close'?"),
        (lambda bars: indicators.bolinger, "did you mean 'bollinger'?"),
    ],
)
def test_a_wrong_question_gets_a_sentence(make: Callable[[Bars], object], said: str) -> None:
    with pytest.raises((ParameterError, AttributeError)) as caught:
        make(TINY)
    assert said in str(caught.value)
