"""A case as one masked line of a list, with what may still be done to it."""

from __future__ import annotations

from collections.abc import Sequence

from clerk_app.desk import due_dates
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import CommandState, LinkState, PrintJob, PrintState, Transaction
from clerk_app.desk.views import CaseRow, Gate
from clerk_app.domain import masking
from clerk_app.domain.case import Case, LegalState, SyncState
from clerk_app.domain.documents import ReceiptSlip, VoidSlip
from clerk_app.domain.numbering import printed

OFFLINE_ONLY = "gate.offline_receive_only"
"""Why a case was only received: the office has to check it first. With its registration it has."""


def row(desk: Desk, tx: Transaction, case: Case) -> CaseRow:
    """The list line of `case`, read in the caller's transaction."""
    return rows(desk, tx, (case,))[0]


def rows(desk: Desk, tx: Transaction, cases: Sequence[Case]) -> tuple[CaseRow, ...]:
    """The list lines of `cases`, read in the caller's transaction."""
    held = held_cases(tx) if any(case.sync_state is not SyncState.REGISTERED for case in cases) else ()
    offline = desk.link().state is LinkState.OFFLINE
    return tuple(_row(desk, tx, case, held=case.id in held, offline=offline) for case in cases)


def held_cases(tx: Transaction) -> frozenset[str]:
    """The cases of which the office keeps a command it has not answered, and refused none."""
    stuck = tx.outbox.stuck()
    refused = {command.aggregate for command in stuck if command.state is CommandState.REFUSED}
    return frozenset(command.aggregate for command in stuck) - refused


def _row(desk: Desk, tx: Transaction, case: Case, *, held: bool, offline: bool) -> CaseRow:
    jobs = tx.print_jobs.of_case(case.id)
    last = telling(jobs)
    waits = case.legal_state is LegalState.RECEIVED
    calendar = tx.meta.calendar() if waits else None
    until = due_dates.accept_by(calendar, case) if calendar else None
    today = due_dates.day_of(desk.clock.now())
    return CaseRow(
        id=case.id,
        number=printed(case.number),
        item=case.item.name,
        applicant=masking.name(case.applicant.name),
        legal_state=case.legal_state,
        sync_state=case.sync_state,
        received_at=case.received_at,
        official_number=case.official_number,
        refusal=case.refusal,
        print_state=last.state if last else None,
        print_job=last.id if last else None,
        print_code=last.code if last else "",
        reprints=max((job.reprint for job in proofs(jobs)), default=0),
        void=void_gate(case),
        reprint=reprint_gate(case, telling(proofs(jobs))),
        accept=accept_gate(case, held=held, offline=offline),
        held=held,
        due=case.due,
        due_provisional=case.due_provisional,
        accept_by=until.day if until else None,
        accept_by_provisional=bool(until and until.provisional),
        days_left=calendar.left(today, until.day) if calendar and until else 0,
    )


def proofs(jobs: Sequence[PrintJob]) -> Sequence[PrintJob]:
    """The jobs of the slips that prove the case: its voucher, and the slip that makes it void."""
    return [job for job in jobs if isinstance(job.slip, ReceiptSlip | VoidSlip)]


def telling(jobs: Sequence[PrintJob]) -> PrintJob | None:
    """The job a line tells of: one the clerk must be asked about, else what failed, else the newest proof.

    Of slips that prove nothing (a list of materials) only trouble is told.
    """
    asked = next((job for job in jobs if job.state is PrintState.UNKNOWN), None)
    last = proofs(jobs)[-1:]
    newest = {type(job.slip): job for job in jobs if job not in proofs(jobs)}
    failed = next((job for job in (*last, *newest.values()) if job.state is PrintState.FAILED), None)
    return asked or failed or (last[0] if last else None)


def next_count(jobs: Sequence[PrintJob]) -> int:
    """The count of one more slip like the newest of `jobs`: a 作废 slip does not count with its voucher."""
    return max(job.reprint for job in jobs if type(job.slip) is type(jobs[-1].slip)) + 1


def void_gate(case: Case) -> Gate:
    """A case can be voided until the office has registered it; after that it is corrected by a linked one."""
    if case.legal_state is LegalState.VOID:
        return Gate(open=False, reason="gate.already_void")
    if case.sync_state is SyncState.REGISTERED or case.official_number is not None:
        return Gate(open=False, reason="gate.registered")
    return Gate(open=True)


def accept_gate(case: Case, *, held: bool, offline: bool) -> Gate:
    """A received case is accepted later when the office has it, answers, and nothing else was missing."""
    if case.legal_state is not LegalState.RECEIVED:
        return Gate(open=False)
    if held:
        return Gate(open=False, reason="gate.filing_held")
    if case.sync_state is SyncState.REFUSED:
        return Gate(open=False, reason="gate.filing_refused")
    if case.waits_for not in ("", OFFLINE_ONLY):
        return Gate(open=False, reason=case.waits_for)
    if offline:
        return Gate(open=False, reason="gate.accept_offline")
    if case.sync_state is not SyncState.REGISTERED:
        return Gate(open=False, reason="gate.accept_unregistered")
    return Gate(open=True)


def reprint_gate(case: Case, last: PrintJob | None) -> Gate:
    """One slip at a time: a job that is still on its way is not doubled."""
    if last is not None and last.state in (PrintState.QUEUED, PrintState.PRINTING):
        return Gate(open=False, reason="gate.printing")
    if last is not None and last.state is PrintState.UNKNOWN:
        return Gate(open=False, reason="gate.print_unknown")
    if last is not None and last.state is PrintState.FAILED:
        return Gate(open=False, reason="gate.print_failed")  # it comes out by itself, unmarked
    return Gate(open=True)
