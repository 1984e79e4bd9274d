"""Troubles that a paper venue can be asked for: orders refused, halts, the same each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from worked import FREE, market, plan

import workbench as wb
from workbench.errors import ParameterError
from workbench.execution import PaperVenue
from workbench.market import OrderKey
from workbench.records import STATUSES
from workbench.session.recorder import Recorder

TURNS = "+0" * 40


def run(words: str, prices: list[Any], **troubles: Any) -> tuple[wb.Session, Any]:
    session = wb.Session(plan(words), data=wb.ReplayAdapter(market(prices)), execution=PaperVenue(1e5, FREE, **troubles))
    recorder = Recorder(session)
    return session.run(), recorder.record()


def opened(seed: int, rejects: float) -> tuple[int, ...]:
    session, _ = run(TURNS, [100.0] * len(TURNS), rejects=rejects, seed=seed)
    return tuple(fill.label for fill in session.execution.executions() if fill.key.leg == "open")


def test_a_share_of_the_openings_is_refused_and_the_same_ones_each_time() -> None:
    everything = opened(1, 0.0)
    some = opened(1, 0.3)
    assert len(everything) == 40
    assert 18 <= len(some) <= 36
    assert opened(1, 0.3) == some
    assert opened(2, 0.3) != some
    assert opened(1, 1.0) == ()


def test_a_refused_opening_is_not_tried_again_and_the_book_stays_ours() -> None:
    session, record = run(TURNS, [100.0] * len(TURNS), rejects=0.5, seed=3)
    statuses = [STATUSES[status] for status in record.orders["status"]]
    assert all(state.opening is None for state in session.states)
    assert session.portfolio.cash == session.execution.account().cash
    assert len(record.orders) > len(record.fills)
    assert statuses.count("rejected") == len(record.orders) - len(record.fills) - statuses.count("working") > 10


def test_nothing_trades_in_a_halt_and_what_rests_goes_on_after_it() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 03:00")]}
    session, _ = run("+....", [100, 101, 102, 103, 104], halts=halt)
    (fill,) = session.execution.executions()
    assert (fill.price, fill.label) == (103.0, int(market([1.0] * 5).labels[3]))
    assert session.equity == 100_000 + 1.0  # marked at the close of 104


def test_a_halt_is_that_of_all_entries() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 04:00")]}
    strategy = plan("+" * 8, entries="each", max_entries=3)
    session = wb.Session(strategy, data=wb.ReplayAdapter(market([100.0] * 8)), execution=PaperVenue(1e5, FREE, halts=halt)).run()
    assert min(fill.label for fill in session.execution.executions()) == int(market([1.0] * 5).labels[4])


def test_the_same_openings_are_refused_under_any_name() -> None:
    venue = PaperVenue(rejects=0.5, seed=1)
    keys = [OrderKey("ABC", label, "open") for label in range(50)]
    named = [replace(key, account="acc", deployment="dep", attempt=1) for key in keys]
    assert [venue._is_unlucky(key) for key in keys] == [venue._is_unlucky(key) for key in named]


def test_an_opening_that_waits_too_long_in_a_halt_expires() -> None:
    halt = {"ABC": [("2024-01-01 01:00", "2024-01-01 09:00+00:00")]}
    _, record = run("+" + "." * 11, [100.0] * 12, halts=halt)
    assert len(record.fills) == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rejects": 1.5}, "rejects is a share of all openings between 0 and 1, got 1.5"),
        ({"halts": {"ABC": [("2024-01-02", "2024-01-01")]}}, "a halt of ABC goes from one time to a later one"),
        ({"halts": {"ABC": [("noon", "2024-01-01")]}}, "a halt of ABC goes from one time to a later one"),
        ({"halts": {"ABD": [("2024-01-01", "2024-01-02")]}}, "halts of 'ABD', which is not traded; did you mean 'ABC'"),
    ],
)
def test_troubles_that_are_none_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError) as refused:
        run("+.", [100.0, 100.0], **given)
    assert said in str(refused.value)
