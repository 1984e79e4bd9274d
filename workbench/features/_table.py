"""Features side by side: the rows that a model learns from and predicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.features._base import Feature

__all__ = ["names", "newest", "table"]


def names(features: Sequence[Feature]) -> list[str]:
    """Return the names of the columns.

    Raises
    ------
    ParameterError
        There is no feature, or two have one name.

    Examples
    --------
    >>> from workbench.features import Returns, Rsi
    >>> names([Returns(5), Rsi()])
    ['returns_5', 'rsi_14']
    """
    found = [feature.name for feature in features]
    if not found:
        raise ParameterError("a table of features needs at least one feature, got none: features=[wb.features.Returns(5), ...]")
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise ParameterError(f"two features are called {twice[0]!r}; leave one out, or give its class another `name`")
    return found


def table(features: Sequence[Feature], bars: Bars, last: int | None = None) -> pd.DataFrame:
    """Return the features in long form: one row a bar that is there.

    Parameters
    ----------
    features : sequence of Feature
    bars : Bars of shape (T, N)
    last : int, optional
        Of so many labels, the newest; of all where not given.

    Returns
    -------
    DataFrame of shape (bars that are there, features)
        float64; index (timestamp, symbol), in the order of the labels, then of the instruments. NaN in the warm-up.

    Raises
    ------
    ParameterError
        Two features have one name, or one gave no numbers.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.features.table([wb.features.Returns(5)], wb.simulate(days=1, seed=1)).columns.tolist()
    ['returns_5']
    """
    columns = names(features)
    first = 0 if last is None else max(len(bars) - last, 0)
    rows, places = np.nonzero(bars.present[first:])
    rows += first
    cells = [feature.values(bars)[rows, places] for feature in features]
    # by places, for to find the labels among themselves again takes longer than most features
    levels, codes = [bars.index, pd.Index(bars.symbols, dtype=object)], [rows, places]
    index = pd.MultiIndex(levels, codes, names=["timestamp", "symbol"], verify_integrity=False)
    return pd.DataFrame(np.array(cells).T, index, columns, copy=False)


def newest(features: Sequence[Feature], bars: Bars) -> pd.DataFrame:
    """Return the features of the newest label only: what a live step asks for.

    Returns
    -------
    DataFrame of shape (N, features)
        Index symbol; NaN in the warm-up, and where an instrument has no bar. The numbers are those of `table`.
    """
    return pd.DataFrame(np.column_stack([feature.newest(bars) for feature in features]), bars.symbols, names(features))
