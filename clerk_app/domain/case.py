"""A case (办件): its two states, its lines of materials, and what may happen to it.

The *legal state* says what was done for the citizen; the *sync state* says who knows of it. They are two
fields and never mix: a case can be accepted and still be known to this workstation alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from clerk_app.domain.applicant import Applicant


class LegalState(StrEnum):
    """Legal states the window itself brings about (行政许可法 art. 32)."""

    RECEIVED = "received"  # 收件: materials taken, the five working days run
    ACCEPTED = "accepted"  # 受理: the promised and statutory limits run
    VOID = "void"  # 作废: withdrawn before the office registered it; the number stays used


class SyncState(StrEnum):
    """Who knows of the case."""

    HERE = "here"  # committed on this workstation, not yet answered by the office
    SENT = "sent"  # in a push whose answer is still out
    HELD = "held"  # the office keeps it after an error of its own, and owes the answer
    REGISTERED = "registered"  # the office has it, with its official number
    REFUSED = "refused"  # the office refused the command: a task for a person, nothing is erased


class MaterialMode(StrEnum):
    """How a material was handed over (the five modes of a real comprehensive window)."""

    PAPER = "paper"  # 纸质
    SEEN = "seen"  # 原件核验: original checked and given back
    LICENCE = "licence"  # 电子证照
    DEFERRED = "deferred"  # 容缺: may follow, only where the guide allows
    PROMISE = "promise"  # 告知承诺, only where the guide allows


@dataclass(frozen=True, slots=True)
class HandedMaterial:
    """One material as it was taken: what the voucher lists."""

    key: str
    name: str
    mode: MaterialMode
    originals: int = 0
    copies: int = 0
    due: date | None = None  # for a deferred one: when it was promised
    due_provisional: bool = False  # the calendar ends before that day


@dataclass(frozen=True, slots=True)
class FiledItem:
    """The service item as it was at the moment of filing; the case keeps it for life."""

    code: str  # 实施编码
    kind: str  # 基本编码
    name: str
    body_code: str
    body_name: str
    version: int
    legal_days: int
    promised_days: int  # 0: decided on the spot
    day_unit: str  # "working" or "calendar"


@dataclass(frozen=True, slots=True)
class Case:
    """One application filed at this window.

    `received_at` and `accepted_at` are legal facts (local wall time with zone, corrected by the known skew);
    `official_number` is an attribute the office adds at registration, never a second name of the case.
    """

    id: str  # UUIDv7 made at the desk
    number: str  # printed number, see `numbering`
    visit_id: str
    item: FiledItem
    applicant: Applicant
    situations: dict[str, str]
    form: dict[str, str]
    materials: tuple[HandedMaterial, ...]
    legal_state: LegalState
    sync_state: SyncState
    operator: str  # staff number of the clerk
    received_at: datetime
    accepted_at: datetime | None = None
    due: date | None = None
    due_provisional: bool = False  # the calendar ends before the due date
    official_number: str | None = None
    refusal: str | None = None  # failure code of a refused command
    void_reason: str | None = None
    printed: int = 0  # slips confirmed on paper, the first included
    waits_for: str = ""  # why it was only received: the gate that was closed; empty: the clerk chose so


@dataclass(frozen=True, slots=True)
class Draft:
    """Work in hand: a row from its first field, so that a kill loses at most that field."""

    id: str
    visit_id: str | None
    operator: str
    started_at: datetime
    updated_at: datetime
    applicant: Applicant | None = None
    item_code: str | None = None
    item_version: int | None = None
    situations: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    materials: dict[str, MaterialMode] = field(default_factory=dict)


class TimelineKind(StrEnum):
    """What the timeline of a visit or case can show; the words are in the translations."""

    TICKET_CALLED = "ticket_called"
    TICKET_RECALLED = "ticket_recalled"
    TICKET_BY_PAPER = "ticket_by_paper"
    CARD_READ = "card_read"
    MRZ_READ = "mrz_read"
    TYPED_IDENTITY = "typed_identity"
    ITEM_CHOSEN = "item_chosen"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    PRINTED = "printed"
    PRINT_FAILED = "print_failed"
    REPRINTED = "reprinted"
    SENT = "sent"
    REGISTERED = "registered"
    REFUSED = "refused"
    VOIDED = "voided"
    DUE_CHANGED = "due_changed"  # the calendar of its year arrived
    SETTLED = "settled"  # a refused command was settled by a person
    NO_SHOW = "no_show"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One line of the process as it happened. `detail` is never personal data."""

    at: datetime
    kind: TimelineKind
    detail: str = ""
    visit_id: str | None = None
    case_id: str | None = None
