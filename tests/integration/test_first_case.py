"""From the ticket to the registered case, on real parts: store, office, network and printer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hall_items import ACCEPTED_OFFLINE
from workstation_kit import COLLEAGUE, OpenHall, Window

from clerk_app.desk import acceptance, calling, correction, drafting, finding, following
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.domain.case import LegalState, MaterialMode, SyncState, TimelineKind
from clerk_app.domain.numbering import printed
from clerk_app.domain.ticket import VisitState
from clerk_app.failures import Failure


@pytest.fixture
def hall(tmp_path):
    with OpenHall(tmp_path) as hall:
        yield hall


@pytest.fixture
def window(hall) -> Window:
    return hall.window()


@pytest.fixture
def signed_in(window) -> Window:
    """With a session at the office: calling needs one."""
    window.sign_in()
    return window


def test_from_the_ticket_to_the_registered_case(hall, signed_in):
    window = signed_in
    (number,) = hall.tickets(1)
    window.until(lambda: [t.number for t in calling.queue_view(window.desk).waiting] == [number])
    visit = calling.call_next(window.desk, window.operator)
    assert (visit.ticket_number, visit.reason) == (number, "order")

    draft = drafting.open_draft(window.desk, window.operator)
    assert draft_view(window.desk, draft).accept.reason == "gate.no_applicant"
    record = window.lay("resident")
    drafting.applicant_from_card(window.desk, draft, record)
    assert calling.visit_view(window.desk, window.operator).state is VisitState.SERVING
    (hit,) = finding.search(window.desk, "sbk bl", draft)
    assert hit.name == "社会保障卡补领"
    drafting.choose_item(window.desk, draft, hit.bodies[0].item_code)
    assert draft_view(window.desk, draft).accept.reason == "gate.form"
    drafting.fill(window.desk, draft, "phone", "13800001234")
    assert draft_view(window.desk, draft).accept.reason == "gate.materials"
    drafting.hand(window.desk, draft, "id", MaterialMode.SEEN)
    drafting.hand(window.desk, draft, "form", MaterialMode.PAPER)
    assert draft_view(window.desk, draft).accept.open

    case = acceptance.accept(window.desk, draft)
    window.workstation.print_queued()
    window.until_printed(case)
    window.until_registered(case)
    (paper,) = hall.papers(f"[QR {case.number}]")
    assert printed(case.number) in paper
    assert record.name in paper
    assert record.number not in paper
    assert "补打" not in paper

    row = window.row(case)
    assert row.official_number.startswith(ACCEPTED_OFFLINE)
    assert hall.registered() == {case.number: "accepted"}
    calling.finish(window.desk, visit.id)
    window.until_sent()
    assert [r.state for r in hall.office.rows("SELECT state FROM ticket")] == ["done"]
    kinds = [line.kind for line in following.timeline(window.desk, visit.id)]
    assert kinds[:4] == [
        TimelineKind.TICKET_CALLED,
        TimelineKind.CARD_READ,
        TimelineKind.ITEM_CHOSEN,
        TimelineKind.ACCEPTED,
    ]
    assert sorted(kinds[4:]) == sorted(
        [TimelineKind.PRINTED, TimelineKind.SENT, TimelineKind.REGISTERED, TimelineKind.FINISHED]
    )
    window.reckon(hall)


def test_a_case_voided_before_registration_goes_up_as_filed_and_then_void(hall, window):
    hall.cable.pull()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")
    window.by_paper("A001")
    case = window.accept()
    window.until_printed(case)
    with pytest.raises(Failure, match="DESK-VOID-REASON"):
        correction.void(window.desk, case.id, " ", window.operator)
    with pytest.raises(Failure, match="DESK-SECOND-PERSON"):
        correction.void(window.desk, case.id, "申请人撤回", window.operator)
    window.void_by_two(case, "申请人撤回")
    window.workstation.print_queued()
    window.until_printed(case)
    (slip,) = hall.papers("申请人撤回")
    assert "作废" in slip
    assert printed(case.number) in slip
    with pytest.raises(Failure, match="DESK-VOID-ALREADY"):
        correction.void(window.desk, case.id, "再次", window.operator)
    after = window.accept(card="resident-woman")  # the number of the void case stays used
    assert int(after.number[4:12]) == int(case.number[4:12]) + 1

    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until_registered(case, after)
    assert hall.registered() == {case.number: "void", after.number: "accepted"}
    assert window.row(case).legal_state is LegalState.VOID
    types = hall.office.rows(
        "SELECT c.type FROM delivery d JOIN command c ON c.id = d.command"
        " WHERE c.type LIKE 'case.%' ORDER BY seq"
    )
    assert [row.type for row in types] == ["case.file", "case.void", "case.file"]
    with pytest.raises(Failure, match="DESK-REGISTERED"):
        correction.void(window.desk, after.id, "太迟", window.operator)
    window.reckon(hall)


def test_a_reprint_is_the_same_paper_with_a_mark(hall, window):
    window.by_paper("A001")
    case = window.accept()
    window.until_printed(case)
    for count in (1, 2):
        correction.reprint(window.desk, case.id, window.operator)
        window.workstation.print_queued()
        window.until_printed(case)
        assert window.row(case).reprints == count
    window.until_registered(case)
    first, *copies = hall.papers(f"[QR {case.number}]")
    assert [copy.strip().splitlines()[0].strip() for copy in copies] == ["补打 第1次", "补打 第2次"]
    for copy in copies:
        assert copy.strip().splitlines()[2:] == first.strip().splitlines()
    (only,) = window.reckon(hall)
    assert only.printed == 3


def test_recall_and_no_show_are_known_to_the_office(hall, signed_in):
    window = signed_in
    first, second = hall.tickets(2)
    visit = calling.call_next(window.desk, window.operator)
    assert calling.recall(window.desk, visit.id).calls == 2
    calling.no_show(window.desk, visit.id)
    visit = calling.call_next(window.desk, window.operator)
    assert visit.ticket_number == second
    with pytest.raises(Failure, match="DESK-VISIT-OPEN"):
        calling.call_next(window.desk, window.operator)
    calling.finish(window.desk, visit.id)
    window.until_sent()
    window.until(lambda: calling.queue_view(window.desk).missed == 1)
    found = hall.office.rows("SELECT number, state, calls FROM ticket ORDER BY number")
    assert [tuple(row) for row in found] == [(first, "no_show", 2), (second, "done", 1)]
    assert calling.call_next(window.desk, window.operator) is None


def test_two_windows_that_call_at_once_never_get_one_ticket(hall, signed_in):
    window = signed_in
    other = hall.window(hall.enrol("综合窗口 13"))
    other.sign_in(COLLEAGUE)
    issued = hall.tickets(12)

    def call_all(at: Window) -> list[str]:
        called = []
        while (visit := calling.call_next(at.desk, at.operator)) is not None:
            called.append(visit.ticket_number)
            calling.finish(at.desk, visit.id)
        return called

    with ThreadPoolExecutor(2) as pool:
        mine, theirs = pool.map(call_all, (window, other))
    assert sorted(mine + theirs) == issued
    assert mine
    assert theirs
    for at in (window, other):
        at.until_sent()
    assert {row.state for row in hall.office.rows("SELECT state FROM ticket")} == {"done"}


def test_two_windows_file_under_numbers_of_their_own(hall, window):
    other = hall.window(hall.enrol("综合窗口 13"))
    other.sign_in(COLLEAGUE)
    cases = []
    for at in (window, other):
        at.by_paper("A001" if at is window else "A002")
        cases.append(at.accept())
    for at, case in zip((window, other), cases, strict=True):
        at.until_registered(case)
        at.until_printed(case)
        at.reckon(hall)
    assert len(hall.registered()) == 2
    assert window.row(cases[0]).print_state is PrintState.PRINTED
    assert window.row(cases[0]).sync_state is SyncState.REGISTERED
