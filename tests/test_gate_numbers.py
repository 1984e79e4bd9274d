"""The gate and numbers that are none: NaN and its kin in every place, and whatever hypothesis thinks of."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from gate_worlds import CALM, GATE, NOW, SECOND, SHUT, closing, forged, key, opening
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.grid import lots_exactly, quantity_of
from workbench.risk import _checks
from workbench.risk.gate import Latch, Situation

# -- NaN and its kin, in every place -----------------------------------------------------------------------------------------

BAD: dict[str, Any] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "None": None, "negative": -1.0, "a word": "1", "a bool": True}
PLACES = [
    "now",
    "last",
    "last_at",
    "unit",
    "equity",
    "reference",
    "bid",
    "ask",
    "position",
    "elsewhere",
    "orders",
    "sent",
    "idle",
    "refused",
    "rounds",
    "opened_at",
]
OF_THE_ORDER = ["quantity", "price", "stop_distance", "target_distance", "bars"]
NOT_BAD = {("position", "negative"), ("opened_at", "None"), ("stop_distance", "None"), ("target_distance", "None")}
MATRIX = [(place, bad) for place in PLACES for bad in BAD if (place, bad) not in NOT_BAD]
ORDERS = [(place, bad) for place in OF_THE_ORDER for bad in BAD if (place, bad) not in NOT_BAD]


def situation_with(place: str, value: Any) -> Situation:
    """Return a situation with one number that is none."""
    if place == "orders":
        return replace(CALM, orders=[forged(replace(opening(), key=key(7)), quantity=value)])
    if place in ("idle", "refused", "rounds", "opened_at"):
        return replace(CALM, latch=Latch(**{place: (value,) if place == "rounds" else value}))
    return replace(CALM, **{place: [NOW, value] if place == "sent" else value})


def test_the_matrix_has_every_number_of_a_situation() -> None:
    others = {"mode", "keys", "open", "latch", "symbol"}
    assert {field.name for field in fields(Situation)} - others <= set(PLACES)
    assert {field.name for field in fields(Latch)} - {"why"} <= set(PLACES)


@pytest.mark.parametrize(("place", "bad"), MATRIX, ids=lambda value: str(value))
def test_a_number_that_is_none_refuses_an_opening(place: str, bad: str) -> None:
    found = GATE.check(opening(), situation_with(place, BAD[bad]))
    assert (found.answer, found.quantity) == ("refused", 0.0)
    assert found.failed[0].check == "numbers"
    assert found.why.startswith("AAPL: ")
    assert found.why.endswith(f"got {BAD[bad]!r}")


@pytest.mark.parametrize(("place", "bad"), MATRIX, ids=lambda value: str(value))
def test_a_closing_is_stopped_by_a_position_that_is_no_number_and_by_nothing_else(place: str, bad: str) -> None:
    found = GATE.check(closing(), situation_with(place, BAD[bad]))
    assert found.answer == ("refused" if place == "position" else "allowed")
    assert any(said.endswith(f"got {BAD[bad]!r}") for said in (found.why, *found.alerts))


@pytest.mark.parametrize("bad", BAD)
def test_a_closing_that_is_out_with_a_size_that_is_none_stops_another(bad: str) -> None:
    out = forged(closing(5, label=2), quantity=BAD[bad])
    assert GATE.check(closing(), replace(CALM, orders=[out])).answer == "refused"


@pytest.mark.parametrize(("place", "bad"), ORDERS, ids=lambda value: str(value))
@pytest.mark.parametrize("reduce_only", [False, True], ids=["opening", "closing"])
def test_an_order_with_a_number_that_is_none_is_refused(place: str, bad: str, reduce_only: bool) -> None:
    order = closing(type="limit", price=100.0) if reduce_only else opening(type="limit", price=100.0)
    found = GATE.check(forged(order, **{place: BAD[bad]}), CALM)
    assert found.quantity == (10.0 if reduce_only and place == "bars" else 0.0)
    assert any(said.endswith(f"got {BAD[bad]!r}") for said in (found.why, *found.alerts))


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "negative"])
def test_the_price_of_a_market_order_is_looked_at_too(bad: str) -> None:
    assert GATE.check(forged(opening(), price=BAD[bad]), CALM).answer == "refused"


@pytest.mark.parametrize("check", range(14), ids=lambda place: f"check {place}")
def test_no_check_lets_nan_through_alone(check: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the look at the numbers itself is gone, NaN still fails whatever compares it."""
    one = _checks.CHECKS[check]
    blind = dict.fromkeys(NUMBERS, math.nan)
    now = replace(CALM, mode="NaN", open=math.nan, sent=[math.nan] * 3, keys={str(key())}, latch=SHUT, **blind)
    order = forged(closing() if one is _checks._closing else opening(type="limit", price=100.0), quantity=math.nan, price=math.nan)
    monkeypatch.setattr("workbench.risk.gate.CHECKS", (one,))
    found = GATE.check(order, now)
    assert found.failed
    assert all(not failure.room > 0.0 for failure in found.failed)


@pytest.mark.parametrize("bad", ["nan", "negative"])
def test_the_position_alone_is_unknown_while_a_closing_that_is_out_has_no_size(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = forged(closing(side="buy"), key=key(child=1), quantity=BAD[bad])
    monkeypatch.setattr("workbench.risk.gate.CHECKS", (_checks._position,))
    found = GATE.check(opening(), replace(CALM, position=-20.0, orders=[out]))
    assert [(one.check, one.room) for one in found.failed] == [("position", 0.0)]


# -- whatever comes in --------------------------------------------------------------------------------------------------------

#: Cuts more often.
TIGHT = replace(GATE, max_position=1.0)
WILD = st.one_of(st.floats(), st.none(), st.integers(-(10**400), 10**400), st.sampled_from([0.0, 1.0, -5.0, 99.0, 101.0, 200.0]))
PRICES = st.sampled_from([99.0, 99.5, 100.0, 100.01, 100.5, 101.0])
SIZES = st.integers(1, 160).map(float)
#: Hypothesis flattens nested choices, and most of what it draws would be wild; so a coin is thrown first.
QUANTITIES = st.booleans().flatmap(lambda wild: WILD if wild else SIZES)
OFFERS = st.sampled_from(["wild", "market", "limit", "market"]).flatmap(
    lambda kind: {"wild": WILD, "market": st.none(), "limit": PRICES}[kind]
)
SIDES = st.sampled_from(["buy", "sell"])
NUMBERS = ["now", "last", "last_at", "unit", "equity", "reference", "bid", "ask", "position", "elsewhere"]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Draw a situation like one of a calm day, in which a few numbers are anything."""
    sizes = [draw(st.integers(1, 60)) for _ in range(draw(st.integers(0, 2)))]
    out = [replace(opening(float(size), draw(SIDES)), key=key(child=place + 1)) for place, size in enumerate(sizes)]
    middle = draw(PRICES)
    quote = draw(st.sampled_from([(None, None), (middle - 0.1, middle + 0.1), (middle, middle)]))
    values: dict[str, Any] = {"last": draw(PRICES), "reference": draw(PRICES), "bid": quote[0], "ask": quote[1], "orders": out}
    values |= {"position": float(draw(st.integers(-120, 120))), "last_at": NOW - draw(st.integers(-3, 310)) * SECOND}
    values |= {"sent": [NOW - draw(st.integers(0, 90)) * SECOND for _ in range(draw(st.integers(0, 4)))]}
    values |= {"mode": draw(st.sampled_from(["RUNNING"] * 5 + ["HALTED", "running"])), "open": draw(st.sampled_from([True] * 5 + [False]))}
    values |= {"keys": {str(key(draw(st.integers(1, 9))))}}
    values |= {name: draw(WILD) for name in draw(st.sampled_from([[], [], [draw(st.sampled_from(NUMBERS))]]))}
    return replace(CALM, **values)


def require_within_everything(order: wb.Order, now: Any, sent: float) -> None:
    paid = order.price if order.type != "market" else now.last if now.bid is None else now.ask if order.side == "buy" else now.bid
    assert 0 < sent <= min(200, order.quantity)
    assert sent == quantity_of(lots_exactly(sent, 1.0, 1.0), 1.0, 1.0)
    assert (now.mode, now.open, str(order.key) in now.keys) == ("RUNNING", True, False)
    assert -2 <= (now.now - now.last_at) / SECOND <= 300
    assert abs(paid - now.last) <= 0.05 * now.last * (1 + 1e-9)
    assert abs(paid - now.reference) <= 0.1 * now.reference * (1 + 1e-9)
    if now.bid is not None:
        assert 0 <= now.ask - now.bid <= 0.01 * (now.ask + now.bid) / 2 * (1 + 1e-9)
    assert sent * max(paid, now.last) * now.unit <= 1.5 * now.equity * (1 + 1e-8)
    reached = now.position * order.sign + sum(one.quantity for one in now.orders if one.side == order.side)
    assert (reached + sent) * max(paid, now.last) * now.unit <= now.equity * (1 + 1e-8)
    assert sum(now.now - at < 60 * SECOND for at in now.sent) < 3


def test_whatever_comes_in_an_opening_that_passes_is_within_everything() -> None:
    seen = set()

    @settings(max_examples=400)
    @given(situations(), QUANTITIES, SIDES, OFFERS)
    def holds(now: Situation, quantity: Any, side: Any, price: Any) -> None:
        order = forged(opening(side=side), quantity=quantity, price=price, type="market" if price is None else "limit")
        found = TIGHT.check(order, now)
        seen.add(found.answer)
        if found.answer == "refused":
            assert (found.quantity, bool(found.why)) == (0.0, True)
        else:
            require_within_everything(order, now, found.quantity)

    holds()
    assert seen == {"allowed", "cut", "refused"}


def test_whatever_comes_in_a_closing_that_passes_only_closes() -> None:
    seen = set()

    @settings(max_examples=200)
    @given(situations(), QUANTITIES, SIDES)
    def holds(now: Situation, quantity: Any, side: Any) -> None:
        found = GATE.check(forged(closing(side=side), quantity=quantity), now)
        seen.add(found.answer)
        if found.answer != "refused":
            assert 0 < found.quantity <= -now.position * (1 if side == "buy" else -1)

    holds()
    assert seen == {"allowed", "cut", "refused"}
