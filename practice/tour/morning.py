"""The morning: one case online, two by paper without the network, one whose paper runs out."""

from __future__ import annotations

from PySide6.QtCore import Qt

from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults
from clerk_app.domain.case import LegalState, SyncState
from clerk_app.domain.ticket import VisitState
from practice.hall import CLERK
from practice.tour.driver import Driver, StepFailed
from practice.tour.filing import ACCEPTED, RECEIVED, file_case, finish


def morning(tour: Driver) -> None:
    """Sign in, file, lose the network and the paper, and find everything registered and printed once."""
    tour.until(lambda: tour.desk.catalogue.count > 0, "the catalogue has arrived")
    tour.summary.items = tour.desk.catalogue.count
    tour.until(lambda: tour.link() is LinkState.ONLINE, "the office answers")
    tour.step("sign-in", tour.nothing, lambda: tour.window.counter is None)
    tour.step("signed-in", lambda: _sign_in(tour), lambda: tour.waiting() > 0, looks=True)
    tour.step("called", lambda: tour.key("F1"), lambda: tour.visit() is VisitState.CALLED)
    file_case(tour, "resident", "sbk bl", "社会保障卡补领", ACCEPTED, shown=True)
    tour.step(
        "registered",
        tour.nothing,
        lambda: (
            tour.newest().sync_state is SyncState.REGISTERED
            and tour.newest().official_number is not None
            and tour.newest().print_state is PrintState.PRINTED
        ),
        looks=True,
    )
    tour.step("finished", lambda: tour.key("F7"), lambda: tour.visit() is None)

    tour.step("network-down", tour.hall.cable.pull, lambda: tour.counter().ticket.serves_by_paper)
    _by_paper(tour, "A031", "resident-rare-yan", "失业登记", "失业登记", ACCEPTED)
    _by_paper(tour, "A032", "resident-woman", "jzz", "居住证首次申请", RECEIVED)
    tour.step("outbox", lambda: tour.key("Ctrl+O"), lambda: tour.unsent() > 0)
    tour.key("Esc")
    tour.step("network-up", lambda: _plug(tour), tour.window_is_online)
    tour.step("drained", lambda: tour.key("Alt+C"), lambda: tour.unsent() == 0 and _all_registered(tour))

    _paper_out(tour)
    _check(tour)


def _sign_in(tour: Driver) -> None:
    tour.type(CLERK.staff_no)
    tour.hit(Qt.Key.Key_Tab)
    tour.type(CLERK.password, enter=True)


def _plug(tour: Driver) -> None:
    """The cable is in again, and the operating system tells the program so."""
    tour.hall.cable.plug()
    tour.hall.workstation.scheduler.network_up()


def _by_paper(tour: Driver, ticket: str, card: str, words: str, item: str, files: LegalState) -> None:
    tour.key("F1")
    tour.step(
        f"paper-{ticket}",
        lambda: tour.type(ticket, enter=True),
        lambda: tour.visit() is VisitState.SERVING,
    )
    file_case(tour, card, words, item, files)
    tour.step(
        f"filed-offline-{ticket}",
        tour.nothing,
        lambda: (
            tour.newest().sync_state is SyncState.HERE and tour.newest().print_state is PrintState.PRINTED
        ),
    )
    finish(tour)


def _paper_out(tour: Driver) -> None:
    """The printer runs out of paper at the moment of printing: the case stands, the slip waits."""
    tour.key("F1")
    tour.until(lambda: tour.visit() is VisitState.CALLED, "the next ticket is called")
    tour.hall.printer.set_faults(Faults(paper_out=True))
    file_case(tour, "resident-qiang", "老年人优待证", "老年人优待证办理", ACCEPTED)
    tour.step("paper-out", tour.nothing, lambda: tour.newest().print_state is PrintState.FAILED)
    tour.hall.printer.set_faults(NO_FAULTS)
    tour.step("paper-back", tour.nothing, lambda: tour.newest().print_state is PrintState.PRINTED)
    finish(tour)


def _all_registered(tour: Driver) -> bool:
    return all(case.sync_state is SyncState.REGISTERED for case in tour.cases())


def _check(tour: Driver) -> None:
    """Four cases, each registered and printed once, no number twice."""
    tour.until(lambda: _all_registered(tour), "all registered")
    cases = tour.cases()
    if [case.legal_state for case in cases] != [ACCEPTED, RECEIVED, ACCEPTED, ACCEPTED]:
        raise StepFailed(f"legal states: {[str(case.legal_state) for case in cases]}")
    for numbers in ({case.number for case in cases}, {case.official_number for case in cases} - {None}):
        if len(numbers) != len(cases):
            raise StepFailed(f"numbers are not unique: {sorted(map(str, numbers))}")
    if len(tour.hall.printer.papers) != len(cases):
        raise StepFailed(f"{len(tour.hall.printer.papers)} slips for {len(cases)} cases")
