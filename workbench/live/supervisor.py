"""What looks after a run from outside: it checks all before papermill starts, watches, restarts, and ends it cleanly.

A signal to papermill runs no clean-up in the kernel, and papermill's notebook calls every cell "completed" when a kernel
died. So the supervisor turns signals into commands in the journal, and takes the truth about a run from the journal and
the exit code only.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import RunError
from workbench.journal import Command, Journal
from workbench.live.account import Market, PaperAccountFolder
from workbench.live.lease import Lease
from workbench.live.parameters import RunParameters, validated
from workbench.live.places import Where
from workbench.live.release import Release
from workbench.saving import write_whole

__all__ = ["Supervisor"]

LOG = "papermill.log"
#: Seconds: between two looks, for a session to show a sign of life, for a clean stop, for an orphan to go, for the report.
LOOK, SILENCE, STOPPING, ORPHAN, REPORT = 0.1, 20.0, 30.0, 10.0, 900.0
#: Restarts in a row without a step between them: then the session is paused, and after as many more given up.
MOST = 5


class Supervisor:
    """Runs one release on one account.

    Parameters
    ----------
    release : path
    root : path, default "runs"
    account : str, optional
        ``"paper-NAME"`` where not given.
    market : Market, optional
        What a new paper account trades in.
    once : bool, default False
        One step, then leave.
    say : callable
        Given sentences for whoever watches.
    """

    def __init__(
        self,
        release: str | Path,
        root: str | Path = "runs",
        account: str | None = None,
        market: Market | None = None,
        once: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        self.release = Release.open(release)
        self.where = Where(Path(root), self.release.name, account or f"paper-{self.release.name}")
        self.venue = PaperAccountFolder(self.where.market)
        self._market = market
        self._once = once
        self._say = say
        self._stop = ""
        self._restarts = 0
        self.notebook = self.where.folder / "live.ipynb"

    # -- from start to end ----------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Run until the session ends; return the exit code: 0 where it ended as it should.

        Raises
        ------
        RunError
            The run was not started: the sentence says why, and nothing has happened.
        """
        lease = Lease(self.where.account).take(1.0, run=self.release.name)
        try:
            self._prepare()
            self._end_orphan()
            self._catch_signals()
            self.venue.serve()
            self._say(
                f"{self.release.name}: paper account {self.where.account}; journal {self.where.journal}; panel: notebooks/panel.ipynb"
            )
            code = self._watch()
            if not self._once:  # between scheduled steps the market goes on, and stops must rest somewhere
                self.venue.end()
            return code
        finally:
            lease.release()

    def _prepare(self) -> None:
        """Check and make what the run needs."""
        self.venue.make(self.release, self._market)
        self.where.folder.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(self.where.journal)
        begun = self.where.begun
        said = {"hash": self.release.hash, "account": self.where.account, "release": str(self.release.folder.resolve())}
        if begun.is_file():
            held = json.loads(begun.read_text(encoding="utf-8"))
            for name, words in (("hash", "another release"), ("account", "another account")):
                if held[name] != said[name]:
                    raise RunError(
                        f"{self.where.folder} is the record of {words} ({held[name][:12]}, not {said[name][:12]}): promote under a new name"
                    )
        write_whole(begun, json.dumps(said, indent=2) + "\n")
        self.journal.verify()

    def _end_orphan(self) -> None:
        """Wait for a session that lost its supervisor to go; end it where it does not."""
        session = Lease(self.where.account, "session")
        deadline = time.monotonic() + ORPHAN
        while session.taken:
            if time.monotonic() > deadline:
                self._say(f"ended process {session.end_holder()}, a session whose supervisor is gone")
                deadline = time.monotonic() + ORPHAN
            time.sleep(LOOK)

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda caught, _: setattr(self, "_stop", signal.Signals(caught).name))

    # -- watching -------------------------------------------------------------------------------------------------------

    def _watch(self) -> int:
        """Keep a session running until one comes to its end."""
        while True:
            run = f"{self.release.name} {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} {uuid.uuid4().hex[:4]}"
            steps = self._steps()
            code = self._attempt(run)
            why = self._ended(run)
            if why:
                self._say(f"the run ended: {why}; notebook {self.notebook}")
                return code
            if self._stop:
                self._say("the run did not stop cleanly: it was ended; the next start settles what is open")
                return 1
            self._restarts = 0 if self._steps() > steps else self._restarts + 1
            self._say(f"the session ended without its end (exit code {code}); starting it again")
            if self._restarts == MOST:
                self.post("pause", f"the supervisor, after {MOST} restarts in a row")
            if self._restarts >= 2 * MOST:
                self._say(f"given up after {self._restarts} restarts in a row; see {self.notebook}")
                return 1

    def _attempt(self, run: str) -> int:
        """Run papermill once; return its exit code."""
        parameters = self._parameters(run)
        validated(parameters.model_dump())
        started = time.time_ns()
        self.notebook = self.where.folder / f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{run[-4:]}.ipynb"
        with (self.where.folder / LOG).open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "workbench.live.child", str(self.notebook)], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        assert child.stdin is not None
        child.stdin.write(json.dumps(parameters.model_dump()).encode())
        child.stdin.close()
        stopping = 0.0
        while child.poll() is None:
            time.sleep(LOOK)
            self._look_after_venue()
            if self._stop and not stopping:
                stopping = time.monotonic() + STOPPING
                self.post("stop", f"the supervisor, which got {self._stop}", STOPPING)
            if ((stopping and time.monotonic() > stopping) or self._silent(started)) and not self._reporting(run):
                self._say("the session shows no sign of life; ending it")
                child.kill()
        self._kill_kernel(run)
        return child.wait()

    def _look_after_venue(self) -> None:
        """Start the venue's process again where it is gone; a start that fails is tried again at the next look."""
        if not self.venue.alive:
            self._say("the paper venue's process is gone; starting it again")
            try:
                self.venue.serve()
            except RunError as error:
                self._say(str(error))

    def _parameters(self, run: str) -> RunParameters:
        r = self.release
        return RunParameters(
            strategy=str(r.folder.resolve()),
            symbols=[one.symbol for one in r.instruments],
            interval=r.interval,
            mode="paper",
            cash=r.cash,
            currency=r.currency,
            costs=None if r.costs is None else r.costs.to_dict(),
            rates=r.rates,
            run=run,
            account=self.where.account,
            folder=str(self.where.folder.resolve()),
            venue=str(self.venue.address.resolve()),
            once=self._once,
        )

    def _silent(self, started: int) -> bool:
        """Whether the session has been silent for too long; a start counts as a sign of life."""
        beat = self.journal.beats().get("session")
        newest = max(started, beat.time if beat else 0)
        return time.time_ns() - newest > (SILENCE + (SILENCE if newest == started else 0.0)) * 1e9

    def _reporting(self, run: str) -> bool:
        """Whether the session has come to its end, and the notebook is at its report: that takes what it takes, within reason."""
        ended = next((entry for entry in self.journal.entries("end") if entry.key == run), None)
        return ended is not None and time.time_ns() - ended.time < REPORT * 1e9

    def _kill_kernel(self, run: str) -> None:
        """Wait for the kernel to go, as it does by itself without its papermill; end one that hangs."""
        session = Lease(self.where.account, "session")
        deadline = time.monotonic() + ORPHAN
        while session.taken:
            if time.monotonic() > deadline and session.holder.get("run") == run:
                session.end_holder()
            time.sleep(0.02)

    def _steps(self) -> int:
        newest = self.journal.newest("step")
        return newest.number if newest else 0

    def _ended(self, run: str) -> str:
        why: Any = next((entry.body["why"] for entry in self.journal.entries("end") if entry.key == run), "")
        return str(why)

    def post(self, what: str, who: str, lasts: float = 0.0) -> str:
        """Queue a command for the session, for so many seconds or until it is applied; return its id."""
        now = time.time_ns()
        command = Command(uuid.uuid4().hex, what, who, now, now + int(lasts * 1e9) if lasts else 0)
        self.journal.post(command)
        return command.id
