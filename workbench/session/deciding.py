"""How a session sizes, cuts and words an order: the kernel's decision functions, called with live values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench.decision import BookColumns, enter_book, opening, start_book, usable
from workbench.execution import Market as AtMarket
from workbench.execution import WorkingAlgorithm
from workbench.grid import quantity_of
from workbench.market import Book, Market, Order, OrderKey, Side
from workbench.money import below_minimum
from workbench.past import AT, OPENED, History, empty_memory, empty_past, no_history
from workbench.portfolio import Portfolio
from workbench.preview import left_of, number_of
from workbench.records import NO_EQUITY, NO_EXIT, NO_RATE, NOT_SENT, RESIZED, DecisionRow
from workbench.risk import DEPTH
from workbench.session.children import checked, lessened, single
from workbench.session.setup import Setup
from workbench.session.state import State
from workbench.session.tape import Planned, Tape
from workbench.session.working import Work

if TYPE_CHECKING:
    from workbench.session.session import Session

__all__ = ["Decider"]


class Decider:
    """Decides openings on the book of one step.

    A part without a compiled decision is asked through its own method, with book and market as frozen values.

    Parameters
    ----------
    setup : Setup
    portfolio : Portfolio
    states : sequence of State
    tape : Tape
    above : Decider, optional
        Of a team's account: has the limits on all of it, which come after these.
    """

    def __init__(self, setup: Setup, portfolio: Portfolio, states: Sequence[State], tape: Tape, above: Decider | None = None) -> None:
        self.setup = setup
        self.portfolio = portfolio
        self.states = states
        self.tape = tape
        self.above = above
        n = len(setup.instruments)
        #: The columns whose positions its limits see: those of its strategy, or of the whole account.
        self._seen = setup.mine or range(n)
        self.hi, self.lo = [0.0] * n, [0.0] * n
        #: The columns that are in the book of the step: the others are 0 there.
        self._written: list[int] = []
        self.equity = 0.0
        #: The cash that its limits see: that of the account, or of the strategy's part of it (`Sleeves`).
        self.cash: Callable[[], float] = lambda: portfolio.cash
        #: Whose orders these are: a live session names them (SEMANTICS 35), a replay has no need to.
        self.account = self.deployment = ""
        #: The protective orders that the session holds: the openings do not carry them.
        self.held: frozenset[str] = frozenset()
        #: Whether a person is asked about each opening before anything of it is sent.
        self.asks = False
        #: What meets prices inside the bars (`ExecutionModule.ticked`).
        self.ticked: frozenset[str] = frozenset()
        self._step = 0
        self._has = setup.rules.exits
        #: What limits without a compiled decision said of their room, by number of the decision and place of the limit.
        self.said: dict[tuple[int, int], str] = {}
        self._asked = State(waiting=False)
        self.traced: Any = None
        #: What the account remembers (`workbench.past`).
        self.past = empty_past(setup.cash)
        self._history = no_history(self.past)
        self._columns = BookColumns(setup.specs, tape.price, tape.unit, tape.base, self.hi, self.lo, [0.0] * n, [0.0] * n, [0.0])
        chain = setup.rules.chain(setup.buying_power)
        limits = tuple(limit or self._asking(setup.strategy.risk[k], k) for k, limit in enumerate(chain.limits))
        self._chain = chain._replace(size=chain.size or self._ask_sizer, limits=limits)

    def begin(self, row: int, equity: float) -> None:
        """Write the positions that open orders could still lead to; closings decided in this step count as done."""
        self.equity, self._step = equity, row
        self._history = self.looked_back(row)
        b, states, lots, held, used = self._columns, self.states, self.portfolio.lots, self.portfolio.held, 0.0
        out: list[int] = []
        for j in self._written:  # forget the step before
            b.hi[j] = b.lo[j] = b.fees[j] = b.margin[j] = 0.0
        self._written = []
        for j in self._seen:
            state = states[j]
            if state.opening is not None or state.work is not None or state.proposal is not None:
                out.append(j)
            elif not lots[j]:
                continue
            self._written.append(j)
            closing, quantity, done = state.closing, held[j], False
            if closing is not None and state.closed_at == row:
                left = lots[j] + self._lots(j, closing)
                done = state.closes and not left
                quantity = quantity if done else self._quantity(j, left)  # trimmed, or cut by the gate: what is left of it stays
            used += start_book(b, j, quantity, closing is not None or state.stop is not None or state.target is not None, done)
        b.used[0] = used
        for j in out:
            order = states[j].reserved
            if order is not None:
                self._enter(j, order)

    def _enter(self, j: int, order: Order) -> None:
        """Count an opening that is out, with all of it that could still fill."""
        enter_book(self._columns, j, float(order.sign), self.portfolio.lots_in(j, order.quantity))

    def _lots(self, j: int, order: Order) -> int:
        return self.portfolio.lots_in(j, order.quantity) * order.sign

    def _quantity(self, j: int, lots: int) -> float:
        return quantity_of(lots, self.setup.specs[j].number, self.setup.specs[j].power)

    def looked_back(self, row: int) -> History:
        """Return what limits look back at: as many of the newest rows as they may want, row of numbers after row of numbers."""
        tape, past = self.tape, self.past
        if tape.series is None or tape.day is None:
            return no_history(past)
        first = max(row + 1 - DEPTH * self.setup.rules.looks_back, tape.first)
        past[AT] = row - first
        rows = range(first, row + 1)
        series = [column[k] for column in tape.series for k in rows]
        return History(past, series, [tape.day[k] for k in rows], empty_memory(self.setup.rules.room))

    def opening(self, row: int, j: int, state: State, equity: float) -> list[Order]:
        """Return the orders of an opening: none where it may not be; the trace goes into the state's decision row."""
        decision, tape = state.row, self.tape
        plan = tape.distances(j, row)
        decision.distance = plan.stop
        below = tape.price[j] if state.acted > 0 else math.inf
        if not equity > 0.0:
            decision.code = NO_EQUITY
        elif not tape.is_fresh(j, row):
            decision.code = NO_RATE
        elif not all(map(usable, self._has, plan, (below, *[math.inf] * 4))):
            decision.code = NO_EXIT
        else:
            self._asked = state
            side = float(state.acted)
            stance, measured = tape.stance[j][row], tape.measured_at(j, row)
            lots = opening(self._chain, self._columns, j, side, stance, equity, plan.stop, measured, self._history, decision)
            lots = self._let(j, side, lots, decision)
            orders = self._orders(row, j, state, self._parent(row, j, lots, side, "open", plan)) if lots else []
            if orders or state.work is not None:
                self._note(j, side, lots)
                state.plan = plan
            elif lots:
                decision.code, decision.lots = NOT_SENT, 0
            return orders
        return []

    def asked(self, row: int, j: int, state: State, stance: float, equity: float) -> float:
        """Return the quantity that the sizer asks for of what is held already."""
        self._asked, c, tape = state, self._chain, self.tape
        stop, measured = tape.distances(j, row).stop, tape.measured_at(j, row)
        past, side = self._history.past, float(state.acted)
        found = c.size(c.size_p, self.setup.specs[j], side, stance, equity, tape.price[j], tape.unit[j], stop, measured, past)
        return float(found * min(abs(stance), 1.0) if c.scaled else found)

    def adding(self, row: int, j: int, state: State, equity: float, quantity: float) -> list[Order]:
        """Return the orders that make a position larger by a quantity, as far as the limits let them."""
        self._asked, decision, side = state, state.row, float(state.acted)
        chain = self._chain._replace(size=lambda *_: quantity, scaled=0)
        lots = opening(chain, self._columns, j, side, side, equity, math.nan, math.nan, self._history, decision)
        lots = self._let(j, side, lots, decision)
        orders = self._orders(row, j, state, self._parent(row, j, lots, side, "add", None)) if lots else []
        if orders:
            decision.code = RESIZED
            self._note(j, side, lots, opened=0.0)
        return orders

    def _orders(self, row: int, j: int, state: State, parent: Order) -> list[Order]:
        """Return what of an opening goes on: all of it to a person who is asked, else what its algorithm sends now."""
        return [parent] if self.asks else self.made(row, j, state, parent)

    def made(self, row: int, j: int, state: State, parent: Order) -> list[Order]:
        """Return what of an opening its execution algorithm sends at the close of a row."""
        self._step = row
        adds = parent.key is not None and parent.key.leg == "add"
        return self._planned(parent, j) if adds else self.worked(row, j, state, parent)

    def _let(self, j: int, side: float, lots: int, decision: Any) -> int:
        """Return what the limits on the whole account leave of whole steps; what they left stands behind what ours did."""
        if self.above is None or not lots:
            return lots
        if not self.above.equity > 0.0:
            decision.code, decision.lots = NO_EQUITY, 0
            return 0
        left, trace, first = self.above.let_through(j, side, lots), self.above.traced, len(self.setup.strategy.risk)
        for k, after in enumerate(trace.after[: len(trace.after) - first]):
            decision.after[first + k] = after
        if not left:
            decision.code = trace.code
        decision.lots = left
        return left

    def let_through(self, j: int, side: float, lots: int) -> int:
        """Return what these limits leave of an opening that has passed others; its trace is in `traced`."""
        quantity, self.traced = self._quantity(j, lots), DecisionRow()
        self._asked = State(waiting=False)
        self._asked.row = self.traced
        self.traced.j = j
        chain = self._chain._replace(size=lambda *_: quantity, scaled=0)
        return opening(chain, self._columns, j, side, side, self.equity, math.nan, math.nan, self._history, self.traced)

    def room(self, j: int, side: float, lots: int) -> tuple[int, Any]:
        """Return how many whole steps of an opening that was decided already all limits leave, the account's too, and the trace of it."""
        if not self.equity > 0.0:
            return 0, DecisionRow()
        counted = [(one.past, one.past[OPENED]) for one in (self, self.above) if one is not None]
        for past, opened in counted:
            past[OPENED] = max(opened - 1, 0)  # it was counted when it was decided
        left, trace = self.let_through(j, side, lots), self.traced
        trace.equity = self.equity
        left = self._let(j, side, left, trace)
        for past, opened in counted:
            past[OPENED] = opened
        return left, trace

    def _note(self, j: int, side: float, lots: int, opened: float = 1.0) -> None:
        """Count what was sent, here and for the whole account, for the openings after it."""
        enter_book(self._columns, j, side, lots)
        self._written.append(j)
        self.past[OPENED] += opened
        if self.above is not None:
            self.above._note(j, side, lots, opened)

    def _parent(self, row: int, j: int, lots: int, side: float, leg: str, plan: Planned | None) -> Order:
        """Return an opening as it was decided; an addition has no exits of its own."""
        return Order(
            self.setup.instruments[j],
            "buy" if side > 0 else "sell",
            self._quantity(j, lots),
            key=self.key(row, j, leg),
            stop_distance=plan.stop if plan is not None and self._has[0] and "stop" not in self.held else None,
            target_distance=plan.target if plan is not None and self._has[1] and "target" not in self.held else None,
            reason="stance turned" if plan is not None else "resized",
        )

    def _planned(self, parent: Order, j: int) -> list[Order]:
        """Return what the execution algorithm makes of an order at once."""
        algorithm = self.setup.strategy.execution
        if type(algorithm) is AtMarket:
            return [parent]
        return [checked(order, parent, algorithm) for order in single(algorithm.plan(parent, self.market(j)), algorithm)]

    def worked(self, row: int, j: int, state: State, parent: Order) -> list[Order]:
        """Return what of a new opening is sent now; one that is worked over several closes stays with the state."""
        algorithm = self.setup.strategy.execution
        if not isinstance(algorithm, WorkingAlgorithm):
            return self._planned(parent, j)
        late = self.setup.costs[j].bars_late(self.tape.interval, inside=parent.instrument.traded_as in self.ticked)
        state.work = work = Work(parent, self.tape.price[j], algorithm.closes, 1 + late)
        children = self.next_child(row, j, state)
        state.work = None if work.asked_for_all else work
        return children

    def next_child(self, row: int, j: int, state: State) -> list[Order]:
        """Return what of an opening is sent at a close: none, or one that takes the place of what is out."""
        work, algorithm, tape = state.work, self.setup.strategy.execution, self.tape
        assert work is not None
        assert work.parent.key is not None
        assert isinstance(algorithm, WorkingAlgorithm)
        progress = work.progress(tape.interval, tape.label[row], 0.0 if state.opening is None else state.opening.quantity)
        work.number, work.due = work.number + 1, tape.label[row] + work.bars * tape.interval
        self._step, rest = row, work.rest
        children = [checked(order, rest, algorithm) for order in single(algorithm.work(rest, self.market(j), progress), algorithm)]
        children = [child for child in children if not below_minimum(child.quantity, tape.price[j], self.setup.specs[j])]
        key = replace(work.parent.key, child=work.sent)
        work.sent += len(children)
        return [replace(child, key=key) for child in children]

    def go_on(self, session: Session, row: int, j: int, state: State, equity: float) -> None:
        """Send the next part of an opening, in the place of what is out of it; nothing more without equity."""
        if not equity > 0.0:
            session.withdraw(state)
        elif state.work is not None and not state.work.asked_for_all and self.tape.label[row] >= state.work.due:
            for order in self._next_in_place(session, row, j, state):
                session.put_out(order, state.decision)
        if state.work is not None and state.work.asked_for_all and state.opening is None:
            state.work = None  # else its last part is still out

    def _next_in_place(self, session: Session, row: int, j: int, state: State) -> list[Order]:
        """Return the next child, for which what is out is taken off; of what filled on the way nothing is sent a second time."""
        children, work = self.next_child(row, j, state), state.work
        if not children or state.opening is None or work is None:
            return children
        left, key = work.left, state.opening.key
        more = session.on_the_way(key) if session.take_off_opening(state) and key is not None else None
        if more is not None and work.left == left:
            return [part for child in children for part in lessened(child, more)]
        work.ask_again()
        return self.next_child(row, j, state) if more is not None and state.work is not None else []

    def trimming(self, row: int, j: int, quantity: float, reason: str) -> Order:
        """Return the order that makes a position smaller at market."""
        side: Side = "sell" if self.portfolio.lots[j] > 0 else "buy"
        return Order(self.setup.instruments[j], side, quantity, key=self.key(row, j, "trim"), reduce_only=True, reason=reason)

    def closing(self, row: int, j: int, reason: str, command: str = "") -> Order:
        """Return the order that closes a position at market; one that a command asks for is named by the command's id."""
        quantity = self.portfolio.quantity(j)
        side: Side = "sell" if quantity > 0 else "buy"
        key = replace(self.key(row, j, "close"), label=command) if command else self.key(row, j, "close")
        return Order(self.setup.instruments[j], side, abs(quantity), key=key, reduce_only=True, reason=reason)

    def crossing(self, order: Order) -> Order:
        """Return the market order that a limit goes on as."""
        assert order.key is not None
        key = replace(order.key, child=order.key.child + 1)
        return Order(
            order.instrument,
            order.side,
            order.quantity,
            key=key,
            stop_distance=order.stop_distance,
            target_distance=order.target_distance,
            reason="limit not filled in time, crossing",
        )

    def key(self, row: int, j: int, leg: str) -> OrderKey:
        """Return the key of an order of this step."""
        return OrderKey(self.setup.instruments[j].symbol, self.tape.label[row], leg, 0, self.account, self.deployment)

    # -- for parts without a compiled decision --------------------------------------------------------------------

    def book(self) -> Book:
        """Return the book of this step as a frozen value."""
        column = self.portfolio.column
        held = [self.portfolio.quantity(j) if j in self._seen else 0.0 for j in range(len(column))]
        positions, highest, lowest = (Row(column, values) for values in (held, self.hi, self.lo))
        return Book(self.setup.currency, self.equity, self.cash(), positions, highest, lowest, self._history)

    def market(self, j: int) -> Market:
        """Return the market of this step as a frozen value."""
        column, tape = self.portfolio.column, self.tape
        instruments = dict(zip(column, self.setup.instruments, strict=True))
        price, unit, base = (Row(column, values) for values in (tape.price, tape.unit, tape.base))
        inputs = {f"{name}_distance": away for name, away in tape.distances(j, self._step)._asdict().items()}
        inputs["measured"] = tape.measured_at(j, self._step)
        return Market(tape.label[self._step], self.setup.instruments[j], instruments, price, unit, base, inputs)

    def _ask_sizer(self, p: Any, spec: Any, side: float, *rest: Any) -> float:
        sizer = self.setup.strategy.sizer.core
        return number_of(sizer.size(side, self.book(), self.market(self._asked.row.j)), f"{type(sizer).__name__}.size")

    def _asking(self, part: Any, k: int) -> Callable[..., float]:
        def ask(p: Any, table: Any, j: int, side: float, *book: Any) -> float:
            left = left_of(self._asked.row)
            if not left > 0.0:
                return 0.0
            order = Order(self.setup.instruments[j], "buy" if side > 0 else "sell", left)
            room, self.said[self._asked.decision, k] = part.allowed(order, self.book(), self.market(j))
            return number_of(room, f"{type(part).__name__}.limit")

        return ask


class Row(Mapping[str, float]):
    """One number an instrument, by symbol: a copy, so that it stays what it was."""

    __slots__ = ("_column", "_values")

    def __init__(self, column: Mapping[str, int], values: Sequence[float]) -> None:
        self._column = column
        self._values = tuple(values)

    def __getitem__(self, symbol: str) -> float:
        return self._values[self._column[symbol]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._column)

    def __len__(self) -> int:
        return len(self._values)
