"""A printer that fails: the case stands, the slip waits or is asked about, nothing is doubled unmarked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from workstation_kit import HASTY, OpenHall, Window

from clerk_app.desk import acceptance, calling, correction, drafting, printing
from clerk_app.desk.ports import LinkState, PrinterStatus, PrintResult, PrintState
from clerk_app.devices.printer.simulator.printer import NO_FAULTS, Faults
from clerk_app.domain.case import Case, TimelineKind
from clerk_app.domain.documents import Slip
from clerk_app.failures import Failure


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    with OpenHall(tmp_path_factory.mktemp("hall")) as hall:
        hall.window()
        yield hall


@pytest.fixture
def window(hall) -> Window:
    """The window with a new citizen at it; everything is well."""
    return well(hall, hall.windows[-1])


@pytest.fixture
def hasty(hall) -> Iterator[Window]:
    """The same, started anew to wait for a silent printer for a moment only."""
    yield well(hall, hall.again(hall.windows[-1], HASTY))
    hall.again(hall.windows[-1])


def well(hall: OpenHall, window: Window) -> Window:
    hall.printer.set_faults(NO_FAULTS)
    hall.printer.tear_off()
    hall.cable.plug()
    window.workstation.scheduler.network_up()
    window.until_link(LinkState.ONLINE)
    if (before := calling.visit_view(window.desk, window.operator)) is not None:
        calling.finish(window.desk, before.id)
    window.by_paper("A001")
    window.until_sent()
    return window


def until_print(window: Window, case: Case, state: PrintState, code: str = "") -> None:
    window.until(lambda: (window.row(case).print_state, window.row(case).print_code) == (state, code))


def look_again(window: Window) -> bool:
    """What the window does when the printer is ready; whether it found something to print."""
    return window.workstation.lanes.printer.run(printing.resume_when_ready, window.desk)


def waiting(window: Window) -> int:
    """What the status strip says of papers that wait."""
    return window.desk.store.read(lambda tx: len(tx.print_jobs.unfinished()))


def marks(hall: OpenHall, case: Case) -> list[bool]:
    """Whether each complete slip of the case says that it is a reprint, in the order of printing."""
    return ["补打" in text for text in hall.papers(f"[QR {case.number}]")]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Faults(refuses=True), "PRINTER-UNREACHABLE"),
        (Faults(paper_out=True), "PRINTER-PAPER-OUT"),
        (Faults(offline=True), "PRINTER-OFFLINE"),
        (Faults(cover_open=True), "PRINTER-COVER-OPEN"),
    ],
)
def test_a_slip_that_never_began_waits_and_prints_by_itself(hall, window, fault, code):
    hall.printer.set_faults(fault)
    case = window.accept()
    until_print(window, case, PrintState.FAILED, code)
    window.until_registered(case)  # the case does not wait for its paper
    window.until(lambda: window.workstation.printer_status.code == code)
    assert waiting(window) >= 1

    hall.printer.set_faults(NO_FAULTS)
    window.until_printed(case)
    assert marks(hall, case) == [False]
    *_, last = window.reckon(hall)
    assert (last.number, last.printed) == (case.number, 1)


@pytest.mark.parametrize(
    ("fault", "code", "complete", "said"),
    [
        (Faults(paper_out_after_lines=6), "PRINTER-PAPER-OUT", 1, True),  # with new paper the rest comes out
        (Faults(paper_out_after_lines=6), "PRINTER-PAPER-OUT", 1, False),
        (Faults(hangs_up_after_bytes=300), "PRINTER-LOST", 0, False),
        (Faults(silent=True), "PRINTER-SILENT", 1, True),
        (Faults(no_buffered_answer=True), "PRINTER-UNCONFIRMED", 1, False),
    ],
)
def test_a_slip_that_began_is_asked_about(hall, hasty, fault, code, complete, said):
    window = hasty
    hall.printer.set_faults(fault)
    case = window.accept()
    until_print(window, case, PrintState.UNKNOWN, code)
    with pytest.raises(Failure, match="DESK-PRINTING"):  # first the answer, then perhaps a copy
        correction.reprint(window.desk, case.id, window.operator)
    hall.printer.tear_off()
    hall.printer.set_faults(NO_FAULTS)
    assert not look_again(window)  # that the printer is well does not tell what it did

    window.answer(case, on_paper=said)
    window.until_printed(case)
    assert marks(hall, case)[complete:] == ([] if said else [True])
    window.until_registered(case)
    *_, last = window.reckon(hall)
    assert last.printed == 1


def test_a_slip_with_a_sign_no_printer_has_is_not_tried_for_ever(hall, window):
    draft = drafting.open_draft(window.desk, window.operator)
    drafting.applicant_typed(window.desk, draft, "王\ue5e5", "51070419890604123X", "未带证件")
    window.fill(draft)
    case = acceptance.accept(window.desk, draft)
    window.workstation.print_queued()
    until_print(window, case, PrintState.FAILED, "PRINTER-NO-GLYPH")
    assert not look_again(window)
    events = window.desk.store.read(lambda tx: tx.timeline.of_case(case.id))
    assert [event.kind for event in events].count(TimelineKind.PRINT_FAILED) == 1


def test_a_bug_in_printing_leaves_no_slip_for_ever_on_its_way(hall, window):
    class Broken:
        def status(self) -> PrinterStatus:
            return PrinterStatus()

        def print(self, slip: Slip, *, reprint: int = 0) -> PrintResult:
            raise ZeroDivisionError

    hall.printer.set_faults(Faults(refuses=True))  # so that the window itself does not print
    case = acceptance.accept(window.desk, window.draft())
    broken = replace(window.desk, printer=Broken())
    with pytest.raises(ZeroDivisionError):
        window.workstation.lanes.printer.run(printing.run, broken)
    until_print(window, case, PrintState.UNKNOWN, "PRINTER-INTERRUPTED")
    hall.printer.set_faults(NO_FAULTS)
    window.answer(case, on_paper=False)
    window.until_printed(case)
    assert marks(hall, case) == [True]


def test_slips_wait_through_a_restart(hall, window):
    hall.printer.set_faults(Faults(refuses=True))
    cases = [window.accept(card=card) for card in ("resident", "resident-woman")]
    for case in cases:
        until_print(window, case, PrintState.FAILED, "PRINTER-UNREACHABLE")
    window = hall.again(window)
    hall.printer.set_faults(NO_FAULTS)
    window.until_printed(*cases)
    assert [marks(hall, case) for case in cases] == [[False], [False]]


def test_the_receipt_of_a_case_voided_before_it_was_on_paper_never_comes_out(hall, window):
    hall.cable.pull()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")
    hall.printer.set_faults(Faults(paper_out=True))
    before = waiting(window)
    case = window.accept()
    until_print(window, case, PrintState.FAILED, "PRINTER-PAPER-OUT")
    window.void_by_two(case, "申请人撤回")
    window.workstation.print_queued()
    hall.printer.set_faults(NO_FAULTS)
    window.until_printed(case)
    assert marks(hall, case) == []
    assert len(hall.papers(f"[CODE128 {case.number}]")) == 1
    assert waiting(window) == before


def test_a_receipt_asked_about_is_not_hidden_by_the_slip_of_its_voiding(hall, window):
    hall.cable.pull()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")
    hall.printer.set_faults(Faults(paper_out_after_lines=6))
    case = window.accept()
    until_print(window, case, PrintState.UNKNOWN, "PRINTER-PAPER-OUT")
    window.void_by_two(case, "申请人撤回")
    hall.printer.tear_off()
    hall.printer.set_faults(NO_FAULTS)
    window.workstation.print_queued()
    window.until(lambda: bool([t for t in hall.papers("作废") if f"[CODE128 {case.number}]" in t]))
    assert window.row(case).print_state is PrintState.UNKNOWN
    window.answer(case, on_paper=False)
    window.until_printed(case)
    assert not any(marks(hall, case))  # no copy of a receipt that is void
    kinds = {event.kind for event in window.desk.store.read(lambda tx: tx.timeline.of_case(case.id))}
    assert TimelineKind.PRINT_FAILED in kinds
