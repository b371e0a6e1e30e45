"""A TCP proxy on loopback that breaks conversations the way networks do.

Understands just enough HTTP to know where a request begins, so that a fault can be meant for one path and a
number of times. Without a fault it forwards. Faults come as a plan (`set`), by chance (`odds`, drawn from a
seed) or as weather, which is always there: delay, jitter, lost packets, a thin line. One thread, asyncio.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any

_REQUEST = re.compile(rb"(GET|POST|DELETE|PATCH|HEAD) (\S+) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PIECE = 1 << 16
_TIMER = 0.2
"""Seconds until TCP sends a lost packet again, the first time; twice as long each further time."""
_STALL = 3.0
"""The longest that lost packets hold a piece up."""


def _answer(status: str, page: bytes, *headers: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status}".encode(), b"Connection: close", b"Content-Length: %d" % len(page)]
    return b"\r\n".join([*lines, b"Content-Type: text/html", *headers, b"", page])


_PORTAL = _answer("200 OK", b"<html><body>Sign in to the network</body></html>")
_GATEWAY = _answer("502 Bad Gateway", b"<html><body>Bad gateway</body></html>")
_BUSY = _answer("503 Service Unavailable", b"<html><body>Too busy</body></html>", b"Retry-After: 1")
_THROTTLED = _answer("429 Too Many Requests", b"<html><body>Slower</body></html>", b"Retry-After: 1")


class Fault(Enum):
    REFUSE = "the line is reset before the request arrives"
    LOSE_ANSWER = "the office gets the request and commits; its answer never comes, the line is reset"
    HALF_OPEN = "one way: nothing reaches the office; the line stays open and silent"
    DEAF = "one way: the office gets the request; its answer is swallowed and the line stays open"
    CORRUPT = "one byte in each piece of the answer is another"
    CORRUPT_REQUEST = "one byte in each piece of the request is another"
    CUT_ANSWER = "some of the answer arrives (half of it, or so many bytes), then the line is reset"
    CUT_REQUEST = "half of the request arrives, then the line is reset"
    PORTAL = "a captive portal answers in the office's place"
    GATEWAY = "a gateway says that the office behind it is broken, in a page of its own"
    BUSY = "503 with Retry-After, from a gateway that sheds load"
    THROTTLED = "429 with Retry-After"
    TWICE = "the request arrives a second time on another line, at the same moment"
    SLOW = "every piece takes a while, both ways"


_INSTEAD = {
    Fault.PORTAL: _PORTAL,
    Fault.GATEWAY: _GATEWAY,
    Fault.BUSY: _BUSY,
    Fault.THROTTLED: _THROTTLED,
}


@dataclass(frozen=True, slots=True)
class Weather:
    """What the line is like for everybody: seconds one way, shares of the pieces, bytes a second each way.

    TCP hides a lost packet and sends it again: `loss` is a stall. `reset` cuts the line at a piece.
    """

    latency: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    reset: float = 0.0
    bandwidth: float = 0.0

    def hold_up(self, size: int, random: Random) -> float:
        """How long a piece of `size` bytes takes."""
        seconds = self.latency + self.jitter * random.random()
        timer = _TIMER
        while self.loss and random.random() < self.loss and timer < _STALL:
            seconds += timer
            timer *= 2
        return seconds + (size / self.bandwidth if self.bandwidth else 0.0)


FAIR = Weather()


@dataclass
class _Plan:
    fault: Fault
    path: str
    times: int  # how many requests it is for; -1 for all
    after: int | None  # CUT_ANSWER: bytes of the answer that arrive


class FaultProxy:
    """`url` stands for the office at `port`. `set` a fault; `clear` it and the network is well again.

    `delay` is a SLOW piece's, in seconds; `listen` the port to stand at (0: any); everything left to chance
    comes from `seed` and the order in which lines are opened.
    """

    def __init__(self, port: int, delay: float = 0.05, *, listen: int = 0, seed: int = 0) -> None:
        self.port = port
        self.delay = delay
        self._seed = seed
        self._lock = threading.Lock()
        self._met = threading.Condition(self._lock)
        self._plan: _Plan | None = None
        self._odds: dict[Fault, float] = {}
        self._chance = Random(f"faults {seed}")
        self.weather = FAIR
        self.met = 0
        self.counts: Counter[Fault] = Counter()
        self.lines = 0
        """How many were ever opened."""
        self._talks: set[_Talk] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener = socket.create_server(("127.0.0.1", listen), backlog=256)
        self._listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._thread.start()

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    # --- for its owner, on any thread ------------------------------------------------------------------

    def set(self, fault: Fault, path: str = "", times: int = -1, *, after: int | None = None) -> None:
        """From now on `fault` meets the next `times` requests whose path contains `path`."""
        with self._lock:
            self._plan = _Plan(fault, path, times, after)
            self.met = 0

    def clear(self) -> None:
        """The network is well; lines that hang are reset, as a real one's are in the end."""
        with self._lock:
            self._plan = None
            self._odds = {}
            self.weather = FAIR
        self.cut()

    def odds(self, odds: Mapping[Fault, float], weather: Weather = FAIR) -> None:
        """From now on each request meets each fault with this likelihood, whatever its path."""
        with self._lock:
            self._odds = dict(odds)
            self.weather = weather

    def cut(self) -> None:
        """Reset every line."""

        done = threading.Event()

        def cut() -> None:
            for talk in tuple(self._talks):
                talk.reset()
            done.set()

        self._loop.call_soon_threadsafe(cut)
        done.wait(5)

    def wait_met(self, times: int = 1, seconds: float = 10) -> bool:
        """Wait until the fault has met so many requests."""
        with self._lock:
            return self._met.wait_for(lambda: self.met >= times, seconds)

    # --- on the loop -----------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._spawn(self._accept())
        self._loop.run_forever()
        for talk in tuple(self._talks):
            talk.reset()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(0.06))  # lines are closed a moment after their end
        self._listener.close()
        self._loop.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            self._spawn(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        self.lines += 1
        talk = _Talk(self, client, Random(f"line {self._seed} {self.lines}"))
        self._talks.add(talk)
        try:
            if await talk.open():
                await asyncio.gather(talk.requests(), talk.answers())
        finally:
            talk.reset()
            self._talks.discard(talk)

    def fault_for(self, path: str) -> tuple[Fault | None, int | None]:
        """What meets this request, and after how many bytes of its answer."""
        with self._lock:
            plan = self._plan
            if plan is not None and plan.path in path and plan.times != 0:
                plan.times -= 1
                self._count(plan.fault)
                return plan.fault, plan.after
            for fault, likelihood in self._odds.items():
                if self._chance.random() < likelihood:
                    self._count(fault)
                    return fault, None
            return None, None

    def _count(self, fault: Fault) -> None:
        self.counts[fault] += 1
        self.met += 1
        self._met.notify_all()


class _Talk:
    """One connection: the fault of the request under way decides what happens to each piece."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, random: Random) -> None:
        self._proxy = proxy
        self._client = _Line(client)
        self._office = _Line(_new_socket())
        self._random = random
        self._fault: Fault | None = None
        self._after: int | None = None

    async def open(self) -> bool:
        with suppress(OSError):
            await self._office.connect(self._proxy.port)
            return True
        return False

    def reset(self) -> None:
        self._client.end(hard=True)
        self._office.end(hard=True)

    def end(self) -> None:
        """One side has hung up: what it said before still arrives."""
        self._client.end()
        self._office.end()

    async def requests(self) -> None:
        while piece := await self._client.receive():
            if head := _REQUEST.match(piece):
                self._fault, self._after = self._proxy.fault_for(head[2].decode())
            match self._fault:
                case fault if fault in _INSTEAD:
                    await self._client.send(_INSTEAD[fault])
                    await self._client.heard()
                    break
                case Fault.REFUSE:
                    break
                case Fault.HALF_OPEN:
                    continue
                case Fault.CORRUPT_REQUEST:
                    piece = _damaged(piece)
                case Fault.CUT_REQUEST:
                    await self._office.send(piece[: len(piece) // 2])
                    break
                case Fault.TWICE if head:
                    piece = await self._whole(piece)
                    await asyncio.gather(self._pass_on(self._office, piece), self._again(piece))
                    continue
            if not await self._pass_on(self._office, piece):
                break
        else:
            return self.end()
        self.reset()
        return None

    async def answers(self) -> None:
        while piece := await self._office.receive():
            match self._fault:
                case Fault.LOSE_ANSWER:
                    break
                case Fault.DEAF:
                    continue
                case Fault.CORRUPT:
                    piece = _damaged(piece)
                case Fault.CUT_ANSWER:
                    await self._client.send(piece[: len(piece) // 2 if self._after is None else self._after])
                    break
            if not await self._pass_on(self._client, piece):
                break
        else:
            return self.end()
        self.reset()
        return None

    async def _pass_on(self, line: _Line, piece: bytes) -> bool:
        weather = self._proxy.weather
        if weather.reset and self._random.random() < weather.reset:
            return False
        held_up = weather.hold_up(len(piece), self._random)
        if self._fault is Fault.SLOW:
            held_up += self._proxy.delay
        if held_up:
            await asyncio.sleep(held_up)
        return await line.send(piece)

    async def _whole(self, piece: bytes) -> bytes:
        """The request to its end: the same bytes can be sent on another line."""
        head, _, body = piece.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        left = (int(length[1]) if length else 0) - len(body)
        while left > 0 and (more := await self._client.receive()):
            piece += more
            left -= len(more)
        return piece

    async def _again(self, request: bytes) -> None:
        """Send the request once more; its answer is nobody's."""
        line = _Line(_new_socket())
        with suppress(OSError, TimeoutError):
            await line.connect(self._proxy.port)
            await line.send(request)
            await asyncio.wait_for(line.receive(), 10)
        line.end(hard=True)


class _Line:
    """A socket of which every trouble is its end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        line.setblocking(False)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop = asyncio.get_running_loop()
        self._open = True

    async def connect(self, port: int) -> None:
        await self._loop.sock_connect(self._line, ("127.0.0.1", port))

    async def receive(self) -> bytes:
        try:
            return await self._loop.sock_recv(self._line, _PIECE) if self._open else b""
        except OSError:
            return b""

    async def send(self, piece: bytes) -> bool:
        try:
            await self._loop.sock_sendall(self._line, piece)
        except OSError:
            return False
        return self._open

    async def heard(self) -> None:
        """The other side has had time to read what was sent."""
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.receive(), 1)

    def end(self, *, hard: bool = False) -> None:
        """Whoever waits here goes on; the other side gets what was sent before, or (`hard`) a reset."""
        if not self._open:
            return
        self._open = False
        with suppress(OSError):
            if hard:
                self._line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._line.shutdown(socket.SHUT_RDWR)
        self._loop.call_later(0.05, self._line.close)  # those who wait on it have gone by then


def _new_socket() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


def _damaged(piece: bytes) -> bytes:
    middle = len(piece) // 2
    return piece[:middle] + bytes([piece[middle] ^ 0xFF]) + piece[middle + 1 :]


def obey(proxy: FaultProxy, order: Mapping[str, Any]) -> None:
    """One order of another process: `odds` (and `weather`), `fault` (`path`, `times`), `cut` or `clear`."""
    acts: dict[str, Callable[[], None]] = {
        "clear": proxy.clear,
        "cut": proxy.cut,
        "odds": lambda: proxy.odds(
            {Fault[name]: likelihood for name, likelihood in order["odds"].items()},
            Weather(**order.get("weather", {})),
        ),
        "fault": lambda: proxy.set(Fault[order["fault"]], order.get("path", ""), order.get("times", -1)),
    }
    for name, act in acts.items():
        if name in order:
            act()


def child(told: Mapping[str, Any]) -> None:
    """A proxy in a process of its own, until that is killed: two ports, and a FIFO of orders.

    After each order the faults that were met are added to the file `counts`, a line each.
    """
    with (
        FaultProxy(told["office"], listen=told["listen"], seed=told["seed"]) as proxy,
        Path(told["orders"]).open() as orders,
        Path(told["counts"]).open("a") as counts,
    ):
        for line in orders:
            counts.writelines(f"{fault.name}\n" for fault in proxy.counts.elements())
            counts.flush()
            proxy.counts.clear()
            obey(proxy, json.loads(line))
