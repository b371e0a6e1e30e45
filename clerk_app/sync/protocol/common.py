"""What every call has: the schema, refusals, sealed statements, time and health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SCHEMA = 2
"""Version of the command bodies this program writes; the office accepts it and the one before.

2 adds `approved_by` to `case.void`, and the commands `ticket.issued` and `numbers.void`.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Any refusal: a failure code of the office and, for IT, a detail without personal data."""

    code: str
    detail: str = ""
    expected_seq: int | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """A statement of the office: compact JSON, and the hex Ed25519 signature of its UTF-8 bytes.

    `text` has a "what": "grant" (device, staff_no, rights, issued_at, not_after), "lease" (id, hall, device,
    epoch, kind, low, high) or "head" (device, chain, n, head, at).
    """

    text: str
    seal: str


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """`schema`: the newest command bodies the office reads. A newer window waits, it is not refused."""

    now: datetime
    schema: int = 1


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    status: Literal["ok"]
    version: str
    schema: int
