"""The database of the office: SQLite through `sqlcipher3` without a key, SQL that PostgreSQL understands too.

The interpreter's own SQLite is too old: versions before 3.51.3 can lose a committed WAL transaction, so the
*linked* version is checked at start. The driver's own transactions are off and `BEGIN` is ours, because
otherwise DDL escapes the transaction and a migration killed half-way leaves half a schema.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2 as driver

from clerk_app.failures import Failure

T = TypeVar("T")

SAFE_SQLITE = (3, 51, 3)
BUSY_MILLISECONDS = 10_000
ATTEMPTS = 3
TRANSIENT_SQLSTATES = frozenset({"40001", "40P01", "23505"})
"""PostgreSQL: serialisation failure, deadlock, and two workers that met in one unique key."""

_READ_ONLY = "office_read_only"


def check_linked_sqlite(version: str = driver.sqlite_version) -> None:
    """Raises Failure("OFFICE-SQLITE-UNSAFE") when the linked SQLite can lose a committed transaction."""
    if tuple(int(part) for part in version.split(".")) < SAFE_SQLITE:
        raise Failure("OFFICE-SQLITE-UNSAFE", f"linked SQLite {version}, needed 3.51.3 or newer")


class Database:
    """Two ways in: `read` sees one consistent state, `write` is all of `work` or nothing.

    SQLite has one writer; the lock lets the threads of this process queue for it in turn, the busy time-out
    does the same between processes.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(**{_READ_ONLY: True})
        self._writer = threading.Lock()

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        with self._reading.begin() as connection:
            return work(connection)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction; run it again when PostgreSQL asks for that."""
        for left in reversed(range(ATTEMPTS)):
            try:
                with self._writer, self._engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not left or getattr(error.orig, "sqlstate", None) not in TRANSIENT_SQLSTATES:
                    raise
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._engine.dispose()


def open_database(path: Path) -> Database:
    """The SQLite database at `path`, created when missing; no tables are made here."""
    check_linked_sqlite()
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        module=driver,
        hide_parameters=True,  # parameters are personal data; exceptions must not carry them
        pool_size=16,
        max_overflow=48,  # more than the threads that serve requests: nobody waits for a connection
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return Database(engine)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver starts no transactions of its own
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: sa.Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
