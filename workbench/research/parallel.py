"""Many backtests over the same bars: on the threads or processes of this machine, or on a cluster, by one call."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbench.component import varied
from workbench.component_text import parts_of
from workbench.errors import ModelError, ParameterError, StrategyError
from workbench.research.engine import COMPILE_FROM, Room, run_kernel
from workbench.research.figures import Figures
from workbench.research.parcel import Parcel, opened, packed
from workbench.research.result import Backtest
from workbench.research.running import run_session
from workbench.research.validation.trial import Trial
from workbench.session.setup import Setup

__all__ = ["Outcome", "Task", "run_all"]

#: Seconds of work that a task should hold: enough to forget what handing it over costs, little enough to see progress.
CHUNK = 0.5
#: Seconds below which it is not worth starting processes.
WORTH = 4.0
#: Candidates that run first: one that may have to compile, and one that tells how long the others take.
ALONE = 2
#: Tasks for each worker at least, so that none waits long for the last one.
SHARES = 4
#: Candidates of a task at most: what their indicators remember is let go after it.
MOST = 250
#: Seconds between two looks of Python at who may go on: threads that compute outside of it should not wait for each other.
SWITCH = 0.0005


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one candidate.

    Parameters
    ----------
    figures : dict of str to float
        Empty where the candidate was refused.
    refused : str
        Why its parts do not fit together.
    trial : Trial, optional
        For a study.
    """

    figures: dict[str, float]
    refused: str = ""
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """What all candidates share.

    Parameters
    ----------
    setup : Setup
        Of the strategy that they vary.
    with_trials : bool
        Whether each is to be recorded in a study.
    compiled : bool
        Whether the candidates are so many, or the bars, that loading the compiled kernel pays.
    """

    setup: Setup
    with_trials: bool = False
    compiled: bool = True

    @classmethod
    def of(cls, setup: Setup, candidates: int, with_trials: bool) -> Task:
        """Return the task of backtesting so many candidates."""
        return cls(setup, with_trials, len(setup.bars) * len(setup.instruments) * candidates >= COMPILE_FROM)

    def run(self, candidates: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Backtest candidates one after the other."""
        room = Room()
        base = self.setup.knowing(self.setup.market.take())  # what these candidates remember on the bars goes with them
        known = Figures(base)
        return [self._one(base, values, known, room) for values in candidates]

    def _one(self, base: Setup, values: Mapping[str, Any], known: Figures, room: Room) -> Outcome:
        try:
            strategy = varied(base.system, values)
        except (ModelError, ParameterError, StrategyError) as error:
            return Outcome({}, str(error))
        setup = base.trading(strategy)
        record = run_kernel(setup, self.compiled, room) if setup.rules.compiled else run_session(setup)
        trial = Trial.of(Backtest(setup, record)) if self.with_trials else None
        return Outcome(known.of(setup, record), trial=trial)


def run_all(
    task: Task, candidates: Sequence[Mapping[str, Any]], jobs: int | None = None, progress: Callable[[int], object] = lambda _: None
) -> Generator[tuple[int, Outcome]]:
    """Yield the number and the outcome of every candidate, as they come.

    The first two that make a strategy run here, and tell how long the rest will take: what is done in a few seconds starts no
    process. Shipped parts run on threads, others on processes. Inside ``joblib.parallel_config(backend="dask")``, or any other,
    all but these run there, on as many workers as it has.

    Parameters
    ----------
    task : Task
    candidates : sequence of mapping
    jobs : int, optional
        How many at once; as many as there are processors where not given.
    progress : callable
        Told how many more are done.
    """
    workers(jobs)  # refuses what cannot be before anything runs
    costs: list[float] = []
    first = 0
    while first < len(candidates) and len(costs) < ALONE:
        began = time.perf_counter()
        outcome = task.run(candidates[first : first + 1])[0]
        if not outcome.refused:  # what makes no strategy takes no time
            costs.append(time.perf_counter() - began)
        yield first, outcome
        first += 1
        progress(1)
    if first < len(candidates):
        for numbers, outcomes in _spread(task, candidates, range(first, len(candidates)), jobs, min(costs)):
            yield from zip(numbers, outcomes, strict=True)
            progress(len(numbers))


def workers(jobs: int | None) -> int:
    """Return how many run at once; -1 means all processors, as in joblib."""
    if jobs is None or jobs == -1:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if jobs < 1:
        raise ParameterError(f"jobs must be at least 1, or -1 for all processors, got {jobs}")
    return jobs


def _spread(
    task: Task, candidates: Sequence[Mapping[str, Any]], rest: range, jobs: int | None, cost: float
) -> Iterator[tuple[list[int], list[Outcome]]]:
    """Run the rest in tasks of a good size, here or elsewhere."""
    crew = _crew(task, len(rest) * cost, jobs)
    size = chunk_size(len(rest), crew.workers, cost)
    chunks = [list(rest[k : k + size]) for k in range(0, len(rest), size)]
    yield from _joblib(task, candidates, chunks, crew)


def chunk_size(count: int, jobs: int, cost: float) -> int:
    """Return how many candidates a task holds."""
    fair = math.ceil(count / (jobs * SHARES))
    return max(1, min(fair, MOST, math.ceil(CHUNK / cost) if cost else fair))


class Crew(NamedTuple):
    """Who does the work: how many, as joblib is told, and whether they are far away."""

    workers: int
    how: dict[str, Any]
    far: bool = False


def _crew(task: Task, work: float, jobs: int | None) -> Crew:
    """Return whom the user has chosen, or who does so many seconds of work soonest."""
    from joblib import effective_n_jobs
    from joblib.parallel import get_active_backend

    chosen = get_active_backend()[0]
    if type(chosen).__name__ != "LokyBackend":
        return Crew(effective_n_jobs(jobs), {"n_jobs": jobs}, not getattr(chosen, "supports_sharedmem", False))
    backend, count = _backend(task, work, workers(jobs)), workers(jobs)
    return Crew(count if backend != "sequential" else 1, {"n_jobs": count, "backend": backend})


def _backend(task: Task, work: float, jobs: int) -> str:
    """Return where so many seconds of work are done soonest."""
    if jobs == 1 or work < CHUNK:
        return "sequential"
    shipped = all(type(part).__module__.startswith("workbench.") for part in parts_of(task.setup.system))
    large = len(task.setup.bars) * len(task.setup.instruments) >= COMPILE_FROM
    # on many bars, shipped parts and the kernel compute outside of Python's lock
    return "threading" if (task.setup.rules.compiled and large and shipped) or work < WORTH else "loky"


def _joblib(
    task: Task, candidates: Sequence[Mapping[str, Any]], chunks: list[list[int]], crew: Crew
) -> Iterator[tuple[list[int], list[Outcome]]]:
    from joblib import Parallel, delayed

    pieces = ((numbers, [candidates[k] for k in numbers]) for numbers in chunks)
    if crew.far:
        parcel = Parcel.of(task)
        calls: Iterable[Any] = (delayed(_far)(parcel, numbers, packed(given)) for numbers, given in pieces)
    else:
        calls = (delayed(_numbered)(task, numbers, given) for numbers, given in pieces)
    with _quick_threads(crew.how.get("backend", "")), _ended(Parallel(**crew.how, return_as="generator_unordered")(calls)) as found:
        for one in found:  # noqa: UP028 - `yield from` would close it itself, and joblib would warn
            yield one


def _numbered(task: Task, numbers: list[int], candidates: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[Outcome]]:
    return numbers, task.run(candidates)


def _far(parcel: Parcel, numbers: list[int], candidates: bytes) -> tuple[list[int], list[Outcome]]:
    return _numbered(parcel.open(), numbers, opened(candidates))


@contextmanager
def _ended(found: Any) -> Iterator[Any]:
    """Take what was not asked for any more off the workers; that an interrupted user need not be told to ask for less."""
    try:
        yield found
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*adjusting the input task iterator", UserWarning)
            found.close()


@contextmanager
def _quick_threads(backend: str) -> Iterator[None]:
    """Have threads take turns often while they are many."""
    before = sys.getswitchinterval()
    if backend == "threading":
        sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
