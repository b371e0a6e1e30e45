"""Tickets of the workstation's own series: one number one slip, whatever is killed and however clocks go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from desk_kit import CLERK, DEVICE, FRIDAY, Bench, bench

from clerk_app.desk import calling, offline_tickets, printing, reports, ticketing
from clerk_app.desk.ports import PrintOutcome, PrintResult, PrintState
from clerk_app.domain.documents import TicketSlip
from clerk_app.domain.ticket import OFFLINE, Series, offline_number, parse
from clerk_app.failures import Failure

OWN = Series("L12", OFFLINE)
NO_PAPER = PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")


@pytest.fixture
def hall() -> Iterator[Bench]:
    with bench() as made:
        made.store.write(lambda tx: tx.meta.set_device(replace(DEVICE, offline_series="L12")))
        made.offline()
        yield made


def refused(code: str) -> pytest.RaisesExc[Failure]:
    return pytest.raises(Failure, match=f"^{code}")


def issue(hall: Bench) -> str:
    return ticketing.issue(hall.desk, CLERK, OWN)


def printed(hall: Bench) -> list[tuple[str, int]]:
    return [(slip.number, mark) for slip, mark in hall.printer.papers if isinstance(slip, TicketSlip)]


def commands(hall: Bench) -> list[tuple[str, str]]:
    pending = hall.store.read(lambda tx: tx.outbox.pending())
    return [(c.type, str(c.body.get("number") or c.body["ticket_number"])) for c in pending]


def test_offline_the_own_series_is_offered_and_counted(hall: Bench) -> None:
    assert ticketing.series(hall.desk) == (OWN,)
    assert [issue(hall), issue(hall)] == ["L12001", "L12002"]
    printing.run(hall.desk)
    assert printed(hall) == [("L12001", 0), ("L12002", 0)]
    slip = hall.printer.papers[0][0]
    assert isinstance(slip, TicketSlip) and slip.offline
    [first, _] = hall.store.read(lambda tx: tx.outbox.pending())
    assert (first.type, dict(first.body)) == (
        "ticket.issued",
        {
            "ticket_id": first.aggregate,
            "number": "L12001",
            "series": "L12",
            "issued_at": FRIDAY.isoformat(),
            "queue": DEVICE.queue,
        },
    )
    assert hall.store.read(lambda tx: tx.tickets.by_number("L12001")) is None  # the mirror is the office's


def test_online_the_series_are_the_offices_and_a_broken_line_leads_to_the_own(hall: Bench) -> None:
    hall.online()
    assert [one.code for one in ticketing.series(hall.desk)] == ["A", "Y"]
    hall.office.failure = "SYNC-OFFLINE"  # and the link does not know it yet
    assert ticketing.series(hall.desk) == (OWN,)
    hall.office.failure = "SYNC-SLOW"
    with refused("SYNC-SLOW"):
        ticketing.series(hall.desk)


def test_a_device_without_a_series_says_so(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.meta.set_device(DEVICE))
    with refused("DESK-NO-OFFLINE-SERIES"):
        ticketing.series(hall.desk)
    with refused("DESK-NO-OFFLINE-SERIES"):
        issue(hall)


def test_a_failure_inside_issuing_gives_no_number(hall: Bench) -> None:
    hall.desk.clock.at = FRIDAY.replace(tzinfo=None)  # no moment: the outbox refuses it after the counter
    with pytest.raises(ValueError, match="zone"):
        issue(hall)
    hall.desk.clock.at = FRIDAY
    assert issue(hall) == "L12001"


def test_a_kill_between_commit_and_paper_prints_the_number_again_never_a_second_one(hall: Bench) -> None:
    issue(hall)  # killed before the printer got it: nothing is on paper
    assert printing.recover(hall.desk) == 0
    printing.run(hall.desk)
    assert printed(hall) == [("L12001", 0)]
    issue(hall)
    job = hall.store.read(lambda tx: tx.print_jobs.unfinished())[-1]
    hall.store.write(lambda tx: tx.print_jobs.mark(job.id, PrintState.PRINTING))  # killed while printing
    printing.recover(hall.desk)
    [paper] = ticketing.papers(hall.desk)
    printing.answer(hall.desk, paper.job, False, CLERK)
    printing.run(hall.desk)
    assert printed(hall)[-1] == ("L12002", 1)
    assert issue(hall) == "L12003"


def test_a_day_begins_anew_and_a_clock_turned_back_gives_no_number_twice(hall: Bench) -> None:
    today = [issue(hall), issue(hall)]
    hall.clock.advance(timedelta(days=1))
    assert issue(hall) == "L12001"
    hall.clock.advance(timedelta(days=-1))
    assert issue(hall) not in today
    hall.clock.advance(timedelta(days=1))
    assert issue(hall) == "L12002"


def test_the_thousandth_of_a_day_would_be_another_series(hall: Bench) -> None:
    day = FRIDAY.date()
    hall.store.write(lambda tx: tx.meta.set(f"offline_tickets:L12:{day}", "999"))
    with refused("DESK-OFFLINE-TICKETS"):
        issue(hall)
    with pytest.raises(ValueError, match="1000"):
        offline_number("L1", 1000)
    assert parse("l12 001") == "L12001"


def test_served_by_paper_the_office_finds_it_by_its_number(hall: Bench) -> None:
    number = issue(hall)
    visit = calling.serve_paper(hall.desk, CLERK, number)
    assert (visit.ticket_number, visit.ticket_id, visit.by_paper) == (number, None, True)
    assert commands(hall) == [("ticket.issued", number), ("ticket.by_paper", number)]


def test_a_paper_of_an_earlier_day_in_a_mirror_that_stands_still_is_not_todays(hall: Bench) -> None:
    hall.store.write(lambda tx: tx.tickets.put(hall.office.tickets))
    assert calling.queue_view(hall.desk).people == 2
    hall.clock.advance(timedelta(days=1))
    assert (calling.queue_view(hall.desk).people, calling.queue_view(hall.desk).waiting) == (0, ())
    assert calling.serve_paper(hall.desk, CLERK, "A037").ticket_id is None


def test_a_number_whose_paper_never_came_out_is_taken_out_of_the_queue(hall: Bench) -> None:
    hall.printer.outcomes[:] = [NO_PAPER]
    number = issue(hall)
    printing.run(hall.desk)
    [paper] = ticketing.papers(hall.desk)
    ticketing.void(hall.desk, CLERK, paper.job)
    assert ticketing.papers(hall.desk) == ()
    printing.resume_when_ready(hall.desk)
    printing.run(hall.desk)
    assert printed(hall) == []
    assert commands(hall) == [
        ("ticket.issued", number),
        ("ticket.by_paper", number),
        ("ticket.no_show", number),
    ]
    assert issue(hall) == "L12002"


def test_the_closing_sheet_counts_them_for_any_day(hall: Bench) -> None:
    issue(hall)
    issue(hall)
    hall.clock.advance(timedelta(days=1))
    slip = reports.closing(hall.desk, CLERK, FRIDAY.date()).slip
    assert (slip.offline_tickets, slip.first_offline, slip.last_offline) == (2, "L12001", "L12002")
    assert (slip.numbers_left, slip.emergency_used) == (100, 0)
    assert hall.store.read(lambda tx: offline_tickets.given(tx, hall.clock.now().date())).count == 0


def test_the_closing_sheet_explains_every_number_nobody_will_bear(hall: Bench) -> None:
    def reported(tx: object) -> None:
        tx.audit.add(  # type: ignore[attr-defined]
            at=FRIDAY, actor="workstation", act="numbers-void", subject="51-100", detail="new-epoch"
        )

    hall.store.write(reported)
    [rest] = reports.closing(hall.desk, CLERK, FRIDAY.date()).slip.void_numbers
    assert (rest.low[4:12], rest.high[4:12], rest.reason) == ("00000051", "00000100", "new-epoch")
    assert reports.closing(hall.desk, CLERK, FRIDAY.date() - timedelta(days=1)).slip.void_numbers == ()
