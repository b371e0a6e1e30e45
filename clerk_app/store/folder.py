"""The folder of the cache: who may see it, who holds it, what lies in it.

```text
cache.db          the encrypted cache, with cache.db-wal while it is open
cache.key-id      which key it was written with (a fingerprint, not the key)
cache.lock        held by the one process that has the cache open
cache-at-REV.db   encrypted copy from before the last change of schema
cache-damaged-TIME.db   what a damaged cache was rescued from, as it was found
recovery.json     the key, wrapped for the office's recovery key
```
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from clerk_app.failures import Failure
from clerk_app.store.faults import file_faults


def _this_account() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None


class CacheFolder:
    """One cache's folder, locked for this process from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "cache.db"
        self._key_id = path / "cache.key-id"
        self._lock = FileLock(path / "cache.lock", timeout=0, mode=0o600, thread_local=False)

    def take(self, account: int | None = None) -> None:
        """Make the folder, see that it is ours, and lock it.

        `account` is the operating system's number of the account at work, by default the present one.
        Raises Failure STORE-OTHER-ACCOUNT, STORE-IN-USE, STORE-READ-ONLY, STORE-FULL or STORE-IO.
        """
        account = _this_account() if account is None else account
        with file_faults():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if account is not None and self.path.stat().st_uid != account:
                raise Failure("STORE-OTHER-ACCOUNT", "the folder belongs to another account")
            self.path.chmod(0o700)
            try:
                self._lock.acquire()
            except Timeout as error:
                raise Failure("STORE-IN-USE", "another process holds cache.lock") from error

    def release(self) -> None:
        self._lock.release()

    @property
    def empty(self) -> bool:
        """Whether no cache was ever written here: a file without its first page holds nothing."""
        return not self.database.exists() or self.database.stat().st_size == 0

    def prepare_database(self) -> None:
        """See that the file can be written; if there is none, make one that nobody else may read.

        SQLite gives the log the same mode, and says only "unable to open" of a file it may not write.
        """
        with file_faults():
            os.close(os.open(self.database, os.O_CREAT | os.O_RDWR, 0o600))

    def key_id(self) -> str | None:
        """The fingerprint of the key the cache was written with, if it was noted."""
        with file_faults():
            return self._key_id.read_text("ascii").strip() if self._key_id.exists() else None

    def note_key(self, key_id: str) -> None:
        with file_faults():
            write_durably(self._key_id, key_id.encode("ascii"))

    def copy_at(self, revision: str) -> Path:
        """Where the copy of the cache as of schema `revision` goes."""
        return self.path / f"cache-at-{revision}.db"

    def drop_older(self, limit: datetime) -> None:
        """Remove copies and damaged files last written before `limit`."""
        with file_faults():
            for file in (*self.path.glob("cache-at-*.db"), *self.path.glob("cache-damaged-*.db*")):
                if datetime.fromtimestamp(file.stat().st_mtime, UTC) < limit:
                    file.unlink()

    def drop_copies(self, keep: Path) -> None:
        """Remove copies from earlier changes of schema: personal data is not kept without a use."""
        with file_faults():
            for copy in self.path.glob("cache-at-*.db"):
                if copy != keep:
                    copy.unlink()


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step; a power cut leaves the old or the new one."""
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make names created or replaced in `path` survive a power cut (Windows does so by itself)."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
