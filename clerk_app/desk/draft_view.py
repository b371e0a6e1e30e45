"""The six steps of a draft as the window shows them, and the gates that open receiving and accepting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date

from clerk_app.desk import case_rows, rights, spelling
from clerk_app.desk.context import Desk
from clerk_app.desk.lost_cards import REPORTED
from clerk_app.desk.ports import LinkState, Transaction
from clerk_app.desk.views import (
    ApplicantView,
    CaseRow,
    CheckState,
    CheckView,
    ChoiceView,
    DraftView,
    FieldView,
    Gate,
    ItemView,
    MaterialView,
    PersonView,
    SituationView,
)
from clerk_app.domain import form, masking
from clerk_app.domain.applicant import Applicant, EntrySource, Organisation, Person, age
from clerk_app.domain.case import Draft, MaterialMode
from clerk_app.domain.catalogue import (
    ON_APPLICATION,
    Audience,
    FormField,
    Material,
    OfflineRule,
    ServiceItem,
    materials_for,
)
from clerk_app.failures import Failure

ADULT = 18  # 民法典 art. 17
OPEN = Gate(open=True)


def draft_view(desk: Desk, draft_id: str) -> DraftView:
    """The draft in full. Failure DESK-NO-DRAFT."""

    def look(tx: Transaction) -> tuple[Draft, tuple[CaseRow, ...], Counter[str]]:
        draft = tx.drafts.get(draft_id)
        if draft is None:
            raise Failure("DESK-NO-DRAFT")
        if draft.applicant is None or item is None:
            return draft, (), paged(tx)
        same = tx.cases.same_open(draft.applicant.number, item.kind.code)
        return draft, case_rows.rows(desk, tx, same), paged(tx)

    def paged(tx: Transaction) -> Counter[str]:
        return Counter(page.material for page in tx.attachments.of_case(draft_id)) if item else Counter()

    item: ServiceItem | None = None
    draft, same, pages = desk.store.read(look)
    if draft.item_code is not None:
        item = item_or_none(desk, draft.item_code)
        draft, same, pages = desk.store.read(look)

    today = desk.clock.now().date()
    fields = _fields(item, draft)
    materials = _materials(item, draft, pages)
    checks = _checks(desk, draft, item, fields, materials, same, today)
    lacks = _complete_gate(fields, materials, checks)
    return DraftView(
        id=draft.id,
        visit_id=draft.visit_id,
        updated_at=draft.updated_at,
        applicant=_applicant(draft.applicant, today),
        item=_item(item, today) if item else None,
        situations=_situations(item, draft),
        fields=fields,
        materials=materials,
        checks=checks,
        same_open=same,
        receive=_receive_gate(desk, draft, item, materials, today),
        accept=_accept_gate(desk, draft, item, today, lacks),
        lacks=lacks.reason,
    )


def item_or_none(desk: Desk, item_code: str) -> ServiceItem | None:
    """The item, or None when a newer catalogue no longer has it: a draft outlives the item it names."""
    try:
        return desk.catalogue.item(item_code)
    except Failure as failure:
        if failure.code != "CATALOGUE-NO-ITEM":
            raise
        return None


def offline(desk: Desk) -> bool:
    return desk.link().state is LinkState.OFFLINE


def acceptable(item: ServiceItem, today: date) -> Gate:
    """Whether a window may file this item today at all."""
    if item.kind.type not in ON_APPLICATION:
        return Gate(open=False, reason="gate.ex_officio", step=2)
    if not item.acceptable_on(today):
        return Gate(open=False, reason="gate.retired", step=2)
    return OPEN


# --- gates -------------------------------------------------------------------------------------------------


def _receive_gate(
    desk: Desk, draft: Draft, item: ServiceItem | None, materials: tuple[MaterialView, ...], today: date
) -> Gate:
    blocked = _begun_gate(desk, draft, item, today)
    if blocked is not None:
        return blocked
    if materials and not any(m.mode for m in materials):
        return Gate(open=False, reason="gate.no_material", step=5)
    return OPEN


def _accept_gate(desk: Desk, draft: Draft, item: ServiceItem | None, today: date, complete: Gate) -> Gate:
    blocked = _begun_gate(desk, draft, item, today)
    if blocked is not None:
        return blocked
    if item is not None and offline(desk) and item.kind.offline is not OfflineRule.ACCEPT:
        return Gate(open=False, reason=case_rows.OFFLINE_ONLY, step=6)
    return complete


def _complete_gate(
    fields: tuple[FieldView, ...], materials: tuple[MaterialView, ...], checks: tuple[CheckView, ...]
) -> Gate:
    """Whether nothing of the application itself is missing or wrong."""
    if any(f.problem for f in fields):
        return Gate(open=False, reason="gate.form", step=4)
    if any(m.required and m.mode is None for m in materials):
        return Gate(open=False, reason="gate.materials", step=5)
    bad = next((check for check in checks if check.state is CheckState.BAD), None)
    if bad is not None:
        return Gate(open=False, reason=bad.key, step=6)
    return OPEN


def _begun_gate(desk: Desk, draft: Draft, item: ServiceItem | None, today: date) -> Gate | None:
    """What stops receiving and accepting alike; None when nothing does."""
    applicant = draft.applicant
    if draft.visit_id is None:
        return Gate(open=False, reason="gate.no_visit")
    if not rights.has(desk, draft.operator, rights.ACCEPT):
        return Gate(open=False, reason="gate.no_right")
    if applicant is None:
        return Gate(open=False, reason="gate.no_applicant", step=1)
    if isinstance(applicant.party, Organisation) and applicant.agent is None:
        return Gate(open=False, reason="gate.no_agent", step=1)
    if item is None:
        gone = draft.item_code is not None
        return Gate(open=False, reason="gate.retired" if gone else "gate.no_item", step=2)
    in_force = acceptable(item, today)
    if not in_force.open:
        return in_force
    wants = item.kind.audience
    is_body = isinstance(applicant.party, Organisation)
    if (wants is Audience.PERSON and is_body) or (wants is Audience.ORGANISATION and not is_body):
        return Gate(open=False, reason=f"gate.audience_{wants}", step=1)
    if offline(desk) and item.kind.offline is OfflineRule.NOTHING:
        return Gate(open=False, reason="gate.offline_nothing", step=6)
    return None


# --- the steps ---------------------------------------------------------------------------------------------


def _applicant(applicant: Applicant | None, today: date) -> ApplicantView | None:
    if applicant is None:
        return None
    agent = _person(applicant.agent, today, is_agent=True) if applicant.agent else None
    if isinstance(applicant.party, Organisation):
        party = applicant.party
        return ApplicantView(None, party.name, masking.number(party.uscc), agent)
    return ApplicantView(_person(applicant.party, today, guarded=_guarded(applicant, today)), agent=agent)


def _guarded(applicant: Applicant, today: date) -> bool:
    """Whether an adult acts for the party."""
    return applicant.agent is not None and not _minor(applicant.agent, today)


def _minor(person: Person, today: date) -> bool:
    return person.birth is not None and age(person.birth, today) < ADULT


def _person(person: Person, today: date, *, guarded: bool = False, is_agent: bool = False) -> PersonView:
    return PersonView(
        name=person.name,
        number=masking.number(person.number),
        kind=person.kind,
        source=person.source,
        sex=person.sex,
        birth=person.birth,
        ethnicity=person.ethnicity,
        address=person.address,
        valid_until=person.valid_until,
        long_term=person.long_term,
        age=age(person.birth, today) if person.birth else None,
        notes=_notes(person, today, guarded=guarded, is_agent=is_agent),
        nationality=person.nationality,
    )


def _notes(person: Person, today: date, *, guarded: bool, is_agent: bool) -> tuple[str, ...]:
    """What the clerk must look at, the gravest first."""
    notes = [REPORTED] if REPORTED in person.warnings else []
    if _expired(person, today):
        notes.append("DESK-CARD-EXPIRED")
    if _minor(person, today) and not guarded:
        notes.append("DESK-AGENT-MINOR" if is_agent else "DESK-MINOR")
    if person.source is EntrySource.TYPED:
        notes.append("DESK-TYPED")
    return (*notes, *(warning for warning in person.warnings if warning != REPORTED))


def _expired(person: Person, today: date) -> bool:
    return person.valid_until is not None and person.valid_until < today


def _item(item: ServiceItem, today: date) -> ItemView:
    kind, own = item.kind, item.implementation
    return ItemView(
        code=own.code,
        kind=kind.code,
        name=kind.name,
        name_en=kind.name_en,
        department=kind.department,
        body_name=own.body_name,
        version=own.version,
        immediate=item.promised_days == 0,
        legal_days=kind.legal_days,
        promised_days=item.promised_days,
        day_unit=kind.day_unit,
        fee=kind.fee,
        result=kind.result,
        visits=kind.visits,
        offline=kind.offline,
        window_decides=own.window_decides,
        conditions=kind.conditions,
        process=kind.process,
        legal_basis=kind.legal_basis,
        advice_phone=own.advice_phone,
        supervision_phone=own.supervision_phone,
        address=own.address,
        hours=own.hours,
        faq=kind.faq,
        acceptable=acceptable(item, today),
    )


def _situations(item: ServiceItem | None, draft: Draft) -> tuple[SituationView, ...]:
    if item is None:
        return ()
    return tuple(
        SituationView(
            key=s.key,
            label=s.label,
            label_en=s.label_en,
            choices=tuple(ChoiceView(c.key, c.label, c.label_en) for c in s.choices),
            answer=draft.situations.get(s.key),
        )
        for s in item.kind.situations
    )


def _fields(item: ServiceItem | None, draft: Draft) -> tuple[FieldView, ...]:
    return tuple(_field(field, draft) for field in item.kind.fields) if item else ()


def _field(field: FormField, draft: Draft) -> FieldView:
    typed = draft.form.get(field.key, "")
    known = form.known(field, draft.applicant)
    value = typed or known
    shown = masking.number(value) if field.fill in ("number", "uscc") and not typed else value
    return FieldView(
        key=field.key,
        label=field.label,
        label_en=field.label_en,
        kind=field.kind,
        required=field.required,
        choices=field.choices,
        value=shown,
        filled=bool(known) and not typed,
        problem=form.problem(field, value),
        hint=field.hint,
    )


def _materials(item: ServiceItem | None, draft: Draft, pages: Mapping[str, int]) -> tuple[MaterialView, ...]:
    if item is None:
        return ()
    return tuple(
        MaterialView(
            key=m.key,
            name=m.name,
            name_en=m.name_en,
            mode=draft.materials.get(m.key),
            modes=_modes(m),
            originals=m.originals,
            copies=m.copies,
            required=m.required,
            basis=m.basis,
            pages=pages.get(m.key, 0),
        )
        for m in materials_for(item.kind, draft.situations)
    )


def _modes(material: Material) -> tuple[MaterialMode, ...]:
    modes = [MaterialMode.SEEN] if material.check_only else [MaterialMode.PAPER]
    modes.append(MaterialMode.LICENCE)
    if material.deferrable:
        modes.append(MaterialMode.DEFERRED)
    if material.promise:
        modes.append(MaterialMode.PROMISE)
    return tuple(modes)


def _checks(
    desk: Desk,
    draft: Draft,
    item: ServiceItem | None,
    fields: tuple[FieldView, ...],
    materials: tuple[MaterialView, ...],
    same: tuple[CaseRow, ...],
    today: date,
) -> tuple[CheckView, ...]:
    """Step 6. Only what was really checked is listed; what the office answers later says so."""
    if draft.applicant is None or item is None:
        return ()
    checks = [*_identity_checks(draft.applicant, today)]
    if lacking := _unprintable(desk, draft.applicant):
        checks.append(CheckView("check.unprintable", CheckState.WARN, lacking))
    missing = sum(1 for m in materials if m.required and m.mode is None)
    wrong = sum(1 for f in fields if f.problem)
    checks.append(_counted("check.form", wrong))
    checks.append(_counted("check.materials", missing))
    if same:
        checks.append(CheckView("check.same_open", CheckState.WARN, same[0].number))
    if draft.item_version not in (None, item.implementation.version):
        checks.append(CheckView("check.item_changed", CheckState.WARN))
    if offline(desk):
        checks.append(CheckView("check.office_later", CheckState.WAIT))
    return tuple(checks)


def _unprintable(desk: Desk, applicant: Applicant) -> str:
    """The characters of the names on the voucher that the printer cannot write; told before filing."""
    names = applicant.name + (applicant.agent.name if applicant.agent else "")
    return spelling.named(desk.printer.missing(names))


def _counted(key: str, left: int) -> CheckView:
    return CheckView(key, CheckState.WAIT if left else CheckState.OK, str(left) if left else "")


def _identity_checks(applicant: Applicant, today: date) -> list[CheckView]:
    checks = []
    for person in (applicant.party, applicant.agent):
        if not isinstance(person, Person):
            continue
        lost = REPORTED in person.warnings
        odd = [warning for warning in person.warnings if warning != REPORTED]
        if lost:
            checks.append(CheckView("check.card_lost", CheckState.WARN, REPORTED))
        if person.source is EntrySource.TYPED:
            checks.append(CheckView("check.identity_typed", CheckState.WARN))
        elif _expired(person, today):
            checks.append(CheckView("check.card_expired", CheckState.BAD, str(person.valid_until)))
        elif odd:
            checks.append(CheckView("check.card_odd", CheckState.WARN, odd[0]))
        elif person.source is EntrySource.MRZ:
            checks.append(CheckView("check.identity_mrz", CheckState.OK))
        elif not lost:
            checks.append(CheckView("check.identity_card", CheckState.OK))
    if isinstance(applicant.party, Person) and _minor(applicant.party, today):
        guarded = _guarded(applicant, today)
        checks.append(CheckView("check.guardian", CheckState.OK if guarded else CheckState.BAD))
    return checks
