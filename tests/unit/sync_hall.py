"""One window and an office of paper: what the sync tests share."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from clerk_app.desk.ports import Command, Device
from clerk_app.domain.applicant import Applicant, DocumentKind, EntrySource, Person
from clerk_app.domain.case import Case, FiledItem, LegalState, SyncState
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import FIRST_EMERGENCY, case_number
from clerk_app.store.cache import SqlStore
from clerk_app.sync.protocol import (
    SCHEMA,
    BlockAnswer,
    BlockRequest,
    Change,
    ChangesAnswer,
    CommandResult,
    DeviceAnswer,
    DigestAnswer,
    Problem,
    PushAnswer,
    PushRequest,
    SnapshotAnswer,
    TimeAnswer,
    WaitAnswer,
    scope_digest,
)
from clerk_app.sync.transport import OfficeFailure

NOW = datetime(2026, 11, 23, 10, 42, tzinfo=UTC)
DEVICE = Device("dev-1", 1, "MY01", "绵阳市政务服务中心", "Mianyang Service Hall", "510700", "12", "general")


class HandClock:
    """A clock that moves when the test says so."""

    def __init__(self) -> None:
        self.wall = NOW
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall += timedelta(seconds=seconds)


def no_beat() -> None:
    """Progress nobody watches."""


def open_store(device: Device = DEVICE) -> SqlStore:
    store = SqlStore.in_memory()
    store.write(lambda tx: tx.meta.set_device(device))
    return store


def make_case(serial: int) -> Case:
    """An invented person's case; the number has a valid check digit."""
    person = Person("李晓明", "510704199001011233", DocumentKind.RESIDENT_ID, EntrySource.CARD)
    return Case(
        id=uuid7(),
        number=case_number("MY01", serial),
        visit_id="visit-1",
        item=FiledItem(
            code="11510700MB1234567T4000114001000",
            kind="000114001000",
            name="社会保障卡补领",
            body_code="11510700MB1234567T",
            body_name="绵阳市人力资源和社会保障局",
            version=1,
            legal_days=20,
            promised_days=0,
            day_unit="working",
        ),
        applicant=Applicant(person),
        situations={},
        form={},
        materials=(),
        legal_state=LegalState.RECEIVED,
        sync_state=SyncState.HERE,
        operator="1024",
        received_at=NOW,
    )


def file_case(store: SqlStore, serial: int, body: dict[str, object] | None = None) -> Case:
    """What the desk does: the case and its command in one transaction."""
    case = make_case(serial)
    content = {"case_id": case.id, "number": case.number} | (body or {})

    def file(tx) -> None:
        tx.cases.add(case)
        tx.outbox.add("case.file", case.id, content, at=NOW, operator="1024")

    store.write(file)
    return case


def add_command(store: SqlStore, type_: str, aggregate: str) -> Command:
    return store.write(
        lambda tx: tx.outbox.add(type_, aggregate, {"case_id": aggregate}, at=NOW, operator="1024")
    )


class PaperOffice:
    """An office that keeps the protocol's promises in memory. Each call can be made to fail.

    `before` and `after` run around the effect of every call with its name; raising in `after` loses an answer
    the office has already committed.
    """

    def __init__(self) -> None:
        self.last_seq = 0
        self.commands: dict[str, CommandResult] = {}
        self.batches: list[list[int]] = []
        self.applied: list[str] = []
        self.refuse: dict[str, str] = {}  # aggregate -> code
        self.hold: set[str] = set()  # aggregates it meets errors of its own with
        self.pushes: list[PushRequest] = []
        self.audit: list[str] = []  # hashes of the links it holds
        self.schema = SCHEMA
        self.device_answer = DeviceAnswer(
            "dev-1", 1, "MY01", "绵阳市政务服务中心", "Mianyang Service Hall", "510700", "12", "general",
            False, "", "", "",
        )  # fmt: skip
        self.blocks: dict[int, BlockAnswer] = {}
        self.next_serial = 1
        self.next_emergency = FIRST_EMERGENCY
        self.generation = "g1"
        self.floor = 0
        self.log: dict[str, list[Change]] = {}
        self.page = 1000
        self.snapshots: list[str] = []
        self.wall: Callable[[], datetime] = lambda: NOW
        self.before: Callable[[str], None] = lambda name: None
        self.after: Callable[[str], None] = lambda name: None

    def publish(self, scope: str, kind: str, id_: str, data: dict[str, object], op: str = "put") -> None:
        log = self.log.setdefault(scope, [])
        seq = log[-1].seq + 1 if log else 1
        version = 1 + sum(change.id == id_ for change in log)
        log.append(Change(seq, kind, id_, version, op, data))  # type: ignore[arg-type]

    def time(self) -> TimeAnswer:
        self.before("time")
        return TimeAnswer(self.wall(), self.schema)

    def device(self) -> DeviceAnswer:
        self.before("device")
        return self.device_answer

    def push(self, request: PushRequest) -> PushAnswer:
        self.before("push")
        self.pushes.append(request)
        if request.commands:
            self.batches.append([command.seq for command in request.commands])
        if request.base_seq > max(self.last_seq, request.purged_through) + 1:
            raise OfficeFailure("SYNC-GAP", problem=Problem("GAP", expected_seq=self.last_seq + 1))
        self.last_seq = max(self.last_seq, request.base_seq - 1)
        results = []
        for command in request.commands:
            if command.id in self.commands:
                self.last_seq = max(self.last_seq, command.seq)
                results.append(self.commands[command.id])
                continue
            if command.seq != self.last_seq + 1:
                raise OfficeFailure("SYNC-GAP", problem=Problem("GAP", expected_seq=self.last_seq + 1))
            self.last_seq = command.seq
            aggregate = command.body["case_id"]
            result = CommandResult(command.seq, command.id, "applied")
            if aggregate in self.hold:
                result = CommandResult(command.seq, command.id, "held", "OFFICE-ERROR")
            elif aggregate in self.refuse:
                code = self.refuse[aggregate]
                first = not any(r.status == "refused" for r in self.commands.values())
                result = CommandResult(command.seq, command.id, "refused", code)
                if not first:
                    result = CommandResult(command.seq, command.id, "refused", "BEHIND-A-REFUSED-ONE")
            else:
                self.applied.append(aggregate)
            self.commands[command.id] = result
            results.append(result)
        for link in request.audit:
            if link.n == len(self.audit) + 1:
                self.audit.append(link.hash)
        self.after("push")
        return PushAnswer(self.last_seq, results, len(self.audit))

    def answer_owed(self, command_id: str, status: str = "applied", code: str = "") -> None:
        """What it held it has looked into."""
        self.hold.clear()
        self.publish("device:dev-1", "command", command_id, {"status": status, "code": code})

    def block(self, request: BlockRequest) -> BlockAnswer:
        self.before("block")
        if request.request_no not in self.blocks:
            if request.kind == "case":
                low, self.next_serial = self.next_serial, self.next_serial + request.size
            else:
                low, self.next_emergency = self.next_emergency, self.next_emergency + request.size
            answer = BlockAnswer(f"b{low}", low, low + request.size - 1, 1, request.kind)
            self.blocks[request.request_no] = answer
        self.after("block")
        return self.blocks[request.request_no]

    def changes(self, scope: str, generation: str, since: int, limit: int = 1000) -> ChangesAnswer:
        self.before(f"changes {scope}")
        if generation != self.generation or since < self.floor:
            raise OfficeFailure("SYNC-RESYNC", problem=Problem("RESYNC"))
        log = [change for change in self.log.get(scope, []) if change.seq > since]
        page = log[: self.page]
        to = page[-1].seq if page else since
        return ChangesAnswer(scope, self.generation, since, to, len(log) > len(page), page)

    def snapshot(self, scope: str) -> SnapshotAnswer:
        self.before(f"snapshot {scope}")
        self.snapshots.append(scope)
        alive, seq = self._alive(scope)
        return SnapshotAnswer(scope, self.generation, seq, alive, self._digest(alive))

    def digest(self, scope: str) -> DigestAnswer:
        self.before(f"digest {scope}")
        alive, seq = self._alive(scope)
        return DigestAnswer(scope, self.generation, seq, len(alive), self._digest(alive))

    def _alive(self, scope: str) -> tuple[list[Change], int]:
        latest = {(change.kind, change.id): change for change in self.log.get(scope, [])}
        seq = max((change.seq for change in latest.values()), default=0)
        return [change for change in latest.values() if change.op == "put"], seq

    def _digest(self, changes: list[Change]) -> str:
        return scope_digest((change.kind, change.id, change.version) for change in changes)

    def wait(self, cursors: dict[str, int], seconds: int) -> WaitAnswer:
        self.before("wait")
        return WaitAnswer([])


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: a client that hangs up in the handshake is what some tests are about."""


class Answers:
    """A real HTTP server on loopback whose every answer the test writes: (status, headers, body).

    With `certificate` (a file with key and certificate) it speaks TLS.
    """

    def __init__(
        self,
        answer: Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], bytes]],
        certificate: Path | None = None,
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                self.body = self.rfile.read(length)
                status, headers, body = answer(self)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
