"""Weights of labels that overlap: the more labels share a bar, the less each of them says."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError, did_you_mean
from workbench.research.labels.table import LABELLED, LEVELS, check_table, index_at, require_bars

__all__ = ["Spans", "concurrency", "mean_over", "spans_of", "uniqueness", "uniqueness_weights"]


class Spans(NamedTuple):
    """Known labels as closed spans [first, last] on one line of bars, on which instrument follows instrument.

    Parameters
    ----------
    bars : MultiIndex (timestamp, symbol)
        The line.
    first, last : ndarray of int
        Positions on it, one of each for a known label.
    known : ndarray of bool
        Which rows of the table are known.
    """

    bars: pd.MultiIndex
    first: np.ndarray
    last: np.ndarray
    known: np.ndarray

    def counts(self, which: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return how many of the labels cover each bar of the line."""
        size = len(self.bars) + 1
        return np.cumsum(np.bincount(self.first[which], minlength=size) - np.bincount(self.last[which] + 1, minlength=size))[:-1]


def mean_over(spans: Spans, values: np.ndarray) -> np.ndarray:
    """Return the mean of a value a bar over each label's span."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return (total[spans.last + 1] - total[spans.first]) / (spans.last + 1 - spans.first)


def spans_of(labels: pd.DataFrame, bars: Bars | None, who: str) -> Spans:
    """Return the spans of a label table on the instruments' own bars.

    Without `bars` the rows of the table are taken for all the bars that there are; their number, or an end that is none of them,
    gives the lie: events a label apart would seem to follow each other at once.
    """
    table = check_table(labels, who)
    if bars is None and table.attrs.get(LABELLED, len(table)) != len(table):
        there = f"{len(table)} of {table.attrs[LABELLED]} bars"
        raise ParameterError(f"{who}: the table holds {there} (chosen events, or rows were dropped): pass bars=")
    known = table["end"].notna().to_numpy()
    line = _line(table.index if bars is None else _own_bars(require_bars(bars, who)))
    index = table.index[known]
    ends = pd.MultiIndex.from_arrays([pd.DatetimeIndex(table["end"][known]), index.get_level_values(1)])
    first, last = line.get_indexer(index), line.get_indexer(ends)
    if len(first) and min(first.min(), last.min()) < 0:
        odd = index[first < 0][0] if (first < 0).any() else ends[last < 0][0]
        if bars is None:
            said = "the table does not hold every bar (chosen events, or rows were dropped): pass bars="
        else:
            said = "these are not the bars that were labelled"
        raise ParameterError(f"{who}: {odd[1]} has no bar at {odd[0]}: {said}")
    return Spans(line, first, last, known)


def _own_bars(bars: Bars) -> pd.MultiIndex:
    return index_at(bars, *np.nonzero(bars.present))


def _line(index: pd.MultiIndex) -> pd.MultiIndex:
    """Return the bars instrument by instrument, each in the order of time."""
    times, symbols = index.get_level_values(0), pd.factorize(index.get_level_values(1))[0]
    return index[np.lexsort((times.asi8, symbols))].set_names(LEVELS)


def concurrency(labels: pd.DataFrame, bars: Bars | None = None) -> pd.Series:
    """Count the labels whose span [bar, end] covers each bar, of the same instrument.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`); unknown labels cover nothing.
    bars : Bars, optional
        What was labelled. Needed where the table does not hold every bar: after `events=`, or when rows were dropped.

    Returns
    -------
    Series of int
        Indexed by (timestamp, symbol), in the order of time.

    Raises
    ------
    ParameterError
        An end that is no bar.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 4.3.

    Examples
    --------
    >>> import workbench as wb
    >>> int(concurrency(wb.labels.fixed_horizon(wb.simulate(bars=100, seed=1), horizon=5)).max())
    6
    """
    spans = spans_of(labels, bars, "concurrency")
    counted = pd.Series(spans.counts(), spans.bars, name="concurrency")
    return counted.sort_index(level=0, sort_remaining=False, kind="stable")


def uniqueness(labels: pd.DataFrame, bars: Bars | None = None) -> pd.Series:
    """Return the average uniqueness of each label: the mean of 1 / concurrency over its span.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`).
    bars : Bars, optional
        See `concurrency`.

    Returns
    -------
    Series of float
        On the rows of the table, in (0, 1]; NaN where the label is unknown.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 4.4.

    Examples
    --------
    >>> import workbench as wb
    >>> float(uniqueness(wb.labels.fixed_horizon(wb.simulate(bars=100, seed=1), horizon=4)).iloc[50].round(9))
    0.2
    """
    spans = spans_of(labels, bars, "uniqueness")
    return _on_rows(labels, spans, _uniqueness(spans))


def _uniqueness(spans: Spans) -> np.ndarray:
    return mean_over(spans, 1.0 / np.maximum(spans.counts(), 1))


def _on_rows(labels: pd.DataFrame, spans: Spans, values: np.ndarray) -> pd.Series:
    rows = np.full(len(labels), np.nan)
    rows[spans.known] = values
    return pd.Series(rows, labels.index, name="uniqueness")


def uniqueness_weights(
    labels: pd.DataFrame, bars: Bars | None = None, by: Literal["uniqueness", "return"] = "uniqueness", decay: float = 1.0
) -> pd.Series:
    """Return sample weights for labels that overlap, 1 on average.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`).
    bars : Bars, optional
        See `concurrency`; needed with ``by="return"``.
    by : {"uniqueness", "return"}, default "uniqueness"
        Average uniqueness, or the size of the logarithmic return that falls to the label: each bar's, shared among its labels.
    decay : float in (-1, 1], default 1
        Weight of the oldest label where the newest has 1, linear in cumulated uniqueness: 1 for no decay. Below 0 the oldest
        ``-decay`` of it have none.

    Returns
    -------
    Series of float
        On the rows of the table, mean 1 over the known labels; NaN where the label is unknown.

    Raises
    ------
    ParameterError
        A decay out of its range, an unknown word, ``by="return"`` without bars.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 4.6 and 4.7. The return of an entry bar is earned before its
    close, so here a span's returns begin with the bar after the entry; the book's begin with the entry bar's own.

    Examples
    --------
    >>> import workbench as wb
    >>> weights = uniqueness_weights(wb.labels.fixed_horizon(wb.simulate(bars=100, seed=1), horizon=4), decay=0.5)
    >>> bool(weights.dropna().is_monotonic_increasing), float(weights.mean().round(9))
    (False, 1.0)
    """
    if by not in ("uniqueness", "return"):
        raise ParameterError(f"by must be 'uniqueness' or 'return', got {by!r}{did_you_mean(str(by), ('uniqueness', 'return'))}")
    if not -1 < decay <= 1:
        raise ParameterError(f"decay must lie in (-1, 1], got {decay!r}")
    spans = spans_of(labels, bars, "uniqueness_weights")
    unique = _on_rows(labels, spans, _uniqueness(spans))
    weights = unique if by == "uniqueness" else _on_rows(labels, spans, _attributed(spans, bars))
    weights = weights * _decayed(unique, decay)
    mean = weights.mean()
    return (weights / mean if mean > 0 else weights).rename("weight")


def _attributed(spans: Spans, bars: Bars | None) -> np.ndarray:
    """Return the size of the return that falls to each label."""
    if bars is None:
        raise ParameterError("uniqueness_weights: by='return' needs the prices: pass bars=")
    close = pd.Series(bars.array("close")[bars.present], _own_bars(bars)).reindex(spans.bars).to_numpy()
    move = np.diff(np.log(close), prepend=np.nan)
    after_entry = Spans(spans.bars, np.minimum(spans.first + 1, spans.last), spans.last, spans.known)
    shared = np.nan_to_num(move) / np.maximum(after_entry.counts(), 1)
    return np.abs(mean_over(after_entry, shared) * (after_entry.last + 1 - after_entry.first))


def _decayed(unique: pd.Series, decay: float) -> pd.Series:
    """Return the factor of age: labels of the same bar are of the same age."""
    total = unique.groupby(level=0).sum().sort_index().cumsum()
    share = total / total.iloc[-1] if len(total) and total.iloc[-1] > 0 else total
    slope = 1 - decay if decay >= 0 else 1 / (1 + decay)
    factor = (1 + slope * (share - 1)).clip(lower=0.0)
    return pd.Series(factor.reindex(unique.index.get_level_values(0)).to_numpy(), unique.index)
