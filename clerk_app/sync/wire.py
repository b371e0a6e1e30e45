"""Connections another thread may cut.

A long poll blocks for half a minute and a half-open link for ever. Stopping the program, or abandoning a
cycle that makes no progress, must not wait for either: `Lines.cut` shuts the sockets down and the blocked
call ends with an error at once.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Lines:
    """The open sockets of one client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._cut = False

    def opened(self, line: socket.socket | None) -> None:
        """Remember a new socket. Raises ConnectionAbortedError once the lines are cut."""
        with self._lock:
            if line is not None and not self._cut:
                self._open.add(line)
                return
        raise ConnectionAbortedError("the lines of this client are cut")

    def cut(self) -> None:
        """End every exchange now and allow no other. From any thread, any number of times."""
        with self._lock:
            self._cut = True
            lines = list(self._open)
        for line in lines:
            # The base class's method: the one of an SSL socket takes the cipher from under its reader.
            with suppress(OSError):
                socket.socket.shutdown(line, socket.SHUT_RDWR)


class CuttableAdapter(HTTPAdapter):
    """The transport of `requests` over connections known to `lines`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        lines = self._lines

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                lines.opened(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                lines.opened(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
