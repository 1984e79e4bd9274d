"""What a live step takes: from a closed bar that is there to the order that leaves, with a durable journal and without; and a whole day."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import workbench as wb
from benchmarks.timing import Line, agree
from workbench.journal import Entry, JournalPort, MemoryJournal
from workbench.market import Order
from workbench.research.engine import run_kernel
from workbench.session.checking import Gatekeeper
from workbench.session.gathering import bars_received
from workbench.session.history import History
from workbench.session.live import LiveSession
from workbench.session.recorder import Recorder
from workbench.session.setup import set_up

__all__ = ["Stamped", "Steps", "day", "measure", "percentile", "stepped"]

PART, OURS = "live", "workbench"
#: Bars of history, steps that are timed, and the symbols of a wide session.
HISTORY, STEPS, WIDE = 20_000, 1_500, 200
#: Milliseconds that a step may take: half of them, and one in a hundred beyond the bare commit; without a commit; and of a wide session.
MOST, BEYOND, BARE, SECOND = 5.0, 6.0, 1.0, 1_000.0
NOTE = "live: fast crossings, so that every few bars an order is sent; the history is looked at anew with each bar, as in a run"


class Stamped(wb.execution.PaperVenue):
    """A paper venue that notes when an order reached it."""

    reached = 0

    def submit(self, order: Order) -> bool:
        """Take an order, and note when."""
        self.reached = time.perf_counter_ns()
        return super().submit(order)


class Steps(NamedTuple):
    """Milliseconds: from the bar to the first order, of the steps that sent one; of all steps; and of a bare commit beside each."""

    sent: list[float]
    whole: list[float]
    commits: list[float]


def strategy() -> wb.Strategy:
    """Return the rule whose steps are timed."""
    return wb.Strategy(
        wb.signals.MovingAverageCross(3, 9), wb.sizing.RiskPercent(0.005), [wb.exits.AtrStop(14, 3.0)], [wb.risk.MaxLeverage(2)]
    )


def stepped(bars: wb.Bars, history: int, journal: JournalPort, commit: Callable[[int], object] = lambda row: None) -> Steps:
    """Feed a live session bar by bar, as a runner does, and time each step; `commit` is timed beside it."""
    venue, past = Stamped(cash=1e6), History(bars.iloc[:history])
    session = LiveSession(set_up(strategy(), past.bars, cash=1e6), venue, journal, history)
    session.keeper = Gatekeeper()
    steps = Steps([], [], [])
    for row in range(history, len(bars)):
        received, one = bars_received(bars, row, time.time_ns()), bars.iloc[row : row + 1]
        venue.reached, begun = 0, time.perf_counter_ns()
        past.add(one)
        session.append(session.setup.on(past.bars, newest=True), received)
        session.decide([row])
        ended = time.perf_counter_ns()
        commit(row)
        steps.commits.append((time.perf_counter_ns() - ended) / 1e6)
        steps.whole.append((ended - begun) / 1e6)
        if venue.reached:
            steps.sent.append((venue.reached - begun) / 1e6)
    return steps


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of all does not exceed."""
    ranked = sorted(values)
    return ranked[min(int(share * len(ranked)), len(ranked) - 1)]


def measure(history: int = HISTORY, steps: int = STEPS, wide: int = WIDE) -> tuple[list[Line], list[str]]:
    """Time a narrow session with a durable journal and without, and a wide one."""
    bars = wb.simulate(bars=history + steps, interval="1min", seed=1)
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        journal, other = wb.Journal(Path(folder) / "journal.db"), wb.Journal(Path(folder) / "bare.db")
        journal.take_over("live")
        other.take_over("bare")
        durable = stepped(bars, history, journal, lambda row: other.commit([Entry("bare", str(row), {"row": row})]))
        journal.close()
        other.close()
    memory = stepped(bars, history, MemoryJournal())
    commit = percentile(durable.commits, 0.99)
    what = f"bar to order, one symbol, {history:,} bars of history"
    lines = [
        *_two(f"{what}, durable journal", durable.sent, MOST, commit + BEYOND),
        Line(PART, "a bare commit of the same run: 50 % and 1 % beyond", OURS, statistics.median(durable.commits), commit, "ms"),
        *_two(f"{what}, without a commit", memory.sent, BARE, None),
        *_wide(wide),
    ]
    return lines, [f"live: {len(durable.sent):,} of {len(durable.whole):,} steps sent an order"]


def _two(what: str, values: Sequence[float], most: float, beyond: float | None) -> list[Line]:
    half, rare = percentile(values, 0.5), percentile(values, 0.99)
    first = Line(PART, f"{what}: half of them within", OURS, half, min(values), "ms", f"< {most:g} ms", half < most, NOTE)
    target = "" if beyond is None else f"<= {beyond:.3g} ms (a bare commit and {BEYOND:g} ms)"
    return [first, Line(PART, f"{what}: 99 % within", OURS, rare, min(values), "ms", target, None if beyond is None else rare <= beyond)]


def _wide(symbols: int) -> list[Line]:
    """Time the steps of a session with many symbols."""
    traded = [wb.Instrument(f"S{number:03d}") for number in range(symbols)]
    bars = wb.simulate(traded, bars=2_060, interval="1min", seed=2)
    steps = stepped(bars, 2_000, MemoryJournal())
    longest = max(steps.whole)
    what = f"{symbols} symbols, 1-minute bars, 2,000 of history: the longest step"
    return [Line(PART, what, OURS, longest, min(steps.whole), "ms", f"< {SECOND:,.0f} ms", longest < SECOND)]


def day(symbols: int = WIDE, hours: int = 24) -> tuple[list[Line], list[str]]:
    """Replay a day of many symbols through the session: events a second, and the memory from the first hour to the last."""
    traded = [wb.Instrument(f"S{number:03d}") for number in range(symbols)]
    setup = set_up(strategy(), wb.simulate(traded, bars=60 * hours, interval="1min", seed=3), cash=1e7)
    session = wb.Session.of(setup)
    recorder = Recorder(session)
    begun, sizes = time.perf_counter(), []
    for _ in range(hours):
        session.run(60)
        sizes.append(_resident())
    spent = time.perf_counter() - begun
    events = symbols * 60 * hours
    agree("a day, the session's equity", (session.equity,), (float(run_kernel(setup).equity[-1]),))
    grown = 100.0 * (sizes[-1] / sizes[0] - 1.0)
    what = f"a day of {symbols} symbols at 1-minute bars through the session"
    lines = [
        Line(PART, what, OURS, events / spent / 1e3, events / spent / 1e3, "k bars/s"),
        Line(PART, f"{what}: memory from hour 1 to hour {hours}", "growth", grown, grown, "%", "<= 5 %", grown <= 5.0),
    ]
    return lines, [f"live: a day of {symbols} symbols, {recorder.orders:,} orders, the kernel's equity to the last bit"]


def _resident() -> float:
    """Return the memory of this process in megabytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
