"""A slip printer made of software: a TCP or serial port, paper as pictures, and faults on demand.

Practice mode prints on it, tests break it. It holds on to every paper until `take_papers`.
"""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from clerk_app.devices.printer.layout import ROLLS
from clerk_app.devices.printer.simulator.doors import Client, Door, PtyDoor, TcpDoor
from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults, Mechanism
from clerk_app.devices.printer.simulator.paper import Paper

__all__ = ["NO_FAULTS", "Faults", "Paper", "SimulatedPrinter"]

T = TypeVar("T")


class SimulatedPrinter:
    """A printer on `host`:`port` (0: any free one) with paper of `width` mm and a font holding `charset`.

    With `serial` it hangs on a pseudo-terminal instead (Linux). It serves one connection at a time, as cheap
    printers do. Use it as a context manager, or `start` and `stop`; `listener` hears of every paper on the
    printer's own thread.
    """

    def __init__(
        self,
        *,
        width: int = 80,
        charset: str = "gb18030",
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults = NO_FAULTS,
        listener: Callable[[Paper], None] | None = None,
        serial: bool = False,
    ) -> None:
        self._tcp = TcpDoor(host, port)
        self._door: Door = PtyDoor() if serial else self._tcp
        self._heard = listener
        self._news = threading.Condition()
        self._papers: list[Paper] = []
        self._hang_ups = 0
        self._mechanism = Mechanism(ROLLS[width].dots, charset, self._deliver, self._answer)
        self._mechanism.set_faults(faults)
        self._client: Client | None = None
        self._orders: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._woken, self._waker = socket.socketpair()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="simulated-printer", daemon=True)

    # --- for its owner, on any thread ------------------------------------------------------------------

    def start(self) -> SimulatedPrinter:
        """Open the port and begin to serve. Raises OSError when the port is taken."""
        try:
            self._open_door()
        except OSError:
            self._close()
            raise
        self._thread.start()
        return self

    def stop(self) -> None:
        """Hang up, close the port and end the thread. A second time does nothing."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._waker.send(b"!")
        self._thread.join()
        self._close()

    def __enter__(self) -> SimulatedPrinter:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._tcp.port

    @property
    def url(self) -> str:
        """The address a printer of the settings has for this one."""
        return self._door.url

    @property
    def papers(self) -> list[Paper]:
        """Every piece cut off so far."""
        with self._news:
            return list(self._papers)

    def take_papers(self) -> list[Paper]:
        """Every piece cut off so far, which is then forgotten here."""
        with self._news:
            papers, self._papers = self._papers, []
            return papers

    @property
    def unknown(self) -> list[bytes]:
        """Commands received that no printer of this kind knows."""
        return self._order(lambda: list(self._mechanism.unknown))

    @property
    def faults(self) -> Faults:
        return self._mechanism.faults

    def set_faults(self, faults: Faults) -> None:
        """Break or repair the printer; returns when it is so."""

        def change() -> None:
            self._mechanism.set_faults(faults)
            self._open_door()

        self._order(change)

    def tear_off(self) -> Paper:
        """What hangs out of the printer without having been cut."""
        return self._order(self._mechanism.tear_off)

    def wait_for_papers(self, count: int, seconds: float = 10.0) -> list[Paper]:
        """Wait until `count` pieces have been cut off. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: len(self._papers) >= count, seconds):
                raise TimeoutError(f"{len(self._papers)} of {count} papers")
            return list(self._papers)

    def wait_for_hang_ups(self, count: int, seconds: float = 10.0) -> None:
        """Wait until `count` connections have come and gone. Raises TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: self._hang_ups >= count, seconds):
                raise TimeoutError(f"{self._hang_ups} of {count} connections ended")

    def save(self, directory: Path) -> list[Path]:
        """Write every paper as PNG and text into `directory`; returns the PNG paths."""
        papers = self.papers
        paths = [directory / f"slip-{place:03d}.png" for place in range(1, len(papers) + 1)]
        directory.mkdir(parents=True, exist_ok=True)
        for path, paper in zip(paths, papers, strict=True):
            paper.save(path)
        return paths

    def _order(self, act: Callable[[], T]) -> T:
        """Do `act` on the printer's thread, or here when it does not run."""
        if not self._thread.is_alive():
            return act()
        done: Future[T] = Future()
        self._orders.append((act, done))
        self._waker.send(b"!")
        return done.result(10)

    # --- on the printer's thread -----------------------------------------------------------------------

    def _serve(self) -> None:
        while not self._stopping.is_set():
            woken = self._woken.fileno()
            ready, _, _ = select.select([woken, *self._ears()], [], [])
            if woken in ready:
                self._woken.recv(64)
                self._obey()
            elif self._client is not None:
                self._listen_to_client()
            else:
                self._client = self._door.accept()
                self._mechanism.connected()
        self._obey()

    def _ears(self) -> list[int]:
        """Where something may come from: whoever is connected, else the door; nowhere when deaf."""
        if self._client is not None:
            return [] if self._mechanism.faults.half_closed else [self._client.fileno()]
        return [self._door.fileno()] if self._door.fileno() >= 0 else []

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        for end in (self._door, self._woken, self._waker):
            end.close()

    def _obey(self) -> None:
        while self._orders:
            act, done = self._orders.popleft()
            try:
                done.set_result(act())
            except OSError as error:
                done.set_exception(error)

    def _open_door(self) -> None:
        self._door.open(refuse=self._mechanism.faults.refuses)

    def _listen_to_client(self) -> None:
        assert self._client is not None
        try:
            data = self._client.recv(4096)
        except OSError:  # the other side reset the connection
            data = b""
        rate = self._mechanism.faults.bytes_per_second
        if rate:
            self._stopping.wait(len(data) / rate)
        if not data:
            self._client.close()
            self._hang_up()
        elif not self._mechanism.receive(data):
            self._door.throw_out(self._client)
            self._hang_up()

    def _hang_up(self) -> None:
        self._client = None
        self._mechanism.disconnected()
        with self._news:
            self._hang_ups += 1
            self._news.notify_all()

    def _answer(self, data: bytes) -> None:
        if self._client is None:
            return
        try:
            self._client.sendall(data)
        except OSError:  # the asker left before the answer; the next read notices
            return

    def _deliver(self, paper: Paper) -> None:
        with self._news:
            self._papers.append(paper)
            self._news.notify_all()
        if self._heard is not None:
            self._heard(paper)
