"""The doctor in the window: lines as they are found, what to do, another look, a test page, the report."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton
from window_hall import Hall

from clerk_app.desk.ports import Check, Level
from clerk_app.ui.doctor_sheet import DoctorSheet
from clerk_app.ui.keys import Key

FOUND = [
    Check("settings"),
    Check("reader", values=(("readers", "Virtual PCD 00 00"), ("driver", "pcsc"))),
    Check("card", said="read", values=(("document", "resident_id"),)),
    Check("printer", Level.FAIL, "PRINTER-PAPER-OUT"),
    Check("clock", Level.WARN, "DOCTOR-CLOCK", detail="the office is 305 s ahead"),
    Check("test_page"),
]
BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def doctor(window_hall: Hall) -> Hall:
    window_hall.doctor.found[:] = FOUND
    return window_hall


def open_(hall: Hall) -> DoctorSheet:
    hall.press(Qt.Key.Key_I, BOTH)
    sheet = hall.window.doctor
    assert sheet is not None
    return sheet


def ended(hall: Hall, sheet: DoctorSheet) -> None:
    hall.bot.waitUntil(lambda: not sheet.page.busy, timeout=5_000)
    hall.settle()


def lines(sheet: DoctorSheet) -> list[str]:
    return [line.accessibleName() for line in sheet.page._lines.values()]


def test_the_lines_appear_as_they_are_found(doctor: Hall) -> None:
    doctor.doctor.gate.clear()
    sheet = open_(doctor)
    page = sheet.page
    doctor.bot.waitUntil(lambda: len(page.checks) == 4, timeout=5_000)
    assert page.busy
    assert lines(sheet)[-1] == "时钟 等待"
    assert lines(sheet)[0].startswith("设置文件 · 正常")
    doctor.doctor.gate.set()
    ended(doctor, sheet)
    assert page._summary.told == ("bad", "正常 3 项，警告 1 项，故障 1 项", "bad")
    printer = lines(sheet)[3]
    assert "故障" in printer
    assert "PRINTER-PAPER-OUT" in printer


def test_it_is_there_before_anybody_signs_in_and_at_the_counter(doctor: Hall) -> None:
    page = doctor.window.centralWidget().currentWidget()
    button = next(b for b in page.findChildren(QPushButton) if b.toolTip() == Key.DOCTOR)
    button.click()
    sheet = doctor.window.doctor
    assert sheet is not None
    ended(doctor, sheet)
    assert sheet.isVisible()
    doctor.press(Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    counter = doctor.sign_in()
    counter.header.findChildren(QPushButton)
    counter.header._doctor.click()
    ended(doctor, sheet)
    assert sheet.isVisible()
    assert doctor.doctor.asked == [False, False]


def test_escape_gives_the_focus_back_and_leaves_the_work_alone(doctor: Hall) -> None:
    counter = doctor.sign_in()
    doctor.press(Qt.Key.Key_F1)
    before = QApplication.focusWidget()
    sheet = open_(doctor)
    ended(doctor, sheet)
    assert sheet.isAncestorOf(QApplication.focusWidget())
    doctor.press(Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is before
    assert counter.shown.visit is not None


def test_tab_stays_inside_and_reaches_every_detail(doctor: Hall) -> None:
    doctor.sign_in()
    sheet = open_(doctor)
    ended(doctor, sheet)
    seen = set()
    for _ in range(20):
        doctor.press(Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        assert sheet.isAncestorOf(focus)
        seen.add(focus.accessibleName())
    assert {"打印机 详情", "时钟 详情", "再检查", "打印测试页", "复制报告"} <= seen


def test_details_unfold_for_it(doctor: Hall) -> None:
    sheet = open_(doctor)
    ended(doctor, sheet)
    clock = sheet.page._lines["clock"]
    assert not clock._code.isVisible()
    clock._more.click()
    assert clock._code.isVisible()
    assert clock._code.text() == "DOCTOR-CLOCK\nthe office is 305 s ahead"


def test_again_looks_again_and_a_second_press_does_not(doctor: Hall) -> None:
    sheet = open_(doctor)
    ended(doctor, sheet)
    doctor.doctor.found[3] = Check("printer")
    doctor.doctor.gate.clear()
    sheet.page.again.click()
    sheet.page.again.click()
    doctor.doctor.gate.set()
    ended(doctor, sheet)
    assert doctor.doctor.asked == [False, False]
    assert sheet.page._summary.told[2] == "warn"


def test_a_test_page_is_one_more_line(doctor: Hall) -> None:
    sheet = open_(doctor)
    ended(doctor, sheet)
    sheet.page.test_page.click()
    ended(doctor, sheet)
    assert doctor.doctor.asked == [False, True]
    assert lines(sheet)[-1].startswith("测试页 · 正常")


def test_the_report_is_copied_as_text(doctor: Hall) -> None:
    sheet = open_(doctor)
    ended(doctor, sheet)
    sheet.page.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "PRINTER-PAPER-OUT" in copied
    assert "读到一张居民身份证" in copied
    assert len(copied.splitlines()) == 9


def test_closing_the_window_does_not_wait_for_the_doctor(doctor: Hall) -> None:
    doctor.doctor.gate.clear()
    open_(doctor)
    doctor.window.close()
    doctor.bot.waitUntil(doctor.window.isHidden, timeout=5_000)
    doctor.doctor.gate.set()
