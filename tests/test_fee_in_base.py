"""A fee in the coin that is bought: the position is smaller, what is below a step is dust, and both books stay one (SEMANTICS 29)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import COIN, SHARE, Stop, market, plan

import workbench as wb
from workbench.dust import Dust
from workbench.errors import ParameterError
from workbench.execution import Costs, PaperVenue
from workbench.execution.wire import fill_from, fill_plain
from workbench.past import CLOSED, LOST, WON
from workbench.research.comparing import compare
from workbench.session.recorder import Recorder
from workbench.session.standing import standing

COARSE = replace(COIN, quantity_step=0.1)
FEE = Costs(commission=0.001, slippage=0.0, fee_in="base")


def run(words: str, prices: list[Any], coin: wb.Instrument = COARSE, costs: Costs = FEE, **parts: Any) -> tuple[wb.Session, Any]:
    session = wb.Session(plan(words, **parts), data=wb.ReplayAdapter(market(prices, coin)), execution=PaperVenue(1e5, costs))
    recorder = Recorder(session)
    return session.run(), recorder.record()


def test_a_purchase_brings_what_is_left_of_it_in_whole_steps_and_the_rest_is_dust() -> None:
    session, record = run("+..", [100, 100, 110], quantity=10.0)
    (fill,) = session.execution.executions()
    assert (fill.quantity, fill.withheld, fill.fee) == (10.0, 0.01, 1.0)
    assert session.portfolio.quantity(0) == 9.9
    assert session.portfolio.dust.to_dict() == {"BTCUSDT": 0.09}
    assert session.portfolio.cash == 100_000 - 1_000  # all of it was paid for, and no fee besides
    assert session.portfolio.fees_paid == 1.0
    assert session.equity == pytest.approx(99_000 + 9.99 * 110, abs=1e-9)
    assert session.execution.account().equity == session.equity
    assert session.execution.positions() == {"BTCUSDT": 9.9}
    assert record.fills["lots"].tolist() == [99]


def test_what_is_sold_pays_in_money_and_the_dust_stays() -> None:
    session, record = run("+0.", [100, 100, 110], quantity=10.0)
    _, sold = session.execution.executions()
    assert (sold.quantity, sold.withheld, sold.fee) == (9.9, 0.0, pytest.approx(9.9 * 110 * 0.001))
    assert session.portfolio.lots == [0]
    assert session.portfolio.positions.empty
    assert session.portfolio.dust.to_dict() == {"BTCUSDT": 0.09}
    assert session.equity == pytest.approx(99_000 + 9.9 * 110 * 0.999 + 0.09 * 110, abs=1e-9)
    assert record.fills["lots"].sum() == 0


def test_dust_becomes_a_step_again() -> None:
    words, prices = "+0" * 12, [100] * 24
    session, _ = run(words, prices, quantity=10.0)
    bought = [fill for fill in session.execution.executions() if fill.side == "buy"]
    sold = [fill.quantity for fill in session.execution.executions() if fill.side == "sell"]
    assert sold == [9.9, *[10.0] * 9, 9.9]  # 9.99 come in each time: what the first left fills up the next nine
    held = Fraction(str(session.portfolio.quantity(0)))
    left = (
        sum((Fraction(fill.quantity) - Fraction("0.01") for fill in bought), Fraction(0)) - sum(Fraction(str(one)) for one in sold) - held
    )
    assert session.portfolio.dust["BTCUSDT"] == pytest.approx(float(left), abs=1e-12)


def test_the_stop_stands_for_what_came_in() -> None:
    session, _ = run("+....", [100, (100, 101, 99, 100), (100, 101, 94, 95), 95, 95], quantity=10.0, exits=[Stop(5.0)])
    _, stopped = session.execution.executions()
    assert (stopped.key.leg, stopped.quantity, stopped.price) == ("stop", 9.9, 95.0)
    assert session.execution.positions() == {}


def test_a_purchase_that_is_all_dust_is_no_position_and_no_trade() -> None:
    session, record = run("+0.", [100, 100, 110], quantity=0.1, exits=[Stop(5.0)])
    (fill,) = session.execution.executions()
    assert fill.quantity == 0.1
    assert session.portfolio.lots == [0]
    assert session.portfolio.dust.to_dict() == {"BTCUSDT": 0.0999}
    assert session.execution.open_orders() == []
    assert len(record.orders) == 1


def test_a_purchase_that_is_all_dust_is_in_no_table_of_trades() -> None:
    result = wb.backtest(plan("+0...+0.", quantity=0.1), market([100] * 8, COARSE), cash=1e5, costs=FEE, currency="USDT")
    assert result.fills["side"].tolist() == ["buy", "buy", "sell"]
    assert result.trades[["quantity", "steps"]].to_numpy().tolist() == [[0.1, 1.0]]


def test_slices_go_on_after_one_that_is_all_dust() -> None:
    session, _ = run("+.....", [100] * 6, quantity=0.3, execution=wb.execution.Twap(3))
    assert [fill.quantity for fill in session.execution.executions()] == [0.1, 0.1, 0.1]
    assert (session.portfolio.lots, session.states[0].work) == ([2], None)


def test_dust_is_no_loss_of_a_trade() -> None:
    session, _ = run("+0...+0..", [100, 100, 110, 110, 100, 100, 100, 110, 110], quantity=0.3)
    remembered = session.sleeves.each[0].decider.past
    assert (remembered[CLOSED], remembered[WON], remembered[LOST]) == (2.0, 2.0, 0.0)


def test_a_wider_portfolio_has_dust_of_its_own() -> None:
    session, _ = run("+..", [100, 100, 110], quantity=10.0)
    (fill,) = session.execution.executions()
    other = wb.Instrument("ETHUSDT", "crypto")
    book = wb.Portfolio("USDT", cash=1e5, positions={COARSE: 1.0}, prices={"BTCUSDT": 100.0, "ETHUSDT": 10.0})
    wider = book.with_instrument(other)
    wider.apply(fill)
    assert book.dust.empty
    assert wider.dust.to_dict() == {"BTCUSDT": 0.09}


def test_a_split_splits_dust() -> None:
    session, _ = run("+..", [100, 100, 110], quantity=10.0)
    session.portfolio.split("BTCUSDT", 2)
    assert session.portfolio.dust.to_dict() == {"BTCUSDT": 0.18}


def test_trades_and_dust_are_all_that_equity_gained() -> None:
    result = wb.backtest(
        plan("+0+0+0", quantity=10.0), market([100, 100, 110, 105, 120, 90, 95], COARSE), cash=1e5, costs=FEE, currency="USDT"
    )
    trades = result.trades
    assert trades["quantity"].tolist() == [9.9, 10.0, 10.0]
    gained = float(result.equity.iloc[-1]) - 1e5
    paid = [0.09 * 100, -0.01 * 105, -0.01 * 90]  # what dust each purchase left or used up, at its price
    assert gained == pytest.approx(float(trades["profit"].sum()) + 0.07 * 95 - sum(paid), abs=1e-6)


def test_a_maker_pays_the_makers_share_of_the_coins() -> None:
    costs = Costs(commission=0.001, maker=0.0002, slippage=0.0, fee_in="base")
    entry = wb.execution.Limit(0.01, bars=2)
    session, _ = run("+...", [100, (100, 100, 98, 99), 99, 99], costs=costs, quantity=10.0, execution=entry)
    (fill,) = session.execution.executions()
    assert (fill.price, fill.withheld) == (99.0, 0.002)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fee_in": "coin"}, "fee_in is 'quote' or 'base'"),
        ({"fee_in": "base", "commission": 0.001, "minimum": 1.0}, "commission= and maker= alone"),
    ],
)
def test_what_does_not_go_with_it_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Costs(**given)


def test_of_what_is_no_coin_nothing_can_be_withheld() -> None:
    with pytest.raises(ParameterError, match="ABC is none"):
        wb.backtest(plan("+."), market([100, 100], SHARE), costs=FEE)


def test_a_fill_keeps_what_was_withheld_over_a_wire_and_in_the_ledger() -> None:
    session, _ = run("+..", [100, 100, 110], quantity=10.0)
    (fill,) = session.execution.executions()
    assert fill_from(fill_plain(fill), {"BTCUSDT": COARSE}) == fill
    book = wb.Ledger.of([fill], "USDT", 1e5)
    assert book.at({"BTCUSDT": 110.0}).equity == pytest.approx(session.equity, abs=1e-9)


def test_it_is_said_in_words_and_goes_with_dearer_costs() -> None:
    assert "taken from what was bought" in FEE.describe(COIN)
    assert FEE.times(2.0, COIN).to_dict() == Costs(0.002, 0.0, 0.0, 0.0, 0.0, fee_in="base").to_dict()
    assert Costs(**FEE.to_dict()).to_dict() == FEE.to_dict()


def test_dust_is_exact_however_often_it_comes() -> None:
    dust = Dust()
    steps = sum(dust.bought(0, 1, 0.001, (1.0, 1.0)) for _ in range(1000))
    assert (steps, dust.quantity(0)) == (999, 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_live_is_the_replay_and_lives_again(seed: int) -> None:
    bars = wb.simulate([replace(COIN, quantity_step=0.01)], bars=160, interval="1h", seed=seed)
    parts: dict[str, Any] = {"exits": [wb.exits.AtrStop(5, 1.5)], "execution": [wb.execution.Twap(3), wb.execution.Market()][seed % 2]}
    strategy = wb.Strategy(wb.signals.MovingAverageCross(3, 8), wb.sizing.FixedFraction(0.6), **parts)
    costs = Costs(commission=0.001, slippage=0.0005, participation=0.3 if seed % 3 else None, fee_in="base")
    fed = Fed(strategy, bars, 20, cash=1e6, costs=costs).run()
    assert fed.session.portfolio.dust.sum() > 0.0
    assert fed.venue.account().cash == fed.session.portfolio.cash
    assert fed.venue.account().equity == fed.session.equity
    (shown,) = standing(fed.session)["dust"].values()
    assert shown["worth"] == pytest.approx(shown["quantity"] * fed.session.portfolio.price[0])
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert again.equity == fed.session.equity
    assert compare(record, fed.recorder.record(), bars).empty
