"""What the window shows, as immutable snapshots of what the store holds.

The screen never shows what a click hoped for: after every act the affected view is read again. Texts that
a language can change are translation keys (`gate.no_applicant`) or failure codes (`CARD-EXPIRED`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from clerk_app.desk.ports import LinkStatus, PrintState
from clerk_app.domain.applicant import DocumentKind, EntrySource, Sex
from clerk_app.domain.case import LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.catalogue import Faq, FieldKind
from clerk_app.domain.ticket import VisitState


class CheckState(StrEnum):
    OK = "ok"
    WARN = "warn"  # the clerk should look, the work may go on
    WAIT = "wait"  # answered by the office later
    BAD = "bad"  # stops accepting


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether an act is open now; if not, why (a translation key) and at which step (1–6) to mend it."""

    open: bool
    reason: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class TicketRow:
    number: str
    series: str
    waited_minutes: int
    reason: str  # "order", "appointment", "priority"


@dataclass(frozen=True, slots=True)
class TicketPaper:
    """A ticket issued here that is not known to be on paper.

    `state`: failed (nothing came out), unknown (something may have), queued or printing (it is on its way).
    """

    job: str
    number: str
    state: PrintState
    code: str = ""


@dataclass(frozen=True, slots=True)
class QueueView:
    """The waiting list as the queue's authority last told it; `stale` while the link is down.

    `waiting` are the first of the `people` who wait: as many as anybody would scroll through.
    """

    waiting: tuple[TicketRow, ...]
    people: int
    missed: int
    served_today: int
    cases_today: int
    stale: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case in a list: masked."""

    id: str
    number: str  # printed form
    item: str
    applicant: str  # masked
    legal_state: LegalState
    sync_state: SyncState
    received_at: datetime
    official_number: str | None
    refusal: str | None
    print_state: PrintState | None
    print_job: str | None  # the job to ask about when its state is unknown
    print_code: str
    reprints: int
    void: Gate
    reprint: Gate
    accept: Gate = Gate(open=False)  # accepting what was only received; without a reason: nothing to accept
    held: bool = False  # the office works on a command of it: nothing is asked of the clerk
    due: date | None = None
    due_provisional: bool = False
    accept_by: date | None = None  # of a received case: the last of its five working days
    accept_by_provisional: bool = False
    days_left: int = 0  # working days until then; negative: they are over


SOON = 1
"""A received case is called urgent when so many working days or fewer are left."""


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A case that has left this workstation: what its receipt still finds here, and since when."""

    number: str  # printed form
    item: str
    legal_state: LegalState
    received_at: datetime
    official_number: str | None
    left_at: datetime


class Paper(StrEnum):
    """What can be printed when it is asked for."""

    RECEIPT = "receipt"  # the voucher of the case, or its 作废 slip, once more
    MATERIAL_LIST = "material_list"
    PICK_UP = "pick_up"
    SHIFT = "shift"
    CLOSING = "closing"
    TEST = "test"


OF_A_CASE = frozenset({Paper.RECEIPT, Paper.MATERIAL_LIST, Paper.PICK_UP})


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper that can be asked for, and what became of the last one: its job, state and code."""

    paper: Paper
    case_id: str | None
    gate: Gate
    job: str | None = None
    state: PrintState | None = None
    code: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VisitView:
    id: str
    ticket_number: str
    state: VisitState
    since: datetime
    calls: int
    by_paper: bool
    reason: str
    cases: tuple[CaseRow, ...]


@dataclass(frozen=True, slots=True)
class PersonView:
    """The person at the window: full name, masked number."""

    name: str
    number: str
    kind: DocumentKind
    source: EntrySource
    sex: Sex
    birth: date | None
    ethnicity: str
    address: str
    valid_until: date | None
    long_term: bool
    age: int | None
    notes: tuple[str, ...]  # failure codes: DESK-CARD-EXPIRED, DESK-MINOR, CARD-REPORTED-LOST, ...
    nationality: str = ""


@dataclass(frozen=True, slots=True)
class ApplicantView:
    party: PersonView | None
    organisation: str = ""
    uscc: str = ""  # masked
    agent: PersonView | None = None


@dataclass(frozen=True, slots=True)
class ItemView:
    code: str
    kind: str
    name: str
    name_en: str
    department: str
    body_name: str
    version: int
    immediate: bool
    legal_days: int
    promised_days: int
    day_unit: str
    fee: str
    result: str
    visits: int
    offline: str
    window_decides: bool
    conditions: str
    process: str
    legal_basis: str
    advice_phone: str
    supervision_phone: str
    address: str
    hours: str
    faq: tuple[Faq, ...]
    acceptable: Gate


@dataclass(frozen=True, slots=True)
class ChoiceView:
    key: str
    label: str
    label_en: str


@dataclass(frozen=True, slots=True)
class SituationView:
    key: str
    label: str
    label_en: str
    choices: tuple[ChoiceView, ...]
    answer: str | None


@dataclass(frozen=True, slots=True)
class FieldView:
    """One form field. `filled` when the value came from the card; `problem` is a translation key."""

    key: str
    label: str
    label_en: str
    kind: FieldKind
    required: bool
    choices: tuple[str, ...]
    value: str
    filled: bool
    problem: str
    hint: str


@dataclass(frozen=True, slots=True)
class MaterialView:
    key: str
    name: str
    name_en: str
    mode: MaterialMode | None  # None: not handed over yet
    modes: tuple[MaterialMode, ...]  # what the guide allows, the proposed one first
    originals: int
    copies: int
    required: bool
    basis: str
    pages: int = 0  # pictures of it kept with the draft


@dataclass(frozen=True, slots=True)
class PageView:
    """One page of a material as a picture; `number` counts from 1, `size` is in bytes."""

    id: str
    number: int
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class CheckView:
    """One line of step 6. `key` is a translation key, which may name `detail`: a code or short text."""

    key: str
    state: CheckState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DraftView:
    """The six steps as they stand."""

    id: str
    visit_id: str | None
    updated_at: datetime
    applicant: ApplicantView | None
    item: ItemView | None
    situations: tuple[SituationView, ...]
    fields: tuple[FieldView, ...]
    materials: tuple[MaterialView, ...]
    checks: tuple[CheckView, ...]
    same_open: tuple[CaseRow, ...]
    receive: Gate
    accept: Gate
    lacks: str = ""  # the reason why it could not be accepted even online; empty: nothing is missing


@dataclass(frozen=True, slots=True)
class DraftRow:
    """An unfinished draft in the list of what can be resumed."""

    id: str
    item: str
    applicant: str  # masked
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TimelineRow:
    at: datetime
    kind: TimelineKind
    detail: str


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One line of the outbox view. `state` is a CommandState by name; `code` why it was refused or held.

    `void` and `settle` are what a person can do about a refused one; `case_id` is the case to be shown.
    """

    seq: int
    type: str
    subject: str  # printed case number, or the ticket number
    state: str
    code: str
    at: datetime
    id: str = ""
    case_id: str | None = None
    void: Gate = Gate(open=False)
    settle: Gate = Gate(open=False)


@dataclass(frozen=True, slots=True)
class WorkingLine:
    """What of the window works at this moment: `what` and `words` are translation keys (`standing.call`)."""

    what: str
    state: CheckState
    words: str
    values: tuple[tuple[str, object], ...] = ()  # moments and days are told as such


@dataclass(frozen=True, slots=True)
class StandingView:
    """What works and what does not, and why: what stands above the outbox."""

    link: LinkStatus
    today: date
    lines: tuple[WorkingLine, ...]
    unsent: int = 0
    oldest_unsent: datetime | None = None
    tasks: int = 0
    held: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class StatusView:
    """The status strip. `tasks` counts refused commands: each needs a person; `held` ones the office owes."""

    hall: str
    hall_en: str
    window: str
    operator: str
    operator_en: str
    staff_no: str
    practice: bool
    link: LinkStatus
    unsent: int
    oldest_unsent: datetime | None
    tasks: int
    papers_waiting: int  # print jobs queued, failed or unknown
    numbers_left: int
    items: int
    held: int = 0
    pages: int = 0  # of materials, to be uploaded
    emergency: bool = False  # every ordinary number is used up
    today: date | None = None
    awaiting: int = 0  # received and not yet accepted
    accept_by: date | None = None  # the nearest last day among those
    urgent: int = 0  # of those, how many have SOON working days left or fewer
    due_moved: tuple[str, ...] = ()  # printed numbers whose limit moved with the calendar
