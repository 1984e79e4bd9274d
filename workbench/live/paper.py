"""A run at the paper venue, inside the notebook: the session in its own thread, a status to show, the record afterwards."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path

from workbench.adapters.paper import PaperLink
from workbench.errors import RunError
from workbench.journal import Entry, Journal
from workbench.live.lease import Lease
from workbench.live.parameters import RunParameters
from workbench.live.places import JOURNAL
from workbench.live.release import Release
from workbench.live.run import steps_in_words
from workbench.live.status import Described, moment, status_html
from workbench.session.events import HandlerFailed
from workbench.session.live import LiveSession
from workbench.session.record import Record
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.session.runner import Runner
from workbench.session.setup import Setup
from workbench.session.written import Written

__all__ = ["PaperRun"]

#: Seconds: between two updates of the status (each also makes papermill save), and to wait for an orphan to go.
EVERY, PATIENCE = 1.0, 10.0


class PaperRun(Described):
    """One run at the paper venue.

    Parameters
    ----------
    parameters : RunParameters
        With mode ``"paper"``.
    """

    def __init__(self, parameters: RunParameters) -> None:
        p = parameters
        assert p.folder is not None
        assert p.account is not None
        self.parameters = p
        self.folder = Path(p.folder)
        self.release = Release.open(p.strategy)
        if p.manifest not in (None, self.release.hash):
            raise RunError(f"{p.strategy} is not the release that this run was started with: it was put in its place meanwhile")
        self.strategy = self.release.strategy
        self.name = p.run or f"{self.release.name} {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}"
        self.lease = Lease(p.account, "session").take(PATIENCE, run=self.name)
        self.journal = Journal(self.folder / JOURNAL)
        link = PaperLink(Path(p.venue or ""), self.release.instruments, self.release.interval, self.release.layout)
        self.problems: list[HandlerFailed] = []
        r = self.release
        self.runner = Runner(
            r.setup, r.instruments, r.interval, link, self.journal, self.name, self._listen, once=p.once, names=(p.account, r.name)
        )
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._trade, name="session", daemon=True)

    def go(self, show: Callable[[str], None] = print, every: float = EVERY) -> PaperRun:
        """Trade until the run is stopped, and show the status meanwhile.

        Parameters
        ----------
        show : callable
            Takes the status as HTML.
        every : float, default 1
            Seconds between two updates.

        Raises
        ------
        RunError
            The session came to an error; the journal holds all that was done before it.
        """
        self._thread.start()
        while self._thread.is_alive():
            show(self.status())
            try:
                self._thread.join(every)
            except KeyboardInterrupt:
                self.runner.over = "interrupted"
        show(self.status())
        self.lease.release()
        if self.error is not None:
            raise RunError(f"the session ended by an error: {type(self.error).__name__}: {self.error}") from self.error
        return self

    def status(self) -> str:
        """Return where the run stands, as a line of HTML."""
        return status_html(self.runner.status())

    def about(self) -> dict[str, str]:
        """Return what runs, on what, and when."""
        r = self.release
        return {
            "run": self.name,
            "release": f"{r.folder}, {r.hash[:12]}",
            "symbols": ", ".join(one.symbol for one in r.instruments),
            "interval": r.interval,
            "mode": f"paper account {self.parameters.account} of {r.cash:,.2f} {r.currency} at the start",
            "executed": moment(time.time()),
        }

    @property
    def session(self) -> LiveSession:
        """The session, once it has begun."""
        if self.runner.session is None:
            raise RunError("the session has not begun: the venue was never reached")
        return self.runner.session

    @cached_property
    def written(self) -> Written:
        """What the journal holds, up to the last step: a bar whose step never came is left out, and what was told of it."""
        return Written.closed(self.journal, self.release.instruments, self.release.interval)

    @cached_property
    def setup(self) -> Setup:
        """Strategy and account over the bars of the run; what was computed from its history is in it, the history is not."""
        return self._whole.since(self._first)

    @cached_property
    def record(self) -> Record:
        """Orders, fills, decisions and equity: made from the journal, so that a run does not grow by what it remembers."""
        entries = self.written.lived(self.journal.entries())
        return recorded(partial(relived, self._whole, entries, self.written.first, late=self.written.late)).since(self._first)

    def progress(self) -> str:
        """Return how many steps were decided and missed, in words."""
        decided, missed = (sum(1 for _ in self.journal.entries(kind)) for kind in ("step", "missed"))
        return steps_in_words(decided, missed, self.written.first, len(self.problems))

    @cached_property
    def _whole(self) -> Setup:
        return self.written.setup(self.release.setup)

    @property
    def _first(self) -> int:
        """The row that a report begins at: the first live step, or the last bar of the history where none has come."""
        return min(self.written.first, len(self.written.bars) - 1)

    def _listen(self, session: LiveSession) -> None:
        session.on(HandlerFailed, self.problems.append)

    def _trade(self) -> None:
        try:
            self.runner.run()
            end = {"why": self.runner.over, "pid": os.getpid(), "failed": self.runner.failed}
            self.journal.commit([Entry("end", self.name, end)])
        except RunError as error:  # it may not run, and is not started again
            self.journal.commit([Entry("end", self.name, {"why": str(error), "pid": os.getpid(), "failed": True})])
            self.error = error
        except BaseException as error:  # whatever it was, the notebook says it and the supervisor reads it
            self.error = error
