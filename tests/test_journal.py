"""The journal of a session: append-only, each line once."""

from __future__ import annotations

import pytest
from worked import FREE, market, plan

import workbench as wb
from workbench.journal import Entry, JournalPort, MemoryJournal

LINES = [Entry("intent", 1, "buy"), Entry("fill", 1, "bought"), Entry("intent", 2, "sell")]


@pytest.fixture
def journal() -> MemoryJournal:
    made = MemoryJournal()
    made.commit(LINES)
    return made


def test_lines_come_back_in_order(journal: MemoryJournal) -> None:
    assert [entry[:3] for entry in journal.entries()] == [entry[:3] for entry in LINES]
    assert len(journal) == 3


@pytest.mark.parametrize(
    ("kind", "expected"), [("intent", ["buy", "sell"]), ("fill", ["bought"]), ("other", []), (None, ["buy", "bought", "sell"])]
)
def test_lines_of_a_kind(journal: MemoryJournal, kind: str | None, expected: list[str]) -> None:
    assert [entry.body for entry in journal.entries(kind)] == expected


def test_a_line_that_is_there_is_not_written_again(journal: MemoryJournal) -> None:
    journal.commit([Entry("intent", 1, "something else"), Entry("fill", 2, "sold")])
    assert [entry[:3] for entry in journal.entries()] == [entry[:3] for entry in [*LINES, Entry("fill", 2, "sold")]]


def test_the_same_key_of_another_kind_is_another_line(journal: MemoryJournal) -> None:
    journal.commit([Entry("cancel", 1, "buy")])
    assert len(journal) == 4


def test_reading_does_not_see_what_is_written_after(journal: MemoryJournal) -> None:
    reading = journal.entries()
    journal.commit([Entry("late", 1, "")])
    assert [entry.kind for entry in reading] == ["intent", "fill", "intent"]


def test_nothing_is_a_commit_too(journal: MemoryJournal) -> None:
    journal.commit([])
    assert len(journal) == 3


def test_the_port_asks_for_both_methods() -> None:
    with pytest.raises(TypeError, match="abstract"):
        JournalPort()  # type: ignore[abstract]
    assert wb.MemoryJournal is MemoryJournal
    assert isinstance(MemoryJournal(), JournalPort)


def test_a_session_writes_down_what_it_sends() -> None:
    journal = MemoryJournal()
    bars = market([100, 100, 100, 100])
    venue = wb.execution.PaperVenue(costs=FREE)
    session = wb.Session(plan("+0-."), data=wb.ReplayAdapter(bars), execution=venue, journal=journal)
    session.run()
    keys = [entry.key for entry in journal.entries("intent")]
    assert len(keys) == len(set(keys)) >= 3
