"""What a session tells: typed events, and the bus that hands them to whoever subscribed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from workbench.errors import ParameterError
from workbench.execution.port import OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged
from workbench.instrument import Instrument
from workbench.market import Order

__all__ = [
    "Alert",
    "Decided",
    "EventBus",
    "HandlerFailed",
    "OrderAccepted",
    "OrderAmended",
    "OrderEnded",
    "OrderFilled",
    "OrderSent",
    "PositionCharged",
    "StepClosed",
]

log = logging.getLogger("workbench.session")


class Decided(NamedTuple):
    """A stance was acted on; `row` holds the trace (`workbench.records.DECISION`)."""

    number: int
    instrument: Instrument
    row: Any


class OrderSent(NamedTuple):
    """An order was handed to the venue; `decision` is the number of the decision it comes from."""

    order: Order
    decision: int
    step: int


class StepClosed(NamedTuple):
    """All of a step's decisions are made and sent."""

    step: int
    label: int
    equity: float


class Alert(NamedTuple):
    """Something that a person should look at."""

    text: str


class HandlerFailed(NamedTuple):
    """A subscriber raised; trading went on."""

    handler: str
    event: object
    error: Exception


Handler = Callable[[Any], None]
KINDS = (Decided, OrderSent, OrderAccepted, OrderFilled, OrderAmended, OrderEnded, PositionCharged, StepClosed, Alert, HandlerFailed)


class EventBus:
    """Hands events to the handlers of their type, in the order in which they subscribed.

    A handler that raises stops neither the session nor the other handlers: its error is logged and told as
    `HandlerFailed`.

    Examples
    --------
    >>> bus, seen = EventBus(), []
    >>> bus.on(StepClosed, seen.append)
    >>> bus.emit(StepClosed(0, 0, 100.0))
    >>> seen[0].equity
    100.0
    """

    def __init__(self) -> None:
        self._handlers: dict[type, list[Handler]] = {kind: [] for kind in KINDS}

    def on(self, kind: type, handler: Handler) -> None:
        """Subscribe to a type of event."""
        if kind not in self._handlers:
            names = ", ".join(k.__name__ for k in KINDS)
            raise ParameterError(f"a session tells {names}; got {getattr(kind, '__name__', kind)!r}")
        self._handlers[kind].append(handler)

    def emit(self, event: Any) -> None:
        """Hand an event to its handlers."""
        for handler in self._handlers[type(event)]:
            try:
                handler(event)
            except Exception as error:
                log.exception("a handler of %s failed", type(event).__name__)
                if not isinstance(event, HandlerFailed):
                    self.emit(HandlerFailed(getattr(handler, "__qualname__", repr(handler)), event, error))

    def heard(self, kind: type) -> list[Handler]:
        """Return the handlers of a type: the list itself, so that a hot loop can skip events nobody hears."""
        return self._handlers[kind]
