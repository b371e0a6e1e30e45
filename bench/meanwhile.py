"""Accepting and searching while the first sync of the whole catalogue runs, beside the same window at rest.

The window's own store and catalogue; on a second thread, as in the product, the catalogue is downloaded,
verified, put in place and opened again, over and over, and the facts are pulled. The clerk's acts are timed
in turns of rest and sync, so that a noisy machine is noisy for both.

    python -m bench.meanwhile [--turns 4]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from back_office.embedded import enrolment_code
from bench.accept import DEVICE, file_case
from bench.first_sync import Window, served
from bench.report import Claim, Row, percentile, publish
from clerk_app.desk.ports import SearchContext, Transaction
from clerk_app.domain.numbering import NumberBlock
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.protocol import EnrolRequest
from practice.hall import QUEUE

GOAL = 2.0
ACTS = 250
PAUSE = 0.004
"""Seconds between two acts: nobody types faster, and without a pause both would only wait for one lane."""
TEXTS = ("社保", "shebao", "sbk", "营业执照", "食品经营许可证", "户口 迁移", "jsz", "公积金 提取")


@contextmanager
def syncing(window: Window) -> Iterator[list[float]]:
    """One first sync after the other, until the end; the milliseconds each took.

    The file before it keeps a second name until then: a first sync has no old file whose room is given back.
    """
    taken: list[float] = []
    end = threading.Event()

    def work() -> None:
        while not end.is_set():
            os.link(window.file, window.folder / f"before-{len(taken)}")
            window.store.write(lambda tx: tx.feed.keep_only(()))
            taken.append(window.first_sync())
            window.pull_catalogue()

    thread = threading.Thread(target=work, name="sync")
    thread.start()
    try:
        yield taken
    finally:
        end.set()
        thread.join()
        for kept in window.folder.glob("before-*"):
            kept.unlink()


def timed(act: Callable[[int], object]) -> list[float]:
    """Milliseconds of each of ACTS acts."""
    taken = []
    for number in range(ACTS):
        time.sleep(PAUSE)
        begun = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def run(turns: int = 4) -> Claim:
    with tempfile.TemporaryDirectory() as name, served(Path(name, "office")) as url:
        client = OfficeClient(url)
        code = enrolment_code(Path(name, "office"), window="12", queue=QUEUE)
        token = client.enrol(EnrolRequest(code, "bench")).token
        client.close()
        window = Window(Path(name, "window"), url, token)
        window.first_sync()

        def enrol(tx: Transaction) -> None:
            tx.meta.set_device(DEVICE)
            tx.numbers.add(NumberBlock("block", 1, 99_999_999, 1, DEVICE.epoch))

        window.store.write(enrol)
        acts: dict[str, Callable[[int], object]] = {
            "accept": lambda _number: window.store.write(file_case),
            "search": lambda number: window.catalogue.search(TEXTS[number % len(TEXTS)], SearchContext()),
        }
        rest: dict[str, list[float]] = {what: [] for what in acts}
        busy: dict[str, list[float]] = {what: [] for what in acts}
        syncs = 0
        for _ in range(turns):
            for what, act in acts.items():
                rest[what] += timed(act)
                with syncing(window) as taken:
                    busy[what] += timed(act)
                syncs += len(taken)
        window.close()
    rows = tuple(
        Row(f"{what}, p{share * 100:g}", percentile(busy[what], share), percentile(rest[what], share))
        for what in acts
        for share in (0.5, 0.99)
    )
    slowest = max(row.ratio or 0.0 for row in rows if row.what.endswith("p99"))
    return Claim(
        name="Accept and search while the first sync runs",
        reference="the same window at rest",
        goal=f"p99 ≤ {GOAL:g} ×.",
        met=slowest <= GOAL,
        rows=rows,
        note=f"{turns * ACTS:,} of each, {syncs} whole first syncs meanwhile; the office shares the machine.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", type=int, default=4)
    publish(run(parser.parse_args().turns))


if __name__ == "__main__":
    main()
