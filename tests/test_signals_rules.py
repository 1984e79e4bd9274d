"""Technical rules by hand and against loops with a memory of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import random_market
from worked import market

from workbench import Bars, indicators, simulate
from workbench.errors import ParameterError
from workbench.signals import Bollinger, Breakout, Donchian, Keltner, Macd, Momentum, RelativeStrength, SignalGenerator, ZScore

NAN = float("nan")
LONG = simulate("A", bars=1_500, seed=5)
HOLED = random_market(9)
BARS = pytest.mark.parametrize("bars", [LONG, HOLED], ids=["whole", "with holes"])


def stances(signal: SignalGenerator, bars: Bars) -> list[float | None]:
    return [None if value != value else value for value in signal.stances(bars).iloc[:, 0]]


def acted(stances: pd.Series) -> np.ndarray:
    """Return what a strategy would hold after each bar (SEMANTICS 9)."""
    return np.sign(stances.ffill().fillna(0.0).to_numpy())


def require_positions(signal: SignalGenerator, bars: Bars, loop: Callable[[pd.DataFrame], list[float]]) -> None:
    """Require that holding a signal's events is what a loop with a state does from the first bar on that the signal speaks."""
    for symbol in bars.symbols:
        own = bars[[symbol]]
        expected = np.array(loop(own[symbol]))
        found = acted(signal.stances(own)[symbol])
        start = int(np.flatnonzero(expected[signal.lookback :] == found[signal.lookback :])[0]) + signal.lookback
        np.testing.assert_array_equal(found[start:], expected[start:])
        assert len(set(found[start:])) == 3


# -- relative strength ------------------------------------------------------------------------------------------------


def test_06_relative_strength_speaks_on_the_way_back() -> None:
    # the index of one change is 0 after a fall, 100 after a rise, 50 where nothing moved
    signal = RelativeStrength(1, 30, 70)
    assert signal.lookback == 3
    assert stances(signal, market([10, 9, 8, 9, 10, 10, 9, 8, 8])) == [None, None, None, 1, None, -1, None, None, 1]


@BARS
def test_relative_strength_is_that_of_a_loop(bars: Bars) -> None:
    signal = RelativeStrength(3, 35, 65)
    for symbol in bars.symbols:
        index = indicators.rsi(bars[[symbol]], 3)[symbol].to_numpy()
        expected = np.full(len(index), NAN)
        for t in range(signal.lookback - 1, len(index)):
            if index[t - 1] < 35 <= index[t]:
                expected[t] = 1
            elif index[t - 1] > 65 >= index[t]:
                expected[t] = -1
        np.testing.assert_array_equal(signal.stances(bars[[symbol]])[symbol], expected)


# -- bands ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reversion", "breakout"])
def test_06_bands_speak_at_their_events(mode: Any) -> None:
    # means of three 10, 11, 10.33, 9.33, 9, 9.67; deviations 0, 1.41, 2.05, 2.62, 2.16, 2.05
    bars = market([10, 10, 10, 13, 8, 7, 12, 10])
    far = 1.0 if mode == "breakout" else -1.0
    # 13 is above 11 + 1.56; 8 below 10.33 - 2.26; 7 above 9.33 - 2.89; 12 above 9 + 2.38; 10 above the middle like the one before
    assert stances(Bollinger(3, 1.1, mode), bars) == [None, None, None, far, -far, None, far, None]


def test_06_a_position_is_closed_where_the_close_reaches_the_middle() -> None:
    # means 10, 9, 26/3, 9: at 10 the close is above its mean
    assert stances(Bollinger(3, 1.2), market([10, 10, 10, 7, 9, 9.5])) == [None, None, None, 1, 0, None]


@BARS
@pytest.mark.parametrize("signal", [Bollinger(10, 1.5), Keltner(4, 3, 0.8, "reversion")], ids=repr)
def test_reversion_is_that_of_a_loop(bars: Bars, signal: Any) -> None:
    require_positions(signal, bars, lambda frame: held_against(frame["close"].to_numpy(), *edges(signal, frame, bars), -1))


@BARS
@pytest.mark.parametrize("signal", [Bollinger(10, 1.5, "breakout"), Keltner(4, 3, 0.8)], ids=repr)
def test_a_breakout_of_bands_is_that_of_a_loop(bars: Bars, signal: Any) -> None:
    require_positions(signal, bars, lambda frame: held_against(frame["close"].to_numpy(), *edges(signal, frame, bars), 1))


def edges(signal: Any, frame: pd.DataFrame, bars: Bars) -> list[np.ndarray]:
    own = Bars.from_frames({"X": frame.drop(columns="volume")}, interval=bars.interval)
    if isinstance(signal, Bollinger):
        bands = indicators.bollinger(own, signal.window, signal.width)
    else:
        bands = indicators.keltner(own, signal.window, signal.atr_window, signal.multiple)
    return [band["X"].to_numpy() for band in bands]


def held_against(close: np.ndarray, mid: np.ndarray, upper: np.ndarray, lower: np.ndarray, sign: float) -> list[float]:
    held, position = [], 0.0
    for t in range(len(close)):
        if position * sign * (close[t] - mid[t]) <= 1e-9 * mid[t]:
            position = 0.0
        if close[t] > upper[t] * (1 + 1e-9):
            position = sign
        elif close[t] < lower[t] * (1 - 1e-9):
            position = -sign
        held.append(position)
    return held


# -- z-score ----------------------------------------------------------------------------------------------------------


def test_06_a_zscore_enters_far_out_and_leaves_near_the_mean() -> None:
    # means of three 10, 9, 9.17, 9.23, 9.9, 9.6; deviations 0, 1.41, 1.55, 1.58, 0.65, 0.49
    bars = market([10, 10, 10, 7, 10.5, 10.2, 9, 9.6])
    assert np.round(indicators.zscore(bars, 3)["ABC"].to_numpy()[2:], 2).tolist() == [0, -1.41, 0.86, 0.61, -1.39, 0]
    assert stances(ZScore(3, 1.3, 0.5), bars) == [None, None, None, 1, 0, None, 1, 0]
    assert stances(ZScore(3, 1.4, 0.7), bars) == [None, None, None, 1, 0, 0, 0, 0]


@BARS
@pytest.mark.parametrize(("entry", "leave"), [(1.5, 0.5), (1.0, 0.0)])
def test_a_zscore_is_that_of_a_loop(bars: Bars, entry: float, leave: float) -> None:
    def loop(frame: pd.DataFrame) -> list[float]:
        close = frame["close"]
        window = close.rolling(12)
        score = ((close - window.mean()) / window.std(ddof=0)).fillna(0.0).to_numpy()
        held, position = [], 0.0
        for value in score:
            if position * value > -leave - 1e-9:
                position = 0.0
            if abs(value) > entry:
                position = -np.sign(value)
            held.append(position)
        return held

    require_positions(ZScore(12, entry, leave), bars, loop)


# -- momentum and convergence -----------------------------------------------------------------------------------------


def test_momentum_by_hand() -> None:
    bars = market([100, 100, 101, 103, 101, 99.5])
    assert stances(Momentum(2), bars) == [None, None, 1, 1, 0, -1]
    assert stances(Momentum(2, 0.02), bars) == [None, None, 0, 1, 0, -1]


def test_the_lines_by_hand() -> None:
    # line of 1 and 2 bars: 0.5, 2/3 ... the close less two thirds of the way to it; the look-back leaves nothing of the first
    signal = Macd(1, 2, 1)
    assert signal.lookback == 23
    assert set(signal.stances(market(list(range(10, 50))))["ABC"].dropna()) == {0.0}, "a signal of one bar is its line"
    rising = Macd(1, 2, 2).stances(market([10.0] * 60 + [11.0, 12.0, 12.0, 12.0]))["ABC"].tolist()
    # line: 1/3, 4/9, 4/27, 4/81; signal of two: 2/9, 10/27, 2/9, 26/243
    assert rising[-5:] == [0, 1, 1, -1, -1]


def test_the_stance_is_the_sign_of_the_histogram() -> None:
    signal = Macd(3, 8, 3)
    histogram = indicators.macd(LONG, 3, 8, 3).histogram["A"].to_numpy()[signal.lookback :]
    found = signal.stances(LONG)["A"].to_numpy()[signal.lookback :]
    assert (found == np.sign(histogram)).mean() > 0.999
    assert {-1.0, 1.0} <= set(found)


# -- Donchian's channels ----------------------------------------------------------------------------------------------


def test_06_a_channel_is_left_at_the_narrower_one() -> None:
    bars = market([10, 11, 10, 12, 13, 12.5, 12.2, 14, 9, 9.5, 12])
    # entry 3, exit 1: 12 and 13 above all three before; 12.5 below the one before: out; 12.2 out still; 14 in again;
    # 9 below all three: short; 9.5 above the one before: out; 12 out still
    narrow = Donchian(3, 1, 4).generate(bars)["ABC"]
    assert [None if v != v else v for v in narrow] == [None, None, None, 1, 1, 0, 0, 1, -1, 0, 0]
    assert stances(Breakout(3), bars) == [None, None, None, 1, 1, None, None, 1, -1, None, None]


def test_06_what_made_no_new_extreme_is_closed() -> None:
    bars = market([10, 10, 11, 11, 11, 11, 11])
    assert [None if v != v else v for v in Donchian(2, 2, 3).generate(bars)["ABC"]] == [None, None, 1, None, None, None, 0]


@BARS
def test_a_channel_is_that_of_a_loop(bars: Bars) -> None:
    def loop(frame: pd.DataFrame) -> list[float]:
        high, low, close = (frame[name].to_numpy() for name in ("high", "low", "close"))
        held, position, age = [], 0.0, 0
        for t in range(len(close)):
            age += 1
            left_down = t >= 3 and close[t] < low[t - 3 : t].min() * (1 - 1e-9)
            left_up = t >= 3 and close[t] > high[t - 3 : t].max() * (1 + 1e-9)
            if t >= 8 and close[t] > high[t - 8 : t].max() * (1 + 1e-9):
                position, age = 1.0, 0
            elif t >= 8 and close[t] < low[t - 8 : t].min() * (1 - 1e-9):
                position, age = -1.0, 0
            elif age > 20 or (left_down if position > 0 else left_up):
                position = 0.0
            held.append(position)
        return held

    require_positions(Donchian(8, 3, 20), bars, loop)


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RelativeStrength(0), "RelativeStrength: window must be at least 1 bar, got 0"),
        (lambda: RelativeStrength(14, 70, 30), "low must be above 0 and below high, high below 100, got low=70, high=30"),
        (lambda: Bollinger(1), "Bollinger: window must be at least 2 bars, got 1"),
        (lambda: Bollinger(20, -2), "Bollinger: width must be a positive number of standard deviations, got -2"),
        (lambda: Bollinger(mode="reversal"), "reversion"),
        (lambda: Keltner(0), "Keltner: windows must be at least 1 bar, got window=0, atr_window=10"),
        (lambda: Keltner(multiple=0), "Keltner: multiple must be a positive number, got 0"),
        (lambda: ZScore(1), "ZScore: window must be at least 2 bars, got 1"),
        (lambda: ZScore(20, 1, 1), "ZScore: exit must be at least 0 and below entry, got entry=1, exit=1"),
        (lambda: Momentum(0), "Momentum: window must be at least 1 bar, got 0"),
        (lambda: Momentum(5, 2), "threshold is a fraction of the price from 0 to below 1 (0.02 = 2 %), got 2"),
        (lambda: Macd(26, 12), "Macd: fast must be at least 1 bar and below slow, got fast=26, slow=12"),
        (lambda: Macd(signal=0), "Macd: signal must be at least 1 bar, got 0"),
        (lambda: Donchian(10, 20), "Donchian: exit must be at least 1 bar and at most entry, got entry=10, exit=20"),
        (lambda: Donchian(hold=0), "Donchian: hold must be at least 1 bar, got 0"),
    ],
)
def test_a_wrong_rule_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)
