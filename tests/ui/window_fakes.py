"""What is plugged into a window under test: people, and hand-written fakes of office, devices and doctor."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from clerk_app.desk.ports import (
    BodyChoice,
    CameraEvent,
    CameraFrame,
    CameraLost,
    CameraPhoto,
    CardEvent,
    CardRead,
    Check,
    Device,
    Hit,
    Operator,
    PaperState,
    Preview,
    PrinterSetup,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
    ReaderState,
    ReaderStatus,
    SearchContext,
    SignedIn,
)
from clerk_app.devices.printer import slips
from clerk_app.devices.printer.encoder import Encoding
from clerk_app.devices.printer.layout import ROLLS
from clerk_app.devices.printer.preview import preview
from clerk_app.devices.printer.templates.loading import Templates
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.domain.catalogue import ON_APPLICATION, ServiceItem
from clerk_app.domain.documents import Slip
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.ticket import Series, Ticket, TicketState
from clerk_app.failures import Failure
from clerk_app.lanes import Lane
from clerk_app.ui.services import Look
from tests import office_seal

MORNING = datetime(2026, 11, 20, 10, 42, tzinfo=HALL_TIME)
CLERK = "1024"
CHIEF = "1001"  # a colleague with the same password
PASSWORD = "right"
NAMES = {CLERK: ("王芳", "Wang Fang"), CHIEF: ("陈立", "Chen Li")}
DEVICE = Device(
    id="device-1",
    epoch=1,
    hall_code="MY01",
    hall_name="绵阳市政务服务中心",
    hall_name_en="Mianyang Government Service Centre",
    region="510700",
    window="12",
    queue="A",
    offline_series="L12",
    seal_key=office_seal.PUBLIC,
)
LI = CardRecord(
    kind=DocumentKind.RESIDENT_ID,
    name="李晓明",
    number="51070419890604123X",
    sex=Sex.MALE,
    birth=date(1989, 6, 4),
    ethnicity="01",
    address="四川省绵阳市涪城区样例路 9 号",
    valid_until=date(2036, 5, 11),
)
ZHAO = CardRecord(
    kind=DocumentKind.RESIDENT_ID,
    name="赵清和",
    number="510704197203158829",
    sex=Sex.FEMALE,
    birth=date(1972, 3, 15),
    ethnicity="33",
    address="四川省绵阳市北川羌族自治县示例乡 3 组",
    long_term=True,
)


@dataclass
class StandingClock:
    """A clock that only moves when told."""

    at: datetime = MORNING

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass
class FakeOffice:
    """Answers as told; `failure` set means nobody answers."""

    tickets: list[Ticket] = field(default_factory=list)
    failure: str = ""
    called: dict[str, Ticket] = field(default_factory=dict)
    rights: frozenset[str] = frozenset({"accept", "call", "void"})
    issued: list[Ticket] = field(default_factory=list)
    voided: list[str] = field(default_factory=list)
    in_session: bool = False  # an offline sign-in opens no session

    def sign_in(self, staff_no: str, password: str) -> SignedIn:
        self._reach()
        if password != PASSWORD:
            raise Failure("SIGN-IN-WRONG")
        self.in_session = True
        return SignedIn(self._operator(staff_no), "token")

    def prove(self, staff_no: str, password: str) -> Operator:
        self._reach()
        if password != PASSWORD:
            raise Failure("SIGN-IN-WRONG")
        return self._operator(staff_no)

    def _operator(self, staff_no: str) -> Operator:
        until = MORNING + timedelta(hours=72)
        signed = office_seal.grant(DEVICE.id, staff_no, self.rights, until, MORNING)
        name, name_en = NAMES.get(staff_no, NAMES[CLERK])
        return Operator(staff_no, name, self.rights, until, name_en, signed)

    def sign_out(self) -> None:
        self._reach()
        self.in_session = False

    def call_next(self, request_id: str) -> Ticket | None:
        self._reach()
        self._know()
        if not self.tickets:
            return None
        ticket = replace(self.tickets.pop(0), state=TicketState.CALLED, calls=1, version=2)
        self.called[ticket.id] = ticket
        return ticket

    def recall(self, request_id: str, ticket_id: str) -> Ticket:
        self._reach()
        before = self.called[ticket_id]
        self.called[ticket_id] = replace(before, calls=before.calls + 1, version=before.version + 1)
        return self.called[ticket_id]

    def series(self) -> tuple[Series, ...]:
        self._reach()
        return (Series("A", "general"), Series("Y", "appointment"), Series("P", "priority"))

    def issue_ticket(self, request_id: str, series: str) -> Ticket:
        self._reach()
        self._know()
        number = f"{series}{41 + len(self.issued):03}"
        self.issued.append(Ticket(uuid7(), number, series, TicketState.WAITING, MORNING, 1, reason="order"))
        return self.issued[-1]

    def void_ticket(self, request_id: str, ticket_id: str) -> Ticket:
        self._reach()
        known = next(ticket for ticket in self.issued if ticket.id == ticket_id)
        self.voided.append(known.number)
        return replace(known, state=TicketState.VOID, version=2)

    def _reach(self) -> None:
        if self.failure:
            raise Failure(self.failure)

    def _know(self) -> None:
        if not self.in_session:
            raise Failure("OFFICE-SESSION")


@dataclass
class FakeCatalogue:
    """The sample items, found by a piece of their name or by "all"."""

    items: dict[str, ServiceItem]
    count: int = 66_774
    version: str = "1"
    asked: list[str] = field(default_factory=list)

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        self.asked.append(text)
        kinds: dict[str, list[ServiceItem]] = {}
        for item in self.items.values():
            start = item.kind.name.find(text)
            if start >= 0 or text in ("sbk bl", "all"):
                kinds.setdefault(item.kind.code, []).append(item)
        return tuple(_hit(items, text) for items in kinds.values())[:limit]

    def item(self, item_code: str) -> ServiceItem:
        if item_code not in self.items:
            raise Failure("CATALOGUE-NO-ITEM")
        return self.items[item_code]


def _hit(items: list[ServiceItem], text: str) -> Hit:
    kind = items[0].kind
    start = kind.name.find(text)
    marks = ((start, len(text)),) if start >= 0 and text else ()
    if text == "sbk bl" and kind.name.startswith("社会保障卡"):
        marks = ((0, 2), (2, 1), (4, 1), (5, 2))
    bodies = tuple(
        BodyChoice(
            i.implementation.code, i.implementation.body_name, i.implementation.region, i.implementation.level
        )
        for i in items
    )
    accepts = kind.type in ON_APPLICATION
    return Hit(kind.code, kind.name, kind.name_en, kind.department, kind.type, marks, bodies, accepts)


@dataclass
class FakePrinter:
    """Keeps what it was given; `outcomes` are used up one a slip, then everything prints."""

    papers: list[tuple[Slip, int]] = field(default_factory=list)
    outcomes: list[PrintResult] = field(default_factory=list)
    now: PrinterStatus = field(default_factory=lambda: PrinterStatus(PaperState.OK))
    unprintable: str = ""
    setup: PrinterSetup = field(default_factory=lambda: PrinterSetup("tcp://192.0.2.10", 80, "gb18030"))
    templates: Templates = field(default_factory=Templates)

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        """The picture of the real printer driver."""
        elements = slips.page(slip, ROLLS[80], reprint=reprint, templates=self.templates)
        shown = preview(elements, ROLLS[80], Encoding.GB18030)
        return replace(shown, problem=self.templates.problem(slip))

    def missing(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sign for sign in text if sign in self.unprintable))

    def status(self) -> PrinterStatus:
        return self.now

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        result = self.outcomes.pop(0) if self.outcomes else PrintResult(PrintOutcome.PRINTED)
        if result.outcome is not PrintOutcome.FAILED:
            self.papers.append((slip, reprint))
        return result


@dataclass
class FakeReader:
    """A reader whose cards the test lays down."""

    listener: Callable[[CardEvent], None] | None = None
    lying: dict[str, CardRead] = field(default_factory=dict)

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        self.listener = listener
        listener(ReaderStatus(ReaderState.EMPTY, "Sample Reader"))

    def lay(self, event: CardEvent) -> None:
        """As a real one reports it: a card that lay there has gone, then what came of this one."""
        assert self.listener is not None
        self.lying.pop(event.reader, None)
        if isinstance(event, CardRead):
            self.lying[event.reader] = event
            self.listener(ReaderStatus(ReaderState.EMPTY, event.reader))
        self.listener(event)

    def read_again(self) -> None:
        """What lies on any of them, as the service after it was away too."""
        assert self.listener is not None
        for event in self.lying.values():
            self.listener(event)

    def stop(self) -> None:
        self.listener = None


@dataclass
class FakeDoctor:
    """Tells what the test wrote down; `gate` closed, it stops before the last line."""

    found: list[Check] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(check.key for check in self.found if check.key != "test_page")

    def run(self, report: Callable[[Check], None], *, card: bool = False, test_page: bool = False) -> None:
        self.asked.append(test_page)
        told = [check for check in self.found if test_page or check.key != "test_page"]
        for place, check in enumerate(told):
            if place == len(told) - 1:
                self.gate.wait(10)
            report(check)


@dataclass
class FakeCamera:
    """A camera whose pictures the test holds before it; without any the computer has none."""

    sees: bytes = b""
    lost: str = ""
    listener: Callable[[CameraEvent], None] | None = None

    def open(self, listener: Callable[[CameraEvent], None]) -> None:
        self.listener = listener
        listener(CameraFrame(self.sees) if self.sees else CameraLost(self.lost))

    def take(self) -> None:
        if self.listener is not None:
            self.listener(CameraPhoto(self.sees))

    def close(self) -> None:
        self.listener = None


@dataclass
class KeptLook:
    look: Look = field(default_factory=Look)

    def load(self) -> Look:
        return self.look

    def save(self, look: Look) -> None:
        self.look = look


@dataclass(frozen=True)
class WindowLanes:
    desk: Lane
    network: Lane
    catalogue: Lane
    printer: Lane
    scanner: Lane
    photo: Lane
