"""Work that must not block the window: coroutines on the Qt loop, blocking calls on their lanes.

This is the only place that knows asyncio. Every task is held until it is done (qasync keeps none), and
every task ends in one of three ways: it worked, the world failed (`Failure`: a banner where the hand is), or
we have a bug (logged with its place, and a notice).
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Camera, PhotoDecoder
from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.ui.services import Lanes, Services

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[Concatenate[Desk, P], T]

log = logging.getLogger(__name__)


class Place(Protocol):
    """Where the outcome of an act is told."""

    def tell_failure(self, failure: Failure) -> None: ...
    def tell_bug(self, name: str) -> None: ...
    def tell_worked(self) -> None: ...


class Actions(QObject):
    """Starts acts and hands blocking calls to their lanes.

    Signals: busy(name of an act, whether it runs), rested (nothing is under way any more).
    """

    busy = Signal(str, bool)
    rested = Signal()

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.desk: Desk = services.desk
        self.camera: Camera | None = services.camera
        self.decode_photo: PhotoDecoder | None = services.decode_photo
        self._lanes: Lanes = services.lanes
        self._loop = services.loop
        self._running: dict[asyncio.Task[object], str] = {}
        self._aside: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, object], place: Place, name: str = "") -> None:
        """Do `work`; tell its failure at `place`. A named act that already runs is not begun twice."""
        if name and name in self._running.values():
            work.close()
            return
        self._begin(self._acted(work, place, name), name)
        if name:
            self.busy.emit(name, True)

    def look(self, work: Coroutine[Any, Any, object], place: Place) -> None:
        """Read something again in the background: a failure is told, success takes no message away."""
        self._begin(self._guarded(work, place, "look"), "")

    def aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what nobody waits for: neither resting nor closing does, and nothing of it is told."""
        task = self._loop.create_task(self._unseen(work))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def at_desk(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.desk, call, *args, **kwargs)

    async def network(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.network, call, *args, **kwargs)

    async def catalogue(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.catalogue, call, *args, **kwargs)

    async def printer(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.printer, call, *args, **kwargs)

    async def scanner(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.scanner, call, *args, **kwargs)

    async def photo(self, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._on(self._lanes.photo, call, *args, **kwargs)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return not self._running

    def close(self) -> None:
        """Cancel what still waits for an answer; what a lane has begun it finishes by itself."""
        for task in (*self._running, *self._aside):
            task.cancel()

    async def _on(self, lane: Lane, call: Call[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = lane.submit(call, self.desk, *args, **kwargs)
        return await asyncio.wrap_future(future, loop=self._loop)

    def _begin(self, work: Coroutine[Any, Any, object], name: str) -> None:
        task = self._loop.create_task(work)
        self._running[task] = name
        task.add_done_callback(self._done)

    async def _acted(self, work: Coroutine[Any, Any, object], place: Place, name: str) -> None:
        if await self._guarded(work, place, name):
            place.tell_worked()

    async def _guarded(self, work: Coroutine[Any, Any, object], place: Place, name: str) -> bool:
        """Await `work` and tell what went wrong; whether it worked."""
        try:
            await work
        except Failure as failure:
            log.warning("act %s failed: %s", name or "-", failure.code)
            place.tell_failure(failure)
        except Exception as bug:  # a bug of ours: told and logged, the window goes on
            place.tell_bug(_logged(name, bug))
        else:
            return True
        return False

    async def _unseen(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as bug:
            _logged("aside", bug)

    def _done(self, task: asyncio.Task[object]) -> None:
        name = self._running.pop(task, "")
        if name:
            self.busy.emit(name, False)
        if not self._running:
            self.rested.emit()


def _logged(name: str, bug: Exception) -> str:
    """Log the lines of code a bug came through, without its message: that may hold what a citizen told us."""
    kind = type(bug).__name__
    log.error("act %s broke: %s\n%s", name or "-", kind, "".join(traceback.format_tb(bug.__traceback__)))
    return kind
