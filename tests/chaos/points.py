"""Named points at which a process kills itself, as a power cut would: no handler runs, nothing is finished.

A point is "name", "name:n" for the n-th time, or "name:n:words" where words are part of what is asked.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

WINDOW = (
    "writing",  # a transaction of the cache has done all its work and is not committed
    "written",  # it is on the disk, and nobody has been told
    "asking",  # a call to the office is about to be sent
    "asked",  # the office has answered, and nothing of it is kept
    "printing",  # a slip is about to go to the printer
    "printed",  # it is on paper, and the store does not know
)
OFFICE = ("office-writing", "office-written")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """Calls `die` the n-th time it is reached; from any thread."""

    def __init__(self, times: int) -> None:
        self._left = times
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            die()


def arm(point: str) -> None:
    """Prepare this process to die at `point`; before anything of the product is opened."""
    if not point:
        return
    name, _, rest = point.partition(":")
    times, _, words = rest.partition(":")
    count = Countdown(int(times or 1))
    match name:
        case "writing" | "written":
            from clerk_app.store.cache import SqlStore

            _around(SqlStore, "_transact", _in_transaction(count, before=name == "writing"))
        case "asking" | "asked":
            from clerk_app.sync.transport import Transport

            _around(Transport, "ask", _in_call(count, words, before=name == "asking"))
        case "printing" | "printed":
            from clerk_app.desk import printing

            _around(printing, "_print", _in_print(count, before=name == "printing"))
        case "office-writing" | "office-written":
            from back_office.db import Database

            _around(Database, "write", _in_office(count, before=name == "office-writing"))
        case _:
            raise ValueError(point)


Wrapper = Callable[..., Any]


def _around(owner: Any, name: str, make: Callable[[Wrapper], Wrapper]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def _in_transaction(count: Countdown, *, before: bool) -> Callable[[Wrapper], Wrapper]:
    def make(transact: Wrapper) -> Wrapper:
        def mortal(store: Any, work: Wrapper, finish: Wrapper) -> Any:
            if finish != store._connection.commit:
                return transact(store, work, finish)

            def end() -> None:
                if before:
                    count()
                finish()
                if not before:
                    count()

            return transact(store, work, end)

        return mortal

    return make


def _in_call(count: Countdown, words: str, *, before: bool) -> Callable[[Wrapper], Wrapper]:
    def make(ask: Wrapper) -> Wrapper:
        def mortal(transport: Any, method: str, path: str, *args: Any, **kwargs: Any) -> Any:
            if words not in path:
                return ask(transport, method, path, *args, **kwargs)
            if before:
                count()
            answer = ask(transport, method, path, *args, **kwargs)
            if not before:
                count()
            return answer

        return mortal

    return make


def _in_print(count: Countdown, *, before: bool) -> Callable[[Wrapper], Wrapper]:
    def make(print_: Wrapper) -> Wrapper:
        def mortal(*args: Any) -> Any:
            if before:
                count()
            result = print_(*args)
            if not before:
                count()
            return result

        return mortal

    return make


def _in_office(count: Countdown, *, before: bool) -> Callable[[Wrapper], Wrapper]:
    def make(write: Wrapper) -> Wrapper:
        def mortal(database: Any, work: Wrapper) -> Any:
            def worked(connection: Any) -> Any:
                result = work(connection)
                if before:
                    count()
                return result

            result = write(database, worked)
            if not before:
                count()
            return result

        return mortal

    return make
