"""Votes by weight and without contradiction, who voted for what, and states as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from worked import OTHER, SHARE, Given, market

from workbench import Bars, simulate
from workbench.errors import ParameterError
from workbench.signals import AllAgree, AnyOf, Breakout, Crossing, Majority, MovingAverageCross, SignalGenerator, Weighted

NAN = float("nan")
NO = None
EIGHT = market([10] * 8)


def stances(signal: SignalGenerator, bars: Bars = EIGHT) -> list[float | None]:
    return [None if value != value else value for value in signal.stances(bars).iloc[:, 0]]


def voters() -> list[Given]:
    """Three voters that hold -, 1, 1, 1, -1, -1, 0, 0; -, -, 1, -1, -1, -1, -1, -1; 1, 1, 1, -1, -1, 1, -0.5, -0.5."""
    return [Given([NO, 1, NO, NO, -1, NO, 0, NO]), Given([NO, NO, 1, -1, NO, NO, -1, NO]), Given([1, NO, NO, -1, NO, 1, -0.5, NO])]


# -- any, and weights -------------------------------------------------------------------------------------------------


def test_40_any_of_them_by_hand() -> None:
    assert stances(AnyOf(voters())) == [1, 1, 1, 0, -1, 0, -1, -1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [([NO, NO], NO), ([0, NO], 0), ([0, 0], 0), ([1, NO], 1), ([-1, 0], -1), ([1, -1], 0), ([0.2, 1], 1), ([-0.2, -1], -1)],
    ids=str,
)
def test_40_any_of_two(given: list[float | None], expected: float | None) -> None:
    assert stances(AnyOf([Given([value]) for value in given]), EIGHT.iloc[:1]) == [expected]


def test_40_weights_by_hand() -> None:
    # of 4: 1 votes, less than half; 1 + 1; 1 + 2 + 1 ...
    expected = [NO, 1, 1, (1 - 2 - 1) / 4, -1, (-1 - 2 + 1) / 4, (0 - 2 - 0.5) / 4, (0 - 2 - 0.5) / 4]
    assert stances(Weighted(voters(), [1, 2, 1])) == expected


@pytest.mark.parametrize(
    ("given", "weights", "expected"),
    [
        ([1, NO], [1, 1], 1.0),
        ([1, NO], [1, 1.01], NO),
        ([1, 1, -1], [0.1, 0.2, 0.3], 0.0),
        ([NO, NO, 1], [0.1, 0.2, 0.3], 1.0),
        ([0.1, 0.1, 0.1], [0.1, 0.7, 0.1], 0.1),
        ([1, 0, 0], [1, 1, 2], 0.25),
    ],
    ids=str,
)
def test_40_a_weighted_mean_over_those_who_vote(given: list[float | None], weights: list[float], expected: float | None) -> None:
    assert stances(Weighted([Given([value]) for value in given], weights), EIGHT.iloc[:1]) == pytest.approx([expected])


def test_40_an_opinion_runs_out() -> None:
    two = [Given([1, NO, NO, NO]), Given([NO, 1, NO, NO])]
    # the look-back of 1 + hold says nothing of the first bar
    assert stances(AnyOf(two, hold=1), EIGHT.iloc[:4]) == [NO, 1, 1, NO]
    assert stances(Weighted(two, [1, 3], hold=1), EIGHT.iloc[:4]) == [NO, 1, 1, NO]


# -- who voted for what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vote", [AllAgree(voters()), AnyOf(voters()), Majority(voters()), Weighted(voters(), [1, 1, 1])], ids=repr)
def test_every_vote_shows_who_held_what(vote: Any) -> None:
    held = vote.attribution(EIGHT)
    assert held.columns.names == ["symbol", "voter"]
    assert held.columns.tolist() == [("ABC", "given"), ("ABC", "given_2"), ("ABC", "given_3")]
    np.testing.assert_array_equal(held["ABC", "given"], [NAN, 1, 1, 1, -1, -1, 0, 0])
    np.testing.assert_array_equal(held["ABC", "given_2"], [NAN, NAN, 1, -1, -1, -1, -1, -1])
    np.testing.assert_array_equal(held["ABC", "given_3"], [1, 1, 1, -1, -1, 1, -0.5, -0.5])


def test_each_symbol_has_its_own_voters() -> None:
    bars = market({SHARE: [10, 11, None, 12], OTHER: [20, 19, 18, 17]})
    held = Majority([Breakout(1), MovingAverageCross(1, 2)]).attribution(bars)
    assert held.columns.tolist() == [(symbol, voter) for symbol in ("ABC", "XYZ") for voter in ("breakout", "movingaveragecross")]
    np.testing.assert_array_equal(held["ABC", "breakout"], [NAN, 1, NAN, 1])
    np.testing.assert_array_equal(held["XYZ", "movingaveragecross"], [NAN, -1, -1, -1])


def test_the_names_of_voters_are_those_of_their_parameters() -> None:
    vote = AnyOf([Breakout(5), Breakout(9), MovingAverageCross()])
    assert vote.voters == ["breakout", "breakout_2", "movingaveragecross"]
    assert vote.get_params()["signals__breakout_2__window"] == 9


@pytest.mark.parametrize("vote", [AllAgree(voters()), AnyOf(voters()), Majority(voters()), Weighted(voters(), [1, 1, 1])], ids=repr)
def test_how_often_each_two_agree_by_hand(vote: Any) -> None:
    # bars 1-7: 1 and 3 agree at bars 1, 2, 4; bars 2-7: 1 and 2 at 2, 4, 5; 2 and 3 at 2, 3, 4, 6, 7; bar 3 is 1 against -1
    found = vote.agreement(EIGHT)
    expected = [[1, 3 / 6, 3 / 7], [3 / 6, 1, 5 / 6], [3 / 7, 5 / 6, 1]]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    assert found.index.tolist() == found.columns.tolist() == ["given", "given_2", "given_3"]


def test_who_never_met_does_not_agree() -> None:
    found = AnyOf([Given([NO, NO]), Given([1, NO])]).agreement(EIGHT.iloc[:2])
    np.testing.assert_array_equal(found, [[NAN, NAN], [NAN, 1]])


def test_a_vote_by_attribution_is_the_vote() -> None:
    bars = simulate(["A", "B"], bars=300, seed=2)
    vote = Weighted([MovingAverageCross(3, 9), Breakout(12), MovingAverageCross(5, 30)], [1, 2, 3])
    held = vote.attribution(bars)["B"].to_numpy()
    whole = ~np.isnan(held).any(axis=1) & (np.arange(300) >= 29)
    assert whole.sum() > 200
    np.testing.assert_allclose(vote.stances(bars)["B"][whole], (held @ [1, 2, 3] / 6)[whole], rtol=1e-12, atol=1e-9)


# -- a state as an event ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ([1, 1, 1, -1, -1, 0, 0, 1], [NO, NO, NO, -1, NO, 0, NO, 1]),
        ([0.5, 0.2, -0.3, -1, 1, 1, 1, 1], [NO, NO, -1, NO, 1, NO, NO, NO]),
        ([NO, NO, 1, 1, NO, 1, NO, -1], [NO, NO, 1, NO, NO, 1, NO, -1]),
    ],
    ids=["a state", "conviction is no change", "after no opinion"],
)
def test_06_a_crossing_speaks_when_the_sign_changes(state: list[float | None], event: list[float | None]) -> None:
    assert stances(Crossing(Given(state))) == event


def test_06_a_crossing_is_seen_over_a_hole() -> None:
    bars = market({SHARE: [10, 9, None, None, 11, 12], OTHER: [20] * 6})
    np.testing.assert_array_equal(Crossing(MovingAverageCross(1, 2)).stances(bars)["ABC"], [NAN, NAN, NAN, NAN, 1, NAN])


def test_40_a_vote_holds_a_crossing() -> None:
    bars = market([10, 9, 11, 12, 13, 14])
    vote = AnyOf([Crossing(MovingAverageCross(1, 2)), Given([NO] * 6)], hold=2)
    assert stances(vote, bars) == [NO, NO, NO, NO, 1, NO]
    assert vote.lookback == 5


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Weighted(voters(), [1, 2]), "Weighted: expected one weight a signal, got 2 weights for 3 signals"),
        (lambda: Weighted(voters(), [1, 2, 0]), "Weighted: a weight must be a positive number, got 0"),
        (lambda: Weighted(voters()), "Weighted needs the parameter 'weights'"),
        (lambda: Weighted([Breakout()], [1]), "Weighted: needs at least two signals to vote, got 1"),
        (lambda: AnyOf([Breakout(), Breakout()], hold=0), "AnyOf: hold must be at least 1 bar, got 0"),
        (lambda: AnyOf([Breakout(), Breakout()], 3), "AnyOf takes at most 1 parameters by position"),
        (lambda: Crossing(MovingAverageCross), "write MovingAverageCross(...) to make one"),
    ],
)
def test_a_wrong_vote_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)
