"""Every trial is counted, once, by several processes at once and over a death in the middle of a line."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import DataError, ParameterError
from workbench.research.validation import Study, Trial, deflated_sharpe, moments, probabilistic_sharpe

ROOT = Path(__file__).resolve().parents[1]
BARS = wb.simulate(days=30, interval="1h", seed=1)


def run(fast: int = 5, slow: int = 30, bars: wb.Bars = BARS, cash: float = 100_000) -> Any:
    return wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(fast, slow)), bars, cash=cash)


def made_up(count: int) -> list[Trial]:
    """Return trials of different strategies, with Sharpe ratios of their own."""
    random = np.random.default_rng(1).normal(0, 0.05, count)
    one = Trial.of(run())
    return [replace(one, strategy=f"{k:016x}", outcome=f"{k:016x}", sharpe=float(ratio)) for k, ratio in enumerate(random)]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "studies" / "study.jsonl")


def test_a_trial_is_what_was_measured() -> None:
    result, trial = run(), Trial.of(run())
    assert (trial.sharpe, trial.periods, trial.skew, trial.kurtosis) == moments(result)
    assert trial.parameters == repr(result.strategy)
    assert [trial.strategy, trial.bars, trial.account] == [result.fingerprint[name] for name in ("strategy", "bars", "account")]


def test_the_same_trial_counts_once(study: Study) -> None:
    assert study.record(run()) is True
    assert study.record(run()) is False
    assert Study(study.path).record(run()) is False
    assert study.record_many([run(6), run(7), run(6), run()]) == 2
    assert len(study) == len(Study(study.path)) == 3


@pytest.mark.parametrize(
    "other", [{"fast": 6}, {"bars": wb.simulate(days=30, interval="1h", seed=2)}, {"cash": 50_000}], ids=["strategy", "bars", "account"]
)
def test_another_strategy_market_or_account_is_another_trial(study: Study, other: dict[str, Any]) -> None:
    assert study.record_many([run(), run(**other)]) == 2


def test_trials_are_a_table(study: Study) -> None:
    assert study.trials.empty
    study.record_many([run(fast) for fast in (5, 6)])
    table = study.trials
    assert table["parameters"].str.contains("MovingAverageCross").all()
    assert table["sharpe"].tolist() == [moments(run(fast)).sharpe for fast in (5, 6)]
    assert str(table["time"].dt.tz) == "UTC"
    assert Study(study.path).trials.equals(table)


def test_a_parameter_that_changes_nothing_is_no_other_outcome(study: Study) -> None:
    study.record_many([run(), run(6), replace(Trial.of(run()), strategy="with another name")])
    assert (len(study), study.effective_trials()) == (3, 2)


# -- deflation ------------------------------------------------------------------------------------------------------------


def test_all_trials_deflate(study: Study) -> None:
    result = run()
    study.record_many(made_up(99))
    found, trials = study.deflated(result), study.trials
    assert len(trials) == 100
    assert found == deflated_sharpe(result, trials=100, variance=float(trials["sharpe"].var()))
    assert found < probabilistic_sharpe(result)


def test_what_is_judged_was_tried(study: Study) -> None:
    assert study.deflated(run()) == probabilistic_sharpe(run())
    assert len(study) == 1


def test_a_trial_without_a_ratio_counts_all_the_same(study: Study) -> None:
    flat = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(700, 750)), BARS)
    study.record_many([run(), run(6), flat])
    assert math.isnan(study.trials["sharpe"].iloc[-1])
    assert math.isnan(Study(study.path).trials["sharpe"].iloc[-1])
    ratios = study.trials["sharpe"]
    assert study.deflated(run()) == deflated_sharpe(run(), trials=3, variance=float(ratios.var()))


# -- the file -------------------------------------------------------------------------------------------------------------


def test_a_thousand_trials_are_one_write(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    many = made_up(1000)
    assert (study.record_many(many), study.record_many(many)) == (1000, 0)
    assert len(synced) == 1
    assert len(Study(study.path)) == 1000


@pytest.mark.parametrize("kept", [1, 40, -1], ids=["a brace", "half a line", "all but its end"])
def test_a_torn_last_line_is_no_trial_and_does_no_harm(study: Study, kept: int) -> None:
    study.record_many([run(5), run(6)])
    whole = study.path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    study.path.write_bytes(whole[: -len(last)] + last[:kept])
    survivor = Study(study.path)
    assert len(survivor) == 1
    assert survivor.record_many([run(6), run(7)]) == 2
    assert [json.loads(line)["strategy"] for line in study.path.read_text().splitlines()] == survivor.trials["strategy"].tolist()


def test_a_damaged_line_is_told_of(study: Study) -> None:
    study.record_many([run(5), run(6)])
    lines = study.path.read_text().splitlines(keepends=True)
    study.path.write_text(lines[0][:50] + "\n" + lines[1])
    with pytest.raises(DataError, match=r"line 1 from byte 0 on.* the count of trials cannot be trusted"):
        len(Study(study.path))


def test_a_study_never_becomes_shorter(study: Study) -> None:
    study.record(run())
    study.path.unlink()
    with pytest.raises(DataError, match="has become shorter: a study is only ever appended to"):
        study.record(run(6))


def test_two_studies_of_one_file_see_each_other(study: Study) -> None:
    other = Study(study.path)
    study.record(run(5))
    other.record(run(6))
    assert study.record(run(6)) is False
    assert len(study) == len(other) == 2


RECORD = """
import sys
from workbench.research.validation import Study, Trial
study, one = Study(sys.argv[1]), int(sys.argv[2])
for k in range(40):
    # every second trial is the other process's too
    name = f"both {k}" if k % 2 else f"{one} {k}"
    study.record(Trial(name, "bars", "account", "P()", 0.1, 100, 0.0, 3.0, name))
"""


def test_several_processes_record_at_once(study: Study) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    workers = [subprocess.Popen([sys.executable, "-c", RECORD, str(study.path), str(one)], env=environment) for one in range(2)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    assert len(study) == 2 * 20 + 20
    assert len(study.path.read_text().splitlines()) == 60


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda study: study.record(run().stats), "a study records a Backtest or a Trial, got Series"),
        (lambda study: study.deflated(Trial.of(run())), "deflated takes the Backtest that was chosen, got Trial"),
    ],
    ids=["figures", "a trial"],
)
def test_what_is_no_backtest_is_refused(study: Study, call: Any, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        call(study)
