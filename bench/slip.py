"""From the committed slip to its last byte at the printer's socket, beside sending the same bytes raw.

Ours lays the slip out, encodes it (a rare name is drawn), connects, asks the printer's four states and
sends. The reference connects and sends bytes that were ready before. The printer is a socket on loopback that
answers at once, so that what is measured is this program and not paper.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

from bench.report import Claim, Row, percentile, publish
from clerk_app.devices.printer import slips
from clerk_app.devices.printer.command import sample
from clerk_app.devices.printer.encoder import Encoding, encode
from clerk_app.devices.printer.layout import ROLLS
from clerk_app.devices.printer.printer import printer_from_url
from clerk_app.domain.documents import ReceiptSlip, Slip

ROUNDS = 200
ROLL = ROLLS[80]
QUESTION, ORDERED_QUESTION = b"\x10\x04", b"\x1dr\x01"


@contextmanager
def sink(size: int) -> Iterator[tuple[int, SimpleQueue[float]]]:
    """A printer that answers every question and notes when byte `size` of each connection's job arrived."""
    arrivals: SimpleQueue[float] = SimpleQueue()
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = door.accept()
            except OSError:  # closed: the bench is over
                return
            with client:
                _receive(client, size, arrivals)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield door.getsockname()[1], arrivals
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join()


def _receive(client: socket.socket, size: int, arrivals: SimpleQueue[float]) -> None:
    got = 0
    while data := client.recv(65536):
        if data.startswith(QUESTION) and got in {0, size}:
            client.sendall(b"\x12")
            continue
        before, got = got, min(got + len(data), size)
        if before < size == got:
            arrivals.put(time.perf_counter())
        if data.endswith(ORDERED_QUESTION):
            client.sendall(b"\x00")


def ours(slip: Slip, size: int) -> tuple[list[float], list[float]]:
    """Milliseconds until the last byte arrived, and until the printer's confirmation was back."""
    with sink(size) as (port, arrivals):
        printer = printer_from_url(f"tcp://127.0.0.1:{port}", encoding=Encoding.GBK)
        printer.status()  # as the window does at start: the first connection pays for the imports
        arrived, confirmed = [], []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            printer.print(slip)
            confirmed.append((time.perf_counter() - begin) * 1000)
            arrived.append((arrivals.get(timeout=5) - begin) * 1000)
        return arrived, confirmed


def raw(job: bytes) -> list[float]:
    with sink(len(job)) as (port, arrivals):
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(job)
            times.append((arrivals.get(timeout=5) - begin) * 1000)
        return times


def run() -> Claim:
    """Three slips, each `ROUNDS` times, then the same bytes raw."""
    receipt = sample("receipt")
    assert isinstance(receipt, ReceiptSlip)
    common = replace(receipt, applicant="李晓明")
    rows = []
    for name, slip in (("ticket", sample("ticket")), ("receipt", common), ("receipt, rare name", receipt)):
        job = encode(slips.page(slip, ROLL), ROLL, Encoding.GBK)
        (mine, confirmed), theirs = ours(slip, len(job)), raw(job)
        for share in (0.5, 0.99):
            what = f"{name}, {len(job):,} bytes, p{share * 100:.0f}"
            rows.append(Row(what, percentile(mine, share), percentile(theirs, share)))
        rows.append(Row(f"{name}, confirmed by the printer, p99", percentile(confirmed, 0.99), None))
    return Claim(
        "Committed slip → last byte at the printer socket",
        "same bytes sent raw",
        "≤ 1.5 × + 20 ms.",
        all(row.ours <= 1.5 * row.reference + 20 for row in rows if row.reference is not None),
        tuple(rows),
        "Ours includes layout, encoding, the connection and four status questions with their answers.",
    )


if __name__ == "__main__":
    publish(run())
