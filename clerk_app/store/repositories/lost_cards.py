"""The mirror of the office's list of lost cards: digests, nothing that names a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from clerk_app.desk.ports import LostCard
from clerk_app.store.repositories.rows import Statements
from clerk_app.store.tables import lost_cards

_NEW = insert(lost_cards)
_PUT = _NEW.on_conflict_do_update(
    index_elements=["id"],
    set_={name: _NEW.excluded[name] for name in ("digest", "version", "gone")},
    where=_NEW.excluded.version > lost_cards.c.version,  # a late page of the feed brings old news
)


class SqlLostCards:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def put(self, cards: Sequence[LostCard]) -> None:
        if cards:
            rows = [{"id": c.id, "digest": c.digest, "version": c.version, "gone": False} for c in cards]
            self._sql.execute(_PUT, rows)

    def remove(self, card_id: str, version: int) -> None:
        self._sql.execute(_PUT, {"id": card_id, "digest": "", "version": version, "gone": True})

    def holds(self, digests: Sequence[str]) -> bool:
        listed = lost_cards.c.digest.in_(digests) & lost_cards.c.gone.is_(False)
        return self._sql.execute(select(lost_cards.c.id).where(listed).limit(1)).first() is not None

    def versions(self) -> Sequence[tuple[str, int]]:
        """(id, version) of every report in force."""
        query = select(lost_cards.c.id, lost_cards.c.version).where(lost_cards.c.gone.is_(False))
        return tuple((str(id_), int(version)) for id_, version in self._sql.execute(query))

    def clear(self) -> None:
        self._sql.execute(delete(lost_cards))
