"""The list of lost cards, and the scope of the feed that carries it."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lost_card",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("issued", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_lost_card"),
    )
    op.create_index(
        "uq_lost_card_digest_in_force",
        "lost_card",
        ["digest"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "lost_card_salt",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.CheckConstraint("one = 1", name="ck_lost_card_salt_single"),
        sa.PrimaryKeyConstraint("one", name="pk_lost_card_salt"),
    )
    names = ("hall", "name", "generation", "seq", "floor")
    scope = sa.table("scope", *(sa.column(name) for name in names))
    row = ("", "lost-cards", secrets.token_hex(8), 0, 0)
    op.bulk_insert(scope, [dict(zip(names, row, strict=True))])
