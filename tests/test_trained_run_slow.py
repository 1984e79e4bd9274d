"""A trained model in a supervised paper run: promoted, run by papermill in processes of its own, and the same stances as research."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from trained import KINDS, bars, trained

import workbench as wb
from workbench.component import clone
from workbench.errors import RunError
from workbench.execution import Costs
from workbench.exits import AtrStop
from workbench.live.account import PaperAccountFolder
from workbench.live.release import Release
from workbench.live.start import Started
from workbench.sizing import RiskPercent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[1]
#: Bars that have closed when a run begins, and steps that it decides: after the rows that the models were trained on.
HISTORY, STEPS = 150, 80
BARS = bars().iloc[: HISTORY + STEPS]
TERMS = {"cash": 100_000.0, "costs": Costs(commission=0.0, slippage=0.0)}


def strategy(kind: str) -> wb.Strategy:
    return wb.Strategy(trained(kind, conviction=kind == "boosting"), RiskPercent(0.002), [AtrStop(5, 1.0)])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder, with the environment that runs there need."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_STATE", str(folder / "state"))
        patch.setenv("PYTHONPATH", str(ROOT))
        yield folder
        for account in (folder / "accounts").glob("*"):
            PaperAccountFolder(account).end()


@pytest.fixture(scope="module")
def runs(place: Path) -> dict[str, Started]:
    """Return a run of each kind of model, ended: all four at once, for starting takes longer than running."""
    made = {kind: wb.promote(strategy(kind), BARS, kind, folder=place / "releases", **TERMS) for kind in KINDS}
    started = {kind: wb.start(release, bars=BARS, history=HISTORY, root=place) for kind, release in made.items()}
    for one in started.values():
        assert one.wait(240) == 0
    return started


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_says_step_for_step_what_the_backtest_says(runs: dict[str, Started], kind: str) -> None:
    research = wb.backtest(strategy(kind), BARS, **TERMS).setup.inputs.stance[HISTORY:]
    said = [entry.body["stances"] for entry in runs[kind].journal.entries("step")]
    live = np.array([[step.get(symbol, np.nan) for symbol in BARS.symbols] for step in said])
    assert live.shape == (STEPS, 2)
    assert live.tobytes() == np.where(np.isnan(research), np.nan, research).tobytes()
    assert {-1.0, 1.0} <= set(np.sign(live[~np.isnan(live)]))


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_report_finds_no_difference(runs: dict[str, Started], kind: str) -> None:
    report = runs[kind].parity()
    assert (report.differences.empty, report.steps, report.missed, report.orders > 10) == (True, STEPS, 0, True)
    assert f"parity: 0 differences in {report.orders} orders" in runs[kind].notebook.read_text()


def test_a_model_that_has_expired_begins_no_run_and_is_not_started_again(place: Path) -> None:
    late = clone(trained("logistic")).set_params(model=trained("logistic").trained.noted(expires=BARS.index[HISTORY]))
    release = wb.promote(wb.Strategy(late), BARS, "late", folder=place / "releases", **TERMS)
    run = wb.start(release, bars=BARS, history=HISTORY, root=place)
    with pytest.raises(RunError, match=f"the run ended: the model {late.trained.id} expired at .* train it again") as caught:
        run.wait(120)
    assert len(list((place / "late").glob("*.ipynb"))) == 1
    assert "exit code 1" in str(caught.value)
    assert [entry.kind for entry in run.journal.entries()] == ["end"]
    assert f"the model {late.trained.id} expired at" in run.status["over"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_ran_was_the_promoted_model_to_the_last_byte(runs: dict[str, Started], kind: str) -> None:
    release = Release.open(runs[kind].release.folder)
    assert release.strategy.signal.model == trained(kind).trained  # type: ignore[attr-defined]
