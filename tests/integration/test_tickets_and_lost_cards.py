"""Tickets issued at a window and the list of lost cards, from the office to the citizen's hand."""

from __future__ import annotations

import pytest
from office_hall import CLERK
from workstation_kit import OpenHall, Window

from back_office import lost_cards as office_list
from clerk_app.desk import calling, drafting, lost_cards, printing, ticketing
from clerk_app.desk.draft_view import draft_view
from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.devices.card.samples import sample_cards
from clerk_app.devices.printer.simulator.mechanism import Faults
from clerk_app.domain.applicant import CardRecord
from clerk_app.domain.ticket import Series
from clerk_app.failures import Failure

GENERAL = Series("A", "general")
LOST = sample_cards()["resident-lost"].record


@pytest.fixture
def hall(tmp_path):
    with OpenHall(tmp_path) as hall:
        yield hall


@pytest.fixture
def window(hall) -> Window:
    window = hall.window()
    window.sign_in()
    return window


def reported(window: Window, card: CardRecord) -> bool:
    return window.desk.store.read(lambda tx: lost_cards.reported(tx, card))


def waiting(window: Window) -> list[str]:
    return [row.number for row in calling.queue_view(window.desk).waiting]


def test_a_card_reported_lost_is_told_at_every_window_and_offline_too(hall: OpenHall, window: Window) -> None:
    assert not reported(window, LOST)
    office = hall.office.server.office
    report = office.write(lambda tx: office_list.add(tx, LOST.number, LOST.valid_from))
    window.until(lambda: reported(window, LOST))

    hall.cable.pull()
    window.until_link(LinkState.OFFLINE, "SYNC-OFFLINE")
    window.by_paper("A001")
    draft = drafting.open_draft(window.desk, window.operator)
    drafting.applicant_from_card(window.desk, draft, window.lay("resident-lost"))
    shown = draft_view(window.desk, draft).applicant
    assert shown is not None and shown.party is not None
    assert lost_cards.REPORTED in shown.party.notes
    drafting.applicant_from_card(window.desk, draft, window.lay("resident"))
    shown = draft_view(window.desk, draft).applicant
    assert shown is not None and shown.party is not None
    assert lost_cards.REPORTED not in shown.party.notes

    hall.cable.plug()
    office.write(lambda tx: office_list.remove(tx, report))
    window.workstation.scheduler.network_up()
    window.until(lambda: not reported(window, LOST))


def test_a_ticket_without_paper_is_withdrawn_for_every_window(hall: OpenHall, window: Window) -> None:
    other = hall.window(hall.enrol("综合窗口 13"))
    assert [one.code for one in ticketing.series(window.desk)] == ["A", "Y", "P"]
    hall.printer.set_faults(Faults(paper_out=True))
    ticket = ticketing.issue(window.desk, CLERK.staff_no, GENERAL)
    window.workstation.print_queued()
    window.until(lambda: [p.state for p in ticketing.papers(window.desk)] == [PrintState.FAILED])
    other.until(lambda: waiting(other) == [ticket])

    [paper] = ticketing.papers(window.desk)
    ticketing.void(window.desk, CLERK.staff_no, paper.job)
    other.until(lambda: waiting(other) == [])
    assert (ticketing.papers(window.desk), waiting(window)) == ((), [])
    hall.printer.set_faults(Faults())
    second = ticketing.issue(window.desk, CLERK.staff_no, GENERAL)
    window.workstation.print_queued()
    window.until(lambda: bool(hall.papers(second)))
    assert hall.papers(ticket) == []
    visit = calling.call_next(window.desk, window.operator)
    assert visit is not None and visit.ticket_number == second


def test_a_ticket_called_meanwhile_is_not_withdrawn(hall: OpenHall, window: Window) -> None:
    hall.printer.set_faults(Faults(paper_out=True))
    ticketing.issue(window.desk, CLERK.staff_no, GENERAL)
    printing.run(window.desk)
    [paper] = ticketing.papers(window.desk)
    assert calling.call_next(window.desk, window.operator) is not None
    with pytest.raises(Failure, match="OFFICE-TICKET-STATE"):
        ticketing.void(window.desk, CLERK.staff_no, paper.job)
    assert [(p.number, p.state) for p in ticketing.papers(window.desk)] == [(paper.number, PrintState.FAILED)]
