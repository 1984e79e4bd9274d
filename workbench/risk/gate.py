"""The gate before the venue: every order passes it, whoever made it - strategy, panel, Telegram (SEMANTICS 18-19, 37-38).

It is the last look at an order, with what is known at that moment, and it trusts nobody's arithmetic: each comparison says what must
hold, and NaN, which compares false with all, fails it (`workbench.risk._checks`). It reads no clock and remembers nothing: what it looks
at comes in as a `Situation`, what it learns of fills goes out as a `Latch`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.errors import OrderError, ParameterError, did_you_mean
from workbench.market import Fill, Order
from workbench.numeric import number
from workbench.risk._checks import ALL, CHECKS, asked_of, minimum, rounded_down
from workbench.risk._situation import Failure, Latch, Situation, Verdict

__all__ = ["Failure", "Gate", "Latch", "Situation", "Verdict"]


@dataclass(frozen=True, slots=True)
class Gate:
    """The last checks of an order before it is sent: numbers, freshness, mode, collar, size, position, rate, key, latch, calendar.

    Openings have to pass all of them. Per order, size is refused and not cut: an order that is too large is a fault, and its largest
    allowed part is no better. Only the position cuts. A closing (``reduce_only``) is let through with an alert where a check would keep
    a position open against its owner's will; it is refused where it is no order (its numbers, its key) and cut to what is left to close.
    Numbers, grids, modes and keys are always looked at; None switches any other check off.

    Parameters
    ----------
    max_age : float or None, default 300
        Seconds since the last price was true.
    max_spread : float or None, default 0.01
        Ask less bid, as a share of their middle; asked for where both are known.
    collar : float or None, default 0.05
        How far, as a share of the last price, an order's price may be from it.
    reference_collar : float or None, default 0.1
        The same for `Situation.reference`; a reference must then be given.
    max_quantity : float, dict of str to float, or None
        Lots, shares, contracts or coins an order: for all, or by symbol, and then no other symbol opens. Off where not given, because lots
        are not alike.
    max_notional : float or None, default 30
        Value of an order, as a multiple of equity or in account currency. The default is what the lowest margin carries (SEMANTICS 22):
        no order that was sized within its account's buying power is held back by it, and a slip of the hand or a broken rate is.
    max_position : float or None, default 30
        Value of an instrument's position, with what orders that are out could add (SEMANTICS 21); an order is cut to what is left.
    of : {"equity", "money"}, default "equity"
        What `max_notional` and `max_position` are measured in.
    max_orders : int or None, default 60
        Orders of an instrument within a minute, this one included.
    repeats : int or None, default 5
        The latch: so many fills in a row that do not move the position, or so many positions closed `at_once` `within` a time, shut the
        gate for the instrument until a person opens it again.
    at_once, within : float, default 5 and 600
        Seconds.
    refusals : int or None, default 3
        So many orders of an instrument in a row that the venue has refused shut it too: what is refused once is refused again.
    calendar : bool, default True
        Whether the instrument's calendar must let orders through.

    Raises
    ------
    ParameterError
        A limit that is no positive number, or a share that is not below 1.

    Examples
    --------
    >>> from workbench import Instrument, Order
    >>> from workbench.market import OrderKey
    >>> order = Order(Instrument("AAPL"), "buy", 10, key=OrderKey("AAPL", 0, "open"))
    >>> now = Situation(now=10**18, mode="RUNNING", last=200.0, last_at=10**18 - 10**9, unit=1.0, equity=10_000.0, reference=200.0)
    >>> Gate(max_position=0.15, of="equity").check(order, now).quantity
    7.0
    """

    max_age: float | None = 300.0
    max_spread: float | None = 0.01
    collar: float | None = 0.05
    reference_collar: float | None = 0.1
    max_quantity: float | Mapping[str, float] | None = None
    max_notional: float | None = 30.0
    max_position: float | None = 30.0
    of: Literal["equity", "money"] = "equity"
    max_orders: int | None = 60
    repeats: int | None = 5
    at_once: float = 5.0
    within: float = 600.0
    calendar: bool = True
    refusals: int | None = 3

    def __post_init__(self) -> None:
        """Refuse limits that are none: NaN would let everything pass, or nothing."""
        for name in ("max_age", "max_notional", "max_position", "max_orders", "repeats", "refusals"):
            _require(name, getattr(self, name), "a positive number, or None for no check", optional=True)
        for name in ("max_spread", "collar", "reference_collar"):
            _require(name, getattr(self, name), "a share between 0 and 1, or None for no check", optional=True, below=1.0)
        for name in ("at_once", "within"):
            _require(name, getattr(self, name), "a positive number of seconds")
        for name in ("max_orders", "repeats", "refusals"):
            if getattr(self, name) is not None and not isinstance(getattr(self, name), int):
                raise ParameterError(f"Gate: {name} counts, so it must be a whole number, got {getattr(self, name)!r}")
        for symbol, most in (self.max_quantity if isinstance(self.max_quantity, Mapping) else {"all": self.max_quantity}).items():
            _require(f"max_quantity for {symbol}", most, "a positive number", optional=symbol == "all")
        if self.of not in ("equity", "money"):
            raise ParameterError(f"Gate: of must be 'equity' or 'money', got {self.of!r}{did_you_mean(str(self.of), ('equity', 'money'))}")
        if not isinstance(self.calendar, bool):
            raise ParameterError(f"Gate: calendar must be True or False, got {self.calendar!r}")

    def check(self, order: Order, situation: Situation) -> Verdict:
        """Return what may be sent of an order: all of it, less, or nothing, and every check that failed.

        Parameters
        ----------
        order : Order
            As it would be sent, with its key.
        situation : Situation

        Returns
        -------
        Verdict

        Raises
        ------
        OrderError
            What came is no order, or no situation.

        Examples
        --------
        >>> from workbench import Instrument, Order
        >>> order = Order(Instrument("AAPL"), "buy", 10)
        >>> now = Situation(now=2 * 10**18, mode="RUNNING", last=200.0, last_at=2 * 10**18, unit=1.0, equity=1e6, reference=200.0)
        >>> print(Gate().check(order, now))
        refused: AAPL: an order needs a wb.market.OrderKey, got None
        """
        if not _is(order, Order) or not _is(situation, Situation):
            raise OrderError(f"Gate.check needs a wb.Order and a Situation, got {order!r} and {situation!r}")
        asked = asked_of(order, situation)
        failed = [failure for one in CHECKS for failure in one(self, asked)]
        room = min((one.room for one in failed), default=ALL)
        quantity = asked.quantity if room >= asked.quantity else rounded_down(room, order.instrument)
        too_small = minimum(asked, quantity) if quantity > 0.0 else None
        if too_small is not None:
            failed.append(too_small)
            quantity = quantity if too_small.room > 0.0 else 0.0
        return Verdict(asked.quantity, quantity if quantity > 0.0 else 0.0, tuple(failed))

    def filled(self, latch: Latch, fill: Fill, before: float, after: float, now: int, elsewhere: Sequence[int] = ()) -> Latch:
        """Return the latch of an instrument after one of its fills.

        Parameters
        ----------
        latch : Latch
            As it was.
        fill : Fill
        before, after : float
            The position before and after it, signed, as whoever keeps the position says.
        now : int
            When it happened, in nanoseconds.
        elsewhere : sequence of int, default ()
            The `rounds` of the instrument's other latches, where it is traded under several names: all of them count.

        Returns
        -------
        Latch
            Shut where its `why` is not empty. A person opens it with a fresh ``Latch()``.
        """
        repeats = math.inf if self.repeats is None else self.repeats
        return latch.after(fill, before, after, now, repeats, self.at_once, self.within, elsewhere)

    def rejected(self, latch: Latch, symbol: str) -> Latch:
        """Return the latch of an instrument after an order of it that the venue has refused; a fill begins the count anew."""
        return latch.refused_by(symbol, math.inf if self.refusals is None else self.refusals)

    def limit(self, share: float, equity: float) -> float:
        """Return a limit in account currency; NaN where equity is none."""
        return share * equity if self.of == "equity" else share


def _require(name: str, value: object, said: str, optional: bool = False, below: float = math.inf) -> None:
    """Refuse a setting that is no positive number below a bound."""
    if not (optional and value is None) and not 0.0 < number(value) < below:
        raise ParameterError(f"Gate: {name} must be {said}, got {value!r}")


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a kind, whatever its annotation promised."""
    return isinstance(value, kind)
