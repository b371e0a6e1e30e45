"""Parked long-polls, and the pokes that wake them after a commit.

A poke carries no data, so losing one loses nothing: the window asks again when its wait ends. It knows how
far its scope has come, so one that is late wakes nobody who has been there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from back_office.metrics import Metrics

ScopeKey = tuple[str, str]
"""(hall, name) of a scope; the hall is empty for what all halls share."""

Positions = Mapping[ScopeKey, int]
"""The number of the last change of each scope."""


@dataclass(slots=True, eq=False)
class Parked:
    """One waiting request: the scopes it asked for, where it has them, and those that had news."""

    cursors: Positions
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    poked: set[ScopeKey] = field(default_factory=set)

    async def wait(self, seconds: float) -> set[ScopeKey]:
        """The poked scopes; empty when the time is over or the office closes."""
        try:
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        except TimeoutError:
            return set()
        return self.poked


class Pokes:
    """Lives in one event loop; `send` may be called from any thread."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics
        self._loop: asyncio.AbstractEventLoop | None = None
        self._parked: dict[ScopeKey, set[Parked]] = {}
        self._closed = False

    def open(self) -> None:
        """Bind to the running loop. Before that nobody is parked and `send` does nothing."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """Let every parked request go, so that the server can stop. Called inside the loop."""
        self._closed, self._loop = True, None
        for parked in {one for group in self._parked.values() for one in group}:
            parked.woken.set()

    @contextmanager
    def parked(self, cursors: Positions) -> Iterator[Parked]:
        """Park for the scopes of `cursors`: what is committed behind them from here on wakes the request."""
        one = Parked(cursors)
        if self._closed:
            one.woken.set()
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

    def send(self, positions: Positions) -> None:
        """Wake whoever waits for one of these scopes and has not come so far."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, dict(positions))

    def _wake(self, positions: Positions) -> None:
        woken = 0
        for scope, seq in positions.items():
            for parked in self._parked.get(scope, ()):
                if parked.cursors[scope] >= seq:
                    continue
                woken += not parked.woken.is_set()
                parked.poked.add(scope)
                parked.woken.set()
        if self._metrics is not None and woken:
            self._metrics.poked(woken)
