"""The journal in a database: durable, hash-chained, written by one session and read by whoever watches it."""

from __future__ import annotations

import hashlib
import json
import math
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from workbench.errors import JournalError
from workbench.journal import _tables as t
from workbench.journal._port import Answer, Beat, Command, Entry, JournalPort, ReceivedBar

__all__ = ["Journal"]

#: The chain begins here.
GENESIS = "0" * 64


class Journal(JournalPort):
    """A journal in a database.

    One process writes it, the session of a run: `take_over` makes it the writer and shuts out whoever wrote before.
    Everyone else reads, and posts commands.

    Parameters
    ----------
    url : str or Path
        A file, for SQLite, or a database URL of SQLAlchemy.
    clock : callable, optional
        Returns nanoseconds since 1970.

    Raises
    ------
    JournalError
        The file is damaged, or was written by a newer version.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> journal = Journal(pathlib.Path(tempfile.mkdtemp()) / "journal.db")
    >>> epoch = journal.take_over("run 1")
    >>> journal.commit([Entry("intent", "a", {"side": "buy"}), Entry("intent", "a", {"side": "buy"})])
    >>> [entry.body for entry in journal.entries()]
    [{'side': 'buy'}]
    >>> journal.verify()
    1
    """

    def __init__(self, url: str | Path, clock: Any = time.time_ns) -> None:
        self.url = t.url_of(url)
        self._clock = clock
        self._engine = t.engine_of(self.url)
        # a journal that is simply let go must not leave its connections open
        weakref.finalize(self, self._engine.dispose)
        # a reader must not take the lock that a writer waits for
        self._reader = self._engine.execution_options(writes=False)
        self._run = ""
        self._epoch = 0
        self._number, self._hash = 0, GENESIS

    @property
    def place(self) -> str:
        """Where it lies, as it may be read by anybody: without a password."""
        return t.shown(self.url)

    # -- the writer -----------------------------------------------------------------------------------------------

    def take_over(self, run: str) -> int:
        """Become the writer, and shut out the one before: its next commit is refused. Return the new epoch."""
        with self._writing() as db:
            before = int(t.read_meta(db, "epoch", lock=True) or 0)
            t.write_meta(db, "epoch", str(before + 1))
            last = db.execute(sa.select(t.journal.c.number, t.journal.c.hash).order_by(t.journal.c.number.desc()).limit(1)).first()
            number, chain = (int(last.number), str(last.hash)) if last else (0, GENESIS)
            self._require_end(db, number)
        self._run, self._epoch = run, before + 1
        self._number, self._hash = number, chain
        return self._epoch

    def commit(self, entries: Sequence[Entry], bars: Sequence[ReceivedBar] = (), answers: Sequence[Answer] = ()) -> None:
        """Write entries, bars and answers to commands: all or none, durable when this returns.

        Raises
        ------
        JournalError
            Another session has taken over, or nothing can be written.
        """
        if bars and not entries:
            raise JournalError("bars are written with the entry that they belong to: its hash covers them")
        if not self._epoch:
            raise JournalError("this journal is open for reading: take_over(run) makes a session its writer")
        with self._writing() as db:
            if int(t.read_meta(db, "epoch", lock=True) or 0) != self._epoch:
                raise JournalError("another session has taken this journal over: this one may not trade any more")
            rows = self._rows(self._new(db, entries), bars)
            if rows:
                db.execute(sa.insert(t.journal), rows)
                t.write_meta(db, "last", str(rows[-1]["number"]))
            if rows and bars:  # they belong to the first entry: its hash covers them
                db.execute(sa.insert(t.bars), [bar._asdict() | {"entry": rows[0]["number"]} for bar in bars])
            for answer in answers:
                t.answer(db, answer)
        if rows:
            self._number, self._hash = rows[-1]["number"], rows[-1]["hash"]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """Begin a transaction that is committed at its end, or not at all."""
        try:
            with self._engine.begin() as db:
                yield db
        except sa.exc.SQLAlchemyError as error:
            raise JournalError(f"the journal cannot be written, so nothing is sent: {_words(error)}") from error

    def _new(self, db: sa.Connection, entries: Sequence[Entry]) -> list[Entry]:
        """Return the entries that are not there yet, each once."""
        by_key: dict[tuple[str, str], Entry] = {}
        for entry in entries:
            by_key.setdefault((entry.kind, str(entry.key)), entry)
        keys = [key for _, key in by_key]
        known = sa.select(t.journal.c.kind, t.journal.c.key).where(t.journal.c.key.in_(keys))
        there = {(row.kind, row.key) for row in db.execute(known)} if keys else set()
        return [entry for key, entry in by_key.items() if key not in there]

    def _rows(self, entries: Sequence[Entry], bars: Sequence[ReceivedBar]) -> list[dict[str, Any]]:
        """Return entries as rows, each chained to the one before, and the first of them to its bars."""
        rows: list[dict[str, Any]] = []
        number, last, now = self._number, self._hash, self._clock()
        for entry in entries:
            number += 1
            row = {"number": number, "time": now, "epoch": self._epoch, "run": self._run, "kind": entry.kind, "key": str(entry.key)}
            row["body"] = json.dumps(entry.body, default=_plain, separators=(",", ":"))
            row["hash"] = last = chained(last, row, () if rows else bars)
            rows.append(row)
        return rows

    # -- readers --------------------------------------------------------------------------------------------------

    def entries(self, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
        """Return the entries of one kind, or all, whose number is above `after`, in the order in which they were written."""
        asked = sa.select(t.journal).where(t.journal.c.number > after).order_by(t.journal.c.number)
        if kind is not None:
            asked = asked.where(t.journal.c.kind == kind)
        with self._reader.connect() as db:
            for row in _flowing(db, asked):
                yield Entry(row.kind, row.key, json.loads(row.body), row.number, row.time)

    def newest(self, kind: str) -> Entry | None:
        """Return the newest entry of a kind."""
        asked = sa.select(t.journal).where(t.journal.c.kind == kind).order_by(t.journal.c.number.desc()).limit(1)
        with self._reader.connect() as db:
            row = db.execute(asked).first()
        return None if row is None else Entry(row.kind, row.key, json.loads(row.body), row.number, row.time)

    def bars(self, after: int | None = None) -> list[ReceivedBar]:
        """Return the bars, or those of labels above `after`, as they were received, in the order in which they came."""
        asked = sa.select(*(t.bars.c[name] for name in ReceivedBar._fields)).order_by(t.bars.c.number)
        if after is not None:
            asked = asked.where(t.bars.c.label > after)
        with self._reader.connect() as db:
            return [received(row) for row in db.execute(asked)]

    def verify(self) -> int:
        """Walk the whole chain, and return how many entries it has.

        Raises
        ------
        JournalError
            An entry or a bar was changed, taken out or put in: the sentence names the entry.
        """
        last, count = GENESIS, 0
        with self._reader.connect() as db:
            bars_of = _by_entry(db)
            for row in _flowing(db, sa.select(t.journal).order_by(t.journal.c.number)).mappings():
                count += 1
                if row["number"] != count or chained(last, row, bars_of(count)) != row["hash"]:
                    raise JournalError(f"{self.place}: entry {count} ({row['kind']} {row['key']}) is not what was written there")
                last = row["hash"]
            self._require_end(db, count)
            if bars_of(1 << 62):
                raise JournalError(f"{self.place}: there are bars behind its last entry that nobody wrote there")
        return count

    def _require_end(self, db: sa.Connection, number: int) -> None:
        """Refuse a journal whose last entries are gone: the chain alone would not show it."""
        written = int(t.read_meta(db, "last") or number)
        if written != number:
            raise JournalError(f"{self.place}: the last entry is number {number}, but {written} were written")

    # -- commands and signs of life: outside the chain ------------------------------------------------------------

    def post(self, command: Command) -> None:
        """Queue a command behind all others, whatever its clock says; the same id again changes nothing."""
        row = command._asdict() | {"body": json.dumps(command.body or {})}
        with self._writing() as db:
            if db.execute(sa.select(t.commands.c.id).where(t.commands.c.id == command.id)).first() is None:
                newest = db.execute(sa.select(sa.func.max(t.commands.c.created))).scalar() or 0
                db.execute(sa.insert(t.commands), [row | {"created": max(command.created, newest + 1)}])

    def commands(self, state: str | None = None) -> list[Command]:
        """Return the commands in one state, or all, oldest first."""
        asked = sa.select(*[t.commands.c[name] for name in Command._fields]).order_by(t.commands.c.created, t.commands.c.id)
        if state is not None:
            asked = asked.where(t.commands.c.state == state)
        with self._reader.connect() as db:
            return [Command(**(dict(row) | {"body": json.loads(row["body"])})) for row in db.execute(asked).mappings()]

    def beat(self, name: str, body: Any) -> None:
        """Leave a sign of life in place of the one before."""
        row = {"name": name, "time": self._clock(), "body": json.dumps(body, default=_plain)}
        with self._writing() as db:
            if not db.execute(sa.update(t.beats).where(t.beats.c.name == name).values(row)).rowcount:
                db.execute(sa.insert(t.beats), [row])

    def beats(self) -> dict[str, Beat]:
        """Return the newest sign of life by name."""
        with self._reader.connect() as db:
            return {row.name: Beat(row.name, row.time, json.loads(row.body)) for row in db.execute(sa.select(t.beats))}

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _flowing(db: sa.Connection, asked: sa.Select[Any]) -> sa.CursorResult[Any]:
    """Return rows as they are read, some at a time: a long record need not be in memory as a whole."""
    return db.execution_options(yield_per=1_000).execute(asked)


def _by_entry(db: sa.Connection) -> Callable[[int], list[ReceivedBar]]:
    """Return what gives the bars of one entry after the other; a bar of no entry is given to the next one, and shows there."""
    rows = iter(_flowing(db, sa.select(t.bars).order_by(t.bars.c.entry, t.bars.c.number)))
    waiting: list[Any] = [next(rows, None)]

    def bars_of(number: int) -> list[ReceivedBar]:
        found = []
        while (row := waiting[0]) is not None and row.entry <= number:
            found.append(received(row))
            waiting[0] = next(rows, None)
        return found

    return bars_of


def received(row: Any) -> ReceivedBar:
    """Return a bar as it was received, from its row."""
    values: list[Any] = [getattr(row, name) for name in ReceivedBar._fields]
    return ReceivedBar._make(math.nan if value is None else value for value in values)


def chained(last: str, row: Any, bars: Sequence[ReceivedBar] = ()) -> str:
    """Return the hash of a row, and of the bars that came with it, that follows another."""
    parts = [last, *(str(row[name]) for name in ("number", "time", "epoch", "run", "kind", "key", "body"))]
    for bar in bars:
        parts += [str(bar.label), str(bar.symbol), *(repr(float(value)) for value in bar[2:7]), str(bar.arrived)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value in JSON's terms."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"the journal takes plain values, got {value!r}")


def _words(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
