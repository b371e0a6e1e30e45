"""From the click on "accept" to the commit: a filed case against one bare insert in the same file.

Both run in turns in one process on one disk, on the store's lane, each commit with `synchronous=FULL`. The
reference is the least that could be done: the same facts as one text (the row of the case, the command and
the slip, as JSON) in one row of a table without an index, through the driver itself. Ours is what the window
does: take a number, write case, command, audit link, timeline and print job, commit.

    python -m bench.accept [--rounds 3000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import msgspec

from bench.report import Claim, Row, percentile, publish
from clerk_app.desk.ports import Device, Transaction
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person, Sex
from clerk_app.domain.case import (
    Case,
    FiledItem,
    HandedMaterial,
    LegalState,
    MaterialMode,
    SyncState,
    TimelineEvent,
    TimelineKind,
)
from clerk_app.domain.documents import ReceiptSlip, SlipMaterial
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import NumberBlock, case_number
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import throw_away_key

GOAL = 3.0
NOW = datetime(2026, 11, 23, 9, 12, tzinfo=timezone(timedelta(hours=8)))
DEVICE = Device("bench", 1, "MY01", "测试大厅", "Test hall", "510700", "07", "general")
ITEM = FiledItem(
    "1151070000I-01", "000120001", "食品经营许可", "11510700MB0001", "市场监管局", 3, 20, 5, "working"
)
PERSON = Person(
    "欧阳测试", "510704199001010015", DocumentKind.RESIDENT_ID, EntrySource.CARD, Sex.MALE, date(1990, 1, 1)
)
MATERIALS = tuple(HandedMaterial(f"m{n}", f"材料{n}", MaterialMode.PAPER, 1, 1) for n in range(6))


def case_of(serial: int) -> Case:
    return Case(
        id=uuid7(),
        number=case_number(DEVICE.hall_code, serial),
        visit_id="visit",
        item=ITEM,
        applicant=Applicant(PERSON),
        situations={"agent": "no"},
        form={"shop": "测试小店", "phone": "13800000000", "address": "测试路1号"},
        materials=MATERIALS,
        legal_state=LegalState.RECEIVED,
        sync_state=SyncState.HERE,
        operator="1007",
        received_at=NOW,
        due=date(2026, 11, 30),
    )


def slip_of(case: Case) -> ReceiptSlip:
    return ReceiptSlip(
        number=case.number,
        hall=DEVICE.hall_name,
        window=DEVICE.window,
        operator=case.operator,
        item=case.item.name,
        body=case.item.body_name,
        applicant=case.applicant.name,
        identity="510704********0015",
        materials=tuple(SlipMaterial(m.name, m.mode, m.originals, m.copies) for m in MATERIALS),
        received_at=NOW,
    )


def body_of(case: Case) -> dict[str, object]:
    """What the command tells the office."""
    return {"number": case.number, "item": case.item.code, "form": case.form, "situations": case.situations}


def file_case(tx: Transaction) -> None:
    """One case with everything that is committed together with it."""
    case = case_of(tx.numbers.take())
    tx.cases.add(case)
    tx.outbox.add("case.file", case.id, body_of(case), at=NOW, operator=case.operator)
    tx.audit.add(at=NOW, actor=case.operator, act="case.file", subject=case.number)
    tx.timeline.add(TimelineEvent(NOW, TimelineKind.RECEIVED, case.number, case.visit_id, case.id))
    tx.print_jobs.add(slip_of(case), case_id=case.id, at=NOW)


def measure(folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each filed case and of each bare insert, taken in turns."""
    store = SqlStore.open(folder, throw_away_key())
    driver = store.lane.run(lambda: store._driver)
    case = case_of(1)
    facts = msgspec.json.encode([case, body_of(case), slip_of(case)]).decode()

    def enrol(tx: Transaction) -> None:
        tx.meta.set_device(DEVICE)
        tx.numbers.add(NumberBlock("block", 1, 99_999_999, 1, DEVICE.epoch))

    def insert() -> None:
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("INSERT INTO bare (text) VALUES (?)", (facts,))
        driver.execute("COMMIT")

    def timed(act: Callable[[], None]) -> float:
        begun = time.perf_counter()
        act()
        return (time.perf_counter() - begun) * 1000

    def file_one() -> None:
        store.write(file_case)

    def insert_one() -> None:
        store.lane.run(insert)

    try:
        store.write(enrol)
        store.lane.run(driver.execute, "CREATE TABLE bare (n INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        for _ in range(50):
            file_one()
        ours, bare = [], []
        for _ in range(rounds):
            ours.append(timed(file_one))
            bare.append(timed(insert_one))
        return ours, bare
    finally:
        store.close()


def run(rounds: int = 3000) -> Claim:
    """Both in turns, on a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = measure(Path(folder) / "cache", rounds)
    rows = tuple(
        Row(f"p{share * 100:g}", percentile(ours, share), percentile(bare, share)) for share in (0.5, 0.99)
    )
    ratio = rows[-1].ratio
    return Claim(
        name='Click "accept" → committed',
        reference="one `synchronous=FULL` insert of the same facts, same encrypted file",
        goal=f"p99 at most {GOAL:g} times one insert.",
        met=ratio is not None and ratio <= GOAL,
        rows=rows,
        note=f"{rounds:,} cases and {rounds:,} inserts in turns.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000)
    publish(run(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
