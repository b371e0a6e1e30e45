"""Signed in without the office: at the first call online the password is asked for where the hand is."""

from __future__ import annotations

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from window_fakes import CLERK, PASSWORD
from window_hall import Hall

from clerk_app.ui.session_entry import SessionEntry

ALT = Qt.KeyboardModifier.AltModifier
WHY = "后台还不认得您"


@pytest.fixture
def unknown(window_hall: Hall) -> Hall:
    """A clerk known here who signed in offline; the network is back since."""
    hall = window_hall
    hall.office.rights |= {"issue"}
    hall.sign_in()
    hall.press(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    hall.offline()
    hall.sign_in()
    assert not hall.office.in_session
    hall.online()
    return hall


def entry(hall: Hall) -> SessionEntry:
    return hall.counter.ticket.session


def test_the_password_is_asked_for_in_place_and_the_call_goes_on(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_F1)
    assert entry(unknown).isVisible()
    field = unknown.focus()
    assert isinstance(field, QLineEdit) and field.echoMode() is QLineEdit.EchoMode.Password
    unknown.type(PASSWORD)
    unknown.press(Qt.Key.Key_Return)
    assert not entry(unknown).isVisible()
    assert field.text() == ""
    visit = unknown.counter.shown.visit
    assert visit is not None and visit.ticket_number == "A037"
    assert unknown.counter.shown.operator.staff_no == CLERK


def test_a_wrong_password_is_told_and_asked_for_again(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_F1)
    unknown.type("wrong")
    unknown.press(Qt.Key.Key_Return)
    message = unknown.counter.ticket.banner.message
    assert message is not None and message.failure == "SIGN-IN-WRONG"
    assert entry(unknown).isVisible()
    unknown.type(PASSWORD)  # over the wrong one, which is selected
    unknown.press(Qt.Key.Key_Return)
    assert unknown.counter.shown.visit is not None
    assert unknown.counter.ticket.banner.message is None


def test_esc_lets_it_be_and_nothing_was_called(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_F1)
    unknown.type(PASSWORD)
    unknown.press(Qt.Key.Key_Escape)
    assert not entry(unknown).isVisible()
    assert unknown.counter.shown.visit is None
    unknown.press(Qt.Key.Key_F1)
    assert entry(unknown).isVisible()
    assert unknown.focus().text() == "", "what was typed is forgotten"


def test_a_ticket_asked_for_comes_after_the_password(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_I, ALT)
    unknown.press(Qt.Key.Key_Y)
    assert unknown.office.issued == []
    unknown.type(PASSWORD)
    unknown.press(Qt.Key.Key_Return)
    assert [ticket.number for ticket in unknown.office.issued] == ["Y041"]
    assert len(unknown.printer.papers) == 1


def test_it_is_said_in_english_too(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_F1)
    assert entry(unknown)._why.text().startswith(WHY)
    unknown.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert entry(unknown)._why.text().startswith("The office does not know you")
    unknown.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_a_password_from_a_badge_goes_where_it_is_asked_for_and_is_told_nowhere(unknown: Hall) -> None:
    unknown.press(Qt.Key.Key_F1)
    unknown.scan("pass-4711-badge")
    assert unknown.counter.steps.banner.message is None
    assert (unknown.focus().text(), entry(unknown).isVisible()) == ("pass-4711-badge", True)


@pytest.mark.parametrize("lock", [True, False])
def test_nobody_is_called_once_the_question_was_put_away_or_the_window_locked(
    unknown: Hall, lock: bool
) -> None:
    unknown.press(Qt.Key.Key_F1)
    unknown.type(PASSWORD)
    slow = threading.Event()
    unknown.lanes.network.submit(slow.wait)
    unknown.bot.keyClick(unknown.focus(), Qt.Key.Key_Return)
    if lock:
        unknown.window._shift.lock()
    else:
        unknown.counter.close_something()
    slow.set()
    unknown.settle()
    assert unknown.office.called == {}
    assert unknown.counter.shown.visit is None
    assert unknown.office.in_session
