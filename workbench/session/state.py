"""What a session knows of one instrument between steps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

from workbench.market import Fill, Order, OrderKey
from workbench.money import average_of
from workbench.session.working import Work

__all__ = ["CLOSING", "PROTECTIVE", "Proposal", "State", "of_what_closed"]

#: What closes a position by itself; it bears the label of the opening that it protects.
PROTECTIVE = ("stop", "target")
#: The orders that are to close all of a position.
CLOSING = ("close", *PROTECTIVE)
#: The orders of an instrument that may be out.
ORDERS = ("opening", "closing", "stop", "target")


class Proposal(NamedTuple):
    """An opening that waits for a person's word (SEMANTICS 39).

    Parameters
    ----------
    order : Order
        As it was decided.
    decision : int
        The number of its decision.
    until : int
        When its time is over, in nanoseconds since 1970.
    """

    order: Order
    decision: int
    until: int


class State:
    """The stance acted on, and the orders that are out.

    Parameters
    ----------
    waiting : bool
        Whether the first stance is only to be noted (``start="wait"``).
    """

    __slots__ = (
        "acted",
        "added_by",
        "age",
        "best",
        "by_limit",
        "closed_at",
        "closing",
        "crossing",
        "decision",
        "entered",
        "filled_at",
        "held_by",
        "held_since",
        "late",
        "leaving",
        "levels",
        "missed",
        "missed_at",
        "opened_at",
        "opening",
        "plan",
        "proposal",
        "put_in",
        "row",
        "spent",
        "stop",
        "target",
        "waiting",
        "wish",
        "work",
    )

    def __init__(self, waiting: bool) -> None:
        self.waiting = waiting
        self.acted = 0
        self.wish = 0
        self.opening: Order | None = None
        #: The opening that is worked over several bars, of which `opening` is what is out.
        self.work: Work | None = None
        #: The opening that waits for a person's word.
        self.proposal: Proposal | None = None
        self.closing: Order | None = None
        self.stop: Order | None = None
        self.target: Order | None = None
        self.crossing: Order | None = None
        self.closed_at = -1
        self.opened_at = -1
        self.decision = -1
        #: The last opinion that was not decided on, and its row; NaN where there is none.
        self.missed, self.missed_at = math.nan, -1
        #: How many of its bars came late in a row.
        self.late = 0
        self.row: Any = None
        #: What the exits of the newest opening are, and how its position has fared: the price of its fill, the best price since, its bars.
        self.plan: Any = None
        self.filled_at = self.best = math.nan
        self.age = 0
        self.by_limit = False
        #: The labels of the bars in which the position was entered first, and last.
        self.held_since = self.entered = -1
        #: The labels that what is held was decided at, first and last, and the one up to which whatever was decided is to be closed.
        self.held_by = self.added_by = self.leaving = -1
        #: Since which label a stop that the session holds has been where: a bar that comes late is compared with where it was then.
        self.levels: list[tuple[int, float]] = []
        #: What the position has cost so far in cash, and what was put in, both in account currency.
        self.spent = self.put_in = 0.0

    def adds_to(self, lots: int) -> bool:
        """Whether anything would open more on the side of what is held: it is out, to cross, or worked."""
        return any(order is not None and order.sign * lots > 0 for order in (self.opening, *self.pending))

    @property
    def pending(self) -> list[Order]:
        """The openings that are still to be sent, or parts of them: to cross, worked, or waiting for a word."""
        whole = None if self.work is None else self.work.parent
        asked = None if self.proposal is None else self.proposal.order
        return [order for order in (self.crossing, whole, asked) if order is not None]

    @property
    def reserved(self) -> Order | None:
        """The opening with all of it that could still fill: what counts against limits."""
        if self.proposal is not None:
            return self.proposal.order
        return self.opening if self.work is None or self.work.asked_for_all else self.work.rest

    def note(self, stance: float, row: int) -> None:
        """Keep an opinion in mind that is not decided on."""
        if stance == stance and row >= self.missed_at:
            self.missed, self.missed_at = stance, row

    def filled(self, fill: Fill, spent: float, unit: float, held: float, come: float) -> None:
        """Note a fill: what is whole is no longer out.

        Parameters
        ----------
        fill : Fill
        spent : float
            What it cost in cash; negative where it brought some.
        unit : float
            Turns quantity x price into account currency.
        held, come : float
            The position before it, and how much larger it has become: less than was bought, where the fee was taken from that.
        """
        self.spent += spent
        if fill.key.leg in ("open", "add"):
            self.put_in += (fill.quantity * fill.price) * unit
            self.added_by = _decided_at(fill.key)
            self.held_by = self.added_by if held * fill.sign <= 0.0 else self.held_by
        elif fill.key.leg == "close" and not fill.left:
            self.held_by = self.added_by  # what is held still, if anything, was opened beside it
        if fill.key.leg == "open":
            self._entered(fill, held, come)
        if fill.left:
            self._reduced(fill)
        else:
            self.ended(fill.key)

    def left_by(self, fill: Fill, flat: bool) -> None:
        """Note that what protects the position closes it: nothing of its opening crosses any more, and where it is flat no addition."""
        if self.crossing is not None and of_what_closed(self.crossing, fill, flat):
            self.crossing = None
        if self.opening is not None and of_what_closed(self.opening, fill, flat):
            self.opening = replace(self.opening, then="cancel")
        if self.proposal is not None and of_what_closed(self.proposal.order, fill, flat):
            self.proposal = None

    def _entered(self, fill: Fill, held: float, come: float) -> None:
        """Note at what price the position was entered: the average, where it comes in parts."""
        self.entered = fill.label
        if held * fill.sign > 0.0:
            self.filled_at = average_of(held, self.filled_at, come, fill.price)
            return
        self.held_since = fill.label
        self.by_limit = self.opening is not None and self.opening.type != "market"
        self.filled_at = self.best = fill.price
        self.age = 0

    def _reduced(self, fill: Fill) -> None:
        """Note what is left of an order that has filled in part."""
        for name in ORDERS:
            order: Order | None = getattr(self, name)
            if order is not None and order.key == fill.key:
                setattr(self, name, replace(order, quantity=fill.left))

    def amended(self, key: OrderKey, price: float, quantity: float | None = None) -> None:
        """Note that an order rests at another price, or for another quantity."""
        for name in ("stop", "target"):
            order: Order | None = getattr(self, name)
            if order is not None and order.key == key:
                setattr(self, name, replace(order, price=price, quantity=order.quantity if quantity is None else quantity))

    def protect(self, order: Order) -> None:
        """Note a protective order that the venue rests."""
        if order.key is not None and order.key.leg == "stop":
            self.stop = order
        else:
            self.target = order

    def ended(self, key: OrderKey) -> Order | None:
        """Forget an order, and return it."""
        for name in ORDERS:
            order: Order | None = getattr(self, name)
            if order is not None and order.key == key:
                setattr(self, name, None)
                return order
        return None

    @property
    def orders(self) -> list[Order]:
        """The orders that are out."""
        return [order for order in (self.opening, self.closing, self.stop, self.target) if order is not None]

    @property
    def closes(self) -> bool:
        """Whether an order is out that closes the position at market, all of it."""
        return self.closing is not None and (self.closing.key is None or self.closing.key.leg != "trim")

    def leave(self, out: Order | None = None) -> None:
        """Note that all that is held is to be closed, and what an opening that is out, or was, may still open."""
        label = -1 if out is None or out.key is None else _decided_at(out.key)
        self.leaving = max(self.leaving, self.held_by, self.added_by, label)

    def opens_anew(self) -> bool:
        """Whether what is out opens another position than what is held: it was decided on after all of that, and adds to nothing."""
        key = None if self.opening is None else self.opening.key
        return key is not None and key.leg == "open" and _decided_at(key) > self.added_by

    def closed_by(self, key: OrderKey) -> bool:
        """Whether an order that closes, or trims, was meant for what is held: not for what was decided on after it."""
        return self.leaves if key.leg == "close" else self.held_by < _decided_at(key)

    @property
    def leaves(self) -> bool:
        """Whether what is held is to be closed, whatever becomes of the orders that are out."""
        return self.held_by <= self.leaving


def _decided_at(key: OrderKey) -> int:
    """Return the label that an opening was decided at; before all others where it is none of ours."""
    return key.label if isinstance(key.label, int) else -1


def of_what_closed(order: Order, fill: Fill, flat: bool) -> bool:
    """Whether an order is another part of the position that what protects it closes; an addition goes on while any of it is held."""
    return order.key is not None and (flat if order.key.leg == "add" else order.key.label == fill.key.label)
