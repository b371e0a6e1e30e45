"""A slip or a passport under the scanner, wherever the clerk is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from window_fakes import LI, MORNING
from window_hall import Hall

from clerk_app.desk.ports import Receipt
from clerk_app.domain import numbering
from clerk_app.domain.applicant import DocumentKind, EntrySource
from clerk_app.domain.case import LegalState
from clerk_app.domain.ticket import TicketState

FIRST = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
SECOND = "L898902C36UTO7408122F3204153ZE184226B<<<<<16"
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def called(window_hall: Hall) -> Hall:
    window_hall.sign_in()
    window_hall.press(Qt.Key.Key_F1)
    return window_hall


@pytest.fixture
def filed(called: Hall) -> Hall:
    """A case is filed and its citizen has left."""
    called.lay_card(LI)
    called.type("sbk bl")
    called.press(Qt.Key.Key_Return)
    called.type("13812345678")
    called.press(Qt.Key.Key_Return)
    called.press(Qt.Key.Key_Down)
    called.press(Qt.Key.Key_5, ALT)
    for row in called.counter.steps.material._rows.values():
        if not row._tick.isChecked():
            row._tick.click()
            called.settle()
    called.press(Qt.Key.Key_F9)
    called.press(Qt.Key.Key_F7)
    return called


def told(hall: Hall) -> str:
    message = hall.counter.steps.banner.message
    return message.words if message else ""


def ticket_told(hall: Hall) -> tuple[str, dict[str, object]]:
    message = hall.counter.ticket.banner.message
    return (message.words, message.values) if message else ("", {})


def party(hall: Hall):
    return hall.counter.shown.draft.applicant.party


# --- passports ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [FIRST + SECOND, f"{FIRST}\n{SECOND}"], ids=["at once", "two lines"])
def test_a_passport_becomes_the_applicant_from_within_a_field(called: Hall, text: str) -> None:
    called.press(Qt.Key.Key_2, ALT)
    called.type("补领")
    called.scan(text)
    who = party(called)
    assert (who.name, who.source, who.kind) == (
        "ERIKSSON ANNA MARIA",
        EntrySource.MRZ,
        DocumentKind.PASSPORT,
    )
    assert called.counter.steps.item.search_text == "补领"
    assert called.counter.steps.applicant._source.text == "已扫机读区"
    assert called.counter.steps.open_number == 2


def test_lines_that_come_one_by_one_are_joined(called: Hall) -> None:
    called.scan(FIRST)
    assert called.counter.shown.draft.applicant is None
    called.scan(SECOND)
    assert party(called).name == "ERIKSSON ANNA MARIA"


def test_lines_of_two_visits_are_not_joined(called: Hall) -> None:
    called.scan(FIRST)
    called.counter.scans._next_line.stop()  # however busy the machine that runs the test is
    called.press(Qt.Key.Key_F7)
    called.press(Qt.Key.Key_F1)
    called.scan(SECOND)
    assert called.counter.shown.draft.applicant is None


def test_a_first_line_alone_is_told_to_be_incomplete(called: Hall) -> None:
    called.scan(FIRST)
    called.counter.scans._next_line.setInterval(0)
    called.counter.scans._next_line.start()
    called.bot.waitUntil(lambda: called.counter.steps.applicant.banner.message is not None)
    assert called.counter.steps.applicant.banner.message.failure == "MRZ-SHAPE"


def test_a_passport_read_badly_says_which_part_and_what_to_do(called: Hall) -> None:
    called.press(Qt.Key.Key_2, ALT)
    called.scan(FIRST + SECOND.replace("740812", "740813"))
    banner = called.counter.steps.applicant.banner
    assert (banner.message.failure, banner.isVisible()) == ("MRZ-BIRTH", True)
    assert called.counter.steps.open_number == 1


def test_another_passport_asks_and_the_same_one_does_not(called: Hall) -> None:
    called.lay_card(LI)
    called.scan(FIRST + SECOND)
    assert called.counter.steps.applicant.banner.message.words == "card.other"
    called.press(Qt.Key.Key_N, ALT)
    assert party(called).name == "ERIKSSON ANNA MARIA"
    called.scan(FIRST + SECOND)
    assert called.counter.steps.applicant.banner.message.words == "card.same"


def test_an_applicant_taken_away_is_not_given_back_over_the_next(called: Hall) -> None:
    called.lay_card(LI)
    called.press(Qt.Key.Key_X, ALT)
    assert told(called) == "undo.applicant"
    called.scan(FIRST + SECOND)
    assert told(called) == ""
    called.press(Qt.Key.Key_Y, ALT)
    assert party(called).name == "ERIKSSON ANNA MARIA"


def test_a_passport_nobody_was_called_for_is_told(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.scan(FIRST + SECOND)
    assert told(window_hall) == "scan.no_visit"


# --- cases --------------------------------------------------------------------------------------------------


def test_a_slip_opens_its_case(filed: Hall) -> None:
    number = filed.counter.shown.cases[0].number
    filed.press(Qt.Key.Key_G, ALT)
    filed.scan(number)
    assert filed.counter.side.shows_cases
    assert filed.counter.side.cases.chosen.number == number
    filed.press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert filed.printer.papers[-1][1] == 1


def test_an_old_case_is_listed_when_its_slip_is_scanned(filed: Hall) -> None:
    case = filed.store.read(lambda tx: tx.cases.recent(1)[0])

    def fill(tx) -> None:
        for serial in range(2000, 2060):
            number = numbering.case_number("MY01", serial)
            tx.cases.add(replace(case, id=f"case-{serial}", number=number))

    filed.store.write(fill)
    filed.changed("cases")
    assert case.id not in [row.id for row in filed.counter.shown.cases]
    filed.scan(case.number)
    assert filed.counter.side.cases.chosen.id == case.id


@pytest.mark.parametrize(
    ("hall", "words"), [("MY01", "scan.case_elsewhere"), ("CD02", "scan.case_other_hall")]
)
def test_a_case_of_another_workstation_is_told_with_its_number(called: Hall, hall: str, words: str) -> None:
    number = numbering.case_number(hall, 77)
    called.scan(number)
    assert told(called) == words
    assert called.counter.steps.banner.message.values["number"] == numbering.printed(number)


def test_a_scan_presses_nothing_in_the_question_to_finish(called: Hall) -> None:
    called.press(Qt.Key.Key_F1)
    called.scan(numbering.case_number("MY01", 77))
    assert called.counter.shown.visit.ticket_number == "A037"
    assert told(called) == "scan.case_elsewhere"
    called.press(Qt.Key.Key_Escape)


# --- tickets ------------------------------------------------------------------------------------------------


def test_a_ticket_while_somebody_is_served(called: Hall) -> None:
    called.scan("A039")
    assert ticket_told(called)[0] == "scan.busy"
    assert ticket_told(called)[1]["serving"] == "A037"
    called.scan("A037")
    assert ticket_told(called)[0] == "scan.ticket_here"


def test_a_waiting_ticket_is_told_its_place(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.scan("Y012")
    words, values = ticket_told(window_hall)
    assert (words, values["place"]) == ("scan.ticket_waiting", 3)
    assert window_hall.counter.shown.visit is None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (TicketState.CALLED, "scan.ticket_called"),
        (TicketState.NO_SHOW, "scan.ticket_no_show"),
        (TicketState.VOID, "scan.ticket_void"),
        (None, "scan.ticket_unknown"),
    ],
)
def test_a_ticket_that_does_not_wait(window_hall: Hall, state: TicketState | None, words: str) -> None:
    window_hall.sign_in()
    if state is not None:
        gone = replace(window_hall.office.tickets[0], number="B001", id="b", state=state, issued_at=MORNING)
        window_hall.store.write(lambda tx: tx.tickets.put([gone]))
    window_hall.scan("B001")
    assert ticket_told(window_hall)[0] == words


def test_offline_a_scanned_ticket_is_served_by_paper(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.offline()
    window_hall.scan("A037")
    visit = window_hall.counter.shown.visit
    assert (visit.ticket_number, visit.by_paper) == ("A037", True)


def test_online_a_ticket_is_served_by_paper_when_the_entry_is_open(window_hall: Hall) -> None:
    window_hall.sign_in()
    window_hall.press(Qt.Key.Key_P, ALT)
    window_hall.scan("B052")
    assert window_hall.counter.shown.visit.by_paper


# --- anything else ------------------------------------------------------------------------------------------


def test_what_is_not_ours_is_told_masked_and_lands_nowhere(called: Hall) -> None:
    called.press(Qt.Key.Key_2, ALT)
    called.scan("510704198906041231")
    message = called.counter.steps.banner.message
    assert (message.words, message.values) == ("scan.unknown", {"text": "510704********1231"})
    assert called.counter.steps.item.search_text == ""
    called.press(Qt.Key.Key_Y, ALT)
    assert called.counter.steps.item.search_text == "510704198906041231"


def test_nothing_is_told_apart_before_anybody_signs_in(window_hall: Hall) -> None:
    for char in "1024":
        QTest.keyPress(window_hall.window.windowHandle(), char)
    assert window_hall.focus().text() == "1024"


def test_fast_typing_is_not_a_scan(called: Hall) -> None:
    called.press(Qt.Key.Key_2, ALT)
    called.scan("sbkbl", end=None)
    assert called.counter.steps.item.search_text == "sbkbl"


def test_a_case_that_left_by_retention_is_told_with_its_official_number(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    number = numbering.case_number("MY01", 77)
    left = Receipt(number, "gone", "社会保障卡补领", MORNING, "OFFICIAL-8", LegalState.ACCEPTED, MORNING)
    hall.store.write(lambda tx: tx.receipts.add(left))
    hall.scan(number)
    said = counter.steps.banner.message
    assert said is not None and said.words == "scan.case_left"
    assert "OFFICIAL-8" in said.sentence()[0]
