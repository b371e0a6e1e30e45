"""The office at work: its transactions, and the news each of them leaves in the feed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import DBAPIError, OperationalError

from back_office import feed, migrations
from back_office.db import Database, open_database
from back_office.metrics import Metrics
from back_office.notices import Notifier
from back_office.pokes import Pokes, ScopeKey
from back_office.settings import Settings
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.failures import Failure

T = TypeVar("T")

_TROUBLE = ("BUSY", "CANTOPEN", "CORRUPT", "FULL", "IOERR", "NOTADB", "PERM", "READONLY")
FILE_TROUBLE = tuple(f"SQLITE_{kind}" for kind in _TROUBLE)
"""Of SQLite's result codes those of the file; their extended codes begin with them."""


@dataclass(slots=True)
class Transaction:
    """One write: the connection, its moment, and the changes it will publish when it commits.

    `memo` is what was read here and stays true to the end: rows that never change, rows this transaction has
    locked. `at_end` runs before the news are published, for what is written once instead of a thousand times.
    """

    connection: sa.Connection
    now: datetime
    news: list[feed.News] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    memo: dict[Any, Any] = field(default_factory=dict)
    at_end: dict[str, Callable[[Transaction], None]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(HALL_TIME).date()

    def tell(self, news: feed.News) -> None:
        self.news.append(news)

    def count(self, family: str, value: str) -> None:
        """One more for the metrics ("command", "applied"), when this commits. No ids, no names."""
        self.counts[family, value] += 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All of the block or nothing of it, its news and what it learned included, within this transaction.

        Plain statements: SQLAlchemy's own savepoints cost more than what most commands do inside.
        """
        told, known = len(self.news), dict(self.memo)
        self.connection.exec_driver_sql("SAVEPOINT step")
        try:
            yield
        except BaseException:
            del self.news[told:]
            self.memo = known
            if not self.connection.invalidated:
                self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT step")
                self.connection.exec_driver_sql("RELEASE SAVEPOINT step")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT step")

    def finish(self) -> dict[ScopeKey, int]:
        """What is left to do before the commit; returns the scopes that moved, and how far."""
        for last in self.at_end.values():
            last(self)
        return feed.publish(self.connection, self.now, self.news)


@dataclass(frozen=True, slots=True)
class Office:
    """What every request needs. Shared by all threads; keeps nothing between requests but parked waits.

    `notifier` is there on PostgreSQL: it tells the other processes.
    """

    settings: Settings
    database: Database
    pokes: Pokes
    metrics: Metrics
    notifier: Notifier | None = None

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        return self.database.read(work)

    def look(self, work: Callable[[sa.Connection], T]) -> T:
        """`read` for one statement."""
        return self.database.look(work)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction, publish its news in it, wake the parked windows after it."""

        def run(connection: sa.Connection) -> tuple[T, dict[ScopeKey, int], Counter[tuple[str, str]]]:
            tx = Transaction(connection, self.settings.clock())
            answer = work(tx)
            return answer, tx.finish(), tx.counts

        answer, moved, counts = self.database.write(run)
        if moved:
            self.pokes.send(moved)
            if self.notifier is not None:
                self.notifier.send(moved)
        self.metrics.count(counts)
        return answer

    def close(self) -> None:
        if self.notifier is not None:
            self.notifier.close()
        self.database.close()


def open_office(settings: Settings) -> Office:
    """Raises Failure("OFFICE-NOT-READY") when there is no database of this program's version,
    ("OFFICE-DATABASE") when PostgreSQL does not answer, ("OFFICE-FILE") or ("OFFICE-FOLDER") when the file or
    its folder cannot be used."""
    folder = settings.data_dir.absolute()
    if not has_database(settings):
        raise Failure("OFFICE-NOT-READY", f"{folder}: no database; run `back-office init`")
    database = open_database(settings.database_address)
    try:
        revision = database.read(migrations.current)
    except DBAPIError as error:
        database.close()
        raise unusable(settings, error) from None
    if revision != migrations.head():
        database.close()
        raise Failure(
            "OFFICE-NOT-READY", f"{folder}: the database is of another version; run `back-office init`"
        )
    notifier = Notifier(settings.postgresql) if settings.postgresql else None
    metrics = Metrics()
    return Office(settings, database, Pokes(metrics), metrics, notifier)


def has_database(settings: Settings) -> bool:
    """Whether its file is there; PostgreSQL has to be asked. Raises Failure("OFFICE-FOLDER")."""
    try:
        return bool(settings.postgresql) or settings.database.is_file()
    except OSError as error:
        raise no_folder(settings, error) from None


def no_folder(settings: Settings, error: OSError) -> Failure:
    return Failure("OFFICE-FOLDER", f"{settings.data_dir.absolute()}: {error.strerror}")


def unusable(settings: Settings, error: DBAPIError) -> Failure:
    """For IT: of a file its path and what SQLite says; of PostgreSQL nothing that may hold its address."""
    if settings.postgresql:
        return Failure("OFFICE-DATABASE", type(error.orig).__name__)
    said, _, _ = str(error.orig).partition("\n")
    return Failure("OFFICE-FILE", f"{settings.database.absolute()}: {said}")


def is_unusable(error: DBAPIError) -> bool:
    """Whether the world keeps the database from us; any other error of it is a bug of ours."""
    name = getattr(error.orig, "sqlite_errorname", None)  # the driver of PostgreSQL has none
    return isinstance(error, OperationalError) if name is None else name.startswith(FILE_TROUBLE)


def to_json(adapter: TypeAdapter[T], value: T) -> str:
    """The text that is stored and sent for `value`."""
    return adapter.dump_json(value).decode()


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def compact(value: Any) -> str:
    return _encode(value)
