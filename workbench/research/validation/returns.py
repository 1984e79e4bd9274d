"""Returns, of whatever has some."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.research.result import Backtest
from workbench.research.statistics import daily_returns

__all__ = ["returns_of"]


def returns_of(given: Any) -> np.ndarray:
    """Return the returns per period as an array without NaN.

    Parameters
    ----------
    given : Series, array, Backtest or WalkForwardResult
        Of the latter two, the daily returns: they are of the same kind whatever the interval.

    Raises
    ------
    ParameterError
        Several columns, no numbers, infinite ones, or what looks like prices.
    """
    if isinstance(given, Backtest):
        given = daily_returns(given.equity, given.setup.cash)
    elif not isinstance(given, (pd.DataFrame, pd.Series)) and isinstance(getattr(given, "returns", None), pd.Series):
        given = given.returns  # of a walk-forward, which is a floor above
    if isinstance(given, pd.DataFrame) or np.ndim(given) != 1:
        raise ParameterError(f"expected one series of returns per period, got {type(given).__name__} of shape {np.shape(given)}")
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"expected returns as numbers, got {type(given).__name__} of {np.asarray(given, dtype=object)[0]!r}") from None
    values = values[~np.isnan(values)]
    if np.isinf(values).any():
        raise ParameterError(f"expected finite returns, got {values[np.isinf(values)][0]}: is a price or an equity of 0 among them?")
    if len(values) > 1 and (values > 1).all():
        raise ParameterError(f"expected returns as shares (0.01 is a percent), got {values[0]:g}, {values[1]:g} ...: are these prices?")
    return values
