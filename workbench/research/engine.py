"""Runs the kernel: on arrays, compiled, or on lists as it stands; the results are equal to the last bit."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.arrays import read_only, transposed
from workbench.decision import BookColumns
from workbench.past import empty_memory, empty_past
from workbench.records import DECISION, FILL, LIMIT, MARKET, ORDER, SLOT, SPEC, DecisionRow, FillRow, OrderRow, Rows, Slot, dtype_of, table
from workbench.research import kernel
from workbench.research.kernel_state import Columns, Ledger, Output, Settings
from workbench.session.record import Record
from workbench.session.setup import Setup

__all__ = ["COMPILE_FROM", "Room", "run_kernel"]

#: From this many bars on (rows x instruments) the compiled kernel pays for loading it.
COMPILE_FROM = 50_000
#: Numbers of rows that a slot starts without.
UNSET = ("stop_row", "target_row", "limit_entry", "decision")
#: The sign of a stance before there is any: unlike every other.
NO_WISH = 2
NOTHING = read_only(np.full(1, np.nan))
NO_CHARGE = read_only(np.zeros(0))


class Room:
    """What one run after another has in common: memory for their rows, and the columns of the market that they meet.

    Fresh memory costs more than a run of a short strategy. The record of a run is overwritten by the next one in the same room.
    """

    def __init__(self) -> None:
        self._output: Output | None = None
        self._market: tuple[Setup, Columns] | None = None
        self._specs: tuple[list[Any], np.ndarray] | None = None

    def columns(self, setup: Setup) -> Columns:
        """Return the columns of a run: its own inputs over the market of the last one, where that is the same."""
        if self._market is None or not _same_market(self._market[0], setup):
            self._market = setup, columns_of(setup)
        return self._market[1]._replace(**_inputs_of(setup))

    def specs(self, setup: Setup) -> np.ndarray:
        """Return the instruments with their costs as records; no run changes them."""
        if self._specs is None or self._specs[0] is not setup.specs:
            self._specs = setup.specs, table(setup.specs, SPEC)
        return self._specs[1]

    def output(self, setup: Setup) -> Output:
        """Return rows for a run, those of the last one where they are long enough."""
        if self._output is None or len(self._output.equity) != len(setup.bars) or len(self._output.orders) < least_rows(setup):
            self._output = rows_for(setup)
        return self._output

    def grow(self, output: Output) -> Output:
        """Return as many rows again."""
        self._output = Output(_longer(output.orders), _longer(output.fills), _longer(output.decisions), output.equity)
        return self._output


def run_kernel(setup: Setup, compiled: bool | None = None, room: Room | None = None) -> Record:
    """Run a strategy whose parts all have compiled decisions.

    Parameters
    ----------
    setup : Setup
    compiled : bool, optional
        Whether to use the compiled kernel; by the size of the data where not given. Where numba is told to compile nothing
        (``NUMBA_DISABLE_JIT=1``), the plain one runs in its place.
    room : Room, optional
        Memory to use once more; only the compiled kernel does.
    """
    size = len(setup.bars) * len(setup.instruments)
    if compiled is None:
        compiled = size >= COMPILE_FROM
    compiles = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    return _run_compiled(setup, room or Room()) if compiled and compiles else _run_plain(setup)


def settings_of(setup: Setup) -> Settings:
    """Return the plain numbers of one run."""
    algorithm: Any = setup.strategy.execution
    limit = hasattr(algorithm, "offset")
    return Settings(
        moving=int(setup.conversion.moving),
        interval=setup.interval_ns,
        sessions=0 if setup.sessions is None else setup.sessions.shape[1],
        has_stop=int(setup.inputs.stop is not None),
        has_target=int(setup.inputs.target is not None),
        has_trail=int(setup.inputs.trail is not None),
        has_even=int(setup.inputs.even is not None),
        has_time=int(setup.inputs.time is not None),
        has_measured=int(setup.inputs.measured is not None),
        moves=int(setup.rules.moves),
        extreme=int(setup.rules.extreme),
        plus=setup.rules.plus,
        drawdown=setup.rules.drawdown,
        rearm=setup.rules.rearm,
        remembers=int(setup.rules.remembers),
        margined=int(any(spec.margined or spec.can_short for spec in setup.specs)),
        financed=int(setup.financing is not None),
        kind=LIMIT if limit else MARKET,
        offset=float(algorithm.offset) if limit else 0.0,
        bars=int(algorithm.bars) if limit else 0,
        cross=int(limit and algorithm.then == "cross"),
    )


def _flat(array: Any, dtype: type = float) -> np.ndarray:
    if array is None:
        return NOTHING
    array = np.asarray(array)
    if array.ndim > 1 and not array.flags.c_contiguous:  # what indicators make of many columns
        array = transposed(array.T)
    return read_only(np.ascontiguousarray(array, dtype=dtype).reshape(-1))


def columns_of(setup: Setup) -> Columns:
    """Return market and inputs as flat, read-only columns."""
    first, high, low, close = (_flat(setup.bars.array(name)) for name in ("open", "high", "low", "close"))
    unit, base = (_flat(array) for array in setup.conversion[:2])
    sessions = np.zeros(1) if setup.sessions is None else setup.sessions
    day = setup.days if setup.rules.remembers or setup.inputs.series is not None else np.zeros(1)
    fresh, label, session, days = (_flat(array, np.int64) for array in (setup.conversion.fresh, setup.bars.labels, sessions, day))
    market = {"unit": unit, "base": base, "fresh": fresh, "label": label, "session": session, "day": days}
    return Columns(first, high, low, close, **_inputs_of(setup), **market, **_charges_of(setup))


def _charges_of(setup: Setup) -> dict[str, np.ndarray]:
    moment, column, long, short = (NO_CHARGE,) * 4 if setup.financing is None else setup.financing[:4]
    whole = {"charged": _flat(moment, np.int64), "charge_column": _flat(column, np.int64)}
    return whole | {"charge_long": _flat(long), "charge_short": _flat(short)}


def _inputs_of(setup: Setup) -> dict[str, np.ndarray]:
    found = {name: _flat(array) for name, array in setup.inputs._asdict().items()}
    if setup.inputs.series is not None:  # a limit reads one row of it after the other
        found["series"] = _flat(transposed(setup.inputs.series))
    return found


def _same_market(one: Setup, other: Setup) -> bool:
    return (
        one.bars is other.bars
        and one.conversion is other.conversion
        and one.financing is other.financing
        and one.sessions is other.sessions
    )


def _run_plain(setup: Setup) -> Record:
    n, rules = len(setup.instruments), setup.rules
    columns = Columns._make(column.tolist() for column in columns_of(setup))
    slots = [Slot() for _ in range(n)]
    for slot in slots:
        slot.waiting = int(setup.strategy.start == "wait")
        for name in UNSET:
            setattr(slot, name, -1)
    unit, base = (array[0].tolist() for array in setup.conversion[:2])
    price = [math.nan] * n
    held = [0.0] * n, [0.0] * n, [-1] * n, [-1] * n, [0] * n, [math.nan] * n, [NO_WISH] * n
    ledger = Ledger(
        slots, setup.specs, [setup.cash], price, unit, base, *held, [0, 0, 0, 0], empty_past(setup.cash), empty_memory(setup.rules.room)
    )
    book = BookColumns(setup.specs, price, unit, base, [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n, [0.0])
    orders, fills, decisions = Rows(OrderRow), Rows(FillRow), Rows(DecisionRow)
    output = Output(orders, fills, decisions, [0.0] * len(setup.bars))
    chain = rules.chain(setup.buying_power)
    kernel.run(0, columns, ledger, book, output, settings_of(setup), *chain)
    tables = table(orders.rows, ORDER), table(fills.rows, FILL), table(decisions.rows, DECISION)
    return Record(*tables, np.array(output.equity), ledger.purse[0], "kernel (plain)")


def _run_compiled(setup: Setup, room: Room) -> Record:
    from workbench.research.compiled import address_of, compiled_kernel

    run, rules = compiled_kernel(), setup.rules
    addresses = [address_of(rules.size, "size"), *(address_of(limit, "limit") for limit in rules.limits)]
    limit_p, tables = (tuple(numbers_of(tuple(given)) for given in each) for each in (rules.limit_p, rules.tables))
    size_p = numbers_of(tuple(rules.size_p))
    columns, settings = room.columns(setup), settings_of(setup)
    ledger, book = _arrays(setup, room.specs(setup))
    output = room.output(setup)
    chain = (_flat(addresses, np.int64), size_p, limit_p, tables, rules.count, int(setup.buying_power), int(rules.scaled))
    done = 0
    while (done := run(done, columns, ledger, book, output, settings, *chain)) < len(setup.bars):
        output = room.grow(output)
    orders, fills, decisions, _ = ledger.counts
    return Record(
        output.orders[:orders], output.fills[:fills], output.decisions[:decisions], output.equity, float(ledger.purse[0]), "kernel"
    )  # fmt: skip


@lru_cache(maxsize=64)
def numbers_of(given: tuple[float, ...]) -> np.ndarray:
    """Return a decision's numbers as the kernel takes them, read-only."""
    return _flat(np.array(given, dtype=float))


def _arrays(setup: Setup, specs: np.ndarray) -> tuple[Ledger, BookColumns]:
    """Return fresh state."""
    n = len(setup.instruments)
    slots = np.zeros(n, dtype_of(SLOT))
    for name in UNSET:
        slots[name] = -1
    slots["waiting"] = int(setup.strategy.start == "wait")
    unit, base = (array[0].copy() for array in setup.conversion[:2])
    price = np.full(n, np.nan)
    held = np.zeros(n), np.zeros(n), np.full(n, -1), np.full(n, -1), np.zeros(n, np.int64), np.full(n, np.nan), np.full(n, NO_WISH)
    ledger = Ledger(
        slots,
        specs,
        np.array([setup.cash]),
        price,
        unit,
        base,
        *held,
        np.zeros(4, np.int64),
        np.array(empty_past(setup.cash)),
        np.zeros(setup.rules.room),
    )
    book = BookColumns(specs, price, unit, base, np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(1))
    return ledger, book


def least_rows(setup: Setup) -> int:
    """Return how many rows of a kind the kernel wants to see at least: those of a step, and some."""
    return 2 * kernel.ROWS_A_STEP * len(setup.instruments) + 4096


def rows_for(setup: Setup) -> Output:
    """Return rows to begin with. Those that are not written to cost nothing, and the kernel writes every field of a row."""
    capacity = least_rows(setup) + len(setup.bars) * len(setup.instruments) // 8
    orders, fills, decisions = (np.empty(capacity, dtype_of(kind)) for kind in (ORDER, FILL, DECISION))
    return Output(orders, fills, decisions, np.empty(len(setup.bars)))


def _longer(rows: np.ndarray) -> np.ndarray:
    """Return the rows with room for as many again."""
    longer = np.empty(2 * len(rows), rows.dtype)
    longer.view(np.uint8)[: rows.nbytes] = rows.view(np.uint8)
    return longer
