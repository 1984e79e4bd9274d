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


@pytest.mark.parametrize(("age", "silent"), [(SILENCE - 1, False), (SILENCE + 1, True)])
def test_a_session_is_silent_after_a_while(supervisor: Supervisor, age: float, silent: bool) -> None:
    beaten = Journal(supervisor.journal.url, clock=lambda: time.time_ns() - int(age * 1e9))
    beaten.beat("session", {})
    assert supervisor._silent(started=0) is silent
    beaten.close()


@pytest.mark.parametrize(("age", "started"), [(SILENCE + 1, False), (2 * SILENCE + 1, True)])
def test_a_start_may_take_twice_as_long(supervisor: Supervisor, age: float, started: bool) -> None:
    assert supervisor._silent(time.time_ns() - int(age * 1e9)) is started


@pytest.mark.parametrize(("run", "age", "reporting"), [("run 1", 60.0, True), ("run 0", 60.0, False), ("run 1", REPORT + 1, False)])
def test_a_session_that_has_ended_writes_its_report_and_does_not_hang(
    supervisor: Supervisor, run: str, age: float, reporting: bool
) -> None:
    ended = Journal(supervisor.journal.url, clock=lambda: time.time_ns() - int(age * 1e9))
    ended.take_over("run 1")
    ended.commit([Entry("end", "run 1", {"why": "stopped"})])
    assert supervisor._reporting(run) is reporting
    ended.close()
