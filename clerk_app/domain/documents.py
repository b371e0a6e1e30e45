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


Slip = ReceiptSlip | VoidSlip | TicketSlip
