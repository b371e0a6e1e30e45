"""What the use cases need from the outside, as protocols.

`store`, `devices`, `catalogue` and `sync` implement these; fakes in the tests do too. Values that cross are
frozen dataclasses; every failure is a `clerk_app.failures.Failure` with a code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.case import Case, Draft, TimelineEvent
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.domain.documents import Slip
from clerk_app.domain.numbering import NumberBlock
from clerk_app.domain.ticket import Ticket, Visit
from clerk_app.domain.working_days import WorkingCalendar

T = TypeVar("T")


class Clock(Protocol):
    """Wall time for legal facts, monotonic time for waiting. Injected so that tests own it."""

    def now(self) -> datetime:
        """Local wall time with its zone, corrected by the last known skew against the office."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


# --- cards ---------------------------------------------------------------------------------------------


class ReaderState(StrEnum):
    SERVICE_LOST = "service_lost"  # pcscd / SCardSvr is not answering
    NO_READER = "no_reader"
    EMPTY = "empty"
    READING = "reading"
    PRESENT = "present"  # a card that has been read, or could not be


@dataclass(frozen=True, slots=True)
class ReaderStatus:
    state: ReaderState
    reader: str = ""


@dataclass(frozen=True, slots=True)
class CardRead:
    record: CardRecord
    reader: str = ""


@dataclass(frozen=True, slots=True)
class CardFailed:
    code: str
    reader: str = ""
    detail: str = ""


CardEvent = ReaderStatus | CardRead | CardFailed


class CardReader(Protocol):
    """A reader that reports every card laid on it. Events come on a thread of its own."""

    def start(self, listener: Callable[[CardEvent], None]) -> None:
        """Begin watching; a card already there is read and reported."""

    def read_again(self) -> None:
        """Read the card that lies there once more; the result comes as an event."""

    def stop(self) -> None:
        """Stop watching; joins its threads within a second."""


# --- printers ------------------------------------------------------------------------------------------


class PaperState(StrEnum):
    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """`code` is empty when the printer can print; otherwise a failure code (PRINTER-...)."""

    paper: PaperState = PaperState.UNKNOWN
    code: str = ""

    @property
    def ready(self) -> bool:
        return not self.code


class PrintOutcome(StrEnum):
    PRINTED = "printed"  # the printer confirmed after the last byte
    FAILED = "failed"  # nothing, or visibly not all, reached the paper
    UNKNOWN = "unknown"  # all bytes went out, nobody confirmed


@dataclass(frozen=True, slots=True)
class PrintResult:
    outcome: PrintOutcome
    code: str = ""
    detail: str = ""


class Printer(Protocol):
    """One slip printer. Calls block for seconds at most and run on the printer lane only."""

    def status(self) -> PrinterStatus: ...

    def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
        """Lay out, encode and send `slip`; `reprint` > 0 marks it 补打 with that count."""


# --- catalogue -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BodyChoice:
    """One implementing body inside a hit."""

    item_code: str
    body_name: str
    region: str
    level: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One row of a search: an item kind with its bodies inside, the proposed one first.

    `marks` are (start, length) runs of `name` that matched, for the eye.
    """

    kind_code: str
    name: str
    name_en: str
    department: str
    type: str
    marks: tuple[tuple[int, int], ...]
    bodies: tuple[BodyChoice, ...]
    acceptable: bool


@dataclass(frozen=True, slots=True)
class SearchContext:
    """What the proposal of a body and the order of hits may use."""

    region: str = ""  # of the window's hall
    applicant_region: str = ""  # first six digits of the applicant's number or address
    audience: str = ""  # "person" or "organisation" when the applicant is known
    recent: tuple[str, ...] = ()  # kind codes, newest first
    frequent: Mapping[str, int] = field(default_factory=dict)  # kind code -> times accepted here


class Catalogue(Protocol):
    """The catalogue file. Searching and reading happen on the catalogue lane."""

    @property
    def count(self) -> int:
        """Number of implementations (66,774 in the sample)."""

    @property
    def version(self) -> str: ...

    def search(self, text: str, context: SearchContext, limit: int = 20) -> tuple[Hit, ...]:
        """Ranked hits for what the clerk typed; with no text, the window's recent and frequent kinds."""

    def item(self, item_code: str) -> ServiceItem:
        """One item in full. Raises Failure("CATALOGUE-NO-ITEM")."""


# --- store ---------------------------------------------------------------------------------------------


class CommandState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"  # handed to the network, answer not seen
    APPLIED = "applied"
    REFUSED = "refused"
    SETTLED = "settled"  # refused, and settled by a person: the case was voided here
    HELD = "held"  # a case's earlier command was refused, or the office had an error of its own


@dataclass(frozen=True, slots=True)
class Command:
    """One intent on its way up. `aggregate` is the id whose commands must stay in order (a case, a visit)."""

    seq: int
    id: str
    type: str
    schema: int
    aggregate: str
    body: Mapping[str, Any]
    at: datetime
    operator: str
    state: CommandState = CommandState.WAITING
    code: str = ""
    attempts: int = 0


class PrintState(StrEnum):
    QUEUED = "queued"
    PRINTING = "printing"
    PRINTED = "printed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REPLACED = "replaced"  # not on paper, and never will be: a marked copy or a 作废 slip followed


@dataclass(frozen=True, slots=True)
class PrintJob:
    """A slip that must reach paper: a row written with the fact it proves."""

    id: str
    case_id: str | None
    slip: Slip
    state: PrintState
    created_at: datetime
    reprint: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """A clerk known to this workstation."""

    staff_no: str
    name: str
    rights: frozenset[str]
    grant_until: datetime
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """What enrolment made of this workstation."""

    id: str
    epoch: int
    hall_code: str
    hall_name: str
    hall_name_en: str
    region: str
    window: str
    queue: str
    practice: bool = False


class Drafts(Protocol):
    def save(self, draft: Draft) -> None: ...
    def get(self, draft_id: str) -> Draft | None: ...
    def open(self) -> Sequence[Draft]: ...
    def remove(self, draft_id: str) -> None: ...


class Visits(Protocol):
    def save(self, visit: Visit) -> None: ...
    def get(self, visit_id: str) -> Visit | None: ...
    def current(self, operator: str) -> Visit | None:
        """The visit of `operator` that is called or being served, if any."""

    def finished_since(self, since: datetime) -> int: ...


class Cases(Protocol):
    def add(self, case: Case) -> None: ...
    def save(self, case: Case) -> None: ...
    def get(self, case_id: str) -> Case | None: ...
    def by_number(self, number: str) -> Case | None: ...
    def of_visit(self, visit_id: str) -> Sequence[Case]: ...
    def recent(self, limit: int = 50) -> Sequence[Case]: ...
    def same_open(self, identity: str, kind: str) -> Sequence[Case]:
        """Cases of the same person for the same item kind that are neither void nor refused."""

    def count_since(self, since: datetime) -> int: ...
    def used_kinds(self) -> tuple[tuple[str, ...], Mapping[str, int]]:
        """(kind codes newest first, kind code -> times) filed at this window, for the search."""


class Numbers(Protocol):
    def take(self) -> int:
        """The next serial of the block in use; the row moves in the caller's transaction.

        Raises Failure("STORE-NO-NUMBERS") when every block is used up.
        """

    def add(self, block: NumberBlock) -> None: ...
    def blocks(self) -> Sequence[NumberBlock]: ...


class Outbox(Protocol):
    def add(
        self,
        type_: str,
        aggregate: str,
        body: Mapping[str, Any],
        *,
        at: datetime,
        operator: str,
    ) -> Command:
        """Append with a new id (UUIDv7) and the device's next dense sequence number."""

    def next_batch(self, limit: int = 100) -> Sequence[Command]:
        """Unanswered commands in order of sequence."""

    def since(self, seq: int, limit: int = 100) -> Sequence[Command]:
        """Commands from `seq` on, answered or not: an office restored from a backup asks for them again."""

    def mark(self, ids: Sequence[str], state: CommandState, code: str = "") -> None: ...
    def get(self, command_id: str) -> Command | None: ...
    def pending(self) -> Sequence[Command]:
        """Everything neither applied nor settled, oldest first: waiting, sent, refused, held."""


class Tickets(Protocol):
    def put(self, tickets: Sequence[Ticket]) -> None:
        """Mirror facts from the feed; an older version never replaces a newer one."""

    def waiting(self, limit: int | None = None) -> Sequence[Ticket]:
        """Waiting tickets in the order they were issued, all or the first `limit`."""

    def get(self, ticket_id: str) -> Ticket | None: ...
    def by_number(self, number: str) -> Ticket | None: ...
    def count(self, state: str) -> int: ...
    def clear(self) -> None: ...


class PrintJobs(Protocol):
    def add(self, slip: Slip, *, case_id: str | None, at: datetime, reprint: int = 0) -> PrintJob: ...
    def mark(self, job_id: str, state: PrintState, code: str = "") -> None: ...
    def get(self, job_id: str) -> PrintJob | None: ...
    def unfinished(self) -> Sequence[PrintJob]:
        """Queued, printing (left by a kill), failed and unknown jobs, oldest first."""

    def of_case(self, case_id: str) -> Sequence[PrintJob]: ...


class Timeline(Protocol):
    def add(self, event: TimelineEvent) -> None: ...
    def of_visit(self, visit_id: str) -> Sequence[TimelineEvent]: ...
    def of_case(self, case_id: str) -> Sequence[TimelineEvent]: ...


class Audit(Protocol):
    def add(self, *, at: datetime, actor: str, act: str, subject: str, detail: str = "") -> str:
        """Append one link to the hash chain; returns the new head (hex SHA-256)."""

    def head(self) -> str: ...
    def verify(self) -> int:
        """Number of links checked. Raises Failure("STORE-AUDIT-BROKEN") naming the first bad one."""


class Operators(Protocol):
    def save(self, operator: Operator, verifier: str) -> None: ...
    def get(self, staff_no: str) -> tuple[Operator, str] | None:
        """The operator and the Argon2id verifier of the last online sign-in here."""

    def failed(self, staff_no: str, at: datetime) -> int:
        """Count one failed attempt; returns how many in a row."""

    def failures(self, staff_no: str) -> tuple[int, datetime | None]: ...
    def succeeded(self, staff_no: str) -> None: ...


class Feed(Protocol):
    """Cursors of the change feed: (generation, sequence) a scope."""

    def cursor(self, scope: str) -> tuple[str, int] | None: ...
    def advance(self, scope: str, generation: str, seq: int) -> None: ...
    def reset(self, scope: str) -> None: ...


class Meta(Protocol):
    """Small facts of the workstation: device, calendar, last sync, highest wall time seen."""

    def device(self) -> Device | None: ...
    def set_device(self, device: Device) -> None: ...
    def calendar(self) -> WorkingCalendar: ...
    def set_calendar(self, calendar: WorkingCalendar) -> None: ...
    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...


class Transaction(Protocol):
    """The repositories of one transaction. Never kept beyond it."""

    @property
    def drafts(self) -> Drafts: ...
    @property
    def visits(self) -> Visits: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def numbers(self) -> Numbers: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def print_jobs(self) -> PrintJobs: ...
    @property
    def timeline(self) -> Timeline: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def operators(self) -> Operators: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def meta(self) -> Meta: ...


class Store(Protocol):
    """The encrypted cache. Both calls run `work` on the store's own lane and wait for it.

    `write` is one `BEGIN IMMEDIATE` transaction with `synchronous=FULL`: all of `work` or nothing.
    Failures: STORE-FULL, STORE-READ-ONLY, STORE-DAMAGED, STORE-IO.
    """

    def write(self, work: Callable[[Transaction], T]) -> T: ...
    def read(self, work: Callable[[Transaction], T]) -> T: ...


# --- the office ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedIn:
    operator: Operator
    token: str


class Office(Protocol):
    """Direct calls to the back office: the few acts that need its answer at once. Network lane only.

    Every call raises Failure("SYNC-OFFLINE", "SYNC-SLOW", "SYNC-NOT-OFFICE", ...) when there is no answer
    that can be trusted. Each act carries a client-made id, so that a lost answer can be asked for again.
    """

    def sign_in(self, staff_no: str, password: str) -> SignedIn: ...
    def sign_out(self) -> None: ...
    def call_next(self, request_id: str) -> Ticket | None:
        """The ticket the authority assigns to this window, or None when nobody waits."""

    def recall(self, request_id: str, ticket_id: str) -> Ticket: ...


class LinkState(StrEnum):
    ONLINE = "online"
    SLOW = "slow"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """What the status strip tells: the link, since when, last full sync, and what waits."""

    state: LinkState
    since: datetime | None = None
    synced_at: datetime | None = None
    skew_seconds: float = 0.0
    code: str = ""  # why the link is slow or offline, as a failure code


@dataclass(frozen=True, slots=True)
class Changed:
    """What a background operation changed, so that the window refreshes that and nothing else.

    Topics: "tickets", "cases", "outbox", "link", "calendar", "printing", "catalogue".
    """

    topics: frozenset[str]
