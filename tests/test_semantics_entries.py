"""SEMANTICS 11: ``entries="each"`` - one more entry with every step in the direction acted on, each with exits of its own."""

from __future__ import annotations

from typing import Any

import pytest
from paper_worlds import Fed, state_of
from worked import CONTRACT, FREE, OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.errors import StrategyError
from workbench.research.comparing import compare
from workbench.risk import MaxExposure
from workbench.signals import MovingAverageCross
from workbench.sizing import FixedFraction


class Long(wb.signals.SignalGenerator):
    """Long at every bar."""

    def generate(self, bars: wb.Bars) -> Any:
        return bars.close * 0.0 + 1.0


def ran(stances: str, prices: Any, instrument: wb.Instrument = CONTRACT, **more: Any) -> wb.Backtest:
    strategy = plan(stances, **({"quantity": 1, "entries": "each"} | more))
    return wb.backtest(strategy, market(prices, instrument), cash=10_000, costs=FREE)


def fills(result: wb.Backtest) -> list[tuple[int, str, str, str]]:
    table = result.fills
    return list(zip(table["time"].dt.hour, table["symbol"], table["leg"], table["side"], strict=True))


def test_every_step_in_the_direction_is_one_more_entry_up_to_max_entries() -> None:
    result = ran("+++++.", [100.0] * 6)
    assert fills(result) == [(1, "FUT", "open", "buy"), (2, "FUT#2", "open", "buy"), (3, "FUT#3", "open", "buy")]
    assert result.positions.iloc[-1].tolist() == [1.0, 1.0, 1.0]


def test_a_step_without_an_opinion_is_no_entry() -> None:
    assert fills(ran("+..+..", [100.0] * 6)) == [(1, "FUT", "open", "buy"), (4, "FUT#2", "open", "buy")]


def test_zero_closes_them_all_and_the_count_begins_anew() -> None:
    result = ran("++0+.", [100.0] * 5)
    closed = [(3, "FUT", "close", "sell"), (3, "FUT#2", "close", "sell")]
    assert fills(result) == [(1, "FUT", "open", "buy"), (2, "FUT#2", "open", "buy"), *closed, (4, "FUT", "open", "buy")]


def test_the_opposite_stance_closes_them_all_and_is_the_first_entry_there() -> None:
    result = ran("++--", [100.0] * 5)
    assert sorted(fills(result)[2:]) == sorted(
        [(3, "FUT", "close", "sell"), (3, "FUT", "open", "sell"), (3, "FUT#2", "close", "sell"), (4, "FUT#2", "open", "sell")]
    )


def test_an_entry_that_was_stopped_out_counts_still() -> None:
    # the first is stopped out at 95 in bar 2, where the second has just opened at 100 with a stop of its own
    result = ran("+.++..", [100, 100, (100, 100, 90, 100), 100, 100, 100], exits=[Stop(5.0)], max_entries=2)
    assert fills(result) == [(1, "FUT", "open", "buy"), (2, "FUT", "stop", "sell"), (3, "FUT#2", "open", "buy")]


def test_each_entry_has_exits_of_its_own() -> None:
    result = ran("++...", [100, 100, 110, (110, 110, 104, 110), 110], exits=[Stop(5.0)])
    stops = result.orders[result.orders["leg"] == "stop"].set_index("symbol")["price"]
    assert stops.to_dict() == {"FUT": 95.0, "FUT#2": 105.0}
    assert fills(result)[-1] == (3, "FUT#2", "stop", "sell")


def test_an_entry_that_was_cut_to_nothing_is_one() -> None:
    result = ran("+++.", [100.0] * 4, risk=[MaxExposure(150, by="instrument")])
    assert fills(result) == [(1, "FUT", "open", "buy")]
    assert result.decisions["asked"].tolist() == [1.0, 1.0, 1.0]


def test_openings_come_in_the_order_of_the_instruments() -> None:
    strategy = wb.Strategy(Long(), wb.sizing.FixedQuantity(1), entries="each")
    result = wb.backtest(strategy, market({SHARE: [100.0] * 4, OTHER: [100.0] * 4}), costs=FREE)
    assert result.decisions["symbol"].tolist()[:4] == [SHARE.symbol, OTHER.symbol, f"{SHARE.symbol}#2", f"{OTHER.symbol}#2"]


def test_wait_only_notes_the_first() -> None:
    assert fills(ran("++..", [100.0] * 4, start="wait")) == [(2, "FUT#2", "open", "buy")]


def test_what_may_not_be_sold_short_is_refused_for_each_entry() -> None:
    result = ran("--.", [100.0] * 3, wb.Instrument("BTCUSD", asset_class="crypto", quantity_step=0.1))
    assert result.fills.empty
    assert len(result.decisions) == 2


def test_once_is_the_usual_and_a_part_of_it() -> None:
    bars = wb.simulate([SHARE, CONTRACT], bars=200, interval="1h", seed=3)
    one, same = wb.Strategy(MovingAverageCross(3, 8)), wb.Strategy(MovingAverageCross(3, 8), entries="each", max_entries=1)
    assert wb.backtest(one, bars).equity.tolist() == wb.backtest(same, bars).equity.tolist()
    assert "    entries=" not in repr(one)
    assert "entries='each'" in repr(same)


@pytest.mark.parametrize("seed", range(3))
def test_live_is_the_backtest_and_lives_again(seed: int) -> None:
    strategy = wb.Strategy(
        MovingAverageCross(2, 6), FixedFraction(0.2), [wb.exits.AtrStop(5, 2.0)], entries="each", max_entries=4, rebalance="1D"
    )
    fed = Fed(strategy, wb.simulate([SHARE, OTHER], bars=120, interval="1h", seed=seed, missing=0.1), 20).run()
    assert fed.differences().empty
    assert {symbol for symbol in fed.session.portfolio.column if "#4" in symbol}
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty


def test_a_missed_step_is_no_entry_and_the_next_is_not_late() -> None:
    fed = Fed(wb.Strategy(Long(), wb.sizing.FixedQuantity(1), entries="each"), market([100.0] * 8, CONTRACT), 1)
    for why in ("", "no connection", "", "", ""):
        fed.step(why)
    fed.step()
    opened = [(fill.label, fill.key.instrument) for fill in fed.venue.executions()]
    rows = {int(label): k for k, label in enumerate(fed.bars.labels)}
    assert [(rows[label], symbol) for label, symbol in opened] == [(2, "FUT"), (4, "FUT#2"), (5, "FUT#3")]


def opened(fed: Fed) -> list[tuple[int, str]]:
    """Return in which row what was opened."""
    rows = {int(label): k for k, label in enumerate(fed.bars.labels)}
    return [(rows[fill.label], fill.key.instrument) for fill in fed.venue.executions() if fill.key.leg == "open"]


def longs(words: str = "", **more: Any) -> Fed:
    signal = plan(words).signal if words else Long()
    strategy = wb.Strategy(signal, wb.sizing.FixedQuantity(1), entries="each", **more)
    return Fed(strategy, market([100.0] * (len(words) or 8), CONTRACT), 1)


def test_a_step_that_comes_late_is_no_further_entry() -> None:
    fed = longs(max_entries=4)
    for late in (0, 10**9, 0):
        fed.step(late=late)
    fed.step()
    # the late one was the second entry, and is not tried again
    assert opened(fed) == [(2, "FUT"), (4, "FUT#3")]
    taken = longs(max_entries=4, late_entries="take")
    for late in (0, 10**9, 0):
        taken.step(late=late)
    assert opened(taken) == [(2, "FUT"), (3, "FUT#2")]


def test_an_opinion_of_a_missed_step_that_is_taken_up_is_no_further_entry() -> None:
    fed = longs(".+.+....")
    for why in ("", "", "no connection", ""):
        fed.step(why)
    fed.step()
    assert opened(fed) == [(2, "FUT")]


@pytest.mark.parametrize("words", [".+++++-+", ".-----+-"])
def test_after_a_flatten_nothing_enters_until_the_stance_turns(words: str) -> None:
    fed = longs(words, max_entries=5)
    fed.run(2)
    fed.order("flatten")
    fed.run()
    assert opened(fed) == [(2, "FUT"), (7, "FUT")]
    again, record = fed.again()
    assert state_of(again) == state_of(fed.session)
    assert compare(record, fed.recorder.record(), fed.full.bars).empty


def test_no_entries_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"max_entries must be at least 1, .* got 0"):
        wb.Strategy(MovingAverageCross(), entries="each", max_entries=0)
    with pytest.raises(StrategyError, match="max_entries may be at most 100, got 101"):
        wb.Strategy(MovingAverageCross(), entries="each", max_entries=101)
    with pytest.raises(StrategyError, match="is for entries='each' alone, got 2"):
        wb.Strategy(MovingAverageCross(), max_entries=2)
