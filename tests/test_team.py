"""Several strategies in one account: each is what it would be alone with its share, and what the account may carry is cut once."""

from __future__ import annotations

from typing import Any

import pytest
from markets import random_case
from paper_worlds import Fed
from worked import CONTRACT, FREE, OTHER, SHARE, Stop, market, plan, reasons

import workbench as wb
from workbench.errors import ParameterError, StrategyError
from workbench.records import STOPPED_OUT
from workbench.research.comparing import compare
from workbench.research.running import run_session
from workbench.risk import CoolDown, MaxDrawdown, MaxExposure, MaxLeverage, MaxTrades, RiskManager
from workbench.session.setup import set_up
from workbench.sizing import FixedFraction, FixedQuantity
from workbench.team import Team


def ran(team: Team, bars: wb.Bars, cash: float = 10_000.0, **more: Any) -> wb.Backtest:
    return wb.backtest(team, bars, cash=cash, costs=FREE, **more)


def fills_of(result: wb.Backtest, name: str) -> list[tuple[Any, ...]]:
    """Return the fills of one strategy, under the instruments' own symbols."""
    table = result.fills[result.fills["symbol"].str.startswith(f"{name}/")]
    symbols = table["symbol"].str.removeprefix(f"{name}/")
    return list(zip(table["time"], symbols, table["leg"], table["side"], table["quantity"], table["price"], strict=True))


def alone(result: wb.Backtest) -> list[tuple[Any, ...]]:
    table = result.fills
    return list(zip(table["time"], table["symbol"], table["leg"], table["side"], table["quantity"], table["price"], strict=True))


def stopped_out(*results: wb.Backtest) -> bool:
    """Whether the margin ended a position: that of an account with two strategies is another than that of either."""
    return any((result.record.decisions["code"] == STOPPED_OUT).any() for result in results)


@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 6, 8, 9, 11])
def test_each_strategy_does_what_it_would_do_alone_with_its_share(seed: int) -> None:
    one, other = random_case(seed), random_case(seed + 100)
    parts = {"a": one.strategy.set_params(day="00:00 UTC"), "b": other.strategy.set_params(day="00:00 UTC")}
    account, shares = one.account | {"buying_power": False}, {"a": 0.6, "b": 0.4}
    result, equal = wb.backtest(Team(parts, shares), one.bars, **account), 0
    for name, strategy in parts.items():
        expected = wb.backtest(strategy, one.bars, **account | {"cash": account["cash"] * shares[name]})
        if not stopped_out(result, expected):
            assert fills_of(result, name) == alone(expected)
            equal += 1
    assert equal


def test_a_team_of_one_is_its_strategy() -> None:
    bars = wb.simulate([SHARE, OTHER], bars=200, interval="1h", seed=2)
    strategy = wb.Strategy(wb.signals.MovingAverageCross(3, 8), FixedFraction(0.5), [wb.exits.AtrStop(5)], [MaxLeverage(0.8)])
    result, expected = ran(Team({"only": strategy}), bars), ran(strategy, bars)
    assert fills_of(result, "only") == alone(expected)
    assert result.equity.tolist() == expected.equity.tolist()


def test_two_strategies_may_stand_on_both_sides_of_one_instrument() -> None:
    team = Team({"bull": plan("+...", quantity=3), "bear": plan("-...", quantity=2)})
    result = ran(team, market([100, 100, 110, 110], CONTRACT))
    assert result.positions.iloc[-1].to_dict() == {"bull/FUT": 3.0, "bear/FUT": -2.0}
    assert result.equity.iloc[-1] == 10_000 + 3 * 10 - 2 * 10


def test_a_sizer_sees_the_share_and_what_was_made_of_it() -> None:
    # of 10,000 each has 5,000; the first doubles its half, and its next size knows; the second's does not
    up = wb.Strategy(plan("+.0+..").signal, FixedFraction(1.0))
    team = Team({"up": up, "late": wb.Strategy(plan("...+..").signal, FixedFraction(1.0))})
    result = ran(team, market([100, 100, 200, 200, 200, 200], CONTRACT))
    opened = result.decisions[result.decisions["asked"] > 0]
    assert dict(zip(opened["symbol"] + " " + opened["time"].dt.hour.astype(str), opened["asked"], strict=True)) == {
        "up/FUT 0": 50.0,
        "up/FUT 3": 50.0,  # 10,000 / 200
        "late/FUT 3": 25.0,
    }
    assert opened["equity"].tolist() == [5_000.0, 10_000.0, 5_000.0]


def test_a_limit_of_the_account_comes_after_those_of_the_strategy_and_counts_both() -> None:
    first = plan("+...", quantity=30, risk=[MaxLeverage(4)])
    team = Team({"a": first, "b": plan("+...", quantity=30)}, risk=[MaxExposure(3_500, by="instrument")])
    result = ran(team, market([100.0] * 4, CONTRACT), cash=1_000)
    assert result.positions.iloc[-1].tolist() == [20.0, 15.0]
    assert reasons(result)[0].startswith("FixedQuantity asks for 30; MaxLeverage: 30 -> 20 (gross limit 2,000 USD (4 x equity))")
    assert "MaxExposure: 30 -> 15 (net exposure limit each instrument 3,500 USD)" in reasons(result)[1]


def test_buying_power_is_the_accounts() -> None:
    team = Team({"a": plan("+..", quantity=80), "b": plan("+..", quantity=80)})
    result = ran(team, market([100.0] * 3), cash=10_000)  # shares are paid in full
    assert result.positions.iloc[-1].tolist() == [80.0, 20.0]
    assert "buying power: 80 -> 20" in reasons(result)[1]


def test_a_limit_of_a_strategy_does_not_see_the_other() -> None:
    team = Team({"a": plan("+..", quantity=10, risk=[MaxTrades(1)]), "b": plan("-+-", quantity=10, risk=[MaxDrawdown(0.5)])})
    result = ran(team, market([100.0] * 3, CONTRACT))
    assert result.fills["symbol"].tolist() == ["a/FUT", "b/FUT", "b/FUT", "b/FUT"]


def test_the_account_remembers_what_all_of_them_did() -> None:
    team = Team({"a": plan("+...", quantity=1), "b": plan(".+..", quantity=1)}, risk=[MaxTrades(1)])
    result = ran(team, market([100.0] * 4, CONTRACT))
    assert result.positions.iloc[-1].tolist() == [1.0, 0.0]
    assert reasons(result)[1].startswith("FixedQuantity asks for 1; MaxTrades: 1 -> 0")


def test_a_loss_of_one_strategy_cools_the_account_down() -> None:
    team = Team({"a": plan("+.0..", quantity=1), "b": plan("...+.", quantity=1)}, risk=[CoolDown(1, 5)])
    result = ran(team, market([100, 100, 90, 90, 90], CONTRACT))
    assert result.fills["symbol"].tolist() == ["a/FUT", "a/FUT"]
    assert "CoolDown: 1 -> 0" in reasons(result)[-1]


def test_of_two_reductions_the_smaller_size_counts() -> None:
    # at 120 equity is 8,400 and gross 9,600: 70 of 80 are within the strategy's limit, 77 within the account's
    own = plan("-....", quantity=80, risk=[MaxLeverage(1, on_breach="reduce")])
    team = Team({"a": own}, risk=[MaxLeverage(1.1, on_breach="reduce")])
    result = ran(team, market([100, 100, 120, 120, 120], CONTRACT))
    assert result.positions["a/FUT"].tolist() == [0.0, -80.0, -80.0, -70.0, -70.0]


def test_the_whole_book_is_reduced_where_the_account_is_beyond_its_limit() -> None:
    team = Team({"a": plan("+....", quantity=12), "b": plan("+....", quantity=8)}, risk=[MaxLeverage(2, on_breach="reduce")])
    result = ran(team, market([100, 100, 90, 90, 90], CONTRACT), cash=1_000)
    # equity 800, gross 1,800: 8/9 of each may stay
    assert result.positions.iloc[-1].tolist() == [10.0, 7.0]


def test_exits_are_those_of_the_strategy() -> None:
    team = Team({"tight": plan("+..", quantity=1, exits=[Stop(5.0)]), "bare": plan("+..", quantity=1)})
    result = ran(team, market([100, 100, (100, 100, 90, 90)], CONTRACT))
    assert result.orders["leg"].tolist() == ["open", "open", "stop"]
    assert result.positions.iloc[-1].to_dict() == {"tight/FUT": 0.0, "bare/FUT": 1.0}


def test_two_sessions_are_equal_and_a_list_is_a_team() -> None:
    bars = wb.simulate([SHARE, CONTRACT], bars=150, interval="1h", seed=7)
    parts = [wb.Strategy(wb.signals.MovingAverageCross(3, 8), FixedFraction(0.5)), wb.Strategy(wb.signals.Breakout(6), FixedQuantity(3))]
    setup = set_up(Team.of(parts), bars)
    assert compare(run_session(setup), run_session(setup), setup.bars).empty
    session = wb.Session(parts, data=wb.ReplayAdapter(bars)).run()
    assert session.equity == wb.backtest(Team.of(parts), bars).equity.iloc[-1]


class Watcher(RiskManager):
    """Allows everything, and remembers what it saw."""

    def limit(self, order: wb.Order, portfolio: Any, market: Any) -> tuple[float, str]:
        SEEN.append((order.instrument.symbol, dict(portfolio.positions), portfolio.cash, portfolio.equity))
        return order.quantity, "seen"


SEEN: list[tuple[Any, ...]] = []


def test_a_limit_of_ones_own_sees_the_book_of_its_strategy_alone() -> None:
    SEEN.clear()
    team = Team({"a": plan("+.0+..", quantity=10, risk=[Watcher()]), "b": plan("+.....", quantity=30)}, {"a": 0.4, "b": 0.6}, [Watcher()])
    ran(team, market([100, 100, 110, 110, 110, 110], SHARE))
    assert [cash for _, _, cash, _ in SEEN] == [4_000.0, 10_000.0, 10_000.0, 4_100.0, 7_100.0]
    assert [equity for *_, equity in SEEN] == [4_000.0, 10_000.0, 10_000.0, 4_100.0, 10_400.0]
    held = [{symbol: quantity for symbol, quantity in positions.items() if quantity} for _, positions, *_ in SEEN]
    assert held == [{}, {}, {}, {}, {"b/ABC": 30.0}]


def test_nothing_opens_while_the_account_is_worth_nothing() -> None:
    # the first loses more than all of the account has; the second has its half still
    team = Team({"a": plan("+.....", quantity=100), "b": plan("...+..", quantity=1)})
    result = ran(team, market([100, 100, 1, 1, 1, 1], CONTRACT), cash=5_000, buying_power=False)
    assert result.positions["b/FUT"].tolist() == [0.0] * 6
    assert reasons(result)[-1] == "FixedQuantity asks for 1; equity is not above zero, so nothing opens"


def test_a_limit_does_not_cross_where_its_strategy_is_worth_nothing() -> None:
    limit = wb.execution.Limit(0.01, 1, "cross")
    losing = {SHARE: [100, 100, 100, 100, 100, 100], CONTRACT: [100, 100, 100, 20, 20, 20]}
    own = plan("..+...", "+.....", quantity=100, execution=limit)
    crossed = ran(Team({"a": own, "b": plan("......", "......")}), market(losing), cash=40_000, buying_power=False)
    assert crossed.fills["symbol"].tolist() == ["a/FUT", "a/ABC"]
    poor = ran(Team({"a": own, "b": plan("......", "......")}), market(losing), cash=14_000, buying_power=False)
    assert poor.fills["symbol"].tolist() == ["a/FUT"]


def test_strategies_without_names_are_numbered_whatever_their_signals_are_called() -> None:
    class My_Signal(wb.signals.Momentum):
        pass

    class My_Signal_2(wb.signals.Momentum):
        pass

    strategies = [wb.Strategy(kind(5)) for kind in (My_Signal, My_Signal_2, My_Signal, My_Signal)]
    assert list(Team.of(strategies).strategies) == ["My_Signal", "My_Signal_2", "My_Signal_3", "My_Signal_4"]


def guarded() -> wb.Backtest:
    own = plan("+.-..+", quantity=30, risk=[MaxLeverage(4), MaxTrades(2)])
    team = Team({"a": own, "b": plan(".+....", quantity=30)}, {"a": 0.5, "b": 0.25}, [MaxExposure(3_500, by="instrument")])
    return ran(team, market([100, 100, 105, 110, 100, 100, 100], CONTRACT), cash=1_000)


def test_the_equity_of_each_strategy_adds_up_to_that_of_the_account() -> None:
    result = guarded()
    assert result.equities.columns.tolist() == ["a", "b"]
    assert (result.equities.sum(axis=1) + 250).tolist() == result.equity.tolist()
    assert result.equities.iloc[0].tolist() == [500.0, 250.0]
    made = result.by_strategy()["profit"]
    assert (result.equities.iloc[-1] - result.equities.iloc[0]).tolist() == pytest.approx(made.tolist())
    one = wb.backtest(plan("+.."), market([100.0] * 3))
    assert one.equities["Script"].tolist() == one.equity.tolist()


def test_a_strategy_of_a_team_is_looked_at_alone() -> None:
    result = guarded()
    alone = result.of("b")
    assert alone.equity.tolist() == result.equities["b"].tolist()
    assert alone.trades["profit"].tolist() == result.trades[result.trades["symbol"] == "b/FUT"]["profit"].tolist()
    assert alone.orders["symbol"].tolist() == ["FUT"] * (result.orders["symbol"] == "b/FUT").sum() != []
    assert len(alone.explain()) == len(alone.orders)
    assert alone.stats["return %"] == pytest.approx((alone.equity.iloc[-1] / 250 - 1) * 100)
    assert alone.of("Script") is alone
    with pytest.raises(ParameterError, match="no strategy 'trend' in this result; known: a, b"):
        result.of("trend")


@pytest.mark.parametrize("seed", [0, 3, 5])
def test_what_is_looked_at_alone_is_what_it_would_do_alone(seed: int) -> None:
    one, other = random_case(seed), random_case(seed + 100)
    parts = {"a": one.strategy.set_params(day="00:00 UTC"), "b": other.strategy.set_params(day="00:00 UTC")}
    account = one.account | {"buying_power": False}
    result = wb.backtest(Team(parts), one.bars, **account)
    for name, strategy in parts.items():
        expected = wb.backtest(strategy, one.bars, **account | {"cash": account["cash"] * 0.5})
        if not stopped_out(result, expected):
            found = result.of(name)
            assert found.equity.tolist() == pytest.approx(expected.equity.tolist(), rel=1e-12)
            assert found.orders.equals(expected.orders)
            assert found.trades.equals(expected.trades)
            assert found.decisions["reason"].tolist() == expected.decisions["reason"].tolist()


def test_the_picture_of_risk_has_the_limits_of_each_strategy_and_of_the_account() -> None:
    figure = wb.research.plot_risk(guarded())
    titles = [note.text.split(":")[0] for note in figure.layout.annotations if note.name is None]
    assert titles == ["a, MaxLeverage", "a, MaxTrades", "the account, MaxExposure"]
    whole = [note.text for note in figure.layout.annotations if note.name is None]
    assert "(2 cuts)" in whole[0]
    assert "(2 cuts, beyond its limit at 1 close)" in whole[2]
    with pytest.raises(ParameterError, match="no risk managers to draw"):
        wb.research.plot_risk(ran(Team({"a": plan("+..")}), market([100.0] * 3)))


def test_a_picture_shows_an_instrument_with_all_that_trade_it() -> None:
    result = guarded()
    assert result.plot().layout.annotations[0].text == result.plot("FUT").layout.annotations[0].text == "FUT: close and trades"
    words = [text for trace in result.plot("FUT").data for text in (() if trace.hovertext is None else trace.hovertext)]
    assert any("a/FUT long" in text for text in words if text)
    assert any("b/FUT long" in text for text in words if text)
    assert "buy and hold" in {trace.name for trace in result.plot().data}
    assert result.plot("b/FUT").layout.annotations[0].text == "b/FUT: close and trades"
    with pytest.raises(ParameterError, match="no bars of 'FUTT'; did you mean 'FUT'"):
        result.plot("FUTT")


def test_a_tag_of_ones_own_is_no_strategy() -> None:
    tagged = wb.Instrument("TAG", tags={"strategy": "mine"})
    bars = market({tagged: [100, 100, 110], SHARE: [100, 100, 110]})
    strategy = wb.Strategy(wb.signals.Momentum(1), FixedQuantity(1))
    assert wb.backtest(strategy, bars, costs=FREE).by_strategy().index.tolist() == ["Momentum"]


def test_a_team_is_audited_strategy_by_strategy() -> None:
    bars = wb.simulate([SHARE, CONTRACT], bars=200, interval="1h", seed=7)
    parts = {"trend": wb.Strategy(wb.signals.MovingAverageCross(3, 8)), "leak": wb.Strategy(Peeking())}
    limits = [wb.risk.ValueAtRisk(0.1, window=20)]
    found = wb.audit(Team({"trend": parts["trend"], "swing": wb.Strategy(wb.signals.Breakout(6), risk=limits)}, risk=limits), bars)
    assert found.sound
    assert found.lookback.passed
    assert set(wb.check_causality(Team(parts), bars).failures["component"]) == {"leak: Peeking"}


class Peeking(wb.signals.SignalGenerator):
    """Knows the next close."""

    def generate(self, bars: wb.Bars) -> Any:
        return (bars.close.shift(-1) > bars.close) * 1.0


def test_a_breach_says_whose_limit_it_is() -> None:
    own = plan(".+...", quantity=20, risk=[MaxLeverage(4)])
    fed = Fed(
        Team({"a": own, "b": plan(".+...", quantity=10)}, risk=[MaxLeverage(3.1)]),
        market([100, 100, 95, 90, 90], CONTRACT),
        1,
        cash=1_000.0,
    )
    said = [entry.body["text"] for entry in fed.run().journal.entries("alert")]
    assert [text.split(" is breached")[0] for text in said] == ["a: MaxLeverage", "the account: MaxLeverage"]


BAD = {
    "two _": (lambda: Team({"a__b": plan("+")}), "letters, digits, - and single _, got 'a__b'"),
    "no name": (lambda: Team({"a b": plan("+")}), r"a name is made of letters, digits, - and single _, got 'a b'"),
    "nobody": (lambda: Team({}), "strategies is empty"),
    "too much": (lambda: Team({"a": plan("+"), "b": plan("+")}, {"a": 0.7, "b": 0.6}), "the shares add up to 1.3"),
    "nobody's share": (lambda: Team({"trend": plan("+")}, {"tend": 1.0}), "no strategy 'tend' to give a share; did you mean 'trend'"),
    "no share": (lambda: Team({"a": plan("+"), "b": plan("+")}, {"a": 0.5}), "'b' has no share"),
    "days": (lambda: Team({"a": plan("+"), "b": plan("+", day="17:00 UTC")}), "one account has one day"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_team_is_refused(name: str) -> None:
    make, sentence = BAD[name]
    with pytest.raises(ParameterError, match=sentence):
        make()


def test_what_no_strategy_may_have_a_team_may_not_have_either() -> None:
    with pytest.raises(StrategyError, match="takes one MaxDrawdown"):
        Team({"a": plan("+")}, risk=[MaxDrawdown(0.1), MaxDrawdown(0.2)])


def test_what_no_account_can_carry_is_refused_before_anything_happens() -> None:
    bars = market([100.0] * 4, CONTRACT)
    with pytest.raises(ParameterError, match=r"expected a wb\.Strategy, or several in a list, got an empty one"):
        wb.backtest([], bars)
    both = market({CONTRACT: [100.0] * 4, wb.Instrument("FUT#2", "commodity", "future"): [100.0] * 4})
    with pytest.raises(ParameterError, match="'FUT#2' is an instrument, and what an entry in another one would be called"):
        wb.backtest(plan("+...", "+...", entries="each"), both)
    named = MaxExposure({"a/FUT": 1_000}, by="instrument")
    with pytest.raises(ParameterError, match="counts all that is held of an instrument: name 'FUT', not 'a/FUT'"):
        ran(Team({"a": plan("+...")}, risk=[named]), bars)


def test_costs_are_given_by_the_symbols_of_the_market() -> None:
    bars, costs = market([100.0] * 4, CONTRACT), {"FUT": wb.execution.Costs(per_unit=1.0, slippage=0.0)}
    team = Team({"a": plan("+...", quantity=3), "b": plan("-...", quantity=2, entries="each", max_entries=2)})
    result = wb.backtest(team, bars, cash=10_000, costs=costs)
    session = wb.Session(team, data=wb.ReplayAdapter(bars), execution=wb.execution.PaperVenue(10_000, costs)).run()
    assert session.equity == result.equity.iloc[-1] == 10_000 - 5


def test_what_each_strategy_made_adds_up_to_what_the_account_did() -> None:
    up, idle = plan("+..0..", quantity=5), plan("......")
    team = Team({"up": up, "down": plan("-.....", quantity=2, entries="each"), "idle": idle}, {"up": 0.5, "down": 0.25, "idle": 0.25})
    result = ran(team, market([100, 100, 110, 120, 120, 130], CONTRACT))
    table = result.by_strategy()
    assert table["profit"].to_dict() == {"up": 100.0, "down": -60.0, "idle": 0.0}
    assert table["return %"].to_dict() == {"up": 2.0, "down": -2.4, "idle": 0.0}
    assert table["trades"].tolist() == [1, 1, 0]
    assert table["win rate %"].tolist()[0] == 100.0
    assert table["profit"].sum() == result.equity.iloc[-1] - 10_000


def test_one_strategy_is_a_row_as_well() -> None:
    table = wb.backtest(plan("+..", quantity=5), market([100, 100, 110], CONTRACT), cash=10_000, costs=FREE).by_strategy()
    assert table["profit"].to_dict() == {"Script": 50.0}
    assert table["share"].tolist() == [1.0]
