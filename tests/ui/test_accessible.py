"""A whole desk by keyboard and by screen reader: names and roles everywhere, and what matters is heard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QWidget,
)
from window_fakes import LI
from window_hall import Hall

from clerk_app.desk.ports import CardFailed
from clerk_app.ui import announce
from clerk_app.ui.pieces import ElidedLabel

INTERACTIVE = (QAbstractButton, QComboBox, QLineEdit, QListView, QPlainTextEdit)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []

    def listen(event: QAccessibleAnnouncementEvent) -> None:
        said.append(event.message())

    monkeypatch.setattr(announce, "_send", listen)
    return said


def reachable(root: QWidget) -> list[QWidget]:
    return [
        widget
        for widget in root.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE)
        and widget.isVisible()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]


def nameless(root: QWidget) -> list[str]:
    found = []
    for widget in reachable(root):
        interface = QAccessible.queryAccessibleInterface(widget)
        name = interface.text(QAccessible.Text.Name)
        if not name or interface.role() in (QAccessible.Role.NoRole, QAccessible.Role.Client):
            found.append(f"{type(widget).__name__} {name!r} {interface.role()}")
    return found


def test_every_control_has_a_name_and_a_role(window_hall: Hall) -> None:
    hall = window_hall
    assert nameless(hall.window) == []
    hall.sign_in()
    assert nameless(hall.window) == []
    hall.press(Qt.Key.Key_F1)
    hall.press(Qt.Key.Key_T, Qt.KeyboardModifier.AltModifier)
    assert nameless(hall.window) == []
    hall.lay_card(LI)
    hall.type("补领")
    assert nameless(hall.window) == []
    hall.press(Qt.Key.Key_Return)
    for step in range(1, 7):
        hall.counter.steps.open_step(step)
        hall.settle()
        assert nameless(hall.window) == [], step
    hall.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert nameless(hall.window) == []


def test_tab_reaches_every_control_and_comes_round(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    wanted = set(reachable(hall.window))
    seen: set[QWidget] = set()
    for _ in range(len(wanted) * 2):
        hall.bot.keyClick(hall.focus(), Qt.Key.Key_Tab)
        seen.add(QApplication.focusWidget())
    assert {w.accessibleName() for w in wanted} - {w.accessibleName() for w in seen} == set()


def test_tab_goes_as_one_reads_also_through_what_was_built_anew(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    hall.counter.steps.form._editors["name"].focus()
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    names = []
    for _ in range(6):
        names.append(hall.focus().accessibleName())
        hall.press(Qt.Key.Key_Tab)
    assert names == ["Name", "Document number", "Address", "Phone", "Partner bank", "Remark"]
    hall.press(Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert hall.focus().accessibleName() == "Remark"
    hall.counter.steps.open_step(5)
    names = []
    for _ in range(7):
        names.append(hall.focus().accessibleName())
        hall.press(Qt.Key.Key_Tab)
    assert names[:3] == ["Resident ID card", "How Resident ID card was handed over", "Application form"]
    assert names[6].startswith("Step 6"), "the steps go on where the rebuilt materials end"
    hall.press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)


def test_the_screen_reader_hears_the_called_number_the_card_the_results_and_the_case(
    window_hall: Hall, heard: list[str]
) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    assert "请 A037 号" in heard
    hall.lay_card(LI)
    assert "已读取 李晓明 的证件" in heard
    hall.type("补领")
    assert "找到 1 项" in heard


def test_the_screen_reader_hears_failures_with_what_to_do(window_hall: Hall, heard: list[str]) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.reader.lay(CardFailed("CARD-PULLED"))
    hall.settle()
    assert any("请把证件重新放好" in said for said in heard)
    hall.office.failure = "SYNC-OFFLINE"
    hall.press(Qt.Key.Key_F2)
    assert len([said for said in heard if said]) >= 3


def test_shortened_text_has_the_whole_in_its_tooltip(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.window.resize(1100, 700)
    hall.settle()
    shortened = [line for line in hall.window.findChildren(ElidedLabel) if line.text() != line.whole]
    assert all(line.toolTip() == line.whole for line in shortened)
    hall.counter.header._hall.resize(50, 20)
    assert hall.counter.header._hall.toolTip() == "绵阳市政务服务中心"


def test_list_rows_speak(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()
    index = hall.counter.waiting.model.index(2)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Y012，预约已到，已等 6 分"


def test_a_folded_item_says_who_decides_and_how_fast(window_hall: Hall) -> None:
    hall = window_hall
    hall.sign_in()
    hall.press(Qt.Key.Key_F1)
    hall.lay_card(LI)
    hall.type("补领")
    hall.press(Qt.Key.Key_Return)
    step, item = hall.counter.steps.item, hall.counter.shown.draft.item
    assert not step.is_open
    assert step._summary.whole == f"社会保障卡补领  ·  {item.body_name}  ·  当场办结"
    step._summary.resize(60, 20)
    assert step._summary.whole in step._head.toolTip(), "the head is what the pointer meets"
