"""The encrypted cache: one repository a kind of row, used inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from clerk_app.desk.ports.records import (
    Attachment,
    AuditAct,
    AuditRecord,
    Command,
    CommandState,
    Device,
    LostCard,
    Operator,
    OutboxState,
    PrintJob,
    PrintState,
    Receipt,
    Seal,
)
from clerk_app.domain.case import Case, Draft, TimelineEvent
from clerk_app.domain.documents import Slip
from clerk_app.domain.numbering import NumberBlock
from clerk_app.domain.ticket import Ticket, Visit
from clerk_app.domain.working_days import WorkingCalendar

T = TypeVar("T")


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
    def ended(self, since: datetime, until: datetime) -> Sequence[Visit]:
        """Visits that ended from `since` on and before `until`, no-shows included."""


class Cases(Protocol):
    def add(self, case: Case) -> None: ...
    def save(self, case: Case) -> None: ...
    def sent(self, ids: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Those of `ids` that were known here alone are on their way now; (case, visit) of each."""

    def register(self, case_id: str, official_number: str) -> str | None:
        """Give a case its official number; its visit. None when it has one, is void, refused or not here."""

    def registered(self) -> Sequence[str]:
        """The ids of the cases here that the office has registered, whether its number has come or not."""

    def get(self, case_id: str) -> Case | None: ...
    def by_number(self, number: str) -> Case | None: ...
    def of_visit(self, visit_id: str) -> Sequence[Case]: ...
    def recent(self, limit: int = 50) -> Sequence[Case]: ...
    def same_open(self, identity: str, kind: str) -> Sequence[Case]:
        """Cases of the same person for the same item kind that are neither void nor refused."""

    def unaccepted(self) -> Sequence[Case]:
        """Cases only received so far, neither void nor accepted, oldest first."""

    def with_limit(self, day: date) -> Sequence[Case]:
        """Accepted cases whose limit ends on `day` or later, or is provisional; and every received one."""

    def count_since(self, since: datetime) -> int: ...
    def filed(self, since: datetime, until: datetime) -> Sequence[Case]:
        """Cases received from `since` on and before `until`, in the order they were filed."""

    def used_kinds(self) -> tuple[tuple[str, ...], Mapping[str, int]]:
        """(kind codes newest first, kind code -> times) filed at this window, for the search."""


class Numbers(Protocol):
    def take(self) -> int:
        """The next serial of the block in use; the row moves in the caller's transaction.

        Raises Failure("STORE-NO-NUMBERS") when every block is used up.
        """

    def add(self, block: NumberBlock, lease: Seal | None = None) -> None: ...
    def blocks(self) -> Sequence[NumberBlock]: ...
    def void_rest(self) -> Sequence[tuple[int, int]]:
        """The unused rest (low, high) of every block of an earlier epoch, told once."""

    def proofs(self, serials: Collection[int]) -> Sequence[Seal]:
        """The signed leases that `serials` came from, and those of the blocks that have numbers left."""

    def leases(self) -> Sequence[Seal]:
        """The office's signed word on every block of this device, earlier epochs included."""


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
    def taken_back(self, command_id: str, code: str) -> None:
        """An office restored from a backup refuses what it had applied before."""

    def get(self, command_id: str) -> Command | None: ...
    def of_aggregate(self, aggregate: str) -> Sequence[Command]:
        """Every command about one case or visit that is here, oldest first."""

    def pending(self) -> Sequence[Command]:
        """Everything neither applied nor settled, oldest first: waiting, sent, refused, held."""

    def next_seq(self) -> int:
        """The sequence number the next command gets."""

    def again(self, lost: Sequence[str], kept: Sequence[str] = ()) -> int:
        """Applied commands of earlier epochs go once more, as the next of this one; how many.

        All of the aggregates `lost`; of those `kept` whatever followed the filing.
        """

    def purged_through(self) -> int:
        """The highest sequence number of this epoch that retention took away; 0 when it took none."""

    def stuck(self) -> Sequence[Command]:
        """Refused and held commands only, oldest first: few, whatever waits."""

    def state(self) -> OutboxState: ...


class Tickets(Protocol):
    def put(self, tickets: Sequence[Ticket]) -> None:
        """Mirror facts from the feed; an older version never replaces a newer one."""

    def remove(self, ticket_id: str, version: int) -> None:
        """The authority put the ticket away: done, and kept to be found by its paper."""

    def versions(self) -> Sequence[tuple[str, int]]:
        """(id, version) of every ticket the authority still has."""

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
    def newest_of(self, shape: type[Slip]) -> PrintJob | None:
        """The newest job of this kind of slip, whatever became of it."""


class Attachments(Protocol):
    def add(self, attachment: Attachment, content: bytes) -> None: ...
    def remove(self, attachment_id: str) -> None: ...
    def of_case(self, case_id: str) -> Sequence[Attachment]:
        """Every page of the case or draft, by material and page."""

    def content(self, attachment_id: str) -> bytes | None: ...
    def remove_stray(self) -> int:
        """Remove the pages whose draft or case is no more; how many."""

    def to_upload(self, limit: int = 20) -> Sequence[Attachment]:
        """Pages of cases the office has registered, not there yet, oldest first."""

    def uploaded(self, attachment_id: str, at: datetime) -> None: ...
    def ask_again(self) -> int:
        """No page counts as uploaded: an office that lost its memory may lack it. How many did."""


class Receipts(Protocol):
    """The index of cases that retention took away."""

    def add(self, receipt: Receipt) -> None: ...
    def by_number(self, number: str) -> Receipt | None: ...


class Retention(Protocol):
    """Lets go what nobody needs here any more, a few rows a call; see `desk.retention` for the rule."""

    def cases(self, limit: datetime, today: date, at: datetime) -> int:
        """Turn a few cases that nothing happened to since `limit` into receipts; how many.

        A case whose acceptance is due `today` or later stays; `at` is when the others left.
        """

    def rest(self, limit: datetime) -> int:
        """Remove some answered commands, ended visits, lines, slips, past tickets from before `limit`."""


class LostCards(Protocol):
    """Mirror of the office's list of lost cards."""

    def put(self, cards: Sequence[LostCard]) -> None:
        """Add or replace; an older version never replaces a newer one."""

    def remove(self, card_id: str, version: int) -> None: ...
    def holds(self, digests: Sequence[str]) -> bool:
        """Whether one of `digests` is on the list."""

    def versions(self) -> Sequence[tuple[str, int]]:
        """(id, version) of every report in force."""

    def clear(self) -> None: ...


class Timeline(Protocol):
    def add(self, event: TimelineEvent) -> None: ...
    def of_visit(self, visit_id: str) -> Sequence[TimelineEvent]: ...
    def of_case(self, case_id: str) -> Sequence[TimelineEvent]: ...


class Audit(Protocol):
    def add(self, *, at: datetime, actor: str, act: str, subject: str, detail: str = "") -> str:
        """Append one link to the hash chain; returns the new head (hex SHA-256)."""

    def head(self) -> str: ...
    def links(self) -> int:
        """How many links there are."""

    def acts(self, since: datetime, until: datetime) -> Sequence[AuditAct]:
        """What was done from `since` on and before `until`, oldest first."""

    def after(self, n: int, limit: int) -> Sequence[AuditRecord]:
        """Links after the `n`-th, in order: what the office has not confirmed."""

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
    def keep_only(self, scopes: Sequence[str]) -> None:
        """Forget the cursors of all other scopes."""


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
    def attachments(self) -> Attachments: ...
    @property
    def receipts(self) -> Receipts: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def lost_cards(self) -> LostCards: ...
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
