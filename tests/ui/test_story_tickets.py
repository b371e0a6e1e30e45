"""Tickets issued at the window: a key, a letter, and a paper that is there or is asked about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from window_hall import Hall

from clerk_app.desk.ports import PrintOutcome, PrintResult
from clerk_app.domain.documents import TicketSlip

ALT = Qt.KeyboardModifier.AltModifier
NO_PAPER = PrintResult(PrintOutcome.FAILED, "PRINTER-PAPER-OUT")
SILENT = PrintResult(PrintOutcome.UNKNOWN, "PRINTER-UNCONFIRMED")


@pytest.fixture
def guide(window_hall: Hall) -> Hall:
    """A clerk who may issue tickets, signed in."""
    window_hall.office.rights |= {"issue"}
    window_hall.sign_in()
    return window_hall


def issue(hall: Hall, letter: Qt.Key = Qt.Key.Key_A, *outcomes: PrintResult) -> None:
    hall.printer.outcomes[:] = outcomes
    hall.press(Qt.Key.Key_I, ALT)
    hall.press(letter)


def printed(hall: Hall) -> list[tuple[str, int]]:
    return [(slip.number, reprint) for slip, reprint in hall.printer.papers if isinstance(slip, TicketSlip)]


def told(hall: Hall) -> tuple[str, str]:
    """Which messages stand in the panel: of the paper, of the act."""
    issuing = hall.counter.waiting.issuing
    slots = (issuing.paper.message, issuing.banner.message)
    return tuple(slot.words or slot.failure if slot else "" for slot in slots)


def waiting(hall: Hall) -> list[str]:
    return [row.number for row in hall.counter.shown.queue.waiting]


def test_a_key_and_a_letter_issue_a_ticket_and_the_focus_comes_back(guide: Hall) -> None:
    before = guide.focus()
    guide.press(Qt.Key.Key_I, ALT)
    assert guide.focus().accessibleName() == "综合 A"
    guide.press(Qt.Key.Key_Y)
    assert guide.office.issued[0].series == "Y"
    assert printed(guide) == [("Y041", 0)]
    assert told(guide) == ("", "issue.done")
    assert "Y041" in waiting(guide)
    assert guide.focus() is before


def test_the_choice_is_closed_by_esc_and_issues_nothing(guide: Hall) -> None:
    before = guide.focus()
    guide.press(Qt.Key.Key_I, ALT)
    guide.press(Qt.Key.Key_Q)  # no letter of a series
    guide.press(Qt.Key.Key_Escape)
    assert (guide.office.issued, told(guide)) == ([], ("", ""))
    assert guide.focus() is before


def test_the_choice_says_itself_again_in_english_and_enter_takes_it(guide: Hall) -> None:
    guide.press(Qt.Key.Key_I, ALT)
    guide.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert guide.focus().accessibleName() == "General A"
    guide.press(Qt.Key.Key_Space)
    assert printed(guide) == [("A041", 0)]
    guide.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_who_may_not_issue_sees_no_such_button(window_hall: Hall) -> None:
    window_hall.sign_in()
    assert window_hall.counter.waiting.issuing.isHidden()
    window_hall.press(Qt.Key.Key_I, ALT)
    assert window_hall.office.issued == []


def test_offline_without_an_own_series_there_are_no_numbers_and_the_key_says_why(guide: Hall) -> None:
    guide.store.write(lambda tx: tx.meta.set_device(replace(tx.meta.device(), offline_series="")))
    guide.offline()
    guide.press(Qt.Key.Key_I, ALT)
    said = guide.counter.waiting.issuing.banner.message
    assert said is not None and said.failure == "DESK-NO-OFFLINE-SERIES"
    assert guide.office.issued == []
    assert guide.printer.papers == []


def test_a_number_without_paper_prints_when_the_clerk_has_put_paper_in(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, NO_PAPER)
    assert told(guide) == ("issue.missing", "")
    guide.click("打印这张票")
    assert printed(guide) == [("A041", 0)]
    assert told(guide) == ("", "")


def test_a_number_without_paper_is_withdrawn_by_key(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, NO_PAPER)
    guide.press(Qt.Key.Key_N, ALT)
    assert guide.office.voided == ["A041"]
    assert told(guide) == ("", "issue.voided")
    assert printed(guide) == []
    assert "A041" not in waiting(guide)


def test_a_number_in_doubt_is_asked_about_and_printed_again_marked(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, SILENT)
    assert told(guide) == ("issue.question", "")
    guide.press(Qt.Key.Key_N, ALT)
    assert told(guide) == ("issue.missing", "")
    guide.press(Qt.Key.Key_Y, ALT)
    assert printed(guide) == [("A041", 0), ("A041", 1)]
    assert told(guide) == ("", "")


def test_a_number_in_doubt_that_came_out_is_settled(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, SILENT)
    guide.press(Qt.Key.Key_Y, ALT)
    assert told(guide) == ("", "")
    assert printed(guide) == [("A041", 0)]


def test_a_withdrawal_without_network_says_so_and_the_number_stays_in_sight(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, NO_PAPER)
    guide.offline()
    guide.press(Qt.Key.Key_N, ALT)
    assert told(guide) == ("issue.missing", "SYNC-OFFLINE")
    message = guide.counter.waiting.issuing.paper.message
    assert message is not None and message.failure == "DESK-TICKET-VOIDING"
    guide.online()
    guide.press(Qt.Key.Key_N, ALT)
    assert guide.office.voided == ["A041"]


def test_two_numbers_without_paper_are_one_question_after_the_other(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, NO_PAPER)
    issue(guide, Qt.Key.Key_P, NO_PAPER)
    assert told(guide) == ("issue.missing_more", "")
    guide.press(Qt.Key.Key_N, ALT)
    assert told(guide)[0] == "issue.missing"
    guide.press(Qt.Key.Key_N, ALT)
    assert guide.office.voided == ["A041", "P042"]


def test_a_number_without_paper_is_still_asked_about_after_signing_in_anew(guide: Hall) -> None:
    issue(guide, Qt.Key.Key_A, NO_PAPER)
    guide.press(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    guide.sign_in()
    assert told(guide)[0] == "issue.missing"
