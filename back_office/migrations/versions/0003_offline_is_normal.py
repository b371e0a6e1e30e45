"""What an office needs for halls that work without it: owed answers, audits, leases, recovery, uploads."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _columns()
    _trust()
    _audit()
    _numbers()
    _lost_memory()
    _uploads()


def _columns() -> None:
    op.add_column(
        "hall", sa.Column("next_emergency", sa.BigInteger(), nullable=False, server_default="90000000")
    )
    op.add_column("hall", sa.Column("enrolments", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("device", sa.Column("offline_series", sa.Text(), nullable=False, server_default=""))
    op.add_column("device", sa.Column("seen_at", _instant(), nullable=True))
    op.add_column("device", sa.Column("revoked_at", _instant(), nullable=True))
    op.add_column("command", sa.Column("aggregate", sa.Text(), nullable=False, server_default=""))
    op.add_column("command", sa.Column("message", sa.Text(), nullable=True))
    held = sa.text("status = 'held'")
    op.create_index(
        "ix_command_device_aggregate",
        "command",
        ["device", "aggregate"],
        sqlite_where=held,
        postgresql_where=held,
    )
    op.add_column("registered_case", sa.Column("void_approved_by", sa.Text(), nullable=True))
    op.add_column("block", sa.Column("kind", sa.Text(), nullable=False, server_default="case"))


def _trust() -> None:
    op.create_table(
        "secret",
        _text("name"),
        _text("value"),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
    secret = sa.table("secret", sa.column("name"), sa.column("value"))
    names = ("seal", "export", "recovery")
    op.bulk_insert(secret, [{"name": name, "value": secrets.token_hex(32)} for name in names])
    op.create_table(
        "attempt",
        _text("kind"),
        _text("origin"),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "origin", name="pk_attempt"),
    )
    op.create_table(
        "recovery_code",
        _text("hash"),
        _text("device"),
        sa.Column("expires_at", _instant(), nullable=False),
        sa.Column("used_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name="pk_recovery_code"),
        _of_device("recovery_code"),
    )
    op.create_table(
        "carried",
        _text("device"),
        sa.Column("epoch", sa.Integer(), nullable=False),
        _text("carrier"),
        _text("sha256"),
        _text("answer"),
        sa.Column("at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("device", "epoch", "sha256", name="pk_carried"),
        _of_device("carried"),
        sa.ForeignKeyConstraint(["carrier"], ["device.id"], name="fk_carried_carrier"),
    )


def _audit() -> None:
    op.add_column("audit_head", sa.Column("chain", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "audit_chain",
        _text("device"),
        _text("chain"),
        sa.Column("n", sa.BigInteger(), nullable=False),
        _text("head"),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False, server_default=""),
        sa.Column("seal", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("device", "chain", name="pk_audit_chain"),
    )
    op.create_table(
        "audit_record",
        *map(_text, ("hall", "device", "chain")),
        sa.Column("n", sa.BigInteger(), nullable=False),
        _text("at"),
        sa.Column("moment", _instant(), nullable=False),
        *map(_text, ("actor", "act", "subject", "detail", "hash")),
        sa.PrimaryKeyConstraint("device", "chain", "n", name="pk_audit_record"),
        sa.ForeignKeyConstraint(
            ["device", "chain"],
            ["audit_chain.device", "audit_chain.chain"],
            name="fk_audit_record_device_chain",
        ),
    )
    op.create_index("ix_audit_record_hall_moment", "audit_record", ["hall", "moment"])


def _numbers() -> None:
    op.create_table(
        "void_numbers",
        _text("hall"),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        _text("device"),
        _text("reason"),
        sa.Column("at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("hall", "low", name="pk_void_numbers"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_void_numbers_hall"),
        _of_device("void_numbers"),
        sa.CheckConstraint("low <= high", name="ck_void_numbers_range"),
    )


def _lost_memory() -> None:
    op.create_table(
        "doubled_block",
        *map(_text, ("id", "hall", "device")),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_doubled_block"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_doubled_block_hall"),
        _of_device("doubled_block"),
    )
    op.create_table(
        "restoration",
        sa.Column("at", _instant(), nullable=False),
        _text("cause"),
        sa.PrimaryKeyConstraint("at", name="pk_restoration"),
    )
    op.create_table(
        "gap",
        _text("device"),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("at", _instant(), nullable=False),
        sa.Column("lost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("device", "epoch", "low", name="pk_gap"),
        _of_device("gap"),
    )


def _uploads() -> None:
    op.create_table(
        "upload",
        *map(_text, ("hall", "id", "device", "case_id", "material")),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        _text("sha256"),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", _instant(), nullable=False),
        sa.Column("completed_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("hall", "id", name="pk_upload"),
        _of_device("upload"),
        sa.ForeignKeyConstraint(
            ["hall", "case_id"],
            ["registered_case.hall", "registered_case.id"],
            name="fk_upload_hall_case_id",
        ),
    )
    op.create_index("ix_upload_hall_case_id", "upload", ["hall", "case_id"])


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _of_device(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["device"], ["device.id"], name=f"fk_{table}_device")
