"""The sequential bootstrap: draws that overlap less than chance would have them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.research.labels.table import require_count
from workbench.research.labels.weights import mean_over, spans_of

__all__ = ["draw_probabilities", "sequential_bootstrap"]


def draw_probabilities(labels: pd.DataFrame, drawn: pd.MultiIndex, bars: Bars | None = None) -> pd.Series:
    """Return how likely each label is drawn next, given those that were drawn.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`).
    drawn : MultiIndex (timestamp, symbol)
        Labels drawn so far; one may stand in it several times.
    bars : Bars, optional
        See `workbench.research.labels.concurrency`.

    Returns
    -------
    Series of float
        On the known rows of the table; their sum is 1.

    Raises
    ------
    ParameterError
        A drawn label that is not known.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.fixed_horizon(wb.simulate(bars=6, seed=1), horizon=2)
    >>> draw_probabilities(labels, labels.index[:1]).round(3).tolist()
    [0.167, 0.222, 0.278, 0.333]
    """
    spans = spans_of(labels, bars, "draw_probabilities")
    known = labels.index[spans.known]
    numbers = known.get_indexer(drawn)
    if (numbers < 0).any():
        raise ParameterError(f"draw_probabilities: {drawn[int(np.argmin(numbers))]} is no known label of the table")
    # a label's chance is its average uniqueness once it were drawn too
    unique = mean_over(spans, 1.0 / (1.0 + spans.counts(numbers)))
    return pd.Series(unique / unique.sum(), known, name="probability")


def sequential_bootstrap(labels: pd.DataFrame, size: int | None = None, seed: int = 0, bars: Bars | None = None) -> pd.MultiIndex:
    """Draw labels with replacement, each the likelier the less it overlaps with those that were drawn before it.

    Parameters
    ----------
    labels : DataFrame
        A label table (`workbench.research.labels`); unknown labels are never drawn.
    size : int, optional
        How many; as many as there are known labels where not given.
    seed : int, default 0
    bars : Bars, optional
        See `workbench.research.labels.concurrency`.

    Returns
    -------
    MultiIndex (timestamp, symbol)
        In the order of the draws; ``features.loc[drawn]`` gives their rows.

    Raises
    ------
    ParameterError
        No known label, a size or seed that is no whole number.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning (2018), 4.5. A draw costs one pass over bars and labels, by running
    sums: no matrix of bars and labels is made.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.fixed_horizon(wb.simulate(bars=100, seed=1), horizon=5)
    >>> len(sequential_bootstrap(labels, size=20, seed=1))
    20
    """
    spans = spans_of(labels, bars, "sequential_bootstrap")
    if not len(spans.first):
        raise ParameterError("sequential_bootstrap: no label of the table is known")
    count = len(spans.first) if size is None else require_count(size, "size")
    random = np.random.default_rng(require_count(seed, "seed", 0)).random(count)
    drawn, share, chosen = np.zeros(len(spans.bars)), np.ones(len(spans.bars)), np.empty(count, int)
    for draw in range(count):
        reached = np.cumsum(mean_over(spans, share))
        one = min(int(np.searchsorted(reached, random[draw] * reached[-1], "right")), len(reached) - 1)
        covered = slice(spans.first[one], spans.last[one] + 1)
        drawn[covered] += 1
        share[covered] = 1.0 / (1.0 + drawn[covered])
        chosen[draw] = one
    return labels.index[spans.known].take(chosen)
