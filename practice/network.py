"""A network cable for the practice hall: forwards the window's connections, and can be pulled."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType


class Cable:
    """A TCP forwarder on loopback between the window and the practice office.

    `pull()` closes what is open and refuses what comes, as a dead network does; `plug()` lets it through.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._plugged = True
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept, "practice-cable")

    @property
    def url(self) -> str:
        """Where the window finds the office through this cable."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def plugged(self) -> bool:
        return self._plugged

    def pull(self) -> None:
        with self._lock:
            self._plugged = False
            for connection in self._open:
                _shut(connection)

    def plug(self) -> None:
        self._plugged = True

    def close(self) -> None:
        self.pull()
        _shut(self._listener)
        self._listener.close()
        for thread in self._threads:
            thread.join(2)

    def __enter__(self) -> Cable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _spawn(self, work: Callable[..., None], name: str, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name=name, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive() or t.ident is None]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._spawn(self._carry, "practice-call", near)

    def _carry(self, near: socket.socket) -> None:
        with near:
            if not self._plugged:
                return
            try:
                far = socket.create_connection(self._target, timeout=5)
            except OSError:
                return
            far.settimeout(None)
            with far, self._kept(near, far):
                back = threading.Thread(target=_pump, args=(far, near), name="practice-back", daemon=True)
                back.start()
                _pump(near, far)
                back.join()

    @contextlib.contextmanager
    def _kept(self, *connections: socket.socket) -> Iterator[None]:
        with self._lock:
            self._open.update(connections)
            if not self._plugged:
                for connection in connections:
                    _shut(connection)
        try:
            yield
        finally:
            with self._lock:
                self._open.difference_update(connections)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy until either side ends, then end both: HTTP keeps no half-open connections."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass  # the other side went away: that is what a cable does
    finally:
        _shut(source)
        _shut(sink)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
