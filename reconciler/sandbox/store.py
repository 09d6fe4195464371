"""The SQLite file: its tables, its time, and one transaction on it per request."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

VERSION: Final = 5
"""Raised with every change of the tables; a file of another version is refused."""
APPLICATION_ID: Final = 0x0C0DA7
"""Marks a SQLite file as ours."""

TABLES: Final = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE spent (day TEXT PRIMARY KEY, requests INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE company (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    password TEXT NOT NULL,
    products TEXT NOT NULL DEFAULT '[]',
    sync_settings TEXT,
    created INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    visible_from INTEGER NOT NULL
);
CREATE TABLE tag (
    company TEXT NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (company, key)
);
CREATE INDEX tag_value ON tag (key, value, company);

CREATE TABLE connection (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    platform TEXT NOT NULL,
    status TEXT NOT NULL,
    password TEXT NOT NULL,
    created INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    visible_from INTEGER NOT NULL,
    is_online INTEGER NOT NULL,
    is_revoked INTEGER NOT NULL DEFAULT 0,
    next_outcome TEXT,
    authorizations INTEGER NOT NULL DEFAULT 0,
    tokens_while_linked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX connection_company ON connection (company);
CREATE INDEX connection_linked ON connection (company) WHERE status = 'Linked';
CREATE TABLE connection_error (
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    erred INTEGER NOT NULL,
    resolved INTEGER
);
CREATE INDEX connection_error_connection ON connection_error (connection);
CREATE TABLE spent_token (
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    PRIMARY KEY (connection, digest)
) WITHOUT ROWID;

CREATE TABLE pull (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    company TEXT NOT NULL,
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    data_type TEXT NOT NULL,
    requested INTEGER NOT NULL,
    fetched INTEGER,
    ended INTEGER,
    outcome TEXT NOT NULL,
    is_noticed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX pull_company ON pull (company, requested);
CREATE INDEX pull_connection ON pull (connection, outcome, ended);
CREATE INDEX pull_refused ON pull (ended) WHERE outcome = 'AuthError' AND is_noticed = 0;

CREATE TABLE source_account (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    number TEXT NOT NULL,
    currency TEXT NOT NULL,
    sort_code TEXT,
    balance REAL NOT NULL,
    status TEXT NOT NULL,
    modified INTEGER NOT NULL,
    UNIQUE (connection, id)
);

CREATE TABLE webhook (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    disabled INTEGER NOT NULL,
    event_types TEXT NOT NULL,
    company_tags TEXT NOT NULL
);

CREATE TABLE answer (
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    document TEXT NOT NULL,
    given INTEGER NOT NULL,
    PRIMARY KEY (key)
) WITHOUT ROWID;
CREATE INDEX answer_given ON answer (given);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    is_write INTEGER NOT NULL,
    key TEXT,
    status INTEGER NOT NULL,
    took_effect INTEGER NOT NULL,
    replayed INTEGER NOT NULL,
    fault TEXT,
    company TEXT,
    connection TEXT,
    tokens_to_linked INTEGER NOT NULL
);
CREATE INDEX journal_write ON journal (seq) WHERE is_write;
CREATE TABLE fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    document TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    times_left INTEGER
);
"""


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
"""A second, in the microseconds that all moments here are counted in."""
LAST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""What is due later than a moment, by any setting, must still have a date."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def span(seconds: float) -> int:
    """Microseconds in so many seconds."""
    return round(seconds * SECOND)


def as_datetime(moment: int) -> datetime:
    """The moment in UTC."""
    return EPOCH + timedelta(microseconds=moment)


def text(moment: int) -> str:
    """The moment as Codat writes it: ISO 8601 in UTC, decimals where there are any."""
    return as_datetime(moment).replace(tzinfo=None).isoformat() + "Z"


def is_bearable(moment: int) -> bool:
    """Whether a clock may stand there."""
    return 0 <= moment <= micros(LAST)


IN_MEMORY: Final = ":memory:"
CLOCK: Final = "clock"
"""The counter of microseconds by which the clock has jumped."""
OWNER_ONLY: Final = 0o600
"""The mode of the file: link URLs with one-time passwords are in it."""
PATIENCE: Final = 30.0
"""Seconds to wait for another process's transaction."""


class SandboxError(Exception):
    """The sandbox cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Session:
    """One transaction: the database, the moment it happens at, and a source of ids."""

    db: sqlite3.Connection
    now: int
    """Microseconds since 1970, on the sandbox's own clock."""
    seed: int | None

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """All rows that ``sql`` selects."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first row that ``sql`` selects."""
        found: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the first row, or ``None``."""
        row = self.row(sql, *values)
        return row[0] if row else None

    def run(self, sql: str, *values: Any) -> int:
        """Execute ``sql``; the number of rows that it changed."""
        return self.db.execute(sql, values).rowcount

    def counted(self, name: str, by: int = 1) -> int:
        """The counter ``name`` after adding ``by``; counters start at 0."""
        return int(
            self.value(
                "INSERT INTO counter VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value",
                name,
                by,
            )
        )

    def advance(self, seconds: float) -> None:
        """Let the sandbox's clock jump, for good; this session's own moment stays."""
        self.counted(CLOCK, span(seconds))

    def forget(self) -> None:
        """Empty every table; the clock goes on where it stood."""
        clock = self.counted(CLOCK, 0)
        for (table,) in self.rows(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ):
            self.run(f"DELETE FROM {table}")  # noqa: S608 - a name from our own schema
        self.counted(CLOCK, clock)

    def new_id(self, kind: str) -> str:
        """An id that no one else has. With a seed, the n-th id of a kind is always the same one."""
        return str(uuid4()) if self.seed is None else str(UUID(bytes=self._drawn(kind)[:16], version=4))

    def new_password(self) -> str:
        """Six digits, as in a link URL."""
        drawn = secrets.token_bytes(4) if self.seed is None else self._drawn("password")[:4]
        return f"{int.from_bytes(drawn) % 1_000_000:06}"

    def _drawn(self, kind: str) -> bytes:
        """The next bytes of a sequence, which goes on when the file is opened again."""
        return hashlib.sha256(f"{self.seed}:{kind}:{self.counted(kind)}".encode()).digest()


class Store:
    """The state of one sandbox. Threads take turns; processes do too, by SQLite's own lock."""

    def __init__(self, path: str | Path, now: Callable[[], datetime], seed: int | None) -> None:
        self._now = now
        self._seed = seed
        self._turn = threading.RLock()
        self._db = _opened(path)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose writes are kept together when the block ends, and not at all when it raises."""
        with self._turn:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield Session(self._db, self._moment(), self._seed)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _moment(self) -> int:
        row = self._db.execute("SELECT value FROM counter WHERE name = ?", (CLOCK,)).fetchone()
        return micros(self._now().astimezone(UTC)) + (row[0] if row else 0)

    def close(self) -> None:
        """Close the file; nothing can be asked afterwards."""
        with self._turn:
            self._db.close()


def _opened(path: str | Path) -> sqlite3.Connection:
    """The database with its tables; a new one is made where there is none.

    Raises:
        SandboxError: the file is something else, or of another version.
    """
    is_file = str(path) != IN_MEMORY
    try:
        if is_file and not Path(path).exists():
            # SQLite gives what it keeps beside a file the file's own mode.
            Path(path).touch(OWNER_ONLY)
        db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SandboxError(f"the sandbox cannot open {path}: {why}") from error
    db.row_factory = sqlite3.Row
    try:
        _prepare(db, path)
        if is_file:
            with suppress(OSError):
                Path(path).chmod(OWNER_ONLY)
    except sqlite3.DatabaseError as error:
        db.close()
        raise SandboxError(
            f"{path} cannot be used as the sandbox's state ({error}); name another file"
        ) from error
    except SandboxError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: str | Path) -> None:
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("BEGIN IMMEDIATE")
    is_new = not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if is_new:
        for statement in TABLES.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    (mark,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if mark != APPLICATION_ID:
        raise SandboxError(f"{path} is another program's database; name another file")
    if version != VERSION:
        raise SandboxError(
            f"{path} was not made by this version of the sandbox; `codat-sync sandbox reset` starts anew"
        )
    # Killed processes lose nothing either way; only a power cut could, and it would be the latest writes.
    db.execute("PRAGMA synchronous = OFF")


def reset(path: str | Path) -> None:
    """Remove a sandbox's file and what SQLite keeps beside it; there need not be one.

    Raises:
        SandboxError: the file is something else, and is left alone.
    """
    if Path(path).exists() and not _is_a_sandboxs(path):
        raise SandboxError(f"{path} is no file of a sandbox, so it is left alone; name another one")
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _is_a_sandboxs(path: str | Path) -> bool:
    """Whether a file is empty, or a database that carries our mark (https://www.sqlite.org/fileformat.html)."""
    with Path(path).open("rb") as file:
        header = file.read(100)
    return not header or (
        header.startswith(b"SQLite format 3\0") and int.from_bytes(header[68:72]) == APPLICATION_ID
    )
