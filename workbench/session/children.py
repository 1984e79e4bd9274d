"""What an execution algorithm makes of an opening: looked at before it is sent."""

from __future__ import annotations

from dataclasses import replace

from workbench.errors import StrategyError
from workbench.execution import ExecutionAlgorithm, WorkingAlgorithm
from workbench.grid import lots_exactly, lots_of, quantity_of, round_away
from workbench.market import Order

__all__ = ["checked", "lessened", "single"]


def single(orders: object, algorithm: ExecutionAlgorithm) -> list[Order]:
    """Return the plan, which may hold one order at most: more than one child is not followed up yet."""
    who = type(algorithm).__name__
    if not isinstance(orders, list) or not all(isinstance(order, Order) for order in orders):
        raise StrategyError(f"{who}.plan must return a list of wb.Order, got {orders!r}")
    if len(orders) > 1:
        raise StrategyError(
            f"{who}.plan gave {len(orders)} orders for {orders[0].instrument.symbol}; a session follows one child of an opening"
        )
    return orders


def lessened(order: Order, lots: int) -> list[Order]:
    """Return an order for so many steps less; none where nothing is left."""
    number, power = order.instrument.step
    rest = lots_exactly(order.quantity, number, power) - lots
    return [] if rest <= 0 else [order if not lots else replace(order, quantity=quantity_of(rest, number, power))]


def checked(order: Order, parent: Order, algorithm: ExecutionAlgorithm) -> Order:
    """Return an order of an own algorithm under the parent's key, on the grids, with the parent's exits; refuse any other."""
    number, power = parent.instrument.step
    lots = lots_of(order.quantity, number, power)
    same = (order.instrument, order.side) == (parent.instrument, parent.side)
    if not same or not 0 < lots <= lots_exactly(parent.quantity, number, power):
        allowed = f"{parent.side} up to {parent.quantity:g} {parent.instrument.symbol} in steps of {parent.instrument.quantity_step:g}"
        raise StrategyError(f"{type(algorithm).__name__}.plan may {allowed}, got {order.side} {order.quantity:g} {order.instrument.symbol}")
    side = float(order.sign)
    missing = order.needs - algorithm.sends
    if missing:
        also = f"sends = frozenset({{{', '.join(repr(one) for one in sorted(algorithm.sends | missing))}}})"
        said = f"gave an order that asks for {', '.join(sorted(missing))}, and does not say that it sends such: {also} does"
        raise StrategyError(f"{type(algorithm).__name__}.plan {said}")
    if order.then == "cross" and isinstance(algorithm, WorkingAlgorithm):
        said = "is asked at each close what to send, so then='cross' is not for it: its last answer may go at market"
        raise StrategyError(f"{type(algorithm).__name__} {said}")
    # a limit away from the market; what waits for a price to go on, away from it on the other side
    price, limit = (
        None if value is None else round_away(value, away, *order.instrument.tick)
        for value, away in ((order.price, side if order.type in ("limit", "take_profit") else -side), (order.limit_price, side))
    )
    return replace(
        order,
        key=parent.key,
        price=price,
        limit_price=limit,
        quantity=quantity_of(lots, number, power),
        stop_distance=parent.stop_distance,
        target_distance=parent.target_distance,
    )
