"""Orders, fills, trades and decisions as a person reads them: one small run worked by hand, and what must hold of any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import random_case
from worked import CONTRACT, EURUSD, SHARE, Stop, both, market, plan, reasons

import workbench as wb
from workbench.research.running import run_session
from workbench.research.tables import decisions_table, fills_table, orders_table, positions_of, trades_table
from workbench.risk import MaxLeverage

COIN = wb.Instrument("BTCUSD", "crypto")
TENTHS = wb.Instrument("TEN", quantity_step=0.1)
TOO_SMALL = "below the smallest order the venue takes"
COSTS = wb.execution.Costs(commission=0.001, slippage=0.0)
#: Long 3 from 100, stopped at 95; short 3 of the contract from 52 to 50; long 3 from 105, still open.
BARS = market({SHARE: [100, 100, (98, 99, 94, 96), 100, 105, 108], CONTRACT: [50, 50, 51, 52, 50, 50]})
RESULT = both(plan("+..-+.", "..-0..", quantity=3, exits=[Stop(5.0)], start="join"), BARS, costs=COSTS, cash=10_000)
HOUR = BARS.index
RANDOM = [random_case(seed) for seed in (1, 2, 9, 12, 20, 25)]


def rows(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_fills_by_hand() -> None:
    expected = [
        (HOUR[1], "ABC", "open", "buy", 3.0, 100.0, 300.0),
        (HOUR[2], "ABC", "stop", "sell", 3.0, 95.0, 285.0),
        (HOUR[3], "FUT", "open", "sell", 3.0, 52.0, 156.0),
        (HOUR[4], "FUT", "close", "buy", 3.0, 50.0, 150.0),
        (HOUR[4], "ABC", "open", "sell", 3.0, 105.0, 315.0),
        (HOUR[5], "ABC", "close", "buy", 3.0, 108.0, 324.0),
        (HOUR[5], "ABC", "open", "buy", 3.0, 108.0, 324.0),
    ]
    assert rows(RESULT.fills, "time", "symbol", "leg", "side", "quantity", "price", "value") == expected
    assert RESULT.fills["fee"].tolist() == pytest.approx([value * 0.001 for *_, value in expected])


def test_trades_by_hand() -> None:
    found = RESULT.trades
    assert rows(found, "symbol", "side", "quantity", "entered", "entry_price", "exit_price", "exit", "steps") == [
        ("ABC", "long", 3.0, HOUR[1], 100.0, 95.0, "stop", 1),
        ("FUT", "short", 3.0, HOUR[3], 52.0, 50.0, "close", 1),
        ("ABC", "short", 3.0, HOUR[4], 105.0, 108.0, "close", 1),
        ("ABC", "long", 3.0, HOUR[5], 108.0, 108.0, "open", 0),
    ]
    fees = [0.585, 0.306, 0.639, 0.324]
    assert found["fees"].tolist() == pytest.approx(fees)
    profits = [gross - fee for gross, fee in zip([-15, 6, -9, 0], fees, strict=True)]
    assert found["profit"].tolist() == pytest.approx(profits)
    assert found["return"].tolist() == pytest.approx([p / v for p, v in zip(profits, [300, 156, 315, 324], strict=True)])
    assert found["exited"].isna().tolist() == [False, False, False, True]


def test_orders_by_hand() -> None:
    found = RESULT.orders.iloc[:4]
    assert rows(found, "time", "symbol", "leg", "side", "quantity", "type", "status", "ended") == [
        (HOUR[0], "ABC", "open", "buy", 3.0, "market", "filled", HOUR[1]),
        (HOUR[0], "ABC", "stop", "sell", 3.0, "stop", "filled", HOUR[2]),
        (HOUR[2], "FUT", "open", "sell", 3.0, "market", "filled", HOUR[3]),
        (HOUR[2], "FUT", "stop", "buy", 3.0, "stop", "cancelled", HOUR[4]),
    ]
    assert found["price"].fillna(0).tolist() == [0, 95, 0, 57]
    assert RESULT.orders["status"].iloc[-1] == "working"
    assert pd.isna(RESULT.orders["ended"].iloc[-1])


def test_decisions_by_hand() -> None:
    found = RESULT.decisions
    assert rows(found, "time", "symbol", "stance", "closed", "asked", "opened")[:2] == [
        (HOUR[0], "ABC", 1.0, 0.0, 3.0, 3.0),
        (HOUR[2], "FUT", -1.0, 0.0, 3.0, 3.0),
    ]
    assert found["close"].tolist() == [100, 51, 100, 52, 105]
    assert found["equity"].tolist() == pytest.approx([RESULT.equity[t] for t in found["time"]])
    assert reasons(RESULT) == [
        "FixedQuantity asks for 3; opens 3 long",
        "FixedQuantity asks for 3; opens 3 short",
        "FixedQuantity asks for 3; opens 3 short",
        "closes 3 short",
        "closes 3 short; FixedQuantity asks for 3; opens 3 long",
    ]


def test_the_newest_orders_are_explained() -> None:
    found = RESULT.explain(last=5)
    assert len(found) == 5
    assert rows(RESULT.explain(), "leg", "reason")[:3] == [
        ("open", "FixedQuantity asks for 3; opens 3 long"),
        ("stop", "protects the opening of 3 long"),
        ("open", "FixedQuantity asks for 3; opens 3 short"),
    ]
    assert set(RESULT.explain().query("leg == 'close'")["reason"]) <= {"the stance turned flat", "the stance turned long"}
    assert RESULT.explain(last=0).empty


def test_positions_by_hand() -> None:
    assert RESULT.positions.to_numpy().tolist() == [[0, 0], [3, 0], [0, 0], [0, -3], [-3, 0], [3, 0]]


@pytest.mark.parametrize(
    ("stances", "quantity", "instrument", "risk", "said"),
    [
        ("-.", 1, COIN, [], "short selling is not possible here"),
        ("+.-.", 1, COIN, [], "short selling is not possible here"),
        ("+.0.", 1, COIN, [], "closes 1 long"),
        ("+.", 0.5, SHARE, [], TOO_SMALL),
        ("+.", 5000, SHARE, [], "buying power: 5,000 -> 1,000 (margin and fees of what equity can carry); opens 1,000 long"),
        ("+.", 5, SHARE, [MaxLeverage(1e-5)], f"MaxLeverage: 5 -> 0.01 (gross limit 1 USD (1e-05 x equity)); {TOO_SMALL}"),
        ("-.", 5, SHARE, [MaxLeverage(3e-3)], "MaxLeverage: 5 -> 3 (gross limit 300 USD (0.003 x equity)); opens 3 short"),
    ],
    ids=["no shorts from flat", "no shorts", "closed", "below a step", "buying power", "cut to nothing", "cut"],
)  # fmt: skip
def test_reasons_in_words(stances: str, quantity: float, instrument: wb.Instrument, risk: list[Any], said: str) -> None:
    result = both(plan(stances, quantity=quantity, risk=risk), market([100] * len(stances), instrument))
    assert said in reasons(result)[-1]


@pytest.mark.parametrize(
    ("step", "quantity", "words"),
    [
        (1, 1_234_567, "FixedQuantity asks for 1,234,567; opens 1,234,567 long"),
        (1, 1_234_567.75, "FixedQuantity asks for 1,234,567.75; opens 1,234,567 long"),
        (0.25, 1_234_567.25, "FixedQuantity asks for 1,234,567.25; opens 1,234,567.25 long"),
        (1, 1e5 / 3, "FixedQuantity asks for 33,333.33; opens 33,333 long"),
        (1, 10 / 3, "FixedQuantity asks for 3.33333; opens 3 long"),
        (100, 200_000, "FixedQuantity asks for 200,000; opens 200,000 long"),
        (1e-8, 0.00001234, "FixedQuantity asks for 0.00001234; opens 0.00001234 long"),
        (1e-8, 12.3456789, "FixedQuantity asks for 12.3456789; opens 12.3456789 long"),
    ],
)
def test_quantities_are_written_in_full(step: float, quantity: float, words: str) -> None:
    instrument = wb.Instrument("ABC", quantity_step=step, min_quantity=step)
    assert reasons(both(plan("+.", quantity=quantity), market([10, 10], instrument), cash=1e9)) == [words]


def test_profit_of_a_pair_is_turned_over_at_the_exits_rate() -> None:
    # 1 lot from 1.25 to 1.5: 25,000 USD, at the last completed step's rate of 1.25
    result = both(plan("+0..", quantity=1), market([1.25, 1.25, 1.5, 1.6], EURUSD), currency="EUR")
    assert result.trades["profit"].tolist() == pytest.approx([25_000 / 1.25])
    assert result.equity.iloc[-1] == pytest.approx(100_000 + 25_000 / 1.25)


def test_tenths_are_shown_as_decimals() -> None:
    result = both(plan("+0..", quantity=0.3), market([100] * 4, TENTHS))
    assert result.fills["quantity"].tolist() == [0.3, 0.3]
    assert result.positions["TEN"].tolist() == [0, 0.3, 0, 0]


def test_an_open_trade_is_valued_at_its_own_last_close() -> None:
    bars = market({SHARE: [100, 100, 110, None, None], CONTRACT: [None, 50, 50, 60, 70]})
    found = both(plan("+....", ".+...", quantity=1), bars).trades.set_index("symbol")
    assert found["exit_price"].to_dict() == {"ABC": 110.0, "FUT": 70.0}
    assert found["exit"].tolist() == ["open", "open"]


def test_no_trades_are_empty_tables() -> None:
    result = both(plan("..."), market([100] * 3))
    tables = (result.orders, result.fills, result.trades, result.decisions)
    assert [len(table) for table in tables] == [0, 0, 0, 0]
    assert all(len(table.columns) > 5 for table in tables)
    assert result.positions.to_numpy().tolist() == [[0]] * 3


# -- what must hold of any --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=RANDOM, ids=lambda case: f"seed {case.seed}")
def tables(request: pytest.FixtureRequest) -> dict[str, Any]:
    setup = request.param.setup()
    record = run_session(setup)
    made = {f.__name__: f(setup, record) for f in (orders_table, fills_table, trades_table, decisions_table, positions_of)}
    return made | {"setup": setup, "record": record}


def test_every_fill_belongs_to_its_order(tables: dict[str, Any]) -> None:
    fills, orders = tables["fills_table"], tables["orders_table"]
    mine = orders.iloc[fills["order"]].reset_index(drop=True)
    for name in ("symbol", "leg", "side", "quantity"):
        assert (mine[name] == fills[name]).all(), name
    assert (mine["status"] == "filled").all()
    assert (mine["ended"] == fills["time"]).all()
    assert int((orders["status"] == "filled").sum()) == len(fills)


def test_every_opening_is_a_trade(tables: dict[str, Any]) -> None:
    fills, trades = tables["fills_table"], tables["trades_table"]
    assert len(trades) == int((fills["leg"] == "open").sum())
    assert int((trades["exit"] != "open").sum()) == int((fills["leg"] != "open").sum())
    assert trades["fees"].sum() == pytest.approx(fills["fee"].sum())
    assert (trades["steps"] >= 0).all()


def test_positions_are_the_sum_of_fills(tables: dict[str, Any]) -> None:
    fills, positions = tables["fills_table"], tables["positions_of"]
    signed = fills["quantity"].where(fills["side"] == "buy", -fills["quantity"])
    expected = signed.groupby([fills["time"], fills["symbol"]]).sum().unstack().reindex(index=positions.index, columns=positions.columns)
    np.testing.assert_allclose(positions, expected.fillna(0).cumsum(), rtol=1e-9, atol=1e-9)


def test_trades_add_up_to_the_equity_where_rates_stand_still() -> None:
    checked = 0
    for setup in (case.setup() for case in RANDOM):
        record = run_session(setup)
        if not setup.conversion.moving and len(record.fills):
            fills = fills_table(setup, record)
            profit = trades_table(setup, record)["profit"].sum()
            assert profit == pytest.approx(record.equity[-1] - setup.cash, abs=1e-9 * (setup.cash + fills["value"].sum()))
            checked += 1
    assert checked >= 2
