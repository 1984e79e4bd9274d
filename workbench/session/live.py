"""A session whose steps, events and commands come one by one, each written down before anything follows from it.

It is the same state machine as in a replay: the same `step`, the same decisions. What is added is where its inputs come
from - the newest closed bars, what a venue says, what a person asks - and that all of them are in the journal. So the
journal alone brings a session back: its inputs, given again in their order, lead to the same state (`recovery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from workbench.errors import OrderError
from workbench.execution.port import ExecutionModule, OrderAccepted, OrderEnded, OrderFilled, VenueEvent, VenueSaid
from workbench.execution.wire import event_plain, order_plain
from workbench.journal import Answer, Command, Entry, JournalPort, ReceivedBar
from workbench.market import Order
from workbench.records import IN_DOUBT, MISSED, REDUCING
from workbench.session.events import Alert, Decided, OrderSent, StepClosed
from workbench.session.session import Session
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.undecided import forget, is_late, note_bar, note_step, take_up
from workbench.session.words import decision_words

__all__ = ["LiveSession", "Mode"]

#: RUNNING: all. REDUCING: only closings are sent. PAUSED: no decisions. HALTED: cancels and a person's flatten (SEMANTICS 38).
Mode = Literal["RUNNING", "REDUCING", "PAUSED", "HALTED"]
#: So many late bars in a row raise an alert (SEMANTICS 5).
MANY = 3


class LiveSession(Session):
    """A session that is given its inputs one by one, and journals them.

    Parameters
    ----------
    setup : Setup
        Over the bars so far.
    venue : ExecutionModule
    journal : JournalPort
    first : int
        How many rows of the bars are only history: the first row that may be decided.
    """

    def __init__(self, setup: Setup, venue: ExecutionModule, journal: JournalPort, first: int) -> None:
        self._begin(setup, venue, journal)
        for row in range(first):
            self.tape.advance(row)
        self.steps_done = self.first = first
        self.mode: Mode = "RUNNING"
        self.stopping = ""
        self._behind = False
        self._received: list[ReceivedBar] = []
        self._moved: list[Entry] = []
        self._decided: list[Decided] = []
        self._withdrawn: list[str] = []
        self._accepted: set[str] = set()
        self._leaving: set[int] = set()
        self._seen: dict[str, Any] = {}
        self._came_up: list[Entry] = []
        self.bus.on(Decided, self._decided.append)

    # -- inputs -----------------------------------------------------------------------------------------------------

    def append(self, setup: Setup, received: Sequence[ReceivedBar] = (), anchor: int | None = None) -> None:
        """Take a closed step's bars in: `setup` is over the bars since the anchor, its last row is new.

        An `anchor` that has moved is a label, and is written down with the step.
        """
        self.setup = setup
        self.tape.extend(setup, len(setup.bars) - 1)
        self._received += received
        if anchor is not None:
            self._moved.append(Entry("anchor", int(setup.bars.labels[-1]), {"anchor": anchor}))

    def told(self, said: Sequence[VenueSaid]) -> None:
        """Take in what the venue said."""
        self.journal.commit([Entry("event", one.number, event_plain(one.event)) for one in said])
        for one in said:
            self._book(one.event)

    def late(self, setup: Setup, received: Sequence[ReceivedBar], seen: Sequence[int] = ()) -> None:
        """Take bars in whose step has passed: only later steps know of them (SEMANTICS 5).

        Parameters
        ----------
        setup : Setup
            Over the bars since the anchor up to their label.
        received : sequence of ReceivedBar
            Of that one label.
        seen : sequence of int
            Their numbers at the venue.
        """
        label, symbols = received[0].label, [bar.symbol for bar in received]
        row = self.tape.row_of(label)
        for symbol in symbols:
            j = self.portfolio.column[symbol]
            self._count_late(j)
            if row >= self.tape.first:
                self.tape.replace(setup, row, [j])
                note_bar(self.tape, self.states, j, row, self.steps_done)
                self._behind = True
        body = {"label": label, "symbols": symbols, "seen": list(seen)}
        self.journal.commit([Entry("late", f"{label} {' '.join(symbols)}", body), *self._alerts()], received)

    def alert(self, text: str, key: str, seen: Sequence[int] = ()) -> None:
        """Write down, once under a key, what a person should look at; it changes nothing."""
        self.journal.commit([Entry("alert", key, {"text": text, "seen": list(seen)})])
        self.bus.emit(Alert(text))

    def decide(self, seen: Sequence[int] = (), late: int = 0) -> None:
        """Decide the newest step.

        Parameters
        ----------
        seen : sequence of int
            The numbers of its bars at the venue.
        late : int
            How many nanoseconds after their time its bars came: then it closes, and opens only what may be entered late.
        """
        self._seen = {"seen": list(seen)} | ({"late": late} if late else {})
        self._count(late)
        if late:
            note_step(self.tape, self.states, self.steps_done)
            self._behind = True
        self.step()
        if self._behind:
            forget(self.states)
            self._behind = False

    def miss(self, why: str, seen: Sequence[int] = ()) -> None:
        """Let a step pass undecided: mark it, and note that it was missed."""
        row = self.steps_done
        self.steps_done = row + 1
        self.execution.observe(self.tape, row)
        self._take_in()
        self.tape.advance(row)
        equity, _ = self.portfolio.value()
        note_step(self.tape, self.states, row)
        self._behind = True
        if self.setup.strategy.late_entries != "take":
            self._forget_crossings()
        label = self.tape.label[row]
        body = {"why": why, "equity": equity, "seen": list(seen)}
        self.journal.commit([*self._anchors(), Entry("missed", label, body)], self._bars_in())
        self.bus.emit(StepClosed(row, label, equity))

    def apply(self, command: Command, now: int) -> Answer:
        """Do what a person asks, once; what it sends is in the journal first."""
        if command.expires and now > command.expires:
            return self._answered(command, "expired", "nobody was there to apply it in time", now)
        verb = VERBS.get(command.what)
        if verb is None:
            return self._answered(command, "refused", f"a session knows {', '.join(VERBS)}; got {command.what!r}", now)
        said = verb(self, command)
        answer = self._answered(command, "applied", said, now)
        self._submit(self.steps_done - 1)
        return answer

    def take_off(self) -> None:
        """Take off what openings are still out: a halted session tries until the venue has confirmed it."""
        if sum(self._withdraw(state) for state in self.states):
            self.journal.commit([Entry("taken off", self._withdrawn[0], self._taken_off())])

    def again(self, order: Order) -> None:
        """Send once more, as the next attempt, what the venue has never had: of a closing what is still open (SEMANTICS 37)."""
        assert order.key is not None
        key = replace(order.key, attempt=order.key.attempt + 1)
        retried, state = replace(order, key=key), self._state_of(key)
        if order.reduce_only:
            held = self.portfolio.quantity(self.portfolio.column[key.instrument])
            if held * order.sign >= 0.0:
                return  # a protective order was quicker
            state.closing = retried = replace(retried, quantity=min(order.quantity, abs(held)))
        else:
            state.opening = retried
        self._outbox.append((retried, state.decision))
        self.journal.commit([Entry("again", key, order_plain(order)), *self._intents()])
        self._submit(self.steps_done - 1)

    def timely(self, order: Order) -> bool:
        """Whether an order may still be sent again: a closing always, an opening only while its step is the newest."""
        assert order.key is not None
        return order.reduce_only or (self.mode == "RUNNING" and self._state_of(order.key).opened_at == self.steps_done - 1)

    @property
    def working(self) -> list[Order]:
        """The orders that are out, as far as this session knows."""
        return [order for state in self.states for order in state.orders]

    @property
    def doubtful(self) -> list[Order]:
        """The orders of which the venue has said nothing yet."""
        return [order for order in self.working if str(order.key) not in self._accepted]

    # -- verbs ------------------------------------------------------------------------------------------------------

    def _pause(self, command: Command) -> str:
        return self._latch("PAUSED", "no decisions; protective orders stay")

    def _resume(self, command: Command) -> str:
        return self._latch("RUNNING", "decisions go on")

    def _reduce(self, command: Command) -> str:
        return self._latch("REDUCING", "only closings are sent")

    def _kill(self, command: Command) -> str:
        """Halt, and take all openings off; protective orders stay until the position is flat."""
        off = sum(self._withdraw(state) for state in self.states)
        return self._latch("HALTED", f"{off} opening orders taken off; protective orders stay")

    def _flatten(self, command: Command) -> str:
        """Close all positions at market; nothing re-enters until a stance turns."""
        closed = 0
        for j, state in enumerate(self.states):
            self._withdraw(state)
            if self.portfolio.lots[j] and state.closing is None:
                order = self.decider.closing(self.steps_done - 1, j, f"flatten, asked by {command.who}", command.id)
                state.closing, state.closed_at = order, self.steps_done - 1
                self._outbox.append((order, -1))
                self._leaving.add(j)
                closed += 1
        return f"{closed} positions are being closed" if closed else "there is nothing to close"

    def _stop(self, command: Command) -> str:
        self.stopping = f"stopped by {command.who}"
        return "the run ends; positions and their protective orders stay"

    def _latch(self, mode: Mode, words: str) -> str:
        before, self.mode = self.mode, mode
        return f"{mode} already" if before == mode else f"{mode}: {words}"

    def _answered(self, command: Command, state: str, text: str, now: int) -> Answer:
        answer = Answer(command.id, state, text, now)
        said = {"state": state, "answer": text, "answered": now, "step": self.steps_done}
        body = command._asdict() | said | self._taken_off()
        self.journal.commit([Entry("command", command.id, body), *self._intents()], answers=[answer])
        return answer

    # -- what a replay does otherwise -------------------------------------------------------------------------------

    def _close_what_turned(self, row: int, equity: float) -> list[int]:
        """Close besides what should be closed already: after a fill that came late, or a closing that came to nothing."""
        if self._behind:
            take_up(self.tape, self.states, row)
        wanted = super()._close_what_turned(row, equity)
        for j, state in enumerate(self.states):
            lots = self.portfolio.lots[j]
            if not lots:
                self._leaving.discard(j)
            elif state.closing is None and (j in self._leaving or (lots > 0) - (lots < 0) != state.acted):
                self._close(row, j, state, "not closed yet")
        return wanted

    def _book(self, event: VenueEvent) -> None:
        if type(event) is OrderAccepted:
            self._accepted.add(str(event.order.key))
        elif type(event) is OrderFilled and event.fill.key.leg != "open":
            # closed: an opening that fills in the same bar is a new position, and stays
            self._leaving.discard(self.portfolio.column[event.fill.key.instrument])
        super()._book(event)

    def _ended(self, event: OrderEnded) -> None:
        if event.key.leg == "close":
            self._leaving.add(self.portfolio.column[event.key.instrument])
        super()._ended(event)

    def _may_open(self, row: int, equity: float, wanted: list[int]) -> list[int]:
        """Return who may open: nobody while reducing, none on top of a doubt, and no late entries unless they are wanted."""
        allowed = []
        for j in wanted:
            state = self.states[j]
            code = REDUCING if self.mode != "RUNNING" else IN_DOUBT if state.opening is not None else MISSED if self._late(row, j) else 0
            if code:
                state.row.code = code
                self.bus.emit(Decided(state.decision, self.setup.instruments[j], state.row))
            else:
                allowed.append(j)
        return allowed

    def _count(self, late: int) -> None:
        """Count which bars of the newest step came late, and which in time."""
        for j, column in enumerate(self.tape.close):
            if column[self.steps_done] != column[self.steps_done]:
                continue
            if late:
                self._count_late(j)
            else:
                self.states[j].late = 0

    def _count_late(self, j: int) -> None:
        """Count a late bar; the third in a row raises an alert."""
        state, symbol = self.states[j], self.setup.instruments[j].symbol
        state.late += 1
        if state.late == MANY:
            text = f"{symbol}: the last {MANY} bars came late, so it opens nothing in time; is its source in order?"
            self._came_up.append(Entry("alert", f"late {symbol} {self.tape.label[-1]}", {"text": text}))

    def _late(self, row: int, j: int) -> bool:
        """Whether an opening would be a late entry, and none is wanted."""
        return self._behind and self.setup.strategy.late_entries != "take" and is_late(self.tape, self.states[j], j, row)

    def _cross_over(self, equity: float) -> None:
        if self.mode == "RUNNING":
            super()._cross_over(equity)
        self._forget_crossings()

    def _forget_crossings(self) -> None:
        """Let limits that ended unfilled come to nothing: to cross at a later close would be a late entry (SEMANTICS 36)."""
        self._crossing = False
        for state in self.states:
            state.crossing = None

    def _withdraw(self, state: State) -> bool:
        """Take an unfilled opening off, and say whether the venue confirmed it; until it does it is out."""
        state.crossing = None
        order = state.opening
        if order is None or order.key is None or not self.execution.cancel(order.key):
            return False
        state.opening = None
        self._withdrawn.append(str(order.key))
        return True

    def _finish(self, row: int, equity: float) -> None:
        """Write the step, its decisions and its intents in one commit; then hand the intents over."""
        label = self.tape.label[row]
        body = {"equity": equity, **self._seen, "decisions": [self._told_of(one) for one in self._decided]}
        step = Entry("step", label, body | self._taken_off())
        self.journal.commit([*self._anchors(), step, *self._intents(), *self._alerts()], self._bars_in())
        self._decided.clear()
        self._submit(row)
        self.bus.emit(StepClosed(row, label, equity))

    def _submit(self, row: int) -> None:
        outbox, self._outbox = self._outbox, []
        for order, decision in outbox:
            assert order.key is not None
            if order.key.leg == "open":
                self._state_of(order.key).opened_at = row
            self.bus.emit(OrderSent(order, decision, row))
            try:
                self.execution.submit(order)
            except OrderError as error:
                self._refused(order, str(error))

    def _refused(self, order: Order, why: str) -> None:
        """End an order that the venue does not take: an opening is not tried again, a closing at the next step (SEMANTICS 10)."""
        assert order.key is not None
        self.told([VenueSaid(f"refused {order.key}", OrderEnded(order.key, "rejected", self.tape.label[self.steps_done - 1]))])
        self.alert(f"{order.side} {order.quantity:g} {order.instrument.symbol}: {why}", f"refused {order.key}")

    # -- what is written down -----------------------------------------------------------------------------------------

    def _intents(self) -> list[Entry]:
        return [Entry("intent", order.key, order_plain(order)) for order, _ in self._outbox]

    def _anchors(self) -> list[Entry]:
        moved, self._moved = self._moved, []
        return moved

    def _alerts(self) -> list[Entry]:
        """Return the alerts that came up, and tell them."""
        came, self._came_up = self._came_up, []
        for entry in came:
            self.bus.emit(Alert(entry.body["text"]))
        return came

    def _bars_in(self) -> list[ReceivedBar]:
        received, self._received = self._received, []
        return received

    def _taken_off(self) -> dict[str, Any]:
        withdrawn, self._withdrawn = self._withdrawn, []
        return {"withdrawn": withdrawn} if withdrawn else {}

    def _told_of(self, one: Decided) -> dict[str, Any]:
        row = one.row
        return {
            "symbol": one.instrument.symbol,
            "stance": row.stance,
            "close": row.price,
            "asked": row.asked,
            "lots": row.lots,
            "code": row.code,
            "reason": decision_words(self.setup, row),
        }


VERBS = {
    "pause": LiveSession._pause,
    "resume": LiveSession._resume,
    "reduce": LiveSession._reduce,
    "flatten": LiveSession._flatten,
    "kill": LiveSession._kill,
    "stop": LiveSession._stop,
}
