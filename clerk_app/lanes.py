"""Lanes: one named thread each, so that whatever lives on it is touched by nobody else.

The store, the catalogue, the network and the printer have a lane of their own, and so has the desk, where the
use cases of the window run in order. Values that cross are frozen dataclasses; exceptions travel to whoever
waits. The store's lane is a leaf: everybody may wait for it, so it waits for nobody, or two lanes could wait
for each other for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


# The lane of the running thread, for the rule that a leaf waits for nobody.
_on = threading.local()


class LaneClosed(RuntimeError):
    """Work for a lane that takes nothing more: the program ends."""


@dataclass(frozen=True, slots=True)
class _Work:
    future: Future[Any]
    call: Callable[[], Any]


class Lane:
    """One thread that does what it is given, in order.

    The thread is a daemon: a printer that hangs in its driver must not keep the process alive. What must
    not be cut off (the store) is closed by `close`, which waits.
    """

    def __init__(self, name: str, *, leaf: bool = False) -> None:
        self.name = name
        self.leaf = leaf
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=f"lane-{name}", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue `fn` and return at once. Raises LaneClosed after `close`."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise LaneClosed(f"lane {self.name} is closed")
            self._queue.put(_Work(future, lambda: fn(*args, **kwargs)))
        return future

    def run(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `fn` on the lane and wait; directly when the caller is on it already."""
        if self.here:
            return fn(*args, **kwargs)
        waiting = getattr(_on, "lane", None)
        if waiting is not None and waiting.leaf:
            raise AssertionError(f"lane {waiting.name} is a leaf and must not wait for lane {self.name}")
        return self.submit(fn, *args, **kwargs).result()

    @property
    def here(self) -> bool:
        """Whether the caller is on this lane."""
        return threading.current_thread() is self._thread

    def assert_here(self) -> None:
        """Raise AssertionError when the caller is not on this lane: a bug, never the world's fault."""
        if not self.here:
            raise AssertionError(f"on {threading.current_thread().name}, must be on lane {self.name}")

    def close(self, timeout: float = 5.0) -> bool:
        """Finish what is queued, take nothing more and end the thread; False when it is still busy.

        After `timeout` seconds whatever has not begun is cancelled, so that nobody waits for ever.
        """
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        if not self.here:
            self._thread.join(timeout)
            if self._thread.is_alive():
                self._cancel_queued()
        return not self._thread.is_alive()

    def _cancel_queued(self) -> None:
        try:
            while True:
                if (work := self._queue.get_nowait()) is not None:
                    work.future.cancel()
        except Empty:
            self._queue.put(None)  # the stop mark was taken out with the rest

    def _serve(self) -> None:
        _on.lane = self
        while (work := self._queue.get()) is not None:
            if work.future.set_running_or_notify_cancel():
                _do(work)
            del work  # a result or a traceback must not live until the next piece of work


def _do(work: _Work) -> None:
    try:
        result = work.call()
    except BaseException as error:  # whatever it is belongs to the one who waits
        work.future.set_exception(error)
    else:
        work.future.set_result(result)
