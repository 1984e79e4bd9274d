"""Tiny markets written by hand, a signal that says what it is told, and `both`: one run through every engine.

A market is a list of rows: ``(open, high, low, close)``, one number for a bar whose four prices are equal, None where the
instrument has no bar. Stances are written one character a row: ``+`` long, ``-`` short, ``0`` flat, ``.`` no opinion.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import workbench as wb
from workbench.quality import SuspectDataWarning
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.session.record import Record
from workbench.session.recorder import Recorder
from workbench.session.setup import Setup

START = "2024-01-01"  # a Monday
SIGNS = {"+": 1.0, "-": -1.0, "0": 0.0, ".": math.nan}
FREE = wb.execution.Costs(commission=0.0, slippage=0.0)

SHARE = wb.Instrument("ABC")
OTHER = wb.Instrument("XYZ")
CONTRACT = wb.Instrument("FUT", "commodity", "future")
COIN = wb.Instrument("BTCUSDT", "crypto")
EURUSD = wb.Instrument("EURUSD", "fx", multiplier=100_000)
USDJPY = wb.Instrument("USDJPY", "fx", multiplier=100_000)


def same_numbers(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Whether two frames show the same place in memory: it was worked out once."""
    return np.shares_memory(left.to_numpy(), right.to_numpy())


class Script(wb.signals.SignalGenerator):
    """Says what is written: one string a symbol, one character an interval from the first label on."""

    lines: Sequence[str]
    cross_sectional: ClassVar[bool] = True

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        rows = (bars.labels - bars.labels[0]) // bars.interval_ns
        written = [[SIGNS[line[row]] if row < len(line) else math.nan for row in rows] for line in self.lines]
        return pd.DataFrame(np.array(written).T, bars.index, bars.symbols)


class Given(wb.signals.SignalGenerator):
    """Gives one instrument's stances as numbers, one a bar."""

    values: Sequence[float | None]

    def generate(self, bars: wb.Bars) -> pd.DataFrame:
        column = [math.nan if value is None else float(value) for value in self.values[: len(bars)]]
        return pd.DataFrame(dict.fromkeys(bars.symbols, column), bars.index)


class Stop(wb.exits.Exit):
    """A stop at the distance that is written: one number, or one a bar (None: not known)."""

    away: float | Sequence[float | None] = 1.0

    def distance(self, bars: wb.Bars) -> pd.DataFrame:
        away = [self.away] * len(bars) if isinstance(self.away, float) else list(self.away)[: len(bars)]
        column = [math.nan if value is None else float(value) for value in away]
        return pd.DataFrame(dict.fromkeys(bars.symbols, column), bars.index)


class Target(Stop):
    """A target at the distance that is written."""

    kind: ClassVar[str] = "target"


def frame_of(rows: Sequence[Any], interval: str, start: str) -> pd.DataFrame:
    """Return hand-written rows as a frame; None leaves the label out, a fifth number is the volume."""
    index = pd.date_range(start, periods=len(rows), freq=interval, tz="UTC")
    whole = [(row,) * 4 if isinstance(row, (int, float)) else row for row in rows]
    kept = [row is not None for row in whole]
    written = [row for row in whole if row is not None]
    return pd.DataFrame(written, index[kept], ["open", "high", "low", "close", "volume"][: len(written[0])], dtype=float)


def market(
    rows: Mapping[wb.Instrument, Sequence[Any]] | Sequence[Any], instrument: wb.Instrument = SHARE, interval: str = "1h", start: str = START
) -> wb.Bars:
    """Return hand-written bars of one instrument, or of several."""
    each = rows if isinstance(rows, Mapping) else {instrument: rows}
    frames = {one.symbol: frame_of(written, interval, start) for one, written in each.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SuspectDataWarning)
        return wb.Bars.from_frames(frames, interval=interval, instruments=list(each))


def plan(*stances: str, quantity: float = 1.0, **parts: Any) -> wb.Strategy:
    """Return a strategy that does what is written, with a fixed quantity where no sizer is given."""
    parts.setdefault("sizer", wb.sizing.FixedQuantity(quantity))
    return wb.Strategy(Script(list(stances)), **parts)


def replayed(strategy: wb.Strategy, setup: Setup, rates: Any) -> Record:
    """Run the Session on a paper venue, as a user would, and return its record."""
    costs = dict(zip(setup.bars.symbols, setup.costs, strict=True))
    venue = wb.execution.PaperVenue(setup.cash, costs, setup.currency, rates, setup.buying_power)
    session = wb.Session(strategy, data=wb.ReplayAdapter(setup.bars), execution=venue)
    recorder = Recorder(session)
    session.run()
    assert venue.account().cash == session.portfolio.cash
    return recorder.record()


def both(strategy: wb.Strategy, bars: wb.Bars, *, costs: Any = FREE, rates: Any = None, **options: Any) -> wb.Backtest:
    """Run a strategy as backtest, compiled kernel and Session, require that they agree, and return the backtest."""
    result = wb.backtest(strategy, bars, costs=costs, rates=rates, **options)
    others = [replayed(strategy, result.setup, rates)]
    if result.setup.rules.compiled:
        others.append(run_kernel(result.setup, compiled=True))
    for other in others:
        differences = compare(result.record, other, bars)
        assert differences.empty, f"{result.record.engine} against {other.engine}:\n{differences.to_string()}"
    return result


def fills(result: wb.Backtest) -> list[tuple[int, str, float, float]]:
    """Return the fills as (row, leg, signed quantity, price)."""
    table = result.fills
    signed = table["quantity"].where(table["side"] == "buy", -table["quantity"])
    return [
        (result.bars.index.get_loc(t), leg, float(q), float(p))
        for t, leg, q, p in zip(table["time"], table["leg"], signed, table["price"], strict=True)
    ]


def ends(result: wb.Backtest) -> list[tuple[str, str, int | None]]:
    """Return the orders as (leg, status, row in which it ended)."""
    table = result.orders
    rows = [None if pd.isna(t) else int(result.bars.index.get_loc(t)) for t in table["ended"]]
    return list(zip(table["leg"], table["status"], rows, strict=True))


def opened(result: wb.Backtest) -> list[float]:
    """Return what each decision opened."""
    return [float(quantity) for quantity in result.decisions["opened"]]


def reasons(result: wb.Backtest) -> list[str]:
    """Return the words of each decision."""
    return list(result.decisions["reason"])
