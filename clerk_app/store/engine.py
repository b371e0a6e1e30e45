"""SQLAlchemy over SQLCipher: one connection, every transaction `BEGIN IMMEDIATE`, every commit on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlcipher3 import dbapi2

from clerk_app.failures import Failure

_OPENING = (
    "PRAGMA locking_mode = EXCLUSIVE",  # one process (architecture rule 12), and no shared-memory file
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit that was answered survives a power cut
    "PRAGMA wal_autocheckpoint = 0",  # the cache checkpoints between transactions, not inside a commit
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what retention takes is overwritten, not only forgotten
    "PRAGMA trusted_schema = OFF",
)


def check_sqlite(version: tuple[int, ...] = dbapi2.sqlite_version_info) -> None:
    """Refuse a SQLite that can lose a committed transaction. Raises Failure("STORE-OLD-SQLITE").

    The WAL-reset bug is in 3.7.0 to 3.51.2; it was fixed in 3.51.3, 3.50.7 and 3.44.6
    (https://sqlite.org/wal.html). What counts is the library that is linked, not what was asked for.
    """
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    if not fixed:
        raise Failure("STORE-OLD-SQLITE", ".".join(map(str, version)))


def cache_engine(database: Path | None, key: bytes) -> Engine:
    """The engine of a cache file, or with None of a cache in memory.

    Its only connection belongs to the thread that opens it: the driver refuses every other thread.
    """
    url = URL.create("sqlite", database=str(database) if database else ":memory:")
    engine = create_engine(
        url,
        module=dbapi2,
        poolclass=StaticPool,
        hide_parameters=True,  # values are personal data; exceptions and logs show the statement only
        connect_args={"isolation_level": None, "check_same_thread": True, "timeout": 1.0},
    )

    @event.listens_for(engine, "connect")
    def _unlock(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA cipher_log_level = NONE")  # what fails is raised; stderr is nobody's
        if database:
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        for pragma in _OPENING:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The driver's own transactions begin too late and let DDL escape; they are off (isolation_level).
        connection.connection.cursor().execute("BEGIN IMMEDIATE")

    return engine
