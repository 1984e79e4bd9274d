"""The parity report of runs at a venue that loses or refuses orders, or takes less: what follows from it has the venue as its cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Runs, Serving
from run_worlds import BARS, FREE, HISTORY, PARTS, STRATEGY, World

import workbench as wb
from workbench.errors import OrderError, StrategyError
from workbench.execution import Limit
from workbench.execution.port import OrderEnded, VenueSaid
from workbench.live.parity import BUG, MISSED, VENUE, parity
from workbench.live.release import Release, promote
from workbench.market import Order


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.journal.close()


# -- orders that get lost ---------------------------------------------------------------------------------------------


def lose(world: World, leg: str) -> None:
    """Lose the next order of a leg, find out one bar later, and send it again if it is a closing."""
    fed = world.lost(leg)
    for order in fed.session.doubtful:
        assert order.key is not None
        fed.session.told([VenueSaid(f"absent {order.key}", OrderEnded(order.key, "absent", fed.session.tape.label[-1]))])
        if order.reduce_only:
            fed.session.again(order)
            fed.listen()


def told(world: World, leg: str) -> None:
    """Lose the next order of a leg, and have a person say one bar later that it never arrived."""
    fed = world.lost(leg)
    for order in list(fed.session.doubtful):
        assert fed.order("absent", order=str(order.key)).state == "applied"


def unknown(world: World, leg: str) -> None:
    """Lose the next order of a leg, and leave it in doubt."""
    world.lost(leg)


@pytest.mark.parametrize("known", [lose, told, unknown])
@pytest.mark.parametrize("leg", ["open", "close"])
def test_an_order_that_never_reached_the_venue_is_the_venue_s_doing(world: World, leg: str, known: Callable[..., None]) -> None:
    known(world, leg)
    world.fed.run()
    report = world.report()
    assert VENUE in set(report.causes) <= {MISSED, VENUE}
    assert report.explained


def test_an_order_that_reached_the_venue_a_bar_late_is_the_venue_s_doing(world: World) -> None:
    fed = world.fed
    fed.line.cut = lambda asked: not fed.line.lost and isinstance(asked, Order)
    world.until(lambda: fed.line.lost)
    (late,) = fed.session.doubtful
    fed.step()
    fed.line.submit(late)
    fed.listen()
    fed.run()
    assert set(world.report().causes) == {VENUE}


def test_an_order_that_was_lost_and_sent_again_in_time_makes_no_difference(world: World) -> None:
    fed = world.fed
    fed.line.cut = lambda asked: not fed.line.lost and isinstance(asked, Order)
    world.until(lambda: fed.line.lost)
    (order,) = fed.session.doubtful
    assert order.key is not None
    fed.session.told([VenueSaid(f"absent {order.key}", OrderEnded(order.key, "absent", 0))])
    fed.session.again(order)
    fed.listen()
    fed.run()
    assert world.report().differences.empty


# -- orders that are refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("troubles", "unsupported"),
    [({"supports": {"market", "limit"}}, "hold"), ({"rejects": 0.4, "seed": 2}, "refuse")],
    ids=["simple", "rejects"],
)
def test_what_a_venue_does_not_take_is_its_doing(tmp_path: Path, troubles: dict[str, Any], unsupported: str) -> None:
    strategy = wb.Strategy(*PARTS, execution=Limit(0.0002, 2, "cross"), unsupported=unsupported)
    serving = Serving(tmp_path, BARS.iloc[:60], HISTORY, **troubles).start()
    runs = Runs(serving, strategy)
    for _ in range(3):
        runs.run(once=True)
    runs.run()
    report = parity(Release.open(promote(strategy, BARS, "run", costs=FREE, folder=tmp_path)), runs.journal)
    assert set(report.causes) == {VENUE}
    assert report.equity[BUG] == 0.0
    serving.stop()
    runs.journal.close()


def test_a_venue_that_does_not_take_what_a_run_asks_for_is_refused_with_the_list(tmp_path: Path) -> None:
    serving = Serving(tmp_path, BARS.iloc[:60], HISTORY, supports={"market"}).start()
    runs = Runs(serving, STRATEGY)
    with pytest.raises(StrategyError, match=r"cannot do what the strategy asks for: .*stop orders \(AtrStop\)"):
        runs.run()
    assert list(runs.journal.entries("intent")) == []
    serving.stop()
    runs.journal.close()


def test_a_flatten_that_was_refused_and_given_again_is_no_bug(world: World) -> None:
    fed = world.held()
    submit, refused = fed.line.submit, []

    def once(order: Order) -> bool:
        if order.reduce_only and not refused:
            refused.append(order)
            raise OrderError("try later")
        return submit(order)

    fed.line.submit = once  # type: ignore[method-assign]
    fed.order("flatten")
    fed.order("flatten")
    fed.run()
    assert len(refused) == 1
    assert BUG not in world.report().causes
