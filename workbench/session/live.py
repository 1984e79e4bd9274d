"""A session whose steps, events and commands come one by one, each written down before anything follows from it.

It is the same state machine as in a replay: the same `step`, the same decisions. What is added is where its inputs come
from - the newest closed bars, what a venue says, what a person asks - and that all of them are in the journal. So the
journal alone brings a session back: its inputs, given again in their order, lead to the same state (`recovery.py`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from workbench.bars import FIELDS, Bars
from workbench.execution.port import ExecutionModule, OrderAccepted, OrderEnded, OrderFilled, VenueEvent, VenueSaid
from workbench.execution.wire import event_plain, order_plain
from workbench.journal import Answer, Command, Entry, JournalPort, ReceivedBar
from workbench.market import Order
from workbench.records import IN_DOUBT, MISSED, REDUCING
from workbench.session.events import Decided, OrderSent, StepClosed
from workbench.session.session import Session
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.words import decision_words

__all__ = ["LiveSession", "Mode", "bars_received"]

#: RUNNING: all. REDUCING: only closings are sent. PAUSED: no decisions. HALTED: cancels and a person's flatten (SEMANTICS 38).
Mode = Literal["RUNNING", "REDUCING", "PAUSED", "HALTED"]


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
        self._gap = 0
        self._received: list[ReceivedBar] = []
        self._moved: list[Entry] = []
        self._decided: list[Decided] = []
        self._withdrawn: list[str] = []
        self._accepted: set[str] = set()
        self._leaving: set[int] = set()
        self._seen = 0
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

    def decide(self, seen: int = 0) -> None:
        """Decide the newest step; `seen` is the number of its bars at the venue."""
        self._seen = seen
        self.step()
        self._gap = 0

    def miss(self, why: str, seen: int = 0) -> None:
        """Let a step pass undecided: mark it, and note that it was missed."""
        row = self.steps_done
        self.steps_done = row + 1
        self.execution.observe(self.tape, row)
        self._take_in()
        self.tape.advance(row)
        equity, _ = self.portfolio.value()
        self._gap += 1
        if self.setup.strategy.late_entries != "take":
            self._forget_crossings()
        label = self.tape.label[row]
        self.journal.commit([*self._anchors(), Entry("missed", label, {"why": why, "equity": equity, "seen": seen})], self._bars_in())
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

    def joining(self) -> list[tuple[str, float, float]]:
        """Return what the first step would open if the stances stay: symbol, signed quantity, notional (SEMANTICS 9)."""
        row, equity = self.steps_done - 1, self.portfolio.equity
        if row < 0 or self.setup.strategy.start == "wait":
            return []
        self.decider.begin(row, equity)
        found = []
        for j, column in enumerate(self.tape.stance):
            stance = column[row]
            sign = 0 if stance != stance or (stance < 0 and not self._short[j]) else (stance > 0) - (stance < 0)
            if sign:
                state = State(waiting=False)
                state.acted, state.row = sign, self._trace(row, j, stance, equity)
                for order in self.decider.opening(row, j, state, equity):
                    signed = order.sign * order.quantity
                    found.append((order.instrument.symbol, signed, signed * self.tape.price[j] * self.tape.unit[j]))
        return found

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
        if self._gap:
            self._take_up_missed(row)
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

    def _take_up_missed(self, row: int) -> None:
        """Let the last opinion of the missed steps stand where the newest step has none: a missed exit still closes."""
        for j, column in enumerate(self.tape.stance):
            if column[row] != column[row]:
                column[row] = self._missed_opinion(row, j)

    def _missed_opinion(self, row: int, j: int) -> float:
        """Return the last opinion of the steps that were missed just before; NaN where there was none."""
        missed = self.tape.stance[j][row - self._gap : row]
        return next((stance for stance in reversed(missed) if stance == stance), math.nan)

    def _late(self, row: int, j: int) -> bool:
        """Whether a stance turned while nothing was decided: an opening then comes too late (SEMANTICS 36)."""
        if not self._gap or self.setup.strategy.late_entries == "take":
            return False
        now, before = self.tape.stance[j][row], self._missed_opinion(row, j)
        return before == before and (now > 0) == (before > 0) and (now < 0) == (before < 0)

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
        body = {"equity": equity, "seen": self._seen, "decisions": [self._told_of(one) for one in self._decided]}
        self.journal.commit([*self._anchors(), Entry("step", label, body | self._taken_off()), *self._intents()], self._bars_in())
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
            self.execution.submit(order)

    # -- what is written down -----------------------------------------------------------------------------------------

    def _intents(self) -> list[Entry]:
        return [Entry("intent", order.key, order_plain(order)) for order, _ in self._outbox]

    def _anchors(self) -> list[Entry]:
        moved, self._moved = self._moved, []
        return moved

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


def bars_received(bars: Bars, row: int, arrived: int) -> list[ReceivedBar]:
    """Return one row of bars as they were received."""
    rows = []
    for j, instrument in enumerate(bars.instruments):
        first, high, low, close, volume = (float(bars.array(name)[row, j]) for name in FIELDS)
        if close == close:
            rows.append(ReceivedBar(int(bars.labels[row]), instrument.symbol, first, high, low, close, volume, arrived))
    return rows
