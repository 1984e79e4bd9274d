"""The same trades in another order, or drawn anew: what the account could have gone through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from workbench.errors import ParameterError, did_you_mean
from workbench.research.result import Backtest
from workbench.research.validation.distribution import Distribution, require_samples

__all__ = ["MonteCarlo", "monte_carlo"]

METHODS = ("resample", "shuffle")
#: Numbers that are held at once.
HELD = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarlo:
    """What became of the account in each sample.

    Parameters
    ----------
    end_equity : Distribution
        In account currency.
    max_drawdown : Distribution
        As a share, at most 0: the deepest fall from the start or the highest equity so far, at the end of a trade.
    ruin : float
        Share of the samples in which equity fell to the ruin level or below, at the end of any trade.
    ruin_level : float
        In account currency.
    """

    end_equity: Distribution
    max_drawdown: Distribution
    ruin: float
    ruin_level: float

    def summary(self) -> pd.DataFrame:
        """Return both distributions as a table."""
        return pd.DataFrame([self.end_equity.summary(), self.max_drawdown.summary()])

    def __repr__(self) -> str:
        ruin = f"equity at or below {self.ruin_level:,.2f} in {self.ruin:.1%} of the samples"
        return f"{self.end_equity!r}\n{self.max_drawdown!r}\n{ruin}"


def monte_carlo(
    trades: Any,
    cash: float | None = None,
    *,
    method: Literal["resample", "shuffle"] = "resample",
    compound: bool = False,
    ruin: float = 0.5,
    samples: int = 1000,
    seed: int = 0,
) -> MonteCarlo:
    """Draw the closed trades of a strategy anew, or shuffle them, and see what the account goes through.

    Trades are taken for independent, and one after the other: what several open positions lose together is not seen.

    Parameters
    ----------
    trades : Backtest, DataFrame or array
        A result; its `trades` table, or any with a column `profit`; or profits, in account currency after fees. Open trades and
        NaN are left out.
    cash : float, optional
        At the start; that of the result where one is given.
    method : {"resample", "shuffle"}, default "resample"
        Draw with replacement, or only change the order.
    compound : bool, default False
        Whether a trade wins or loses a share of the equity before it, as when size follows equity; an amount of money where not.
    ruin : float, default 0.5
        The share of the cash at which all is lost.
    samples : int, default 1000
    seed : int, default 0

    Returns
    -------
    MonteCarlo
        `.end_equity` and `.max_drawdown` (each `.observed`, `.values`, `.interval()`), `.ruin`.

    Raises
    ------
    ParameterError
        No closed trade, no cash, an unknown method.

    Examples
    --------
    >>> found = monte_carlo([10.0, -5.0, 20.0, -15.0], cash=100.0, samples=100)
    >>> found.end_equity.observed, found.ruin
    (110.0, 0.03)
    """
    profits, cash = _profits(trades), _cash(trades, cash)
    require_samples(samples, seed)
    if method not in METHODS:
        raise ParameterError(f"method must be one of {', '.join(METHODS)}, got {method!r}{did_you_mean(str(method), METHODS)}")
    if not 0 <= ruin < 1:
        raise ParameterError(f"ruin must be a share of the cash from 0 to below 1, got {ruin!r}")
    before = cash + np.concatenate([[0.0], np.cumsum(profits)[:-1]])
    if compound and (before <= 0).any():
        raise ParameterError("compound=True needs an equity above 0 before each trade; these trades lost everything")
    moves = profits / before if compound else profits
    observed, random = _paths(moves[None, :], cash, compound), np.random.default_rng(seed)
    figures, step = [], max(1, HELD // len(moves))
    for first in range(0, samples, step):
        many = (min(step, samples - first), len(moves))
        drawn = (
            moves[random.integers(len(moves), size=many)] if method == "resample" else random.permuted(np.broadcast_to(moves, many), axis=1)
        )
        figures.append(_figures(_paths(drawn, cash, compound)))
    end, fall, lowest = np.concatenate(figures, axis=1)
    end_0, fall_0, _ = _figures(observed)[:, 0]
    ends, falls = Distribution("end equity", float(end_0), end), Distribution("max drawdown", float(fall_0), fall)
    return MonteCarlo(ends, falls, float((lowest <= ruin * cash).mean()), ruin * cash)


def _paths(moves: np.ndarray, cash: float, compound: bool) -> np.ndarray:
    """Return the equity at the start and after each trade, a row a sample; of a share no more than all can be lost."""
    start = np.full((len(moves), 1), cash)
    return np.hstack([start, cash * np.cumprod(np.maximum(1 + moves, 0.0), axis=1) if compound else cash + np.cumsum(moves, axis=1)])


def _figures(paths: np.ndarray) -> np.ndarray:
    """Return end, deepest fall and lowest equity of each sample."""
    return np.stack([paths[:, -1], (paths / np.maximum.accumulate(paths, axis=1) - 1).min(axis=1), paths.min(axis=1)])


def _profits(trades: Any) -> np.ndarray:
    """Return the profits of the closed trades, in the order in which they were closed."""
    table = trades.trades if isinstance(trades, Backtest) else trades
    if isinstance(table, pd.DataFrame):
        if "profit" not in table:
            raise ParameterError(f"trades need a column 'profit'{did_you_mean('profit', map(str, table.columns))}")
        table = table[table["exit"] != "open"] if "exit" in table else table
        table = table.sort_values("exited", kind="stable") if "exited" in table else table
        table = table["profit"]
    profits = np.asarray(table, dtype=float)
    profits = profits[~np.isnan(profits)]
    if profits.ndim != 1 or not len(profits):
        raise ParameterError(f"monte_carlo needs at least one closed trade, got profits of shape {profits.shape}")
    return profits


def _cash(trades: Any, cash: float | None) -> float:
    found = trades.setup.cash if cash is None and isinstance(trades, Backtest) else cash
    if found is None:
        raise ParameterError("monte_carlo needs cash=, the equity at the start, where no Backtest is given")
    if not isinstance(found, (int, float, np.number)) or not 0 < found < np.inf:
        raise ParameterError(f"cash must be a positive number, got {found!r}")
    return float(found)
