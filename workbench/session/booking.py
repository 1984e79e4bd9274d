"""What a session keeps of its account: what is held, which orders are out, and how what the venue says changes both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workbench.execution.port import ExecutionModule, OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged, VenueEvent
from workbench.grid import quantity_of
from workbench.journal import Entry, JournalPort
from workbench.market import Fill, Order, OrderKey
from workbench.portfolio import Portfolio
from workbench.session.entries import Entries
from workbench.session.events import EventBus, OrderSent, StepClosed
from workbench.session.holding import held_legs, note_level, rest
from workbench.session.resizing import Change
from workbench.session.setup import Setup, require_supported
from workbench.session.sleeves import Sleeves
from workbench.session.state import PROTECTIVE, State
from workbench.session.tape import Tape

__all__ = ["Bookkeeper"]


class Bookkeeper:
    """The part of a session that decides nothing: it books what the venue says, and no order leaves but through it."""

    def _begin(self, setup: Setup, venue: ExecutionModule, journal: JournalPort) -> None:
        require_supported(setup, venue.supports)
        self.setup = setup
        self.execution = venue
        self.journal = journal
        self.bus = EventBus()
        self._step_heard = self.bus.heard(StepClosed)
        self.tape = Tape.of(setup)
        self.portfolio = Portfolio.empty(setup.instruments, setup.currency, setup.cash, setup.specs)
        self.portfolio.price, self.portfolio.unit, self.portfolio.base = self.tape.price, self.tape.unit, self.tape.base
        self.states = [State(waiting=setup.of(j).strategy.start == "wait") for j in range(len(setup.instruments))]
        self.sleeves = Sleeves(setup, self.portfolio, self.states, self.tape)
        self.entries = Entries(setup)
        #: Which protective orders of each column the session holds, because the venue takes no such orders.
        self.held = [held_legs(setup.of(j).strategy, venue.supports) for j in range(len(setup.instruments))]
        self._holds = any(self.held)
        for j, legs in enumerate(self.held):
            self.sleeves.decider(j).held, self.sleeves.decider(j).ticked = legs, venue.ticked
        self._changes: dict[int, Change] = {}
        self.steps_done = 0
        self.decisions = 0
        self._crossing = False
        #: The stances that were acted on last: one that is the same once more has nothing new to say.
        self._heard: Sequence[float] = [math.nan] * len(setup.instruments)
        self._outbox: list[tuple[Order, int]] = []
        self._amends: list[tuple[OrderKey, float]] = []
        self._short = [bool(i.can_short) for i in setup.instruments]
        venue.currency = setup.currency
        venue.connect(setup.instruments)

    def on(self, kind: type, handler: Callable[[Any], None]) -> None:
        """Subscribe to a type of event (`workbench.session.events`)."""
        self.bus.on(kind, handler)

    @property
    def equity(self) -> float:
        """Equity at the last step, in account currency."""
        return self.portfolio.equity

    def _take_in(self) -> None:
        """Book what the venue says."""
        for event in self.execution.events():
            self._book(event)

    def _book(self, event: VenueEvent) -> None:
        if type(event) is OrderFilled:
            self._fill(event.fill)
        elif type(event) is OrderAccepted:
            if event.parent is not None:
                self._state_of(event.parent).protect(event.order)
        elif type(event) is OrderAmended:
            self._state_of(event.key).amended(event.key, event.price, event.quantity)
        elif type(event) is OrderEnded:
            self._ended(event)
        elif type(event) is PositionCharged:
            self.portfolio.income(-event.amount)
            j = self.portfolio.column[event.symbol]
            self.states[j].spent += event.amount
            self.sleeves.moved(j, -event.amount)
        self.bus.emit(event)

    def _fill(self, fill: Fill) -> None:
        """Book a fill; a trade that it ends is counted."""
        portfolio, state = self.portfolio, self._state_of(fill.key)
        j = portfolio.column[fill.instrument.symbol]
        cash, held, lots, dust = portfolio.cash, portfolio.held[j], portfolio.lots[j], portfolio.remains.quantity(j)
        portfolio.apply(fill)
        spent, come = cash - portfolio.cash, fill.quantity * fill.sign
        if fill.withheld:  # what is left as dust is not lost
            spent -= (portfolio.remains.quantity(j) - dust) * fill.price * portfolio.unit[j]
            come = quantity_of(portfolio.lots[j] - lots, *fill.instrument.step)
        state.filled(fill, spent, portfolio.unit[j], held, come)
        if state.work is not None and state.work.is_over(fill):
            state.work = None
        self.sleeves.moved(j, portfolio.cash - cash)
        if self.held[j]:
            rest(self.held[j], state, fill, self.portfolio.quantity(j), self.setup.specs[j])
        if fill.key.leg in PROTECTIVE:
            state.left_by(fill, not self.portfolio.lots[j])
        if not self.portfolio.lots[j] and state.put_in:
            if fill.key.leg not in ("open", "add"):  # else all that was bought is dust
                self.sleeves.count_trade(j, -state.spent / state.put_in)
            state.spent = state.put_in = 0.0

    def _ended(self, event: OrderEnded) -> None:
        """Forget an order; a limit that is to cross goes on as a market order, if the stance stays."""
        state = self._state_of(event.key)
        order = state.ended(event.key)
        if event.status in ("expired", "rejected") and event.key.leg == "open":
            state.work = None  # an entry that came to nothing is not tried again
        if order is not None and event.status == "lapsed" and order.then == "cross":
            state.crossing = self.sleeves.decider(self.portfolio.column[event.key.instrument]).crossing(order)
            self._crossing = True

    def _state_of(self, key: OrderKey) -> State:
        return self.states[self.portfolio.column[key.instrument]]

    def withdraw(self, state: State) -> bool:
        """Take off what has not opened yet, and say whether there was anything that is off now; what could not be goes on nowhere."""
        state.crossing = state.work = state.proposal = None
        off = self.take_off_opening(state)
        if state.opening is not None:
            state.opening = replace(state.opening, then="cancel")
        return off

    def take_off_opening(self, state: State) -> bool:
        """Take off an opening, and say whether it is off."""
        if state.opening is None or state.opening.key is None or not self._cancel(state.opening.key):
            return False
        state.opening = None
        return True

    def _cancel(self, key: OrderKey) -> bool:
        """Have an order taken off, and say whether it is."""
        off = self.execution.cancel(key)
        self._take_in()
        return off

    def on_the_way(self, key: OrderKey) -> int | None:
        """Return how many steps have filled, untold, of an order that was taken off; None where nobody knows. Here all is told at once."""
        return 0

    def _amend(self) -> None:
        """Ask the venue for the stops that moved; one that it does not take moves at the next close."""
        self._move_held()
        while self._amends:
            self.execution.amend(*self._amends.pop(0))
        self._take_in()

    def _move_held(self) -> None:
        """Move the stops that the session holds itself; those at the venue are left."""
        for key, price in self._amends if self._holds else ():
            if key.leg in self.held[self.portfolio.column[key.instrument]]:
                state = self._state_of(key)
                state.amended(key, price)
                note_level(state, self.tape.label[self.steps_done - 1] + 1, price)
        if self._holds:
            self._amends = [one for one in self._amends if one[0].leg not in self.held[self.portfolio.column[one[0].instrument]]]

    def put_out(self, order: Order, decision: int) -> None:
        """Have an order out, to be written down and sent with whatever brought it about: no order goes another way."""
        assert order.key is not None
        state = self._state_of(order.key)
        if order.reduce_only:
            state.closing = order
        else:
            state.opening = order
        self._outbox.append((order, decision))

    def _send(self, row: int) -> None:
        """Write all intents of the step in one commit, then hand them over."""
        outbox, self._outbox = self._outbox, []
        self.journal.commit([Entry("intent", order.key, order) for order, _ in outbox])
        for order, decision in outbox:
            self.bus.emit(OrderSent(order, decision, row))
            self.execution.submit(order)
