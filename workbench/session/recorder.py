"""Writes down what a session tells, in the rows that the research kernel writes too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from workbench.market import Order, OrderKey
from workbench.records import (
    DECISION,
    FILL,
    LEGS,
    ORDER,
    STATUSES,
    TYPES,
    FillRow,
    OrderRow,
    table,
)
from workbench.session.events import Decided, OrderAccepted, OrderAmended, OrderEnded, OrderFilled, OrderSent, StepClosed
from workbench.session.record import Record
from workbench.session.session import Session

__all__ = ["Recorder", "recorded"]


class Recorder:
    """Listens to a session and keeps its record.

    Examples
    --------
    >>> import workbench as wb
    >>> session = wb.Session(wb.Strategy(wb.signals.MovingAverageCross()), data=wb.ReplayAdapter(wb.simulate(days=1, seed=1)))
    >>> recorder = Recorder(session)
    >>> len(session.run().tape) == len(recorder.record().equity)
    True
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._orders: list[Any] = []
        self._fills: list[Any] = []
        self._decisions: dict[int, Any] = {}
        # rows before the first that is decided are history: the account stood still
        self._equity: list[float] = [session.setup.cash] * session.steps_done
        #: Of a team, the equity of each strategy.
        self._equities: list[list[float]] = [[one.setup.cash for one in session.sleeves.each]] * session.steps_done
        self._number: dict[OrderKey, int] = {}
        #: The positions before the next fill, in steps: what a fill changes is less than it bought where its fee is taken from it.
        self._held = list(session.portfolio.lots)
        for kind, handler in (
            (OrderSent, self._sent),
            (OrderAccepted, self._accepted),
            (OrderFilled, self._filled),
            (OrderAmended, self._amended),
            (OrderEnded, self._ended),
            (Decided, self._decided),
            (StepClosed, self._closed if session.setup.is_team else _keeping(self._equity)),
        ):
            session.on(kind, handler)

    @property
    def orders(self) -> int:
        """How many orders were sent or rested so far."""
        return len(self._orders)

    def record(self) -> Record:
        """Return what was written so far."""
        decisions = [self._decisions[number] for number in sorted(self._decisions)]
        return Record(
            table(self._orders, ORDER),
            table(self._fills, FILL),
            table(decisions, DECISION),
            np.array(self._equity),
            self._session.portfolio.cash,
            "session",
            np.array(self._equities) if self._session.setup.is_team else None,
        )

    def _row(self, order: Order, step: int, decision: int, parent: int) -> None:
        assert order.key is not None
        portfolio, row = self._session.portfolio, OrderRow()
        row.j = portfolio.column[order.instrument.symbol]
        row.t, row.decision, row.parent, row.end = step, decision, parent, -1
        row.leg, row.child = LEGS.index(order.key.leg), order.key.child
        row.side, row.lots = order.sign, portfolio.lots_in(row.j, order.quantity)
        row.kind, row.price = TYPES.index(order.type), np.nan if order.price is None else order.price
        self._number[order.key] = len(self._orders)
        self._orders.append(row)

    def _sent(self, event: OrderSent) -> None:
        key = event.order.key
        assert key is not None
        if key.attempt and replace(key, attempt=key.attempt - 1) in self._number:
            self._sent_again(event.order, key)
            return
        first = self._number.get(_first(key)) if key.child else None
        step = event.step if first is None else self._orders[first].t
        self._row(event.order, step, event.decision, -1)

    def _sent_again(self, order: Order, key: OrderKey) -> None:
        """Let the row of the attempt before go on: it is the same order (SEMANTICS 35)."""
        number = self._number[key] = self._number[replace(key, attempt=key.attempt - 1)]
        row = self._orders[number]
        row.lots, row.status, row.end = self._session.portfolio.lots_in(row.j, order.quantity), STATUSES.index("working"), -1

    def _accepted(self, event: OrderAccepted) -> None:
        if event.parent is not None:
            parent = self._number[event.parent]
            self._row(event.order, self._orders[parent].t, self._orders[parent].decision, parent)

    def _end(self, key: OrderKey, status: str, step: int) -> int:
        number = self._number[key]
        row = self._orders[number]
        row.status, row.end = STATUSES.index(status), step
        return number

    def _filled(self, event: OrderFilled) -> None:
        fill, row = event.fill, FillRow()
        row.t, row.j = self._session.tape.row_of(fill.label), self._session.portfolio.column[fill.instrument.symbol]
        row.order = self._number[fill.key] if fill.left else self._end(fill.key, "filled", row.t)
        held = self._session.portfolio.lots[row.j]
        row.lots, self._held[row.j] = held - self._held[row.j], held
        row.price, row.fee, row.unit = fill.price, fill.fee, self._session.tape.unit[row.j]
        self._fills.append(row)

    def _amended(self, event: OrderAmended) -> None:
        row = self._orders[self._number[event.key]]
        row.price = event.price
        if event.quantity is not None:
            row.lots = self._session.portfolio.lots_in(row.j, event.quantity)

    def _ended(self, event: OrderEnded) -> None:
        self._end(event.key, event.status, self._session.tape.row_of(event.label))

    def _closed(self, event: StepClosed) -> None:
        self._equity.append(event.equity)
        self._equities.append(self._session.sleeves.values)

    def _decided(self, event: Decided) -> None:
        self._decisions[event.number] = event.row


def recorded(live: Callable[[Callable[[Session], None]], object]) -> Record:
    """Return the record of a session that is made, and lives, in a call; it is handed what listens."""
    recorders: list[Recorder] = []
    live(lambda session: recorders.append(Recorder(session)))
    return recorders[0].record()


def _keeping(equity: list[float]) -> Callable[[StepClosed], None]:
    """Return what keeps the equity of a step: no call but one."""
    keep = equity.append
    return lambda event: keep(event[2])


def _first(key: OrderKey) -> OrderKey:
    return OrderKey(key.instrument, key.label, key.leg, 0, key.account, key.deployment, key.attempt)
