"""Who may ask: halls, staff, devices, tokens, sessions, and what is counted against guessing."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from back_office.tables.base import Instant, metadata

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
