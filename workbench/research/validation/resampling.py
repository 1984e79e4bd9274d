"""The bootstrap: a statistic in histories drawn from the one that was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from workbench.errors import ParameterError, did_you_mean
from workbench.research.validation.distribution import Distribution, require_samples
from workbench.research.validation.returns import returns_of
from workbench.research.validation.sharpe import sharpe

__all__ = ["bootstrap"]

METHODS = ("stationary", "block", "iid")


def bootstrap(
    returns: Any,
    statistic: Callable[[np.ndarray], float] = sharpe,
    method: Literal["stationary", "block", "iid"] = "stationary",
    size: float | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> Distribution:
    """Draw histories from a series of returns, and compute a statistic of each.

    Parameters
    ----------
    returns : Series, array or Backtest
        One a period, as shares; NaN are left out. Of a Backtest, its daily returns.
    statistic : callable, default `sharpe`
        Takes an array of as many returns, gives a number.
    method : {"stationary", "block", "iid"}, default "stationary"
        Blocks of random length (geometric), so that what hangs together stays together; blocks of one length; single returns.
        Blocks run on from the last return to the first.
    size : float, optional
        Length of a block, on average, in periods; the cube root of the number of returns where not given
        (``arch.bootstrap.optimal_block_length`` estimates one). Not for ``"iid"``.
    samples : int, default 1000
    seed : int, default 0

    Returns
    -------
    Distribution
        `.observed`, `.values`, `.interval(confidence)`.

    Raises
    ------
    ParameterError
        An unknown method, a size below 1 or over the number of returns, fewer than two returns or samples.

    Notes
    -----
    Politis and Romano, The Stationary Bootstrap, Journal of the American Statistical Association 89, 1994. ``arch`` has the same
    (and a test compares them), but takes seconds to import: it brings statsmodels.

    Examples
    --------
    >>> import numpy as np
    >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 500)
    >>> low, high = bootstrap(returns, np.mean, samples=200).interval(0.9)
    >>> bool(low < returns.mean() < high)
    True
    """
    values = returns_of(returns)
    require_samples(samples, seed)
    length = _length(values, method, size)
    random = np.random.default_rng(seed)
    drawn = [statistic(values[_rows(random, len(values), method, length)]) for _ in range(samples)]
    return Distribution(getattr(statistic, "__name__", "statistic"), float(statistic(values)), np.array(drawn, dtype=float))


def _length(values: np.ndarray, method: str, size: float | None) -> float:
    if method not in METHODS:
        raise ParameterError(f"method must be one of {', '.join(METHODS)}, got {method!r}{did_you_mean(str(method), METHODS)}")
    if len(values) < 2:
        raise ParameterError(f"the bootstrap needs at least two returns, got {len(values)}")
    if method == "iid" and size is not None:
        raise ParameterError(f"size is the length of a block, and method='iid' has none; got size={size!r}")
    length = float(round(len(values) ** (1 / 3))) if size is None else size
    whole = method == "stationary" or float(length).is_integer()
    if not 1 <= length <= len(values) or not whole:
        raise ParameterError(f"size must be a number of periods from 1 to {len(values)} (whole for method='block'), got {size!r}")
    return length


def _rows(random: np.random.Generator, count: int, method: str, length: float) -> np.ndarray:
    """Return the rows of one history, as long as the first."""
    if method == "iid":
        return random.integers(count, size=count)
    place = np.arange(count)
    fresh = random.random(count) < 1 / length if method == "stationary" else place % int(length) == 0
    fresh[0] = True
    begun = np.maximum.accumulate(np.where(fresh, place, 0))
    return (random.integers(count, size=count)[begun] + place - begun) % count
