"""Limits on what the book could lose: value at risk, expected shortfall, volatility (SEMANTICS 33)."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.past import AT
from workbench.risk._base import RiskManager, Snapshot
from workbench.risk._tail import (
    DEPTH,
    modified_at,
    moments,
    normal_room,
    quantile_at,
    quantile_room,
    scan_room,
    scenarios,
    shortfall_room,
    tail_sums,
)

__all__ = ["DEPTH", "ExpectedShortfall", "MaxVolatility", "ValueAtRisk", "expected_shortfall", "own_returns", "value_at_risk"]

UNLIMITED = 1e300
NORMAL = NormalDist()
METHODS = ("historical", "gaussian", "modified", "filtered")
#: Weight that the newest squared return has in the volatility that filters returns: RiskMetrics' decay of 0.94.
DECAY = 0.94
#: Longer windows than this are not kept in a run.
LONGEST = 900
#: Places of the parameters.
WINDOW, PART, Z, SHORT, METHOD, LIMIT, OF_EQUITY, HORIZON = range(8)


def own_returns(bars: Bars) -> np.ndarray:
    """Return each instrument's return from its own bar before, shape (T, N); NaN at its first bar and at holes."""
    close = bars.array("close")
    if bars.whole:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.concatenate([np.full((min(1, len(close)), close.shape[1]), np.nan), close[1:] / close[:-1] - 1.0])
    out = np.full(close.shape, np.nan)
    for j in range(close.shape[1]):
        rows = np.flatnonzero(bars.present[:, j])
        out[rows[1:], j] = close[rows[1:], j] / close[rows[:-1], j] - 1.0
    return out


def filtered_returns(bars: Bars) -> np.ndarray:
    """Return each return over the volatility that was known before it, and beside them the volatility known now, shape (T, 2 N)."""
    returns = own_returns(bars)
    scaled, known = np.full(returns.shape, np.nan), np.full(returns.shape, np.nan)
    for j in range(returns.shape[1]):
        rows = np.flatnonzero(~np.isnan(returns[:, j]))
        if len(rows) > 1:
            volatility = np.sqrt(_smoothed(returns[rows, j] ** 2))
            with np.errstate(invalid="ignore", divide="ignore"):
                scaled[rows[1:], j] = returns[rows[1:], j] / volatility[:-1]
            known[rows, j] = volatility
    return np.concatenate([scaled, known], axis=1)


def _smoothed(squares: np.ndarray) -> np.ndarray:
    """Return the exponential average of squares, each weighed by the decay from the newest back."""
    import pandas as pd

    return np.asarray(pd.Series(squares).ewm(alpha=1.0 - DECAY, adjust=True).mean(), dtype=float)


class LossLimit(RiskManager):
    """What limits on losses share: the past returns of what is held, applied to the book as it would be after the order."""

    @property
    def lookback(self) -> int:
        """The window, and the close before it."""
        return int(self.window) + 1  # type: ignore[attr-defined]

    @property
    def room(self) -> int:
        """Three windows, and the moments."""
        return 3 * int(self.window) + 20  # type: ignore[attr-defined]

    def rows(self, n: int) -> int:
        """Return one row an instrument; filtered returns come with their volatility."""
        return 2 * n if self._filtered else n

    def series(self, bars: Bars) -> np.ndarray:
        """Return the returns of each instrument, shape (T, N), or (T, 2 N) of filtered ones."""
        return filtered_returns(bars) if self._filtered else own_returns(bars)

    @abstractmethod
    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""

    @property
    def _filtered(self) -> bool:
        return getattr(self, "method", "") == "filtered"

    def _require(self, limit: float, of: str, window: int) -> None:
        who = type(self).__name__
        if not 0 < limit < math.inf:
            said = "a share of equity (0.02 = two percent)" if of == "equity" else "an amount in account currency"
            raise ParameterError(f"{who}: limit must be a positive number, {said}, got {limit!r}")
        if of == "equity" and limit >= 10:
            raise ParameterError(f"{who}: limit is a share of equity (0.02 = two percent), got {limit!r}; an amount is of='money'")
        if not 2 <= window <= LONGEST:
            raise ParameterError(f"{who}: window must be 2 to {LONGEST} returns, got {window}")


class ValueAtRisk(LossLimit):
    """What the book loses in a day at most, with so much confidence, as it would be after the order.

    Each instrument's own returns of the last `window` steps at which all that is held had a bar, this one included, are applied to the
    book at this step's closes. Of steps shorter than a day the figure is scaled by the root of the steps per day among them. With fewer
    returns than the window nothing opens.

    Parameters
    ----------
    limit : float, default 0.02
        Share of equity; with ``of="money"`` an amount in account currency.
    confidence : float, default 0.95
    method : {"historical", "gaussian", "modified", "filtered"}, default "historical"
        Historical: the quantile of what the book would have made, interpolated as by numpy. Gaussian: from its mean and deviation
        (ddof 0). Modified: Cornish and Fisher's, which also looks at skew and tails; where that expansion breaks down nothing opens, with
        the reason. Filtered: historical, each return divided by its volatility then (RiskMetrics, 0.94) and multiplied by that of now.
    window : int, default 250
        Returns, at most 900.
    of : {"equity", "money"}, default "equity"
    horizon : float, default 1
        Trading days.

    References
    ----------
    Jorion, P. (2006). Value at Risk, 3rd edition. McGraw-Hill.
    Maillard, D. (2012). A User's Guide to the Cornish Fisher Expansion.
    Barone-Adesi, G., Giannopoulos, K. and Vosper, L. (1999). VaR without Correlations for Portfolios of Derivative Securities.

    Examples
    --------
    >>> ValueAtRisk(0.03, confidence=0.99).lookback
    251
    """

    limit: float = 0.02
    confidence: float = 0.95
    method: Literal["historical", "gaussian", "modified", "filtered"] = "historical"
    window: int = 250
    of: Literal["equity", "money"] = "equity"
    horizon: float = 1.0

    def check(self) -> None:
        """Refuse what is no limit, no confidence, no window and no horizon."""
        self._require(self.limit, self.of, self.window)
        _require_confidence(type(self).__name__, self.confidence)
        if not 0 < self.horizon < math.inf:
            raise ParameterError(f"{type(self).__name__}: horizon must be a positive number of days, got {self.horizon!r}")

    @property
    def _short(self) -> bool:
        return False

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return window, part, normal quantile, kind, method, limit, whether of equity, and horizon."""
        part = 1.0 - self.confidence
        method = float(METHODS.index(self.method))
        of_equity = float(self.of == "equity")
        return (
            float(self.window), part, NORMAL.inv_cdf(part), float(self._short), method, float(self.limit), of_equity, float(self.horizon),
        )  # fmt: skip

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return the largest quantity up to which the loss stays within the limit."""
        window = int(p[0])
        memory = history.memory
        filtered = 1.0 if p[4] == 3.0 else 0.0
        first = int(p[len(p) - 1])
        at = int(history.past[AT])
        count = scenarios(j, side, first, window, filtered, hi, lo, price, unit, history.series, history.days, at, memory)
        if count < window:
            return 0.0
        most = p[5] * (equity if p[6] != 0.0 else 1.0) / days_root(p[7], count, window, memory)
        if p[4] == 1.0:
            moments(count, window, memory)
            o = 3 * window + 3
            times = density_of(p[2]) / p[1] if p[3] != 0.0 else -p[2]
            return normal_room(times, most, memory[o], memory[o + 1], memory[o + 2], memory[o + 3], memory[o + 4])
        if p[4] == 2.0:
            moments(count, window, memory)
            o = 3 * window + 3
            scale = normal_room(-p[2], most, 0.0, 0.0, memory[o + 2], memory[o + 3], memory[o + 4])
            if not 0.0 < scale < UNLIMITED:
                scale = most / math.sqrt(memory[o + 4]) if memory[o + 4] > 0.0 else 1.0
            return scan_room(p[2], p[1], p[3], most, scale, window, memory)
        if p[3] != 0.0:
            return shortfall_room(math.floor((count - 1) * p[1]) + 1, most, count, window, memory)
        return quantile_room(p[1], most, count, window, memory)

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return what the book could lose as it is."""
        lost = self.measured_of(snapshot, instruments, currency, side)
        most = self.limit * (snapshot.equity if self.of == "equity" else 1.0)
        if lost is None:
            return f"fewer than {self.window} steps at which all that is held had a bar"
        if lost == math.inf:
            return f"Cornish and Fisher's expansion breaks down for these returns; method='historical' does not ({self.words(0, currency)})"
        return f"{self._what} {lost:,.2f} of {most:,.2f} {currency}"

    def measured_of(self, s: Snapshot, instruments: Sequence[Instrument], currency: str, side: float = 1.0) -> float | None:
        """Return what the book could lose as it is, in account currency; None where there are too few returns."""
        p = (*self.parameters(instruments, currency), float(s.first))
        memory, at, filtered = s.history.memory, int(s.history.past[AT]), 1.0 if self._filtered else 0.0
        count = scenarios(
            s.j, side, s.first, self.window, filtered, s.hi, s.lo, s.price, s.unit, s.history.series, s.history.days, at, memory
        )
        if count < self.window:
            return None
        return loss_of(p, 1.0, count, memory) * days_root(self.horizon, count, self.window, memory)

    @property
    def _what(self) -> str:
        return f"{self.confidence:.0%} value at risk".replace("%", " %")

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        money = f"{100 * self.limit:g} % of equity" if self.of == "equity" else f"{self.limit:,g} {currency}"
        return f"{self._what} of a book over {self.horizon:g} day{'s' * (self.horizon != 1)} at most {money}, {self.method}"


class ExpectedShortfall(ValueAtRisk):
    """What the book loses on average on the days that are worse than its value at risk, as it would be after the order.

    Everything else as for `ValueAtRisk`. Historical: the mean of the steps up to the quantile's rank,
    ``floor((n - 1)(1 - confidence)) + 1`` of them. Modified: Boudt, Peterson and Croux's.

    Parameters
    ----------
    limit : float, default 0.02
    confidence : float, default 0.95
    method : {"historical", "gaussian", "modified", "filtered"}, default "historical"
    window : int, default 250
    of : {"equity", "money"}, default "equity"
    horizon : float, default 1

    References
    ----------
    Acerbi, C. and Tasche, D. (2002). On the coherence of expected shortfall. Journal of Banking and Finance 26.
    Boudt, K., Peterson, B. and Croux, C. (2008). Estimation and decomposition of downside risk for portfolios with non-normal returns.

    Examples
    --------
    >>> ExpectedShortfall(0.03).method
    'historical'
    """

    @property
    def _short(self) -> bool:
        return True

    @property
    def _what(self) -> str:
        return f"{self.confidence:.0%} expected shortfall".replace("%", " %")


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
        first = int(p[len(p) - 1])
        at = int(history.past[AT])
        count = scenarios(j, side, first, window, 0.0, hi, lo, price, unit, history.series, history.days, at, memory)
        if count < window:
            return 0.0
        most = p[3] * (equity if p[4] != 0.0 else 1.0) / days_root(p[5], count, window, memory)
        o = 3 * window + 3
        if p[1] != 0.0:
            weighed(p[1], count, window, memory)
        else:
            moments(count, window, memory)
        if p[2] != 0.0:
            shrunk(p[2], j, side, first, hi, lo, price, unit, history.series, len(history.days), at, window, memory)
        return normal_room(1.0, most, 0.0, 0.0, memory[o + 2], memory[o + 3], memory[o + 4])

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return the limit, in money."""
        most = self.limit * (snapshot.equity if self.of == "equity" else 1.0)
        return f"volatility of the book, {self.method}, at most {most:,.2f} {currency} a year"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        money = f"{100 * self.limit:g} % of equity" if self.of == "equity" else f"{self.limit:,g} {currency}"
        return f"volatility of the book at most {money} a year, {self.method}"


def days_root(horizon: float, count: int, window: int, memory: Any) -> float:
    """Return what scales the figure of a step to so many days: the root of the steps in them."""
    return math.sqrt(horizon * (count / memory[3 * window]))


def density_of(z: float) -> float:
    """Return the normal density."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def loss_of(p: Any, strict: float, count: int, memory: Any) -> float:
    """Return the loss of the book as it is, of one step; `strict`: infinite where Cornish and Fisher's expansion breaks down."""
    window = int(p[0])
    if p[4] == 1.0 or p[4] == 2.0:
        moments(count, window, memory)
        o = 3 * window + 3
        if p[4] == 2.0:
            return modified_at(0.0, p[2], p[1], p[3], strict, window, memory)
        return (density_of(p[2]) / p[1] if p[3] != 0.0 else -p[2]) * math.sqrt(memory[o + 2]) - memory[o]
    if p[3] != 0.0:
        tail = math.floor((count - 1) * p[1]) + 1
        tail_sums(0.0, tail, count, window, memory)
        return -memory[3 * window + 1] / tail
    return -quantile_at(0.0, p[1], count, window, memory)


def weighed(decay: float, count: int, window: int, memory: Any) -> None:
    """Write the weighed squares of both parts, and how they move together, where `moments` writes variances."""
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
    at: int,
    window: int,
    memory: Any,
) -> None:
    """Draw the variance of the book towards that of instruments which do not move together; their own variances over the same stretch."""
    o = 3 * window + 3
    alone = 0.0
    for i in range(len(hi)):
        held = hi[i] if abs(hi[i]) >= abs(lo[i]) else lo[i]
        if i == j:
            held = hi[i] if side > 0 else lo[i]
        if held != 0.0:
            worth = (held * price[i]) * unit[i]
            alone = alone + worth * worth * variance_of((first + i) * stride + at, at, window, series)
    memory[o + 2] = (1.0 - share) * memory[o + 2] + share * alone
    own = hi[j] if side > 0 else lo[j]
    together = side * ((own * price[j]) * unit[j]) * ((price[j]) * unit[j])
    memory[o + 3] = (1.0 - share) * memory[o + 3] + share * together * variance_of((first + j) * stride + at, at, window, series)


def variance_of(newest: int, at: int, window: int, series: Any) -> float:
    """Return the variance (ddof 0) of the returns of one row, over the newest `window` steps in which it has one."""
    total = 0.0
    squares = 0.0
    count = 0
    for k in range(min(window, at + 1)):
        value = series[newest - k]
        if value == value:
            total = total + value
            squares = squares + value * value
            count += 1
    if count == 0:
        return 0.0
    mean = total / count
    return max(squares / count - mean * mean, 0.0)


def value_at_risk(returns: Any, confidence: float = 0.95, method: str = "historical") -> float:
    """Return the value at risk of a series of returns, positive for a loss; of one period.

    Parameters
    ----------
    returns : Series or array
        As shares, or money; NaN are left out.
    confidence : float, default 0.95
    method : {"historical", "gaussian", "modified"}, default "historical"
        As in `ValueAtRisk`: historical interpolates as numpy does, the others take the deviation with ddof 0.

    Returns
    -------
    float
        With a warning where Cornish and Fisher's expansion breaks down.

    Raises
    ------
    ParameterError
        Fewer than two returns, another method, a confidence outside of 0.5 to 1.

    Examples
    --------
    >>> round(value_at_risk([0.01, -0.02, 0.03, -0.01], 0.75), 4)
    0.0125
    """
    return _of(returns, confidence, method, 0.0)


def expected_shortfall(returns: Any, confidence: float = 0.95, method: str = "historical") -> float:
    """Return the expected shortfall of a series of returns, positive for a loss; of one period.

    Parameters, errors and methods as for `value_at_risk`.

    Examples
    --------
    >>> round(expected_shortfall([0.01, -0.02, 0.03, -0.01], 0.75), 4)
    0.02
    """
    return _of(returns, confidence, method, 1.0)


def _of(returns: Any, confidence: float, method: str, short: float) -> float:
    who = "expected_shortfall" if short else "value_at_risk"
    _require_confidence(who, confidence)
    if method not in METHODS[:3]:
        raise ParameterError(f"{who}: method must be historical, gaussian or modified, got {method!r}")
    values = np.asarray(returns, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) < 2:
        raise ParameterError(f"{who} needs at least two returns, got {len(values)}")
    n, part = len(values), 1.0 - confidence
    p = (float(n), part, NORMAL.inv_cdf(part), short, float(METHODS.index(method)))
    memory = [*values.tolist(), *[0.0] * (2 * n + 20)]
    if math.isinf(loss_of(p, 1.0, n, memory)):
        warnings.warn(
            f"{who}: Cornish and Fisher's expansion breaks down for these returns, its quantiles do not rise with the probability "
            "(Maillard, 2012): take method='historical'",
            stacklevel=3,
        )
    return loss_of(p, 0.0, n, memory)


def _require_confidence(who: str, confidence: float) -> None:
    if not 0.5 < confidence < 1:
        raise ParameterError(f"{who}: confidence lies between 0.5 and 1 (0.95 = ninety-five percent), got {confidence!r}")
