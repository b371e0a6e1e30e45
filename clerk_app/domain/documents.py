"""What goes on paper: the content of each slip, before any layout.

A slip is data that the store keeps with its print job, so that a reprint is the same paper. Names and
numbers arrive here already masked where the rule says so (`masking`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class SlipMaterial:
    name: str
    mode: str  # a word of the translations: "seen", "paper", "licence", "deferred", "promise"
    originals: int = 0
    copies: int = 0
    due: date | None = None
    due_provisional: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptSlip:
    """收件凭证: what was handed over, when, to whom. It is not a notice of acceptance.

    `accepted_at` set adds the line "accepted at HH:MM, notice to follow" (window.md, rule 2).
    `number` is the case number as stored; `applicant` the full name the law asks for; `identity` masked.
    """

    number: str
    hall: str
    window: str
    operator: str
    item: str
    body: str
    applicant: str
    identity: str
    materials: tuple[SlipMaterial, ...]
    received_at: datetime
    accepted_at: datetime | None = None
    due: date | None = None
    due_provisional: bool = False
    agent: str = ""
    offline: bool = False
    advice_phone: str = ""
    supervision_phone: str = ""
    typed_identity: bool = False
    practice: bool = False
    check_later: bool = False  # received only, because the office has to check it first


@dataclass(frozen=True, slots=True)
class VoidSlip:
    """作废: the number that was withdrawn before registration, when and why."""

    number: str
    hall: str
    window: str
    operator: str
    item: str
    voided_at: datetime
    reason: str
    practice: bool = False


@dataclass(frozen=True, slots=True)
class TicketSlip:
    """取号票: never a name or a number of a person."""

    number: str
    hall: str
    queue: str
    issued_at: datetime
    ahead: int
    practice: bool = False
    offline: bool = False  # of the workstation's own series: nobody knows how many stand before it


@dataclass(frozen=True, slots=True)
class MaterialListSlip:
    """材料清单: what was handed over in a case, on its own, for the citizen or for the folder."""

    number: str
    hall: str
    window: str
    operator: str
    item: str
    body: str
    applicant: str
    materials: tuple[SlipMaterial, ...]
    received_at: datetime
    printed_at: datetime
    practice: bool = False


@dataclass(frozen=True, slots=True)
class PickUpSlip:
    """取件单: with what, when and where the result is fetched. `ready` is None when no day is promised."""

    number: str
    hall: str
    window: str
    operator: str
    item: str
    body: str
    applicant: str  # masked: the slip lies about until it is used
    result: str  # name of the result document
    printed_at: datetime
    ready: date | None = None
    ready_provisional: bool = False
    place: str = ""
    hours: str = ""
    advice_phone: str = ""
    practice: bool = False


@dataclass(frozen=True, slots=True)
class ShiftSlip:
    """班次小结: what one clerk did between signing in and now. Numbers only, no citizen."""

    hall: str
    window: str
    operator: str
    began_at: datetime
    ended_at: datetime
    visits: int
    no_shows: int
    received: int
    accepted: int
    voided: int
    reprints: int
    unsent: int
    items: tuple[tuple[str, int], ...] = ()  # item name, cases; the most frequent first
    practice: bool = False


@dataclass(frozen=True, slots=True)
class VoidNumbers:
    """Serials `low`..`high` that no case will ever bear, and why: a word of the audit ("new-epoch")."""

    low: str  # case numbers as stored
    high: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClosingSlip:
    """日结单: the day of one window, with the head of its audit chain, to be signed and kept.

    What waits, what is left and what is not printed stand as they are at `closed_at`, whatever the day.
    """

    hall: str
    window: str
    operator: str
    day: date
    closed_at: datetime
    visits: int
    received: int
    accepted: int
    registered: int
    refused: int
    first_number: str
    last_number: str
    voided: tuple[str, ...]  # case numbers
    unsent: int
    not_printed: int  # slips that no paper is known of
    audit_links: int
    audit_head: str  # hex SHA-256
    oldest_unsent: datetime | None = None
    practice: bool = False
    void_reasons: tuple[str, ...] = ()  # of `voided`, in the same order
    void_numbers: tuple[VoidNumbers, ...] = ()
    numbers_left: int = 0  # of the ordinary blocks
    emergency_left: int = 0
    emergency_used: int = 0  # cases of the day that bear an emergency number
    offline_tickets: int = 0
    first_offline: str = ""
    last_offline: str = ""
    awaiting: int = 0  # received and not yet accepted
    tasks: int = 0
    held: int = 0
    pages: int = 0  # of materials, to be uploaded


@dataclass(frozen=True, slots=True)
class TestSlip:
    """测试页: shows what this printer prints well: sizes, Chinese, rare characters, codes, the cut."""

    hall: str
    window: str
    printed_at: datetime
    printer: str  # its address as set, without a password
    width: int
    encoding: str
    rare: str = "〇㐱䶮𠮷"
    practice: bool = False


Slip = (
    ReceiptSlip | VoidSlip | TicketSlip | MaterialListSlip | PickUpSlip | ShiftSlip | ClosingSlip | TestSlip
)
