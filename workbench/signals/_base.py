"""The port of signal generators."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from workbench.alignment import aligned, blockwise
from workbench.bars import Bars
from workbench.component import Component
from workbench.errors import ParameterError

__all__ = ["SignalGenerator"]


class SignalGenerator(Component):
    """Turns closed bars into a stance: +1 long, -1 short, 0 flat, between = conviction, NaN = no opinion.

    A signal of your own is five lines, in a notebook cell or a file::

        class Above(SignalGenerator):
            window: int = 50
            def generate(self, bars):
                return np.sign(bars.close - bars.close.rolling(self.window).mean())

    `generate` must be causal: its row t may depend on bars up to t only (`wb.check_causality` proves it). It is handed
    blocks of instruments without missing bars (SEMANTICS 4), so one pandas expression serves one symbol and five hundred.
    """

    #: Whether `generate` compares instruments with each other: it then gets all of them at once, NaN where a bar is missing.
    cross_sectional: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Have a class that says its stances anew say the newest one by them too: research and live must not part ways."""
        super().__init_subclass__(**options)
        said = [name for base in cls.__mro__ for name in ("newest", "generate", "stances") if name in vars(base)]
        if said[0] != "newest":  # in this class, or in one that it is mixed with
            cls.newest, cls.quick = SignalGenerator.newest, SignalGenerator.quick  # type: ignore[method-assign]

    @abstractmethod
    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance at each bar.

        Parameters
        ----------
        bars : Bars of shape (T, N)
            Closed bars from the anchor on.

        Returns
        -------
        DataFrame of shape (T, N)
            In [-1, 1]; NaN where there is no opinion. A rule with memory emits its event once and NaN after
            (SEMANTICS 6): what was acted on is held.
        """

    @property
    def lookback(self) -> int:
        """Bars before which the stance is NaN, and beyond which older bars change nothing above 1e-9."""
        return 1

    def stances(self, bars: Bars) -> pd.DataFrame:
        """Return the stance of every instrument, checked, NaN at missing bars and in the warm-up.

        Parameters
        ----------
        bars : Bars of shape (T, N)

        Returns
        -------
        DataFrame of shape (T, N)

        Raises
        ------
        ParameterError
            The signal gave another shape, or a stance outside [-1, 1].
        """
        return bars.laid_out(self._over(bars))

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the stances at the newest label alone, shape (N,): all that a live step asks for (SEMANTICS 6).

        It is the last row of `stances`, to the last bit; a part that is slow to say all rows overrides it beside `generate`, and a
        part that is made of others asks them for theirs.
        """
        if type(self).stances is not SignalGenerator.stances:
            return self.stances(bars).to_numpy()[-1]
        return self._over(bars, newest=True)[-1]

    @property
    def quick(self) -> bool:
        """Whether `newest` takes less than `stances`: true of a model, and of what is made of one."""
        return False

    def _over(self, bars: Bars, newest: bool = False) -> np.ndarray:
        if self.cross_sectional:
            return np.where(bars.present, self._checked(bars, newest), np.nan)
        return blockwise(bars, lambda block: self._checked(block, newest))

    def _checked(self, bars: Bars, newest: bool) -> np.ndarray:
        """Return the stances in their range, NaN in the warm-up; with `newest` only the last row is looked at."""
        values = aligned(self.generate(bars), bars, f"{type(self).__name__}.generate", "a stance, a number from -1 to 1,")
        first = max(len(values) - 1, 0) if newest else 0
        looked = values[first:]
        low, high = (np.fmin.reduce(looked, axis=None, initial=np.inf), np.fmax.reduce(looked, axis=None, initial=-np.inf))
        if high > 1.0 or low < -1.0:
            row, column = np.argwhere((looked > 1.0) | (looked < -1.0))[0]
            where = f"{looked[row, column]:g} for {bars.symbols[column]} at {bars.index[first + row]}"
            raise ParameterError(f"{type(self).__name__}.generate gave {where}; a stance lies between -1 and 1")
        if not np.isnan(values[first : self.lookback - 1]).all():
            values = values.copy()
            values[: self.lookback - 1] = np.nan
        return values
