"""The study: every trial is counted, so that the best of them cannot flatter itself."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.errors import DataError, ParameterError
from workbench.research.result import Backtest
from workbench.research.validation.sharpe import expected_best, moments, probability
from workbench.research.validation.trial import Trial

__all__ = ["Study"]

NAMES = tuple(field.name for field in fields(Trial))


class Study:
    """A file that remembers all that was tried.

    One JSON object a line, only ever appended to; a line counts once its end is written, so a torn last line is no trial.
    Several processes may record at once.

    Parameters
    ----------
    path : str or Path
        Made when the first trial is recorded. A lock file of the same name and ``.lock`` lies beside it.

    Examples
    --------
    >>> import workbench as wb
    >>> study, bars = wb.validation.Study("study.jsonl"), wb.simulate(days=30, interval="1h", seed=1)
    >>> results = [wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(fast, 50)), bars) for fast in (5, 10, 20)]
    >>> study.record_many(results), study.record(results[0])
    (3, False)
    >>> 0 <= study.deflated(results[0]) <= 1
    True
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._known: dict[str, Trial] = {}
        self._read = 0

    def record(self, result: Backtest | Trial) -> bool:
        """Count a backtest; return whether it is new: the same strategy, bars and account again count once."""
        return self.record_many([result]) == 1

    def record_many(self, results: Iterable[Backtest | Trial]) -> int:
        """Count many backtests in one write; return how many of them were new.

        Parameters
        ----------
        results : iterable of Backtest or Trial
            A worker of a sweep may hand over `Trial.of(result)` instead of the whole result.

        Raises
        ------
        ParameterError
            What is neither.
        DataError
            A damaged file.
        """
        from filelock import FileLock

        trials = {trial.key: trial for trial in map(_trial_of, results)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            self._catch_up()
            now = datetime.now(UTC).isoformat(timespec="seconds")
            fresh = {key: replace(trial, time=now) for key, trial in trials.items() if key not in self._known}
            if fresh:
                self._append("".join(f"{json.dumps(_plain(trial))}\n" for trial in fresh.values()).encode())
                self._known |= fresh
        return len(fresh)

    @property
    def trials(self) -> pd.DataFrame:
        """Every trial in the order of recording; the columns are the fields of `Trial`."""
        self._catch_up()
        table = pd.DataFrame([asdict(trial) for trial in self._known.values()], columns=list(NAMES))
        return table.assign(time=pd.to_datetime(table["time"], utc=True))

    def effective_trials(self) -> int:
        """Return how many different outcomes there were: a parameter that changes nothing makes no new one."""
        return max(1, int(self.trials["outcome"].nunique()))

    def deflated(self, result: Any) -> float:
        """Return the deflated Sharpe ratio of a backtest, by the number of all trials and the variance of their Sharpe ratios.

        The backtest is recorded first, if it was not: what is judged was tried. Trials without a Sharpe ratio count in the number.

        Parameters
        ----------
        result : Backtest

        Returns
        -------
        float
            The probability that its true Sharpe ratio is above what the best of these trials would show by luck.

        Notes
        -----
        See `deflated_sharpe`. All trials of the file count, whatever the bars: keep one file for one question.
        """
        if not isinstance(result, Backtest):
            said = f"deflated takes the Backtest that was chosen, got {type(result).__name__}"
            walked = hasattr(result, "returns") and hasattr(result, "folds")
            raise ParameterError(f"{said}: wb.validation.probabilistic_sharpe(walked.returns) judges a walk-forward" if walked else said)
        self.record(result)
        trials = self.trials
        variance = float(trials["sharpe"].var(ddof=1))
        best = expected_best(len(trials), 0.0 if math.isnan(variance) else variance)
        return probability(moments(result), best)

    def __len__(self) -> int:
        self._catch_up()
        return len(self._known)

    def __repr__(self) -> str:
        return f"Study({str(self.path)!r})"

    def _catch_up(self) -> None:
        """Read the lines that were written since the last time, up to the last one that was written to its end."""
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._read:
            raise DataError(f"{self.path} has become shorter: a study is only ever appended to; start a new one with Study(path)")
        if size == self._read:
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            whole = file.read()
        whole = whole[: whole.rfind(b"\n") + 1]
        for trial in self._parsed(whole):
            self._known.setdefault(trial.key, trial)
        self._read += len(whole)

    def _parsed(self, text: bytes) -> Iterator[Trial]:
        for number, line in enumerate(text.splitlines(), 1):
            try:
                values = json.loads(line)
                given: dict[str, Any] = {name: math.nan if values[name] is None else values[name] for name in NAMES}
                yield Trial(**given)
            except (ValueError, KeyError, TypeError):
                where = f"{self.path}, line {number} from byte {self._read} on"
                raise DataError(f"{where}: {line[:60]!r} is no trial; the count of trials cannot be trusted") from None

    def _append(self, lines: bytes) -> None:
        """Write after the last whole line: what a dead process left of a line is overwritten. Held under the lock."""
        self.path.touch()
        with self.path.open("r+b") as file:
            file.truncate(self._read)
            file.seek(self._read)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        self._read += len(lines)


def _trial_of(result: Backtest | Trial) -> Trial:
    if isinstance(result, Trial):
        return result
    if not isinstance(result, Backtest):
        raise ParameterError(f"a study records a Backtest or a Trial, got {type(result).__name__}")
    return Trial.of(result)


def _plain(trial: Trial) -> dict[str, object]:
    """Return the fields as JSON has them: it has no NaN."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in asdict(trial).items()}
