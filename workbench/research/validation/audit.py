"""Tells whether a splitter lets training look into the test."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.research.validation.rows import Rows, first_overlap

__all__ = ["audit_split"]


def audit_split(splitter: Any, X: pd.DataFrame, ends: pd.Series) -> pd.DataFrame:
    """Return the training rows whose label span [bar, end] meets that of a test row.

    Parameters
    ----------
    splitter : object with `split`
        Any of scikit-learn's kind.
    X : DataFrame
        Indexed by time or (timestamp, symbol), in the order of time.
    ends : Series of times
        When each row's label is known, indexed like X (``labels["end"]``).

    Returns
    -------
    DataFrame
        One row an overlap: `fold`, `train` and `train_end`, `test` and `test_end` - the test row named is one of those that are
        met; `train` and `test` are keys of X. Empty where no training label reaches into a test.

    Raises
    ------
    ParameterError
        Rows that are not in the order of time, a row without an end.

    Examples
    --------
    >>> import workbench as wb
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> labels = wb.labels.fixed_horizon(wb.simulate(bars=63, seed=1), horizon=3).dropna()
    >>> len(audit_split(TimeSeriesSplit(5), labels, labels["end"]))
    15
    >>> len(audit_split(wb.validation.PurgedKFold(5, ends=labels["end"]), labels, labels["end"]))
    0
    """
    rows, found = Rows.of(X, ends), []
    end = pd.DatetimeIndex(rows.end, tz="UTC")
    for fold, (train, test) in enumerate(splitter.split(X)):
        met = first_overlap(rows.start[train], rows.end[train], rows.start[test], rows.end[test])
        mine, theirs = train[met >= 0], test[met[met >= 0]]
        keys = {"train": _keys(X.index[mine]), "train_end": end[mine], "test": _keys(X.index[theirs]), "test_end": end[theirs]}
        found.append(pd.DataFrame({"fold": fold} | keys, pd.RangeIndex(len(mine))))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["fold", "train", "train_end", "test", "test_end"])


def _keys(index: pd.Index) -> pd.Index:
    """Return the keys of some rows; pandas would spell out all times and symbols of X for a few of them."""
    return index.remove_unused_levels().to_flat_index() if isinstance(index, pd.MultiIndex) else index
