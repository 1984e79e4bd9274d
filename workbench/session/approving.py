"""What waits for a person's word: openings (SEMANTICS 39), and orders in doubt that no venue settles (SEMANTICS 37)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.errors import OrderError
from workbench.execution.port import ExecutionModule
from workbench.grid import lots_of, quantity_of
from workbench.journal import Command, Entry, JournalPort
from workbench.market import Order
from workbench.money import below_minimum
from workbench.numeric import positive
from workbench.session.leaving import LeavingSession
from workbench.session.setup import Setup
from workbench.session.state import Proposal
from workbench.session.words import cut_words, in_short, which

__all__ = ["WORDS", "ApprovingSession"]

#: What a person may say of an opening that waits.
WORDS = ("approve", "resize", "veto")


class ApprovingSession(LeavingSession):
    """A session that asks a person about its openings, where its strategies want it: approved, resized, vetoed or met with silence."""

    def _begin(self, setup: Setup, venue: ExecutionModule, journal: JournalPort) -> None:
        super()._begin(setup, venue, journal)
        #: Whether what people say has been answered already, and is only done once more.
        self.recalls = False
        self.ask_people(True)

    def ask_people(self, asks: bool) -> None:
        """Have openings wait for a word, where their strategy wants it; else they are made at once, as in a backtest."""
        for sleeve in self.sleeves.each:
            sleeve.decider.asks = asks and sleeve.setup.strategy.approval > 0.0

    def _make(self, j: int, order: Order, decision: int) -> None:
        """Make an opening, or put it before a person; it counts in full until it is answered."""
        if not self.sleeves.decider(j).asks:
            super()._make(j, order, decision)
            return
        wait = int(self.setup.of(j).strategy.approval * 1e9)
        self.states[j].proposal = Proposal(order, decision, self.arrived + wait)

    @property
    def proposals(self) -> list[Proposal]:
        """The openings that wait for a word."""
        return [state.proposal for state in self.states if state.proposal is not None]

    def hear_silence(self, now: int, shut: bool = False) -> None:
        """Take silence for an answer, where an opening has waited for long enough; not while the gate is shut."""
        over = [one.order.instrument.symbol for one in self.proposals if one.until <= now]
        symbols = [symbol for symbol in over if not (self._is_sent_on_silence(symbol) and self._in_the_way())]
        if symbols and not shut:
            self.pass_over(symbols, now)

    def pass_over(self, symbols: Sequence[str], now: int) -> None:
        """Take silence for an answer: what nobody has said anything about is sent, or let go, as its strategy wants it."""
        said = {symbol: self._on_silence(symbol) for symbol in symbols}
        key = " ".join(str(self.tape.label[self.steps_done - 1]) + symbol for symbol in symbols)
        body = {"symbols": list(symbols), "at": now, "said": said} | self._taken_off() | self._gate_said()
        self.journal.commit([Entry("silence", key, body), *self._intents(), *self._alerts()])
        self._submit(self.steps_done - 1)

    def _on_silence(self, symbol: str) -> str:
        j = self.portfolio.column[symbol]
        return self._release(j) if self._is_sent_on_silence(symbol) else self._let_go(j)

    def _is_sent_on_silence(self, symbol: str) -> bool:
        return self.setup.of(self.portfolio.column[symbol]).strategy.on_silence == "send" and self.mode == "RUNNING"

    def _in_the_way(self) -> str:
        """Return why no opening can go yet: what has to be closed before it (SEMANTICS 17); empty where nothing is in the way."""
        left = self._left()
        if left:
            return f"{left} has to be closed first"
        doubted = next((order for order in self.doubtful if order.reduce_only and self._is_unknown(order)), None)
        return "" if doubted is None else f"whether the closing of {doubted.instrument.symbol} arrived is not known yet"

    # -- a person's word ----------------------------------------------------------------------------------------------

    def _approve(self, command: Command) -> str:
        """Send an opening that waits, as it was decided."""
        return self._release(self._asked_about(command))

    def _veto(self, command: Command) -> str:
        """Let an opening go: it is not tried again until the stance turns (SEMANTICS 10)."""
        return self._let_go(self._asked_about(command))

    def _resize_opening(self, command: Command) -> str:
        """Send an opening that waits for another quantity; the gate looks at it as at any."""
        j = self._asked_about(command)
        proposal, spec, wanted = self.states[j].proposal, self.setup.specs[j], (command.body or {}).get("quantity")
        assert proposal is not None
        symbol, quantity = proposal.order.instrument.symbol, positive(wanted)
        lots = lots_of(quantity, spec.number, spec.power) if quantity == quantity else 0
        rounded = quantity_of(max(lots, 0), spec.number, spec.power)
        if lots <= 0 or abs(rounded - quantity) > 1e-9 * quantity or below_minimum(rounded, self.tape.price[j], spec):
            least, step = proposal.order.instrument.smallest(self.tape.price[j]), proposal.order.instrument.quantity_step
            raise OrderError(f"an opening of {symbol} is at least {least:g}, in steps of {step:g}; got {wanted!r}")
        if rounded > proposal.order.quantity and not self.recalls:
            self._require_room(j, proposal, lots)
        self.states[j].proposal = proposal._replace(order=replace(proposal.order, quantity=rounded))
        return self._release(j)

    def _require_room(self, j: int, proposal: Proposal, lots: int) -> None:
        """Refuse a size beyond the limits: a person's word passes them like any opening that is decided (SEMANTICS 20)."""
        state, spec, decider = self.states[j], self.setup.specs[j], self.sleeves.decider(j)
        state.proposal = None  # else it would count besides
        self.sleeves.begin(self.steps_done - 1, self.portfolio.value()[0])
        left, trace = decider.room(j, float(proposal.order.sign), lots)
        state.proposal = proposal
        if left < lots:
            most = max(quantity_of(left, spec.number, spec.power), proposal.order.quantity)
            why = "; ".join(cut_words(self.setup, trace)) or "there is no equity"
            raise OrderError(f"an opening of {proposal.order.instrument.symbol} is at most {most:g} by now: {why}")

    def _asked_about(self, command: Command) -> int:
        """Return the column of the opening that a command is about: the only one that waits, where it names none."""
        waiting = [one.order.instrument.symbol for one in self.proposals]
        symbol = which((command.body or {}).get("symbol"), waiting, "opening", "waits for a word", "wait for a word")
        if command.what != "veto" and self.mode != "RUNNING":
            raise OrderError(f"nothing opens while the session is {self.mode}")
        if command.what != "veto" and not self.recalls and (why := self._in_the_way()):
            raise OrderError(f"{why}: the opening of {symbol} goes on waiting")
        return self.portfolio.column[symbol]

    def _never_arrived(self, command: Command) -> str:
        """End an order in doubt: somebody has looked at the venue, and it is not there."""
        doubtful = {str(order.key): order for order in self.doubtful}
        key = which((command.body or {}).get("order"), list(doubtful), "order", "is in doubt", "are in doubt", guess=False)
        order = doubtful[key]
        assert order.key is not None
        self.absent(order.key)
        state = self._state_of(order.key)
        if not order.reduce_only:
            return f"{in_short(order)}: {'not sent again' if state.work is None else 'its next part is sent in its time'}"
        self.again(order)
        held = self.portfolio.lots[self.portfolio.column[order.key.instrument]]
        left = "tried again with the next bar" if state.leaves and held else "there is nothing left to close"
        return f"{in_short(order)}: {left if state.closing is None else 'sent again'}"

    def _release(self, j: int) -> str:
        """Send what its algorithm makes of an opening that has waited."""
        state, row = self.states[j], self.steps_done - 1
        proposal, state.proposal = state.proposal, None
        assert proposal is not None
        for order in self.sleeves.decider(j).made(row, j, state, proposal.order):
            self.put_out(order, proposal.decision)
        made = state.opening is not None or state.work is not None
        return f"{in_short(proposal.order)}: {'made' if made else 'kept back'}"

    def _let_go(self, j: int) -> str:
        proposal, self.states[j].proposal = self.states[j].proposal, None
        assert proposal is not None
        return f"{in_short(proposal.order)}: not made"
