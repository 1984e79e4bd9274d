"""What a supervisor makes of a journal: whether a session that gives no sign of life hangs, or has ended and is at its report."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import workbench as wb
from workbench.journal import Entry, Journal
from workbench.live.supervisor import REPORT, SILENCE, Supervisor


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    release = wb.promote(wb.Strategy.example(), wb.sample("sp500"), "trend", folder=tmp_path / "releases")
    made = Supervisor(release, tmp_path / "runs", say=lambda text: None)
    made.journal = Journal(tmp_path / "journal.db")
    made.journal.take_over("run 1")
    return made


class Later:
    """A clock that is set by hand; the one on the wall jumps as it likes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("workbench.live.supervisor.time.monotonic", lambda: self.now)


def test_a_session_is_silent_after_a_while(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later(monkeypatch)
    assert not supervisor._silent(started=5)
    supervisor.journal.beat("session", {})
    assert not supervisor._silent(started=5)
    later.now += SILENCE
    assert not supervisor._silent(started=5)
    later.now += 1
    assert supervisor._silent(started=5)
    supervisor.journal.beat("session", {})
    assert not supervisor._silent(started=5)


def test_a_start_may_take_twice_as_long(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Later(monkeypatch)
    supervisor.journal.beat("session", {})  # of the run before
    assert not supervisor._silent(started=5)
    later.now += 2 * SILENCE
    assert not supervisor._silent(started=5)
    later.now += 1
    assert supervisor._silent(started=5)
    assert not supervisor._silent(started=6)  # started anew


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_is_put_forward_or_back_makes_nobody_silent(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    later, started = Later(monkeypatch), time.time_ns()
    supervisor.journal.beat("session", {})
    assert not supervisor._silent(started)
    jumped = Journal(supervisor.journal.url, clock=lambda: time.time_ns() + jump * 10**9)
    for _ in range(4):
        jumped.beat("session", {})
        assert not supervisor._silent(started)
        later.now += SILENCE - 1
        assert not supervisor._silent(started)
    later.now += 2
    assert supervisor._silent(started)
    jumped.close()


@pytest.mark.parametrize(("run", "age", "reporting"), [("run 1", 60.0, True), ("run 0", 60.0, False), ("run 1", REPORT + 1, False)])
def test_a_session_that_has_ended_writes_its_report_and_does_not_hang(
    supervisor: Supervisor, run: str, age: float, reporting: bool
) -> None:
    ended = Journal(supervisor.journal.url, clock=lambda: time.time_ns() - int(age * 1e9))
    ended.take_over("run 1")
    ended.commit([Entry("end", "run 1", {"why": "stopped"})])
    assert supervisor._reporting(run) is reporting
    ended.close()
