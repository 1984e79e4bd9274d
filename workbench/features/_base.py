"""The port of features."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from workbench.alignment import aligned, blockwise
from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import ParameterError

__all__ = ["Feature"]


class Feature(Component):
    """Turns closed bars into one number a bar and instrument that a model learns from.

    A feature of your own is five lines, in a notebook cell or a file::

        class Gap(Feature):
            window: int = 1
            def compute(self, bars):
                return bars.open / bars.close.shift(self.window) - 1

    `compute` must be causal: its row t may depend on bars up to t only (`wb.check_causality` proves it). It is handed
    blocks of instruments without missing bars (SEMANTICS 4). A property `lookback` says how many bars it warms up.
    """

    #: Whether `compute` compares instruments with each other: it then gets all of them at once, NaN where a bar is missing.
    cross_sectional: ClassVar[bool] = False

    @abstractmethod
    def compute(self, bars: Bars) -> pd.DataFrame:
        """Return the feature at each bar.

        Parameters
        ----------
        bars : Bars of shape (T, N)
            Closed bars from the anchor on.

        Returns
        -------
        DataFrame of shape (T, N)
            NaN where it is not known.
        """

    @property
    def lookback(self) -> int:
        """Bars before which the feature is NaN, and beyond which older bars change nothing above 1e-9."""
        return 1

    @property
    def name(self) -> str:
        """What its column is called: the class and the parameters, ``returns_5``."""
        return _name(self)

    def values(self, bars: Bars) -> np.ndarray:
        """Return the feature of every instrument, checked, shape (T, N); NaN at missing bars and in the warm-up.

        Raises
        ------
        ParameterError
            `compute` gave another shape, other labels, or no numbers.
        """
        if self.cross_sectional:
            return np.where(bars.present, self._checked(bars), np.nan)
        return blockwise(bars, self._checked)

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the last row of `values`, shape (N,): what a live step asks for; a part that is slow to say all overrides it."""
        return self.values(bars)[-1]

    def _checked(self, bars: Bars) -> np.ndarray:
        values = aligned(self.compute(bars), bars, f"{type(self).__name__}.compute", "a number")
        if not np.isnan(values[: self.lookback - 1]).all():
            values = values.copy()
            values[: self.lookback - 1] = np.nan
        return values


def require_window(part: Feature, window: int, least: int = 1) -> None:
    """Refuse a window that is too short."""
    if window < least:
        raise ParameterError(f"{type(part).__name__}: window must be at least {least} bar{'s' * (least > 1)}, got {window}")


def _name(part: Component) -> str:
    """Return a readable name of a part: ``stance_moving_average_cross_10_50``."""
    words = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(part).__name__).lower()]
    words += [_word(value) for value in part.get_params(deep=False).values() if value is not None]
    return "_".join(word for word in words if word)


def _word(value: Any) -> str:
    if isinstance(value, Component):
        return _name(value)
    if isinstance(value, list | tuple):
        return "_".join(map(_word, value))
    text = f"{value:g}" if isinstance(value, float) else str(value).lower()
    return re.sub(r"[^a-z0-9.-]+", "_", text).strip("_")
