"""A damaged cache: what can still be read goes into a new one, the rest comes from the office again.

SQLCipher refuses every page whose HMAC does not hold, and a connection that met one reads nothing more. So
each table is read row by row in the order it was written, past the damage with a new connection. What mirrors
the office (queue, lost cards, cursors of the feed) is left out: the next sync brings it whole.

The damaged file stays as it was found, encrypted, under a name of its own (see `folder`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2

from clerk_app.domain import numbering
from clerk_app.failures import Failure
from clerk_app.store import schema, vault
from clerk_app.store.engine import cache_engine, check_sqlite
from clerk_app.store.faults import file_faults, sqlite_faults
from clerk_app.store.folder import CacheFolder, sync_folder
from clerk_app.store.tables import metadata

_MIRRORS = frozenset({"tickets", "lost_cards", "feed_cursors"})
_IDENTITY = ("device", "facts", "number_blocks", "outbox")
"""Tables that must be whole for this workstation to go on under its epoch: a block read without its `next`
gives numbers twice, and a command that is missing leaves a gap the office waits at."""

_CHAIN = "audit"
"""Taken whole or not at all: a chain with a hole could never be verified again, and the office has the links
it was sent."""

_NUMBERED = frozenset({"device", "number_blocks", "receipts"})
"""Without these whole nobody knows which numbers were given out, or which cases left as they should."""

_PROBES = 1000
"""How far past the last row that could be read another is looked for."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged cache: rows read by table, and where the damaged file is.

    `partly` names the tables that could not be read to the end; how many rows they had, nobody can say. Of
    cases there are the numbers that were given out: `cases_missing` are those of which no case and no receipt
    is left, None where that cannot be known. With `enrol_again` the workstation has no epoch any more: unsent
    commands get new sequence numbers and the old blocks are void when IT enrols it.
    """

    rows: dict[str, int]
    partly: tuple[str, ...]
    cases_missing: int | None
    kept_as: Path
    enrol_again: bool
    new_audit_chain: bool


def salvage(path: Path, source: vault.KeySource, at: datetime) -> Salvaged | None:
    """Make a new cache in the folder `path` of what the present one still holds; None when it is whole.

    A kill at any point leaves the damaged cache or the new one. Failures: those of opening a cache;
    SETTINGS-NOT-ENROLLED when there is none; and STORE-DAMAGED when not even the names of the tables can be
    read, which are in the first pages.
    """
    check_sqlite()
    folder = CacheFolder(path)
    if not path.is_dir() or folder.empty:
        raise Failure("SETTINGS-NOT-ENROLLED", "there is no cache")
    folder.take()
    try:
        key = source.key(create=False)
        noted = folder.key_id()
        if noted is not None and noted != vault.fingerprint(key):
            raise Failure("STORE-WRONG-KEY", "the cache was written with another key")
        with sqlite_faults():
            _fold_log(folder.database, key)
        return None if _whole(folder.database, key) else _salvage(folder, key, at)
    finally:
        folder.release()


def _salvage(folder: CacheFolder, key: bytes, at: datetime) -> Salvaged:
    part = folder.path / "cache-new.db"
    with file_faults():
        for left in folder.path.glob(f"{part.name}*"):  # of a salvage that was cut
            left.unlink()
        part.touch(mode=0o600)
    rows: dict[str, int] = {}
    partly: list[str] = []
    engine = cache_engine(part, key)
    try:
        with sqlite_faults(), engine.connect() as connection:
            schema.upgrade(connection, None)
            driver: Any = connection.connection.driver_connection
            driver.execute("BEGIN")
            for table in metadata.sorted_tables:
                if table.name not in _MIRRORS:
                    rows[table.name], whole = _copy(folder.database, key, driver, table.name)
                    partly += [] if whole else [table.name]
            again = any(name in partly for name in _IDENTITY)
            fresh_chain = _CHAIN in partly
            missing = None if _NUMBERED.intersection(partly) else _cases_missing(driver)
            _settle(driver, enrol_again=again, fresh_chain=fresh_chain)
            driver.execute("COMMIT")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()
    kept = folder.path / f"cache-damaged-{at:%Y%m%d-%H%M%S}.db"
    with file_faults():
        _keep(folder.database, kept)
        os.utime(kept, (at.timestamp(), at.timestamp()))  # its days begin now (`CacheFolder.drop_older`)
        part.replace(folder.database)
        sync_folder(folder.path)
    return Salvaged(rows, tuple(sorted(partly)), missing, kept, again, fresh_chain)


def _whole(database: Path, key: bytes) -> bool:
    """Whether every page is as it was written, and all of them hang together."""
    source = _Source(database, key)
    try:
        return source.whole()
    finally:
        source.close()


def _fold_log(database: Path, key: bytes) -> None:
    """Bring what was committed last from the log into the file; pages are moved as they are."""
    engine = cache_engine(database, key)
    try:
        with engine.connect() as connection:
            with suppress(DBAPIError):  # its page may be the damaged one
                schema.check_known(connection)
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        engine.dispose()


def _copy(database: Path, key: bytes, target: Any, table: str) -> tuple[int, bool]:
    """Rows of `table` that were copied, and whether it could be read to its end."""
    source = _Source(database, key)
    try:
        known = {str(row[1]) for row in target.execute(f"PRAGMA table_info({table})")}
        try:
            names = [name for name in source.columns(table) if name in known]
        except dbapi2.Error:
            return 0, False
        marks = ", ".join("?" * len(names))
        # Names of tables and columns are the program's own.
        insert = f"INSERT OR IGNORE INTO {table} ({_list(names)}) VALUES ({marks})"  # noqa: S608
        copied, whole = 0, True
        chain: list[tuple[Any, ...]] = []
        for row in source.rows(table, names):
            if row is None:
                whole = False
            elif table == _CHAIN:
                chain.append(row)
            else:
                target.execute(insert, row)
                copied += 1
        if chain and whole:
            copied = len(chain)
            target.executemany(insert, chain)
        return copied, whole
    finally:
        source.close()


class _Source:
    """The damaged cache, read over one connection after another."""

    def __init__(self, database: Path, key: bytes) -> None:
        self._database = database
        self._key = key
        self._connection = self._open()

    def whole(self) -> bool:
        try:
            if self._connection.execute("PRAGMA cipher_integrity_check").fetchmany(1):
                return False
            return bool(self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
        except dbapi2.Error:
            return False

    def columns(self, table: str) -> list[str]:
        return [str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})")]

    def rows(self, table: str, names: list[str]) -> Iterator[tuple[Any, ...] | None]:
        """Every row that can be read, and None for every place that cannot."""
        chosen = f"SELECT rowid, {_list(names)} FROM {table} NOT INDEXED WHERE rowid"  # noqa: S608
        last = self._last(table)
        at = 0
        while True:
            try:
                for row in self._connection.execute(f"{chosen} > ? ORDER BY rowid", (at,)):
                    at = row[0]
                    yield row[1:]
            except dbapi2.Error:
                self._reopen()
            else:
                return
            missing = 0
            for place in range(at + 1, (at + _PROBES if last is None else last) + 1):
                at = place
                try:
                    row = self._connection.execute(f"{chosen} = ?", (place,)).fetchone()
                except dbapi2.Error:
                    self._reopen()
                    missing += 1
                    continue
                if row is not None:
                    yield from [None] * missing
                    yield row[1:]
                    break
            else:
                # The end: how many rows there were is known only when the last one was.
                yield from [None] * (missing if last is not None else min(missing, 1))
                return

    def close(self) -> None:
        self._connection.close()

    def _last(self, table: str) -> int | None:
        try:
            highest = self._connection.execute(f"SELECT max(rowid) FROM {table}").fetchone()  # noqa: S608
            return int(highest[0] or 0)
        except dbapi2.Error:
            self._reopen()
            return None

    def _open(self) -> Any:
        connection = dbapi2.connect(str(self._database), isolation_level=None)
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{self._key.hex()}'\"")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _reopen(self) -> None:
        self._connection.close()
        self._connection = self._open()


def _settle(target: Any, *, enrol_again: bool, fresh_chain: bool) -> None:
    """Make what was read hold together."""
    target.execute("DELETE FROM print_jobs WHERE case_id NOT IN (SELECT id FROM cases)")
    if enrol_again:
        target.execute("DELETE FROM device")
    if fresh_chain:
        target.execute("DELETE FROM facts WHERE key LIKE 'audit\\_%' ESCAPE '\\'")


def _cases_missing(target: Any) -> int:
    """How many numbers were given out here of which neither a case nor a receipt was read.

    A number is taken in the transaction that writes its case, and a case that leaves leaves a receipt. Blocks
    of earlier epochs are marked as used up to their end: only those of the present one tell what was taken.
    """
    present = "SELECT low, next FROM number_blocks WHERE epoch = (SELECT epoch FROM device)"
    taken = {serial for low, after in target.execute(present) for serial in range(low, after)}
    filings = target.execute("SELECT body FROM outbox WHERE type = 'case.file'")
    numbers = (json.loads(body).get("number") for (body,) in filings)
    taken |= {numbering.serial(number) for number in numbers if number}
    left = target.execute("SELECT number FROM cases UNION SELECT number FROM receipts")
    return len(taken - {numbering.serial(number) for (number,) in left})


def _keep(database: Path, name: Path) -> None:
    """A second name for the damaged file, so that it is never without one."""
    try:
        os.link(database, name)
    except OSError:  # a file system without links
        shutil.copy2(database, name)


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
