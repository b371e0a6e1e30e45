"""An outage ends: 2,000 cases filed without the office go up and come back registered, on loopback.

Ours: the encrypted store on disk with FULL commits, each batch marked before it leaves, each answer
written, each official number and timeline event mirrored. Reference: the same commands posted as bare bytes
to the same server, nothing read from or written to any store. The office runs in a process of its own; one
run of each in turn, the median of all runs counts.

    python -m bench.drain [--cases 2000] [--runs 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import requests

from back_office import catalogue
from back_office.asked import MAX_BLOCK
from back_office.embedded import HallSetup, UserSetup, enrolment_code, prepare
from back_office.settings import Settings
from bench.calling import serving
from bench.report import Claim, Row, publish
from clerk_app.clock import HallClock, wall
from clerk_app.desk.acceptance import plain
from clerk_app.desk.ports import Changed, Device, Transaction
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person
from clerk_app.domain.case import Case, FiledItem, LegalState, SyncState
from clerk_app.domain.catalogue import Audience, Implementation, ItemKind, ItemType
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import throw_away_key
from clerk_app.sync import blocks
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.enrolment import device_of
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.messages import command_message
from clerk_app.sync.office import DirectOffice
from clerk_app.sync.protocol import MAX_COMMANDS, EnrolRequest, PushRequest
from tests.fault_proxy import FaultProxy, Weather

HALL = HallSetup("BE01", "绵阳市政务服务中心", "510700")
CLERK = UserSetup("1024", "王芳", "bench-only")
BODY = "11510700008400000A"
OWN = ("sync_state", "official_number", "refusal", "void_reason", "printed")
GOAL_MS = 1000.0
THIN = Weather(latency=0.025, loss=0.01)
THIN_GOAL_MS = 30_000.0


def item_code(number: int) -> str:
    return f"{BODY}3510114{number:06d}"


@contextmanager
def served(folder: Path, items: int) -> Iterator[str]:
    """The address of an office with `items` items (the office counts 9,999 cases an item and day)."""
    with serving(stocked(Settings(folder), items), workers=1) as port:
        yield f"http://127.0.0.1:{port}"


def stocked(settings: Settings, items: int) -> Settings:
    """The office of `settings`, made with a hall, a clerk and `items` items in force."""
    office = prepare(settings, HALL, [CLERK])
    codes = [item_code(number) for number in range(items)]
    kinds = [ItemKind(code[-12:], "社会保障卡补领", ItemType.LICENCE, Audience.PERSON) for code in codes]
    bodies = [Implementation(code, code[-12:], BODY, "绵阳市人社局", "510700", "city") for code in codes]
    try:
        catalogue.put_in_force(office, kinds, bodies)
    finally:
        office.close()
    return settings


class Window:
    """An enrolled window with `count` cases filed and none of them sent."""

    def __init__(self, office: Path | Settings, url: str, folder: Path, count: int, item: str) -> None:
        code = enrolment_code(office, window="12")
        client = OfficeClient(url)
        answer = client.enrol(EnrolRequest(code, "bench"))
        client.close()
        self.device: Device = device_of(answer)
        self.token = answer.token
        self.client = OfficeClient(url, token=self.token)
        signed_in = DirectOffice(self.client, self.device).sign_in(CLERK.staff_no, CLERK.password)
        self.session = signed_in.token
        self.store = SqlStore.open(folder, throw_away_key())
        self.store.write(lambda tx: tx.meta.set_device(self.device))
        blocks.keep_ahead(self.client, self.store, self.device, size=min(2 * count, MAX_BLOCK))
        clock = HallClock()
        self.exchange = Exchange(
            self.store,
            self.device,
            clock,
            wall=wall,
            on_items=lambda _items: None,
            on_changed=self._changed,
        )
        self.sent_at: list[float] = []
        self.exchange.cycle(self.client, lambda: None)
        self.cases = self.store.write(lambda tx: [file(tx, self.device, item) for _ in range(count)])

    def _changed(self, changed: Changed) -> None:
        if "outbox" in changed.topics:  # the step of the outbox has ended
            self.sent_at.append(time.perf_counter())

    def close(self) -> None:
        self.client.close()
        self.store.close()

    def states(self) -> set[SyncState]:
        def look(tx: Transaction) -> set[SyncState]:
            return {case.sync_state for case in tx.cases.recent(len(self.cases))}

        return self.store.read(look)


def file(tx: Transaction, device: Device, item: str) -> Case:
    """A case as the desk files it; an invented person with a valid check digit."""
    case = Case(
        id=uuid7(),
        number=case_number(device.hall_code, tx.numbers.take()),
        visit_id="visit",
        item=FiledItem(item, item[-12:], "社会保障卡补领", BODY, "绵阳市人社局", 1, 20, 0, "working"),
        applicant=Applicant(
            Person("李晓明", "510704199001011233", DocumentKind.RESIDENT_ID, EntrySource.CARD)
        ),
        situations={"agent": "no"},
        form={"address": "测试路 1 号", "phone": "13800000000"},
        materials=(),
        legal_state=LegalState.RECEIVED,
        sync_state=SyncState.HERE,
        operator=CLERK.staff_no,
        received_at=datetime.now().astimezone(),
    )
    tx.cases.add(case)
    body: dict[str, Any] = {key: value for key, value in plain(asdict(case)).items() if key not in OWN}
    tx.outbox.add("case.file", case.id, body, at=case.received_at, operator=case.operator)
    return case


def drain_ours(window: Window) -> tuple[float, float]:
    """Milliseconds until the outbox is empty, and until every case is registered at the window."""
    begun = time.perf_counter()
    window.exchange.cycle(window.client, lambda: None)
    ended = time.perf_counter()
    assert window.states() == {SyncState.REGISTERED}
    return (window.sent_at[-1] - begun) * 1000, (ended - begun) * 1000


def pushes(window: Window, size: int = MAX_COMMANDS) -> list[PushRequest]:
    """The window's commands in order, `size` in each."""
    commands = window.store.read(lambda tx: tx.outbox.next_batch(len(window.cases)))
    return [
        PushRequest(
            window.device.id,
            window.device.epoch,
            commands[at].seq,
            [command_message(command) for command in commands[at : at + size]],
        )
        for at in range(0, len(commands), size)
    ]


def post_bare(url: str, window: Window) -> float:
    """Milliseconds to post the window's commands as prepared bytes."""
    bodies = [msgspec.json.encode(push) for push in pushes(window)]
    headers = {"Authorization": f"Bearer {window.token}", "Content-Type": "application/json"}
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{url}/v1/time", timeout=30)
        begun = time.perf_counter()
        for body in bodies:
            session.post(f"{url}/v1/sync/push", data=body, headers=headers, timeout=30).raise_for_status()
        return (time.perf_counter() - begun) * 1000


def drain_thin(url: str, window: Window) -> float:
    """Milliseconds until every case is registered, over a line with THIN's weather."""
    with FaultProxy(int(url.rsplit(":", 1)[1])) as proxy:
        window.client.close()
        window.client = OfficeClient(proxy.url, token=window.token)
        proxy.odds({}, THIN)
        return drain_ours(window)[1]


def run(count: int = 2000, runs: int = 3) -> Claim:
    """Ours and the bare posts in turn, `runs` times, each on a window of its own."""
    sent, registered, bare = [], [], []
    with tempfile.TemporaryDirectory() as name, served(Path(name, "office"), 2 * runs + 1) as url:
        folder = Path(name)
        for turn in range(runs):
            ours = Window(folder / "office", url, folder / f"ours-{turn}", count, item_code(2 * turn))
            sent_ms, registered_ms = drain_ours(ours)
            ours.close()
            sent.append(sent_ms)
            registered.append(registered_ms)
            plain_ = Window(folder / "office", url, folder / f"bare-{turn}", count, item_code(2 * turn + 1))
            bare.append(post_bare(url, plain_))
            plain_.close()
        far = Window(folder / "office", url, folder / "far", count, item_code(2 * runs))
        thin = drain_thin(url, far)
        far.close()
    return Claim(
        name=f"{count:,} offline cases drained",
        reference="bare posts, same commands",
        goal=f"every case registered within {GOAL_MS / 1000:.0f} s on loopback, within "
        f"{THIN_GOAL_MS / 1000:.0f} s at 50 ms round trip and 1 % loss.",
        met=median(registered) <= GOAL_MS and thin <= THIN_GOAL_MS,
        rows=(
            Row("outbox empty (the office has all)", median(sent), median(bare)),
            Row("every case registered at the window", median(registered), median(bare)),
            Row("the same, 50 ms round trip, 1 % of the pieces lost", thin, None),
        ),
        note=f"Median of {runs} runs, one after the other; slowest {max(registered):.0f} ms. "
        "The office, its SQLite with full commits and the window share one machine.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    told = parser.parse_args()
    publish(run(told.cases, told.runs))


if __name__ == "__main__":
    main()
