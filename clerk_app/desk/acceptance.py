"""Receiving (收件) and accepting (受理): a draft becomes a case.

Filing is one transaction: case, number, outbox command, print job, timeline and audit link, or nothing.
Paper and network come after the commit and cannot touch it (architecture, rule 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from clerk_app.desk import drafting, rights, scanning
from clerk_app.desk.context import Desk
from clerk_app.desk.draft_view import draft_view, offline
from clerk_app.desk.ports import Transaction
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
from clerk_app.failures import Failure


def receive(desk: Desk, draft_id: str) -> Case:
    """收件: take the materials; the five working days begin. Failure DESK-NOT-READY when a step is open."""
    return _file(desk, draft_id, LegalState.RECEIVED, lambda view: view.receive)


def accept(desk: Desk, draft_id: str) -> Case:
    """受理: the promised and statutory limits begin. Failure DESK-NOT-READY when a step is open."""
    return _file(desk, draft_id, LegalState.ACCEPTED, lambda view: view.accept)


def _file(desk: Desk, draft_id: str, state: LegalState, gate_of: Callable[[DraftView], Gate]) -> Case:
    gate = gate_of(draft_view(desk, draft_id))
    if not gate.open:
        raise Failure("DESK-NOT-READY", gate.reason)
    draft = desk.store.read(lambda tx: drafting.the_draft(tx, draft_id))
    if draft.item_code is None or draft.applicant is None or draft.visit_id is None:
        raise Failure("DESK-NOT-READY")
    item = desk.catalogue.item(draft.item_code)
    drafting.require_acceptable(desk, item)
    without_office = offline(desk)

    def file(tx: Transaction) -> Case:
        now = desk.clock.now()
        rights.require(tx, draft.operator, rights.ACCEPT)
        case = _case(desk, tx, drafting.the_draft(tx, draft_id), item, state, now)
        tx.cases.add(case)
        tx.outbox.add("case.file", case.id, _body(case), at=now, operator=case.operator)
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
    calendar = tx.meta.calendar()
    due = calendar.due(now.date(), item.promised_days, item.kind.day_unit) if accepted else None
    filled = {f.key: draft.form.get(f.key) or form.known(f, draft.applicant) for f in item.kind.fields}
    asked = materials_for(item.kind, draft.situations)
    later = calendar.due(now.date(), 5).day
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
                due=later if draft.materials[m.key] is MaterialMode.DEFERRED else None,
            )
            for m in asked
            if m.key in draft.materials
        ),
        legal_state=state,
        sync_state=SyncState.HERE,
        operator=draft.operator,
        received_at=now,
        accepted_at=now if accepted else None,
        due=due.day if due else None,
        due_provisional=bool(due and due.provisional),
    )


def _body(case: Case) -> dict[str, Any]:
    """The command's body: the case as filed, without what only this workstation keeps."""
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
        materials=tuple(SlipMaterial(m.name, m.mode, m.originals, m.copies, m.due) for m in case.materials),
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
    )
