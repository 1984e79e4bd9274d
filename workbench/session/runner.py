"""What drives a live session: takes what arrives in its order, decides what is newest, does what people ask.

One thread, one queue. A start, a restart and a broken connection are the same path: catch up with what the venue says it
has told, settle every doubt by asking, compare both books - and only a clean comparison lifts the gate (SEMANTICS 36-38).
"""

from __future__ import annotations

import logging
import os
import queue
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from workbench.bars import Bars
from workbench.errors import OrderError
from workbench.execution.port import (
    Arrival,
    BarsClosed,
    Connected,
    Disconnected,
    ExecutionModule,
    MarketOver,
    OrderEnded,
    VenueSaid,
    VenueState,
)
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.journal import Entry, Journal
from workbench.market import Order
from workbench.session.history import History
from workbench.session.live import LiveSession, bars_received
from workbench.session.recovery import bars_of, over, relived
from workbench.session.setup import Setup

__all__ = ["Link", "Runner"]

log = logging.getLogger("workbench.session")
#: Seconds: the longest wait for something to arrive, between two looks for commands, two signs of life, two reconciles.
WAIT, COMMANDS, BEAT, AGAIN = 0.05, 0.05, 0.5, 0.5
#: How a gate begins that only the connection lifts, and one that lifts when both books have been compared.
AWAY, SETTLING = "away: ", "settling"
#: Bars of history that a session computes from before its anchor moves on (SEMANTICS 7).
MOST_HISTORY = 20_000
#: Seconds that a run of one step waits for its bar.
PATIENCE = 5.0


class Link(Protocol):
    """A run's line to a venue: what a runner asks of one."""

    def open(self, put: Callable[[Arrival], None], since: Callable[[], int]) -> ExecutionModule:
        """Connect, and put what arrives after the number that `since` names; return the account."""

    def close(self) -> None:
        """End the connection."""

    def done(self, number: int) -> None:
        """Say that the step of these bars is decided."""


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
        self.gate = f"{AWAY}connecting"
        self._told = self._head = self._newest = 0
        self._first_row = 0
        self.joins: list[tuple[str, float, float]] = []
        self._past: list[VenueSaid | BarsClosed] = []
        self._held: list[BarsClosed] = []
        self._book: VenueState | None = None
        self._inbox: queue.Queue[Arrival] = queue.Queue()
        self._due = dict.fromkeys(("commands", "beat", "gate"), 0.0)
        self.arrived = 0
        self.over = ""
        self._leave = time.monotonic() + PATIENCE if once else 0.0

    def run(self) -> None:
        """Go on until the session is stopped or the market is over."""
        self.journal.take_over(self._run)
        self._come_back()
        self._account = self._link.open(self._inbox.put, lambda: self._told)
        try:
            while not self.over:
                self._take()
                self._look_around()
                if self._leave:
                    self._leave_after_one_step()
        finally:
            self._link.close()
            self._beat()

    def _leave_after_one_step(self) -> None:
        """Leave once a step is decided and the venue has taken its orders, or when no new bar came in time."""
        session = self.session
        stepped = session is not None and session.steps_done > self._first_row and not session.doubtful
        if stepped or time.monotonic() > self._leave:
            self.over = "one step is decided" if stepped else "no new bar has closed"

    # -- coming back --------------------------------------------------------------------------------------------------

    def _come_back(self) -> None:
        """Live once more through what the journal holds, if this run has begun before."""
        began = self.journal.newest("start")
        if began is None:
            return
        bars = bars_of(self.journal.bars(), self._instruments, self._interval, began.body["source"])
        setup = over(self._setting, bars, self.journal)
        self.session = relived(setup, self.journal, began.body["rows"], self._listen)
        self.session.stopping = ""  # a stop ends the run that it was given to, not the next one
        anchor = self.journal.newest("anchor")
        self._history = History(bars if anchor is None else bars.iloc[np.searchsorted(bars.labels, anchor.body["anchor"]) :])
        self._told = max([began.body["seen"], *self._numbers()])
        self._first_row = self.session.steps_done

    def _numbers(self) -> list[int]:
        events = [int(e.key) for e in self.journal.entries("event") if str(e.key).isdigit()]
        return events + [e.body["seen"] for kind in ("step", "missed") for e in self.journal.entries(kind)]

    def _begin(self, past: Sequence[BarsClosed]) -> None:
        """Begin a run that has no journal yet: what has closed so far is history, the next bar is the first to be decided."""
        received = [bar for one in past for bar in bars_received(one.bars, 0, one.arrived)]
        bars = bars_of(received, self._instruments, self._interval, past[-1].bars.source if past else "")
        self._history = History(bars)
        self.session = LiveSession(self._setting(bars), self._account, self.journal, len(bars))
        self._listen(self.session)
        self._first_row = len(bars)
        self.joins = self.session.joining()
        body = {"rows": len(bars), "seen": self._told, "source": bars.source, "anchor": int(bars.labels[0]) if len(bars) else 0}
        self.journal.commit([Entry("start", self._run, body)], received)

    # -- what arrives -------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        try:
            arrival = self._inbox.get(timeout=WAIT)
        except queue.Empty:
            return
        if isinstance(arrival, Connected):
            self._head, self._newest, self._past, self._book, self.gate = arrival.head, arrival.newest, [], None, f"{AWAY}catching up"
            if self._head <= self._told:
                self._caught_up()
        elif isinstance(arrival, Disconnected):
            self.gate = f"{AWAY}no connection: {arrival.why}"
        elif isinstance(arrival, MarketOver):
            self.over = "the recording is over"
        elif int(arrival.number) > self._told:
            self._told = int(arrival.number)
            if self._told <= self._head:
                self._past.append(arrival)
                if self._told == self._head:
                    self._caught_up()
            else:
                self._new(arrival)

    def _caught_up(self) -> None:
        """All that was told before the connection is there: take it in, settle doubts, compare, decide the newest bars."""
        past, self._past = self._past, []
        if self.session is None:
            self._begin([one for one in past if isinstance(one, BarsClosed)])
            past = []
        session = self.session
        assert session is not None
        session.execution, session.journal = self._account, self.journal
        held: list[BarsClosed] = []
        for one in past:
            if isinstance(one, VenueSaid):
                session.told([one])
            elif one.number == self._newest:
                held.append(one)
            else:
                self._bars(one, "the session was down")
        self._held = held
        self._settle()

    def _new(self, arrival: VenueSaid | BarsClosed) -> None:
        assert self.session is not None
        if isinstance(arrival, VenueSaid):
            self.session.told([arrival])
        elif self.settling:
            for one in self._held:
                self._bars(one, "the books were not compared yet")
            self._held = [arrival]
        else:
            self._decide([arrival])
        if self.settling:
            self._settle()

    def _decide(self, newest: Sequence[BarsClosed]) -> None:
        """Decide the newest bars, and let a market that waits for it go on."""
        for one in newest:
            self._bars(one)
        if not self._leave or not newest:
            self._link.done(self._told)

    def _bars(self, closed: BarsClosed, why_not: str = "") -> None:
        """Take closed bars in, and decide their step if it may be."""
        session = self.session
        assert session is not None
        self.arrived = closed.arrived
        self._obey(session)  # nothing is decided over a command that is waiting
        anchor = self._roll(int(closed.bars.labels[0]))
        self._history.add(closed.bars)
        session.append(session.setup.on(self._history.bars), bars_received(closed.bars, 0, closed.arrived), anchor)
        why_not = why_not or self.gate or (session.mode if session.mode in ("PAUSED", "HALTED") else "")
        if why_not:
            session.miss(why_not, closed.number)
        else:
            session.decide(closed.number)

    def _roll(self, label: int) -> int | None:
        """Move the anchor at the turn of a day, once there is more history than is needed; return it if it moved."""
        lookback = self.session.setup.strategy.lookback if self.session is not None else 0
        most, rows = max(MOST_HISTORY, 4 * lookback), len(self._history)
        if rows <= most or label // DAY == self.last_label // DAY:
            return None
        return self._history.drop(rows - max(most // 2, 2 * lookback))

    @property
    def last_label(self) -> int:
        """The newest label that the session has seen; 0 before there is any."""
        tape = self.session.tape if self.session is not None else None
        return tape.label[-1] if tape is not None and tape.label else 0

    # -- the gate -----------------------------------------------------------------------------------------------------

    @property
    def settling(self) -> bool:
        """Whether doubts are being settled: the newest bars wait for it."""
        return self.gate.startswith(SETTLING)

    def _settle(self) -> None:
        """Settle every doubt by asking, then compare both books as they were at one number of the venue's.

        The gate lifts if they agree; if they do not, it says how they differ, and steps are missed until they do.
        """
        session = self.session
        assert session is not None
        self._due["gate"] = time.monotonic() + AGAIN
        try:
            if self._book is None:
                for order in session.doubtful:
                    if not self._account.knows(order.key):  # type: ignore[arg-type]
                        self._absent(session, order, newest=not self._held)
                self._book = self._account.state()
        except OrderError as error:
            self.gate = f"{SETTLING}: {error}"
            return
        if self._book.number > self._told:
            self.gate = f"{SETTLING}: waiting for what the venue has told meanwhile"
            return
        differences = _differences(session, self._book) if self._book.number == self._told else ["we have heard more than the venue said"]
        self._book = None
        self.gate = f"the books differ: {'; '.join(differences)}" if differences else ""
        held, self._held = self._held, []
        self._decide(held)

    def _absent(self, session: LiveSession, order: Order, newest: bool) -> None:
        """End an order that the venue has never had, and send it again where that is still right (SEMANTICS 37)."""
        assert order.key is not None
        label = session.tape.label[session.steps_done - 1]
        session.told([VenueSaid(f"absent {order.key}", OrderEnded(order.key, "absent", label))])
        if order.reduce_only or (newest and order.key.label == label and session.mode == "RUNNING"):
            session.again(order)

    # -- beside the market ----------------------------------------------------------------------------------------------

    def _look_around(self) -> None:
        now = time.monotonic()
        session = self.session
        if session is not None and now >= self._due["commands"]:
            self._obey(session)
            if session.mode == "HALTED":
                session.take_off()
        if self.gate and not self.gate.startswith(AWAY) and now >= self._due["gate"]:
            self._settle()
        if now >= self._due["beat"]:
            self._due["beat"] = now + BEAT
            self._beat()

    def _obey(self, session: LiveSession) -> None:
        """Apply what people have asked for since the last look."""
        self._due["commands"] = time.monotonic() + COMMANDS
        for command in self.journal.commands("queued"):
            session.apply(command, self._clock())
        self.over = self.over or session.stopping

    def _beat(self) -> None:
        self.journal.beat("session", self.status())

    def status(self) -> dict[str, Any]:
        """Return how the run stands, as plain values."""
        session = self.session
        if session is None:
            return {"run": self._run, "pid": os.getpid(), "gate": self.gate, "over": self.over}
        portfolio, row = session.portfolio, session.steps_done - 1
        return {
            "run": self._run,
            "pid": os.getpid(),
            "gate": self.gate,
            "over": self.over,
            "mode": session.mode,
            "joins": self.joins if session.steps_done == session.first else [],
            "steps": session.steps_done - session.first,
            "label": session.tape.label[row] if row >= 0 else 0,
            "arrived": self.arrived,
            "currency": session.setup.currency,
            "equity": session.equity,
            "cash": portfolio.cash,
            "positions": {i.symbol: _position(session, j) for j, i in enumerate(session.setup.instruments) if portfolio.lots[j]},
            "working": [_order(order) for order in session.working],
            "doubtful": len(session.doubtful),
        }


def _position(session: LiveSession, j: int) -> dict[str, Any]:
    """Return a position as plain values."""
    held = session.portfolio.position(j)
    return {
        "symbol": held.instrument.symbol,
        "quantity": held.quantity,
        "average": held.average_price,
        "last": held.last_price,
        "notional": held.quantity * held.last_price * session.portfolio.unit[j],
        "unrealised": held.unrealised,
    }


def _order(order: Order) -> dict[str, Any]:
    """Return an order that is out as plain values."""
    leg = order.key.leg if order.key is not None else ""
    told = {"symbol": order.instrument.symbol, "leg": leg, "side": order.side, "quantity": order.quantity}
    return told | {"type": order.type, "price": order.price, "reason": order.reason}


def _differences(session: LiveSession, state: Any) -> list[str]:
    """Return in words how the venue's book differs from ours."""
    ours = {i.symbol: session.portfolio.quantity(j) for j, i in enumerate(session.setup.instruments) if session.portfolio.lots[j]}
    said = [
        f"{symbol}: the venue holds {state.positions.get(symbol, 0.0):g}, we know of {ours.get(symbol, 0.0):g}"
        for symbol in sorted({*ours, *state.positions})
        if ours.get(symbol, 0.0) != state.positions.get(symbol, 0.0)
    ]
    theirs, mine = {str(order.key) for order in state.orders}, {str(order.key) for order in session.working}
    said += [f"order {key} works at the venue and is not known here" for key in sorted(theirs - mine)]
    said += [f"order {key} is known here and does not work at the venue" for key in sorted(mine - theirs)]
    if not said and state.account.cash != session.portfolio.cash:
        said.append(f"the venue has {state.account.cash} {state.account.currency} in cash, we know of {session.portfolio.cash}")
    return said
