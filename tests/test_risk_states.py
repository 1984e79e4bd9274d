"""What each risk manager looked at: by hand, and on random markets as the session that decides remembers it."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from markets import RATES, Restless, random_market
from worked import CONTRACT, EURUSD, FREE, OTHER, SHARE, market, plan

import workbench as wb
from workbench.component import all_components
from workbench.past import DAY_EQUITY, DAY_LOW, EQUITY, OPENED, PEAK, STREAK
from workbench.research import risk_losses
from workbench.research.risk_states import cuts_of, state_of
from workbench.risk import (
    DEPTH,
    CoolDown,
    ExpectedShortfall,
    MaxDailyLoss,
    MaxDrawdown,
    MaxExposure,
    MaxLeverage,
    MaxPositions,
    MaxTrades,
    MaxVolatility,
    RiskManager,
    ValueAtRisk,
)
from workbench.risk._returns import filtered_returns, own_returns

#: Limits on what is remembered, so wide that they cut little.
WIDE = (MaxDrawdown(0.3, rearm_after=20), MaxDailyLoss(0.2), MaxTrades(4), CoolDown(5, 10))


class Half(wb.risk.RiskManager):
    """Leaves half of every opening."""

    def limit(self, order, portfolio, market):
        return order.quantity / 2, "half"


def run(strategy: wb.Strategy, bars: wb.Bars, **options: Any) -> wb.Backtest:
    """Return a backtest without costs; that the engines agree is other tests' business."""
    return wb.backtest(strategy, bars, costs=FREE, **options)


def measured(part: Any, *stances: str, rows: Any, quantity: float = 1.0, **options: Any) -> list[float]:
    result = run(plan(*stances, quantity=quantity, risk=[part]), market(rows), **options)
    return [float(value) for value in state_of(part, result).measure]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_leverage_by_hand() -> None:
    found = measured(MaxLeverage(2), "+..", rows={CONTRACT: [100, 100, 110]}, quantity=10, cash=1000)
    assert found == pytest.approx([0, 1, 1100 / 1100])


def test_exposure_is_told_of_the_fullest_group() -> None:
    part = MaxExposure({"EUR": 500_000, "USD": 1_000_000})
    result = run(plan("+..", quantity=2, risk=[part]), market([1.25, 1.25, 1.5], EURUSD), cash=1e6, buying_power=False)
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
    result = run(plan("+.-..", quantity=10, risk=[first, second]), market([100.0] * 5), cash=700)
    one, other = cuts_of(first, result), cuts_of(second, result)
    assert one[["step", "before", "after"]].to_numpy().tolist() == [[0, 10, 7], [2, 10, 7]]
    assert other[["symbol", "before", "after"]].to_numpy().tolist() == [["ABC", 7, 4.5], ["ABC", 7, 4.5]]
    assert other["time"].tolist() == [result.bars.index[0], result.bars.index[2]]


def test_a_manager_of_ones_own_shows_what_it_left() -> None:
    part = Half()
    result = run(plan("+.-..", quantity=10, risk=[part]), market([1.0] * 5))
    state = state_of(part, result)
    assert state.measure.tolist() == [50, 50]
    assert state.measure.index.tolist() == [result.bars.index[0], result.bars.index[2]]
    assert len(cuts_of(part, result)) == 2


@pytest.mark.parametrize("kind", all_components(RiskManager), ids=lambda kind: kind.__name__)
def test_every_shipped_manager_has_a_state_of_its_own(kind: type[RiskManager]) -> None:
    assert state_of.dispatch(kind) is not state_of.dispatch(RiskManager)
    result = run(plan("+..-..", risk=[kind.example()]), market([100, 101, 99, 100, 98, 97]), cash=1000)
    state = state_of(result.strategy.risk[0], result)
    assert len(state.measure) == len(state.limit) == 6
    assert (state.limit > 0).all()


def test_exposure_by_a_tag() -> None:
    oil, bank = wb.Instrument("XOM", tags={"sector": "energy"}), wb.Instrument("JPM", tags={"sector": "banks"})
    part = MaxExposure(400, by="sector")
    result = run(plan("+..", "+..", quantity=2, risk=[part]), market({oil: [100] * 3, bank: [50] * 3}), cash=1000)
    state = state_of(part, result)
    assert state.measure.tolist() == [0, 50, 50]
    assert state.names is not None
    assert state.names.tolist()[1:] == ["energy", "energy"]


# -- what the book could lose -----------------------------------------------------------------------------------------

WINDOW = 20
RNG = np.random.default_rng(1)
WALKS = 100 * np.exp(np.cumsum(0.01 * RNG.standard_t(5, (90, 3)), axis=0)).round(6)
ROWS = {one: [price if RNG.random() > 0.05 else None for price in WALKS[:, k].tolist()] for k, one in enumerate((SHARE, OTHER, CONTRACT))}
STANCES = ["." * 45 + "+" * 20 + "0" + "." * 10 + "-" * 5, "." * 50 + "-" * 30, "." * 40 + "+" * 8 + "0" * 20 + "+" * 9]
#: Wide, so that nothing is cut.
LOSSES = [
    *(ValueAtRisk(5, 0.9, method, WINDOW) for method in ("historical", "gaussian", "modified", "filtered")),
    *(ExpectedShortfall(1e6, 0.9, method, WINDOW, of="money") for method in ("historical", "gaussian", "filtered")),
    *(MaxVolatility(5, method, WINDOW) for method in ("sample", "ewma", "shrunk")),
]
losses = pytest.mark.parametrize("part", LOSSES, ids=lambda part: f"{type(part).__name__}-{part.method}")


def held_by(part: Any) -> wb.Backtest:
    return run(plan(*STANCES, quantity=3, risk=[part]), market(ROWS), cash=2000, buying_power=False)


def made(result: wb.Backtest, t: int, filtered: bool) -> tuple[float, np.ndarray, float]:
    """Return what is held at step t would have made in the newest steps that count: the variance of positions that do not move together,
    what they made together, and what scales a step to a day.
    """
    value = (result.positions * result.bars.close.ffill()).iloc[t].to_numpy()
    seen = filtered_returns(result.bars) if filtered else own_returns(result.bars)
    returns = seen[:, :3] * seen[t, 3:] if filtered else seen
    newest = np.arange(t, max(t - DEPTH * WINDOW, -1), -1)
    rows = newest[~np.isnan(returns[newest][:, value != 0]).any(axis=1)][:WINDOW]
    days = len(result.bars.index[rows].normalize().unique())
    kept = np.nan_to_num(returns[rows])
    return float(value**2 @ kept.var(axis=0)), kept @ value, np.sqrt(len(rows) / days)


def by_numpy(part: Any, pnl: np.ndarray, alone: float) -> float:
    """Return what a step could lose; `alone` is the variance of positions that do not move together."""
    tail, z, short = 1 - 0.9, NormalDist().inv_cdf(1 - 0.9), isinstance(part, ExpectedShortfall)
    if part.method in ("historical", "filtered"):
        return float(-np.sort(pnl)[: math.floor((len(pnl) - 1) * tail) + 1].mean() if short else -np.quantile(pnl, tail))
    if part.method == "modified":
        return wb.risk.value_at_risk(pnl, 0.9, "modified")
    if part.method == "gaussian":
        return float((NormalDist().pdf(z) / tail if short else -z) * pnl.std() - pnl.mean())
    squares = np.average(pnl**2, weights=0.94 ** np.arange(len(pnl))) if part.method == "ewma" else pnl.var()
    return math.sqrt(252 * (0.8 * squares + 0.2 * alone if part.method == "shrunk" else squares))


@losses
def test_it_is_what_numpy_makes_of_the_past_returns(part: Any) -> None:
    result = held_by(part)
    found = state_of(part, result).measure
    held = result.positions.any(axis=1)
    for t in np.flatnonzero(held & found.notna()):
        alone, pnl, root = made(result, t, part.method == "filtered")
        percent = 100 / result.equity.iloc[t] if part.of == "equity" else 1.0
        assert found.iloc[t] == pytest.approx(by_numpy(part, pnl, alone) * root * percent, rel=1e-9)
    assert (found[~held] == 0).all()
    assert (held & found.notna()).sum() > 20
    assert found.notna().all() or part.method in ("modified", "filtered")  # no expansion there, and no bar of something held


def test_its_limit_and_its_words_are_in_the_unit_of_the_limit() -> None:
    share, money, year = (
        state_of(part, held_by(part)) for part in (ValueAtRisk(0.5), ExpectedShortfall(900.0, of="money"), MaxVolatility(3))
    )
    assert (share.title, share.unit, share.limit.iloc[0]) == ("95 % value at risk, share of equity", " %", 50)
    assert (money.title, money.unit, money.limit.iloc[0]) == ("95 % expected shortfall", " USD", 900)
    assert (year.title, year.unit, year.limit.iloc[0]) == ("sample volatility a year, share of equity", " %", 300)


@losses
def test_compiled_it_measures_the_same(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = held_by(part)
    plain = risk_losses.measured_at_closes(part, result)
    monkeypatch.setattr(risk_losses, "COMPILE_FROM", 0)
    assert risk_losses.measured_at_closes(part, result) == pytest.approx(plain, rel=1e-12, nan_ok=True)


def test_too_few_returns_are_a_gap() -> None:
    part = Half()
    result = run(plan("+.....", quantity=2, risk=[part]), market([100.0, 101, 100, 102, 101, 103]))
    assert np.isnan(risk_losses.measured_at_closes(ValueAtRisk(window=4), result)).tolist() == [False, True, True, True, False, False]


# -- on random markets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seed", "day"), [(16, "09:30 Europe/London"), (29, "17:00 America/New_York")])
def test_it_is_what_the_deciding_session_remembers(seed: int, day: str) -> None:
    strategy = wb.Strategy(Restless(0.4), wb.sizing.FixedFraction(0.3), risk=list(WIDE), day=day)
    result = wb.backtest(strategy, random_market(seed).iloc[:110], rates=RATES, currency="EUR")
    session, past = wb.Session.of(result.setup), []
    for _ in range(len(result.bars)):
        session.step()
        past.append(list(session.sleeves.at[0].decider.past))
    seen = np.array(past)
    fall = (seen[:, PEAK] - seen[:, EQUITY]) / seen[:, PEAK] * 100
    day = (seen[:, DAY_EQUITY] - seen[:, DAY_LOW]) / seen[:, DAY_EQUITY] * 100
    for part, expected in zip(WIDE, (fall, day, seen[:, OPENED], seen[:, STREAK]), strict=True):
        assert state_of(part, result).measure.to_numpy() == pytest.approx(expected), part
    assert seen[:, OPENED].max() >= 2
    assert seen[:, STREAK].max() >= 2
