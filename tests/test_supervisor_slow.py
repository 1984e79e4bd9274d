"""A supervised paper run by its commands: refused before it starts, watched, stopped, killed, and the same after each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_kernel import Kernel
from torture.kills import torture

import workbench as wb
from workbench.errors import RunError
from workbench.journal import Journal
from workbench.live.account import PaperAccountFolder
from workbench.live.lease import Lease
from workbench.live.parity import parity
from workbench.live.release import Release

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[1]
#: Bars of a recording, and those of them that have closed when it begins.
BARS, HISTORY = 400, 100
STRATEGY = wb.Strategy(
    wb.signals.MovingAverageCross(3, 8), wb.sizing.RiskPercent(0.01), [wb.exits.AtrStop(5, 1.0)], [wb.risk.MaxLeverage(1.0)]
)


class Place:
    """A folder with a release in it, and the commands run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"WORKBENCH_STATE": str(folder / "state"), "PYTHONPATH": str(ROOT)}
        self.bars = wb.simulate("SIM", bars=BARS, interval="1h", seed=5)
        self.bars["SIM"].to_parquet(folder / "SIM_1h.parquet")
        self.release = wb.promote(STRATEGY, self.bars, "trend", folder=folder / "releases")
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str, group: bool = False) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "workbench.cli", *options]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=group,
        )
        self.started.append(process)
        return process

    def command(self, *options: str) -> tuple[int, str]:
        process = self.start(*options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out + err

    def run(self, *options: str) -> subprocess.Popen[str]:
        return self.start("run", "releases/trend", "--history", str(HISTORY), *options)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "runs" / "trend" / "journal.db")

    @property
    def status(self) -> dict[str, Any]:
        if not (self.folder / "runs" / "trend" / "journal.db").is_file():
            return {}
        beat = self.journal.beats().get("session")
        return beat.body if beat else {}

    def wait(self, steps: int, patience: float = 60.0) -> None:
        until = time.monotonic() + patience
        while self.status.get("steps", 0) < steps:
            assert time.monotonic() < until, self.status
            time.sleep(0.05)

    def kernel(self) -> int:
        os.environ["WORKBENCH_STATE"] = self.environment["WORKBENCH_STATE"]
        return int(Lease("paper-trend", "session").holder["pid"])

    def notebooks(self) -> list[Path]:
        return sorted((self.folder / "runs" / "trend").glob("*.ipynb"))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("WORKBENCH_STATE", str(tmp_path / "state"))
    made = Place(tmp_path)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    for account in (tmp_path / "runs" / "accounts").glob("*"):
        PaperAccountFolder(account).end()


def text_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join("".join(out.get("text", "")) + "".join(out.get("data", {}).get("text/plain", "")) for out in outputs)


# -- the whole way ----------------------------------------------------------------------------------------------------


def test_late_bars_are_practised_with_and_named(place: Place) -> None:
    run = place.run("--bars", "SIM_1h.parquet", "--late", "0.1")
    out, err = run.communicate(timeout=120)
    assert (run.returncode, "the recording is over" in out) == (0, True), err
    report = parity(Release.open(place.release), place.journal)
    assert (set(report.causes), report.late > 10, report.missed) == ({"late"}, True, 0)
    assert f"{report.late} late bars" in text_of(place.notebooks()[-1])


def test_a_recording_is_run_to_its_end_and_nothing_differs(place: Place) -> None:
    run = place.run("--bars", "SIM_1h.parquet")
    out, err = run.communicate(timeout=120)
    assert (run.returncode, "the recording is over" in out) == (0, True), err
    assert place.status["steps"] == BARS - HISTORY
    report = parity(Release.open(place.release), place.journal)
    assert report.differences.empty
    assert report.orders > 30
    assert "parity: 0 differences in" in text_of(place.notebooks()[-1])
    assert "the recording is over" in place.command("runs")[1]


def test_a_signal_written_in_a_notebook_cell_is_promoted_and_run_in_a_fresh_process(place: Place, tmp_path: Path) -> None:
    notebook = Kernel()
    try:
        notebook.wait()
        notebook.run("import workbench as wb\nimport numpy as np")
        notebook.run(
            """
            class Turns(wb.signals.SignalGenerator):
                window: int = 4
                def generate(self, bars):
                    return np.sign(bars.close - bars.close.rolling(self.window).mean())
            """
        )
        notebook.run("strategy = wb.Strategy(Turns(6), wb.sizing.FixedFraction(0.5))")
        notebook.run(f"wb.promote(strategy, wb.simulate('SIM', bars=9, interval='1h'), 'own', folder={str(tmp_path / 'releases')!r})")
    finally:
        notebook.client.stop_channels()
        notebook.manager.shutdown_kernel(now=True)
    code, said = place.command("run", "releases/own", "--history", str(HISTORY), "--bars", "SIM_1h.parquet")
    assert code == 0, said
    report = parity(Release.open(tmp_path / "releases" / "own"), Journal(tmp_path / "runs" / "own" / "journal.db"))
    assert report.differences.empty
    assert report.orders > 30


def test_several_strategies_share_an_account_and_come_back_from_a_killed_kernel(place: Place) -> None:
    team = wb.Team({"trend": STRATEGY, "break-out": wb.Strategy(wb.signals.Breakout(6))}, {"trend": 0.6, "break-out": 0.4})
    folder = wb.promote(team, place.bars, "trend", folder=place.folder / "teams")
    run = place.start("run", str(folder), "--history", str(HISTORY), "--bars", "SIM_1h.parquet")
    place.wait(60)
    os.kill(place.kernel(), signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, "the recording is over" in out) == (0, True), err
    report = parity(Release.open(folder), place.journal)
    assert report.explained
    assert {entry.body["instrument"] for entry in place.journal.entries("intent")} == {"trend/SIM", "break-out/SIM"}
    assert report.steps == BARS - HISTORY


def test_one_step_at_a_time_by_command(place: Place) -> None:
    for number in range(3):
        code, said = place.command("run", "releases/trend", "--history", str(HISTORY), "--bars", "SIM_1h.parquet", "--step")
        assert (code, "one step is decided" in said) == (0, True), said
        assert place.status["steps"] == number + 1
    report = parity(Release.open(place.release), place.journal)
    assert (report.steps, report.missed, len(report.differences)) == (3, 0, 0)


# -- refused before anything happens ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("run", "releases/trnd"), "no release in releases/trnd; did you mean 'trend'?"),
        (("run", "releases/trend", "--mod", "paper"), "No such option: --mod"),
        (("run", "releases/trend", "--mode", "papr"), "--mode must be 'paper', got 'papr'"),
        (("run", "releases/trend", "--speed", "fast"), "Invalid value for '--speed'"),
        (("run", "releases/trend", "--bars", "nowhere.parquet"), "nowhere.parquet"),
        (("stop", "trnd"), "no run 'trnd' in runs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_typo_stops_the_start(place: Place, options: tuple[str, ...], said: str) -> None:
    code, out = place.command(*options)
    assert code == 2
    assert said in out
    assert "Traceback" not in out
    assert place.notebooks() == []


def test_a_changed_byte_is_refused(place: Place) -> None:
    text = place.release / "strategy" / "strategy.json"
    text.write_text(text.read_text().replace('"slow": 8', '"slow": 9'))
    code, out = place.command("run", "releases/trend")
    assert (code, "is not what was promoted" in out, place.notebooks()) == (2, True, [])


def test_a_second_run_on_the_account_is_refused(place: Place) -> None:
    place.run()
    place.wait(3)
    code, out = place.command("run", "releases/trend")
    assert code == 2
    assert "the account 'paper-trend' is traded by another run: process" in out
    assert len(place.notebooks()) == 1


# -- stopped, killed, and the same again ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_cleanly(place: Place, number: signal.Signals) -> None:
    run = place.run()
    place.wait(5)
    asked = time.monotonic()
    run.send_signal(number)
    out, _ = run.communicate(timeout=60)
    print(f"\n{number.name} to exit: {time.monotonic() - asked:.1f} s")
    assert run.returncode == 0
    assert f"the run ended: stopped by the supervisor, which got {number.name}" in out
    assert len(list(place.journal.entries("end"))) == 1
    assert "parity: 0 differences in" in text_of(place.notebooks()[-1])  # the cells after the loop ran too


def test_ctrl_c_in_a_terminal_ends_it_cleanly(place: Place) -> None:
    run = place.start("run", "releases/trend", "--history", str(HISTORY), group=True)
    place.wait(5)
    os.killpg(run.pid, signal.SIGINT)  # a terminal sends it to all of its processes
    out, _ = run.communicate(timeout=60)
    assert (run.returncode, "the run ended: stopped by the supervisor, which got SIGINT" in out) == (0, True), out
    assert "parity: 0 differences in" in text_of(place.notebooks()[-1])
    place.run()
    place.wait(place.status["steps"] + 3)  # the stop of the run before ends nothing


def test_papermill_goes_with_its_supervisor_however_early_that_went(place: Place) -> None:
    run = place.run()
    papermill = 0
    while not papermill:
        found = subprocess.run(["pgrep", "-P", str(run.pid), "-f", "workbench.live.child"], capture_output=True, text=True, check=False)
        papermill = int(found.stdout.split()[0]) if found.stdout else 0
    os.kill(run.pid, signal.SIGKILL)
    gone = time.monotonic() + 20
    while Path(f"/proc/{papermill}").exists():
        assert time.monotonic() < gone
        time.sleep(0.05)


def test_a_run_is_ordered_about_from_the_shell(place: Place) -> None:
    place.run()
    place.wait(3)
    for what, said in (("pause", "applied: PAUSED"), ("flatten", "applied: "), ("resume", "applied: RUNNING")):
        assert said in place.command("order", "trend", what)[1]
    assert place.command("order", "trend", "resum") == (
        2,
        "workbench: a run is told to pause, resume, reduce, flatten, arm, approve, veto, resize, absent, got 'resum'; "
        "did you mean 'resume'?\n",
    )


def test_the_venue_that_a_step_leaves_is_ended_by_a_stop(place: Place) -> None:
    code, said = place.command("run", "releases/trend", "--history", str(HISTORY), "--step")
    assert (code, "the paper venue stays up, process" in said) == (0, True), said
    assert "was ended: its market stands still" in place.command("stop", "trend")[1]
    assert place.command("stop", "trend")[0] == 2


def test_a_second_start_from_a_notebook_is_refused_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.folder)
    first = wb.start(place.release, history=HISTORY, root=place.folder / "runs")
    with pytest.raises(RunError, match="the run was not started: the account 'paper-trend' is traded by another run"):
        wb.start(place.release, history=HISTORY, root=place.folder / "runs")
    first.stop()


def test_the_stop_command_ends_it_and_the_same_command_goes_on(place: Place) -> None:
    run = place.run()
    place.wait(5)
    assert "applied: the run ends" in place.command("stop", "trend")[1]
    assert run.wait(60) == 0
    assert place.command("stop", "trend") == (2, "workbench: the run 'trend' does not run, so there is nothing to stop\n")
    steps = place.status["steps"]
    place.run()
    place.wait(steps + 5)
    assert place.command("stop", "trend")[0] == 0
    assert parity(Release.open(place.release), place.journal).differences.empty


@pytest.mark.parametrize("whom", ["kernel", "papermill"])
def test_a_death_is_noticed_within_five_seconds_and_mended(place: Place, whom: str) -> None:
    place.run()
    place.wait(5)
    pid = place.kernel()
    if whom == "papermill":
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    before, killed = place.status["steps"], time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while len(place.notebooks()) < 2:
        assert time.monotonic() < killed + 5
        time.sleep(0.02)
    print(f"\n{whom} killed, started again after {time.monotonic() - killed:.1f} s")
    place.wait(before + 5)
    assert place.command("stop", "trend")[0] == 0
    assert parity(Release.open(place.release), place.journal).differences.empty


def test_kill_halts_the_session(place: Place) -> None:
    place.run()
    place.wait(5)
    code, said = place.command("kill", "trend")
    assert (code, "protective orders stay" in said, "session: applied: HALTED" in said) == (0, True, True), said
    until = time.monotonic() + 5
    while place.status["mode"] != "HALTED":
        assert time.monotonic() < until, place.status
        time.sleep(0.05)


def test_kill_ends_a_session_that_hangs_and_the_next_is_halted_before_it_decides(place: Place) -> None:
    place.run()
    place.wait(5)
    hung, decided = place.kernel(), place.status["steps"]
    os.kill(hung, signal.SIGSTOP)
    asked = time.monotonic()
    code, said = place.command("kill", "trend")
    print(f"\nkill of a hung session: {time.monotonic() - asked:.1f} s")
    assert (code, "venue: " in said, f"process {hung} was ended" in said) == (0, True, True), said
    until = time.monotonic() + 30
    while place.status.get("mode") != "HALTED":
        assert time.monotonic() < until, place.status
        time.sleep(0.05)
    steps = [entry for entry in place.journal.entries("step") if entry.number > place.journal.newest("command").number]  # type: ignore[union-attr]
    assert steps == []
    assert place.status["steps"] >= decided


def test_a_little_torture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make torture` does a hundred of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKBENCH_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    found = torture({"kernel": 2, "papermill": 1, "supervisor": 2, "venue": 2}, 3, tmp_path)
    kept = {name: found[name] for name in ("sent twice", "without a prior intent", "missed", "differences", "exit code")}
    assert kept == dict.fromkeys(kept, 0)
    assert found["orders compared"] > 10
