"""Rows of the cache that are not of the domain: commands, print jobs, operators, the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from clerk_app.domain.case import LegalState
from clerk_app.domain.documents import Slip


class CommandState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"  # handed to the network, answer not seen
    APPLIED = "applied"
    REFUSED = "refused"
    SETTLED = "settled"  # refused, and settled by a person: the case was voided here
    HELD = "held"  # the office keeps it and owes the answer: an error of its own, or behind such a one


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
class AuditAct:
    """One link of the audit chain, without its hash and detail."""

    at: datetime
    actor: str
    act: str
    subject: str


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One whole link of the audit chain, its words exactly as they were hashed."""

    n: int
    at: str
    actor: str
    act: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A statement of the office (compact JSON) and its signature (hex, Ed25519), kept as they came.

    See `Sealed` of the protocol: a clerk's grant, a lease of numbers, a countersigned audit head.
    """

    text: str
    seal: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What stays of a case that retention took from this workstation. No personal data."""

    number: str
    case_id: str
    item: str
    received_at: datetime
    official_number: str | None
    legal_state: LegalState
    purged_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What has not reached the office: `unsent` commands without an answer, the oldest of them, pages left.

    `tasks` are refused commands nobody has settled, `held` those the office still owes an answer for.
    """

    unsent: int = 0
    oldest: datetime | None = None
    tasks: int = 0
    held: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """A clerk known to this workstation. `grant` is the office's signed word on rights and time."""

    staff_no: str
    name: str
    rights: frozenset[str]
    grant_until: datetime
    name_en: str = ""
    grant: Seal | None = None


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
    offline_series: str = ""  # letters of the tickets issued without the office, for example "L12"
    seal_key: str = ""  # hex Ed25519 public key of the office
    export_key: str = ""  # hex X25519 public key of the office


@dataclass(frozen=True, slots=True)
class Attachment:
    """One page of a material as a picture: taken by the camera or picked as a file, straightened, compressed.

    `case_id` is the draft's id, which the case keeps. The content (JPEG) is personal data; it stays in the
    encrypted cache and is read on its own. `page` counts from 1 within the material.
    """

    id: str
    case_id: str
    material: str  # key of the material
    page: int  # their order; gaps stay where one was removed
    width: int  # pixels
    height: int
    size: int  # bytes
    sha256: str  # hex
    added_at: datetime
    source: str  # "camera" or "file"
    uploaded_at: datetime | None = None  # when the office had all of it, its digest checked


@dataclass(frozen=True, slots=True)
class LostCard:
    """A report of a lost card: a digest that tells the card when it is laid, and nobody who has the list.

    `id` is the office's. `digest` is `lost_cards.digest` of number and first day of validity; a report that
    does not know the day is of the number alone.
    """

    id: str
    digest: str
    version: int
