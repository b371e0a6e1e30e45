"""Runs the migrations on the connection, and in the transaction, that `back_office.migrations` brings."""

from __future__ import annotations

from alembic import context

from back_office.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # true here: BEGIN is ours, see back_office.db
)
context.run_migrations()
