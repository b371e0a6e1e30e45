"""The bar code scanner as a keyboard: a burst of keys that nobody can type is a scan, wherever the focus is.

The first keys of a burst are held back, so that no half of a scan lands in the field that has the focus; when
it turns out that somebody types, they are handed on unchanged and in their order, `HOLD_MS` later at most.
Every key passes the filter of the window that has the keyboard before Qt looks for a widget, a menu or a
dialog's default button. What an input method composes never passes it: that is left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QElapsedTimer, QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QWindow
from shiboken6 import isValid

GAP_MS = 35
"""Longer between two keys, and it is a person: the fastest typists reach some 60 ms."""
HOLD_MS = 38
LONG_GAP_MS = 80
"""Within a burst that has `LEAST` characters already: radio scanners stumble."""
LEAST = 4
_LONGEST = 4096

_ENDS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
_MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_AltGr, Qt.Key.Key_CapsLock, Qt.Key.Key_NumLock)
_CHORD = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)
# Scanners press the keys of an American keyboard; another layout turns them into other characters. Its four
# rows by hardware code: X11 and Wayland count from 8, Windows from 0.
_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
)
_AMERICAN = {
    first + place: pair
    for first, plain, shifted in _ROWS
    for place, pair in enumerate(zip(plain, shifted, strict=True))
}


class Wedge(QObject):
    """Tells scans apart from typing. Signals: scanned(text), with its line ends inside.

    `known` says whether a text means anything: a burst that ends without Enter or Tab is a scan only then.
    `at` gives the moment of a key in milliseconds. It is the moment the key was pressed, not the moment it
    arrived: after a busy moment of the window, what a person typed arrives in one burst.
    """

    scanned = Signal(str)

    def __init__(self, known: Callable[[str], bool], at: Callable[[QKeyEvent], int] | None = None) -> None:
        super().__init__()
        self._known = known
        self._running = QElapsedTimer()
        self._running.start()
        self._at = at or self._pressed_at
        self._window: QWindow | None = None
        self._held: list[tuple[QWindow, QKeyEvent]] = []
        self._text = ""
        self._american = ""
        self._last = 0
        self._ended = False
        self._handing_on = self._listening = False
        self._patience = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._patience.timeout.connect(self._lapse)
        self._armed = QElapsedTimer()

    def start(self) -> None:
        """Listen to whichever window of this program has the keyboard."""
        if self._listening:
            return
        self._listening = True
        app = _app()
        app.focusWindowChanged.connect(self._move)
        self._move(app.focusWindow())

    def stop(self) -> None:
        """Listen no more; what is held is handed on."""
        if not self._listening:
            return
        self._listening = False
        _app().focusWindowChanged.disconnect(self._move)
        self._move(None)

    def _move(self, window: QWindow | None) -> None:
        self._hand_on()
        if self._window is not None and isValid(self._window):
            self._window.removeEventFilter(self)
        self._window = window
        if window is not None:
            window.installEventFilter(self)

    # --- keys ----------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            self._handing_on
            or event.type() not in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease)
            or not isinstance(event, QKeyEvent)
            or not isinstance(watched, QWindow)
        ):
            return False
        if event.type() == QEvent.Type.KeyRelease:
            return self._released(watched, event)
        return self._pressed(watched, event)

    def _released(self, window: QWindow, event: QKeyEvent) -> bool:
        """A release follows its press: held with it, or passed on behind it."""
        if not self._held:
            return False
        self._held.append((window, event.clone()))
        return True

    def _pressed(self, window: QWindow, event: QKeyEvent) -> bool:
        now = self._at(event)
        if self._held and not 0 <= now - self._last <= self._gap():
            self._settle()
        character = _character(event)
        if event.isAutoRepeat() or event.modifiers() & _CHORD:
            character = ""
        ends = event.key() in _ENDS and not event.modifiers() & _CHORD
        if character:
            self._ended = False
        elif ends and len(self._text) >= LEAST:
            self._ended = True
            character = "\t" if event.key() == Qt.Key.Key_Tab else "\n"
        elif not (event.key() in _MODIFIERS and self._held):
            self._settle()
            return False
        self._text += character
        self._american += _american(event) if character and not ends else character
        self._hold(window, event, now)
        return True

    def _hold(self, window: QWindow, event: QKeyEvent, now: int) -> None:
        self._held.append((window, event.clone()))
        self._last = now
        if len(self._text) > _LONGEST:
            self._settle()
            return
        self._wait(LONG_GAP_MS if self._is_burst() else HOLD_MS)

    def _gap(self) -> int:
        return LONG_GAP_MS if self._is_burst() else GAP_MS

    def _is_burst(self) -> bool:
        return len(self._text) >= LEAST

    # --- what it was -----------------------------------------------------------------------------------

    def _wait(self, milliseconds: int) -> None:
        self._armed.start()
        self._patience.start(milliseconds)

    def _lapse(self) -> None:
        """No further key came. A timer that comes late says that the window was busy: then the keys that
        wait behind it are looked at first.
        """
        if self._armed.elapsed() > self._patience.interval() + GAP_MS:
            self._wait(0)
        else:
            self._settle()

    def _settle(self) -> None:
        """Tell the scan, or hand on what was typed."""
        text = self._scan()
        if text:
            self._drop()
            self.scanned.emit(text)
        else:
            self._hand_on()

    def _scan(self) -> str:
        """The scanned text, read as an American keyboard where only that makes sense; empty for typing."""
        if len(self._text.strip()) < LEAST:
            return ""
        for text in (self._text, self._american):
            if self._known(text):
                return text
        return self._text if self._ended else ""

    def _hand_on(self) -> None:
        held = self._held
        self._drop()
        self._handing_on = True
        try:
            for window, event in held:
                if isValid(window):
                    QCoreApplication.sendEvent(window, event)
        finally:
            self._handing_on = False

    def _drop(self) -> None:
        self._patience.stop()
        self._held, self._text, self._american, self._ended = [], "", "", False

    def _pressed_at(self, event: QKeyEvent) -> int:
        """The window system's time of the key; where it gives none, the time of arrival."""
        return event.timestamp() or self._running.elapsed()


def _app() -> QGuiApplication:
    app = QGuiApplication.instance()
    assert isinstance(app, QGuiApplication), "keys need an application"
    return app


def _character(event: QKeyEvent) -> str:
    """What the key writes; empty for keys that write nothing."""
    text = event.text()
    return text if text and text.isprintable() else ""


def _american(event: QKeyEvent) -> str:
    """What the key would write on an American keyboard, or what it writes where its place is not known."""
    code = event.nativeScanCode() - (0 if sys.platform == "win32" else 8)
    pair = _AMERICAN.get(code)
    if pair is None:
        return _character(event)
    return pair[1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0]
