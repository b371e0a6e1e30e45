"""Tickets issued at the window: a number always has its paper, or is seen not to have it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from desk_kit import CLERK, FRIDAY, Bench, bench, operator, ticket

from clerk_app.desk import printing, reports, ticketing
from clerk_app.desk.ports import PrinterStatus, PrintOutcome, PrintResult, PrintState
from clerk_app.domain.documents import TicketSlip
from clerk_app.domain.ticket import Series, TicketState
from clerk_app.failures import Failure

GENERAL, BOOKED = Series("A", "general"), Series("Y", "appointment")
NO_PAPER = PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")
SILENT = PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED")


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        made.store.write(lambda tx: tx.tickets.put(made.office.tickets))
        yield made


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def issue(hall: Bench, outcome: PrintResult | None = None, series: Series = GENERAL) -> str:
    hall.printer.outcomes[:] = [outcome] if outcome else []
    number = ticketing.issue(hall.desk, CLERK, series)
    printing.run(hall.desk)
    return number


def papers(hall: Bench) -> list[tuple[str, PrintState, str]]:
    return [(paper.number, paper.state, paper.code) for paper in ticketing.papers(hall.desk)]


def numbers(hall: Bench) -> list[tuple[str, int]]:
    return [(slip.number, reprint) for slip, reprint in hall.printer.papers if isinstance(slip, TicketSlip)]


def the_job(hall: Bench) -> str:
    [paper] = ticketing.papers(hall.desk)
    return paper.job


def test_a_ticket_is_issued_mirrored_and_printed(hall: Bench) -> None:
    assert issue(hall) == "A100"
    [(slip, reprint)] = hall.printer.papers
    assert slip == TicketSlip("A100", hall.desk.device.hall_name, "综合业务", FRIDAY, ahead=2)
    assert reprint == 0
    assert hall.store.read(lambda tx: [one.number for one in tx.tickets.waiting()])[-1] == "A100"
    assert papers(hall) == []


def test_a_booked_ticket_waits_for_booked_ones_only(hall: Bench) -> None:
    issue(hall, series=BOOKED)
    issue(hall, series=BOOKED)
    assert [(slip.queue, slip.ahead) for slip, _ in hall.printer.papers] == [("预约办理", 0), ("预约办理", 1)]


def test_who_may_not_issue_does_not(hall: Bench) -> None:
    less = operator(CLERK, frozenset({"call"}), FRIDAY + timedelta(hours=72))
    hall.store.write(lambda tx: tx.operators.save(less, ""))
    with refused("DESK-RIGHT"):
        ticketing.issue(hall.desk, CLERK, GENERAL)
    assert hall.office.issued == {}


def test_a_ticket_whose_answer_was_lost_comes_with_the_next_one_asked_for(hall: Bench) -> None:
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        ticketing.issue(hall.desk, CLERK, GENERAL)
    assert issue(hall, series=BOOKED) == "Y101"  # another series is another request
    assert issue(hall) == "A100"
    assert issue(hall) == "A102"


@pytest.mark.parametrize("over", ["called", "yesterday"])
def test_a_lost_ticket_that_is_over_is_not_given_to_anybody(hall: Bench, over: str) -> None:
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        ticketing.issue(hall.desk, CLERK, GENERAL)
    [lost] = hall.office.issued.values()
    if over == "called":
        hall.store.write(lambda tx: tx.tickets.put([replace(lost, state=TicketState.NO_SHOW, version=3)]))
    else:
        hall.clock.advance(timedelta(days=1))
    assert issue(hall) == "A101"
    assert numbers(hall) == [("A101", 0)]


def test_a_number_without_paper_is_seen_and_prints_when_the_printer_is_ready(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    assert papers(hall) == [("A100", PrintState.FAILED, "PRINTER-PAPER-OUT")]
    assert printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert (numbers(hall), papers(hall)) == ([("A100", 0)], [])


def test_a_number_in_doubt_is_printed_again_marked(hall: Bench) -> None:
    issue(hall, SILENT)
    assert papers(hall) == [("A100", PrintState.UNKNOWN, "PRINTER-UNCONFIRMED")]
    printing.answer(hall.desk, the_job(hall), False, CLERK)
    printing.run(hall.desk)
    assert (numbers(hall), papers(hall)) == ([("A100", 0), ("A100", 1)], [])


@pytest.mark.parametrize("outcome", [NO_PAPER, SILENT])
def test_a_number_without_paper_is_withdrawn_and_never_printed(hall: Bench, outcome: PrintResult) -> None:
    issue(hall, outcome)
    printed = numbers(hall)
    job = the_job(hall)
    ticketing.void(hall.desk, CLERK, job)
    assert hall.office.voided == [(job, "A100")]
    assert papers(hall) == []
    assert hall.store.read(lambda tx: tx.tickets.by_number("A100")).state is TicketState.VOID
    assert "A100" not in hall.store.read(lambda tx: [one.number for one in tx.tickets.waiting()])
    assert not printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert numbers(hall) == printed
    with refused("DESK-TICKET-PRINTED"):
        ticketing.void(hall.desk, CLERK, job)


def test_while_the_office_is_asked_no_printer_that_comes_back_prints_the_number(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    job, asked = the_job(hall), hall.office.void_ticket

    def the_printer_comes_back(*given: str) -> object:
        assert not printing.resume_when_ready(hall.desk)
        printing.run(hall.desk)
        return asked(*given)

    hall.office.void_ticket = the_printer_comes_back
    ticketing.void(hall.desk, CLERK, job)
    assert numbers(hall) == []


def test_a_withdrawal_whose_answer_was_lost_is_asked_for_again_and_prints_nothing(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    job = the_job(hall)
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        ticketing.void(hall.desk, CLERK, job)
    assert papers(hall) == [("A100", PrintState.FAILED, ticketing.VOIDING)]
    assert not printing.resume_when_ready(hall.desk)
    ticketing.void(hall.desk, CLERK, job)
    assert hall.office.voided == [(job, "A100")] * 2
    assert papers(hall) == []


def test_a_withdrawal_the_office_refuses_leaves_everything_as_it_was(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    hall.office.refuse_void = True
    with refused("OFFICE-TICKET-STATE"):
        ticketing.void(hall.desk, CLERK, the_job(hall))
    assert papers(hall) == [("A100", PrintState.FAILED, "PRINTER-PAPER-OUT")]


@pytest.mark.parametrize("over", ["served", "yesterday"])
def test_a_slip_whose_number_is_over_is_not_printed_any_more(hall: Bench, over: str) -> None:
    issue(hall, NO_PAPER)
    known = hall.store.read(lambda tx: tx.tickets.by_number("A100"))
    if over == "served":
        hall.store.write(lambda tx: tx.tickets.put([replace(known, state=TicketState.SERVING, version=3)]))
    else:
        hall.clock.advance(timedelta(days=1))
    assert papers(hall) == []
    hall.printer.now = PrinterStatus()
    printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert numbers(hall) == []
    assert hall.store.read(lambda tx: tx.print_jobs.unfinished()) == ()


def test_a_number_the_mirror_has_lost_sight_of_is_still_seen(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    hall.store.write(lambda tx: tx.tickets.clear())
    assert [number for number, *_ in papers(hall)] == ["A100"]


def test_the_other_people_keep_their_places(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.tickets.put([ticket("A039")]))
    issue(hall)
    [(slip, _)] = hall.printer.papers
    assert slip.ahead == 3


def test_a_withdrawal_begun_while_the_printer_is_asked_is_not_overtaken(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    job, ask = the_job(hall), hall.printer.status

    def while_it_is_asked() -> PrinterStatus:
        hall.office.lose_answer = True
        with refused("SYNC-OFFLINE"):
            ticketing.void(hall.desk, CLERK, job)
        return ask()

    hall.printer.status = while_it_is_asked
    assert not printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert numbers(hall) == []


def test_the_number_of_yesterday_is_not_withdrawn_from_who_holds_it_today(hall: Bench) -> None:
    issue(hall, NO_PAPER)
    job = the_job(hall)
    hall.clock.advance(timedelta(days=1))
    again = replace(ticket("A100"), id="of today", issued_at=hall.clock.now())
    hall.store.write(lambda tx: tx.tickets.put([again]))
    with refused("DESK-TICKET-PRINTED"):
        ticketing.void(hall.desk, CLERK, job)
    assert hall.office.voided == []


def test_a_number_that_is_over_is_no_slip_without_paper_for_ever(hall: Bench) -> None:
    issue(hall, SILENT)
    day = FRIDAY.date()
    assert reports.closing(hall.desk, CLERK, day).slip.not_printed == 1
    known = hall.store.read(lambda tx: tx.tickets.by_number("A100"))
    hall.store.write(lambda tx: tx.tickets.put([replace(known, state=TicketState.DONE, version=3)]))
    printing.run(hall.desk)
    assert hall.store.read(lambda tx: tx.print_jobs.unfinished()) == ()
    hall.clock.advance(timedelta(days=1))
    issue(hall, SILENT)
    hall.clock.advance(timedelta(days=1))
    assert reports.closing(hall.desk, CLERK, hall.clock.now().date()).slip.not_printed == 0


def test_a_request_that_means_something_else_at_the_office_is_not_made_for_ever(hall: Bench) -> None:
    hall.office.lose_answer = True
    with refused("SYNC-OFFLINE"):
        ticketing.issue(hall.desk, CLERK, GENERAL)
    hall.office.failure = "OFFICE-REQUEST-REUSED"  # the window serves another queue now
    with refused("OFFICE-REQUEST-REUSED"):
        ticketing.issue(hall.desk, CLERK, GENERAL)
    hall.office.failure = ""
    assert issue(hall) == "A101"


@pytest.mark.parametrize("outcome", [NO_PAPER, SILENT])
def test_a_ticket_cut_off_by_a_kill_is_asked_about_after_the_restart(
    hall: Bench, outcome: PrintResult
) -> None:
    issue(hall, outcome)
    job = the_job(hall)
    hall.store.write(lambda tx: tx.print_jobs.mark(job, PrintState.PRINTING))
    assert printing.recover(hall.desk) == 1
    assert papers(hall) == [("A100", PrintState.UNKNOWN, printing.INTERRUPTED)]
    before = len(numbers(hall))
    assert not printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert len(numbers(hall)) == before, "never printed again unmarked"
