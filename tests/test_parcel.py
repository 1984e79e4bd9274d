"""A task on its way to another machine: it arrives whole, with the code that is not installed there."""

from __future__ import annotations

import importlib
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb
from workbench.research.parallel import Task
from workbench.research.parcel import Parcel, opened, packed
from workbench.session.setup import set_up

BARS = wb.simulate("SIM", bars=300, interval="1h", seed=3)
OWN = """
import json

import workbench as wb

def mean(close, window):
    return close.rolling(window).mean()

class Above(wb.signals.SignalGenerator):
    window: int = 5

    def generate(self, bars):
        return (bars.close > mean(bars.close, self.window)) * float(json.dumps(1))
"""
#: What a worker does: it has the workbench, and not the user's files.
WORKER = """
import pickle, sys
parcel = pickle.load(sys.stdin.buffer)
(outcome,) = parcel.open().run([{"signal__window": 7}])
print(outcome.figures["end equity"])
"""


def task_of(strategy: wb.Strategy) -> Task:
    return Task.of(set_up(strategy, BARS), candidates=3, with_trials=False)


def test_it_arrives_as_it_was_sent() -> None:
    task = task_of(wb.Strategy(wb.signals.MovingAverageCross(5, 20)))
    arrived = pickle.loads(pickle.dumps(Parcel.of(task))).open()
    candidates = [{"signal__fast": 3}, {"signal__fast": 30}]
    assert repr(arrived.run(candidates)) == repr(task.run(candidates))


def test_its_size_is_that_of_the_bars() -> None:
    parcel = Parcel.of(task_of(wb.Strategy(wb.signals.MovingAverageCross(5, 20))))
    assert sys.getsizeof(parcel) >= 5 * BARS.close.to_numpy().nbytes
    assert len(parcel.rest) < 5_000


def test_a_file_of_ones_own_comes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parts_beside_a_notebook.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("parts_beside_a_notebook").Above
    sent = pickle.dumps(Parcel.of(task_of(wb.Strategy(own()))))
    done = subprocess.run([sys.executable, "-c", WORKER], input=sent, capture_output=True, check=True, timeout=120)
    assert float(done.stdout) == wb.backtest(wb.Strategy(own(7)), BARS).equity.iloc[-1]


def test_what_is_installed_is_named_and_not_sent() -> None:
    assert len(packed([wb.signals.MovingAverageCross, json.dumps, pytest.raises])) < 200
    assert opened(packed(json.dumps)) is json.dumps
