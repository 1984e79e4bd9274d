"""What a session means to have closed and is not yet, and what is out that nobody wants any more: tried again at each close.

A closing comes to nothing, is cut or kept back, a cancellation gets lost, an order fills that had ended: none of it is left standing.
What is to be closed is known by the label at which it was decided: what is decided later stays, whatever fills first.
"""

from __future__ import annotations

from workbench.execution.port import OrderFilled, VenueEvent
from workbench.market import Fill, Order
from workbench.session.journaled import JournaledSession
from workbench.session.lives import Oddity
from workbench.session.state import PROTECTIVE, State, of_what_closed

__all__ = ["LeavingSession"]


class LeavingSession(JournaledSession):
    """A session that leaves nothing behind: what is to be closed is closed, in every mode."""

    def _close_what_leaves(self, row: int) -> None:
        """Close what was to be closed and is not yet, in every mode: an opening that filled late, a closing that came to nothing."""
        for j, state in enumerate(self.states):
            lots = self.portfolio.lots[j]
            if j in self._unwanted:
                self.take_off_opening(state)  # it could not be before
            if state.opening is None:
                self._unwanted.discard(j)
            if lots and (state.leaves or (lots > 0) - (lots < 0) != state.acted) and not self._closes(state):
                self._close(row, j, state, "not closed yet")

    def _is_left(self, j: int) -> bool:
        """Whether anything is held in a column that no closing is out for: all of it, or what the gate has cut off."""
        closing, held = self.states[j].closing, abs(self.portfolio.lots[j])
        return held > (self.portfolio.lots_in(j, closing.quantity) if closing is not None and self.states[j].closes else 0)

    def _is_unknown(self, order: Order) -> bool:
        """Whether nobody knows if an order arrived; one that was sent a moment ago is no doubt."""
        return self.lives.of(order).state == "unknown"

    def _left(self) -> str:
        """Return the symbol of what should be closed by now and is not being closed: no opening may count on its room."""
        found = (j for j, state in enumerate(self.states) if state.leaves and self._is_left(j))
        return next((self.setup.instruments[j].symbol for j in found), "")

    def _close(self, row: int, j: int, state: State, reason: str) -> None:
        """Close a position; what of its opening could not be taken off is closed too, where it fills."""
        super()._close(row, j, state, reason)
        if state.opening is not None and self._goes_with(state, self.portfolio.lots[j]):
            state.leave(state.opening)

    def _goes_with(self, state: State, lots: int) -> bool:
        """Whether an opening goes with the position that closes; one that was decided on after it does not."""
        return super()._goes_with(state, lots) and not state.opens_anew()

    def _turn(self, row: int, j: int, state: State, sign: int, stance: float, equity: float) -> None:
        """Act on a stance that turned; what its opening fills all the same is closed, whatever turns again meanwhile (SEMANTICS 9)."""
        opening = state.opening
        super()._turn(row, j, state, sign, stance, equity)
        state.leave(opening)

    def _stop_out(self, row: int, equity: float, wanted: list[int]) -> None:
        """Close what is margined; an opening that fills all the same is closed too (SEMANTICS 41)."""
        out = [state.opening for state in self.states]
        super()._stop_out(row, equity, wanted)
        for j, state in enumerate(self.states):
            if state.closes or not self.portfolio.lots[j]:
                state.leave(out[j])

    def _book(self, event: VenueEvent) -> None:
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
                self.states[j].leave(opening)

    def put_out(self, order: Order, decision: int) -> None:
        """Have an order out; what a closing is for is closed, whatever becomes of it: cut, kept back, refused or lost."""
        if order.key is not None and order.key.leg == "close":
            self._state_of(order.key).leave()
        super().put_out(order, decision)

    def _closes(self, state: State) -> bool:
        """Whether a closing is out; where it is a trim that could not be taken off, the rest is closed once it can be."""
        closes = super()._closes(state)
        if closes and not state.closes:
            state.leave()
        return closes

    def _noticed(self, odd: Oddity) -> None:
        """Close besides what an order opened that had ended: nothing stands that nobody decided on (SEMANTICS 9)."""
        super()._noticed(odd)
        if not odd.halts:
            self.states[self.portfolio.column[odd.instrument]].leave()
