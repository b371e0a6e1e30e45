"""Identifiers made at the desk: UUID version 7 (RFC 9562), unique without asking anybody, sorted by time."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last = 0


def uuid7() -> str:
    """A new UUIDv7 in its usual text form; within one process each is greater than the one before.

    48 bits of Unix milliseconds, 12 bits of a counter that starts in the lower half of its range (RFC 9562,
    6.2, method 1) and 62 random bits. A clock turned back never makes a smaller one: the counter goes on
    from the highest moment seen.
    """
    global _last  # noqa: PLW0603  the counter is the process's
    noise = int.from_bytes(os.urandom(10), "big")
    with _lock:
        fresh = time.time_ns() // 1_000_000 << 12 | (noise >> 64 & 0x7FF)
        _last = fresh if fresh >> 12 > _last >> 12 else _last + 1
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | (noise & (1 << 62) - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
