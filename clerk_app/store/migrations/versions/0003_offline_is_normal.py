"""What the office signed, which pages were uploaded, and an index of the cases that retention took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("number_blocks", sa.Column("kind", sa.String(), nullable=False, server_default="case"))
    op.add_column("number_blocks", sa.Column("lease", sa.String(), nullable=True))
    op.add_column("operators", sa.Column("grant", sa.String(), nullable=True))
    op.add_column("tickets", sa.Column("gone", sa.Boolean(), nullable=False, server_default="0"))
    op.add_column("attachments", sa.Column("uploaded_at", sa.String(), nullable=True))
    for name in ("offline_series", "seal_key", "export_key"):
        op.add_column("device", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("cases", sa.Column("waits_for", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_cases_legal_state", "cases", ["legal_state"])
    op.create_table(
        "receipts",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.Column("official_number", sa.String(), nullable=True),
        sa.Column("legal_state", sa.String(), nullable=False),
        sa.Column("purged_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_receipts"),
    )
