"""Traps of what holding a position costs, and of what it must keep: each, put into the Session's side alone, makes parity fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markets import RATES, Restless, random_market
from markets_held import financed, with_maintenance

from workbench import Strategy
from workbench.execution import Costs, PaperVenue
from workbench.execution.port import PositionCharged
from workbench.exits import TakeProfit
from workbench.portfolio import _portfolio as ledger
from workbench.research.comparing import compare
from workbench.research.engine import run_kernel
from workbench.research.running import run_session
from workbench.session import Session
from workbench.session.record import Record
from workbench.session.setup import Setup, set_up
from workbench.signals import Breakout
from workbench.sizing import FixedFraction, Kelly

Patch = pytest.MonkeyPatch

SEEDS = range(8)
STRATEGIES = {
    "kelly": Strategy(Restless(0.3), Kelly(1.0, least=2, cap=2.0), [TakeProfit(percent=0.02)]),
    "full": Strategy(Breakout(3), FixedFraction(40.0)),
}


@lru_cache
def case(name: str, seed: int) -> tuple[Setup, Record]:
    """Return a market whose positions are charged, and what the kernel makes of it."""
    rng = np.random.Generator(np.random.PCG64(seed))
    bars = financed(rng, with_maintenance(rng, random_market(seed, 4)))
    setup = set_up(STRATEGIES[name], bars, costs=Costs(commission=0.0003), currency="USD", rates=RATES)
    return setup, run_kernel(setup, compiled=False)


def differences(name: str, seed: int) -> pd.DataFrame:
    """Return how the Session, as it now is, differs from the kernel."""
    setup, record = case(name, seed)
    return compare(record, run_session(setup), setup.bars)


def half_of_the_margin_whatever_is_declared(patch: Patch) -> None:
    patch.setattr(ledger, "kept_for", lambda quantity, price, unit, spec: 0.5 * (abs(quantity) * price * unit * spec.margin))


def charged_at_the_rate_of_their_own_step(patch: Patch) -> None:
    charge = PaperVenue._charge

    def late(self: Any, charges: Any, now: int) -> None:
        self.tape.advance(self.row)
        charge(self, charges, now)

    patch.setattr(PaperVenue, "_charge", late)


def charged_before_the_open_whenever_it_falls(patch: Patch) -> None:
    charge = PaperVenue._charge
    patch.setattr(PaperVenue, "_charge", lambda self, charges, now: charge(self, [(now // 2 * 2, *rest) for _, *rest in charges], now))


def short_positions_pay_what_long_ones_pay(patch: Patch) -> None:
    charge = PaperVenue._charge
    patch.setattr(PaperVenue, "_charge", lambda self, charges, now: charge(self, [(m, j, long, long) for m, j, long, _ in charges], now))


def charges_not_counted_in_the_trade(patch: Patch) -> None:
    book = Session._book

    def forgets(self: Session, event: Any) -> None:
        spent = [state.spent for state in self.states]
        book(self, event)
        if type(event) is PositionCharged:
            for state, before in zip(self.states, spent, strict=True):
                state.spent = before

    patch.setattr(Session, "_book", forgets)


#: A mutation, the strategy that shows it, and in how many of the markets at least.
TRAPS: list[tuple[Callable[[Patch], None], str, int]] = [
    (half_of_the_margin_whatever_is_declared, "full", 2),
    (charged_at_the_rate_of_their_own_step, "kelly", 2),
    (charged_before_the_open_whenever_it_falls, "kelly", 6),
    (short_positions_pay_what_long_ones_pay, "kelly", 6),
    (charges_not_counted_in_the_trade, "kelly", 2),
]


@pytest.mark.parametrize("name", STRATEGIES)
def test_without_a_mutation_nothing_differs(name: str) -> None:
    assert all(differences(name, seed).empty for seed in SEEDS)
    assert sum(len(case(name, seed)[1].fills) for seed in SEEDS) > 200


@pytest.mark.parametrize(("mutate", "name", "least"), TRAPS, ids=[mutate.__name__.replace("_", " ") for mutate, _, _ in TRAPS])
def test_a_mutation_is_caught(mutate: Callable[[Patch], None], name: str, least: int, monkeypatch: Patch) -> None:
    mutate(monkeypatch)
    caught = sum(not differences(name, seed).empty for seed in SEEDS)
    print(f"\n{mutate.__name__}: {caught} of {len(SEEDS)} markets")
    assert caught >= least
