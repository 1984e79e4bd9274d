"""What a fill costs by default and by wish (SEMANTICS 31)."""

from __future__ import annotations

from typing import Any

import pytest
from worked import both, market, opened, plan

from workbench import Instrument
from workbench.errors import ParameterError
from workbench.execution import Costs
from workbench.execution.costs import costs_for
from workbench.money import slipped

BP = 1e-4
SHARE = Instrument("ABC")
COIN = Instrument("BTCUSDT", "crypto")
PERPETUAL = Instrument("BTCUSDT", "crypto", "perpetual")
PAIR = Instrument("EURUSD", "fx", multiplier=100_000)
FUTURE = Instrument("ES", "index", "future", multiplier=50, tick_size=0.25)
TICKLESS = Instrument("CL", "commodity", "future")
CFD = Instrument("DAX", "index", "cfd", tick_size=0.5)


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        (COIN, (10 * BP, 0, 0, 5 * BP, 0)),
        (PERPETUAL, (5 * BP, 0, 0, 5 * BP, 0)),
        (SHARE, (5 * BP, 0, 1.0, 5 * BP, 0)),
        (PAIR, (1 * BP, 0, 0, 1 * BP, 0)),
        (FUTURE, (0, 2.5, 0, 0, 0.25)),
        (TICKLESS, (0, 2.5, 0, 10 * BP, 0)),
    ],
    ids=["coin", "perpetual", "share", "fx", "future", "future without tick"],
)
def test_31_the_usual_costs_of_a_market(instrument: Instrument, expected: tuple[float, ...]) -> None:
    assert Costs().numbers(instrument)[:5] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        (Costs(commission=0.001), (0.001, 0, 0, 5 * BP, 0)),
        (Costs(commission=0.0), (0, 0, 0, 5 * BP, 0)),
        (Costs(minimum=2.0), (0, 0, 2.0, 5 * BP, 0)),
        (Costs(per_unit=0.005, minimum=1.0), (0, 0.005, 1.0, 5 * BP, 0)),
        (Costs(slippage=0.002), (5 * BP, 0, 1.0, 0.002, 0)),
        (Costs(spread=0.001), (5 * BP, 0, 1.0, 0.0005, 0)),
        (Costs(slippage=0.002, spread=0.001), (5 * BP, 0, 1.0, 0.0025, 0)),
        (Costs(commission=0.0, slippage=0.0), (0, 0, 0, 0, 0)),
        (Costs(ticks=2), (5 * BP, 0, 1.0, 10 * BP, 0)),
    ],
    ids=["commission", "zero", "minimum", "a share", "slippage", "half the spread", "both", "free", "ticks without a tick"],
)
def test_naming_one_part_sets_its_others_to_nothing(costs: Costs, expected: tuple[float, ...]) -> None:
    assert costs.numbers(SHARE)[:5] == pytest.approx(expected, rel=1e-15)


def test_ticks_are_those_of_the_instrument() -> None:
    assert Costs(ticks=2).numbers(CFD)[3:5] == (0.0, 1.0)
    assert Costs(ticks=3, slippage=0.001).numbers(FUTURE)[3:5] == (0.001, 0.75)


@pytest.mark.parametrize("name", ["commission", "per_unit", "minimum", "slippage", "ticks", "spread", "maximum"])
@pytest.mark.parametrize("value", [-0.001, float("inf")])
def test_a_negative_or_endless_cost_is_refused(name: str, value: float) -> None:
    with pytest.raises(ParameterError, match=f"Costs: {name} must not be negative, got {value!r}"):
        Costs(**{name: value})


@pytest.mark.parametrize("name", ["commission", "slippage", "spread"])
def test_a_share_of_the_whole_price_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=rf"Costs: {name} is a share of the price \(0.001 = 10 basis points\), got 5"):
        Costs(**{name: 5})


def test_a_misspelt_cost_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"comission.*did you mean 'commission'"):
        Costs(comission=0.001)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("instrument", "costs", "words"),
    [
        (SHARE, Costs(), "commission 5 bp + at least 1 a fill, slippage 5 bp on market and stop fills, none on limits that rest"),
        (FUTURE, Costs(), "commission 2.5 a unit, slippage 0.25 a unit of price on market and stop fills, none on limits that rest"),
        (COIN, Costs(commission=0.0, slippage=0.0), "commission 0 bp, slippage 0 bp on market and stop fills, none on limits that rest"),
        (FUTURE, Costs(commission=0.001, per_unit=1.0), "commission 10 bp + 1 a unit, slippage 0.25 a unit of price"),
    ],
    ids=["share", "future", "free", "rate and unit"],
)
def test_costs_in_words(instrument: Instrument, costs: Costs, words: str) -> None:
    assert costs.describe(instrument).startswith(words)


# -- of each instrument -----------------------------------------------------------------------------------------------


def test_one_for_all_or_by_symbol() -> None:
    mine = Costs(commission=0.001)
    assert costs_for(mine, [SHARE, COIN]) == [mine, mine]
    found = costs_for({"BTCUSDT": mine}, [SHARE, COIN])
    assert found[1] is mine
    assert found[0].numbers(SHARE) == Costs().numbers(SHARE)
    assert [c.numbers(SHARE) for c in costs_for(None, [SHARE])] == [Costs().numbers(SHARE)]


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"ABD": Costs()}, "costs given for 'ABD', which is not traded; did you mean 'ABC'?"),
        (0.001, "costs must be wb.execution.Costs(...) or a dict by symbol, got 0.001"),
    ],
    ids=["unknown symbol", "number"],
)
def test_wrong_costs_get_a_sentence(costs: Any, said: str) -> None:
    with pytest.raises(ParameterError) as caught:
        costs_for(costs, [SHARE])
    assert str(caught.value) == said


def test_a_number_for_a_symbol_gets_a_sentence() -> None:
    with pytest.raises(ParameterError, match="ABC"):
        both(plan("+."), market([100, 100]), costs={"ABC": 0.001})


# -- in a fill --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "price", "fee"),
    [(100, 40.0, 2.0), (1_000, 40.0, 10.0), (1_000, 0.5, 5.0), (10, 0.5, 0.05)],
    ids=["least", "by the share", "largest", "the largest goes before the least"],
)
def test_a_fee_between_its_least_and_its_largest(quantity: float, price: float, fee: float) -> None:
    costs = Costs(per_unit=0.01, minimum=2.0, maximum=0.01, slippage=0.0)
    result = both(plan("+0.", quantity=quantity), market([price] * 3), costs=costs)
    assert result.fills["fee"].tolist() == pytest.approx([fee, fee], rel=1e-12)
    assert "commission 0.01 a unit + at least 2 a fill + at most 1.00 % of it" in costs.describe(SHARE)


def test_22_the_largest_fee_is_what_buying_power_reserves() -> None:
    # 1,000 of 0.50 would cost 10 by the share, and costs 5 at most: 505 / (0.5 x 1.01) = 1,000
    costs = Costs(per_unit=0.01, maximum=0.01, slippage=0.0)
    assert opened(both(plan("+.", quantity=9_999), market([0.5, 0.5]), costs=costs, cash=505.0)) == [1_000.0]


def test_costs_of_a_round_trip_by_hand() -> None:
    result = both(plan("+0.", quantity=100), market([50, 50, 60, 60]), costs=None)
    bought, sold = slipped(50, 1, 5e-4, 0), slipped(60, -1, 5e-4, 0)
    assert result.fills["price"].tolist() == [bought, sold]
    assert result.fills["fee"].tolist() == pytest.approx([bought * 0.05, sold * 0.05])
    assert result.equity.iloc[-1] == pytest.approx(100_000 + 100 * (sold - bought) - 0.05 * (bought + sold))


def test_the_least_fee_of_a_small_fill() -> None:
    result = both(plan("+0.", quantity=1), market([50, 50, 50]), costs=None)
    assert result.fills["fee"].tolist() == [1.0, 1.0]
