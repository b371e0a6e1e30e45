"""The window of the property tests: its real cache, in a folder that is copied instead of made."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from clerk_app.desk.ports import Device
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey

KEY = GivenKey(bytes(range(32)))


def _scratch() -> Path:
    """A folder for the run, in memory where the machine offers that: each commit waits for the disk."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else None))
    atexit.register(shutil.rmtree, folder)
    return folder


@cache
def _template() -> Path:
    """A new cache, made once: its migrations take longer than most of what a test does."""
    folder = _scratch() / "cache"
    SqlStore.open(folder, KEY).close()
    return folder


class CopiedCache(SqlStore):
    """A cache that can be copied as a thief of disks would, and whose folder goes with it."""

    def copied(self) -> CopiedCache:
        """A second cache of the same workstation, as of its last commit."""
        assert self._folder is not None
        self.read(lambda tx: None)  # what is queued on the lane is done
        target = Path(tempfile.mkdtemp(dir=_template().parent)) / "cache"
        shutil.copytree(self._folder.path, target)
        return CopiedCache.open(target, KEY)

    def close(self) -> None:
        super().close()
        assert self._folder is not None
        shutil.rmtree(self._folder.path.parent)


def new_cache(device: Device) -> CopiedCache:
    """The fresh cache of a workstation that was enrolled as `device`."""
    target = Path(tempfile.mkdtemp(dir=_template().parent)) / "cache"
    shutil.copytree(_template(), target)
    cache = CopiedCache.open(target, KEY)
    cache.write(lambda tx: tx.meta.set_device(device))
    return cache


def a_device(epoch: int = 1, queue: str = "A") -> Device:
    """What a window is enrolled as where no office takes part."""
    return Device("dev-1", epoch, "MY01", "绵阳市民中心（测试）", "Test hall", "510700", "1", queue)
