"""A figure, and how it came out in many made-up histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import ParameterError

__all__ = ["Distribution", "PermutationTest", "require_samples"]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A figure of the history that was, and of each one that was drawn.

    Parameters
    ----------
    name : str
        What the figure is.
    observed : float
    values : ndarray
        One of each sample; NaN where it has none.
    """

    name: str
    observed: float
    values: np.ndarray

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the two percentiles that hold the middle `confidence` of the samples; samples without a figure are left out.

        Percentiles are interpolated in a line between two samples, as numpy does by default.
        """
        if not 0 < confidence < 1:
            raise ParameterError(f"confidence must lie between 0 and 1, got {confidence!r}")
        rest = (1 - confidence) / 2
        valid = self.values[~np.isnan(self.values)]
        low, high = np.quantile(valid, [rest, 1 - rest]) if len(valid) else (np.nan, np.nan)
        return float(low), float(high)

    def summary(self) -> pd.Series:
        """Return the figure, and mean, deviation (ddof=1) and percentiles of the samples."""
        valid = self.values[~np.isnan(self.values)]
        low, high = self.interval()
        mean, deviation = (float(valid.mean()), float(valid.std(ddof=1))) if len(valid) > 1 else (np.nan, np.nan)
        figures = {"observed": self.observed, "mean": mean, "deviation": deviation}
        return pd.Series(figures | {"2.5 %": low, "97.5 %": high, "samples": len(self.values)}, name=self.name)

    def __repr__(self) -> str:
        low, high = self.interval()
        return f"{self.name}: {self.observed:.6g}, 95 % of {len(self.values)} samples from {low:.6g} to {high:.6g}"


@dataclass(frozen=True, slots=True, eq=False)
class PermutationTest(Distribution):
    """A figure of a strategy, and of the same strategy on histories of the same moves in another order."""

    @property
    def p_value(self) -> float:
        """How often chance does as well: (1 + samples at least as good) / (1 + samples), never 0."""
        as_good = int((self.values >= self.observed - 1e-12 * abs(self.observed)).sum())
        return (1 + as_good + int(np.isnan(self.values).sum())) / (1 + len(self.values))

    def __repr__(self) -> str:
        return f"{self.name}: {self.observed:.6g}, p = {self.p_value:.4f} against {len(self.values)} permutations of the bars"


def require_samples(samples: int, seed: int) -> None:
    """Refuse in a sentence a number of samples or a seed that is none."""
    for name, number, least in (("samples", samples, 2), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise ParameterError(f"{name} must be a whole number of at least {least}, got {number!r}")
