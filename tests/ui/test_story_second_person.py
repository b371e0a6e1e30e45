"""Without the office a case is voided by two, beside each other at the window."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from window_fakes import CHIEF, CLERK, LI, PASSWORD
from window_hall import Hall

from clerk_app.domain.case import LegalState
from clerk_app.domain.documents import VoidSlip
from clerk_app.domain.numbering import case_number

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


def leave(hall: Hall) -> None:
    hall.press(Qt.Key.Key_Q, CTRL | SHIFT)
    fields = hall.window._sign_in._fields
    fields._staff.clear()
    fields.focus_first()


@pytest.fixture
def filed(window_hall: Hall) -> Hall:
    """A case accepted here by CLERK; CHIEF signed in here before; the network has gone since."""
    hall = window_hall
    hall.sign_in(CHIEF)
    leave(hall)
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("sbk bl")
    hall.press(Qt.Key.Key_Return)
    hall.type("13812345678")
    hall.press(Qt.Key.Key_Return)
    hall.press(Qt.Key.Key_Down)
    hall.counter.steps.open_step(5)
    hall.settle()
    for row in hall.counter.steps.material._rows.values():
        if not row._tick.isChecked():
            row._tick.click()
            hall.settle()
    hall.press(Qt.Key.Key_F9)
    hall.offline()
    return hall


def ask(hall: Hall) -> None:
    hall.press(Qt.Key.Key_D, CTRL | SHIFT)
    hall.type("重复收件")
    hall.click("确认作废")


def give(hall: Hall, staff_no: str, password: str) -> None:
    hall.type(staff_no)
    hall.press(Qt.Key.Key_Return)
    hall.type(password)
    hall.press(Qt.Key.Key_Return)


def case(hall: Hall) -> object:
    return hall.counter.shown.cases[0]


def test_a_colleague_approves_beside_the_clerk(filed: Hall) -> None:
    filed.press(Qt.Key.Key_D, CTRL | SHIFT)
    assert filed.counter.void._second.isVisible(), "it is told before the reason is written"
    filed.press(Qt.Key.Key_Escape)
    ask(filed)
    sheet = filed.counter.second
    assert sheet.isVisible() and filed.focus() is sheet._fields._staff
    assert "重复收件" in sheet._told.text(), "whoever approves reads what for"
    give(filed, CHIEF, PASSWORD)
    assert not sheet.isVisible() and not filed.counter.void.isVisible()
    assert case(filed).legal_state is LegalState.VOID
    assert isinstance(filed.printer.papers[-1][0], VoidSlip)
    command = filed.store.read(lambda tx: tx.outbox.pending())[-1]
    assert (command.operator, command.body["approved_by"]) == (CLERK, CHIEF)
    assert filed.counter.shown.operator.staff_no == CLERK
    assert sheet._fields._password.text() == ""


def test_the_clerk_alone_does_not_do(filed: Hall) -> None:
    ask(filed)
    give(filed, CLERK, PASSWORD)
    assert filed.counter.second.banner.message.failure == "DESK-SECOND-SAME"
    filed.press(Qt.Key.Key_Escape)
    assert not filed.counter.second.isVisible()
    assert case(filed).legal_state is LegalState.ACCEPTED


def test_a_wrong_password_is_told_beside_it_and_asked_for_again(filed: Hall) -> None:
    ask(filed)
    give(filed, CHIEF, "wrong")
    sheet = filed.counter.second
    assert sheet._fields._password_note.isVisible()
    assert sheet.banner.message is None
    filed.type(PASSWORD)
    filed.press(Qt.Key.Key_Return)
    assert case(filed).legal_state is LegalState.VOID


def test_nobody_known_here_cannot_be_the_second(filed: Hall) -> None:
    ask(filed)
    give(filed, "3001", PASSWORD)
    assert filed.counter.second.banner.message.failure == "SIGN-IN-NOT-KNOWN"


def test_with_the_office_back_nobody_else_is_asked(filed: Hall) -> None:
    filed.online()
    ask(filed)
    assert not filed.counter.second.isVisible()
    assert case(filed).legal_state is LegalState.VOID


def test_what_was_typed_does_not_wait_in_a_closed_sheet(filed: Hall) -> None:
    ask(filed)
    filed.type(CHIEF)
    filed.press(Qt.Key.Key_Return)
    filed.type(PASSWORD)
    filed.press(Qt.Key.Key_L, CTRL | SHIFT)
    fields = filed.counter.second._fields
    assert (fields._staff.text(), fields._password.text()) == ("", "")


def test_the_approval_is_for_the_case_that_was_read_whatever_is_asked_meanwhile(filed: Hall) -> None:
    first = case(filed)
    other = another_case(filed)
    filed.counter.voiding.ask(first)
    filed.type("重复收件")
    filed.click("确认作废")
    filed.counter.voiding.ask(other)  # beside the open question, about another case
    filed.counter.void._stay.click()
    assert filed.counter.second.isVisible() and first.number in filed.counter.second._what.text()
    filed.counter.second._fields.focus_first()
    give(filed, CHIEF, PASSWORD)
    state = {row.id: row.legal_state for row in filed.counter.shown.cases}
    assert (state[first.id], state[other.id]) == (LegalState.VOID, LegalState.RECEIVED)


def test_an_approval_that_comes_after_the_question_was_put_away_does_nothing(filed: Hall) -> None:
    ask(filed)
    filed.type(CHIEF)
    filed.press(Qt.Key.Key_Return)
    filed.type(PASSWORD)
    slow = threading.Event()
    filed.lanes.network.submit(slow.wait)
    filed.bot.keyClick(filed.focus(), Qt.Key.Key_Return)
    filed.counter.close_something()
    slow.set()
    filed.settle()
    assert case(filed).legal_state is LegalState.ACCEPTED


def another_case(hall: Hall) -> object:
    """A second case of this window, as the store has it."""
    first = hall.store.read(lambda tx: tx.cases.recent())[0]
    number = case_number("MY01", 4000)
    second = replace(first, id="case-2", number=number, legal_state=LegalState.RECEIVED, accepted_at=None)
    hall.store.write(lambda tx: tx.cases.add(second))
    hall.changed("cases")
    return next(row for row in hall.counter.shown.cases if row.id == "case-2")
