"""`back-office serve`: one process, or several workers behind one port.

The parent binds the port and keeps the workers alive; it serves nothing itself. Each worker is a fresh
interpreter with its own connections and its own parked windows; they tell each other what moved through
PostgreSQL's notices, or see it within a second on SQLite.
"""

from __future__ import annotations

import errno
import gc
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING

from back_office import logs
from back_office.settings import Settings
from clerk_app.failures import Failure

if TYPE_CHECKING:
    from back_office.embedded import Tls

AGAIN_SECONDS = 1.0
"""Between the end of a worker nobody stopped and the next one in its place."""

STOP_SECONDS = 20

PORT_SECONDS = 5.0
"""How long a port that is taken may still come free."""

GARBAGE = (20_000, 20, 20)
"""When the collector looks through the young, the older, and all objects."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the office is reached, and how many processes serve it."""

    host: str = "127.0.0.1"
    port: int = 8720
    workers: int = 1
    tls: Tls | None = None


def serve(settings: Settings, listening: Listening) -> None:
    """Serve until SIGTERM or Ctrl+C; what is under way is finished first.

    Raises Failure("OFFICE-NOT-READY"), ("OFFICE-DATABASE"), ("OFFICE-FILE"), ("OFFICE-TLS"), ("OFFICE-HOST")
    or ("OFFICE-PORT").
    """
    from back_office.office import open_office

    if listening.tls is not None:
        listening.tls.options()
    with _bound(listening) as port:
        logs.to_stderr()
        if listening.workers > 1:
            open_office(settings).close()  # told here, once, instead of by each worker
            Workers(settings, listening, port).run()
        else:
            _serve_alone(settings, listening, port)


def _serve_alone(settings: Settings, listening: Listening, port: socket.socket) -> None:
    from back_office.app import create_app
    from back_office.embedded import Server

    app = create_app(settings)
    _rarely_collect()
    with suppress(KeyboardInterrupt):  # uvicorn raises it again when everything has ended
        Server(app, tls=listening.tls).run(sockets=[port])


def _rarely_collect() -> None:
    """What is loaded stays. Without this every search for garbage walks the whole program again, and the call
    of the next ticket waits for it: the slowest in a hundred take some third longer (`bench/calling.py`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def _bound(listening: Listening) -> socket.socket:
    """The open port.

    Raises Failure("OFFICE-PORT") when it is another's or no port, ("OFFICE-HOST") for the address of another
    machine or of none.
    """
    asked = f"{listening.host}:{listening.port}"
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY; without, each answer waits 40 ms for an ACK.
    port = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere the option lets another program take the port
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(port, (listening.host, listening.port))
    except OverflowError:
        port.close()
        raise Failure("OFFICE-PORT", f"{asked}: a port is 0 to 65535") from None
    except (OSError, UnicodeError) as error:  # the second for a name that cannot be one
        port.close()
        wrong_host = isinstance(error, socket.gaierror | UnicodeError) or error.errno == errno.EADDRNOTAVAIL
        reason = getattr(error, "strerror", None) or "no name of a machine"
        raise Failure("OFFICE-HOST" if wrong_host else "OFFICE-PORT", f"{asked}: {reason}") from None
    return port


def _bind(port: socket.socket, address: tuple[str, int]) -> None:
    """Patient for a moment: workers of an office that was killed hold the port until they have noticed."""
    until = time.monotonic() + PORT_SECONDS
    while True:
        try:
            return port.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                raise
        time.sleep(0.05)


class Workers:
    """The parent of the workers."""

    def __init__(self, settings: Settings, listening: Listening, port: socket.socket) -> None:
        self._settings = settings
        self._listening = listening
        self._port = port
        self._stop = threading.Event()
        self._context = multiprocessing.get_context("spawn")
        self._woken, self._wake = self._context.Pipe(duplex=False)

    def run(self) -> None:
        """Until SIGTERM or Ctrl+C; a worker that ends by itself is replaced."""
        signal.signal(signal.SIGTERM, self._told)
        signal.signal(signal.SIGINT, self._told)
        counts = tempfile.mkdtemp(prefix="back-office-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts
        try:
            workers = [self._started(number) for number in range(self._listening.workers)]
            while not self._stop.is_set():
                connection.wait([self._woken, *(worker.sentinel for worker in workers)])
                for number, worker in enumerate(workers):
                    if worker.exitcode is not None and not self._stop.wait(AGAIN_SECONDS):
                        logs.info("worker-ended", worker=number, code=worker.exitcode)
                        workers[number] = self._started(number)
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.join(STOP_SECONDS)
        finally:
            shutil.rmtree(counts, ignore_errors=True)

    def _told(self, _number: int, _frame: object) -> None:
        self._stop.set()
        self._wake.send(b"")

    def _started(self, number: int) -> SpawnProcess:
        told = (self._settings, self._listening.tls, self._port, number)
        worker = self._context.Process(target=work, args=told, name=f"worker-{number}")
        worker.start()
        return worker


def work(settings: Settings, tls: Tls | None, port: socket.socket, number: int) -> None:
    """One worker, from its start to its end; the first one keeps the house. Ends when its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the parent tells when
    from back_office.app import create_app
    from back_office.embedded import Server

    logs.to_stderr()
    server = Server(create_app(settings, keeps_house=number == 0), tls=tls)
    _rarely_collect()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        connection.wait([parent.sentinel])
        server.should_exit = True

    threading.Thread(target=follow, name="office-parent", daemon=True).start()
    server.run(sockets=[port])
