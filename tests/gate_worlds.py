"""A share, a calm moment and a gate with round limits: what the tests of the gate share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import workbench as wb
from workbench.market import OrderKey
from workbench.risk.gate import Gate, Latch, Situation

SHARE = wb.Instrument("AAPL", tick_size=0.01)
NOW = 1_700_000_000_000_000_000
SECOND = 10**9
CALM = Situation(
    now=NOW,
    mode="RUNNING",
    last=100.0,
    last_at=NOW - SECOND,
    unit=1.0,
    equity=10_000.0,
    reference=100.0,
    bid=99.9,
    ask=100.1,
    position=20.0,
)
GATE = Gate(max_quantity=200, max_notional=1.5, max_position=2.0, max_orders=3, repeats=3)
SHUT = Latch(rounds=(NOW, NOW, NOW), why="AAPL: 3 positions were closed at once")


def key(label: int | str = 1, leg: str = "open", child: int = 0) -> OrderKey:
    return OrderKey("AAPL", label, leg, child)


def opening(quantity: float = 10, side: Any = "buy", **more: Any) -> wb.Order:
    return wb.Order(SHARE, side, quantity, key=key(), **more)


def closing(quantity: float = 10, side: Any = "sell", label: int | str = 1, **more: Any) -> wb.Order:
    return wb.Order(SHARE, side, quantity, key=key(label, "close"), reduce_only=True, **more)


def forged(thing: Any, **values: Any) -> Any:
    """Return a copy of a frozen value with what its constructor would refuse."""
    twin = replace(thing)
    for name, value in values.items():
        object.__setattr__(twin, name, value)
    return twin
