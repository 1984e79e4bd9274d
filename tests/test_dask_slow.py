"""The same calls on a Dask cluster of two processes: the same tables, whatever is the user's own, at little cost."""

from __future__ import annotations

import importlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from distributed import Client, LocalCluster

import workbench as wb
from workbench.errors import ParameterError
from workbench.research import parallel
from workbench.research.unfinished import Unfinished
from workbench.sizing import FixedFraction, FixedQuantity, RiskPercent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BARS = wb.simulate("SIM", bars=600, interval="1h", seed=3)
STRATEGY = wb.Strategy(wb.signals.MovingAverageCross(5, 20), exits=[wb.exits.AtrStop(5)])
GRID = {"signal__fast": [3, 5, 8, 25], "signal__slow": [20, 30]}
#: A user's own signal, as in a cell or a file; what it calls is the user's too.
OWN = """
import numpy as np
import workbench as wb

def mean(close, window):
    if window == 13:
        raise ValueError("thirteen brings bad luck")
    return close.rolling(window).mean()

class Above(wb.signals.SignalGenerator):
    window: int = 5

    def generate(self, bars):
        return np.sign(bars.close - mean(bars.close, self.window))
"""
WINDOWS = {"signal__window": [3, 5, 9, 20, 40]}


class Counted:
    """Counts what a scheduler was given from now on, by the beginning of its name."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.before = set(scheduler.tasks)  # an earlier test's may be let go of only now, which is no giving
        self.keys: set[str] = set()

    def __getattr__(self, name: str) -> Any:  # every other event of a scheduler is no concern of ours
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_, **__: None

    def transition(self, key: str, *_: Any, **__: Any) -> None:
        if key not in self.before:
            self.keys.add(key)

    def of(self, name: str) -> int:
        """Return how many there were, once the scheduler has let go of what was sent: it does so a moment after the answer."""
        until = time.monotonic() + 30
        while any(key.startswith("Parcel") for key in list(self.scheduler.tasks)) and time.monotonic() < until:
            time.sleep(0.01)
        return sum(key.startswith(name) for key in self.keys)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two processes, on free ports of this machine."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1", "dashboard_address": None}
    with LocalCluster(**options) as made, Client(made, timeout=30):
        yield made


@pytest.fixture
def counted(cluster: Any) -> Iterator[Counted]:
    """Return a count of what a test gives the cluster, all of whose calls run there."""
    count = Counted(cluster.scheduler)
    cluster.scheduler.add_plugin(count, name="counted")
    with joblib.parallel_config(backend="dask"):
        yield count
    cluster.scheduler.remove_plugin("counted")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every candidate be a piece of work of its own."""
    monkeypatch.setattr(parallel, "chunk_size", lambda *_: 1)


def swept(strategy: wb.Strategy = STRATEGY, grid: Any = GRID, **options: Any) -> Any:
    return wb.sweep(strategy, BARS, grid, progress=False, **options)


def alone(strategy: wb.Strategy = STRATEGY, grid: Any = GRID, **options: Any) -> Any:
    """Return the sweep by this process."""
    with joblib.parallel_config(backend="sequential"):
        return swept(strategy, grid, **options)


def require_same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(left), pd.DataFrame(right), check_exact=True)


@pytest.fixture(params=["a cell", "a file"])
def own(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the class of a user's own signal; no worker can import either."""
    if request.param == "a file":
        (tmp_path / "parts_of_mine.py").write_text(OWN)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "parts_of_mine", raising=False)
        return importlib.import_module("parts_of_mine").Above
    cell: dict[str, Any] = {"__name__": "__main__"}
    exec(OWN, cell)
    monkeypatch.setattr(sys.modules["__main__"], "Above", cell["Above"], raising=False)
    return cell["Above"]


@pytest.mark.usefixtures("apart")
def test_a_sweep_is_the_same_table(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    there = swept()
    assert counted.of("batch_of_") == 6
    require_same(there, alone())
    monkeypatch.setattr(parallel, "_backend", lambda *_: "loky")
    with joblib.parallel_config(backend="loky"):
        require_same(there, swept(jobs=2))


@pytest.mark.usefixtures("apart", "counted")
def test_combinations_that_make_no_strategy_are_told_and_left_out() -> None:
    there, here = swept(), alone()
    assert there.refused.index.tolist() == [6]
    pd.testing.assert_frame_equal(there.refused, here.refused)


@pytest.mark.usefixtures("apart", "counted")
def test_whole_parts_travel() -> None:
    grid = {"sizer": [FixedFraction(0.5), RiskPercent(0.02)], "signal__fast": [3, 5, 8]}
    require_same(swept(grid=grid), alone(grid=grid))


@pytest.mark.usefixtures("counted")
def test_a_study_counts_what_ran_elsewhere(tmp_path: Path) -> None:
    swept(study=tmp_path / "there.jsonl")
    alone(study=tmp_path / "here.jsonl")
    there, here = (wb.validation.Study(tmp_path / name) for name in ("there.jsonl", "here.jsonl"))
    result = wb.backtest(STRATEGY, BARS)
    assert len(there) == 7
    assert there.deflated(result) == here.deflated(result)


def test_a_search_is_the_same_search(counted: Counted) -> None:
    space = {"signal__fast": (2, 15), "signal__slow": (20, 60), "exits__atrstop__multiple": (1.0, 4.0)}
    there = wb.search(STRATEGY, BARS, space, trials=20, progress=False)
    assert counted.of("batch_of_") > 0
    with joblib.parallel_config(backend="sequential"):
        require_same(there, wb.search(STRATEGY, BARS, space, trials=20, progress=False))


@pytest.mark.usefixtures("apart")
def test_what_no_worker_can_import_comes_with_its_code(own: Any, counted: Counted) -> None:
    strategy = wb.Strategy(own(), FixedQuantity(3))
    require_same(swept(strategy, WINDOWS), alone(strategy, WINDOWS))
    signals = {"signal": [own(window) for window in WINDOWS["signal__window"]]}
    require_same(swept(grid=signals), alone(grid=signals))
    assert counted.of("batch_of_") == 2 * 3


@pytest.mark.usefixtures("apart", "counted")
def test_an_error_in_ones_own_part_is_told_as_it_was_raised(own: Any) -> None:
    with pytest.raises(ValueError, match="thirteen brings bad luck"):
        swept(wb.Strategy(own(), FixedQuantity(3)), {"signal__window": [3, 5, 9, 13, 40]})
    require_same(swept(), alone())


@pytest.mark.usefixtures("counted")
def test_a_grid_of_nothing_is_refused() -> None:
    with pytest.raises(ParameterError, match="no combination makes a strategy"):
        swept(grid={"signal__fast": [30, 40, 50], "signal__slow": [20]})


@pytest.mark.usefixtures("apart", "counted")
def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, add, added = tmp_path / "sweep.jsonl", Unfinished.add, []

    def interrupted(self: Unfinished, number: int, outcome: Any) -> None:
        add(self, number, outcome)
        added.append(number)
        if len(added) == 4:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Unfinished, "add", interrupted)
    with pytest.raises(KeyboardInterrupt):
        swept(resume=kept)
    assert len(kept.read_text().splitlines()) == 1 + 4
    require_same(swept(resume=kept), alone())
    assert sorted(added) == list(range(8))


def test_a_thousand_small_backtests_are_a_few_pieces_of_work(counted: Counted) -> None:
    grid = {"signal__fast": range(2, 27), "signal__slow": range(30, 110, 2)}
    here = alone(grid=grid)
    require_same(swept(grid=grid), here)  # the workers load the compiled kernel
    assert 2 <= counted.of("batch_of_") < 100
    assert counted.of("Parcel") == 1
    began = time.perf_counter()
    swept(grid=grid)
    between = time.perf_counter()
    alone(grid=grid)
    print(f"\n1,000 combinations: {between - began:.2f} s on Dask, {time.perf_counter() - between:.2f} s here alone")


def test_bars_and_strategy_are_sent_once(counted: Counted, apart: None) -> None:
    swept()
    assert counted.of("batch_of_") == 6
    assert counted.of("Parcel") == 1
