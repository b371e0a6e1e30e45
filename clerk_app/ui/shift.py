"""Who works at the window: signing in and out, the counter in between, and the events it gets."""

from __future__ import annotations

from collections.abc import Set

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from clerk_app.desk import sign_in
from clerk_app.desk.ports import CardEvent, CardRead, ReaderState, ReaderStatus
from clerk_app.ui.async_action import Actions
from clerk_app.ui.counter import Counter
from clerk_app.ui.keys import STEPS, Key
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
        self._actions.busy.connect(self._show_busy)
        self._actions.rested.connect(self._let_go)

    @property
    def idle(self) -> bool:
        """Whether no act is under way."""
        return self._actions.idle

    def sign_in(self, staff_no: str, password: str) -> None:
        """Show the counter to a clerk who proves to be `staff_no`; a failure is told on the sign-in page."""
        self._actions.start(self._signed_in(staff_no, password), self._page, "sign_in")

    async def _signed_in(self, staff_no: str, password: str) -> None:
        operator = await self._actions.network(sign_in.sign_in, staff_no, password)
        self._page.forget()
        counter = Counter(self._actions, operator)
        self.counter = counter
        counter.header.language_asked.connect(self.language_asked)
        counter.header.look_asked.connect(self.look_asked)
        counter.header.doctor_asked.connect(self.doctor_asked)
        counter.header.sign_out_asked.connect(self.sign_out)
        self._pages.addWidget(counter)
        counter.retranslate()
        self._pages.setCurrentWidget(counter)
        counter.acts.called.connect(self._read_early_card)
        counter.start_work(self._reader)
        self._scanner.start()

    def sign_out(self) -> None:
        """Leave the counter; what is unfinished stays in the store."""
        counter, self.counter = self.counter, None
        if counter is None:
            return
        self._scanner.stop()
        counter.steps.form.flush()
        staff_no = counter.shown.operator.staff_no
        self._pages.setCurrentWidget(self._page)
        self._pages.removeWidget(counter)
        counter.retire()
        self._retired = counter
        self._page.focus_first()
        self._actions.start(self._actions.network(sign_in.sign_out, staff_no), self._page, "sign_out")

    def press(self, key: Key) -> None:
        """Do what `key` means at the counter; nothing while nobody is signed in."""
        counter = self.counter
        if counter is None:
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
            Key.SIGN_OUT: self.sign_out,
            Key.CLOSE: counter.close_something,
        }[key]()

    def card_event(self, event: CardEvent) -> None:
        """Something happened on the card reader."""
        if isinstance(event, ReaderStatus):
            self._reader = event = self._readers.hear(event, self._visit)
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

    def read_topics(self, topics: Set[str]) -> None:
        """Something changed in the background."""
        if self.counter is not None:
            self.counter.read_topics(frozenset(topics))

    def take_no_more(self) -> None:
        """The window is closing: the field in hand is stored, and nothing is read or scanned any more."""
        self._scanner.stop()
        if self.counter is not None:
            self.counter.steps.form.flush()
        self._services.reader.stop()

    def end(self) -> None:
        """Cancel what still waits for an answer."""
        self._actions.close()

    def _show_busy(self, name: str, on: bool) -> None:
        if name == "sign_in":
            self._page.show_busy(on)

    def _let_go(self) -> None:
        """The counter of a clerk who left dies when its last act has ended."""
        if self._retired is not None:
            self._retired.deleteLater()
            self._retired = None
