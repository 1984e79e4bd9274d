"""The journal's tables, and how a database of them is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from workbench.errors import JournalError
from workbench.journal._port import Answer

__all__ = ["answer", "bars", "beats", "commands", "engine_of", "journal", "read_meta", "shown", "url_of", "write_meta"]

#: Raised where the tables change in meaning.
SCHEMA = "2"
#: Milliseconds that a writer waits for another to finish.
PATIENCE = 4_000

_held = sa.MetaData()
_whole = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

meta = sa.Table("meta", _held, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Text, nullable=False))
journal = sa.Table(
    "journal",
    _held,
    sa.Column("number", _whole, primary_key=True, autoincrement=False),
    sa.Column("time", _whole, nullable=False),
    sa.Column("epoch", _whole, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.UniqueConstraint("key", "kind"),
    sa.Index("journal_kind", "kind", "number"),
)
bars = sa.Table(
    "bars",
    _held,
    sa.Column("number", _whole, primary_key=True, autoincrement=True),
    # the entry that brought it: its hash covers the bar
    sa.Column("entry", _whole, nullable=False, index=True),
    sa.Column("label", _whole, nullable=False, index=True),
    sa.Column("symbol", sa.Text, nullable=False),
    *(sa.Column(name, sa.Double, nullable=True) for name in ("open", "high", "low", "close", "volume")),
    sa.Column("arrived", _whole, nullable=False),
)
commands = sa.Table(
    "commands",
    _held,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("created", _whole, nullable=False),
    sa.Column("expires", _whole, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered", _whole, nullable=False),
)
beats = sa.Table(
    "beats",
    _held,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("time", _whole, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)


def url_of(given: str | Path) -> str:
    """Return a database URL; a path is a file of SQLite, whose folder is made."""
    if isinstance(given, str) and "://" in given:
        return given
    path = Path(given).expanduser().resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{path}"


def shown(url: str) -> str:
    """Return a URL as it may be read by anybody: without its password."""
    return sa.make_url(url).render_as_string(hide_password=True)


def engine_of(url: str) -> sa.Engine:
    """Open a database, make the tables that are missing, and refuse one that is damaged or newer."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        _make_durable(engine)
    try:
        # reading first: who only watches must not wait for a writer, not even for one that hangs
        with engine.execution_options(writes=False).connect() as db:
            if engine.dialect.name == "sqlite":
                _require_sound(db, url)
            found = read_meta(db, "schema") if sa.inspect(db).has_table("meta") else None
        if found is None:
            _held.create_all(engine)
            with engine.begin() as db:
                if read_meta(db, "schema", lock=True) is None:
                    write_meta(db, "schema", SCHEMA)
        elif found != SCHEMA:
            raise JournalError(f"{shown(url)} has the tables of version {found}, this workbench reads version {SCHEMA}")
    except JournalError:
        engine.dispose()
        raise
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise JournalError(f"{shown(url)} is no sound journal: {error.orig}; restore a copy of it") from None
    return engine


def _make_durable(engine: sa.Engine) -> None:
    """Have SQLite write ahead, wait for the disk at each commit, and take the write lock when a transaction begins."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver would begin late, after the first read
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={PATIENCE}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(db: sa.Connection) -> None:
        db.exec_driver_sql("BEGIN IMMEDIATE" if db.get_execution_options().get("writes", True) else "BEGIN")


def _require_sound(db: sa.Connection, url: str) -> None:
    said = db.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if said != "ok":
        raise JournalError(f"{shown(url)} is damaged: {said}")


def read_meta(db: sa.Connection, name: str, lock: bool = False) -> str | None:
    """Return a value of the table `meta`; with `lock`, nobody else changes it before this transaction ends."""
    asked = sa.select(meta.c.value).where(meta.c.name == name)
    found: str | None = db.execute(asked.with_for_update() if lock else asked).scalar()
    return found


def write_meta(db: sa.Connection, name: str, value: str) -> None:
    """Set a value of the table `meta`."""
    if not db.execute(sa.update(meta).where(meta.c.name == name).values(value=value)).rowcount:
        db.execute(sa.insert(meta), [{"name": name, "value": value}])


def answer(db: sa.Connection, said: Answer) -> None:
    """Write what a session said to a command."""
    values = {"state": said.state, "answer": said.text, "answered": said.time}
    db.execute(sa.update(commands).where(commands.c.id == said.id).values(values))
