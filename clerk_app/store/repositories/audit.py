"""The audit chain of this device: every link holds the hash of the one before (`domain.audit_chain`).

The head goes to the office with every push, so that a chain rewritten from some link on does not match what
was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert, select, text

from clerk_app.desk.ports import AuditAct, AuditRecord
from clerk_app.domain.audit_chain import link
from clerk_app.failures import Failure
from clerk_app.store.repositories.rows import Prepared, Statements, columns, each
from clerk_app.store.tables import audit

_ADD = Prepared(insert(audit), audit.c.keys())
_LAST = Prepared(select(audit.c.n, audit.c.hash).order_by(audit.c.n.desc()).limit(1))
_ALL = select(
    audit.c.n, audit.c.hash, audit.c.at, audit.c.actor, audit.c.act, audit.c.subject, audit.c.detail
).order_by(audit.c.n)
_HIGHEST = text("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
_DAY = timedelta(days=1)


class SqlAudit:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, *, at: datetime, actor: str, act: str, subject: str, detail: str = "") -> str:
        """Append one link; returns the new head."""
        last, previous = self._last()
        n = last + 1
        record = {"at": at.isoformat(), "actor": actor, "act": act, "subject": subject, "detail": detail}
        head = link(previous, n, **record)
        self._sql.run(_ADD, {"n": n, **record, "hash": head})
        return head

    def head(self) -> str:
        """The hash of the last link, empty when there is none."""
        return self._last()[1]

    def links(self) -> int:
        """How many links there are."""
        return self._last()[0]

    def acts(self, since: datetime, until: datetime) -> Sequence[AuditAct]:
        """What was done from `since` on and before `until`, oldest first.

        Moments are kept here as they were hashed: text whose zone may differ from line to line. The day
        narrows the search, the moment itself decides.
        """
        first, last = ((at + step).date().isoformat() for at, step in ((since, -_DAY), (until, _DAY)))
        query = select(audit.c.at, audit.c.actor, audit.c.act, audit.c.subject).order_by(audit.c.n)
        rows = self._sql.execute(query.where(audit.c.at >= first, audit.c.at < f"{last}T~"))
        acts = (AuditAct(datetime.fromisoformat(at), *told) for at, *told in rows)
        return tuple(act for act in acts if since <= act.at < until)

    def after(self, n: int, limit: int) -> Sequence[AuditRecord]:
        """Links after the `n`-th, in order, exactly as they were hashed."""
        query = select(*columns(audit, AuditRecord)).where(audit.c.n > n).order_by(audit.c.n)
        return each(AuditRecord, self._sql.execute(query.limit(limit)))

    def verify(self) -> int:
        """Number of links checked: none changed, none missing between, none cut from the end.

        Raises Failure("STORE-AUDIT-BROKEN") naming the first bad one.
        """
        previous, checked = "", 0
        for n, hash_, *record in self._sql.execute(_ALL):
            checked += 1
            if hash_ != link(previous, n, *record):
                raise Failure("STORE-AUDIT-BROKEN", f"link {checked}")
            previous = hash_
        highest = self._sql.execute(_HIGHEST).scalar_one_or_none() or 0
        if highest != checked:
            raise Failure("STORE-AUDIT-BROKEN", f"link {checked + 1}")
        return checked

    def _last(self) -> tuple[int, str]:
        last = self._sql.run(_LAST)
        return (last[0], last[1]) if last else (0, "")
