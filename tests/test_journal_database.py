"""The journal in a database: durable, chained, one writer, and everyone may watch."""

from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

import workbench as wb
from workbench.errors import JournalError, WorkbenchError
from workbench.journal import Answer, Command, Entry, Journal, JournalPort, MemoryJournal, ReceivedBar

LINES = [Entry("intent", "a", {"side": "buy"}), Entry("fill", "a", {"price": 0.1 + 0.2}), Entry("intent", "b", {"side": "sell"})]
Opens = Callable[..., Journal]
STEP = Entry("step", 60, {})
BAR = ReceivedBar(60, "ABC", 1.0, 2.0, 0.5, 1.5, 100.0, 61)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "journal.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., Journal]]:
    """Return what opens the journal, once more each time; all are closed in the end."""
    made: list[Journal] = []

    def opens(**options: Any) -> Journal:
        made.append(Journal(path, **options))
        return made[-1]

    yield opens
    for journal in made:
        journal.close()


@pytest.fixture
def journal(opened: Callable[..., Journal]) -> Journal:
    """Return a journal of three lines, written by run 1."""
    made = opened()
    made.take_over("run 1")
    made.commit(LINES)
    return made


def told(journal: JournalPort, *args: Any, **options: Any) -> list[tuple[Any, ...]]:
    return [tuple(entry[:3]) for entry in journal.entries(*args, **options)]


def edited(path: Path, *statements: str) -> None:
    """Change the file behind the journal's back."""
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(JournalError) as caught:
        call()
    return str(caught.value)


# -- what is written --------------------------------------------------------------------------------------------------


def test_lines_come_back_in_order_with_numbers_and_times(opened: Opens) -> None:
    journal = opened(clock=lambda: 77)
    journal.take_over("run 1")
    journal.commit(LINES)
    assert told(journal) == [tuple(line[:3]) for line in LINES]
    assert [(entry.number, entry.time) for entry in journal.entries()] == [(1, 77), (2, 77), (3, 77)]


@pytest.mark.parametrize(("kind", "expected"), [("intent", ["a", "b"]), ("fill", ["a"]), ("other", []), (None, ["a", "a", "b"])])
def test_lines_of_a_kind(journal: Journal, kind: str | None, expected: list[str]) -> None:
    assert [entry.key for entry in journal.entries(kind)] == expected


@pytest.mark.parametrize(("after", "expected"), [(0, [1, 2, 3]), (1, [2, 3]), (3, []), (99, [])])
def test_lines_after_a_number(journal: Journal, after: int, expected: list[int]) -> None:
    assert [entry.number for entry in journal.entries(after=after)] == expected
    assert [entry.number for entry in journal.entries("intent", after)] == [n for n in expected if n != 2]


@pytest.mark.parametrize("kind", ["database", "memory"])
def test_a_line_that_is_there_is_not_written_again(kind: str, opened: Opens) -> None:
    journal: Any = opened() if kind == "database" else MemoryJournal()
    if kind == "database":
        journal.take_over("run 1")
    journal.commit([Entry("intent", "a", 1), Entry("intent", "b", 2), Entry("intent", "a", 3)])
    journal.commit([Entry("intent", "b", 4), Entry("fill", "b", 5), Entry("intent", "c", 6)])
    assert told(journal) == [("intent", "a", 1), ("intent", "b", 2), ("fill", "b", 5), ("intent", "c", 6)]
    assert [entry.number for entry in journal.entries()] == [1, 2, 3, 4]


def test_the_newest_of_a_kind(journal: Journal) -> None:
    newest = journal.newest("intent")
    assert newest is not None
    assert newest[:4] == ("intent", "b", {"side": "sell"}, 3)
    assert journal.newest("step") is None


def test_all_of_it_is_there_after_opening_it_again(journal: Journal, opened: Opens) -> None:
    journal.commit([STEP], [BAR])
    journal.close()
    again = opened()
    assert told(again) == [*(tuple(line[:3]) for line in LINES), ("step", "60", {})]
    assert again.bars() == [BAR]
    assert again.verify() == 4


def test_numbers_come_back_to_the_last_bit(journal: Journal) -> None:
    values = [0.1 + 0.2, 1e-300, -0.0, 5e-324, 1.7976931348623157e308, math.inf, 12345678901234567]
    journal.commit([Entry("step", 1, {"values": values, "numpy": np.float64(1 / 3), "whole": np.int64(7)})])
    body = next(journal.entries("step")).body
    assert [repr(value) for value in body["values"]] == [repr(value) for value in values]
    assert (body["numpy"], body["whole"]) == (1 / 3, 7)


def test_a_bar_without_a_volume_comes_back_without_one(journal: Journal) -> None:
    journal.commit([STEP], [BAR, BAR._replace(label=120, volume=math.nan), BAR._replace(label=120, symbol="XYZ")])
    assert [bar.label for bar in journal.bars()] == [60, 120, 120]
    assert [bar.symbol for bar in journal.bars(after=60)] == ["ABC", "XYZ"]
    assert [math.isnan(bar.volume) for bar in journal.bars()] == [False, True, False]


def test_bars_of_before_1970_are_bars_too(journal: Journal) -> None:
    journal.commit([STEP], [BAR._replace(label=-60), BAR._replace(label=0), BAR])
    assert [bar.label for bar in journal.bars()] == [-60, 0, 60]


def test_a_bar_received_twice_is_kept_twice_in_the_order_of_arrival(journal: Journal) -> None:
    journal.commit([STEP], [BAR, BAR._replace(close=1.75, arrived=99)])
    assert [bar.close for bar in journal.bars()] == [1.5, 1.75]


# -- all or none ------------------------------------------------------------------------------------------------------


def test_a_body_that_cannot_be_written_leaves_nothing(journal: Journal) -> None:
    with pytest.raises(TypeError, match="the journal takes plain values, got <object"):
        journal.commit([Entry("intent", "c", {}), Entry("intent", "d", object())], [BAR], [Answer("x", "applied", "", 1)])
    assert told(journal) == [tuple(line[:3]) for line in LINES]
    assert journal.bars() == []


def test_a_bar_that_cannot_be_written_takes_the_lines_with_it(journal: Journal) -> None:
    said = refusal(lambda: journal.commit([Entry("intent", "c", {})], [BAR, BAR._replace(symbol=None)]))  # type: ignore[arg-type]
    assert said.startswith("the journal cannot be written, so nothing is sent: NOT NULL constraint failed")
    assert (len(told(journal)), journal.bars()) == (3, [])


def test_the_chain_goes_on_after_a_commit_that_failed(journal: Journal) -> None:
    with pytest.raises(TypeError):
        journal.commit([Entry("intent", "c", object())])
    journal.commit([Entry("intent", "c", {})])
    assert journal.verify() == 4


def full(journal: Journal) -> None:
    """Let the file grow no further, as a full disk does."""

    @sa.event.listens_for(journal._engine, "begin")
    def _begun(db: sa.Connection) -> None:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_a_full_disk_refuses_the_commit_and_keeps_what_is_there(journal: Journal) -> None:
    full(journal)
    said = refusal(lambda: journal.commit([Entry("intent", "c", "x" * 200_000)], [BAR]))
    assert said == "the journal cannot be written, so nothing is sent: database or disk is full"
    assert (journal.verify(), journal.bars()) == (3, [])


@pytest.mark.parametrize(
    "write",
    [
        lambda journal: journal.beat("session", "x" * 200_000),
        lambda journal: journal.post(Command("1", "kill", "me" * 200_000, 1)),
    ],
    ids=["beat", "post"],
)
def test_a_full_disk_is_a_sentence_for_signs_of_life_and_commands_too(journal: Journal, write: Callable[[Journal], None]) -> None:
    full(journal)
    assert "database or disk is full" in refusal(lambda: write(journal))
    assert (journal.beats(), journal.commands()) == ({}, [])


# -- one writer -------------------------------------------------------------------------------------------------------


def test_a_journal_that_is_only_read_refuses_to_write(journal: Journal, opened: Opens) -> None:
    assert "is open for reading" in refusal(lambda: opened().commit([Entry("intent", "c", {})]))


def test_the_old_writer_is_shut_out_and_leaves_nothing(journal: Journal, opened: Opens) -> None:
    journal.post(Command("1", "pause", "me", 1))
    other = opened()
    assert other.take_over("run 2") == 2
    said = refusal(lambda: journal.commit([Entry("intent", "c", {})], [BAR], [Answer("1", "applied", "", 1)]))
    assert said == "another session has taken this journal over: this one may not trade any more"
    assert (len(told(other)), other.bars(), other.commands()[0].state) == (3, [], "queued")


def test_the_chain_goes_on_under_the_new_writer(path: Path, journal: Journal, opened: Opens) -> None:
    other = opened()
    other.take_over("run 2")
    other.commit([Entry("intent", "c", {})])
    assert other.verify() == 4
    db = sqlite3.connect(path)
    written = db.execute("select number, epoch, run from journal order by number").fetchall()
    db.close()
    assert written[2:] == [(3, 1, "run 1"), (4, 2, "run 2")]


WRITER = """
import sys, workbench as wb
from workbench.journal import Entry, ReceivedBar
journal = wb.Journal(sys.argv[1])
journal.take_over("other process")
print("ready", flush=True)
sys.stdin.readline()
for step in range(200):
    journal.commit([Entry("step", step, {}), Entry("intent", step, {})], [ReceivedBar(step, "A", 1, 1, 1, 1, 1, 1)])
"""


def test_another_process_writes_while_this_one_reads(path: Path, opened: Opens) -> None:
    reader = opened()
    seen = []
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.stdin.write("go\n")
        child.stdin.flush()
        while child.poll() is None:
            kinds = [entry.kind for entry in reader.entries()]
            assert kinds == ["step", "intent"] * (len(kinds) // 2)  # whole commits only
            assert reader.verify() >= len(kinds)
            seen.append(len(kinds))
    assert (seen == sorted(seen), reader.verify(), len(reader.bars()), child.returncode) == (True, 400, 200, 0)


def test_a_writer_waits_for_another_to_finish(journal: Journal, opened: Opens) -> None:
    other = opened()
    for number in range(20):
        other.post(Command(str(number), "pause", "me", number))
        journal.commit([Entry("step", number, {})])
    assert (len(journal.commands()), journal.verify()) == (20, 23)


# -- damage -----------------------------------------------------------------------------------------------------------

SWAP = "update journal set number = case number when 1 then -2 else -1 end where number in (1, 2)"
BACK = "update journal set number = -number where number < 0"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (['update journal set body = \'{"side":"buz"}\' where number = 1'], "entry 1 (intent a) is not what was written there"),
        (["update journal set time = time + 1 where number = 2"], "entry 2 (fill a) is not"),
        (["update journal set run = 'run 2' where number = 3"], "entry 3 (intent b) is not"),
        (["update journal set hash = replace(hash, 'a', 'b') where number = 2"], "is not what was written there"),
        (["delete from journal where number = 2"], "entry 2 (intent b) is not"),
        (["delete from journal where number = 1"], "entry 1 (fill a) is not"),
        (["delete from journal where number = 3"], "the last entry is number 2, but 3 were written"),
        (["delete from journal"], "the last entry is number 0, but 3 were written"),
        (["insert into journal select 4, time, epoch, run, kind, 'c', body, hash from journal where number = 3"], "entry 4 (intent c)"),
        ([SWAP, BACK], "entry 1 (fill a) is not"),
    ],
    ids=["body", "time", "run", "hash", "removed", "first removed", "last removed", "all removed", "inserted", "swapped"],
)
def test_the_chain_finds_what_was_changed(path: Path, journal: Journal, opened: Opens, changes: list[str], said: str) -> None:
    assert journal.verify() == 3
    edited(path, *changes)
    assert said in refusal(opened().verify)


def test_one_changed_byte_of_a_body_is_found(path: Path, journal: Journal, opened: Opens) -> None:
    journal.close()  # what was written ahead goes into the file
    raw = bytearray(path.read_bytes())
    raw[raw.index(b'{"side":"buy"}') + 10] ^= 1
    path.write_bytes(bytes(raw))
    assert "entry 1 (intent a) is not what was written there" in refusal(opened().verify)


@pytest.mark.parametrize(
    "damage", [lambda raw: b"no database, " * 400, lambda raw: raw[:100] + bytes(len(raw) - 100)], ids=["text", "zeros"]
)
def test_a_damaged_file_is_refused_with_a_sentence(path: Path, journal: Journal, damage: Callable[[bytes], bytes]) -> None:
    journal.close()
    path.write_bytes(damage(path.read_bytes()))
    assert f"{path} is no sound journal" in refusal(lambda: Journal(path))


def test_the_tables_of_a_newer_version_are_refused(path: Path, journal: Journal) -> None:
    edited(path, "update meta set value = '3' where name = 'schema'")
    said = refusal(lambda: Journal(path))
    assert "has the tables of version 3, this workbench reads version 2" in said
    assert issubclass(JournalError, WorkbenchError)


@pytest.mark.parametrize("removed", ["number = 3", "number > 0"])
def test_nobody_goes_on_writing_where_the_last_entries_are_gone(path: Path, journal: Journal, opened: Opens, removed: str) -> None:
    edited(path, f"delete from journal where {removed}")
    assert "but 3 were written" in refusal(lambda: opened().take_over("run 2"))


# -- commands and signs of life ---------------------------------------------------------------------------------------


def test_a_command_is_queued_once_by_its_id(journal: Journal) -> None:
    journal.post(Command("1", "pause", "me", 5, 9, {"why": "lunch"}))
    journal.post(Command("1", "kill", "somebody else", 6))
    assert journal.commands() == [Command("1", "pause", "me", 5, 9, {"why": "lunch"})]


def test_commands_come_as_they_were_posted_and_by_state(journal: Journal) -> None:
    for number, created in (("b", 2), ("a", 3), ("c", 1)):  # the last one's clock was put back
        journal.post(Command(number, "pause", "me", created))
    assert [(command.id, command.created) for command in journal.commands("queued")] == [("b", 2), ("a", 3), ("c", 4)]
    journal.commit([], answers=[Answer("a", "applied", "PAUSED", 7)])
    assert [command.id for command in journal.commands("queued")] == ["b", "c"]
    assert journal.commands("applied") == [Command("a", "pause", "me", 3, 0, {}, "applied", "PAUSED", 7)]


def test_a_command_that_was_answered_stays_answered(journal: Journal) -> None:
    journal.post(Command("1", "flatten", "me", 5))
    journal.commit([Entry("command", "1", {})], answers=[Answer("1", "applied", "closed", 6)])
    journal.post(Command("1", "flatten", "me", 7))
    assert journal.commands("queued") == []


def test_anyone_may_post_and_read_what_was_answered(journal: Journal, opened: Opens) -> None:
    watcher = opened()
    watcher.post(Command("1", "stop", "panel", 5))
    journal.commit([], answers=[Answer("1", "refused", "no", 6)])
    assert [(one.state, one.answer) for one in watcher.commands()] == [("refused", "no")]


def test_a_sign_of_life_replaces_the_one_before(opened: Opens) -> None:
    ticks = iter(range(1, 9))
    journal = opened(clock=lambda: next(ticks))
    for name, body in (("session", {"steps": 1}), ("venue", {}), ("session", {"steps": np.int64(2)})):
        journal.beat(name, body)
    assert {name: (beat.time, beat.body) for name, beat in journal.beats().items()} == {"session": (3, {"steps": 2}), "venue": (2, {})}


def test_signs_of_life_and_commands_are_outside_the_chain(journal: Journal) -> None:
    journal.beat("session", {})
    journal.post(Command("1", "pause", "me", 5))
    assert (journal.verify(), len(told(journal))) == (3, 3)


def test_it_is_public_and_loads_sqlalchemy_only_where_it_is_used() -> None:
    loaded = "print('sqlalchemy' in sys.modules)"
    code = f"import sys, workbench as wb; wb.MemoryJournal(); {loaded}; wb.Journal; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert wb.Journal is Journal
