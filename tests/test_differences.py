"""A run's differences in words: quantities, times and outcomes as people say them, never rows, lots and codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from paper_worlds import expected
from run_worlds import HISTORY, World
from worked import EURUSD

import workbench as wb
from workbench.live.differences import Differences
from workbench.live.parity import BUG, MISSED, OVERRIDE, SHOWN, RunParity
from workbench.session.setup import Setup, set_up

COIN = wb.Instrument("BTCUSDT", "crypto", quantity_step=0.01)
BARS = wb.simulate(COIN, bars=30, interval="1h", seed=1)
SETUP = set_up(wb.Strategy(wb.signals.MovingAverageCross(2, 5), wb.sizing.FixedQuantity(1)), BARS)
COLUMNS = ["what", "time", "symbol", "leg", "field", "expected", "got", "cause"]


def row(what: str, field: str, expected: Any, got: Any, at: int = 3, cause: str = OVERRIDE, leg: str = "open") -> list[Any]:
    symbol = "" if what in ("equity", "cash") else "BTCUSDT"
    return [what, BARS.index[at], symbol, leg if what in ("order", "fill") else "", field, expected, got, cause]


def words(*rows: list[Any], setup: Setup = SETUP) -> Differences:
    return Differences(setup, pd.DataFrame(rows, columns=COLUMNS))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (row("order", "present", False, True, leg="close"), "the close order of BTCUSDT was not expected"),
        (row("order", "present", True, False), "the open order of BTCUSDT is missing"),
        (row("order", "lots", 58_250, 61_200), "the open order of BTCUSDT: quantity 612 instead of 582.5"),
        (row("order", "end", 5, -1), "the open order of BTCUSDT: ended not yet instead of 2024-01-01 05:00 UTC"),
        (row("order", "side", 1, -1), "the open order of BTCUSDT: side sell instead of buy"),
        (row("order", "kind", 1, 0), "the open order of BTCUSDT: type market instead of limit"),
        (row("order", "status", "filled", "lapsed"), "the open order of BTCUSDT: status lapsed instead of filled"),
        (row("fill", "t", 5, 7), "the fill of the open order of BTCUSDT: time 2024-01-01 07:00 UTC instead of 2024-01-01 05:00 UTC"),
        (row("fill", "lots", 100, -150), "the fill of the open order of BTCUSDT: quantity -1.5 instead of 1"),
        (row("decision", "stance", 1.0, 0.0), "the decision on BTCUSDT: stance flat instead of long"),
        (row("decision", "code", 0, 13), "the decision on BTCUSDT: outcome the session only reduces: nothing opens instead of "
         "nothing was wanted"),
        (row("decision", "distance", 2.5, np.nan), "the decision on BTCUSDT: distance none instead of 2.5"),
        (row("equity", "equity", 100_000.0, 100_010.123), "equity 100,010.12 instead of 100,000.00"),
        (row("cash", "cash", 1.0, 2.0), "cash 2.00 instead of 1.00"),
    ],
)  # fmt: skip
def test_a_difference_is_a_sentence(given: list[Any], sentence: str) -> None:
    assert words(given).first == sentence


def test_the_first_is_the_earliest() -> None:
    told = words(row("order", "lots", 1, 2, at=9), row("equity", "equity", 1.0, 2.0, at=4))
    assert (told.since, told.first) == ("2024-01-01 04:00 UTC", "equity 2.00 instead of 1.00")


def test_a_table_says_no_row_numbers_lots_or_codes() -> None:
    table = words(row("order", "end", 5, 7), row("order", "lots", 58_250, 1), row("order", "present", True, False)).table(2)
    assert table.columns.tolist() == ["time", *COLUMNS[:1], *COLUMNS[2:]]
    assert table[["time", "field", "expected", "got"]].to_numpy().tolist() == [
        ["2024-01-01 03:00 UTC", "ended", "2024-01-01 05:00 UTC", "2024-01-01 07:00 UTC"],
        ["2024-01-01 03:00 UTC", "quantity", "582.5", "0.01"],
    ]


def test_a_daily_bar_has_a_date() -> None:
    bars = wb.simulate(EURUSD, bars=10, interval="1D", seed=1)
    told = words(["cash", bars.index[2], "", "", "cash", 1.0, 2.0, BUG], setup=set_up(SETUP.strategy, bars))
    assert told.since == f"{bars.index[2]:%Y-%m-%d}"


@pytest.mark.parametrize(("amount", "said"), [(12.345, "+12.35 USDT"), (-1_234.5, "-1,234.50 USDT"), (-0.001, "+0.00 USDT")])
def test_what_it_came_to_has_a_sign(amount: float, said: str) -> None:
    assert words(row("cash", "cash", 1.0, 2.0)).money(amount) == said


# -- the report -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("run"))
    world.fed.run(10)
    for _ in range(5):
        world.fed.step("the session was down")
    world.fed.run(25)
    world.held().order("flatten")
    world.fed.run()
    yield world
    world.journal.close()


@pytest.fixture(scope="module")
def report(world: World) -> RunParity:
    return world.report()


def test_a_report_has_one_line_for_each_cause(report: RunParity) -> None:
    lines = report.by_cause()
    assert lines["cause"].str.partition(":")[0].tolist() == [MISSED, OVERRIDE]
    assert lines["differences"].tolist() == [report.causes[MISSED], report.causes[OVERRIDE]]
    assert lines["first"].str.len().min() > 10
    assert all(text in repr(report) for text in lines["first"])


def test_what_the_causes_came_to_is_what_the_run_came_to(world: World, report: RunParity) -> None:
    undisturbed = expected(world.fed.full, HISTORY).equity[-1]
    assert sum(report.equity.values()) == pytest.approx(world.fed.recorder.record().equity[-1] - undisturbed, abs=1e-6)
    assert all(report.equity[cause] for cause in (MISSED, OVERRIDE))
    assert not report.equity[BUG]


def test_its_table_is_folded_and_readable(report: RunParity) -> None:
    page = report._repr_html_()
    assert f"<details><summary>All {len(report.differences)} differences</summary>" in page
    assert len(report.differences) < SHOWN
    assert "+00:00" not in page
    assert ">lots<" not in page


def test_a_long_table_is_cut_and_says_so(report: RunParity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.live.parity.SHOWN", 7)
    page = report._repr_html_()
    assert f"<summary>The first 7 of {len(report.differences)} differences</summary>" in page
    assert page.partition("<details>")[2].count("<tr>") == 8


def test_programs_have_the_columns_that_they_had(report: RunParity) -> None:
    assert report.differences.columns.tolist() == COLUMNS
