"""Planted leaks: `check_causality` catches every one, names the part that leaks, however deep, and gives the first row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from leaks import LEAKS

import laws
from workbench import Bars, Strategy, check_causality, simulate
from workbench.component import Component
from workbench.errors import CausalityError
from workbench.exits import AtrStop, Exit
from workbench.signals import (
    AllAgree,
    AnyOf,
    Breakout,
    Crossing,
    Majority,
    MetaLabelled,
    MovingAverageCross,
    SignalGenerator,
    TimeOfDay,
    VolatilityRegime,
    Weighted,
)
from workbench.sizing import RiskPercent

HOURS = simulate(["A", "B"], bars=110, interval="1h", seed=5)
EVERY_LEAK = pytest.mark.parametrize("leak", LEAKS, ids=laws.named)


class WidestStop(Exit):
    """A leak: the largest range of the full sample."""

    def distance(self, bars: Bars) -> pd.DataFrame:
        return bars.close * 0 + (bars.high - bars.low).max()


@pytest.mark.parametrize("leak", [*LEAKS, WidestStop()], ids=laws.named)
def test_a_planted_leak_is_caught_and_named(leak: Component) -> None:
    report = check_causality(leak, HOURS)
    assert not report.passed
    assert set(report.failures["component"]) == {laws.named(leak)}
    assert report.failures["time"].isin(HOURS.index).all()
    with pytest.raises(CausalityError, match=f"{laws.named(leak)} looks ahead: at 20"):
        report.require()


@EVERY_LEAK
def test_the_first_row_that_differs_is_given(leak: SignalGenerator) -> None:
    first = check_causality(leak, HOURS, cuts=len(HOURS)).failures.iloc[0]
    row = HOURS.index.get_loc(first["time"])
    whole = leak.stances(HOURS).to_numpy()
    cut = [leak.stances(HOURS.iloc[: t + 1]).to_numpy()[-1] for t in range(row + 1)]
    for t in range(row):
        laws.require_equal(cut[t], whole[t], "an earlier row")
    differs = np.flatnonzero(~((cut[row] == whole[row]) | (np.isnan(cut[row]) & np.isnan(whole[row]))))[0]
    np.testing.assert_array_equal((first["expected"], first["got"]), (whole[row, differs], cut[row][differs]))


@EVERY_LEAK
def test_a_leak_inside_a_strategy_is_named(leak: SignalGenerator) -> None:
    report = check_causality(Strategy(leak, RiskPercent(), [AtrStop()]), HOURS)
    assert set(report.failures["component"]) == {laws.named(leak)}


def composites(leak: SignalGenerator) -> list[SignalGenerator]:
    return [
        AllAgree([MovingAverageCross(2, 9), leak]),
        Majority([Breakout(9), leak, MovingAverageCross(2, 9)]),
        Weighted([leak, Breakout(5)], [1, 9]),
        Crossing(leak),
        TimeOfDay(leak, zone="UTC"),
        MetaLabelled(leak, Breakout(5)),
        MetaLabelled(MovingAverageCross(2, 9), leak, outside="flat"),
        AnyOf([Breakout(5), VolatilityRegime(Crossing(leak), 5, 10)]),
    ]


@EVERY_LEAK
def test_the_voter_that_leaks_is_named_and_not_the_vote(leak: SignalGenerator) -> None:
    for composite in composites(leak):
        report = check_causality(composite, HOURS, cuts=12)
        assert set(report.failures["component"]) == {laws.named(leak)}, repr(composite)
        with pytest.raises(CausalityError, match=f"^{laws.named(leak)} looks ahead"):
            report.require()


class Hindsight(AllAgree):
    """A vote that looks ahead itself: it counts what its voters will say at the next bar."""

    def opinions(self, bars: Bars) -> np.ndarray:
        return np.roll(super().opinions(bars), -1, axis=1)


def test_a_vote_that_leaks_by_itself_is_named() -> None:
    report = check_causality(Hindsight([MovingAverageCross(2, 5), Breakout(4)]), HOURS)
    assert set(report.failures["component"]) == {"Hindsight"}


def test_two_voters_that_leak_are_both_named() -> None:
    report = check_causality(AllAgree([LEAKS[0], MovingAverageCross(2, 9), AnyOf([LEAKS[3], Breakout()])]), HOURS, cuts=12)
    assert report.failures["component"].drop_duplicates().tolist() == [laws.named(LEAKS[0]), laws.named(LEAKS[3])]
