"""The parity report of a run: what it did, against what the same release does on the same bars when nothing gets in between.

The bars as they were received go through the release once more, first as if all had come in time, then with those that
came late, then with the steps that the run missed, then with the orders that reached the venue late or never, then with what
people ordered. A difference that goes away at one of these is caused by it; one that stays is a bug, of the release or of the
workbench, and says so.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd

from workbench.journal import Entry, Journal
from workbench.live.paper import PaperRun
from workbench.live.release import Release
from workbench.live.undisturbed import BUG, LATE, LEVELS, MISSED, OVERRIDE, VENUE, Facts, facts_of, is_late, undisturbed
from workbench.research.comparing import COLUMNS, compare
from workbench.research.result import Backtest
from workbench.session.record import Record
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.session.setup import Setup
from workbench.session.written import Written

__all__ = ["BUG", "LATE", "MISSED", "OVERRIDE", "VENUE", "RunParity", "parity", "parity_of"]


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


def parity(release: Release, journal: Journal) -> RunParity:
    """Return the parity report of all that a journal holds.

    Raises
    ------
    JournalError
        The run has not begun, or the release decides otherwise than it did: it is not the one that traded.
    """
    written = Written.closed(journal, release.instruments, release.interval)
    every = list(journal.entries())
    entries, applied = list(written.lived(every)), [one for one in every if one.kind == "command" and one.body["state"] == "applied"]
    setup, first = written.setup(release.setup), written.first
    lived = recorded(partial(relived, setup, entries, first, late=written.late))
    expected = recorded(partial(undisturbed, setup, written, Facts.none()))
    differences = _explained(setup, written, entries, expected, lived)
    kinds = Counter(entry.kind for entry in entries)
    steps = kinds["step"] + kinds["missed"]
    return RunParity(differences, len(expected.orders), steps, kinds["missed"], len(applied), _late_bars(entries))


def _explained(setup: Setup, written: Written, entries: Sequence[Entry], expected: Record, lived: Record) -> pd.DataFrame:
    """Return how a run differs from the undisturbed one, each difference with the cause that it goes away with.

    What is left when all that is known to have happened is allowed for is a bug, also where it shows only then: in an order
    that a command brought about, for one.
    """
    left = compare(expected, lived, written.bars)
    found: list[pd.DataFrame] = []
    still = left
    for cause, counts in LEVELS.items():
        if left.empty:
            break
        facts = facts_of(entries, written.first, counts)._replace(late=written.late)
        left = compare(recorded(partial(undisturbed, setup, written, facts)), lived, written.bars)
        gone = ~_named(still).isin(set(_named(left)))
        found.append(still[gone].assign(cause=cause))
        still = still[~gone]
    found.append(left.assign(cause=BUG))
    rows = pd.concat([some for some in found if len(some)] or found)
    return rows[[*COLUMNS, "cause"]].sort_index(kind="stable").reset_index(drop=True)


def _late_bars(entries: Iterable[Entry]) -> int:
    """Return how many bars came late: after their step, or so late that it was decided late."""
    return sum(
        len(one.body["symbols"] if one.kind == "late" else one.body["seen"]) for one in entries if is_late(one) and one.kind != "anchor"
    )


def parity_of(run: Any) -> Any:
    """Return the parity report of what a live notebook ran: a paper run's, or a replay's against the research kernel."""
    if isinstance(run, PaperRun):
        return parity(run.release, run.journal)
    return Backtest(run.setup, run.record).parity()


def _named(differences: pd.DataFrame) -> pd.Series:
    """Return what each difference is about, as a text."""
    return differences[["what", "time", "symbol", "leg", "field"]].astype(str).agg("|".join, axis=1)
