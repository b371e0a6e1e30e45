"""The morning: the window is opened, one case from the card to its registration, one whose paper runs out."""

from __future__ import annotations

from PySide6.QtCore import Qt

from clerk_app.desk.ports import LinkState, PrintState
from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults
from clerk_app.domain.case import SyncState
from clerk_app.domain.ticket import VisitState
from practice.hall import CLERK
from practice.tour.driver import Driver
from practice.tour.filing import ACCEPTED, file_case, finish


def morning(tour: Driver) -> None:
    """Sign in, call, file, print; then the same without paper in the printer."""
    tour.until(lambda: tour.desk.catalogue.count > 0, "the catalogue has arrived")
    tour.summary.items = tour.desk.catalogue.count
    tour.until(lambda: tour.link() is LinkState.ONLINE, "the office answers")
    tour.step("sign-in", tour.nothing, lambda: tour.window.counter is None)
    tour.step("signed-in", lambda: sign_in(tour), lambda: tour.waiting() > 0, looks=True)
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

    _paper_out(tour)


def sign_in(tour: Driver) -> None:
    tour.type(CLERK.staff_no)
    tour.hit(Qt.Key.Key_Tab)
    tour.type(CLERK.password, enter=True)


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
