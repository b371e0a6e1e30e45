"""A TCP proxy on loopback that breaks conversations the way networks do.

Understands just enough HTTP to know where a request begins, so that a fault can be meant for one path and a
number of times. Without a fault it forwards.
"""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass
from enum import Enum

_REQUEST = re.compile(rb"(GET|POST|DELETE) (\S+) HTTP/1\.1\r\n")
_PAGE = b"<html><body>Sign in to the network</body></html>"
_PORTAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
    % (len(_PAGE), _PAGE)
)
_GATEWAY = _PORTAL.replace(b"200 OK", b"502 Bad Gateway")


class Fault(Enum):
    REFUSE = "the line is reset before the request arrives"
    LOSE_ANSWER = "the office gets the request and commits; its answer never comes, the line is reset"
    HALF_OPEN = "the office gets nothing; the line stays open and silent"
    DEAF = "the office gets the request; its answer is swallowed and the line stays open"
    CORRUPT = "one byte in each piece of the answer is another"
    CUT_ANSWER = "half of the answer arrives, then the line is reset"
    PORTAL = "a captive portal answers in the office's place"
    GATEWAY = "a gateway says that the office behind it is broken, in a page of its own"
    SLOW = "every piece takes a while, both ways"


@dataclass
class _Plan:
    fault: Fault
    path: str
    times: int  # how many requests it is for; -1 for all


class FaultProxy:
    """`url` stands for the office at `port`. `set` a fault; `clear` it and the network is well again."""

    def __init__(self, port: int, delay: float = 0.05) -> None:
        self._port = port
        self._delay = delay
        self._lock = threading.Lock()
        self._plan: _Plan | None = None
        self._lines: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._met = threading.Condition(self._lock)
        self.met = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._spawn(self._accept)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        _shut(self._listener)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)

    def set(self, fault: Fault, path: str = "", times: int = -1) -> None:
        """From now on `fault` meets the next `times` requests whose path contains `path`."""
        with self._lock:
            self._plan = _Plan(fault, path, times)
            self.met = 0

    def clear(self) -> None:
        """The network is well; lines that hang are reset, as a real one's are in the end."""
        with self._lock:
            self._plan = None
        self.cut()

    def cut(self) -> None:
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            _shut(line)

    def wait_met(self, times: int = 1, seconds: float = 10) -> bool:
        """Wait until the fault has met so many requests."""
        with self._lock:
            return self._met.wait_for(lambda: self.met >= times, seconds)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            office = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            client.close()
            return
        with self._lock:
            self._lines |= {client, office}
        talk = _Talk(self, client, office)
        self._spawn(talk.answers)
        talk.requests()
        with self._lock:
            self._lines -= {client, office}

    def _spawn(self, work, *args) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def fault_for(self, path: str) -> Fault | None:
        with self._lock:
            plan = self._plan
            if plan is None or plan.path not in path or plan.times == 0:
                return None
            plan.times -= 1
            self.met += 1
            self._met.notify_all()
            return plan.fault

    def pause(self) -> None:
        self._closed.wait(self._delay)


class _Talk:
    """One connection: the fault of the request under way decides what happens to each piece."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, office: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._office = office
        self._fault: Fault | None = None

    def requests(self) -> None:
        with self._office, self._client:
            while piece := _receive(self._client):
                if head := _REQUEST.match(piece):
                    self._fault = self._proxy.fault_for(head[2].decode())
                match self._fault:
                    case Fault.REFUSE:
                        break
                    case Fault.PORTAL:
                        _send(self._client, _PORTAL)
                        break
                    case Fault.GATEWAY:
                        _send(self._client, _GATEWAY)
                        break
                    case Fault.HALF_OPEN:
                        continue
                    case Fault.SLOW:
                        self._proxy.pause()
                if not _send(self._office, piece):
                    break
            _shut(self._client)
            _shut(self._office)

    def answers(self) -> None:
        while piece := _receive(self._office):
            match self._fault:
                case Fault.LOSE_ANSWER:
                    break
                case Fault.DEAF:
                    continue
                case Fault.CORRUPT:
                    middle = len(piece) // 2
                    piece = piece[:middle] + bytes([piece[middle] ^ 0xFF]) + piece[middle + 1 :]
                case Fault.CUT_ANSWER:
                    _send(self._client, piece[: len(piece) // 2])
                    break
                case Fault.SLOW:
                    self._proxy.pause()
            if not _send(self._client, piece):
                break
        _shut(self._client)
        _shut(self._office)


def _receive(line: socket.socket) -> bytes:
    try:
        return line.recv(1 << 16)
    except OSError:
        return b""


def _send(line: socket.socket, piece: bytes) -> bool:
    try:
        line.sendall(piece)
    except OSError:
        return False
    return True


def _shut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is shut already
