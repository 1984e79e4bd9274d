"""How a connector asks its venue: within its rate limits and a time, reads again where no answer came, orders never twice.

Every connector takes the same three roads: `Calls.read` for what changes nothing, `Calls.send` for what does, and `rejection` for a
definitive no. FAULTS names what happens to those who retry an order, or take a failed query for an empty answer.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from workbench.errors import OrderRejected, OutcomeUnknown, ParameterError, Throttled, VenueError

__all__ = ["Budget", "Calls", "rejection"]

Answer = TypeVar("Answer")
#: Seconds: for one answer, and within which a read is tried again.
PATIENCE, IN_ALL = 10.0, 30.0
#: Seconds before the first try again, twice as many before each further one, and at most.
FIRST, MOST = 0.25, 5.0
#: Seconds for which a venue that throttles lets nothing through, where it does not say how long.
UNSAID = 1.0


class Budget:
    """So much weight in so many seconds: a venue's rate limit, kept on our side.

    Parameters
    ----------
    limit : float
        Weight that is allowed in any `seconds`.
    seconds : float
    clock : callable
        Seconds that only grow.

    Examples
    --------
    >>> budget = Budget(2, 60.0, clock=lambda: 0.0)
    >>> budget.take(2.0), budget.wait(1.0)
    (None, 60.0)
    """

    def __init__(self, limit: float, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        for name, value in (("limit", limit), ("seconds", seconds)):
            if not 0 < value < float("inf"):
                raise ParameterError(f"Budget: {name} must be a positive number, got {value!r}")
        self.limit, self.seconds, self._clock = limit, seconds, clock
        self._spent: deque[tuple[float, float]] = deque()
        self._closed_until = 0.0

    def wait(self, weight: float = 1.0) -> float:
        """Return for how many seconds nothing of this weight may be asked."""
        if weight > self.limit:
            raise ParameterError(f"Budget: one request of weight {weight:g} is more than the {self.limit:g} that are allowed")
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - self.seconds:
            self._spent.popleft()
        used, free_at = sum(spent for _, spent in self._spent), now
        for at, spent in self._spent:
            if used + weight <= self.limit:
                break
            used, free_at = used - spent, at + self.seconds
        return max(free_at, self._closed_until) - now if max(free_at, self._closed_until) > now else 0.0

    def take(self, weight: float = 1.0) -> None:
        """Note that a request of this weight leaves now."""
        self._spent.append((self._clock(), weight))

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds: the venue said so (``Retry-After``)."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)


class Calls:
    """A connector's calls.

    Parameters
    ----------
    budgets : sequence of Budget, default ()
        The venue's rate limits: each call has to find room in all of them.
    patience : float, default 10
        Seconds for one answer.
    in_all : float, default 30
        Seconds within which a read is tried again.
    clock, sleep : callable
        For tests.

    Examples
    --------
    >>> Calls().read(lambda patience: "an answer")
    'an answer'
    """

    def __init__(
        self,
        budgets: Sequence[Budget] = (),
        patience: float = PATIENCE,
        in_all: float = IN_ALL,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience, self._in_all = patience, in_all
        self._clock, self._sleep = clock, sleep
        # one without a limit, where none is known: it keeps the pause that a venue asks for
        self._budgets = tuple(budgets) or (Budget(1e9, 1.0, clock),)
        self._lock = threading.Lock()

    def read(self, ask: Callable[[float], Answer], weight: float = 1.0) -> Answer:
        """Ask what changes nothing: again, with growing pauses, where no answer came or the venue was throttling.

        Parameters
        ----------
        ask : callable
            Given the seconds that it may take; raises `VenueError` where no answer came.
        weight : float, default 1
            What it counts against the budgets.

        Raises
        ------
        VenueError
            No answer in all that time: never an empty one.
        """
        from tenacity import Retrying, retry_if_exception_type, wait_exponential

        until = self._clock() + self._in_all
        tries = Retrying(
            sleep=self._sleep,
            stop=lambda state: self._clock() + _shut_for(state.outcome) >= until,
            wait=wait_exponential(multiplier=FIRST, max=MOST),
            retry=retry_if_exception_type(VenueError),
            reraise=True,
        )
        return tries(self._once, ask, weight, until)

    def send(self, ask: Callable[[float], Answer], weight: float = 1.0) -> Answer:
        """Ask what changes something, once.

        Raises
        ------
        OrderError
            The venue refused, for certain.
        Throttled
            It was not asked, or it refused unheard: nothing was done.
        OutcomeUnknown
            It may have been done, or not.
        """
        return self._once(ask, weight, self._clock() + self._patience)

    def _once(self, ask: Callable[[float], Answer], weight: float, until: float) -> Answer:
        self._make_room(weight, until)
        try:
            return ask(min(self._patience, max(until - self._clock(), FIRST)))
        except Throttled as refused:
            for budget in self._budgets:
                budget.close(refused.retry_after or UNSAID)
            raise
        except OSError as error:  # time-outs, lines that broke, certificates
            raise OutcomeUnknown(f"no answer came: {str(error) or type(error).__name__}") from error

    def _make_room(self, weight: float, until: float) -> None:
        """Wait until there is room in all budgets, and take it; what would come too late is not asked at all."""
        while True:
            with self._lock:
                wait = max((budget.wait(weight) for budget in self._budgets), default=0.0)
                if wait <= 0.0:
                    for budget in self._budgets:
                        budget.take(weight)
                    return
            if self._clock() + wait > until:
                raise Throttled(f"the venue's rate limit leaves no room for {wait:.1f} s: it was not asked", wait)
            self._sleep(wait)


def _shut_for(outcome: Any) -> float:
    """Return for how long a venue lets nothing through, by what came of a try."""
    error = None if outcome is None else outcome.exception()
    return error.retry_after if isinstance(error, Throttled) else 0.0


def rejection(kinds: Mapping[Any, type[OrderRejected]], message: str, code: Any, words: str) -> OrderRejected:
    """Return a venue's definitive no as one of our errors, its own words kept; one whose code is new is a plain `OrderRejected`.

    Parameters
    ----------
    kinds : mapping
        What each of the venue's codes means.
    message : str
        What was refused, in our words.
    code, words : Any and str
        The venue's own.

    Examples
    --------
    >>> from workbench.errors import InsufficientFunds
    >>> rejection({-2010: InsufficientFunds}, "buy 1 BTCUSDT", -2010, "Account has insufficient balance.")
    InsufficientFunds('buy 1 BTCUSDT (the venue: -2010 Account has insufficient balance.)')
    """
    return kinds.get(code, OrderRejected)(message, str(code), words)
