"""What the gate looks at and what it says: frozen values, given and handed back; nothing here reads a clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from workbench.errors import ParameterError
from workbench.market import Fill, Order
from workbench.numeric import number

__all__ = ["Failure", "Latch", "Situation", "Verdict"]


@dataclass(frozen=True, slots=True)
class Latch:
    """What the gate remembers of one instrument's fills; `why` says that it is shut, and only a fresh ``Latch()`` opens it again.

    Parameters
    ----------
    idle : int, default 0
        Fills in a row that did not move the position the way they should have.
    rounds : tuple of int, default ()
        When positions ended that were closed as soon as they had been opened, in nanoseconds.
    opened_at : int, optional
        When the position that is open now began.
    why : str, default ""
        Why it is shut; empty while it is not.
    refused : int, default 0
        Orders in a row that the venue has refused.
    """

    idle: int = 0
    rounds: tuple[int, ...] = ()
    opened_at: int | None = None
    why: str = ""
    refused: int = 0

    def after(
        self,
        fill: Fill,
        before: float,
        after: float,
        now: int,
        repeats: float,
        at_once: float,
        within: float,
        elsewhere: Sequence[int] = (),
    ) -> Latch:
        """Return the latch after a fill; `Gate.filled` calls it with its settings."""
        moved = (number(after) - number(before)) * fill.sign > 0.0
        idle = 0 if moved else self.idle + 1
        rounds = tuple(at for at in self.rounds if not seconds(at, now) > within)
        opened_at = self.opened_at
        if fill.key.leg != "open":
            at_an_end = not abs(number(after)) > 0.0
            if at_an_end and opened_at is not None and not seconds(opened_at, now) > at_once:
                rounds = (*rounds, now)
            opened_at = None if at_an_end else opened_at
        elif not abs(number(before)) > 0.0:
            opened_at = now
        count = len(rounds) + sum(not seconds(at, now) > within for at in elsewhere)
        return Latch(idle, rounds, opened_at, self.why or _repeated(fill.instrument.symbol, idle, count, repeats, at_once))

    def refused_by(self, symbol: str, refusals: float) -> Latch:
        """Return the latch after an order that the venue has refused; `Gate.rejected` calls it with its setting."""
        refused = self.refused + 1
        why = f"{symbol}: the venue has refused {refused} orders in a row, and {refusals:g} shut the gate" if refused >= refusals else ""
        return replace(self, refused=refused, why=self.why or why)


def seconds(since: object, now: object) -> float:
    """Return how many seconds lie between two moments in nanoseconds."""
    return (number(now) - number(since)) / 1e9


def _repeated(symbol: str, idle: int, rounds: int, repeats: float, at_once: float) -> str:
    """Return why the latch falls, if it does."""
    if idle >= repeats:
        return f"{symbol}: {idle} fills in a row did not move the position as they should have, and {repeats:g} shut the gate"
    if rounds >= repeats:
        return f"{symbol}: {rounds} positions were closed within {at_once:g} s of their opening, and {repeats:g} shut the gate"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known of an order's instrument, and of the account, at the moment the order is to be sent.

    Parameters
    ----------
    now : int
        The moment itself, in nanoseconds.
    mode : {"RUNNING", "REDUCING", "PAUSED", "HALTED"}
        SEMANTICS 38.
    last, last_at : float and int
        The instrument's last price, and when it was true, in nanoseconds.
    unit : float
        What turns its quantity x price into account currency: multiplier x rate.
    equity : float
        Of the account, in its currency.
    reference : float, optional
        A price that the last one is held against: the close that was decided on, or another source's.
    bid, ask : float, optional
        Both where the source has them.
    position : float, default 0
        What is held of the instrument, signed.
    orders : sequence of Order, default ()
        What is out, in doubt or working, at its full remaining size; only orders of the instrument count, and not the one in question.
    keys : collection of str, default ()
        The keys of all orders ever sent.
    sent : sequence of int, default ()
        When the recent orders of the instrument were sent, in nanoseconds; those of the last minute at least.
    open : bool, default True
        Whether orders may be sent by the instrument's calendar: while it trades, and where daily bars are decided on also until its
        next session.
    latch : Latch, optional
        Of the instrument.
    symbol : str, default ""
        What the market calls the instrument, where a strategy trades it under a name of its own; as the order does where not given.
    elsewhere : float, default 0
        What the account could hold of the instrument in the order's direction besides `position`: under other names.

    Raises
    ------
    ParameterError
        `orders`, `keys` or `sent` are no collections, or `latch` is none. Numbers are not looked at here: the gate judges them.
    """

    now: int
    mode: str
    last: float
    last_at: int
    unit: float
    equity: float
    reference: float | None = None
    bid: float | None = None
    ask: float | None = None
    position: float = 0.0
    orders: Sequence[Order] = ()
    keys: Collection[str] = ()
    sent: Sequence[int] = ()
    open: bool = True
    latch: Latch = Latch()
    symbol: str = ""
    elsewhere: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot even be looked through."""
        given: tuple[tuple[str, object, type, str], ...] = (
            ("orders", self.orders, Sequence, "a sequence of wb.Order"),
            ("keys", self.keys, Collection, "a collection of keys"),
            ("sent", self.sent, Sequence, "a sequence of nanoseconds"),
            ("latch", self.latch, Latch, "a Latch"),
        )
        for name, value, kind, said in given:
            if not isinstance(value, kind) or isinstance(value, str):
                raise ParameterError(f"Situation: {name} must be {said}, got {value!r}")
        for order in self.orders:
            if not _is(order, Order):
                raise ParameterError(f"Situation: orders must be wb.Order, got {order!r}")


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind, whatever its annotation promised."""
    return isinstance(value, kind)


class Failure(NamedTuple):
    """A check that failed, why, and the quantity that it leaves: 0 refuses, less than was asked cuts, infinity is an alert only."""

    check: str
    why: str
    room: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of an order.

    Parameters
    ----------
    asked : float
        The order's quantity, NaN where it was no number.
    quantity : float
        What may be sent: as asked, less, or 0.
    failed : tuple of Failure
        All checks that failed, in their order; those that only raise an alert are among them.
    """

    asked: float
    quantity: float
    failed: tuple[Failure, ...] = ()

    @property
    def answer(self) -> Literal["allowed", "cut", "refused"]:
        """Whether all of it may be sent, a part, or nothing."""
        return "refused" if not self.quantity > 0.0 else "allowed" if self.quantity == self.asked else "cut"

    @property
    def why(self) -> str:
        """The one sentence that says why it was refused or cut; empty where it was not."""
        if self.answer == "allowed":
            return ""
        return min(self.failed, key=lambda one: one.room).why

    @property
    def alerts(self) -> tuple[str, ...]:
        """What a closing was let through in spite of."""
        return tuple(one.why for one in self.failed if one.room == math.inf)

    def __str__(self) -> str:
        said = {"allowed": f"allowed, {self.asked:g}", "cut": f"cut from {self.asked:g} to {self.quantity:g}", "refused": "refused"}
        return "; ".join([": ".join(filter(None, (said[self.answer], self.why))), *self.alerts])
