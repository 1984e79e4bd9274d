"""The probability that the best of several strategies was chosen for its luck."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError

__all__ = ["cscv", "probability_of_overfitting"]

#: Combinations that are judged together: what a hundred strategies then take is a few megabytes.
TOGETHER = 2_000
MOST_BLOCKS = 20


def probability_of_overfitting(performance: pd.DataFrame, blocks: int = 16) -> float:
    """Return how often the strategy that was best in one half of the time is in the lower half of the field in the other.

    Parameters
    ----------
    performance : DataFrame of shape (T, N)
        Returns per period, time x strategy: the index is times, the COLUMNS are the strategies, whatever the shape.
    blocks : int, default 16
        Into how many blocks the time is cut: even. Each choice of half of them is once what was known.

    Returns
    -------
    float
        Between 0 and 1: about 0.5 where nobody has skill, near 0 where the best is the best for a reason. The very middle of the
        field counts half.

    Raises
    ------
    ParameterError
        No index of rising times (a transposed matrix, several strategies below each other), fewer than two strategies, NaN, prices,
        an odd number of blocks, too short a time.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting, Journal of Computational Finance 20(4), 2017.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=200, tz="UTC")
    >>> noise = np.random.default_rng(1).normal(size=(200, 10))
    >>> skilled = pd.DataFrame(noise + np.arange(10) / 5, times)
    >>> probability_of_overfitting(skilled, blocks=8)
    0.0
    """
    logit = cscv(performance, blocks)["logit"]
    # the very middle of an odd field is neither half: counted in one of them, noise would not come out at 0.5
    return float((logit < 0).mean() + (logit == 0).mean() / 2)


def cscv(performance: pd.DataFrame, blocks: int = 16) -> pd.DataFrame:
    """Choose the best strategy in each half of the blocks, and look at what it did in the other half.

    The measure is the Sharpe ratio per period (mean over standard deviation, ddof=1; 0 for a strategy that stood still).

    Parameters
    ----------
    performance : DataFrame of shape (T, N)
        As for `probability_of_overfitting`.
    blocks : int, default 16

    Returns
    -------
    DataFrame
        One row a choice: `best` (the strategy), `inside` and `outside` (its Sharpe ratio where it was chosen, and in the rest),
        `rank` (of it in the rest, between 0 and 1, ties in the middle), `logit` of the rank.

    Raises
    ------
    ParameterError
        As `probability_of_overfitting`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> times = pd.date_range("2024-01-01", periods=40, tz="UTC")
    >>> len(cscv(pd.DataFrame(np.random.default_rng(1).normal(size=(40, 3)), times), blocks=4))
    6
    """
    values = _checked(performance, blocks)
    parts = np.array_split(values, blocks)
    sums = np.stack([np.stack([np.full(values.shape[1], len(part)), part.sum(axis=0), (part**2).sum(axis=0)]) for part in parts])
    chosen = np.array([np.bincount(half, minlength=blocks) for half in combinations(range(blocks), blocks // 2)], float)
    tables = [_judged(chosen[first : first + TOGETHER], sums, performance.columns) for first in range(0, len(chosen), TOGETHER)]
    return pd.concat(tables, ignore_index=True)


def _judged(chosen: np.ndarray, sums: np.ndarray, names: pd.Index) -> pd.DataFrame:
    """Judge some choices of blocks, shape (choices, blocks), by the sums of each block."""
    inside, outside = (_sharpe(np.einsum("cb,bkn->kcn", which, sums)) for which in (chosen, 1 - chosen))
    best, rows = inside.argmax(axis=1), np.arange(len(chosen))
    mine = outside[rows, best][:, None]
    # the middle of the places that equals share; one more than there are strategies keeps the rank inside (0, 1)
    place = (outside < mine).sum(axis=1) + ((outside == mine).sum(axis=1) + 1) / 2
    rank = place / (outside.shape[1] + 1)
    fields = {"best": names.take(best), "inside": inside[rows, best], "outside": mine[:, 0], "rank": rank}
    return pd.DataFrame(fields | {"logit": np.log(rank / (1 - rank))})


def _sharpe(totals: np.ndarray) -> np.ndarray:
    count, total, squares = totals
    mean = total / count
    variance = np.maximum(squares / count - mean**2, 0.0) * count / (count - 1)
    # what the subtraction leaves of a strategy that stood still is rounding
    moves = variance > 1e-14 * squares / count
    return np.divide(mean, np.sqrt(variance), out=np.zeros_like(mean), where=moves)


def _checked(performance: Any, blocks: int) -> np.ndarray:
    if not isinstance(performance, pd.DataFrame):
        raise ParameterError(f"performance must be a DataFrame, time x strategy, got {type(performance).__name__}")
    if not isinstance(performance.index, pd.DatetimeIndex):
        turned = ": is it transposed?" if isinstance(performance.columns, pd.DatetimeIndex) else ""
        said = f"performance must be time x strategy, indexed by time, got {type(performance.index).__name__}"
        raise ParameterError(f"{said} of {len(performance)} rows and {performance.shape[1]} columns{turned}")
    if not (performance.index.is_monotonic_increasing and performance.index.is_unique):
        raise ParameterError("performance must have one row a period, in the order of time: blocks are cut from it as it stands")
    if performance.shape[1] < 2:
        raise ParameterError(f"overfitting is a matter of choice: at least two strategies (columns) are needed, got {performance.shape[1]}")
    if isinstance(blocks, bool) or not isinstance(blocks, (int, np.integer)) or blocks % 2 or not 2 <= blocks <= MOST_BLOCKS:
        raise ParameterError(f"blocks must be an even number from 2 to {MOST_BLOCKS}, got {blocks!r}")
    if len(performance) < 2 * blocks:
        raise ParameterError(f"{blocks} blocks need at least {2 * blocks} periods, got {len(performance)}")
    values = performance.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        where = f"{performance.columns[column]!r} at {performance.index[row]}"
        raise ParameterError(
            f"performance must have a return in every period (0 where a strategy was flat): {values[row, column]} for {where}"
        )
    if (values > 1).all(axis=0).any():
        name = performance.columns[int((values > 1).all(axis=0).argmax())]
        raise ParameterError(f"performance must be returns as shares (0.01 is a percent), all of {name!r} are above 1: are these prices?")
    return values
