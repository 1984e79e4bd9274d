"""A signal on coarser bars."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.alignment import warm
from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.interval import canonical, nanoseconds
from workbench.signals._base import SignalGenerator
from workbench.signals._moving_average import MovingAverageCross

__all__ = ["HigherTimeframe"]


class HigherTimeframe(SignalGenerator):
    """Another signal on completed bars of a coarser interval, laid on the finer bars from the moment that they have closed.

    At each bar stands what the signal said of the newest coarser bar that has ended by its close (`Bars.at`), and it stands
    there until the next one has ended: a filter or a vote finds it at any bar. Nothing is filled beyond that: where the
    signal had no opinion of that coarser bar, NaN stands at all its bars and decides nothing (SEMANTICS 9). So an event of
    a coarser bar is repeated through the next one, which changes nothing for who has acted on it; `Crossing` around it
    gives it once.

    Parameters
    ----------
    signal : SignalGenerator
    interval : str, default "1D"
        Of the bars that the signal is given: a multiple of `of`.
    of : str, default "1h"
        Of the bars that this signal is given; its look-back counts them, and others are refused.

    Examples
    --------
    >>> HigherTimeframe(MovingAverageCross(5, 20), "1D", of="1h").lookback
    528
    """

    signal: SignalGenerator
    interval: str = "1D"
    of: str = "1h"

    @classmethod
    def example(cls) -> HigherTimeframe:
        """Return two means of four hours on hourly bars."""
        return cls(MovingAverageCross(3, 8), "4h")

    def check(self) -> None:
        """Refuse an interval that is no multiple of that of the bars."""
        coarse, fine = nanoseconds(self.interval), nanoseconds(self.of)
        if coarse <= fine or coarse % fine:
            raise ParameterError(f"HigherTimeframe: interval must be a multiple of of={self.of!r}, got interval={self.interval!r}")

    @property
    def cross_sectional(self) -> bool:  # type: ignore[override]
        """Whether the signal compares instruments with each other."""
        return self.signal.cross_sectional

    @property
    def lookback(self) -> int:
        """The bars in the signal's look-back, in a coarser bar before it that is not whole, and in the one that still runs."""
        return (self.signal.lookback + 2) * (nanoseconds(self.interval) // nanoseconds(self.of))

    @property
    def quick(self) -> bool:
        """Whether the signal is quick to say its newest stance."""
        return self.signal.quick

    def generate(self, bars: Bars) -> pd.DataFrame:
        """Return the stance of the newest ended coarser bar, shape (T, N)."""
        coarse = self.coarser(bars)
        out = np.full(bars.shape, np.nan)
        newest = _ended(coarse, bars)
        if len(coarse):
            out[newest >= 0] = self.signal.stances(coarse).to_numpy()[newest[newest >= 0]]
        return bars.laid_out(out)

    def newest(self, bars: Bars) -> np.ndarray:
        """Return the stance of the newest ended coarser bar at the newest label, shape (N,)."""
        if not self.quick:
            return super().newest(bars)
        newest = np.full(bars.shape[1], np.nan)
        every = [([*range(bars.shape[1])], slice(None), bars)]
        for columns, _, block in every if self.cross_sectional else bars.blocks():  # each has a newest coarser bar of its own
            if len(block):
                coarse = self.coarser(block)
                ended = coarse.iloc[: int(_ended(coarse, block)[-1]) + 1]
                newest[columns] = self.signal.newest(ended) if len(ended) else np.nan
        return warm(newest, bars, self.lookback, self.cross_sectional)

    def coarser(self, bars: Bars) -> Bars:
        """Return the bars that the signal is given.

        Raises
        ------
        ParameterError
            The bars are not of the interval that `of` names.
        """
        if bars.interval != canonical(self.of):
            raise ParameterError(f"HigherTimeframe: these are bars of {bars.interval}, not of {self.of}; write of={bars.interval!r}")
        return bars.at(self.interval)


def _ended(coarse: Bars, bars: Bars) -> np.ndarray:
    """Return the row of the newest coarser bar that has ended by the close of each bar; -1 where there is none."""
    return np.searchsorted(coarse.labels + coarse.interval_ns, bars.labels + bars.interval_ns, side="right") - 1
