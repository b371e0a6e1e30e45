"""Work in hand: a row from its first field."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from clerk_app.domain.case import Draft
from clerk_app.store.repositories.rows import Statements, columns, each, one, upsert, values
from clerk_app.store.tables import drafts

_SAVE = upsert(drafts, "id")
_ALL = select(*columns(drafts, Draft))


class SqlDrafts:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def save(self, draft: Draft) -> None:
        self._sql.run(_SAVE, values(draft))

    def get(self, draft_id: str) -> Draft | None:
        return one(Draft, self._sql.execute(_ALL.where(drafts.c.id == draft_id)))

    def open(self) -> Sequence[Draft]:
        """All drafts, the oldest first."""
        return each(Draft, self._sql.execute(_ALL.order_by(drafts.c.started_at, drafts.c.id)))

    def remove(self, draft_id: str) -> None:
        self._sql.execute(delete(drafts).where(drafts.c.id == draft_id))
