"""A limit on leverage, gross or net."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.risk._base import Breach, RiskManager, Snapshot
from workbench.risk._room import TOLERANCE, group_room

__all__ = ["MaxLeverage"]


class MaxLeverage(RiskManager):
    """Notional over equity, positions at the closes, open orders at full size: gross, long and short added up, or net, one less the other.

    Parameters
    ----------
    limit : float, default 2
        2 allows a notional of twice the equity.
    scope : {"gross", "net"}, default "gross"

    Examples
    --------
    >>> MaxLeverage(3)
    MaxLeverage(limit=3, scope='gross')
    """

    limit: float = 2.0
    scope: Literal["gross", "net"] = "gross"

    def check(self) -> None:
        """Refuse a limit that is not positive."""
        if not 0 < self.limit < float("inf"):
            raise ParameterError(f"MaxLeverage: limit must be a positive number (2 = twice the equity), got {self.limit!r}")

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the limit, and whether it is on the net."""
        return float(self.limit), float(self.scope == "net")

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return what is left of limit x equity, in quantity of instrument j."""
        most_allowed = p[0] * equity
        # numbers are chosen, not branched off to: in the kernel nobody can guess which of hundreds of instruments are held
        if p[1] != 0.0:
            top = 0.0
            bottom = 0.0
            for i in range(len(hi)):
                high = (hi[i] * price[i]) * unit[i]
                low = (lo[i] * price[i]) * unit[i]
                top = top + (high if hi[i] != 0.0 else 0.0)
                bottom = bottom + (low if lo[i] != 0.0 else 0.0)
            return group_room(most_allowed, top, bottom, side * (price[j] * unit[j]))
        left = most_allowed
        for i in range(len(hi)):
            most = max(abs(hi[i]), abs(lo[i]))
            value = (most * price[i]) * unit[i]
            left = left - (value if i != j and most > 0.0 else 0.0)
        each = price[j] * unit[j]
        reached = hi[j] if side > 0 else -lo[j]
        opposite = -lo[j] if side > 0 else hi[j]
        if opposite * each > left + TOLERANCE * most_allowed:
            return 0.0
        return left / each - reached

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return the leverage as it is and as it may be."""
        used = self.used(snapshot)
        return f"{self.scope} {used:,.2f} of {self.limit * snapshot.equity:,.2f} {currency} ({self.limit:g} x equity)"

    def used(self, snapshot: Snapshot) -> float:
        """Return the notional that is limited, in account currency; net, of the two worst cases the one that is further from 0."""
        s = snapshot
        held = [(hi, lo, price * unit) for hi, lo, price, unit in zip(s.hi, s.lo, s.price, s.unit, strict=True) if hi or lo]
        if self.scope == "gross":
            return sum(max(abs(hi), abs(lo)) * each for hi, lo, each in held)
        return max((sum(hi * each for hi, _, each in held), sum(lo * each for _, lo, each in held)), key=abs)

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Return what may stay: gross of all positions alike, net of those on the larger side."""
        used, most = self.used(snapshot), self.limit * max(snapshot.equity, 0.0)
        if abs(used) <= most * (1.0 + TOLERANCE):
            return None
        worth = [held * price * unit if held else 0.0 for held, price, unit in zip(snapshot.hi, snapshot.price, snapshot.unit, strict=True)]
        along = [bool(one) and (self.scope == "gross" or one * used > 0.0) for one in worth]
        mass = sum(abs(one) for one, counts in zip(worth, along, strict=True) if counts)
        share = max((most + mass - abs(used)) / mass, 0.0)
        return Breach([share if counts else 1.0 for counts in along], self.explain(snapshot, instruments, currency, 1.0))

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in money."""
        return f"{self.scope} limit {self.limit * equity:,.0f} {currency} ({self.limit:g} x equity)"
