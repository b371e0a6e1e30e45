"""Brings the catalogue file in the background: at the start, when it may have changed, and once an hour.

A thread of its own: a long download over a thin line must not hold up a single case.
"""

from __future__ import annotations

import random as random_numbers
import threading
from collections.abc import Callable

from clerk_app.failures import Failure
from clerk_app.sync.backoff import Backoff
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.transport import OfficeFailure

HOUR = 3600.0
STOP_SECONDS = 2.0


class CatalogueCourier:
    """Calls `fetch(client, beat)` (a `fetch_catalogue` with its arguments bound) until it succeeds.

    `on_fetched` is told when a new catalogue was installed, `on_trouble` every failure; both on this thread.
    """

    def __init__(
        self,
        fetch: Callable[[OfficeClient, Callable[[], None]], bool],
        connect: Callable[[], OfficeClient],
        *,
        on_fetched: Callable[[], None],
        on_trouble: Callable[[Failure], None],
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        self._fetch = fetch
        self._on_fetched = on_fetched
        self._on_trouble = on_trouble
        self._backoff = Backoff(random)
        self._client = connect()
        self._stopping = threading.Event()
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="sync-catalogue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> None:
        """The catalogue may have changed. After a failure it waits for its turn."""
        self._wanted.set()

    def stop(self) -> None:
        """End the thread; a download under way is cut and goes on next time."""
        self._stopping.set()
        self._wanted.set()
        self._client.cut()
        self._thread.join(STOP_SECONDS)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                if self._fetch(self._client, self._check):
                    self._on_fetched()
            except Failure as failure:
                if not self._stopping.is_set():
                    self._on_trouble(failure)
                    retry_after = failure.retry_after if isinstance(failure, OfficeFailure) else None
                    self._stopping.wait(self._backoff.failed(retry_after))
            else:
                self._backoff.reset()
                self._wanted.wait(HOUR)
        self._client.close()

    def _check(self) -> None:
        if self._stopping.is_set():
            raise Failure("SYNC-OFFLINE", "stopping")
