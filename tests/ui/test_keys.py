"""Every act has a key, the key stands on its button, and it works wherever the focus is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit
from window_fakes import LI
from window_hall import Hall

from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import ChoiceBox, KeyButton


@pytest.fixture
def filling(window_hall: Hall) -> Hall:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    return hall


def test_no_key_does_two_things(window_hall: Hall) -> None:
    keys = [shortcut.key().toString() for shortcut in window_hall.window.findChildren(QShortcut)]
    assert sorted(keys) == sorted(QKeySequence(key).toString() for key in Key)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("kind", [QLineEdit, QPlainTextEdit, ChoiceBox])
def test_every_key_works_from_within_a_field(
    filling: Hall, monkeypatch: pytest.MonkeyPatch, kind: type
) -> None:
    pressed: list[Key] = []
    monkeypatch.setattr(filling.window, "press", pressed.append)
    field = next(f for f in filling.counter.steps.form.findChildren(kind) if f.isVisible())
    for key in Key:
        field.setFocus()
        QTest.keySequence(QApplication.focusWidget(), QKeySequence(key))
        QApplication.processEvents()
    assert pressed == list(Key)


def test_the_buttons_show_their_keys(filling: Hall) -> None:
    bar = filling.counter.bar
    shown = {button.accessibleName() for button in bar.findChildren(KeyButton) if button.isVisible()}
    assert {"收件 F8", "受理并打印 F9", "办结送客 F7"} <= shown
    assert filling.counter.ticket._call.accessibleName() == "叫号 F1"


def test_legal_weight_needs_a_chord() -> None:
    assert Key.VOID.count("+") == 2
    assert all(
        "+" not in key for key in (Key.CALL, Key.RECALL, Key.NO_SHOW, Key.RECEIVE, Key.ACCEPT, Key.FINISH)
    )


def test_arrows_and_enter_find_an_item_without_leaving_the_line(window_hall: Hall) -> None:
    hall = window_hall
    counter = hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("all")
    line = hall.focus()
    hall.press(Qt.Key.Key_Right)
    hall.press(Qt.Key.Key_Down)
    hall.press(Qt.Key.Key_Down)
    assert hall.focus() is line
    hall.press(Qt.Key.Key_Return)
    assert counter.shown.draft.item.body_name == "绵阳市涪城区人力资源和社会保障局"


def test_a_closed_gate_leads_to_the_field_that_must_be_mended(filling: Hall) -> None:
    filling.press(Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    filling.press(Qt.Key.Key_F9)
    assert filling.counter.steps.open_number == 4
    assert filling.focus() is filling.counter.steps.form._editors["phone"]._editor
    assert filling.counter.steps.form._editors["phone"]._note.text() == "必填，请补充"


def test_escape_closes_the_topmost_first(filling: Hall) -> None:
    filling.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    filling.press(Qt.Key.Key_Escape)
    assert filling.counter.outbox.isHidden()
    assert filling.counter.shown.draft.item is not None
