"""Receiving (收件) and accepting (受理): a draft becomes a case.

Filing is one transaction: case, number, outbox command, print job, timeline and audit link, or nothing.
Paper and network come after the commit and cannot touch it (architecture, rule 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from clerk_app.desk import case_rows, drafting, due_dates, printing, rights, scanning
from clerk_app.desk.context import Desk
from clerk_app.desk.draft_view import draft_view, offline
from clerk_app.desk.ports import PrintJob, PrintState, Transaction
from clerk_app.desk.views import DraftView, Gate
from clerk_app.domain import form, masking
from clerk_app.domain.applicant import EntrySource, Person
from clerk_app.domain.case import (
    Case,
    Draft,
    FiledItem,
    HandedMaterial,
    LegalState,
    MaterialMode,
    SyncState,
    TimelineEvent,
    TimelineKind,
)
from clerk_app.domain.catalogue import ServiceItem, materials_for
from clerk_app.domain.documents import ReceiptSlip, SlipMaterial
from clerk_app.domain.numbering import case_number
from clerk_app.domain.working_days import TO_ACCEPT
from clerk_app.failures import Failure

_NOT_ON_PAPER = (PrintState.QUEUED, PrintState.FAILED)


def receive(desk: Desk, draft_id: str) -> Case:
    """收件: take the materials; the five working days begin. Failure DESK-NOT-READY when a step is open."""
    return _file(desk, draft_id, LegalState.RECEIVED, lambda view: view.receive)


def accept(desk: Desk, draft_id: str) -> Case:
    """受理: the promised and statutory limits begin. Failure DESK-NOT-READY when a step is open."""
    return _file(desk, draft_id, LegalState.ACCEPTED, lambda view: view.accept)


def accept_received(desk: Desk, case_id: str, operator: str) -> Case:
    """受理 of a case that was only received, now that the office answers: its limits begin today.

    The citizen's voucher is printed again with "accepted at"; the one before is replaced where it never
    reached paper. Failures: DESK-NO-CASE, DESK-RIGHT, DESK-NOT-ACCEPTABLE with the reason.
    """

    def record(tx: Transaction) -> Case:
        now = desk.clock.now()
        rights.require(tx, operator, rights.ACCEPT)
        case = tx.cases.get(case_id)
        if case is None:
            raise Failure("DESK-NO-CASE")
        held = case.id in case_rows.held_cases(tx)
        gate = case_rows.accept_gate(case, held=held, offline=offline(desk))
        if not gate.open:
            raise Failure("DESK-NOT-ACCEPTABLE", gate.reason)
        accepted = replace(
            case, legal_state=LegalState.ACCEPTED, accepted_at=now, sync_state=SyncState.HERE, waits_for=""
        )
        last = due_dates.limit(tx.meta.calendar(), accepted)
        assert last is not None, "accepted a moment ago"
        accepted = replace(accepted, due=last.day, due_provisional=last.provisional)
        tx.cases.save(accepted)
        body = {"case_id": case.id, "accepted_at": now.isoformat()}
        tx.outbox.add("case.accept", case.id, body, at=now, operator=operator)
        _print_accepted(desk, tx, accepted, operator)
        event = TimelineEvent(now, TimelineKind.ACCEPTED, case.item.name, case.visit_id, case.id)
        tx.timeline.add(event)
        tx.audit.add(at=now, actor=operator, act="case-accepted", subject=case.number, detail="later")
        return accepted

    case = desk.store.write(record)
    desk.poke()
    return case


def _print_accepted(desk: Desk, tx: Transaction, case: Case, operator: str) -> None:
    """The voucher as it stands now; it counts as a reprint of the one the citizen holds."""
    vouchers = [job for job in tx.print_jobs.of_case(case.id) if isinstance(job.slip, ReceiptSlip)]
    if not vouchers:
        return
    last: PrintJob = vouchers[-1]
    assert isinstance(last.slip, ReceiptSlip), "chosen so"
    slip = replace(
        last.slip,
        window=desk.device.window,
        operator=operator,
        accepted_at=case.accepted_at,
        due=case.due,
        due_provisional=case.due_provisional,
        offline=False,
        check_later=False,
    )
    count = last.reprint if last.state in _NOT_ON_PAPER else case_rows.next_count(vouchers)
    printing.withdraw(tx, case.id)
    tx.print_jobs.add(slip, case_id=case.id, at=desk.clock.now(), reprint=count)


def _file(desk: Desk, draft_id: str, state: LegalState, gate_of: Callable[[DraftView], Gate]) -> Case:
    desk.room()
    view = draft_view(desk, draft_id)
    gate = gate_of(view)
    if not gate.open:
        raise Failure("DESK-NOT-READY", gate.reason)
    draft = desk.store.read(lambda tx: drafting.the_draft(tx, draft_id))
    if draft.item_code is None or draft.applicant is None or draft.visit_id is None:
        raise Failure("DESK-NOT-READY")
    item = desk.catalogue.item(draft.item_code)
    drafting.require_acceptable(desk, item)
    without_office = offline(desk)
    received = state is LegalState.RECEIVED
    by_rule = view.accept.reason if view.accept.reason == case_rows.OFFLINE_ONLY else ""
    waits_for = (view.lacks or by_rule) if received else ""

    def file(tx: Transaction) -> Case:
        now = desk.clock.now()
        rights.require(tx, draft.operator, rights.ACCEPT)
        case = _case(desk, tx, drafting.the_draft(tx, draft_id), item, state, now)
        case = replace(case, waits_for=waits_for)
        tx.cases.add(case)
        tx.outbox.add("case.file", case.id, filing(case), at=now, operator=case.operator)
        tx.print_jobs.add(_slip(desk, case, item, without_office), case_id=case.id, at=now)
        kind = TimelineKind.ACCEPTED if state is LegalState.ACCEPTED else TimelineKind.RECEIVED
        tx.timeline.add(TimelineEvent(now, kind, case.item.name, visit_id=case.visit_id, case_id=case.id))
        tx.audit.add(at=now, actor=case.operator, act=f"case-{state}", subject=case.number)
        scanning.keep_asked(tx, draft_id, frozenset(m.key for m in materials_for(item.kind, case.situations)))
        tx.drafts.remove(draft_id)
        return case

    case = desk.store.write(file)
    desk.poke()
    return case


def _case(
    desk: Desk, tx: Transaction, draft: Draft, item: ServiceItem, state: LegalState, now: datetime
) -> Case:
    if draft.applicant is None or draft.visit_id is None:
        raise Failure("DESK-NOT-READY")
    accepted = state is LegalState.ACCEPTED
    calendar, today = tx.meta.calendar(), due_dates.day_of(now)
    due = calendar.due(today, item.promised_days, item.kind.day_unit) if accepted else None
    filled = {f.key: draft.form.get(f.key) or form.known(f, draft.applicant) for f in item.kind.fields}
    asked = materials_for(item.kind, draft.situations)
    later = calendar.due(today, TO_ACCEPT)
    return Case(
        id=draft.id,  # one draft, one case: it cannot be filed twice
        number=case_number(desk.device.hall_code, tx.numbers.take()),
        visit_id=draft.visit_id,
        item=FiledItem(
            code=item.implementation.code,
            kind=item.kind.code,
            name=item.kind.name,
            body_code=item.implementation.body_code,
            body_name=item.implementation.body_name,
            version=item.implementation.version,
            legal_days=item.kind.legal_days,
            promised_days=item.promised_days,
            day_unit=item.kind.day_unit,
        ),
        applicant=draft.applicant,
        situations=dict(draft.situations),
        form=filled,
        materials=tuple(
            HandedMaterial(
                key=m.key,
                name=m.name,
                mode=draft.materials[m.key],
                originals=m.originals,
                copies=m.copies,
                due=later.day if deferred else None,
                due_provisional=deferred and later.provisional,
            )
            for m in asked
            if m.key in draft.materials
            for deferred in [draft.materials[m.key] is MaterialMode.DEFERRED]
        ),
        legal_state=state,
        sync_state=SyncState.HERE,
        operator=draft.operator,
        received_at=now,
        accepted_at=now if accepted else None,
        due=due.day if due else None,
        due_provisional=bool(due and due.provisional),
    )


def filing(case: Case) -> dict[str, Any]:
    """The body of `case.file`: the case as filed, without what only this workstation keeps."""
    body: dict[str, Any] = plain(asdict(case))
    for own in ("sync_state", "official_number", "refusal", "void_reason", "printed", "waits_for"):
        del body[own]
    return body


def plain(value: Any) -> Any:
    """`value` with dates as ISO 8601, enums as their names and tuples as lists: ready for JSON."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value) if isinstance(value, str) else value


def _slip(desk: Desk, case: Case, item: ServiceItem, without_office: bool) -> ReceiptSlip:
    party = case.applicant.party
    people = [p for p in (party, case.applicant.agent) if isinstance(p, Person)]
    return ReceiptSlip(
        number=case.number,
        hall=desk.device.hall_name,
        window=desk.device.window,
        operator=case.operator,
        item=case.item.name,
        body=case.item.body_name,
        applicant=case.applicant.name,
        identity=masking.number(case.applicant.number),
        materials=slip_materials(case),
        received_at=case.received_at,
        accepted_at=case.accepted_at,
        due=case.due,
        due_provisional=case.due_provisional,
        agent=case.applicant.agent.name if case.applicant.agent else "",
        offline=without_office,
        advice_phone=item.implementation.advice_phone,
        supervision_phone=item.implementation.supervision_phone,
        typed_identity=any(person.source is EntrySource.TYPED for person in people),
        practice=desk.device.practice,
        check_later=case.waits_for == case_rows.OFFLINE_ONLY,
    )


def slip_materials(case: Case) -> tuple[SlipMaterial, ...]:
    """What was handed over, as slips say it."""
    return tuple(
        SlipMaterial(m.name, m.mode, m.originals, m.copies, m.due, m.due_provisional) for m in case.materials
    )
