"""What is left of an order that nobody wants any more: it goes on nowhere, and is taken off as soon as it can be."""

from __future__ import annotations

from typing import Any

import pytest
from filled import fills
from paper_worlds import Fed, state_of
from worked import Script, Stop, Target, both, market, plan

import workbench as wb
from workbench.execution import Costs, Limit, LimitChase
from workbench.execution._holding import Holding
from workbench.execution.port import OrderFilled, VenueSaid
from workbench.market import Fill, OrderKey
from workbench.session.checking import Gatekeeper

FREE = Costs(commission=0.0, slippage=0.0)
HALF = Costs(commission=0.0, slippage=0.0, participation=0.05)
LEVEL = (100, 100.5, 99.5, 100, 1e5)


def fed_with_a_lost_cancel(stances: str, bars: int, ask: str = "", lost: Any = (2,)) -> Fed:
    """Return a session whose requests to take its limit off are lost in some steps."""
    fed = Fed(plan(stances, quantity=10.0, execution=Limit(0.02, bars, "cross")), market([LEVEL] * 12), 1)
    for step in range(9):
        fed.line.cut = lambda asked, step=step: isinstance(asked, OrderKey) and step in lost
        if step == 2 and ask:
            fed.order(ask)
        fed.step()
    return fed


@pytest.mark.parametrize("lost", [(2,), range(2, 9)], ids=["once", "always"])
@pytest.mark.parametrize(("stances", "ask"), [(".+.0", ""), (".+.-", ""), (".+..", "flatten"), (".+..", "kill")])
def test_a_limit_that_could_not_be_taken_off_does_not_cross(stances: str, ask: str, lost: Any) -> None:
    fed = fed_with_a_lost_cancel(stances + "." * 8, 4, ask, lost)
    assert [fill for fill in fed.fills if fill[2] > 0] == []
    assert fed.line.open_orders() == []
    assert fed.session.portfolio.lots[0] <= 0


def test_it_is_taken_off_at_the_next_close() -> None:
    fed = fed_with_a_lost_cancel(".+.0" + "." * 8, 50)
    label = fed.session.tape.label
    taken = [
        label.index(entry.body["label"] if "label" in entry.body else int(entry.key))
        for entry in fed.journal.entries("step")
        if entry.body.get("withdrawn")
    ]
    assert taken == [4]


def test_a_limit_that_is_wanted_still_crosses() -> None:
    bars = market([LEVEL] * 12)
    done = fills(wb.backtest(plan(".+" + "." * 10, quantity=10.0, execution=Limit(0.02, 4, "cross")), bars, costs=FREE))
    assert done == [(6, "open", 10.0, 100.0)]


def test_an_addition_does_not_cross_once_its_position_was_stopped_out() -> None:
    rows = [(100, 100, 100, 100), (100, 100, 94.2, 94.5), (94.5, 94.6, 93.9, 94.2), *[(94, 95, 93, 94)] * 4]
    rebalance = wb.sizing.Rebalance("1h", band=0.0)
    strategy = wb.Strategy(
        Script(["+" + "." * 6]), wb.sizing.FixedFraction(0.5), [Stop(1.0)], execution=Limit(0.05, 1, "cross"), rebalance=rebalance
    )
    result = wb.backtest(strategy, market(rows), costs=FREE)
    assert fills(result) == [(1, "open", 500.0, 95.0), (2, "stop", -500.0, 94.0)]
    assert result.orders["leg"].tolist() == ["open", "stop", "add"]


ROWS: list[Any] = [
    *[(100, 100, 100, 100, 1000)] * 2,
    (100, 100, 98.9, 99.5, 1000),
    (99.5, 99.5, 97.4, 99.2, 9000),
    (99.2, 99.2, 98.5, 99, 9000),
]
ROWS += [(98.8, 98.9, 98.7, 98.8, 19000), *[(95, 95, 95, 95, 9000)] * 4]


def keep_openings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the venue take no opening off by itself, as exchanges do where opening and stop are separate orders."""

    def kept(self: Holding, status: Any) -> None:
        if status != "cancelled":
            ended(self, status)

    ended = Holding._end_opening
    monkeypatch.setattr(Holding, "_end_opening", kept)


def test_what_is_left_of_an_entry_goes_when_its_stop_fills_also_where_the_venue_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    strategy = plan(".+" + "." * 8, quantity=1000.0, exits=[Stop(1.5)], execution=Limit(0.01, 20))
    usual = Fed(strategy, market(ROWS), 1, costs=HALF).run()
    keep_openings(monkeypatch)
    fed = Fed(strategy, market(ROWS), 1, costs=HALF)
    for _ in range(len(ROWS) - 1):
        fed.step()
    assert fed.fills == usual.fills
    assert fed.line.open_orders() == []
    assert fed.session.portfolio.lots == [0]


def test_what_a_halted_session_could_not_take_off_it_knows_when_it_lives_again() -> None:
    two, one = wb.Instrument("XYZ"), wb.Instrument("ABC")
    bars = market({one: [LEVEL] * 12, two: [LEVEL] * 12})
    strategy = plan(".+" + "." * 9, "...+" + "." * 8, execution=Limit(0.02, 50, "cross"), sizer=wb.sizing.FixedFraction(0.6))
    fed = Fed(wb.Strategy(strategy.signal, strategy.sizer, risk=[wb.risk.MaxLeverage(1.0)], execution=strategy.execution), bars, 1)
    fed.step()
    fed.step()
    odd = Fill(OrderKey("XYZ", 5, "open"), two, "buy", 1.0, 100.0, 0.0, int(bars.labels[2]))
    fed.session.told([VenueSaid("odd 1", OrderFilled(odd))])
    assert fed.session.mode == "HALTED"
    fed.line.cut = lambda asked: True
    fed.session.take_off()
    fed.session.take_off()  # once more, with nothing new to write down
    fed.listen()
    fed.line.cut = lambda asked: False
    fed.order("resume")
    for _ in range(4):
        fed.step()
        assert state_of(fed.again()[0]) == state_of(fed.session)
    assert len(list(fed.journal.entries("taken off"))) == 1


def test_an_addition_goes_on_while_a_target_fills_in_parts() -> None:
    level = (100, 100.4, 99.6, 100, 1e6)
    rows = [level, level, (100, 100, 98.9, 99.5, 1e6), (99.5, 99.6, 99, 99.2, 1e6), (99.2, 99.3, 96.9, 97, 1e6), (97, 101.5, 97, 100, 600)]
    rows += [(100, 100, 95, 96, 1e6), *[(96, 96.5, 95.8, 96, 1e6)] * 3]
    strategy = wb.Strategy(
        Script([".+" + "." * 8]), wb.sizing.FixedFraction(0.5), [Target(2.0)], execution=Limit(0.01, 20),
        rebalance=wb.sizing.Rebalance("4h", band=0.0),
    )  # fmt: skip
    fed = Fed(strategy, market(rows), 1, costs=Costs(commission=0.0, slippage=0.0, participation=0.5)).run()
    assert [fill[1] for fill in fed.fills] == ["open", "target", "add"]
    assert fed.differences().empty


def test_a_closing_that_was_refused_once_leaves_the_entry_after_it_alone() -> None:
    rows = [LEVEL, LEVEL, (100, 100.5, 98.5, 100, 1e5), *[LEVEL] * 4, (100, 102, 99.5, 100, 1e5), *[LEVEL] * 4]
    fed = Fed(plan(".+..0-" + "." * 6, quantity=10.0, execution=Limit(0.01, 20)), market(rows), 1)
    submit, refused = fed.line.submit, []

    def refuses_once(order: wb.Order) -> bool:
        if order.reduce_only and not refused:
            refused.append(order)
            raise wb.errors.OrderError("try later")
        return submit(order)

    fed.line.submit = refuses_once  # type: ignore[method-assign]
    fed.run()
    assert [fill[1:3] for fill in fed.fills] == [("open", 10.0), ("close", -10.0), ("open", -10.0)]


def test_what_a_flatten_could_not_take_off_is_closed_when_it_fills_beside_the_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_openings(monkeypatch)
    rows = [*ROWS[:3], (99.5, 99.5, 99.2, 99.2, 1000), *[(99.2, 99.3, 98.5, 99.2, 9000)] * 6]
    fed = Fed(plan(".+" + "." * 8, quantity=100.0, execution=Limit(0.01, 20)), market(rows), 1, costs=HALF)
    for step in range(9):
        if step == 3:
            fed.line.cut = lambda asked: isinstance(asked, OrderKey)
            fed.order("flatten")
            fed.line.cut = lambda asked: False
        fed.step()
    assert [fill[1:3] for fill in fed.fills] == [("open", 50.0), ("close", -50.0), ("open", 50.0), ("close", -50.0)]


def test_a_breach_is_reduced_though_a_rebalance_asks_for_less_than_an_order() -> None:
    share = wb.Instrument("ABC", quantity_step=0.001, min_notional=50.0)
    rows = [(100,) * 4] * 2 + [(100.0 + 1.5 * k,) * 4 for k in range(1, 9)]
    strategy = wb.Strategy(
        Script(["+" + "." * 9]), wb.sizing.FixedFraction(0.4999), risk=[wb.risk.MaxLeverage(0.5, on_breach="reduce")],
        rebalance=wb.sizing.Rebalance("1h", band=0.0),
    )  # fmt: skip
    result = wb.backtest(strategy, market(rows, instrument=share), cash=1000.0, costs=FREE)
    assert [(leg, round(quantity * price)) for _, leg, quantity, price in fills(result)] == [("open", 500), ("trim", -51)]


def test_a_quote_for_a_rest_below_the_smallest_order_is_not_sent() -> None:
    coin = wb.Instrument("BTCUSD", "crypto", quantity_step=0.01, min_notional=10.0)
    quiet, dip = (100, 100.2, 99.95, 100, 1e6), (100, 100.2, 99.7, 100, 1e6)
    rows = [quiet, quiet, (*dip[:4], 200.6), *[dip] * 6]
    fed = Fed(
        plan(".+.......", quantity=20.09, execution=LimitChase(0.001, 4)), market(rows, instrument=coin), 1, cash=10_000.0,
        costs=Costs(commission=0.0, slippage=0.0, participation=0.1),
    )  # fmt: skip
    fed.session.keeper = Gatekeeper(lambda: 0)
    fed.run()
    assert fed.differences().empty
    assert len(list(fed.journal.entries("intent"))) == 1


def test_nothing_opens_as_little_as_no_venue_takes() -> None:
    coin = wb.Instrument("BTCUSD", "crypto", quantity_step=0.01, min_notional=10.0)
    rows = [(100, 100, 100, 100, 1e6), (100, 100.2, 99.7, 100, 200.6), *[(100, 100.2, 100, 100, 1e6)] * 3]
    strategy = plan("+....", quantity=20.09, execution=Limit(0.001, 1, "cross"))
    result = wb.backtest(
        strategy, market(rows, instrument=coin), cash=10_000.0, costs=Costs(commission=0.0, slippage=0.0, participation=0.1)
    )
    assert fills(result) == [(1, "open", 20.06, 99.9)]


def test_a_whole_limit_that_came_to_be_worth_too_little_does_not_cross_either() -> None:
    coin = wb.Instrument("BTCUSD", "crypto", quantity_step=0.01, min_notional=10.0)
    bars = market([(100,) * 4, *[(100, 100.2, 99.95, 99.95)] * 3], instrument=coin)
    result = both(plan("+...", quantity=0.1, execution=Limit(0.001, 1, "cross")), bars, costs=FREE)  # kernel and session
    assert result.orders["status"].tolist() == ["lapsed"]


def test_a_trim_below_the_smallest_order_waits() -> None:
    share = wb.Instrument("ABC", quantity_step=0.001, min_notional=10.0)
    rows = [(100,) * 4, (100,) * 4, (101,) * 4, (100,) * 4, (140,) * 4, (140,) * 4]
    strategy = wb.Strategy(Script(["+" + "." * 5]), wb.sizing.FixedFraction(0.5), rebalance=wb.sizing.Rebalance("1h", band=0.0))
    result = wb.backtest(strategy, market(rows, instrument=share), cash=1000.0, costs=FREE)
    orders = result.orders
    assert orders["leg"].tolist() == ["open", "trim"]
    assert orders["quantity"].tolist()[1] * 140 > 10


def test_dust_of_one_strategy_hides_no_price_of_another() -> None:
    coin, late = wb.Instrument("BTCUSD", "crypto", quantity_step=0.01), wb.Instrument("NEW")
    bars = market({coin: [(100,) * 4] * 12, late: [None] * 8 + [(50,) * 4] * 4})
    one = wb.Strategy(Script(["+..0+..0+...", "." * 12]), wb.sizing.FixedQuantity(1.0), risk=[wb.risk.MaxLeverage(2, on_breach="reduce")])
    two = wb.Strategy(Script(["..+..0+.....", "." * 12]), wb.sizing.FixedQuantity(1.0))
    costs = {"BTCUSD": Costs(commission=0.001, slippage=0.0, fee_in="base"), "NEW": FREE}
    result = wb.backtest(wb.Team({"a": one, "b": two}), bars, costs=costs, cash=10_000.0)
    assert (result.orders["leg"] == "open").sum() == 5
    assert result.equities.notna().all(axis=None)


def test_what_fills_of_an_entry_after_its_stop_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_openings(monkeypatch)
    fed = Fed(plan(".+" + "." * 8, quantity=1000.0, exits=[Stop(1.5)], execution=Limit(0.01, 20)), market(ROWS), 1, costs=HALF)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey) and asked.leg == "open" and fed.session.steps_done < 7
    for _ in range(len(ROWS) - 1):
        fed.step()
    assert [fill[1:3] for fill in fed.fills[-3:]] == [("open", 500.0), ("close", -450.0), ("close", -50.0)]
    assert fed.line.positions() == {}
    assert fed.line.open_orders() == []
    assert state_of(fed.again()[0]) == state_of(fed.session)
