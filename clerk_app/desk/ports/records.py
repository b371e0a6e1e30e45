"""Rows of the cache that are not of the domain: commands, print jobs, operators, the device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from clerk_app.domain.documents import Slip


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
class AuditAct:
    """One link of the audit chain, without its hash and detail."""

    at: datetime
    actor: str
    act: str
    subject: str


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


@dataclass(frozen=True, slots=True)
class LostCard:
    """A report of a lost card: a digest that tells the card when it is laid, and nobody who has the list.

    `id` is the office's. `digest` is `lost_cards.digest` of number and first day of validity; a report that
    does not know the day is of the number alone.
    """

    id: str
    digest: str
    version: int
