"""Several strategies in one paper account, live: the same orders as their backtest, over restarts, lost messages and late bars."""

from __future__ import annotations

from pathlib import Path

import pytest
from paper_serving import Background, Runs, Serving, until
from paper_worlds import FREE, Fed, expected, lived_again, state_of
from run_worlds import World
from worked import OTHER, SHARE

import workbench as wb
from workbench.component import clone
from workbench.errors import RunError
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit
from workbench.live.account import Market, PaperAccountFolder
from workbench.live.release import Release, promote
from workbench.research.comparing import compare
from workbench.risk import MaxExposure, MaxLeverage
from workbench.session.setup import set_up
from workbench.signals import Breakout, MovingAverageCross
from workbench.sizing import FixedFraction, RiskPercent
from workbench.team import layout_of

HISTORY = 20
BARS = wb.simulate([SHARE, OTHER], bars=80, interval="1h", seed=4, missing=0.05).iloc[:70]
TEAM = wb.Team(
    {
        "swing": wb.Strategy(MovingAverageCross(2, 5), RiskPercent(0.01), [AtrStop(5, 1.0), TakeProfit(percent=0.01)]),
        "break-out": wb.Strategy(Breakout(4), FixedFraction(0.6), execution=Limit(0.0002, 2, "cross")),
    },
    {"swing": 0.6, "break-out": 0.4},
    [MaxLeverage(0.7), MaxExposure(0.5, "symbol", "equity")],
)


@pytest.mark.parametrize("seed", range(4))
def test_a_fed_session_does_what_the_backtest_does(seed: int) -> None:
    bars = wb.simulate([SHARE, OTHER], bars=120, interval="1h", seed=seed, missing=0.1)
    fed = Fed(TEAM, bars, HISTORY).run()
    assert fed.differences().empty
    assert len(fed.fills) > 10
    assert {fill.key.instrument.split("/")[0] for fill in fed.venue.executions()} == {"swing", "break-out"}


def test_a_bar_that_comes_late_is_late_for_each_strategy_once_in_the_alerts() -> None:
    fed = Fed(TEAM, BARS, HISTORY)
    whole = [row for row in range(HISTORY, len(BARS)) if BARS.present[row].all()]
    for row in range(HISTORY, len(BARS)):
        late = row in whole[3:6]
        fed.step(without=[SHARE.symbol] if late else ())
        if late:
            fed.come(SHARE.symbol)
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty
    assert len([entry for entry in fed.journal.entries("alert") if "came late" in entry.body["text"]]) <= 1


@pytest.mark.parametrize("stops", [(), (7, 8, 30)], ids=str)
def test_a_run_over_the_wire_is_its_backtest_over_restarts_as_well(tmp_path: Path, stops: tuple[int, ...]) -> None:
    serving = Serving(tmp_path, BARS, HISTORY, layout=layout_of(TEAM)).start()
    runs = Runs(serving, TEAM)
    for stop in stops:
        runner = runs.runner()
        background = Background(runner)
        until(lambda stop=stop: len(list(runs.journal.entries("step"))) >= stop)
        runner.over = "the process is gone"
        background.wait()
    assert runs.run().over == "the recording is over"
    setup = set_up(TEAM, BARS, **serving.account)
    _, record = lived_again(setup, runs.journal, HISTORY)
    assert compare(expected(setup, HISTORY), record, setup.bars).empty
    assert len(record.fills) > 10
    serving.stop()
    runs.journal.close()


def test_the_parity_report_of_a_run_is_empty_and_names_who_a_difference_is_of(tmp_path: Path) -> None:
    world = World(tmp_path, TEAM)
    world.fed.run(25)
    assert world.report().differences.empty
    world.fed.order("flatten")
    world.fed.run()
    report = world.report()
    assert set(report.causes) == {"override"}
    assert set(report.differences["symbol"].str.split("/").str[0]) <= {"swing", "break-out", ""}
    world.journal.close()


def test_a_release_of_a_team_reads_back_and_keeps_its_account_apart(tmp_path: Path) -> None:
    release = Release.open(promote(TEAM, BARS, "both", costs=FREE, folder=tmp_path, start="wait"))
    assert repr(release.strategy) == repr(TEAM.starting("wait"))
    assert release.layout.plain == [["swing", 1], ["break-out", 1]]
    folder = PaperAccountFolder(tmp_path / "account")
    folder.make(release, Market())
    assert folder.traded() == (list(BARS.instruments), "1h", release.layout)
    alone = Release.open(promote(TEAM.strategies["swing"], BARS, "alone", costs=FREE, folder=tmp_path))
    with pytest.raises(RunError, match=r"strategies is \[\['swing', 1\], \['break-out', 1\]\] there, \[\['', 1\]\] here"):
        folder.make(alone, None)


def test_a_team_is_saved_and_loaded_and_is_no_strategy(tmp_path: Path) -> None:
    where = TEAM.save(tmp_path / "team")
    assert repr(wb.Team.load(where)) == repr(TEAM)
    with pytest.raises(wb.errors.StrategyError, match="not a strategy"):
        wb.Strategy.load(where)
    with pytest.raises(wb.errors.StrategyError, match="not a team"):
        wb.Team.load(TEAM.strategies["swing"].save(tmp_path / "one"))


def test_a_team_is_swept_checked_and_varied_by_the_names_of_its_parts() -> None:
    found = wb.sweep(TEAM, BARS, {"strategies__swing__signal__fast": [2, 3]}, costs=FREE, progress=False)
    changed = wb.backtest(clone(TEAM).set_params(strategies__swing__signal__fast=3), BARS, costs=FREE)
    assert found["return %"].tolist()[1] == changed.stats["return %"]
    assert wb.check_parity(TEAM, BARS, costs=FREE).differences.empty
    assert "strategies__break-out__signal__window" in set(wb.sensitivity(TEAM, BARS, costs=FREE).table["changed"])


def test_what_takes_one_strategy_says_so() -> None:
    with pytest.raises(wb.errors.ParameterError, match=r"expected one strategy, got a team: .*team.strategies\['name'\]"):
        wb.walk_forward(TEAM, BARS, {"strategies__swing__signal__fast": [2, 3]})
