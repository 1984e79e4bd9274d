"""The event orchestrator: the same for replay, paper and live."""

from workbench.session.events import (
    Alert,
    Decided,
    EventBus,
    HandlerFailed,
    OrderAccepted,
    OrderAmended,
    OrderEnded,
    OrderFilled,
    OrderSent,
    PositionCharged,
    StepClosed,
)
from workbench.session.session import Session

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
    "Session",
    "StepClosed",
]
