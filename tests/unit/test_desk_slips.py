"""Slips that are asked for: lists, pick-up slips, reports; marked when printed before, counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from desk_kit import CLERK, FRIDAY, ITEM, KIND, PERSON, Bench, bench
from sqlalchemy import text

from clerk_app.desk import acceptance, calling, case_rows, correction, drafting, printing, reports, slips
from clerk_app.desk import sign_in as signing
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import CommandState, PrintOutcome, PrintResult, PrintState
from clerk_app.desk.views import CheckState, Paper, PaperView
from clerk_app.domain.applicant import DocumentKind
from clerk_app.domain.case import Case, LegalState, MaterialMode, SyncState
from clerk_app.domain.catalogue import ServiceItem
from clerk_app.domain.documents import (
    ClosingSlip,
    MaterialListSlip,
    PickUpSlip,
    ReceiptSlip,
    ShiftSlip,
    VoidSlip,
)
from clerk_app.domain.documents import TestSlip as PageOfTests
from clerk_app.failures import Failure
from clerk_app.store.cache import SqlStore

CODE = ITEM.implementation.code
NO_PAPER = PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")


@pytest.fixture
def hall() -> Iterator[Bench]:
    item = ServiceItem(
        replace(KIND, result="社会保障卡"),
        replace(ITEM.implementation, address="样例路 1 号 2 楼", hours="9:00–17:00", advice_phone="12333"),
    )
    with bench({CODE: item}) as made:
        signing.sign_in(made.desk, CLERK, "right")
        yield made


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def file(hall: Bench, *, accept: bool = True) -> Case:
    if hall.store.read(lambda tx: tx.visits.current(CLERK)) is None:
        calling.call_next(hall.desk, CLERK)
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    return (acceptance.accept if accept else acceptance.receive)(hall.desk, draft)


def paper(hall: Bench, wanted: Paper, case: Case | None = None) -> PaperView:
    found = slips.papers(hall.desk, case.id if case else None)
    return next(view for view in found if view.paper is wanted)


def papers_of(hall: Bench, shape: type) -> list[tuple[object, int]]:
    return [(slip, count) for slip, count in hall.printer.papers if isinstance(slip, shape)]


def row(hall: Bench, case: Case):
    return hall.store.read(lambda tx: case_rows.row(hall.desk, tx, tx.cases.get(case.id)))


# --- of a case --------------------------------------------------------------------------------------------


def test_a_material_list_says_what_was_handed_over_in_full(hall: Bench) -> None:
    case = file(hall)
    slips.material_list(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    ((slip, count),) = papers_of(hall, MaterialListSlip)
    assert isinstance(slip, MaterialListSlip)
    assert count == 0
    assert (slip.number, slip.applicant) == (case.number, "李晓明")
    assert [(m.name, m.mode, m.originals) for m in slip.materials] == [("居民身份证", "seen", 1)]


def test_a_pick_up_slip_tells_what_when_and_where_and_masks_the_person(hall: Bench) -> None:
    case = file(hall)
    slips.pick_up(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    ((slip, _),) = papers_of(hall, PickUpSlip)
    assert isinstance(slip, PickUpSlip)
    assert (slip.applicant, slip.result, slip.place) == ("李**", "社会保障卡", "样例路 1 号 2 楼")
    assert (slip.ready, slip.ready_provisional) == (case.due, case.due_provisional)


def test_no_day_is_promised_before_acceptance_and_a_lost_item_stops_nothing(hall: Bench) -> None:
    case = file(hall, accept=False)
    hall.catalogue.items.clear()
    slips.pick_up(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    ((slip, _),) = papers_of(hall, PickUpSlip)
    assert isinstance(slip, PickUpSlip)
    assert slip.ready is None
    assert slip.result == "办理结果"


def test_printed_again_it_is_marked_and_in_the_audit(hall: Bench) -> None:
    case = file(hall)
    for _ in range(3):
        slips.pick_up(hall.desk, case.id, CLERK)
        printing.run(hall.desk)
    assert [count for _, count in papers_of(hall, PickUpSlip)] == [0, 1, 2]
    acts = hall.store.read(lambda tx: tx.audit.acts(FRIDAY - timedelta(days=1), FRIDAY + timedelta(days=1)))
    assert [act.subject for act in acts if act.act == "pick-up"] == [case.number] * 3


def test_one_at_a_time(hall: Bench) -> None:
    case = file(hall)
    slips.material_list(hall.desk, case.id, CLERK)
    for state, reason in (
        (PrintState.QUEUED, "gate.printing"),
        (PrintState.UNKNOWN, "gate.print_unknown"),
        (PrintState.FAILED, "gate.print_failed"),
    ):
        job = paper(hall, Paper.MATERIAL_LIST, case).job
        hall.store.write(lambda tx, job=job, state=state: tx.print_jobs.mark(job, state))
        assert paper(hall, Paper.MATERIAL_LIST, case).gate.reason == reason
        with refused("DESK-PRINTING"):
            slips.material_list(hall.desk, case.id, CLERK)


def test_a_void_case_gives_no_slip_but_its_void_one(hall: Bench) -> None:
    case = file(hall)
    printing.run(hall.desk)
    slips.material_list(hall.desk, case.id, CLERK)
    correction.void(hall.desk, case.id, "申请人撤回", CLERK)
    printing.run(hall.desk)
    assert [type(slip) for slip, _ in hall.printer.papers] == [ReceiptSlip, VoidSlip]
    assert paper(hall, Paper.MATERIAL_LIST, case).gate.reason == "gate.already_void"
    with refused("DESK-VOID-ALREADY"):
        slips.pick_up(hall.desk, case.id, CLERK)
    assert Paper.PICK_UP not in {view.paper for view in slips.papers(hall.desk, case.id)}


def test_a_refused_case_has_no_result_to_fetch(hall: Bench) -> None:
    case = file(hall)
    hall.store.write(lambda tx: tx.cases.save(replace(case, sync_state=SyncState.REFUSED)))
    assert paper(hall, Paper.PICK_UP, case).gate.reason == "gate.refused"
    assert paper(hall, Paper.MATERIAL_LIST, case).gate.open


def test_other_slips_never_pass_for_the_receipt(hall: Bench) -> None:
    case = file(hall)
    printing.run(hall.desk)
    slips.material_list(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    slips.material_list(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    assert row(hall, case).reprints == 0
    correction.reprint(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    slip, count = hall.printer.papers[-1]
    assert isinstance(slip, ReceiptSlip)
    assert count == 1


def test_trouble_with_any_slip_of_a_case_is_told_with_it(hall: Bench) -> None:
    case = file(hall)
    hall.printer.outcomes = [PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")]
    printing.run(hall.desk)
    slips.material_list(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    assert row(hall, case).print_code == "PRINTER-PAPER-OUT", "the list came out, the voucher did not"
    printing.retry(hall.desk, row(hall, case).print_job)
    printing.run(hall.desk)
    assert row(hall, case).print_state is PrintState.PRINTED
    hall.printer.outcomes = [PrintResult(PrintOutcome.FAILED, "PRINTER-HOT")]
    slips.pick_up(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    assert row(hall, case).print_code == "PRINTER-HOT"


def test_what_is_proposed_is_what_is_printed(hall: Bench) -> None:
    case = file(hall)
    printing.run(hall.desk)
    for wanted in Paper:
        proposed = slips.propose(hall.desk, wanted, case.id, CLERK)
        slips.issue(hall.desk, wanted, case.id, CLERK)
        printing.run(hall.desk)
        slip, count = hall.printer.papers[-1]
        if wanted is Paper.CLOSING:  # the shift report before it is a link of the audit more
            assert replace(slip, audit_links=0, audit_head="") == replace(
                proposed.slip, audit_links=0, audit_head=""
            )
        else:
            assert (slip, count) == (proposed.slip, proposed.reprint), wanted


def test_proposing_writes_nothing(hall: Bench) -> None:
    case = file(hall)
    head = hall.store.read(lambda tx: tx.audit.head())
    for wanted in Paper:
        slips.propose(hall.desk, wanted, case.id, CLERK)
    assert hall.store.read(lambda tx: tx.audit.head()) == head
    assert len(hall.store.read(lambda tx: tx.print_jobs.unfinished())) == 1


@pytest.mark.parametrize("wanted", [Paper.RECEIPT, Paper.MATERIAL_LIST, Paper.PICK_UP])
def test_a_case_that_is_not_here_gives_nothing(hall: Bench, wanted: Paper) -> None:
    for act in (slips.propose, slips.issue):
        with refused("DESK-NO-CASE"):
            act(hall.desk, wanted, "none", CLERK)


def test_what_failed_comes_out_unmarked_and_is_not_doubled_by_a_reprint(hall: Bench) -> None:
    case = file(hall)
    hall.printer.outcomes = [NO_PAPER, NO_PAPER]
    printing.run(hall.desk)
    assert row(hall, case).reprint.reason == "gate.print_failed"
    with refused("DESK-PRINTING"):
        correction.reprint(hall.desk, case.id, CLERK)
    assert slips.propose(hall.desk, Paper.RECEIPT, case.id, CLERK).reprint == 0
    slips.material_list(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    assert slips.propose(hall.desk, Paper.MATERIAL_LIST, case.id, CLERK).reprint == 0
    hall.printer.outcomes = []
    assert printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert [count for _, count in hall.printer.papers] == [0, 0]


def test_a_void_slip_has_a_count_of_its_own(hall: Bench) -> None:
    case = file(hall)
    printing.run(hall.desk)
    correction.reprint(hall.desk, case.id, CLERK)
    correction.void(hall.desk, case.id, "填错", CLERK)
    printing.run(hall.desk)
    assert slips.propose(hall.desk, Paper.RECEIPT, case.id, CLERK).reprint == 1
    correction.reprint(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    slip, count = hall.printer.papers[-1]
    assert (type(slip), count) == (VoidSlip, 1)


def test_every_slip_marked_as_a_reprint_is_one_in_the_audit_and_in_the_report(hall: Bench) -> None:
    case = file(hall)
    hall.printer.outcomes = [PrintResult(PrintOutcome.UNKNOWN, "PRINTER-LOST")]
    printing.run(hall.desk)
    printing.answer(hall.desk, row(hall, case).print_job, False, CLERK)
    for _ in range(2):
        slips.pick_up(hall.desk, case.id, CLERK)
        printing.run(hall.desk)
    correction.reprint(hall.desk, case.id, CLERK)
    printing.run(hall.desk)
    marked = [count for _, count in hall.printer.papers if count]
    acts = hall.store.read(lambda tx: tx.audit.acts(FRIDAY, FRIDAY + timedelta(days=1)))
    assert (
        [act.subject for act in acts if act.act == "reprint"]
        == [case.number] * len(marked)
        == [case.number] * 3
    )
    slip = reports.shift(hall.desk, CLERK).slip
    assert isinstance(slip, ShiftSlip)
    assert slip.reprints == 3


def test_a_slip_whose_end_was_never_written_is_asked_about_without_a_restart(hall: Bench) -> None:
    case = file(hall)
    write, calls = hall.store.write, []

    def full(work):
        calls.append(work)
        if len(calls) == 3:  # in doubt?, begin, then the end: the disk is full
            raise Failure("STORE-FULL")
        return write(work)

    hall.store.write = full
    with refused("STORE-FULL"):
        printing.run(hall.desk)
    hall.store.write = write
    assert row(hall, case).print_state is PrintState.PRINTING
    assert not printing.resume_when_ready(hall.desk)
    assert row(hall, case).print_state is PrintState.UNKNOWN
    assert len(hall.printer.papers) == 1


# --- reports ----------------------------------------------------------------------------------------------


def busy_day(hall: Bench) -> list[Case]:
    """Three cases, one received only, one void, one reprint, one no-show, one visit finished."""
    cases = [file(hall), file(hall, accept=False), file(hall)]
    correction.void(hall.desk, cases[2].id, "填错", CLERK)
    printing.run(hall.desk)
    correction.reprint(hall.desk, cases[0].id, CLERK)
    visit = hall.store.read(lambda tx: tx.visits.current(CLERK))
    calling.finish(hall.desk, visit.id)
    late = calling.call_next(hall.desk, CLERK)
    calling.no_show(hall.desk, late.id)
    return cases


def test_a_shift_report_counts_what_this_clerk_did_since_signing_in(hall: Bench) -> None:
    busy_day(hall)
    job = reports.shift(hall.desk, CLERK)
    slip = job.slip
    assert isinstance(slip, ShiftSlip)
    assert (slip.visits, slip.no_shows) == (1, 1)
    assert (slip.received, slip.accepted, slip.voided, slip.reprints) == (3, 2, 1, 1)
    assert slip.items == (("社会保障卡补领", 3),)
    assert slip.began_at == FRIDAY
    assert slip.unsent == len(hall.store.read(lambda tx: tx.outbox.pending()))
    hall.clock.advance(timedelta(hours=1))
    later = reports.shift(hall.desk, CLERK, hall.clock.now()).slip
    assert isinstance(later, ShiftSlip)
    assert (later.visits, later.received, later.voided, later.items) == (0, 0, 0, ())
    other = reports.shift(hall.desk, "2048").slip
    assert isinstance(other, ShiftSlip)
    assert (other.visits, other.received, other.reprints) == (0, 0, 0)


def test_a_closing_sheet_counts_the_day_of_the_window(hall: Bench) -> None:
    cases = busy_day(hall)
    hall.store.write(lambda tx: tx.cases.save(replace(cases[0], sync_state=SyncState.REGISTERED)))
    hall.printer.outcomes = [PrintResult(PrintOutcome.UNKNOWN, "PRINTER-LOST")]
    printing.run(hall.desk)
    reports.test_page(hall.desk)
    slip = reports.closing(hall.desk, "2048", FRIDAY.date()).slip
    assert isinstance(slip, ClosingSlip)
    assert (slip.visits, slip.received, slip.accepted) == (1, 3, 2)
    assert (slip.registered, slip.refused) == (1, 0)
    assert (slip.first_number, slip.last_number) == (cases[0].number, cases[2].number)
    assert slip.voided == (cases[2].number,)
    assert slip.not_printed == 1, "the reprint nobody knows of; a test page does not count"
    assert slip.oldest_unsent == FRIDAY
    hall.clock.advance(timedelta(days=1))
    empty = reports.closing(hall.desk, CLERK, hall.clock.now().date()).slip
    assert isinstance(empty, ClosingSlip)
    assert (empty.received, empty.first_number, empty.voided) == (0, "", ())
    assert empty.oldest_unsent == FRIDAY, "what was not sent yesterday is not sent today"


def test_refused_work_is_a_task_and_not_unsent(hall: Bench) -> None:
    file(hall)
    ids = [command.id for command in hall.store.read(lambda tx: tx.outbox.pending())]
    hall.store.write(lambda tx: tx.outbox.mark(ids, CommandState.REFUSED, "OFFICE-ITEM"))
    slip = reports.closing(hall.desk, CLERK, FRIDAY.date()).slip
    assert isinstance(slip, ClosingSlip)
    assert (slip.unsent, slip.oldest_unsent) == (0, None)


def test_a_closing_sheet_carries_the_head_and_the_chain_carries_the_sheet(hall: Bench) -> None:
    busy_day(hall)
    head, links = hall.store.read(lambda tx: (tx.audit.head(), tx.audit.verify()))
    slip = reports.closing(hall.desk, CLERK, FRIDAY.date()).slip
    assert isinstance(slip, ClosingSlip)
    assert (slip.audit_head, slip.audit_links) == (head, links)
    acts = hall.store.read(lambda tx: tx.audit.acts(FRIDAY, FRIDAY + timedelta(hours=1)))
    assert (acts[-1].act, acts[-1].actor, acts[-1].subject) == ("closing-sheet", CLERK, "2026-11-20")
    assert hall.store.read(lambda tx: tx.audit.verify()) == links + 1
    newest = text("SELECT detail FROM audit ORDER BY n DESC LIMIT 1")
    assert hall.store.read(lambda tx: tx.audit._sql.execute(newest).scalar_one()) == head


def test_a_broken_chain_gives_no_closing_sheet(hall: Bench) -> None:
    file(hall)

    def tamper(tx) -> None:
        for statement in ("DROP TRIGGER audit_refuses_update", "UPDATE audit SET actor = 'x' WHERE n = 1"):
            tx.audit._sql.execute(text(statement))

    hall.store.write(tamper)
    with refused("STORE-AUDIT-BROKEN"):
        reports.closing(hall.desk, CLERK, FRIDAY.date())
    assert all(
        not isinstance(job.slip, ClosingSlip)
        for job in hall.store.read(lambda tx: tx.print_jobs.unfinished())
    )


def test_acts_are_found_by_instant_whatever_the_zone() -> None:
    store = SqlStore.in_memory()
    moments = [FRIDAY + timedelta(hours=step) for step in (-30, -1, 0, 1, 30)]
    zones = [None, "+00:00", "-08:00", "+08:00", "+14:00"]
    for at, zone in zip(moments, zones, strict=True):
        told = at.astimezone(datetime.fromisoformat(f"2026-01-01T00:00{zone}").tzinfo) if zone else at
        store.write(partial(_act, at=told))
    found = store.read(lambda tx: tx.audit.acts(FRIDAY - timedelta(hours=1), FRIDAY + timedelta(hours=1)))
    assert [act.at for act in found] == moments[1:3], "from the first moment on and before the last"
    assert store.read(lambda tx: tx.audit.links()) == 5
    store.close()


def _act(tx, *, at: datetime) -> None:
    tx.audit.add(at=at, actor="x", act="y", subject="z")


def test_a_test_page_shows_only_rare_characters_that_can_be_printed(hall: Bench) -> None:
    hall.printer.unprintable = "𠮷"
    slip = reports.test_page(hall.desk).slip
    assert isinstance(slip, PageOfTests)
    assert slip.rare == "〇㐱䶮"
    assert (slip.printer, slip.width) == ("tcp://192.0.2.10", 80)


# --- characters nobody can print --------------------------------------------------------------------------


def unprintable_case(hall: Bench) -> Case:
    hall.printer.unprintable = "\U000f0000龘"
    calling.call_next(hall.desk, CLERK)
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, replace(PERSON, name="李\U000f0000龘明"))
    drafting.choose_item(hall.desk, draft, CODE)
    drafting.fill(hall.desk, draft, "phone", "13800001234")
    drafting.hand(hall.desk, draft, "id", MaterialMode.SEEN)
    (check,) = [c for c in draft_view(hall.desk, draft).checks if c.key == "check.unprintable"]
    assert (check.state, check.detail) == (CheckState.WARN, "U+F0000 龘"), "known before filing"
    case = acceptance.accept(hall.desk, draft)
    hall.printer.outcomes = [PrintResult(PrintOutcome.FAILED, "PRINTER-NO-GLYPH", "U+F0000")]
    printing.run(hall.desk)
    return case


def test_a_character_nobody_can_print_is_written_out_when_the_clerk_says_so(hall: Bench) -> None:
    case = unprintable_case(hall)
    assert hall.printer.papers == [], "never a box"
    printing.spell_out(hall.desk, row(hall, case).print_job, CLERK)
    printing.run(hall.desk)
    ((slip, count),) = hall.printer.papers
    assert isinstance(slip, ReceiptSlip)
    assert slip.applicant == "李[U+F0000][U+9F98]明"
    assert slip.item == case.item.name
    assert count == 0, "nothing of the first is on paper"
    assert row(hall, case).print_state is PrintState.PRINTED
    assert hall.store.read(lambda tx: tx.cases.get(case.id)).applicant.name == "李\U000f0000龘明"
    acts = hall.store.read(lambda tx: tx.audit.acts(FRIDAY, FRIDAY + timedelta(hours=1)))
    assert "print-spelled" in [act.act for act in acts]


def test_only_a_slip_that_failed_for_a_character_is_spelled_out(hall: Bench) -> None:
    case = file(hall)
    for state, code in ((PrintState.FAILED, "PRINTER-HOT"), (PrintState.UNKNOWN, "PRINTER-NO-GLYPH")):
        job = row(hall, case).print_job
        hall.store.write(lambda tx, job=job, state=state, code=code: tx.print_jobs.mark(job, state, code))
        printing.spell_out(hall.desk, job, CLERK)
        assert row(hall, case).print_job == job
        assert row(hall, case).print_state is state


def test_names_that_print_are_not_warned_of(hall: Bench) -> None:
    case = file(hall)
    assert case.legal_state is LegalState.ACCEPTED
    assert PERSON.kind is DocumentKind.RESIDENT_ID
    calling.finish(hall.desk, case.visit_id)
    calling.call_next(hall.desk, CLERK)
    draft = drafting.open_draft(hall.desk, CLERK)
    drafting.applicant_from_card(hall.desk, draft, PERSON)
    drafting.choose_item(hall.desk, draft, CODE)
    assert "check.unprintable" not in {check.key for check in draft_view(hall.desk, draft).checks}


def test_the_first_sign_in_of_today_begins_the_shift(hall: Bench) -> None:
    hall.clock.advance(timedelta(hours=1))
    signing.sign_in(hall.desk, CLERK, "right")
    slip = reports.shift(hall.desk, CLERK).slip
    assert isinstance(slip, ShiftSlip)
    assert slip.began_at == FRIDAY
    hall.clock.advance(timedelta(days=1))
    tomorrow = reports.shift(hall.desk, CLERK).slip
    assert isinstance(tomorrow, ShiftSlip)
    assert tomorrow.began_at.date() == date(2026, 11, 21)
