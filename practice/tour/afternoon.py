"""The afternoon: every document, every slip and every device that the morning did not need."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt

from clerk_app.desk.ports import PrintState
from clerk_app.desk.printing import NO_GLYPH
from clerk_app.desk.views import Paper, PersonView
from clerk_app.devices.printer.simulator.mechanism import NO_FAULTS, Faults
from clerk_app.domain.applicant import DocumentKind, EntrySource
from clerk_app.domain.ticket import VisitState
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.keys import Key
from practice.hall import LOST_CARD
from practice.hand_scanner import SAMPLES, code_on
from practice.tour.driver import Driver, StepFailed
from practice.tour.filing import (
    ACCEPTED,
    all_registered,
    choose_item,
    choose_slip,
    file,
    fill_form,
    finish,
    hand_materials,
)

_PASSPORT = SAMPLES[0].text
_ON_DEMAND = (Paper.MATERIAL_LIST, Paper.SHIFT, Paper.TEST)
PAGES = 2
"""Scanned for the case of the passport's holder."""
_WELL = frozenset({"reader", "printer", "database", "office", "catalogue"})
"""What a doctor must find well in any hall that stands."""


def afternoon(tour: Driver) -> None:
    """Two more cases with everything around them, a ticket that has no paper, and a look at the devices."""
    before = len(tour.hall.printer.papers)
    _documents(tour)
    _case_with_pages(tour)
    _slips(tour)
    finish(tour)
    _name_nobody_can_print(tour)
    _ticket_without_paper(tour)
    _doctor(tour)
    tour.until(lambda: all_registered(tour), "all registered")
    came = len(tour.hall.printer.papers) - before
    if came != 2 + len(_ON_DEMAND):
        raise StepFailed(f"{came} slips for two cases and {len(_ON_DEMAND)} slips asked for")


def _documents(tour: Driver) -> None:
    """A card reported lost is said; a social security card and a passport name the applicant."""
    call(tour)
    tour.step("lost-card", lambda: tour.lay(LOST_CARD), lambda: "CARD-REPORTED-LOST" in _notes(tour))
    tour.key(Key.CLEAR)
    tour.until(lambda: tour.draft().applicant is None, "the applicant is taken away")
    tour.step(
        "social-security-card",
        lambda: tour.lay("social-security-3"),
        lambda: _known(tour) == (DocumentKind.SOCIAL_SECURITY, EntrySource.CARD),
    )
    tour.hall.reader.remove()
    applicant = tour.counter().steps.applicant
    tour.step("passport-asks", lambda: tour.scan(_PASSPORT), lambda: _told(applicant.banner) == "card.other")
    tour.step(
        "passport",
        lambda: tour.key(Key.NO),
        lambda: _known(tour) == (DocumentKind.PASSPORT, EntrySource.MRZ),
    )


def _case_with_pages(tour: Driver) -> None:
    """The passport's holder files a case; its slip opens it again, and its two pages go up after it."""
    before = len(tour.cases())
    tour.key(Key.STEP_2)
    tour.until(lambda: tour.open_step() == 2, "step 2 is open")
    choose_item(tour, "失业登记", "失业登记")
    fill_form(tour)
    hand_materials(tour)
    tour.key(Key.STEP_5)
    tour.until(lambda: tour.open_step() == 5, "step 5 is open")
    sheet = tour.counter().scan
    tour.step("camera", lambda: tour.key(Key.SCAN), lambda: sheet.sees)
    for count in range(1, PAGES + 1):
        tour.hit(Qt.Key.Key_Return)
        tour.until(partial(_shows_pages, tour, count), f"page {count} is shown")
    tour.step("pages", tour.nothing, lambda: sum(m.pages for m in tour.draft().materials) == PAGES)
    tour.key(Key.CLOSE)
    tour.step("material-with-pages", tour.nothing, sheet.isHidden)
    file(tour, before, ACCEPTED)
    tour.until(lambda: tour.newest().print_state is PrintState.PRINTED, "the slip is printed")
    tour.key(Key.GUIDE)
    tour.until(lambda: not tour.counter().side.shows_cases, "the guide shows")
    number = tour.newest().number
    tour.step(
        "slip-scanned",
        lambda: tour.scan(code_on(tour.hall.printer.papers[-1])),
        lambda: _chosen(tour) == number,
    )
    tour.step(
        "pages-sent", tour.nothing, lambda: _pages_left(tour) == 0 and tour.hall.office.pages() == PAGES
    )


def _pages_left(tour: Driver) -> int:
    """Pages that the office has not got yet, as the window tells; they follow their registered case."""
    status = tour.counter().shown.status
    return status.pages if status is not None else -1


def _slips(tour: Driver) -> None:
    """Each is seen before it is printed."""
    sheet = tour.counter().slips
    for paper in _ON_DEMAND:
        choose_slip(tour, paper)
        tour.step(f"slip-{paper.value}", tour.nothing, lambda: sheet.preview is not None)
        tour.key(Key.REPRINT)
        tour.until(partial(_is_printed, tour, paper), f"{paper} is printed")
    tour.step("slips-printed", tour.nothing, lambda: sheet.preview is not None)
    tour.key(Key.CLOSE)
    tour.until(sheet.isHidden, "the sheet is closed")


def _name_nobody_can_print(tour: Driver) -> None:
    """A private-use character is never a box on paper: said before filing, and printed as its code."""
    call(tour)
    before = len(tour.cases())
    tour.lay("resident-private-use")
    tour.until(lambda: tour.open_step() == 2, "the card is read")
    choose_item(tour, "失业登记", "失业登记")
    fill_form(tour)
    hand_materials(tour)
    tour.step(
        "name-warned",
        lambda: tour.key(Key.STEP_6),
        lambda: tour.open_step() == 6 and "check.unprintable" in [check.key for check in tour.draft().checks],
    )
    file(tour, before, ACCEPTED)
    tour.hall.reader.remove()
    tour.step(
        "name-unprintable",
        tour.nothing,
        lambda: tour.newest().print_state is PrintState.FAILED and tour.newest().print_code == NO_GLYPH,
    )
    tour.step(
        "name-spelled-out",
        lambda: tour.key(Key.YES),
        lambda: (
            tour.newest().print_state is PrintState.PRINTED
            and "[U+E863]" in tour.hall.printer.papers[-1].text
        ),
    )
    finish(tour)


def _ticket_without_paper(tour: Driver) -> None:
    """A number whose paper did not come is visibly missing, and is withdrawn."""
    issuing = tour.counter().waiting.issuing
    tour.hall.printer.set_faults(Faults(paper_out=True))
    tour.key(Key.ISSUE)
    tour.until(lambda: issuing.asks, "the series are offered")
    tour.step(
        "ticket-unprinted", lambda: tour.hit(Qt.Key.Key_A), lambda: _told(issuing.paper) == "issue.missing"
    )
    waiting = tour.waiting()
    tour.step("ticket-voided", lambda: tour.key(Key.NO), lambda: _told(issuing.banner) == "issue.voided")
    tour.until(lambda: tour.waiting() == waiting - 1, "nobody waits with that number")
    tour.hall.printer.set_faults(NO_FAULTS)


def _doctor(tour: Driver) -> None:
    doctor = tour.window.doctor
    assert doctor is not None
    tour.step(
        "doctor", lambda: tour.key(Key.DOCTOR), lambda: bool(doctor.page.checks) and not doctor.page.busy
    )
    well = {check.key for check in doctor.page.checks if not check.code}
    if unwell := _WELL - well:
        raise StepFailed(f"the doctor finds {sorted(unwell)} unwell")
    tour.key(Key.CLOSE)
    tour.until(doctor.isHidden, "the doctor has left")


def call(tour: Driver) -> None:
    tour.key(Key.CALL)
    tour.until(lambda: tour.visit() is VisitState.CALLED, "the next ticket is called")


def _told(slot: BannerSlot) -> str:
    return slot.message.words if slot.message else ""


def _party(tour: Driver) -> PersonView | None:
    draft = tour.draft()
    return draft.applicant.party if draft is not None and draft.applicant is not None else None


def _known(tour: Driver) -> tuple[DocumentKind, EntrySource] | None:
    """The applicant's document, and how the window knows of it."""
    party = _party(tour)
    return (party.kind, party.source) if party else None


def _notes(tour: Driver) -> tuple[str, ...]:
    party = _party(tour)
    return party.notes if party else ()


def _shows_pages(tour: Driver, count: int) -> bool:
    """Whether the sheet lists `count` pages, each with its small picture."""
    return [not row.picture.isNull() for row in tour.counter().scan.model.rows] == [True] * count


def _chosen(tour: Driver) -> str:
    """The number of the case that is shown as chosen; empty while the cases do not show."""
    side = tour.counter().side
    return side.cases.chosen.number if side.shows_cases and side.cases.chosen else ""


def _paper(tour: Driver) -> tuple[Paper, PrintState | None]:
    """The slip that is chosen in the sheet of slips, and what became of the last one of its kind."""
    view = tour.counter().slips.current
    if view is None:
        raise StepFailed("no slip is chosen")
    return view.paper, view.state


def _is_printed(tour: Driver, paper: Paper) -> bool:
    return _paper(tour) == (paper, PrintState.PRINTED)
