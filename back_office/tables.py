"""Tables of the office. Unique keys carry the hall; a device belongs to one hall for the life of its epoch.

Texts named `answer`, `data`, `rights`, `flags` and `filing` hold JSON as it was written: answers are replayed
byte for byte, so they never pass through a JSON type that may write them anew.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment: with its zone outside, in UTC inside (SQLite keeps no zones)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        # PostgreSQL tells the moment in the zone of the session.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


hall = sa.Table(
    "hall",
    metadata,
    Column("code", Text, primary_key=True),  # four characters, first part of every case number
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("region", Text, nullable=False),  # GB/T 2260
    Column("practice", Boolean, nullable=False),
    Column("next_serial", BigInteger, nullable=False),  # first serial no block holds yet
    Column("next_emergency", BigInteger, nullable=False, server_default="90000000"),
    Column("enrolments", Integer, nullable=False, server_default="0"),  # numbers the offline series
)

staff = sa.Table(
    "staff",
    metadata,
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("staff_no", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("verifier", Text, nullable=False),  # Argon2id
    Column("rights", Text, nullable=False),
    Column("disabled_at", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", Instant),
    PrimaryKeyConstraint("hall", "staff_no"),
)

enrol_code = sa.Table(
    "enrol_code",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("window", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("device", Text, ForeignKey("device.id")),  # set: the same workstation again, in a new epoch
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

device = sa.Table(
    "device",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("machine", Text, nullable=False),
    Column("window", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("offline_series", Text, nullable=False, server_default=""),  # of the present epoch
    Column("seen_at", Instant),  # its last push
    Column("revoked_at", Instant),
)

device_token = sa.Table(
    "device_token",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    UniqueConstraint("device", "epoch"),
)

session = sa.Table(
    "session",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("staff_no", Text, nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("rights", Text, nullable=False),  # as they were at sign-in: the grant for work done offline
    Column("opened_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("grant_until", Instant, nullable=False),
    Column("closed_at", Instant),
    ForeignKeyConstraint(["hall", "staff_no"], ["staff.hall", "staff.staff_no"]),
    Index(None, "device", "staff_no"),
)

_HELD = sa.text("status = 'held'")

command = sa.Table(
    "command",
    metadata,
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("id", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("at", Instant, nullable=False),  # the workstation's time, corrected by its known skew
    Column("status", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Column("aggregate", Text, nullable=False, server_default=""),  # whose commands stay in order
    Column("message", Text),  # the whole command, while the office owes its answer
    PrimaryKeyConstraint("hall", "id"),
    Index(None, "device", "aggregate", postgresql_where=_HELD, sqlite_where=_HELD),
)

delivery = sa.Table(
    "delivery",
    metadata,
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("command", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("answer", Text, nullable=False),
    PrimaryKeyConstraint("device", "epoch", "seq"),
)

audit_head = sa.Table(
    "audit_head",
    metadata,
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("head", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("chain", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("device", "epoch", "seq"),
)

audit_chain = sa.Table(
    "audit_chain",
    metadata,
    Column("device", Text, nullable=False),  # "" for what the office itself did in a hall
    Column("chain", Text, nullable=False),  # one a cache of the workstation; of the office one a hall
    Column("n", BigInteger, nullable=False),  # the last link held here
    Column("head", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("broken", Text),  # why it does not hold, and from which link on
    Column("sealed", Text, nullable=False, server_default=""),  # the last countersigned head, and its seal
    Column("seal", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("device", "chain"),
)

audit_record = sa.Table(
    "audit_record",
    metadata,
    Column("hall", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("at", Text, nullable=False),  # as it was hashed
    Column("moment", Instant, nullable=False),  # the same, to search by
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("device", "chain", "n"),
    ForeignKeyConstraint(["device", "chain"], ["audit_chain.device", "audit_chain.chain"]),
    Index(None, "hall", "moment"),
)

secret = sa.Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),  # what the key is for: "seal", "export", "recovery"
    Column("value", Text, nullable=False),  # hex, 32 bytes
)

attempt = sa.Table(
    "attempt",
    metadata,
    Column("kind", Text, nullable=False),  # "enrol", "recover"
    Column("origin", Text, nullable=False),  # address the attempts come from
    Column("count", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    PrimaryKeyConstraint("kind", "origin"),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
)

carried = sa.Table(
    "carried",
    metadata,
    Column("device", Text, ForeignKey("device.id"), nullable=False),  # the origin
    Column("epoch", Integer, nullable=False),  # closed when its export arrived
    Column("carrier", Text, ForeignKey("device.id"), nullable=False),
    Column("sha256", Text, nullable=False),  # of the envelope
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("device", "epoch", "sha256"),  # a large outbox comes in several
)

block = sa.Table(
    "block",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("request_no", BigInteger, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("leased_at", Instant, nullable=False),
    Column("kind", Text, nullable=False, server_default="case"),
    UniqueConstraint("device", "epoch", "request_no"),
    UniqueConstraint("hall", "low"),
    UniqueConstraint("hall", "high"),
    CheckConstraint("low <= high", name="range"),
)

void_numbers = sa.Table(
    "void_numbers",
    metadata,
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("low", BigInteger, nullable=False),  # serials that no case will ever bear
    Column("high", BigInteger, nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("hall", "low"),
    CheckConstraint("low <= high", name="range"),
)

doubled_block = sa.Table(
    "doubled_block",
    metadata,
    Column("id", Text, primary_key=True),  # of a genuine lease
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("low", BigInteger, nullable=False),  # serials of which some were leased again since
    Column("high", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),  # when it was shown
)

restoration = sa.Table(
    "restoration",
    metadata,
    Column("at", Instant, primary_key=True),
    Column("cause", Text, nullable=False),  # "told" by IT, or what gave it away: "sequence", "lease"
)

gap = sa.Table(
    "gap",
    metadata,
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("low", BigInteger, nullable=False),  # sequence numbers a window had been answered, unknown here
    Column("high", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("lost", Boolean, nullable=False),  # they have left the window: nobody has those commands
    PrimaryKeyConstraint("device", "epoch", "low"),
)

item = sa.Table(
    "item",
    metadata,
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("body_code", Text, nullable=False),
    Column("body_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("ended_at", Instant),  # when this version was retired or replaced
    PrimaryKeyConstraint("code", "version"),
)

catalogue = sa.Table(
    "catalogue",
    metadata,
    Column("version", Text, primary_key=True),
    Column("number", Integer, nullable=False, unique=True),  # the highest is in force
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("packed_size", BigInteger, nullable=False),
    Column("items", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
)

registered_case = sa.Table(
    "registered_case",
    metadata,
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("id", Text, nullable=False),
    Column("number", Text, nullable=False),  # printed at the window; stays used when the case is void
    Column("official_number", Text, nullable=False, unique=True),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("operator", Text, nullable=False),
    Column("item_code", Text, nullable=False),
    Column("item_version", Integer, nullable=False),
    Column("body_code", Text, nullable=False),
    Column("body_name", Text, nullable=False),
    Column("state", Text, nullable=False),  # "received", "accepted", "void"
    Column("version", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("registered_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("void_reason", Text),
    Column("void_approved_by", Text),  # staff number of the second person, where one was needed
    Column("flags", Text, nullable=False),  # what a reviewer should know: codes, no personal data
    Column("filing", Text, nullable=False),  # the application as it was filed
    PrimaryKeyConstraint("hall", "id"),
    UniqueConstraint("hall", "number"),
    ForeignKeyConstraint(["item_code", "item_version"], ["item.code", "item.version"]),
)

upload = sa.Table(
    "upload",
    metadata,
    Column("hall", Text, nullable=False),
    Column("id", Text, nullable=False),  # of the page, made at the window
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("case_id", Text, nullable=False),
    Column("material", Text, nullable=False),
    Column("page", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("received", BigInteger, nullable=False),  # bytes so far
    Column("begun_at", Instant, nullable=False),
    Column("completed_at", Instant),
    PrimaryKeyConstraint("hall", "id"),
    ForeignKeyConstraint(["hall", "case_id"], ["registered_case.hall", "registered_case.id"]),
    Index(None, "hall", "case_id"),
)

official_serial = sa.Table(
    "official_serial",
    metadata,
    Column("item_code", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("item_code", "day"),
)

queue = sa.Table(
    "queue",
    metadata,
    Column("hall", Text, ForeignKey("hall.code"), nullable=False),
    Column("code", Text, nullable=False),
    Column("day", Date),  # the day its tickets and positions belong to
    Column("tail", Integer, nullable=False),  # position of the last ticket of that day
    Column("priority_every", Integer, nullable=False),  # a priority ticket is at most one call in so many
    Column("since_priority", Integer, nullable=False),  # calls in order since the last priority call
    PrimaryKeyConstraint("hall", "code"),
)

series = sa.Table(
    "series",
    metadata,
    Column("hall", Text, nullable=False),
    Column("code", Text, nullable=False),  # the letter printed on the ticket
    Column("queue", Text, nullable=False),
    Column("kind", Text, nullable=False),  # "general", "appointment", "priority"
    Column("day", Date),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("hall", "code"),
    ForeignKeyConstraint(["hall", "queue"], ["queue.hall", "queue.code"]),
)

ticket = sa.Table(
    "ticket",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hall", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("window", Text),
    Column("called_at", Instant),
    Column("calls", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    UniqueConstraint("hall", "day", "number"),
    ForeignKeyConstraint(["hall", "queue"], ["queue.hall", "queue.code"]),
    Index(None, "hall", "queue", "day", "state", "kind", "position"),
)

paper_visit = sa.Table(
    "paper_visit",
    metadata,
    Column("hall", Text, nullable=False),
    Column("visit", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("number", Text, nullable=False),
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("window", Text, nullable=False),
    Column("ticket", Text, ForeignKey("ticket.id")),
    Column("found", Text, nullable=False),  # the ticket's state when the report came, "" when unknown here
    PrimaryKeyConstraint("hall", "visit"),
)

request = sa.Table(
    "request",
    metadata,
    Column("device", Text, ForeignKey("device.id"), nullable=False),
    Column("id", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("device", "id"),
)

lost_card = sa.Table(
    "lost_card",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),  # clerk_app.domain.lost_cards; the number itself is nowhere
    Column("issued", Date),  # None: every card of the number
    Column("version", Integer, nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("ended_at", Instant),  # taken back
    Index(
        "uq_lost_card_digest_in_force",
        "digest",
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    ),
)

lost_card_salt = sa.Table(
    "lost_card_salt",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("salt", Text, nullable=False),
    CheckConstraint("one = 1", name="single"),
)

scope = sa.Table(
    "scope",
    metadata,
    Column("hall", Text, nullable=False),  # "" for what all halls share
    Column("name", Text, nullable=False),
    Column("generation", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False),  # cursors below it must take the snapshot
    PrimaryKeyConstraint("hall", "name"),
)

change = sa.Table(
    "change",
    metadata,
    Column("hall", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("op", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("hall", "scope", "seq"),
    ForeignKeyConstraint(["hall", "scope"], ["scope.hall", "scope.name"]),
    Index(None, "hall", "scope", "kind", "id", "seq"),
)
