"""How a session comes back: the inputs that its journal holds, given once more in their order.

The decisions are made again, by the same code, and must be those that were written down: a release that decides
otherwise than the one that traded is noticed here, before it can send anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from workbench.errors import JournalError
from workbench.execution.port import EVERYTHING, ExecutionModule, VenueEvent, VenueSaid
from workbench.execution.wire import event_from, order_from
from workbench.instrument import Instrument
from workbench.journal import Answer, Command, Entry, MemoryJournal, ReceivedBar
from workbench.market import Account, Fill, Order, OrderKey
from workbench.session.checking import Recalled
from workbench.session.live import LiveSession
from workbench.session.setup import Setup
from workbench.session.written import Known

__all__ = ["relived"]


class Echo(ExecutionModule):
    """A venue that only says what the journal says it said."""

    def __init__(self, supports: frozenset[str] = EVERYTHING) -> None:
        self.supports = supports
        self.withdrawn: frozenset[str] = frozenset()
        self.beyond: dict[str, float | None] = {}
        self.currency = ""

    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Nothing to connect to."""

    def submit(self, order: Order) -> bool:
        """Nothing is sent: it was."""
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Say what the venue said then."""
        return str(key) in self.withdrawn

    def amend(self, key: OrderKey, price: float) -> bool:
        """Nothing is sent: it was."""
        return True

    def filled(self, key: OrderKey) -> float | None:
        """Say what the venue said then; NaN: what had been told."""
        return self.beyond.get(str(key), math.nan)

    def events(self) -> list[VenueEvent]:
        """Events are inputs of their own."""
        return []

    def open_orders(self) -> list[Order]:
        """Not asked."""
        raise NotImplementedError

    def executions(self, since: int = 0) -> list[Fill]:
        """Not asked."""
        raise NotImplementedError

    def positions(self) -> dict[str, float]:
        """Not asked."""
        raise NotImplementedError

    def account(self) -> Account:
        """Not asked."""
        raise NotImplementedError


class Sent(MemoryJournal):
    """A journal that only keeps the intents of a session that lives again, until they are compared."""

    def __init__(self) -> None:
        super().__init__()
        self.intents: dict[str, Any] = {}

    def commit(self, entries: Sequence[Entry], bars: Sequence[ReceivedBar] = (), answers: Sequence[Answer] = ()) -> None:
        """Keep intents; all else is in the journal that is lived through."""
        self.intents |= {str(entry.key): entry.body for entry in entries if entry.kind == "intent"}


def relived(
    setup: Setup,
    entries: Iterable[Entry],
    first: int,
    listen: Callable[[LiveSession], object] = lambda session: None,
    late: Iterable[Entry] = (),
    supports: frozenset[str] = EVERYTHING,
) -> LiveSession:
    """Return a session in the state that its journal leads to.

    Parameters
    ----------
    setup : Setup
        Over all bars that the journal holds (`Written.setup`).
    entries : iterable of Entry
        What to live through: all that the journal holds, or its beginning.
    first : int
        The row of the first step that the run could decide.
    listen : callable, optional
        Given the session before it lives through anything: a recorder subscribes here.
    late : iterable of Entry
        The entries of bars that came late (`Written.late`).
    supports : frozenset of str, optional
        What the venue could do (`Written.supports`).

    Raises
    ------
    JournalError
        The session decides otherwise now than it did then.
    """
    echo, sent, known = Echo(supports), Sent(), Known(setup, late)
    session = LiveSession(known.setup, echo, sent, first)
    session.keeper = keeper = Recalled()
    listen(session)
    instruments = {i.symbol: i for i in setup.instruments}
    for entry in entries:
        if entry.kind == "intent":
            _require_intent(entry, sent.intents)
        else:
            _require_none_left(sent.intents)
            _live_through(session, echo, keeper, known, entry, instruments)
    _require_none_left(sent.intents)
    session.setup = setup
    return session


def _live_through(
    session: LiveSession, echo: Echo, keeper: Recalled, known: Known, entry: Entry, instruments: dict[str, Instrument]
) -> None:
    body = entry.body
    said = body if isinstance(body, dict) else {}
    echo.withdrawn, echo.beyond = frozenset(said.get("withdrawn", ())), said.get("filled", {})
    keeper.recall(said.get("gate", {}))
    session.arrived = entry.time if entry.kind in ("step", "missed", "late") else session.arrived
    if entry.kind == "event":
        session.told([VenueSaid(entry.key, event_from(body, instruments))])
    elif entry.kind == "start":
        session.sleeves.name(body.get("account", ""), body.get("deployment", ""))
    elif entry.kind in ("step", "missed"):
        _step_again(session, known, entry)
    elif entry.kind == "anchor":
        known.move(body["anchor"])
    elif entry.kind == "late":
        row, bars = known.come(entry)
        session.late(known.at(row), bars, body["seen"])
    elif entry.kind == "again":
        session.again(order_from(body["order"], instruments))
    elif entry.kind == "doubt":
        session.doubt(body["keys"])
    elif entry.kind == "taken off":
        session.take_off()
    elif entry.kind == "silence":
        session.pass_over(body["symbols"], body["at"])
    elif entry.kind == "command":
        session.apply(Command(*(body[name] for name in Command._fields[:6])), body["answered"])


def _step_again(session: LiveSession, known: Known, entry: Entry) -> None:
    """Decide a step once more, or let it pass once more; it must come to the same equity."""
    body, row = entry.body, session.steps_done
    if row >= len(session.tape):
        raise JournalError(f"the journal goes on with the step of {_when(entry.key)}, its bars do not: they are not all there")
    known.show(session.tape, row)
    if entry.kind == "step":
        session.decide(body["seen"], body.get("late", 0))
    else:
        session.miss(body["why"], body["seen"])
    label, equity = session.tape.label[row], session.equity
    if str(label) != str(entry.key):
        raise JournalError(f"the journal goes on with the step of {_when(entry.key)}, its bars with that of {_when(label)}")
    if equity != body["equity"]:
        raise JournalError(f"the step of {_when(label)} had an equity of {body['equity']}, lived through again it has {equity}")


def _when(label: Any) -> pd.Timestamp:
    return pd.Timestamp(int(label), tz="UTC")


def _require_intent(entry: Entry, now: dict[str, Any]) -> None:
    """Require that what was sent then is what is decided again."""
    again = now.pop(str(entry.key), "not sent")
    if _without_words(again) != _without_words(entry.body):
        raise _otherwise(entry.key, entry.body, again)


def _without_words(order: Any) -> Any:
    """Return an order without its reason: that may be worded otherwise by another version, and decides nothing."""
    return {name: value for name, value in order.items() if name != "reason"} if isinstance(order, dict) else order


def _require_none_left(now: dict[str, Any]) -> None:
    """Require that nothing is decided again that was not sent then."""
    for key, body in now.items():
        raise _otherwise(key, "not sent", body)


def _otherwise(key: Any, then: Any, again: Any) -> JournalError:
    said = f"order {key}: then {then}, decided again {again}"
    return JournalError(f"{said}; this release or this workbench is not the one that traded")
