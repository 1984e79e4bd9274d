"""Orders in doubt: asked for one by one, ended where the venue has never had them, sent again where that is still right (SEMANTICS 37)."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.execution.port import ExecutionModule
from workbench.market import Order
from workbench.session.live import LiveSession
from workbench.session.standing import difference

__all__ = ["Doubts", "Insistence", "send_again"]

#: Seconds in which a venue usually says something of an order.
PATIENCE = 2.0
#: Seconds between two tries of what a venue does not confirm: at first, twice as many each time, and at most.
FIRST, MOST = 0.25, 30.0


class Doubts:
    """Knows which orders have been in doubt for a while: one that was sent a moment ago is no news."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        #: Since when the venue has said of an order that it does not know it.
        self._missing: dict[str, float] = {}

    def settle(self, session: LiveSession, account: ExecutionModule, now: float) -> list[Order]:
        """Ask the venue for every order in doubt; end, and return, those that it has never had. A failed query raises.

        A venue that may come to know an order late (`ExecutionModule.settle_time`) is asked again after that time, and the rest of its
        book has to agree with ours: "not found" alone is no evidence there.
        """
        missing = [order for order in session.doubtful if order.key is not None and not account.knows(order.key)]
        self._missing = {str(order.key): self._missing.get(str(order.key), now) for order in missing}
        absent = [order for order in missing if now - self._missing[str(order.key)] >= account.settle_time]
        if absent and account.settle_time > 0.0:
            state = account.state()
            absent = [] if difference(session, state, state.number, missing) else absent
        for order in absent:
            assert order.key is not None
            session.absent(order.key)
        return absent

    def lasting(self, session: LiveSession, now: float) -> list[Order]:
        """Return the orders that have been in doubt for `PATIENCE` seconds and more."""
        doubtful = {str(order.key): order for order in session.doubtful}
        self._since = {key: self._since.get(key, now) for key in doubtful}
        return [order for key, order in doubtful.items() if now - self._since[key] >= PATIENCE]


class Insistence:
    """Says when to try again what a venue has not confirmed yet: at once, then ever more rarely.

    Examples
    --------
    >>> tries = Insistence()
    >>> [at for at in (0.0, 0.1, 0.25, 0.5, 0.75) if tries.is_due(at)]
    [0.0, 0.25, 0.75]
    """

    def __init__(self) -> None:
        self._pause, self._due = FIRST, 0.0

    def is_due(self, now: float, wanted: bool = True) -> bool:
        """Whether to try now; where nothing is wanted any more, the next time it is is the first."""
        if not wanted:
            self._pause, self._due = FIRST, 0.0
        if not wanted or now < self._due:
            return False
        self._due, self._pause = now + self._pause, min(2.0 * self._pause, MOST)
        return True


def send_again(session: LiveSession, absent: Sequence[Order], closings_only: bool) -> None:
    """Send once more what the venue has never had: closings first, and no opening over a closing in doubt (SEMANTICS 17)."""
    over = closings_only
    for order in sorted(absent, key=lambda one: not one.reduce_only):
        if session.timely(order) and (order.reduce_only or not over):
            certain = session.again(order)
            over = over or (order.reduce_only and not certain)
