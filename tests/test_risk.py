"""Limits against a search through every size (SEMANTICS 18-22, 30); cases by hand: `test_book_cases`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from worked import market, plan

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.grid import quantity_of
from workbench.market import Book, Market
from workbench.past import empty_past, no_history
from workbench.risk import MaxExposure, MaxLeverage, RiskManager

EURUSD = wb.Instrument("EURUSD", "fx", multiplier=100_000)
NAN = math.nan


def allowed(order: wb.Order, book: wb.Portfolio, *limits: RiskManager) -> wb.Decision:
    return wb.Strategy(wb.signals.Breakout(), risk=list(limits)).preview(order, book)


# -- every size up to it ----------------------------------------------------------------------------------------------

SHARE = wb.Instrument("ABC", region="US")
TENTHS = wb.Instrument("FRC", quantity_step=0.1, region="DE", quote="EUR")
CONTRACT = wb.Instrument("FUT", "commodity", "future", multiplier=5, region="US")
BITCOIN = wb.Instrument("BTCUSD", "crypto", quantity_step=0.5, can_short=True)
LOTS = wb.Instrument("EURUSD", "fx", multiplier=1000, quantity_step=0.5)
TRADED = [SHARE, TENTHS, CONTRACT, BITCOIN, LOTS]
PRICES = {"ABC": 10.0, "FRC": 20.0, "FUT": 4.0, "BTCUSD": 25.0, "EURUSD": 1.25}
#: What one step adds to each group, by hand: US dollars.
STEP_VALUE = {"ABC": 10, "FRC": Fraction(5, 2), "FUT": 20, "BTCUSD": Fraction(25, 2), "EURUSD": 625}
BY_CURRENCY = {"ABC": "USD", "FRC": "EUR", "BTCUSD": "BTC"}
GROUPS = ("currency", "asset_class", "region")
LIMITS = [
    *(MaxLeverage(limit) for limit in (0.5, 2, 7.25)),
    *(MaxExposure(limit, by=by, scope=scope) for limit in (300, 1250.0, 6000) for by in GROUPS for scope in ("net", "gross")),
    MaxExposure({"EUR": 0.75, "USD": 2.0}, of="equity"),
    MaxExposure({"ABC": 100, "EURUSD": 2500}, by="instrument"),
]
positions = st.lists(st.integers(-60, 60), min_size=5, max_size=5)


def legs(instrument: wb.Instrument, limit: RiskManager) -> dict[str, Fraction]:
    """Return what one step of an instrument adds to each group that a limit measures."""
    value = Fraction(STEP_VALUE[instrument.symbol])
    if isinstance(limit, MaxLeverage):
        return {"gross": abs(value)}
    assert isinstance(limit, MaxExposure)
    if limit.by != "currency":
        group = instrument.symbol if limit.by == "instrument" else getattr(instrument, limit.by)
        return {group: value} if group else {}
    if instrument is LOTS:
        return {"EUR": value, "USD": -value}
    return {BY_CURRENCY[instrument.symbol]: value} if instrument.symbol in BY_CURRENCY else {}


def most_of(limit: RiskManager, group: str, equity: float) -> Fraction | None:
    if isinstance(limit, MaxLeverage):
        return Fraction(limit.limit) * Fraction(equity)
    assert isinstance(limit, MaxExposure)
    if not isinstance(limit.limit, dict):
        return Fraction(limit.limit) * (Fraction(equity) if limit.of == "equity" else 1)
    return Fraction(limit.limit[group]) * (Fraction(equity) if limit.of == "equity" else 1) if group in limit.limit else None


def measured(limit: RiskManager, high: Sequence[int], low: Sequence[int]) -> dict[str, Fraction]:
    """Return the measure of each group: the most that the positions could come to, in either direction."""
    gross = isinstance(limit, MaxLeverage) or (isinstance(limit, MaxExposure) and limit.scope == "gross")
    top: dict[str, Fraction] = {}
    bottom: dict[str, Fraction] = {}
    for instrument, hi, lo in zip(TRADED, high, low, strict=True):
        for group, each in legs(instrument, limit).items():
            ends = (each * hi, each * lo)
            most = max(abs(ends[0]), abs(ends[1])) if gross else max(ends)
            top[group] = top.get(group, Fraction(0)) + most
            bottom[group] = bottom.get(group, Fraction(0)) + (most if gross else min(ends))
    return {group: max(abs(top[group]), abs(bottom[group])) for group in top}


def searched(limit: RiskManager, equity: float, measure: Callable[[int], dict[str, Fraction]], asked: int) -> int:
    """Return the largest number of steps such that at every one up to it each measure is within its limit, or falls."""
    before = measure(0)
    for steps in range(1, asked + 1):
        now = measure(steps)
        for group, value in now.items():
            most = most_of(limit, group, equity)
            if most is not None and value > most * (1 + Fraction(1, 10**9)) and not value < before.get(group, Fraction(0)):
                return steps - 1
        before = now
    return asked


@given(positions, st.integers(0, 4), st.sampled_from(["buy", "sell"]), st.integers(1, 90), st.sampled_from(LIMITS))
def test_20_the_largest_size_is_that_of_a_search(held: list[int], j: int, side: Any, asked: int, limit: RiskManager) -> None:
    held = [h if j != i or h * (1 if side == "buy" else -1) >= 0 else 0 for i, h in enumerate(held)]  # closings: below
    quantities = {i: quantity_of(n, *i.step) for i, n in zip(TRADED, held, strict=True)}
    book = wb.Portfolio("USD", 10_000, quantities, PRICES)
    sign = 1 if side == "buy" else -1

    def measure(steps: int) -> dict[str, Fraction]:
        after = [n + sign * steps * (i == j) for i, n in enumerate(held)]
        return measured(limit, after, after)

    assume(book.equity > 0)
    found = allowed(wb.Order(TRADED[j], side, quantity_of(asked, *TRADED[j].step)), book, limit)
    assert found.quantity == quantity_of(searched(limit, book.equity, measure, asked), *TRADED[j].step)


@given(st.integers(31, 60), st.sampled_from([1, -1]), st.sampled_from([1, -1]), st.integers(1, 70), st.sampled_from(["net", "gross"]))
def test_21_of_a_breached_group_only_what_reduces_it_passes(held: int, sign: int, side: int, asked: int, scope: Any) -> None:
    # 31 to 60 ABC are 310 to 600 of 300 in the US; a step of FUT is 20
    limit = MaxExposure(300, by="region", scope=scope)
    book = wb.Portfolio("USD", 10_000, {SHARE: sign * held, CONTRACT: 0}, PRICES)

    def measure(steps: int) -> dict[str, Fraction]:
        after = [sign * held, 0, side * steps, 0, 0]
        return measured(limit, after, after)

    found = allowed(wb.Order(CONTRACT, "buy" if side > 0 else "sell", asked), book, limit)
    assert found.quantity == searched(limit, 10_000, measure, asked)
    assert (found.quantity > 0) == (scope == "net" and sign != side)


@given(positions, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=5, max_size=5), st.sampled_from(LIMITS), st.data())
def test_21_working_orders_count_in_full(held: list[int], working: list[tuple[int, int]], limit: RiskManager, data: st.DataObject) -> None:
    high, low = ([h + w[0] for h, w in zip(held, working, strict=True)], [h - w[1] for h, w in zip(held, working, strict=True)])
    j, side, asked = data.draw(st.integers(0, 4)), data.draw(st.sampled_from(["buy", "sell"])), data.draw(st.integers(1, 60))
    assume(not any(value > (most_of(limit, group, 10_000) or value) for group, value in measured(limit, high, low).items()))

    def measure(steps: int) -> dict[str, Fraction]:
        more = [steps * (i == j) for i in range(5)]
        up = [h + m for h, m in zip(high, more, strict=True)] if side == "buy" else high
        return measured(limit, up, [x - m for x, m in zip(low, more, strict=True)] if side == "sell" else low)

    assert room(limit, j, side, asked, held, high, low) == searched(limit, 10_000, measure, asked)


def room(limit: RiskManager, j: int, side: Any, asked: int, held: Sequence[int], high: Sequence[int], low: Sequence[int]) -> int:
    """Return the whole steps that a limit allows on a book with working orders."""
    step = [float(i.quantity_step or 1) for i in TRADED]
    columns = [{i.symbol: n * s for i, n, s in zip(TRADED, each, step, strict=True)} for each in (held, high, low)]
    units = {"ABC": 1.0, "FRC": 1.25, "FUT": 5.0, "BTCUSD": 1.0, "EURUSD": 1000.0}
    bases = dict.fromkeys(units, 0.0) | {"EURUSD": 1250.0}
    market = Market(0, TRADED[j], {i.symbol: i for i in TRADED}, PRICES, units, bases)
    quantity, why = limit.allowed(wb.Order(TRADED[j], side, asked * step[j]), Book("USD", 10_000.0, 10_000.0, *columns), market)
    assert why
    return int(max(quantity, 0.0) / step[j] + 1e-6)


def test_21_a_gross_limit_counts_the_worse_of_two_directions_once() -> None:
    # 30 ABC to be sold are working: 300 of 500 gross; bought, up to 50 are the worse case, and 50 x 10 = 500
    limit = MaxExposure(500, by="instrument", scope="gross")
    assert room(MaxLeverage(0.05), 0, "buy", 60, [0] * 5, [0] * 5, [-30, 0, 0, 0, 0]) == 50
    assert room(limit, 0, "buy", 60, [0] * 5, [0] * 5, [-30, 0, 0, 0, 0]) == 50
    short = [-10, 0, 0, 0, 0]
    assert room(limit, 0, "buy", 90, short, short, short) == 60


def test_21_working_orders_of_its_own_and_of_others_count_in_their_direction() -> None:
    # of 500, sales of 30 ABC at 10 are working; a step of FUT is 20
    assert room(MaxLeverage(0.05), 0, "sell", 60, [0] * 5, [0] * 5, [-30, 0, 0, 0, 0]) == 20
    net, out = MaxLeverage(0.05, "net"), [30, 0, 0, 0, 0]
    assert room(net, 2, "sell", 60, [0] * 5, [0] * 5, [-n for n in out]) == 10
    assert room(net, 2, "buy", 60, [0] * 5, [0] * 5, [-n for n in out]) == 25
    assert room(net, 2, "buy", 60, [0] * 5, out, [0] * 5) == 10
    assert room(net, 2, "sell", 60, [0] * 5, out, [0] * 5) == 25


SHARES = [wb.Instrument(name) for name in "ABCDEF"]


def test_20_a_gross_limit_that_is_reached_exactly_leaves_other_groups_alone() -> None:
    # the sum over the book and the limit differ in the last bit for one book in six
    rng = np.random.default_rng(1)
    for _ in range(500):
        quantities, prices = rng.integers(1, 1000, 6), rng.uniform(1, 500, 6)
        values = (quantities * prices).tolist()
        book = wb.Portfolio(
            "USD", 1e9, dict(zip(SHARES, quantities.tolist(), strict=True)), dict(zip("ABCDEF", prices, strict=True)) | PRICES
        )
        limit = MaxExposure({"USD": sum(reversed(values))}, scope="gross")
        assert allowed(wb.Order(BITCOIN, "buy", 1), book, limit).quantity == 1.0
        assert allowed(wb.Order(SHARES[0], "buy", 1), book, limit).quantity == 0.0


@pytest.mark.parametrize(("beyond", "expected"), [(0.9e-9, 1.0), (1.1e-9, 0.0)], ids=["within the tolerance", "beyond it"])
def test_20_a_gross_limit_is_breached_from_a_billionth_on(beyond: float, expected: float) -> None:
    book = wb.Portfolio("USD", 1000, {SHARE: 100}, PRICES)
    limit = MaxExposure({"USD": 1000 / (1 + beyond)}, scope="gross")
    assert allowed(wb.Order(BITCOIN, "buy", 1), book, limit).quantity == expected


def test_20_what_rounding_takes_of_a_small_rest_is_no_breach() -> None:
    # the sale of 1 A at 10.1 is working beside billions of B, and together they are the limit: 1 A may still be bought
    two = SHARES[:2]
    for value in np.random.default_rng(1).uniform(1e9, 2e9, 100).tolist():
        limit = MaxExposure(value + 10.1, by="asset_class", scope="gross")
        numbers = limit.parameters(two, "USD"), limit.table(two, "USD")
        found = limit.decision(
            *numbers, 0, 1.0, 1e10, [0.0, 1.0], [-1.0, 1.0], [10.1, value], [1.0, 1.0], [0.0, 0.0], no_history(empty_past())
        )
        assert found == pytest.approx(1.0, rel=1e-6)


@given(positions, st.integers(0, 4), st.sampled_from(LIMITS))
def test_19_a_closing_always_passes(held: list[int], j: int, limit: RiskManager) -> None:
    assume(held[j])
    quantities = {i: quantity_of(n, *i.step) for i, n in zip(TRADED, held, strict=True)}
    order = wb.Order(TRADED[j], "sell" if held[j] > 0 else "buy", abs(quantities[TRADED[j]]))
    found = allowed(order, wb.Portfolio("USD", 10_000, quantities, PRICES), limit)
    assert (found.quantity, found.reasons) == (order.quantity, ())


def test_each_group_has_its_own_limit_and_the_one_with_least_room_decides() -> None:
    # 4 steps of FUT are 80 of 100 in commodity; ABC may have 2 more of 250 in the equities
    book = wb.Portfolio("USD", 10_000, {SHARE: 23, CONTRACT: 4}, PRICES)
    limit = MaxExposure({"equity": 250, "commodity": 100}, by="asset_class")
    assert allowed(wb.Order(SHARE, "buy", 9), book, limit).quantity == 2.0
    assert allowed(wb.Order(CONTRACT, "buy", 9), book, limit).quantity == 1.0


def test_the_reason_is_that_of_the_group_with_least_room() -> None:
    # a lot of EURUSD is a long euro and a short dollar: the dollars are the tighter limit, whichever comes first
    for groups in ({"EUR": 9_000, "USD": 2_500}, {"USD": 2_500, "EUR": 9_000}):
        found = allowed(wb.Order(LOTS, "buy", 9), wb.Portfolio("USD", 10_000, {}, PRICES).with_instrument(LOTS), MaxExposure(groups))
        assert found.quantity == 2.0
        assert found.reasons[0].why.startswith("USD 0 of 2,500 USD used")
    for groups in ({"EUR": 2_500, "USD": 9_000}, {"USD": 9_000, "EUR": 2_500}):
        found = allowed(wb.Order(LOTS, "buy", 9), wb.Portfolio("USD", 10_000, {}, PRICES).with_instrument(LOTS), MaxExposure(groups))
        assert found.reasons[0].why.startswith("EUR 0 of 2,500 USD used")


@pytest.mark.parametrize("limit", [MaxLeverage(0.01), MaxExposure(100, by="instrument", scope="gross")], ids=["leverage", "exposure"])
def test_21_a_gross_limit_is_breached_by_what_is_held_the_other_way(limit: RiskManager) -> None:
    # 12 short ABC are 120 of 100, and their closing is out: bought, the worst of both stays beyond the limit
    assert room(limit, 0, "buy", 5, [-12, 0, 0, 0, 0], [0] * 5, [-12, 0, 0, 0, 0]) == 0
    assert room(limit, 0, "buy", 5, [-8, 0, 0, 0, 0], [0] * 5, [-8, 0, 0, 0, 0]) == 5


#: One of each kind of limit on what is held.
HOLDING = [MaxLeverage(2), MaxLeverage(2, "net"), *(MaxExposure(2.0, "asset_class", "equity", scope) for scope in ("net", "gross"))]


@pytest.mark.parametrize("limit", HOLDING, ids=["gross leverage", "net leverage", "net exposure", "gross exposure"])
@pytest.mark.parametrize(
    ("prices", "other", "most"),
    [((NAN, 10.0), 1.0, 0.0), ((10.0, NAN), 1.0, 0.0), ((10.0, 10.0), NAN, 0.0), ((10.0, NAN), 0.0, 5.0), ((10.0, 10.0), 1.0, 5.0)],
    ids=["a price of its own", "a price of what is held", "a position", "a price of what is not held", "all known"],
)
def test_18_what_is_no_number_leaves_nothing_and_what_is_not_held_needs_none(
    limit: RiskManager, prices: tuple[float, float], other: float, most: float
) -> None:
    one, two = SHARES[:2]
    held = {"A": 0.0, "B": other}
    market = Market(0, one, {"A": one, "B": two}, dict(zip("AB", prices, strict=True)), {"A": 1.0, "B": 1.0}, {"A": 0.0, "B": 0.0})
    for side in ("buy", "sell"):
        quantity, _ = limit.allowed(wb.Order(one, side, 5), Book("USD", 10_000.0, 10_000.0, held, held, held), market)
        assert (quantity if quantity > 0.0 else 0.0) == most


# -- words and refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MaxLeverage(0), "MaxLeverage: limit must be a positive number (2 = twice the equity), got 0"),
        (lambda: MaxLeverage(float("inf")), "got inf"),
        (lambda: MaxExposure(-1.0), "MaxExposure: the limit of every group must be a positive number, got -1.0"),
        (lambda: MaxExposure({}), "MaxExposure: limit is empty; give a number, or one by group such as {'EUR': 750_000}"),
        (lambda: MaxExposure({"EUR": 0}), "MaxExposure: the limit of EUR must be a positive number, got 0"),
        (lambda: MaxExposure({"EUR": "5"}), "MaxExposure.limit must be float | Mapping[str, float], got {'EUR': '5'} (dict)"),
        (
            lambda: MaxExposure(1.0, by="curency").parameters([wb.Instrument("ABC", tags={"sector": "energy"})], "USD"),
            "MaxExposure: no instrument has a tag 'curency'; did you mean 'currency'?",
        ),
        (lambda: MaxExposure(), "limit"),
        (lambda: MaxLeverage(limt=3), "did you mean 'limit'?"),
    ],
    ids=["zero", "endless", "negative", "empty", "zero by group", "text", "misspelt group", "missing", "misspelt"],
)
def test_a_wrong_limit_gets_a_sentence(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize("answer", [5.0, (5.0,), None], ids=["a number", "no reason", "nothing"])
def test_a_limit_of_ones_own_says_a_quantity_and_a_reason(answer: Any) -> None:
    class Short(RiskManager):
        def limit(self, order: Any, portfolio: Any, market: Any) -> Any:
            return answer

    with pytest.raises(StrategyError, match=r"Short\.limit must return a quantity and a reason, got"):
        allowed(wb.Order(SHARE, "buy", 1), wb.Portfolio("USD", 1000, {SHARE: 0}, PRICES), Short())


def test_a_manager_without_a_rule_says_what_is_missing() -> None:
    class Empty(RiskManager):
        pass

    book = wb.Portfolio("USD", 100, prices={"ABC": 10.0})
    with pytest.raises(NotImplementedError, match=r"Empty must define limit\(self, order, portfolio, market\)"):
        allowed(wb.Order(SHARE, "buy", 1), book, Empty())


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (MaxLeverage(2), "gross limit 2,000 USD (2 x equity)"),
        (MaxExposure(750_000), "net exposure limit each currency 750,000 USD"),
        (MaxExposure({"EUR": 1.5}, of="equity", scope="gross"), "gross exposure limit EUR 1.5 x equity"),
        (MaxExposure({"US": 5, "DE": 7}, by="region"), "net exposure limit US 5 USD, DE 7 USD"),
    ],
    ids=repr,
)
def test_a_limit_in_words(limit: RiskManager, words: str) -> None:
    assert limit.words(1000.0, "USD") == words


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        (MaxLeverage(0.5), "gross 400.00 of 500.00 USD (0.5 x equity)"),
        (MaxExposure(600, by="region"), "US 400 of 600 USD used, room for 20"),
        (MaxExposure(0.6, by="region", of="equity", scope="gross"), "US 400 of 600 USD used, room for 20"),
        (MaxExposure({"ABC": 450}, by="instrument"), "ABC 400 of 450 USD used, room for 5"),
    ],
    ids=repr,
)
def test_the_reason_names_the_group_and_what_is_used(limit: RiskManager, why: str) -> None:
    found = allowed(wb.Order(SHARE, "buy", 50), wb.Portfolio("USD", 600, {SHARE: 40}, PRICES), limit)
    assert [reason.why for reason in found.reasons] == [why]
    assert str(found).startswith(f"{type(limit).__name__}: 50 -> ")


def test_a_limit_of_a_group_that_is_not_here_is_said() -> None:
    found = MaxExposure({"EURO": 1.0, "USD": 1.0}).notes([EURUSD])
    assert found == ["MaxExposure: nothing here counts towards currency 'EURO'; did you mean 'EUR'?"]
    assert MaxExposure(1.0).notes([EURUSD]) == []


@pytest.mark.parametrize(
    ("limit", "instrument", "notes"),
    [
        (MaxExposure(100), wb.Instrument("BTCUSDT", "crypto", "perpetual"), ["MaxExposure: nothing here counts towards any currency"]),
        (MaxExposure(100, by="region"), wb.Instrument("EURUSD", "fx"), ["MaxExposure: nothing here counts towards any region"]),
        (MaxExposure(100, by="region"), SHARE, []),
        (MaxExposure(100, by="asset_class"), wb.Instrument("BTCUSDT", "crypto", "perpetual"), []),
    ],
    ids=["perpetual by currency", "no region", "region", "perpetual by class"],
)
def test_30_a_limit_that_can_never_bind_is_said(limit: MaxExposure, instrument: wb.Instrument, notes: list[str]) -> None:
    assert limit.notes([instrument]) == notes
    assert [
        words for words in wb.backtest(plan("+.", risk=[limit]), market([10, 10], instrument)).assumptions if "nothing here" in words
    ] == notes


# -- leverage, net ----------------------------------------------------------------------------------------------------

HEDGED = [wb.Instrument(name, "commodity", "future") for name in ("UP", "DOWN", "NEW")]


@pytest.mark.parametrize(
    ("side", "scope", "left"),
    [("buy", "gross", 2.0), ("sell", "gross", 2.0), ("buy", "net", 6.0), ("sell", "net", 14.0)],
)
def test_leverage_is_of_all_or_of_what_is_left_of_them(side: Any, scope: Any, left: float) -> None:
    # long 11 and short 7 of 100 are gross 18 x 100, net 4 x 100; equity is 1,000
    book = wb.Portfolio("USD", 1000, {HEDGED[0]: 11, HEDGED[1]: -7}, dict.fromkeys(("UP", "DOWN", "NEW"), 100.0))
    limit = MaxLeverage(2 if scope == "gross" else 1, scope)
    assert allowed(wb.Order(HEDGED[2], side, 50), book, limit).quantity == left


def test_a_net_leverage_that_is_breached_lets_through_what_reduces_it() -> None:
    book = wb.Portfolio("USD", 1000, {HEDGED[0]: 15}, dict.fromkeys(("UP", "DOWN", "NEW"), 100.0))
    assert allowed(wb.Order(HEDGED[2], "buy", 50), book, MaxLeverage(1, "net")).quantity == 0.0
    found = allowed(wb.Order(HEDGED[2], "sell", 50), book, MaxLeverage(1, "net"))
    assert found.quantity == 25.0
    assert str(found) == "MaxLeverage: 50 -> 25, net 1,500.00 of 1,000.00 USD (1 x equity)"
