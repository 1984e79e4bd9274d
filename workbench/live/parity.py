"""The parity report of a run: what it did, against what the same release does on the same bars when nothing gets in between.

The bars as they were received go through the release once more, first as if all had come in time, then with those that
came late, then with the steps that the run missed, then with the orders that reached the venue late or never, then with what
people ordered. A difference that goes away at one of these is caused by it; one that stays is a bug, of the release or of the
workbench, and says so.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from workbench.execution import PaperVenue
from workbench.execution.port import OrderEnded, VenueSaid
from workbench.execution.wire import event_from, order_from
from workbench.journal import Command, Entry, Journal, MemoryJournal
from workbench.live.paper import PaperRun
from workbench.live.release import Release
from workbench.market import Order, OrderKey
from workbench.research.comparing import COLUMNS, compare
from workbench.research.result import Backtest
from workbench.session.live import LiveSession
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.session.setup import Setup
from workbench.session.tape import Tape
from workbench.session.written import Known, Written
from workbench.sessions import close_times

__all__ = ["RunParity", "parity", "parity_of"]

#: Steps that pass undecided because somebody wanted it so.
WANTED = ("PAUSED", "HALTED")
LATE, MISSED, VENUE, OVERRIDE, BUG = "late", "missed", "venue", "override", "bug"


@dataclass(frozen=True, slots=True)
class RunParity:
    """What a run did otherwise than it would have done undisturbed, and why.

    Parameters
    ----------
    differences : DataFrame
        Columns what, time, symbol, leg, field, expected, got, cause; empty where there are none.
    orders : int
        How many orders the undisturbed release sends.
    steps, missed, commands, late : int
        How many steps the run saw, how many of them it missed, how many commands it applied, how many bars came late.
    """

    differences: pd.DataFrame
    orders: int
    steps: int
    missed: int
    commands: int
    late: int = 0

    @property
    def causes(self) -> dict[str, int]:
        """How many differences each cause has."""
        return dict(Counter(self.differences["cause"]))

    @property
    def explained(self) -> bool:
        """Whether every difference has a cause that is no bug."""
        return BUG not in self.causes

    def __repr__(self) -> str:
        count = len(self.differences)
        first = f"parity: {count} differences in {self.orders} orders over {self.steps:,} steps"
        facts = f"{self.missed:,} steps missed, {self.commands} commands" + (f", {self.late:,} late bars" if self.late else "")
        if not count:
            return f"{first} ({facts})"
        causes = ", ".join(f"{cause} {number}" for cause, number in self.causes.items())
        return f"{first}, caused by: {causes} ({facts})\n{self.differences.head(10).to_string(index=False)}"

    def _repr_html_(self) -> str:
        colour = "#1f9e77" if self.differences.empty else "#e69f00" if self.explained else "#d1495b"
        table = "" if self.differences.empty else self.differences.head(50).to_html(index=False, border=0)
        line = html.escape(repr(self).splitlines()[0])
        return f"<p style='border-left:4px solid {colour};padding-left:.6rem'><b>{line}</b></p>{table}"


class Facts(NamedTuple):
    """What came in between.

    Labels of steps that were missed with why, or how late the bars came that they were decided on; what happened before
    the step of a row, from which row on an order worked, and which bars came late.
    """

    steps: dict[int, str | int]
    between: dict[int, list[Entry]]
    arrivals: dict[str, int]
    late: list[Entry]

    @classmethod
    def none(cls) -> Facts:
        """Return no facts: nothing came in between."""
        return cls({}, {}, {}, [])


#: An order that the venue has never had.
NEVER = -1


def facts_of(entries: Iterable[Entry], first: int, counts: Callable[[Entry], bool]) -> Facts:
    """Return the facts of a journal that count."""
    facts, row = Facts.none(), first
    for entry in entries:
        if entry.kind in ("step", "missed"):
            if counts(entry):
                facts.steps[int(entry.key)] = entry.body.get("why") or entry.body["late"]
            row += 1
        elif counts(entry):
            if _accepted(entry):
                facts.arrivals[str(OrderKey(**entry.body["order"]["key"]))] = row
                continue
            if entry.kind == "event":
                facts.arrivals[str(OrderKey(**entry.body["key"]))] = NEVER
            facts.between.setdefault(row, []).append(entry)
    return facts


def _late(entry: Entry) -> bool:
    return entry.kind in ("late", "anchor") or (entry.kind == "step" and "late" in entry.body)


def _missed(entry: Entry) -> bool:
    return _late(entry) or (entry.kind == "missed" and entry.body["why"] not in WANTED)


def _accepted(entry: Entry) -> bool:
    return entry.kind == "event" and entry.body["event"] == "accepted" and "parent" not in entry.body


def _at_the_venue(entry: Entry) -> bool:
    never = entry.kind == "event" and entry.body.get("status") in ("absent", "rejected")
    return _missed(entry) or _accepted(entry) or never or entry.kind == "again"


def _ordered(entry: Entry) -> bool:
    return _at_the_venue(entry) or entry.kind == "missed" or (entry.kind == "command" and entry.body["state"] == "applied")


#: What may cause a difference, and which entries of a journal count for it: each has those of the one before.
LEVELS: dict[str, Callable[[Entry], bool]] = {LATE: _late, MISSED: _missed, VENUE: _at_the_venue, OVERRIDE: _ordered}


class Reached(PaperVenue):
    """A paper venue that orders reach as they did then: most at once, some a bar late, some never.

    Its market is whole, whatever the session has come to know of it.
    """

    def __init__(self, arrivals: Mapping[str, int], setup: Setup) -> None:
        costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
        super().__init__(setup.cash, costs, setup.currency, setup.rates)
        self._arrivals = arrivals
        self._market, self._closes = Tape.of(setup), close_times(setup.bars)
        self._late: list[tuple[int, Order]] = []

    def observe(self, tape: Any, row: int) -> None:
        """Fill what the bars of a closed step fill; it may have gone on already."""
        for passed in range(self._row + 1, row + 1):
            self._let_in(passed)
            super().observe(self._market, passed)
            self._market.advance(passed)

    def go_on(self, row: int, late: int) -> None:
        """Go on to where the market was, so late after the close of a row: the session had not heard of it yet."""
        self.observe(None, int(np.searchsorted(self._closes, self._closes[row] + late, side="right")) - 1)

    def submit(self, order: Order) -> bool:
        """Take an order when it came."""
        arrives = self._arrivals.get(str(order.key), 0)
        if arrives != NEVER and arrives <= self._row + 1:
            return super().submit(order)
        if arrives != NEVER:
            self._late.append((arrives, order))
        return False

    def cancel(self, key: OrderKey) -> bool:
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


def parity(release: Release, journal: Journal) -> RunParity:
    """Return the parity report of all that a journal holds.

    Raises
    ------
    JournalError
        The run has not begun, or the release decides otherwise than it did: it is not the one that traded.
    """
    entries = list(journal.entries())
    written = Written.of(journal, release.instruments, release.interval)
    # a run that goes on meanwhile is compared up to the last step that was read; what was told after it belongs to a bar that
    # the run has not seen
    steps = sum(entry.kind in ("step", "missed") for entry in entries)
    last = max((entry.number for entry in entries if entry.kind in ("step", "missed", "intent")), default=0)
    written = written.until(last, steps)
    setup, first = written.setup(release.setup), written.first
    lived = recorded(partial(relived, setup, [one for one in entries if one.number <= last], first, late=written.late))
    expected = recorded(partial(undisturbed, setup, written, Facts.none()))
    differences = compare(expected, lived, written.bars)
    differences["cause"] = BUG
    still = differences
    for cause, counts in LEVELS.items():
        if len(still):
            facts = facts_of(entries, first, counts)._replace(late=written.late)
            left = compare(recorded(partial(undisturbed, setup, written, facts)), lived, written.bars)
            gone = ~_named(still).isin(set(_named(left)))
            differences.loc[still.index[gone], "cause"] = cause
            still = still[~gone]
    kinds = Counter(entry.kind for entry in entries)
    return RunParity(differences[[*COLUMNS, "cause"]], len(expected.orders), steps, kinds["missed"], kinds["command"], _late_bars(entries))


def _late_bars(entries: Iterable[Entry]) -> int:
    """Return how many bars came late: after their step, or so late that it was decided late."""
    return sum(
        len(one.body["symbols"] if one.kind == "late" else one.body["seen"]) for one in entries if _late(one) and one.kind != "anchor"
    )


def parity_of(run: Any) -> Any:
    """Return the parity report of what a live notebook ran: a paper run's, or a replay's against the research kernel."""
    if isinstance(run, PaperRun):
        return parity(run.release, run.journal)
    return Backtest(run.setup, run.record).parity()


def _named(differences: pd.DataFrame) -> pd.Series:
    """Return what each difference is about, as a text."""
    return differences[["what", "time", "symbol", "leg", "field"]].astype(str).agg("|".join, axis=1)


def undisturbed(setup: Setup, written: Written, facts: Facts, listen: Callable[[LiveSession], object]) -> LiveSession:
    """Run a release over recorded bars at a paper venue in this process, with no facts but those given."""
    venue, known = Reached(facts.arrivals, setup), Known(setup, facts.late)
    session = LiveSession(known.setup, venue, MemoryJournal(), written.first)
    session.decider.account, session.decider.deployment = written.names
    listen(session)
    for row in range(written.first, len(session.tape) + 1):
        for entry in facts.between.get(row, ()):
            _happened(session, known, entry)
        if row < len(session.tape):
            _step(session, venue, known, facts.steps.get(session.tape.label[row], 0))
    return session


def _step(session: LiveSession, venue: Reached, known: Known, how: str | int) -> None:
    """Decide the next step, so late, or let it pass for the reason for which it passed then."""
    row = session.steps_done
    if known.half(row):
        session.tape.replace(known.at(row), row)
    if isinstance(how, str):
        session.miss(how)
    else:
        venue.go_on(row, how)
        session.decide(late=how)


def _happened(session: LiveSession, known: Known, entry: Entry) -> None:
    """Let something happen between two steps, as far as it still can."""
    instruments = {i.symbol: i for i in session.setup.instruments}
    if entry.kind == "command":
        command = Command(*(entry.body[name] for name in Command._fields[:6]))
        session.apply(command, command.created)
    elif entry.kind == "event":
        event = event_from(entry.body, instruments)
        if isinstance(event, OrderEnded) and any(order.key == event.key for order in session.working):
            session.told([VenueSaid(entry.key, event)])
    elif entry.kind == "again":
        session.again(order_from(entry.body, instruments))
    elif entry.kind == "anchor":
        known.move(entry.body["anchor"])
    elif entry.kind == "late":
        row, bars = known.come(entry)
        session.late(known.at(row), bars)
