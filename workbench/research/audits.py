"""The laws as calls: causality of a part, parity of a strategy."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import CausalityError, ParameterError
from workbench.execution.costs import Costs
from workbench.exits import Exit, distance_of
from workbench.features import Feature
from workbench.rates import Rates
from workbench.research.comparing import COLUMNS, compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.session.laying import inputs_over
from workbench.session.record import Record
from workbench.session.setup import DEFAULT_CASH, Setup, set_up
from workbench.signals import HigherTimeframe, SignalGenerator
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["CausalityReport", "ParityReport", "check_causality", "check_parity", "output_of", "parts_in", "require_part", "verdict"]

#: How many steps are recomputed in the live way.
CUTS = 100


@dataclass(frozen=True, slots=True)
class CausalityReport:
    """Whether a part looked ahead.

    Parameters
    ----------
    failures : DataFrame
        Columns component, time, expected, got; one row a value that changes when later bars are taken away, the first of
        a part first.
    checked : int
        How many steps were recomputed.
    """

    failures: pd.DataFrame
    checked: int

    @property
    def passed(self) -> bool:
        """Whether nothing changed."""
        return self.failures.empty

    def require(self) -> None:
        """Raise `CausalityError` where the part looked ahead."""
        if not self.passed:
            first = self.failures.iloc[0]
            values = f"{first['expected']} with later bars and {first['got']} without them"
            raise CausalityError(f"{first['component']} looks ahead: at {first['time']} it gives {values}")

    def __repr__(self) -> str:
        if self.passed:
            return f"causality: passed, {self.checked} steps recomputed with the bars up to each of them"
        return f"causality: FAILED at {len(self.failures)} values\n{self.failures.head().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return verdict(repr(self).splitlines()[0], self.failures.head())


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Whether research and replay agree, order by order.

    Parameters
    ----------
    differences : DataFrame
        Columns what, time, symbol, leg, field, expected, got; empty where they agree to the last bit.
    orders : int
        How many orders were compared.
    recomputed : int
        How many steps were recomputed in the live way.
    engines : tuple of str
        What was compared.
    """

    differences: pd.DataFrame
    orders: int
    recomputed: int
    engines: tuple[str, str]

    def __repr__(self) -> str:
        first = f"parity: {len(self.differences)} differences in {self.orders} orders ({self.engines[0]} against {self.engines[1]})"
        if not self.orders and self.differences.empty:
            return f"{first}: there was nothing to compare, the strategy sent no order on these bars"
        return first if self.differences.empty else f"{first}\n{self.differences.head(10).to_string(index=False)}"

    def _repr_html_(self) -> str:
        return verdict(repr(self).splitlines()[0], self.differences.head(50), vacuous=not self.orders)


def verdict(line: str, faults: pd.DataFrame, vacuous: bool = False) -> str:
    """Return a line: green where nothing was found, amber where nothing was looked at, red above the table of what was found."""
    colour, table = ("#e69f00" if vacuous else "#1f9e77", "") if faults.empty else ("#d1495b", faults.to_html(index=False, border=0))
    return f"<p style='border-left:4px solid {colour};padding-left:.6rem'><b>{html.escape(line)}</b></p>{table}"


def check_causality(component: Component, bars: Bars, cuts: int = CUTS, seed: int = 0) -> CausalityReport:
    """Recompute a part with the bars up to a step, and compare with what it gives when later bars are there (law 1).

    Parameters
    ----------
    component : SignalGenerator, Exit, Feature, Strategy or Team
        A strategy is checked part by part, and so is a vote, a filter or what has features, from the inside out: it is named
        itself only where none of its parts looks ahead. Of a team each strategy is, and its name stands before the part's.
    bars : Bars
    cuts : int, default 100
        How many steps, drawn at random; the last one is always among them.
    seed : int, default 0

    Returns
    -------
    CausalityReport

    Examples
    --------
    >>> import workbench as wb
    >>> wb.check_causality(wb.signals.MovingAverageCross(), wb.simulate(days=1, seed=1)).passed
    True
    """
    require_part(component, bars, "check_causality")
    if len(bars) < 2:
        raise ParameterError(f"check_causality needs at least two bars, got {len(bars)}")
    rows = _seen_ahead(component, bars, cuts, seed)
    return CausalityReport(pd.DataFrame(rows, columns=["component", "time", "expected", "got"]), len(_steps(bars, cuts, seed)))


def require_part(component: Any, bars: Any, who: str) -> None:
    """Refuse what says nothing of bars, and what are no bars.

    Raises
    ------
    ParameterError
    """
    if isinstance(component, Bars):
        raise ParameterError(f"{who}: the part comes first, then the bars: they were given the other way round")
    if not isinstance(component, (Strategy, Team, SignalGenerator, Exit, Feature)):
        raise ParameterError(f"{who} takes a signal, an exit, a feature, a strategy or a team, got {type(component).__name__}")
    if not isinstance(bars, Bars):
        raise ParameterError(
            f"{who}: expected wb.Bars, got {type(bars).__name__}: wb.read_bars(...) or wb.Bars.from_frames(...) makes them"
        )


def _steps(bars: Bars, cuts: int, seed: int) -> np.ndarray:
    """Return the steps to recompute: the last one, and others at random, none twice."""
    others = np.random.default_rng(seed).permutation(len(bars) - 1)[: max(cuts - 1, 0)]
    return np.sort(np.append(others, len(bars) - 1))


def _seen_ahead(component: Any, bars: Bars, cuts: int, seed: int) -> list[tuple[Any, ...]]:
    """Return where a part changes without later bars: the parts in it first, and itself only where they do not."""
    if isinstance(component, Team):
        found = ((name, _seen_ahead(one, bars, cuts, seed)) for name, one in component.strategies.items())
        return [(f"{name}: {part}", *rest) for name, rows in found for part, *rest in rows]
    given = component.coarser(bars) if isinstance(component, HigherTimeframe) else bars
    inner = parts_in(component) if len(given) else []
    rows = [row for part in inner for row in _seen_ahead(part, given, cuts, seed)]
    if rows or isinstance(component, Strategy):
        return rows
    whole = output_of(component, bars)
    for t in _steps(bars, cuts, seed):
        part = output_of(component, bars.iloc[: t + 1])[-1]
        unequal = np.flatnonzero(~((part == whole[t]) | (np.isnan(part) & np.isnan(whole[t]))))
        rows += [(type(component).__name__, bars.index[t], float(whole[t][j]), float(part[j])) for j in unequal]
    return rows


def parts_in(component: Component) -> list[Component]:
    """Return the signals, exits and features that a strategy, a vote or a filter is made of, one level down."""
    values = component.get_params(deep=False).values()
    flat = [item for value in values for item in (value if isinstance(value, (list, tuple)) else [value])]
    return [item for item in flat if isinstance(item, (SignalGenerator, Exit, Feature))]


def output_of(part: SignalGenerator | Exit | Feature, bars: Bars) -> np.ndarray:
    """Return what a part makes of bars."""
    if isinstance(part, Feature):
        return part.values(bars)
    return part.stances(bars).to_numpy() if isinstance(part, SignalGenerator) else distance_of(part, bars)


def check_parity(
    strategy: Strategy | Team,
    bars: Bars,
    *,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
    cuts: int = CUTS,
) -> ParityReport:
    """Run a strategy as research and as a replayed session, and compare every order, fill, decision and the equity (law 2).

    A strategy with a part that is not compiled backtests through the Session: two runs of it are compared then.
    Besides, `cuts` random steps are recomputed in the live way, from the bars up to each step.

    Returns
    -------
    ParityReport
        Its `differences` are empty where research and replay are equal to the last bit.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.check_parity(wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=2, seed=1)).differences.empty
    True
    """
    setup = set_up(strategy, bars, cash, costs, currency, rates, buying_power)
    return compare_with_research(setup, run_session(setup), cuts)


def compare_with_replay(setup: Setup, research: Record, cuts: int = CUTS) -> ParityReport:
    """Replay what was backtested, and compare."""
    return _compared(setup, research, run_session(setup), cuts)


def compare_with_research(setup: Setup, session: Record, cuts: int = CUTS) -> ParityReport:
    """Backtest what a session traded, and compare."""
    research = run_kernel(setup) if setup.rules.compiled else run_session(setup)
    return _compared(setup, research, session, cuts)


def _compared(setup: Setup, research: Record, replay: Record, cuts: int) -> ParityReport:
    recomputed = _recomputed(setup, cuts)
    found = [frame for frame in (compare(research, replay, setup.bars), recomputed) if len(frame)]
    differences = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)
    return ParityReport(differences, len(research.orders), min(cuts, len(setup.bars)), (research.engine, replay.engine))


def _recomputed(setup: Setup, cuts: int) -> pd.DataFrame:
    """Return where a step's inputs, computed in the live way, differ from those of the whole block."""
    steps = np.random.default_rng(0).permutation(len(setup.bars))[:cuts]
    rows: list[tuple[Any, ...]] = []
    for t in sorted(int(step) for step in steps):
        live = inputs_over(setup.system, setup.market.iloc[: t + 1], newest=True)
        for name, whole, part in zip(live._fields, setup.inputs, live, strict=True):
            if whole is not None and part is not None:
                rows += _unequal(setup.bars, t, name, whole[t], part[-1])
    return pd.DataFrame(rows, columns=COLUMNS)


def _unequal(bars: Bars, t: int, name: str, whole: np.ndarray, part: np.ndarray) -> list[tuple[Any, ...]]:
    different = np.flatnonzero(~((whole == part) | (np.isnan(whole) & np.isnan(part))))
    symbols = bars.symbols if len(whole) == len(bars.symbols) else [""] * len(whole)  # what limits look back at has rows of its own
    return [("recomputed", bars.index[t], symbols[j], "", name, float(whole[j]), float(part[j])) for j in different]
