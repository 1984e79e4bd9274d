"""Stops and targets that the session holds itself, where a venue takes no such orders (``Strategy(unsupported="hold")``).

They are orders like those that rest at a venue, and move like them, but they are looked at only when a bar closes: what was reached
inside it is closed at market, at the next open. A run that is dead holds nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from workbench.execution.fills import limit_inside, nearer, stop_inside, stop_level, target_level
from workbench.market import Fill, Order, Side
from workbench.session.state import State
from workbench.strategy import EXITS_NEED, Strategy

__all__ = ["held_legs", "note_level", "rest", "touched", "unserved"]

#: How many moves of a stop are kept.
MOST_LEVELS = 32


def held_legs(strategy: Strategy, supports: Collection[str]) -> frozenset[str]:
    """Return which protective orders of a strategy the session holds at a venue that can do this much: of "stop" and "target"."""
    if strategy.unsupported != "hold":
        return frozenset()
    kinds = {part.kind for part in strategy.exits}
    lacking = {kind for kind in kinds if not set(EXITS_NEED.get(kind, ())) <= set(supports)}
    return frozenset({"target" if kind == "target" else "stop" for kind in lacking})


def unserved(strategy: Strategy, supports: Collection[str]) -> dict[str, str]:
    """Return what a strategy asks for that neither the venue does nor the session in its place, each with the part that asks."""
    missing = {what: who for what, who in strategy.needs.items() if what not in supports}
    legs = held_legs(strategy, supports)
    served = {"stop", "amend"} if "stop" in legs else set()
    served |= {"limit"} if "target" in legs else set()
    return {what: who for what, who in missing.items() if what not in served - strategy.execution.sends}


def rest(legs: Collection[str], state: State, fill: Fill, quantity: float, spec: Any) -> None:
    """Have the protective orders that are held here stand for what is held by now: anew, larger, smaller, or gone.

    Parameters
    ----------
    legs : collection of str
    state : State
        Of the instrument, the fill booked.
    fill : Fill
    quantity : float
        The position after it, signed.
    spec : Any
        The instrument in plain numbers.
    """
    plan, held = state.plan, 1.0 if quantity > 0.0 else -1.0
    for leg in legs:
        away = None if plan is None else plan.stop if leg == "stop" else plan.target
        order: Order | None = getattr(state, leg)
        if not quantity or away is None or away != away:
            setattr(state, leg, None)
        elif fill.key.leg == "open":
            level = (stop_level if leg == "stop" else target_level)(held, state.filled_at, away, spec.tick_number, spec.tick_power)
            if leg == "stop" and order is not None and order.price is not None:
                level = nearer(held, order.price, level)
            if leg == "stop":
                state.levels = state.levels if order is not None else []
                note_level(state, fill.label, level)
            setattr(state, leg, _order(leg, fill, quantity, level))
        elif order is not None:
            setattr(state, leg, replace(order, quantity=abs(quantity)))


def _order(leg: str, fill: Fill, quantity: float, level: float) -> Order:
    side: Side = "sell" if quantity > 0.0 else "buy"
    key, kind = replace(fill.key, leg=leg, child=0), "stop" if leg == "stop" else "limit"
    return Order(fill.instrument, side, abs(quantity), kind, level, key, reduce_only=True, reason=f"{leg}, held by the session")


def note_level(state: State, since: int, price: float) -> None:
    """Note where a stop is, and from which label on; the newest moves are enough for bars that come late."""
    state.levels = [*state.levels[1 - MOST_LEVELS :], (since, price)]


def _was_at(state: State, label: int) -> float:
    """Return where a stop that is held was in the bar of a label: a level holds from the bar after it was set on (SEMANTICS 25)."""
    known = [price for since, price in state.levels if since <= label]
    return known[-1] if known else state.levels[0][1]


def touched(legs: Collection[str], state: State, quantity: float, high: float, low: float, label: int) -> str:
    """Return which of the orders that are held here a bar has reached, the stop first; empty where none.

    In the bar inside which it was entered, by an order that waited for its price, the target counts for nothing: its high may have come
    before (SEMANTICS 24). Of a bar before it nothing counts.
    """
    held, target = 1.0 if quantity > 0.0 else -1.0, state.target
    if label < state.held_since:
        return ""
    if "stop" in legs and state.stop is not None and stop_inside(held, _was_at(state, label), high, low):
        return "stop"
    if state.by_limit and label <= state.entered:
        return ""
    if "target" in legs and target is not None and target.price is not None and limit_inside(-held, target.price, high, low):
        return "target"
    return ""
