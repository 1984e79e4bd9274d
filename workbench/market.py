"""The values that pass between the parts: orders, fills, positions, the book and the market. No I/O.

A `quantity` is in lots, shares, contracts or coins: signed where it is a position, positive with a `side` in an order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.bars import Bars
from workbench.instrument import Instrument
from workbench.order import Fill, Order, OrderKey, Side
from workbench.past import History, empty_past, no_history

__all__ = [
    "Account",
    "Bars",
    "Book",
    "Decision",
    "Effect",
    "Fill",
    "Instrument",
    "Market",
    "Order",
    "OrderKey",
    "Outlook",
    "Position",
    "Reason",
    "Side",
]


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one instrument; `quantity` is signed."""

    instrument: Instrument
    quantity: float
    average_price: float
    last_price: float
    unrealised: float
    stop: float | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What a venue says of the money: all amounts in `currency`."""

    currency: str
    cash: float
    equity: float
    margin: float


@dataclass(frozen=True, slots=True)
class Book:
    """The portfolio as a user's own part sees it: frozen, at one moment (SEMANTICS 15).

    `highest` and `lowest` are the positions that open orders could still lead to (SEMANTICS 21), `history` what there is to
    look back at (`workbench.past.History`).
    """

    currency: str
    equity: float
    cash: float
    positions: Mapping[str, float]
    highest: Mapping[str, float]
    lowest: Mapping[str, float]
    history: History = field(default_factory=lambda: no_history(empty_past()))


@dataclass(frozen=True, slots=True)
class Market:
    """The market as a user's own part sees it: the closes of one step, frozen.

    Parameters
    ----------
    time : int
        The step's label, in nanoseconds.
    instrument : Instrument
        The one that is decided on.
    instruments : mapping of str to Instrument
        All of them, in the order of `Bars`.
    closes : mapping of str to float
        Last closes; NaN before an instrument's first bar.
    units : mapping of str to float
        What turns quantity x price into account currency: multiplier x rate.
    bases : mapping of str to float
        What one lot's base currency is worth in account currency; 0 for anything but currency pairs.
    inputs : mapping of str to float
        What depends on bars only: ``stop_distance`` and the like of the exits, and ``measured`` of the sizer; NaN where there is none.
    """

    time: int
    instrument: Instrument
    instruments: Mapping[str, Instrument]
    closes: Mapping[str, float]
    units: Mapping[str, float]
    bases: Mapping[str, float]
    inputs: Mapping[str, float] = field(default_factory=dict)

    @property
    def price(self) -> float:
        """The close of the instrument that is decided on."""
        return self.closes[self.instrument.symbol]

    @property
    def unit(self) -> float:
        """What turns its quantity x price into account currency."""
        return self.units[self.instrument.symbol]


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a decision's trace: who cut the size, from what to what, and why."""

    who: str
    before: float
    after: float
    why: str

    def __str__(self) -> str:
        return f"{self.who}: {self.before:g} -> {self.after:g}, {self.why}"


@dataclass(frozen=True, slots=True)
class Effect:
    """One figure of the book, before an order and after it (NaN where it is not known), and the nearest limit on its size."""

    what: str
    before: float
    after: float
    unit: str
    limit: float | None = None

    @property
    def beyond(self) -> bool:
        """Whether the book would be beyond the limit after the order."""
        return self.limit is not None and abs(self.after) > self.limit * (1.0 + 1e-9)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a preview looked at: the order, what each limit left of it, and what it would do to the book.

    Parameters
    ----------
    order : Order
    trace : tuple of Reason
        Every limit that was asked, also those that cut nothing, and the venue where it did.
    effects : tuple of Effect
        Leverage, gross notional, the exposure of the groups that the order touches, and what limits on losses measure: at the last
        prices, before costs.
    missing : tuple of str
        What could not be looked at, one sentence each.
    """

    order: Order
    trace: tuple[Reason, ...]
    effects: tuple[Effect, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What the limits allow of an order, and why; `outlook` says what it would do, and makes no decision another one."""

    quantity: float
    reasons: tuple[Reason, ...] = ()
    outlook: Outlook | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return "; ".join(str(reason) for reason in self.reasons) or f"{self.quantity:g}, nothing cut"

    def _repr_html_(self) -> str:
        from workbench.market_display import decision_html

        return decision_html(self)
