"""A limit on the volatility of the book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.risk._losses import LossLimit, days_root, returns_of
from workbench.risk._returns import DECAY
from workbench.risk._scenarios import scenarios, variances
from workbench.risk._tail import normal_room

__all__ = ["MaxVolatility"]


class MaxVolatility(LossLimit):
    """The standard deviation of what the book makes in a year, as it would be after the order.

    The past returns of what is held are applied to the book as for `ValueAtRisk`; how the instruments move together is in them.

    Parameters
    ----------
    limit : float, default 0.15
        A year, as a share of equity; with ``of="money"`` an amount in account currency.
    method : {"sample", "ewma", "shrunk"}, default "sample"
        Sample: the deviation (ddof 0). EWMA: without a mean, each step back weighs 0.94 times the one after it. Shrunk: the sample
        covariances drawn towards 0 by `shrink`, the variances kept.
    window : int, default 60
        Returns, at most 900.
    shrink : float, default 0.2
        Share of the way to a book of instruments that do not move together.
    of : {"equity", "money"}, default "equity"
    year : float, default 252
        Trading days a year.

    References
    ----------
    J. P. Morgan and Reuters (1996). RiskMetrics - Technical Document.
    Ledoit, O. and Wolf, M. (2004). Honey, I Shrunk the Sample Covariance Matrix.

    Examples
    --------
    >>> MaxVolatility(0.2).words(100_000, "EUR")
    'volatility of the book at most 20 % of equity a year, sample'
    """

    limit: float = 0.15
    method: Literal["sample", "ewma", "shrunk"] = "sample"
    window: int = 60
    shrink: float = 0.2
    of: Literal["equity", "money"] = "equity"
    year: float = 252.0

    def check(self) -> None:
        """Refuse what is no limit, no window, no share and no year."""
        self._require(self.limit, self.of, self.window)
        if not 0 <= self.shrink <= 1:
            raise ParameterError(f"MaxVolatility: shrink is a share from 0 to 1, got {self.shrink!r}")
        if not 0 < self.year < math.inf:
            raise ParameterError(f"MaxVolatility: year must be a positive number of trading days, got {self.year!r}")

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return window, decay (0 for none), shrink, limit, whether of equity, and the days of a year."""
        decay, shrink = DECAY if self.method == "ewma" else 0.0, self.shrink if self.method == "shrunk" else 0.0
        return float(self.window), decay, shrink, float(self.limit), float(self.of == "equity"), float(self.year)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return the largest quantity up to which the deviation stays within the limit."""
        window = int(p[0])
        memory = history.memory
        count = spread(p, j, side, hi, lo, price, unit, history)
        if count < window:
            return 0.0
        most = p[3] * (equity if p[4] != 0.0 else 1.0) / days_root(p[5], count, window, memory)
        o = 3 * window + 3
        return normal_room(1.0, most, 0.0, 0.0, memory[o + 2], memory[o + 3], memory[o + 4])

    @staticmethod
    def measure(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return the deviation of the book as it is; NaN for too few returns."""
        window = int(p[0])
        memory = history.memory
        count = spread(p, j, side, hi, lo, price, unit, history)
        if count < window:
            return math.nan
        return math.sqrt(memory[3 * window + 5]) * days_root(p[5], count, window, memory)

    @property
    def what(self) -> str:
        """What is measured, in words."""
        return f"{self.method} volatility a year"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        money = f"{100 * self.limit:g} % of equity" if self.of == "equity" else f"{self.limit:,g} {currency}"
        return f"volatility of the book at most {money} a year, {self.method}"


def spread(p: Any, j: int, side: float, hi: Any, lo: Any, price: Any, unit: Any, history: Any) -> int:
    """Write the variances of book and one lot more where `variances` does, as the method has them; return how many steps were found."""
    window = int(p[0])
    memory = history.memory
    first = int(p[len(p) - 1])
    count = scenarios(j, side, window, hi, lo, price, unit, history.days, returns_of(p, window, 0.0, len(hi), history))
    if count < window:
        return count
    if p[1] != 0.0:
        weighed(p[1], count, window, memory)
    else:
        variances(count, window, memory)
    if p[2] != 0.0:
        shrunk(p[2], j, side, first, hi, lo, price, unit, history.series, len(history.days), count, window, memory)
    return count


def weighed(decay: float, count: int, window: int, memory: Any) -> None:
    """Write the weighed squares of both parts, and how they move together, where `spread` writes variances."""
    o = 3 * window + 3
    weight = 1.0
    total = 0.0
    for k in range(2, 5):
        memory[o + k] = 0.0
    for k in range(count):
        memory[o + 2] = memory[o + 2] + weight * memory[k] * memory[k]
        memory[o + 3] = memory[o + 3] + weight * memory[k] * memory[window + k]
        memory[o + 4] = memory[o + 4] + weight * memory[window + k] * memory[window + k]
        total = total + weight
        weight = weight * decay
    for k in range(2, 5):
        memory[o + k] = memory[o + k] / total


def shrunk(
    share: float,
    j: int,
    side: float,
    first: int,
    hi: Any,
    lo: Any,
    price: Any,
    unit: Any,
    series: Any,
    stride: int,
    count: int,
    window: int,
    memory: Any,
) -> None:
    """Draw the variance of the book towards that of instruments which do not move together; their own variances over the same steps."""
    o = 3 * window + 3
    alone = 0.0
    for i in range(len(hi)):
        held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]
        if i == j:
            held = hi[i] if side > 0 else lo[i]
        if held != 0.0:
            worth = (held * price[i]) * unit[i]
            alone = alone + worth * worth * variance_of((first + i) * stride, count, window, series, memory)
    memory[o + 2] = (1.0 - share) * memory[o + 2] + share * alone
    own = hi[j] if side > 0 else lo[j]
    together = side * ((own * price[j]) * unit[j]) * ((price[j]) * unit[j])
    memory[o + 3] = (1.0 - share) * memory[o + 3] + share * together * variance_of((first + j) * stride, count, window, series, memory)


def variance_of(row: int, count: int, window: int, series: Any, memory: Any) -> float:
    """Return the variance (ddof 0) of the returns of the instrument whose row begins there, over the steps that were found."""
    total = 0.0
    for k in range(count):
        total = total + series[row + int(memory[2 * window + k])]
    mean = total / count
    squares = 0.0
    for k in range(count):
        away = series[row + int(memory[2 * window + k])] - mean
        squares = squares + away * away
    return squares / count
