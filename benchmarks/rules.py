"""The rules of the comparison as workbench strategies, and the figures that go with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks.loops import FAST, MULTIPLE, SLOW, WINDOW, Answer

__all__ = ["CASH", "CROSS_FEE", "EACH", "RISK", "RISK_FEE", "answer_of", "bars_of", "costs", "cross", "fresh", "risk", "spread"]

CASH, CROSS_FEE, RISK_FEE, RISK, EACH = 1_000_000.0, 0.001, 0.0001, 0.005, 1 / 500


def bars_of(frames: Mapping[str, pd.DataFrame], interval: str) -> wb.Bars:
    """Return checked bars of instruments that are bought in tiny steps and not sold short."""
    traded = [wb.Instrument(symbol, asset_class="crypto", quote="USD", quantity_step=1e-8, can_short=False) for symbol in frames]
    return wb.Bars.from_frames(frames, interval=interval, instruments=traded)


def fresh(bars: wb.Bars) -> wb.Bars:
    """Return the same bars as a new object, with nothing remembered from runs before."""
    arrays = {name: bars.array(name) for name in ("open", "high", "low", "close", "volume")}
    return wb.Bars(bars.index, bars.instruments, bars.interval, arrays)


def costs(fee: float) -> wb.execution.Costs:
    """Return a commission without slippage."""
    return wb.execution.Costs(commission=fee, slippage=0.0)


def signal() -> wb.signals.SignalGenerator:
    """Return the crossover of two means."""
    return wb.signals.MovingAverageCross(FAST, SLOW)


def cross() -> wb.Strategy:
    """Rule A: one unit while the fast mean is above."""
    return wb.Strategy(signal(), sizer=wb.sizing.FixedQuantity(1))


def risk(limit: float | None = None) -> wb.Strategy:
    """Rule D: half a percent at risk to a stop at two mean true ranges, entered at a crossing; with a limit, the kernel's task."""
    limits = [] if limit is None else [wb.risk.MaxLeverage(limit)]
    stop = wb.exits.AtrStop(WINDOW, MULTIPLE, "simple")
    return wb.Strategy(signal(), sizer=wb.sizing.RiskPercent(RISK), exits=[stop], risk=limits, start="wait")


def spread() -> wb.Strategy:
    """Rule B: a share of equity in every symbol whose fast mean is above."""
    return wb.Strategy(signal(), sizer=wb.sizing.FixedFraction(EACH))


def answer_of(result: wb.Backtest) -> Answer:
    """Return trades, stops and final equity of a backtest."""
    legs = result.fills["leg"]
    return Answer(int(np.sum(legs == "open")), int(np.sum(legs == "stop")), float(result.record.equity[-1]))
