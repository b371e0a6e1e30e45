"""Who works at the window: signing in and out, locking, the counter in between, and the events it gets."""

from __future__ import annotations

from collections.abc import Set

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QPushButton, QStackedWidget, QToolTip, QWidget

from clerk_app.desk import sign_in
from clerk_app.desk.ports import CardEvent, CardRead, Operator, ReaderState, ReaderStatus
from clerk_app.ui.async_action import Actions
from clerk_app.ui.counter import Counter
from clerk_app.ui.idle import IdleWatch
from clerk_app.ui.keys import STEPS, Key
from clerk_app.ui.lock_page import LockPage
from clerk_app.ui.readers_at_window import BETWEEN, ReadersAtWindow
from clerk_app.ui.scans import is_known
from clerk_app.ui.services import Services
from clerk_app.ui.sign_in_page import SignInPage
from clerk_app.ui.wedge import Wedge


class Shift(QObject):
    """One clerk after another at one window; each gets a counter of his own among `pages`.

    Signals: language_asked, look_asked, doctor_asked (in the header of the counter).
    """

    language_asked = Signal()
    look_asked = Signal()
    doctor_asked = Signal()

    def __init__(self, services: Services, pages: QStackedWidget, page: SignInPage) -> None:
        super().__init__(pages)
        self._services = services
        self._pages = pages
        self._page = page
        self._reader = ReaderStatus(ReaderState.NO_READER)
        self._readers = ReadersAtWindow()
        self._actions = Actions(services)
        self._retired: Counter | None = None
        self.counter: Counter | None = None
        self._scanner = Wedge(is_known)
        self._scanner.scanned.connect(self._scanned)
        self.lock_page = LockPage()
        clock = services.desk.clock
        self.idle_watch = IdleWatch(services.lock_minutes, clock.now, clock.monotonic)
        self._tie_lock()
        self._actions.busy.connect(self._show_busy)
        self._actions.rested.connect(self._let_go)

    def _tie_lock(self) -> None:
        page = self.lock_page
        self._pages.addWidget(page)
        self.idle_watch.idle.connect(lambda: self.lock(idle=True))
        page.opened.connect(lambda password: self._actions.start(self._unlocked(password), page, "unlock"))
        page.changed.connect(lambda *given: self._actions.start(self._changed(*given), page, "unlock"))
        page.language_asked.connect(self.language_asked)
        page.look_asked.connect(self.look_asked)

    @property
    def idle(self) -> bool:
        """Whether no act is under way."""
        return self._actions.idle

    def sign_in(self, staff_no: str, password: str) -> None:
        """Show the counter to a clerk who proves to be `staff_no`; a failure is told on the sign-in page."""
        self._actions.start(self._signed_in(staff_no, password), self._page, "sign_in")

    async def _signed_in(self, staff_no: str, password: str) -> None:
        self._work(await self._actions.network(sign_in.sign_in, staff_no, password))

    def _work(self, operator: Operator) -> None:
        """Show the counter of `operator`."""
        self._page.forget()
        counter = Counter(self._actions, operator)
        self.counter = counter
        counter.header.language_asked.connect(self.language_asked)
        counter.header.look_asked.connect(self.look_asked)
        counter.header.doctor_asked.connect(self.doctor_asked)
        counter.header.sign_out_asked.connect(self.sign_out)
        counter.header.lock_asked.connect(self.lock)
        self._pages.addWidget(counter)
        counter.retranslate()
        self._pages.setCurrentWidget(counter)
        counter.acts.called.connect(self._read_early_card)
        counter.start_work(self._reader)
        self._scanner.start()
        self.idle_watch.start()

    def sign_out(self) -> None:
        """Leave the counter; what is unfinished stays in the store."""
        counter = self.counter
        if counter is None:
            return
        counter.steps.form.flush()
        staff_no = counter.shown.operator.staff_no
        self._pages.setCurrentWidget(self._page)
        self._leave(counter)
        self._page.focus_first()
        self._actions.start(self._actions.network(sign_in.sign_out, staff_no), self._page, "sign_out")

    def _leave(self, counter: Counter) -> None:
        self.counter = None
        self._scanner.stop()
        self.idle_watch.stop()
        self._pages.removeWidget(counter)
        counter.retire()
        self._retired = counter

    # --- the locked window ---------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether the counter is covered, until somebody proves who he is."""
        return self.counter is not None and self._pages.currentWidget() is self.lock_page

    def lock(self, *, idle: bool = False) -> None:
        """Cover the counter. What is under way goes on below; no card, scan or key reaches it."""
        counter = self.counter
        if counter is None or self.locked:
            return
        self._scanner.stop()
        self.idle_watch.stop()
        _close_what_floats(counter.window())
        counter.cover()
        operator, now = counter.shown.operator, self._services.desk.clock.now()
        self._pages.setCurrentWidget(self.lock_page)
        self.lock_page.show_locked(operator, now)
        record = self._actions.at_desk(sign_in.lock, operator.staff_no, idle=idle)
        self._actions.start(record, self.lock_page)

    async def _unlocked(self, password: str) -> None:
        if (counter := self.counter) is None:
            return
        staff_no = counter.shown.operator.staff_no
        operator = await self._actions.network(sign_in.unlock, staff_no, password)
        self.lock_page.forget()
        self._pages.setCurrentWidget(counter)  # with the focus where it was
        counter.work_as(operator)
        counter.header.show_reader(self._reader)
        self._scanner.start()
        self.idle_watch.start()

    async def _changed(self, staff_no: str, password: str) -> None:
        """Another clerk takes over: only then the one before is signed out. The visit stays his."""
        if (counter := self.counter) is None:
            return
        leaving = counter.shown.operator.staff_no
        if staff_no == leaving:
            await self._unlocked(password)
            return
        operator = await self._actions.network(sign_in.change, leaving, staff_no, password)
        self.lock_page.forget()
        self._leave(counter)
        self._work(operator)

    def press(self, key: Key) -> None:
        """Do what `key` means at the counter; nothing while nobody is signed in, or it is locked."""
        counter = self.counter
        if counter is None:
            return
        if self.locked:
            if key is Key.CLOSE:
                self.lock_page.ask_another(False)
            return
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
            Key.SLIPS: counter.show_slips,
            Key.SCAN: counter.pages_at_window.open_focused,
            Key.PAPER: counter.ask_paper,
            Key.ISSUE: counter.ask_issue,
            Key.TYPED: lambda: counter.at_applicant(steps.applicant.ask_typed),
            Key.AGENT: lambda: counter.at_applicant(steps.applicant.ask_agent),
            Key.ORGANISATION: lambda: counter.at_applicant(steps.applicant.ask_organisation),
            Key.CLEAR: lambda: counter.at_applicant(steps.applicant.clear),
            Key.DISCARD: counter.discard,
            Key.YES: lambda: counter.answer(0),
            Key.NO: lambda: counter.answer(1),
            Key.GUIDE: lambda: counter.side.show_page(0),
            Key.CASES: counter.show_cases,
            Key.LOCK: self.lock,
            Key.SIGN_OUT: self.sign_out,
            Key.CLOSE: counter.close_something,
        }[key]()

    def card_event(self, event: CardEvent) -> None:
        """Something happened on the card reader."""
        if isinstance(event, ReaderStatus):
            self._reader = event = self._readers.hear(event, self._visit)
        if self.locked:
            if isinstance(event, CardRead):
                self._reader = ReaderStatus(ReaderState.PRESENT, event.reader)
            return  # what is on the card is nobody's business now
        if not isinstance(event, ReaderStatus):  # a reader on a loose plug is nobody's hand
            self.idle_watch.touch()
        mine = not isinstance(event, CardRead) or self._readers.take(event, self._visit)
        if self.counter is None:
            return
        if mine:
            self.counter.card_event(event)
        else:
            self.counter.card.left_behind()

    @property
    def _visit(self) -> str | None:
        """Which visit a card that is read now is for."""
        if self.counter is None:
            return None
        visit = self.counter.shown.visit
        return visit.id if visit is not None else BETWEEN

    def _scanned(self, text: str) -> None:
        if self.counter is not None:
            self.counter.scans.take(text)

    def _read_early_card(self, _ticket: str) -> None:
        """A card laid between two visits belongs to the one just called: it need not be laid again.

        One left behind by the citizen before was read in that visit and is not taken for the next.
        """
        if (visit := self._visit) and self._readers.call(visit):
            self._services.reader.read_again()

    @property
    def look_button(self) -> QPushButton | None:
        """Where the menu of themes and sizes opens; None while nobody is signed in."""
        if self.counter is None:
            return None
        return self.lock_page.look_button if self.locked else self.counter.header.look_button

    def retranslate(self) -> None:
        """Say everything again in the language and theme on screen."""
        self.lock_page.retranslate()
        if self.counter is not None:
            self.counter.retranslate()

    def read_topics(self, topics: Set[str]) -> None:
        """Something changed in the background."""
        if self.counter is not None:
            self.counter.read_topics(frozenset(topics))

    def take_no_more(self) -> None:
        """The window is closing: the field in hand is stored, and nothing is read or scanned any more."""
        self._scanner.stop()
        self.idle_watch.stop()
        if self.counter is not None:
            self.counter.steps.form.flush()
        self._services.reader.stop()

    def end(self) -> None:
        """Cancel what still waits for an answer."""
        self._actions.close()

    def _show_busy(self, name: str, on: bool) -> None:
        if name == "sign_in":
            self._page.show_busy(on)
        elif name == "unlock":
            self.lock_page.show_busy(on)

    def _let_go(self) -> None:
        """The counter of a clerk who left dies when its last act has ended."""
        if self._retired is not None:
            self._retired.deleteLater()
            self._retired = None


def _close_what_floats(window: QWidget) -> None:
    """Dialogs, menus and tool tips lie above every page of the window."""
    QToolTip.hideText()
    floating = [each for each in QApplication.topLevelWidgets() if window in _above(each)]
    for each in floating:
        if each.isVisible():
            each.close()
            window.activateWindow()


def _above(widget: QWidget) -> list[QWidget]:
    """Whom `widget` belongs to, a dialog to the window it was opened from."""
    found: list[QWidget] = []
    while (parent := (found[-1] if found else widget).parentWidget()) is not None:
        found.append(parent)
    return found
