"""Tickets, the series they are numbered in, and what became of them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
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
