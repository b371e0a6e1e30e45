"""What the use cases need from the outside, as protocols.

`store`, `devices`, `catalogue` and `sync` implement these; fakes in the tests do too. Values that cross are
frozen dataclasses; every failure is a `clerk_app.failures.Failure` with a code.
"""

from clerk_app.desk.ports.cards import CardEvent, CardFailed, CardRead, CardReader, ReaderState, ReaderStatus
from clerk_app.desk.ports.catalogue import BodyChoice, Catalogue, Hit, SearchContext
from clerk_app.desk.ports.doctor import Check, Doctor, Level
from clerk_app.desk.ports.office import Changed, Clock, LinkState, LinkStatus, Office, SignedIn
from clerk_app.desk.ports.printers import (
    PaperState,
    Preview,
    Printer,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
)
from clerk_app.desk.ports.records import (
    Attachment,
    Command,
    CommandState,
    Device,
    LostCard,
    Operator,
    PrintJob,
    PrintState,
)
from clerk_app.desk.ports.store import (
    Attachments,
    Audit,
    Cases,
    Drafts,
    Feed,
    LostCards,
    Meta,
    Numbers,
    Operators,
    Outbox,
    PrintJobs,
    Store,
    Tickets,
    Timeline,
    Transaction,
    Visits,
)
from clerk_app.desk.ports.voice import Voice, VoiceState, VoiceStatus

__all__ = [
    "Attachment",
    "Attachments",
    "Audit",
    "BodyChoice",
    "CardEvent",
    "CardFailed",
    "CardRead",
    "CardReader",
    "Cases",
    "Catalogue",
    "Changed",
    "Check",
    "Clock",
    "Command",
    "CommandState",
    "Device",
    "Doctor",
    "Drafts",
    "Feed",
    "Hit",
    "Level",
    "LinkState",
    "LinkStatus",
    "LostCard",
    "LostCards",
    "Meta",
    "Numbers",
    "Office",
    "Operator",
    "Operators",
    "Outbox",
    "PaperState",
    "Preview",
    "PrintJob",
    "PrintJobs",
    "PrintOutcome",
    "PrintResult",
    "PrintState",
    "Printer",
    "PrinterStatus",
    "ReaderState",
    "ReaderStatus",
    "SearchContext",
    "SignedIn",
    "Store",
    "Tickets",
    "Timeline",
    "Transaction",
    "Visits",
    "Voice",
    "VoiceState",
    "VoiceStatus",
]
