"""How a session comes back: the inputs that its journal holds, given once more in their order.

The decisions are made again, by the same code, and must be those that were written down: a release that decides
otherwise than the one that traded is noticed here, before it can send anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import FIELDS, Bars
from workbench.errors import JournalError
from workbench.execution.port import ExecutionModule, VenueEvent, VenueSaid
from workbench.execution.wire import event_from, order_from
from workbench.instrument import Instrument
from workbench.journal import Command, Entry, JournalPort, MemoryJournal, ReceivedBar
from workbench.market import Account, Fill, Order, OrderKey
from workbench.session.live import LiveSession
from workbench.session.setup import Setup
from workbench.strategy import Inputs

__all__ = ["bars_of", "over", "relived"]


class Echo(ExecutionModule):
    """A venue that only says what the journal says it said."""

    def __init__(self) -> None:
        self.withdrawn: frozenset[str] = frozenset()
        self.currency = ""

    def connect(self, instruments: Sequence[Instrument]) -> None:
        """Nothing to connect to."""

    def submit(self, order: Order) -> bool:
        """Nothing is sent: it was."""
        return True

    def cancel(self, key: OrderKey) -> bool:
        """Say what the venue said then."""
        return str(key) in self.withdrawn

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


def relived(
    setup: Setup,
    journal: JournalPort,
    first: int,
    listen: Callable[[LiveSession], object] = lambda session: None,
    until: int = 1 << 62,
) -> LiveSession:
    """Return a session in the state that its journal leads to.

    Parameters
    ----------
    setup : Setup
        Over all bars that the journal holds.
    journal : JournalPort
    first : int
        The row of the first step that the run could decide.
    listen : callable, optional
        Given the session before it lives through anything: a recorder subscribes here.
    until : int, optional
        The number of the last entry to live through; all of them where not given.

    Raises
    ------
    JournalError
        The session decides otherwise now than it did then.
    """
    echo, written = Echo(), MemoryJournal()
    session = LiveSession(setup, echo, written, first)
    listen(session)
    instruments = {i.symbol: i for i in setup.instruments}
    intents: dict[str, Any] = {}
    for entry in journal.entries():
        if entry.number > until:
            break
        if entry.kind == "intent":
            intents[str(entry.key)] = entry.body
        else:
            _live_through(session, echo, entry, instruments)
    _must_agree(intents, {str(entry.key): entry.body for entry in written.entries("intent")})
    return session


def _live_through(session: LiveSession, echo: Echo, entry: Entry, instruments: dict[str, Instrument]) -> None:
    body = entry.body
    echo.withdrawn = frozenset(body.get("withdrawn", ())) if isinstance(body, dict) else frozenset()
    if entry.kind == "event":
        session.told([VenueSaid(entry.key, event_from(body, instruments))])
    elif entry.kind == "start":
        session.decider.account, session.decider.deployment = body.get("account", ""), body.get("deployment", "")
    elif entry.kind == "step":
        session.decide(body["seen"])
        _require_equity(session, entry)
    elif entry.kind == "missed":
        session.miss(body["why"], body["seen"])
        _require_equity(session, entry)
    elif entry.kind == "again":
        session.again(order_from(body, instruments))
    elif entry.kind == "taken off":
        session.take_off()
    elif entry.kind == "command":
        session.apply(Command(*(body[name] for name in Command._fields[:6])), body["answered"])


def _require_equity(session: LiveSession, entry: Entry) -> None:
    label, equity = session.tape.label[session.steps_done - 1], session.equity
    when = pd.Timestamp(int(entry.key), tz="UTC")
    if str(label) != str(entry.key):
        raise JournalError(f"the journal goes on with the step of {when}, its bars with that of {pd.Timestamp(label, tz='UTC')}")
    if equity != entry.body["equity"]:
        raise JournalError(f"the step of {when} had an equity of {entry.body['equity']}, lived through again it has {equity}")


def _must_agree(then: dict[str, Any], now: dict[str, Any]) -> None:
    for key in [*then, *now]:
        if then.get(key) != now.get(key):
            raise JournalError(
                f"order {key}: then {then.get(key, 'not sent')}, decided again {now.get(key, 'not sent')}; "
                "this release or this workbench is not the one that traded"
            )


def over(setting: Callable[[Bars], Setup], bars: Bars, journal: JournalPort) -> Setup:
    """Return the setup over all bars, its inputs computed from the anchors that the run had (SEMANTICS 7)."""
    setup = setting(bars)
    moved = [(int(entry.key), entry.body["anchor"]) for entry in journal.entries("anchor")]
    if not moved:
        return setup
    whole = Inputs(*(None if array is None else array.copy() for array in setup.inputs))  # type: ignore[arg-type]
    ends = [*(label for label, _ in moved[1:]), int(bars.labels[-1]) + 1]
    for (label, anchor), end in zip(moved, ends, strict=True):
        first, begin, last = np.searchsorted(bars.labels, [anchor, label, end])
        part = setup.strategy.inputs(bars.iloc[first:last])
        for mine, theirs in zip(whole, part, strict=True):
            if mine is not None and theirs is not None:
                mine[begin:last] = theirs[begin - first :]
    return replace(setup, inputs=whole)


def bars_of(received: Iterable[ReceivedBar], instruments: Sequence[Instrument], interval: str, source: str) -> Bars:
    """Return bars as they were received; of one received twice the last."""
    column = {instrument.symbol: j for j, instrument in enumerate(instruments)}
    rows: dict[int, np.ndarray] = {}
    for bar in received:
        if bar.label not in rows:
            rows[bar.label] = np.full((len(FIELDS), len(instruments)), math.nan)
        rows[bar.label][:, column[bar.symbol]] = [getattr(bar, name) for name in FIELDS]
    labels = sorted(rows)
    cube = np.stack([rows[label] for label in labels], axis=1) if labels else np.empty((len(FIELDS), 0, len(instruments)))
    index = pd.DatetimeIndex(np.array(labels, dtype="datetime64[ns]"), name="timestamp").tz_localize("UTC")
    return Bars(index, instruments, interval, dict(zip(FIELDS, cube, strict=True)), source)
