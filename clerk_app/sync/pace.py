"""How much one message carries, by how long the last ones took.

A message that takes minutes on a thin line breaks before it has arrived, and the next attempt begins anew:
without shorter ones nothing would ever get through. Each answer tells whether more may go at once.
"""

from __future__ import annotations

QUICK = 2.0
"""Seconds within which the next message may be twice as long."""
LONG = 6.0
"""Seconds beyond which the next one is half as long, before one is given up after fifteen."""


class Pace:
    """How many entries go at once, at most `most`; `first` of them to begin with, `most` when None."""

    def __init__(self, most: int, first: int | None = None) -> None:
        self._most = most
        self._limit = most if first is None else first

    @property
    def limit(self) -> int:
        return self._limit

    @property
    def share(self) -> float:
        """Of what a good link carries."""
        return self._limit / self._most

    def took(self, seconds: float) -> None:
        """An answer came after `seconds`."""
        if seconds <= QUICK:
            self._limit = min(self._most, self._limit * 2)
        elif seconds > LONG:
            self._limit = max(1, self._limit // 2)

    def failed(self, entries: int | None = None) -> None:
        """No answer came to a message of so many entries; all it may carry when None."""
        self._limit = max(1, (self._limit if entries is None else min(entries, self._limit)) // 2)
