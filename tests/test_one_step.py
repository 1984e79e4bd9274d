"""One `step()`: replay, a backtest, a run and a live session decide, fill and book by the same functions, as often (SEMANTICS 8)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markets import RATES, random_market
from paper_worlds import Fed
from worked import FREE, OTHER, SHARE

import laws
import workbench as wb
from workbench import Bars, ParquetStore, ReplayAdapter, Session, Strategy, backtest
from workbench.execution import Limit, PaperVenue
from workbench.exits import AtrStop, TakeProfit
from workbench.live.parameters import validated
from workbench.live.run import Run
from workbench.risk import MaxLeverage
from workbench.signals import Breakout, MovingAverageCross
from workbench.sizing import RiskPercent

STRATEGY = Strategy(Breakout(4), RiskPercent(0.01), [AtrStop(5), TakeProfit()], [MaxLeverage(2)], Limit(0.001, 2, "cross"))
ACCOUNT: dict[str, Any] = {"cash": 50_000.0, "currency": "USD", "rates": RATES}


@pytest.fixture
def bars() -> Bars:
    return random_market(3)


def session_on(bars: Bars) -> Session:
    return Session(STRATEGY, data=ReplayAdapter(bars), execution=PaperVenue(**ACCOUNT))


def profile(run: Callable[[], Any]) -> Counter[str]:
    """Return how often each Python function of the package was called."""
    calls: Counter[str] = Counter()

    def count(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("workbench."):
            calls[f"{frame.f_globals['__name__'].removeprefix('workbench.')}:{frame.f_code.co_qualname}"] += 1

    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(None)
    return calls


def by_hand(session: Session) -> None:
    for _ in range(len(session.tape)):
        session.step()


def without_run(calls: Counter[str]) -> dict[str, int]:
    driver = ("session.session:Session.run", "session.quiet:quiet_collector", "session.tape:Tape.__len__")
    return {name: times for name, times in calls.items() if name not in driver}


def test_08_every_way_of_running_goes_through_the_same_step(bars: Bars) -> None:
    ran, stepped = session_on(bars), session_on(bars)
    calls = profile(ran.run)
    assert calls["session.session:Session.step"] == len(bars)
    assert without_run(calls) == without_run(profile(lambda: by_hand(stepped)))
    assert calls["execution.paper:PaperVenue.observe"] == calls["portfolio._portfolio:Portfolio.value"] == len(bars)


def test_08_the_backtest_of_a_part_that_is_not_compiled_goes_through_it_too(bars: Bars) -> None:
    class Own(Limit):
        compiled = False

    strategy = Strategy(Breakout(4), execution=Own())
    assert profile(lambda: backtest(strategy, bars, **ACCOUNT))["session.session:Session.step"] == len(bars)


def test_08_a_run_of_the_live_notebook_goes_through_it_too(bars: Bars, tmp_path: Path) -> None:
    ParquetStore(tmp_path / "bars").save(bars)
    where = {"strategy": str(STRATEGY.save(tmp_path / "strategy")), "store": str(tmp_path / "bars")}
    run = Run(validated(where | {"symbols": bars.symbols, "interval": bars.interval} | ACCOUNT))
    calls = profile(lambda: run.go(show=lambda status: None))
    assert calls["session.session:Session.step"] == len(bars)
    laws.same_bits(run.recorder.record(), backtest(STRATEGY, bars, **ACCOUNT).record)


def test_a_quiet_bar_calls_few_functions() -> None:
    quiet = random_market(3, 1)
    session = Session(Strategy(Breakout(len(quiet) + 1)), data=ReplayAdapter(quiet), execution=PaperVenue(**ACCOUNT))
    calls = profile(session.run)
    assert sum(calls.values()) / len(quiet) < 9


#: What decides, fills and books; besides it a live session writes down, and reads its bars one by one.
DECIDES = ("decision:", "money:", "execution._desk:", "execution._holding:", "execution._offers:", "execution._depth:")
BOOKS = ("apply", "_book", "_profit", "_set")
STEPS = ("_turn", "_open", "_close", "_make", "_new_decision", "_cross_over", "trace")


def deciding(calls: Counter[str]) -> dict[str, int]:
    """Return how often each function was called that decides, fills or books."""
    names = [f"portfolio._portfolio:Portfolio.{name}" for name in BOOKS] + [f"session.session:Session.{name}" for name in STEPS]
    return {name: times for name, times in calls.items() if name.startswith(DECIDES) or name in names or name.endswith(".decision")}


def test_08_a_live_session_decides_fills_and_books_by_the_same_functions_as_often() -> None:
    known, history = wb.simulate([SHARE, OTHER], bars=150, interval="1h", seed=4, missing=0.05), 20
    exits, limits = [AtrStop(5, 1.0), TakeProfit(percent=0.02)], [MaxLeverage(2)]
    strategy = Strategy(MovingAverageCross(2, 5), RiskPercent(0.002), exits, limits, Limit(0.0002, 2, "cross"))
    fed = Fed(strategy, known, history)
    stance = fed.full.inputs.stance.copy()
    stance[:history] = float("nan")
    replay = Session.of(fed.full.with_inputs(fed.full.inputs._replace(stance=stance)), PaperVenue(100_000.0, FREE))
    replayed, live = profile(replay.run), profile(fed.run)
    assert fed.differences().empty
    assert deciding(replayed) == deciding(live)
    assert len(deciding(live)) > 50
    steps = "session.session:Session.step"
    assert (replayed[steps], live[steps]) == (len(known), len(known) - history)
