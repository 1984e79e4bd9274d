"""Orders, fills, events and bars as plain values: through JSON and back they are the same to the last bit."""

from __future__ import annotations

import json
import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import random_market
from worked import EURUSD, OTHER, SHARE, market

from workbench.adapters.paper import PaperLink
from workbench.execution.port import OrderAccepted, OrderEnded, OrderFilled
from workbench.execution.wire import event_from, event_plain, fill_from, fill_plain, order_from, order_plain
from workbench.instrument import Instrument
from workbench.market import Fill, Order, OrderKey
from workbench.order import Side
from workbench.practice.paper.server import bars_plain

INSTRUMENTS = {one.symbol: one for one in (SHARE, OTHER, EURUSD)}
KEY = OrderKey("ABC", 1_704_067_200_000_000_000, "open")
ORDER = Order(SHARE, "buy", 2.0, key=KEY)
FILL = Fill(KEY, SHARE, "sell", 3.0, 0.1 + 0.2, 0.0, 60)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=5e-324, max_value=1e300)
LABELS = st.integers(-(2**62), 2**62) | st.text(min_size=1)
KEYS = st.builds(
    OrderKey,
    st.sampled_from(sorted(INSTRUMENTS)),
    LABELS,
    st.sampled_from(["open", "close", "stop", "target"]),
    st.integers(0, 9),
    st.text(),
    st.text(),
    st.integers(0, 3),
)


def order_of(instrument: Instrument, side: Side, quantity: float, kind: str, price: float, *rest: Any) -> Order:
    """Return an order of any type; one at market has no price, and crosses to nothing."""
    key, closes, bars, then, *more = rest
    market = kind == "market"
    return Order(instrument, side, quantity, kind, None if market else price, key, closes, bars, "cancel" if market else then, *more)


ORDERS = st.builds(
    order_of,
    st.sampled_from(list(INSTRUMENTS.values())),
    st.sampled_from(["buy", "sell"]),
    POSITIVE,
    st.sampled_from(["market", "limit", "stop"]),
    POSITIVE,
    st.none() | KEYS,
    st.booleans(),
    st.integers(0, 5),
    st.sampled_from(["cancel", "cross"]),
    st.none() | POSITIVE,
    st.none() | POSITIVE,
    st.text(),
)
LEVELS = st.none() | POSITIVE
FILLS = st.builds(
    Fill, KEYS, st.sampled_from(list(INSTRUMENTS.values())), st.sampled_from(["buy", "sell"]), POSITIVE, POSITIVE, NUMBERS, st.integers(),
    LEVELS, LEVELS,
)  # fmt: skip
EVENTS = (
    st.builds(OrderAccepted, ORDERS, st.none() | KEYS)
    | st.builds(OrderFilled, FILLS)
    | st.builds(OrderEnded, KEYS, st.sampled_from(["cancelled", "expired", "lapsed", "absent"]), st.integers())
)


def sent(plain: Any) -> Any:
    """Return what arrives at the other end of a wire."""
    return json.loads(json.dumps(plain, allow_nan=False))


def bits(value: Any) -> Any:
    """Return a value whose floats are told apart to the last bit (0.0 == -0.0 otherwise)."""
    if isinstance(value, float):
        return struct.pack(">d", value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [type(value).__name__, *map(bits, value)]
    if isinstance(value, (Order, Fill, OrderKey)):
        return [(f.name, bits(getattr(value, f.name))) for f in fields(value)]
    return value


@given(ORDERS)
@settings(max_examples=60)
def test_an_order_comes_back(order: Order) -> None:
    assert bits(order_from(sent(order_plain(order)), INSTRUMENTS)) == bits(order)


@given(FILLS)
@settings(max_examples=60)
def test_a_fill_comes_back(fill: Fill) -> None:
    assert bits(fill_from(sent(fill_plain(fill)), INSTRUMENTS)) == bits(fill)


@given(EVENTS)
@settings(max_examples=60)
def test_an_event_comes_back(event: Any) -> None:
    assert bits(event_from(sent(event_plain(event)), INSTRUMENTS)) == bits(event)


@given(KEYS)
@settings(max_examples=60)
def test_a_key_comes_back_as_a_number_or_as_the_name_of_a_command(key: OrderKey) -> None:
    back = event_from(sent(event_plain(OrderEnded(key, "cancelled"))), INSTRUMENTS)
    assert (back.key, str(back.key), type(back.key.label)) == (key, str(key), type(key.label))


@pytest.mark.parametrize(
    ("change", "written"),
    [
        ({}, set()),
        ({"bars": 2, "then": "cross", "type": "limit", "price": 1.5}, {"bars", "then", "type", "price"}),
        ({"reduce_only": True, "reason": "flatten"}, {"reduce_only", "reason"}),
        ({"stop_distance": 5e-324}, {"stop_distance"}),
    ],
    ids=["market", "limit", "closing", "the smallest distance"],
)
def test_what_was_not_said_is_left_out(change: dict[str, Any], written: set[str]) -> None:
    plain = order_plain(replace(ORDER, **change))
    assert set(plain) == {"instrument", "side", "quantity", "key"} | written
    assert plain["instrument"] == "ABC"


def test_a_key_says_only_what_is_not_usual() -> None:
    assert order_plain(ORDER)["key"] == {"instrument": "ABC", "label": KEY.label, "leg": "open"}
    again = order_plain(replace(ORDER, key=replace(KEY, child=1, attempt=2)))["key"]
    assert (again["child"], again["attempt"]) == (1, 2)


def test_each_event_has_its_name() -> None:
    events = [OrderAccepted(ORDER), OrderAccepted(ORDER, KEY), OrderFilled(FILL), OrderEnded(KEY, "lapsed", 60)]
    assert [event_plain(event)["event"] for event in events] == ["accepted", "accepted", "filled", "ended"]
    assert ["parent" in event_plain(event) for event in events] == [False, True, False, False]


def test_an_instrument_that_is_not_traded_here_is_an_error() -> None:
    with pytest.raises(KeyError, match="ABC"):
        order_from(order_plain(ORDER), {"XYZ": OTHER})


@pytest.mark.parametrize("seed", range(4))
def test_bars_come_back_with_what_is_missing(seed: int) -> None:
    bars = random_market(seed)
    link = PaperLink(Path("nowhere"), bars.instruments, bars.interval)
    for row in (0, len(bars) // 2, len(bars) - 1):
        back = link._bars(sent(bars_plain(bars.iloc[row : row + 1])))
        assert (back.symbols, back.interval, back.labels.tolist()) == (bars.symbols, bars.interval, bars.labels[row : row + 1].tolist())
        for name in ("open", "high", "low", "close", "volume"):
            np.testing.assert_array_equal(back.array(name), bars.array(name)[row : row + 1])


def test_bars_of_before_1970_come_back() -> None:
    bars = market([1.0, None, 2.0], start="1969-12-31 23:00", interval="1h")
    back = PaperLink(Path("nowhere"), bars.instruments, "1h")._bars(sent(bars_plain(bars)))
    assert back.labels.tolist() == bars.labels.tolist()
    assert back.labels[0] < 0
