"""A thousand pairs of moving averages over a hundred thousand bars, and a user's own signal in plain pandas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks import answers, data, loops, peers, rules
from benchmarks.rules import CASH, CROSS_FEE
from benchmarks.timing import Line, Taken, agree, in_turn
from benchmarks.warm import BACKTESTING, LOOP, NEARLY, OURS, VECTORBT, quiet, ratio

__all__ = ["PAIRS", "Found", "loop_found", "our_found", "own_signal", "pairs", "their_found"]

BARS, JOBS = 100_000, 2
FASTS, SLOWS = range(2, 52, 2), range(55, 255, 5)
PAIRS = [(fast, slow) for fast in FASTS for slow in SLOWS]
#: Pairs of which vectorbt is given the loop's own signals, and runs of backtesting.py that stand for all of them.
CHECKED = RUNS = 5
#: Pairs of a user's own signal: enough to forget what a call costs once.
OWN = [(fast, slow) for fast in range(5, 35, 5) for slow in range(50, 150, 10)]
MOST_SECONDS, MEMORY_TARGET, OWN_TARGET = 1.5, 5.0, 1.3
PART = "sweep"
WHAT = f"{len(PAIRS):,} pairs of means x {BARS:,} bars"

#: A fresh process that has imported and has its bars; the most memory is counted from there on.
PROGRAM = """
import time
from benchmarks import data, sweeps
from benchmarks.warm import quiet

def now(word):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(word))

with quiet():
    frame = data.minutes({bars})
    call = sweeps.{call}(frame)
    before = now("VmRSS:")
    with open("/proc/self/clear_refs", "w") as forget:
        forget.write("5")
    start = time.perf_counter()
    found = call()
    seconds = time.perf_counter() - start
    print(seconds, now("VmHWM:") - before, found.equity.sum(), found.trades.sum())
"""


class Found(NamedTuple):
    """Equity at the last close and number of trades of each pair."""

    equity: np.ndarray
    trades: np.ndarray


class Fresh(NamedTuple):
    """A call in a fresh process: its seconds, the memory in MB by which it grew at most, and its sums."""

    seconds: float
    megabytes: float
    equity: float
    trades: float


# -- the calls --------------------------------------------------------------------------------------------------


def loop_found(frame: pd.DataFrame, windows: Sequence[tuple[int, int]] = PAIRS, machine: bool = True) -> Callable[[], Found]:
    """Return the bare loop over all pairs, on two threads; or plain, for small data."""
    loop = answers.compiled(loops.pairs) if machine else loops.pairs
    first, close = answers.columns(frame, "open", "close")
    given, middle = np.array(windows), len(windows) // 2

    def call() -> Found:
        found = Found(np.empty(len(given)), np.empty(len(given), dtype=np.int64))
        with ThreadPoolExecutor(JOBS) as pool:
            for part in ((0, middle), (middle, len(given))):
                pool.submit(loop, first, close, given, *part, CASH, CROSS_FEE, *found)
        return found

    return call


def our_found(frame: pd.DataFrame, fasts: Sequence[int] = FASTS, slows: Sequence[int] = SLOWS) -> Callable[[], Found]:
    """Return the sweep; its bars are fresh each time."""
    bars, grid = rules.bars_of({"X": frame}, "1min"), {"signal__fast": fasts, "signal__slow": slows}

    def call() -> Found:
        table = wb.sweep(rules.cross(), rules.fresh(bars), grid, jobs=JOBS, cash=CASH, costs=rules.costs(CROSS_FEE), progress=False)
        return Found(table["end equity"].to_numpy(), table["trades"].to_numpy())

    return call


def their_found(frame: pd.DataFrame, windows: Sequence[tuple[int, int]] = PAIRS) -> Callable[[], Found]:
    """Return vectorbt's call: all pairs at once, which is how it is used."""
    known = peers.naive(frame)

    def call() -> Found:
        portfolio = peers.vectorbt_pairs(known, windows, CASH, CROSS_FEE)
        return Found((1.0 + portfolio.total_return().to_numpy()) * CASH, portfolio.trades.count().to_numpy())

    return call


def fresh(call: str, bars: int = BARS) -> Fresh:
    """Run one of the calls in a process of its own."""
    program = PROGRAM.format(call=call, bars=bars)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return Fresh(*map(float, done.stdout.split()))


# -- a thousand pairs -------------------------------------------------------------------------------------------


def pairs() -> tuple[list[Line], str]:
    """Time and weigh the sweep beside its peers; return lines and what was compared."""
    frame = data.minutes(BARS)
    ours, loop = our_found(frame), loop_found(frame)
    wanted = loop()
    same(ours(), wanted, "sweep, workbench")
    with quiet():
        _compare_signals(frame, wanted)
        one = _one_of_theirs(frame)
    taken = in_turn({OURS: ours, LOOP: loop}, rounds=3)
    light, heavy = fresh("our_found"), fresh("their_found")
    agree("sweep, workbench in a process of its own", light[2:], (wanted.equity.sum(), wanted.trades.sum()))
    agree("sweep, vectorbt's sum of equities", (heavy.equity,), (wanted.equity.sum(),), NEARLY)
    their = Taken((heavy.seconds,))
    lines = [
        seconds(OURS, taken[OURS], MOST_SECONDS),
        seconds(LOOP, taken[LOOP], note=f"the sweep of pairs on {JOBS} threads, equity and number of trades only"),
        seconds(VECTORBT, their, note="the sweep of pairs once, in a process of its own; nothing in it is compiled at the first call"),
        seconds(BACKTESTING, one, note=f"the sweep of pairs extrapolated from {RUNS} runs on one processor; its optimize() can use more"),
        ratio(PART, WHAT, taken[OURS], their),
        Line(PART, "most memory beyond imports and bars", OURS, light.megabytes, light.megabytes, "MB"),
        Line(PART, "most memory beyond imports and bars", VECTORBT, heavy.megabytes, heavy.megabytes, "MB"),
        less_memory(light.megabytes, heavy.megabytes),
    ]
    return lines, (
        f"sweep: workbench = bare loop for each of {len(PAIRS):,} pairs: {wanted.trades.sum():,} trades, best {wanted.equity.max():,.3f}; "
        f"vectorbt = the loop on its signals for {CHECKED} pairs, on its own means {heavy.trades:,.0f} trades"
    )


def same(got: Found, wanted: Found, what: str) -> None:
    """Refuse to go on where any pair differs."""
    agree(f"{what}, equity", tuple(got.equity), tuple(wanted.equity))
    agree(f"{what}, trades", tuple(got.trades), tuple(wanted.trades))


def _compare_signals(frame: pd.DataFrame, wanted: Found) -> None:
    """Check vectorbt on the loop's own signals, where no tie of two floats can part them."""
    known, close = peers.naive(frame), answers.columns(frame, "close")
    for k in range(0, len(PAIRS), len(PAIRS) // CHECKED):
        above = peers.late(answers.compiled(loops.stances)(*close, *PAIRS[k]) == 1)
        given = peers.vectorbt_cross(known, above, CASH, CROSS_FEE, 1.0)
        agree(f"pair {PAIRS[k]}, vectorbt", (given.trades.count(), given.final_value()), (wanted.trades[k], wanted.equity[k]))


def _one_of_theirs(frame: pd.DataFrame) -> Taken:
    """Return what all pairs would take in backtesting.py, from a few of them."""
    test = peers.backtesting_py(frame, None, CASH, CROSS_FEE)
    some = iter(PAIRS[:: len(PAIRS) // (RUNS + 1)])
    once = in_turn({BACKTESTING: lambda: test.run(windows=next(some))}, rounds=RUNS)[BACKTESTING]
    return Taken(tuple(len(PAIRS) * one for one in once.seconds))


def seconds(who: str, taken: Taken, most: float = 0.0, note: str = "") -> Line:
    """Return a line in seconds for all pairs."""
    words, met = (f"<= {most:g} s", taken.median <= most) if most else ("", None)
    return Line(PART, WHAT, who, taken.median, taken.best, "s", words, met, note)


def less_memory(ours: float, theirs: float) -> Line:
    """Return how many times less memory than a peer."""
    times = theirs / max(ours, 1.0)
    return Line(PART, "less memory", "ratio", times, times, "x", f">= {MEMORY_TARGET:g} x", times >= MEMORY_TARGET)


# -- a user's own signal ----------------------------------------------------------------------------------------


def own_signal(windows: Sequence[tuple[int, int]] = OWN, bars: int = BARS, rounds: int = 3) -> list[Line]:
    """Time a sweep of a signal in plain pandas beside the bare calls of its own `generate`, both one after the other."""
    own, held = _means(), rules.bars_of({"X": data.minutes(bars)}, "1min")
    signals = [own(fast, slow) for fast, slow in windows]
    strategy, costs = wb.Strategy(signals[0], sizer=wb.sizing.FixedQuantity(1)), rules.costs(CROSS_FEE)

    def sweep() -> pd.DataFrame:
        return wb.sweep(strategy, rules.fresh(held), {"signal": signals}, jobs=1, cash=CASH, costs=costs, progress=False)

    def alone() -> list[pd.DataFrame]:
        known = rules.fresh(held)
        return [signal.generate(known) for signal in signals]

    equity = [wb.backtest(wb.Strategy(one, sizer=strategy.sizer), held, cash=CASH, costs=costs).equity.iloc[-1] for one in signals]
    agree("a signal of one's own, swept and alone", tuple(sweep()["end equity"]), tuple(equity))
    taken = in_turn({OURS: sweep, "generate": alone}, rounds)
    what = f"a signal of one's own in pandas, {len(windows)} pairs x {bars:,} bars, one process"
    times = taken[OURS].median / taken["generate"].median
    least = taken[OURS].best / taken["generate"].best
    return [
        Line(PART, what, OURS, taken[OURS].median, taken[OURS].best, "s"),
        Line(PART, what, "its generate() alone", taken["generate"].median, taken["generate"].best, "s"),
        Line(PART, what, "ratio", times, least, "x", f"<= {OWN_TARGET:g} x", times <= OWN_TARGET),
    ]


def _means() -> type[wb.signals.SignalGenerator]:
    """Return a signal as a user writes it in a cell."""

    class Means(wb.signals.SignalGenerator):
        """Long while the fast mean is above the slow one."""

        fast: int = 10
        slow: int = 50

        def generate(self, bars: wb.Bars) -> pd.DataFrame:
            """Return 1 or 0, by two rolling means."""
            above = bars.close.rolling(self.fast).mean() > bars.close.rolling(self.slow).mean()
            return above.astype(float)

    return Means
