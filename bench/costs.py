"""What a request costs the office: CPU of the serving process, one worker, on SQLite and on PostgreSQL.

No claim, but what the arithmetic of docs/scaling.md stands on. The windows and the database's own processes
are not in it.

    python -m bench.costs
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from back_office import halls, queues
from back_office.embedded import write
from back_office.office import Transaction
from back_office.settings import Settings
from bench import drain
from bench.calling import DURABLE, started
from clerk_app.domain.ids import uuid7
from clerk_app.sync.protocol import CallRequest
from tests.postgres import new_cluster

COUNT = 300
MANY = 100
"""Commands in a full push of an outage that ends."""

TICK = 1000 / os.sysconf("SC_CLK_TCK")


def spent(process: int) -> float:
    """Milliseconds of CPU of the process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def each(process: int, acts: Sequence[Callable[[], object]]) -> float:
    """Milliseconds of CPU the process spent for one of `acts`."""
    before = spent(process)
    for act in acts:
        act()
    return (spent(process) - before) / len(acts)


def issue(settings: Settings, count: int) -> None:
    def work(tx: Transaction) -> None:
        for _ in range(count):
            queues.issue(tx, halls.the_hall(tx, drain.HALL.code), "A")

    write(settings, work)


def measure(settings: Settings) -> dict[str, float]:
    """Of each kind of request what one costs."""
    drain.stocked(settings, 2)
    issue(settings, COUNT)
    with tempfile.TemporaryDirectory() as name, started(settings, workers=1) as (process, port):
        url = f"http://127.0.0.1:{port}"
        window = drain.Window(settings, url, Path(name, "one"), COUNT, drain.item_code(0))
        outage = drain.Window(settings, url, Path(name, "many"), 20 * MANY, drain.item_code(1))
        client, session = window.client, window.session
        single, full = drain.pushes(window, 1), drain.pushes(outage, MANY)

        def call() -> None:
            client.call("A", CallRequest(uuid7(), "12"), session)

        found = {
            "push of one case": each(process, [lambda one=one: client.push(one) for one in single]),
            "a case in a push of 100": each(
                process, [lambda one=one: outage.client.push(one) for one in full]
            )
            / MANY,
            "call the next ticket": each(process, [call] * COUNT),
        }
        now = client.snapshot("queue:A")
        found["a wait that is answered"] = each(
            process, [lambda: client.wait({"queue:A": now.seq - 1}, 30)] * COUNT
        )
        found["a page of changes"] = each(
            process, [lambda: client.changes("queue:A", now.generation, now.seq - 1)] * COUNT
        )
        window.close()
        outage.close()
    return found


def main() -> None:
    cluster = new_cluster(DURABLE)
    try:
        with tempfile.TemporaryDirectory() as sqlite, tempfile.TemporaryDirectory() as data:
            ours = measure(Settings(Path(sqlite)))
            theirs = measure(Settings(Path(data), postgresql=cluster.address(cluster.new())))
    finally:
        cluster.remove()
    print("| CPU of the serving process | SQLite | PostgreSQL |\n|---|---:|---:|")
    for what, milliseconds in ours.items():
        print(f"| {what} | {milliseconds:.1f} ms | {theirs[what]:.1f} ms |")


if __name__ == "__main__":
    main()
