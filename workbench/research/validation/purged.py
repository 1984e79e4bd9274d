"""Cross-validation that leaves out of training what overlaps the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.research.validation.rows import Rows, require_folds, require_span

__all__ = ["CombinatorialPurged", "PurgedKFold"]


@dataclass(frozen=True, eq=False)
class PurgedKFold:
    """K folds of bars in a row, purged, with an embargo.

    For scikit-learn's ``cv=``. A label takes the closed span [bar, end]. A training row is left out where its span meets that of
    a test row (purge), and where its bar is one of the `embargo` bars after the END OF THE LAST LABEL of the test (embargo) -
    not after the test's last bar: with labels of four bars an embargo of two counted from there would do nothing.

    The book's snippet (Lopez de Prado, Advances in Financial Machine Learning, 2018, 7.3) is looser by a bar on each side: it
    keeps a training label that ends at the first bar of the test, and its embargo begins with the bar at whose close the last
    test label is known, so that an embargo of 1 only leaves out what overlaps anyway.

    Parameters
    ----------
    n_splits : int, default 5
        Folds, as even in bars - the distinct times of X - as can be; the symbols of one time stay together.
    ends : Series of times
        When each row's label is known, indexed like X (``labels["end"]``); joined by key, so it may have more rows.
    embargo : int or Timedelta, default 0
        A number of bars of X, or a length of time.

    Raises
    ------
    ParameterError
        No ends; in `split`: rows that are not in the order of time, a row without an end, a fold with nothing to train on.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.fixed_horizon(wb.simulate(bars=23, seed=1), horizon=3).dropna()
    >>> [(len(train), len(test)) for train, test in PurgedKFold(4, ends=labels["end"], embargo=1).split(labels)]
    [(11, 5), (8, 5), (8, 5), (12, 5)]
    """

    n_splits: int = 5
    ends: pd.Series = field(kw_only=True)
    embargo: int | timedelta = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        require_folds(self.n_splits, "n_splits", 2)
        _require_ends(self.ends, "PurgedKFold")
        require_span(self.embargo, "embargo")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the positions of training and test rows, fold by fold."""
        rows = Rows.of(X, self.ends)
        group = rows.groups(self.n_splits, "PurgedKFold")
        yield from (_fold(rows, group, (number,), self.embargo, "PurgedKFold") for number in range(self.n_splits))

    def __repr__(self) -> str:
        return f"PurgedKFold({self.n_splits}, ends=<{len(self.ends)} ends>, embargo={self.embargo!r})"


@dataclass(frozen=True, eq=False)
class CombinatorialPurged:
    """Every choice of some groups of bars as the test, purged, with an embargo: many paths through the same history.

    For scikit-learn's ``cv=``; purge and embargo as in `PurgedKFold`, with an embargo after each group of a test.

    Parameters
    ----------
    n_groups : int, default 6
        Groups of bars in a row, as even as can be.
    n_test_groups : int, default 2
        Groups in each test; fewer than `n_groups`.
    ends : Series of times
        When each row's label is known, indexed like X (``labels["end"]``).
    embargo : int or Timedelta, default 0

    Raises
    ------
    ParameterError
        As `PurgedKFold`; as many test groups as groups.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 12.4.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.fixed_horizon(wb.simulate(bars=63, seed=1), horizon=3).dropna()
    >>> splitter = CombinatorialPurged(6, 2, ends=labels["end"])
    >>> splitter.get_n_splits(), splitter.n_paths
    (15, 5)
    >>> predicted = [labels["ret"].iloc[test] for _, test in splitter.split(labels)]
    >>> splitter.paths(labels, predicted).shape
    (60, 5)
    """

    n_groups: int = 6
    n_test_groups: int = 2
    ends: pd.Series = field(kw_only=True)
    embargo: int | timedelta = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        require_folds(self.n_groups, "n_groups", 2)
        require_folds(self.n_test_groups, "n_test_groups", 1)
        if self.n_test_groups >= self.n_groups:
            raise ParameterError(f"n_test_groups must be below n_groups={self.n_groups}, got {self.n_test_groups}")
        _require_ends(self.ends, "CombinatorialPurged")
        require_span(self.embargo, "embargo")

    @property
    def n_paths(self) -> int:
        """How often each group is tested: the number of full paths through the history."""
        return comb(self.n_groups - 1, self.n_test_groups - 1)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return comb(self.n_groups, self.n_test_groups)

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the positions of training and test rows, fold by fold."""
        rows = Rows.of(X, self.ends)
        group = rows.groups(self.n_groups, "CombinatorialPurged")
        yield from (_fold(rows, group, chosen, self.embargo, "CombinatorialPurged") for chosen in self._choices())

    def paths(self, X: Any, predictions: Sequence[Any]) -> pd.DataFrame:
        """Lay the predictions of all folds out as full paths: in each, every row is predicted once, by a model that did not see it.

        Parameters
        ----------
        X : DataFrame
            What was split.
        predictions : sequence of arrays
            One for each fold, in the order of `split`: a number for each of its test rows, in their order.

        Returns
        -------
        DataFrame
            One row a row of X, one column a path; the first path takes each group from the first fold that tests it, and so on.

        Raises
        ------
        ParameterError
            Another number of folds, or of rows in a fold.
        """
        group = Rows.of(X, self.ends).groups(self.n_groups, "CombinatorialPurged")
        if len(predictions) != self.get_n_splits():
            raise ParameterError(f"paths needs the predictions of all {self.get_n_splits()} folds, got {len(predictions)}")
        filled, paths = np.zeros(self.n_groups, int), np.full((len(group), self.n_paths), np.nan)
        for fold, (chosen, predicted) in enumerate(zip(self._choices(), predictions, strict=True)):
            rows = np.flatnonzero(np.isin(group, chosen))
            if len(predicted) != len(rows):
                raise ParameterError(f"paths: fold {fold} tests {len(rows)} rows, got {len(predicted)} predictions")
            paths[rows, filled[group[rows]]] = np.asarray(predicted, float)
            filled[list(chosen)] += 1
        return pd.DataFrame(paths, X.index, pd.RangeIndex(self.n_paths, name="path"))

    def _choices(self) -> Iterator[tuple[int, ...]]:
        return combinations(range(self.n_groups), self.n_test_groups)

    def __repr__(self) -> str:
        return f"CombinatorialPurged({self.n_groups}, {self.n_test_groups}, ends=<{len(self.ends)} ends>, embargo={self.embargo!r})"


def _fold(rows: Rows, group: np.ndarray, chosen: tuple[int, ...], embargo: int | timedelta, who: str) -> tuple[np.ndarray, np.ndarray]:
    test = np.isin(group, chosen)
    train = rows.purged(test, [group == number for number in chosen], embargo)
    if not train.any():
        raise ParameterError(f"{who}: no row is left to train on beside group {', '.join(map(str, chosen))}: labels or embargo too long")
    return np.flatnonzero(train), np.flatnonzero(test)


def _require_ends(ends: Any, who: str) -> None:
    if ends is None:
        raise ParameterError(f"{who} needs ends=, when each row's label is known: labels['end']")
