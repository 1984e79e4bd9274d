"""What a session knows of one instrument between steps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from workbench.market import Fill, Order, OrderKey

__all__ = ["State"]


class State:
    """The stance acted on, and the orders that are out.

    Parameters
    ----------
    waiting : bool
        Whether the first stance is only to be noted (``start="wait"``).
    """

    __slots__ = (
        "acted",
        "age",
        "best",
        "by_limit",
        "closed_at",
        "closing",
        "crossing",
        "decision",
        "filled_at",
        "late",
        "missed",
        "missed_at",
        "opened_at",
        "opening",
        "plan",
        "put_in",
        "row",
        "spent",
        "stop",
        "target",
        "waiting",
        "wish",
    )

    def __init__(self, waiting: bool) -> None:
        self.waiting = waiting
        self.acted = 0
        self.wish = 0
        self.opening: Order | None = None
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
        #: What the position has cost so far in cash, and what was put in, both in account currency.
        self.spent = self.put_in = 0.0

    def note(self, stance: float, row: int) -> None:
        """Keep an opinion in mind that is not decided on."""
        if stance == stance and row >= self.missed_at:
            self.missed, self.missed_at = stance, row

    def filled(self, fill: Fill, spent: float, unit: float) -> None:
        """Note a fill: an opening is no longer out, and what closed the position leaves nothing out.

        Parameters
        ----------
        fill : Fill
        spent : float
            What it cost in cash; negative where it brought some.
        unit : float
            Turns quantity x price into account currency.
        """
        self.spent += spent
        if fill.key.leg == "add":
            self.put_in += (fill.quantity * fill.price) * unit
            self.ended(fill.key)
        elif fill.key.leg == "open":
            self.put_in += (fill.quantity * fill.price) * unit
            self.by_limit = self.opening is not None and self.opening.type == "limit"
            self.opening = None
            self.filled_at = self.best = fill.price
            self.age = 0
        else:
            self.ended(fill.key)

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
        for name in ("opening", "closing", "stop", "target"):
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

    @property
    def leaving(self) -> bool:
        """Whether anything is out that closes the position."""
        return self.closing is not None or self.stop is not None or self.target is not None
