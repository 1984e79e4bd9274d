"""Walk-forward: choose or train on what was known, trade what came next, and go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.component import clone
from workbench.component_text import models_of, parts_of
from workbench.errors import ParameterError, WorkbenchError
from workbench.execution.costs import Costs
from workbench.frames import made_once
from workbench.rates import Rates
from workbench.research.compiled import compiled_kernel
from workbench.research.engine import COMPILE_FROM, run_kernel
from workbench.research.figures import figures
from workbench.research.progress import progress_bar
from workbench.research.readable import Readable, as_html
from workbench.research.result import Backtest
from workbench.research.running import run_session
from workbench.research.statistics import Days, daily_returns
from workbench.research.sweep import sweep
from workbench.research.trips import trips
from workbench.research.validation.study import Study
from workbench.research.warmth import history_from
from workbench.session.setup import DEFAULT_CASH, require_strategy_and_bars, set_up
from workbench.signals import SignalGenerator, TrainedSignal
from workbench.strategy import Strategy

__all__ = ["WalkForwardResult", "walk_forward"]

Labels = Callable[[Bars], pd.DataFrame]


class Fold(NamedTuple):
    """Rows of one fold: trained on ``first`` up to ``begin``, tested from there up to ``end``, none included twice."""

    first: int
    begin: int
    end: int


@dataclass(frozen=True)
class WalkForwardResult:
    """What a strategy did on bars that nothing of it had seen.

    Parameters
    ----------
    strategies : list of Strategy
        Of each fold, as it was chosen or trained.
    results : list of Backtest
        Of each fold's test part. Each begins flat, with the equity that the one before ended with: what was still open there is
        valued at the last close, without the costs of closing it.
    folds : DataFrame
        One row a fold: when it was trained and tested, what was chosen, figures in and out of sample.
    """

    strategies: list[Strategy]
    results: list[Backtest]
    folds: pd.DataFrame

    @made_once
    def equity(self) -> pd.Series:
        """Equity at the close of each step of all test parts, one after the other."""
        return pd.concat([result.equity for result in self.results])

    @made_once
    def returns(self) -> pd.Series:
        """Daily returns of the test parts."""
        return daily_returns(self.equity, self.results[0].setup.cash)

    @made_once
    def stats(self) -> pd.Series:
        """The figures of `Backtest.stats`, of all test parts one after the other."""
        index, cash = self.equity.index, self.results[0].setup.cash
        found = [trips(result.setup, result.record) for result in self.results]
        profit, why = np.concatenate([each.profit for each in found]), np.concatenate([each.why for each in found])
        made = figures(self.equity.to_numpy(), Days(index.as_unit("ns").asi8), cash, profit, why)
        frame = {"start": index[0], "end": index[-1], "steps": len(index), "start equity": cash}
        parts = pd.DataFrame([result.stats for result in self.results])
        added = ("orders", "time in market %", "fees", "funding paid", "openings refused")
        more = {name: parts[name].sum(min_count=1) for name in added}  # what no part knows is not 0
        more["time in market %"] = (parts["time in market %"] * parts["steps"]).sum() / len(index)
        return pd.Series(frame | made | more, dtype=object, name="walk-forward")

    @made_once
    def trades(self) -> pd.DataFrame:
        """The round trips of all test parts, with the number of their fold."""
        return pd.concat([result.trades.assign(fold=k) for k, result in enumerate(self.results)], ignore_index=True)

    @property
    def efficiency(self) -> float:
        """Return a year out of sample over that in sample, the mean of the folds (Pardo, 2008): near 1 where little was fitted to noise."""
        both = self.folds[[f"{side} annual return %" for side in ("in-sample", "out-of-sample")]].dropna()
        inside, outside = both.mean()
        return float(outside / inside) if inside > 0 else float("nan")

    def plot(self) -> Any:
        """Return a plotly figure: the equity over all test parts, and each fold in and out of sample."""
        from workbench.research.folds import plot_folds

        return plot_folds(self)

    def _shown(self) -> pd.DataFrame:
        """Return the folds with rounded figures; parameters stay as they are."""
        return self.folds.round({name: 2 for name in self.folds if "sample " in name or name == "end equity"})

    def __repr__(self) -> str:

        first, last = self.equity.index[[0, -1]]
        head = f"walk-forward: {len(self.results)} folds, tested {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        return f"{head}, return {self.stats['return %']:+.2f} %, Sharpe {self.stats['Sharpe']:.2f}\n{Readable(self._shown())!r}"

    def _repr_html_(self) -> str:
        head = repr(self).splitlines()[0]
        return f"<p><b>{head}</b></p><div style='overflow-x:auto'>{as_html(self._shown())}</div>"


def walk_forward(
    strategy: Strategy,
    bars: Bars,
    parameters: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]] | None = None,
    *,
    labels: Labels | None = None,
    folds: int = 5,
    train: int | None = None,
    gap: int = 0,
    by: str = "Sharpe",
    most: bool = True,
    in_sample: bool = True,
    jobs: int | None = None,
    cash: float = DEFAULT_CASH,
    costs: Costs | Mapping[str, Costs] | None = None,
    currency: str | None = None,
    rates: Rates | None = None,
    buying_power: bool = True,
    study: Study | str | Path | None = None,
    progress: bool = True,
) -> WalkForwardResult:
    """Choose parameters or train models on one part of the bars, trade the next, and go on to the end.

    The model of a fold is written when it is first asked for: saved, promoted, or its card looked at (`TrainedSignal.fit`, `keep`).
    Nothing of a test part is seen before it is traded: labels are made of the training bars alone, so what they would need to know
    of later bars is missing there. A test part's inputs are computed from twice the look-back before it; from all bars before it where a
    part does not say how many it needs, or holds an opinion for good.

    Parameters
    ----------
    strategy : Strategy
    bars : Bars of shape (T, N)
    parameters : mapping of str to sequence, optional
        Tried on each training part (`wb.sweep`); the best is traded.
    labels : callable, optional
        Makes the labels of a training part: ``lambda bars: wb.labels.fixed_horizon(bars, 10)``. Every signal with a model is trained;
        a column ``weight`` beside the labels weighs the rows.
    folds : int, default 5
        The bars are cut into so many test parts and one more, which is only trained on.
    train : int, optional
        Bars of a training part that rolls on; from the first bar on where not given (anchored).
    gap : int, default 0
        Bars left out between a training part and its test.
    by, most : optional
        The figure that parameters are chosen by, and whether more of it is better.
    in_sample : bool, default True
        Also run what was trained on its own training part, to compare.
    jobs, cash, costs, currency, rates, buying_power, progress : optional
        As in `wb.sweep`.
    study : Study or path, optional
        Counts every candidate of every fold, and what each fold traded.

    Returns
    -------
    WalkForwardResult

    Raises
    ------
    ParameterError
        There is nothing to choose or train, both at once, or there are too few bars; in a training part no candidate has the figure
        that is chosen by; labels know what comes after it.

    References
    ----------
    Pardo, R. (2008). The Evaluation and Optimization of Trading Strategies, 2nd edition. Wiley.

    Examples
    --------
    >>> import workbench as wb
    >>> strategy, bars = wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=9, seed=1)
    >>> found = wb.walk_forward(strategy, bars, {"signal__fast": [5, 10]}, folds=3, progress=False)
    >>> len(found.folds)
    3
    """
    require_strategy_and_bars(strategy, bars)
    _require_one(parameters, labels)
    account: dict[str, Any] = {"costs": costs, "currency": currency, "rates": rates, "buying_power": buying_power}
    cuts = cut(len(bars), folds, train, gap, strategy.lookback)
    compiled = _many(bars, cuts, in_sample)
    counted = Study(study) if isinstance(study, str | Path) else study
    strategies, results, rows, held = [], [], [], float(cash)
    with progress_bar(len(cuts), "walk-forward", "fold", progress) as bar:
        for fold in cuts:
            known = bars.iloc[fold.first : fold.begin - gap]
            with _told_of(known):
                if parameters is not None:
                    found = sweep(strategy, known, parameters, jobs=jobs, cash=cash, **account, study=counted, progress=False)
                    chosen = cast(Strategy, found.best(by, most))  # of a strategy, a strategy
                else:
                    assert labels is not None
                    chosen = trained(strategy, known, labels_of(labels, known))
                _require_unseen(chosen, bars, fold)
            result = traded(chosen, bars, fold, held, account, compiled)
            inside = traded(chosen, bars, Fold(fold.first, fold.first, fold.begin - gap), cash, account, compiled) if in_sample else None
            rows.append(_row(fold, bars, gap, chosen, parameters, inside, result))
            strategies.append(chosen)
            results.append(result)
            held = max(float(result.record.equity[-1]), 1e-9)
            if counted is not None:  # what was traded is what the walk is judged by: by another figure it would have been another one
                counted.record(result)
            bar.update()
    return WalkForwardResult(strategies, results, pd.DataFrame(rows))


def _many(bars: Bars, cuts: Sequence[Fold], in_sample: bool) -> bool | None:
    """Return True where the compiled kernel is loaded, or all folds together are worth it, though none may be by itself."""
    rows = sum(fold.end - fold.begin + (fold.begin - fold.first) * in_sample for fold in cuts)
    return rows * len(bars.instruments) >= COMPILE_FROM or compiled_kernel.cache_info().currsize > 0 or None


def _require_one(parameters: Any, labels: Any) -> None:
    if (parameters is None) == (labels is None):
        raise ParameterError(
            "walk_forward takes parameters= to choose from or labels= to train with, one of the two; "
            f"got {'neither' if parameters is None else 'both'}"
        )
    if labels is not None:
        require_labeller(labels)


def require_labeller(labels: object) -> None:
    """Refuse labels that were made already: they were made of bars that come later."""
    if not callable(labels):
        raise ParameterError(
            "labels takes a function that makes the labels of the bars it is given, so that none knows of later ones: "
            f"lambda bars: wb.labels.fixed_horizon(bars, 10); got {type(labels).__name__}"
        )


@contextmanager
def _told_of(known: Bars) -> Iterator[None]:
    """Have an error say in which training part it came up."""
    try:
        yield
    except WorkbenchError as error:
        error.add_note(f"This happened in the training part from {known.index[0]} to {known.index[-1]}.")
        raise


def _require_unseen(chosen: Strategy, bars: Bars, fold: Fold) -> None:
    """Refuse a model that was trained on bars that it is to be tested on."""
    begin = bars.index[fold.begin]
    for model in models_of(chosen):
        last = pd.Timestamp(model.terms.last)
        if last >= begin and set(model.terms.symbols) & set(bars.symbols):
            raise ParameterError(
                f"{model!r} was trained on bars up to {last}, and would be tested on bars from {begin} on: it has seen them; "
                "walk_forward(labels=...) trains it anew for each part, or test a model that was trained on earlier bars"
            )


def cut(rows: int, folds: int, train: int | None, gap: int, lookback: int) -> list[Fold]:
    """Return the folds: test parts of the same length up to the last bar, each after what it is trained on.

    Raises
    ------
    ParameterError
        A training part would not even warm the strategy up.
    """
    for name, value in (("folds", folds), ("gap", gap), ("train", train)):
        if value is not None and not isinstance(value, (int, np.integer)):
            raise ParameterError(f"{name} must be a whole number, got {value!r}")
    if folds < 1 or gap < 0:
        raise ParameterError(f"folds must be at least 1 and gap at least 0, got folds={folds}, gap={gap}")
    size = (rows - (train + gap)) // folds if train is not None else rows // (folds + 1)
    begins = [rows - size * (folds - k) for k in range(folds)]
    cuts = [Fold(0 if train is None else begin - gap - train, begin, begin + size) for begin in begins]
    given = f"{rows:,} bars, {folds} folds, train={train}, gap={gap}"
    if size < 1:
        raise ParameterError(f"there is not a bar left for each test part, got {given}")
    if cuts[0].begin - gap - cuts[0].first <= lookback:
        raise ParameterError(f"a training part must be longer than the strategy's look-back of {lookback} bars, got {given}")
    return cuts


def labels_of(labels: Labels, bars: Bars) -> pd.DataFrame:
    """Return the labels of training bars, made of these bars alone.

    Raises
    ------
    ParameterError
        They label later bars too, without saying when each is known.
    """
    made = labels(bars)
    index = getattr(made, "index", None)
    times = index.get_level_values(0) if isinstance(index, pd.MultiIndex | pd.DatetimeIndex) else pd.DatetimeIndex([])
    # a table with the `end` of each label is cut where it is joined
    if "end" not in getattr(made, "columns", ()) and len(times) and times.max() > bars.index[-1]:
        said = f"labels was asked for training bars up to {bars.index[-1]}, and labels bars up to {times.max()}"
        raise ParameterError(f"{said}: make them of the bars that it is given, or give a table with a column end")
    return made


def trained(strategy: Strategy, bars: Bars, labels: pd.DataFrame) -> Strategy:
    """Return a strategy whose models are trained anew, those that another one listens to before it."""
    twin = clone(strategy)
    models = [part for part in parts_of(twin) if isinstance(part, SignalGenerator) and hasattr(part, "fit")]
    if not models:
        raise ParameterError(f"labels= is given, and no signal of this strategy is trained: {type(strategy.signal).__name__} has no fit()")
    for part in reversed(models):  # from the inside out: a model on top of others learns what these say
        part.fit(bars, labels, **({"keep": False} if type(part).fit is TrainedSignal.fit else {}))
    return twin


def traded(strategy: Strategy, bars: Bars, fold: Fold, cash: float, account: Mapping[str, Any], compiled: bool | None = None) -> Backtest:
    """Return what a strategy does from a row on, its inputs warmed up by the bars before; `compiled` as in `run_kernel`."""
    first = history_from(strategy, bars, fold.begin)
    setup = set_up(strategy, bars.iloc[first : fold.end], cash, **account).since(fold.begin - first)
    return Backtest(setup, run_kernel(setup, compiled) if setup.rules.compiled else run_session(setup))


def _row(fold: Fold, bars: Bars, gap: int, chosen: Strategy, parameters: Any, inside: Backtest | None, outside: Backtest) -> dict[str, Any]:
    """Return a fold as a row: its days, its parameters, its figures."""
    index, names = bars.index, ("return %", "annual return %", "Sharpe", "max drawdown %", "trades")
    values = chosen.get_params()
    grids = [parameters] if isinstance(parameters, Mapping) else list(parameters or [])
    varied = {name: values.get(name) for name in dict.fromkeys(name for grid in grids for name in grid)}
    days = {"train from": index[fold.first], "train to": index[fold.begin - gap - 1], "test from": index[fold.begin]}
    sides = {"in-sample": inside, "out-of-sample": outside}
    found = {f"{side} {n}": np.nan if result is None else result.stats[n] for side, result in sides.items() for n in names}
    return days | {"test to": index[fold.end - 1]} | varied | found | {"end equity": outside.record.equity[-1]}
