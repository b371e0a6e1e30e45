"""The database of the office: SQLite for a hall, PostgreSQL for a city; one SQL that both understand.

SQLite comes through `sqlcipher3` without a key. The interpreter's own is too old: versions before 3.51.3 can
lose a committed WAL transaction, so the *linked* version is checked at start. The driver's own transactions
are off and `BEGIN` is ours, because otherwise DDL escapes the transaction and a migration killed half-way
leaves half a schema.

PostgreSQL comes through psycopg 3. Reads are REPEATABLE READ READ ONLY, one state of the database for several
statements; writes are READ COMMITTED and lock the rows they decide on, in one order: the device, the hall or
queue, the thing itself, the scopes of the feed last and sorted.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2 as driver

from clerk_app.failures import Failure

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

SAFE_SQLITE = (3, 51, 3)
BUSY_MILLISECONDS = 10_000
ATTEMPTS = 6
FIRST_PAUSE = 0.02
TRANSIENT_SQLSTATES = frozenset({"40001", "40P01", "23505"})
"""PostgreSQL: serialisation failure, deadlock, and two workers that met in one unique key."""

CONNECT_SECONDS = 5
POOL_SECONDS = 10
CLOSE_SECONDS = 10
SCHEMES = ("postgresql://", "postgres://")

_READ_ONLY = "office_read_only"
_ALONE = "office_alone"


def check_linked_sqlite(version: str = driver.sqlite_version) -> None:
    """Raises Failure("OFFICE-SQLITE-UNSAFE") when the linked SQLite can lose a committed transaction."""
    if tuple(int(part) for part in version.split(".")) < SAFE_SQLITE:
        raise Failure("OFFICE-SQLITE-UNSAFE", f"linked SQLite {version}, needed 3.51.3 or newer")


class Database:
    """Three ways in: `read` sees one consistent state, `write` is all of `work` or nothing, `look` asks once.

    SQLite has one writer; the lock lets the threads of this process queue for it in turn, the busy time-out
    does the same between processes. PostgreSQL needs none: there the rows are locked.
    """

    def __init__(self, engine: sa.Engine, reading: sa.Engine, looking: sa.Engine) -> None:
        self._engine = engine
        self._reading = reading
        self._looking = looking
        self.kind: Literal["sqlite", "postgresql"] = (
            "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        )
        one_writer = threading.Lock() if self.kind == "sqlite" else nullcontext()
        self._writer: AbstractContextManager[Any] = one_writer

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        with self._reading.begin() as connection:
            return work(connection)

    def look(self, work: Callable[[sa.Connection], T]) -> T:
        """`work` asks one question: a statement alone is consistent, and costs one way instead of three."""
        with self._looking.connect() as connection:
            return work(connection)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction; again, after a random pause, when PostgreSQL asks for that."""
        for attempt in range(ATTEMPTS):
            try:
                with self._writer, self._engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if attempt + 1 == ATTEMPTS or not is_transient(error):
                    raise
            time.sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))  # noqa: S311  not a secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Close every connection, waiting a little for a thread that still uses one."""
        until = time.monotonic() + CLOSE_SECONDS
        while _in_use(self._engine) and time.monotonic() < until:
            time.sleep(0.01)
        self._engine.dispose()


def _in_use(engine: sa.Engine) -> bool:
    return isinstance(engine.pool, sa.QueuePool) and engine.pool.checkedout() > 0


def is_transient(error: DBAPIError) -> bool:
    """Whether the same transaction may pass when it is run again."""
    return getattr(error.orig, "sqlstate", None) in TRANSIENT_SQLSTATES


def open_database(where: Path | str) -> Database:
    """The SQLite database at a path, created when missing, or the PostgreSQL one at an address.

    No tables are made here. Raises Failure("OFFICE-DATABASE-ADDRESS") for an address of something else.
    """
    return _sqlite(where) if isinstance(where, Path) else _postgresql(where)


def _sqlite(path: Path) -> Database:
    check_linked_sqlite()
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        module=driver,
        hide_parameters=True,  # parameters are personal data; exceptions must not carry them
        pool_size=48,  # more than the threads that serve requests: nobody waits, and none is opened anew
        max_overflow=16,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    reading = engine.execution_options(**{_READ_ONLY: True})
    return Database(engine, reading, engine.execution_options(**{_ALONE: True}))


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver starts no transactions of its own
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _on_begin(connection: sa.Connection) -> None:
    told = connection.get_execution_options()
    if not told.get(_ALONE, False):
        connection.exec_driver_sql("BEGIN" if told.get(_READ_ONLY, False) else "BEGIN IMMEDIATE")


def _postgresql(address: str) -> Database:
    parameters(address)
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address),  # libpq reads the address itself: several hosts, sslmode, …
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        pool_size=20,
        max_overflow=0,  # kept open: a new one costs a fork. Four workers fit under PostgreSQL's usual 100
        pool_timeout=POOL_SECONDS,
    )
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    looking = engine.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=True)
    return Database(engine, reading, looking)


def connect(address: str, **options: Any) -> psycopg.Connection[Any]:
    """One connection of our own to PostgreSQL. Raises psycopg.OperationalError when nobody answers."""
    import psycopg

    return psycopg.connect(**parameters(address), **options)


def parameters(address: str) -> dict[str, Any]:
    """What libpq reads in `address`, before what is usual here.

    Raises Failure("OFFICE-DATABASE-ADDRESS") when it cannot be read.
    """
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    if not address.startswith(SCHEMES):
        raise Failure("OFFICE-DATABASE-ADDRESS", "not postgresql://…")
    try:
        asked = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        raise Failure("OFFICE-DATABASE-ADDRESS", "unreadable") from None  # the text may hold a password
    return {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "back-office",
        "keepalives_idle": 10,
        **asked,
    }
