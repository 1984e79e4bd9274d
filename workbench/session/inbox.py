"""What arrives from a venue, in its order, each message once: a line that was broken tells some of it twice."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator

from workbench.execution.port import Arrival, BarsClosed, Connected, Disconnected, MarketOver, VenueSaid

__all__ = ["Inbox", "Numbered"]

Numbered = VenueSaid | BarsClosed | MarketOver


class Inbox:
    """A queue that a connection puts into and a session takes out of.

    Parameters
    ----------
    told : int, default 0
        The number of the newest message that is known.
    """

    def __init__(self, told: int = 0) -> None:
        self._queue: queue.Queue[Arrival] = queue.Queue()
        self.told = told
        #: Numbers behind a gap that are known all the same: a run was killed between two of them.
        self.ahead: frozenset[int] = frozenset()

    def know(self, told: int, numbers: set[int]) -> None:
        """Know messages: all up to one number, and some more."""
        while told + 1 in numbers:
            told += 1
        self.told, self.ahead = told, frozenset(number for number in numbers if number > told)

    def put(self, arrival: Arrival) -> None:
        """Put what arrives; called in the connection's thread."""
        self._queue.put(arrival)

    def take(self, patience: float) -> Arrival | None:
        """Take what arrives next with a new number (it may be `ahead`); None where nothing came in time."""
        deadline = time.monotonic() + patience
        while True:
            try:
                arrival = self._queue.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                return None
            if isinstance(arrival, (Connected, Disconnected)) or self._is_new(arrival):
                return arrival

    def said_by_now(self) -> Iterator[VenueSaid]:
        """Take what the venue has said by now, up to anything else that arrives."""
        while self._queue.queue and isinstance(self._queue.queue[0], VenueSaid):
            said = self._queue.get_nowait()
            if isinstance(said, VenueSaid) and self._is_new(said):
                yield said

    def _is_new(self, arrival: Numbered) -> bool:
        number = int(arrival.number)
        if number <= self.told:
            return False
        self.told = number
        return True
