"""Bars that come one by one become steps: whole, overdue, passed over, late, repeated."""

from __future__ import annotations

import math
from typing import Any

import pytest
from worked import OTHER, SHARE, market

from workbench.execution.port import BarsClosed
from workbench.session.gathering import Gathering, Late, Step

BARS = market({SHARE: [100, 101, 102], OTHER: [200, 201, 202]})
ABC, XYZ, ALL = ["ABC"], ["XYZ"], ["ABC", "XYZ"]
GRACE = 2.0


def part(row: int, symbols: list[str], number: int = 1, late: int = 0) -> BarsClosed:
    return BarsClosed(number, BARS.iloc[row : row + 1][symbols], 0, number, late)


def given(*parts: tuple[Any, ...]) -> tuple[Gathering, list[tuple[Any, ...]]]:
    """Give parts as (row, symbols, moment[, how late]); return what came of each: its kind, row, symbols and lateness."""
    gathering, seen = Gathering(ALL, grace=GRACE), []
    for number, (row, symbols, now, *late) in enumerate(parts, 1):
        seen += [shown(came) for came in gathering.overdue(now)]
        seen += [shown(came) for came in gathering.take(part(row, symbols, number, *late), now)]
    return gathering, seen


def shown(came: Step | Late) -> tuple[Any, ...]:
    row = int(BARS.index.get_loc(BARS.index[BARS.labels == came.label][0]))
    if isinstance(came, Late):
        return ("late", row, came.part.bars.symbols)
    return ("step", row, sorted(symbol for one in came.parts for symbol in one.bars.symbols), came.late)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(0, ALL, 0)], [("step", 0, ALL, 0)]),
        ([(0, ABC, 0), (0, XYZ, 1)], [("step", 0, ALL, 0)]),
        ([(0, XYZ, 0), (0, ABC, 1)], [("step", 0, ALL, 0)]),
        ([(0, ABC, 0), (0, XYZ, 3)], [("step", 0, ABC, 0), ("late", 0, XYZ)]),
        ([(0, ABC, 0), (1, ALL, 1)], [("step", 0, ABC, 0), ("step", 1, ALL, 0)]),
        ([(0, ABC, 0), (1, ALL, 1), (0, XYZ, 1)], [("step", 0, ABC, 0), ("step", 1, ALL, 0), ("late", 0, XYZ)]),
        ([(0, ABC, 0), (0, XYZ, 1, 9)], [("step", 0, ABC, 0), ("late", 0, XYZ)]),
        ([(0, ABC, 0, 5)], [("step", 0, ABC, 5)]),
        ([(0, ABC, 0, 5), (0, XYZ, 0, 7)], [("step", 0, ABC, 5), ("late", 0, XYZ)]),
        ([(1, ABC, 0), (0, XYZ, 0)], [("late", 0, XYZ)]),
        ([(1, ALL, 0), (0, ALL, 0)], [("step", 1, ALL, 0), ("late", 0, ALL)]),
        ([(0, ABC, 0), (0, ABC, 1), (0, XYZ, 1)], [("step", 0, ALL, 0)]),
    ],
    ids=[
        "all at once", "one by one", "the other way round", "after its grace", "the next label begins", "after the next step",
        "its source says it is late", "all late", "all late, one by one", "a label that never was a step", "out of order", "one twice",
    ],
)  # fmt: skip
def test_what_comes_of_parts(parts: list[Any], expected: list[Any]) -> None:
    assert given(*parts)[1] == expected


def test_it_waits_from_the_first_bar_of_a_label_on() -> None:
    gathering, _ = given((0, ABC, 10.0))
    assert (gathering.waiting, gathering.due) == (True, 12.0)
    assert list(gathering.overdue(11.9)) == []
    (step,) = gathering.overdue(12.0)
    assert (shown(step), gathering.waiting, gathering.due, gathering.last) == (("step", 0, ABC, 0), False, math.inf, step.label)


def test_a_bar_that_is_there_already_changes_nothing() -> None:
    gathering, seen = given((0, ABC, 0), (0, ABC, 1))
    (step,) = gathering.overdue(math.inf)
    assert (seen, shown(step)) == ([], shown(next(given((0, ABC, 0))[0].overdue(math.inf))))


def test_a_new_bar_that_comes_with_one_that_is_there_already_counts() -> None:
    gathering, seen = given((1, ABC, 0.0), (1, ALL, 0.1))
    assert seen == [("step", 1, ALL, 0)]
    assert not gathering.waiting


def test_a_step_lays_its_parts_out_and_leaves_the_rest_open() -> None:
    whole = Step(0, (part(1, XYZ, 4), part(1, ABC, 5)))
    assert whole.bars(BARS.instruments).array("close").tolist() == [[101.0, 201.0]]
    half = Step(0, (part(1, XYZ, 4),))
    assert [math.isnan(close) for close in half.bars(BARS.instruments).array("close")[0]] == [True, False]
    assert (whole.numbers, whole.arrived) == ([4, 5], 5)
    assert [(bar.symbol, bar.close, bar.arrived) for bar in whole.received] == [("XYZ", 201.0, 4), ("ABC", 101.0, 5)]
