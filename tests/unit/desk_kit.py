"""A desk for the tests: the real store in memory, hand-written fakes for what is plugged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from clerk_app.desk.context import Desk
from clerk_app.desk.ports import (
    Changed,
    Device,
    Hit,
    LinkState,
    LinkStatus,
    Operator,
    Page,
    Preview,
    PrinterSetup,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
    SearchContext,
    SignedIn,
    VoiceState,
    VoiceStatus,
)
from clerk_app.domain.applicant import CardRecord, DocumentKind, Sex
from clerk_app.domain.catalogue import (
    Audience,
    Choice,
    FieldKind,
    FormField,
    Implementation,
    ItemKind,
    ItemStatus,
    ItemType,
    Material,
    OfflineRule,
    ServiceItem,
    Situation,
)
from clerk_app.domain.documents import Slip
from clerk_app.domain.hall_time import HALL_TIME
from clerk_app.domain.ids import uuid7
from clerk_app.domain.numbering import NumberBlock
from clerk_app.domain.ticket import Series, Ticket, TicketState
from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore
from tests import office_seal

FRIDAY = datetime(2026, 11, 20, 16, 55, tzinfo=HALL_TIME)
CLERK = "1024"
CHIEF = "1001"  # may approve what CLERK does
RIGHTS = frozenset({"accept", "call", "issue", "void"})
DEVICE = Device(
    id="device-1",
    epoch=1,
    hall_code="MY01",
    hall_name="绵阳市政务服务中心",
    hall_name_en="Mianyang Government Service Centre",
    region="510700",
    window="综合窗口 12",
    queue="A",
    seal_key=office_seal.PUBLIC,
)
PERSON = CardRecord(
    kind=DocumentKind.RESIDENT_ID,
    name="李晓明",
    number="51070419890604123X",
    sex=Sex.MALE,
    birth=date(1989, 6, 4),
    ethnicity="01",
    address="四川省绵阳市游仙区样例路 9 号",
    valid_until=date(2036, 5, 11),
)
KIND = ItemKind(
    code="511600001000",
    name="社会保障卡补领",
    type=ItemType.PUBLIC_SERVICE,
    audience=Audience.PERSON,
    legal_days=20,
    promised_days=3,
    offline=OfflineRule.ACCEPT,
    situations=(Situation("agent", "办理方式", (Choice("no", "本人办理"), Choice("yes", "委托他人"))),),
    fields=(
        FormField("name", "姓名", required=True, fill="name"),
        FormField("number", "证件号码", required=True, fill="number"),
        FormField("phone", "联系电话", kind=FieldKind.PHONE, required=True),
    ),
    materials=(
        Material("id", "居民身份证", originals=1, check_only=True),
        Material("letter", "授权委托书", originals=1, when="agent=yes", deferrable=True),
    ),
)
ITEM = ServiceItem(
    KIND,
    Implementation(
        code="11510700MB0000001X3511600001000",
        kind=KIND.code,
        body_code="11510700MB0000001X",
        body_name="绵阳市人力资源和社会保障局",
        region="510700",
        level="city",
    ),
)


def operator(staff_no: str, rights: frozenset[str], until: datetime) -> Operator:
    """A clerk as the office grants and signs it at DEVICE."""
    signed = office_seal.grant(DEVICE.id, staff_no, rights, until, FRIDAY)
    return Operator(staff_no, "王芳", rights, until, "Wang Fang", signed)


@dataclass
class StandingClock:
    """A clock that only moves when told."""

    at: datetime = FRIDAY

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, step: timedelta) -> None:
        self.at += step


@dataclass
class FakeOffice:
    """Answers as told; `failure` set means nobody answers."""

    tickets: list[Ticket] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=lambda: {CLERK: "right", CHIEF: "chief"})
    failure: str = ""
    answered: dict[str, Ticket | None] = field(default_factory=dict)
    lose_answer: bool = False
    grant: timedelta = timedelta(hours=72)
    rights: frozenset[str] = RIGHTS
    issued: dict[str, Ticket] = field(default_factory=dict)
    voided: list[tuple[str, str]] = field(default_factory=list)
    refuse_void: bool = False
    sessions: list[str] = field(default_factory=list)  # whose session is open, one after the other
    now: Callable[[], datetime] = lambda: FRIDAY

    def sign_in(self, staff_no: str, password: str) -> SignedIn:
        self._reach()
        if self.passwords.get(staff_no) != password:
            raise Failure("SIGN-IN-WRONG")
        self.sessions.append(staff_no)
        return SignedIn(self._operator(staff_no), "token")

    def prove(self, staff_no: str, password: str) -> Operator:
        self._reach()
        if self.passwords.get(staff_no) != password:
            raise Failure("SIGN-IN-WRONG")
        return self._operator(staff_no)

    def _operator(self, staff_no: str) -> Operator:
        return operator(staff_no, self.rights, FRIDAY + self.grant)

    def sign_out(self) -> None:
        self.sessions.append("")
        self._reach()

    def call_next(self, request_id: str) -> Ticket | None:
        self._reach()
        if request_id not in self.answered:
            ticket = self.tickets.pop(0) if self.tickets else None
            self.answered[request_id] = ticket and replace(ticket, state=TicketState.CALLED, calls=1)
        if self.lose_answer:
            self.lose_answer = False
            raise Failure("SYNC-OFFLINE")
        return self.answered[request_id]

    def recall(self, request_id: str, ticket_id: str) -> Ticket:
        self._reach()
        called = next(t for t in self.answered.values() if t is not None and t.id == ticket_id)
        return replace(called, calls=called.calls + 1, version=called.version + 1)

    def series(self) -> tuple[Series, ...]:
        self._reach()
        return (Series("A", "general"), Series("Y", "appointment"))

    def issue_ticket(self, request_id: str, series: str) -> Ticket:
        self._reach()
        if request_id not in self.issued:
            number = f"{series}{100 + len(self.issued)}"
            reason = "appointment" if series == "Y" else "order"
            self.issued[request_id] = replace(ticket(number, reason), issued_at=self.now())
        self._lose()
        return self.issued[request_id]

    def void_ticket(self, request_id: str, ticket_id: str) -> Ticket:
        self._reach()
        if self.refuse_void:
            raise Failure("OFFICE-TICKET-STATE")
        known = next(t for t in self.issued.values() if t.id == ticket_id)
        self.voided.append((request_id, known.number))
        self._lose()
        return replace(known, state=TicketState.VOID, version=2)

    def _lose(self) -> None:
        if self.lose_answer:
            self.lose_answer = False
            raise Failure("SYNC-OFFLINE")

    def _reach(self) -> None:
        if self.failure:
            raise Failure(self.failure)


@dataclass
class FakeCatalogue:
    items: dict[str, ServiceItem] = field(default_factory=lambda: {ITEM.implementation.code: ITEM})
    asked: list[SearchContext] = field(default_factory=list)
    count: int = 1
    version: str = "1"

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        self.asked.append(context)
        return ()

    def item(self, item_code: str) -> ServiceItem:
        if item_code not in self.items:
            raise Failure("CATALOGUE-NO-ITEM")
        return self.items[item_code]

    def retire(self, item_code: str) -> None:
        item = self.items[item_code]
        self.items[item_code] = replace(
            item, implementation=replace(item.implementation, status=ItemStatus.RETIRED, version=2)
        )


@dataclass
class FakePrinter:
    """Keeps what it was given; `outcomes` are used up one a slip, then everything prints."""

    papers: list[tuple[Slip, int]] = field(default_factory=list)
    outcomes: list[PrintResult] = field(default_factory=list)
    now: PrinterStatus = field(default_factory=PrinterStatus)
    unprintable: str = ""
    setup: PrinterSetup = field(default_factory=lambda: PrinterSetup("tcp://192.0.2.10", 80, "gb18030"))

    def preview(self, slip: Slip, *, reprint: int = 0) -> Preview:
        return Preview(b"", f"{type(slip).__name__} {reprint}")

    def missing(self, text: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sign for sign in text if sign in self.unprintable))

    def status(self) -> PrinterStatus:
        return self.now

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        result = self.outcomes.pop(0) if self.outcomes else PrintResult(PrintOutcome.PRINTED)
        if result.outcome is not PrintOutcome.FAILED:
            self.papers.append((slip, reprint))
        return result


def straighten(data: bytes) -> tuple[Page, ...]:
    """A file of the tests is its pages with a bar between them."""
    return tuple(Page(part, 1240, 1754) for part in data.split(b"|"))


@dataclass
class FakeVoice:
    """Keeps what it was asked to say; `watch` is called with it, to look around at that moment."""

    said: list[tuple[str, str]] = field(default_factory=list)
    watch: Callable[[], None] = lambda: None
    status: VoiceStatus = field(default_factory=lambda: VoiceStatus(VoiceState.READY))

    def start(self) -> None:
        pass

    def call(self, ticket_number: str, window: str) -> None:
        self.watch()
        self.said.append((ticket_number, window))

    def stop(self) -> None:
        pass


@dataclass
class Bench:
    """The desk and everything a test wants to move."""

    desk: Desk
    store: SqlStore
    office: FakeOffice
    catalogue: FakeCatalogue
    printer: FakePrinter
    voice: FakeVoice
    clock: StandingClock
    changes: list[Changed]
    pokes: list[None]
    link: list[LinkState]

    def offline(self) -> None:
        self.office.failure = "SYNC-OFFLINE"
        self.link[:] = [LinkState.OFFLINE]

    def online(self) -> None:
        self.office.failure = ""
        self.link[:] = [LinkState.ONLINE]


def ticket(number: str = "A037", reason: str = "order") -> Ticket:
    return Ticket(uuid7(), number, number[0], TicketState.WAITING, FRIDAY, 1, reason=reason)


@contextmanager
def bench(items: Mapping[str, ServiceItem] | None = None) -> Iterator[Bench]:
    """A desk with two people waiting and a hundred case numbers."""
    store = SqlStore.in_memory()
    office = FakeOffice([ticket("A037"), ticket("A038")])
    catalogue = FakeCatalogue(dict(items) if items else {ITEM.implementation.code: ITEM})
    printer, voice, clock = FakePrinter(), FakeVoice(), StandingClock()
    office.now = clock.now
    changes: list[Changed] = []
    pokes: list[None] = []
    link = [LinkState.ONLINE]
    desk = Desk(
        device=DEVICE,
        store=store,
        office=office,
        catalogue=catalogue,
        printer=printer,
        voice=voice,
        straighten=straighten,
        clock=clock,
        new_id=uuid7,
        link=lambda: LinkStatus(link[0]),
        poke=lambda: pokes.append(None),
        changed=changes.append,
    )

    def fill(tx: object) -> None:
        tx.meta.set_device(DEVICE)  # type: ignore[attr-defined]
        known = operator(CLERK, RIGHTS, FRIDAY + timedelta(hours=72))
        tx.operators.save(known, "")  # type: ignore[attr-defined]
        tx.numbers.add(NumberBlock(uuid7(), 1, 100, 1, DEVICE.epoch))  # type: ignore[attr-defined]

    store.write(fill)
    try:
        yield Bench(desk, store, office, catalogue, printer, voice, clock, changes, pokes, link)
    finally:
        store.close()
