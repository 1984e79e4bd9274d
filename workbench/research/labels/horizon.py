"""The label of a fixed horizon: where the price is so many bars later."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.research.labels.table import TIE, each_instrument, label_table, require_bars, require_count, widths

__all__ = ["fixed_horizon"]


def fixed_horizon(bars: Bars, horizon: int, threshold: float = 0.0, volatility: Any = None) -> pd.DataFrame:
    """Label each bar by the sign of its return over the next bars.

    Parameters
    ----------
    bars : Bars of shape (T, N)
    horizon : int
        In the instrument's own bars, at least 1.
    threshold : float, default 0
        A return of no more than this, either way, is class 0: a share of the price, or multiples of the volatility.
    volatility : DataFrame of shape (T, N) or Series, optional
        Volatility of a return over the horizon, as a share of the price, known at the close of its bar (it must be causal).
        Where it is NaN or not above 0 there is no label.

    Returns
    -------
    DataFrame
        A label table (`workbench.research.labels`) of every bar: `label` -1, 0 or 1, `ret` for a regression. The last `horizon`
        bars of an instrument are NaN: their label is not known yet.

    Raises
    ------
    ParameterError
        A horizon below 1, a negative threshold, a volatility with other labels than the bars.

    Examples
    --------
    >>> import workbench as wb
    >>> labels = wb.labels.fixed_horizon(wb.simulate(days=1, seed=1), horizon=5, threshold=0.0005)
    >>> int(labels["label"].isna().sum())
    5
    """
    horizon = require_count(horizon, "horizon")
    width = widths(threshold, volatility, require_bars(bars, "fixed_horizon"), "threshold")
    label, ret = np.full(bars.shape, np.nan), np.full(bars.shape, np.nan)
    end = np.full(bars.shape, -1)
    for own in each_instrument(bars):
        rows, close, n = own.rows, own.prices["close"], max(len(own.rows) - horizon, 0)
        entry, later, step = close[:n], close[horizon:], width[rows[:n], own.column]
        above, below = later > entry * (1 + step) * (1 + TIE), later < entry * (1 - step) * (1 - TIE)
        label[rows[:n], own.column] = above.astype(float) - below
        ret[rows[:n], own.column] = later / entry - 1
        end[rows[:n], own.column] = np.where(np.isnan(step), -1, rows[horizon:])
    return label_table(bars, bars.present, end, label=label, ret=ret)
