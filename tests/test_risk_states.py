"""What each risk manager looked at: by hand, and on random markets as the session that decides remembers it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from markets import Restless, random_case
from worked import CONTRACT, EURUSD, OTHER, SHARE, both, market, plan

import workbench as wb
from workbench.past import DAY_EQUITY, DAY_LOW, EQUITY, OPENED, PEAK, STREAK
from workbench.research.engine import run_kernel
from workbench.research.risk_states import cuts_of, state_of
from workbench.risk import CoolDown, MaxDailyLoss, MaxDrawdown, MaxExposure, MaxLeverage, MaxPositions, MaxTrades
from workbench.session.setup import set_up

#: Limits on what is remembered, so wide that they cut little.
WIDE = (MaxDrawdown(0.3, rearm_after=20), MaxDailyLoss(0.2), MaxTrades(4), CoolDown(5, 10))


class Half(wb.risk.RiskManager):
    """Leaves half of every opening."""

    def limit(self, order, portfolio, market):
        return order.quantity / 2, "half"


def measured(part: Any, *stances: str, rows: Any, quantity: float = 1.0, **options: Any) -> list[float]:
    result = both(plan(*stances, quantity=quantity, risk=[part]), market(rows), **options)
    return [float(value) for value in state_of(part, result).measure]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_leverage_by_hand() -> None:
    found = measured(MaxLeverage(2), "+..", rows={CONTRACT: [100, 100, 110]}, quantity=10, cash=1000)
    assert found == pytest.approx([0, 1, 1100 / 1100])


def test_exposure_is_told_of_the_fullest_group() -> None:
    part = MaxExposure({"EUR": 500_000, "USD": 1_000_000})
    result = both(plan("+..", quantity=2, risk=[part]), market([1.25, 1.25, 1.5], EURUSD), cash=1e6, buying_power=False)
    state = state_of(part, result)
    assert state.measure.tolist() == [0, 50, 60]
    assert state.names is not None
    assert state.names.tolist() == ["EUR", "EUR", "EUR"]
    assert state.limit.tolist() == [100, 100, 100]


def test_a_limit_that_no_instrument_counts_in_is_never_used() -> None:
    assert measured(MaxExposure({"EUR": 5}), "+..", rows={CONTRACT: [100, 100, 110]}) == [0, 0, 0]


def test_the_fall_of_equity_begins_anew_where_the_limit_is_armed_again() -> None:
    found = measured(MaxDrawdown(0.1, rearm_after=2), "+.....", rows={CONTRACT: [100, 100, 80, 80, 80, 72]}, quantity=10, cash=1000)
    assert found == pytest.approx([0, 0, 20, 20, 0, 10])


def test_the_loss_of_a_day_is_its_worst_and_ends_with_it() -> None:
    prices = [100] * 22 + [90, 95, 95, 94]  # hours of a Monday, then of the Tuesday
    share = measured(MaxDailyLoss(0.5), "+", rows={CONTRACT: prices}, quantity=2, cash=1000)
    money = measured(MaxDailyLoss(500, of="money"), "+", rows={CONTRACT: prices}, quantity=2, cash=1000)
    assert share[21:] == pytest.approx([0, 2, 2, 0, 100 * 2 / 990])
    assert money[21:] == pytest.approx([0, 20, 20, 0, 2])


def test_positions_and_openings_are_counted() -> None:
    rows = {SHARE: [10] * 5, OTHER: [10] * 5}
    assert measured(MaxPositions(2), "+..0.", ".+...", rows=rows) == [0, 1, 2, 2, 1]
    assert measured(MaxTrades(5), "+.-..", ".+...", rows=rows) == [1, 2, 3, 3, 3]


def test_losses_in_a_row_are_counted_until_one_wins() -> None:
    assert measured(CoolDown(5, 1), "+0+0+0.", rows={CONTRACT: [10, 10, 9, 9, 8, 8, 9]}) == [0, 0, 1, 1, 2, 2, 0]


def test_cuts_say_when_from_what_and_to_what() -> None:
    first, second = MaxLeverage(1), MaxExposure(450, by="instrument")
    result = both(plan("+.-..", quantity=10, risk=[first, second]), market([100.0] * 5), cash=700)
    one, other = cuts_of(first, result), cuts_of(second, result)
    assert one[["step", "before", "after"]].to_numpy().tolist() == [[0, 10, 7], [2, 10, 7]]
    assert other[["symbol", "before", "after"]].to_numpy().tolist() == [["ABC", 7, 4.5], ["ABC", 7, 4.5]]
    assert other["time"].tolist() == [result.bars.index[0], result.bars.index[2]]


def test_a_manager_of_ones_own_shows_what_it_left() -> None:
    part = Half()
    result = both(plan("+.-..", quantity=10, risk=[part]), market([1.0] * 5))
    state = state_of(part, result)
    assert state.measure.tolist() == [50, 50]
    assert state.measure.index.tolist() == [result.bars.index[0], result.bars.index[2]]
    assert len(cuts_of(part, result)) == 2


# -- on random markets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [16, 29])
def test_it_is_what_the_deciding_session_remembers(seed: int) -> None:
    case = random_case(seed)
    strategy = wb.Strategy(Restless(0.4), wb.sizing.FixedFraction(0.3), risk=list(WIDE), day=case.strategy.day)
    setup = set_up(strategy, case.bars.iloc[:110], **case.account)
    result, session = wb.Backtest(setup, run_kernel(setup, compiled=False)), wb.Session.of(setup)
    past = []
    for _ in range(len(setup.bars)):
        session.step()
        past.append(list(session.decider.past))
    seen = np.array(past)
    fall = (seen[:, PEAK] - seen[:, EQUITY]) / seen[:, PEAK] * 100
    day = (seen[:, DAY_EQUITY] - seen[:, DAY_LOW]) / seen[:, DAY_EQUITY] * 100
    for part, expected in zip(WIDE, (fall, day, seen[:, OPENED], seen[:, STREAK]), strict=True):
        assert state_of(part, result).measure.to_numpy() == pytest.approx(expected), part
    assert seen[:, OPENED].max() >= 2
    assert seen[:, STREAK].max() >= 2
