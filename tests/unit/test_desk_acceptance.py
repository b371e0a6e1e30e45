"""From the card to the filed case: one transaction, gates that say why, drafts that survive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from desk_kit import CLERK, ITEM, KIND, PERSON, Bench, bench

from clerk_app.desk import acceptance, calling, correction, drafting, following, printing, sign_in
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import (
    CommandState,
    PrinterStatus,
    PrintOutcome,
    PrintResult,
    PrintState,
    Transaction,
)
from clerk_app.desk.views import CheckState
from clerk_app.domain.applicant import EntrySource, Organisation
from clerk_app.domain.case import LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.catalogue import Audience, OfflineRule, ServiceItem
from clerk_app.domain.documents import ReceiptSlip, VoidSlip
from clerk_app.domain.numbering import parse
from clerk_app.domain.working_days import WorkingCalendar
from clerk_app.failures import Failure

CODE = ITEM.implementation.code


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        yield made


def begun(hall: Bench) -> str:
    calling.call_next(hall.desk, CLERK)
    return drafting.open_draft(hall.desk, CLERK)


def ready(hall: Bench) -> str:
    """A draft that can be accepted."""
    draft = begun(hall)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    return draft


def item(**changes: object) -> ServiceItem:
    return ServiceItem(replace(KIND, **changes), ITEM.implementation)  # type: ignore[arg-type]


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def test_one_transaction_writes_case_number_command_slip_timeline_and_audit(hall: Bench) -> None:
    visit = calling.call_next(hall.desk, CLERK)
    assert visit is not None
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)

    case = acceptance.accept(hall.desk, draft)

    assert case.number == parse(case.number)
    assert (case.legal_state, case.sync_state) == (LegalState.ACCEPTED, SyncState.HERE)
    assert case.form == {"name": "李晓明", "number": PERSON.number, "phone": "13800001234"}
    with_store = hall.store.read(
        lambda tx: (
            tx.cases.get(case.id),
            [c.type for c in tx.outbox.pending()],
            [(j.state, j.slip) for j in tx.print_jobs.of_case(case.id)],
            [e.kind for e in tx.timeline.of_case(case.id)],
            tx.drafts.get(draft),
            tx.audit.verify(),
        )
    )
    stored, commands, jobs, events, gone, links = with_store
    assert stored == case
    assert commands == ["ticket.serving", "case.file"]
    assert [state for state, _ in jobs] == [PrintState.QUEUED]
    slip = jobs[0][1]
    assert isinstance(slip, ReceiptSlip)
    assert slip.applicant == "李晓明"
    assert slip.identity == "510704********123X"
    assert events == [TimelineKind.ACCEPTED]
    assert gone is None
    assert links >= 1


def test_a_failure_inside_filing_leaves_nothing_and_uses_no_number(hall: Bench) -> None:
    draft = ready(hall)
    before = hall.store.read(lambda tx: sum(b.left for b in tx.numbers.blocks()))
    hall.store.write(lambda tx: tx.audit.add(at=hall.clock.now(), actor="x", act="y", subject="z"))

    # The number is taken, then its making fails: what was written before must be gone with it.
    broken = replace(hall.desk, device=replace(hall.desk.device, hall_code="bad"))
    with pytest.raises(ValueError, match="hall code"):
        acceptance.accept(broken, draft)
    assert hall.store.read(lambda tx: sum(b.left for b in tx.numbers.blocks())) == before
    assert hall.store.read(lambda tx: tx.drafts.get(draft)) is not None
    assert hall.store.read(lambda tx: tx.cases.recent()) == ()


def test_a_gate_names_the_step_and_the_reason(hall: Bench) -> None:
    draft = begun(hall)

    def gate() -> tuple[bool, str, int]:
        found = draft_view(hall.desk, draft).accept
        return found.open, found.reason, found.step

    assert gate() == (False, "gate.no_applicant", 1)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    assert gate() == (False, "gate.no_item", 2)
    drafting.choose_item(hall.desk, draft, CODE)
    assert gate() == (False, "gate.form", 4)
    drafting.fill(hall.desk, draft, "phone", "not a phone")
    assert gate() == (False, "gate.form", 4)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    assert gate() == (False, "gate.materials", 5)
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    assert gate() == (True, "", 0)
    with refused("DESK-NO-DRAFT"):
        acceptance.accept(hall.desk, "no such draft")


def test_receiving_needs_less_than_accepting(hall: Bench) -> None:
    draft = begun(hall)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    assert draft_view(hall.desk, draft).receive.reason == "gate.no_material"
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    with refused("DESK-NOT-READY"):
        acceptance.accept(hall.desk, draft)
    case = acceptance.receive(hall.desk, draft)
    assert (case.legal_state, case.accepted_at, case.due) == (LegalState.RECEIVED, None, None)


def test_a_situation_asks_for_its_own_materials(hall: Bench) -> None:
    draft = ready(hall)
    assert [m.key for m in draft_view(hall.desk, draft).materials] == ["id"]
    drafting.answer(hall.desk, draft, "agent", "yes")
    view = draft_view(hall.desk, draft)
    assert [m.key for m in view.materials] == ["id", "letter"]
    assert not view.accept.open
    drafting.hand(hall.desk, draft, "letter", MaterialMode.DEFERRED)
    case = acceptance.accept(hall.desk, draft)
    letter = next(m for m in case.materials if m.key == "letter")
    assert letter.due is not None


@pytest.mark.parametrize(
    ("rule", "accept", "receive"),
    [
        (OfflineRule.ACCEPT, True, True),
        (OfflineRule.RECEIVE, False, True),
        (OfflineRule.NOTHING, False, False),
    ],
)
def test_offline_each_item_says_what_may_be_done(rule: OfflineRule, accept: bool, receive: bool) -> None:
    with bench({CODE: item(offline=rule)}) as hall:
        draft = ready(hall)
        assert draft_view(hall.desk, draft).accept.open
        hall.offline()
        view = draft_view(hall.desk, draft)
        assert (view.accept.open, view.receive.open) == (accept, receive)


def test_offline_the_slip_says_so_and_the_receipt_time_is_the_local_one(hall: Bench) -> None:
    draft = ready(hall)
    hall.offline()
    case = acceptance.accept(hall.desk, draft)
    slip = hall.store.read(lambda tx: tx.print_jobs.of_case(case.id))[0].slip
    assert isinstance(slip, ReceiptSlip)
    assert slip.offline
    assert case.received_at == hall.clock.now()


def test_an_item_retired_between_search_and_accept_is_refused(hall: Bench) -> None:
    draft = ready(hall)
    hall.catalogue.retire(CODE)
    assert draft_view(hall.desk, draft).accept.reason == "gate.retired"
    with refused("DESK-NOT-READY"):
        acceptance.accept(hall.desk, draft)
    with refused("DESK-ITEM-RETIRED"):
        drafting.choose_item(hall.desk, draft, CODE)


def test_an_expired_card_can_be_received_but_not_accepted(hall: Bench) -> None:
    draft = ready(hall)
    drafting.applicant_from_card(hall.desk, draft, replace(PERSON, valid_until=date(2026, 11, 19)))
    view = draft_view(hall.desk, draft)
    assert view.accept.reason == "check.card_expired"
    assert view.receive.open
    drafting.applicant_from_card(hall.desk, draft, replace(PERSON, valid_until=None, long_term=True))
    assert draft_view(hall.desk, draft).accept.open


def test_the_last_day_of_validity_counts(hall: Bench) -> None:
    draft = ready(hall)
    drafting.applicant_from_card(hall.desk, draft, replace(PERSON, valid_until=hall.clock.now().date()))
    assert draft_view(hall.desk, draft).accept.open


def test_a_minor_needs_a_guardian(hall: Bench) -> None:
    draft = ready(hall)
    child = replace(PERSON, number="51070420150101123X", birth=date(2015, 1, 1))
    drafting.applicant_from_card(hall.desk, draft, child)
    assert draft_view(hall.desk, draft).accept.reason == "check.guardian"
    drafting.applicant_from_card(hall.desk, draft, PERSON, role="agent")
    assert draft_view(hall.desk, draft).accept.open


def test_typed_identity_is_marked_and_needs_a_reason(hall: Bench) -> None:
    draft = ready(hall)
    with refused("DESK-TYPED-REASON"):
        drafting.applicant_typed(hall.desk, draft, "李晓明", PERSON.number, " ")
    with refused("ID-"):
        drafting.applicant_typed(hall.desk, draft, "李晓明", "510704198906041235", "卡片损坏")
    drafting.applicant_typed(hall.desk, draft, "李晓明", "51070419890604123X", "卡片损坏")
    view = draft_view(hall.desk, draft)
    assert view.applicant is not None
    assert view.applicant.party is not None
    assert view.applicant.party.source is EntrySource.TYPED
    assert [c.state for c in view.checks if c.key == "check.identity_typed"] == [CheckState.WARN]
    case = acceptance.accept(hall.desk, draft)
    slip = hall.store.read(lambda tx: tx.print_jobs.of_case(case.id))[0].slip
    assert isinstance(slip, ReceiptSlip)
    assert slip.typed_identity


def test_an_organisation_is_presented_by_an_agent() -> None:
    with bench({CODE: item(audience=Audience.ORGANISATION, fields=())}) as hall:
        draft = begun(hall)
        drafting.choose_item(hall.desk, draft, CODE)
        drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
        with refused("ID-CHECK-DIGIT"):
            drafting.organisation(hall.desk, draft, "示例公司", PERSON.number)
        drafting.organisation(hall.desk, draft, "示例公司", "91110000600037341L")
        assert draft_view(hall.desk, draft).accept.reason == "gate.no_agent"
        drafting.applicant_from_card(hall.desk, draft, PERSON)
        case = acceptance.accept(hall.desk, draft)
        assert isinstance(case.applicant.party, Organisation)
        assert case.applicant.agent is not None


def test_a_person_cannot_file_what_is_for_organisations() -> None:
    with bench({CODE: item(audience=Audience.ORGANISATION)}) as hall:
        draft = ready(hall)
        assert draft_view(hall.desk, draft).accept.reason == "gate.audience_organisation"


def test_the_same_open_item_of_the_same_person_is_shown(hall: Bench) -> None:
    first = acceptance.accept(hall.desk, ready(hall))
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.choose_item(hall.desk, draft, CODE)
    view = draft_view(hall.desk, draft)
    assert view.applicant is not None, "the applicant of the last case is carried over"
    assert [row.id for row in view.same_open] == [first.id]
    assert any(c.key == "check.same_open" and c.state is CheckState.WARN for c in view.checks)
    correction.void(hall.desk, first.id, "重复收件", CLERK)
    assert draft_view(hall.desk, draft).same_open == ()


def test_the_due_date_skips_the_weekend_and_a_working_saturday_counts(hall: Bench) -> None:
    calendar = WorkingCalendar(frozenset({2026}), make_up_days=frozenset({date(2026, 11, 21)}))
    hall.store.write(lambda tx: tx.meta.set_calendar(calendar))
    case = acceptance.accept(hall.desk, ready(hall))
    assert case.due == date(2026, 11, 24)  # Saturday 21 (make-up), Monday 23, Tuesday 24
    assert not case.due_provisional


def test_beyond_the_known_calendar_the_due_date_is_provisional(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    assert case.due == date(2026, 11, 25)
    assert case.due_provisional


def test_void_before_registration_keeps_the_number_and_prints_a_void_slip(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    with refused("DESK-VOID-REASON"):
        correction.void(hall.desk, case.id, "  ", CLERK)
    correction.void(hall.desk, case.id, "申请人撤回", CLERK)
    stored = hall.store.read(lambda tx: tx.cases.get(case.id))
    assert stored is not None
    assert (stored.legal_state, stored.number) == (LegalState.VOID, case.number)
    assert isinstance(hall.store.read(lambda tx: tx.print_jobs.of_case(case.id))[-1].slip, VoidSlip)
    with refused("DESK-VOID-ALREADY"):
        correction.void(hall.desk, case.id, "再来", CLERK)
    again = acceptance.accept(hall.desk, _next(hall))
    assert again.number != case.number


def test_a_number_typed_into_a_reason_goes_nowhere_in_full(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    correction.void(hall.desk, case.id, "应为 51070419890604123X", CLERK)
    told = "应为 510704********123X"
    slip = hall.store.read(lambda tx: tx.print_jobs.of_case(case.id))[-1].slip
    assert isinstance(slip, VoidSlip)
    assert slip.reason == told
    assert hall.store.read(lambda tx: tx.outbox.pending())[-1].body["reason"] == told


def _next(hall: Bench) -> str:
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.choose_item(hall.desk, draft, CODE)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    return draft


def test_a_registered_case_cannot_be_voided(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    hall.store.write(lambda tx: tx.cases.save(replace(case, sync_state=SyncState.REGISTERED)))
    with refused("DESK-REGISTERED"):
        correction.void(hall.desk, case.id, "太晚", CLERK)


def test_the_case_stands_when_the_printer_fails_and_the_slip_waits(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    hall.printer.outcomes = [PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")]
    hall.printer.now = PrinterStatus(code="PRINTER-PAPER-OUT")
    printing.run(hall.desk)
    row = following.cases(hall.desk)[0]
    assert (row.legal_state, row.print_state, row.print_code) == (
        LegalState.ACCEPTED,
        PrintState.FAILED,
        "PRINTER-PAPER-OUT",
    )
    assert not printing.resume_when_ready(hall.desk)
    hall.printer.now = PrinterStatus()
    assert printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert [reprint for _, reprint in hall.printer.papers] == [0]
    stored = hall.store.read(lambda tx: tx.cases.get(case.id))
    assert stored is not None
    assert stored.printed == 1


def test_an_unknown_job_asks_and_a_second_print_is_marked(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    hall.printer.outcomes = [PrintResult(PrintOutcome.UNKNOWN, "PRINTER-SILENT")]
    printing.run(hall.desk)
    row = following.cases(hall.desk)[0]
    assert row.print_state is PrintState.UNKNOWN
    assert not row.reprint.open
    assert row.print_job is not None
    printing.answer(hall.desk, row.print_job, on_paper=False, operator=CLERK)
    printing.run(hall.desk)
    assert [reprint for _, reprint in hall.printer.papers] == [0, 1]
    assert following.cases(hall.desk)[0].print_state is PrintState.PRINTED
    assert not printing.resume_when_ready(hall.desk), "a settled job is never queued again"
    assert hall.store.read(lambda tx: tx.cases.get(case.id)).printed == 1  # type: ignore[union-attr]


def test_a_job_cut_by_a_kill_is_asked_about(hall: Bench) -> None:
    acceptance.accept(hall.desk, ready(hall))
    job = hall.store.read(lambda tx: tx.print_jobs.unfinished())[0]
    hall.store.write(lambda tx: tx.print_jobs.mark(job.id, PrintState.PRINTING))
    assert printing.recover(hall.desk) == 1
    printing.run(hall.desk)
    assert hall.printer.papers == []
    assert following.cases(hall.desk)[0].print_code == printing.INTERRUPTED


def test_a_reprint_is_marked_counted_and_audited(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    with refused("DESK-PRINTING"):
        correction.reprint(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    for _ in range(2):
        correction.reprint(hall.desk, case.id, CLERK)
        printing.run(hall.desk)
    assert [reprint for _, reprint in hall.printer.papers] == [0, 1, 2]
    assert len({slip.number for slip, _ in hall.printer.papers}) == 1  # type: ignore[union-attr]


def test_drafts_are_rows_from_the_first_field_and_can_be_resumed(hall: Bench) -> None:
    draft = begun(hall)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    visit = calling.visit_view(hall.desk, CLERK)
    assert visit is not None
    calling.finish(hall.desk, visit.id)
    assert [row.id for row in drafting.drafts(hall.desk, CLERK)] == [draft]
    assert drafting.drafts(hall.desk, CLERK)[0].applicant == "李**"
    calling.call_next(hall.desk, CLERK)
    drafting.resume(hall.desk, CLERK, draft)
    assert drafting.current_draft(hall.desk, CLERK) == draft


def test_what_is_taken_away_can_be_put_back(hall: Bench) -> None:
    draft = ready(hall)
    before = drafting.clear_item(hall.desk, draft)
    assert draft_view(hall.desk, draft).item is None
    drafting.restore(hall.desk, before)
    assert draft_view(hall.desk, draft).item is not None
    dropped = drafting.discard(hall.desk, draft)
    drafting.restore(hall.desk, dropped)
    assert draft_view(hall.desk, draft).accept.open


def test_numbers_used_up_refuse_before_anything_is_written(hall: Bench) -> None:
    draft = ready(hall)

    def use_up(tx: object) -> None:
        for _ in range(100):
            tx.numbers.take()  # type: ignore[attr-defined]

    hall.store.write(use_up)
    with refused("STORE-NO-NUMBERS"):
        acceptance.accept(hall.desk, draft)
    assert draft_view(hall.desk, draft).accept.open


def test_refused_commands_are_tasks_on_the_strip(hall: Bench) -> None:
    acceptance.accept(hall.desk, ready(hall))
    pending = hall.store.read(lambda tx: tx.outbox.pending())
    hall.store.write(lambda tx: tx.outbox.mark([pending[-1].id], CommandState.REFUSED, "OFFICE-NUMBER"))
    from clerk_app.desk.ports import LinkState, LinkStatus, Operator

    operator = Operator(CLERK, "王芳", frozenset(), hall.clock.now() + timedelta(days=1))
    status = following.status(hall.desk, operator, LinkStatus(LinkState.ONLINE))
    assert (status.unsent, status.tasks) == (1, 1)
    assert [row.state for row in following.outbox(hall.desk)] == ["waiting", "refused"]


def test_a_draft_outlives_the_item_it_names(hall: Bench) -> None:
    """A newer catalogue dropped the item: the window says so, and the draft can be listed and dropped."""
    draft = ready(hall)
    del hall.catalogue.items[CODE]
    view = draft_view(hall.desk, draft)
    assert view.item is None
    assert (view.accept.reason, view.accept.step) == ("gate.retired", 2)
    assert [row.id for row in drafting.drafts(hall.desk, CLERK)] == [draft]
    assert calling.visit_view(hall.desk, CLERK) is not None
    drafting.discard(hall.desk, draft)


def test_what_is_odd_about_a_card_is_shown_and_never_counts_as_proven(hall: Bench) -> None:
    draft = ready(hall)
    odd = replace(PERSON, warnings=("CARD-CHECK-DIGIT",))
    drafting.applicant_from_card(hall.desk, draft, odd)
    view = draft_view(hall.desk, draft)
    assert next((c.key, c.state) for c in view.checks) == ("check.card_odd", CheckState.WARN)
    assert view.applicant is not None
    assert view.applicant.party is not None
    assert "CARD-CHECK-DIGIT" in view.applicant.party.notes


def test_a_clerk_without_the_right_files_and_voids_nothing(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    hall.office.rights = frozenset({"call"})
    sign_in.sign_in(hall.desk, CLERK, "right")
    assert draft_view(hall.desk, _next(hall)).receive.reason == "gate.no_right"
    with refused("DESK-RIGHT"):
        correction.void(hall.desk, case.id, "申请人撤回", CLERK)
    assert [row.type for row in following.outbox(hall.desk)] == ["ticket.serving", "case.file"]


def test_a_draft_that_was_filed_cannot_be_put_back(hall: Bench) -> None:
    draft = ready(hall)
    before = drafting.clear_item(hall.desk, draft)
    drafting.restore(hall.desk, before)
    acceptance.accept(hall.desk, draft)
    with refused("DESK-NO-DRAFT"):
        drafting.restore(hall.desk, before)


def test_voiding_a_refused_case_settles_the_task(hall: Bench) -> None:
    case = acceptance.accept(hall.desk, ready(hall))
    filing = hall.store.read(lambda tx: tx.outbox.pending())[-1]

    def refuse(tx: Transaction) -> None:
        tx.outbox.mark([filing.id], CommandState.REFUSED, "OFFICE-NUMBER")
        tx.cases.save(replace(case, sync_state=SyncState.REFUSED, refusal="OFFICE-NUMBER"))

    hall.store.write(refuse)
    correction.void(hall.desk, case.id, "后台退回", CLERK)
    assert [row.type for row in following.outbox(hall.desk)] == ["ticket.serving"]
    assert hall.store.read(lambda tx: tx.cases.get(case.id)).legal_state is LegalState.VOID  # type: ignore[union-attr]
