"""A strategy over every combination of parameters and parts, counted in a study, and shown as a table and a map."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import clone, varied
from workbench.component_display import literal
from workbench.errors import ParameterError, did_you_mean
from workbench.execution.costs import Costs
from workbench.rates import Rates
from workbench.research.parallel import Outcome, Task, run_all
from workbench.research.unfinished import Unfinished
from workbench.research.validation.study import Study
from workbench.session.setup import DEFAULT_CASH, set_up
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["Sweep", "combinations", "sweep"]

Grid = Mapping[str, Sequence[Any]]


class Sweep(pd.DataFrame):  # type: ignore[misc]  # pandas is Any here
    """What came of each candidate: its parameters, then its figures; a DataFrame that knows its strategies.

    A slice of it, or what is computed from it, is a plain DataFrame.
    """

    _metadata = ("base", "candidates", "parameters", "refused")

    base: Strategy | Team
    candidates: list[dict[str, Any]]
    #: The columns that were varied.
    parameters: list[str]
    #: The combinations that made no strategy, each with the reason.
    refused: pd.DataFrame

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def strategy(self, row: int) -> Strategy | Team:
        """Return the strategy of a row, by its label in the index."""
        if row not in self.index:
            said = "made no strategy" if row in self.refused.index else f"is none of the {len(self.candidates)}"
            raise ParameterError(f"candidate {row!r} {said}: the index names those that were tried")
        return clone(varied(self.base, self.candidates[row]))

    def best(self, by: str = "Sharpe", most: bool = True) -> Strategy | Team:
        """Return the strategy with the highest value of a column, or the lowest; what it shows is what the best of so many shows."""
        _require(by, self.columns)
        known = self[by].dropna()
        if known.empty:
            raise ParameterError(f"no candidate has a {by}: nothing was traded, or the bars are too few for it")
        return self.strategy(int(known.idxmax() if most else known.idxmin()))

    def heat_map(self, value: str = "Sharpe", x: str | None = None, y: str | None = None) -> Any:
        """Return a plotly figure of a column over two parameters; the best over all others in each cell.

        Parameters
        ----------
        value : str, default "Sharpe"
        x, y : str, optional
            The first two parameters that vary where not given.
        """
        from workbench.research.surface import heat_map

        varied = [name for name in self.parameters if self[name].nunique() > 1] or self.parameters
        x, y = x or varied[0], y or next((name for name in varied if name != (x or varied[0])), varied[0])
        for name in (value, x, y):
            _require(name, self.columns)
        return heat_map(self, value, x, y)


def _require(name: str, columns: Sequence[str]) -> None:
    if name not in columns:
        raise ParameterError(f"this sweep has no column {name!r}{did_you_mean(name, columns)}")


def sweep(
    strategy: Strategy | Team,
    bars: Bars,
    parameters: Grid | Sequence[Grid],
    *,
    jobs: int | None = None,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
    study: Study | str | Path | None = None,
    resume: str | Path | None = None,
    progress: bool = True,
) -> Sweep:
    """Backtest a strategy with every combination of parameters.

    Parameters
    ----------
    strategy : Strategy or Team
    bars : Bars of shape (T, N)
    parameters : mapping of str to sequence, or a sequence of such
        Values by name, as `Strategy.get_params` spells it: ``{"signal__fast": [5, 10], "sizer": [FixedFraction(), RiskPercent()]}``.
        Of several mappings the combinations follow each other.
    jobs : int, optional
        How many at once; as many as there are processors where not given. Inside ``joblib.parallel_config(backend="dask")`` the
        same call runs on a Dask cluster.
    cash, costs, currency, rates, buying_power : optional
        As in `wb.backtest`.
    study : Study or path, optional
        Counts every candidate, so that the deflated Sharpe ratio of the best one cannot be flattered.
    resume : path, optional
        A file that keeps what is done; the same call again goes on where it was interrupted.
    progress : bool, default True
        Show a bar.

    Returns
    -------
    Sweep
        One row for each combination that made a strategy, in their order: parameters (parts as text), then the figures of
        `Backtest.stats`; NaN where there is nothing to say. `refused` holds the others.

    Raises
    ------
    ParameterError
        A parameter that the strategy does not have, or no combination that makes a strategy.

    Examples
    --------
    >>> import workbench as wb
    >>> strategy, bars = wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=9, seed=1)
    >>> found = wb.sweep(strategy, bars, {"signal__fast": [5, 10]}, progress=False)
    >>> found["signal__fast"].tolist()
    [5, 10]
    """
    candidates = combinations(parameters)
    task = Task.of(set_up(strategy, bars, cash, costs, currency, rates, buying_power), len(candidates), study is not None)
    outcomes = finished(task, candidates, jobs, resume, progress)
    if study is not None:
        counted = study if isinstance(study, Study) else Study(study)
        counted.record_many(outcome.trial for outcome in outcomes if outcome.trial is not None)
    return table_of(strategy, candidates, outcomes)


def combinations(parameters: Grid | Sequence[Grid]) -> list[dict[str, Any]]:
    """Return every combination of the values, the last parameter turning fastest."""
    grids: list[Grid] = list(parameters) if isinstance(parameters, (list, tuple)) else [parameters]  # type: ignore[list-item]
    for grid in grids:
        if not isinstance(grid, Mapping):
            raise ParameterError(f"parameters are values to try by name, {{'signal__fast': [5, 10]}}, got {grid!r}")
        for name, values in grid.items():
            if isinstance(values, str) or not hasattr(values, "__len__"):
                raise ParameterError(f"{name} takes a list of values to try, got {values!r}")
            if not len(values):
                raise ParameterError(f"{name} has no value to try")
    return [dict(zip(grid, _plain(values), strict=True)) for grid in grids for values in itertools.product(*grid.values())]


def _plain(values: Sequence[Any]) -> Iterator[Any]:
    """Yield numbers as Python has them: those of numpy's ranges are no ints to a parameter."""
    return (value.item() if isinstance(value, np.generic) else value for value in values)


def finished(task: Task, candidates: Sequence[Mapping[str, Any]], jobs: int | None, resume: Any, progress: bool) -> list[Outcome]:
    """Return the outcomes of all candidates, those that a file remembers among them."""
    from tqdm.auto import tqdm

    kept = Unfinished(Path(resume), task, candidates) if resume is not None else None
    done = dict(kept.done) if kept else {}
    left = [number for number in range(len(candidates)) if number not in done]
    with tqdm(total=len(candidates), initial=len(done), desc="sweep", unit="backtest", disable=not progress) as bar:
        for place, outcome in run_all(task, [candidates[number] for number in left], jobs, bar.update):
            done[left[place]] = outcome
            if kept:
                kept.add(left[place], outcome)
    return [done[number] for number in range(len(candidates))]


def table_of(strategy: Strategy | Team, candidates: list[dict[str, Any]], outcomes: Sequence[Outcome]) -> Sweep:
    """Return the outcomes as a table; refused where none of them made a strategy."""
    refused = {k: outcome.refused for k, outcome in enumerate(outcomes) if outcome.refused}
    if len(refused) == len(candidates):
        raise ParameterError(f"no combination makes a strategy; the first: {next(iter(refused.values()), 'there is none')}")
    names = list(dict.fromkeys(name for values in candidates for name in values))
    shown = {k: {name: _shown(values.get(name)) for name in names} for k, values in enumerate(candidates)}
    rows = {k: shown[k] | outcome.figures for k, outcome in enumerate(outcomes) if not outcome.refused}
    table = Sweep(list(rows.values()), index=pd.Index(rows, name="candidate"))
    table.base, table.candidates, table.parameters = strategy, candidates, names
    reasons = [shown[k] | {"reason": why} for k, why in refused.items()]
    table.refused = pd.DataFrame(reasons, index=list(refused), columns=[*names, "reason"])
    return table


def _shown(value: Any) -> Any:
    """Return a value as the table has it: parts as text."""
    return value if isinstance(value, (int, float, str, bool, type(None))) else literal(value)
