"""Runs the kernel: on arrays, compiled, or on lists as it stands; the results are equal to the last bit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.records import DECISION, FILL, LIMIT, MARKET, ORDER, SLOT, SPEC, DecisionRow, FillRow, OrderRow, Rows, Slot, dtype_of, table
from workbench.research import kernel
from workbench.research.kernel_state import Columns, Ledger, Output, Settings
from workbench.session.record import Record
from workbench.session.setup import Setup

__all__ = ["COMPILE_FROM", "run_kernel"]

#: From this many bars on (rows x instruments) the compiled kernel pays for loading it.
COMPILE_FROM = 50_000
NOTHING = np.full(1, np.nan)
NOTHING.flags.writeable = False


def run_kernel(setup: Setup, compiled: bool | None = None) -> Record:
    """Run a strategy whose parts all have compiled decisions.

    Parameters
    ----------
    setup : Setup
    compiled : bool, optional
        Whether to use the compiled kernel; by the size of the data where not given.
    """
    size = len(setup.bars) * len(setup.instruments)
    if compiled is None:
        compiled = size >= COMPILE_FROM
    return _run_compiled(setup) if compiled else _run_plain(setup)


def settings_of(setup: Setup) -> Settings:
    """Return the plain numbers of one run."""
    algorithm: Any = setup.strategy.execution
    limit = hasattr(algorithm, "offset")
    return Settings(
        moving=int(setup.conversion.moving),
        interval=setup.interval_ns,
        has_stop=int(setup.inputs.stop is not None),
        has_target=int(setup.inputs.target is not None),
        kind=LIMIT if limit else MARKET,
        offset=float(algorithm.offset) if limit else 0.0,
        bars=int(algorithm.bars) if limit else 0,
        cross=int(limit and algorithm.then == "cross"),
        buying_power=int(setup.buying_power),
    )


def _flat(array: np.ndarray | None, dtype: type = float) -> np.ndarray:
    if array is None:
        return NOTHING
    flat = np.ascontiguousarray(array, dtype=dtype).reshape(-1)
    flat.flags.writeable = False
    return flat


def columns_of(setup: Setup) -> Columns:
    """Return market and inputs as flat, read-only columns."""
    prices = [_flat(setup.bars.array(name)) for name in ("open", "high", "low", "close")]
    stance, stop, target = setup.inputs
    unit, base, fresh = setup.conversion
    return Columns(*prices, _flat(stance), _flat(stop), _flat(target), _flat(unit), _flat(base), _flat(fresh, np.int64), _flat(setup.bars.labels, np.int64))


def _start(slot: Any, waiting: int) -> None:
    slot.waiting = waiting
    for name in ("opening", "closing", "stop_row", "target_row", "limit_entry", "decision"):
        setattr(slot, name, -1)


def _run_plain(setup: Setup) -> Record:
    n, rules = len(setup.instruments), setup.rules
    columns = Columns(*(column.tolist() for column in columns_of(setup)))
    slots = [Slot() for _ in range(n)]
    for slot in slots:
        _start(slot, int(setup.strategy.start == "wait"))
    unit, base = (array[0].tolist() for array in setup.conversion[:2])
    ledger = Ledger(slots, setup.specs, [setup.cash], [math.nan] * n, unit, base, [0.0] * n, [0.0] * n, [0.0] * n, [0, 0, 0])
    equity = [0.0] * len(setup.bars)
    output = Output(Rows(OrderRow), Rows(FillRow), Rows(DecisionRow), equity)
    kernel.run(0, columns, ledger, output, settings_of(setup), rules.size, rules.size_p, rules.limits, rules.limit_p, rules.tables, rules.count)
    rows = [table(r.rows, kind) for r, kind in zip(output[:3], (ORDER, FILL, DECISION), strict=True)]
    return Record(rows[0], rows[1], rows[2], np.array(equity), ledger.purse[0], "kernel (plain)")


def _run_compiled(setup: Setup) -> Record:
    from workbench.research.compiled import compiled_decision, compiled_kernel

    n, rules = len(setup.instruments), setup.rules
    run = compiled_kernel()
    size = compiled_decision(rules.size, "size")
    limits = tuple(compiled_decision(limit, "limit") for limit in rules.limits)
    numbers = [_flat(np.array(p, dtype=float)) for p in (rules.size_p, *rules.limit_p, *rules.tables)]
    count = len(rules.limit_p)
    size_p, limit_p, tables = numbers[0], tuple(numbers[1 : 1 + count]), tuple(numbers[1 + count :])
    columns, settings = columns_of(setup), settings_of(setup)
    ledger, output = _arrays(setup)
    done = 0
    while (done := run(done, columns, ledger, output, settings, size, size_p, limits, limit_p, tables, rules.count)) < len(setup.bars):
        output = Output(*(_longer(rows) for rows in output[:3]), output.equity)
    orders, fills, decisions = (rows[:used] for rows, used in zip(output[:3], ledger.counts, strict=True))
    return Record(orders, fills, decisions, output.equity, float(ledger.purse[0]), "kernel")


def _arrays(setup: Setup) -> tuple[Ledger, Output]:
    """Return fresh state, and rows to begin with."""
    n = len(setup.instruments)
    slots = np.zeros(n, dtype_of(SLOT))
    for name in ("opening", "closing", "stop_row", "target_row", "limit_entry", "decision"):
        slots[name] = -1
    slots["waiting"] = int(setup.strategy.start == "wait")
    unit, base = (array[0].copy() for array in setup.conversion[:2])
    state = [np.zeros(n) for _ in range(3)]
    ledger = Ledger(
        slots, table(setup.specs, SPEC), np.array([setup.cash]), np.full(n, np.nan), unit, base, *state, np.zeros(3, np.int64)
    )  # fmt: skip
    capacity = 2 * kernel.ROWS_A_STEP * n + 4096
    rows = (np.zeros(capacity, dtype_of(kind)) for kind in (ORDER, FILL, DECISION))
    return ledger, Output(*rows, np.empty(len(setup.bars)))


def _longer(rows: np.ndarray) -> np.ndarray:
    """Return the rows with room for as many again."""
    return np.concatenate([rows, np.zeros_like(rows)])
