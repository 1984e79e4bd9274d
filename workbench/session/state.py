"""What a session knows of one instrument between steps."""

from __future__ import annotations

import math
from typing import Any

from workbench.market import Order, OrderKey

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
        "closed_at",
        "closing",
        "crossing",
        "decision",
        "late",
        "missed",
        "missed_at",
        "opened_at",
        "opening",
        "row",
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

    def note(self, stance: float, row: int) -> None:
        """Keep an opinion in mind that is not decided on."""
        if stance == stance and row >= self.missed_at:
            self.missed, self.missed_at = stance, row

    def filled(self, key: OrderKey) -> None:
        """Note a fill: an opening is no longer out, and what closed the position leaves nothing out."""
        if key.leg == "open":
            self.opening = None
        else:
            self.ended(key)

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
    def leaving(self) -> bool:
        """Whether anything is out that closes the position."""
        return self.closing is not None or self.stop is not None or self.target is not None
