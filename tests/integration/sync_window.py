"""A window as far as the sync goes: real store, real client, real exchange, against the served office."""

from __future__ import annotations

import queue
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from office_hall import BODY, CLERK, FILEABLE, Hall

from back_office.embedded import enrolment_code
from clerk_app.desk.acceptance import plain
from clerk_app.desk.ports import Changed, Device, LinkState, LinkStatus
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person
from clerk_app.domain.case import Case, FiledItem, LegalState, SyncState
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.store.cache import SqlStore
from clerk_app.store.vault import GivenKey
from clerk_app.sync.client import OfficeClient
from clerk_app.sync.enrolment import device_of, enrol
from clerk_app.sync.exchange import Exchange
from clerk_app.sync.office import DirectOffice
from clerk_app.sync.scheduler import Scheduler
from clerk_app.sync.transport import TimeOuts

KEY = GivenKey(bytes(range(32)))
ITEM = FiledItem(FILEABLE, FILEABLE[-12:], "社会保障卡补领", BODY, "绵阳市人社局", 1, 20, 0, "working")
OWN = ("sync_state", "official_number", "refusal", "void_reason", "printed")
"""Fields of a case that stay at the window."""


class RealClock:
    """The workstation's clock; `ahead` is what it was turned by."""

    ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(HALL_TIME) + self.ahead

    def monotonic(self) -> float:
        return time.monotonic()


class Tokens:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def save(self, device_id: str, token: str) -> None:
        self.kept[device_id] = token

    def load(self, device_id: str) -> str | None:
        return self.kept.get(device_id)

    def forget(self, device_id: str) -> None:
        self.kept.pop(device_id, None)


class Window:
    """Enrolled and signed in; `url` is where it finds the office (a proxy may stand in between)."""

    def __init__(self, hall: Hall, url: str, folder: Path | None = None) -> None:
        self.url = url
        self.folder = folder
        self.enrol(hall)
        self.open()
        office = DirectOffice(client := self.connect(hall.url), self.device)
        operator = office.sign_in(CLERK.staff_no, CLERK.password).operator
        self.store.write(lambda tx: tx.operators.save(operator, "no verifier"))  # the grant goes with pushes
        client.close()

    def enrol(self, hall: Hall, again: str | None = None) -> None:
        tokens = Tokens()
        code = enrolment_code(hall.settings, window="综合窗口12", again=again)
        self.device: Device = device_of(enrol(hall.url, code, "TEST-PC", tokens))
        self.token = tokens.kept[self.device.id]

    def enrol_again(self, hall: Hall) -> None:
        """The same workstation under a new epoch; its store stays."""
        self.client.close()
        self.enrol(hall, self.device.id)
        self.wire()

    def open(self) -> None:
        self.store = SqlStore.open(self.folder, KEY) if self.folder else SqlStore.in_memory()
        self.wire()

    def wire(self) -> None:
        self.store.write(lambda tx: tx.meta.set_device(self.device))
        self.items: list[str] = []
        self.changed: list[Changed] = []
        self.links: queue.Queue[LinkStatus] = queue.Queue()
        self.clock = RealClock()
        self.exchange = Exchange(
            self.store,
            self.device,
            self.clock,
            wall=self.clock.now,
            on_items=lambda items: self.items.extend(item.code for item in items),
            on_changed=self.changed.append,
        )
        self.client = self.connect()

    def close(self) -> None:
        self.client.close()
        self.store.close()

    def connect(self, url: str | None = None, read: float = 10.0) -> OfficeClient:
        return OfficeClient(url or self.url, token=self.token, time_outs=TimeOuts(connect=3.0, read=read))

    def hang_up(self, read: float = 10.0) -> None:
        """Go on with a new connection that waits `read` seconds for an answer."""
        self.client.close()
        self.client = self.connect(read=read)

    def cycle(self) -> None:
        self.exchange.cycle(self.client, lambda: None)

    def scheduler(self, **options) -> Scheduler:
        return Scheduler(self.exchange, self.connect, clock=self.clock, on_link=self.links.put, **options)

    def file(self, **changes: object) -> Case:
        """File a case as the desk does: number, case and command in one transaction."""

        def work(tx) -> Case:
            case = a_case(self.device.hall_code, tx.numbers.take(), self.clock.now())
            tx.cases.add(case)
            body = {k: v for k, v in plain(asdict(case)).items() if k not in OWN} | changes
            tx.outbox.add("case.file", case.id, body, at=case.received_at, operator=case.operator)
            return case

        return self.store.write(work)

    def accept(self, case: Case) -> None:
        """Accept a received case later, as the desk does."""
        at = self.clock.now()
        body = {"case_id": case.id, "accepted_at": at.isoformat()}

        def work(tx) -> None:
            tx.outbox.add("case.accept", case.id, body, at=at, operator=case.operator)

        self.store.write(work)

    def meta(self, key: str) -> str | None:
        return self.store.read(lambda tx: tx.meta.get(key))

    def case(self, case: Case) -> Case:
        found = self.store.read(lambda tx: tx.cases.get(case.id))
        assert found is not None
        return found

    def unsent(self) -> int:
        return len(self.store.read(lambda tx: tx.outbox.pending()))

    def until(self, state: LinkState, seconds: float = 20) -> LinkStatus:
        """The first status with `state` the scheduler tells."""
        until = time.monotonic() + seconds
        while True:
            status = self.links.get(timeout=max(0.01, until - time.monotonic()))
            if status.state is state:
                return status


def a_case(hall_code: str, serial: int, at: datetime | None = None) -> Case:
    """An invented person's case; the identity number has a valid check digit."""
    person = Person("李晓明", "510704199001011233", DocumentKind.RESIDENT_ID, EntrySource.CARD)
    return Case(
        id=uuid7(),
        number=case_number(hall_code, serial),
        visit_id="visit-1",
        item=ITEM,
        applicant=Applicant(person),
        situations={},
        form={"address": "测试路 1 号"},
        materials=(),
        legal_state=LegalState.RECEIVED,
        sync_state=SyncState.HERE,
        operator=CLERK.staff_no,
        received_at=at or datetime.now(HALL_TIME),
    )


def registered_numbers(hall: Hall) -> list[str]:
    return [row.number for row in hall.rows("SELECT number FROM registered_case ORDER BY number")]
