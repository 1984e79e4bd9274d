"""What looks after a run from outside: it checks all before papermill starts, watches, restarts, and ends it cleanly.

A signal to papermill runs no clean-up in the kernel, and papermill's notebook calls every cell "completed" when a kernel
died. So the supervisor turns signals into commands in the journal, and takes the truth about a run from the journal and
the exit code only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import JournalError, RunError
from workbench.journal import Command, Entry, Journal
from workbench.live.account import Market, PaperAccountFolder
from workbench.live.lease import Lease
from workbench.live.parameters import RunParameters, validated
from workbench.live.places import Where
from workbench.live.release import Release
from workbench.writing import write_whole

__all__ = ["Supervisor"]

LOG = "papermill.log"
#: Seconds: between two looks, for a session to show a sign of life, for a clean stop, for an orphan to go, for the report.
LOOK, SILENCE, STOPPING, ORPHAN, REPORT = 0.1, 20.0, 30.0, 10.0, 900.0
#: Seconds that papermill has, once its kernel is gone, to write down how a cell failed.
GONE = 1.0
#: Seconds between two signs of life of the supervisor.
BEAT = 1.0
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
        self._shown = ("", 0.0)
        self._lived = 0.0
        #: The newest sign of life of the session, since when it has been the newest, and how long that may last.
        self._sign, self._seen, self._patience = (0, 0), 0.0, SILENCE
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
            self.venue.reserve()
            self._show_life("starting")
            self._end_orphan()
            self._catch_signals()
            self.venue.serve()
            self._say(f"{self.release.name} on the paper account {self.where.account}: {self.venue.market()}")
            self._say(f"journal {self.where.journal}; panel: notebooks/panel.ipynb; Ctrl-C ends it cleanly")
            code = self._watch()
            if self._once:  # between scheduled steps the market goes on, and stops must rest somewhere
                self._say(f"the paper venue stays up, process {self.venue.pid}; `workbench stop {self.release.name}` ends it")
            else:
                self.venue.end()
            self._show_life("ended")
            return code
        finally:
            self.venue.let_go()
            lease.release()

    def _prepare(self) -> None:
        """Check all, then make what the run needs."""
        said = {"hash": self.release.hash, "account": self.where.account, "release": str(self.release.folder.resolve())}
        self._require_same(said)
        self.venue.make(self.release, self._market)
        self.where.folder.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(self.where.journal)
        write_whole(self.where.begun, json.dumps(said, indent=2) + "\n")
        self.journal.verify()

    def _require_same(self, said: dict[str, str]) -> None:
        """Refuse to go on with the record of another release, or on another account."""
        if not self.where.begun.is_file():
            return
        held = json.loads(self.where.begun.read_text(encoding="utf-8"))
        if held["hash"] != said["hash"]:
            shown = f"{held['hash'][:12]}, not {said['hash'][:12]}"
            raise RunError(f"{self.where.folder} is the record of another release ({shown}): promote under a new name")
        if held["account"] != said["account"]:
            raise RunError(
                f"{self.where.folder} is the record of a run on the account {held['account']!r}: leave --account out to go on with it, "
                f"or promote under a new name to begin on {said['account']!r}"
            )

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
            end = self._ended(run)
            if end:
                self._say(f"the run ended: {end['why']}; notebook {self.notebook}")
                if code and not end.get("failed"):
                    self._say(f"its report is not whole (exit code {code}): see {self.where.folder / LOG}")
                return code or int(end.get("failed", False))
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
                [sys.executable, "-m", "workbench.live.child", str(self.notebook), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for the supervisor alone: it makes a clean stop of it
            )
        assert child.stdin is not None
        child.stdin.write(json.dumps(parameters.model_dump()).encode())
        child.stdin.close()
        stopping, ended = 0.0, False
        while child.poll() is None:
            time.sleep(LOOK)
            self._look_after_venue()
            self._show_life("watching")
            if self._stop and not stopping:
                stopping = time.monotonic() + STOPPING
                self.post("stop", f"the supervisor, which got {self._stop}", STOPPING, {"run": run})
            why = self._end_needed(run, started, stopping)
            if why and not ended:
                self._say(f"{why}; ending it")
                child.kill()
                ended = True
        self._kill_kernel(run)
        return child.wait()

    def _end_needed(self, run: str, started: int, stopping: float) -> str:
        """Return why papermill is to be ended, where it is: it notices late that its kernel died, and never that a session hangs."""
        if not Lease(self.where.account, "session").died(run):
            self._lived = time.monotonic()
        gone = time.monotonic() > self._lived + GONE
        hangs = (stopping and time.monotonic() > stopping) or self._silent(started)
        if not (gone or hangs) or self._reporting(run):
            return ""
        return "the session's process is gone" if gone else "the session shows no sign of life"

    def _show_life(self, state: str) -> None:
        """Leave a sign of life, so that whoever watches knows that somebody looks after the run."""
        if state != self._shown[0] or time.monotonic() > self._shown[1] + BEAT:
            self._shown = state, time.monotonic()
            self._written(lambda: self.journal.beat("supervisor", {"pid": os.getpid(), "state": state}))

    def _written(self, write: Callable[[], None]) -> None:
        """Write to the journal; a session that hangs in the middle of writing keeps everyone else from it, and is ended all the same."""
        try:
            write()
        except JournalError as error:
            self._say(str(error))

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
            manifest=r.hash,
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
        """Whether the session has been silent for too long; a start counts as a sign of life, and may take twice as long.

        By how long it is since its newest sign was first seen here: the clock that signs bear may be put forward or back.
        """
        beat = self.journal.beats().get("session")
        sign = (started, beat.time if beat else 0)
        if sign != self._sign:
            self._patience = SILENCE if sign[0] == self._sign[0] else 2.0 * SILENCE
            self._sign, self._seen = sign, time.monotonic()
        return time.monotonic() - self._seen > self._patience

    def _reporting(self, run: str) -> bool:
        """Whether the session has come to its end, and the notebook is at its report: that takes what it takes, within reason."""
        ended = self._end_of(run)
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
        """Return the number of the newest step's entry, decided or missed: a paused session gets on too."""
        return max((entry.number for kind in ("step", "missed") if (entry := self.journal.newest(kind))), default=0)

    def _ended(self, run: str) -> dict[str, Any]:
        """Return how a run ended; empty where it did not."""
        ended = self._end_of(run)
        return {} if ended is None else dict(ended.body)

    def _end_of(self, run: str) -> Entry | None:
        return next((entry for entry in self.journal.entries("end") if entry.key == run), None)

    def post(self, what: str, who: str, lasts: float = 0.0, body: dict[str, Any] | None = None) -> None:
        """Queue a command for the session, for so many seconds or until it is applied."""
        now = time.time_ns()
        command = Command(uuid.uuid4().hex, what, who, now, now + int(lasts * 1e9) if lasts else 0, body)
        self._written(lambda: self.journal.post(command))
