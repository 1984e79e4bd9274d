"""What limits cost: the kernel with and without them on the same bars, and limits on losses of a large book beside numpy."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks import losses, rules
from benchmarks.losses import Asked
from benchmarks.rules import CASH, CROSS_FEE
from benchmarks.timing import Disagreement, Line, Taken, agree, in_turn
from benchmarks.warm import MILLION, OURS, speed
from workbench.component import clone
from workbench.research.engine import run_kernel
from workbench.session.record import Record
from workbench.session.setup import Setup, set_up

__all__ = ["Follow", "book", "chains", "decided", "kernel", "loss_limits", "measure", "mixed", "same_rooms", "spans"]

PART, NUMPY, RATIO = "limits", "numpy", "ratio"
#: The least share of its speed without limits that the kernel keeps, and the least decisions a second of a limit on losses.
KEPT, DECISIONS = 0.5, 20_000.0
#: Far from any book here: the same orders are made with limits as without, and only what asking them costs is measured.
FAR, MONEY = 1e6, 1e12
SYMBOLS, WINDOW, DAYS = 500, 250, 400
#: Every so many steps numpy decides again, all openings of the step: it takes too long for all of them.
EVERY = 15
#: Shares of equity that cut a good part of the openings, but not all.
LOSS = 0.003
NOTE = f"limits: the same decisions one by one, those of every {EVERY}th day; workbench's with the whole run around them"


class Follow(wb.signals.SignalGenerator):
    """Long after a rise, short after a fall: each of hundreds of instruments turns on every second day."""

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        """Return the sign of each bar's move; no opinion where there was none."""
        found: pd.DataFrame = np.sign(bars.close.diff())
        return found.where(found != 0.0)


# -- the kernel with and without ---------------------------------------------------------------------------------------


def chains() -> dict[str, list[wb.risk.RiskManager]]:
    """Return chains of limits by what they limit; the first is none."""
    exposure, leverage, drawdown = wb.risk.MaxExposure(MONEY, by="asset_class"), wb.risk.MaxLeverage(FAR), wb.risk.MaxDrawdown(0.999)
    return {
        "no limit": [],
        "MaxExposure by currency": [wb.risk.MaxExposure(MONEY)],
        "MaxExposure by asset class": [exposure],
        "MaxLeverage, gross": [leverage],
        "MaxLeverage, net": [wb.risk.MaxLeverage(FAR, "net")],
        "MaxDrawdown": [drawdown],
        "exposure, leverage and drawdown": [exposure, leverage, drawdown],
    }


def mixed(frames: Mapping[str, pd.DataFrame], interval: str) -> wb.Bars:
    """Return bars of shares, coins, commodities and indices."""
    kinds: list[tuple[Any, Any]] = [("equity", "spot"), ("crypto", "spot"), ("commodity", "cfd"), ("index", "cfd")]
    given = {"quote": "USD", "quantity_step": 1e-8, "can_short": False}
    traded = [wb.Instrument(symbol, *kinds[j % len(kinds)], **given) for j, symbol in enumerate(frames)]
    return wb.Bars.from_frames(frames, interval=interval, instruments=traded)


def kernel(what: str, strategy: wb.Strategy, bars: wb.Bars, rounds: int) -> tuple[list[Line], str]:
    """Time the kernel on prepared set-ups with each chain of limits; return lines and what was compared."""
    given = {name: clone(strategy).set_params(risk=limits) for name, limits in chains().items()}
    setups = {name: set_up(one, bars, CASH, rules.costs(CROSS_FEE)) for name, one in given.items()}
    orders = _same_orders(what, {name: run_kernel(setup, compiled=True) for name, setup in setups.items()})
    taken = in_turn({name: _run(setup) for name, setup in setups.items()}, rounds)
    size, (none, *limited) = len(bars) * len(bars.symbols), setups
    lines = [speed(PART, f"{what}: {name}", OURS, size, one) for name, one in taken.items()]
    lines += [_kept(f"{what}: {name}", taken[none], taken[name]) for name in limited]
    return lines, f"limits, {what}: {orders:,} orders and the same equity with every chain of limits and without"


def _run(setup: Setup) -> Any:
    return lambda: run_kernel(setup, compiled=True)


def _same_orders(what: str, records: Mapping[str, Record]) -> int:
    found = {name: (float(len(one.orders)), float(one.equity[-1])) for name, one in records.items()}
    wanted = next(iter(found.values()))
    for name, got in found.items():
        agree(f"{what}, orders and equity with {name}", got, wanted)
    return int(wanted[0])


def _kept(what: str, none: Taken, limited: Taken) -> Line:
    """Return the share of its speed that the kernel keeps: the middle of the rounds' own, in which both met the same machine."""
    middle = statistics.median(a / b for a, b in zip(none.seconds, limited.seconds, strict=True))
    return Line(PART, f"{what}, of the speed without", RATIO, middle, none.best / limited.best, "x", f">= {KEPT:g} x", middle >= KEPT)


# -- limits on losses --------------------------------------------------------------------------------------------------


def loss_limits(limit: float = LOSS, window: int = WINDOW) -> dict[str, Any]:
    """Return the limits on losses by their names."""
    kinds = {"ValueAtRisk": wb.risk.ValueAtRisk, "ExpectedShortfall": wb.risk.ExpectedShortfall}
    methods = ("historical", "gaussian")
    return {f"{name}, {method}": kind(limit, method=method, window=window) for name, kind in kinds.items() for method in methods}


def book(part: wb.risk.RiskManager, symbols: int = SYMBOLS, days: int = DAYS) -> Setup:
    """Return a long and short book of shares that move together, each up to its part of equity."""
    traded = [wb.Instrument(f"S{j:03d}", "equity", quote="USD", quantity_step=1e-8, can_short=True) for j in range(symbols)]
    bars = wb.simulate([one.symbol for one in traded], interval="1D", bars=days, seed=31, instruments=traded, correlation=0.3)
    return set_up(wb.Strategy(Follow(), wb.sizing.FixedFraction(1 / symbols), risk=[part]), bars, CASH, rules.costs(0.0))


def spans(setup: Setup, window: int) -> range:
    """Return the steps that numpy decides again, all of them with returns enough."""
    return range(window, len(setup.bars), EVERY)


def decided(setup: Setup, compiled: bool, steps: Sequence[int]) -> list[Asked]:
    """Return the openings that the limit was asked about in some steps."""
    return list(losses.asked_in(wb.Backtest(setup, run_kernel(setup, compiled)), steps))


def same_rooms(what: str, setup: Setup, asked: Sequence[Asked], window: int) -> int:
    """Refuse to go on where numpy allows another quantity, by a billionth of what was asked; return how many were compared."""
    found = _again(setup, asked, window)
    for one, room in zip(asked, found, strict=True):
        if abs(one.allowed - room) > 1e-9 * one.asked:
            raise Disagreement(f"{what}, step {one.t}, {setup.bars.symbols[one.j]}: got {one.allowed!r}, numpy {room!r} of {one.asked!r}")
    return len(asked)


def _again(setup: Setup, asked: Sequence[Asked], window: int) -> np.ndarray:
    part: Any = setup.strategy.risk[0]
    return losses.rooms(asked, setup.bars.array("close"), window, float(part.limit), losses.largest(part))


def _losses(name: str, part: Any, rounds: int) -> tuple[list[Line], str]:
    setup = book(part)
    asked = decided(setup, True, spans(setup, WINDOW))
    compared = same_rooms(name, setup, asked, WINDOW)
    rows = run_kernel(setup, compiled=True).decisions
    count = int(np.sum((rows["asked"] > 0.0) & (rows["t"] >= WINDOW)))
    cut = int(np.sum([one.allowed < one.asked for one in asked]))
    taken = in_turn({OURS: _run(setup), NUMPY: lambda: _again(setup, asked, WINDOW)}, rounds)
    what = f"{SYMBOLS} symbols, {name} over {WINDOW} days"
    ours, theirs = (_rate(count, taken[OURS]), _rate(compared, taken[NUMPY]))
    lines = [
        Line(PART, what, OURS, *ours, "decisions/s", f">= {DECISIONS:,.0f}", ours[0] >= DECISIONS),
        Line(PART, what, NUMPY, *theirs, "decisions/s", note=NOTE),
        Line(PART, what, RATIO, ours[0] / theirs[0], ours[1] / theirs[1], "x"),
    ]
    return lines, f"limits, {name}: workbench = numpy on {compared:,} openings of {SYMBOLS} symbols, {cut:,} of them cut"


def _rate(count: int, taken: Taken) -> tuple[float, float]:
    return count / taken.median, count / taken.best


def measure(minutes: pd.DataFrame, days: Mapping[str, pd.DataFrame]) -> tuple[list[Line], list[str]]:
    """Time everything; return lines and what was compared."""
    one, many = mixed({"X": minutes}, "1min"), mixed(days, "1D")
    found = [
        kernel(f"kernel alone, {len(one) / MILLION:g} M bars of one symbol", rules.cross(), one, 7),
        kernel(f"kernel alone, {len(days)} symbols x {len(many):,} days", rules.spread(), many, 7),
        *(_losses(name, part, 3) for name, part in loss_limits().items()),
    ]
    return [line for lines, _ in found for line in lines], [said for _, said in found]
