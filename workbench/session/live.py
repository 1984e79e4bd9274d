"""A session whose steps, events and commands come one by one, each written down before anything follows from it.

It is the same state machine as in a replay: the same `step`, the same decisions. What is added is where its inputs come
from - the newest closed bars, what a venue says, what a person asks - and that all of them are in the journal. So the
journal alone brings a session back: its inputs, given again in their order, lead to the same state (`recovery.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import OrderError
from workbench.execution.port import ExecutionModule
from workbench.journal import Answer, Command, Entry, JournalPort, ReceivedBar
from workbench.market import Order
from workbench.records import GATED, IN_DOUBT, MISSED, REDUCING
from workbench.session.approving import ApprovingSession
from workbench.session.events import Decided, StepClosed
from workbench.session.journaled import Mode
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.undecided import forget, is_late, note_bar, note_step, take_up
from workbench.session.words import in_short

__all__ = ["LiveSession"]

#: Modes in which nothing is decided; what a person wants closed is closed all the same.
HELD = ("PAUSED", "HALTED")
#: So many late bars in a row raise an alert (SEMANTICS 5).
MANY = 3


class LiveSession(ApprovingSession):
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
        self.stopping = ""
        #: What the run is called that it belongs to; a session that lives again belongs to none.
        self.name = ""
        self._behind = False
        #: Bars that came late, by column and row, which no held stop or target has been compared with.
        self._unwatched: list[tuple[int, int]] = []
        #: How many of its steps passed undecided.
        self.missed_steps = 0
        symbols = setup.market.symbols
        #: The first column of each instrument of the market.
        self.first_columns = dict(zip(symbols, setup.layout.firsts(len(symbols)), strict=True))

    # -- inputs -----------------------------------------------------------------------------------------------------

    def append(self, setup: Setup, received: Sequence[ReceivedBar] = (), anchor: int | None = None) -> None:
        """Take a closed step's bars in: `setup` is over the bars since the anchor, its last row is new.

        An `anchor` that has moved is a label, and is written down with the step.
        """
        self.setup = setup
        self.tape.extend(setup, len(setup.bars) - 1)
        self._received += received
        self.arrived = max((bar.arrived for bar in received), default=self.arrived)
        if anchor is not None:
            self._moved.append(Entry("anchor", int(setup.bars.labels[-1]), {"anchor": anchor}))

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
            columns = setup.columns_of(symbol)
            self._count_late(columns[0], symbol)
            if row >= self.tape.first:
                self.tape.replace(setup, row, columns)
                for j in columns:
                    note_bar(self.tape, self.states, j, row, self.steps_done)
                self._unwatched += [(j, row) for j in columns if self.held[j]]
                self._behind = True
        body = {"label": label, "symbols": symbols, "seen": list(seen)}
        self.journal.commit([Entry("late", f"{label} {' '.join(symbols)}", body), *self._alerts()], received)

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
        equity, needed = self.portfolio.value()
        self.sleeves.close(row, self.tape.day, equity)
        note_step(self.tape, self.states, row)
        self._behind = True
        self.missed_steps += 1
        self._forget_crossings(all_of_them=False)
        if why not in HELD:
            self._forget_questions()
        label = self.tape.label[row]
        if self._holds:
            self._watch(row, equity)
        if self.sleeves.moves:  # exits are kept up in every mode
            self._move_exits(row, equity, close=why in HELD)
        if why in HELD:
            self._close_what_leaves(row)
            self._hold_up()  # where it could not be taken off before
            if needed > 0.0 and equity < needed:
                self._stop_out(row, equity, [])
        self._note_breaches(row, equity)
        body = {"why": why, "equity": equity, "seen": list(seen)} | self._taken_off() | self._moved_stops() | self._gate_said()
        self.journal.commit([*self._anchors(), Entry("missed", label, body), *self._intents(), *self._alerts()], self._bars_in())
        self._submit(row)
        self._amend()
        self.bus.emit(StepClosed(row, label, equity))

    def apply(self, command: Command, now: int) -> Answer:
        """Do what a person asks, once; what it sends is in the journal first."""
        if command.expires and now > command.expires:
            return self._answered(command, "expired", "nobody was there to apply it in time", now)
        verb = VERBS.get(command.what)
        if verb is None:
            return self._answered(command, "refused", f"a session knows {', '.join(VERBS)}; got {command.what!r}", now)
        try:
            answer = self._answered(command, "applied", verb(self, command), now)
        except OrderError as error:
            return self._answered(command, "refused", str(error), now)
        self._submit(self.steps_done - 1)
        return answer

    def timely(self, order: Order) -> bool:
        """Whether an order may still be sent again: a closing always, an opening only while its step is the newest."""
        assert order.key is not None
        if order.reduce_only:
            return True
        newest = self._state_of(order.key).opened_at == self.steps_done - 1
        wanted = self.portfolio.column[order.key.instrument] not in self._unwanted
        return newest and self.mode == "RUNNING" and wanted and not self._left()

    # -- verbs ------------------------------------------------------------------------------------------------------

    def _pause(self, command: Command) -> str:
        self._hold_up()
        return self._latch("PAUSED", "no decisions; protective orders stay")

    def _resume(self, command: Command) -> str:
        return self._latch("RUNNING", "decisions go on")

    def _reduce(self, command: Command) -> str:
        self._hold_up()
        return self._latch("REDUCING", "only closings are sent")

    def _kill(self, command: Command) -> str:
        """Halt, and take all openings off; protective orders stay until the position is flat."""
        off = sum(self.withdraw(state) for state in self.states)
        return self._latch("HALTED", f"{off} opening orders taken off; protective orders stay")

    def _flatten(self, command: Command) -> str:
        """Close all positions at market; nothing re-enters until a stance turns."""
        out = 0
        self.entries.spend(self.states, self._short)
        for j, state in enumerate(self.states):
            opening = state.opening
            self.withdraw(state)
            state.leave(opening)  # it may have filled already, also where it is off now: whatever comes of it is closed
            out += state.opening is not None
            if self.portfolio.lots[j] and not self._closes(state):
                state.closed_at = self.steps_done - 1
                self.put_out(self.sleeves.decider(j).closing(self.steps_done - 1, j, f"flatten, asked by {command.who}", command.id), -1)
        held = [state for j, state in enumerate(self.states) if self.portfolio.lots[j]]
        closed = sum(state.closes for state in held)
        said = []
        if not held:
            said.append("there is nothing to close")
        if closed:
            said.append(f"{closed} positions are being closed")
        if closed < len(held):
            said.append(f"{len(held) - closed} positions could not be closed yet: that is tried again with each bar")
        if out:
            said.append(f"{out} openings could not be taken off: what they fill is closed with the next bar")
        return "; ".join(said)

    def _stop(self, command: Command) -> str:
        self.stopping = f"stopped by {command.who}"
        return "the run ends; positions and their protective orders stay"

    def _arm(self, command: Command) -> str:
        """Open the gate's latches again: somebody has looked at what shut them."""
        shut = [symbol for symbol, latch in self.latches.items() if latch.why]
        self.latches.clear()
        return f"armed again: {', '.join(shut)}" if shut else "no latch is shut"

    def _latch(self, mode: Mode, words: str) -> str:
        before, self.mode = self.mode, mode
        return f"{mode} already" if before == mode else f"{mode}: {words}"

    def _answered(self, command: Command, state: str, text: str, now: int) -> Answer:
        text = "; ".join([text, *(said.why for said, _ in self._gated.values() if said.why)])
        answer = Answer(command.id, state, text, now)
        said = {"state": state, "answer": text, "answered": now, "step": self.steps_done}
        body = command._asdict() | said | self._taken_off() | self._gate_said()
        # a stop that was answered holds, whatever happens before the run has ended
        end = [Entry("end", self.name, {"why": self.stopping})] if self.stopping and self.name else []
        self.journal.commit([Entry("command", command.id, body), *self._intents(), *end, *self._alerts()], answers=[answer])
        return answer

    # -- what a replay does otherwise -------------------------------------------------------------------------------

    def _watch(self, row: int, equity: float) -> None:
        """Look besides at the bars that came late: at the first step after them (SEMANTICS 5)."""
        for j, passed in self._unwatched:
            if self.portfolio.lots[j]:
                self._compare(row, j, passed, equity)
        self._unwatched.clear()
        super()._watch(row, equity)

    def _close_what_turned(self, row: int, equity: float) -> list[int]:
        """Close besides what should be closed already: after a fill that came late, or a closing that came to nothing."""
        if self._behind:
            take_up(self.tape, self.states, row)
        wanted = super()._close_what_turned(row, equity)
        self._close_what_leaves(row)
        return wanted

    def _may_open(self, row: int, equity: float, wanted: list[int]) -> list[int]:
        """Return who may open: nobody while reducing, none on top of a doubt, and no late entries unless they are wanted."""
        allowed = []
        for j in wanted:
            state = self.states[j]
            code = self._why_not(row, j, state)
            if code:
                state.row.code = code
                self.bus.emit(Decided(state.decision, self.setup.instruments[j], state.row))
            else:
                allowed.append(j)
        return allowed

    def _why_not(self, row: int, j: int, state: State) -> int:
        """Return why nothing may open: 0 where it may."""
        if self.mode != "RUNNING":
            return REDUCING
        if state.opening is not None or (state.closing is not None and self._is_unknown(state.closing)):
            return IN_DOUBT
        if (self.portfolio.lots[j] * state.acted < 0 or state.leaves) and self._is_left(j):
            return GATED  # what should be closed first was kept back
        return MISSED if self._late(row, j) else 0

    def _count(self, late: int) -> None:
        """Count which bars of the newest step came late, and which in time."""
        for symbol in self.setup.market.symbols:
            j = self.first_columns[symbol]
            if self.tape.close[j][self.steps_done] != self.tape.close[j][self.steps_done]:
                continue
            if late:
                self._count_late(j, symbol)
            else:
                self.states[j].late = 0

    def _count_late(self, j: int, symbol: str) -> None:
        """Count a late bar of an instrument of the market; the third in a row raises an alert."""
        state = self.states[j]
        state.late += 1
        if state.late == MANY:
            text = f"{symbol}: the last {MANY} bars came late, so it opens nothing in time; is its source in order?"
            self._came_up.append(Entry("alert", f"late {symbol} {self.tape.label[-1]}", {"text": text}))

    def _late(self, row: int, j: int) -> bool:
        """Whether an opening would be a late entry, and none is wanted."""
        state = self.states[j]
        if not self._behind or self._enters_late(j):
            return False
        if self.entries.number[j] and state.missed_at < row:
            return False  # each further entry is its own step's, and this one came in time
        return is_late(self.tape, state, j, row)

    def _enters_late(self, j: int) -> bool:
        """Whether the strategy of a column wants late entries."""
        return self.setup.of(j).strategy.late_entries == "take"

    def _work(self, row: int, equity: float) -> None:
        if self.mode != "RUNNING":
            self._hold_up()
        elif not self._in_the_way():  # a part counts on the room of what is being closed like any opening
            super()._work(row, equity)

    def _hold_up(self) -> None:
        """Take off what is out of openings that are worked: they go on where they are when decisions do (SEMANTICS 38)."""
        for state in self.states:
            work = state.work
            if work is not None and self.take_off_opening(state):
                work.held_up()

    def _cross_over(self, equity: float) -> None:
        if self.mode == "RUNNING":
            super()._cross_over(equity)
        self._forget_crossings()

    def _forget_crossings(self, all_of_them: bool = True) -> None:
        """Let limits that ended unfilled come to nothing: to cross at a later close would be a late entry (SEMANTICS 36)."""
        for j, state in enumerate(self.states):
            if all_of_them or not self._enters_late(j):
                state.crossing = None
        self._crossing = any(state.crossing is not None for state in self.states)

    def _forget_questions(self) -> None:
        """Ask no more about openings whose step has passed without anybody there: to send them now would be a late entry."""
        for j, state in enumerate(self.states):
            if state.proposal is not None and not self._enters_late(j):
                order, state.proposal = state.proposal.order, None
                text = f"{in_short(order)}: steps have passed since it was asked about, so it is not made"
                self._came_up.append(Entry("alert", f"question {order.key}", {"text": text}))

    # -- what is written down -----------------------------------------------------------------------------------------


VERBS = {
    "pause": LiveSession._pause,
    "resume": LiveSession._resume,
    "reduce": LiveSession._reduce,
    "flatten": LiveSession._flatten,
    "kill": LiveSession._kill,
    "stop": LiveSession._stop,
    "arm": LiveSession._arm,
    "approve": LiveSession._approve,
    "veto": LiveSession._veto,
    "resize": LiveSession._resize_opening,
    "absent": LiveSession._never_arrived,
}
