"""One run per account: a lock that the system frees when its holder dies, with a note of who holds it."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from workbench.errors import RunError
from workbench.live.places import is_name
from workbench.writing import write_whole

__all__ = ["Lease", "is_held", "leases_folder"]


def is_held(lock: FileLock) -> bool:
    """Return whether a process holds the lock, this one or another."""
    if lock.is_locked:
        return True  # by ourselves: to take it once more would succeed
    with FileLock(f"{lock.lock_file}.look", poll_interval=0.005):  # to look takes it for a moment: two looks must not meet
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False


def leases_folder() -> Path:
    """Return the folder of this user's leases: one place on a machine, wherever a run was started."""
    home = os.environ.get("WORKBENCH_STATE") or os.path.join(
        os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "workbench"
    )
    return Path(home) / "leases"


class Lease:
    """The right to trade an account.

    Parameters
    ----------
    account : str
    role : str, default "run"
        What is exclusive: the run as a whole, or the session inside of it.

    Raises
    ------
    RunError
        The account's name is no name: it could mean the same account twice.
    """

    def __init__(self, account: str, role: str = "run") -> None:
        if not is_name(account):
            raise RunError(f"an account is named by letters, digits, - and _, got {account!r}")
        folder = leases_folder()
        folder.mkdir(parents=True, exist_ok=True)
        self.account = account
        self._note = folder / f"{account}.{role}.json"
        self._lock = FileLock(folder / f"{account}.{role}.lock")

    def take(self, patience: float = 0.0, **about: Any) -> Lease:
        """Take the lease, and leave a note of who did.

        Raises
        ------
        RunError
            Another process holds it: the sentence says which.
        """
        try:
            self._lock.acquire(timeout=patience)
        except Timeout:
            raise RunError(f"the account {self.account!r} is traded by another run: {self._words()}") from None
        pid = os.getpid()
        write_whole(self._note, json.dumps({"pid": pid, "born": _born(pid), "since": time.time(), **about}))
        return self

    def release(self) -> None:
        """Give it back."""
        self._lock.release()

    @property
    def holder(self) -> dict[str, Any]:
        """What the last holder left as a note."""
        try:
            return dict(json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    @property
    def taken(self) -> bool:
        """Whether anybody holds it now."""
        return is_held(self._lock)

    def died(self, run: str) -> bool:
        """Whether the session of this run took it, and its process is gone since: known at once, whoever waits for that process."""
        noted = self.holder
        return noted.get("run") == run and _born(int(noted["pid"])) != noted.get("born")

    def end_holder(self) -> int:
        """End the process that holds it, and return its number; 0 where it was gone already."""
        noted = self.holder
        pid = int(noted.get("pid", 0))
        with suppress(ProcessLookupError):
            # a note may outlive its process, and its number may belong to another by now
            if pid and self.taken and _born(pid) == noted.get("born"):
                os.kill(pid, signal.SIGKILL)
                return pid
        return 0

    def _words(self) -> str:
        holder = self.holder
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(holder.get("since", 0)))
        return f"process {holder.get('pid', '?')}, {holder.get('run', 'unnamed')}, since {since}"


def _born(pid: int) -> float:
    """Return when a process was started, which tells it from a later one of the same number; 0 where it is dead."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return 0.0
