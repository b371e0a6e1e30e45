"""A workstation the office has shut out says so instead of asking for passwords."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from window_fakes import CLERK, PASSWORD
from window_hall import Hall

from clerk_app import failures


def try_it(hall: Hall) -> None:
    hall.type(CLERK)
    hall.press(Qt.Key.Key_Return)
    hall.type(PASSWORD)
    hall.press(Qt.Key.Key_Return)


@pytest.mark.parametrize("code", ["OFFICE-REVOKED", "OFFICE-FENCED", "SYNC-FENCED", "SYNC-REVOKED"])
def test_what_happened_and_who_can_help_stands_there_alone(window_hall: Hall, code: str) -> None:
    hall, page = window_hall, window_hall.window._sign_in
    hall.office.failure = code
    try_it(hall)
    text = failures.text(code, "zh")
    assert (page._why.text(), page._action.text()) == (text.sentence, text.action)
    assert code in page._code.text()
    assert not page._fields.isVisible() and page.banner.message is None
    assert page._fields._password.text() == ""
    assert hall.window.counter is None
    assert hall.focus() is page._enter
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert page._why.text() == failures.text(code, "en").sentence
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_after_it_helped_the_same_page_goes_on(window_hall: Hall) -> None:
    hall = window_hall
    hall.office.failure = "OFFICE-REVOKED"
    try_it(hall)
    hall.office.failure = ""
    hall.press(Qt.Key.Key_Return)
    assert hall.window._sign_in._fields.isVisible()
    hall.type(PASSWORD)
    hall.press(Qt.Key.Key_Return)
    assert hall.counter.shown.operator.staff_no == CLERK
