"""The first schema of the office."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packed_size", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_catalogue"),
        sa.UniqueConstraint("number", name="uq_catalogue_number"),
    )
    op.create_table(
        "hall",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("next_serial", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_hall"),
    )
    op.create_table(
        "item",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body_code", sa.Text(), nullable=False),
        sa.Column("body_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("code", "version", name="pk_item"),
    )
    op.create_table(
        "official_serial",
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("item_code", "day", name="pk_official_serial"),
    )
    op.create_table(
        "scope",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("generation", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hall", "name", name="pk_scope"),
    )
    op.create_table(
        "change",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hall", "scope"], ["scope.hall", "scope.name"], name="fk_change_hall_scope"),
        sa.PrimaryKeyConstraint("hall", "scope", "seq", name="pk_change"),
    )
    op.create_index(
        "ix_change_hall_scope_kind_id_seq", "change", ["hall", "scope", "kind", "id", "seq"], unique=False
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_device_hall"),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
    )
    op.create_table(
        "queue",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("tail", sa.Integer(), nullable=False),
        sa.Column("priority_every", sa.Integer(), nullable=False),
        sa.Column("since_priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_queue_hall"),
        sa.PrimaryKeyConstraint("hall", "code", name="pk_queue"),
    )
    op.create_table(
        "staff",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_staff_hall"),
        sa.PrimaryKeyConstraint("hall", "staff_no", name="pk_staff"),
    )
    op.create_table(
        "audit_head",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_audit_head_device"),
        sa.PrimaryKeyConstraint("device", "epoch", "seq", name="pk_audit_head"),
    )
    op.create_table(
        "block",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("request_no", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("leased_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("low <= high", name="ck_block_range"),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_block_device"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_block_hall"),
        sa.PrimaryKeyConstraint("id", name="pk_block"),
        sa.UniqueConstraint("device", "epoch", "request_no", name="uq_block_device_epoch_request_no"),
        sa.UniqueConstraint("hall", "high", name="uq_block_hall_high"),
        sa.UniqueConstraint("hall", "low", name="uq_block_hall_low"),
    )
    op.create_table(
        "command",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_command_device"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_command_hall"),
        sa.PrimaryKeyConstraint("hall", "id", name="pk_command"),
    )
    op.create_table(
        "delivery",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_delivery_device"),
        sa.PrimaryKeyConstraint("device", "epoch", "seq", name="pk_delivery"),
    )
    op.create_table(
        "device_token",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_device_token_device"),
        sa.PrimaryKeyConstraint("hash", name="pk_device_token"),
        sa.UniqueConstraint("device", "epoch", name="uq_device_token_device_epoch"),
    )
    op.create_table(
        "enrol_code",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_enrol_code_device"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_enrol_code_hall"),
        sa.PrimaryKeyConstraint("hash", name="pk_enrol_code"),
    )
    op.create_table(
        "registered_case",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("official_number", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("body_code", sa.Text(), nullable=False),
        sa.Column("body_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("flags", sa.Text(), nullable=False),
        sa.Column("filing", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_registered_case_device"),
        sa.ForeignKeyConstraint(["hall"], ["hall.code"], name="fk_registered_case_hall"),
        sa.ForeignKeyConstraint(
            ["item_code", "item_version"],
            ["item.code", "item.version"],
            name="fk_registered_case_item_code_item_version",
        ),
        sa.PrimaryKeyConstraint("hall", "id", name="pk_registered_case"),
        sa.UniqueConstraint("hall", "number", name="uq_registered_case_hall_number"),
        sa.UniqueConstraint("official_number", name="uq_registered_case_official_number"),
    )
    op.create_table(
        "request",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_request_device"),
        sa.PrimaryKeyConstraint("device", "id", name="pk_request"),
    )
    op.create_table(
        "series",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["hall", "queue"], ["queue.hall", "queue.code"], name="fk_series_hall_queue"),
        sa.PrimaryKeyConstraint("hall", "code", name="pk_series"),
    )
    op.create_table(
        "session",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grant_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_session_device"),
        sa.ForeignKeyConstraint(
            ["hall", "staff_no"], ["staff.hall", "staff.staff_no"], name="fk_session_hall_staff_no"
        ),
        sa.PrimaryKeyConstraint("hash", name="pk_session"),
    )
    op.create_index("ix_session_device_staff_no", "session", ["device", "staff_no"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window", sa.Text(), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["hall", "queue"], ["queue.hall", "queue.code"], name="fk_ticket_hall_queue"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("hall", "day", "number", name="uq_ticket_hall_day_number"),
    )
    op.create_index(
        "ix_ticket_hall_queue_day_state_kind_position",
        "ticket",
        ["hall", "queue", "day", "state", "kind", "position"],
        unique=False,
    )
    op.create_table(
        "paper_visit",
        sa.Column("hall", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("found", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_paper_visit_device"),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name="fk_paper_visit_ticket"),
        sa.PrimaryKeyConstraint("hall", "visit", name="pk_paper_visit"),
    )
