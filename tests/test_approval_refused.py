"""What a person's word, and silence, may not do: open over a closing, or beyond the limits, or what nobody asks about any more."""

from __future__ import annotations

from typing import Any

import pytest
from asking import HOURLY, LEVEL, asking, fed, require_same_again, say
from keepers import KeepsClosings
from paper_worlds import Fed
from worked import OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.execution.port import OrderEnded, OrderFilled, VenueSaid
from workbench.market import Fill, Order, OrderKey
from workbench.session.checking import Recalled


def test_17_a_word_opens_nothing_over_a_closing_that_is_in_doubt_or_was_refused() -> None:
    run = fed(asking(".+.-........"))
    run.run(1)
    say(run, "approve")
    run.run(1)
    run.line.cut = lambda asked: isinstance(asked, Order)
    run.run(1)
    assert say(run, "approve") == "refused: whether the closing of ABC arrived is not known yet: the opening of ABC goes on waiting"
    run.line.cut = lambda asked: False
    (closing,) = run.session.doubtful
    assert closing.key is not None
    run.session.absent(closing.key)
    assert say(run, "resize", quantity=5.0) == "refused: ABC has to be closed first: the opening of ABC goes on waiting"
    run.session.again(closing)
    run.listen()
    assert say(run, "approve") == "applied: sell 10 ABC: made"
    run.run()
    assert [fill[1:3] for fill in run.fills] == [("open", 10.0), ("close", -10.0), ("open", -10.0)]


def test_17_nor_over_one_of_another_instrument() -> None:
    run = Fed(asking(".+.0.... ...+...."), market({SHARE: [LEVEL] * 8, OTHER: [LEVEL] * 8}), 1).run(1)
    say(run, "approve")
    run.run(1)
    run.session.keeper = KeepsClosings()
    run.run(1)
    assert say(run, "approve", symbol="XYZ") == "refused: ABC has to be closed first: the opening of XYZ goes on waiting"
    run.session.keeper = Recalled()
    run.run(1)
    assert say(run, "approve", symbol="XYZ") == "applied: buy 10 XYZ: made"


def test_a_question_about_the_other_way_stays_while_its_closing_is_sent_anew() -> None:
    run = fed(asking(".+.-........"))
    run.run(1)
    say(run, "approve")
    run.run(2)
    closing = run.session.states[0].closing
    assert closing is not None
    assert closing.key is not None
    run.venue._desks[0].closing = None
    run.session.told([VenueSaid("over", OrderEnded(closing.key, "expired", 0))])
    run.run(1)
    assert [one.order.side for one in run.session.proposals] == ["sell"]
    assert say(run, "approve") == "applied: sell 10 ABC: made"


def test_17_silence_waits_for_the_closing_too() -> None:
    run = fed(asking(".+.-........", on_silence="send"))
    run.run(1)
    run.session.hear_silence(2**62)
    run.listen()
    run.run(1)
    run.line.cut = lambda asked: isinstance(asked, Order)
    run.run(1)
    run.session.hear_silence(2**62)
    assert [one.order.side for one in run.session.proposals] == ["sell"]
    run.line.cut = lambda asked: False
    (closing,) = run.session.doubtful
    assert closing.key is not None
    run.session.absent(closing.key)
    run.session.again(closing)
    run.session.hear_silence(2**62)
    run.listen()
    assert run.session.proposals == []
    assert [order.side for order in run.line.open_orders()] == ["sell", "sell"]
    require_same_again(run)


def test_39_a_larger_size_passes_the_limits() -> None:
    limits = [wb.risk.MaxLeverage(0.5), wb.risk.MaxExposure(40_000.0, by="instrument", of="money")]
    run = fed(asking(".+..........", risk=limits))
    run.run(2)
    said = say(run, "resize", quantity=10_000.0)
    cuts = "MaxLeverage: 10,000 -> 500 (gross limit 50,000 USD (0.5 x equity)); MaxExposure: 500 -> 400"
    assert said == f"refused: an opening of ABC is at most 400 by now: {cuts} (net exposure limit each instrument 40,000 USD)"
    assert say(run, "resize", quantity=400.0) == "applied: buy 400 ABC: made"


def test_39_a_larger_size_passes_the_limits_on_the_whole_account_and_its_buying_power() -> None:
    member = asking(".+..........")
    team = wb.Team({"a": member, "b": plan("............")}, risk=[wb.risk.MaxLeverage(0.3)])
    run = Fed(team, market([LEVEL] * 12), 1).run(2)
    symbol = run.session.proposals[0].order.instrument.symbol
    assert "is at most 300 by now: MaxLeverage: 400 -> 300" in say(run, "resize", quantity=400.0, symbol=symbol)
    alone = fed(asking(".+.........."))
    alone.run(2)
    assert "is at most 1000 by now: buying power: 1,001 -> 1,000" in say(alone, "resize", quantity=1001.0)


def test_39_what_was_decided_may_be_sent_whatever_the_limits_leave_by_now() -> None:
    rows = [LEVEL, LEVEL, LEVEL, *[(100, 131, 100, 130, 1e5)] * 8]
    run = Fed(asking(".+.........", sizer=wb.sizing.FixedFraction(0.5), risk=[wb.risk.MaxLeverage(0.5)]), market(rows), 1).run(3)
    assert "is at most 500 by now: MaxLeverage: 501 -> 384.615" in say(run, "resize", quantity=501.0)
    assert say(run, "approve") == "applied: buy 500 ABC: made"


@pytest.mark.parametrize("on_silence", ["skip", "send"])
def test_24_an_addition_is_asked_about_no_more_once_its_position_was_stopped_out(on_silence: str) -> None:
    rows = [LEVEL, LEVEL, LEVEL, (100, 100.5, 95.5, 96, 1e5), (96, 96.5, 85, 96, 1e5), *[(96, 97, 95, 96, 1e5)] * 6]
    strategy = asking(".+" + "." * 9, 60.0, on_silence, sizer=wb.sizing.FixedFraction(0.5), exits=[Stop(8.0)], rebalance=HOURLY)
    run = Fed(strategy, market(rows), 1).run(1)
    say(run, "approve")
    run.run(2)
    assert [one.order.key.leg for one in run.session.proposals if one.order.key is not None] == ["add"]
    run.run(1)
    assert (run.line.positions(), run.session.proposals) == ({}, [])
    assert say(run, "approve") == "refused: no opening waits for a word"


@pytest.mark.parametrize(("late", "waits"), [("skip", []), ("take", [10.0])])
def test_36_what_was_asked_before_steps_passed_is_asked_no_more(late: Any, waits: list[float]) -> None:
    run = fed(asking(".+..........", 60.0, "send", late_entries=late))
    run.run(1)
    for _ in range(3):
        run.step("the session was down")
    assert [one.order.quantity for one in run.session.proposals] == waits
    told = [entry.body["text"] for entry in run.journal.entries("alert")]
    assert told == ["buy 10 ABC: steps have passed since it was asked about, so it is not made"] * (not waits)
    require_same_again(run)


def test_36_a_pause_keeps_the_question() -> None:
    run = fed(asking(".+.........."))
    run.run(1)
    run.order("pause")
    run.run(2)
    run.order("resume")
    assert say(run, "approve") == "applied: buy 10 ABC: made"


def test_a_halt_that_forgets_a_question_writes_it_down() -> None:
    run = Fed(asking(".+.......... ............"), market({SHARE: [LEVEL] * 12, OTHER: [LEVEL] * 12}), 1).run(2)
    odd = Fill(OrderKey(OTHER.symbol, 5, "open"), OTHER, "buy", 1.0, 100.0, 0.0, int(run.bars.labels[2]))
    run.session.told([VenueSaid("odd", OrderFilled(odd))])
    assert run.session.mode == "HALTED"
    run.session.take_off()
    assert run.session.proposals == []
    assert len(list(run.journal.entries("taken off"))) == 1
    require_same_again(run)
