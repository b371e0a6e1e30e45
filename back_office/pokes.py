"""Parked long-polls, and the pokes that wake them after a commit.

A poke carries no data, so losing one loses nothing: the window asks again when its wait ends. It knows how
far its scope has come, so one that is late wakes nobody who has been there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from back_office.metrics import Metrics

ScopeKey = tuple[str, str]
"""(hall, name) of a scope; the hall is empty for what all halls share."""

Positions = Mapping[ScopeKey, int]
"""The number of the last change of each scope."""


class Parked:
    """One waiting request: the scopes it asked for, where it has them, and those that had news.

    Ten thousand of them wake at once, so it is a future and a timer, not an event inside a timeout.
    """

    __slots__ = ("_news", "cursors", "poked")

    def __init__(self, cursors: Positions) -> None:
        self.cursors = cursors
        self.poked: set[ScopeKey] = set()
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def wake(self) -> bool:
        """Whether it was not woken before."""
        if self._news.done():
            return False
        self._news.set_result(None)
        return True

    async def wait(self, seconds: float) -> set[ScopeKey]:
        """The poked scopes; empty when the time is over or the office closes."""
        timer = asyncio.get_running_loop().call_later(seconds, self.wake)
        try:
            await self._news
        finally:
            timer.cancel()
        return self.poked


class Pokes:
    """Lives in one event loop; `send` may be called from any thread."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parked: dict[ScopeKey, set[Parked]] = {}
        self._sent: dict[ScopeKey, int] = {}
        self._closed = False

    def open(self) -> None:
        """Bind to the running loop. Before that nobody is parked and `send` does nothing."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Let every parked request go, so that the server can stop. Called inside the loop."""
        self._closed, self._loop = True, None
        for parked in {one for group in self._parked.values() for one in group}:
            parked.wake()

    @contextmanager
    def parked(self, cursors: Positions) -> Iterator[Parked]:
        """Park for the scopes of `cursors`: what has been, or will be, sent behind them wakes the request.

        So nothing is missed between the look at the scopes and here.
        """
        one = Parked(cursors)
        one.poked.update(scope for scope, cursor in cursors.items() if self._sent.get(scope, 0) > cursor)
        if self._closed or one.poked:
            one.wake()
        for scope in cursors:
            self._parked.setdefault(scope, set()).add(one)
        if self._metrics is not None:
            self._metrics.parked(+1)
        try:
            yield one
        finally:
            if self._metrics is not None:
                self._metrics.parked(-1)
            for scope in cursors:
                group = self._parked[scope]
                group.discard(one)
                if not group:
                    del self._parked[scope]

    def reached(self, cursors: Positions) -> bool:
        """Whether everything that was sent is known at `cursors`, as far as can be told without the database.

        May be asked from any thread. A commit of another process that is not heard of yet comes as a poke.
        """
        return all(self._sent.get(scope) == cursor for scope, cursor in cursors.items())

    def count(self, scope: ScopeKey) -> int:
        """How many requests wait for `scope`."""
        return len(self._parked.get(scope, ()))

    def send(self, positions: Positions) -> None:
        """Wake whoever waits for one of these scopes and has not come so far."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, dict(positions))

    def _wake(self, positions: Positions) -> None:
        woken = 0
        for scope, seq in positions.items():
            self._sent[scope] = max(seq, self._sent.get(scope, 0))
            for parked in self._parked.get(scope, ()):
                if parked.cursors[scope] >= seq:
                    continue
                parked.poked.add(scope)
                woken += parked.wake()
        if self._metrics is not None and woken:
            self._metrics.poked(woken)
