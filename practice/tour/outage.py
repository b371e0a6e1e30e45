"""The outage: the window locked and taken over, the network gone, what works without it, and what follows."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt

from back_office.embedded import UserSetup
from clerk_app.desk.ports import PrintState
from clerk_app.desk.views import CheckState, Paper
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.ticket import VisitState
from clerk_app.ui.keys import Key
from practice.hall import CHIEF, CLERK
from practice.hand_scanner import code_on
from practice.tour.driver import Driver, StepFailed
from practice.tour.filing import ACCEPTED, RECEIVED, all_registered, choose_slip, file_case, finish

REASON = "同一事项重复收件（练习）"


def outage(tour: Driver) -> None:
    """Three cases without the office: one accepted, one void by two, one received and accepted later."""
    _locked(tour)
    tour.step("network-down", tour.hall.cable.pull, tour.told_offline)
    _paper(tour, "A031")
    _file(tour, "A031", "resident-rare-yan", "失业登记", "失业登记", ACCEPTED)
    finish(tour)
    _paper(tour, "A032")
    _file(tour, "A032", "resident-woman", "失业登记", "失业登记", ACCEPTED)
    _void_by_two(tour)
    finish(tour)
    ticket = _offline_ticket(tour)
    _file(tour, ticket, "resident-woman", "jzz", "居住证首次申请", RECEIVED)
    finish(tour)
    tour.step(
        "outbox",
        lambda: tour.key(Key.OUTBOX),
        lambda: _works_by_paper(tour) and tour.unsent() > 0,
        looks=True,
    )
    tour.key(Key.CLOSE)
    tour.step("network-up", lambda: _plug(tour), tour.window_is_online)
    tour.step("drained", lambda: tour.key(Key.CASES), lambda: tour.unsent() == 0 and all_registered(tour))
    _accept_later(tour)
    _closing_sheet(tour)


def _locked(tour: Driver) -> None:
    """The clerk is away, a colleague takes over, and the clerk comes back: nothing of a citizen is seen."""
    tour.step("locked", lambda: tour.key(Key.LOCK), tour.locked, looks=True)
    tour.step("another-clerk", lambda: _take_over(tour, CHIEF), lambda: _works(tour, CHIEF))
    tour.key(Key.LOCK)
    tour.until(tour.locked, "locked again")
    tour.step("back-again", lambda: _take_over(tour, CLERK), lambda: _works(tour, CLERK))


def _take_over(tour: Driver, clerk: UserSetup) -> None:
    tour.click("lock.other")
    give(tour, clerk)


def give(tour: Driver, clerk: UserSetup) -> None:
    """Number and password into the fields that have the focus."""
    tour.type(clerk.staff_no, enter=True)
    tour.type(clerk.password, enter=True)


def _works(tour: Driver, clerk: UserSetup) -> bool:
    counter = tour.window.counter
    if tour.locked() or counter is None or counter.shown.operator is None:
        return False
    return counter.shown.operator.staff_no == clerk.staff_no and counter.shown.queue is not None


def _plug(tour: Driver) -> None:
    """The cable is in again, and the operating system tells the program so."""
    tour.hall.cable.plug()
    tour.hall.workstation.scheduler.network_up()


def _paper(tour: Driver, ticket: str) -> None:
    tour.key(Key.CALL)
    tour.step(
        f"paper-{ticket}",
        lambda: tour.type(ticket, enter=True),
        lambda: tour.visit() is VisitState.SERVING,
    )


def _file(tour: Driver, ticket: str, card: str, words: str, item: str, files: LegalState) -> None:
    file_case(tour, card, words, item, files)
    tour.step(
        f"filed-offline-{ticket}",
        tour.nothing,
        lambda: (
            tour.newest().sync_state is SyncState.HERE and tour.newest().print_state is PrintState.PRINTED
        ),
    )


def _void_by_two(tour: Driver) -> None:
    """Without the office the clerk alone does not do: a colleague who signed in here before approves."""
    tour.key(Key.VOID)
    tour.until(tour.counter().void.isVisible, "the void is asked about")
    tour.type(REASON)
    tour.step("second-person", lambda: tour.click("void.void"), tour.counter().second.isVisible, looks=True)
    tour.step(
        "voided-offline", lambda: give(tour, CHIEF), lambda: tour.newest().legal_state is LegalState.VOID
    )
    tour.until(lambda: "作废" in tour.hall.printer.papers[-1].text, "the void slip is printed")


def _offline_ticket(tour: Driver) -> str:
    """A ticket of the window's own series, scanned and served by paper; returns its number."""
    came = len(tour.hall.printer.papers)
    tour.key(Key.ISSUE)
    tour.until(lambda: tour.counter().waiting.issuing.asks, "the own series is offered")
    tour.step("offline-ticket", lambda: tour.hit(Qt.Key.Key_L), lambda: len(tour.hall.printer.papers) > came)
    tour.step(
        "offline-ticket-served",
        lambda: tour.scan(code_on(tour.hall.printer.papers[-1])),
        lambda: tour.visit() is VisitState.SERVING,
    )
    visit = tour.counter().shown.visit
    if visit is None or not visit.ticket_number.startswith("L"):
        raise StepFailed("the ticket of the own series is not served")
    return visit.ticket_number


def _works_by_paper(tour: Driver) -> bool:
    """Whether the sheet tells that nobody can be called now, and lists what waits."""
    standing, sheet = tour.counter().shown.standing, tour.counter().outbox
    lines = standing.lines if standing is not None and sheet.isVisible() and sheet.model.rows else ()
    return any(line.what == "standing.call" and line.state is CheckState.WARN for line in lines)


def _accept_later(tour: Driver) -> None:
    """What was only received is accepted now that the office answers; its limits begin today."""
    panel = tour.counter().side.cases

    def ready() -> bool:
        case = panel.chosen
        return case is not None and case.legal_state is RECEIVED and case.accept.open

    tour.until(ready, "the received case is chosen and can be accepted")
    tour.step(
        "accepted-later",
        lambda: tour.key(Key.ACCEPT),
        lambda: (
            tour.newest().legal_state is ACCEPTED
            and tour.newest().print_state is PrintState.PRINTED
            and tour.unsent() == 0
            and all_registered(tour)
        ),
    )


def _closing_sheet(tour: Driver) -> None:
    """The day of the window on paper: it names the void number and why."""
    (void,) = [case.number for case in tour.cases() if case.legal_state is LegalState.VOID]
    tour.step("closing-sheet", lambda: choose_slip(tour, Paper.CLOSING), partial(_closes_with, tour, void))
    tour.key(Key.CLOSE)
    tour.until(tour.counter().slips.isHidden, "the sheet is closed")


def _closes_with(tour: Driver, void: str) -> bool:
    preview = tour.counter().slips.preview
    return preview is not None and void in preview.text.replace("\n", "").replace(" ", "")
