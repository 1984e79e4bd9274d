"""An execution algorithm of one's own may choose quantity, limit and patience; it cannot take the protection off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from worked import OTHER, Stop, Target, both, fills, market, opened, plan

import workbench as wb
from workbench.errors import StrategyError
from workbench.execution.port import EVERYTHING


class Own(wb.execution.ExecutionAlgorithm):
    """Sends what it is told."""

    makes: Callable[[Any, Any], Any]

    def plan(self, parent: wb.Order, snapshot: Any) -> Any:
        return self.makes(parent, snapshot)


def run(makes: Callable[[Any, Any], Any], **parts: Any) -> wb.Backtest:
    return both(plan("+...", quantity=4, execution=Own(makes), **parts), market([100, 100, (100, 100, 94, 94), 94]))


def test_an_order_made_anew_keeps_the_exits_of_the_decision() -> None:
    result = run(lambda parent, snapshot: [wb.Order(parent.instrument, parent.side, 3, "limit", 101.0, bars=1)], exits=[Stop(5.0)])
    assert fills(result) == [(1, "open", 3.0, 100.0), (2, "stop", -3.0, 95.0)]


def test_exits_cannot_be_left_out() -> None:
    bare = lambda parent, snapshot: [replace(parent, stop_distance=None, target_distance=None)]  # noqa: E731
    result = run(bare, exits=[Stop(5.0), Target(50.0)])
    assert sorted(result.orders["leg"]) == ["open", "stop", "target"]


def test_no_order_is_a_choice() -> None:
    result = run(lambda parent, snapshot: [])
    assert opened(result) == [0.0]
    assert "chose to wait" in result.decisions["reason"].iloc[0]


@pytest.mark.parametrize(
    ("makes", "said"),
    [
        (
            lambda parent, snapshot: [replace(parent, type="stop", price=110.0)],
            "gave an order that asks for stop, and does not say that it sends such",
        ),
        (lambda parent, snapshot: [replace(parent, side="sell")], "may buy up to 4 ABC in steps of 1, got sell 4 ABC"),
        (lambda parent, snapshot: [replace(parent, quantity=5)], "got buy 5 ABC"),
        (lambda parent, snapshot: [replace(parent, instrument=OTHER)], "got buy 4 XYZ"),
        (lambda parent, snapshot: [parent, parent], "gave 2 orders for ABC; a session follows one child"),
        (lambda parent, snapshot: parent, "must return a list of wb.Order"),
    ],
    ids=["stop entry", "other side", "more", "other instrument", "two", "no list"],
)
def test_anything_else_is_refused(makes: Callable[[Any, Any], Any], said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        run(makes)


def test_an_exit_is_a_stop_or_a_target() -> None:
    class Odd(Stop):
        kind = "stoploss"

    with pytest.raises(
        StrategyError, match=r"Odd[.]kind must be stop, target, trail, even or time, got 'stoploss'; did you mean 'stop'[?]"
    ):
        plan("+.", exits=[Odd(5.0)])


# -- what a venue can do ----------------------------------------------------------------------------------------------


class Plain(wb.execution.PaperVenue):
    """A venue that takes nothing but market orders."""

    supports = frozenset({"market", "reduce_only"})


class Overshooting(wb.execution.PaperVenue):
    """A venue where a closing that comes too late opens the other side."""

    supports = EVERYTHING - {"reduce_only"}


@pytest.mark.parametrize("unsupported", ["refuse", "hold"])
def test_no_closing_goes_where_it_could_open_the_other_side(unsupported: str) -> None:
    said = r"this venue cannot do what the strategy asks for: reduce-only orders \(closings\); it knows amend,"
    with pytest.raises(StrategyError, match=said):
        wb.Session(plan("+...", unsupported=unsupported), data=wb.ReplayAdapter(market([100.0] * 4)), execution=Overshooting())


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"exits": [Stop(5.0)]}, r"stop orders \(Stop\); it knows market, reduce_only"),
        ({"exits": [Target(5.0)]}, r"limit orders \(Target\)"),
        ({"exits": [wb.exits.TrailingStop(percent=0.01)]}, r"stop orders \(TrailingStop\), resting orders that move \(TrailingStop\)"),
        ({"exits": [Stop(5.0)], "rebalance": "1D"}, r"resting orders that move \(rebalance\)"),
        ({"execution": wb.execution.Limit()}, r"limit orders \(Limit\)"),
        ({"execution": wb.execution.Iceberg()}, r"limit orders \(Iceberg\)"),
    ],
)
def test_what_the_venue_cannot_do_is_refused_at_the_start(parts: Any, said: str) -> None:
    bars = market([100.0] * 4)
    with pytest.raises(StrategyError, match=f"this venue cannot do what the strategy asks for: .*{said}"):
        wb.Session(plan("+...", **parts), data=wb.ReplayAdapter(bars), execution=Plain())
    assert wb.Session(plan("+..."), data=wb.ReplayAdapter(bars), execution=Plain()).run().portfolio.lots == [1]
    assert wb.Session(
        plan("+...", execution=wb.execution.Twap(2), quantity=2), data=wb.ReplayAdapter(bars), execution=Plain()
    ).run().portfolio.lots == [2]
