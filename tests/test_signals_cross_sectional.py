"""Instruments against each other: pairs, ranks, and the sizes that go with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from worked import FREE, OTHER, SHARE, both, market, opened

import workbench as wb
from workbench.errors import ParameterError
from workbench.signals import CrossSectionalMomentum, PairsSpread
from workbench.sizing import TargetWeights

NAN = float("nan")
THIRD, FOURTH = wb.Instrument("DEF"), wb.Instrument("GHI")
MANY = wb.simulate(["A", "B", "C", "D", "E", "F", "G", "H"], bars=400, seed=8)


def pair(bars: int = 400, seed: int = 0) -> wb.Bars:
    """Return two instruments whose log prices move together, the first by 0.8 of the second."""
    rng = np.random.default_rng(seed)
    second = 4 + np.cumsum(rng.normal(0, 0.01, bars))
    first = 1 + 0.8 * second + np.convolve(rng.normal(0, 0.004, bars), 0.8 ** np.arange(20))[:bars]
    return market({SHARE: np.exp(first).tolist(), OTHER: np.exp(second).tolist()}, interval="1h")


# -- pairs ------------------------------------------------------------------------------------------------------------


def test_a_spread_is_that_of_a_regression_in_each_window() -> None:
    bars, window = pair(), 30
    a, b = np.log(bars.close.to_numpy()).T
    held, expected, before = 0.0, [], NAN
    for t in range(window - 1, len(bars)):
        x, y = b[t - window + 1 : t + 1], a[t - window + 1 : t + 1]
        slope, level = np.polyfit(x, y, 1)
        rest = y - level - slope * x
        score = rest[-1] / rest.std()
        crossed = np.sign(score) != np.sign(before) and before == before
        held = -np.sign(score) if abs(score) > 1.5 else 0.0 if abs(score) <= 0.4 or crossed else held
        expected.append(held if slope > 0 else 0.0)
        before = score
    found = PairsSpread(window, 1.5, 0.4).stances(bars).ffill().fillna(0.0)
    np.testing.assert_array_equal(found["ABC"][window:], expected[1:])
    np.testing.assert_array_equal(found["XYZ"], -found["ABC"])
    assert {-1.0, 0.0, 1.0} == set(found["ABC"])


def test_a_pair_by_hand() -> None:
    # logs of the last four bars: 0, 1, 2, 4 on 0, 1, 2, 3: slope 1.3, residuals 0.2, -0.1, -0.4, 0.3, deviation 0.2739
    first, second = ([float(np.exp(value)) for value in values] for values in ([-1, 0, 1, 2, 4], [-1, 0, 1, 2, 3]))
    bars = market({SHARE: first, OTHER: second})
    assert PairsSpread(4, 1.09, 0.1).stances(bars).iloc[-1].tolist() == [-1, 1]
    # the four bars before lie on a line: their spread is 0, and 0 has been left upwards
    assert PairsSpread(4, 1.1, 0.1).stances(bars).iloc[-1].tolist() == [0, 0]
    assert PairsSpread(4, 1.09, 0.1).stances(bars).iloc[:4].isna().all(axis=None)


def test_what_does_not_move_together_is_no_pair() -> None:
    rising = np.exp(np.linspace(0, 1, 60) + 0.01 * np.sin(np.arange(60))).tolist()
    falling = np.exp(np.linspace(1, 0, 60) + 0.01 * np.cos(np.arange(60))).tolist()
    found = PairsSpread(20, 1.0, 0.1).stances(market({SHARE: rising, OTHER: falling}))
    assert (found.iloc[20:] == 0).all(axis=None)


def test_a_pair_is_named_among_others() -> None:
    signal = PairsSpread(20, 1.2, 0.2, first="C", second="A")
    found = signal.stances(MANY)
    assert found[["B", "D", "E", "F", "G", "H"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(found[["C", "A"]], PairsSpread(20, 1.2, 0.2).stances(MANY[["C", "A"]]))
    assert found["C"].abs().sum() > 20


def test_a_pair_is_worked_out_where_both_have_a_bar() -> None:
    bars = pair()
    first, second = (bars[symbol].drop(columns="volume") for symbol in ("ABC", "XYZ"))
    gaps = first.index[[50, 51, 200]]
    holed = wb.Bars.from_frames({"ABC": first.drop(gaps), "XYZ": second}, interval="1h")
    kept = wb.Bars.from_frames({"ABC": first.drop(gaps), "XYZ": second.drop(gaps)}, interval="1h")
    found, expected = (PairsSpread(20, 1.2, 0.2).stances(b) for b in (holed, kept))
    pd.testing.assert_frame_equal(found.loc[expected.index], expected, check_freq=False)
    assert found.iloc[[50, 51, 200]].isna().all(axis=None)


def test_a_tiny_spread_of_large_prices_is_seen() -> None:
    wave = 1e-8 * np.sin(np.arange(300))
    trend = np.cumsum(np.random.default_rng(2).normal(0, 1e-6, 300))
    found = PairsSpread(20, 1.0, 0.1).stances(market({SHARE: (1e5 * np.exp(trend + wave)).tolist(), OTHER: (1e5 * np.exp(trend)).tolist()}))
    assert found["ABC"].abs().sum() > 30


# -- ranks ------------------------------------------------------------------------------------------------------------


def test_ranks_by_hand() -> None:
    # changes over one bar: 10 %, 20 %, 0, -10 %
    bars = market({SHARE: [10, 10, 11], OTHER: [10, 10, 12], THIRD: [10, 10, 10], FOURTH: [10, 10, 9]})
    assert CrossSectionalMomentum(1, 0).stances(bars).iloc[-1].tolist() == [0, 1, 0, 0]
    assert CrossSectionalMomentum(1, 0, top=2, bottom=1).stances(bars).iloc[-1].tolist() == [0.5, 0.5, 0, -1]
    assert CrossSectionalMomentum(1, 0, top=2, bottom=2).stances(bars).iloc[-1].tolist() == [0.5, 0.5, -0.5, -0.5]
    assert CrossSectionalMomentum(1, 0).stances(bars).iloc[:2].isna().all(axis=None)


def test_of_equal_changes_the_earlier_ranks_higher() -> None:
    bars = market({SHARE: [10, 10, 10], OTHER: [20, 20, 20], THIRD: [5, 5, 5]})
    assert CrossSectionalMomentum(1, 0, bottom=1).stances(bars).iloc[-1].tolist() == [1, 0, -1]


def test_the_newest_bars_may_be_left_out() -> None:
    bars = market({SHARE: [10, 10, 10, 11, 5], OTHER: [10, 10, 10, 10, 20]})
    assert CrossSectionalMomentum(2, 1).stances(bars).iloc[-1].tolist() == [1, 0]
    assert CrossSectionalMomentum(2, 0).stances(bars).iloc[-1].tolist() == [0, 1]


def test_who_has_no_bar_is_not_ranked() -> None:
    bars = market({SHARE: [10, 10, 10, 12], OTHER: [10, 10, 10, None], THIRD: [10, 10, 10, 11]})
    np.testing.assert_array_equal(CrossSectionalMomentum(1, 0, bottom=1).stances(bars).iloc[-1], [1, NAN, -1])
    np.testing.assert_array_equal(CrossSectionalMomentum(1, 0, 2, 1).stances(bars).iloc[-1], [NAN, NAN, NAN])


def book(signal: CrossSectionalMomentum, bars: wb.Bars) -> np.ndarray:
    """Return what is held after each bar."""
    return np.sign(signal.stances(bars).ffill().fillna(0.0).to_numpy())


@pytest.mark.parametrize(("top", "bottom", "band"), [(2, 0, 2), (2, 2, 1), (1, 1, 5), (3, 2, 0)])
def test_a_band_is_that_of_a_loop(top: int, bottom: int, band: int) -> None:
    signal = CrossSectionalMomentum(10, 2, top, bottom, band)
    change = (MANY.close.shift(2) / MANY.close.shift(10) - 1).to_numpy()
    spare = 8 - top - bottom
    room = min(band, spare // 2 if bottom else spare)
    held = np.zeros(8)
    found = book(signal, MANY)
    start = signal.lookback + 60  # by then who is in a band has come from where it is known
    for t in range(10, len(MANY)):
        best = (-change[t]).argsort(kind="stable").argsort() + 1
        worst = 9 - best
        for j in range(8):
            keep = held[j] if (held[j] > 0 and best[j] <= top + room) or (held[j] < 0 and worst[j] <= bottom + room) else 0.0
            held[j] = 1.0 if best[j] <= top else -1.0 if worst[j] <= bottom else keep
        if t >= start:
            np.testing.assert_array_equal(found[t], held)
    assert (found[start:] != 0).sum() > 500


def test_a_band_turns_the_book_over_less() -> None:
    turned = [np.abs(np.diff(book(CrossSectionalMomentum(10, 0, 2, 2, band), MANY), axis=0)).sum() for band in (0, 1, 2)]
    assert turned[0] > 1.3 * turned[1] > 1.3 * turned[2]


# -- weights ----------------------------------------------------------------------------------------------------------


def test_a_weight_is_a_share_of_equity() -> None:
    decide = TargetWeights(2.0).decision
    assert decide((2.0,), None, -1.0, -0.25, 10_000.0, 50.0, 1.0, NAN, NAN, []) == 100.0
    assert decide((1.0,), None, 1.0, 0.25, 10_000.0, 50.0, 10.0, NAN, NAN, []) == 5.0


def test_weights_open_their_shares_of_the_book() -> None:
    # equity 10,000: a half of it each in the two best, none in the third; the session and both kernels agree
    bars = market({SHARE: [10, 10, 12, 12], OTHER: [20, 20, 22, 22], THIRD: [30, 30, 30, 30]})
    strategy = wb.Strategy(CrossSectionalMomentum(1, 0, top=2), TargetWeights(0.5))
    result = both(strategy, bars, cash=10_000, costs=FREE)
    # 2,500 / 12 and 2,500 / 22
    assert opened(result)[:2] == [208.0, 113.0]


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PairsSpread().stances(MANY), "PairsSpread needs two instruments, got 8 (A, B, C, D, ...); name them: first=, second="),
        (lambda: PairsSpread(first="A", second="ABC").stances(MANY), "PairsSpread: these bars hold no 'ABC'"),
        (lambda: PairsSpread(first="A"), "PairsSpread: name two instruments or none, got first='A', second=None"),
        (lambda: PairsSpread(first="A", second="A"), "got first='A', second='A'"),
        (lambda: PairsSpread(2), "PairsSpread: window must be at least 3 bars, got 2"),
        (lambda: PairsSpread(entry=0.3), "PairsSpread: exit must be at least 0 and below entry, got entry=0.3, exit=0.5"),
        (lambda: CrossSectionalMomentum(20, 20), "skip must be at least 0 and below window, got window=20, skip=20"),
        (lambda: CrossSectionalMomentum(top=0), "top must be at least 1, bottom and band at least 0, got top=0, bottom=0, band=0"),
        (lambda: CrossSectionalMomentum(top=5, bottom=5).stances(MANY), "(top=5, bottom=5) needs at least 10 instruments, got 8"),
        (lambda: TargetWeights(0), "TargetWeights: gross must be a positive number (1 = all of equity), got 0"),
    ],
)
def test_a_wrong_question_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)
