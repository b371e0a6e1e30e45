"""The encrypted cache of one workstation: open it, work in it, close it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from clerk_app.desk.ports import Transaction
from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.store import schema, vault
from clerk_app.store.engine import cache_engine, check_sqlite
from clerk_app.store.faults import file_faults, sqlite_faults
from clerk_app.store.folder import CacheFolder
from clerk_app.store.transaction import SqlTransaction

T = TypeVar("T")

_log = logging.getLogger(__name__)

CHECKPOINT_ROWS = 1000
"""After how many changed rows the log is copied into the database, between two transactions.

The log keeps its length and is written from its start again: a commit that does not make the file longer
is the cheaper one to bring to the disk.
"""

RESERVE = 16 * 1024 * 1024
"""Bytes of disk that new cases and pages leave for answers, facts and audit of what is already here."""


class SqlStore:
    """Implements `desk.ports.Store` on one SQLCipher connection that lives on the store's lane."""

    def __init__(self, lane: Lane, engine: Engine, key: bytes, folder: CacheFolder | None) -> None:
        """Connect. Use `open` or `in_memory`; this runs on `lane`, whose thread owns the connection."""
        lane.assert_here()
        self.lane = lane
        self._engine = engine
        self._folder = folder
        self._identity_key = vault.identity_key(key)
        self._connection: Connection = engine.connect()
        driver = self._connection.connection.driver_connection
        assert driver is not None
        self._driver = driver
        self._checkpointed: int = driver.total_changes

    @classmethod
    def open(cls, path: Path, source: vault.KeySource) -> SqlStore:
        """Open the cache in the folder `path`, made on first use, and bring its tables up to date.

        Raises Failure: STORE-OLD-SQLITE, STORE-OTHER-ACCOUNT, STORE-IN-USE, STORE-NO-KEYRING,
        STORE-KEYRING-LOCKED, STORE-KEY-LOST, STORE-WRONG-KEY, STORE-DAMAGED, STORE-NEWER, STORE-READ-ONLY,
        STORE-FULL, STORE-IO. Nothing stays open or locked after one.
        """
        check_sqlite()
        folder = CacheFolder(path)
        folder.take()
        lane = Lane("store", leaf=True)
        try:
            return lane.run(cls._open, lane, folder, source)
        except BaseException:
            lane.close()
            folder.release()
            raise

    @classmethod
    def examine(cls, path: Path, source: vault.KeySource, work: Callable[[Transaction], T]) -> T | None:
        """What `work` reads of a cache that no window has open; None when none was made yet.

        Its pages are verified; its tables stay as they are, also when a newer program would change them.
        Raises what `open` raises. Nothing stays open or locked.
        """
        check_sqlite()
        folder = CacheFolder(path)
        if not path.is_dir() or folder.empty:
            return None
        folder.take()
        lane = Lane("store", leaf=True)
        try:
            return lane.run(cls._examine, lane, folder, source, work)
        finally:
            lane.close()
            folder.release()

    @classmethod
    def _examine(
        cls, lane: Lane, folder: CacheFolder, source: vault.KeySource, work: Callable[[Transaction], T]
    ) -> T:
        key = source.key(create=False)
        folder.prepare_database()
        noted = folder.key_id()
        if noted is not None and noted != vault.fingerprint(key):
            raise Failure("STORE-WRONG-KEY", "the cache was written with another key")
        engine = cache_engine(folder.database, key)
        try:
            store = cls._connect(lane, engine, key, folder, noted)
            store._check_pages()
            with sqlite_faults():
                schema.check_known(store._connection)
            return store._read(work)
        finally:
            engine.dispose()

    @classmethod
    def in_memory(cls) -> SqlStore:
        """A cache that is never on a disk and ends with `close`: for tests and simulation."""
        check_sqlite()
        lane = Lane("store", leaf=True)
        key = bytes(vault.KEY_BYTES)

        def connect() -> SqlStore:
            store = cls(lane, cache_engine(None, key), key, None)
            schema.upgrade(store._connection, None)
            return store

        return lane.run(connect)

    @classmethod
    def _open(cls, lane: Lane, folder: CacheFolder, source: vault.KeySource) -> SqlStore:
        fresh = folder.empty
        key = source.key(create=fresh)
        if fresh:
            folder.note_key(vault.fingerprint(key))
        folder.prepare_database()
        noted = folder.key_id()
        if noted is not None and noted != vault.fingerprint(key):
            raise Failure("STORE-WRONG-KEY", "the cache was written with another key")
        engine = cache_engine(folder.database, key)
        try:
            store = cls._connect(lane, engine, key, folder, noted)
            store._check_pages()
            with sqlite_faults():
                schema.upgrade(store._connection, folder)
        except BaseException:
            engine.dispose()
            raise
        if noted is None:
            folder.note_key(vault.fingerprint(key))
        return store

    @classmethod
    def _connect(
        cls, lane: Lane, engine: Engine, key: bytes, folder: CacheFolder, noted: str | None
    ) -> SqlStore:
        """The store on its first connection, which reads page 1 and so needs the right key."""
        try:
            with sqlite_faults():
                return cls(lane, engine, key, folder)
        except Failure as failure:
            if failure.code == "STORE-DAMAGED" and noted is None:
                raise Failure("STORE-WRONG-KEY", "page 1 does not decrypt") from failure
            raise

    def write(self, work: Callable[[Transaction], T]) -> T:
        """All of `work` in one transaction that is on the disk when this returns; or nothing of it."""
        return self.lane.run(self._write, work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        """`work` on one consistent state. Raises RuntimeError, a bug, when it writes."""
        return self.lane.run(self._read, work)

    def check_room(self) -> None:
        """Raise Failure("STORE-FULL") when less than `RESERVE` is left on the disk. From any thread.

        New work is refused before it takes a number; what is here can still be sent and answered.
        """
        if self._folder is None:
            return
        with file_faults():
            free = shutil.disk_usage(self._folder.path).free
        if free < RESERVE:
            raise Failure("STORE-FULL", f"{free // 1024} KB left")

    def tidy(self, limit: datetime) -> None:
        """After a purge: empty the log, and remove the copies of the cache that are older than `limit`.

        Personal data is not kept in a second place longer than in the first.
        """
        self.lane.run(self._tidy, limit)

    def close(self) -> None:
        """Finish what is queued, fold the log into the database and let the folder go."""
        self.lane.run(self._close)
        self.lane.close()
        if self._folder is not None:
            self._folder.release()

    def _write(self, work: Callable[[Transaction], T]) -> T:
        with sqlite_faults():
            result = self._transact(work, self._connection.commit)
        if self._driver.total_changes - self._checkpointed >= CHECKPOINT_ROWS:
            self._checkpointed = self._driver.total_changes
            self.lane.submit(self._checkpoint)
        return result

    def _read(self, work: Callable[[Transaction], T]) -> T:
        before = self._driver.total_changes
        with sqlite_faults():
            result = self._transact(work, self._connection.rollback)
        if self._driver.total_changes != before:
            raise RuntimeError("a read must not write")
        return result

    def _transact(self, work: Callable[[Transaction], T], finish: Callable[[], None]) -> T:
        if self._connection.in_transaction():
            raise RuntimeError("a transaction is open on this lane: use its repositories")
        self._connection.begin()
        transaction = SqlTransaction(self._connection, self._identity_key)
        try:
            result = work(transaction)
            finish()
        except BaseException:
            self._roll_back()
            raise
        finally:
            transaction.end()
        return result

    def _roll_back(self) -> None:
        """Undo everything, also when it was the commit that failed and SQLAlchemy thinks it is over."""
        self._connection.rollback()
        if self._driver.in_transaction:
            self._driver.rollback()

    def _check_pages(self) -> None:
        """Verify the HMAC of every page: about 3 ms a megabyte. Raises Failure("STORE-DAMAGED").

        The check reads the file and not the log. A cut of the power while the log was being copied leaves
        half-written pages there that are whole in the log: copying it once more mends them.
        """
        self._checkpoint()
        with sqlite_faults():
            if bad := self._driver.execute("PRAGMA cipher_integrity_check").fetchmany(1):
                raise Failure("STORE-DAMAGED", bad[0][0])

    def _checkpoint(self) -> None:
        if self._connection.closed:
            return
        try:
            with sqlite_faults():
                self._driver.execute("PRAGMA wal_checkpoint(RESTART)")
        except Failure as failure:
            _log.warning("checkpoint put off: %s", failure)  # nothing is lost: the log goes on

    def _tidy(self, limit: datetime) -> None:
        with sqlite_faults():
            self._driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if self._folder is not None:
            self._folder.drop_older(limit)

    def _close(self) -> None:
        self._connection.close()
        self._engine.dispose()
