"""The implementation shortfall: worked by hand, and of algorithms side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from worked import FREE, Stop, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.execution import Costs, ExecutionAlgorithm, Iceberg, Limit, LimitChase, Market, Twap
from workbench.records import CLOSE
from workbench.research import compare_execution, plot_execution, shortfall


def ran(words: str, *prices: Any, quantity: float = 100.0, costs: Any = FREE, **parts: Any) -> wb.Backtest:
    return wb.backtest(plan(words, quantity=quantity, **parts), market(list(prices)), cash=1_000_000, costs=costs)


def test_delay_prices_and_fees_of_a_market_order() -> None:
    # decided at 100, the next bar opens at 101, and 1 % is paid on top: 102.01
    costs = Costs(per_unit=0.5, slippage=0.01)
    row = shortfall(ran("+..", 100, (101, 101, 101, 101), 101, costs=costs)).iloc[0]
    assert (row["decided"], row["arrival"], row["asked"], row["filled"]) == (100.0, 101.0, 100.0, 100.0)
    assert row["paid"] == pytest.approx(102.01)
    assert (row["delay"], row["prices"], row["fees"], row["missed"]) == (100.0, pytest.approx(101.0), 50.0, 0.0)
    assert row["shortfall"] == pytest.approx(251.0)
    assert row["bp"] == pytest.approx(251.0)  # of 10,000


def test_a_sale_costs_where_the_price_falls() -> None:
    table = shortfall(ran("+.0..", 100, 100, 100, 98, 98))
    assert table["leg"].tolist() == ["open", "close"]
    assert table["side"].tolist() == ["buy", "sell"]
    assert table["delay"].tolist() == [0.0, 200.0]


def test_what_was_never_filled_costs_what_the_price_ran_away() -> None:
    row = shortfall(ran("+...", 100, 103, 104, 104, execution=Limit(0.01, 2))).iloc[0]
    assert (row["filled"], row["missed"], row["shortfall"]) == (0.0, 400.0, 400.0)
    assert row["paid"] != row["paid"]


def test_the_children_of_an_algorithm_are_one_line() -> None:
    table = shortfall(ran("+......", 100, 100, 101, 102, 103, 103, 103, quantity=40, execution=Twap(4)))
    assert table[["orders", "asked", "filled"]].iloc[0].tolist() == [4, 40.0, 40.0]
    assert table["paid"].iloc[0] == pytest.approx(101.5)
    assert table["prices"].iloc[0] == pytest.approx(60.0)
    assert len(table) == 1


def test_an_opening_of_which_nothing_was_sent_has_its_line() -> None:
    bars = market([100.0, 100.0, 104.0, 106.0, 107.0], wb.Instrument("ABC", min_quantity=8))
    result = wb.backtest(plan("+.0..", quantity=20, execution=Twap(8)), bars, cash=1_000_000, costs=FREE)
    assert len(result.orders) == 0  # the first slices are too small, and then the stance turns
    row = shortfall(result).iloc[0]
    assert (row["orders"], row["side"], row["asked"], row["filled"]) == (0, "buy", 20.0, 0.0)
    assert (row["decided"], row["missed"], row["shortfall"]) == (100.0, 80.0, 80.0)
    assert len(shortfall(result)) == 1


def test_what_a_person_closed_has_its_line() -> None:
    result = ran("+.0.", 100, 100, 102, 101)
    result.record.orders["decision"][result.record.orders["leg"] == CLOSE] = -1  # as of a flatten in the record of a run
    table = shortfall(result)
    assert table["asked"].tolist() == table["filled"].tolist() == [100.0, 100.0]
    assert (table["delay"].iloc[1], table["notional"].iloc[1]) == (100.0, 10_200.0)


def test_what_filled_was_asked_for() -> None:
    result = ran("+.0.", 100, 100, 102, 101)
    result.record.decisions["closed"] = 0  # as of a closing that was sent again, for a decision that closed nothing itself
    table = shortfall(result)
    assert table["asked"].tolist() == table["filled"].tolist() == [100.0, 100.0]
    assert table["bp"].tolist() == [0.0, pytest.approx(98.04, abs=0.01)]


def test_what_a_stop_sold_before_the_closing_came_was_not_missed_by_it() -> None:
    costs = Costs(commission=0.0, slippage=0.0, latency=5.0)
    table = shortfall(ran("+...0....", *[100] * 5, (100, 100, 80, 80), *[80] * 3, costs=costs, exits=[Stop(10.0)]))
    assert table["leg"].tolist() == ["open", "close"]
    assert table["filled"].tolist() == [100.0, 0.0]
    assert table["missed"].tolist() == table["shortfall"].tolist() == [0.0, 0.0]


def test_an_order_that_was_sent_with_the_last_bar_has_no_arrival_yet() -> None:
    table = shortfall(ran(".+", 100, 100))
    assert table["arrival"].isna().all()
    assert table["shortfall"].tolist() == [0.0]


def test_what_another_result_paid_for_the_same_orders_stands_beside() -> None:
    prices = (100, (101, 101, 101, 101), 101, 101, 102, 102)
    ideal, real = ran("+..0..", *prices), ran("+..0..", *prices, costs=Costs(commission=0.0, slippage=0.01))
    table = shortfall(real, against=ideal)
    assert table["expected"].tolist() == [101.0, 102.0]
    assert table["slippage"].tolist() == [pytest.approx(101.0), pytest.approx(102.0)]
    none = shortfall(real, against=ran("......", *prices))
    assert none["expected"].isna().all()


def test_a_comparison_by_venue_and_leg() -> None:
    bars = wb.simulate([wb.Instrument("A", venue="X"), wb.Instrument("B", venue="Y")], days=5, interval="5min", seed=1)
    result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(3, 9)), bars)
    by = compare_execution({"market": result}, by="venue")
    assert by.index.tolist() == [("market", "X"), ("market", "Y")]
    assert by["money"].sum() == pytest.approx(compare_execution({"market": result})["money"].iloc[0])
    with pytest.raises(ParameterError, match="by is venue, symbol, leg, side or nothing, got 'venues'; did you mean 'venue'"):
        compare_execution({"market": result}, by="venues")


def test_nothing_sent_is_an_empty_table() -> None:
    assert shortfall(ran("...", 100, 100, 100)).empty
    assert compare_execution({"idle": ran("...", 100, 100, 100)})["orders"].tolist() == [0]


# -- side by side -----------------------------------------------------------------------------------------------------

ALGORITHMS: dict[str, ExecutionAlgorithm] = {
    "market": Market(),
    "twap": Twap(12),
    "iceberg": Iceberg(0.1, 0.0002, 20),
    "chase": LimitChase(0.0005, 6),
}
SPREAD = 0.0002


@pytest.fixture(params=["simulated", "recorded"])
def bars(request: pytest.FixtureRequest) -> wb.Bars:
    """Five-minute bars of the simulator, and a month of a currency future's minutes as they were recorded."""
    if request.param == "simulated":
        return wb.simulate(days=20, seed=3, interval="5min")
    future = wb.Instrument("6EH4", kind="future", multiplier=125_000)
    path = request.getfixturevalue("shared") / "fixtures" / "market" / "fut_6EH4_1m.parquet"
    return wb.read_bars(path, instrument=future, interval="1min", stamp="close")


def compared(bars: wb.Bars, impact: float | None) -> pd.DataFrame:
    """Return what a rule that trades 10,000 units costs, by its algorithm."""
    costs = Costs(commission=0.0, slippage=0.0, spread=SPREAD, impact=impact)
    rule = (wb.signals.MovingAverageCross(20, 80), wb.sizing.FixedQuantity(10_000))
    return compare_execution(
        {name: wb.backtest(wb.Strategy(*rule, execution=one), bars, cash=1e12, costs=costs) for name, one in ALGORITHMS.items()}
    )


def test_working_an_order_costs_less_than_sending_it_at_once_where_its_weight_counts(bars: wb.Bars) -> None:
    table = compared(bars, 1.0)
    assert (table["shortfall"].drop("market") < table.loc["market", "shortfall"] * 0.75).all()
    assert (table["filled %"] > 90).all()


def test_without_weight_they_agree_to_the_spread(bars: wb.Bars) -> None:
    table = compared(bars, None)
    assert (table["prices"] - table.loc["market", "prices"]).abs().max() <= 1e4 * SPREAD
    assert (table["shortfall"] - table.loc["market", "shortfall"]).abs().max() <= 1e4 * SPREAD


def test_the_picture_stacks_what_the_shortfall_is_made_of() -> None:
    made = {"market": ran("+.0..", 100, 101, 101, 100, 100), "limit": ran("+.0..", 100, 101, 101, 100, 100, execution=Limit(0.01))}
    figure = plot_execution(made)
    assert [trace.name for trace in figure.data] == ["delay", "prices", "fees", "missed", None]
    assert list(figure.data[0].y) == ["limit", "market"]
    assert figure.data[-1].text[1] == f"  {compare_execution(made).loc['market', 'shortfall']:+.1f} bp in all"


@pytest.mark.parametrize("given", [[1], None, {}, {"market": 1}, {"market": pd.DataFrame()}])
def test_what_is_no_result_is_refused(given: Any) -> None:
    with pytest.raises(ParameterError, match="expected results by name"):
        compare_execution(given)
