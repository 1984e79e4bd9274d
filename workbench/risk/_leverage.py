"""A limit on gross leverage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.risk._base import Breach, RiskManager, Snapshot

__all__ = ["MaxLeverage"]

#: Relative room for float arithmetic when a measure is compared with its limit (SEMANTICS 20).
TOLERANCE = 1e-9


class MaxLeverage(RiskManager):
    """Gross notional over equity: the sum of absolute positions at the closes, open orders at full size.

    Parameters
    ----------
    limit : float, default 2
        2 allows a gross notional of twice the equity.

    Examples
    --------
    >>> MaxLeverage(3)
    MaxLeverage(limit=3)
    """

    limit: float = 2.0

    def check(self) -> None:
        """Refuse a limit that is not positive."""
        if not 0 < self.limit < float("inf"):
            raise ParameterError(f"MaxLeverage: limit must be a positive number (2 = twice the equity), got {self.limit!r}")

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the limit."""
        return (float(self.limit),)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return what is left of limit x equity, in quantity of instrument j."""
        most_allowed = p[0] * equity
        left = most_allowed
        for i in range(len(hi)):
            most = max(abs(hi[i]), abs(lo[i]))
            value = (most * price[i]) * unit[i]
            # chosen, not branched off to: in the kernel nobody can guess which of hundreds of instruments are held
            left = left - (value if i != j and most > 0.0 else 0.0)
        each = price[j] * unit[j]
        reached = hi[j] if side > 0 else -lo[j]
        opposite = -lo[j] if side > 0 else hi[j]
        if opposite * each > left + TOLERANCE * most_allowed:
            return 0.0
        return left / each - reached

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return the leverage as it is and as it may be."""
        gross = 0.0
        for high, low, price, unit in zip(snapshot.hi, snapshot.lo, snapshot.price, snapshot.unit, strict=True):
            most = max(abs(high), abs(low))
            gross += most * price * unit if most else 0.0
        return f"gross {gross:,.2f} of {self.limit * snapshot.equity:,.2f} {currency} ({self.limit:g} x equity)"

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Return the share of all positions that brings gross notional back to the limit."""
        s = snapshot
        gross = sum(abs(held) * price * unit for held, price, unit in zip(s.hi, s.price, s.unit, strict=True) if held)
        most = self.limit * max(s.equity, 0.0)
        if gross <= most * (1.0 + TOLERANCE):
            return None
        return Breach([most / gross] * len(s.hi), self.explain(s, instruments, currency, 1.0))

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in money."""
        return f"gross limit {self.limit * equity:,.0f} {currency} ({self.limit:g} x equity)"
