"""What windows sent: commands and their answers, audit chains, outboxes that were carried."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
)

from back_office.tables.base import Instant, metadata

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
