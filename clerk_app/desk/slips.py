"""Slips that are printed when they are asked for: what there is, how it will look, and printing it.

A slip of a case that was printed before is marked 补打 with its count, is in the audit and takes no number.
One slip of a kind at a time: a job on its way, failed or in doubt is not doubled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from clerk_app.desk import acceptance, case_rows, correction, reports
from clerk_app.desk.context import Desk
from clerk_app.desk.draft_view import OPEN, item_or_none
from clerk_app.desk.due_dates import day_of
from clerk_app.desk.ports import PrintJob, PrintState, Transaction
from clerk_app.desk.views import Gate, Paper, PaperView
from clerk_app.domain import masking
from clerk_app.domain.case import Case, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.domain.documents import (
    ClosingSlip,
    MaterialListSlip,
    PickUpSlip,
    ShiftSlip,
    Slip,
    TestSlip,
)
from clerk_app.failures import Failure

_SHAPES: dict[Paper, type[Slip]] = {
    Paper.MATERIAL_LIST: MaterialListSlip,
    Paper.PICK_UP: PickUpSlip,
    Paper.SHIFT: ShiftSlip,
    Paper.CLOSING: ClosingSlip,
    Paper.TEST: TestSlip,
}
_CLOSED = {
    PrintState.QUEUED: "gate.printing",
    PrintState.PRINTING: "gate.printing",
    PrintState.UNKNOWN: "gate.print_unknown",
    PrintState.FAILED: "gate.print_failed",
}
_NOT_ON_PAPER = (PrintState.QUEUED, PrintState.FAILED)
_RESULT = "办理结果"
"""What is fetched, where the catalogue does not name it."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A slip as it would be printed now."""

    slip: Slip
    reprint: int = 0


def papers(desk: Desk, case_id: str | None) -> tuple[PaperView, ...]:
    """What can be asked for: of the case, if one is named, then of the shift and the window."""

    def look(tx: Transaction) -> tuple[PaperView, ...]:
        case = tx.cases.get(case_id) if case_id else None
        return (*(_of_case(tx, case) if case else ()), *(_of_window(tx)))

    return desk.store.read(look)


def propose(
    desk: Desk, paper: Paper, case_id: str | None, operator: str, day: date | None = None
) -> Proposed:
    """The slip that `issue` would print now, or the one that still waits for paper.

    `day` is that of a closing sheet; left out: today. Failures DESK-NO-CASE, DESK-PRINTING.
    """
    if paper is Paper.TEST:
        return Proposed(reports.test_slip(desk))
    item = _item(desk, paper, case_id)

    def look(tx: Transaction) -> Proposed:
        match paper:
            case Paper.SHIFT:
                return Proposed(reports.shift_slip(desk, tx, operator))
            case Paper.CLOSING:
                return Proposed(reports.closing_slip(desk, tx, operator, day or _today(desk)))
        case = _case(tx, case_id)
        jobs = tx.print_jobs.of_case(case.id)
        if paper is Paper.RECEIPT:
            proofs = case_rows.proofs(jobs)
            if not proofs:
                raise Failure("DESK-PRINTING")
            waits = proofs[-1].state in _NOT_ON_PAPER
            return Proposed(proofs[-1].slip, proofs[-1].reprint if waits else case_rows.next_count(proofs))
        last = _newest(jobs, _SHAPES[paper])
        if last is not None and last.state in _NOT_ON_PAPER:
            return Proposed(last.slip, last.reprint)
        slip = _COMPOSED[paper](desk, case, item, operator)
        return Proposed(slip, _count(jobs, type(slip)))

    return desk.store.read(look)


def issue(desk: Desk, paper: Paper, case_id: str | None, operator: str, day: date | None = None) -> None:
    """Queue `paper`, a closing sheet for `day`.

    Failures DESK-NO-CASE, DESK-PRINTING, DESK-VOID-ALREADY, STORE-AUDIT-BROKEN.
    """
    match paper:
        case Paper.RECEIPT:
            correction.reprint(desk, case_id or "", operator)
        case Paper.MATERIAL_LIST:
            material_list(desk, case_id or "", operator)
        case Paper.PICK_UP:
            pick_up(desk, case_id or "", operator)
        case Paper.SHIFT:
            reports.shift(desk, operator)
        case Paper.CLOSING:
            reports.closing(desk, operator, day or _today(desk))
        case Paper.TEST:
            reports.test_page(desk)


def material_list(desk: Desk, case_id: str, operator: str) -> PrintJob:
    """材料清单 of a case. Failures DESK-NO-CASE, DESK-VOID-ALREADY, DESK-PRINTING."""
    return _queue(desk, Paper.MATERIAL_LIST, case_id, operator)


def pick_up(desk: Desk, case_id: str, operator: str) -> PrintJob:
    """取件单 of a case. Failures DESK-NO-CASE, DESK-VOID-ALREADY, DESK-PRINTING."""
    return _queue(desk, Paper.PICK_UP, case_id, operator)


def _queue(desk: Desk, paper: Paper, case_id: str, operator: str) -> PrintJob:
    item = _item(desk, paper, case_id)

    def record(tx: Transaction) -> PrintJob:
        now = desk.clock.now()
        case = _case(tx, case_id)
        jobs = tx.print_jobs.of_case(case.id)
        if not _gate(case, jobs, _SHAPES[paper]).open:
            void = case.legal_state is LegalState.VOID
            raise Failure("DESK-VOID-ALREADY" if void else "DESK-PRINTING")
        slip = _COMPOSED[paper](desk, case, item, operator)
        count = _count(jobs, type(slip))
        if count:
            again = TimelineEvent(now, TimelineKind.REPRINTED, str(count), case.visit_id, case.id)
            tx.timeline.add(again)
            tx.audit.add(at=now, actor=operator, act="reprint", subject=case.number, detail=str(count))
        act = paper.value.replace("_", "-")
        tx.audit.add(at=now, actor=operator, act=act, subject=case.number, detail=str(count))
        return tx.print_jobs.add(slip, case_id=case.id, at=now, reprint=count)

    return desk.store.write(record)


def _material_list(desk: Desk, case: Case, item: ServiceItem | None, operator: str) -> MaterialListSlip:
    return MaterialListSlip(
        number=case.number,
        hall=desk.device.hall_name,
        window=desk.device.window,
        operator=operator,
        item=case.item.name,
        body=case.item.body_name,
        applicant=case.applicant.name,
        materials=acceptance.slip_materials(case),
        received_at=case.received_at,
        printed_at=desk.clock.now(),
        practice=desk.device.practice,
    )


def _pick_up(desk: Desk, case: Case, item: ServiceItem | None, operator: str) -> PickUpSlip:
    """The day is the limit of an accepted case; of one that is not yet accepted none is promised."""
    own = item.implementation if item else None
    return PickUpSlip(
        number=case.number,
        hall=desk.device.hall_name,
        window=desk.device.window,
        operator=operator,
        item=case.item.name,
        body=case.item.body_name,
        applicant=masking.name(case.applicant.name),
        result=(item.kind.result if item else "") or _RESULT,
        printed_at=desk.clock.now(),
        ready=case.due if case.accepted_at else None,
        ready_provisional=case.due_provisional,
        place=own.address if own else "",
        hours=own.hours if own else "",
        advice_phone=own.advice_phone if own else "",
        practice=desk.device.practice,
    )


_COMPOSED: dict[Paper, Callable[[Desk, Case, ServiceItem | None, str], Slip]] = {
    Paper.MATERIAL_LIST: _material_list,
    Paper.PICK_UP: _pick_up,
}


def _item(desk: Desk, paper: Paper, case_id: str | None) -> ServiceItem | None:
    """What the catalogue says today of the case's item; it may have lost it since."""
    if paper is not Paper.PICK_UP:
        return None
    code = desk.store.read(lambda tx: _case(tx, case_id).item.code)
    return item_or_none(desk, code)


def _of_case(tx: Transaction, case: Case) -> list[PaperView]:
    jobs = tx.print_jobs.of_case(case.id)
    proof = case_rows.telling(case_rows.proofs(jobs))
    seen = [_view(Paper.RECEIPT, case.id, case_rows.reprint_gate(case, proof), proof)]
    for paper in (Paper.MATERIAL_LIST, Paper.PICK_UP):
        shape = _SHAPES[paper]
        if paper is Paper.MATERIAL_LIST and not case.materials:
            continue
        last = _newest(jobs, shape)
        if last is not None or case.legal_state is not LegalState.VOID:
            seen.append(_view(paper, case.id, _gate(case, jobs, shape), last))
    return seen


def _of_window(tx: Transaction) -> list[PaperView]:
    seen = []
    for paper in (Paper.SHIFT, Paper.CLOSING, Paper.TEST):
        last = tx.print_jobs.newest_of(_SHAPES[paper])
        seen.append(_view(paper, None, _job_gate(last), last))
    return seen


def _view(paper: Paper, case_id: str | None, gate: Gate, last: PrintJob | None) -> PaperView:
    if last is None:
        return PaperView(paper, case_id, gate)
    return PaperView(paper, case_id, gate, last.id, last.state, last.code, last.created_at)


def _gate(case: Case, jobs: Sequence[PrintJob], shape: type[Slip]) -> Gate:
    if case.legal_state is LegalState.VOID:
        return Gate(open=False, reason="gate.already_void")
    if shape is PickUpSlip and case.sync_state is SyncState.REFUSED:
        return Gate(open=False, reason="gate.refused")
    return _job_gate(_newest(jobs, shape))


def _job_gate(last: PrintJob | None) -> Gate:
    reason = _CLOSED.get(last.state) if last else None
    return Gate(open=False, reason=reason) if reason else OPEN


def _newest(jobs: Sequence[PrintJob], shape: type[Slip]) -> PrintJob | None:
    return next((job for job in reversed(jobs) if isinstance(job.slip, shape)), None)


def _count(jobs: Sequence[PrintJob], shape: type[Slip]) -> int:
    """The count of the next slip of this kind: 0 for the first, which is no reprint."""
    return max((job.reprint + 1 for job in jobs if isinstance(job.slip, shape)), default=0)


def _case(tx: Transaction, case_id: str | None) -> Case:
    case = tx.cases.get(case_id) if case_id else None
    if case is None:
        raise Failure("DESK-NO-CASE")
    return case


def _today(desk: Desk) -> date:
    return day_of(desk.clock.now())
