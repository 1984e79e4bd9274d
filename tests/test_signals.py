"""Signals against pandas and naive loops, votes by hand, and the checks of the port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import random_market
from worked import OTHER, SHARE, Given, market

from workbench import Bars, simulate
from workbench.errors import ParameterError
from workbench.signals import AllAgree, Breakout, Majority, MovingAverageCross, SignalGenerator

WHOLE = simulate(["A", "B"], bars=500, seed=9)
HOLED = random_market(9)
BARS = pytest.mark.parametrize("bars", [WHOLE, HOLED], ids=["whole", "with holes"])
NAN = float("nan")


def stances(signal: SignalGenerator, bars: Bars) -> list[float | None]:
    return [None if value != value else value for value in signal.stances(bars).iloc[:, 0]]


def each(bars: Bars, make: Callable[[pd.DataFrame], pd.Series]) -> np.ndarray:
    """Work one column after the other out of its own bars, without its holes."""
    return np.column_stack([make(bars[symbol]).reindex(bars.index) for symbol in bars.symbols])


# -- two means --------------------------------------------------------------------------------------------------------


@BARS
@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (3, 10), (20, 50)])
def test_the_cross_is_the_sign_of_two_means(bars: Bars, fast: int, slow: int) -> None:
    def expected(frame: pd.DataFrame) -> pd.Series:
        one, other = (frame["close"].rolling(window).mean() for window in (fast, slow))
        return np.sign(one - other).where((one - other).abs() > 1e-9 * other.abs(), 0.0).where(other.notna())

    np.testing.assert_array_equal(MovingAverageCross(fast, slow).stances(bars), each(bars, expected))


def test_the_cross_by_hand() -> None:
    # means of two: -, 10, 11, 12, 11, 10.5, 10.5; of three: -, -, 32/3, 34/3, 34/3, 11, 31/3
    assert stances(MovingAverageCross(2, 3), market([10, 10, 12, 12, 10, 11, 10])) == [None, None, 1.0, 1.0, -1.0, -1.0, 1.0]


def test_equal_means_are_flat() -> None:
    assert stances(MovingAverageCross(1, 3), market([10.1, 10.2, 10.15])) == [None, None, 0.0]


# -- breakout ---------------------------------------------------------------------------------------------------------


@BARS
@pytest.mark.parametrize("window", [1, 5, 20])
def test_a_breakout_is_that_of_a_loop(bars: Bars, window: int) -> None:
    def expected(frame: pd.DataFrame) -> pd.Series:
        high, low, close = (frame[name].to_numpy() for name in ("high", "low", "close"))
        found = np.full(len(frame), NAN)
        for t in range(window, len(frame)):
            top, bottom = high[t - window : t].max(), low[t - window : t].min()
            if close[t] > top * (1 + 1e-9):
                found[t] = 1.0
            elif close[t] < bottom * (1 - 1e-9):
                found[t] = -1.0
        return pd.Series(found, frame.index)

    np.testing.assert_array_equal(Breakout(window).stances(bars), each(bars, expected))


def test_06_a_breakout_speaks_at_its_event_only() -> None:
    bars = market([(10, 12, 9, 10), (10, 11, 9, 11), 12, 12.5, 12.6, 12.6, 9, 8])
    assert stances(Breakout(2), bars) == [None, None, None, 1.0, 1.0, None, -1.0, -1.0]


# -- votes ------------------------------------------------------------------------------------------------------------

VOTERS = [
    [NAN, 1, NAN, NAN, -1, NAN, 0, NAN],
    [NAN, NAN, 1, -1, NAN, NAN, -1, NAN],
    [1, NAN, NAN, -1, NAN, 1, -1, -0.2],
]
# held:  -  1  1  1 -1 -1  0  0
#        -  -  1 -1 -1 -1 -1 -1
#        1  1  1 -1 -1  1 -1 -1


def voters() -> list[Given]:
    return [Given([None if value != value else value for value in values]) for values in VOTERS]


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        (AllAgree, [None, None, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0]),
        (Majority, [0.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0]),
    ],
)
def test_40_votes_by_hand(vote: Any, expected: list[float | None]) -> None:
    assert stances(vote(voters()), market([10] * 8)) == expected


@pytest.mark.parametrize(
    ("vote", "expected"),
    [
        (AllAgree, [None, None, None, None, -1.0, None, 0.0, 0.0]),
        (Majority, [None, 1.0, 1.0, -1.0, -1.0, 0.0, -1.0, -1.0]),
    ],
)
def test_40_an_opinion_runs_out(vote: Any, expected: list[float | None]) -> None:
    # nothing before the second bar: the look-back is 1 + hold
    held = [[NAN, 1, 1, NAN, -1, -1, 0, 0], [NAN, NAN, 1, -1, -1, NAN, -1, -1], [1, 1, NAN, -1, -1, 1, -1, -0.2]]
    np.testing.assert_array_equal(vote(voters(), hold=1).votes(market([10] * 8))[:, :, 0], np.sign(held))
    assert stances(vote(voters(), hold=1), market([10] * 8)) == expected


def test_40_a_majority_is_more_than_half_of_all_voters() -> None:
    two = [Given([1, 1, 1]), Given([None, -1, 1])]
    assert stances(Majority(two), market([10] * 3)) == [0.0, 0.0, 1.0]
    silent = [Given([None, None]), Given([None, None])]
    assert stances(Majority(silent), market([10] * 2)) == [None, None]


def test_40_opinions_are_held_over_bars_not_over_holes() -> None:
    # both opinions of ABC's second bar hold for two more of its bars, whatever XYZ has in between
    bars = market({SHARE: [10, 10, None, None, 10, 10, 10], OTHER: [20] * 7})
    vote = AllAgree([Given([None, 1] + [None] * 5), Given([None, 1] + [None] * 5)], hold=2)
    np.testing.assert_array_equal(vote.stances(bars)["ABC"], [NAN, NAN, NAN, NAN, 1, 1, NAN])
    np.testing.assert_array_equal(vote.stances(bars)["XYZ"], [NAN, NAN, 1, 1, NAN, NAN, NAN])


def test_a_vote_has_the_lookback_and_the_view_of_its_voters() -> None:
    vote = Majority([MovingAverageCross(2, 30), Breakout(5), AllAgree([Breakout(70), Breakout(3)])])
    assert vote.lookback == 71
    assert Majority([Breakout(5), Breakout(3)], hold=100).lookback == 106
    assert not vote.cross_sectional
    assert AllAgree([Breakout(), Ranked()]).cross_sectional


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MovingAverageCross(50, 10), "MovingAverageCross: fast must be at least 1 bar and below slow, got fast=50, slow=10"),
        (lambda: MovingAverageCross(10, 10), "got fast=10, slow=10"),
        (lambda: MovingAverageCross(0, 10), "got fast=0, slow=10"),
        (lambda: MovingAverageCross(fsat=3), "did you mean 'fast'?"),
        (lambda: MovingAverageCross(2.5), "MovingAverageCross.fast must be int, got 2.5 (float)"),
        (lambda: Breakout(0), "Breakout: window must be at least 1 bar, got 0"),
        (lambda: AllAgree([Breakout()]), "AllAgree: needs at least two signals to vote, got 1"),
        (lambda: Majority([Breakout(), Breakout()], hold=0), "Majority: hold must be at least 1 bar, got 0"),
        (lambda: Majority([Breakout(), "Breakout"]), "got 'Breakout' (str) at position 1"),
        (lambda: Majority([Breakout(), Breakout]), "got the class Breakout; write Breakout(...) to make one at position 1"),
    ],
    ids=["crossed", "equal", "none", "misspelt", "part of a bar", "empty", "one voter", "no hold", "a name", "a class"],
)
def test_a_wrong_signal_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)


# -- a signal of one's own --------------------------------------------------------------------------------------------


class Above(SignalGenerator):
    """The five lines of the docstring."""

    window: int = 50

    def generate(self, bars: Bars) -> pd.DataFrame:
        return np.sign(bars.close - bars.close.rolling(self.window).mean())


class Ranked(SignalGenerator):
    """The better one of several."""

    cross_sectional = True

    def generate(self, bars: Bars) -> pd.DataFrame:
        return (bars.close.rank(axis=1) == bars.shape[1]).astype(float).where(bars.close.notna().all(axis=1), 0.0)


class Says(SignalGenerator):
    """Gives back what it is told, and nothing before its third bar."""

    what: Any = None
    lookback = 3  # type: ignore[assignment]

    def generate(self, bars: Bars) -> Any:
        return self.what


@BARS
def test_the_signal_of_the_docstring(bars: Bars) -> None:
    expected = each(bars, lambda frame: np.sign(frame["close"] - frame["close"].rolling(20).mean()))
    np.testing.assert_array_equal(Above(20).stances(bars), expected)


@pytest.mark.parametrize(
    "what",
    [np.ones((4, 1)), np.ones(4), [1, 1, 1, 1], pd.Series([1.0] * 4), pd.DataFrame({"x": [1] * 4}), [True] * 4],
    ids=["array", "flat", "list", "series", "frame", "booleans"],
)
def test_one_column_may_come_in_any_shape(what: Any) -> None:
    found = Says(what).stances(market([10] * 4))
    np.testing.assert_array_equal(found.to_numpy(), [[NAN], [NAN], [1], [1]])
    assert list(found.columns) == ["ABC"]


def test_what_a_signal_gave_is_not_written_to() -> None:
    mine = np.ones((4, 1))
    Says(mine).stances(market([10] * 4))
    assert mine.tolist() == [[1], [1], [1], [1]]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            np.ones((3, 1)),
            r"Says.generate must give a stance, .* shape \(4, 1\), got \(3, 1\)",
        ),
        (np.ones((4, 2)), r"shape \(4, 1\), got \(4, 2\)"),
        (1.0, r"shape \(4, 1\), got \(\)"),
        ([0, 0, 0, 1.5], "Says.generate gave 1.5 for ABC at 2024-01-01 03:00:00.*; a stance lies between -1 and 1"),
        ([0, -2, 0, 0], "gave -2 for ABC at 2024-01-01 01:00:00"),
        ([0, float("inf"), 0, 0], "gave inf for ABC"),
    ],
    ids=["too short", "too wide", "a number", "too large", "too small", "endless"],
)
def test_a_wrong_answer_gets_a_sentence(what: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Says(what).stances(market([10] * 4))


def test_04_a_signal_gets_blocks_without_holes_and_a_cross_sectional_one_everything() -> None:
    bars = market({SHARE: [10, None, 10, 10], OTHER: [20, 21, 9, 9]})
    np.testing.assert_array_equal(Ranked().stances(bars), [[0, 1], [NAN, 0], [1, 0], [1, 0]])
    seen: list[tuple[list[str], int]] = []

    class Watching(Above):
        def generate(self, bars: Bars) -> pd.DataFrame:
            seen.append((bars.symbols, len(bars)))
            return super().generate(bars)

    Watching(2).stances(bars)
    assert sorted(seen) == [(["ABC"], 3), (["XYZ"], 4)]
