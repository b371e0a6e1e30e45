"""What the office decides about: items, the catalogue file, cases, their pages."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
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

from back_office.tables.base import Instant, metadata

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
