"""What was given out, and what must never be given out again."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)

from back_office.tables.base import Instant, metadata

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

official_serial = sa.Table(
    "official_serial",
    metadata,
    Column("item_code", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("item_code", "day"),
)
