"""How long nobody has touched the window: no key, no click, no card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from shiboken6 import isValid

_TOUCHES = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.InputMethod,
    }
)
_LOOK_MS = 5_000


class IdleWatch(QObject):
    """Signals: idle, once `minutes` have passed without a touch; never with 0.

    Both clocks count, whichever says more: the one that only grows, because the other can be turned back,
    and the wall clock, because the first may stand still while the computer sleeps.
    """

    idle = Signal()

    def __init__(self, minutes: int, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._limit = timedelta(minutes=minutes)
        self._now, self._monotonic = now, monotonic
        self._touched = now(), monotonic()
        self._watched: list[QObject] = []
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Count from now on, in whichever window of this program has the keyboard."""
        if not self._limit or self._timer.isActive():
            return
        self.touch()
        self._timer.start()
        app = _app()
        app.focusWindowChanged.connect(self._follow)
        app.focusObjectChanged.connect(self._follow)
        self._follow()

    def stop(self) -> None:
        if not self._timer.isActive():
            return
        self._timer.stop()
        app = _app()
        app.focusWindowChanged.disconnect(self._follow)
        app.focusObjectChanged.disconnect(self._follow)
        self._watch()

    def touch(self) -> None:
        """Somebody is here."""
        self._touched = self._now(), self._monotonic()

    def look(self) -> None:
        """Tell when it has been too long."""
        wall, running = self._touched
        still = max(self._now() - wall, timedelta(seconds=self._monotonic() - running))
        if self._timer.isActive() and still >= self._limit:
            self.idle.emit()

    def _follow(self, _now: object = None) -> None:
        """What an input method composes reaches the focused part alone; everything else its window."""
        app = _app()
        self._watch(*(part for part in (app.focusWindow(), app.focusObject()) if part is not None))

    def _watch(self, *parts: QObject) -> None:
        for part in self._watched:
            if isValid(part):
                part.removeEventFilter(self)
        self._watched = list(parts)
        for part in parts:
            part.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES:
            self.touch()
        return False


def _app() -> QGuiApplication:
    app = QCoreApplication.instance()
    assert isinstance(app, QGuiApplication), "a window needs an application"
    return app
