"""Walk-forward: train on what came before, test on what came next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.research.validation.rows import Rows, first_overlap, require_folds, require_span

__all__ = ["WalkForward"]


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Folds that walk forward: each tests the bars after those it trains on.

    For scikit-learn's ``cv=``. Sizes are counted in bars - the distinct times of X - so the symbols of one time stay together.

    Parameters
    ----------
    n_splits : int, default 5
    test_size : int, optional
        Bars in each test; the bars over ``n_splits + 1`` where not given. Tests lie one after the other up to the last bar.
    train_size : int, optional
        Bars in each training set, rolling; from the first bar on (anchored) where not given.
    purge : int or Timedelta, default 0
        How much to leave out between training and test: a number of bars, or a length of time.
    ends : Series of times, optional
        When each row's label is known, indexed like X (``labels["end"]``). Training rows whose label span [bar, end] reaches into
        the test are left out as well. Without it only `purge` keeps them apart: it has to be as long as the longest label.

    Raises
    ------
    ParameterError
        A size below 1; in `split`: rows that are not in the order of time, too few bars for the folds.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(bars=60, seed=1)
    >>> labels = wb.labels.fixed_horizon(bars, horizon=3).dropna()
    >>> splitter = WalkForward(n_splits=2, test_size=10, ends=labels["end"])
    >>> [(len(train), len(test)) for train, test in splitter.split(labels)]
    [(34, 10), (44, 10)]
    """

    n_splits: int = 5
    test_size: int | None = None
    train_size: int | None = None
    purge: int | timedelta = 0
    ends: pd.Series | None = None

    def __post_init__(self) -> None:
        require_folds(self.n_splits, "n_splits", 1)
        require_span(self.purge, "purge")
        for name in ("test_size", "train_size"):
            if getattr(self, name) is not None:
                require_folds(getattr(self, name), name, 1)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the positions of training and test rows, fold by fold."""
        rows = Rows.of(X, self.ends)
        times, size = rows.times, self.test_size or len(rows.times) // (self.n_splits + 1)
        if size * self.n_splits >= len(times) or not size:
            said = f"{self.n_splits} tests of {size or 1} bars need more than {max(size, 1) * self.n_splits} bars"
            raise ParameterError(f"WalkForward: {said}, X has {len(times)} distinct times")
        for number in range(self.n_splits):
            begin = len(times) - (self.n_splits - number) * size
            test = (rows.start >= times[begin]) & (rows.start <= times[begin + size - 1])
            train = self._train(rows, begin) & (first_overlap(rows.start, rows.end, rows.start[test], rows.end[test]) < 0)
            if not train.any():
                raise ParameterError(f"WalkForward: no row is left to train on before {pd.Timestamp(times[begin])}: take fewer tests")
            yield np.flatnonzero(train), np.flatnonzero(test)

    def _train(self, rows: Rows, begin: int) -> np.ndarray:
        """Return the rows before a test that the sizes allow."""
        if isinstance(self.purge, timedelta):
            length = pd.Timedelta(self.purge).as_unit("ns").value
            allowed = rows.times[rows.times + length < rows.times[begin]]
        else:
            allowed = rows.times[: max(begin - self.purge, 0)]
        if self.train_size is not None:
            allowed = allowed[-self.train_size :]
        return (rows.start >= allowed[0]) & (rows.start <= allowed[-1]) if len(allowed) else np.zeros(len(rows.start), bool)

    def __repr__(self) -> str:
        ends = "None" if self.ends is None else f"<{len(self.ends)} ends>"
        sizes = f"test_size={self.test_size}, train_size={self.train_size}, purge={self.purge!r}"
        return f"WalkForward({self.n_splits}, {sizes}, ends={ends})"
