"""The run inside the notebook: what ``notebooks/live.ipynb`` calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pandas as pd

from workbench.data import ParquetStore, ReplayAdapter
from workbench.execution import Costs, PaperVenue
from workbench.live.lean import import_less
from workbench.live.parameters import RunParameters, validated
from workbench.live.status import PAPER, Described, badge, line, moment
from workbench.session import Session
from workbench.session.events import HandlerFailed
from workbench.session.record import Record
from workbench.session.recorder import Recorder
from workbench.session.setup import Setup
from workbench.strategy import Strategy
from workbench.team import Team, load_system

__all__ = ["Run", "prepare", "steps_in_words"]

#: Seconds between two status updates: kernel messages are also what makes papermill save the notebook.
EVERY = 0.5
#: Steps between two looks at the clock.
STRIDE = 500


def prepare(**parameters: Any) -> Any:
    """Check the parameters once more, inside the kernel, and set the session up: a `Run`, or a `PaperRun`.

    Examples
    --------
    >>> prepare(strategy="runs/demo/strategy", store="runs/demo/bars", symbols=["SPX"], interval="1D")  # doctest: +SKIP
    """
    checked = validated(parameters)
    if checked.mode == "paper":
        from workbench.live.paper import PaperRun

        import_less()
        return PaperRun(checked)
    return Run(checked)


class Run(Described):
    """One run: a session, its record, and a status that a notebook shows while it goes on.

    Parameters
    ----------
    parameters : RunParameters
    """

    def __init__(self, parameters: RunParameters) -> None:
        p = parameters
        self.parameters = p
        assert p.store is not None
        self.strategy = load_system(p.strategy)
        self.bars = ParquetStore(p.store).load(p.symbols, p.interval)
        self.costs = Costs(**p.costs) if p.costs is not None else None
        venue = PaperVenue(p.cash, self.costs, p.currency, p.rates)
        self.session = Session(self.strategy, data=ReplayAdapter(self.bars), execution=venue)
        self.recorder = Recorder(self.session)
        self.problems: list[HandlerFailed] = []
        self.session.on(HandlerFailed, self.problems.append)
        self._prepared = time.time()
        self._started = time.monotonic()

    def about(self) -> dict[str, str]:
        """Return what runs, on what, and when: in UTC, and as the clock on the wall had it."""
        p, bars = self.parameters, self.bars
        return {
            "strategy": f"{_parts(self.strategy)}, from {p.strategy}",
            "symbols": ", ".join(bars.symbols),
            "interval": f"{bars.interval}: {len(bars):,} bars, {_label(bars, 0)} to {_label(bars, -1)}",
            "mode": f"{p.mode} on a paper account of {p.cash:,.2f} {self.session.setup.currency}",
            "executed": moment(self._prepared),
        }

    @property
    def equity(self) -> pd.Series:
        """Equity at each step so far, in account currency."""
        values = self.record.equity
        return pd.Series(values, self.bars.index[: len(values)], name=f"equity in {self.session.setup.currency}")

    @property
    def setup(self) -> Setup:
        """Strategy and account over the recorded bars."""
        return self.session.setup

    @property
    def record(self) -> Record:
        """Orders, fills, decisions and equity so far."""
        return self.recorder.record()

    def go(self, show: Callable[[str], None] = print, every: float = EVERY) -> Run:
        """Decide all steps, and show the status as they are decided.

        Parameters
        ----------
        show : callable
            Takes the status as HTML.
        every : float, default 0.5
            Seconds between two updates.
        """
        self._started = time.monotonic()
        show(self.status())
        shown, total = time.monotonic(), len(self.session.tape)
        while self.session.steps_done < total:
            self.session.run(STRIDE)
            if time.monotonic() - shown >= every:
                shown = time.monotonic()
                show(self.status())
        show(self.status())
        return self

    def progress(self) -> str:
        """Return how many steps were decided, in words."""
        return steps_in_words(self.session.steps_done, problems=len(self.problems))

    def status(self) -> str:
        """Return where the run stands, as a line of HTML: mode, progress, equity, orders, positions."""
        session = self.session
        done, total = session.steps_done, len(session.tape)
        cells = {
            "step": f"{done:,} of {total:,}",
            "bar": _label(self.bars, done - 1) if done else "-",
            "equity": f"{session.equity:,.2f} {session.setup.currency}",
            "orders": f"{self.recorder.orders:,}",
            "positions": ", ".join(f"{s} {q:g}" for s, q in session.execution.positions().items()) or "flat",
            "time": f"{time.monotonic() - self._started:.1f} s",
        }
        return line(cells, badge("PAPER · REPLAY", PAPER), done / total if total else 1.0)


def steps_in_words(decided: int, missed: int = 0, history: int = 0, problems: int = 0) -> str:
    """Return what became of the steps of a run.

    Examples
    --------
    >>> steps_in_words(253, 95, 500)
    '253 steps decided, 95 missed, after 500 bars of history'
    >>> steps_in_words(2_500, problems=1)
    '2,500 steps decided, 1 problem in what listens to it'
    """
    said = [f"{decided:,} step{'s' * (decided != 1)} decided"]
    said += [f"{missed:,} missed"] * bool(missed) + [f"after {history:,} bar{'s' * (history != 1)} of history"] * bool(history)
    said += [f"{problems:,} problem{'s' * (problems != 1)} in what listens to it"] * bool(problems)
    return ", ".join(said)


def _parts(system: Strategy | Team) -> str:
    """Return what a strategy is made of, or each of a team."""
    if isinstance(system, Team):
        return "; ".join(f"{name}: {_parts(one)}" for name, one in system.strategies.items())
    parts = [system.signal, system.sizer, *system.exits, *system.risk]
    return ", ".join(type(part).__name__ for part in parts)


def _label(bars: Any, row: int) -> str:
    """Return when a bar opened, without the midnight of a daily one."""
    return f"{bars.index[row]:%Y-%m-%d}" if bars.daily else f"{bars.index[row]:%Y-%m-%d %H:%M} UTC"
