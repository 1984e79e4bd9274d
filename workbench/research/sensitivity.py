"""How much of a result is left with other costs, a bar later, and with parameters a little to the side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import clone
from workbench.errors import ModelError, ParameterError, StrategyError
from workbench.execution.costs import Costs, specs_for
from workbench.rates import Rates
from workbench.research.audits import verdict
from workbench.research.engine import run_kernel
from workbench.research.figures import Figures
from workbench.research.readable import Readable, as_html
from workbench.research.running import run_session
from workbench.session.setup import DEFAULT_CASH, Setup, set_up
from workbench.strategy import Inputs, Strategy
from workbench.team import Team

__all__ = ["Sensitivity", "sensitivity"]

#: Costs as a multiple of those assumed; parameters as a share of their value.
COSTS, JITTER = (0.5, 2.0), (-0.2, -0.1, 0.1, 0.2)
SHOWN = ["return %", "Sharpe", "max drawdown %", "trades"]


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a result becomes when something is a little otherwise.

    Parameters
    ----------
    table : DataFrame
        Columns changed, to, then the figures; the first row is the strategy as it is.
    """

    table: pd.DataFrame

    @property
    def fragile(self) -> list[str]:
        """In words, what turns the gain into a loss; empty where nothing tried does, or where there was no gain."""
        base, others = self.table.iloc[0], self.table.iloc[1:]
        if not base["return %"] > 0:
            return []
        lost = others[others["return %"] <= 0]
        return [f"{row.changed} {row.to}: return {row[2]:+.2f} %" for row in lost[["changed", "to", "return %"]].itertuples(index=False)]

    @property
    def passed(self) -> bool:
        """Whether there was a gain, and it stays one with every change."""
        return bool(self.table.iloc[0]["return %"] > 0) and not self.fragile

    def __repr__(self) -> str:
        return f"{self._line()}\n{Readable(self.table.round(2))!r}"

    def _repr_html_(self) -> str:
        colour = pd.DataFrame({"what turns the gain into a loss": self.fragile})
        return f"{verdict(self._line(), colour)}<div style='overflow-x:auto'>{as_html(self.table.round(2))}</div>"

    def _line(self) -> str:
        base = self.table.iloc[0]["return %"]
        if not base > 0:
            return f"sensitivity: there is no gain to lose, the return is {base:+.2f} %"
        changes = len(self.table) - 1
        return f"sensitivity: {len(self.fragile)} of {changes} changes turn a return of {base:+.2f} % into a loss"


def sensitivity(
    strategy: Strategy | Team,
    bars: Bars,
    *,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
) -> Sensitivity:
    """Backtest with half and with twice the costs, with stances a bar late, and with each number of the strategy moved by 10 and 20 %.

    A number that makes no strategy is left out, as is one that a trained model knows: it stays what it was trained with. The table is
    no search: who takes one of its rows for the strategy has tried them all, and counts them with `wb.sweep` and a study.

    Parameters
    ----------
    strategy, bars, cash, costs, currency, rates, buying_power
        As in `wb.backtest`.

    Returns
    -------
    Sensitivity

    Examples
    --------
    >>> import workbench as wb
    >>> found = wb.sensitivity(wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=9, seed=1))
    >>> found.table["changed"].iloc[:4].tolist()
    ['nothing', 'costs', 'costs', 'delay']
    """
    base = set_up(strategy, bars, cash, costs, currency, rates, buying_power)
    known = Figures(base)
    rows = [{"changed": what, "to": to} | _figures(known, setup) for what, to, setup in _changed(base)]
    return Sensitivity(pd.DataFrame(rows)[["changed", "to", *SHOWN]])


def _figures(known: Figures, setup: Setup) -> dict[str, float]:
    return known.of(setup, run_kernel(setup) if setup.rules.compiled else run_session(setup))


def _changed(base: Setup) -> Iterator[tuple[str, str, Setup]]:
    """Yield what is changed, to what, and the set-up with it."""
    yield "nothing", "", base
    for times in COSTS:
        yield "costs", f"x {times:g}", _dearer(base, times)
    yield "delay", "1 bar", base.with_inputs(_later(base))
    for name, value in numbers(base.system).items():
        for moved in dict.fromkeys(_moved(value, share) for share in JITTER):  # of a small whole number two are one
            setup = _with(base, name, moved) if moved != value else None
            if setup is not None:
                yield name, f"{moved:g}", setup


def _dearer(base: Setup, times: float) -> Setup:
    """Return the set-up with so many times the costs."""
    costs = [one.times(times, instrument) for one, instrument in zip(base.costs, base.instruments, strict=True)]
    return base.changed(costs=costs, specs=specs_for(base.instruments, costs))


def _later(setup: Setup) -> Inputs:
    """Return the inputs as they were at the bar before, each instrument's own; limits look at what is known now."""
    given = {name: array for name, array in setup.inputs._asdict().items() if array is not None and name != "series"}
    return setup.inputs._replace(**{name: _shifted(array, setup.bars.present) for name, array in given.items()})


def _shifted(array: np.ndarray, present: np.ndarray) -> np.ndarray:
    out = np.full(array.shape, np.nan)
    for j in range(array.shape[1]):
        rows = np.flatnonzero(present[:, j])
        out[rows[1:], j] = array[rows[:-1], j]
    return out


def numbers(strategy: Strategy | Team) -> dict[str, float]:
    """Return the parameters that are numbers, of the strategy and of all its parts."""
    found = strategy.get_params()
    return {name: value for name, value in found.items() if isinstance(value, (int, float)) and not isinstance(value, bool) and value}


def _moved(value: float, share: float) -> float:
    """Return a number moved by a share of it; a whole one by whole steps, at least one."""
    if isinstance(value, int):
        step = round(value * share)
        return value + (step if step else (1 if share > 0 else -1))
    return value * (1.0 + share)


def _with(base: Setup, name: str, value: float) -> Setup | None:
    """Return the set-up with another parameter; None where that makes no strategy."""
    try:
        return base.trading(clone(base.system).set_params(**{name: value}))
    except (ParameterError, StrategyError, ModelError):  # a model says nothing of other features than it was trained with
        return None
