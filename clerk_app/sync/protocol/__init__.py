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

from clerk_app.sync.protocol.blocks import BlockAnswer, BlockKind, BlockRequest
from clerk_app.sync.protocol.commands import (
    MAX_AUDIT,
    MAX_COMMANDS,
    MAX_PUSH_BYTES,
    AuditMessage,
    CarryAnswer,
    CarryRequest,
    CommandMessage,
    CommandResult,
    CommandType,
    PushAnswer,
    PushRequest,
    command_hash,
    command_text,
)
from clerk_app.sync.protocol.common import SCHEMA, HealthAnswer, Problem, Sealed, TimeAnswer
from clerk_app.sync.protocol.counter import (
    CallAnswer,
    CallRequest,
    IssueRequest,
    RecallRequest,
    SeriesAnswer,
    SeriesMessage,
    TicketMessage,
    VoidReason,
    VoidTicketRequest,
)
from clerk_app.sync.protocol.enrolment import (
    CLERK_SESSION_HEADER,
    DeviceAnswer,
    EnrolAnswer,
    EnrolRequest,
    RecoverAnswer,
    RecoverRequest,
    SessionAnswer,
    SessionRequest,
)
from clerk_app.sync.protocol.facts import (
    LOST_CARDS,
    CalendarMessage,
    CaseMessage,
    ItemMessage,
    LostCardMessage,
    LostCardSaltMessage,
    OwedAnswer,
)
from clerk_app.sync.protocol.feed import (
    CatalogueInfo,
    Change,
    ChangesAnswer,
    DigestAnswer,
    SnapshotAnswer,
    WaitAnswer,
    scope_digest,
)

__all__ = [
    "CLERK_SESSION_HEADER",
    "LOST_CARDS",
    "MAX_AUDIT",
    "MAX_COMMANDS",
    "MAX_PUSH_BYTES",
    "SCHEMA",
    "AuditMessage",
    "BlockAnswer",
    "BlockKind",
    "BlockRequest",
    "CalendarMessage",
    "CallAnswer",
    "CallRequest",
    "CarryAnswer",
    "CarryRequest",
    "CaseMessage",
    "CatalogueInfo",
    "Change",
    "ChangesAnswer",
    "CommandMessage",
    "CommandResult",
    "CommandType",
    "DeviceAnswer",
    "DigestAnswer",
    "EnrolAnswer",
    "EnrolRequest",
    "HealthAnswer",
    "IssueRequest",
    "ItemMessage",
    "LostCardMessage",
    "LostCardSaltMessage",
    "OwedAnswer",
    "Problem",
    "PushAnswer",
    "PushRequest",
    "RecallRequest",
    "RecoverAnswer",
    "RecoverRequest",
    "Sealed",
    "SeriesAnswer",
    "SeriesMessage",
    "SessionAnswer",
    "SessionRequest",
    "SnapshotAnswer",
    "TicketMessage",
    "TimeAnswer",
    "VoidReason",
    "VoidTicketRequest",
    "WaitAnswer",
    "command_hash",
    "command_text",
    "scope_digest",
]
