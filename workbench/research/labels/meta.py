"""Meta-labels: whether a signal's side was right, for a second model that says when to follow it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.research.labels.table import LEVELS, TIE, check_table

__all__ = ["meta_labels"]


def meta_labels(labels: pd.DataFrame, side: Any) -> pd.DataFrame:
    """Label each row by whether a primary signal's side made money over the label's span.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`). Of `triple_barrier` with two different distances, made with the same ``side=``:
        the target of a short position lies below its entry.
    side : DataFrame (time x symbol) or Series indexed by (timestamp, symbol)
        The primary signal's stance; its sign counts. Joined by timestamp and symbol: rows without a side have no opinion.

    Returns
    -------
    DataFrame
        A label table with the same rows: `label` 1 where the side made money, 0 where it did not, NaN where the side is 0 or NaN
        or the label is unknown; `ret` the return in the direction of the side, before costs, NaN where `label` is.

    Raises
    ------
    ParameterError
        A side of another form, one that names a row twice, or without a single row of the labels.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 3.6.

    Examples
    --------
    >>> import workbench as wb
    >>> bars = wb.simulate(days=1, seed=1)
    >>> labels = wb.labels.fixed_horizon(bars, horizon=5)
    >>> sorted(wb.labels.meta_labels(labels, wb.signals.MovingAverageCross().stances(bars))["label"].dropna().unique().tolist())
    [0.0, 1.0]
    """
    signs = np.sign(_stacked(side).reindex(check_table(labels, "meta_labels").index).to_numpy(dtype=float))
    if len(labels) and np.isnan(signs).all():
        raise ParameterError("meta_labels: the side has no opinion on any row of the labels; are its times UTC and its symbols the same?")
    ret = signs * labels["ret"].to_numpy(dtype=float)
    opinion = (signs != 0) & ~np.isnan(ret)
    made = {"label": np.where(opinion, (ret > TIE).astype(float), np.nan), "ret": np.where(opinion, ret, np.nan)}
    return labels.assign(**made)


def _stacked(side: Any) -> pd.Series:
    """Return the sides indexed by (timestamp, symbol)."""
    if isinstance(side, pd.DataFrame) and not isinstance(side.index, pd.MultiIndex):
        index = pd.MultiIndex.from_product([side.index, side.columns], names=LEVELS)
        side = pd.Series(side.to_numpy(dtype=float).ravel(), index)
    if isinstance(side, pd.Series) and isinstance(side.index, pd.MultiIndex):
        if not side.index.is_unique:
            raise ParameterError(f"side must have one row a bar and symbol, got two of {side.index[side.index.duplicated()][0]}")
        return side
    raise ParameterError(f"side must be a frame (time x symbol) or a Series indexed by (timestamp, symbol), got {type(side).__name__}")
