"""Features of the label: when a bar opened, in UTC.

Plain numbers, no sine and cosine: one feature is one column, and trees, which are what mostly learns from them, split plain
hours best. A linear model takes them through a ``SplineTransformer`` or ``OneHotEncoder`` in its Pipeline.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.bars import Bars
from workbench.features._base import Feature

__all__ = ["Hour", "Weekday"]


class Hour(Feature):
    """The hour in which the bar opened, 0 to 23 UTC, with minutes as a fraction.

    Examples
    --------
    >>> Hour().name
    'hour'
    """

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the hour, shape (T, N)."""
        return _everywhere(np.asarray(bars.index.hour + bars.index.minute / 60.0), bars)


class Weekday(Feature):
    """The day on which the bar opened, from 0 on Monday to 6 on Sunday, UTC.

    Examples
    --------
    >>> Weekday().lookback
    1
    """

    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the day of the week, shape (T, N)."""
        return _everywhere(np.asarray(bars.index.day_of_week), bars)


def _everywhere(values: np.ndarray, bars: Bars) -> pd.DataFrame:
    """Return one number a label for all instruments."""
    return bars.laid_out(np.repeat(values.astype(float)[:, None], bars.shape[1], axis=1))
