"""What may be done to a case after it was filed: void before registration, print its slip again."""

from __future__ import annotations

from dataclasses import replace

from clerk_app.desk import case_rows, printing, rights, second_person
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import CommandState, LinkState, Transaction
from clerk_app.desk.second_person import Approval
from clerk_app.domain import masking
from clerk_app.domain.case import Case, LegalState, SyncState, TimelineEvent, TimelineKind
from clerk_app.domain.documents import VoidSlip
from clerk_app.failures import Failure


def void(desk: Desk, case_id: str, reason: str, operator: str, approval: Approval | None = None) -> Case:
    """Withdraw a case the office has not registered: the number is recorded void and a 作废 slip printed.

    While the office is out of reach a second person must approve it (`second_person.approve`).
    Failures: DESK-VOID-REASON without a written reason, DESK-REGISTERED, DESK-VOID-ALREADY,
    DESK-SECOND-PERSON without the approval.
    """
    alone = desk.link().state is not LinkState.OFFLINE
    told = masking.reason(reason)
    if not told:
        raise Failure("DESK-VOID-REASON")

    def record(tx: Transaction) -> Case:
        now = desk.clock.now()
        rights.require(tx, operator, rights.VOID)
        case = _case(tx, case_id)
        gate = case_rows.void_gate(case)
        if not gate.open:
            already = case.legal_state is LegalState.VOID
            raise Failure("DESK-VOID-ALREADY" if already else "DESK-REGISTERED")
        if approval is None and not alone:
            raise Failure("DESK-SECOND-PERSON")
        if approval is not None:
            second_person.use(tx, approval, rights.VOID, case, operator, now)
        voided = replace(case, legal_state=LegalState.VOID, void_reason=told)
        tx.cases.save(voided)
        if not _settle_refused(tx, case):
            body = {
                "case_id": case.id,
                "number": case.number,
                "reason": told,
                "voided_at": now.isoformat(),
                "approved_by": approval.by if approval else "",
            }
            tx.outbox.add("case.void", case.id, body, at=now, operator=operator)
        slip = VoidSlip(
            number=case.number,
            hall=desk.device.hall_name,
            window=desk.device.window,
            operator=operator,
            item=case.item.name,
            voided_at=now,
            reason=told,
            practice=desk.device.practice,
        )
        printing.withdraw(tx, case.id)
        tx.print_jobs.add(slip, case_id=case.id, at=now)
        tx.timeline.add(
            TimelineEvent(now, TimelineKind.VOIDED, case.item.name, visit_id=case.visit_id, case_id=case.id)
        )
        tx.audit.add(at=now, actor=operator, act="case-void", subject=case.number, detail=told)
        return voided

    case = desk.store.write(record)
    desk.poke()
    return case


def reprint(desk: Desk, case_id: str, operator: str) -> None:
    """The same slip once more, marked 补打 with its count; it takes no new number and is in the audit."""

    def record(tx: Transaction) -> None:
        now = desk.clock.now()
        case = _case(tx, case_id)
        jobs = case_rows.proofs(tx.print_jobs.of_case(case_id))
        if not jobs or not case_rows.reprint_gate(case, case_rows.telling(jobs)).open:
            raise Failure("DESK-PRINTING")
        count = case_rows.next_count(jobs)
        tx.print_jobs.add(jobs[-1].slip, case_id=case_id, at=now, reprint=count)
        tx.timeline.add(
            TimelineEvent(now, TimelineKind.REPRINTED, str(count), visit_id=case.visit_id, case_id=case.id)
        )
        tx.audit.add(at=now, actor=operator, act="reprint", subject=case.number, detail=str(count))

    desk.store.write(record)


def _settle_refused(tx: Transaction, case: Case) -> bool:
    """A case the office refused is unknown there: voiding it settles that, and nothing is sent."""
    if case.sync_state is not SyncState.REFUSED or case.official_number is not None:
        return False
    left = [command.id for command in tx.outbox.pending() if command.aggregate == case.id]
    tx.outbox.mark(left, CommandState.SETTLED)
    return True


def _case(tx: Transaction, case_id: str) -> Case:
    case = tx.cases.get(case_id)
    if case is None:
        raise Failure("DESK-NO-CASE")
    return case
