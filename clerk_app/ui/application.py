"""The main window: sign-in, the counter, the look, and the one way out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import qasync
from PySide6.QtCore import QDeadlineTimer, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from clerk_app.desk import sign_in
from clerk_app.desk.ports import CardEvent, ReaderState, ReaderStatus
from clerk_app.ui import theme, words
from clerk_app.ui.async_action import Actions
from clerk_app.ui.bridge import Bridge
from clerk_app.ui.counter import Counter
from clerk_app.ui.keys import STEPS, Key
from clerk_app.ui.look_menu import look_menu
from clerk_app.ui.services import Look, Services
from clerk_app.ui.sign_in_page import SignInPage
from clerk_app.ui.words import tr

_CLOSE_MS = 3000
"""How long closing waits for an act under way; a network call may hang for longer."""
_CLOSE_LOOK_MS = 30


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication), "a window needs an application"
    return app


def event_loop(app: QApplication) -> asyncio.AbstractEventLoop:
    """The asyncio loop that runs inside Qt's; `run_forever()` shows the window until it is closed."""
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    return loop


class ClerkWindow(QMainWindow):
    """The window of one workstation. It owns the card reader while it is open."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._look = services.preferences.load()
        self._reader = ReaderStatus(ReaderState.NO_READER)
        self._actions = Actions(services)
        self._bridge = Bridge(self)
        self._counter: Counter | None = None
        self._retired: Counter | None = None
        self._closing: QDeadlineTimer | None = None
        device = services.desk.device
        practice = services.practice or device.practice
        theme.apply(_app(), self._look.theme, self._look.scale)
        self._sign_in = SignInPage(device.hall_name, device.hall_name_en, device.window, practice=practice)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._sign_in)
        self.setCentralWidget(self._pages)
        self._tie()
        self._show_look()
        self.resize(1366, 768)
        self._sign_in.focus_first()
        services.subscribe(self._bridge.on_changed)
        services.reader.start(self._bridge.on_card)

    @property
    def counter(self) -> Counter | None:
        """The counter of the signed-in clerk."""
        return self._counter

    @property
    def idle(self) -> bool:
        """Whether no act is under way."""
        return self._actions.idle

    def _tie(self) -> None:
        self._bridge.card.connect(self._card)
        self._bridge.changed.connect(self._changed)
        self._sign_in.asked.connect(self._ask_sign_in)
        self._sign_in.language_asked.connect(self.switch_language)
        self._sign_in.look_asked.connect(self.open_look_menu)
        self._actions.busy.connect(self._show_busy)
        self._actions.rested.connect(self._let_go)
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
        elif self._counter is not None:
            self._press_at_counter(self._counter, key)

    def _press_at_counter(self, counter: Counter, key: Key) -> None:
        if key in STEPS:
            counter.steps.open_step(STEPS.index(key) + 1)
            return
        steps = counter.steps
        {
            Key.CALL: counter.call,
            Key.RECALL: counter.recall,
            Key.NO_SHOW: counter.no_show,
            Key.FINISH: counter.finish,
            Key.RECEIVE: counter.receive,
            Key.ACCEPT: counter.accept,
            Key.ANOTHER: counter.another,
            Key.REPRINT: counter.reprint,
            Key.VOID: counter.ask_void,
            Key.SEARCH: counter.search_item,
            Key.OUTBOX: counter.show_outbox,
            Key.PAPER: counter.ask_paper,
            Key.TYPED: lambda: counter.at_applicant(steps.applicant.ask_typed),
            Key.AGENT: lambda: counter.at_applicant(steps.applicant.ask_agent),
            Key.ORGANISATION: lambda: counter.at_applicant(steps.applicant.ask_organisation),
            Key.GUIDE: lambda: counter.side.show_page(0),
            Key.CASES: counter.show_cases,
            Key.SIGN_OUT: self.sign_out,
            Key.CLOSE: counter.close_something,
        }[key]()

    def _show_busy(self, name: str, on: bool) -> None:
        if name == "sign_in":
            self._sign_in.show_busy(on)

    # --- signing in and out --------------------------------------------------------------------------

    def _ask_sign_in(self, staff_no: str, password: str) -> None:
        self._actions.start(self._signed_in(staff_no, password), self._sign_in, "sign_in")

    async def _signed_in(self, staff_no: str, password: str) -> None:
        operator = await self._actions.network(sign_in.sign_in, staff_no, password)
        self._sign_in.forget()
        counter = Counter(self._actions, operator)
        self._counter = counter
        counter.header.language_asked.connect(self.switch_language)
        counter.header.look_asked.connect(self.open_look_menu)
        counter.header.sign_out_asked.connect(self.sign_out)
        self._pages.addWidget(counter)
        counter.retranslate()
        self._pages.setCurrentWidget(counter)
        counter.start_work(self._reader)

    def sign_out(self) -> None:
        """Leave the counter; what is unfinished stays in the store."""
        counter, self._counter = self._counter, None
        if counter is None:
            return
        counter.steps.form.flush()
        staff_no = counter.shown.operator.staff_no
        self._pages.setCurrentWidget(self._sign_in)
        self._pages.removeWidget(counter)
        counter.retire()
        self._retired = counter
        self._sign_in.focus_first()
        self._actions.start(self._actions.network(sign_in.sign_out, staff_no), self._sign_in, "sign_out")

    def _let_go(self) -> None:
        """The counter of a clerk who left dies when its last act has ended."""
        if self._retired is not None:
            self._retired.deleteLater()
            self._retired = None

    # --- events of other threads ---------------------------------------------------------------------

    def _card(self, event: CardEvent) -> None:
        if isinstance(event, ReaderStatus):
            self._reader = event
        if self._counter is not None:
            self._counter.card_event(event)

    def _changed(self, topics: frozenset[str]) -> None:
        if self._counter is not None:
            self._counter.read_topics(topics)

    # --- the look ------------------------------------------------------------------------------------

    def switch_language(self) -> None:
        self.set_look(replace(self._look, language="en" if self._look.language == "zh" else "zh"))

    def open_look_menu(self) -> None:
        button = self._counter.header.look_button if self._counter else self._sign_in.look_button
        menu = look_menu(self, self._look, self.set_look)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def set_look(self, look: Look) -> None:
        """Show another language, theme or size, and keep it."""
        self._look = look
        self._services.preferences.save(look)
        self._show_look()

    def _show_look(self) -> None:
        words.speak(self._look.language)
        theme.apply(_app(), self._look.theme, self._look.scale)
        device = self._services.desk.device
        self.setWindowTitle(tr("app.title", window=device.window))
        self._sign_in.retranslate()
        if self._counter is not None:
            self._counter.retranslate()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The one way out: no more cards, the field in hand stored, what ends within seconds is awaited."""
        if self._closing is None:
            self._closing = QDeadlineTimer(_CLOSE_MS)
            if self._counter is not None:
                self._counter.steps.form.flush()
            self._services.reader.stop()
        if self._actions.idle or self._closing.hasExpired():
            self._actions.close()
            super().closeEvent(event)
        else:
            event.ignore()
            QTimer.singleShot(_CLOSE_LOOK_MS, self.close)
