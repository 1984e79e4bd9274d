"""A search for good parameters where there are too many to try them all (Optuna)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from workbench.bars import Bars
from workbench.component_display import literal
from workbench.component_values import is_numpy_scalar
from workbench.errors import ParameterError, did_you_mean
from workbench.execution.costs import Costs
from workbench.rates import Rates
from workbench.research.parallel import Outcome, Task, run_all
from workbench.research.progress import progress_bar
from workbench.research.sweep import Sweep, table_of
from workbench.research.unfinished import Unfinished
from workbench.research.validation.study import Study
from workbench.session.setup import DEFAULT_CASH, set_up
from workbench.strategy import Strategy
from workbench.team import Team

__all__ = ["search"]

#: Candidates that are asked for at once, whatever the number of workers: the answer must not depend on it.
BATCH = 16


def search(
    strategy: Strategy | Team,
    bars: Bars,
    space: Mapping[str, Any],
    *,
    trials: int = 100,
    by: str = "Sharpe",
    most: bool = True,
    seed: int = 0,
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
    """Search for the parameters that make a figure best: each candidate learns from those before it.

    The more is tried, the better the best one looks by luck: give a `study`, and judge by its deflated Sharpe ratio. A search that is
    interrupted is lost, and nobody has seen anything of it.

    Parameters
    ----------
    strategy : Strategy or Team
    bars : Bars of shape (T, N)
    space : mapping of str to tuple or list
        By name, as `Strategy.get_params` spells it: ``(5, 50)`` is every whole number of a range, ``(0.5, 5.0)`` every number,
        ``(0.001, 0.1, "log")`` the same with small ones as likely as large ones; a list holds values or whole parts to choose from.
    trials : int, default 100
    by : str, default "Sharpe"
        A figure of `Backtest.stats`. A candidate that has none, or makes no strategy, counts as the worst.
    most : bool, default True
        Whether more is better.
    seed : int, default 0
        The same seed gives the same search, on any number of workers.
    jobs, cash, costs, currency, rates, buying_power, study, resume, progress : optional
        As in `wb.sweep`. What was tried is counted also where the search is interrupted.

    Returns
    -------
    Sweep
        One row a candidate, in the order of asking. `best` takes the figure that was searched by: ``best(by, most)``.

    Raises
    ------
    ParameterError
        A space that cannot be searched, or a figure that does not exist.

    References
    ----------
    Bergstra, J., Bardenet, R., Bengio, Y. and Kegl, B. (2011). Algorithms for hyper-parameter optimization. NIPS 24.

    Examples
    --------
    >>> import workbench as wb
    >>> strategy, bars = wb.Strategy(wb.signals.MovingAverageCross()), wb.simulate(days=9, seed=1)
    >>> len(wb.search(strategy, bars, {"signal__fast": (2, 20)}, trials=3, progress=False))
    3
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise ParameterError(f"trials must be a whole number of at least 1, got {trials!r}")
    space = _plain(space)
    task = Task.of(set_up(strategy, bars, cash, costs, currency, rates, buying_power), trials, study is not None)
    asked = _Asked.of(space, most, seed)
    candidates: list[dict[str, Any]] = []
    outcomes: dict[int, Outcome] = {}
    with progress_bar(trials, "search", "backtest", progress) as bar, _counted(study, outcomes):
        while len(candidates) < trials:
            first = len(candidates)
            batch = asked.batch(min(BATCH, trials - first))
            candidates += batch
            for k, outcome in _run(task, batch, jobs, resume, bar.update):
                outcomes[first + k] = outcome
            asked.tell([_score(outcomes[k], by, most) for k in range(first, len(candidates))])
    return table_of(strategy, candidates, [outcomes[k] for k in range(trials)])


@contextmanager
def _counted(study: Study | str | Path | None, outcomes: Mapping[int, Outcome]) -> Iterator[None]:
    """Count what was tried, also where something put an end to it."""
    try:
        yield
    finally:
        if study is not None:
            counted = study if isinstance(study, Study) else Study(study)
            counted.record_many(outcome.trial for outcome in outcomes.values() if outcome.trial is not None)


def _run(
    task: Task, batch: Sequence[Mapping[str, Any]], jobs: int | None, resume: str | Path | None, progress: Callable[[int], object]
) -> Iterator[tuple[int, Outcome]]:
    """Yield the outcomes of a batch, those that a file remembers first."""
    kept = Unfinished(Path(resume), task, batch) if resume is not None else None
    known = kept.done if kept else {}
    yield from known.items()
    progress(len(known))
    left = [k for k in range(len(batch)) if k not in known]
    # closed rather than left to whoever keeps the traceback: an interrupted search is not to go on in the background
    with closing(run_all(task, [batch[k] for k in left], jobs, progress)) as found:
        for place, outcome in found:
            if kept:
                kept.add(left[place], outcome)
            yield left[place], outcome


class _Asked:
    """What Optuna is asked for, and told of it.

    Parameters
    ----------
    study : optuna.Study
    space : mapping
        As the user wrote it, numpy's numbers as Python's.
    kinds : dict
        As Optuna draws from it.
    """

    def __init__(self, study: Any, space: Mapping[str, Any], kinds: Mapping[str, Any]) -> None:
        self._study, self._space, self._kinds = study, space, kinds
        self._open: list[Any] = []

    @classmethod
    def of(cls, space: Mapping[str, Any], most: bool, seed: int) -> _Asked:
        """Return a search of a space."""
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        kinds = {name: _distribution(name, given, optuna.distributions) for name, given in space.items()}
        return cls(optuna.create_study(direction="maximize" if most else "minimize", sampler=sampler), space, kinds)

    def batch(self, count: int) -> list[dict[str, Any]]:
        """Return the next candidates."""
        self._open = [self._study.ask(self._kinds) for _ in range(count)]
        return [{name: _value(self._space[name], trial.params[name]) for name in self._space} for trial in self._open]

    def tell(self, scores: Sequence[float]) -> None:
        """Say what came of them."""
        for trial, score in zip(self._open, scores, strict=True):
            self._study.tell(trial, score)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise ParameterError("a search needs Optuna: pip install workbench[ml]") from None
    return optuna


def _score(outcome: Outcome, by: str, most: bool) -> float:
    """Return the figure of a candidate; the worst there is where it has none."""
    if outcome.figures and by not in outcome.figures:
        raise ParameterError(f"a backtest has no figure {by!r}{did_you_mean(by, outcome.figures)}")
    value = float(outcome.figures.get(by, math.nan))
    worst = -1e300 if most else 1e300
    return min(max(value, -1e300), 1e300) if value == value else worst


def _plain(space: Any) -> dict[str, Any]:
    """Return a space whose numbers are Python's own, as parameters are."""
    if not isinstance(space, Mapping) or not space:
        raise ParameterError(f"space names what to search and where, {{'signal__fast': (5, 50)}}, got {literal(space)}")
    return {name: type(given)(map(_own, given)) if type(given) in (list, tuple) else given for name, given in space.items()}


def _own(value: Any) -> Any:
    return value.item() if is_numpy_scalar(value) else value


def _distribution(name: str, given: Any, kinds: Any) -> Any:
    """Return what Optuna draws from."""
    match given:
        case [_, *_] if isinstance(given, list):
            return kinds.CategoricalDistribution(range(len(given)))
        case tuple() if any(isinstance(one, bool) or one in (math.inf, -math.inf) for one in given):
            pass  # no range: refused below
        case (int(low), int(high)) if low <= high:
            return kinds.IntDistribution(low, high)
        case (int(low), int(high), "log") if 0 < low <= high:
            return kinds.IntDistribution(low, high, log=True)
        case (int() | float() as low, int() | float() as high) if low <= high:
            return kinds.FloatDistribution(low, high)
        case (int() | float() as low, int() | float() as high, "log") if 0 < low <= high:
            return kinds.FloatDistribution(low, high, log=True)
    raise ParameterError(f"{name}: expected (lowest, highest), (lowest, highest, 'log') or a list to choose from, got {literal(given)}")


def _value(given: Any, drawn: Any) -> Any:
    return given[drawn] if isinstance(given, list) else drawn
