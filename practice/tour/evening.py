"""The evening: what may happen to the office, and what the window makes of it."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.domain.case import SyncState
from clerk_app.ui.keys import Key
from clerk_app.ui.words import tr
from practice.hall import CLERK
from practice.tour.afternoon import PAGES, call
from practice.tour.driver import Driver, StepFailed
from practice.tour.filing import ACCEPTED, all_registered, file_case, finish
from practice.tour.outage import give


def evening(tour: Driver) -> None:
    """The office keeps a case, forgets a day, and shuts the window out."""
    _held(tour)
    _restored(tour)
    _check(tour)
    _shut_out(tour)


def _held(tour: Driver) -> None:
    """An error of the office's own: the case stands, the clerk does nothing, the answer comes later."""
    office, errands = tour.hall.office, tour.hall.errands
    errands.run(office.err, True)
    call(tour)
    file_case(tour, "resident", "sbk bl", "社会保障卡补领", ACCEPTED)
    tour.key(Key.CASES)
    tour.step(
        "held",
        tour.nothing,
        lambda: (
            tour.newest().sync_state is SyncState.HELD and tour.newest().print_state is PrintState.PRINTED
        ),
    )
    tour.step("held-tasks", lambda: tour.key(Key.OUTBOX), lambda: _told_held(tour))
    tour.key(Key.CLOSE)
    tour.step("answered-later", lambda: errands.run(office.err, False), lambda: all_registered(tour))
    finish(tour)


def _told_held(tour: Driver) -> bool:
    """The sheet lists it as kept by the office, and no task is made of it."""
    sheet, status = tour.counter().outbox, tour.counter().shown.status
    kept = [line.state for line in sheet.model.rows] == ["held"]
    return kept and status is not None and status.held == 1 and status.tasks == 0


def _restored(tour: Driver) -> None:
    """The office goes on with a backup from before the first case, and has them all again from the window."""
    numbers = {case.official_number for case in tour.cases()}
    tour.hall.errands.run(tour.hall.office.go_back)
    known = tour.hall.office.cases
    tour.step(
        "office-restored",
        tour.hall.workstation.scheduler.network_up,
        lambda: len(known()) == len(tour.cases()) and tour.unsent() == 0 and tour.window_is_online(),
    )
    tour.until(lambda: all_registered(tour), "all registered again")
    if numbers != {case.official_number for case in tour.cases()}:
        raise StepFailed("a restored office gave other official numbers")


def _check(tour: Driver) -> None:
    """Each case at the office once, as here, with its pages; no number twice; a slip for each."""
    cases = tour.cases()
    mine = sorted((case.number.replace("-", ""), str(case.legal_state)) for case in cases)
    if (theirs := sorted(tour.hall.office.cases())) != mine:
        raise StepFailed(f"the office has {theirs}, the window {mine}")
    # One that went up before its case was there again comes a minute later.
    tour.until(lambda: tour.hall.office.pages() == PAGES, "the pages are at the office again", 120)
    for numbers in ({case.number for case in cases}, {case.official_number for case in cases} - {None}):
        if len(numbers) != len(cases):
            raise StepFailed(f"numbers are not unique: {sorted(map(str, numbers))}")
    if unprinted := [case.number for case in cases if case.print_state is not PrintState.PRINTED]:
        raise StepFailed(f"no slip of {unprinted}")


def _shut_out(tour: Driver) -> None:
    """IT takes back the enrolment: said at the window, and at the door after that."""
    tour.hall.errands.run(tour.hall.shut_out)
    tour.step(
        "shut-out",
        tour.hall.workstation.scheduler.network_up,
        lambda: tour.link() is LinkState.OFFLINE and _band(tour) == "SYNC-REVOKED",
    )
    tour.key(Key.SIGN_OUT)
    tour.until(lambda: tour.window.counter is None, "signed out")
    tour.step(
        "shut-out-door", lambda: give(tour, CLERK), lambda: tour.window.counter is None and _barred(tour)
    )


def _band(tour: Driver) -> str:
    """The failure that the band across the window tells of."""
    message = tour.counter().band.message
    return message.failure if message is not None else ""


def _barred(tour: Driver) -> bool:
    return any(part.text() == tr("signin.barred") for part in tour.window.findChildren(QLabel))
