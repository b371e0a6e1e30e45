"""Cases filed at this window. A case keeps its id and its number for life."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy import bindparam, func, select, update

from clerk_app.desk.ports import CommandState
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.store.columns import before, since
from clerk_app.store.repositories.rows import Prepared, Statements, adding, columns, each, one, values
from clerk_app.store.tables import cases, outbox

_ADD = adding(cases)
_KEPT = ("id", "number")
_SAVE = Prepared(
    update(cases)
    .where(cases.c.id == bindparam("same_id"), cases.c.number == bindparam("same_number"))
    .returning(cases.c.n),
    ("same_id", "same_number", *(column.name for column in cases.c if column.name not in ("n", *_KEPT))),
)
_ALL = select(*columns(cases, Case))
_REGISTER = Prepared(
    update(cases)
    .where(
        cases.c.id == bindparam("same_id"),
        cases.c.official_number.is_(None),
        cases.c.refusal.is_(None),
        cases.c.legal_state != LegalState.VOID,
    )
    .values(sync_state=SyncState.REGISTERED)
    .returning(cases.c.visit_id),
    ("same_id", "official_number"),
)
_GET = Prepared(_ALL.where(cases.c.id == bindparam("same_id")), ("same_id",))


class SqlCases:
    """`identity_key` keys the digest under which `same_open` finds a person, so that neither the index nor
    a listing of the table shows a number.
    """

    def __init__(self, statements: Statements, identity_key: bytes) -> None:
        self._sql = statements
        self._identity_key = identity_key

    def add(self, case: Case) -> None:
        self._sql.run(_ADD, self._values(case))

    def save(self, case: Case) -> None:
        """Replace the case of the same id and number. Raises LookupError when there is none."""
        same = {f"same_{name}": getattr(case, name) for name in _KEPT}
        if self._sql.run(_SAVE, self._values(case) | same) is None:
            raise LookupError(f"no case {case.id} with that number")

    def sent(self, ids: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Those of `ids` that were known here alone are on their way now; (case, visit) of each."""
        here = cases.c.id.in_(set(ids)) & (cases.c.sync_state == SyncState.HERE)
        moved = update(cases).where(here).values(sync_state=SyncState.SENT)
        return tuple(
            (row[0], row[1]) for row in self._sql.execute(moved.returning(cases.c.id, cases.c.visit_id))
        )

    def register(self, case_id: str, official_number: str) -> str | None:
        """Give a case its official number; its visit. None when it has one, is void, refused or not here."""
        row = self._sql.run(_REGISTER, {"same_id": case_id, "official_number": official_number})
        return str(row[0]) if row else None

    def registered(self) -> Sequence[str]:
        """The ids of the cases here that the office has registered, whether its number has come or not."""
        applied = select(outbox.c.aggregate).where(
            outbox.c.type == "case.file", outbox.c.state == CommandState.APPLIED
        )
        there = cases.c.official_number.is_not(None) | cases.c.id.in_(applied)
        return tuple(self._sql.execute(select(cases.c.id).where(there)).scalars())

    def get(self, case_id: str) -> Case | None:
        return self._sql.find(_GET, Case, {"same_id": case_id})

    def by_number(self, number: str) -> Case | None:
        """The case with this number as stored, without hyphens."""
        return one(Case, self._sql.execute(_ALL.where(cases.c.number == number)))

    def of_visit(self, visit_id: str) -> Sequence[Case]:
        """The cases of a visit in the order they were filed."""
        return each(Case, self._sql.execute(_ALL.where(cases.c.visit_id == visit_id).order_by(cases.c.n)))

    def recent(self, limit: int = 50) -> Sequence[Case]:
        """The last `limit` cases, the newest first."""
        return each(Case, self._sql.execute(_ALL.order_by(cases.c.n.desc()).limit(limit)))

    def same_open(self, identity: str, kind: str) -> Sequence[Case]:
        """Cases whose party bears the number `identity`, for the item kind, neither void nor refused."""
        query = _ALL.where(
            cases.c.identity == self._digest(identity),
            cases.c.kind == kind,
            cases.c.legal_state != LegalState.VOID,
            cases.c.sync_state != SyncState.REFUSED,
        )
        return each(Case, self._sql.execute(query.order_by(cases.c.n)))

    def unaccepted(self) -> Sequence[Case]:
        """Cases only received so far, neither void nor accepted, oldest first."""
        received = cases.c.legal_state == LegalState.RECEIVED
        return each(Case, self._sql.execute(_ALL.where(received).order_by(cases.c.n)))

    def with_limit(self, day: date) -> Sequence[Case]:
        """Accepted cases whose limit ends on `day` or later, or is provisional; and every received one."""
        accepted = cases.c.legal_state == LegalState.ACCEPTED
        running = accepted & ((cases.c.due >= day) | cases.c.due_provisional)
        open_ = running | (cases.c.legal_state == LegalState.RECEIVED)
        return each(Case, self._sql.execute(_ALL.where(open_).order_by(cases.c.n)))

    def count_since(self, since_: datetime) -> int:
        query = select(func.count()).select_from(cases)
        return int(self._sql.execute(query.where(since(cases.c.received_at, since_))).scalar_one())

    def filed(self, since_: datetime, until: datetime) -> Sequence[Case]:
        """Cases received from `since_` on and before `until`, in the order they were filed."""
        span = since(cases.c.received_at, since_) & before(cases.c.received_at, until)
        return each(Case, self._sql.execute(_ALL.where(span).order_by(cases.c.n)))

    def used_kinds(self) -> tuple[tuple[str, ...], Mapping[str, int]]:
        query = select(cases.c.kind, func.count()).group_by(cases.c.kind).order_by(func.max(cases.c.n).desc())
        times = {str(row[0]): int(row[1]) for row in self._sql.execute(query)}
        return tuple(times), MappingProxyType(times)

    def _values(self, case: Case) -> dict[str, object]:
        return values(case) | {"kind": case.item.kind, "identity": self._digest(case.applicant.number)}

    def _digest(self, identity: str) -> str:
        return hashlib.blake2b(identity.upper().encode(), key=self._identity_key, digest_size=16).hexdigest()
