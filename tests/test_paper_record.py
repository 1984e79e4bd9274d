"""What a run is reported as at its end: its own steps, without its history and without a bar that it never received."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from run_worlds import BARS, HISTORY, STRATEGY, World
from worked import EURUSD

import workbench as wb
from workbench.errors import ParameterError
from workbench.session.setup import set_up


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


def test_a_report_begins_at_the_first_live_step(world: World) -> None:
    world.fed.run()
    run, whole = world.ran(), world.fed.recorder.record()
    result = wb.Backtest(run.setup, run.record)
    assert (result.stats["steps"], result.stats["start"]) == (len(BARS) - HISTORY, BARS.index[HISTORY])
    assert result.equity.tolist() == whole.equity[HISTORY:].tolist()
    assert result.orders["time"].tolist() == [BARS.index[t] for t in whole.orders["t"]]
    assert result.stats["orders"] == len(whole.orders) > 20
    assert result.stats["time in market %"] > 0
    assert result.explain(last=3)["reason"].str.len().min() > 0


def test_times_and_trades_are_those_of_the_whole_record(world: World) -> None:
    world.fed.run()
    run = world.ran()
    cut, whole = wb.Backtest(run.setup, run.record), wb.Backtest(run._whole, world.fed.recorder.record())
    for name in ("orders", "fills", "trades", "decisions"):
        assert getattr(cut, name).astype(str).equals(getattr(whole, name).astype(str))
    assert len(cut.plot().data) == len(whole.plot().data)


def test_a_stop_in_the_middle_of_a_bar_leaves_what_was_told_of_it_out(world: World) -> None:
    world.until(lambda: any(not order.reduce_only for order in world.fed.line.open_orders()))
    steps, fills = len(world.fed.session.tape) - HISTORY, len(world.fed.fills)
    while len(world.fed.fills) == fills:
        assert world.fed.exchange.advance()
        world.fed.listen()
    run = world.ran()
    result = wb.Backtest(run.setup, run.record)
    assert (result.stats["steps"], len(result.fills)) == (steps, fills)
    assert world.report().differences.empty


@pytest.mark.parametrize("verb", ["", "flatten"])
def test_an_order_sent_for_a_bar_that_was_never_received_is_left_out_too(world: World, verb: str) -> None:
    world.held()
    fills = len(world.fed.fills)
    while len(world.fed.fills) == fills and not world.fed.over:
        assert world.fed.exchange.advance()
        world.fed.listen()
    if verb:
        world.fed.order(verb)
    run = world.ran()
    result = wb.Backtest(run.setup, run.record)
    assert len(result.fills) == fills
    assert len(result.positions) == result.stats["steps"]


def test_a_run_that_has_decided_nothing_yet_is_reported_at_the_last_bar_of_its_history(world: World) -> None:
    run = world.ran()
    result = wb.Backtest(run.setup, run.record)
    assert (result.stats["steps"], result.stats["orders"], result.stats["return %"]) == (1, 0, 0.0)
    assert run.progress() == f"0 steps decided, after {HISTORY} bars of history"


def test_it_says_how_many_steps_were_decided_and_missed(world: World) -> None:
    world.fed.run(4)
    for _ in range(3):
        world.fed.step("the session was down")
    assert world.ran().progress() == f"4 steps decided, 3 missed, after {HISTORY} bars of history"


# -- the cut --------------------------------------------------------------------------------------------------------------


def test_a_record_is_not_cut_where_something_had_happened(world: World) -> None:
    record = world.fed.run().recorder.record()
    first = int(record.decisions["t"].min())
    assert record.since(first).decisions["t"].min() == 0
    with pytest.raises(ParameterError, match=f"nothing happened: got row {first + 1}, the first of it is of row {first}"):
        record.since(first + 1)


def test_an_order_without_an_end_has_none_after_the_cut(world: World) -> None:
    record = world.held().recorder.record()
    cut = record.since(HISTORY)
    assert cut.orders["end"].tolist() == [-1 if end < 0 else end - HISTORY for end in record.orders["end"]]
    assert -1 in cut.orders["end"]


def test_a_setup_keeps_what_was_computed_over_the_bars_before() -> None:
    bars = wb.simulate(EURUSD, bars=60, interval="1D", seed=3)
    whole = set_up(STRATEGY, bars, currency="EUR")
    cut = whole.since(25)
    assert whole.conversion.moving
    assert np.array_equal(cut.conversion.unit, whole.conversion.unit[25:])
    assert np.array_equal(cut.inputs.stance, whole.inputs.stance[25:], equal_nan=True)
    assert whole.sessions is not None
    assert np.array_equal(cut.sessions, whole.sessions[25:])
    assert cut.bars.index[0] == bars.index[25]


def test_a_conversion_that_stands_still_is_not_cut() -> None:
    whole = set_up(STRATEGY, BARS)
    assert (whole.since(25).conversion is whole.conversion, whole.since(25).sessions) == (True, None)
