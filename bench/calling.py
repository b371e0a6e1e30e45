"""A window calls the next ticket while 10,000 windows work: on SQLite and PostgreSQL, one worker and two.

The load is what 10,000 windows offer when each calls a ticket every five minutes: 33 calls a second, each
followed by two pushes (the visit begins, the visit ends), from 64 windows in 8 halls at random moments.
Reference: the same call by one window alone on the same office a moment before. PostgreSQL is a private
cluster with full commits; office, database and windows share the machine.

    python -m bench.calling [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from back_office import accounts, enrolment, halls, queues
from back_office.access import digest, new_token
from back_office.embedded import HallSetup, prepare
from back_office.office import Office, Transaction, open_office
from back_office.settings import Settings
from back_office.tables import session
from bench.report import Claim, Row, percentile, publish
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.sync.protocol import SCHEMA, command_hash
from tests.postgres import new_cluster

HALLS, WINDOWS_A_HALL = 8, 8
CALLS_A_SECOND = 10_000 / 300
ALONE = 100
GOAL_MS = 100.0
DURABLE = ("listen_addresses=''", "shared_buffers=128MB", "max_connections=100")


@dataclass(frozen=True, slots=True)
class Window:
    """A device with a clerk signed in."""

    number: str
    device: str
    token: str
    clerk: str


def hall_code(number: int) -> str:
    return f"BE{number:02d}"


# --- the office ---------------------------------------------------------------------------------------------


def prepared(settings: Settings, tickets: int) -> list[Window]:
    """Halls, windows with clerks signed in, and `tickets` waiting in each hall."""
    for number in range(HALLS):
        prepare(settings, HallSetup(hall_code(number), "政务服务中心", "510700")).close()
    office = open_office(settings)
    verifier = accounts.verifier_of("bench-only")
    try:
        of_halls = [_hall(office, hall_code(number), verifier, tickets) for number in range(HALLS)]
        return [window for of_hall in of_halls for window in of_hall]
    finally:
        office.close()


def _hall(office: Office, code: str, verifier: str, tickets: int) -> list[Window]:
    def work(tx: Transaction) -> list[Window]:
        accounts.add_user(tx, code, "1024", "王芳", verifier)
        for _ in range(tickets):
            queues.issue(tx, halls.the_hall(tx, code), "A")
        return [_window(tx, code, str(number)) for number in range(WINDOWS_A_HALL)]

    return office.write(work)


def _window(tx: Transaction, hall: str, window: str) -> Window:
    answer = enrolment.enrol(tx, enrolment.new_code(tx, hall, window, "A"), "bench")
    clerk = new_token()
    opened = {
        "hash": digest(clerk),
        "hall": hall,
        "staff_no": "1024",
        "device": answer.device,
        "rights": json.dumps(["call"]),
        "opened_at": tx.now,
        "expires_at": tx.now + accounts.SESSION,
        "grant_until": tx.now + accounts.GRANT,
    }
    tx.connection.execute(sa.insert(session), opened)
    return Window(window, answer.device, answer.token, clerk)


@contextmanager
def serving(settings: Settings, workers: int) -> Iterator[int]:
    """The port of `back-office serve` over `settings`."""
    with started(settings, workers) as (_, port):
        yield port


@contextmanager
def started(settings: Settings, workers: int) -> Iterator[tuple[int, int]]:
    """Process and port of `back-office serve` over `settings`."""
    port = _free_port()
    command = [sys.executable, "-m", "back_office", "--data", str(settings.data_dir), "serve"]
    command += ["--port", str(port), "--workers", str(workers)]
    environment = os.environ | {"BACK_OFFICE_DATABASE": settings.postgresql}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            asyncio.run(_up(port))
            yield process.pid, port
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _up(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the office did not start")


# --- the windows --------------------------------------------------------------------------------------------


class Line:
    """One window's connection, kept open; one question at a time."""

    def __init__(self, port: int, window: Window) -> None:
        self._port = port
        self.window = window
        self._seq = 0
        self._free = asyncio.Lock()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def visit(self) -> float:
        """Call, then report the visit; the milliseconds of the call."""
        async with self._free:
            begun = time.perf_counter()
            called = await self._post(
                "/v1/queues/A/call", {"request_id": uuid7(), "window": self.window.number}
            )
            taken = (time.perf_counter() - begun) * 1000
            visit = uuid7()
            for kind in ("ticket.serving", "ticket.done"):
                await self._push(kind, called["ticket"], visit)
            return taken

    async def _push(self, kind: str, ticket: dict[str, str], visit: str) -> None:
        self._seq += 1
        body = {
            "ticket_id": ticket["id"],
            "ticket_number": ticket["number"],
            "visit_id": visit,
            "window": self.window.number,
            "at": datetime.now(HALL_TIME).isoformat(),
        }
        id_ = uuid7()
        command = {
            "seq": self._seq,
            "id": id_,
            "type": kind,
            "schema": SCHEMA,
            "at": body["at"],
            "operator": "1024",
            "body": body,
            "hash": command_hash(id_, kind, body),
        }
        envelope = {"device": self.window.device, "epoch": 1, "base_seq": self._seq, "commands": [command]}
        answer = await self._post("/v1/sync/push", envelope)
        assert answer["results"][0]["status"] == "applied", answer

    async def _post(self, path: str, body: object) -> dict:
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.window.token}\r\nX-Clerk-Session: {self.window.clerk}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self._writer.write(head.encode() + content)
        told = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(told.split("content-length: ")[1].split("\r\n")[0])
        answer = json.loads(await self._reader.readexactly(size))
        assert " 200 " in told.split("\r\n")[0], answer
        return answer


async def work(port: int, windows: list[Window], seconds: float) -> tuple[list[float], list[float]]:
    """(calls alone, calls under load), in milliseconds."""
    lines = []
    for window in windows:
        lines.append(Line(port, window))
        await lines[-1].open()
    alone = [await lines[0].visit() for _ in range(ALONE)]
    chance = random.Random(1)
    begun = time.monotonic()
    visits = []
    at = 0.0
    while at < seconds:
        at += chance.expovariate(CALLS_A_SECOND)
        await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
        visits.append(asyncio.ensure_future(chance.choice(lines).visit()))
    return alone, list(await asyncio.gather(*visits))


# --- the claim ----------------------------------------------------------------------------------------------


def measure(settings: Settings, workers: int, seconds: float) -> tuple[list[float], list[float]]:
    tickets = ALONE + int(CALLS_A_SECOND * seconds * 1.5 / HALLS) + 50
    windows = prepared(settings, tickets)
    with serving(settings, workers) as port:
        return asyncio.run(work(port, windows, seconds))


def run(seconds: float = 20.0) -> Claim:
    rows, worst = [], 0.0
    cluster = new_cluster(DURABLE)
    try:
        for name in ("SQLite", "PostgreSQL"):
            for workers in (1, 2):
                with tempfile.TemporaryDirectory() as folder:
                    address = cluster.address(cluster.new()) if name == "PostgreSQL" else ""
                    settings = Settings(Path(folder), postgresql=address)
                    alone, loaded = measure(settings, workers, seconds)
                p99 = percentile(loaded, 0.99)
                worst = max(worst, p99 if name == "PostgreSQL" else 0.0)
                where = f"{name}, {workers} worker{'s' if workers > 1 else ''}"
                rows.append(Row(f"{where}: p50", percentile(loaded, 0.5), percentile(alone, 0.5)))
                rows.append(Row(f"{where}: p99 of {len(loaded)}", p99, percentile(alone, 0.99)))
    finally:
        cluster.remove()
    return Claim(
        name="Calling the next ticket while 10,000 windows work",
        reference="one window alone",
        goal=f"p99 ≤ {GOAL_MS:.0f} ms on PostgreSQL.",
        met=worst <= GOAL_MS,
        rows=tuple(rows),
        note=f"{CALLS_A_SECOND:.0f} calls and {2 * CALLS_A_SECOND:.0f} pushes a second for {seconds:.0f} s "
        f"from {HALLS * WINDOWS_A_HALL} windows; a call waits for its window's line, as a clerk would.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    publish(run(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
