"""What fills when nobody wants it any more: on the way to being taken off, after its stance turned twice, beside a stop-out, in parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from asking import LEVEL, asking, require_same_again, say
from keepers import Cuts
from paper_worlds import Fed
from worked import OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.execution import Limit, Twap
from workbench.execution.port import OrderFilled, VenueSaid
from workbench.exits import TimeStop
from workbench.market import Fill, Order, OrderKey
from workbench.session.doubts import Doubts, send_again

HOURLY = wb.sizing.Rebalance("1h", band=0.05)
#: The price falls: a sizer asks for more of what is held.
FALLS = [*[LEVEL] * 4, (100, 100.5, 79.6, 80, 1e5), *[(80, 80.4, 79.6, 80, 1e5)] * 9]


@pytest.mark.parametrize("how", ["time stop", "flatten", "flatten and pause"])
def test_all_of_a_position_that_was_added_to_is_closed_though_its_closing_is_cut(how: str) -> None:
    exits = [TimeStop(5)] if how == "time stop" else []
    fed = Fed(plan(".+" + "." * 12, sizer=wb.sizing.FixedFraction(0.5), exits=exits, rebalance=HOURLY), market(FALLS), 1)
    fed.session.keeper = Cuts(400.0)
    fed.run(6)
    for verb in how.split(" and ") if "flatten" in how else ():
        fed.order(verb)
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == [("open", 500.0), ("add", 62.0), ("close", -400.0), ("close", -162.0)]
    require_same_again(fed)


def races(fed: Fed, quantity: int) -> None:
    """Have so much of the opening that is taken off next fill on the way, which is told afterwards."""
    cancel, raced = fed.line.cancel, []

    def late(key: OrderKey) -> bool:
        desk = fed.venue._desk(key.instrument)
        if desk.opening is not None and desk.opening.key == key and not raced:
            raced.append(key)
            desk._enter(desk.opening, 99.0, quantity)
        return cancel(key)

    fed.line.cancel = late  # type: ignore[method-assign]


def test_what_filled_while_a_flatten_took_it_off_is_closed() -> None:
    fed = Fed(plan(".+...........", quantity=10.0, execution=Limit(0.01, 20)), market([LEVEL] * 13), 1).run(2)
    races(fed, 3)
    assert fed.order("flatten").text == "there is nothing to close"
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(2, "open", 3.0), (4, "close", -3.0)]
    require_same_again(fed)


@pytest.mark.parametrize("stances", [".+.0+.........", ".+.0.........."])
def test_what_fills_after_its_stance_has_turned_away_and_back_is_closed(stances: str) -> None:
    rows = [*[LEVEL] * 5, (100, 100.5, 98, 100, 1e5), *[LEVEL] * 8]
    fed = Fed(plan(stances, quantity=10.0, execution=Limit(0.01, 20)), market(rows), 1)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.run(6)
    fed.line.cut = lambda asked: False
    fed.run()
    assert [fill[:3] for fill in fed.fills] == [(5, "open", 10.0), (6, "close", -10.0)]
    require_same_again(fed)


@pytest.mark.parametrize("mode", ["resume", "pause"])
def test_41_what_fills_beside_a_stop_out_is_closed(mode: str) -> None:
    falls, level = wb.Instrument("AAA", "commodity", "future"), wb.Instrument("BBB", "commodity", "future")
    rows = {
        falls: [*[LEVEL] * 3, (100, 100.5, 82, 83, 1e5), *[(83, 83.5, 82.5, 83, 1e5)] * 9],
        level: [*[LEVEL] * 4, (100, 100.5, 98, 100, 1e5), *[LEVEL] * 8],
    }
    strategy = plan(".+...........", "..+..........", quantity=50.0, execution=Below())
    fed = Fed(strategy, market(rows), 1, cash=1040.0).run(2)
    fed.order(mode)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.run(1)
    fed.line.cut = lambda asked: False
    fed.run()
    assert fed.line.positions() == {}
    assert ("close", -50.0) in [fill[1:3] for fill in fed.fills]
    require_same_again(fed)


class Below(wb.execution.ExecutionAlgorithm):
    """AAA at market, BBB by a limit that rests."""

    def plan(self, parent: Order, snapshot: Any) -> list[Order]:
        if parent.instrument.symbol == "AAA":
            return [parent]
        return [replace(parent, type="limit", price=99.0, bars=20, quantity=20.0)]


def test_17_no_further_part_goes_out_while_the_closing_that_makes_room_is_in_doubt() -> None:
    strategy = plan(".+......0...", "........+...", sizer=wb.sizing.FixedFraction(0.9), risk=[wb.risk.MaxLeverage(1.0)], execution=Twap(4))
    fed = Fed(strategy, market({SHARE: [LEVEL] * 12, OTHER: [LEVEL] * 12}), 1, buying_power=False).run(7)
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.reduce_only
    for _ in range(3):
        fed.step()
        send_again(fed.session, Doubts().settle(fed.session, fed.line, 0.0), closings_only=False)
        fed.listen()
        assert set(fed.line.positions()) == {"ABC"}
    require_same_again(fed)


def test_17_beside_a_closing_that_is_cut_others_have_the_room_that_it_leaves() -> None:
    strategy = plan(".+.0....", "...+....", sizer=wb.sizing.FixedFraction(0.9), risk=[wb.risk.MaxLeverage(1.0)])
    fed = Fed(strategy, market({SHARE: [LEVEL] * 8, OTHER: [LEVEL] * 8}), 1, buying_power=False).run(2)
    fed.session.keeper = Cuts(100.0)
    fed.run(2)
    assert fed.line.positions() == {"ABC": 800.0, "XYZ": 200.0}
    require_same_again(fed)


def test_37_an_old_closing_that_never_arrived_closes_no_newer_position() -> None:
    rows = [*[LEVEL] * 4, (100, 100.5, 94, 96, 1e5), *[(96, 96.5, 95.5, 96, 1e5)] * 9]
    fed = Fed(plan(".+.0.+.-+.....", quantity=10.0, exits=[Stop(5.0)]), market(rows), 1).run(2)
    fed.line.cut = lambda asked: isinstance(asked, Order) and asked.reduce_only
    fed.run(1)
    fed.line.cut = lambda asked: False
    (closing,) = fed.session.doubtful
    fed.run(3)
    assert [fill[1] for fill in fed.fills] == ["open", "stop"]  # and nothing opens on top of the doubt
    assert closing.key is not None
    fed.session.absent(closing.key)
    fed.run()
    assert fed.line.positions() == {"ABC": 10.0}
    assert fed.session.again(closing)
    assert [order.key.leg for order in fed.line.open_orders() if order.key is not None] == ["stop"]
    require_same_again(fed)


@pytest.mark.parametrize("label", [7, "by hand"])
def test_a_fill_of_nobody_s_order_halts_whatever_its_key_looks_like(label: Any) -> None:
    fed = Fed(plan(".+.........", quantity=10.0), market([LEVEL] * 12), 1).run(3)
    fill = Fill(OrderKey("ABC", label, "open"), SHARE, "buy", 5.0, 100.0, 0.0, int(fed.bars.labels[3]), name="n")
    fed.session.told([VenueSaid("n", OrderFilled(fill))])
    assert fed.session.mode == "HALTED"
    require_same_again(fed)


def test_39_an_opening_that_waits_does_not_count_against_its_own_size() -> None:
    run = Fed(asking(".+..........", risk=[wb.risk.MaxTrades(1)]), market([LEVEL] * 12), 1).run(2)
    assert say(run, "resize", quantity=11.0) == "applied: buy 11 ABC: made"
    used = Fed(asking(".+.0-.......", risk=[wb.risk.MaxTrades(1)]), market([LEVEL] * 12), 1).run(2)
    say(used, "approve")
    used.run(4)
    assert used.session.proposals == []
