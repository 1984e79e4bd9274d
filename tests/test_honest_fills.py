"""The paper venue is no kinder than a market: what takes pays for it, a queue is a queue, a gap in the ticks saves nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd
import pytest
from filled import SHARES, fills, quotes
from paper_worlds import Fed, state_of
from worked import OTHER, SHARE, START, Stop, Target, market, plan

import workbench as wb
from workbench.errors import StrategyError
from workbench.execution import Costs, ExecutionAlgorithm, Iceberg, Limit, LimitChase, PaperVenue, StopEntry, Twap, WorkingAlgorithm
from workbench.market import OrderKey
from workbench.session.gathering import bars_received
from workbench.session.tape import MarketTape

SLIPS = Costs(commission=0.0, slippage=0.01)
QUEUED = Costs(commission=0.0, slippage=0.0, queue=5.0)
HEAVY = Costs(commission=0.0, slippage=0.0, impact=1.0)
V = 400.0
LEVEL = (100, 100, 100, 100, V)
MOVES = [LEVEL, (101, 101, 101, 101, V), (99, 99, 99, 99, V), *[LEVEL] * 4]


class Aggressive(ExecutionAlgorithm):
    """Sends a limit above the close of a purchase, below that of a sale."""

    beyond: float = 0.05
    time_in_force: str = "gtc"
    sends: ClassVar[frozenset[str]] = frozenset({"limit", "ioc"})

    def plan(self, parent: wb.Order, market: Any) -> list[wb.Order]:
        price = market.price * (1 + parent.sign * self.beyond)
        return [replace(parent, type="limit", price=price, time_in_force=self.time_in_force, bars=0)]


def bought(words: str, rows: list[Any], costs: Costs, **parts: Any) -> list[tuple[int, str, float, float]]:
    """Return the fills of a plan; `venue` has the troubles of a paper venue, its ticks as a table."""
    given = parts.pop("venue", {})
    given = given | ({"ticks": {"ABC": given["ticks"]}} if "ticks" in given else {})
    venue = {"venue": PaperVenue(1e6, costs, **given)} if given else {"cash": 1e6, "costs": costs}
    return fills(wb.backtest(plan(words, **parts), market(rows), **venue))


# -- what takes, pays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time_in_force", ["gtc", "ioc"])
def test_a_limit_beyond_the_market_pays_what_a_market_order_does(time_in_force: str) -> None:
    how = {"quantity": 10.0, "execution": Aggressive(0.05, time_in_force)}
    assert bought("+..", [LEVEL] * 3, SLIPS, **how) == [(1, "open", 10.0, 101.0)]
    assert bought("-..", [LEVEL] * 3, SLIPS, **how) == [(1, "open", -10.0, 99.0)]


def test_and_no_more_than_its_limit() -> None:
    assert bought("+..", [LEVEL] * 3, SLIPS, quantity=10.0, execution=Aggressive(0.005)) == [
        (1, "open", 10.0, pytest.approx(100.5))
    ]  # it rests
    assert bought("+..", [LEVEL] * 3, SLIPS, quantity=10.0, execution=Aggressive(0.005, "ioc")) == []


def test_a_limit_that_is_better_than_the_close_rests() -> None:
    rows = [LEVEL, (98, 99, 97, 98, V), LEVEL]
    assert bought("+..", rows, SLIPS, quantity=10.0, execution=Limit(0.01)) == [(1, "open", 10.0, 98.0)]


def test_a_part_of_an_iceberg_above_the_market_takes() -> None:
    rows = [LEVEL, (100, 100, 98, 98, V), (98, 98, 97, 97, V), *[LEVEL] * 3]
    done = bought("+.....", rows, SLIPS, quantity=10.0, execution=Iceberg(0.5, 0.005, 4))
    assert done == [(1, "open", 5.0, 99.5), (2, "open", 5.0, pytest.approx(98.98))]


def test_impact_is_that_of_all_that_a_bar_took() -> None:
    (whole,) = bought("...+..", MOVES, HEAVY, quantity=400.0)
    team = wb.Team({name: plan("...+..", quantity=100.0) for name in "abcd"})
    parts = fills(wb.backtest(team, market(MOVES), cash=1e6, costs=HEAVY))
    prices = [price for *_, price in parts]
    assert prices == sorted(prices)
    assert prices[-1] == whole[3]


def test_impact_looks_at_the_instruments_own_bars() -> None:
    day, closed = [(100 + k % 3, 102, 98, 100 + k % 3, V) for k in range(24)], [None] * 30
    words, rows = "+" + "." * 22 + "0" + "." * 40, [*day, *closed, *[LEVEL] * 4]
    alone = bought(words, rows, HEAVY, quantity=100.0)
    both = {SHARE: rows, OTHER: [LEVEL] * len(rows)}
    beside = fills(wb.backtest(plan(words, "." * len(words), quantity=100.0), market(both), cash=1e6, costs=HEAVY))
    assert [one[1:] for one in alone] == [one[1:] for one in beside]
    assert alone[-1][3] < 100.0  # it costs something


def test_a_rebate_is_no_smaller_cost_where_costs_are_doubled() -> None:
    costs = Costs(per_unit=0.01, maker=-0.0004, slippage=0.0)
    assert [costs.times(factor, SHARE).maker for factor in (0.5, 1.0, 2.0)] == [-0.0004, -0.0004, -0.0002]
    rows = [LEVEL, (100, 100, 98, 99, V), LEVEL]
    result = wb.backtest(plan("+..", quantity=100.0, execution=Limit(0.01)), market(rows), cash=1e6, costs=costs)
    assert result.fills["fee"].tolist() == [pytest.approx(100 * 0.01 - 100 * 99 * 0.0004)]  # what is paid a unit is paid by makers too


# -- queues, ticks, halts -------------------------------------------------------------------------------------------------


def test_strategies_share_what_trades_through_their_limits() -> None:
    team = wb.Team({name: plan(".+....", quantity=160.0, execution=Limit(0.01, bars=1)) for name in "abcd"})
    rows = [LEVEL, LEVEL, (100, 100, 98, 100, V), *[LEVEL] * 3]
    done = fills(wb.backtest(team, market(rows), cash=1e6, costs=Costs(commission=0.0, slippage=0.0, queue=0.1)))
    assert sum(quantity for _, _, quantity, _ in done) == 160.0  # half of 400 traded beyond 99, 40 of it before them


def test_a_tick_through_a_limit_is_not_the_volume_of_the_bar() -> None:
    rows = [LEVEL, LEVEL, (100, 100, 98.99, 100, V), *[LEVEL] * 3]
    through = [(f"02:{10 + k}", 98.9, 98.995) for k in range(6)]
    how = {"quantity": 100.0, "execution": Limit(0.01, bars=1)}
    assert bought(".+....", rows, QUEUED, **how) == []
    assert bought(".+....", rows, QUEUED, venue={"ticks": quotes(("02:00", 99.9, 100.0), *through)}, **how) == []


def test_a_target_stands_in_the_queue_among_ticks_as_well() -> None:
    rows = [LEVEL, LEVEL, (100, 102.01, 100, 100, V), *[LEVEL] * 3]
    ticks = quotes(("02:00", 100, 100.0), ("02:10", 102.01, 102.02))
    (only,) = bought(".+....", rows, QUEUED, venue={"ticks": ticks}, quantity=100.0, exits=[Target(2.0)])
    assert only[1] == "open"


def test_a_stop_that_the_bar_reached_between_the_ticks_is_filled() -> None:
    rows, open_only = [LEVEL, (100, 100, 90, 98, V), (98, 110, 98, 110, V)], quotes(("01:00", 100, 100.0))
    how = {"quantity": 10.0, "exits": [Stop(5.0)]}
    assert bought("+..", rows, SHARES, venue={"ticks": open_only}, **how) == bought("+..", rows, SHARES, **how)
    falls = quotes(("01:00", 100, 100.0), ("01:10", 90, 90.5))
    stopped = bought("+..", rows, SLIPS, venue={"ticks": falls}, **how)
    assert stopped == [(1, "open", 10.0, 100.0), (1, "stop", -10.0, 90.0)]
    # the low of 94 was there, and before the entry
    first = quotes(("01:00", 100, 100.2), ("01:10", 93.9, 94.2), ("01:20", 101, 101.2))
    entered = bought("+..", [LEVEL, (100, 101, 94, 101, V), LEVEL], SLIPS, venue={"ticks": first}, **how, execution=StopEntry(0.01))
    assert entered == [(1, "open", 10.0, 101.2)]


def test_no_tick_of_a_halt_fills_anything() -> None:
    rows, ticks = [LEVEL, (100, 106, 94, 100, V), LEVEL], quotes(("01:00", 100, 100.0), ("01:30", 94, 94.5), ("01:55", 93.9, 94.4))
    halt = {"ABC": [(f"{START} 01:10", f"{START} 01:50")]}
    how = {"quantity": 10.0, "exits": [Stop(5.0)]}
    assert bought("+..", rows, SLIPS, venue={"ticks": ticks}, **how)[1:] == [(1, "stop", -10.0, 94.0)]
    assert bought("+..", rows, SLIPS, venue={"ticks": ticks, "halts": halt}, **how)[1:] == [(1, "stop", -10.0, 93.9)]


# -- orders in each other's place -----------------------------------------------------------------------------------------


def test_an_order_in_the_place_of_another_ends_it() -> None:
    venue, keys = PaperVenue(1e5, SLIPS), [OrderKey("ABC", label, "open") for label in (1, 2)]
    venue.connect([SHARE])
    venue.observe(MarketTape(1, 3_600_000_000_000), -1)
    for key in keys:
        venue.submit(wb.Order(SHARE, "buy", 1.0, "limit", 90.0, key=key))
    told = [(type(event).__name__, getattr(event, "key", None) or event.order.key) for event in venue.events()]
    assert told == [("OrderAccepted", keys[0]), ("OrderEnded", keys[0]), ("OrderAccepted", keys[1])]


class Crosses(WorkingAlgorithm):
    closes = 3

    def work(self, parent: wb.Order, market: Any, progress: Any) -> list[wb.Order]:
        return [replace(parent, type="limit", price=0.99 * market.price, bars=1, then="cross")]


def test_what_is_worked_does_not_cross_by_itself() -> None:
    with pytest.raises(StrategyError, match="Crosses is asked at each close what to send, so then='cross' is not for it"):
        wb.backtest(plan("+..", execution=Crosses()), market([100.0] * 3), cash=1e5)


@pytest.mark.parametrize("verb", ["pause", "reduce"])
@pytest.mark.parametrize("algorithm", [Twap(3), LimitChase(0.005, bars=5), Iceberg(0.5, 0.001, 6)], ids=["twap", "chase", "iceberg"])
def test_nothing_more_of_an_opening_fills_once_decisions_are_held_up(verb: str, algorithm: Any) -> None:
    rows = [LEVEL] * 2 + [(100, 100, 98.5, 100, V)] * 12
    fed = Fed(plan("." + "+" + "." * 20, quantity=300, execution=algorithm), market(rows), 1, costs=SHARES).run(3)
    held = dict(fed.venue.positions())
    fed.order(verb)
    assert fed.venue.open_orders() == []
    fed.run(4)
    assert fed.venue.positions() == held
    fed.order("resume")
    fed.run()
    assert 0 < fed.venue.positions()["ABC"] <= 300
    assert fed.venue.positions()["ABC"] > held.get("ABC", 0.0)
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_a_part_that_could_not_be_taken_off_is_tried_again_at_the_next_close() -> None:
    rows = [LEVEL] * 2 + [(100, 100, 98.5, 100, V)] * 8
    fed = Fed(plan(".+" + "." * 20, quantity=300, execution=LimitChase(0.02, bars=6)), market(rows), 1, costs=SHARES).run(2)
    fed.line.cut = lambda asked: isinstance(asked, OrderKey)
    fed.order("pause")
    assert len(fed.venue.open_orders()) == 1
    fed.line.cut = lambda asked: False
    fed.run(1)
    assert fed.venue.open_orders() == []
    assert state_of(fed.again()[0]) == state_of(fed.session)


class Racing(PaperVenue):
    """A venue at which a part fills while the cancellation is on its way."""

    raced = False

    def cancel(self, key: OrderKey) -> bool:
        desk = self._desk(key.instrument)
        if not self.raced and desk.opening is not None and desk.opening.key == key:
            self.raced = True
            desk._enter(desk.opening, 99.5, 10)
        return super().cancel(key)


@pytest.mark.parametrize("algorithm", [LimitChase(0.005, bars=4), Twap(4)], ids=["chase", "twap"])
def test_what_fills_on_the_way_of_a_cancellation_is_not_bought_again(algorithm: Any) -> None:
    rows = [LEVEL, *[(100, 100.2, 99.9, 100, 100.0 if isinstance(algorithm, Twap) else V)] * 9]
    venue = Racing(1e6, SHARES)
    wb.Session(plan("+" + "." * 9, quantity=100, execution=algorithm), data=wb.ReplayAdapter(market(rows)), execution=venue).run()
    assert venue.raced
    assert 10 <= venue.positions()["ABC"] <= 100


def raced(algorithm: Any) -> Fed:
    """Return a live session whose venue trades on while the first cancellation, and the order after it, are on their way."""
    rows = [LEVEL] * 2 + [(100, 100, 98.5, 100, V)] * 14
    fed = Fed(plan(".+" + "." * 20, quantity=100, execution=algorithm), market(rows), 1, costs=SHARES)
    cancel, submit, asked = fed.line.cancel, fed.line.submit, []

    def late(key: OrderKey) -> bool:
        asked.append(key)
        if len(asked) == 1:
            fed.exchange.advance()
        return cancel(key)

    def early(order: wb.Order) -> bool:
        done = submit(order)
        if len(asked) == 1:
            asked.append(order)
            fed.exchange.advance()
            fed.exchange.advance()
        return done

    fed.line.cancel, fed.line.submit = late, early  # type: ignore[method-assign, assignment]
    return fed


def gone_on(fed: Fed) -> Fed:
    """Have a session decide the bars that its venue has passed already, and then the others."""
    for _ in range(8):
        row = fed.session.steps_done
        if fed.exchange.row >= row:
            fed.listen()
            fed.session.append(fed.session.setup.on(fed.known(row + 1), newest=True), bars_received(fed.known(row + 1), row, row))
            fed.session.decide([fed.seen], 0)
            fed.listen()
        elif not fed.over:
            fed.step()
    return fed


@pytest.mark.parametrize("algorithm", [LimitChase(0.005, bars=5), Twap(2), Iceberg(1.0, 0.005, 3)], ids=["chase", "twap", "iceberg"])
def test_live_what_filled_untold_is_not_bought_again(algorithm: Any) -> None:
    fed = gone_on(raced(algorithm))
    assert fed.venue.positions() == {"ABC": 100.0}
    assert (fed.session.mode, fed.session.portfolio.lots) == ("RUNNING", [100])
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_where_nobody_knows_what_has_filled_nothing_takes_its_place_yet() -> None:
    fed = raced(LimitChase(0.005, bars=5))

    def broken(since: int = 0) -> list[Any]:
        raise OSError("no line")

    fed.line.executions = broken  # type: ignore[method-assign]
    gone_on(fed)
    assert fed.venue.positions()["ABC"] <= 100.0
    assert fed.session.mode == "RUNNING"
    alerts = [entry.body["text"] for entry in fed.journal.entries("alert")]
    assert [text for text in alerts if text.startswith("nobody knows what has filled of the order")]
    assert state_of(fed.again()[0]) == state_of(fed.session)


def test_parts_that_fill_more_than_was_asked_for_halt_the_session() -> None:
    fed = raced(LimitChase(0.005, bars=5))
    fed.line.executions = lambda since=0: []  # type: ignore[method-assign]  # a venue whose answers lag behind
    gone_on(fed)
    assert fed.venue.positions()["ABC"] > 100
    assert fed.session.mode == "HALTED"
    alerts = [entry.body["text"] for entry in fed.journal.entries("alert")]
    assert [text for text in alerts if "of 100 steps in all: more than was asked for, so the session halts" in text]


# -- what a second reading found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [Twap(8), LimitChase(0.0, bars=8)], ids=["twap", "chase"])
def test_a_stop_without_room_comes_before_all_that_would_add_to_it(algorithm: Any) -> None:
    falls = [LEVEL, LEVEL, (100, 100, 94, 94, V), (94, 94, 90, 90, V), *[(90, 90, 90, 90, V)] * 6]
    done = bought("+.........", falls, SHARES, quantity=320.0, exits=[Stop(5.0)], execution=algorithm)
    assert max(held for held in pd.Series([quantity for _, _, quantity, _ in done]).cumsum()) <= 80.0
    assert {leg for row, leg, _, _ in done if row > 2} == {"stop"}
    assert sum(quantity for _, _, quantity, _ in done) == 0.0


def test_a_stop_of_one_strategy_comes_before_the_openings_of_another() -> None:
    rows = [LEVEL, LEVEL, (100, 100, 90, 90, V), *[(90, 90, 90, 90, V)] * 8]
    team = wb.Team({"stopped": plan("+" + "." * 10, quantity=40.0, exits=[Stop(5.0)]), "buys": plan(".+" + "." * 9, quantity=200.0)})
    done = fills(wb.backtest(team, market(rows), cash=1e6, costs=SHARES))
    assert [(row, leg) for row, leg, *_ in done][:3] == [(1, "open"), (2, "open"), (3, "stop")]


def test_a_target_that_waits_in_the_queue_ends_nothing() -> None:
    up, low = (100, 103, 100, 102, V), (100, 100, 98, 99.5, V)
    rows = [LEVEL, low, up, low, low, LEVEL, LEVEL]
    costs = Costs(commission=0.0, slippage=0.0, queue=1.0)
    done = bought("+......", rows, costs, quantity=400.0, exits=[Target(3.0)], execution=Iceberg(0.5, 0.005, 6))
    assert {leg for _, leg, *_ in done} <= {"open", "target"}
    assert sum(quantity for _, leg, quantity, _ in done if leg == "open") > 0.0


def test_what_is_left_of_a_limit_that_takes_goes_on_taking() -> None:
    costs = Costs(commission=0.001, maker=-0.0002, slippage=0.01, participation=0.1)
    result = wb.backtest(plan("+....", quantity=100.0, execution=Aggressive()), market([LEVEL] * 5), cash=1e6, costs=costs)
    assert result.fills[["quantity", "price"]].to_numpy().tolist() == [[40.0, 101.0], [40.0, 101.0], [20.0, 101.0]]
    assert (result.fills["fee"] > 0).all()


def test_a_stop_that_is_gapped_over_fills_at_the_open_whatever_the_ticks_show() -> None:
    rows = [LEVEL, LEVEL, (90, 98, 89, 98, V), LEVEL]
    how = {"quantity": 10.0, "exits": [Stop(5.0)]}
    gapped = bought("+...", rows, SLIPS, venue={"ticks": quotes(("01:00", 99, 100.0), ("02:30", 97, 97.1))}, **how)
    assert gapped[1] == (2, "stop", -10.0, pytest.approx(89.1))


def test_ticks_after_a_halt_fill_in_the_bar_that_began_in_it() -> None:
    ticks = quotes(("01:00", 100, 100.0), ("02:05", 94, 94.5), ("02:30", 93.9, 94.4))
    halt = {"ABC": [(f"{START} 02:00", f"{START} 02:10")]}
    done = bought(
        "+..", [LEVEL, LEVEL, (100, 100, 93.9, 94, V)], SLIPS, venue={"ticks": ticks, "halts": halt}, quantity=10.0, exits=[Stop(5.0)]
    )
    assert done == [(1, "open", 10.0, 100.0), (2, "stop", -10.0, 93.9)]


class Straggler(WorkingAlgorithm):
    """Sends a tenth at market, and at last another tenth far away."""

    closes = 2

    def work(self, parent: wb.Order, market: Any, progress: Any) -> list[wb.Order]:
        tenth = replace(parent, quantity=0.1 * progress.asked)
        return [tenth if not progress.closes else replace(tenth, type="limit", price=50.0)]


def test_what_is_sent_no_more_counts_no_more() -> None:
    rows = {SHARE: [100.0] * 6, OTHER: [100.0] * 6}
    first = wb.Strategy(
        plan("+.....", "...+..").signal, wb.sizing.FixedQuantity(100.0), risk=[wb.risk.MaxLeverage(1.5)], execution=Straggler()
    )
    result = wb.backtest(first, market(rows), cash=10_000, costs=Costs(commission=0.0, slippage=0.0), buying_power=False)
    assert result.decisions["opened"].tolist() == [100.0, 100.0]  # 10 are held and 10 are out of the first
