"""Slips that must reach paper: each a row, kept with all it says, so that a reprint is the same paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import select, update

from clerk_app.desk.ports import PrintJob, PrintState
from clerk_app.domain.documents import (
    ClosingSlip,
    MaterialListSlip,
    PickUpSlip,
    ReceiptSlip,
    ShiftSlip,
    Slip,
    TestSlip,
    TicketSlip,
    VoidSlip,
)
from clerk_app.domain.ids import uuid7
from clerk_app.store.repositories.rows import Statements, adding, each, one
from clerk_app.store.tables import print_jobs as jobs

_TYPES: MappingProxyType[str, type[Slip]] = MappingProxyType(
    {
        "receipt": ReceiptSlip,
        "void": VoidSlip,
        "ticket": TicketSlip,
        "material-list": MaterialListSlip,
        "pick-up": PickUpSlip,
        "shift": ShiftSlip,
        "closing": ClosingSlip,
        "test": TestSlip,
    }
)
_NAMES = MappingProxyType({shape: name for name, shape in _TYPES.items()})

_UNFINISHED = tuple(state for state in PrintState if state not in (PrintState.PRINTED, PrintState.REPLACED))
"""Named one by one: the index knows what is in a set, not what is outside."""

_ADD = adding(jobs)
_ALL = select(
    jobs.c.id,
    jobs.c.case_id,
    jobs.c.slip_type,
    jobs.c.slip,
    jobs.c.state,
    jobs.c.created_at,
    jobs.c.reprint,
    jobs.c.code,
).order_by(jobs.c.n)


class SqlPrintJobs:
    def __init__(self, statements: Statements) -> None:
        self._sql = statements

    def add(self, slip: Slip, *, case_id: str | None, at: datetime, reprint: int = 0) -> PrintJob:
        job = PrintJob(
            id=uuid7(), case_id=case_id, slip=slip, state=PrintState.QUEUED, created_at=at, reprint=reprint
        )
        slip_type, text = slip_text(slip)
        self._sql.run(
            _ADD,
            {
                "id": job.id,
                "case_id": case_id,
                "slip_type": slip_type,
                "slip": text,
                "state": job.state,
                "created_at": at,
                "reprint": reprint,
                "code": "",
            },
        )
        return job

    def mark(self, job_id: str, state: PrintState, code: str = "") -> None:
        """Set the state of a job. Raises LookupError when it is not here."""
        change = update(jobs).where(jobs.c.id == job_id).values(state=state, code=code)
        if self._sql.execute(change).rowcount != 1:
            raise LookupError(f"no print job {job_id}")

    def get(self, job_id: str) -> PrintJob | None:
        return one(_job, self._sql.execute(_ALL.where(jobs.c.id == job_id)))

    def unfinished(self) -> Sequence[PrintJob]:
        """Queued, printing (left by a kill), failed and unknown jobs, oldest first."""
        return each(
            _job,
            self._sql.execute(_ALL.where(jobs.c.state.in_(_UNFINISHED))),
        )

    def of_case(self, case_id: str) -> Sequence[PrintJob]:
        return each(_job, self._sql.execute(_ALL.where(jobs.c.case_id == case_id)))

    def newest_of(self, shape: type[Slip]) -> PrintJob | None:
        """The newest job of this kind of slip, whatever became of it."""
        of_kind = _ALL.where(jobs.c.slip_type == _NAMES[shape])
        return one(_job, self._sql.execute(of_kind.order_by(None).order_by(jobs.c.n.desc()).limit(1)))


def slip_text(slip: Slip) -> tuple[str, str]:
    """The type of a slip and its content as JSON."""
    return _NAMES[type(slip)], msgspec.json.encode(slip).decode()


def slip_of(slip_type: str, text: str) -> Slip:
    """The slip that `slip_text` wrote, equal to the one it was given."""
    slip: Slip = msgspec.json.decode(text, type=_TYPES[slip_type])
    return slip


def _job(id_: str, case_id: str | None, slip_type: str, slip: str, *rest: Any) -> PrintJob:
    return PrintJob(id_, case_id, slip_of(slip_type, slip), *rest)
