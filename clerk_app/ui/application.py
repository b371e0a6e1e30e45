"""The main window: the sign-in page at once, the counter behind it, the look, and the one way out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QDeadlineTimer, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from clerk_app.ui import theme, words
from clerk_app.ui.bridge import Bridge
from clerk_app.ui.keys import Key
from clerk_app.ui.look_menu import look_menu
from clerk_app.ui.services import Look, Preferences, Services
from clerk_app.ui.sign_in_page import SignInPage
from clerk_app.ui.words import tr

if TYPE_CHECKING:
    import asyncio

    from clerk_app.ui.counter import Counter
    from clerk_app.ui.doctor_sheet import DoctorSheet
    from clerk_app.ui.shift import Shift

_CLOSE_MS = 3000
"""How long closing waits for an act under way; a network call may hang for longer."""
_CLOSE_LOOK_MS = 30


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication), "a window needs an application"
    return app


def event_loop(app: QApplication) -> asyncio.AbstractEventLoop:
    """The asyncio loop that runs inside Qt's; `run_forever()` shows the window until it is closed."""
    import asyncio

    import qasync

    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    return loop


class ClerkWindow(QMainWindow):
    """The window of one workstation. It owns the card reader while it is open.

    It shows the sign-in page from its first moment and takes what is typed there; `open` gives it the desk.
    """

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self._look = preferences.load()
        self._bridge = Bridge(self)
        self._shift: Shift | None = None
        self._doctor: DoctorSheet | None = None
        self._window_name = ""
        self._early: tuple[str, str] | None = None
        self._closing: QDeadlineTimer | None = None
        theme.apply(_app(), self._look.theme, self._look.scale)
        self._sign_in = SignInPage()
        self._pages = QStackedWidget()
        self._pages.addWidget(self._sign_in)
        self.setCentralWidget(self._pages)
        self._tie()
        self._show_look()
        self.resize(1366, 768)
        self._sign_in.focus_first()

    def open(self, services: Services) -> None:
        """The desk is there: say where this window stands, take cards, let sign in who asked already."""
        from clerk_app.ui.doctor_sheet import DoctorSheet
        from clerk_app.ui.shift import Shift  # most of the window, and the desk behind it

        device = services.desk.device
        self._window_name = device.window
        self._sign_in.stand_at(
            device.hall_name,
            device.hall_name_en,
            device.window,
            practice=services.practice or device.practice,
        )
        self._show_look()
        shift = Shift(services, self._pages, self._sign_in)
        shift.language_asked.connect(self.switch_language)
        shift.look_asked.connect(self.open_look_menu)
        shift.doctor_asked.connect(self.open_doctor)
        self._bridge.card.connect(shift.card_event)
        self._bridge.changed.connect(shift.read_topics)
        self._shift = shift
        self._doctor = DoctorSheet(self._pages, services.doctor)
        self._pages.currentChanged.connect(lambda _page: self._doctor and self._doctor.put_away())
        services.subscribe(self._bridge.on_changed)
        services.reader.start(self._bridge.on_card)
        if self._early is not None:
            early, self._early = self._early, None
            shift.sign_in(*early)

    @property
    def counter(self) -> Counter | None:
        """The counter of the signed-in clerk."""
        return self._shift.counter if self._shift is not None else None

    @property
    def idle(self) -> bool:
        """Whether no act is under way."""
        return self._shift is None or self._shift.idle

    def _tie(self) -> None:
        self._sign_in.asked.connect(self._ask_sign_in)
        self._sign_in.language_asked.connect(self.switch_language)
        self._sign_in.look_asked.connect(self.open_look_menu)
        self._sign_in.doctor_asked.connect(self.open_doctor)
        for key in Key:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
            shortcut.activated.connect(lambda key=key: self.press(key))

    def press(self, key: Key) -> None:
        """Do what `key` means now; wherever the focus is."""
        if key is Key.LANGUAGE:
            self.switch_language()
        elif key is Key.LOOK:
            self.open_look_menu()
        elif key is Key.DOCTOR:
            if self._shift is None or not self._shift.locked:
                self.open_doctor()
        elif key is Key.CLOSE and self._doctor is not None and self._doctor.put_away():
            return
        elif self._shift is not None:
            self._shift.press(key)

    def _ask_sign_in(self, staff_no: str, password: str) -> None:
        if self._shift is not None:
            self._shift.sign_in(staff_no, password)
        else:
            self._early = (staff_no, password)
            self._sign_in.show_busy(True)

    def sign_out(self) -> None:
        """Leave the counter; what is unfinished stays in the store."""
        if self._shift is not None:
            self._shift.sign_out()

    # --- the look ------------------------------------------------------------------------------------

    def switch_language(self) -> None:
        self.set_look(replace(self._look, language="en" if self._look.language == "zh" else "zh"))

    def open_look_menu(self) -> None:
        button = (self._shift and self._shift.look_button) or self._sign_in.look_button
        menu = look_menu(self, self._look, self.set_look)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def open_doctor(self) -> None:
        """Look at everything this window needs; nothing before there is a workstation."""
        if self._doctor is not None:
            self._doctor.open()

    @property
    def doctor(self) -> DoctorSheet | None:
        """The sheet of the doctor, once there is a workstation."""
        return self._doctor

    def set_look(self, look: Look) -> None:
        """Show another language, theme or size, and keep it."""
        self._look = look
        self._preferences.save(look)
        self._show_look()

    def _show_look(self) -> None:
        words.speak(self._look.language)
        theme.apply(_app(), self._look.theme, self._look.scale)
        name = self._window_name
        self.setWindowTitle(tr("app.title", window=words.window_name(name)) if name else tr("app.opening"))
        self._sign_in.retranslate()
        if self._shift is not None:
            self._shift.retranslate()
        if self._doctor is not None:
            self._doctor.retranslate()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The one way out: no more cards, the field in hand stored, what ends within seconds is awaited."""
        shift = self._shift
        if shift is None:
            super().closeEvent(event)
            return
        if self._closing is None:
            self._closing = QDeadlineTimer(_CLOSE_MS)
            shift.take_no_more()
        if shift.idle or self._closing.hasExpired():
            shift.end()
            super().closeEvent(event)
        else:
            event.ignore()
            QTimer.singleShot(_CLOSE_LOOK_MS, self.close)
