"""A served hall for the tests of the office, and a workstation that speaks plain HTTP to it.

The workstation is not the product's client: it can lose answers, repeat, lie and come late.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from back_office import catalogue
from back_office.embedded import HallSetup, OfficeServer, UserSetup, enrolment_code, prepare
from back_office.settings import Settings
from clerk_app.domain.catalogue import Audience, Implementation, ItemKind, ItemType
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import case_number
from clerk_app.sync.protocol import SCHEMA, EnrolAnswer, command_hash
from tests.postgres import the_cluster

DATABASES = ("sqlite", "postgresql")

HALL = HallSetup("MY01", "绵阳市民中心（测试）", "510700", name_en="Test hall")
CLERK = UserSetup("1024", "王芳", "window-twelve", name_en="Wang Fang")
GUIDE = UserSetup("2048", "赵敏", "entrance-desk", rights=("issue",))

BODY = "11510700008400000A"  # shape of a credit code; the office routes by it, it does not judge it
FILEABLE = BODY + "3" + "510114001000"
PENALTY = BODY + "3" + "510214002000"
ENDED = BODY + "3" + "510114003000"
FADING = BODY + "3" + "510114004000"


def an_item(code: str, **changes: Any) -> Implementation:
    values = {"kind": code[-12:], "body_code": BODY, "body_name": "绵阳市人社局", "region": "510700"}
    return Implementation(code=code, level="city", **(values | changes))


def a_kind(code: str, type_: ItemType = ItemType.LICENCE) -> ItemKind:
    return ItemKind(code=code[-12:], name=f"事项{code[-4:]}", type=type_, audience=Audience.PERSON)


KINDS = [a_kind(FILEABLE), a_kind(PENALTY, ItemType.PENALTY), a_kind(ENDED), a_kind(FADING)]
ITEMS = [an_item(FILEABLE), an_item(PENALTY), an_item(ENDED, valid_to=date(2026, 1, 31)), an_item(FADING)]


class TestClock:
    """Real time plus what a test adds to it."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Hall:
    folder: Path
    clock: TestClock
    server: OfficeServer
    settings: Settings

    @property
    def url(self) -> str:
        return self.server.url

    def rows(self, query: str) -> list[Any]:
        """What the database holds, read through the office."""
        return list(self.server.office.read(lambda c: c.execute(sa.text(query)).all()))

    def execute(self, statement: str) -> None:
        self.server.office.write(lambda tx: tx.connection.execute(sa.text(statement)))

    def workstation(self, window: str = "综合窗口12", *, signed_in: bool = True) -> Workstation:
        code = enrolment_code(self.settings, window=window)
        station = Workstation.enrolled(self.url, code)
        if signed_in:
            station.sign_in()
        return station


def prepared(folder: Path, postgresql: str = "") -> Path:
    office = prepare(Settings(folder, postgresql=postgresql), HALL, [CLERK, GUIDE])
    try:
        catalogue.put_in_force(office, KINDS, ITEMS, "2026.1")
    finally:
        office.close()
    return folder


@cache
def _template() -> Path:
    """A prepared folder, made once: a password's verifier is slow on purpose."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return prepared(folder / "data")


@cache
def _postgresql_template() -> tuple[Path, str]:
    """The same on PostgreSQL: the folder of the files, and the name of the database to copy."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    name = the_cluster().new()
    return prepared(folder / "data", the_cluster().address(name)), name


@contextmanager
def an_office(folder: Path, database: str = "sqlite", clock: TestClock | None = None) -> Iterator[Settings]:
    """The settings of a prepared office on one of DATABASES; nobody serves it yet."""
    clock = clock or TestClock()
    if database == "sqlite":
        shutil.copytree(_template(), folder)
        yield Settings(folder, clock)
        return
    files, name = _postgresql_template()
    shutil.copytree(files, folder)
    own = the_cluster().new(name)
    try:
        yield Settings(folder, clock, the_cluster().address(own))
    finally:
        the_cluster().drop(own)


@contextmanager
def served(folder: Path, database: str = "sqlite") -> Iterator[Hall]:
    clock = TestClock()
    with an_office(folder, database, clock) as settings, OfficeServer(settings) as server:
        yield Hall(folder, clock, server, settings)


@dataclass(slots=True)
class Workstation:
    url: str
    device: EnrolAnswer
    http: requests.Session
    session: str = ""
    next_seq: int = 1
    numbers: list[str] = field(default_factory=list)
    requests_made: int = 0

    @classmethod
    def enrolled(cls, url: str, code: str) -> Workstation:
        answer = requests.post(f"{url}/v1/enrol", json={"code": code, "machine": "TEST-PC"}, timeout=10)
        assert answer.status_code == 200, answer.text
        station = cls(url, EnrolAnswer(**answer.json()), requests.Session())
        station.http.headers["Authorization"] = f"Bearer {station.device.token}"
        return station

    def close(self) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = {"X-Clerk-Session": self.session} if self.session else {}
        return self.http.request(method, f"{self.url}/v1{path}", headers=headers, timeout=30, **kwargs)

    def sign_in(self, user: UserSetup = CLERK) -> requests.Response:
        answer = self.ask("POST", "/session", json={"staff_no": user.staff_no, "password": user.password})
        if answer.ok:
            self.session = answer.json()["token"]
        return answer

    def block(self, size: int = 500, request_no: int | None = None) -> dict[str, Any]:
        if request_no is None:
            self.requests_made += 1
            request_no = self.requests_made
        answer = self.ask("POST", "/blocks", json={"request_no": request_no, "size": size})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def number(self) -> str:
        if not self.numbers:
            block = self.block()
            serials = range(block["low"], block["high"] + 1)
            self.numbers = [case_number(self.device.hall_code, serial) for serial in serials]
        return self.numbers.pop(0)

    def command(self, type_: str, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The next command in order; its sequence number is used."""
        message = {
            "seq": self.next_seq,
            "id": uuid7(),
            "type": type_,
            "schema": SCHEMA,
            "at": datetime.now(HALL_TIME).isoformat(),
            "operator": CLERK.staff_no,
            "body": body,
        } | changes
        self.next_seq += 1
        if "hash" not in message:
            message["hash"] = command_hash(message["id"], message["type"], message["body"])
        return message

    def filing(self, **changes: Any) -> dict[str, Any]:
        """A `case.file` of an invented person."""
        return self.command("case.file", self.case_body(**changes))

    def case_body(self, item: str = FILEABLE, version: int = 1, **changes: Any) -> dict[str, Any]:
        person = {
            "name": "李小明",
            "number": "510704199001011234",
            "kind": "resident_id",
            "source": "card",
            "sex": "male",
            "birth": "1990-01-01",
            "ethnicity": "01",
            "address": "绵阳市涪城区",
            "valid_until": None,
            "long_term": True,
            "typed_reason": "",
        }
        filed = {
            "code": item,
            "kind": item[-12:],
            "name": "测试事项",
            "body_code": BODY,
            "body_name": "绵阳市人社局",
            "version": version,
            "legal_days": 20,
            "promised_days": 5,
            "day_unit": "working",
        }
        material = {
            "key": "id-copy",
            "name": "身份证复印件",
            "mode": "paper",
            "originals": 0,
            "copies": 1,
            "due": None,
        }
        body = {
            "id": uuid7(),
            "visit_id": uuid7(),
            "item": filed,
            "applicant": {"party": person, "agent": None},
            "situations": {"agent": "no"},
            "form": {"phone": "13800000000"},
            "materials": [material],
            "legal_state": "received",
            "operator": CLERK.staff_no,
            "received_at": datetime.now(HALL_TIME).isoformat(),
            "accepted_at": None,
            "due": None,
            "due_provisional": False,
        } | changes
        if "number" not in body:
            body["number"] = self.number()
        return body

    def push(self, *commands: dict[str, Any], **changes: Any) -> requests.Response:
        envelope = {
            "device": self.device.device,
            "epoch": self.device.epoch,
            "base_seq": commands[0]["seq"] if commands else self.next_seq,
            "commands": list(commands),
            "audit_head": "",
        } | changes
        return self.ask("POST", "/sync/push", json=envelope)

    def result(self, command: dict[str, Any]) -> dict[str, Any]:
        """Push one command; its result."""
        answer = self.push(command)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["results"]
        return dict(found)

    def changes(self, scope: str, since: int = 0, **params: Any) -> requests.Response:
        return self.ask("GET", "/sync/changes", params={"scope": scope, "since": since, **params})

    def own_scope(self) -> str:
        return f"device:{self.device.device}"

    def issue(self, series: str = "A", request_id: str | None = None) -> requests.Response:
        body = {"request_id": request_id or uuid7(), "series": series}
        return self.ask("POST", "/queues/A/tickets", json=body)

    def call(self, request_id: str | None = None) -> requests.Response:
        body = {"request_id": request_id or uuid7(), "window": self.device.window}
        return self.ask("POST", "/queues/A/call", json=body)

    def ticket_body(self, ticket: dict[str, Any] | None, **changes: Any) -> dict[str, Any]:
        return {
            "ticket_id": ticket["id"] if ticket else None,
            "ticket_number": ticket["number"] if ticket else "K001",
            "visit_id": uuid7(),
            "window": self.device.window,
            "at": datetime.now(HALL_TIME).isoformat(),
        } | changes
