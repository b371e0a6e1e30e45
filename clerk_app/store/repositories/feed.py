"""How far each scope of the change feed was applied here."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, select

from clerk_app.store.repositories.rows import Prepared, Statements, upsert
from clerk_app.store.tables import feed_cursors as cursors

_SAVE = upsert(cursors, "scope")
_GET = Prepared(
    select(cursors.c.generation, cursors.c.seq).where(cursors.c.scope == bindparam("same_scope")),
    ("same_scope",),
)


class SqlFeed:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def cursor(self, scope: str) -> tuple[str, int] | None:
        row = self._sql.run(_GET, {"same_scope": scope})
        return (str(row[0]), int(row[1])) if row else None

    def advance(self, scope: str, generation: str, seq: int) -> None:
        """Note that `scope` is applied up to `seq`, in the transaction that applied it.

        Raises ValueError when that is behind the cursor of the same generation: a page out of turn.
        """
        known = self.cursor(scope)
        if known and known[0] == generation and seq < known[1]:
            raise ValueError(f"cursor of {scope} would go back from {known[1]} to {seq}")
        self._sql.run(_SAVE, {"scope": scope, "generation": generation, "seq": seq})

    def reset(self, scope: str) -> None:
        self._sql.execute(delete(cursors).where(cursors.c.scope == scope))

    def keep_only(self, scopes: Sequence[str]) -> None:
        """Forget the cursors of all others: what their mirrors hold is not kept up any more."""
        self._sql.execute(delete(cursors).where(cursors.c.scope.not_in(scopes)))
