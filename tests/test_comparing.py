"""Two records side by side: equal ones have no difference, and each change is named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from worked import CONTRACT, SHARE, Stop, Target, both, market, plan

from workbench.records import STATUSES
from workbench.research.comparing import COLUMNS, DECISION_FIELDS, FILL_FIELDS, ORDER_FIELDS, compare, same
from workbench.session.record import Record

NAN = float("nan")
BARS = market({SHARE: [100, 100, 110, 105, 120, 118], CONTRACT: [50, 50, 40, 45, 50, 50]})
RECORD = both(plan("+.-+..", "-..+..", quantity=3, exits=[Stop(30.0), Target(40.0)]), BARS, cash=10_000).record


def changed(rows: str, number: int, field: str, value: Any) -> Record:
    """Return the record with one number changed."""
    table = getattr(RECORD, rows).copy()
    table[field][number] = value
    return dataclasses.replace(RECORD, **{rows: table})


def without(rows: str, number: int) -> Record:
    return dataclasses.replace(RECORD, **{rows: np.delete(getattr(RECORD, rows), number)})


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1.0, 1.0, True),
        (1.0, np.nextafter(1.0, 2.0), False),
        (NAN, NAN, True),
        (NAN, 1.0, False),
        (0.0, -0.0, True),
        (3, 3.0, True),
        ("a", "a", True),
    ],
)
def test_equal_to_the_last_bit(left: Any, right: Any, expected: bool) -> None:
    assert same(left, right) is expected


def test_a_record_equals_itself_and_its_copy() -> None:
    arrays = ("orders", "fills", "decisions", "equity")
    copy = dataclasses.replace(RECORD, **{name: getattr(RECORD, name).copy() for name in arrays})
    found = compare(RECORD, copy, BARS)
    assert found.empty
    assert list(found.columns) == COLUMNS
    assert compare(RECORD, dataclasses.replace(RECORD, engine="another"), BARS).empty


# -- one number -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ORDER_FIELDS)
def test_a_changed_order_is_named(field: str) -> None:
    order = RECORD.orders[0]
    value = order[field] + 1 if field != "price" else 7.5
    found = compare(RECORD, changed("orders", 0, field, value), BARS)
    assert found[["what", "symbol", "leg", "field"]].to_numpy().tolist() == [["order", "ABC", "open", field]]
    assert found["time"].tolist() == [BARS.index[0]]
    words = [STATUSES[int(order[field])], STATUSES[int(value)]] if field == "status" else [order[field], value]
    np.testing.assert_equal([found["expected"][0], found["got"][0]], words)


@pytest.mark.parametrize("field", FILL_FIELDS)
def test_a_changed_fill_is_named(field: str) -> None:
    found = compare(RECORD, changed("fills", 2, field, RECORD.fills[2][field] + 1), BARS)
    fill = RECORD.fills[2]
    symbol = BARS.symbols[fill["j"]]
    assert found[["what", "symbol", "field", "expected", "got"]].to_numpy().tolist() == [
        ["fill", symbol, field, fill[field], fill[field] + 1]
    ]
    assert found["time"].tolist() == [BARS.index[fill["t"]]]


@pytest.mark.parametrize("field", DECISION_FIELDS)
def test_a_changed_decision_is_named(field: str) -> None:
    value = RECORD.decisions[1][field] + 1 if field != "price" else np.nextafter(RECORD.decisions[1][field], 0)
    found = compare(RECORD, changed("decisions", 1, field, value), BARS)
    assert found[["what", "leg", "field", "got"]].to_numpy().tolist() == [["decision", "", field, value]]


def test_a_changed_cut_is_named_by_its_number() -> None:
    cuts = RECORD.decisions[0]["after"].copy()
    cuts[1] = 2.0
    found = compare(RECORD, changed("decisions", 0, "after", cuts), BARS)
    assert found[["what", "field", "got"]].to_numpy().tolist() == [["decision", "cut 2", 2.0]]


@pytest.mark.parametrize("step", [0, 3, 5])
def test_a_changed_equity_is_named(step: int) -> None:
    equity = RECORD.equity.copy()
    equity[step] = np.nextafter(equity[step], 0)
    found = compare(RECORD, dataclasses.replace(RECORD, equity=equity), BARS)
    assert found[["what", "time", "field"]].to_numpy().tolist() == [["equity", BARS.index[step], "equity"]]
    assert found["expected"][0] - found["got"][0] == pytest.approx(0, abs=1e-9)


def test_changed_cash_is_named() -> None:
    found = compare(RECORD, dataclasses.replace(RECORD, cash=RECORD.cash + 1), BARS)
    assert found[["what", "got"]].to_numpy().tolist() == [["cash", RECORD.cash + 1]]


def test_equity_that_is_missing_on_both_sides_is_equal() -> None:
    missing = dataclasses.replace(RECORD, equity=np.append(RECORD.equity[:-1], NAN))
    assert compare(missing, missing, BARS).empty


# -- more or fewer rows -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "expected"), [(True, False, [True, False]), (False, True, [False, True])], ids=["missing", "too many"]
)
@pytest.mark.parametrize("rows", ["orders", "decisions"])
def test_a_row_that_one_side_lacks_is_named(rows: str, left: bool, right: bool, expected: list[bool]) -> None:
    last = len(getattr(RECORD, rows)) - 1
    pair = [RECORD if there else without(rows, last) for there in (left, right)]
    found = compare(*pair, BARS)
    mine = found[found["field"] == "present"]
    assert mine["what"].tolist() == [rows[:-1]]
    assert [mine["expected"].iloc[0], mine["got"].iloc[0]] == expected


def test_a_fill_that_one_side_lacks_is_named() -> None:
    found = compare(RECORD, without("fills", len(RECORD.fills) - 1), BARS)
    assert found[["what", "field", "expected", "got"]].to_numpy().tolist() == [["fill", "present", True, False]]
    turned = compare(without("fills", len(RECORD.fills) - 1), RECORD, BARS)
    assert turned[["what", "field", "expected", "got"]].to_numpy().tolist() == [["fill", "present", False, True]]


def test_equity_of_another_length_is_a_difference() -> None:
    found = compare(RECORD, dataclasses.replace(RECORD, equity=RECORD.equity[:-1]), BARS)
    assert found["what"].tolist() == ["equity"]


def test_orders_are_matched_by_key_not_by_place() -> None:
    turned = RECORD.orders[::-1]
    swapped = RECORD.fills.copy()
    swapped["order"] = len(turned) - 1 - swapped["order"]
    assert compare(RECORD, dataclasses.replace(RECORD, orders=turned, fills=swapped), BARS).empty


def test_every_difference_is_listed() -> None:
    other = dataclasses.replace(changed("fills", 0, "price", 1.0), cash=0.0, equity=RECORD.equity + 1)
    assert set(compare(RECORD, other, BARS)["what"]) == {"fill", "cash", "equity"}
    assert len(compare(RECORD, other, BARS)) == 1 + 1 + len(BARS)


def test_an_order_that_is_there_twice_is_a_difference() -> None:
    twice = dataclasses.replace(RECORD, orders=np.concatenate([RECORD.orders, RECORD.orders[:1]]))
    (row,) = compare(RECORD, twice, BARS).to_dict("records")
    assert (row["what"], row["field"], row["expected"], row["got"]) == ("order", "present", False, True)
    assert compare(twice, twice, BARS).empty
