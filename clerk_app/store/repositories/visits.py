"""Citizens at this window: who is here now, how many were served."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select

from clerk_app.domain.ticket import Visit, VisitState
from clerk_app.store.columns import before, since
from clerk_app.store.repositories.rows import Statements, columns, each, one, upsert, values
from clerk_app.store.tables import visits

_SAVE = upsert(visits, "id")
_ALL = select(*columns(visits, Visit))
_PRESENT = (VisitState.CALLED, VisitState.SERVING)


class SqlVisits:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def save(self, visit: Visit) -> None:
        self._sql.run(_SAVE, values(visit))

    def get(self, visit_id: str) -> Visit | None:
        return one(Visit, self._sql.execute(_ALL.where(visits.c.id == visit_id)))

    def current(self, operator: str) -> Visit | None:
        """The visit of `operator` that is called or being served; the newest, should there be two."""
        query = _ALL.where(visits.c.operator == operator, visits.c.state.in_(_PRESENT))
        return one(
            Visit,
            self._sql.execute(query.order_by(visits.c.started_at.desc(), visits.c.id.desc()).limit(1)),
        )

    def finished_since(self, since_: datetime) -> int:
        """How many visits were finished at or after `since_`; people who did not come are not counted."""
        query = select(func.count()).select_from(visits)
        finished = visits.c.state == VisitState.FINISHED
        return int(self._sql.execute(query.where(finished, since(visits.c.ended_at, since_))).scalar_one())

    def ended(self, since_: datetime, until: datetime) -> Sequence[Visit]:
        """Visits that ended from `since_` on and before `until`, no-shows included."""
        span = since(visits.c.ended_at, since_) & before(visits.c.ended_at, until)
        return each(Visit, self._sql.execute(_ALL.where(span).order_by(visits.c.ended_at)))
