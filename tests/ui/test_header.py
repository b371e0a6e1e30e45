"""The header: who sits where, and the true state of everything that can fail, at any width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot
from window_fakes import DEVICE, MORNING
from window_hall import Hall, hall

from clerk_app.desk.ports import LinkState, LinkStatus, PaperState, PrinterStatus
from clerk_app.desk.views import StatusView
from clerk_app.failures import text
from clerk_app.ui import theme, words
from clerk_app.ui.header import Header
from clerk_app.ui.services import Look

OUT = PrinterStatus(PaperState.OUT, "PRINTER-PAPER-OUT")


@pytest.fixture
def busy(qtbot: QtBot, qapp: QApplication) -> Iterator[Header]:
    """Practice, offline, eleven to send, no paper: everything the header ever has to say at once."""
    theme.apply(qapp, "light", 100)
    window = QWidget()
    qtbot.addWidget(window)
    header = Header()
    header.setParent(window)
    window.show()
    header.show_status(status())
    header.show_printer(OUT)
    yield header
    header.setParent(None)


def status() -> StatusView:
    return StatusView(
        hall=DEVICE.hall_name,
        hall_en=DEVICE.hall_name_en,
        window="12",
        operator="王芳",
        operator_en="Wang Fang",
        staff_no="1024",
        practice=True,
        link=LinkStatus(LinkState.OFFLINE, since=MORNING),
        unsent=11,
        oldest_unsent=MORNING,
        tasks=2,
        papers_waiting=1,
        numbers_left=90,
        items=66_774,
    )


def fit(header: Header, width: int) -> None:
    header.resize(width, 46)
    header.show()
    header.retranslate()
    QApplication.processEvents()


@pytest.mark.parametrize("language", words.LANGUAGES)
@pytest.mark.parametrize("scale", theme.SCALES)
def test_nothing_is_clipped_and_the_clerk_is_named_in_full(
    busy: Header, qapp: QApplication, language: str, scale: int
) -> None:
    words.speak(language)
    theme.apply(qapp, "light", scale)
    try:
        fit(busy, 1366)
        clerk = busy._clerk
        assert clerk.text() == ("Wang Fang 1024" if language == "en" else "王芳 1024")
        for part in busy.findChildren(QLabel):
            if part.isVisible() and part is not busy._hall:
                assert part.width() >= part.sizeHint().width(), part.text()
        assert busy._sign_out.geometry().right() < 1366
    finally:
        words.speak("zh")
        theme.apply(qapp, "light", 100)


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_on_the_hall_pc_the_hall_is_named_in_full_offline_and_without_paper(
    busy: Header, language: str
) -> None:
    words.speak(language)
    try:
        busy.show_status(replace(status(), tasks=0))
        fit(busy, 1366)
        assert busy._hall.isVisible()
        assert busy._hall.text() == busy._hall.whole
    finally:
        words.speak("zh")


def test_what_is_left_out_stands_in_the_tooltip(busy: Header) -> None:
    fit(busy, 900)
    assert busy._link.text == "离线"
    assert busy._link.toolTip() == "离线 · 自 10:42"
    assert busy._practice.toolTip() == "练习模式 · 不是真实业务"
    fit(busy, 1920)
    assert busy._link.text == "离线 · 自 10:42"
    assert busy._practice.text() == "练习模式 · 不是真实业务"


@pytest.mark.parametrize(
    ("told", "said", "warns"),
    [
        (PrinterStatus(), "打印机状态未知", False),
        (PrinterStatus(PaperState.OK), "打印机就绪", False),
        (PrinterStatus(PaperState.NEAR_END), "打印纸将尽", True),
        (PrinterStatus(PaperState.UNKNOWN, "PRINTER-SILENT"), "打印机状态未知", True),
        (PrinterStatus(PaperState.UNKNOWN, "PRINTER-UNREACHABLE"), "打印机不可用", True),
        (OUT, "打印机不可用", True),
    ],
)
def test_the_printer_is_told_as_it_is(busy: Header, told: PrinterStatus, said: str, warns: bool) -> None:
    busy.show_printer(told)
    fit(busy, 1920)
    assert (busy._printer_chip.text, busy._printer_chip.told[2]) == (said, "warn" if warns else "")
    if told.code:
        assert text(told.code).sentence in busy._printer_chip.toolTip()
        assert told.code in busy._printer_chip.toolTip()


def test_a_window_with_a_name_of_its_own_is_not_called_a_number(
    qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("window_hall.DEVICE", replace(DEVICE, window="3号专窗"))
    with hall(qtbot, qapp, look=Look("zh")) as made:
        assert made.window.windowTitle() == "3号专窗 · 政务服务"
        assert made.window._sign_in._where.text() == "绵阳市政务服务中心 · 3号专窗"
        counter = made.sign_in()
        assert counter.header._window.text() == "3号专窗"


def test_the_clock_of_the_link_goes_on(window_hall: Hall) -> None:
    counter = window_hall.sign_in()
    window_hall.window.resize(1920, 1080)
    window_hall.settle()
    assert counter.header._link.text == "在线 · 已同步 10:42"
    window_hall.link[:] = [LinkStatus(LinkState.ONLINE, synced_at=MORNING + timedelta(minutes=5))]
    window_hall.changed("link")
    assert counter.header._link.text == "在线 · 已同步 10:47"
