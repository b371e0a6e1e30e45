"""10,000 windows hold a long poll open; one change wakes them all.

Ours: the served office, one process, each window a device with a token of its own; the change is a commit in
a scope that all follow. Reference, the same client a moment before: a bare endpoint on uvicorn that waits
for one event and answers the same bytes. Measured from the end of the act that wakes them to the last byte at
each window; client and server share the machine.

    python -m bench.parked [--windows 10000]
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from back_office import feed
from back_office.access import digest
from back_office.embedded import HallSetup, OfficeServer, prepare
from back_office.feed import News
from back_office.office import Office, Transaction
from back_office.tables import device, device_token
from bench.report import Claim, Row, percentile, publish

HALL = HallSetup("BE01", "绵阳市政务服务中心", "510700")
WAIT_SECONDS = 50
GOAL_SHARE = 1.5
GOAL_MB = 200.0
_QUIET = 0.5  # seconds after the last window has parked


@dataclass(frozen=True, slots=True)
class Woken:
    """Milliseconds from the act to each window's answer, what the parked windows cost in memory, and the
    seconds it took until all had come back at once and waited."""

    waits: list[float]
    megabytes: float
    parking: float


# --- the servers, each a process of its own: "parked" asks how many are, "now" makes the change ------------


def serve_office(folder: Path) -> None:
    with OfficeServer(folder) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            if line == "parked\n":
                print(server.office.pokes.count(feed.CATALOGUE), flush=True)
                continue
            server.office.write(lambda tx: tx.tell(News(feed.CATALOGUE)))
            print("told", flush=True)


def serve_bare() -> None:
    line = socket.socket()
    line.bind(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    woken = asyncio.Event()
    parked = 0

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        nonlocal parked
        parked += 1
        await woken.wait()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"poke":["catalogue"]}'})

    async def work() -> None:
        config = uvicorn.Config(answer, log_level="error", lifespan="off", backlog=16384)
        server = uvicorn.Server(config)
        serving = loop.create_task(server.serve([line]))
        while not server.started:
            await asyncio.sleep(0.01)
        print(f"http://127.0.0.1:{line.getsockname()[1]}", flush=True)
        while line_in := await loop.run_in_executor(None, sys.stdin.readline):
            if line_in == "parked\n":
                print(parked, flush=True)
                continue
            woken.set()
            print("told", flush=True)
        server.should_exit = True
        await serving

    loop.run_until_complete(work())


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port."""
    command = [sys.executable, "-m", "bench.parked", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline().rsplit(":", 1)[1])
        finally:
            process.communicate()


# --- the windows --------------------------------------------------------------------------------------------


def enrol(office: Office, count: int) -> None:
    """`count` devices with the tokens token-0, token-1, …"""

    def work(tx: Transaction) -> None:
        common = {
            "hall": HALL.code,
            "machine": "bench",
            "window": "12",
            "queue": "A",
            "epoch": 1,
            "last_seq": 0,
        }
        rows = [{"id": f"device-{n}", "enrolled_at": tx.now, **common} for n in range(count)]
        tokens = [{"hash": digest(f"token-{n}"), "device": f"device-{n}", "epoch": 1} for n in range(count)]
        tx.connection.execute(sa.insert(device), rows)
        tx.connection.execute(sa.insert(device_token), tokens)
        for n in range(count):
            feed.open_scope(tx.connection, (HALL.code, f"device:device-{n}"))

    office.write(work)


def question(number: int, cursors: str) -> bytes:
    return (
        f"GET /v1/sync/wait?scopes={cursors}&seconds={WAIT_SECONDS} HTTP/1.1\r\nHost: office\r\n"
        f"Authorization: Bearer token-{number}\r\nConnection: close\r\n\r\n"
    ).encode()


async def park(process: subprocess.Popen[str], port: int, windows: int, cursors: str) -> Woken:
    """Park them all, let the server make the change, wait for every answer."""
    before = _megabytes(process.pid)
    parked = []
    asked = time.perf_counter()
    for first in range(0, windows, 200):
        many = range(first, min(first + 200, windows))
        parked += await asyncio.gather(*(_ask(port, question(n, cursors)) for n in many))
    answers = [asyncio.ensure_future(_answered(reader)) for reader, _ in parked]
    while int(await _tell(process, "parked")) < windows:
        await asyncio.sleep(0.05)
    parking = time.perf_counter() - asked
    await asyncio.sleep(_QUIET)
    early = [one for one in answers if one.done()]
    assert not early, f"{len(early)} of {windows} did not wait: {early[0].result()!r}"
    cost = _megabytes(process.pid) - before
    await _tell(process, "now")
    begun = time.perf_counter()
    waits = []
    for text, at in await asyncio.gather(*answers):
        assert b'"catalogue"' in text, text
        waits.append((at - begun) * 1000)
    for _, writer in parked:
        writer.close()
    return Woken([max(0.0, wait) for wait in waits], cost, parking)


async def _tell(process: subprocess.Popen[str], word: str) -> str:
    """What the server answers to `word`."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return await asyncio.get_running_loop().run_in_executor(None, process.stdout.readline)


async def _ask(port: int, asked: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asked)
    return reader, writer


async def _answered(reader: asyncio.StreamReader) -> tuple[bytes, float]:
    text = await reader.read()
    return text, time.perf_counter()


def _megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kilobytes) / 1024


# --- the claim ----------------------------------------------------------------------------------------------


def measure_office(windows: int) -> Woken:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "office")
        office = prepare(folder, HALL)
        enrol(office, windows)
        keys = office.read(feed.positions)
        office.close()
        told = ",".join(
            f"{name}:{seq}" for (hall, name), seq in keys.items() if not name.startswith("device:")
        )
        with serving("--office", str(folder)) as (process, port):
            return asyncio.run(park(process, port, windows, told))


def measure_bare(windows: int) -> Woken:
    with serving("--bare") as (process, port):
        return asyncio.run(park(process, port, windows, "catalogue:0"))


def _p50(values: list[float]) -> float:
    return percentile(values, 0.5)


def _p99(values: list[float]) -> float:
    return percentile(values, 0.99)


def run(windows: int = 10_000) -> Claim:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    bare = measure_bare(windows)
    ours = measure_office(windows)
    figures = {"p50": _p50, "p99": _p99, "last": max}
    rows = [
        Row(f"wake-up of {windows:,}, {name}", of(ours.waits), of(bare.waits)) for name, of in figures.items()
    ]
    rows.append(Row("memory for them", ours.megabytes, bare.megabytes, "MB"))
    rows.append(Row("all come back at once after a cut, until all wait", ours.parking, bare.parking, "s"))
    share = rows[1].ratio or 0.0
    extra = ours.megabytes - bare.megabytes
    return Claim(
        name=f"{windows:,} windows parked on one back office",
        reference="bare uvicorn endpoint",
        goal=f"wake-up p99 ≤ {GOAL_SHARE} ×, memory ≤ {GOAL_MB:.0f} MB extra.",
        met=share <= GOAL_SHARE and extra <= GOAL_MB,
        rows=tuple(rows),
        note="One server process and one client process on the same machine. A change that every window "
        "follows is the worst case; a change of one queue wakes the windows of one hall.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--windows", type=int, default=10_000)
    parser.add_argument("--office", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.office:
        serve_office(told.office)
    elif told.bare:
        serve_bare()
    else:
        publish(run(told.windows))


if __name__ == "__main__":
    main()
