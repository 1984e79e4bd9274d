"""Whether the results agree: with our own loops always, and with the exact answers of the extra data where they are."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks import loops, rules
from benchmarks.loops import FAST, SLOW, Answer
from benchmarks.timing import agree

__all__ = ["columns", "cross_answer", "risk_answer", "shared_answers", "spread_answer", "stance_of"]

#: The extra data's own answers (bench/README.md there); trades, stops, equity to a tenth of a cent.
SHARED_CROSS, SHARED_RISK, SHARED_SPREAD = Answer(13_883, 0, 983_778.712), Answer(13_882, 6_878, 34_259.315), Answer(17_258, 0, 906_334.374)
THOUSANDTH = 0.0006

compiled = cache(loops.compiled)


def columns(frame: pd.DataFrame, *names: str) -> list[np.ndarray]:
    """Return columns as arrays of their own."""
    return [np.ascontiguousarray(frame[name].to_numpy(dtype=float)) for name in names]


def stance_of(frame: pd.DataFrame, machine: bool = True) -> np.ndarray:
    """Return the crossover's stance at each bar: 1, 0, or -1 before it is known."""
    loop: Any = compiled(loops.stances) if machine else loops.stances
    out: np.ndarray = loop(*columns(frame, "close"), FAST, SLOW)
    return out


def cross_answer(frame: pd.DataFrame, machine: bool = True) -> Answer:
    """Return the exact answer to rule A, by machine code or by plain Python."""
    loop: Any = compiled(loops.account) if machine else loops.account
    return _answer(loop(*columns(frame, "open", "close"), stance_of(frame, machine), rules.CASH, rules.CROSS_FEE, 1.0))


def risk_answer(frame: pd.DataFrame, machine: bool = True, their_order: bool = False) -> Answer:
    """Return the exact answer to rule D, in our order of a bar or in vectorbt's."""
    loop: Any = compiled(loops.risk) if machine else loops.risk
    held = columns(frame, "open", "high", "low", "close")
    return _answer(loop(*held, stance_of(frame, machine), rules.CASH, rules.RISK_FEE, rules.RISK, their_order))


def spread_answer(bars: wb.Bars) -> Answer:
    """Return the exact answer to rule B."""
    first, close = (np.ascontiguousarray(bars.array(name)) for name in ("open", "close"))
    stance = np.column_stack([compiled(loops.stances)(np.ascontiguousarray(column), FAST, SLOW) for column in close.T])
    return _answer(compiled(loops.portfolio)(first, close, stance, rules.CASH, rules.CROSS_FEE, rules.EACH))


def _answer(result: tuple[int, int, float]) -> Answer:
    trades, stops, equity = result
    return Answer(int(trades), int(stops), float(equity))


def shared_answers() -> list[str]:
    """Run workbench on the extra data, compare with its exact answers, and return what was compared.

    Raises
    ------
    Disagreement
        A result differs.
    """
    script = Path(os.environ.get("WORKBENCH_SHARED", "")) / "bench" / "gen_data.py"
    if not os.environ.get("WORKBENCH_SHARED") or not script.is_file():
        return ["the extra data's exact answers: not compared, WORKBENCH_SHARED names no folder that has bench/"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(script), folder], check=True, capture_output=True)
        minute = pd.read_parquet(f"{folder}/minute.parquet")
        days = pd.read_parquet(f"{folder}/daily500.parquet")
    return [*_shared_minutes(minute), _shared_days({str(s): rows.drop(columns="symbol") for s, rows in days.groupby("symbol")})]


def _shared_minutes(frame: pd.DataFrame) -> list[str]:
    bars = rules.bars_of({"X": frame}, "1min")
    said = []
    for name, strategy, fee, wanted in (
        ("A", rules.cross(), rules.CROSS_FEE, SHARED_CROSS),
        ("D", rules.risk(), rules.RISK_FEE, SHARED_RISK),
    ):
        got = rules.answer_of(wb.backtest(strategy, bars, cash=rules.CASH, costs=rules.costs(fee)))
        _same(name, got, wanted)
        said.append(f"extra data {name}: {got.trades:,} trades, {got.stops:,} stops, {got.equity:,.3f} - the exact answer")
    return said


def _shared_days(frames: dict[str, pd.DataFrame]) -> str:
    bars = rules.bars_of(frames, "1D")
    got = rules.answer_of(wb.backtest(rules.spread(), bars, cash=rules.CASH, costs=rules.costs(rules.CROSS_FEE)))
    _same("B", got, SHARED_SPREAD)
    return (
        f"extra data B: {got.trades:,} trades, {got.equity:,.3f} - the exact answer; buying power at the decision never cut an entry here"
    )


def _same(name: str, got: Answer, wanted: Answer) -> None:
    agree(f"extra data {name}, trades and stops", got[:2], wanted[:2])
    agree(f"extra data {name}, equity", (got.equity,), (wanted.equity,), THOUSANDTH / wanted.equity)
