"""What goes down to the windows: the log of changes by scope, and the cards reported lost."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
)

from back_office.tables.base import Instant, metadata

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
