"""A signal whose trades a model allows: which side from one, whether and how much from the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from trained import FEATURES, bars

import workbench as wb
from workbench.errors import ModelError, ParameterError
from workbench.signals import Breakout, Classifier, MetaLabelled, MovingAverageCross, SignalGenerator

PRIMARY = MovingAverageCross(2, 8)
ONE = wb.simulate(bars=60, interval="1h", seed=1)


class Says(SignalGenerator):
    """The same stances, over and over."""

    said: list[float | None]

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        return bars.laid_out(np.resize(np.array(self.said, float), len(bars))[:, None] * np.ones(len(bars.symbols)))


def labels(known: wb.Bars) -> pd.DataFrame:
    return wb.labels.meta_labels(wb.labels.fixed_horizon(known, 5), PRIMARY.stances(known))


def judge(**changes: Any) -> Classifier:
    return Classifier(LogisticRegression(), list(FEATURES), short=False, **changes)


@pytest.mark.parametrize(("outside", "no"), [("hold", np.nan), ("flat", 0.0)])
def test_a_side_times_how_much_by_hand(outside: str, no: float) -> None:
    sides, trusts = Says([1.0, -1.0, 1.0, None, 0.0, -1.0]), Says([1.0, 0.5, 0.0, 1.0, 1.0, None])
    found = MetaLabelled(sides, trusts, outside=outside).stances(ONE).iloc[:6, 0]  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, [1.0, -0.5, no, np.nan, 0.0, no])


def test_who_would_trade_against_the_side_does_not_turn_it_round() -> None:
    found = MetaLabelled(Says([1.0]), Says([-1.0]), outside="flat").stances(ONE)
    assert (found == 0.0).all(axis=None)


def test_a_judge_that_is_sure_makes_larger_trades() -> None:
    trained = judge(conviction=True, threshold=0.45).fit(bars(), labels(bars()))
    found, side = MetaLabelled(PRIMARY, trained).stances(bars()), PRIMARY.stances(bars())
    taken = (found.notna() & (found != 0)).to_numpy()
    assert 10 < taken.sum() < side.size
    made, trust = found.to_numpy()[taken], trained.stances(bars()).to_numpy()[taken]
    np.testing.assert_array_equal(made, side.to_numpy()[taken] * trust)
    assert ((trust > 0) & (trust < 1)).all()


def test_a_walk_forward_trains_the_judge_on_what_was_known() -> None:
    strategy = wb.Strategy(MetaLabelled(PRIMARY, judge(), outside="flat"))
    found = wb.walk_forward(strategy, bars(), labels=labels, folds=3, progress=False)
    for chosen, last in zip(found.strategies, found.folds["train to"], strict=True):
        assert chosen.signal.signal.get_params() == PRIMARY.get_params()
        known = bars().loc[:last]
        assert chosen.signal.judge.trained.sha256 == judge().fit(known, labels(known)).trained.sha256


def test_its_look_back_is_the_longer_one() -> None:
    assert MetaLabelled(Breakout(90), Classifier.example()).lookback == 91
    assert MetaLabelled(Breakout(2), Classifier.example()).lookback == 20


def test_what_is_no_judge_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"MetaLabelled\.judge must be"):
        MetaLabelled(PRIMARY, LogisticRegression())  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="has no trained model yet"):
        MetaLabelled(PRIMARY, judge()).stances(bars())
