"""When to try again: full jitter, so that ten thousand windows do not come back in one second.

`U(0, min(60, 1·2ⁿ))` seconds after the n-th failure in a row, never before the office's Retry-After, without
an end: giving up is how a case gets stuck in an outbox.
"""

from __future__ import annotations

from collections.abc import Callable

BASE = 1.0
CAP = 60.0


class Backoff:
    """Counts failures in a row. `random` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0

    @property
    def failures(self) -> int:
        return self._failures

    def failed(self, retry_after: float | None = None) -> float:
        """Seconds to wait before the next attempt."""
        # 2⁶ is already past the cap; the bound keeps a week of failures from making a number of a page.
        ceiling: float = min(CAP, BASE * 2.0 ** min(self._failures, 6))
        self._failures += 1
        jitter = self._random() * ceiling
        # A fleet told to come back at one moment is spread after it.
        return jitter if retry_after is None else retry_after + jitter

    def reset(self) -> None:
        self._failures = 0
