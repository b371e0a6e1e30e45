"""Clerks known to this workstation, and the failed attempts that lock a sign-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from clerk_app.desk.ports import Operator
from clerk_app.store.repositories.rows import Statements, columns, upsert, values
from clerk_app.store.tables import operators
from clerk_app.store.tables import sign_in_failures as failures

_SAVE = upsert(operators, "staff_no")
_NEW_FAILURE = insert(failures)
_COUNT = _NEW_FAILURE.on_conflict_do_update(
    index_elements=["staff_no"], set_={"count": failures.c.count + 1, "at": _NEW_FAILURE.excluded.at}
).returning(failures.c.count)


class SqlOperators:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def save(self, operator: Operator, verifier: str) -> None:
        self._sql.run(_SAVE, values(operator) | {"verifier": verifier})

    def get(self, staff_no: str) -> tuple[Operator, str] | None:
        """The operator and the verifier of the last online sign-in here."""
        query = select(*columns(operators, Operator), operators.c.verifier)
        row = self._sql.execute(query.where(operators.c.staff_no == staff_no)).one_or_none()
        return (Operator(*row[:-1]), row[-1]) if row else None

    def failed(self, staff_no: str, at: datetime) -> int:
        """Count one failed attempt, of a known clerk or not; returns how many in a row."""
        return int(self._sql.execute(_COUNT, {"staff_no": staff_no, "count": 1, "at": at}).scalar_one())

    def failures(self, staff_no: str) -> tuple[int, datetime | None]:
        """How many failed attempts in a row, and when the last one was."""
        query = select(failures.c.count, failures.c.at).where(failures.c.staff_no == staff_no)
        row = self._sql.execute(query).one_or_none()
        return (row[0], row[1]) if row else (0, None)

    def succeeded(self, staff_no: str) -> None:
        self._sql.execute(delete(failures).where(failures.c.staff_no == staff_no))
