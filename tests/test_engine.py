"""The runner of the kernel: lists and arrays give the same, rows never run out, compiled where it pays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from markets import random_case
from worked import CONTRACT, SHARE, Stop, Target, market, plan

import workbench as wb
from workbench.records import DECISION, FILL, ORDER, dtype_of
from workbench.research import engine
from workbench.research.comparing import compare
from workbench.research.engine import COMPILE_FROM, columns_of, run_kernel, settings_of
from workbench.session.record import Record
from workbench.session.setup import Setup, set_up

LIMIT = wb.execution.Limit(offset=0.001, bars=3, then="cross")


def setup_of(stances: str, count: int = 4, **parts: Any) -> Setup:
    return set_up(plan(stances, **parts), market([100.0 + (t % 7) for t in range(count)], CONTRACT, interval="1min"))


def restless(count: int) -> Setup:
    """Turn at every bar."""
    return setup_of("+-" * (count // 2), count, exits=[Stop(1.5), Target(3.5)], quantity=2)


# -- lists and arrays -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [3, 9, 12])
def test_compiled_and_plain_agree_to_the_last_bit(seed: int) -> None:
    setup = random_case(seed).setup()
    if not setup.rules.compiled:
        pytest.skip("a part of this strategy is not compiled")
    plain, fast = run_kernel(setup, compiled=False), run_kernel(setup, compiled=True)
    assert compare(plain, fast, setup.bars).empty
    assert plain.equity.tobytes() == fast.equity.tobytes()
    assert (plain.engine, fast.engine) == ("kernel (plain)", "kernel")


@pytest.mark.parametrize("execution", [wb.execution.Market(), LIMIT], ids=["market", "limit"])
def test_rows_that_run_out_are_made_longer(monkeypatch: pytest.MonkeyPatch, execution: Any) -> None:
    setup = restless(1200) if execution is not LIMIT else setup_of("+-" * 600, 1200, execution=LIMIT)
    lengths: list[int] = []
    whole, longer = run_kernel(setup, compiled=True), engine._longer
    monkeypatch.setattr(engine, "rows_for", small(engine.rows_for))
    monkeypatch.setattr(engine, "_longer", lambda rows: lengths.append(len(rows)) or longer(rows))
    short = run_kernel(setup, compiled=True)
    assert len(lengths) >= 9
    assert compare(whole, short, setup.bars).empty
    assert compare(run_kernel(setup, compiled=False), short, setup.bars).empty


def small(rows_for: Any) -> Any:
    """Return the maker of rows with room for a few only."""

    def made(setup: Setup) -> Any:
        orders, fills, decisions = (np.zeros(64, dtype_of(kind)) for kind in (ORDER, FILL, DECISION))
        return rows_for(setup)._replace(orders=orders, fills=fills, decisions=decisions)

    return made


def test_longer_rows_keep_what_was_written() -> None:
    rows = np.zeros(5, dtype_of(DECISION))
    rows["t"], rows["after"] = np.arange(5), np.nan
    longer = engine._longer(rows)
    assert len(longer) == 10
    assert longer[:5].tobytes() == rows.tobytes()


def test_every_field_of_a_row_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = restless(300)
    plain = run_kernel(setup, compiled=False)
    monkeypatch.setattr(engine, "rows_for", poisoned(engine.rows_for))
    fast = run_kernel(setup, compiled=True)
    for rows in ("orders", "fills", "decisions"):
        for name in getattr(plain, rows).dtype.names:
            np.testing.assert_array_equal(getattr(fast, rows)[name], getattr(plain, rows)[name], err_msg=f"{rows}.{name}")
    np.testing.assert_array_equal(fast.equity, plain.equity)


def poisoned(rows_for: Any) -> Any:
    """Return the maker of rows full of garbage, as memory that was used before."""

    def made(setup: Setup) -> Any:
        output = rows_for(setup)
        for rows in output:
            rows.view(np.uint8)[:] = 0x5A
        return output

    return made


@pytest.mark.parametrize(("size", "expected"), [(COMPILE_FROM - 1, "plain"), (COMPILE_FROM, "compiled")])
def test_compiled_from_some_size_on(monkeypatch: pytest.MonkeyPatch, size: int, expected: str) -> None:
    bars = wb.simulate(bars=size, seed=1)
    setup = set_up(wb.Strategy(wb.signals.Breakout(50)), bars)
    for name in ("plain", "compiled"):
        monkeypatch.setattr(engine, f"_run_{name}", lambda setup, room=None, name=name: name)
    assert run_kernel(setup) == expected
    assert [run_kernel(setup, compiled=choice) for choice in (True, False)] == ["compiled", "plain"]
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert run_kernel(setup, compiled=True) == "plain"


def test_runs_in_one_room_are_what_each_is_alone() -> None:
    room, setups = engine.Room(), [restless(3000), setup_of("+0-" * 100, 300), restless(3000)]
    for setup in setups:
        together, alone = run_kernel(setup, compiled=True, room=room), run_kernel(setup, compiled=True)
        assert compare(together, alone, setup.bars).empty
        assert together.equity.tobytes() == alone.equity.tobytes()


def test_a_large_run_says_who_computed_it() -> None:
    bars = wb.simulate(bars=COMPILE_FROM, seed=1)
    result = wb.backtest(wb.Strategy(wb.signals.MovingAverageCross(20, 90)), bars)
    assert result.assumptions[-1] == "computed by the kernel"
    assert len(result.fills) > 100


def test_the_same_run_twice_is_the_same() -> None:
    one, other = (run_kernel(restless(300), compiled=False) for _ in range(2))
    assert [a.tobytes() for a in (one.orders, one.fills, one.equity)] == [a.tobytes() for a in (other.orders, other.fills, other.equity)]
    assert len(one.fills) > 300


# -- what the kernel is handed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, {"has_stop": 0, "has_target": 0, "kind": 0, "bars": 0, "cross": 0}),
        ({"exits": [Stop(1.0)]}, {"has_stop": 1, "has_target": 0}),
        ({"exits": [Target(1.0)]}, {"has_stop": 0, "has_target": 1}),
        ({"execution": LIMIT}, {"kind": 1, "offset": 0.001, "bars": 3, "cross": 1}),
        ({"execution": wb.execution.Limit()}, {"kind": 1, "offset": 0.0005, "bars": 1, "cross": 0}),
    ],
    ids=["plain", "stop", "target", "limit that crosses", "limit"],
)
def test_the_settings_of_a_run(parts: dict[str, Any], expected: dict[str, float]) -> None:
    found = settings_of(setup_of("+...", **parts))._asdict()
    assert {name: found[name] for name in expected} == expected
    assert (found["moving"], found["interval"]) == (0, 60 * 10**9)


def test_columns_are_flat_and_cannot_be_written() -> None:
    setup = set_up(plan("+.", ".-", exits=[Stop(2.0)]), market({SHARE: [100, 101], CONTRACT: [50, 51]}))
    found = columns_of(setup)
    assert found.close.tolist() == [100, 50, 101, 51]
    assert found.stop.tolist() == [2.0] * 4
    assert np.isnan(found.target).all()
    assert not any(column.flags.writeable for column in found)


def test_a_record_is_frozen() -> None:
    record = run_kernel(restless(20))
    assert isinstance(record, Record)
    with pytest.raises(AttributeError):
        record.cash = 0.0  # type: ignore[misc]
