"""The office of the property tests: its real transactions over a database in memory, without a server.

A crash is a transaction that is rolled back, or committed and not answered; a backup is a copy of the
database, and a restore goes on with one.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.pool import StaticPool
from sqlcipher3 import dbapi2 as driver

from back_office import accounts, blocks, catalogue, commands, enrolment, feed, restoring
from back_office.access import Device
from back_office.commands import PushEnvelope
from back_office.db import Database, open_database
from back_office.embedded import HallSetup, UserSetup, prepare
from back_office.metrics import Metrics
from back_office.office import Office, Transaction
from back_office.pokes import Pokes
from back_office.problems import Refused
from back_office.settings import Settings
from clerk_app.domain.catalogue import Audience, Implementation, ItemKind, ItemType
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.sync import protocol
from clerk_app.sync.protocol import EnrolAnswer
from clerk_app.sync.transport import OfficeFailure

T = TypeVar("T")

HALL = "MY01"
CLERK = "1024"
BODY = "11510700008400000A"
ITEM = f"{BODY}3510114001000"
MORNING = datetime(2026, 11, 20, 9, 0, tzinfo=HALL_TIME)

_envelope = TypeAdapter(PushEnvelope)


class HandClock:
    """The time of the office and of every window, moved by hand."""

    def __init__(self) -> None:
        self.at = MORNING

    def __call__(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - MORNING).total_seconds()

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


class LostLine(OfficeFailure):
    """The line broke, before or after the office did its work."""

    def __init__(self) -> None:
        super().__init__("SYNC-OFFLINE")


class _Crash(Exception):
    """Ends a transaction of the office before its commit."""


@cache
def _template() -> Path:
    """A prepared office, made once: a password's verifier is slow on purpose."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    kind = ItemKind(code=ITEM[-12:], name="测试事项", type=ItemType.LICENCE, audience=Audience.PERSON)
    item = Implementation(ITEM, kind.code, BODY, "绵阳市人社局", "510700", "city")
    settings = Settings(folder, lambda: MORNING - timedelta(days=1))
    people = [UserSetup(CLERK, "王芳", "window-twelve")]
    office = prepare(settings, HallSetup(HALL, "绵阳市民中心（测试）", "510700"), people)
    catalogue.put_in_force(office, [kind], [item], "2026.1")
    office.close()
    return settings.database


def _memory() -> sa.Engine:
    engine = sa.create_engine("sqlite://", module=driver, poolclass=StaticPool)

    @sa.event.listens_for(engine, "connect")
    def _opening(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _copy(source: sa.Engine) -> sa.Engine:
    target = _memory()
    with source.connect() as old, target.connect() as new:
        old.connection.driver_connection.backup(new.connection.driver_connection)
    return target


class MemoryOffice:
    """One hall's office; `write` and `read` as every request has them."""

    def __init__(self, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock()
        on_disk = open_database(_template())
        self._open(_copy(on_disk._engine))
        on_disk.close()

    def _open(self, engine: sa.Engine) -> None:
        self.engine = engine
        metrics = Metrics()
        settings = Settings(_template().parent, self.clock)
        self.office = Office(settings, Database(engine, engine, engine), Pokes(metrics), metrics)

    def close(self) -> None:
        self.engine.dispose()

    def write(self, work: Callable[[Transaction], T], lost: str = "") -> T:
        """One transaction; `lost` "before" its commit or "after" it. Raises LostLine for either."""

        def run(tx: Transaction) -> T:
            answer = work(tx)
            if lost == "before":
                tx.finish()
                raise _Crash
            return answer

        try:
            answer = self.office.write(run)
        except _Crash:
            raise LostLine from None
        if lost:
            raise LostLine
        return answer

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        return self.office.read(work)

    def rows(self, query: str) -> list[Any]:
        return self.read(lambda connection: list(connection.execute(sa.text(query)).all()))

    def backup(self) -> sa.Engine:
        return _copy(self.engine)

    def restore(self, copy: sa.Engine, *, told: bool = True) -> None:
        """Go on with `copy`, which stays as it is; `told`: IT says so, as the command of a restore does."""
        self.engine.dispose()
        self.clock.pass_(hours=1)  # no office is restored twice in a minute: epochs count by it
        self._open(_copy(copy))
        if told:
            self.write(restoring.restored)

    def enrol(self, window: str = "1", again: str | None = None, epoch: int = 0) -> EnrolAnswer:
        code = self.write(lambda tx: enrolment.new_code(tx, HALL, window, "A", again))
        return self.write(lambda tx: enrolment.enrol(tx, code, "TEST-PC", epoch))

    def sign_in(self, sender: Device) -> protocol.SessionAnswer:
        """What the right password opens: without its slow hash."""
        return self.write(lambda tx: accounts._open(tx, sender, CLERK))


def sender_of(answer: EnrolAnswer) -> Device:
    """Whom the device's token proves."""
    return Device(answer.device, answer.hall_code, answer.epoch, answer.window, answer.queue)


class Line:
    """What a window calls, as `OfficeClient`: the office's own functions, fed the bytes of the protocol.

    `lost` loses the next answer, "before" or "after" the office's commit; `page` is the longest of the feed.
    """

    def __init__(self, office: MemoryOffice, sender: Device) -> None:
        self.office = office
        self.sender = sender
        self.lost = ""
        self.page = 1000

    def _ask(self, work: Callable[[Transaction], T]) -> T:
        lost, self.lost = self.lost, ""
        try:
            return self.office.write(work, lost)
        except Refused as refused:
            problem = protocol.Problem(refused.code, refused.detail, refused.expected_seq)
            code = {409: "SYNC-GAP", 410: "SYNC-RESYNC", 423: "SYNC-FENCED"}.get(refused.status)
            raise OfficeFailure(code or "SYNC-REJECTED", refused.code, problem=problem) from None

    def block(self, request: protocol.BlockRequest) -> protocol.BlockAnswer:
        return self._ask(
            lambda tx: blocks.lease(tx, self.sender, request.request_no, request.size, request.kind)
        )

    def push(self, request: protocol.PushRequest) -> protocol.PushAnswer:
        told = _envelope.validate_json(msgspec.json.encode(request))
        try:
            pushed = self._ask(lambda tx: commands.push(tx, self.sender, told))
        except OfficeFailure as failure:
            expected = failure.problem.expected_seq if failure.problem else None
            if expected is not None and expected < told.base_seq:
                self.office.write(lambda tx: commands.ahead(tx, self.sender, told, expected))
            raise
        return msgspec.json.decode(pushed.text(), type=protocol.PushAnswer)

    def changes(self, scope: str, generation: str, since: int, limit: int = 1000) -> protocol.ChangesAnswer:
        return self._ask(
            lambda tx: feed.changes(tx.connection, (HALL, scope), since, min(limit, self.page), generation)
        )

    def snapshot(self, scope: str) -> protocol.SnapshotAnswer:
        return self._ask(lambda tx: feed.snapshot(tx.connection, (HALL, scope)))


def envelope(sender: Device, commands_: list[dict[str, Any]], **changes: Any) -> PushEnvelope:
    """A push as it arrives: decoded from its bytes."""
    told = {"device": sender.id, "epoch": sender.epoch, "commands": commands_, **changes}
    return _envelope.validate_json(json.dumps({"base_seq": 1} | told))


def filing(case: str, number: str, now: str) -> dict[str, Any]:
    """The body of `case.file`, about an invented person; the identity number has a valid check digit."""
    party = {"name": "李晓明", "number": "510704199001011233", "kind": "resident_id", "source": "card"}
    item = {
        "code": ITEM,
        "kind": ITEM[-12:],
        "name": "测试事项",
        "body_code": BODY,
        "body_name": "绵阳市人社局",
    }
    item |= {"version": 1, "legal_days": 20, "promised_days": 5, "day_unit": "working"}
    return {
        "id": case,
        "number": number,
        "visit_id": "visit-1",
        "item": item,
        "applicant": {"party": party, "agent": None},
        "situations": {},
        "form": {},
        "materials": [],
        "legal_state": "received",
        "operator": CLERK,
        "received_at": now,
    }
