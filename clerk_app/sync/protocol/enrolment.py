"""Who asks: enrolment, the device, its recovery, the clerk's session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clerk_app.sync.protocol.common import Sealed

CLERK_SESSION_HEADER = "X-Clerk-Session"


@dataclass(frozen=True, slots=True)
class EnrolRequest:
    code: str
    machine: str  # a name of the workstation for IT's list
    epoch: int = 0  # the last one the workstation had: the next lies behind it, whatever the office remembers


@dataclass(frozen=True, slots=True)
class EnrolAnswer:
    device: str
    epoch: int
    token: str
    hall_code: str  # four characters, first part of every case number
    hall_name: str
    hall_name_en: str
    region: str
    window: str
    queue: str
    practice: bool
    offline_series: str = ""  # of the tickets this epoch may issue without the office, for example "L12"
    seal_key: str = ""  # hex Ed25519 public key of the office: checks what is `Sealed`
    export_key: str = ""  # hex X25519 public key of the office: an exported outbox is encrypted to it
    recovery_key: str = ""  # hex, 32 bytes: wraps the key of the cache once, is then forgotten by the window


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """What the office has this device as; asked at every start, so that IT may move a window."""

    device: str
    epoch: int
    hall_code: str
    hall_name: str
    hall_name_en: str
    region: str
    window: str
    queue: str
    practice: bool
    offline_series: str
    seal_key: str
    export_key: str


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """A one-time code of `back-office device recovery-code`: the keyring of a workstation was lost.

    `device` is the workstation that asks, "" when it does not say: a code for another one is refused and
    stays good, and the other one's token with it.
    """

    code: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class RecoverAnswer:
    """The key that unwraps the key of the cache, and a new token for the same device and epoch."""

    device: str
    recovery_key: str
    token: str


@dataclass(frozen=True, slots=True)
class SessionRequest:
    staff_no: str
    password: str


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    token: str
    staff_no: str
    name: str
    name_en: str
    rights: list[str]
    not_after: datetime  # until when the clerk may sign in here without the office
    grant: Sealed | None = None  # the same, signed: what an offline sign-in believes
