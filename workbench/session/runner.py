"""What drives a live session: takes what arrives in its order, decides what is newest, does what people ask.

One thread, one queue. A start, a restart and a broken connection are the same path: catch up with what the venue says it
has told, settle every doubt by asking, compare both books - and only a clean comparison lifts the gate (SEMANTICS 36-38).
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from workbench.bars import Bars
from workbench.errors import JournalError, RunError
from workbench.execution.port import BarsClosed, Connected, Disconnected, Link, MarketOver, VenueSaid
from workbench.instrument import Instrument
from workbench.journal import Command, Entry, Journal
from workbench.market import Order
from workbench.session.approving import WORDS
from workbench.session.checking import Gatekeeper
from workbench.session.doubts import Doubts, Insistence, send_again
from workbench.session.gathering import Gathering, Late, Step
from workbench.session.inbox import Inbox, Numbered
from workbench.session.intake import Intake
from workbench.session.live import HELD, LiveSession
from workbench.session.models import ModelWatch, require_unexpired
from workbench.session.recovery import relived
from workbench.session.setup import Setup
from workbench.session.standing import MOVED, difference, in_doubt, joining, standing
from workbench.session.written import Written, bars_of, numbers_of

__all__ = ["Runner"]

log = logging.getLogger("workbench.session")
#: Seconds: the longest wait for something to arrive, between two looks for commands, two signs of life, two reconciles.
WAIT, COMMANDS, BEAT, AGAIN = 0.05, 0.05, 0.5, 0.5
#: Seconds that a run of one step waits for its bar, and for which a session that ends listens on.
PATIENCE, HEARING = 5.0, 1.0
OVER = "the recording is over"


class Runner:
    """Runs one strategy at one venue until it is stopped.

    Parameters
    ----------
    setting : callable
        Returns the `Setup` over given bars.
    instruments : sequence of Instrument
    interval : str
    link : Link
    journal : Journal
        This runner becomes its writer.
    run : str
        The name of this run.
    listen : callable, optional
        Given the session before anything happens: recorders subscribe here.
    clock : callable
        Nanoseconds since 1970.
    once : bool
        Whether to leave after one step: the shape of a scheduled run.
    names : (str, str), default ("", "")
        Account and deployment: what names the orders (SEMANTICS 35).
    """

    def __init__(
        self,
        setting: Callable[[Bars], Setup],
        instruments: Sequence[Instrument],
        interval: str,
        link: Link,
        journal: Journal,
        run: str,
        listen: Callable[[LiveSession], object] = lambda session: None,
        clock: Callable[[], int] = time.time_ns,
        once: bool = False,
        names: tuple[str, str] = ("", ""),
    ) -> None:
        self._setting = setting
        self._instruments = list(instruments)
        self._interval = interval
        self._link = link
        self.journal = journal
        self._run = run
        self._listen = listen
        self._clock = clock
        self.session: LiveSession | None = None
        self.gate = "connecting"
        self._head = self._newest = 0
        self._first_row = 0
        self._past: list[Numbered] = []
        self._gathering = Gathering([one.symbol for one in instruments])
        self._inbox, self._doubts, self._models = Inbox(), Doubts(), ModelWatch(journal.beats().get("session"))
        self._due, self._tries = dict.fromkeys(("commands", "beat", "gate"), 0.0), Insistence()
        self.arrived = 0
        self.over = ""
        #: Whether a run of one step came to no decision, for a reason that somebody should look at.
        self.failed = False
        self.joins: list[tuple[str, float, float]] = []
        self._last = False
        self._once = once
        self._names = dict(zip(("account", "deployment"), names, strict=True))

    def run(self) -> None:
        """Go on until the session is stopped or the market is over."""
        self.journal.take_over(self._run)
        self._come_back()
        self._leave = time.monotonic() + PATIENCE if self._once else 0.0
        self._account = self._link.open(self._inbox.put, lambda: self._inbox.told)
        if self.session is not None:
            self.session.execution, self.session.journal = self._account, self.journal
        try:
            while not self.over:
                self._take()
                self._look_around()
                if self._last and not self._doubtful and not self._gathering.waiting:
                    self.over = OVER
                if self._leave:
                    self._leave_after_one_step()
            self._hear_out()
        except RunError as error:
            self.over = str(error)
            raise
        finally:
            self._link.close()
            self._beat()

    def _leave_after_one_step(self) -> None:
        """Leave once a step is decided and the venue has taken its orders, or when no new bar came in time."""
        session = self.session
        stepped = session is not None and session.steps_done > self._first_row and not self._doubtful
        if stepped or time.monotonic() > self._leave:
            self.failed = bool(self.gate) or self._doubtful
            why = self.gate or "the venue has not answered about every order"
            self.over = f"no step was decided: {why}" if self.failed else "one step is decided" if stepped else "no new bar has closed"

    def _hear_out(self) -> None:
        """Take in what the venue says up to its next bars: a fill without the stop that protects it would be half the truth."""
        deadline = time.monotonic() + HEARING
        while self.session is not None and self._inbox.told >= self._head and time.monotonic() < deadline:
            arrival = self._inbox.take(WAIT)
            if not isinstance(arrival, VenueSaid):
                return
            self._hear([arrival])

    @property
    def _doubtful(self) -> bool:
        return self.session is not None and bool(self.session.doubtful)

    # -- coming back --------------------------------------------------------------------------------------------------

    def _come_back(self) -> None:
        """Live once more through what the journal holds, if this run has begun before."""
        written = Written.read(self.journal, self._instruments, self._interval)
        if written is None:
            return
        numbers: set[int] = set()
        entries = self._noting(self.journal.entries(), numbers)
        session = relived(written.setup(self._setting), entries, written.first, self._listen, written.late, written.supports)
        session.tape.shorten()
        session.stopping = ""  # that run was stopped, this one begins
        self._went_on(session, written.history, int(written.bars.labels[written.first - 1]))
        self._inbox.know(written.began.body["seen"], numbers)

    def _noting(self, entries: Iterable[Entry], numbers: set[int]) -> Iterator[Entry]:
        """Yield entries, note the numbers of what they tell of, and give signs of life: a long record takes its time."""
        for entry in entries:
            numbers.update(numbers_of(entry))
            self.gate = f"coming back: {entry.number:,} entries of the journal lived through"
            self._beat_if_due()
            yield entry

    def _begin(self, past: Sequence[BarsClosed]) -> None:
        """Begin a run that has no journal yet: what has closed so far is history, the next bar is the first to be decided."""
        received = [bar for one in past for bar in Step(0, (one,)).received]
        bars = bars_of(received, self._instruments, self._interval, past[-1].bars.source)
        session = LiveSession(self._setting(bars), self._account, self.journal, len(bars))
        require_unexpired(session.setup.system, int(bars.labels[-1]) + bars.interval_ns)
        session.tape.shorten()
        self._listen(session)
        self._went_on(session, bars, int(bars.labels[-1]))
        self.joins = joining(session)
        session.sleeves.name(**self._names)
        body = self._names | {"rows": len(bars), "seen": self._inbox.told, "source": bars.source, "anchor": int(bars.labels[0])}
        body |= {"supports": sorted(self._account.supports)} if any(session.held) else {}
        self.journal.commit([Entry("start", self._run, body)], received)

    def _went_on(self, session: LiveSession, bars: Bars, past: int) -> None:
        """Go on with a session from where it stands; `past` is the label of the last bar before its first live one."""
        self._models.since = past + 1
        self.session, self._intake = session, Intake(session, bars)
        self._first_row = session.steps_done
        session.name = self._run
        session.keeper = Gatekeeper(self._clock)
        self._gathering.last = int(bars.labels[-1])

    # -- what arrives -------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        arrival = self._inbox.take(max(min(WAIT, self._gathering.due - time.monotonic()), 0.0))
        if isinstance(arrival, Connected):
            # what came of the past before a connection broke is kept: it is not told again
            self._head, self._newest, self.gate = arrival.head, arrival.newest, "catching up"
            self._gathering.grace = arrival.grace
            if self._head <= self._inbox.told:
                self._caught_up()
        elif isinstance(arrival, Disconnected):
            self.gate = f"no connection: {arrival.why}"
        elif arrival is not None:
            self._number(arrival)

    def _number(self, arrival: Numbered) -> None:
        """Put a message where it belongs: to what is new, or to the past that is told at once when it is all there."""
        if int(arrival.number) > self._head:
            self._new(arrival)
            return
        if int(arrival.number) not in self._inbox.ahead:
            self._past.append(arrival)
        if self._inbox.told == self._head:
            self._caught_up()

    def _caught_up(self) -> None:
        """All that was told before the connection is there: take it in, settle doubts, compare, decide the newest bars."""
        past, self._past = self._past, []
        if self.session is None:
            closed = [one for one in past if isinstance(one, BarsClosed)]
            if not closed:  # not one bar has closed yet: the first is the history
                self._head, self._past = self._inbox.told + 1, past
                self._link.done(self._newest)
                return
            self._begin(closed)
            past, self._newest = [one for one in past if isinstance(one, MarketOver)], closed[-1].number
        assert self.session is not None
        held = self._lived_meanwhile(self.session, past)
        self._reconcile(held)
        for step in held:
            self._came(step)
        if not self._gathering.waiting and not self.over:
            self._link.done(self._newest)

    def _lived_meanwhile(self, session: LiveSession, past: Sequence[Numbered]) -> list[Step]:
        """Take in what was told while the session was away, and return the newest step: it is still to be decided."""
        newest = max((int(one.bars.labels[0]) for one in past if isinstance(one, BarsClosed)), default=-1)
        held: list[Step] = []
        for one in past:
            self._beat_if_due()
            if isinstance(one, VenueSaid):
                session.told([one])
            elif isinstance(one, MarketOver):
                self._last = True
            else:
                for came in self._gathering.take(one, time.monotonic()):
                    if came.label < newest:
                        self._came(came, "the session was down")
                    else:  # of the newest label all that has come by now counts
                        parts = came.parts if isinstance(came, Step) else (came.part,)
                        held = [Step(newest, (*(part for step in held for part in step.parts), *parts))]
        return held

    def _new(self, arrival: Numbered) -> None:
        assert self.session is not None
        if isinstance(arrival, MarketOver):
            self._last = True
        elif isinstance(arrival, VenueSaid):
            self._hear([arrival, *self._inbox.said_by_now()])
        else:
            for came in self._gathering.take(arrival, time.monotonic()):
                self._decide(came)

    def _hear(self, said: Sequence[VenueSaid]) -> None:
        """Take in what the venue says; of orders that are not ours it shuts the gate."""
        assert self.session is not None
        self.session.told(said)
        if self.session.foreign:
            self.gate = f"reconcile: {self.session.foreign}"

    def _decide(self, came: Step | Late) -> None:
        """Decide a step that has come in its time; take late bars in."""
        if isinstance(came, Step) and self.gate.startswith("reconcile"):
            self._reconcile([came])  # the books are compared best while the venue has nothing new to tell
        self._came(came)
        if not self._leave and not self.over:
            self._link.done(max(came.numbers))

    def _came(self, came: Step | Late, why_not: str = "") -> None:
        """Take in what has come: a step, which is decided if it may be, or late bars."""
        self.arrived = came.arrived
        if isinstance(came, Step):
            self._step(came, why_not)
        else:
            self._intake.add_late(came)

    def _step(self, step: Step, why_not: str = "") -> None:
        """Take closed bars in, and decide their step if it may be."""
        session = self.session
        assert session is not None
        if not why_not:
            self._obey(session)  # nothing is decided over a command that is waiting
        if self.over:
            return  # it is told again at the next start
        self._intake.add(step)
        why_not = why_not or self.gate or (session.mode if session.mode in HELD else "")
        if why_not:
            session.miss(why_not, step.numbers)
        else:
            session.decide(step.numbers, step.late)

    # -- the gate -----------------------------------------------------------------------------------------------------

    def _reconcile(self, held: Sequence[Step] = ()) -> None:
        """Settle every doubt by asking, compare both books, send again what got lost; the gate lifts if the books agree."""
        session = self.session
        assert session is not None
        self._obey(session)  # nothing is sent again over a command that is waiting
        absent: list[Order] = []
        try:
            absent = self._doubts.settle(session, self._account, time.monotonic())
            why = difference(session, self._account.state(), self._inbox.told)
            self.gate = self.gate if why == MOVED and self.gate.startswith("reconcile") else why
        except Exception as error:  # a query that failed, in whatever way, is no answer
            self.gate = f"reconcile: {error}"
        send_again(session, absent, closings_only=bool(held or self._gathering.waiting or self.gate or self.over))
        self._due["gate"] = time.monotonic() + AGAIN

    # -- beside the market ----------------------------------------------------------------------------------------------

    def _look_around(self) -> None:
        now, session = time.monotonic(), self.session
        for step in self._gathering.overdue(now):
            self._decide(step)
        if session is not None and now >= self._due["commands"]:
            self._obey(session)
            session.hear_silence(self._clock(), shut=bool(self.gate or self.over))
            if self._tries.is_due(now, wanted=session.mode == "HALTED"):
                session.take_off()
        lasting = session is not None and self._doubts.lasting(session, now)  # no answer, and no line that broke: nobody else asks
        if (lasting or self.gate.startswith("reconcile")) and now >= self._due["gate"]:
            self._reconcile()
        self._beat_if_due()

    def _obey(self, session: LiveSession) -> None:
        """Apply what people have asked for since the last look."""
        self._due["commands"] = time.monotonic() + COMMANDS
        for command in self.journal.commands("queued"):
            if self._waits(command):
                continue
            mine = (command.body or {}).get("run", self._run) == self._run
            session.apply(command if mine else command._replace(expires=1), self._clock())
            self._due["beat"] = 0.0  # whoever asked is looking
        self.over = self.over or session.stopping

    def _waits(self, command: Command) -> bool:
        """Whether a command is kept until the gate lifts: nothing opens over a doubt, and no doubt is settled before all is heard."""
        if command.what == "absent":
            return bool(self.gate) and not self.gate.startswith("reconcile")
        return bool(self.gate) and command.what in WORDS

    def _beat_if_due(self) -> None:
        if time.monotonic() >= self._due["beat"]:
            self._due["beat"] = time.monotonic() + BEAT
            self._beat()

    def _beat(self) -> None:
        """Give a sign of life; one that cannot be written is left out, and the next one tried."""
        try:
            if self.session is not None:
                self._models.look(self.session, at_once=bool(self.over))
            self.journal.beat("session", self.status())
        except JournalError as error:
            log.warning("no sign of life: %s", error)

    def status(self) -> dict[str, Any]:
        """Return how the run stands, as plain values."""
        session = self.session
        said = {"run": self._run, "pid": os.getpid(), "gate": self.gate, "over": self.over, "arrived": self.arrived}
        said["models"] = self._models.standing
        if session is None:
            return said
        joins = self.joins if session.steps_done == session.first else []
        doubts = [in_doubt(order) for order in self._doubts.lasting(session, time.monotonic())]
        return said | standing(session) | {"joins": joins, "doubtful": len(doubts), "doubts": doubts}
