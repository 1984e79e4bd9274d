"""A session whose every word is in the journal before anything follows from it: events, decisions, intents, then the orders.

What leaves it may be in doubt until the venue has said something; what is in doubt is asked for, never simply sent again.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from workbench.errors import DuplicateOrder, OrderError
from workbench.execution.port import Ending, ExecutionModule, OrderAccepted, OrderEnded, VenueEvent, VenueSaid
from workbench.execution.wire import event_plain, order_plain
from workbench.journal import Entry, JournalPort, ReceivedBar
from workbench.market import Fill, Order, OrderKey
from workbench.records import GATED
from workbench.risk.gate import Latch
from workbench.session.checking import Keeper, Recalled, Said
from workbench.session.events import Alert, Decided, OrderSent, StepClosed
from workbench.session.lives import Lives, Oddity
from workbench.session.session import Session
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.words import in_short, told_of

__all__ = ["JournaledSession", "Mode"]

log = logging.getLogger("workbench.session")
#: RUNNING: all. REDUCING: only closings are sent. PAUSED: no decisions. HALTED: cancels and a person's flatten (SEMANTICS 38).
Mode = Literal["RUNNING", "REDUCING", "PAUSED", "HALTED"]

MINUTE = 60_000_000_000


class JournaledSession(Session):
    """A session that writes down what it is told and what it means to do, and keeps account of what is in doubt."""

    def _begin(self, setup: Setup, venue: ExecutionModule, journal: JournalPort) -> None:
        super()._begin(setup, venue, journal)
        self.mode: Mode = "RUNNING"
        #: What the venue says of orders that this journal does not know; then nothing may be decided.
        self.foreign = ""
        self._received: list[ReceivedBar] = []
        self._moved: list[Entry] = []
        self._decided: list[Decided] = []
        self._withdrawn: list[str] = []
        #: Which orders the venue was asked to take off since the last entry: once each, so that one answer is all there is to write down.
        self._asked_off: set[str] = set()
        #: Of which columns an opening could not be taken off that nobody wants any more.
        self._unwanted: set[int] = set()
        #: What the venue had filled of orders that were taken off, beyond what was told; None where it did not say.
        self._filled: dict[str, float | None] = {}
        self._came_up: list[Entry] = []
        #: How each order stands that was ever sent.
        self.lives = Lives(self.portfolio)
        #: What every order passes before it is written down; an order that it lets through whole is no news.
        self.keeper: Keeper = Recalled()
        self.latches: dict[str, Latch] = {}
        layout, n = setup.layout, len(setup.market.instruments)
        #: Of each column which instrument of the market it trades, and which other columns do.
        self.sources, self.others = layout.sources(n), layout.others(n)
        #: When orders of an instrument of the market were put out within the last minute, and when the newest bar came.
        self.moments: list[deque[int]] = [deque() for _ in setup.market.instruments]
        self.arrived = 0
        self._gated: dict[str, tuple[Said, int]] = {}
        self._asked_at = 0
        self._seen: dict[str, Any] = {}
        self.bus.on(Decided, self._decided.append)

    def told(self, said: Sequence[VenueSaid]) -> None:
        """Take in what the venue said."""
        self.journal.commit([Entry("event", one.number, event_plain(one.event)) for one in said])
        self.sleeves.tell(self.steps_done)  # what is told is of the bar that is decided next
        for one in said:
            self._require_ours(one.event)
            self._book(one.event)

    def _require_ours(self, event: VenueEvent) -> None:
        """Notice an order that was never sent from here: this journal is an older copy, or somebody else trades the account."""
        key = event.parent or event.order.key if isinstance(event, OrderAccepted) else None
        if key is not None and str(key) not in self.lives.keys:
            self.foreign = (
                f"the venue has order {key}, which this journal never sent: it is an older copy, or another run trades the account"
            )

    def alert(self, text: str, key: str, seen: Sequence[int] = ()) -> None:
        """Write down, once under a key, what a person should look at; it changes nothing."""
        self.journal.commit([Entry("alert", key, {"text": text, "seen": list(seen)})])
        self.bus.emit(Alert(text))

    def again(self, order: Order) -> bool:
        """Send once more, as the next attempt, what the venue has never had: of a closing what is still open (SEMANTICS 37).

        Returns
        -------
        bool
            False where it is in doubt once more, or was refused.
        """
        assert order.key is not None
        key = replace(order.key, attempt=order.key.attempt + 1)
        retried, state = replace(order, key=key), self._state_of(key)
        if order.reduce_only:
            held = self.portfolio.quantity(self.portfolio.column[key.instrument])
            if held * order.sign >= 0.0 or not state.closed_by(order.key):
                return True  # a protective order was quicker, and what is held was opened since
            retried = replace(retried, quantity=min(order.quantity, abs(held)))
        state.ended(order.key)
        self.put_out(retried, state.decision)
        self.journal.commit([Entry("again", key, {"order": order_plain(order)} | self._gate_said()), *self._intents(), *self._alerts()])
        return self._submit(self.steps_done - 1)

    def put_out(self, order: Order, decision: int) -> None:
        """Have the gate look at an order before it is out: it may be cut or refused, and what it said is written down with it."""
        assert order.key is not None
        work = self._state_of(order.key).work
        if work is not None and order.key.leg == "open":
            self.lives.works(work.parent)
        said, self._asked_at = self.keeper.ask(self, order), self.keeper.now(self)
        if said.why or said.alerts:
            self._gated[str(order.key)] = (said, decision)
            self._came_up += [
                Entry("alert", f"gate {order.key} {place}", {"text": text})
                for place, text in enumerate([f"the gate: {said.why}"] * bool(said.why) + [*said.alerts])
            ]
        if said.quantity > 0.0:
            self._note_moment(self.portfolio.column[order.key.instrument])
            super().put_out(order if said.quantity == order.quantity else replace(order, quantity=said.quantity), decision)
        else:
            self._kept_back(order, decision)

    def _kept_back(self, order: Order, decision: int) -> None:
        """Go on without an order that the gate has refused: an opening is not tried again (SEMANTICS 10)."""
        assert order.key is not None
        state = self._state_of(order.key)
        began = order.key.child > 0  # parts of it were sent, and stay what they are
        if not order.reduce_only and state.row is not None and state.decision == decision and not began:
            state.row.code, state.row.lots = GATED, 0
        state.work = state.work if order.reduce_only else None

    def _note_moment(self, j: int) -> None:
        moments = self.moments[self.sources[j]]
        moments.append(self._asked_at)
        while moments[0] <= self._asked_at - MINUTE:
            moments.popleft()

    def _gate_said(self) -> dict[str, Any]:
        """Return what the gate said of the orders that are written down now, and when, as plain values."""
        gated, self._gated = self._gated, {}
        if not self._outbox and not gated:
            return {}
        said = {key: [one.quantity, one.why, list(one.alerts)] for key, (one, _) in gated.items()}
        return {"gate": {"at": self._asked_at} | ({"said": said} if said else {})}

    def take_off(self) -> None:
        """Take off what openings are still out: a halted session tries until the venue has confirmed it."""
        ended, before = [str(order.key) for state in self.states for order in state.pending], set(self._unwanted)
        off = sum(self.withdraw(state) for state in self.states)
        asked = [f"asked {opening.key}" for j in sorted(self._unwanted - before) if (opening := self.states[j].opening) is not None]
        if off or ended or asked:
            self.journal.commit([Entry("taken off", [*self._withdrawn, *ended, *asked][0], self._taken_off())])
        self._asked_off.clear()  # also where there was nothing to write down

    def withdraw(self, state: State) -> bool:
        """Take off what has not opened yet; what could not be is tried again at each close."""
        off = super().withdraw(state)
        if state.opening is not None and state.opening.key is not None:
            self._unwanted.add(self.portfolio.column[state.opening.key.instrument])
        return off

    def _book(self, event: VenueEvent) -> None:
        """Book what the venue says; where that does not fit what is known of an order it is said, and the session halts."""
        if self.lives.has_booked(event):
            return  # told once more
        taken = self.lives.is_taken(event)
        odd = self.lives.heard(event)
        super()._book(self.lives.counted(event))
        self._count_refusals(event, taken)
        if odd is not None:
            self._noticed(odd)

    def _count_refusals(self, event: VenueEvent, taken: bool) -> None:
        """Count an order that the venue would not even take; one that it takes begins the count anew."""
        if isinstance(event, OrderEnded) and event.status == "rejected" and not taken:
            symbol = event.key.instrument
            self._set_latch(symbol, self.setup.gate.rejected(self.latches.get(symbol, Latch()), symbol), event.key)
        elif isinstance(event, OrderAccepted) and event.parent is None:
            symbol = event.order.instrument.symbol
            latch = self.latches.get(symbol, Latch())
            if latch.refused:
                self.latches[symbol] = replace(latch, refused=0)

    def _noticed(self, odd: Oddity) -> None:
        """Say what the venue said that does not fit; where nobody can tell what is true the session halts."""
        self.mode = "HALTED" if odd.halts else self.mode
        self.alert(odd.text, f"odd {odd.text}")

    def _fill(self, fill: Fill) -> None:
        """Book a fill, and have the latch of its instrument look at what it did (`workbench.risk.gate`)."""
        symbol = fill.instrument.symbol
        j = self.portfolio.column[symbol]
        before = self.latch(j)
        held = self.portfolio.quantity(j)
        super()._fill(fill)
        elsewhere = [at for k in self.others[j] for at in self.latch(k).rounds]
        after = self.setup.gate.filled(before, fill, held, self.portfolio.quantity(j), fill.label, elsewhere)
        self._set_latch(symbol, after, fill.key)

    def _set_latch(self, symbol: str, latch: Latch, key: OrderKey) -> None:
        """Keep what the gate remembers of an instrument; that it has shut is an alert."""
        before, self.latches[symbol] = self.latches.get(symbol, Latch()), latch
        if latch.why != before.why:
            self._came_up.append(Entry("alert", f"latch {key}", {"text": f"{latch.why}: nothing opens there until it is armed again"}))

    def latch(self, j: int) -> Latch:
        """Return the latch of a column."""
        return self.latches.get(self.setup.instruments[j].symbol, Latch())

    @property
    def working(self) -> list[Order]:
        """The orders that are out at the venue, as far as this session knows: those that it holds itself are not."""
        out = [(j, order) for j, state in enumerate(self.states) for order in state.orders]
        return [order for j, order in out if order.key is None or order.key.leg not in self.held[j]]

    @property
    def doubtful(self) -> list[Order]:
        """The orders of which the venue has said nothing yet."""
        return self.lives.doubtful(self.working)

    def _cancel(self, key: OrderKey) -> bool:
        """Ask for an order to be taken off, and write down whether the venue confirmed it; until it does it is out."""
        if str(key) in self._asked_off:
            return False
        self._asked_off.add(str(key))
        self.lives.cancelling(key)
        try:
            off = self.execution.cancel(key)
        except Exception as error:  # whatever went wrong: it is not confirmed, so it is out
            off = False
            self.alert(f"the order {key} could not be taken off: {error}", f"cancel {key}")
        if off:
            self._withdrawn.append(str(key))
        return off

    def on_the_way(self, key: OrderKey) -> int | None:
        """Ask the venue what has filled of an order that was taken off, and write down what differs from what was told."""
        try:
            filled = self.execution.filled(key)
        except Exception as error:  # whatever went wrong: nothing takes its place before its end is told
            filled = None
            self.alert(f"nobody knows what has filled of the order {key}: {error}", f"filled {key}")
        if filled is None:
            self._filled[str(key)] = None
            return None
        if math.isnan(filled):  # lived again: then it was what had been told
            return 0
        more = self.portfolio.lots_in(self.portfolio.column[key.instrument], filled) - self.lives.filled(key)
        if more:
            self._filled[str(key)] = filled
        return more

    def _finish(self, row: int, equity: float) -> None:
        """Write the step, its decisions and its intents in one commit; then hand the intents over."""
        self._note_breaches(row, equity)
        label = self.tape.label[row]
        body = {"equity": equity, **self._seen, "stances": self._stances(row), "decisions": [self._told_of(one) for one in self._decided]}
        step = Entry("step", label, body | self._taken_off() | self._moved_stops() | self._gate_said())
        self.journal.commit([*self._anchors(), step, *self._intents(), *self._alerts()], self._bars_in())
        self._decided.clear()
        self._submit(row)
        self._amend()
        self.bus.emit(StepClosed(row, label, equity))

    def _note_breaches(self, row: int, equity: float) -> None:
        """Have it said which limits have come to be breached (SEMANTICS 21)."""
        self._came_up += [
            Entry("alert", f"breach {self.tape.label[row]} {place}", {"text": text})
            for place, text in enumerate(self.sleeves.alerts(row, equity))
        ]

    def _moved_stops(self) -> dict[str, Any]:
        return {"moved": {str(key): price for key, price in self._amends}} if self._amends else {}

    def _amend(self) -> None:
        """Ask the venue for the stops that moved; one that it refuses rests where it was, and is asked for at the next close."""
        self._move_held()
        amends, self._amends = self._amends, []
        for key, price in amends:
            try:
                self.execution.amend(key, price)
            except Exception as error:  # the others still have to be asked for
                self.alert(f"the stop of {key.instrument} stays where it was: {error}", f"amend {key} {price!r}")

    def _submit(self, row: int) -> bool:
        """Hand over what is written down; False where anything is in doubt, or a closing was refused.

        An opening may need the room of a closing of its step: over one in doubt it is in doubt too, and asked for; beside one that the
        venue has refused it comes to nothing (SEMANTICS 17).
        """
        outbox, self._outbox = self._outbox, []
        doubts: list[str] = []
        ended: list[tuple[Order, Ending, str]] = []
        over = refused = False  # whether a closing is in doubt, or was refused
        for order, decision in outbox:
            assert order.key is not None
            if not order.reduce_only:
                self._state_of(order.key).opened_at = row
            self.lives.sent(order)
            self.bus.emit(OrderSent(order, decision, row))
            if refused and not order.reduce_only:
                ended.append((order, "absent", ""))
                continue
            try:
                certain = (order.reduce_only or not over) and self._hand_over(order)
            except OrderError as error:
                ended.append((order, "rejected", str(error)))
                refused = refused or order.reduce_only
                continue
            if not certain:
                doubts.append(str(order.key))
                over = over or order.reduce_only
        if doubts:
            self.doubt(doubts)
        if ended:
            self._end_at_once(ended)
        return not (doubts or refused)

    def _hand_over(self, order: Order) -> bool:
        """Hand an order over, and say whether it certainly arrived; one that was refused for certain raises OrderError."""
        try:
            return self.execution.submit(order)
        except DuplicateOrder:  # the venue has it: by an answer that was lost
            return False
        except OrderError:
            raise
        except Exception:  # whatever went wrong on the way, the venue may have the order: it is in doubt, and asked for
            log.exception("sending %s broke", order.key)
            return False

    def absent(self, key: OrderKey) -> None:
        """End an order that the venue has never had, by evidence or by a person's word (SEMANTICS 37)."""
        self.told([VenueSaid(f"absent {key}", OrderEnded(key, "absent", self.tape.label[self.steps_done - 1]))])

    def doubt(self, keys: Sequence[str]) -> None:
        """Write down of which orders it is not known whether they arrived: they are asked for, never simply sent again."""
        self.journal.commit([Entry("doubt", f"{self.steps_done} {keys[0]}", {"keys": list(keys)})])
        self.lives.doubt(keys)

    def _end_at_once(self, ended: Sequence[tuple[Order, Ending, str]]) -> None:
        """End, in one commit, orders that the venue does not take, each with why, and those that were not sent beside them.

        An opening is not tried again, a closing at the next step (SEMANTICS 10).
        """
        label, said = self.tape.label[self.steps_done - 1], []
        for order, status, _ in ended:
            assert order.key is not None
            name = "refused" if status == "rejected" else status
            said.append(VenueSaid(f"{name} {order.key}", OrderEnded(order.key, status, label)))
        self.told(said)
        for order, _, why in ended:
            if why:
                self.alert(f"{in_short(order)}: {why}", f"refused {order.key}")

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
        self._asked_off.clear()
        withdrawn, self._withdrawn = self._withdrawn, []
        filled, self._filled = self._filled, {}
        return ({"withdrawn": withdrawn} if withdrawn else {}) | ({"filled": filled} if filled else {})

    def _stances(self, row: int) -> dict[str, float]:
        """Return what the signal says of each instrument at a row; one without an opinion is left out."""
        said = zip(self.setup.instruments, self.tape.stance, strict=True)
        return {instrument.symbol: column[row] for instrument, column in said if column[row] == column[row]}

    def _told_of(self, one: Decided) -> dict[str, Any]:
        """Return a decision as plain values, with what the gate said of its orders."""
        gate = [said.why for said, decision in self._gated.values() if decision == one.number and said.why]
        return told_of(self.setup, one.instrument.symbol, one.row, gate)
