"""What the paper venue makes of orders on their way, of places in the queue, of halts, and of orders too small or far too large."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pandas as pd
import pytest
from filled import fills, quotes
from worked import OTHER, SHARE, START, Stop, Target, market, plan

import workbench as wb
from workbench.errors import DataError
from workbench.execution import Costs, ExecutionAlgorithm, Iceberg, Limit, LimitChase, Market, PaperVenue, Twap, Vwap
from workbench.execution.port import OrderEnded
from workbench.market import OrderKey

FREE = Costs(commission=0.0, slippage=0.0)
LATE = Costs(commission=0.0, slippage=0.0, latency=1.0)
LEVEL = (100, 101, 99, 100, 10_000)


def filled(words: str, rows: list[Any], costs: Costs, **parts: Any) -> list[tuple[int, str, float, float]]:
    return fills(wb.backtest(plan(words, **parts), market(rows), cash=1e9, costs=costs))


# -- on the way -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slices", [Twap(4), Vwap(4, profile={"00:00": 1.0})], ids=["twap", "vwap"])
def test_slices_that_are_late_are_slices_still(slices: ExecutionAlgorithm) -> None:
    done = filled("+" + "." * 11, [LEVEL] * 12, LATE, quantity=100.0, execution=slices)
    assert done == [(row, "open", 25.0, 100.0) for row in (2, 4, 6, 8)]


def test_a_late_quote_meets_a_bar_before_the_next_takes_its_place() -> None:
    done = filled("+" + "." * 11, [LEVEL] * 12, LATE, quantity=100.0, execution=LimitChase(0.001, 5))
    assert done == [(2, "open", 100.0, pytest.approx(99.9))]


def test_each_part_of_an_iceberg_meets_a_bar() -> None:
    done = filled("+" + "." * 11, [LEVEL] * 12, LATE, quantity=100.0, execution=Iceberg(0.25, 0.005, 6))
    assert [fill[0] for fill in done] == [2, 4, 6, 8]


def test_what_is_on_its_way_for_long_does_not_expire() -> None:
    bars = market([LEVEL] * 12, interval="1min")
    result = wb.backtest(plan("+" + "." * 11, quantity=1.0), bars, costs=Costs(commission=0.0, slippage=0.0, latency=400.0))
    assert result.fills["time"].tolist() == [bars.index[8]]  # sent a minute before the bar of row 1, there after 400 seconds


def test_nor_does_it_where_its_instrument_has_no_bars_meanwhile() -> None:
    rows = {SHARE: [LEVEL] * 2 + [None] * 7 + [LEVEL] * 4, OTHER: [LEVEL] * 13}
    bars = market(rows, interval="1min")
    result = wb.backtest(plan(".+" + "." * 11, "." * 13, quantity=1.0), bars, costs=Costs(commission=0.0, slippage=0.0, latency=400.0))
    assert result.fills["time"].tolist() == [bars.index[9]]


def test_an_iceberg_rests_without_a_break_for_as_long_as_it_works() -> None:
    rows = [(100, 100.2, 99.8, 100, 1e6)] * 16
    result = wb.backtest(plan("+" + "." * 15, quantity=100.0, execution=Iceberg(1.0, 0.005, 6, "cancel")), market(rows), costs=LATE)
    assert [(label.hour, status) for label, status in zip(result.orders["ended"], result.orders["status"], strict=True)] == [(13, "lapsed")]


def test_among_ticks_a_slice_meets_the_bar_that_it_arrives_in() -> None:
    ticks = quotes(*[(f"{hour:02d}:{minute}", 100.0, 100.0) for hour in range(1, 8) for minute in ("00", "30")])
    venue = PaperVenue(1e6, LATE, ticks={"ABC": ticks})
    result = wb.backtest(plan("+" + "." * 7, quantity=100.0, execution=Twap(4)), market([LEVEL] * 8), venue=venue)
    assert [fill[0] for fill in fills(result)] == [1, 2, 3, 4]


def test_how_many_bars_pass_an_order_by() -> None:
    assert LATE.bars_late(86_400_000_000_000) == 0
    assert (LATE.bars_late(60_000_000_000), Costs(latency=61.0).bars_late(60_000_000_000), FREE.bars_late(1)) == (1, 2, 0)


@pytest.mark.parametrize("execution", [Twap(4), LimitChase(0.003, 4), Limit(0.002, 3), Market()], ids=repr)
def test_what_others_have_bars_for_changes_nothing(execution: ExecutionAlgorithm) -> None:
    holes: list[Any] = [LEVEL, LEVEL, None, LEVEL, None, LEVEL, LEVEL, None, None, LEVEL, LEVEL, LEVEL, None, LEVEL, LEVEL, LEVEL]
    costs = Costs(commission=0.0, slippage=0.0, latency=4000.0)
    words = "+" + "." * 8 + "-......"
    alone = wb.backtest(plan(words, quantity=100.0, execution=execution), market(holes), costs=costs, cash=1e6)
    strategy = plan(words, "." * 16, quantity=100.0, execution=execution)
    beside = wb.backtest(strategy, market({SHARE: holes, OTHER: [LEVEL] * 16}), costs=costs, cash=1e6)
    seen = ["time", "leg", "side", "quantity", "price"]
    assert len(alone.fills) > 2
    assert alone.fills[seen].to_numpy().tolist() == beside.fills[seen].to_numpy().tolist()


def test_an_opening_waits_for_as_long_as_its_closing_takes() -> None:
    rows = [(100, 100.5, 99.5, 100, 600.0)] * 36
    costs = Costs(commission=0.0, slippage=0.0, participation=0.01)
    result = wb.backtest(plan("+" + "." * 9 + "-" + "." * 25, quantity=40.0), market(rows), costs=costs, cash=1e6)
    assert result.orders["status"].tolist() == ["filled", "filled", "filled"]
    assert [leg for _, leg, *_ in fills(result)] == ["open"] * 7 + ["close"] * 7 + [
        "open"
    ] * 8  # in what the last bar of the closing leaves


# -- a place in the queue ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [100.0, 98.99], ids=["reached inside", "opened beyond"])
@pytest.mark.parametrize(("volume", "filled_of"), [(400.0, 0.0), (5000.0, 3000.0), (50_000.0, 10_000.0)])
def test_a_limit_that_the_bar_opens_beyond_stands_in_the_queue_as_well(first: float, volume: float, filled_of: float) -> None:
    rows = [*[(100, 100.5, 99.5, 100, 1000.0)] * 25, (first, max(first, 98.99), 98.0, 98.5, volume), *[(100, 100.5, 99.5, 100, 1000.0)] * 3]
    costs = Costs(commission=0.0, slippage=0.0, queue=2.0)
    words = "." * 22 + "+" + "." * 6
    result = wb.backtest(plan(words, quantity=10_000.0, execution=Limit(0.01, 9)), market(rows), costs=costs, cash=1e8)
    got = result.fills["quantity"].sum()
    assert got == pytest.approx(filled_of) if first < 99.0 else got <= filled_of


def test_a_target_that_the_bar_opens_beyond_stands_in_the_queue_as_well() -> None:
    rows = [*[(100, 100.5, 99.5, 100, 1000.0)] * 25, (102.01, 103, 102.01, 102.5, 1500.0), *[(100, 100.5, 99.5, 100, 1000.0)] * 3]
    costs = Costs(commission=0.0, slippage=0.0, queue=2.0)
    words = "." * 22 + "+" + "." * 6
    result = wb.backtest(plan(words, quantity=100.0, exits=[Target(2.0)]), market(rows), costs=costs, cash=1e8)
    assert result.fills["leg"].tolist() == ["open"]


@pytest.mark.parametrize(("beyond", "quantity"), [(0.001, 0.0), (0.01, 172.0), (0.05, 400.0)])
def test_what_its_own_weight_keeps_a_limit_from_taking_is_not_given_to_it_as_to_one_that_rested(beyond: float, quantity: float) -> None:
    rows = [(100 + k % 3, 102.5, 98, 100 + k % 3, 400.0) for k in range(25)] + [(100, 101, 99, 100, 400.0)] * 3
    costs = Costs(commission=0.001, maker=-0.0001, slippage=0.0005, impact=1.0)
    result = wb.backtest(plan("." * 24 + "+...", quantity=400.0, execution=Above(beyond)), market(rows), costs=costs, cash=1e9)
    first = result.fills[result.fills["time"] == result.bars.index[25]]
    assert first["quantity"].sum() == pytest.approx(quantity, abs=1)
    assert (first["fee"] > 0).all()


class Above(ExecutionAlgorithm):
    """Buys by a limit so far above the price."""

    beyond: float = 0.01
    sends: ClassVar[frozenset[str]] = frozenset({"limit"})

    def plan(self, parent: wb.Order, snapshot: Any) -> list[wb.Order]:
        return [replace(parent, type="limit", price=round(snapshot.price * (1 + self.beyond), 2), bars=1)]


def test_a_target_that_moves_stands_at_the_end_of_the_queue_again() -> None:
    quiet = [(100, 100.5, 99.5, 100, 1000)] * 23
    rows = [*quiet, (100, 104, 99.5, 100, 4400), (98, 98, 97, 97.9, 1000), (98, 101.2, 97.9, 98, 10_000), (98, 98, 98, 98, 1000)]
    words = "." * 22 + "+...."
    done = filled(words, rows, Costs(commission=0.0, slippage=0.0, queue=2.0), quantity=100.0, execution=Twap(2), exits=[Target(2.0)])
    assert [fill[1] for fill in done] == ["open", "open"]  # what traded through the old price, at 102, was not before it at 101


# -- halts among ticks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticks", [False, True], ids=["by bars", "by ticks"])
def test_a_stop_waits_for_the_end_of_a_halt(ticks: bool) -> None:
    rows = [*[(100, 100, 100, 100, 1000)] * 3, (100, 100, 97, 99.5, 1000), *[(80, 80, 80, 80, 1000)] * 2]
    given = {"ticks": {"ABC": quotes(("02:10", 100, 100.0), ("03:10", 100, 100.0), ("03:50", 99.5, 99.5))}} if ticks else {}
    halts = [(f"{START} 03:30", f"{START} 04:00"), (f"{START} 03:00", f"{START} 03:30")]
    venue = PaperVenue(1e6, FREE, halts={"ABC": halts}, **given)  # type: ignore[arg-type]
    result = wb.backtest(plan("+.....", quantity=10.0, exits=[Stop(2.0)]), market(rows), venue=venue)
    assert fills(result)[1:] == [(4, "stop", -10.0, 80.0)]


def test_ticks_on_another_scale_than_their_bars_are_refused() -> None:
    venue = PaperVenue(1e6, FREE, ticks={"ABC": quotes(("01:10", 10_000.0, 10_000.0))})
    with pytest.raises(DataError, match="a tick of ABC at 2024-01-01 01:10:00 UTC is 10000 to 10000, and its bar goes from 99 to 101"):
        wb.backtest(plan("+...", quantity=1.0), market([LEVEL] * 4), venue=venue)


@pytest.mark.parametrize("quote", [(0.01, 200_000.0), (60.0, 250.0), (1.0, 101.0)], ids=str)
def test_a_wide_quote_is_none_of_another_scale(quote: tuple[float, float]) -> None:
    venue = PaperVenue(1e9, FREE, ticks={"ABC": quotes(("01:10", *quote))})
    assert len(fills(wb.backtest(plan("+...", quantity=1.0), market([LEVEL] * 4), venue=venue))) == 1


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"price": ["a"]}, pd.DatetimeIndex([START])), "prices are numbers"),
        (
            pd.DataFrame([[1.0, 2.0, 3.0]], pd.DatetimeIndex([START]), columns=["bid", "bid", "ask"]),
            "have each column once, got bid, bid, ask",
        ),
    ],
    ids=["words", "two bids"],
)
def test_ticks_that_are_none_are_refused(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(wb.errors.ParameterError, match=said):
        PaperVenue(ticks={"ABC": frame})


# -- too small, far too large ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("least", "quantity", "taken"), [({"min_quantity": 2.0}, 1.0, False), ({"min_notional": 150.0}, 1.0, False),
                                                          ({"min_quantity": 2.0, "min_notional": 150.0}, 2.0, True)])  # fmt: skip
def test_an_opening_below_the_smallest_order_is_refused(least: dict[str, float], quantity: float, taken: bool) -> None:
    share = wb.Instrument("ABC", **least)  # type: ignore[arg-type]
    venue = PaperVenue(1e6, FREE)
    wb.Session(plan("...."), data=wb.ReplayAdapter(market([LEVEL] * 4, instrument=share)), execution=venue).run(2)
    venue.submit(wb.Order(share, "buy", quantity, key=OrderKey("ABC", 1, "open")))
    assert [event.status for event in venue.events() if isinstance(event, OrderEnded)] == ([] if taken else ["rejected"])


def test_a_sale_far_too_large_for_its_market_brings_something_still() -> None:
    rows = [(100 + k % 2, 103, 98, 100 + k % 2, 100.0) for k in range(30)]
    (_, _, _, sold), (_, _, _, back) = filled(
        "." * 25 + "-..0.", rows, Costs(commission=0.0, slippage=0.0, impact=1.0), quantity=10_000_000.0
    )
    assert 0.0 < sold < 50.0
    assert back > 200.0
