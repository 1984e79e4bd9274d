"""What a fill costs by default and by wish (SEMANTICS 31)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from worked import both, market, plan

from workbench import Instrument
from workbench.errors import ParameterError
from workbench.execution import Costs
from workbench.execution.costs import costs_for
from workbench.money import fee_of, slipped

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
    assert Costs().numbers(instrument) == pytest.approx(expected, rel=1e-15)


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
    assert costs.numbers(SHARE) == pytest.approx(expected, rel=1e-15)


def test_ticks_are_those_of_the_instrument() -> None:
    assert Costs(ticks=2).numbers(CFD)[3:] == (0.0, 1.0)
    assert Costs(ticks=3, slippage=0.001).numbers(FUTURE)[3:] == (0.001, 0.75)


@pytest.mark.parametrize("name", ["commission", "per_unit", "minimum", "slippage", "ticks", "spread"])
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
        (SHARE, Costs(), "commission 5 bp + at least 1 a fill, slippage 5 bp on market and stop fills, none on limits"),
        (FUTURE, Costs(), "commission 2.5 a unit, slippage 0.25 a unit of price on market and stop fills, none on limits"),
        (COIN, Costs(commission=0.0, slippage=0.0), "commission 0 bp, slippage 0 bp on market and stop fills, none on limits"),
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


@pytest.mark.parametrize("case", [0, 1], ids=["least fee", "by the share"])
def test_the_examples_of_a_broker(shared: Path, case: int) -> None:
    # the third needs a largest fee, which `Costs` does not have
    given = json.loads((shared / "reference" / "s07_ib_fixed_commission.json").read_text())["cases"][case]
    rate, unit, least, *_ = Costs(per_unit=0.005, minimum=1.0).numbers(SHARE)
    assert fee_of(given["shares"], given["price"], 1.0, 1.0, rate, unit, least) == pytest.approx(given["expected"], rel=1e-12)


def test_costs_of_a_round_trip_by_hand() -> None:
    result = both(plan("+0.", quantity=100), market([50, 50, 60, 60]), costs=None)
    bought, sold = slipped(50, 1, 5e-4, 0), slipped(60, -1, 5e-4, 0)
    assert result.fills["price"].tolist() == [bought, sold]
    assert result.fills["fee"].tolist() == pytest.approx([bought * 0.05, sold * 0.05])
    assert result.equity.iloc[-1] == pytest.approx(100_000 + 100 * (sold - bought) - 0.05 * (bought + sold))


def test_the_least_fee_of_a_small_fill() -> None:
    result = both(plan("+0.", quantity=1), market([50, 50, 50]), costs=None)
    assert result.fills["fee"].tolist() == [1.0, 1.0]
