"""What may stay of a breached book and what a sizer asks for anew, one rule at a time (SEMANTICS 13, 21). Worked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
from worked import CONTRACT, FREE, SHARE, Given, Stop, fills, market, plan

import workbench as wb
from workbench.execution import Limit
from workbench.risk import Breach, MaxExposure, MaxLeverage, RiskManager
from workbench.sizing import FixedFraction, PositionSizer, Rebalance, Scaled

OIL = wb.Instrument("OIL", "commodity", "future")
REDUCE: dict[str, Any] = {"on_breach": "reduce"}
HOURLY = Rebalance("1h", band=0.0)


class AtMost(RiskManager):
    """So many contracts of each instrument may stay; `by` is how far a look goes there, 1 for all the way."""

    most: Sequence[float]
    by: float = 1.0

    def limit(self, order: Any, portfolio: Any, market: Any) -> tuple[float, str]:
        return 1e9, "all"

    def breach(self, snapshot: Any, instruments: Any, currency: str) -> Breach | None:
        pairs = zip(self.most, map(abs, snapshot.hi), strict=True)
        shares = [1.0 - self.by * (1.0 - most / held) if held > most else 1.0 for most, held in pairs]
        return Breach(shares, "told") if min(shares) < 1.0 else None


class Below(AtMost):
    """Fewer contracts than so many may stay: where they are as many, the share is less than 1 by a hair."""

    def breach(self, snapshot: Any, instruments: Any, currency: str) -> Breach | None:
        shares = [min(most / held, 1.0 - 1e-12) if held >= most else 1.0 for most, held in zip(self.most, snapshot.hi, strict=True)]
        return Breach(shares, "told") if min(shares) < 1.0 else None


class Asks(PositionSizer):
    """Asks for a quantity by the price, and does not know of others."""

    quantities: Sequence[tuple[float, float]]

    def size(self, signal: float, portfolio: Any, market: Any) -> float:
        return dict(self.quantities).get(market.price, math.nan)


def traded(
    strategy: wb.Strategy, rows: Any, instrument: wb.Instrument = CONTRACT, cash: float = 10_000.0, **more: Any
) -> list[tuple[int, str, float]]:
    """Return the fills of a run as (row, leg, quantity)."""
    bars = market(rows, instrument)
    return [fill[:3] for fill in fills(wb.backtest(strategy, bars, cash=cash, costs=FREE, **more))]


# -- what may stay ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ([AtMost([3.0], **REDUCE), AtMost([8.0], **REDUCE)], 3),
        ([AtMost([8.0], **REDUCE), AtMost([3.0], **REDUCE)], 3),
        ([AtMost([3.0]), AtMost([8.0], **REDUCE)], 8),
        ([AtMost([-5.0], **REDUCE)], 0),
        ([AtMost([-math.inf], **REDUCE)], 0),
        ([AtMost([3.0], 0.5, **REDUCE)], 3),  # half the way each time: 6, then 4 and 3
        ([Below([3.0], **REDUCE)], 2),
        ([Below([0.5], **REDUCE)], 0),
    ],
    ids=[
        "stricter first",
        "stricter last",
        "the stricter one only alerts",
        "less than nothing",
        "less than anything",
        "looked at again",
        "by a hair",
        "nothing",
    ],
)
def test_rule_21_what_stays_is_within_every_limit_that_reduces(limits: list[RiskManager], left: int) -> None:
    found = traded(plan("+...", quantity=10, risk=limits), [100.0] * 4)
    assert [(row, quantity) for row, _, quantity in found] == [(1, 10.0), (2, left - 10.0)]


def test_rule_21_what_no_limit_touches_stays_in_full_however_often_it_is_looked_at() -> None:
    strategy = plan("+...", "+...", quantity=10, risk=[AtMost([3.0, 20.0], 0.5, **REDUCE)])
    assert [fill for fill in traded(strategy, {CONTRACT: [100.0] * 4, OIL: [100.0] * 4}) if fill[1] == "trim"] == [(2, "trim", -7.0)]


def test_rule_21_what_closes_in_the_step_makes_no_breach() -> None:
    # 4 and 4 short at 100; at 120 equity is 840 and gross 960, but half of it is being closed: 480 are left
    rows = {CONTRACT: [100, 100, 120, 120], OIL: [100, 100, 120, 120]}
    strategy = plan("-...", "-.0.", quantity=4, risk=[MaxLeverage(1, **REDUCE)])
    assert traded(strategy, rows, cash=1000)[2:] == [(3, "close", 4.0)]


def test_rule_21_a_closing_that_waits_for_its_bar_is_not_trimmed_too() -> None:
    # OIL at 180: equity 680, gross 720 without what is being closed
    rows = {CONTRACT: [100, 100, 100, None, 100, 100], OIL: [100, 100, 100, 180, 180, 180]}
    strategy = plan("-.0...", "-.....", quantity=4, risk=[MaxLeverage(1, **REDUCE)])
    assert traded(strategy, rows, cash=1000)[2:] == [(4, "close", 4.0), (4, "trim", 1.0)]


def test_rule_21_a_trim_that_waits_for_its_bar_is_not_sent_twice() -> None:
    # at 120 equity is 840 and gross 960: 3 of 4 may stay; where FUT has no bar its trim waits, though OIL at 150 is a breach again
    rows = {CONTRACT: [100, 100, 120, None, 120, 120, 120], OIL: [100, 100, 120, 150, 150, 150, 150]}
    result = wb.backtest(
        plan("-......", "-......", quantity=4, risk=[MaxLeverage(1, **REDUCE)]), market(rows), cash=1000, costs=FREE, buying_power=False
    )
    trims = result.orders[(result.orders["leg"] != "open") & (result.orders["symbol"] == "FUT")]
    assert trims["time"].dt.hour.tolist() == [2]
    assert result.positions.iloc[-1].to_dict() == {"FUT": -3.0, "OIL": -2.0}


def test_rule_21_a_limit_that_only_alerts_reduces_nothing_beside_one_that_would() -> None:
    limits = [MaxLeverage(1), MaxExposure(1e9, by="instrument", **REDUCE)]
    assert traded(plan("+....", quantity=50, risk=limits), [100, 100, 90, 90, 90], cash=1000) == [(1, "open", 10.0)]


# -- what the sizer asks for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "change"), [(19.0, -3.0), (15.0, -5.0), (25.0, -3.0)], ids=["less", "more", "an addition"])
def test_the_smaller_of_what_the_limit_and_the_sizer_leave_counts(asked: float, change: float) -> None:
    # at 90 equity is 800: 1,600 may stay, 17 of 20
    strategy = wb.Strategy(plan("+...").signal, Asks([(100.0, 20.0), (90.0, asked)]), risk=[MaxLeverage(2, **REDUCE)], rebalance=HOURLY)
    assert traded(strategy, [100, 100, 90, 90], cash=1000) == [(1, "open", 20.0), (3, "trim", change)]


def test_a_size_that_is_unknown_changes_nothing() -> None:
    strategy = wb.Strategy(plan("+...").signal, Asks([(100.0, 20.0)]), rebalance=HOURLY)
    assert traded(strategy, [100, 100, 110, 110]) == [(1, "open", 20.0)]


def test_without_equity_nothing_is_resized() -> None:
    # 10 shares of 100 with 500 of one's own; at 40 equity is -100
    strategy = wb.Strategy(plan("+...").signal, Asks([(100.0, 10.0), (40.0, 5.0)]), rebalance=HOURLY)
    assert traded(strategy, [100, 100, 40, 40], SHARE, cash=500, buying_power=False) == [(1, "open", 10.0)]


def test_rule_13_the_conviction_of_a_stance_that_is_not_repeated_still_counts() -> None:
    strategy = wb.Strategy(Given([0.5, None, None, None]), Scaled(Asks([(100.0, 10.0), (110.0, 20.0)])), rebalance=HOURLY)
    assert traded(strategy, [100, 100, 110, 110]) == [(1, "open", 5.0), (3, "add", 5.0)]


def test_rule_26_what_was_stopped_is_not_resized() -> None:
    strategy = wb.Strategy(plan("+....").signal, Asks([(100.0, 10.0), (90.0, 12.0)]), exits=[Stop(5.0)], rebalance=HOURLY)
    assert traded(strategy, [100, 100, 90, 90, 90]) == [(1, "open", 10.0), (2, "stop", -10.0)]


def test_while_an_addition_rests_nothing_more_is_added() -> None:
    strategy = wb.Strategy(plan("+......").signal, Asks([(100.0, 10.0), (110.0, 12.0)]), execution=Limit(0.01, 4), rebalance=HOURLY)
    low, dear = (100, 100, 98, 100), (110, 110, 110, 110)  # the first limit of 99 fills, that of 108.9 at the end
    result = wb.backtest(strategy, market([100, low, dear, dear, dear, (110, 110, 108, 110), dear], CONTRACT), cash=10_000, costs=FREE)
    assert [fill[:3] for fill in fills(result)] == [(1, "open", 10.0), (5, "add", 2.0)]
    assert result.orders["leg"].tolist() == ["open", "add"]


def test_without_a_bar_nothing_is_resized() -> None:
    # the profit of OIL is there at the hole of the other one, which is resized at its next bar
    rows = {CONTRACT: [100, 100, None, 100, 100], OIL: [100, 100, 150, 150, 150]}
    strategy = wb.Strategy(plan("+....", "+....").signal, FixedFraction(0.5), rebalance=HOURLY)
    result = wb.backtest(strategy, market(rows), cash=1000, costs=FREE)
    decided = result.decisions[result.decisions["symbol"] == "FUT"]
    assert [int(result.bars.index.get_loc(time)) for time in decided["time"]] == [0, 3]
