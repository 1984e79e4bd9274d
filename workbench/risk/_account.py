"""Limits on the account as a whole: what it has lost, how often it trades, how much it holds at once (SEMANTICS 32)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from workbench.errors import ParameterError
from workbench.instrument import Instrument
from workbench.past import DAY_EQUITY, DAY_LOW, EQUITY, HALTED, LOST_AT, NOW, OPENED, PEAK, STREAK
from workbench.risk._base import Breach, RiskManager, Snapshot
from workbench.risk._room import TOLERANCE, UNLIMITED

__all__ = ["CoolDown", "MaxDailyLoss", "MaxDrawdown", "MaxPositions", "MaxTrades"]


class MaxDrawdown(RiskManager):
    """Nothing opens once equity has fallen so far from its highest close since the beginning.

    It holds until it is armed again: in a run by a command, in a backtest after `rearm_after` steps, from the equity of that step on.
    Deposits and withdrawals are no gain and no loss.

    Parameters
    ----------
    limit : float, default 0.2
        Share of the highest equity, below 1: 0.2 is twenty percent.
    rearm_after : int, optional
        Steps; never where not given.

    Examples
    --------
    >>> MaxDrawdown(0.15)
    MaxDrawdown(limit=0.15, rearm_after=None)
    """

    limit: float = 0.2
    rearm_after: int | None = None
    remembers: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse what is no share, and less than a step."""
        if not 0 < self.limit < 1:
            raise ParameterError(f"MaxDrawdown: limit is a share of the highest equity below 1 (0.2 = twenty percent), got {self.limit!r}")
        if self.rearm_after is not None and self.rearm_after < 1:
            raise ParameterError(f"MaxDrawdown: rearm_after must be at least 1 step, got {self.rearm_after}")

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return 0 while the account is halted, else all."""
        return 0.0 if history.past[HALTED] >= 0.0 else UNLIMITED

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return how far equity has fallen."""
        peak, equity = snapshot.history.past[PEAK], snapshot.history.past[EQUITY]
        fallen = (peak - equity) / peak if peak > 0 else 0.0
        return f"equity is {fallen:.1%} below its highest {peak:,.2f} {currency}, and {self.limit:.0%} halts the account".replace("%", " %")

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Let nothing stay while the account is halted."""
        halted = snapshot.history.past[HALTED] >= 0.0
        return Breach([0.0] * len(snapshot.hi), self.explain(snapshot, instruments, currency, 1.0)) if halted else None

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        return f"equity has fallen more than {100 * self.limit:g} % from its highest"


class MaxDailyLoss(RiskManager):
    """Nothing opens for the rest of the day once equity has fallen so far since the day began.

    The day turns at 00:00 UTC, or where `Strategy.day` says. A step belongs to the day in which its bar lies.

    Parameters
    ----------
    limit : float, default 0.03
        Share of the equity at the turn of the day, below 1; with ``of="money"`` an amount in account currency.
    of : {"equity", "money"}, default "equity"

    Examples
    --------
    >>> MaxDailyLoss(500, of="money")
    MaxDailyLoss(limit=500, of='money')
    """

    limit: float = 0.03
    of: Literal["equity", "money"] = "equity"
    remembers: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse what is no share of equity, and no amount."""
        most = 1.0 if self.of == "equity" else math.inf
        if not 0 < self.limit < most:
            said = "a share of equity below 1 (0.03 = three percent)" if self.of == "equity" else "a positive amount"
            raise ParameterError(f"MaxDailyLoss: limit is {said}, got {self.limit!r}")

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the limit, and whether it is a share."""
        return float(self.limit), float(self.of == "equity")

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return 0 where the day's lowest equity lies beyond the limit, else all."""
        most = p[0] * history.past[DAY_EQUITY] if p[1] != 0.0 else p[0]
        return 0.0 if history.past[DAY_EQUITY] - history.past[DAY_LOW] > most * (1.0 + TOLERANCE) else UNLIMITED

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return how much the day has cost at its worst."""
        lost = snapshot.history.past[DAY_EQUITY] - snapshot.history.past[DAY_LOW]
        return (
            f"the day has cost {lost:,.2f} {currency} at its worst, and {self._limit(snapshot.history.past[DAY_EQUITY], currency)} end it"
        )

    def breach(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str) -> Breach | None:
        """Let nothing stay once the day has cost too much."""
        s = snapshot
        room = self.decision(self.parameters(instruments, currency), (), 0, 1.0, s.equity, s.hi, s.lo, s.price, s.unit, s.base, s.history)
        return Breach([0.0] * len(s.hi), self.explain(s, instruments, currency, 1.0)) if room == 0.0 else None

    def _limit(self, equity: float, currency: str) -> str:
        return f"{self.limit * (equity if self.of == 'equity' else 1.0):,.2f} {currency}"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        return "the day has cost more than " + (
            f"{100 * self.limit:g} % of equity" if self.of == "equity" else f"{self.limit:,g} {currency}"
        )


class MaxPositions(RiskManager):
    """At most so many positions are held at once, those with an opening out counted in.

    A position is an instrument's; of several strategies in one account each has its own, and so has each entry.

    Parameters
    ----------
    limit : int, default 5

    Examples
    --------
    >>> MaxPositions(3)
    MaxPositions(limit=3)
    """

    limit: int = 5

    def check(self) -> None:
        """Refuse less than one."""
        _require_one(self)

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the limit."""
        return (float(self.limit),)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return 0 where the others are so many already, else all."""
        held = 0
        for i in range(len(hi)):
            if i != j and (hi[i] != 0.0 or lo[i] != 0.0):
                held += 1
        return UNLIMITED if held < p[0] else 0.0

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return how many are held."""
        held = sum(bool(high or low) for i, (high, low) in enumerate(zip(snapshot.hi, snapshot.lo, strict=True)) if i != snapshot.j)
        return f"{held} other positions are open, of at most {self.limit}"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        return f"at most {self.limit} positions at once"


class MaxTrades(RiskManager):
    """At most so many openings are sent a day, all instruments together; the day turns as for `MaxDailyLoss`.

    Parameters
    ----------
    limit : int, default 10

    Examples
    --------
    >>> MaxTrades(4)
    MaxTrades(limit=4)
    """

    limit: int = 10
    remembers: ClassVar[bool] = True

    def check(self) -> None:
        """Refuse less than one."""
        _require_one(self)

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return the limit."""
        return (float(self.limit),)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return 0 where so many were sent already today, else all."""
        return UNLIMITED if history.past[OPENED] < p[0] else 0.0

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return how many were sent."""
        return f"{snapshot.history.past[OPENED]:.0f} openings were sent today, of at most {self.limit}"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        return f"at most {self.limit} openings a day"


class CoolDown(RiskManager):
    """Nothing opens for some steps after so many losing trades in a row, all instruments together.

    Each further loss begins it anew; a trade that wins ends the row.

    Parameters
    ----------
    losses : int, default 3
        After costs; a trade that ends even counts as lost.
    steps : int, default 20
        From the step in which the last of them was closed.

    Examples
    --------
    >>> CoolDown(2, 10)
    CoolDown(losses=2, steps=10)
    """

    losses: int = 3
    steps: int = 20

    def check(self) -> None:
        """Refuse less than one loss, and less than one step."""
        for name in ("losses", "steps"):
            if getattr(self, name) < 1:
                raise ParameterError(f"CoolDown: {name} must be at least 1, got {getattr(self, name)}")

    def parameters(self, instruments: Sequence[Instrument], currency: str) -> tuple[float, ...]:
        """Return losses and steps."""
        return float(self.losses), float(self.steps)

    @staticmethod
    def decision(
        p: Any, table: Any, j: int, side: float, equity: float, hi: Any, lo: Any, price: Any, unit: Any, base: Any, history: Any
    ) -> float:
        """Return 0 while it cools down, else all."""
        return 0.0 if history.past[STREAK] >= p[0] and history.past[NOW] - history.past[LOST_AT] < p[1] else UNLIMITED

    def explain(self, snapshot: Snapshot, instruments: Sequence[Instrument], currency: str, side: float) -> str:
        """Return the losses, and how long it lasts still."""
        left = self.steps - (snapshot.history.past[NOW] - snapshot.history.past[LOST_AT])
        return f"{snapshot.history.past[STREAK]:.0f} trades in a row have lost: {left:.0f} more steps without an opening"

    def words(self, equity: float, currency: str) -> str:
        """Return the limit in words."""
        return f"{self.steps} steps without an opening after {self.losses} losses in a row"


def _require_one(part: Any) -> None:
    if part.limit < 1:
        raise ParameterError(f"{type(part).__name__}: limit must be at least 1, got {part.limit}")
