"""What a session means to have closed and is not yet, and what is out that nobody wants any more: tried again at each close.

A closing comes to nothing, is cut or kept back, a cancellation gets lost, an order fills that had ended: none of it is left standing.
"""

from __future__ import annotations

from workbench.execution.port import ExecutionModule, OrderEnded, OrderFilled, VenueEvent
from workbench.journal import JournalPort
from workbench.market import Fill, Order
from workbench.session.journaled import JournaledSession
from workbench.session.lives import Oddity
from workbench.session.setup import Setup
from workbench.session.state import CLOSING, PROTECTIVE, State, of_what_closed

__all__ = ["LeavingSession"]


class LeavingSession(JournaledSession):
    """A session that leaves nothing behind: what is to be closed is closed, in every mode."""

    def _begin(self, setup: Setup, venue: ExecutionModule, journal: JournalPort) -> None:
        super()._begin(setup, venue, journal)
        #: Which columns are to be closed still.
        self._leaving: set[int] = set()
        #: Of which of them the closing that is out was cut by the gate.
        self._cut: set[int] = set()

    def _close_what_leaves(self, row: int) -> None:
        """Close what was to be closed and is not yet, in every mode: an opening that filled late, a closing that came to nothing."""
        for j, state in enumerate(self.states):
            lots = self.portfolio.lots[j]
            if j in self._unwanted:
                self.take_off_opening(state)  # it could not be before
            if state.opening is None:
                self._unwanted.discard(j)
            if not lots and state.opening is None:
                self._leaving.discard(j)
            elif lots and (j in self._leaving or (lots > 0) - (lots < 0) != state.acted) and not self._closes(state):
                self._close(row, j, state, "not closed yet")

    def _book(self, event: VenueEvent) -> None:
        if type(event) is OrderFilled and event.fill.key.leg in CLOSING and not event.fill.left:
            # closed: an opening that fills in the same bar is a new position, and stays, unless nobody wants it
            j = self.portfolio.column[event.fill.key.instrument]
            if j not in self._cut and (j not in self._unwanted or self.states[j].opening is None):
                self._leaving.discard(j)
            self._cut.discard(j)
        super()._book(event)
        if type(event) is OrderFilled and event.fill.key.leg in PROTECTIVE:
            self._leave_behind(event.fill)

    def _leave_behind(self, fill: Fill) -> None:
        """Take off, at the next close, what is left of an opening whose stop or target fills: not every venue does so itself."""
        j = self.portfolio.column[fill.key.instrument]
        opening, flat = self.states[j].opening, not self.portfolio.lots[j]
        if opening is not None and of_what_closed(opening, fill, flat):
            self._unwanted.add(j)
            if flat:
                self._leaving.add(j)

    def put_out(self, order: Order, decision: int) -> None:
        """Have an order out; what the gate cut off a closing is closed once that has filled."""
        super().put_out(order, decision)
        assert order.key is not None
        j = self.portfolio.column[order.key.instrument]
        closing = self.states[j].closing
        if order.key.leg == "close" and closing is not None and closing.key == order.key and closing.quantity < order.quantity:
            self._leaving.add(j)
            self._cut.add(j)

    def _closes(self, state: State) -> bool:
        """Whether a closing is out; where it is a trim that could not be taken off, the rest is closed once it can be."""
        closes = super()._closes(state)
        if closes and not state.closes and state.closing is not None and state.closing.key is not None:
            self._leaving.add(self.portfolio.column[state.closing.key.instrument])
        return closes

    def _noticed(self, odd: Oddity) -> None:
        """Close besides what an order opened that had ended: nothing stands that nobody decided on (SEMANTICS 9)."""
        super()._noticed(odd)
        if not odd.halts:
            self._leaving.add(self.portfolio.column[odd.instrument])

    def _ended(self, event: OrderEnded) -> None:
        closing, j = self._state_of(event.key).closing, self.portfolio.column[event.key.instrument]
        if closing is not None and closing.key == event.key and event.key.leg != "trim" and self.portfolio.lots[j] * closing.sign < 0:
            self._leaving.add(j)  # what it was to close is still there
        super()._ended(event)

    def _kept_back(self, order: Order, decision: int) -> None:
        """Close at the next step what the gate would not let close now."""
        super()._kept_back(order, decision)
        if order.key is not None and order.key.leg == "close":
            self._leaving.add(self.portfolio.column[order.key.instrument])
