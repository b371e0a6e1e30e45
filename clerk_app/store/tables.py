"""The tables of the cache. Columns carry the names of the fields they hold, in the order of the dataclass.

`n` is the order in which rows were written here. The migrations make these tables; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from clerk_app.desk.ports import CommandState, PrintState, Seal
from clerk_app.domain.case import FiledItem, HandedMaterial, LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.ticket import TicketState, VisitState
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.store.columns import ApplicantJson, Json, Moment, Word

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _order() -> Column[int]:
    return Column("n", Integer, primary_key=True)


def _fact(name: str, type_: Any = String) -> Column[Any]:
    return Column(name, type_, nullable=False)


drafts = Table(
    "drafts",
    metadata,
    Column("id", String, primary_key=True),
    Column("visit_id", String),
    _fact("operator"),
    _fact("started_at", Moment),
    _fact("updated_at", Moment),
    Column("applicant", ApplicantJson),
    Column("item_code", String),
    Column("item_version", Integer),
    _fact("situations", Json[dict[str, str]](dict[str, str])),
    _fact("form", Json[dict[str, str]](dict[str, str])),
    _fact("materials", Json[dict[str, MaterialMode]](dict[str, MaterialMode])),
)

visits = Table(
    "visits",
    metadata,
    Column("id", String, primary_key=True),
    _fact("ticket_number"),
    _fact("state", Word(VisitState)),
    _fact("operator"),
    _fact("started_at", Moment),
    Column("ticket_id", String),
    _fact("by_paper", Boolean),
    _fact("calls", Integer),
    _fact("reason"),
    Column("serving_since", Moment),
    Column("ended_at", Moment),
    Index(None, "operator", "state"),
    Index(None, "ended_at"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", String, primary_key=True),
    _fact("number"),
    _fact("series"),
    _fact("state", Word(TicketState)),
    _fact("issued_at", Moment),
    _fact("version", Integer),
    Column("window", String),
    Column("called_at", Moment),
    _fact("calls", Integer),
    _fact("reason"),
    Column("gone", Boolean, nullable=False, server_default="0"),  # the authority put it away
    Index(None, "number"),
    Index(None, "state", "issued_at"),
)

cases = Table(
    "cases",
    metadata,
    _order(),
    Column("id", String, nullable=False, unique=True),
    Column("number", String, nullable=False, unique=True),
    _fact("visit_id"),
    _fact("item", Json[FiledItem](FiledItem)),
    _fact("applicant", ApplicantJson),
    _fact("situations", Json[dict[str, str]](dict[str, str])),
    _fact("form", Json[dict[str, str]](dict[str, str])),
    _fact("materials", Json[tuple[HandedMaterial, ...]](tuple[HandedMaterial, ...])),
    _fact("legal_state", Word(LegalState)),
    _fact("sync_state", Word(SyncState)),
    _fact("operator"),
    _fact("received_at", Moment),
    Column("accepted_at", Moment),
    Column[date]("due", Date),
    _fact("due_provisional", Boolean),
    Column("official_number", String),
    Column("refusal", String),
    Column("void_reason", String),
    _fact("printed", Integer),
    _fact("kind"),  # of the item
    _fact("identity"),  # keyed digest of the party's number
    Column("waits_for", String, nullable=False, server_default=""),
    Index(None, "visit_id"),
    Index(None, "identity", "kind"),
    Index(None, "legal_state"),
)

number_blocks = Table(
    "number_blocks",
    metadata,
    Column("id", String, primary_key=True),
    _fact("low", Integer),
    _fact("high", Integer),
    _fact("next", Integer),
    _fact("epoch", Integer),
    Column("kind", String, nullable=False, server_default="case"),
    Column("lease", Json[Seal](Seal)),
    CheckConstraint("0 < low AND low <= high", name="range"),
    CheckConstraint("next BETWEEN low AND high + 1", name="next"),
)

outbox = Table(
    "outbox",
    metadata,
    _order(),
    _fact("epoch", Integer),
    _fact("seq", Integer),
    Column("id", String, nullable=False, unique=True),
    _fact("type"),
    _fact("schema", Integer),
    _fact("aggregate"),
    _fact("body", Json[Mapping[str, Any]](dict[str, Any])),
    _fact("at", Moment),
    _fact("operator"),
    _fact("state", Word(CommandState)),
    _fact("code"),
    _fact("attempts", Integer),
    UniqueConstraint("epoch", "seq"),
    Index(None, "state", "seq"),
)

print_jobs = Table(
    "print_jobs",
    metadata,
    _order(),
    Column("id", String, nullable=False, unique=True),
    Column("case_id", String, ForeignKey("cases.id", deferrable=True, initially="DEFERRED")),
    _fact("slip_type"),
    _fact("slip"),
    _fact("state", Word(PrintState)),
    _fact("created_at", Moment),
    _fact("reprint", Integer),
    _fact("code"),
    Index(None, "case_id"),
    Index(None, "state"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", String, primary_key=True),
    _fact("case_id"),
    _fact("material"),
    _fact("page", Integer),
    _fact("width", Integer),
    _fact("height", Integer),
    _fact("size", Integer),
    _fact("sha256"),
    _fact("added_at", Moment),
    _fact("source"),
    _fact("content", LargeBinary),
    Column("uploaded_at", Moment),
    Index(None, "case_id"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("number", String, primary_key=True),
    _fact("case_id"),
    _fact("item"),
    _fact("received_at", Moment),
    Column("official_number", String),
    _fact("legal_state", Word(LegalState)),
    _fact("purged_at", Moment),
)

lost_cards = Table(
    "lost_cards",
    metadata,
    Column("id", String, primary_key=True),
    _fact("digest"),
    _fact("version", Integer),
    _fact("gone", Boolean),  # a report taken back: kept with its version, so that an older one stays out
    Index(None, "digest"),
)

timeline = Table(
    "timeline",
    metadata,
    _order(),
    _fact("at", Moment),
    _fact("kind", Word(TimelineKind)),
    _fact("detail"),
    Column("visit_id", String),
    Column("case_id", String),
    Index(None, "visit_id"),
    Index(None, "case_id"),
)

audit = Table(
    "audit",
    metadata,
    _order(),
    _fact("at"),  # as hashed: ISO 8601 with the offset
    _fact("actor"),
    _fact("act"),
    _fact("subject"),
    _fact("detail"),
    _fact("hash"),
    sqlite_autoincrement=True,  # SQLite remembers the highest `n` ever used: a cut tail is found
)

operators = Table(
    "operators",
    metadata,
    Column("staff_no", String, primary_key=True),
    _fact("name"),
    _fact("rights", Json[frozenset[str]](frozenset[str])),
    _fact("grant_until", Moment),
    _fact("name_en"),
    _fact("verifier"),
    Column("grant", Json[Seal](Seal)),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("staff_no", String, primary_key=True),
    _fact("count", Integer),
    _fact("at", Moment),
)

feed_cursors = Table(
    "feed_cursors",
    metadata,
    Column("scope", String, primary_key=True),
    _fact("generation"),
    _fact("seq", Integer),
)


def _single_row() -> tuple[Column[int], CheckConstraint]:
    return Column("one", Integer, primary_key=True), CheckConstraint("one = 1", name="single")


_SINCE_0003 = ("offline_series", "seal_key", "export_key")

device = Table(
    "device",
    metadata,
    *_single_row(),
    _fact("id"),
    _fact("epoch", Integer),
    _fact("hall_code"),
    _fact("hall_name"),
    _fact("hall_name_en"),
    _fact("region"),
    _fact("window"),
    _fact("queue"),
    _fact("practice", Boolean),
    *(Column(name, String, nullable=False, server_default="") for name in _SINCE_0003),
)

calendar = Table(
    "calendar",
    metadata,
    *_single_row(),
    _fact("days", Json[WorkingCalendar](WorkingCalendar)),
)

facts = Table(
    "facts",
    metadata,
    Column("key", String, primary_key=True),
    _fact("value"),
)
