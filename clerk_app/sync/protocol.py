"""The messages of the sync protocol, shared by the window and the back office.

Plain dataclasses: the office serves them through FastAPI (its OpenAPI document is the contract), the window
decodes them strictly with msgspec. Times are ISO 8601 with offset; dates ISO 8601. All paths are under `/v1`.

| call                                   | asks                | answers           |
|----------------------------------------|---------------------|-------------------|
| POST /enrol                            | EnrolRequest        | EnrolAnswer       |
| POST /session, DELETE /session         | SessionRequest      | SessionAnswer     |
| POST /sync/push                        | PushRequest         | PushAnswer        |
| GET  /sync/changes?scope&since&limit   |                     | ChangesAnswer     |
| GET  /sync/wait?scopes=S:C,S:C&seconds |                     | WaitAnswer        |
| GET  /sync/snapshot/{scope}            |                     | SnapshotAnswer    |
| GET  /catalogue, /catalogue/{version}  |                     | CatalogueInfo, zstd bytes |
| GET  /sync/digest/{scope}              |                     | DigestAnswer      |
| POST /sync/carry                       | CarryRequest        | CarryAnswer       |
| GET  /device                           |                     | DeviceAnswer      |
| POST /recover                          | RecoverRequest      | RecoverAnswer     |
| POST /uploads, HEAD, PATCH /uploads/{id} | tus 1.0.0         |                   |
| POST /blocks                           | BlockRequest        | BlockAnswer       |
| POST /queues/{queue}/call              | CallRequest         | CallAnswer        |
| POST /queues/{queue}/recall            | RecallRequest       | CallAnswer        |
| GET  /queues/{queue}/series            |                     | SeriesAnswer      |
| POST /queues/{queue}/tickets           | IssueRequest        | TicketMessage     |
| POST /queues/{queue}/tickets/{id}/void | VoidTicketRequest   | TicketMessage     |
| GET  /time, /health                    |                     | TimeAnswer, HealthAnswer |

A device proves itself with `Authorization: Bearer <device token>`, a clerk with `X-Clerk-Session`.
What the office must recognise after its own memory was lost (it was restored from a backup) it gives out
`Sealed`: signed with its own key, kept by the window, presented again as a proof.

Errors are `Problem` bodies: 401 and 403 rights, 409 a gap in the sequence (`expected_seq`), 410 the cursor is
older than the log or of another generation, 422 same id with other contents, 423 the epoch was fenced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

SCHEMA = 2
"""Version of the command bodies this program writes; the office accepts it and the one before.

2 adds `approved_by` to `case.void`, and the commands `ticket.issued` and `numbers.void`.
"""

MAX_COMMANDS = 100
MAX_PUSH_BYTES = 512 * 1024
MAX_AUDIT = 500
"""Audit records in one push."""

CLERK_SESSION_HEADER = "X-Clerk-Session"

CommandType = Literal[
    "case.file",
    "case.accept",
    "case.void",
    "ticket.serving",
    "ticket.no_show",
    "ticket.done",
    "ticket.by_paper",
    "ticket.issued",
    "numbers.void",
]


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
class EnrolRequest:
    code: str
    machine: str  # a name of the workstation for IT's list


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


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """One intent. `hash` covers id, type and body, not seq: a new epoch gives the same commands new seqs."""

    seq: int
    id: str
    type: str
    schema: int
    at: datetime
    operator: str
    body: dict[str, Any]
    hash: str
    earlier: dict[str, Any] = field(default_factory=dict)
    """What the office had answered before it lost its memory: `official_number` of a filed case."""


def command_hash(id_: str, type_: str, body: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of id, type and body."""
    canonical = json.dumps([id_, type_, body], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditMessage:
    """One link of the device's audit chain as it was hashed; `at` is ISO 8601 with offset, never reformatted.

    hash = SHA-256(bytes of the hash before, then the compact JSON [n, at, actor, act, subject, detail])
    """

    n: int
    at: str
    actor: str
    act: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Commands in dense order from `base_seq`; at most MAX_COMMANDS and MAX_PUSH_BYTES. May be empty.

    `purged_through`: commands up to this sequence number were answered and have left the workstation by its
    retention; an office restored from an older backup goes on after them and reports the hole.
    `proofs`: grants and leases the office may have forgotten. `audit`: links it has not confirmed yet, of the
    chain `audit_chain` (one a cache, whatever its epoch); `audit_after` is the last one it confirmed here, so
    that an office that holds less knows whether its question has been heard.
    """

    device: str
    epoch: int
    base_seq: int
    commands: list[CommandMessage]
    audit_head: str = ""
    purged_through: int = 0
    proofs: list[Sealed] = field(default_factory=list)
    audit_chain: str = ""
    audit: list[AuditMessage] = field(default_factory=list)
    audit_after: int | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Stored by the office and replayed byte for byte.

    `held`: an error of its own, or a command behind a held one of the same case. Nothing was applied; the
    office keeps the command and owes the answer: it comes as a "command" change of the device's scope.
    """

    seq: int
    id: str
    status: Literal["applied", "refused", "held"]
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """`audit_through`: the last link of the chain the office holds; `countersign`: its word on that."""

    last_seq: int
    results: list[CommandResult]
    audit_through: int = 0
    countersign: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of the feed. `data` is its kind's message.

    `kind` is "ticket", "case", "command", "calendar", "item", "lost_card" or "lost_card_salt". A kind that a
    window does not know is passed over.
    """

    seq: int
    kind: str
    id: str
    version: int
    op: Literal["put", "del"]
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangesAnswer:
    """A page of one scope: changes with `since < seq <= to`, in commit order."""

    scope: str
    generation: str
    since: int
    to: int
    more: bool
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class WaitAnswer:
    """Which scopes have news. No data: losing a poke loses nothing."""

    poke: list[str]


@dataclass(frozen=True, slots=True)
class SnapshotAnswer:
    """The whole of a small scope as of `seq`, with its `scope_digest`; the catalogue is a file of its own."""

    scope: str
    generation: str
    seq: int
    changes: list[Change]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class DigestAnswer:
    """What a mirror of the scope must come to at `seq`: the last word on each thing that still exists."""

    scope: str
    generation: str
    seq: int
    count: int
    digest: str


def scope_digest(facts: Iterable[tuple[str, str, int]]) -> str:
    """Of every (kind, id, version): count and sum modulo 2**64 of their SHA-256 heads, as "count-hex16".

    A sum does not depend on the order, and a missing, doubled or outdated fact changes it.
    """
    count, total = 0, 0
    for kind, id_, version in facts:
        head = hashlib.sha256(f"{kind}\0{id_}\0{version}".encode()).digest()[:8]
        count, total = count + 1, (total + int.from_bytes(head, "big")) % 2**64
    return f"{count}-{total:016x}"


@dataclass(frozen=True, slots=True)
class CarryRequest:
    """Another workstation's exported outbox, encrypted to the office and signed by its origin; base64."""

    envelope: str


@dataclass(frozen=True, slots=True)
class CarryAnswer:
    """`device` and `epoch` of the origin, which is fenced from now on; how its commands were answered."""

    device: str
    epoch: int
    applied: int
    refused: int
    held: int


@dataclass(frozen=True, slots=True)
class CatalogueInfo:
    """The catalogue file in force: `sha256` of the unpacked file, sizes in bytes, count in `items`."""

    version: str
    sha256: str
    size: int
    packed_size: int
    items: int


BlockKind = Literal["case", "emergency"]
"""Emergency serials begin at 90,000,000: used when every other block is used up, told by their number."""


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """Same `request_no`, same block: a lost answer is asked for again."""

    request_no: int
    size: int = 500
    kind: BlockKind = "case"


@dataclass(frozen=True, slots=True)
class BlockAnswer:
    id: str
    low: int
    high: int
    epoch: int
    kind: BlockKind = "case"
    lease: Sealed | None = None


@dataclass(frozen=True, slots=True)
class CallRequest:
    request_id: str
    window: str


@dataclass(frozen=True, slots=True)
class RecallRequest:
    request_id: str
    ticket: str
    window: str


@dataclass(frozen=True, slots=True)
class TicketMessage:
    """A ticket as the authority knows it; the data of a "ticket" change."""

    id: str
    number: str
    series: str
    state: str
    issued_at: datetime
    version: int
    window: str | None = None
    called_at: datetime | None = None
    calls: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """`ticket` is None when nobody waits."""

    ticket: TicketMessage | None


@dataclass(frozen=True, slots=True)
class IssueRequest:
    request_id: str
    series: str


@dataclass(frozen=True, slots=True)
class SeriesMessage:
    """A series of the queue: its letter, and "general", "appointment" or "priority"."""

    code: str
    kind: str


@dataclass(frozen=True, slots=True)
class SeriesAnswer:
    series: list[SeriesMessage]


VoidReason = Literal["not_printed", "not_needed"]


@dataclass(frozen=True, slots=True)
class VoidTicketRequest:
    """Withdraw a ticket nobody has called. In the feed it is a "del": windows that know no void see it go."""

    request_id: str
    reason: VoidReason


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """What the office says of a case; the data of a "case" change in the device's scope."""

    case_id: str
    number: str
    version: int
    state: Literal["registered", "void"]
    official_number: str
    routed_to: str  # name of the implementing body
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class CalendarMessage:
    """Working-day calendar; the data of a "calendar" change in the hall's scope."""

    years: list[int]
    holidays: list[date]
    make_up_days: list[date]


@dataclass(frozen=True, slots=True)
class ItemMessage:
    """An implementation whose status or version changed; the data of an "item" change in "catalogue"."""

    code: str
    status: str
    version: int
    valid_to: date | None = None


LOST_CARDS = "lost-cards"
"""The scope of the list of lost cards, the same for all halls of an office. An office may have none."""


@dataclass(frozen=True, slots=True)
class LostCardMessage:
    """A report of a lost card; the data of a "lost_card" change in "lost-cards".

    `digest`: see `clerk_app.domain.lost_cards`, 32 hex characters.
    """

    digest: str


@dataclass(frozen=True, slots=True)
class LostCardSaltMessage:
    """What every digest of the list is made with; the data of the one "lost_card_salt" change."""

    salt: str


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """The answer owed for a held command; the data of a "command" change, whose id is the command's."""

    status: Literal["applied", "refused"]
    code: str = ""
    data: dict[str, Any] = field(default_factory=dict)


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
