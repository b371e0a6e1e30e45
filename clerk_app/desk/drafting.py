"""The draft: a row from its first field, edited step by step, put aside and resumed.

Every edit is one small transaction, so that a kill loses at most the field being typed. Edits that take
something away return the draft as it was, so that the window can offer undo.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from clerk_app.desk import calling, lost_cards
from clerk_app.desk.context import Desk
from clerk_app.desk.draft_view import acceptable, item_or_none
from clerk_app.desk.ports import Transaction
from clerk_app.desk.views import DraftRow
from clerk_app.domain import identity, masking, mrz
from clerk_app.domain.applicant import (
    Applicant,
    CardRecord,
    DocumentKind,
    EntrySource,
    Organisation,
    Person,
    person_from_card,
)
from clerk_app.domain.case import Draft, MaterialMode, TimelineEvent, TimelineKind
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.failures import Failure


def current_draft(desk: Desk, operator: str) -> str | None:
    """The draft in hand of the present visit, or None."""

    def look(tx: Transaction) -> str | None:
        visit = tx.visits.current(operator)
        if visit is None:
            return None
        return next((d.id for d in tx.drafts.open() if d.visit_id == visit.id), None)

    return desk.store.read(look)


def open_draft(desk: Desk, operator: str) -> str:
    """A new case for the present visit; the applicant of its last case is carried over.

    Failure DESK-NO-VISIT when nobody is at the window.
    """
    existing = current_draft(desk, operator)
    if existing is not None:
        return existing

    def create(tx: Transaction) -> str:
        visit = tx.visits.current(operator)
        if visit is None:
            raise Failure("DESK-NO-VISIT")
        now = desk.clock.now()
        earlier = tx.cases.of_visit(visit.id)
        draft = Draft(
            id=desk.new_id(),
            visit_id=visit.id,
            operator=operator,
            started_at=now,
            updated_at=now,
            applicant=earlier[-1].applicant if earlier else None,
        )
        tx.drafts.save(draft)
        return draft.id

    return desk.store.write(create)


def drafts(desk: Desk, operator: str) -> tuple[DraftRow, ...]:
    """Unfinished drafts of `operator`, newest first: what a restart or a finished visit left."""

    def line(draft: Draft) -> DraftRow:
        found = item_or_none(desk, draft.item_code) if draft.item_code else None
        item = found.kind.name if found else ""
        name = masking.name(draft.applicant.name) if draft.applicant else ""
        return DraftRow(draft.id, item, name, draft.updated_at)

    found = desk.store.read(lambda tx: tuple(d for d in tx.drafts.open() if d.operator == operator))
    return tuple(line(d) for d in sorted(found, key=lambda d: d.updated_at, reverse=True))


def resume(desk: Desk, operator: str, draft_id: str) -> None:
    """Take an old draft into the present visit. Failures: DESK-NO-VISIT, DESK-NO-DRAFT."""

    def take(tx: Transaction) -> None:
        visit = tx.visits.current(operator)
        if visit is None:
            raise Failure("DESK-NO-VISIT")
        draft = the_draft(tx, draft_id)
        for other in tx.drafts.open():
            if other.visit_id == visit.id and other.id != draft_id:
                _remove_if_empty(tx, other)
        tx.drafts.save(replace(draft, visit_id=visit.id, updated_at=desk.clock.now()))

    desk.store.write(take)


def discard(desk: Desk, draft_id: str) -> Draft:
    """Drop a draft; the returned value gives it back through `restore` (undo)."""

    def drop(tx: Transaction) -> Draft:
        draft = the_draft(tx, draft_id)
        tx.drafts.remove(draft_id)
        return draft

    return desk.store.write(drop)


def restore(desk: Desk, draft: Draft) -> None:
    """Undo of `discard`, `clear_item` and `clear_applicant`. Failure DESK-NO-DRAFT once it was filed."""

    def put_back(tx: Transaction) -> None:
        if tx.cases.get(draft.id) is not None:
            raise Failure("DESK-NO-DRAFT", "filed")
        tx.drafts.save(replace(draft, updated_at=desk.clock.now()))

    desk.store.write(put_back)


# --- ① applicant -----------------------------------------------------------------------------------------


def applicant_from_card(desk: Desk, draft_id: str, record: CardRecord, role: str = "party") -> None:
    """The card's person becomes the party or the agent; a photo is not kept.

    Whether the card was reported lost is asked in the transaction that takes it.
    """

    def take(tx: Transaction) -> None:
        person = person_from_card(record)
        if lost_cards.reported(tx, record):
            person = replace(person, warnings=(lost_cards.REPORTED, *person.warnings))
        _edited(desk, tx, draft_id, _seated(person, role), TimelineKind.CARD_READ)

    desk.store.write(take)


def applicant_from_mrz(desk: Desk, draft_id: str, text: str, role: str = "party") -> None:
    """The person of a machine-readable zone, marked so: no chip was asked. Failures: MRZ-…"""
    person = mrz.person(mrz.parse(text, desk.clock.now().date()))
    _edit(desk, draft_id, _seated(person, role), TimelineKind.MRZ_READ)


def applicant_typed(
    desk: Desk,
    draft_id: str,
    name: str,
    number: str,
    reason: str,
    role: str = "party",
    *,
    kind: DocumentKind | None = None,
    birth: date | None = None,
) -> None:
    """Typed entry, marked typed. Without `kind` the number says what it is of.

    A passport or permit has neither a check digit nor a birth date in its number: `birth` is typed too, for
    it decides whether a guardian is needed. Failures: ID-… for a number that cannot be, DESK-BIRTH,
    DESK-TYPED-REASON, DESK-NAME.
    """
    number, today = identity.normalise(number), desk.clock.now().date()
    if (code := identity.problem(number, kind, today=today)) is not None:
        raise Failure(code)
    if kind in identity.TRAVEL_KINDS and (birth is None or birth > today):
        raise Failure("DESK-BIRTH")
    if not name.strip():
        raise Failure("DESK-NAME")
    if not reason.strip():
        raise Failure("DESK-TYPED-REASON")
    kind = kind or identity.classify(number)
    if kind is DocumentKind.USCC:
        raise Failure("DESK-USCC-AS-PERSON")
    person = Person(
        name=name.strip(),
        number=number,
        kind=kind,
        source=EntrySource.TYPED,
        sex=identity.sex(number),
        birth=identity.birth_date(number) or birth,
        typed_reason=reason.strip(),
    )
    _edit(desk, draft_id, _seated(person, role), TimelineKind.TYPED_IDENTITY)


def organisation(desk: Desk, draft_id: str, name: str, uscc: str) -> None:
    """A legal person as the party; the person at the window becomes its agent."""
    uscc = identity.normalise(uscc)
    if (code := identity.problem(uscc, DocumentKind.USCC)) is not None:
        raise Failure(code)
    if not name.strip():
        raise Failure("DESK-NAME")

    def change(draft: Draft) -> Draft:
        agent: Person | None = None
        if draft.applicant is not None:
            here = draft.applicant.party
            agent = draft.applicant.agent or (here if isinstance(here, Person) else None)
        return replace(draft, applicant=Applicant(Organisation(name.strip(), uscc), agent))

    _edit(desk, draft_id, change)


def clear_applicant(desk: Desk, draft_id: str, role: str = "party") -> Draft:
    """Take the party (and with it the agent) or the agent away; returns the draft before, for undo."""

    def change(draft: Draft) -> Draft:
        if role == "agent" and draft.applicant is not None:
            return replace(draft, applicant=replace(draft.applicant, agent=None))
        return replace(draft, applicant=None)

    return _edit(desk, draft_id, change)


def _seated(person: Person, role: str) -> Callable[[Draft], Draft]:
    """The change that makes `person` the party or the agent of a draft."""

    def change(draft: Draft) -> Draft:
        applicant = draft.applicant
        as_agent = role == "agent" or (applicant is not None and isinstance(applicant.party, Organisation))
        if not as_agent:
            return replace(draft, applicant=Applicant(person, applicant.agent if applicant else None))
        if applicant is None:
            raise Failure("DESK-NO-PARTY")
        if applicant.number == person.number:
            raise Failure("DESK-AGENT-IS-PARTY")
        return replace(draft, applicant=replace(applicant, agent=person))

    return change


# --- ② item, ③ situations, ④ form, ⑤ materials -------------------------------------------------------------


def choose_item(desk: Desk, draft_id: str, item_code: str) -> None:
    """Set the service item. Answers and fields that the new item also asks for are kept."""
    item = desk.catalogue.item(item_code)
    require_acceptable(desk, item)

    def change(draft: Draft) -> Draft:
        if draft.item_code == item_code:
            return draft
        asked = {s.key: {c.key for c in s.choices} for s in item.kind.situations}
        kept_answers = {k: v for k, v in draft.situations.items() if v in asked.get(k, ())}
        first = {s.key: s.choices[0].key for s in item.kind.situations if s.choices}
        return replace(
            draft,
            item_code=item_code,
            item_version=item.implementation.version,
            situations=first | kept_answers,
            form={k: v for k, v in draft.form.items() if k in {f.key for f in item.kind.fields}},
            materials={k: v for k, v in draft.materials.items() if k in {m.key for m in item.kind.materials}},
        )

    _edit(desk, draft_id, change, TimelineKind.ITEM_CHOSEN, item.kind.name)


def clear_item(desk: Desk, draft_id: str) -> Draft:
    """Go back to the search; returns the draft before, for undo."""
    return _edit(desk, draft_id, lambda draft: replace(draft, item_code=None, item_version=None))


def answer(desk: Desk, draft_id: str, situation: str, choice: str) -> None:
    """Answer one situation question; it chooses the materials."""
    _edit(desk, draft_id, lambda d: replace(d, situations=d.situations | {situation: choice}))


def fill(desk: Desk, draft_id: str, field: str, value: str) -> None:
    """One field of the form, written at once: a kill loses at most the field being typed."""
    _edit(desk, draft_id, lambda draft: replace(draft, form=draft.form | {field: value}))


def hand(desk: Desk, draft_id: str, material: str, mode: MaterialMode | None) -> None:
    """Mark a material as handed over in `mode`, or not handed over (None)."""

    def change(draft: Draft) -> Draft:
        materials = {k: v for k, v in draft.materials.items() if k != material}
        return replace(draft, materials=materials if mode is None else materials | {material: mode})

    _edit(desk, draft_id, change)


# --- shared ------------------------------------------------------------------------------------------------


def require_acceptable(desk: Desk, item: ServiceItem) -> None:
    """Failure DESK-EX-OFFICIO or DESK-ITEM-RETIRED when no window may file `item` today."""
    gate = acceptable(item, desk.clock.now().date())
    if not gate.open:
        raise Failure("DESK-EX-OFFICIO" if gate.reason == "gate.ex_officio" else "DESK-ITEM-RETIRED")


def the_draft(tx: Transaction, draft_id: str) -> Draft:
    """The draft, or Failure DESK-NO-DRAFT."""
    draft = tx.drafts.get(draft_id)
    if draft is None:
        raise Failure("DESK-NO-DRAFT")
    return draft


def _edit(
    desk: Desk,
    draft_id: str,
    change: Callable[[Draft], Draft],
    kind: TimelineKind | None = None,
    detail: str = "",
) -> Draft:
    """Apply `change` in one transaction; returns the draft as it was before."""
    return desk.store.write(lambda tx: _edited(desk, tx, draft_id, change, kind, detail))


def _edited(
    desk: Desk,
    tx: Transaction,
    draft_id: str,
    change: Callable[[Draft], Draft],
    kind: TimelineKind | None = None,
    detail: str = "",
) -> Draft:
    """The part of `_edit` that belongs to the caller's transaction."""
    now = desk.clock.now()
    before = the_draft(tx, draft_id)
    tx.drafts.save(replace(change(before), updated_at=now))
    if before.visit_id is not None:
        calling.begin_serving(desk, tx, before.visit_id, now)
        if kind is not None:
            tx.timeline.add(TimelineEvent(now, kind, detail, visit_id=before.visit_id))
    return before


def _remove_if_empty(tx: Transaction, draft: Draft) -> None:
    """A draft nobody has begun makes room; one with work in it is put aside, to be resumed later."""
    if draft.applicant is None and draft.item_code is None and not draft.form:
        tx.drafts.remove(draft.id)
    else:
        tx.drafts.save(replace(draft, visit_id=None))
