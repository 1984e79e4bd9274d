"""The parity report of a run: what it did, against what the same release does on the same bars when nothing gets in between.

The bars as they were received go through the release once more, first as if all had come in time, then with those that
came late, then with the steps that the run missed, then with the orders that reached the venue late or never, or could not
be taken off there, then with what the gate held back, then with what people ordered. A difference that goes away at one of
these is caused by it; one that stays, or shows only when all of them are allowed for, is a bug, of the release or of the
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
from workbench.live.differences import Differences
from workbench.live.paper import PaperRun
from workbench.live.release import Release
from workbench.live.undisturbed import BUG, GATE, LATE, LEVELS, MISSED, OVERRIDE, VENUE, Facts, facts_of, is_late, undisturbed
from workbench.research.comparing import COLUMNS, compare
from workbench.research.readable import as_html
from workbench.research.result import Backtest
from workbench.session.record import Record
from workbench.session.recorder import recorded
from workbench.session.recovery import relived
from workbench.session.setup import Setup
from workbench.session.written import Written

__all__ = ["BUG", "GATE", "LATE", "MISSED", "OVERRIDE", "VENUE", "RunParity", "parity", "parity_of"]

#: Causes in words, in the order in which they are allowed for.
CAUSES = {
    LATE: "bars that came late",
    MISSED: "steps that the run missed",
    VENUE: "what the venue had late, never, would not take, or could not take off",
    GATE: "what the gate cut or refused before it was sent",
    OVERRIDE: "what people ordered",
    BUG: "of the release or of the workbench",
}
#: Differences that a page holds.
SHOWN = 200


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
    setup : Setup
        Over all bars of the run: in its units the differences are told.
    equity : dict of str to float
        By cause, how much more equity the run had at its end for it, in account currency.
    """

    differences: pd.DataFrame
    orders: int
    steps: int
    missed: int
    commands: int
    late: int
    setup: Setup
    equity: dict[str, float]

    @property
    def causes(self) -> dict[str, int]:
        """How many differences each cause has."""
        return dict(Counter(self.differences["cause"]))

    @property
    def explained(self) -> bool:
        """Whether every difference has a cause that is no bug."""
        return BUG not in self.causes

    def by_cause(self) -> pd.DataFrame:
        """Return one line for each cause: how many differences it has, since when, the first of them, equity at the end."""
        told = Differences(self.setup, self.differences)
        present = {cause: told.of(cause) for cause in CAUSES if cause in self.causes}
        lines = [
            (f"{cause}: {CAUSES[cause]}", self.causes[cause], some.since, some.first, some.money(self.equity.get(cause, 0.0)))
            for cause, some in present.items()
        ]
        return pd.DataFrame(lines, columns=["cause", "differences", "since", "first", "equity at the end"])

    def _line(self) -> str:
        count = len(self.differences)
        first = f"parity: {count:,} difference{'s' * (count != 1)} in {self.orders} orders over {self.steps:,} steps"
        facts = f"{self.missed:,} steps missed, {self.commands} commands" + (f", {self.late:,} late bars" if self.late else "")
        causes = ", ".join(f"{cause} {self.causes[cause]:,}" for cause in CAUSES if cause in self.causes)
        return f"{first}{f', caused by: {causes}' if count else ''} ({facts})"

    def __repr__(self) -> str:
        lines = [
            f"  {cause}\n    {count:,} since {since}, the first: {first}\n    equity at the end {equity}"
            for cause, count, since, first, equity in self.by_cause().itertuples(index=False)
        ]
        return "\n".join([self._line(), *lines])

    def _repr_html_(self) -> str:
        colour = "#1f9e77" if self.differences.empty else "#e69f00" if self.explained else "#d1495b"
        line = f"<p style='border-left:4px solid {colour};padding-left:.6rem'><b>{html.escape(self._line())}</b></p>"
        if self.differences.empty:
            return line
        count = len(self.differences)
        which = f"The first {SHOWN:,} of {count:,} differences" if count > SHOWN else f"All {count:,} differences" if count > 1 else "It"
        table = as_html(Differences(self.setup, self.differences).table(SHOWN))
        wide = "<div style='overflow-x:auto'>"
        folded = f"<details><summary>{which}</summary>{wide}{table}</div></details>"
        return f"{line}{wide}{as_html(self.by_cause())}</div>{folded}"


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
    lived = recorded(partial(relived, setup, entries, first, late=written.late, supports=written.supports))
    expected = recorded(partial(undisturbed, setup, written, Facts.none()))
    differences, equity = _explained(setup, written, entries, expected, lived)
    kinds = Counter(entry.kind for entry in entries)
    steps = kinds["step"] + kinds["missed"]
    return RunParity(differences, len(expected.orders), steps, kinds["missed"], len(applied), _late_bars(entries), setup, equity)


def _explained(
    setup: Setup, written: Written, entries: Sequence[Entry], expected: Record, lived: Record
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return how a run differs from the undisturbed one, each difference with the cause that it goes away with.

    What is left when all that is known to have happened is allowed for is a bug, also where it shows only then: in an order
    that a command brought about, for one. With it comes how much equity at the end each cause made.
    """
    left = compare(expected, lived, setup.bars)
    found: list[pd.DataFrame] = []
    still, equity = left, {}
    for cause, counts in LEVELS.items():
        if left.empty:
            break
        facts, before = facts_of(written, entries, counts), expected
        expected = recorded(partial(undisturbed, setup, written, facts))
        left, equity[cause] = compare(expected, lived, setup.bars), _gained(before, expected)
        gone = ~_named(still).isin(set(_named(left)))
        found.append(still[gone].assign(cause=cause))
        still = still[~gone]
    equity[BUG] = _gained(expected, lived)
    found.append(left.assign(cause=BUG))
    rows = pd.concat([some for some in found if len(some)] or found)
    return rows[[*COLUMNS, "cause"]].sort_index(kind="stable").reset_index(drop=True), equity


def _gained(before: Record, after: Record) -> float:
    """Return how much higher the equity of a record ends."""
    return float(after.equity[-1] - before.equity[-1])


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
