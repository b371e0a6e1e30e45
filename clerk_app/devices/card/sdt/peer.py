"""Puts a simulated SDT reader on a line: a listening socket or, not on Windows, a pseudo terminal.

One thread serves one line at a time, as serial servers do.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from clerk_app.devices.card.sdt.simulator import SdtModule

_CHUNK = 4096
_PIECE_SECONDS = 0.001  # between the pieces of an answer: a byte at 9600 baud


class _Waited(Protocol):
    def fileno(self) -> int: ...


@contextlib.contextmanager
def tcp_peer(module: SdtModule, number: int = 0) -> Iterator[str]:
    """The reader on a TCP port of this machine (0: a free one); gives its URL. OSError when it is taken."""
    with socket.create_server(("127.0.0.1", number)) as listening, served(module, listening):
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def served(module: SdtModule, listening: socket.socket) -> Iterator[None]:
    """The reader behind a listening socket of any family, until the end of the context."""

    def serve(ended: socket.socket) -> None:
        while _comes(listening, ended):
            connection, _ = listening.accept()
            with connection, contextlib.suppress(ConnectionError):  # whoever asked has gone
                while _comes(connection, ended) and (data := connection.recv(_CHUNK)):
                    _answer(module, data, connection.sendall)

    with _thread(serve):
        yield


@contextlib.contextmanager
def pty_peer(module: SdtModule) -> Iterator[str]:
    """The reader on a pseudo terminal; gives its URL. At the end the terminal hangs up."""
    import tty  # not on Windows

    with contextlib.ExitStack() as opened:
        master, slave = os.openpty()
        opened.callback(os.close, master)
        opened.callback(os.close, slave)  # kept open, so that the line outlives whoever opens it
        tty.setraw(slave)

        def serve(ended: socket.socket) -> None:
            with open(master, "rb", buffering=0, closefd=False) as line:
                while _comes(line, ended):
                    _answer(module, line.read(_CHUNK), lambda data: os.write(master, data))

        with _thread(serve):
            yield f"serial://{os.ttyname(slave)}"


def _answer(module: SdtModule, data: bytes, send: Callable[[bytes], object]) -> None:
    for number, piece in enumerate(module.receive(data)):
        if number:
            time.sleep(_PIECE_SECONDS)
        send(piece)


def _comes(line: _Waited, ended: socket.socket) -> bool:
    """Wait for bytes on `line`; False when the serving has to end."""
    ready, _, _ = select.select([line, ended], [], [])
    return ended not in ready


@contextlib.contextmanager
def _thread(serve: Callable[[socket.socket], None]) -> Iterator[None]:
    ended, ending = socket.socketpair()
    with ended, ending:
        thread = threading.Thread(target=serve, args=(ended,), name="sdt-peer", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.send(b"\0")
            thread.join()
