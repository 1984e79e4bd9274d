"""Limits on what the book could lose in a day: value at risk and expected shortfall (SEMANTICS 33)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any, ClassVar, Literal

import numpy as np

from workbench.bars import Bars
from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.past import AT
from workbench.risk._base import Breach, RiskManager, Snapshot
from workbench.risk._returns import filtered_returns, own_returns
from workbench.risk._room import TOLERANCE, UNLIMITED
from workbench.risk._scenarios import DEPTH, Returns, kept_places, moments, scenarios, scratch_places, variances
from workbench.risk._tail import modified_at, normal_room, quantile_at, quantile_room, scan_room, shortfall_room, tail_sums

__all__ = ["ExpectedShortfall", "LossLimit", "ValueAtRisk", "days_root", "loss_of", "require_confidence", "returns_of"]

NORMAL = NormalDist()
METHODS = ("historical", "gaussian", "modified", "filtered")
#: Longer windows than this are not kept in a run.
LONGEST = 900


class LossLimit(RiskManager):
    """What limits on losses share: the past returns of what is held, applied to the book as it would be after the order."""

    #: What the book measures as it is, in account currency: called and compiled as `decision` is.
    measure: ClassVar[Callable[..., float]]

    @property
    def lookback(self) -> int:
        """The window, and the close before it."""
        return int(self.window) + 1  # type: ignore[attr-defined]

    @property
    def scratch(self) -> int:
        """Four windows, and the moments."""
        return scratch_places(int(self.window))  # type: ignore[attr-defined]

    def kept(self, n: int) -> int:
        """Return the sums of blocks of instruments."""
        return kept_places(n, int(self.window))  # type: ignore[attr-defined]

    def series_rows(self, n: int) -> int:
        """Return one row an instrument; filtered returns come with their volatility."""
        return 2 * n if self._filtered else n

    def series(self, bars: Bars) -> np.ndarray:
        """Return the returns of each instrument, shape (T, N), or (T, 2 N) of filtered ones."""
        return filtered_returns(bars) if self._filtered else own_returns(bars)

    def measured_of(self, s: Snapshot, instruments: Sequence[Instrument], currency: str, side: float = 1.0) -> float:
        """Return what the book measures as it is, in account currency; NaN where there are too few returns."""
        return self._measured(s, instruments, currency, side, self.memory(len(s.hi)))

    def _measured(self, s: Snapshot, instruments: Sequence[Instrument], currency: str, side: float, memory: Any) -> float:
        p = (*self.parameters(instruments, currency), float(self.scratch), float(s.first))
        history = s.history._replace(memory=memory)
        return type(self).measure(p, (0.0,), s.j, side, s.equity, s.hi, s.lo, s.price, s.unit, s.base, history)

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return what the book could lose as it is."""
        memory = self.memory(len(snapshot.hi))
        found = self._measured(snapshot, instruments, currency, side, memory)
        if math.isnan(found):
            return f"fewer than {self.window} steps at which all that is held had a bar"  # type: ignore[attr-defined]
        if found == math.inf or self.unfit(memory):
            return f"Cornish and Fisher's expansion breaks down for these returns; method='historical' does not ({self.words(0, currency)})"
        return f"{self.what} {round(found, 2) + 0.0:,.2f} of {self.most(snapshot.equity):,.2f} {currency}"

    def unfit(self, memory: Any) -> bool:
        """Whether an empty book is measured by what would break down for its first lot."""
        return False

    def most(self, equity: float) -> float:
        """Return the limit in account currency."""
        return float(self.limit * (equity if self.of == "equity" else 1.0))  # type: ignore[attr-defined]

    @property
    @abstractmethod
    def what(self) -> str:
        """What is measured, in words."""

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Return the share of all positions that is within the limit: what is measured grows with the book."""
        measured, most = self.measured_of(snapshot, instruments, currency), self.most(max(snapshot.equity, 0.0))
        if not most * (1.0 + TOLERANCE) < measured < math.inf:
            return None
        return Breach([most / measured] * len(snapshot.hi), self.explain(snapshot, instruments, currency, 1.0))

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
        require_confidence(type(self).__name__, self.confidence)
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
        count = scenarios(j, side, window, hi, lo, price, unit, history.days, returns_of(p, window, filtered, len(hi), history))
        if count < window:
            return 0.0
        most = p[5] * (equity if p[6] != 0.0 else 1.0) / days_root(p[7], count, window, memory)
        if p[4] == 1.0:
            variances(count, window, memory)
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

    @staticmethod
    def measure(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return what the book could lose as it is: NaN for too few returns, infinite where the expansion breaks down."""
        window = int(p[0])
        memory = history.memory
        filtered = 1.0 if p[4] == 3.0 else 0.0
        count = scenarios(j, side, window, hi, lo, price, unit, history.days, returns_of(p, window, filtered, len(hi), history))
        if count < window:
            return math.nan
        return loss_of(p, 1.0, count, memory) * days_root(p[7], count, window, memory)

    def unfit(self, memory: Any) -> bool:
        """Whether the first lot in an empty book is one for which Cornish and Fisher's expansion breaks down."""
        if self.method != "modified" or memory[3 * self.window + 5] != 0.0:
            return False
        part = 1.0 - self.confidence
        return modified_at(1.0, NORMAL.inv_cdf(part), part, float(self._short), 1.0, self.window, memory) == math.inf

    @property
    def what(self) -> str:
        """What is measured, in words."""
        kind = "expected shortfall" if self._short else "value at risk"
        return f"{100 * self.confidence:g} % {kind}" + (f" over {self.horizon:g} days" if self.horizon != 1 else "")

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        money = f"{100 * self.limit:g} % of equity" if self.of == "equity" else f"{self.limit:,g} {currency}"
        return f"{self.what} of a book at most {money}{' a day' if self.horizon == 1 else ''}, {self.method}"


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


def returns_of(p: Any, window: int, scaled: float, n: int, history: Any) -> Returns:
    """Return the returns that a limit looks back at; the last two of its numbers say where its memory and its rows begin."""
    first, at, stride = int(p[len(p) - 1]), int(history.past[AT]), len(history.days)
    return Returns(history.series, stride, first, at, n, scaled, DEPTH * window, history.memory, int(p[len(p) - 2]))


def days_root(horizon: float, count: int, window: int, memory: Any) -> float:
    """Return what scales the figure of a step to so many days: the root of the steps in them."""
    return math.sqrt(horizon * (count / memory[3 * window]))


def density_of(z: float) -> float:
    """Return the normal density."""
    return math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def loss_of(p: Any, strict: float, count: int, memory: Any) -> float:
    """Return the loss of the book as it is, of one step; `strict`: infinite where Cornish and Fisher's expansion breaks down."""
    window = int(p[0])
    if p[4] == 2.0:
        moments(count, window, memory)
        return modified_at(0.0, p[2], p[1], p[3], strict, window, memory)
    if p[4] == 1.0:
        variances(count, window, memory)
        o = 3 * window + 3
        return (density_of(p[2]) / p[1] if p[3] != 0.0 else -p[2]) * math.sqrt(memory[o + 2]) - memory[o]
    if p[3] != 0.0:
        tail = math.floor((count - 1) * p[1]) + 1
        tail_sums(0.0, tail, count, window, memory)
        return -memory[3 * window + 1] / tail
    return -quantile_at(0.0, p[1], count, window, memory)


def require_confidence(who: str, confidence: float) -> None:
    """Refuse a confidence that is none."""
    if not 0.5 < confidence < 1:
        raise ParameterError(f"{who}: confidence lies between 0.5 and 1 (0.95 = ninety-five percent), got {confidence!r}")
