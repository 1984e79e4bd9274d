"""One run per account: the second is refused by name, and the system frees what a dead process held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbench.errors import RunError
from workbench.live.lease import Lease, leases_folder

HOLDER = """
import sys
from workbench.live.lease import Lease
lease = Lease(sys.argv[1], sys.argv[2]).take(run="the first")
print("held", flush=True)
sys.stdin.readline()
lease.release()
print("released", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the leases of a test in its own folder."""
    monkeypatch.setenv("WORKBENCH_STATE", str(tmp_path))
    return tmp_path


@contextmanager
def held(account: str = "paper-a", role: str = "run") -> Iterator[subprocess.Popen[str]]:
    """Have another process hold a lease."""
    command = [sys.executable, "-c", HOLDER, account, role]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_second_process_is_refused_with_the_pid_of_the_first() -> None:
    with held() as child, pytest.raises(RunError) as caught:
        Lease("paper-a").take(run="the second")
    sentence = str(caught.value)
    assert sentence.startswith(f"the account 'paper-a' is traded by another run: process {child.pid}, the first, since 20")
    assert sentence.endswith("UTC")


def test_a_killed_holder_frees_it_at_once() -> None:
    with held() as child:
        assert Lease("paper-a").taken
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        lease = Lease("paper-a").take(run="the second")
        assert lease.holder["pid"] == os.getpid()
        lease.release()


def test_one_that_was_given_back_can_be_taken() -> None:
    with held() as child:
        assert child.stdin is not None
        assert child.stdout is not None
        print(file=child.stdin, flush=True)
        assert child.stdout.readline() == "released\n"
        Lease("paper-a").take().release()


@pytest.mark.parametrize(("account", "role"), [("paper-b", "run"), ("paper-a", "session")])
def test_another_account_and_another_role_are_free(account: str, role: str) -> None:
    with held():
        lease = Lease(account, role).take(run="mine")
        assert (lease.holder["run"], Lease("paper-a").holder["run"]) == ("mine", "the first")
        lease.release()


def test_a_little_patience_waits_for_the_holder_to_go() -> None:
    with held() as child:
        os.kill(child.pid, signal.SIGKILL)
        lease = Lease("paper-a").take(5.0, run="the second")
        assert lease.holder["run"] == "the second"
        lease.release()


def test_a_child_of_the_holder_does_not_keep_it() -> None:
    lease = Lease("paper-a").take()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        lease.release()
        assert not Lease("paper-a").taken
        Lease("paper-a").take().release()
        child.kill()


def test_looking_whether_it_is_taken_neither_takes_nor_frees_it() -> None:
    lease = Lease("paper-a")
    assert not lease.taken
    lease.take()
    other = Lease("paper-a")
    assert [other.taken, other.taken] == [True, True]
    lease.release()
    assert [other.taken, other.taken] == [False, False]


def test_whoever_holds_it_finds_it_taken() -> None:
    lease = Lease("paper-a").take()
    assert lease.taken
    assert Lease("paper-a").taken
    lease.release()


def test_a_holder_without_a_note_is_named_as_unknown(state: Path) -> None:
    with held():
        (leases_folder() / "paper-a.run.json").write_text("{half a no")
        assert Lease("paper-a").holder == {}
        with pytest.raises(RunError, match="process \\?, unnamed"):
            Lease("paper-a").take()


@pytest.mark.parametrize("account", ["../a", "a/b", "", "a\0b", "."])
def test_an_account_is_a_plain_name(account: str) -> None:
    with pytest.raises(RunError, match="an account is named by letters, digits"):
        Lease(account)


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("WORKBENCH_STATE", "leases"), ("XDG_STATE_HOME", "workbench/leases"), ("HOME", ".local/state/workbench/leases")],
)
def test_leases_lie_in_one_place_of_the_user(variable: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKBENCH_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "here"))
    assert leases_folder() == tmp_path / "here" / folder


def test_a_holder_that_was_killed_is_known_to_have_died_before_anybody_buried_it() -> None:
    with held() as child:
        lease = Lease("paper-a")
        assert not lease.died("the first")
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and a zombie still
        assert lease.died("the first")
        assert not lease.died("another run")


def test_two_looks_at_once_do_not_take_each_other_for_a_holder() -> None:
    def look(_: int) -> bool:
        return Lease("paper-a").taken

    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(look, range(400)))
