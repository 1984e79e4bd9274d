"""Random runs whose orders are worked and fill in parts: at every step the venue's book is ours, and each lives again."""

from __future__ import annotations

from typing import Any

import pytest
from markets import random_case
from markets_held import alone
from paper_worlds import Fed, state_of

import workbench as wb
from workbench.execution import Costs, ExecutionAlgorithm, Iceberg, Limit, LimitChase, Market, StopEntry, Twap
from workbench.research.comparing import compare

ALGORITHMS: list[ExecutionAlgorithm] = [
    Twap(4),
    LimitChase(0.003, 4),
    LimitChase(0.003, 3, "cancel"),
    Iceberg(0.3, 0.001, 6),
    Iceberg(0.3, 0.001, 5, "cancel"),
    Limit(0.001, 2, "cross"),
    Market(),
    StopEntry(0.001, 3),
    StopEntry(0.001, 2, limit=0.001),
    Limit(0.0005, 3, post_only=True),
    Limit(0.0005, then="cross", time_in_force="ioc"),
    Limit(0.001, time_in_force="day"),
]


def system(seed: int, algorithm: ExecutionAlgorithm) -> tuple[Any, wb.Bars, dict[str, Any]]:
    """Return a strategy of a random case, one that enters several times, or a team; with bars and an account where volumes count."""
    case = random_case(seed)
    strategy = case.strategy.set_params(execution=algorithm, day="00:00 UTC")
    if seed % 3 == 0:
        strategy = wb.Strategy(**(strategy.get_params(deep=False) | {"entries": "each", "max_entries": 3}))
    if seed % 4 == 1:
        exits = [wb.exits.AtrStop(5, 1.0), wb.exits.TimeStop(6)]
        other = wb.Strategy(wb.signals.Breakout(7), wb.sizing.FixedFraction(0.7), exits, execution=algorithm)
        strategy = wb.Team({"a": strategy, "b": other})
    bars, account = alone(case.bars).iloc[:110], case.account
    if bars.has_volume:
        late = 1.0 if seed % 5 == 2 else None
        account = account | {"costs": Costs(participation=0.02 if seed % 2 else 0.5, impact=0.5, queue=0.05, maker=0.0001, latency=late)}
    return strategy, bars, account


def at_a_simple_venue(strategy: Any) -> tuple[Any, set[str]]:
    """Return a strategy, or a team, whose stops and targets the session holds, and what the venue does all the same."""
    each = strategy.strategies if isinstance(strategy, wb.Team) else {"": strategy}
    held = {name: wb.Strategy(**(one.get_params(deep=False) | {"unsupported": "hold"})) for name, one in each.items()}
    supports = {"market"}.union(*(one.execution.sends for one in held.values()))
    return (wb.Team(held) if isinstance(strategy, wb.Team) else held[""]), supports


def books(fed: Fed) -> tuple[Any, Any]:
    """Return the venue's book and ours: orders with what is left of them, and positions."""
    venue = {str(order.key): order.quantity for order in fed.line.open_orders()}, fed.line.positions()
    held = zip(fed.session.setup.instruments, fed.session.portfolio.lots, strict=True)
    ours = {i.symbol: fed.session.portfolio.quantity(j) for j, (i, lots) in enumerate(held) if lots}
    return venue, ({str(order.key): order.quantity for order in fed.session.working}, ours)


@pytest.mark.parametrize("shift", range(5))
@pytest.mark.parametrize("seed", range(7))
def test_both_books_are_one_at_every_step(seed: int, shift: int) -> None:
    strategy, bars, account = system(seed, ALGORITHMS[(seed + 2 * shift) % len(ALGORITHMS)])
    fed = Fed(strategy, bars, 20, **account)
    while not fed.over:
        fed.step()
        venue, ours = books(fed)
        assert venue == ours
    assert fed.venue.account().cash == fed.session.portfolio.cash
    assert fed.differences().empty
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty


@pytest.mark.parametrize("seed", range(12))
def test_both_books_are_one_where_the_session_holds_the_exits(seed: int) -> None:
    system_, bars, account = system(seed, ALGORITHMS[seed % len(ALGORITHMS)])
    strategy, supports = at_a_simple_venue(system_)
    fed = Fed(strategy, bars, 20, supports=supports, **account)
    while not fed.over:
        fed.step()
        venue, ours = books(fed)
        assert venue == ours
    assert fed.venue.account().cash == fed.session.portfolio.cash
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty
