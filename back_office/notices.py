"""Pokes between the processes of an office on PostgreSQL: NOTIFY after the commit, LISTEN on its own line.

A NOTIFY inside a transaction makes every commit of the server wait in one queue, so it is sent after the
commit, and what gathers while one is on its way goes with the next. A poke that is lost (a worker killed
between the two) delays a window until its wait ends and loses nothing. Listening needs a direct connection:
a pooler that lends a connection for one transaction forgets who listened.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from back_office import logs
from back_office.db import connect, parameters
from back_office.pokes import Positions, ScopeKey

if TYPE_CHECKING:
    import psycopg

CHANNEL = "back_office_pokes"
MAX_PAYLOAD = 7_500
"""Bytes; PostgreSQL takes less than 8000."""

AGAIN_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0


class Notifier:
    """Tells the other processes which scopes moved, and how far; its thread starts with the first news."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._waiting: dict[ScopeKey, int] = {}
        self._news = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def send(self, positions: Positions) -> None:
        """Called after the commit; returns at once."""
        with self._news:
            for scope, seq in positions.items():
                self._waiting[scope] = max(seq, self._waiting.get(scope, 0))
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="office-notices", daemon=True)
                self._thread.start()
            self._news.notify()

    def close(self) -> None:
        """Send what waits, then end."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        import psycopg

        connection: psycopg.Connection[Any] | None = None
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    break
                positions, self._waiting = self._waiting, {}
            try:
                if connection is None or connection.closed:
                    connection = connect(self._address, autocommit=True)
                for text in payloads(positions):
                    connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, text))
            except psycopg.Error as error:
                logs.error("notify", error)
                connection = None
        if connection is not None:
            connection.close()


def payloads(positions: Positions) -> Iterator[str]:
    """[[hall, name, seq], …] as JSON, in pieces short enough for one NOTIFY each."""
    page: list[tuple[str, str, int]] = []
    size = 2
    for scope in sorted(positions):
        moved = (*scope, positions[scope])
        length = len(json.dumps(moved)) + 2
        if page and size + length > MAX_PAYLOAD:
            yield json.dumps(page)
            page, size = [], 2
        page.append(moved)
        size += length
    if page:
        yield json.dumps(page)


async def listen(address: str, heard: Callable[[Positions], None], listening: Callable[[bool], None]) -> None:
    """Hand on what other processes notify, until cancelled. `listening` tells when the line is up or down.

    Down means: nobody hears the pokes, look at the positions instead. After a cut the line is made anew.
    """
    while True:
        try:
            await _listen_once(address, heard, listening)
        except Exception as error:  # of the server, or a notice of somebody else that cannot be read
            logs.error("listen", error)
        finally:
            listening(False)
        await asyncio.sleep(AGAIN_SECONDS)


async def _listen_once(
    address: str, heard: Callable[[Positions], None], listening: Callable[[bool], None]
) -> None:
    import psycopg

    told = parameters(address) | {"application_name": "back-office listening"}
    line = await psycopg.AsyncConnection.connect(**told, autocommit=True)
    async with line:
        await line.execute(f"LISTEN {CHANNEL}")
        listening(True)
        while True:
            async for notice in line.notifies(timeout=HEARTBEAT_SECONDS):
                heard({(hall, name): seq for hall, name, seq in json.loads(notice.payload)})
            await line.execute("SELECT 1")  # half-open lines say nothing else
