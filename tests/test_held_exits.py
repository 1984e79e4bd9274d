"""Stops and targets that the session holds itself at a venue that takes none (``unsupported="hold"``)."""

from __future__ import annotations

from typing import Any

import pytest
from filled import fills
from paper_worlds import Fed, state_of
from worked import FREE, SHARE, Stop, Target, market, plan

import workbench as wb
from workbench.errors import StrategyError
from workbench.execution import PaperVenue, StopEntry
from workbench.research.comparing import compare
from workbench.session.events import Decided
from workbench.session.recorder import Recorder

SIMPLE = {"market", "limit"}
BARE = {"market"}


def run(words: str, *prices: Any, supports: set[str] = SIMPLE, **parts: Any) -> tuple[wb.Session, list[tuple[int, str, float, float]]]:
    strategy = plan(words, unsupported="hold", **parts)
    session = wb.Session(strategy, data=wb.ReplayAdapter(market(list(prices))), execution=PaperVenue(1e5, FREE, supports=supports))
    recorder = Recorder(session)
    session.run()
    record = recorder.record()
    assert session.portfolio.cash == session.execution.account().cash
    return session, fills(wb.Backtest(session.setup, record))


def test_without_leave_a_run_does_not_start_there() -> None:
    said = r"cannot do what the strategy asks for: stop orders \(Stop\), limit orders \(Target\); it knows market"
    with pytest.raises(StrategyError, match=said):
        wb.Session(
            plan("+.", exits=[Stop(2.0), Target(3.0)]), data=wb.ReplayAdapter(market([1.0, 1.0])), execution=PaperVenue(supports=BARE)
        )


def test_what_the_session_cannot_hold_is_refused_all_the_same() -> None:
    strategy = plan("+.", exits=[Stop(2.0)], execution=StopEntry(), unsupported="hold")
    with pytest.raises(StrategyError, match=r"stop orders \(Stop\)"):
        wb.Session(strategy, data=wb.ReplayAdapter(market([1.0, 1.0])), execution=PaperVenue(supports=BARE))


def test_a_stop_that_is_touched_closes_at_the_next_open() -> None:
    session, done = run("+....", 100, 100, (100, 101, 97, 99), 98, 98, exits=[Stop(3.0)])
    assert done == [(1, "open", 1.0, 100.0), (3, "close", -1.0, 98.0)]
    assert session.states[0].stop is None


def test_it_holds_on_the_entry_bar_and_for_short_positions() -> None:
    _, done = run("-...", 100, (100, 103, 99, 101), 102, 102, exits=[Stop(3.0)])
    assert done == [(1, "open", -1.0, 100.0), (2, "close", 1.0, 102.0)]


def test_nothing_happens_before_it_is_touched() -> None:
    session, done = run("+...", 100, 100, (100, 101, 97.01, 99), 99, exits=[Stop(3.0)])
    assert [leg for _, leg, _, _ in done] == ["open"]
    assert (session.states[0].stop.price, session.states[0].stop.reason) == (97.0, "stop, held by the session")  # type: ignore[union-attr]
    assert session.execution.open_orders() == []


def test_a_target_is_held_where_not_even_limits_are_taken_and_the_stop_goes_first() -> None:
    _, done = run("+....", 100, 100, (100, 106, 99, 105), 104, 104, supports=BARE, exits=[Stop(3.0), Target(5.0)])
    assert done[1:] == [(3, "close", -1.0, 104.0)]
    _, both = run("+....", 100, 100, (100, 106, 97, 105), 104, 104, supports=BARE, exits=[Stop(3.0), Target(5.0)])
    assert both[1:] == [(3, "close", -1.0, 104.0)]


def test_a_target_rests_at_a_venue_that_takes_limits_while_the_stop_is_held() -> None:
    session, done = run("+....", 100, 100, (100, 106, 99, 105), 104, 104, exits=[Stop(3.0), Target(5.0)])
    assert done[1:] == [(2, "target", -1.0, 105.0)]
    assert (session.states[0].stop, session.states[0].target) == (None, None)


def test_a_held_target_counts_for_nothing_in_the_bar_of_an_entry_inside_it() -> None:
    prices = (100, (100, 104, 99, 101), 101, (101, 104, 101, 103), 102, 102)
    entry = StopEntry(0.01)
    _, done = run("+.....", *prices, supports={"market", "stop"}, exits=[Target(2.0)], execution=entry)
    assert done == [(1, "open", 1.0, 101.0), (4, "close", -1.0, 102.0)]


def test_a_held_stop_follows_the_price() -> None:
    _, done = run(
        "+......", 100, 100, (100, 106, 100, 106), (106, 107, 103.9, 105), 104, 104, 104, exits=[wb.exits.TrailingStop(price=2.0)]
    )
    assert done[1:] == [(4, "close", -1.0, 104.0)]


def test_after_a_held_stop_nothing_re_enters_until_the_stance_turns() -> None:
    _, done = run("++++-..", 100, 100, (100, 101, 96, 97), 97, 97, 97, 97, exits=[Stop(3.0)])
    assert [(hour, leg) for hour, leg, _, _ in done] == [(1, "open"), (3, "close"), (5, "open")]


def test_it_says_what_it_did() -> None:
    strategy = plan("+....", exits=[Stop(3.0)], unsupported="hold")
    bars = market([100, 100, (100, 101, 97, 99), 98, 98])
    session = wb.Session(strategy, data=wb.ReplayAdapter(bars), execution=PaperVenue(1e5, FREE, supports=SIMPLE))
    seen: list[Any] = []
    session.on(Decided, seen.append)
    session.run()
    assert wb.records.WORDS[seen[-1].row.code] == "the price reached a stop or target that the session holds"


# -- live ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("supports", [SIMPLE, BARE])
@pytest.mark.parametrize("seed", range(3))
def test_live_is_the_replay_and_lives_again(seed: int, supports: set[str]) -> None:
    bars = wb.simulate([SHARE, wb.Instrument("XYZ")], bars=150, interval="1h", seed=seed, missing=0.05)
    exits = [wb.exits.AtrStop(5, 1.0), wb.exits.TrailingStop(multiple=2.0), wb.exits.TakeProfit(2.0)]
    strategy = wb.Strategy(wb.signals.MovingAverageCross(2, 6), wb.sizing.FixedQuantity(10), exits, unsupported="hold")
    fed = Fed(strategy, bars, 20, cash=1e9, supports=supports).run()
    stance = fed.full.inputs.stance.copy()
    stance[:20] = float("nan")
    setup = fed.full.with_inputs(fed.full.inputs._replace(stance=stance))
    replay = wb.Session.of(setup, PaperVenue(1e9, FREE, supports=supports))
    recorder = Recorder(replay)
    replay.run()
    assert compare(recorder.record(), fed.recorder.record(), bars).empty
    held = [order for state in fed.session.states for order in state.orders if order.key is not None and order.key.leg == "stop"]
    assert not held or fed.session.working != [order for state in fed.session.states for order in state.orders]
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), bars).empty
    reasons = [d["reason"] for entry in fed.journal.entries("step") for d in entry.body["decisions"]]
    assert any("held" in reason or "the session holds" in reason for reason in reasons)


@pytest.mark.parametrize("verb", ["pause", "kill", "reduce"])
def test_a_held_stop_is_watched_in_every_mode(verb: str) -> None:
    bars = market([100, 100, 100, 100, (100, 101, 96, 97), 96, 96, 96])
    fed = Fed(plan(".+......", exits=[Stop(3.0)], unsupported="hold"), bars, supports=SIMPLE)
    fed.run(2)
    assert fed.session.portfolio.lots[0] == 1
    fed.order(verb)
    fed.run()
    assert fed.session.portfolio.lots[0] == 0
    assert fed.fills[-1] == (5, "close", -1.0, 96.0)
    assert state_of(fed.again()[0]) == state_of(fed.session)


@pytest.mark.parametrize(
    ("stances", "late", "after", "closed"),
    [(".+.....", 3, 0, 5), (".+.....", 3, 1, 6), ("..+....", 3, 0, 5), ("...+...", 3, 0, None)],
    ids=["the next step", "two steps after", "the bar of the entry", "before the entry"],
)
def test_a_bar_that_came_late_is_looked_at_when_it_is_there(stances: str, late: int, after: int, closed: int | None) -> None:
    prices = [100, 100, 100, (100, 101, 96, 99), 99, 99, 99]
    fills = came_late(prices, late, after, stances, exits=[Stop(3.0)])
    closings = [fill for fill in fills if fill[1] == "close"]
    assert closings == ([] if closed is None else [(closed, "close", -1.0, 99.0)])


def came_late(prices: list[Any], late: int, after: int, stances: str = ".+", **parts: Any) -> list[tuple[int, str, float, float]]:
    """Return the fills of an instrument whose bar of one row comes so many steps after its own; the session lives again as it was."""
    bars = market({SHARE: [100.0] * len(prices), wb.Instrument("XYZ"): prices})
    fed = Fed(plan("." * len(prices), stances, unsupported="hold", **parts), bars, supports=SIMPLE)
    while not fed.over:
        here = fed.exchange.row + 1
        fed.step(without=["XYZ"] if here == late else ())
        if here == late + after:
            fed.come("XYZ", row=late)
    assert state_of(fed.again()[0]) == state_of(fed.session)
    return list(fed.fills)


def test_a_bar_that_came_late_is_compared_with_where_the_stop_was_then() -> None:
    prices = [100, 100, 100, (100, 101, 99, 100.5), (101, 106, 101, 105), (105, 106, 104.5, 105), 105, 105]
    assert came_late(prices, 3, 1, exits=[wb.exits.TrailingStop(price=3.0)]) == [(2, "open", 1.0, 100.0)]


def test_a_bar_that_came_late_counts_for_the_parts_that_were_held_in_it() -> None:
    prices = [100, 100, 100, (100, 101, 95, 99), 99, 99, 99, 99]
    fills = came_late(prices, 3, 1, exits=[Stop(3.0)], execution=wb.execution.Twap(3), quantity=3.0)
    assert fills[-1] == (6, "close", -3.0, 99.0)
