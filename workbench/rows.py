"""Bars by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from workbench.bars import Bars

__all__ = ["Rows"]


class Rows:
    """Picks rows by number or label, and keeps them Bars: ``bars.iloc[:100]``, ``bars.loc["2024"]``."""

    __slots__ = ("_bars", "_by_label")

    def __init__(self, bars: Bars, by_label: bool) -> None:
        self._bars = bars
        self._by_label = by_label

    def __getitem__(self, rows: Any) -> Bars:
        if self._by_label:
            rows = pd.Series(np.arange(len(self._bars)), self._bars.index).loc[rows]
        if isinstance(rows, (int, np.integer)):
            rows = np.array([int(rows)])
        return self._bars.take(rows if isinstance(rows, slice) else np.asarray(rows))
