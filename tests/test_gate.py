"""The gate that every order passes, each check by hand (SEMANTICS 18-21, 34-38)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from gate_worlds import CALM, GATE, NOW, SECOND, SHARE, SHUT, closing, forged, key, opening

import workbench as wb
from workbench.errors import OrderError, ParameterError
from workbench.market import Fill, OrderKey
from workbench.risk.gate import Gate, Latch, Situation, Verdict


def names(verdict: Verdict) -> list[str]:
    return [one.check for one in verdict.failed]


def test_an_order_that_is_in_order_passes_in_full() -> None:
    found = GATE.check(opening(), CALM)
    assert (found.answer, found.quantity, found.failed, found.why, found.alerts) == ("allowed", 10.0, (), "", ())


# -- each check by hand: what is just allowed passes, what is just not fails this check and no other ------------------------

LIMIT = {"type": "limit"}
EDGES: dict[str, tuple[wb.Order, Situation, wb.Order, Situation, str]] = {
    # name: what passes, in which situation; what fails, in which situation; the sentence
    "grid": (opening(1), CALM, opening(1.5), CALM, "AAPL: quantity must be in steps of 1, got 1.5"),
    "grid of prices": (
        opening(**LIMIT, price=100.01), CALM, opening(**LIMIT, price=100.005), CALM,
        "AAPL: price must be in ticks of 0.01, got 100.005",
    ),
    "key": (
        opening(), replace(CALM, keys={"something else"}), opening(), replace(CALM, keys={str(key())}),
        "AAPL: an order was sent under the key //AAPL/1/open/0/0 already",
    ),
    "mode": (opening(), CALM, opening(), replace(CALM, mode="REDUCING"), "AAPL: an opening needs the mode RUNNING, and it is REDUCING"),
    "mode misspelt": (
        opening(), CALM, opening(), replace(CALM, mode="RUNING"),
        "AAPL: mode must be one of RUNNING, REDUCING, PAUSED, HALTED, got 'RUNING'; did you mean 'RUNNING'?",
    ),
    "latch": (
        opening(), replace(CALM, latch=Latch(2, (NOW, NOW))), opening(), replace(CALM, latch=SHUT),
        "AAPL: 3 positions were closed at once; a person has to arm it again",
    ),
    "calendar": (opening(), CALM, opening(), replace(CALM, open=False), "AAPL: its calendar must be open, got open=False"),
    "freshness": (
        opening(), replace(CALM, last_at=NOW - 300 * SECOND), opening(), replace(CALM, last_at=NOW - 301 * SECOND),
        "AAPL: its last price is 301 s old, and at most 300 s are allowed",
    ),
    "freshness ahead": (
        opening(), replace(CALM, last_at=NOW + 2 * SECOND), opening(), replace(CALM, last_at=NOW + 3 * SECOND),
        "AAPL: its last price is 3 s ahead of the clock, and at most 300 s are allowed",
    ),
    "spread": (
        opening(), replace(CALM, bid=99.5, ask=100.5), opening(), replace(CALM, bid=99.5, ask=100.6),
        "AAPL: bid 99.5 and ask 100.6 must be at most 1 % apart, bid below ask",
    ),
    "spread crossed": (
        opening(), replace(CALM, bid=100.0, ask=100.0), opening(), replace(CALM, bid=100.1, ask=100.0),
        "AAPL: bid 100.1 and ask 100.0 must be at most 1 % apart, bid below ask",
    ),
    "collar": (
        opening(**LIMIT, price=105.0), CALM, opening(**LIMIT, price=105.01), CALM,
        "AAPL: the price 105.01 must be within 5 % of the last price 100",
    ),
    "collar below": (
        opening(**LIMIT, price=95.0), CALM, opening(**LIMIT, price=94.99), CALM,
        "AAPL: the price 94.99 must be within 5 % of the last price 100",
    ),
    "collar of a quote": (
        opening(), replace(CALM, bid=104.9, ask=105.0), opening(), replace(CALM, bid=105.0, ask=105.1),
        "AAPL: the price 105.1 must be within 5 % of the last price 100",
    ),
    "collar of the reference": (
        opening(**LIMIT, price=99.0), replace(CALM, reference=90.0), opening(**LIMIT, price=99.01), replace(CALM, reference=90.0),
        "AAPL: the price 99.01 must be within 10 % of the reference 90",
    ),
    "quantity": (opening(200), replace(CALM, last=50.0, reference=50.0, bid=None, ask=None), opening(201),
                 replace(CALM, last=50.0, reference=50.0, bid=None, ask=None), "AAPL: an order may be at most 200, got 201"),
    "notional": (
        opening(150), replace(CALM, bid=None, ask=None), opening(151), replace(CALM, bid=None, ask=None),
        "AAPL: an order may be worth at most 15,000.00, and this one is 15,100.00",
    ),
    "rate": (
        opening(), replace(CALM, sent=[NOW - 60 * SECOND, NOW - 59 * SECOND, NOW]),
        opening(), replace(CALM, sent=[NOW - 59 * SECOND, NOW, NOW]), "AAPL: 3 orders were sent within a minute, and at most 3 are allowed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EDGES)
def test_the_edge_of_each_check(case: str) -> None:
    passes, calm, fails, situation, sentence = EDGES[case]
    assert GATE.check(passes, calm).answer == "allowed"
    found = GATE.check(fails, situation)
    assert (found.answer, found.quantity, names(found), found.why) == ("refused", 0.0, [case.split()[0]], sentence)


def test_an_order_without_a_key_is_refused() -> None:
    assert GATE.check(wb.Order(SHARE, "buy", 1), CALM).why == "AAPL: an order needs a wb.market.OrderKey, got None"


def test_all_checks_that_failed_are_told_and_the_first_is_the_sentence() -> None:
    found = GATE.check(opening(), replace(CALM, mode="PAUSED", open=False, last_at=NOW - 400 * SECOND))
    assert names(found) == ["mode", "calendar", "freshness"]
    assert str(found) == "refused: AAPL: an opening needs the mode RUNNING, and it is PAUSED"


def test_a_quantity_by_symbol_must_name_the_symbol() -> None:
    assert Gate(max_quantity={"AAPL": 10}).check(opening(10), CALM).answer == "allowed"
    found = Gate(max_quantity={"APPL": 10}).check(opening(10), CALM)
    assert (found.answer, found.why) == ("refused", "AAPL: max_quantity must name it; did you mean 'APPL'?")


def test_limits_may_be_money() -> None:
    gate = Gate(max_notional=1_001, max_position=3_003, of="money")  # 20 are held, at an ask of 100.1
    assert gate.check(opening(10), CALM).answer == "allowed"
    assert gate.check(opening(11), CALM).why == "AAPL: an order may be worth at most 1,001.00, and this one is 1,101.10"


FLAT = replace(CALM, position=0.0, bid=None, ask=None)
OUT = {
    "held": (20.0, [], 180.0),
    "a buy out": (20.0, [opening(30)], 150.0),
    "a sell does not net": (20.0, [opening(30, "sell")], 180.0),
    "a stop does not add": (20.0, [closing(20)], 180.0),
    "short": (-20.0, [], 220.0),
    "short, with its stop out": (-20.0, [closing(20, "buy")], 200.0),
    "short, stop and target are one": (-20.0, [closing(20, "buy"), closing(20, "buy")], 200.0),
}


@pytest.mark.parametrize("case", OUT)
def test_the_position_is_counted_at_its_worst_and_cuts(case: str) -> None:
    held, out, room = OUT[case]
    others = [replace(one, key=key(child=place + 1)) for place, one in enumerate(out)]
    now, gate = replace(FLAT, position=held, orders=others), Gate(max_position=2.0)
    assert gate.check(opening(room), now).answer == "allowed"
    found = gate.check(opening(room + 1), now)
    assert (found.answer, found.quantity, names(found)) == ("cut", room, ["position"])


def test_a_cut_says_what_was_there() -> None:
    found = GATE.check(opening(150), replace(FLAT, position=80.0))
    said = "AAPL: a position may be worth at most 20,000.00, and +80 could be held in its direction already, each worth 100.00"
    assert (found.quantity, found.why) == (120.0, said)
    assert str(found) == f"cut from 150 to 120: {said}"


def test_the_order_itself_and_other_instruments_are_not_out() -> None:
    other = wb.Order(wb.Instrument("MSFT"), "buy", 500, key=OrderKey("MSFT", 1, "open"))
    assert GATE.check(opening(150), replace(FLAT, orders=[opening(150), other])).answer == "allowed"


def test_a_cut_below_the_minimum_is_refused() -> None:
    large = replace(opening(150), instrument=wb.Instrument("AAPL", tick_size=0.01, min_quantity=130))
    found = GATE.check(large, replace(FLAT, position=80.0))
    said = "AAPL: an order must be at least 130 and worth 0 USD, and 120 is left of it"
    assert (found.answer, names(found), found.why) == ("refused", ["position", "minimum"], said)


def test_an_order_worth_less_than_the_venue_takes_is_refused() -> None:
    small = replace(opening(1), instrument=wb.Instrument("AAPL", min_notional=101.0))
    assert names(GATE.check(small, FLAT)) == ["minimum"]
    assert GATE.check(replace(small, quantity=2.0), FLAT).answer == "allowed"


OFF = {
    "max_age": replace(CALM, last_at=NOW - 10**6 * SECOND),
    "max_spread": replace(CALM, bid=97.0, ask=100.0),
    "collar": replace(CALM, last=94.0, bid=99.9, ask=100.0),
    "reference_collar": replace(CALM, reference=None),
    "max_position": replace(CALM, position=500.0),
    "max_orders": replace(CALM, sent=[NOW] * 99),
}


@pytest.mark.parametrize("name", OFF)
def test_none_switches_a_check_off(name: str) -> None:
    assert GATE.check(opening(), OFF[name]).answer == "refused"
    assert replace(GATE, **{name: None}).check(opening(), OFF[name]).answer == "allowed"


def test_the_size_of_an_order_and_the_calendar_can_be_switched_off() -> None:
    free = replace(GATE, max_quantity=None, max_notional=None, max_position=None, calendar=False)
    assert free.check(opening(10_000), replace(CALM, open=False)).answer == "allowed"


# -- closings ---------------------------------------------------------------------------------------------------------------

HELD_UP = {
    "mode": replace(CALM, mode="HALTED"),
    "latch": replace(CALM, latch=SHUT),
    "calendar": replace(CALM, open=False),
    "freshness": replace(CALM, last_at=NOW - 10**6 * SECOND),
    "spread": replace(CALM, bid=97.0, ask=100.0),
    "collar": replace(CALM, last=94.0, bid=99.9, ask=100.0),
    "numbers": replace(CALM, equity=math.nan),
    "rate": replace(CALM, sent=[NOW] * 99),
}


@pytest.mark.parametrize("name", HELD_UP)
def test_what_holds_an_opening_up_is_an_alert_for_a_closing(name: str) -> None:
    assert GATE.check(opening(), HELD_UP[name]).answer == "refused"
    found = GATE.check(closing(), HELD_UP[name])
    assert (found.answer, found.quantity, found.why) == ("allowed", 10.0, "")
    assert name in names(found)
    assert len(found.alerts) == len(found.failed)


def test_a_closing_larger_than_the_limits_of_size_passes_with_alerts() -> None:
    found = GATE.check(closing(500), replace(CALM, position=500.0))
    assert (found.answer, names(found)) == ("allowed", ["quantity", "notional"])


@pytest.mark.parametrize("mode", ["RUNNING", "REDUCING", "PAUSED", "HALTED"])
def test_a_persons_flatten_passes_in_every_mode_without_an_alert(mode: str) -> None:
    assert GATE.check(closing(20, label="command-1"), replace(CALM, mode=mode)).failed == ()


def test_a_persons_opening_needs_the_mode_all_the_same() -> None:
    asked = replace(opening(), key=key("command-1"))
    assert GATE.check(asked, replace(CALM, mode="HALTED")).answer == "refused"


LEFT = {
    "all of it": (closing(20), [], 20.0),
    "more than there is": (closing(21), [], 20.0),
    "a closing is out": (closing(20), [closing(5, label=2)], 15.0),
    "a stop is out": (closing(20), [closing(20, label=2, type="stop", price=98.0)], 20.0),
    "all is being closed": (closing(20), [closing(20, label=2)], 0.0),
    "the wrong side": (closing(20, "buy"), [], 0.0),
    "off the grid": (closing(2.5), [], 2.0),
    "less than a step": (closing(0.5), [], 0.0),
}


@pytest.mark.parametrize("case", LEFT)
def test_a_closing_is_cut_to_what_is_left_to_close(case: str) -> None:
    order, out, left = LEFT[case]
    found = GATE.check(order, replace(CALM, orders=out))
    assert found.quantity == left
    assert found.answer == ("refused" if not left else "cut" if left < order.quantity else "allowed")
    assert bool(found.why) == (found.answer != "allowed")


def test_the_closing_of_a_flat_position_is_refused_in_a_sentence() -> None:
    found = GATE.check(closing(20, label="command-1"), replace(CALM, position=0.0))
    assert found.why == "AAPL: sell 20 may close what is open, and the position is 0.0"


def test_a_closing_under_a_used_key_is_refused() -> None:
    asked = closing(label="command-1")
    assert GATE.check(asked, replace(CALM, keys={str(asked.key)})).answer == "refused"


def test_what_only_seems_to_be_a_closing_is_an_opening() -> None:
    assert GATE.check(forged(opening(10, "sell"), reduce_only=math.nan), replace(CALM, mode="HALTED")).answer == "refused"


# -- the latch --------------------------------------------------------------------------------------------------------------


def fill(leg: str = "open", side: Any = "buy", quantity: float = 10.0) -> Fill:
    return Fill(key(leg=leg), SHARE, side, quantity, 100.0, 0.0, NOW)


def test_fills_that_do_not_move_the_position_shut_the_gate() -> None:
    latch = Latch()
    for _ in range(2):
        latch = GATE.filled(latch, fill(), 20.0, 20.0, NOW)
    assert latch.why == ""
    latch = GATE.filled(latch, fill(), 20.0, 20.0, NOW)
    assert latch.why == "AAPL: 3 fills in a row did not move the position as they should have, and 3 shut the gate"
    assert GATE.check(opening(), replace(CALM, latch=latch)).answer == "refused"


@pytest.mark.parametrize(("before", "after", "idle"), [(0, 10, 0), (-5, 5, 0), (0, 0, 3), (0, -10, 3), (0, math.nan, 3), (None, 10, 3)])
def test_a_fill_moves_the_position_in_its_direction_or_is_idle(before: Any, after: Any, idle: int) -> None:
    assert GATE.filled(Latch(idle=2), fill(), before, after, NOW).idle == idle


def test_closings_that_only_repeat_a_fault_wait_for_a_person() -> None:
    blind = replace(CALM, latch=Latch(idle=3, why="AAPL: 3 fills in a row"))
    assert GATE.check(closing(), blind).answer == "refused"
    found = GATE.check(closing(label="command-1"), blind)
    assert (found.answer, found.alerts) == ("allowed", ("AAPL: 3 fills in a row; a person has to arm it again",))


def rounds(latch: Latch, seconds_open: float, times: int, pause: float = 60.0) -> Latch:
    """Return the latch after positions that were open for so long, one after the other."""
    for place in range(times):
        opened = NOW + int(place * pause * SECOND)
        latch = GATE.filled(latch, fill(), 0.0, 10.0, opened)
        latch = GATE.filled(latch, fill("stop", "sell"), 10.0, 0.0, opened + int(seconds_open * SECOND))
    return latch


@pytest.mark.parametrize(
    ("open_for", "times", "pause", "shut"), [(5, 3, 60, True), (5, 2, 60, False), (6, 9, 60, False), (5, 9, 301, False)]
)
def test_positions_closed_at_once_again_and_again_shut_the_gate(open_for: float, times: int, pause: float, shut: bool) -> None:
    assert bool(rounds(Latch(), open_for, times, pause).why) == shut


def test_the_latch_stays_shut_until_a_person_arms_it() -> None:
    shut = rounds(Latch(), 1, 3)
    later = GATE.filled(shut, fill(), 0.0, 10.0, NOW + 10**6 * SECOND)
    assert later.why == shut.why == "AAPL: 3 positions were closed within 5 s of their opening, and 3 shut the gate"
    assert GATE.check(opening(), replace(CALM, latch=Latch())).answer == "allowed"


def test_adding_to_a_position_and_closing_a_part_are_no_round() -> None:
    latch = GATE.filled(Latch(), fill(), 0.0, 10.0, NOW)
    latch = GATE.filled(latch, fill(), 10.0, 20.0, NOW + 60 * SECOND)
    latch = GATE.filled(latch, fill("close", "sell"), 20.0, 10.0, NOW + 61 * SECOND)
    assert (latch.opened_at, latch.rounds) == (NOW, ())
    assert GATE.filled(latch, fill("close", "sell"), 10.0, 0.0, NOW + 62 * SECOND) == Latch()


def test_a_part_closed_at_once_is_no_round_and_the_rest_is_one() -> None:
    latch = GATE.filled(Latch(), fill(), 0.0, 10.0, NOW)
    latch = GATE.filled(latch, fill("close", "sell"), 10.0, 5.0, NOW + SECOND)
    assert (latch.opened_at, latch.rounds) == (NOW, ())
    latch = GATE.filled(latch, fill("close", "sell"), 5.0, 0.0, NOW + 2 * SECOND)
    assert (latch.opened_at, latch.rounds) == (None, (NOW + 2 * SECOND,))


def test_positions_that_ended_under_other_names_count_for_the_latch() -> None:
    opened = GATE.filled(Latch(), fill(), 0.0, 10.0, NOW)
    early, late = [NOW - 601 * SECOND, NOW - SECOND], [NOW - 2 * SECOND, NOW - SECOND]
    ended = [GATE.filled(opened, fill("stop", "sell"), 10.0, 0.0, NOW + SECOND, elsewhere) for elsewhere in (early, late)]
    assert [latch.why for latch in ended] == ["", "AAPL: 3 positions were closed within 5 s of their opening, and 3 shut the gate"]
    assert ended[1].rounds == (NOW + SECOND,)


def test_what_is_held_under_other_names_counts_for_the_position() -> None:
    found = GATE.check(opening(120), replace(CALM, elsewhere=90.0, position=0.0))
    assert (found.answer, found.quantity) == ("cut", 109.0)
    assert "+90 could be held in its direction already" in found.why
    assert GATE.check(closing(), replace(CALM, elsewhere=500.0)).answer == "allowed"


def test_the_largest_order_is_looked_up_by_the_name_that_the_market_has_for_it() -> None:
    gate = replace(GATE, max_quantity={"APPLE": 5})
    assert gate.check(opening(10), replace(CALM, symbol="APPLE")).why == "APPLE: an order may be at most 5, got 10"
    assert gate.check(opening(5), replace(CALM, symbol="APPLE")).answer == "allowed"


def test_a_gate_without_the_latch_does_not_shut() -> None:
    assert replace(GATE, repeats=None).filled(Latch(idle=99), fill(), 0.0, 0.0, NOW).why == ""


# -- settings -----------------------------------------------------------------------------------------------------------------

WRONG = [
    *[(name, value) for name in ("max_age", "max_notional", "max_position", "max_quantity") for value in (0, -1, math.nan, math.inf, "5")],
    *[(name, value) for name in ("max_spread", "collar", "reference_collar") for value in (0, 1.0, math.nan, 5)],
    *[(name, value) for name in ("at_once", "within") for value in (None, 0, math.nan)],
    *[(name, value) for name in ("max_orders", "repeats") for value in (0, 1.5, math.nan, True)],
    ("max_quantity", {"AAPL": math.nan}),
    ("max_quantity", {"AAPL": None}),
    ("of", "euro"),
    ("calendar", None),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda value: str(value))
def test_a_setting_that_is_none_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"^Gate: {name}.* got "):
        Gate(**{name: value})


def test_the_settings_are_readable_and_frozen() -> None:
    assert repr(Gate()).startswith("Gate(max_age=300.0, max_spread=0.01, collar=0.05, ")
    with pytest.raises(AttributeError):
        Gate().max_age = 1.0  # type: ignore[misc]


@pytest.mark.parametrize("given", [(None, CALM), (opening(), None)], ids=["no order", "no situation"])
def test_what_is_no_order_is_refused(given: tuple[Any, Any]) -> None:
    with pytest.raises(OrderError, match=r"^Gate\.check needs a wb\.Order and a Situation, got "):
        GATE.check(*given)


@pytest.mark.parametrize(
    ("name", "value"), [("orders", None), ("orders", [1]), ("keys", None), ("keys", "abc"), ("sent", 5), ("latch", None)]
)
def test_a_situation_that_cannot_be_looked_through_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=f"^Situation: {name} must be .* got "):
        replace(CALM, **{name: value})
