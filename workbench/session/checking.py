"""The gate in a live session: what it is shown of an order and the account, and how what it said is kept.

It is asked once, when an order is about to be written down. What it said is in the journal with the order, so that a session that
lives again is not asked anew: the clock is another one then, and the gate may be set otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from workbench.calendars import is_open
from workbench.instrument import Instrument
from workbench.interval import DAY
from workbench.market import Order
from workbench.risk.gate import Latch, Situation

if TYPE_CHECKING:
    from workbench.session.journaled import JournaledSession

__all__ = ["Gatekeeper", "Keeper", "Recalled", "Said", "situation_of"]


class Said(NamedTuple):
    """What the gate said of an order: how much of it may be sent, why not all, and what a closing was let through in spite of."""

    quantity: float
    why: str = ""
    alerts: tuple[str, ...] = ()


class Keeper(Protocol):
    """Whoever a session asks before an order is written down."""

    def now(self, session: JournaledSession) -> int:
        """Return the moment, in nanoseconds, on the market's clock."""

    def ask(self, session: JournaledSession, order: Order) -> Said:
        """Return what may be sent of an order."""


class Gatekeeper:
    """Asks the gate, with what is known at the moment.

    The moment is the market's: when the newest bar closed, and as much later as it has been here since. A recording moves as fast as it
    is played then, and a stream that has died makes prices grow old all the same.

    Parameters
    ----------
    clock : callable
        Nanoseconds since 1970.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock

    def now(self, session: JournaledSession) -> int:
        """Return the market's time."""
        tape = session.tape
        closed = tape.label[session.steps_done - 1] + tape.interval
        return closed + (max(self._clock() - session.arrived, 0) if session.arrived else 0)

    def ask(self, session: JournaledSession, order: Order) -> Said:
        """Return what may be sent of an order."""
        verdict = session.setup.gate.check(order, situation_of(session, order, self.now(session)))
        return Said(verdict.quantity, verdict.why, verdict.alerts)


class Recalled:
    """Says what the gate said then; what it had nothing to say of passes.

    Parameters
    ----------
    body : dict, optional
        What a `JournaledSession` wrote down of the gate: ``at`` and ``said``.
    """

    def __init__(self, body: Mapping[str, Any] | None = None) -> None:
        self._at = 0
        self._said: Mapping[str, Any] = {}
        self.recall(body or {})

    def recall(self, body: Mapping[str, Any]) -> None:
        """Take in what was written down with the next orders."""
        self._at, self._said = body.get("at", 0), body.get("said", {})

    def now(self, session: JournaledSession) -> int:
        """Return when it was."""
        return self._at

    def ask(self, session: JournaledSession, order: Order) -> Said:
        """Return what was said then; it may be asked of another quantity now."""
        if str(order.key) not in self._said:
            return Said(order.quantity)
        quantity, why, alerts = self._said[str(order.key)]
        return Said(min(quantity, order.quantity), why, tuple(alerts))


def situation_of(session: JournaledSession, order: Order, now: int) -> Situation:
    """Return what is known of an order's instrument and the account at a moment of the market."""
    portfolio, tape = session.portfolio, session.tape
    j, row = portfolio.column[order.instrument.symbol], session.steps_done - 1
    state = session.states[j]
    last, decided = tape.price[j], state.row.price if state.row is not None and not order.reduce_only else tape.price[j]
    last_at = tape.label[row - tape.age(j, row)] + tape.interval
    return Situation(
        now=now,
        mode=session.mode,
        last=last,
        last_at=last_at,
        unit=tape.unit[j],
        equity=portfolio.equity,
        reference=decided,
        position=portfolio.quantity(j),
        orders=state.orders,
        keys=session.lives.keys,
        sent=list(session.moments[session.sources[j]]),
        open=_takes_orders(order.instrument, tape.interval, last_at, now, session.setup.gate.max_age),
        latch=_latch(session, j),
        symbol=session.setup.market.instruments[session.sources[j]].symbol,
        elsewhere=sum(_towards(session, k, order.sign) for k in session.others[j]),
    )


def _latch(session: JournaledSession, j: int) -> Latch:
    """Return the latch of a column, shut where that of another column of its instrument is."""
    own = session.latch(j)
    return own if own.why else replace(own, why=next((session.latch(k).why for k in session.others[j] if session.latch(k).why), ""))


def _towards(session: JournaledSession, j: int, sign: int) -> float:
    """Return how much of a column could be held in a direction, once what is out has filled."""
    opening = session.states[j].opening
    return max(session.portfolio.quantity(j) * sign, 0.0) + (opening.quantity if opening is not None and opening.sign == sign else 0.0)


def _takes_orders(instrument: Instrument, interval: int, last_at: int, now: int, patience: float | None) -> bool:
    """Whether an order may be sent: its market is open, or its bar has just closed, and what is decided on it fills at the next."""
    if instrument.calendar is None or interval >= DAY:
        return True
    return now - last_at <= (patience or 0.0) * 1e9 or is_open(instrument.calendar, now)
