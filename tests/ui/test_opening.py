"""The sign-in page comes first, the workstation behind it: what is typed early counts, what fails is told."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot
from window_fakes import CLERK, DEVICE, PASSWORD
from window_hall import Hall

from clerk_app import application
from clerk_app.failures import Failure
from clerk_app.settings import Settings
from clerk_app.ui.application import ClerkWindow
from clerk_app.workstation import Workstation


def test_a_clerk_who_signs_in_before_the_desk_is_there_is_signed_in_once_it_is(window_hall: Hall) -> None:
    bot = window_hall.bot
    window = ClerkWindow(window_hall.preferences)
    bot.addWidget(window)
    window.show()
    assert _says(window, "正在打开工作站…")
    staff, password = window.findChildren(QLineEdit)
    bot.keyClicks(staff, CLERK)
    bot.keyClicks(password, PASSWORD)
    bot.keyClick(password, Qt.Key.Key_Return)
    assert window.idle and window.counter is None
    shift = window_hall.window._shift
    assert shift is not None
    window.open(shift._services)
    assert _says(window, DEVICE.hall_name)
    bot.waitUntil(lambda: window.counter is not None and window.idle, timeout=5_000)
    window.close()


def test_a_workstation_that_does_not_open_takes_its_window_away_and_says_why(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    seen: list[ClerkWindow] = []

    def locked() -> Workstation:
        assert threading.current_thread() is not threading.main_thread()
        raise Failure("STORE-IN-USE")

    with pytest.raises(Failure, match="STORE-IN-USE"):
        application.show(qapp, Settings(tmp_path), locked, opened=seen.append)
    assert not seen[0].isVisible()
    assert gc.isenabled()


def test_a_window_closed_while_the_workstation_opens_waits_for_it(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    closed, opened = threading.Event(), threading.Event()

    def slow() -> Workstation:
        assert closed.wait(5)
        opened.set()
        raise Failure("STORE-IN-USE")

    def close(window: ClerkWindow) -> None:
        QTimer.singleShot(0, lambda: (window.close(), closed.set()))

    assert application.show(qapp, Settings(tmp_path), slow, opened=close) == 0
    assert opened.is_set()


def _says(window: ClerkWindow, words: str) -> bool:
    return any(words in label.text() for label in window.findChildren(QLabel) if label.isVisible())
