"""Whether the cost grows in a line: with the bars, with the symbols, and with the combinations of a sweep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

import workbench as wb
from benchmarks import data, rules
from benchmarks.rules import CASH, CROSS_FEE, EACH
from benchmarks.timing import Line, Taken, agree, in_turn
from benchmarks.warm import OURS

__all__ = ["bars", "combinations", "measure", "slope", "symbols"]

BARS = (1_000, 10_000, 100_000, 1_000_000)
SYMBOLS = (1, 10, 100, 1_000)
COMBINATIONS = (10, 100, 1_000, 10_000)
#: Bars of each symbol, and of each combination.
LENGTH = 1_000
#: What a line in both logarithms may rise by: 1 is in proportion.
STEEPEST = 1.1
PART = "scaling"
MICRO = 1e6

Calls = Mapping[int, Callable[[], object]]


def bars(sizes: Sequence[int] = BARS) -> Calls:
    """Return a backtest of one symbol for each number of bars."""
    whole = rules.bars_of({"X": data.minutes(max(sizes))}, "1min")
    return {size: _backtest(rules.cross(), whole.iloc[:size]) for size in sizes}


def symbols(sizes: Sequence[int] = SYMBOLS, length: int = LENGTH) -> Calls:
    """Return a backtest with one purse for each number of symbols."""
    whole = rules.bars_of(data.daily(max(sizes), length), "1D")
    strategy = wb.Strategy(rules.signal(), sizer=wb.sizing.FixedFraction(EACH))
    return {size: _backtest(strategy, whole[whole.symbols[:size]]) for size in sizes}


def combinations(sizes: Sequence[int] = COMBINATIONS, length: int = LENGTH) -> Calls:
    """Return a sweep by one process for each number of combinations."""
    held, costs = rules.bars_of({"X": data.minutes(length)}, "1min"), rules.costs(CROSS_FEE)

    def swept(grid: Mapping[str, Sequence[int]]) -> Callable[[], wb.Sweep]:
        return lambda: wb.sweep(rules.cross(), rules.fresh(held), grid, jobs=1, cash=CASH, costs=costs, progress=False)

    return {size: swept(grid_of(size)) for size in sizes}


def grid_of(size: int) -> dict[str, Sequence[int]]:
    """Return a grid of so many pairs, each of a fast mean and a slower one."""
    fasts = min(10 ** (round(math.log10(size)) // 2), 100)
    return {"signal__fast": range(2, 2 + fasts), "signal__slow": range(110, 110 + size // fasts)}


def _backtest(strategy: wb.Strategy, held: wb.Bars) -> Callable[[], wb.Backtest]:
    costs = rules.costs(CROSS_FEE)
    return lambda: wb.backtest(strategy, rules.fresh(held), cash=CASH, costs=costs)


def slope(taken: Mapping[int, Taken]) -> tuple[float, float]:
    """Return how the cost rises over all sizes, by a line through the logarithms, and between the two where it rises most."""
    size, middle = (np.log10(list(values)) for values in (taken, (one.best for one in taken.values())))
    return float(np.polyfit(size, middle, 1)[0]), float(np.max(np.diff(middle) / np.diff(size)))


def measure() -> tuple[list[Line], str]:
    """Time each size of each kind; return lines and what was compared."""
    said = _compare()
    lines = _lines("backtest, one symbol", "bar", bars(), rounds=5)
    lines += _lines(f"backtest, one purse, {LENGTH:,} bars each", "symbol", symbols(), rounds=3)
    swept = combinations()
    few = {size: call for size, call in swept.items() if size < max(swept)}
    most = {size: call for size, call in swept.items() if size == max(swept)}
    lines += _lines(f"sweep, {LENGTH:,} bars", "combination", few, rounds=2, last=most)
    return lines, said


def _compare() -> str:
    """Check that what is timed on more is the same that is timed on less: a part of the bars, of the grid."""
    few, many = (call() for call in combinations((10, 100), 300).values())
    shared = many.merge(few, on=few.parameters)
    agree("scaling, the same pairs in a larger grid", tuple(shared["end equity_x"]), tuple(shared["end equity_y"]))
    return f"scaling: {len(shared)} pairs of a grid of 10 have the same equity in a grid of 100"


def _lines(what: str, unit: str, calls: Calls, rounds: int, last: Calls | None = None) -> list[Line]:
    named = {str(size): call for size, call in calls.items()}
    taken = {int(size): one for size, one in in_turn(named, rounds).items()}
    for size, call in (last or {}).items():
        taken[size] = once(call)
    lines = [
        Line(PART, f"{what}: {size:,}", OURS, one.median / size * MICRO, one.best / size * MICRO, f"us/{unit}")
        for size, one in taken.items()
    ]
    over_all, most = slope(taken)
    note = f"scaling, {what}: the steepest of {len(taken) - 1} decades rises by {most:.2f}"
    return [
        *lines,
        Line(PART, f"{what}: slope in both logarithms", "slope", over_all, over_all, "", f"<= {STEEPEST:g}", over_all <= STEEPEST, note),
    ]


def once(call: Callable[[], object]) -> Taken:
    """Time a call that is too long for several rounds; all that it does first was done by shorter ones."""
    start = time.perf_counter()
    call()
    return Taken((time.perf_counter() - start,))
