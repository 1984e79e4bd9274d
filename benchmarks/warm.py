"""Warm speed: the kernel alone, whole calls, replay, many symbols; each beside a peer, after the results agreed."""

from __future__ import annotations

import contextlib
import io
import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

import workbench as wb
from benchmarks import answers, data, loops, peers, rules
from benchmarks.rules import CASH, CROSS_FEE, EACH, RISK, RISK_FEE
from benchmarks.timing import Line, Taken, agree, in_turn
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.session.session import Session
from workbench.session.setup import Setup, set_up

__all__ = ["daily", "kernel", "replay", "whole_calls"]

MILLION = 1e6
KERNEL_TARGET, RATIO_TARGET, REPLAY_TARGET, WIDE_TARGET = 40.0, 2.0, 250_000.0, 500_000.0
SPREAD_TARGET = 5.0
#: What backtesting.py ran, in bars a second, on the machine that the targets of the replay were set on: there they are so many times it.
PEER = 165_000.0
LIMIT = 1.0
#: A share of equity that orders sized at the fill rather than at the decision may make.
NEARLY = 1e-6
Times = dict[str, list[float]]
OURS, VECTORBT, BACKTESTING, LOOP = "workbench", "vectorbt (rust)", "backtesting.py", "bare numba loop"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the peers' warnings and progress bars off the screen."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def speed(part: str, what: str, who: str, bars: int, taken: Taken, target: float = 0.0, note: str = "") -> Line:
    """Return a line in million bars a second."""
    middle = bars / taken.median / MILLION
    words, met = (f">= {target:g} M bars/s", middle >= target) if target else ("", None)
    return Line(part, what, who, middle, bars / taken.best / MILLION, "M bars/s", words, met, note)


def ratio(part: str, what: str, ours: Taken, theirs: Taken, target: float = 0.0) -> Line:
    """Return how many times faster than a peer: of the medians, and of the best times."""
    middle = theirs.median / ours.median
    words, met = (f">= {target:g} x", middle >= target) if target else ("", None)
    return Line(part, what, "ratio", middle, theirs.best / ours.best, "x", words, met)


# -- the kernel alone -------------------------------------------------------------------------------------------


def kernel(frame: pd.DataFrame) -> list[Line]:
    """Time the kernel on a prepared set-up: risk sizing, stop and leverage limit."""
    bars = rules.bars_of({"X": frame}, "1min")
    setup = set_up(rules.risk(LIMIT), bars, CASH, rules.costs(RISK_FEE))
    loop, held, stance = answers.compiled(loops.risk), answers.columns(frame, "open", "high", "low", "close"), answers.stance_of(frame)
    calls = {
        OURS: lambda: run_kernel(setup, compiled=True),
        LOOP: lambda: loop(*held, stance, CASH, RISK_FEE, RISK, False),
    }
    taken = in_turn(calls, rounds=11)
    what = "kernel alone: RiskPercent + AtrStop + MaxLeverage"
    return [
        speed("kernel", what, OURS, len(frame), taken[OURS], KERNEL_TARGET),
        speed("kernel", what, LOOP, len(frame), taken[LOOP], note="rule D with its mean true range, no orders or decisions written"),
    ]


# -- whole calls ------------------------------------------------------------------------------------------------


def whole_calls(frame: pd.DataFrame) -> tuple[list[Line], list[str]]:
    """Time rules A and D from signal to equity curve and number of trades; return lines and what was compared."""
    bars = rules.bars_of({"X": frame}, "1min")
    said = [_compare_cross(bars, frame), _compare_risk(bars, frame)]
    known = peers.naive(frame)
    lines: list[Line] = []
    for name, strategy, fee, theirs in (
        ("A, one unit", rules.cross(), CROSS_FEE, lambda: peers.vectorbt_cross(known, None, CASH, CROSS_FEE, 1.0)),
        ("D, risk and stop", rules.risk(), RISK_FEE, lambda: peers.vectorbt_risk(known, None, CASH, RISK_FEE, RISK)),
    ):
        lines += _whole_call(name, len(frame), _ours(strategy, bars, fee), theirs)
    return lines, said


def _ours(strategy: wb.Strategy, bars: wb.Bars, fee: float) -> Callable[[], wb.Backtest]:
    costs = rules.costs(fee)
    return lambda: wb.backtest(strategy, rules.fresh(bars), cash=CASH, costs=costs)


def _whole_call(name: str, bars: int, ours: Callable[[], wb.Backtest], theirs: Callable[[], Any]) -> list[Line]:
    with quiet():
        call = in_turn({OURS: ours, VECTORBT: theirs}, rounds=7)
        full = in_turn({OURS: lambda: _used(ours()), VECTORBT: lambda: _their_use(theirs())}, rounds=7)
    lines: list[Line] = []
    for what, taken, target in (
        (f"{name}: the call (signal, orders)", call, 0.0),
        (f"{name}: + equity curve and number of trades", full, RATIO_TARGET),
    ):
        lines += [speed("whole call", what, who, bars, taken[who]) for who in (OURS, VECTORBT)]
        lines.append(ratio("whole call", what, taken[OURS], taken[VECTORBT], target))
    return lines


def _used(result: wb.Backtest) -> tuple[float, int]:
    return float(result.equity.iloc[-1]), len(result.trades)


def _their_use(portfolio: Any) -> tuple[float, int]:
    return float(portfolio.value().iloc[-1]), int(portfolio.trades.count())


def _compare_cross(bars: wb.Bars, frame: pd.DataFrame) -> str:
    """Check rule A everywhere; vectorbt on the loop's own signals, where no tie of two floats can part them."""
    wanted = answers.cross_answer(frame)
    got = rules.answer_of(wb.backtest(rules.cross(), bars, cash=CASH, costs=rules.costs(CROSS_FEE)))
    agree("A, workbench", got, wanted)
    known, above = peers.naive(frame), peers.late(answers.stance_of(frame) == 1)
    with quiet():
        given = peers.vectorbt_cross(known, above, CASH, CROSS_FEE, 1.0)
        alone = peers.vectorbt_cross(known, None, CASH, CROSS_FEE, 1.0)
    agree("A, vectorbt on the same signals", (given.trades.count(), given.final_value()), (wanted.trades, wanted.equity))
    return (
        f"A: workbench = bare loop = vectorbt on the same signals: {wanted.trades:,} trades, {wanted.equity:,.3f}; "
        f"vectorbt on its own means: {alone.trades.count():,} trades, {alone.final_value():,.3f} (exact ties of the two means)"
    )


def _compare_risk(bars: wb.Bars, frame: pd.DataFrame) -> str:
    """Check rule D; vectorbt takes a bar in another order, and the loop does so too to prove that this is the difference."""
    wanted, other = answers.risk_answer(frame), answers.risk_answer(frame, their_order=True)
    got = rules.answer_of(wb.backtest(rules.risk(), bars, cash=CASH, costs=rules.costs(RISK_FEE)))
    agree("D, workbench", got, wanted)
    known, above = peers.naive(frame), peers.late(answers.stance_of(frame) == 1)
    with quiet():
        given = peers.vectorbt_risk(known, above, CASH, RISK_FEE, RISK)
    agree("D, vectorbt on the same signals", (given.trades.count(), given.final_value()), (other.trades, other.equity))
    return (
        f"D: workbench = bare loop: {wanted.trades:,} trades, {wanted.stops:,} stops, {wanted.equity:,.3f}; "
        f"vectorbt = the loop in vectorbt's order: {other.stops:,} stops, {other.equity:,.3f} "
        "(no stop on the entry bar, and a stop inside the bar before an exit that is due at its open)"
    )


# -- replay -----------------------------------------------------------------------------------------------------


def replay(frame: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> tuple[list[Line], list[str]]:
    """Time the Session on one symbol and on 500, in turn with backtesting.py, after the results agreed; return lines and what did."""
    bars, wide = rules.bars_of({"X": frame}, "1min"), rules.bars_of(frames, "1D")
    setup = set_up(rules.spread(), wide, CASH, rules.costs(CROSS_FEE))
    said = [_compare_replay(bars, frame), _compare_wide(setup)]
    sessions: dict[str, Callable[[], Session]] = {
        "A, one unit": lambda: _session(rules.cross(), bars, CROSS_FEE),
        "D, risk and stop": lambda: _session(rules.risk(), bars, RISK_FEE),
        f"B, {len(frames)} symbols x {len(wide):,} days, one purse": lambda: Session.of(setup),
    }
    with quiet():
        before, run, theirs = _replayed(sessions, peers.backtesting_py(frame, None, CASH, CROSS_FEE).run)
    lines: list[Line] = []
    targets = (REPLAY_TARGET, REPLAY_TARGET, WIDE_TARGET)
    for name, size, target in zip(sessions, (len(frame), len(frame), len(wide) * len(frames)), targets, strict=True):
        whole = tuple(a + b for a, b in zip(before[name], run[name], strict=True))
        lines += [
            speed("replay", f"{name}: Session.run", OURS, size, Taken(tuple(run[name])), target / MILLION),
            _beside(f"{name}: Session.run to backtesting.py on A", size / len(frame), run[name], theirs, target / PEER),
            speed("replay", f"{name}: + set-up", OURS, size, Taken(whole)),
        ]
    return [*lines, speed("replay", "A, one unit: Backtest.run", BACKTESTING, len(frame), Taken(tuple(theirs)))], said


def _replayed(
    sessions: Mapping[str, Callable[[], Session]], peer: Callable[[], object], rounds: int = 3
) -> tuple[Times, Times, list[float]]:
    """Return by session the seconds of its set-up and of its run, and those of the peer, round by round; a first one is not counted."""
    before: Times = {name: [] for name in sessions}
    run: Times = {name: [] for name in sessions}
    theirs: list[float] = []
    for _ in range(rounds + 1):
        for name, make in sessions.items():
            held: list[Session] = []
            before[name].append(_once(lambda make=make, held=held: held.append(make())))
            run[name].append(_once(lambda held=held: held.pop().run()))
        theirs.append(_once(peer))
    return {name: times[1:] for name, times in before.items()}, {name: times[1:] for name, times in run.items()}, theirs[1:]


def _once(call: Callable[[], object]) -> float:
    return in_turn({"once": call}, rounds=1, uncounted=0)["once"].best


def _beside(what: str, size: float, ours: Sequence[float], theirs: Sequence[float], target: float) -> Line:
    """Return how many times as many bars a second as the peer beside it: what a busy or slow machine does not change."""
    found = [size * b / a for a, b in zip(ours, theirs, strict=True)]
    middle = statistics.median(found)
    return Line("replay", what, "ratio", middle, max(found), "x", f">= {target:.2f} x", middle >= target)


def _compare_wide(setup: Setup) -> str:
    record = run_session(setup)
    differences = compare(run_kernel(setup), record, setup.bars)
    if len(differences):
        raise SystemExit(f"benchmarks: the Session differs from the kernel in {len(differences)} places on B:\n{differences.head()}")
    return f"replay: Session = kernel on B in every order, fill, decision and equity: {len(record.orders):,} orders"


def _session(strategy: wb.Strategy, bars: wb.Bars, fee: float) -> Session:
    venue = wb.execution.PaperVenue(CASH, rules.costs(fee))
    return wb.Session(strategy, data=wb.ReplayAdapter(rules.fresh(bars)), execution=venue)


def _compare_replay(bars: wb.Bars, frame: pd.DataFrame) -> str:
    cross, risk = answers.cross_answer(frame), answers.risk_answer(frame)
    agree("replay A", (_session(rules.cross(), bars, CROSS_FEE).run().equity,), (cross.equity,))
    agree("replay D", (_session(rules.risk(), bars, RISK_FEE).run().equity,), (risk.equity,))
    above = (answers.stance_of(frame) == 1).astype(float)
    with quiet():
        given, alone = (peers.backtesting_py(frame, known, CASH, CROSS_FEE).run() for known in (above, None))
    still = int(above[-2])  # it counts closed trades alone
    agree("A, backtesting.py on the same signals", (given["# Trades"] + still, given["Equity Final [$]"]), (cross.trades, cross.equity))
    return (
        f"replay: Session = bare loop on A ({cross.equity:,.3f}) and D ({risk.equity:,.3f}); backtesting.py on the same signals = "
        f"the loop on A, on its own means {alone['# Trades']:,} trades for {cross.trades:,}, {alone['Equity Final [$]']:,.3f}"
    )


# -- many symbols -----------------------------------------------------------------------------------------------


def daily(frames: Mapping[str, pd.DataFrame]) -> tuple[list[Line], str]:
    """Time 500 symbols x 2,520 days with one purse; return lines and what was compared."""
    bars = rules.bars_of(frames, "1D")
    wanted = answers.spread_answer(bars)
    agree("B, workbench", rules.answer_of(wb.backtest(rules.spread(), bars, cash=CASH, costs=rules.costs(CROSS_FEE))), wanted)
    first, close = (peers.naive(getattr(bars, name)) for name in ("open", "close"))
    ours = _ours(rules.spread(), bars, CROSS_FEE)
    size = len(bars) * len(frames)
    with quiet():
        portfolio = _their_spread(first, close)
        taken = in_turn({OURS: ours, VECTORBT: lambda: _their_spread(first, close)})
        theirs = int(portfolio.trades.count()), float(portfolio.final_value())
    agree("B, vectorbt", theirs, (wanted.trades, wanted.equity), NEARLY)
    setup = set_up(rules.spread(), bars, CASH, rules.costs(CROSS_FEE))
    alone = in_turn({OURS: lambda: run_kernel(setup, compiled=True)})
    what = f"B, {len(frames)} symbols x {len(bars):,} days, one purse"
    lines = [speed("many symbols", f"{what}: the call", who, size, taken[who]) for who in (OURS, VECTORBT)]
    lines += [ratio("many symbols", f"{what}: the call", taken[OURS], taken[VECTORBT], SPREAD_TARGET)]
    lines += [speed("many symbols", f"{what}: kernel alone", OURS, size, alone[OURS])]
    return lines, (
        f"B: workbench = bare loop: {wanted.trades:,} trades, {wanted.equity:,.3f}; vectorbt {theirs[0]:,} trades, {theirs[1]:,.3f} "
        "(cause not isolated: neither the cut to steps nor the price it sizes at explains it; checked to a millionth)"
    )


def _their_spread(first: pd.DataFrame, close: pd.DataFrame) -> Any:
    fast, slow = (close.vbt.rolling_mean(window, engine="rust").to_numpy() for window in (loops.FAST, loops.SLOW))
    return peers.vectorbt_portfolio(first, close, peers.late(np.asarray(fast > slow)), CASH, CROSS_FEE, EACH)


def frames() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Return the data of all measurements: a million minutes, and many days."""
    minutes = data.minutes()
    return minutes, data.daily()
