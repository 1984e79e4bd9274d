"""Gates of a test's own: they cut closings, or keep them back."""

from __future__ import annotations

import math
from typing import Any

from workbench.market import Order
from workbench.session.checking import Said

__all__ = ["Cuts", "KeepsClosings"]


class Cuts:
    """Lets so much of each closing through."""

    def __init__(self, most: float = 4.0) -> None:
        self.most = most

    def now(self, session: Any) -> int:
        return 0

    def ask(self, session: Any, order: Order) -> Said:
        return Said(min(order.quantity, self.most), "cut") if order.reduce_only else Said(order.quantity)


class KeepsClosings:
    """Lets no closing through, so many times."""

    def __init__(self, times: float = math.inf) -> None:
        self.left = times

    def now(self, session: Any) -> int:
        return 0

    def ask(self, session: Any, order: Order) -> Said:
        kept = order.reduce_only and self.left > 0
        self.left -= kept
        return Said(0.0, "not now") if kept else Said(order.quantity)
