"""Bars that come late (SEMANTICS 5): who decides on them and when, what is written down, and what a restart makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper_serving import Background, Runs, Serving, until
from paper_worlds import FREE, Fed, state_of
from worked import OTHER, SHARE, Stop, market, plan

import workbench as wb
from workbench.execution import Limit
from workbench.exits import AtrStop, TakeProfit
from workbench.live.parity import LATE, parity
from workbench.live.release import Release, promote
from workbench.research.comparing import compare
from workbench.session import Alert
from workbench.session.live import MANY

FLAT = [100.0] * 9
PRESENT = "+........"


def late(stances: str, row: int, policy: str = "skip", rows: Any = FLAT, after: int = 0, bar_after: bool = True, **parts: Any) -> Fed:
    """Run a plan for XYZ beside ABC, whose bar of one row comes late, so many steps after its own."""
    other = [price if bar_after or k != row + 1 else None for k, price in enumerate(rows)]
    fed = Fed(plan(PRESENT, stances, late_entries=policy, **parts), market({SHARE: FLAT, OTHER: other}))
    while not fed.over:
        here = fed.exchange.row + 1
        fed.step(without=["XYZ"] if here == row else ())
        if here == row + after:
            fed.come("XYZ", row=row)
    session, record = fed.again()
    assert state_of(session) == state_of(fed.session)
    assert compare(fed.recorder.record(), record, fed.bars).empty
    return fed


def legs(fed: Fed) -> list[tuple[int, str, float]]:
    symbols = [fill.key.instrument for fill in fed.venue.executions()]
    return [fill[:3] for fill, symbol in zip(fed.fills, symbols, strict=True) if symbol == "XYZ"]


@pytest.mark.parametrize(
    ("stances", "policy", "bar_after", "expected"),
    [
        (".+.-.....", "skip", True, [(2, "open", 1), (5, "close", -1)]),
        (".+.-.....", "take", True, [(2, "open", 1), (5, "close", -1), (5, "open", -1)]),
        (".+.------", "skip", True, [(2, "open", 1), (5, "close", -1)]),
        (".+.-+....", "skip", True, [(2, "open", 1)]),
        (".0.+.....", "skip", True, []),
        (".0.+.....", "take", True, [(5, "open", 1)]),
        (".0.0+....", "skip", True, [(5, "open", 1)]),
        (".+.0.....", "skip", False, [(2, "open", 1), (5, "close", -1)]),
        (".0.+.....", "take", False, [(5, "open", 1)]),
        (".0.+.....", "skip", False, []),
    ],
    ids=[
        "a flip closes", "a flip taken late", "a flip that stays", "there and back", "an entry", "an entry taken late",
        "an entry with the next bar", "an exit, and no bar since", "an entry taken late, and no bar since", "an entry, and no bar since",
    ],
)  # fmt: skip
def test_rule_5_a_late_bar_is_decided_on_at_the_next_step(stances: str, policy: str, bar_after: bool, expected: list[Any]) -> None:
    assert legs(late(stances, 3, policy, bar_after=bar_after)) == expected


def test_rule_5_nothing_is_decided_on_it_while_it_is_not_there() -> None:
    fed = late(".+.-.....", 3, after=2)
    assert legs(fed) == [(2, "open", 1), (7, "close", -1)]


def test_rule_5_a_newer_opinion_stands() -> None:
    assert legs(late(".+.-+....", 3, after=2)) == [(2, "open", 1)]


def test_rule_5_the_others_are_decided_in_time() -> None:
    fed = Fed(plan("...+.....", "...+....."), market({SHARE: FLAT, OTHER: FLAT}))
    while not fed.over:
        fed.step(without=["XYZ"] if fed.exchange.row == 2 else ())
    assert [(fill.key.instrument, row) for fill, (row, *_) in zip(fed.venue.executions(), fed.fills, strict=True)] == [("ABC", 4)]


def test_rule_5_an_entry_taken_without_a_bar_has_the_stop_of_its_late_bar() -> None:
    rows = [100, 100, 100, 100, 100, (100, 100, 90, 95), 95, 95, 95]
    fed = late(".0.+.....", 3, "take", rows, bar_after=False, exits=[Stop([1.0, 1.0, 1.0, 7.0, *[1.0] * 5])])
    assert legs(fed) == [(5, "open", 1), (5, "stop", -1)]
    assert fed.fills[-1][3] == 93.0


def test_rule_5_marks_use_the_late_close_from_then_on() -> None:
    fed = Fed(plan(PRESENT, ".+......."), market({SHARE: FLAT, OTHER: [100, 100, 100, 110, None, None, 120, 120, 120]}))
    fed.run(2)
    fed.step(without=["XYZ"])
    assert fed.session.equity == 100_000.0
    fed.come("XYZ")
    fed.step()
    assert fed.session.equity == 100_010.0
    fed.run(2)
    assert fed.session.equity == 100_020.0


def test_rule_5_a_bar_that_comes_after_a_later_one_marks_nothing() -> None:
    fed = Fed(plan(PRESENT, ".+......."), market({SHARE: FLAT, OTHER: [100, 100, 100, 110, 120, 120, 120, 120, 120]}))
    fed.run(2)
    fed.step(without=["XYZ"])
    fed.step(without=["XYZ"])
    fed.come("XYZ", row=4)
    fed.come("XYZ", row=3)
    fed.step(without=["XYZ"])
    assert fed.session.equity == 100_020.0


@pytest.mark.parametrize(
    ("policy", "expected"), [("skip", [(2, "open", 1), (4, "close", -1)]), ("take", [(2, "open", 1), (4, "close", -1), (4, "open", -1)])]
)
def test_rule_5_a_step_whose_bars_are_all_late_closes_and_opens_only_late_entries(policy: str, expected: list[Any]) -> None:
    fed = Fed(plan(".+.------", late_entries=policy), market(FLAT))
    while not fed.over:
        fed.step(late=5 * (fed.exchange.row == 2))
    assert [fill[:3] for fill in fed.fills] == expected
    session, record = fed.again()
    assert (state_of(session), compare(fed.recorder.record(), record, fed.bars).empty) == (state_of(fed.session), True)


def test_rule_5_three_late_in_a_row_raise_an_alert_and_one_in_time_begins_anew() -> None:
    fed = Fed(plan(PRESENT, PRESENT), market({SHARE: FLAT, OTHER: FLAT}))
    heard: list[str] = []
    count = []
    fed.session.on(Alert, lambda alert: heard.append(alert.text))
    for late_one in (True, True, False, True, True, True, True):
        fed.step(without=["XYZ"] if late_one else ())
        if late_one:
            fed.come("XYZ")
        count.append(len(heard))
    assert count == [0, 0, 0, 0, 0, 1, 1]
    assert heard == [f"XYZ: the last {MANY} bars came late, so it opens nothing in time; is its source in order?"]
    assert [entry.body["text"] for entry in fed.journal.entries("alert")] == heard


def test_a_late_bar_is_written_down_with_its_label_and_arrival() -> None:
    fed = late(".+.-.....", 3, after=2)
    (entry,) = fed.journal.entries("late")
    assert entry.body == {"label": int(fed.bars.labels[3]), "symbols": ["XYZ"], "seen": []}


# -- at the paper venue ---------------------------------------------------------------------------------------------------


def strategy(policy: str) -> wb.Strategy:
    exits = [AtrStop(5, 1.0), TakeProfit(percent=0.02)]
    return wb.Strategy(
        wb.signals.MovingAverageCross(2, 5), wb.sizing.RiskPercent(0.002), exits, execution=Limit(0.0002, 2, "cross"), late_entries=policy
    )


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Callable[..., Runs]]:
    """Return what starts a venue some of whose bars come late, and runs on it."""
    made: list[Runs] = []

    def start(share: float, policy: str = "skip", count: int = 2, bars: int = 90) -> Runs:
        market = wb.simulate([SHARE, OTHER][:count], bars=bars, interval="1h", seed=4, missing=0.05).iloc[: bars - 10]
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Runs(Serving(folder, market, late=share).start(), strategy(policy)))
        return made[-1]

    yield start
    for runs in made:
        runs.serving.stop()
        runs.journal.close()


def report(runs: Runs, folder: Path) -> Any:
    released = promote(runs.strategy, runs.serving.bars, "run", costs=FREE, folder=folder)
    return parity(Release.open(released), runs.journal)


@pytest.mark.parametrize(
    ("share", "policy", "count"), [(0.1, "skip", 2), (0.3, "take", 1), (0.6, "skip", 2)], ids=["some", "one instrument", "most"]
)
def test_what_late_bars_change_has_no_other_cause(
    venue: Callable[..., Runs], tmp_path: Path, share: float, policy: str, count: int
) -> None:
    runs = venue(share, policy, count)
    runner = runs.run()
    found = report(runs, tmp_path)
    assert (runner.over, set(found.causes), found.missed) == ("the recording is over", {LATE}, 0)
    assert found.late > 5
    assert f"{found.late} late bars" in repr(found)


def test_a_restart_among_late_bars_changes_nothing(venue: Callable[..., Runs]) -> None:
    whole, broken = venue(0.3), venue(0.3)
    whole.run()
    for stop in (5, 20, 21, 40):
        runner = broken.runner()
        background = Background(runner)
        until(lambda stop=stop: len(list(broken.journal.entries("step"))) >= stop)
        runner.over = "the process is gone"
        background.wait()
    broken.run()
    assert compare(whole.recorder.record(), broken.recorder.record(), whole.serving.bars).empty
    late_bars = [[entry.key for entry in runs.journal.entries("late")] for runs in (whole, broken)]
    assert late_bars[0] == late_bars[1]
    assert broken.journal.verify() > 60
