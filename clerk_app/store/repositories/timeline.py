"""The process as it happened, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select

from clerk_app.domain.case import TimelineEvent
from clerk_app.store.repositories.rows import Statements, adding, columns, each, values
from clerk_app.store.tables import timeline

_ADD = adding(timeline)
_ALL = select(*columns(timeline, TimelineEvent)).order_by(timeline.c.n)


class SqlTimeline:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, event: TimelineEvent) -> None:
        self._sql.run(_ADD, values(event))

    def of_visit(self, visit_id: str) -> Sequence[TimelineEvent]:
        return self._events(timeline.c.visit_id == visit_id)

    def of_case(self, case_id: str) -> Sequence[TimelineEvent]:
        return self._events(timeline.c.case_id == case_id)

    def _events(self, which: ColumnElement[Any]) -> tuple[TimelineEvent, ...]:
        return each(TimelineEvent, self._sql.execute(_ALL.where(which)))
