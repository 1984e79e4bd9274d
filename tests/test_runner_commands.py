"""Commands to a run from outside, as the shell and the supervisor give them: answered by the session, whatever the venue does."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Background, Runs, Serving, until
from paper_worlds import lived_again
from worked import SHARE, Stop, market, plan

import workbench as wb
from workbench.errors import RunError
from workbench.execution import Limit
from workbench.journal import Command
from workbench.live.commands import journal_of, order
from workbench.live.kill import kill
from workbench.live.lease import Lease
from workbench.live.listing import listing
from workbench.live.release import promote
from workbench.session.runner import Runner

ROWS = [100.0] * 30
ACCOUNT = "paper-mine"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of runs with a release that is on a paper account, both called mine."""
    (tmp_path / "runs" / "accounts" / ACCOUNT).mkdir(parents=True)
    (tmp_path / "runs" / "mine").mkdir()
    release = promote(wb.Strategy.example(), market(ROWS), "mine", folder=tmp_path / "releases")
    said = {"hash": "", "account": ACCOUNT, "release": str(release)}
    (tmp_path / "runs" / "mine" / "release.json").write_text(json.dumps(said))
    return tmp_path / "runs"


@pytest.fixture(autouse=True)
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lease]:
    """Hold the account's lease, as the supervisor of a run does."""
    monkeypatch.setenv("WORKBENCH_STATE", str(tmp_path / "state"))
    lease = Lease(ACCOUNT).take()
    yield lease
    lease.release()


@pytest.fixture
def started(root: Path) -> Iterator[Callable[..., Runs]]:
    """Return what starts a venue in the account's folder, and runs on it."""
    made: list[Runs] = []

    def start(strategy: wb.Strategy, **options: Any) -> Runs:
        terms = {"instruments": [SHARE.to_dict()], "interval": "1h"}
        (root / "accounts" / ACCOUNT / "market.json").write_text(json.dumps(terms))
        serving = Serving(root / "accounts" / ACCOUNT, market(ROWS), history=1, **options).start()
        made.append(Runs(serving, strategy, root / "mine"))
        return made[-1]

    yield start
    for runs in made:
        runs.serving.stop()
        runs.journal.close()


def holding(runs: Runs) -> Runs:
    """Run until a position is held, or an opening rests, and leave: two steps."""
    for _ in range(2):
        runs.run(once=True)
    return runs


def standing(runs: Runs) -> Background:
    """Return a runner that stands still after its next step: its market is never told to go on."""
    link = runs.serving.link()
    link.done = lambda number: None  # type: ignore[method-assign]
    background = Background(runs.runner(link=link))
    until(lambda: background.runner.gate == "" and background.runner.session)
    return background


def leave(background: Background) -> Runner:
    background.runner.over = "enough"
    return background.wait()


def answers(runs: Runs) -> list[tuple[str, str, str]]:
    return [(one.what, one.state, one.answer) for one in runs.journal.commands()]


# -- stop, and again --------------------------------------------------------------------------------------------------


def test_a_run_that_was_stopped_goes_on_when_it_is_started_again(started: Callable[..., Runs], root: Path) -> None:
    runs = holding(started(plan(".+....", exits=[Stop(5.0)])))
    background = standing(runs)
    said = order(root, "mine", "stop", "the shell")
    assert said == "applied: the run ends; positions and their protective orders stay"
    assert background.wait().over == "stopped by the shell"
    assert runs.serving.do(lambda exchange: exchange.venue.positions()) == {"ABC": 1.0}
    assert runs.run().over == "the recording is over"
    assert len(list(runs.journal.entries("step"))) == len(ROWS) - 1


@pytest.mark.parametrize(("verb", "mode"), [("pause", "PAUSED"), ("reduce", "REDUCING"), ("kill", "HALTED")])
def test_rule_38_a_restart_keeps_the_latched_mode(started: Callable[..., Runs], root: Path, verb: str, mode: str) -> None:
    runs = holding(started(plan(".+....", exits=[Stop(5.0)])))
    background = standing(runs)
    assert order(root, "mine", verb, "the shell").startswith(f"applied: {mode}")
    leave(background)
    runner = runs.run(once=True)
    assert (runner.status()["mode"], runner.gate) == (mode, "")
    assert runs.run(once=True).session.mode == mode  # type: ignore[union-attr]


def test_a_command_twice_by_its_id_is_done_once(started: Callable[..., Runs]) -> None:
    runs = holding(started(plan(".+....")))
    for _ in range(2):
        runs.journal.post(Command("1", "flatten", "me", time.time_ns()))
    leave(standing(runs))
    runs.journal.post(Command("1", "flatten", "me", time.time_ns()))
    runs.run()
    assert answers(runs) == [("flatten", "applied", "1 positions are being closed")]
    fills = runs.serving.do(lambda exchange: [fill.key.leg for fill in exchange.venue.executions()])
    assert fills == ["open", "close"]


def test_a_command_that_waits_is_done_before_the_next_step(started: Callable[..., Runs], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.session.runner.COMMANDS", 1e9)  # seconds: nobody looks for commands in between
    runs = started(plan(".+...."))
    link, told = runs.serving.link(), list[int]()
    go_on = link.done

    def asks_before_the_third(number: int) -> None:
        told.append(number)
        if len(told) == 3:
            runs.journal.post(Command("1", "pause", "me", time.time_ns()))
        go_on(number)

    link.done = asks_before_the_third  # type: ignore[method-assign]
    runs.runner(link=link).run()
    assert len(list(runs.journal.entries("step"))) == 2
    assert {entry.body["why"] for entry in runs.journal.entries("missed")} == {"PAUSED"}


def test_a_command_to_another_run_is_not_done(started: Callable[..., Runs]) -> None:
    runs = holding(started(plan(".+....")))
    runs.journal.post(Command("1", "pause", "the supervisor", time.time_ns(), 0, {"run": "a run before this one"}))
    assert runs.run(once=True).status()["mode"] == "RUNNING"
    assert [state for _, state, _ in answers(runs)] == ["expired"]


def test_a_command_that_ran_out_while_nobody_was_there_is_expired(started: Callable[..., Runs]) -> None:
    runs = holding(started(plan(".+....")))
    now = time.time_ns()
    runs.journal.post(Command("1", "flatten", "me", now - 2, now - 1))
    leave(standing(runs))
    assert answers(runs) == [("flatten", "expired", "nobody was there to apply it in time")]


# -- while the venue is away ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before it was reached", "after the line broke"])
def test_flatten_while_the_venue_is_away_is_done_once_it_is_back(started: Callable[..., Runs], root: Path, when: str) -> None:
    runs = holding(started(plan(".+....", exits=[Stop(5.0)])))
    background = standing(runs) if when == "after the line broke" else None
    runs.serving.stop()
    background = background or Background(runs.runner())
    assert order(root, "mine", "flatten", "the shell") == "applied: 1 positions are being closed"
    runs.serving.start()
    until(lambda: len(background.runner.session.doubtful) == 0)  # type: ignore[union-attr]
    if when == "after the line broke":
        leave(background)
        runs.run()
    assert background.wait().over
    keys = [entry.key for entry in runs.serving.do(lambda exchange: list(exchange.ledger.entries("submit")))]
    assert [key.split("/")[4:] for key in keys] == [["open", "0", "0"], ["close", "0", "1"]]
    assert runs.serving.do(lambda exchange: exchange.venue.positions()) == {}
    session, _ = lived_again(runs.recorder._session.setup, runs.journal, 1)
    assert session.working == []


def test_a_stop_before_the_venue_was_reached_is_answered_and_counts_once(started: Callable[..., Runs], root: Path) -> None:
    runs = holding(started(plan(".+....")))
    runs.serving.stop()
    background = Background(runs.runner())
    assert order(root, "mine", "stop", "the shell").startswith("applied")
    assert background.wait().over == "stopped by the shell"
    runs.serving.start()
    assert runs.run().over == "the recording is over"


# -- kill -------------------------------------------------------------------------------------------------------------

RESTING = plan(".+........", exits=[Stop(5.0)], execution=Limit(0.01, 9))


def test_kill_takes_openings_off_at_the_venue_and_halts_the_session(started: Callable[..., Runs], root: Path) -> None:
    runs = holding(started(RESTING))
    background = standing(runs)
    venue, session, *_ = kill(root, "mine").splitlines()
    assert venue.endswith("openings taken off; protective orders stay")
    assert session.startswith("session: applied: HALTED: ")
    assert sum(int(number) for number in re.findall(r"(\d+) (?:of \d+ openings|opening orders) taken off", f"{venue} {session}")) == 1
    assert runs.serving.do(lambda exchange: exchange.venue.open_orders()) == []
    until(lambda: not background.runner.session.working)  # type: ignore[union-attr]
    leave(background)
    assert runs.run(once=True).gate == ""


def test_kill_works_while_no_session_answers(started: Callable[..., Runs], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.live.kill.PATIENCE", 0.2)
    runs = holding(started(RESTING))
    venue, session, *_ = kill(root, "mine").splitlines()
    assert venue == "venue: 1 of 1 openings taken off; protective orders stay"
    assert session.endswith("the command stays queued and is applied when one comes up")
    runner = runs.run(once=True)
    assert (runner.status()["mode"], runner.gate, runner.session.working) == ("HALTED", "", [])  # type: ignore[union-attr]


def test_kill_keeps_protective_stops(started: Callable[..., Runs], root: Path) -> None:
    runs = holding(started(plan(".+....", exits=[Stop(5.0)])))
    background = standing(runs)
    assert kill(root, "mine", "me").startswith("venue: 0 of 0 openings taken off")
    assert [(one.what, one.who) for one in runs.journal.commands()] == [("kill", "me")]
    leave(background)
    assert [one.key.leg for one in runs.serving.do(lambda exchange: exchange.venue.open_orders())] == ["stop"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("a release that was changed", "openings taken off; protective orders stay"),
        ("a release that is gone", "openings taken off; protective orders stay"),
        ("no note of the account", "venue: not reached: "),
    ],
)
def test_kill_works_whatever_became_of_the_release(started: Callable[..., Runs], root: Path, broken: str, said: str) -> None:
    runs = holding(started(RESTING))
    background = standing(runs)
    release = root.parent / "releases" / "mine"
    if broken == "a release that was changed":
        (release / "release.json").write_text("{}")
    elif broken == "a release that is gone":
        release.rename(root.parent / "elsewhere")
    else:
        (root / "mine" / "release.json").unlink()
    venue, session, *_ = kill(root, "mine").splitlines()
    assert said in venue
    assert session.startswith("session: applied: HALTED: ")
    assert runs.serving.do(lambda exchange: exchange.venue.open_orders()) == []
    leave(background)


def test_kill_of_a_venue_that_does_not_run_says_so(started: Callable[..., Runs], root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.live.kill.PATIENCE", 0.1)
    runs = holding(started(RESTING))
    runs.serving.stop()
    assert kill(root, "mine").startswith("venue: its process does not run, so nothing can fill there")
    runs.serving.start()


# -- names, answers, the list of runs ---------------------------------------------------------------------------------


def test_a_run_that_is_not_there_gets_a_hint(started: Callable[..., Runs], root: Path) -> None:
    holding(started(plan(".+....")))
    for call in (lambda: journal_of(root, "mien"), lambda: kill(root, "mien"), lambda: order(root, "mien", "stop", "me")):
        with pytest.raises(RunError, match=f"no run 'mien' in {root}; did you mean 'mine'"):
            call()  # type: ignore[operator]


def test_nobody_answers_in_time_and_the_command_stays(started: Callable[..., Runs], root: Path) -> None:
    runs = holding(started(plan(".+....")))
    said = order(root, "mine", "pause", "me", 0.1)
    assert said == "no session has answered the pause within 0.1 s; it stays queued and is applied when one comes up"
    assert [one.what for one in runs.journal.commands("queued")] == ["pause"]
    assert len(uuid.UUID(runs.journal.commands()[0].id).hex) == 32


def test_a_stop_that_nobody_heard_does_not_end_the_next_run(started: Callable[..., Runs], root: Path) -> None:
    runs = started(plan(".+...."))
    holding(runs)
    assert order(root, "mine", "stop", "me", 0.1) == "no session has answered the stop within 0.1 s; it was not kept"
    assert runs.run().over == "the recording is over"
    assert [one.state for one in runs.journal.commands()] == ["expired"]


def test_a_run_that_nobody_runs_is_not_stopped(started: Callable[..., Runs], root: Path, supervised: Lease) -> None:
    holding(started(plan(".+....")))
    supervised.release()
    with pytest.raises(RunError, match="the run 'mine' does not run, so there is nothing to stop"):
        order(root, "mine", "stop", "me")


def test_the_runs_of_a_folder_are_listed(started: Callable[..., Runs], root: Path) -> None:
    assert listing(root / "nowhere") == f"no runs in {root / 'nowhere'}"
    runs = started(plan(".+....", exits=[Stop(5.0)]))
    assert listing(root).splitlines()[1].split() == ["mine", "never", "begun"]
    holding(runs)
    heads, line = listing(root).splitlines()
    assert heads.split("  ")[0] == "run"
    for words in ("mine", "one step is decided", "RUNNING", "100,000.00 USD", "ABC 1", "2024-01-01 02:00 UTC", "0 s ago"):
        assert words in line
    model = {
        "model": "Classifier 0f3a",
        "refused": {"ABC": "the model expired at <2024>"},
        "reasons": {},
        "asked": 5,
        "drifted": {"rsi_14": 0.4},
    }
    runs.journal.beat("session", runs.journal.beats()["session"].body | {"models": [model]})
    assert "Classifier 0f3a predicts nothing of ABC: the model expired at <2024>" in listing(root).splitlines()[1]
