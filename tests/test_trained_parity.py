"""A trained model says the same of a bar in research, in replay and in a live session, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from paper_worlds import Fed
from run_worlds import World
from trained import FEATURES, KINDS, bars, estimator, labels, trained

import laws
import workbench as wb
from workbench.exits import AtrStop
from workbench.signals import Classifier, Majority, MovingAverageCross
from workbench.sizing import RiskPercent

CONVINCED = {kind: {"conviction": True} if kind == "boosting" else {} for kind in KINDS}


def strategy(kind: str) -> wb.Strategy:
    return wb.Strategy(trained(kind, **CONVINCED[kind]), RiskPercent(0.002), [AtrStop(5, 1.0)])


@pytest.mark.parametrize("kind", KINDS)
def test_rule_6_the_newest_row_alone_is_that_of_the_batch(kind: str) -> None:
    signal, given = trained(kind, **CONVINCED[kind]), bars()
    whole = signal.stances(given).to_numpy()
    assert {-1.0, 1.0} <= set(np.sign(whole[~np.isnan(whole)]))
    for t in (0, 3, 9, *range(10, len(given), 12)):
        laws.require_equal(signal.newest(given.iloc[: t + 1]), whole[t], f"{kind} at row {t}")


@pytest.mark.parametrize("kind", KINDS)
def test_research_and_replay_agree_order_by_order(kind: str) -> None:
    report = wb.check_parity(strategy(kind), bars(), cash=100_000, cuts=8)
    assert (len(report.differences), report.orders > 10) == (0, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_live_session_is_its_backtest(kind: str) -> None:
    fed = Fed(strategy(kind), bars().iloc[:60], 20).run()
    assert fed.differences().empty
    assert len(fed.recorder.record().fills) > 3


def test_a_run_and_its_journal_have_no_differences(tmp_path: Path) -> None:
    world = World(tmp_path, strategy("logistic"))
    world.fed.run()
    report = world.report()
    assert (report.differences.empty, report.orders >= 2, report.steps) == (True, True, 60)
    world.journal.close()


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_of_a_journal_holds_the_stances_of_research(kind: str) -> None:
    fed = Fed(strategy(kind), bars().iloc[:60], 20).run()
    research = wb.backtest(strategy(kind), bars().iloc[:60]).setup.inputs.stance
    said = [entry.body["stances"] for entry in fed.journal.entries("step")]
    assert [list(map(step.get, bars().symbols)) for step in said] == [
        [None if stance != stance else stance for stance in row] for row in research[20:].tolist()
    ]


def test_a_model_that_votes_is_its_backtest() -> None:
    votes = wb.Strategy(Majority([trained("logistic"), MovingAverageCross(2, 5), MovingAverageCross(3, 9)], hold=20))
    assert Fed(votes, bars().iloc[:70], 20).run().differences().empty


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_after_the_training_rows_changes_nothing(kind: str) -> None:
    early = bars().iloc[:120]
    known = labels(bars()).where(bars().index.to_series().lt(early.index[-1]), np.nan)
    one = Classifier(estimator(kind), list(FEATURES)).fit(early, labels(early))
    two = Classifier(estimator(kind), list(FEATURES)).fit(bars(), known)
    assert one.trained.card.rows == two.trained.card.rows > 150
    assert one.trained.sha256 == two.trained.sha256
    laws.require_equal(one.stances(bars()).to_numpy(), two.stances(bars()).to_numpy(), kind)
