"""The values that pass between the parts: orders, fills, keys, snapshots, decisions."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest
from worked import EURUSD, SHARE

from workbench import market
from workbench.errors import OrderError
from workbench.market import Book, Decision, Fill, Market, Order, OrderKey, Reason

KEY = OrderKey("ABC", 5, "open")
ORDER = Order(SHARE, "buy", 3.0, key=KEY)
FILL = Fill(KEY, SHARE, "sell", 3.0, 100.0, 1.0, 6)
SNAPSHOT = Market(
    7, EURUSD, {"ABC": SHARE, "EURUSD": EURUSD}, {"ABC": 10.0, "EURUSD": 1.25}, {"ABC": 1.0, "EURUSD": 8e4}, {"ABC": 0.0, "EURUSD": 1e5}
)


def test_everything_public_is_named() -> None:
    assert all(hasattr(market, name) for name in market.__all__)
    assert market.Bars.__name__ == "Bars"
    assert market.Instrument.__name__ == "Instrument"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"side": "long"}, "order for ABC: side must be 'buy' or 'sell', got 'long'"),
        ({"quantity": 0}, "order for ABC: quantity must be a positive number, got 0"),
        ({"quantity": -2.0}, "quantity must be a positive number, got -2.0"),
        ({"quantity": float("nan")}, "quantity must be a positive number, got nan"),
        ({"quantity": float("inf")}, "quantity must be a positive number, got inf"),
        ({"type": "markt"}, "order for ABC: unknown type 'markt'; did you mean 'market'?"),
        ({"type": "limit"}, "order for ABC: a limit order needs a positive price, got None"),
        ({"type": "stop", "price": -1.0}, "order for ABC: a stop order needs a positive price, got -1.0"),
        ({"type": "limit", "price": float("nan")}, "a limit order needs a positive price, got nan"),
    ],
    ids=["side", "zero", "negative", "nan", "inf", "type", "no price", "negative price", "nan price"],
)
def test_an_order_that_no_venue_could_take_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OrderError) as caught:
        Order(**({"instrument": SHARE, "side": "buy", "quantity": 1.0} | changes))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"price": 90.0}, "price goes with a limit order, got 90.0 with a market order"),
        ({"price": float("nan")}, "price goes with a limit order, got nan with a market order"),
        ({"quantity": True}, "quantity must be a positive number, got True"),
        ({"reduce_only": "no"}, "reduce_only must be True or False, got 'no'"),
        ({"post_only": 1, "type": "limit", "price": 1.0}, "post_only must be True or False, got 1"),
        ({"key": "abc"}, "key must be an OrderKey, got 'abc'"),
        ({"type": "trailing_stop", "trail": 1.0, "price": -5.0}, "price must be a positive number, got -5.0"),
        ({"type": "limit", "price": 1.0, "trail": 0.0}, "trail goes with a trailing_stop order, got 0.0"),
        ({"type": ["limit"]}, "unknown type ['limit']"),
        ({"then": "cross"}, "then='cross' sends a limit on at market; a market order is there already"),
    ],
    ids=["price", "nan price", "bool", "reduce_only", "post_only", "key", "trailing price", "trail", "list", "cross"],
)
def test_an_order_that_would_be_another_than_was_meant_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OrderError, match="order for ABC: ") as caught:
        Order(**({"instrument": SHARE, "side": "buy", "quantity": 1.0} | changes))
    assert said in str(caught.value)


@pytest.mark.parametrize("wrong", [{"quantity": "1"}, {"instrument": "ABC", "quantity": -1}], ids=["text", "symbol for instrument"])
def test_an_order_of_the_wrong_types_gets_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(OrderError):
        Order(**({"instrument": SHARE, "side": "buy", "quantity": 1.0} | wrong))


def test_an_order_needs_an_instrument() -> None:
    with pytest.raises(OrderError, match="Instrument"):
        Order("ABC", "buy", 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_the_sign_of_a_side(side: Any, sign: int) -> None:
    assert Order(SHARE, side, 1.0).sign == sign
    assert dataclasses.replace(FILL, side=side).sign == sign


@pytest.mark.parametrize("value", [KEY, ORDER, FILL, Reason("a", 1, 0, "b"), Decision(1.0)], ids=lambda value: type(value).__name__)
def test_a_value_is_frozen_and_travels(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, None)
    with pytest.raises((AttributeError, TypeError)):
        value.other = 1


def test_35_keys_tell_orders_apart() -> None:
    others = [{"instrument": "XYZ"}, {"label": 6}, {"leg": "close"}, {"child": 1}, {"account": "a"}, {"deployment": "d"}, {"attempt": 1}]
    keys = {KEY, *(dataclasses.replace(KEY, **change) for change in others)}
    assert len(keys) == 1 + len(others)
    assert OrderKey("ABC", 5, "open") in keys


def test_the_market_speaks_of_the_instrument_that_is_decided_on() -> None:
    assert (SNAPSHOT.price, SNAPSHOT.unit) == (1.25, 8e4)
    assert SNAPSHOT.inputs == {}
    assert dataclasses.replace(SNAPSHOT, instrument=SHARE).price == 10.0


def test_a_book_has_positions_and_what_they_could_become() -> None:
    book = Book("USD", 1000.0, 900.0, {"ABC": 1.0}, {"ABC": 4.0}, {"ABC": 0.0})
    assert (book.highest["ABC"], book.lowest["ABC"]) == (4.0, 0.0)


def test_a_decision_in_words() -> None:
    cuts = (Reason("MaxLeverage", 4, 2.5, "gross 5"), Reason("venue", 2.5, 2, "whole shares"))
    assert str(Decision(2.0, cuts)) == "MaxLeverage: 4 -> 2.5, gross 5; venue: 2.5 -> 2, whole shares"
    assert str(Decision(2.5)) == "2.5, nothing cut"
