"""The parity report of a run: what it did, against what the same release does on the same bars when nothing gets in between.

The bars as they were received go through the release once more, first without anything else, then with the steps that
the run missed, then with what people ordered. A difference that goes away at one of these is caused by it; one that
stays is a bug, of the release or of the workbench, and says so.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from workbench.execution import PaperVenue
from workbench.journal import Command, Entry, Journal, MemoryJournal
from workbench.live.paper import PaperRun
from workbench.live.release import Release
from workbench.market import OrderKey
from workbench.research.comparing import COLUMNS, compare
from workbench.research.result import Backtest
from workbench.session.live import LiveSession
from workbench.session.record import Record
from workbench.session.recorder import Recorder
from workbench.session.recovery import bars_of, over, relived
from workbench.session.setup import Setup

__all__ = ["RunParity", "parity", "parity_of"]

#: Steps that pass undecided because somebody wanted it so.
WANTED = ("PAUSED", "HALTED")
MISSED, OVERRIDE, BUG = "missed", "override", "bug"


@dataclass(frozen=True, slots=True)
class RunParity:
    """What a run did otherwise than it would have done undisturbed, and why.

    Parameters
    ----------
    differences : DataFrame
        Columns what, time, symbol, leg, field, expected, got, cause; empty where there are none.
    orders : int
        How many orders the undisturbed release sends.
    steps, missed, commands : int
        How many steps the run saw, how many of them it missed, how many commands it applied.
    """

    differences: pd.DataFrame
    orders: int
    steps: int
    missed: int
    commands: int

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
        facts = f"{self.missed:,} steps missed, {self.commands} commands"
        if not count:
            return f"{first} ({facts})"
        causes = ", ".join(f"{cause} {number}" for cause, number in self.causes.items())
        return f"{first}, caused by: {causes} ({facts})\n{self.differences.head(10).to_string(index=False)}"

    def _repr_html_(self) -> str:
        colour = "#1f9e77" if self.differences.empty else "#e69f00" if self.explained else "#d1495b"
        table = "" if self.differences.empty else self.differences.head(50).to_html(index=False, border=0)
        line = html.escape(repr(self).splitlines()[0])
        return f"<p style='border-left:4px solid {colour};padding-left:.6rem'><b>{line}</b></p>{table}"


def parity(release: Release, journal: Journal) -> RunParity:
    """Return the parity report of all that a journal holds.

    Raises
    ------
    JournalError
        The release decides otherwise than it did: it is not the one that traded.
    """
    entries = list(journal.entries())
    began = next(entry for entry in entries if entry.kind == "start")
    bars = bars_of(journal.bars(), release.instruments, release.interval, began.body["source"])
    setup, first = over(release.setup, bars, journal), int(began.body["rows"])
    # what was told after the last step belongs to a bar that the run has not seen
    last = max((entry.number for entry in entries if entry.kind in ("step", "missed", "intent")), default=0)
    lived = _recorded(partial(relived, setup, journal, first, until=last))
    levels = {
        MISSED: [e for e in entries if e.kind in ("missed", "event", "again") and e.body.get("why") not in WANTED],
        OVERRIDE: [e for e in entries if e.kind in ("missed", "event", "again", "command")],
    }
    expected = _recorded(partial(undisturbed, setup, first, []))
    differences = compare(expected, lived, bars)
    differences["cause"] = BUG
    still = differences
    for cause, facts in levels.items():
        if len(still):
            left = compare(_recorded(partial(undisturbed, setup, first, facts)), lived, bars)
            gone = ~_named(still).isin(set(_named(left)))
            differences.loc[still.index[gone], "cause"] = cause
            still = still[~gone]
    kinds = Counter(entry.kind for entry in entries)
    return RunParity(
        differences[[*COLUMNS, "cause"]], len(expected.orders), kinds["step"] + kinds["missed"], kinds["missed"], kinds["command"]
    )


def parity_of(run: Any) -> Any:
    """Return the parity report of what a live notebook ran: a paper run's, or a replay's against the research kernel."""
    if isinstance(run, PaperRun):
        return parity(run.release, run.journal)
    return Backtest(run.session.setup, run.recorder.record()).parity()


def _named(differences: pd.DataFrame) -> pd.Series:
    """Return what each difference is about, as a text."""
    return differences[["what", "time", "symbol", "leg", "field"]].astype(str).agg("|".join, axis=1)


def _recorded(run: Callable[[Callable[[LiveSession], object]], Any]) -> Record:
    recorders: list[Recorder] = []
    run(lambda session: recorders.append(Recorder(session)))
    return recorders[0].record()


def undisturbed(setup: Setup, first: int, facts: Sequence[Entry], listen: Callable[[LiveSession], object]) -> LiveSession:
    """Run a release over recorded bars at a paper venue in this process, with no facts but those given."""
    missed = {int(entry.key): entry.body["why"] for entry in facts if entry.kind == "missed"}
    orders, lost = _by_step(facts), _lost(facts)
    costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
    session = LiveSession(setup, PaperVenue(setup.cash, costs, setup.currency, setup.rates), MemoryJournal(), first)
    listen(session)
    for row in range(first, len(session.tape)):
        label = session.tape.label[row]
        for command in orders.get(row, ()):
            session.apply(command, command.created)
        if label in missed:
            session.miss(missed[label])
        else:
            session.decide()
        for key in lost.get(label, ()):
            session.execution.cancel(key)
    return session


def _lost(facts: Iterable[Entry]) -> dict[int | str, list[OrderKey]]:
    """Return the orders that never reached the venue and were not sent again, by the label of their step."""
    again = {str(entry.key) for entry in facts if entry.kind == "again"}
    lost: dict[int | str, list[OrderKey]] = {}
    for entry in facts:
        if entry.kind == "event" and entry.body.get("status") == "absent":
            key = OrderKey(**entry.body["key"])
            if str(replace(key, attempt=key.attempt + 1)) not in again:
                lost.setdefault(key.label, []).append(replace(key, account="", deployment="", attempt=0))
    return lost


def _by_step(facts: Iterable[Entry]) -> dict[int, list[Command]]:
    """Return the commands that were applied, by the row of the step that came after them."""
    orders: dict[int, list[Command]] = {}
    for entry in facts:
        if entry.kind == "command" and entry.body["state"] == "applied":
            orders.setdefault(int(entry.body["step"]), []).append(Command(*(entry.body[name] for name in Command._fields[:6])))
    return orders
