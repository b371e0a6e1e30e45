"""Pages of materials: what they are, and apart from that their content, which is read one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, union, update

from clerk_app.desk.ports import Attachment
from clerk_app.domain.case import SyncState
from clerk_app.store.repositories.rows import Statements, columns, each, values
from clerk_app.store.tables import attachments, cases, drafts

_ALL = select(*columns(attachments, Attachment)).order_by(
    attachments.c.material, attachments.c.page, attachments.c.added_at
)


class SqlAttachments:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, attachment: Attachment, content: bytes) -> None:
        self._sql.execute(insert(attachments), values(attachment) | {"content": content})

    def remove(self, attachment_id: str) -> None:
        self._sql.execute(delete(attachments).where(attachments.c.id == attachment_id))

    def of_case(self, case_id: str) -> Sequence[Attachment]:
        return each(Attachment, self._sql.execute(_ALL.where(attachments.c.case_id == case_id)))

    def content(self, attachment_id: str) -> bytes | None:
        query = select(attachments.c.content).where(attachments.c.id == attachment_id)
        found = self._sql.execute(query).scalar_one_or_none()
        return None if found is None else bytes(found)

    def to_upload(self, limit: int = 20) -> Sequence[Attachment]:
        """Pages of cases the office has registered, not there yet, oldest first."""
        there = select(cases.c.id).where(cases.c.sync_state == SyncState.REGISTERED)
        mine = attachments.c.uploaded_at.is_(None) & attachments.c.case_id.in_(there)
        query = select(*columns(attachments, Attachment)).where(mine).order_by(attachments.c.added_at)
        return each(Attachment, self._sql.execute(query.limit(limit)))

    def uploaded(self, attachment_id: str, at: datetime) -> None:
        done = update(attachments).where(attachments.c.id == attachment_id)
        self._sql.execute(done.values(uploaded_at=at))

    def ask_again(self) -> int:
        there = update(attachments).where(attachments.c.uploaded_at.is_not(None))
        return self._sql.execute(there.values(uploaded_at=None)).rowcount

    def remove_stray(self) -> int:
        kept = union(select(drafts.c.id), select(cases.c.id))
        return self._sql.execute(delete(attachments).where(attachments.c.case_id.not_in(kept))).rowcount
