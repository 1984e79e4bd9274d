"""Orders in doubt: asked for one by one, ended where the venue has never had them, sent again where that is still right (SEMANTICS 37)."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.execution.port import ExecutionModule, OrderEnded, VenueSaid
from workbench.market import Order
from workbench.session.live import LiveSession

__all__ = ["Doubts", "send_again", "settle"]

#: Seconds in which a venue usually says something of an order.
PATIENCE = 2.0


class Doubts:
    """Counts the orders that have been in doubt for a while: one that was sent a moment ago is no news."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def lasting(self, session: LiveSession, now: float) -> int:
        """Return how many orders have been in doubt for `PATIENCE` seconds and more."""
        self._since = {key: self._since.get(key, now) for key in (str(order.key) for order in session.doubtful)}
        return sum(now - since >= PATIENCE for since in self._since.values())


def settle(session: LiveSession, account: ExecutionModule) -> list[Order]:
    """Ask the venue for every order in doubt; end, and return, those that it has never had. A failed query raises."""
    absent = [order for order in session.doubtful if order.key is not None and not account.knows(order.key)]
    label = session.tape.label[session.steps_done - 1]
    for order in absent:
        assert order.key is not None
        session.told([VenueSaid(f"absent {order.key}", OrderEnded(order.key, "absent", label))])
    return absent


def send_again(session: LiveSession, absent: Sequence[Order], closings_only: bool) -> None:
    """Send once more what the venue has never had: closings first, and no opening over a closing in doubt (SEMANTICS 17)."""
    doubtful: set[str] = set()
    for order in sorted(absent, key=lambda one: not one.reduce_only):
        over = order.instrument.symbol in doubtful or (closings_only and not order.reduce_only)
        if session.timely(order) and not over and not session.again(order):
            doubtful.add(order.instrument.symbol)
