"""What a process holds: threads, handles and memory, before and after."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

MOST_MEGABYTES = 48
"""Growth that is not yet a leak: fragments and caches, whatever the number of rounds."""
_WAIT = 3.0


@dataclass(frozen=True, slots=True)
class Held:
    threads: int
    handles: int
    megabytes: float

    def __str__(self) -> str:
        return f"{self.threads} threads, {self.handles} handles, {self.megabytes:.0f} MB"


def held() -> Held:
    """What this process holds now. Linux only: it is read from /proc."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    handles = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Held(threading.active_count(), handles, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


def leaked(before: Held, most_megabytes: float = MOST_MEGABYTES) -> list[str]:
    """What this process holds beyond `before`, in words; threads that are just ending get a moment."""
    end = time.monotonic() + _WAIT
    while (now := held()).threads > before.threads and time.monotonic() < end:
        time.sleep(0.05)
    found = []
    if now.threads > before.threads:
        found.append(f"threads: {sorted(thread.name for thread in threading.enumerate())}")
    if now.handles > before.handles:
        opened = sorted(_target(handle) for handle in Path("/proc/self/fd").iterdir())
        found.append(f"{now.handles - before.handles} handles: {opened}")
    if now.megabytes > before.megabytes + most_megabytes:
        found.append(f"{now.megabytes - before.megabytes:.0f} MB")
    return found


def _target(handle: Path) -> str:
    try:
        return str(handle.readlink())
    except OSError:
        return "gone"
