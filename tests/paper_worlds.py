"""A live session on the paper venue, in this process: fed step by step, with a line that can be cut, and compared with the kernel.

`Fed` feeds a `LiveSession` as a runner does, without clock, thread or wire; what the venue says passes through JSON all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench import Bars, Strategy
from workbench.bars import FIELDS
from workbench.execution import Costs, PaperVenue
from workbench.execution.port import EVERYTHING, ExecutionModule, VenueEvent, VenueSaid, VenueState
from workbench.execution.wire import event_from, order_plain
from workbench.instrument import Instrument
from workbench.journal import Answer, Command, JournalPort, MemoryJournal
from workbench.market import Account, Fill, Order, OrderKey
from workbench.practice.paper.exchange import Exchange
from workbench.practice.paper.feeds import Recorded
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.session.gathering import bars_received
from workbench.session.live import LiveSession
from workbench.session.record import Record
from workbench.session.recorder import Recorder
from workbench.session.recovery import relived
from workbench.session.setup import Setup, set_up
from workbench.team import Team, layout_of

FREE = Costs(commission=0.0, slippage=0.0)


class Line(ExecutionModule):
    """A session's line to an exchange in this process; what `cut` names does not get through."""

    def __init__(self, exchange: Exchange) -> None:
        self.supports = exchange.venue.supports
        self.exchange = exchange
        self.currency = ""
        self.cut: Callable[[Order | OrderKey], bool] = lambda asked: False
        self.lost: list[str] = []

    def connect(self, instruments: Iterable[Instrument]) -> None:
        """Nothing to connect."""

    def submit(self, order: Order) -> bool:
        """Hand an order over, or lose it."""
        if self.cut(order):
            self.lost.append(str(order.key))
            return False
        self.exchange.submit(through_json(order_plain(order)))
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Ask for an order to be taken off, or lose the question."""
        return not self.cut(key) and self.exchange.cancel(key)

    def amend(self, key: OrderKey, price: float) -> bool:
        """Ask for a resting order to work at another price, or lose the question."""
        return not self.cut(key) and self.exchange.amend(key, price)

    def events(self) -> list[VenueEvent]:
        """Nothing: events are pushed, under their numbers."""
        return []

    def knows(self, key: OrderKey) -> bool:
        """Whether the venue ever took an order."""
        return self.exchange.knows(key)

    def open_orders(self) -> list[Order]:
        """Return what works at the venue."""
        return self.exchange.venue.open_orders()

    def executions(self, since: int = 0) -> list[Fill]:
        """Return the fills."""
        return self.exchange.venue.executions(since)

    def positions(self) -> dict[str, float]:
        """Return what is held at the venue."""
        return self.exchange.venue.positions()

    def account(self) -> Account:
        """Return the venue's account."""
        return self.exchange.venue.account()

    def state(self) -> VenueState:
        """Return the venue's book."""
        return VenueState(self.exchange.head, self.positions(), self.open_orders(), self.account())


class Fed:
    """A live session that is fed one bar after the other.

    `step(why)` lets a bar pass and has it decided, or missed for a reason; `without` names instruments whose bars have not come
    by then, and `come` lets them come. `order(verb)` gives a command.
    """

    def __init__(self, strategy: Strategy | Team, bars: Bars, history: int = 1, journal: JournalPort | None = None, **account: Any) -> None:
        supports = {"supports": account.pop("supports")} if "supports" in account else {}
        account = {"cash": 100_000.0, "costs": FREE} | account
        self.bars, self.first = bars, history
        self.venue = PaperVenue(**account, **supports)
        self.ledger, self.journal = MemoryJournal(), MemoryJournal() if journal is None else journal
        self.exchange = Exchange(Recorded(bars), self.venue, self.ledger, layout=layout_of(strategy))
        self.exchange.begin(history)
        self.line = Line(self.exchange)
        self.full = set_up(strategy, bars, **account)
        self.session = LiveSession(set_up(strategy, bars.iloc[:history], **account), self.line, self.journal, history)
        self.recorder = Recorder(self.session)
        self.hidden: set[tuple[int, int]] = set()
        self.seen, self.ids = self.exchange.head, 0

    @property
    def over(self) -> bool:
        """Whether no bar is left."""
        return self.exchange.over

    def listen(self, tell: bool = True) -> None:
        """Take in what the venue has said since; bars are left to `step`."""
        for message in self.exchange.since(self.seen):
            self.seen = message.number
            if message.event is not None:
                said = VenueSaid(message.number, event_from(through_json(message.event), self.exchange.instruments))
                self.session.told([said])

    def known(self, rows: int) -> Bars:
        """Return the first rows of the bars, without those that have not come."""
        arrays = {name: self.bars.array(name)[:rows].copy() for name in FIELDS}
        for cell in self.hidden:
            if cell[0] < rows:
                for array in arrays.values():
                    array[cell] = np.nan
        return Bars(self.bars.index[:rows], self.bars.instruments, self.bars.interval, arrays)

    def come(self, *symbols: str, row: int | None = None) -> None:
        """Let bars come that are late: of the newest step, or of a row."""
        row = self.exchange.row if row is None else row
        self.hidden -= {(row, self.bars.symbols.index(symbol)) for symbol in symbols}
        received = [bar for bar in bars_received(self.bars, row, row) if bar.symbol in symbols]
        self.session.late(self.session.setup.on(self.known(row + 1), newest=True), received)

    def step(self, why: str = "", without: Sequence[str] = (), late: int = 0) -> LiveSession:
        """Let a bar pass; its step is decided, or missed for a reason."""
        assert self.exchange.advance()
        self.listen()
        row = self.exchange.row
        self.hidden |= {(row, self.bars.symbols.index(symbol)) for symbol in without}
        bars = self.known(row + 1)
        self.session.append(self.session.setup.on(bars, newest=True), bars_received(bars, row, row))
        if why or self.session.mode in ("PAUSED", "HALTED"):
            self.session.miss(why or self.session.mode, [self.seen])
        else:
            self.session.decide([self.seen], late)
        self.listen()
        return self.session

    def run(self, steps: int | None = None) -> Fed:
        """Decide so many steps, or all that are left."""
        while not self.over and steps != 0:
            self.step()
            steps = None if steps is None else steps - 1
        return self

    def order(self, verb: str, expires: int = 0, now: int = 0, name: str = "", **about: Any) -> Answer:
        """Give a command, and take in what follows; `about` is what the verb needs besides."""
        self.ids += 1
        answer = self.session.apply(Command(name or f"{verb} {self.ids}", verb, "me", 0, expires, about or None), now)
        self.listen()
        return answer

    def again(self) -> tuple[LiveSession, Record]:
        """Return the session that the journal leads to, and its record."""
        whole = self.session.setup.on(self.known(self.exchange.row + 1))
        return lived_again(whole, self.journal, self.first, self.line.supports)

    @property
    def fills(self) -> list[tuple[int, str, float, float]]:
        """Return the venue's fills as (row, leg, signed quantity, price)."""
        row = {int(label): k for k, label in enumerate(self.bars.labels)}
        return [(row[fill.label], fill.key.leg, fill.quantity * fill.sign, fill.price) for fill in self.venue.executions()]

    def differences(self) -> pd.DataFrame:
        """Return how the run differs from the kernel on the same bars."""
        return compare(expected(self.full, self.first), self.recorder.record(), self.full.bars)


def through_json(plain: Any) -> Any:
    """Return plain values as they come over a wire."""
    return json.loads(json.dumps(plain))


def expected(setup: Setup, first: int) -> Record:
    """Return the backtest's record, with the first rows as history: nothing is decided in them."""
    stance = setup.inputs.stance.copy()
    stance[:first] = np.nan
    later = setup.with_inputs(setup.inputs._replace(stance=stance))
    return run_kernel(later) if setup.rules.compiled else run_session(later)


def lived_again(setup: Setup, journal: JournalPort, first: int, supports: frozenset[str] = EVERYTHING) -> tuple[LiveSession, Record]:
    """Return the session that a journal leads to, and its record."""
    recorders: list[Recorder] = []
    whole = setup.on(setup.market)  # that of a live session has the stances of its newest bar alone
    session = relived(whole, journal.entries(), first, lambda one: recorders.append(Recorder(one)), journal.entries("late"), supports)
    return session, recorders[0].record()


def told(exchange: Exchange) -> list[tuple[Any, ...]]:
    """Return all that a venue has told, as values to compare."""
    return [(m.number, m.row, m.event, m.bars and m.bars.symbols, m.late) for m in exchange.since(0)]


def state_of(session: LiveSession) -> dict[str, Any]:
    """Return all that a session knows, as plain values to compare."""
    names = (
        "waiting",
        "acted",
        "wish",
        "opening",
        "closing",
        "stop",
        "target",
        "crossing",
        "closed_at",
        "decision",
        "late",
        "missed_at",
        "held_by",
        "added_by",
        "leaving",
    )
    portfolio = session.portfolio
    return {
        "states": [{name: getattr(state, name) for name in names} for state in session.states],
        "work": [state.work and (state.work.left, state.work.number, state.work.sent) for state in session.states],
        "book": (portfolio.cash, portfolio.equity, list(portfolio.lots), list(portfolio.price)),
        "mode": (session.mode, session.steps_done, session._behind, session.lives.all, session.foreign),
    }
