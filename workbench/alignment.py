"""What a part gave for some bars, as one array in the order of the bars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean

__all__ = ["aligned", "blockwise", "warm"]


def aligned(given: Any, bars: Bars, who: str, what: str) -> np.ndarray:
    """Return one number a bar and symbol, shape (T, N); a DataFrame is laid out by its labels, not by position.

    What has no labels - an array, or a table numbered from 0 - is taken as it stands.

    Parameters
    ----------
    given : DataFrame, Series or array
        Shape (T, N), or (T,) for one symbol.
    bars : Bars of shape (T, N)
    who : str
        The method that gave it.
    what : str
        What a number means.

    Raises
    ------
    ParameterError
        Other labels, another shape, or no numbers.
    """
    if given is None:
        raise ParameterError(f"{who} returned None: is a `return` missing?")
    if isinstance(given, pd.DataFrame) and len(bars.symbols) > 1 and not isinstance(given.columns, pd.RangeIndex):
        given = _in_order(given, bars.symbols, who)
    if isinstance(given, (pd.DataFrame, pd.Series)) and not isinstance(given.index, pd.RangeIndex):
        _require_labels(given.index, bars.index, who)
    try:
        values = given.to_numpy(float) if isinstance(given, (pd.DataFrame, pd.Series)) else np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"{who} must give {what}, got {_example(given)}") from None
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != bars.shape:
        raise ParameterError(f"{who} must give {what} for each bar and symbol, shape {bars.shape}, got {values.shape}")
    return values


def blockwise(bars: Bars, make: Callable[[Bars], np.ndarray]) -> np.ndarray:
    """Return what `make` gives for each block of instruments without holes (SEMANTICS 4), laid out, NaN at the holes.

    Parameters
    ----------
    bars : Bars of shape (T, N)
    make : callable
        Gives one number a bar and symbol of the block it is handed.

    Returns
    -------
    ndarray of shape (T, N)
    """
    if bars.whole:
        return make(bars)
    out = np.full(bars.shape, np.nan)
    for columns, rows, block in bars.blocks():
        if len(block):  # an instrument that has no bar yet is not asked about
            out[np.ix_(np.flatnonzero(rows), np.array(columns))] = make(block)
    return out


def warm(newest: np.ndarray, bars: Bars, lookback: int, cross_sectional: bool) -> np.ndarray:
    """Return numbers of the newest label, NaN where an instrument has no bar there, or too few for the look-back, shape (N,).

    What `blockwise` and the ports see to over all labels, for a part that says the newest one alone.
    """
    seen = len(bars) if cross_sectional or bars.whole else bars.present.sum(axis=0)
    return np.where(bars.present[-1] & (seen >= lookback), newest, np.nan)


def _in_order(given: pd.DataFrame, symbols: list[str], who: str) -> pd.DataFrame:
    """Return the columns in the order of the bars: `pivot` and the like sort them."""
    if list(given.columns) == symbols:
        return given
    for name in given.columns:
        if name not in symbols:
            raise ParameterError(f"{who} gave a column {name!r}, which is no symbol of these bars{did_you_mean(str(name), symbols)}")
    if sorted(given.columns) != sorted(symbols):
        missing = sorted(set(symbols) - set(given.columns))
        raise ParameterError(f"{who} must give one column a symbol, {', '.join(missing) or 'some'} missing or given twice")
    return given[symbols]


def _require_labels(index: pd.Index, wanted: pd.DatetimeIndex, who: str) -> None:
    if len(index) == len(wanted) and not index.equals(wanted):
        place = next((k for k, (a, b) in enumerate(zip(index, wanted, strict=True)) if a != b), 0)
        said = f"{index[place]} where {wanted[place]} was expected"
        raise ParameterError(f"{who} must keep the labels of the bars in their order, got others: {said}")


def _example(given: Any) -> str:
    values = np.asarray(given, dtype=object).ravel()
    odd = next((value for value in values if not isinstance(value, (int, float, np.number))), None)
    return repr(odd) if len(values) else repr(given)
