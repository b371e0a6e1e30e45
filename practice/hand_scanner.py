"""A bar code scanner without a scanner: the keys it would press, in the clerk's window.

The keys go through the window's own door, so that what tells scans from typing is tried as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow
from PySide6.QtWidgets import QWidget

from clerk_app.devices.printer.simulator.paper import Paper

PATIENCE_MS = 800
"""How long the clerk's window may take to get the keyboard."""

_CODE = re.compile(r"^\[(?:QR|CODE128) (.+)\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """Something to scan that no printer of this hall made; its lines have an Enter behind each."""

    words: str
    text: str


SAMPLES = (
    # ICAO Doc 9303-4, appendix A: Utopia exists nowhere else.
    Sample(
        "护照样本 · Specimen passport",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F3204153ZE184226B<<<<<16",
    ),
    Sample(
        "港澳通行证 · Mainland travel permit",
        "CRCHNH123456783<<<<<<<<<<<<<<<\n8503024F3109144HKG<<<<<<<<<<<0\nCHAN<<SIU<MAN<<<<<<<<<<<<<<<<<",
    ),
    Sample(
        "护照读错一位 · Passport, one digit misread",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408132F3204153ZE184226B<<<<<16",
    ),
    Sample("排队票 A031 · Paper ticket A031", "A031"),
    Sample("别处的条码 · A bar code from elsewhere", "6901234567892"),
)


def code_on(paper: Paper) -> str:
    """What a scanner reads on `paper`; empty when there is no code on it."""
    found = _CODE.search(paper.text)
    return found[1] if found else ""


class HandScanner(QObject):
    """Presses keys in `window`, which is given the keyboard first: a scanner writes to where the clerk is."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._text = ""
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._press)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication), "keys need an application"
        app.focusWindowChanged.connect(self._arrived)

    def scan(self, text: str) -> None:
        """Scan `text`; where the desktop does not hand over the keyboard, into the window that has it."""
        self._text = text
        if self._has_keyboard():
            self._press()
        else:
            self._window.activateWindow()
            self._patience.start()

    def _arrived(self, _window: QWindow | None) -> None:
        if self._text and self._has_keyboard():
            QTimer.singleShot(0, self._press)  # one turn later: the window itself must have heard of it too

    def _has_keyboard(self) -> bool:
        handle = self._window.windowHandle()
        return handle is not None and QGuiApplication.focusWindow() is handle

    def _press(self) -> None:
        text, self._text = self._text, ""
        self._patience.stop()
        window = QGuiApplication.focusWindow()
        if window is None:
            return
        for line in text.splitlines():
            for character in line:
                _key(window, _place(character), character)
            _key(window, Qt.Key.Key_Return, "\r")


def _place(character: str) -> int:
    return ord(character.upper())  # Qt's keys are named by their capital letter


def _key(window: QWindow, key: int, character: str) -> None:
    shifted = character.isupper() or character == "<"
    modifiers = Qt.KeyboardModifier.ShiftModifier if shifted else Qt.KeyboardModifier.NoModifier
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QCoreApplication.sendEvent(window, QKeyEvent(kind, key, modifiers, character))
