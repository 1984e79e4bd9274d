"""A release once more over the bars of a run, at a venue in this process, with some of what came in between and without the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from workbench.execution import PaperVenue
from workbench.execution.port import EVERYTHING, OrderEnded, VenueSaid
from workbench.execution.wire import event_from, order_from
from workbench.journal import Command, Entry, MemoryJournal
from workbench.market import Order, OrderKey
from workbench.session.checking import Recalled
from workbench.session.live import HELD, LiveSession
from workbench.session.setup import Setup
from workbench.session.tape import Tape
from workbench.session.written import Known, Written, heard_of
from workbench.sessions import close_times

__all__ = ["BUG", "GATE", "LATE", "LEVELS", "MISSED", "OVERRIDE", "VENUE", "Facts", "facts_of", "is_late", "undisturbed"]

LATE, MISSED, VENUE, GATE, OVERRIDE, BUG = "late", "missed", "venue", "gate", "override", "bug"


class Facts(NamedTuple):
    """What came in between.

    Labels of steps that were missed with why, or how late the bars came that they were decided on; what happened before
    the step of a row, from which row on an order worked, and which bars came late. Where orders were `sent`, the journal
    answers whether one of them could be taken off: by step in `withdrawn`, else in what happened. `gate`: what the gate said of
    an order, by its key. `supports`: what the venue took; the session holds in its place what it did not. `asks`: whether openings
    waited for a person's word.
    """

    steps: dict[int, str | int]
    between: dict[int, list[Entry]]
    arrivals: dict[str, int]
    late: list[Entry]
    withdrawn: dict[int, frozenset[str]]
    sent: set[str]
    gate: dict[str, Any]
    supports: frozenset[str] = EVERYTHING
    asks: bool = False

    @classmethod
    def none(cls) -> Facts:
        """Return no facts: nothing came in between."""
        return cls({}, {}, {}, [], {}, set(), {})


#: An order that the venue has never had, as far as anybody has heard.
NEVER = -1


def facts_of(written: Written, entries: Iterable[Entry], counts: Callable[[Entry], bool]) -> Facts:
    """Return the facts of a journal that count."""
    facts, row = Facts.none()._replace(late=written.late), written.first
    facts = facts._replace(asks=counts(Entry("silence", "", {})))
    if counts(written.began):
        facts = facts._replace(supports=written.supports)
    closed = heard = 0
    off: set[str] = set()
    unanswered: set[str] = set()
    for entry in entries:
        off |= _withdrawn(entry)
        if entry.kind == "event":
            unanswered.discard(_order_of(entry.body))
        elif entry.kind in ("intent", "again") and counts(entry):
            unanswered.add(str(entry.key))
        heard = max(heard, heard_of(entry))
        said = _gate_said(entry)
        if said and counts(Entry("gate", entry.key, said)):
            facts.gate.update(said)
        if entry.kind in ("step", "missed"):
            if counts(entry):
                facts.steps[int(entry.key)] = entry.body.get("why") or entry.body["late"]
            facts.withdrawn[int(entry.key)] = _withdrawn(entry)
            row, closed = row + 1, int(entry.key)
        elif entry.kind != "start" and counts(entry):
            _note(facts, entry, row, heard if heard > closed else 0, off)
    facts.arrivals.update(dict.fromkeys(unanswered, NEVER))
    return facts


def _note(facts: Facts, entry: Entry, row: int, heard: int, off: set[str]) -> None:
    """Note what counts between two steps; `heard` is the label of a bar whose fills were told before its step."""
    if entry.kind == "intent":
        facts.sent.add(str(entry.key))
    elif _accepted(entry):
        facts.arrivals[str(OrderKey(**entry.body["order"]["key"]))] = row
    elif not (_cancelled(entry) and str(OrderKey(**entry.body["key"])) in off):  # else it was confirmed when it was asked for
        if _never(entry):
            facts.arrivals[str(OrderKey(**entry.body["key"]))] = NEVER
        before = [Entry("heard", heard, {})] if heard and (entry.kind in ("command", "taken off") or _cancelled(entry)) else []
        facts.between.setdefault(row, []).extend([*before, entry])


def _order_of(event: dict[str, Any]) -> str:
    """Return the key of the order that an event tells of; nothing for a charge."""
    order = event.get("fill") or event.get("order") or event
    return str(OrderKey(**order["key"])) if "key" in order else ""


def _withdrawn(entry: Entry) -> frozenset[str]:
    return frozenset(entry.body.get("withdrawn", ())) if isinstance(entry.body, dict) else frozenset()


def _gate_said(entry: Entry) -> dict[str, Any]:
    """Return what the gate said of the orders that an entry tells of."""
    return dict(entry.body.get("gate", {}).get("said", {})) if isinstance(entry.body, dict) else {}


def is_late(entry: Entry) -> bool:
    """Whether an entry tells of bars that came late, or of where the anchor stood meanwhile."""
    return entry.kind in ("late", "anchor") or (entry.kind == "step" and "late" in entry.body)


def _missed(entry: Entry) -> bool:
    return is_late(entry) or (entry.kind == "missed" and entry.body["why"] not in HELD)


def _accepted(entry: Entry) -> bool:
    return entry.kind == "event" and entry.body["event"] == "accepted" and "parent" not in entry.body


def _never(entry: Entry) -> bool:
    return entry.kind == "event" and entry.body.get("status") in ("absent", "rejected")


def _cancelled(entry: Entry) -> bool:
    """Whether the venue says that an opening was taken off."""
    return entry.kind == "event" and entry.body.get("status") == "cancelled" and entry.body["key"]["leg"] == "open"


def _at_the_venue(entry: Entry) -> bool:
    if _missed(entry) or entry.kind in ("start", "again", "intent", "taken off"):
        return True
    return _accepted(entry) or _never(entry) or _cancelled(entry)


def _gated(entry: Entry) -> bool:
    return _at_the_venue(entry) or entry.kind == "gate"


def _ordered(entry: Entry) -> bool:
    return _gated(entry) or entry.kind in ("missed", "silence") or (entry.kind == "command" and entry.body["state"] == "applied")


#: What may cause a difference, and which entries of a journal count for it: each has those of the one before.
LEVELS: dict[str, Callable[[Entry], bool]] = {LATE: is_late, MISSED: _missed, VENUE: _at_the_venue, GATE: _gated, OVERRIDE: _ordered}


class Reached(PaperVenue):
    """A paper venue that orders reach as they did then: most at once, some a bar late, some never.

    Its market is whole, whatever the session has come to know of it. An order that was sent then is taken off where it was.
    """

    def __init__(self, facts: Facts, setup: Setup) -> None:
        costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
        super().__init__(setup.cash, costs, setup.currency, setup.rates, supports=facts.supports)
        self._arrivals, self._sent = facts.arrivals, facts.sent
        self._market, self._closes = Tape.of(setup), close_times(setup.bars)
        self._late: list[tuple[int, Order]] = []
        self.withdrawn: frozenset[str] = frozenset()

    def observe(self, tape: Any, row: int) -> None:
        """Fill what the bars of a closed step fill; it may have gone on already."""
        for passed in range(self.row + 1, row + 1):
            self._let_in(passed)
            super().observe(self._market, passed)
            self._market.advance(passed)

    def go_on(self, row: int, late: int) -> None:
        """Go on to where the market was, so late after the close of a row: the session had not heard of it yet."""
        self.observe(None, int(np.searchsorted(self._closes, self._closes[row] + late, side="right")) - 1)

    def submit(self, order: Order) -> bool:
        """Take an order when it came."""
        arrives = self._arrivals.get(str(order.key), 0)
        if arrives != NEVER and arrives <= self.row + 1:
            return super().submit(order)
        if arrives != NEVER:
            self._late.append((arrives, order))
        return False

    def cancel(self, key: OrderKey) -> bool:
        """Take an order off, unless that did not come about then: the line was cut."""
        return (str(key) not in self._sent or str(key) in self.withdrawn) and self.take_off(key)

    def take_off(self, key: OrderKey) -> bool:
        """Take an order off, also one that is still on its way."""
        due = next((pair for pair in self._late if pair[1].key == key), None)
        if due is not None:
            self._late.remove(due)
            super().submit(due[1])
        return super().cancel(key)

    def _let_in(self, row: int) -> None:
        """Take the orders that came before the bar of a row."""
        for arrives, order in self._late:
            if arrives == row:
                super().submit(order)


def undisturbed(setup: Setup, written: Written, facts: Facts, listen: Callable[[LiveSession], object]) -> LiveSession:
    """Run a release over recorded bars at a paper venue in this process, with no facts but those given."""
    venue, known = Reached(facts, setup), Known(setup, facts.late)
    session = LiveSession(known.setup, venue, MemoryJournal(), written.first)
    session.keeper = Recalled({"said": facts.gate})
    session.ask_people(facts.asks)
    session.recalls = True
    session.sleeves.name(*written.names)
    listen(session)
    for row in range(written.first, len(session.tape) + 1):
        for entry in facts.between.get(row, ()):
            venue.withdrawn = _withdrawn(entry)
            _happened(session, venue, known, entry)
        if row < len(session.tape):
            label = session.tape.label[row]
            venue.withdrawn = facts.withdrawn.get(label, frozenset())
            _step(session, venue, known, facts.steps.get(label, 0))
    return session


def _step(session: LiveSession, venue: Reached, known: Known, how: str | int) -> None:
    """Decide the next step, so late, or let it pass for the reason for which it passed then."""
    row = session.steps_done
    known.show(session.tape, row)
    if isinstance(how, str):
        session.miss(how)
    else:
        venue.go_on(row, how)
        session.decide(late=how)


def _happened(session: LiveSession, venue: Reached, known: Known, entry: Entry) -> None:
    """Let something happen between two steps, as far as it still can."""
    if entry.kind == "command":
        command = Command(*(entry.body[name] for name in Command._fields[:6]))
        session.apply(command, command.created)
    elif entry.kind == "taken off":
        session.take_off()
    elif entry.kind == "silence":
        waiting = {one.order.instrument.symbol for one in session.proposals}
        session.pass_over([symbol for symbol in entry.body["symbols"] if symbol in waiting], entry.body["at"])
    elif entry.kind == "heard":
        venue.observe(None, session.tape.row_of(int(entry.key)))
        _listen(session, venue)
    elif entry.kind == "anchor":
        known.move(entry.body["anchor"])
    elif entry.kind == "late":
        row, bars = known.come(entry)
        session.late(known.at(row), bars)
    else:
        _told(session, venue, entry)


def _told(session: LiveSession, venue: Reached, entry: Entry) -> None:
    """Let an order end that the venue never had or took off by itself, or be sent again."""
    instruments = {i.symbol: i for i in session.setup.instruments}
    if entry.kind == "again":
        session.again(order_from(entry.body["order"], instruments))
        return
    event = event_from(entry.body, instruments)
    if isinstance(event, OrderEnded) and any(order.key == event.key for order in session.working):
        if _cancelled(entry):
            venue.take_off(event.key)
            _listen(session, venue)
        else:
            session.told([VenueSaid(entry.key, event)])


def _listen(session: LiveSession, venue: Reached) -> None:
    """Have the session hear what the venue has said."""
    session.told([VenueSaid(number, event) for number, event in enumerate(venue.events())])
