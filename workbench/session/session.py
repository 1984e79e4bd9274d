"""The event orchestrator: one synchronous `step` for replay, paper and live."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import compress, count
from numbers import Integral
from operator import ne
from typing import Any

from workbench.errors import ParameterError
from workbench.execution.paper import PaperVenue
from workbench.execution.port import ExecutionModule
from workbench.journal import JournalPort, MemoryJournal
from workbench.market import Order
from workbench.money import below_minimum
from workbench.past import NOW
from workbench.records import HELD, NO_SHORT, STOPPED_OUT, TIMED_OUT, WORDS, DecisionRow
from workbench.session.booking import Bookkeeper
from workbench.session.events import Decided, StepClosed
from workbench.session.holding import touched
from workbench.session.quiet import quiet_collector
from workbench.session.resizing import Change
from workbench.session.setup import Setup, replayed
from workbench.session.state import State
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["Session"]


class Session(Bookkeeper):
    """Runs a strategy on a feed and a venue.

    `step` decides the next closed step of the tape: it is one function, the same in replay, paper and live.

    Parameters
    ----------
    strategies : Strategy, Team or list of Strategy
        Several share the account (`wb.Team`).
    data : ReplayAdapter
        The bars.
    execution : PaperVenue, optional
        The venue; a paper account of 100,000 where not given.
    journal : JournalPort, optional
        Intents are written here before they are sent; in memory where not given.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(days=2, seed=1)
    >>> session = wb.Session(wb.Strategy(wb.signals.MovingAverageCross()), data=wb.ReplayAdapter(bars))
    >>> session.run().equity > 0
    True
    """

    def __init__(
        self,
        strategies: Strategy | Team | Sequence[Strategy],
        data: Any,
        execution: ExecutionModule | None = None,
        journal: JournalPort | None = None,
    ) -> None:
        venue = PaperVenue() if execution is None else execution
        self._begin(replayed(strategies, data, venue), venue, MemoryJournal() if journal is None else journal)

    @classmethod
    def of(cls, setup: Setup, venue: PaperVenue | None = None, journal: JournalPort | None = None) -> Session:
        """Return a session over what a backtest was set up with."""
        session = cls.__new__(cls)
        paper = venue or PaperVenue(setup.cash, dict(zip(setup.bars.symbols, setup.costs, strict=True)), setup.currency)
        session._begin(setup, paper, journal or MemoryJournal())
        return session

    def run(self, steps: int | None = None) -> Session:
        """Decide all steps of the tape, or the next `steps` of them; return the session."""
        given: Any = steps
        if given is not None and (isinstance(given, bool) or not isinstance(given, Integral) or given < 0):
            raise ParameterError(f"Session.run: steps must be a whole number, got {steps!r}")
        left, step = len(self.tape) - self.steps_done, self.step
        with quiet_collector():
            for _ in range(left if steps is None else min(steps, left)):
                step()
        return self

    def step(self) -> None:
        """Decide the next closed step: take the venue's events in, mark, close what turned, open, send."""
        row = self.steps_done
        self.steps_done = row + 1
        tape = self.tape
        for past in self.sleeves.pasts:
            past[NOW] = row
        self.execution.observe(tape, row)
        for event in self.execution.events():
            self._book(event)
        tape.advance(row)
        equity, needed = self.portfolio.value()
        if self.sleeves.valued:
            self.sleeves.close(row, self.tape.day, equity)
        if self._holds:
            self._watch(row, equity)
        if self.sleeves.moves:
            self._move_exits(row, equity)
        wanted = self._close_what_turned(row, equity)
        if needed > 0.0 and equity < needed:
            self._stop_out(row, equity, wanted)
            wanted = []
        elif self.sleeves.resizes:
            wanted = self._resize(row, equity, wanted)
        if self.sleeves.works:
            self._work(row, equity)
        if self._crossing:
            self._cross_over(equity)
        if wanted:
            self._open(row, equity, self._may_open(row, equity, wanted))
        self._finish(row, equity)

    def _finish(self, row: int, equity: float) -> None:
        """Send what the step decided, and tell that it is over."""
        if self._outbox:
            self._send(row)
        if self._amends:
            self._amend()
        if self._step_heard:
            self.bus.emit(StepClosed(row, self.tape.label[row], equity))

    def _move_exits(self, row: int, equity: float, close: bool = True) -> None:
        """Move the stops that follow the price, and close what has lasted as many bars as it may."""
        ended: list[int] = []
        for sleeve in self.sleeves.each:
            if sleeve.ender is not None:
                moved, over = sleeve.ender.look(row)
                self._amends += moved
                ended += over
        for j in ended if close else ():
            if not self._closes(self.states[j]):
                self._close_because(row, j, equity, TIMED_OUT, "time stop")

    def _close_because(self, row: int, j: int, equity: float, code: int, reason: str) -> None:
        """Close a position for another reason than its stance, and say so in a decision of its own."""
        state, decision = self.states[j], self._new_decision(row, j, math.nan, equity)
        decision.closed, decision.code = self.portfolio.lots[j], code
        state.decision = self.decisions - 1
        self._close(row, j, state, reason)
        self.bus.emit(Decided(state.decision, self.setup.instruments[j], decision))

    def _watch(self, row: int, equity: float) -> None:
        """Close what a bar has brought to a stop or target that the session holds itself."""
        for j in range(len(self.states)):
            if self.held[j] and self.portfolio.lots[j]:
                self._compare(row, j, row, equity)

    def _compare(self, row: int, j: int, passed: int, equity: float) -> None:
        """Close at a row's close what the bar of a row that has passed brought to what the session holds."""
        state, tape = self.states[j], self.tape
        high, low = tape.high[j][passed], tape.low[j][passed]
        if high != high or state.closes:
            return
        leg = touched(self.held[j], state, self.portfolio.quantity(j), high, low, tape.label[passed])
        if leg and not self._closes(state):
            self._close_because(row, j, equity, HELD, f"{leg} held by the session")

    def _may_open(self, row: int, equity: float, wanted: list[int]) -> list[int]:
        """Return which of those who want to open may: in a replay all of them."""
        return wanted

    def _close_what_turned(self, row: int, equity: float) -> list[int]:
        """Act on each stance that turned: withdraw, close, and return who wants to open."""
        stances, several = self.tape.stances, self.entries.several
        if stances == self._heard and not several:
            return []
        other: Iterable[int] = range(len(stances)) if several else compress(count(), map(ne, stances, self._heard))
        self._heard = stances
        wanted: list[int] = []
        for j in other:
            stance, state = stances[j], self.states[j]
            if stance != stance:
                continue
            if several:
                stance = self.entries.stance(j, stance)
            wish = 1 if stance > 0.0 else -1 if stance < 0.0 else 0
            if wish == state.wish and not state.waiting:
                continue
            state.wish = wish
            sign = wish if wish >= 0 or self._short[j] else 0
            if state.waiting:
                state.waiting, state.acted = False, sign
            elif sign != state.acted:
                self._turn(row, j, state, sign, stance, equity)
                if sign:
                    wanted.append(j)
            elif sign != wish:
                self._refuse_short(row, j, stance, equity)
        return wanted

    def _refuse_short(self, row: int, j: int, stance: float, equity: float) -> None:
        """Write down that a short stance came to nothing."""
        decision = self._new_decision(row, j, stance, equity)
        decision.code = NO_SHORT
        self.bus.emit(Decided(self.decisions - 1, self.setup.instruments[j], decision))

    def _turn(self, row: int, j: int, state: State, sign: int, stance: float, equity: float) -> None:
        state.acted = sign
        self.withdraw(state)
        state.row = self._new_decision(row, j, stance, equity)
        state.decision = self.decisions - 1
        if sign != state.wish:
            state.row.code = NO_SHORT
        if self.portfolio.lots[j] and not self._closes(state):
            state.row.closed = self.portfolio.lots[j]
            self._close(row, j, state, "stance turned")
        if not sign:
            self.bus.emit(Decided(state.decision, self.setup.instruments[j], state.row))

    def _resize(self, row: int, equity: float, wanted: list[int]) -> list[int]:
        """Make positions smaller that should be; return who wants to open, and who is to become larger."""
        self._changes = self.sleeves.changes(row, equity)
        for j, change in self._changes.items():
            state = self.states[j]
            state.row = decision = self._new_decision(row, j, float(state.acted) if change.lots > 0 else math.nan, equity)
            state.decision, decision.asked = self.decisions - 1, change.asked
            if change.lots < 0:
                self.withdraw(state)
                decision.code, decision.closed = change.code, -change.lots if self.portfolio.lots[j] > 0 else change.lots
                self._trim(row, j, state, change)
                self.bus.emit(Decided(state.decision, self.setup.instruments[j], decision))
        return sorted([*wanted, *(j for j, change in self._changes.items() if change.lots > 0)])

    def _trim(self, row: int, j: int, state: State, change: Change) -> None:
        """Send what makes a position smaller, or closes it."""
        if -change.lots >= abs(self.portfolio.lots[j]):
            self._close(row, j, state, WORDS[change.code])
            return
        state.closed_at = row
        order = self.sleeves.decider(j).trimming(row, j, self.sleeves.at[j].resizer.quantity(change), WORDS[change.code])
        self.put_out(order, state.decision)

    def _closes(self, state: State) -> bool:
        """Whether an order is out that closes the position; one that only trims it is taken off, if it can be."""
        if state.closing is None or state.closes or state.closing.key is None:
            return state.closing is not None
        if not self._cancel(state.closing.key):
            return True
        state.closing = None
        return False

    def _new_decision(self, row: int, j: int, stance: float, equity: float) -> Any:
        self.decisions += 1
        return self.trace(row, j, stance, equity)

    def trace(self, row: int, j: int, stance: float, equity: float) -> Any:
        """Return the row of a decision that is about to be made."""
        decision = DecisionRow()
        decision.t, decision.j, decision.stance, decision.equity = row, j, stance, self.sleeves.own(j, equity)
        decision.price = self.tape.price[j]
        decision.distance = decision.asked = math.nan
        return decision

    def _close(self, row: int, j: int, state: State, reason: str) -> None:
        state.closed_at = row
        if self._goes_with(state, self.portfolio.lots[j]):
            self.withdraw(state)
        self.put_out(self.sleeves.decider(j).closing(row, j, reason), state.decision)

    def _goes_with(self, state: State, lots: int) -> bool:
        """Whether an opening is withdrawn with the position that closes: it would add to it."""
        return state.adds_to(lots)

    def _stop_out(self, row: int, equity: float, wanted: list[int]) -> None:
        """Withdraw all openings and close all margined positions; nothing opens in this step (SEMANTICS 41)."""
        for j, state in enumerate(self.states):
            self.withdraw(state)
            lots = self.portfolio.lots[j]
            if lots and (self.setup.specs[j].margined or lots < 0) and not self._closes(state):
                self._close_because(row, j, equity, STOPPED_OUT, "stop-out")
        for j in wanted:
            self.states[j].row.code = STOPPED_OUT
            self.bus.emit(Decided(self.states[j].decision, self.setup.instruments[j], self.states[j].row))

    def _work(self, row: int, equity: float) -> None:
        """Send the next part of each opening that is worked over several bars."""
        for j, state in self.sleeves.worked(row):
            self.sleeves.decider(j).go_on(self, row, j, state, min(equity, self.sleeves.own(j, equity)))

    def _cross_over(self, equity: float) -> None:
        """Send on, at market, the limits that ended at this close and are still wanted; none without equity, or too small to send."""
        self._crossing = False
        for j, state in enumerate(self.states):
            order, state.crossing = state.crossing, None
            if order is None or below_minimum(order.quantity, self.tape.price[j], self.setup.specs[j]):
                continue
            if min(equity, self.sleeves.own(j, equity)) > 0.0:
                self.put_out(order, state.decision)

    def _open(self, row: int, equity: float, wanted: list[int]) -> None:
        """Size and cut the openings, one after the other: each is in the book of the next."""
        self.sleeves.begin(row, equity)
        for j in wanted:
            state, own, sleeve = self.states[j], self.sleeves.own(j, equity), self.sleeves.at[j]
            change = self._changes.pop(j, None)
            if change is None:
                orders = sleeve.decider.opening(row, j, state, own)
            else:
                orders = sleeve.decider.adding(row, j, state, own, sleeve.resizer.quantity(change))
            for order in orders:
                self._make(j, order, state.decision)
            self.bus.emit(Decided(state.decision, self.setup.instruments[j], state.row))

    def _make(self, j: int, order: Order, decision: int) -> None:
        """Make an opening that was decided: in a replay at once."""
        self.put_out(order, decision)
