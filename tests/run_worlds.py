"""A run as its journal has it: a release, a session that is fed step by step in this process, and what is reported of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from paper_worlds import Fed
from worked import OTHER, SHARE

import workbench as wb
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit
from workbench.journal import Entry, Journal
from workbench.live.paper import PaperRun
from workbench.live.parity import RunParity, parity
from workbench.live.release import Release, promote
from workbench.market import Order
from workbench.session.gathering import bars_received
from workbench.signals import MovingAverageCross
from workbench.sizing import RiskPercent

BARS = wb.simulate([SHARE, OTHER], bars=90, interval="1h", seed=4, missing=0.05).iloc[:80]
PARTS = (MovingAverageCross(2, 5), RiskPercent(0.002), [AtrStop(5, 1.0), TakeProfit(percent=0.02)])
STRATEGY = wb.Strategy(*PARTS, execution=Limit(0.0002, 2, "cross"))
FREE = wb.execution.Costs(commission=0.0, slippage=0.0)
HISTORY = 20


class World:
    """A release, a run of it that is fed step by step, and its report."""

    def __init__(self, folder: Path, strategy: wb.Strategy = STRATEGY) -> None:
        self.release = Release.open(promote(strategy, BARS, "run", costs=FREE, folder=folder))
        self.journal = Journal(folder / "journal.db")
        self.journal.take_over("run 1")
        self.fed = Fed(strategy, BARS, HISTORY, self.journal)
        received = [bar for row in range(HISTORY) for bar in bars_received(BARS, row, 0)]
        self.journal.commit([Entry("start", "run 1", {"rows": HISTORY, "seen": HISTORY, "source": "", "anchor": 0})], received)

    def ran(self) -> PaperRun:
        """Return the run as its notebook has it at its end."""
        run = PaperRun.__new__(PaperRun)
        run.release, run.journal, run.problems = self.release, self.journal, []
        return run

    def report(self) -> RunParity:
        return parity(self.release, self.journal)

    def until(self, true: Callable[[], Any]) -> Fed:
        """Decide steps until something holds."""
        while not true():
            self.fed.step()
        return self.fed

    def held(self) -> Fed:
        """Decide steps until a position is held and nothing else is out."""
        return self.until(lambda: self.fed.line.positions() and all(o.reduce_only for o in self.fed.line.open_orders()))

    def lost(self, leg: str) -> Fed:
        """Lose the next order of a leg, and let a bar pass."""
        fed = self.fed
        fed.line.cut = lambda asked: not fed.line.lost and isinstance(asked, Order) and asked.key is not None and asked.key.leg == leg
        self.until(lambda: fed.line.lost)
        fed.step("the session was down")
        return fed
