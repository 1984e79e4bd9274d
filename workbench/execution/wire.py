"""Orders, fills and a venue's events as plain values - for a journal, a ledger or a wire - and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from workbench.execution.port import OrderAccepted, OrderAmended, OrderEnded, OrderFilled, PositionCharged, VenueEvent
from workbench.instrument import Instrument
from workbench.market import Fill, Order, OrderKey

__all__ = ["event_from", "event_plain", "fill_from", "fill_plain", "order_from", "order_plain"]

Instruments = Mapping[str, Instrument]
Plain = dict[str, Any]


def order_plain(order: Order) -> Plain:
    """Return an order as plain values: the instrument by its symbol, what was not said left out.

    Examples
    --------
    >>> order_plain(Order(Instrument("ABC"), "buy", 2.0))
    {'instrument': 'ABC', 'side': 'buy', 'quantity': 2.0}
    """
    return _plain(order)


def order_from(plain: Plain, instruments: Instruments) -> Order:
    """Return the order that `order_plain` wrote."""
    return Order(**_made(plain, instruments))


def fill_plain(fill: Fill) -> Plain:
    """Return a fill as plain values."""
    return _plain(fill)


def fill_from(plain: Plain, instruments: Instruments) -> Fill:
    """Return the fill that `fill_plain` wrote."""
    return Fill(**_made(plain, instruments))


def event_plain(event: VenueEvent) -> Plain:
    """Return what a venue said as plain values."""
    if isinstance(event, OrderFilled):
        return {"event": "filled", "fill": fill_plain(event.fill)}
    if isinstance(event, OrderAccepted):
        parent = {} if event.parent is None else {"parent": _key_plain(event.parent)}
        return {"event": "accepted", "order": order_plain(event.order), **parent}
    if isinstance(event, OrderAmended):
        size = {} if event.quantity is None else {"quantity": event.quantity}
        return {"event": "amended", "key": _key_plain(event.key), "price": event.price, "label": event.label, **size}
    if isinstance(event, PositionCharged):
        return {"event": "charged", **event._asdict()}
    return {"event": "ended", "key": _key_plain(event.key), "status": event.status, "label": event.label}


def event_from(plain: Plain, instruments: Instruments) -> VenueEvent:
    """Return the event that `event_plain` wrote."""
    if plain["event"] == "filled":
        return OrderFilled(fill_from(plain["fill"], instruments))
    if plain["event"] == "accepted":
        parent = OrderKey(**plain["parent"]) if "parent" in plain else None
        return OrderAccepted(order_from(plain["order"], instruments), parent)
    if plain["event"] == "amended":
        return OrderAmended(OrderKey(**plain["key"]), plain["price"], plain["label"], plain.get("quantity"))
    if plain["event"] == "charged":
        return PositionCharged(plain["symbol"], plain["amount"], plain["label"])
    return OrderEnded(OrderKey(**plain["key"]), plain["status"], plain["label"])


def _plain(value: Order | Fill) -> Plain:
    held = {f.name: (getattr(value, f.name), f.default) for f in fields(value)}
    said = {name: kept for name, (kept, default) in held.items() if kept != default}
    said["instrument"] = value.instrument.symbol
    if value.key is not None:
        said["key"] = _key_plain(value.key)
    return said


def _made(plain: Plain, instruments: Instruments) -> Plain:
    made = dict(plain, instrument=instruments[plain["instrument"]])
    if "key" in made:
        made["key"] = OrderKey(**made["key"])
    return made


def _key_plain(key: OrderKey) -> Plain:
    return {f.name: getattr(key, f.name) for f in fields(key) if getattr(key, f.name) != f.default}
