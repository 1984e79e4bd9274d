"""Signals that look ahead, each in a way of its own: what people do without noticing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench import Bars
from workbench.signals import SignalGenerator

__all__ = ["LEAKS", "Centred", "FullSample", "Rescaled", "Shifted", "Today", "Unfinished"]


class FullSample(SignalGenerator):
    """Scaled by mean and spread of the full sample."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return ((bars.close - bars.close.mean()) / bars.close.std()).clip(-1, 1)


class Rescaled(SignalGenerator):
    """Laid between the lowest and the highest close of the whole frame."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        low, high = bars.close.min(), bars.close.max()
        return 2 * (bars.close - low) / (high - low).where(high > low, 1.0) - 1


class Centred(SignalGenerator):
    """A mean whose window reaches as far into the future as into the past."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return np.sign(bars.close - bars.close.rolling(5, center=True).mean())


class Shifted(SignalGenerator):
    """The label that a model would be taught, the next close, taken for a feature."""

    def generate(self, bars: Bars) -> pd.DataFrame:
        return np.sign(bars.close.shift(-1) - bars.close)


class Today(SignalGenerator):
    """Daily closes laid on the bars of their own day: each bar knows how its day will end."""

    days: int = 1

    def generate(self, bars: Bars) -> pd.DataFrame:
        daily = bars.close.resample(f"{self.days}D").last()
        return np.sign(daily.reindex(bars.index, method="ffill") - bars.close)


class Unfinished(SignalGenerator):
    """The range of the hour that still runs: its highest and lowest are known at its end only."""

    hours: int = 24

    def generate(self, bars: Bars) -> pd.DataFrame:
        block = bars.index.floor(f"{self.hours}h")
        middle = (bars.high.groupby(block).transform("max") + bars.low.groupby(block).transform("min")) / 2
        return np.sign(bars.close - middle)


LEAKS: list[SignalGenerator] = [FullSample(), Rescaled(), Centred(), Shifted(), Today(), Unfinished()]
