"""Sessions whose orders, cancels and amendments get lost at random, that are paused, reduced and flattened at random moments.

Whatever happens, both books agree once the doubts are settled, the money is conserved, and the journal leads back to the same session.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from paper_worlds import Fed, state_of
from worked import CONTRACT, OTHER, SHARE

import workbench as wb
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit, TimeStop, TrailingStop
from workbench.research.comparing import compare
from workbench.risk import MaxExposure, MaxLeverage
from workbench.risk.gate import Gate
from workbench.session.checking import Gatekeeper
from workbench.session.doubts import Doubts, send_again
from workbench.session.standing import difference
from workbench.signals import Breakout, MovingAverageCross
from workbench.sizing import FixedFraction, Rebalance, RiskPercent

CROSS = MovingAverageCross(2, 6)
REDUCE: Any = {"on_breach": "reduce"}
STRATEGIES = {
    "protected": wb.Strategy(CROSS, RiskPercent(0.01), [AtrStop(5, 1.0), TakeProfit(multiple=2.0), TimeStop(9)], [MaxLeverage(1.0)]),
    "trailing": wb.Strategy(Breakout(4), RiskPercent(0.01), [TrailingStop(percent=0.01)], execution=Limit(0.0005, 2, "cross")),
    "resized": wb.Strategy(
        CROSS,
        FixedFraction(0.6),
        [AtrStop(5, 3.0)],
        [MaxLeverage(1.0, **REDUCE), MaxExposure(0.7, "instrument", "equity", **REDUCE)],
        rebalance=Rebalance("1h", band=0.005),
    ),
    "resized by limits": wb.Strategy(CROSS, FixedFraction(0.4), execution=Limit(0.0004, 2), rebalance=Rebalance("1h", band=0.0)),
    "team": wb.Team(
        {
            "swing": wb.Strategy(
                CROSS, RiskPercent(0.01), [AtrStop(5, 1.0), TakeProfit(multiple=2.0)], rebalance=Rebalance("1h", band=0.005)
            ),
            "break-out": wb.Strategy(Breakout(4), FixedFraction(0.6), [TrailingStop(percent=0.01)], execution=Limit(0.0005, 2, "cross")),
        },
        {"swing": 0.5, "break-out": 0.3},
        [MaxLeverage(0.7, **REDUCE), MaxExposure(0.4, "symbol", "equity")],
    ),
}
HISTORY = 12
#: The share of messages that get lost, and of steps before which a command comes, or which are missed.
LOST, ORDERED, MISSED = 0.15, 0.1, 0.06
VERBS = ("flatten", "pause", "resume", "resume", "reduce", "resume", "arm")


def bars_of(seed: int) -> wb.Bars:
    return wb.simulate([SHARE, CONTRACT, OTHER], bars=150, interval="1h", seed=seed, missing=0.08)


def lived_through(name: str, seed: int) -> Fed:
    """Return a session after a run in which much went wrong; its last steps are quiet."""
    rng = np.random.Generator(np.random.PCG64(seed))
    fed = Fed(STRATEGIES[name], bars_of(seed), HISTORY)
    fed.session.keeper = Gatekeeper(lambda: 0)
    while not fed.over:
        quiet = fed.exchange.row > 140
        if not quiet and rng.random() < ORDERED:
            fed.order(VERBS[rng.integers(len(VERBS))])
        if quiet and fed.session.mode != "RUNNING":
            fed.order("resume")
        fed.line.cut = lambda asked, quiet=quiet: not quiet and rng.random() < LOST
        fed.step("no connection" if not quiet and rng.random() < MISSED else "")
        fed.line.cut = lambda asked, quiet=quiet: not quiet and rng.random() < LOST / 2
        send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=bool(rng.random() < 0.3))
        fed.line.cut = lambda asked: False
        fed.listen()
    return fed


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", STRATEGIES)
def test_whatever_gets_lost_both_books_agree_and_the_journal_leads_back(name: str, seed: int) -> None:
    fed = lived_through(name, seed)
    send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=True)
    fed.listen()
    session = fed.session
    assert difference(session, fed.line.state(), fed.line.state().number) == ""
    assert session.portfolio.cash == fed.line.account().cash
    again, record = fed.again()
    assert state_of(again) == state_of(session)
    assert (again.latches, again.moments) == (session.latches, session.moments)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_order_was_sent_twice_or_without_an_intent(name: str) -> None:
    fed = lived_through(name, 77)
    intents = {str(entry.key) for entry in fed.journal.entries("intent")}
    filled = [str(fill.key) for fill in fed.venue.executions()]
    sent = {key for key in filled if key.split("/")[4] in ("open", "close", "trim", "add")}
    assert len(filled) == len(set(filled))
    assert sent <= intents
    assert fed.line.lost


def test_chaos_meets_every_leg() -> None:
    legs = {leg for name in STRATEGIES for _, leg, _, _ in lived_through(name, 3).fills}
    assert legs == {"open", "close", "stop", "target", "trim", "add"}


def test_the_gate_is_the_usual_one() -> None:
    assert Fed(STRATEGIES["protected"], bars_of(1), HISTORY).session.setup.gate == Gate()
