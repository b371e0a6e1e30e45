"""The counter: every panel in its place, and each of its signals tied to an act or a view."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QTimer

from clerk_app.desk import rights
from clerk_app.desk.ports import (
    CardEvent,
    CardFailed,
    CardRead,
    LinkState,
    Operator,
    ReaderState,
    ReaderStatus,
)
from clerk_app.desk.views import CaseRow
from clerk_app.domain.ticket import Series
from clerk_app.failures import Failure
from clerk_app.ui.acts import Acts
from clerk_app.ui.async_action import Actions, Place
from clerk_app.ui.banner import Message
from clerk_app.ui.card_at_window import CardAtWindow
from clerk_app.ui.clock_notice import ClockNotice
from clerk_app.ui.counter_notices import CounterNotices
from clerk_app.ui.counter_panels import CounterPanels
from clerk_app.ui.finish_question import FinishQuestion
from clerk_app.ui.keys import Key
from clerk_app.ui.outbox_at_window import OutboxAtWindow
from clerk_app.ui.pages_at_window import PagesAtWindow
from clerk_app.ui.portraits import Portraits
from clerk_app.ui.scans import ScansAtWindow
from clerk_app.ui.slips_at_window import SlipsAtWindow
from clerk_app.ui.snapshots import Snapshots, View
from clerk_app.ui.ticket_notices import TicketNotices
from clerk_app.ui.voiding import VoidingAtWindow

_REFRESH_MS = 30_000
"""How often waiting minutes and the printer's state are read again when nothing else happens."""


class Counter(CounterPanels):
    """One signed-in clerk at work. Failures are told in the panel whose act failed."""

    def __init__(self, actions: Actions, operator: Operator) -> None:
        super().__init__(actions.desk.clock.now)
        self._actions = actions
        self.shown = Snapshots(actions, operator)
        self.acts = Acts(actions, self.shown)
        self.portraits = Portraits(actions)
        self.steps.applicant.show_portraits_of(self.portraits)
        self.card = CardAtWindow(self.steps, self.acts, self.shown, actions, self.portraits)
        self.slips_at_window = SlipsAtWindow(self, actions)
        self.pages_at_window = PagesAtWindow(self, actions)
        self.notices = CounterNotices(self)
        self.outbox_at_window = OutboxAtWindow(self)
        self.scans = ScansAtWindow(self)
        self.ticket_notices = TicketNotices(self)
        self.waiting.issuing.allow(rights.ISSUE in operator.rights)
        self.clock_notice = ClockNotice(self)
        self.voiding = VoidingAtWindow(self)
        self._again_in_session: Callable[[], None] = self.call
        self._tie_views()
        self._tie_acts()
        self._again = QTimer(self, interval=_REFRESH_MS)
        self._again.timeout.connect(lambda: self.read(View.QUEUE, View.STATUS, View.PRINTER))

    # --- views to panels -----------------------------------------------------------------------------

    def _tie_views(self) -> None:
        shown = self.shown
        shown.visit_changed.connect(self._show_work)
        shown.draft_changed.connect(self._show_work)
        shown.queue_changed.connect(self._show_queue)
        shown.cases_changed.connect(lambda: self.side.cases.show_cases(shown.cases))
        shown.timeline_changed.connect(lambda: self.timeline.show_timeline(shown.timeline))
        shown.status_changed.connect(self._show_status)
        shown.printer_changed.connect(lambda: self.header.show_printer(shown.printer))

    def _show_work(self) -> None:
        visit, draft = self.shown.visit, self.shown.draft
        self.ticket.show_visit(visit)
        self.portraits.show_work(visit, draft)
        self.steps.show_work(visit, draft)
        self.steps.show_between(self.shown.queue, self.shown.left)
        self.side.guide.show_item(draft.item if draft else None)
        self.bar.show_work(visit, draft)

    def _show_queue(self) -> None:
        if self.shown.queue is not None:
            self.waiting.show_queue(self.shown.queue)
            self.steps.show_between(self.shown.queue, self.shown.left)

    def _show_status(self) -> None:
        status = self.shown.status
        if status is None:
            return
        self.header.show_status(status)
        self.ticket.show_offline(status.link.state is LinkState.OFFLINE)
        self.steps.item.show_catalogue(status.items)
        self.steps.item.show_offline(status.link.state is LinkState.OFFLINE)
        self.steps.ready.show_status(status)

    # --- panels to acts ------------------------------------------------------------------------------

    def _tie_acts(self) -> None:
        acts, steps, start = self.acts, self.steps, self._actions.start
        ticket = self.ticket
        ticket.call.connect(self.call)
        ticket.recall.connect(self.recall)
        ticket.session.given.connect(lambda password: start(self._renew(password), ticket.banner, "session"))
        ticket.no_show.connect(lambda: start(acts.no_show(), ticket.banner, "no_show"))
        ticket.paper.connect(lambda number: start(acts.serve_paper(number), ticket.banner, "paper"))
        issuing = self.waiting.issuing
        issuing.asked.connect(self.ask_issue)
        issuing.chosen.connect(self.issue)
        who, item = steps.applicant, steps.item
        who.typed.connect(lambda *given: start(acts.typed(*given), who.banner, "typed"))
        who.organisation.connect(lambda *given: start(acts.organisation(*given), who.banner, "organisation"))
        who.cleared.connect(lambda role: start(acts.clear_applicant(role), who.banner))
        item.searched.connect(lambda text: start(acts.search(text), item.banner))
        item.picked.connect(lambda code: start(acts.choose_item(code), item.banner, "choose"))
        item.cleared.connect(self._clear_item)
        steps.situation.answered.connect(lambda *said: start(acts.answer(*said), steps.situation.banner))
        steps.situation.finished.connect(lambda: steps.advance(3))
        steps.form.filled.connect(lambda *typed: start(acts.fill(*typed), steps.form.banner))
        steps.form.finished.connect(lambda: self._actions.start(self._form_done(), steps.form.banner))
        steps.material.handed.connect(lambda *given: start(acts.hand(*given), steps.material.banner))
        steps.ready.dropped.connect(lambda draft: start(acts.drop_left(draft), steps.banner))
        steps.opened.connect(self._opened)
        acts.found.connect(item.show_hits)
        acts.advanced.connect(steps.advance)
        acts.doubted.connect(steps.go_to)
        bar = self.bar
        bar.receive.connect(self.receive)
        bar.accept.connect(self.accept)
        bar.another.connect(self.another)
        bar.finish.connect(self.finish)
        bar.reprint.connect(self.reprint)
        bar.void.connect(self.ask_void)
        bar.discard.connect(self.discard)
        bar.slips.connect(self.show_slips)
        self.side.cases.reprint.connect(lambda case: start(acts.reprint(case), steps.paper, "reprint"))
        self.side.cases.void.connect(lambda _id: self.voiding.ask(self.side.cases.chosen))
        self._actions.busy.connect(self._show_busy)

    def _show_busy(self, name: str, on: bool) -> None:
        if name == "call":
            self.ticket.show_calling(on)

    def _clear_item(self) -> None:
        self.steps.form.flush()  # undo gives back what was typed a moment ago too
        self._actions.start(self.acts.clear_item(), self.steps.item.banner, "clear_item")

    def discard(self) -> None:
        """Drop the draft in hand; undo gives it back."""
        if self.shown.draft is None:
            return
        self.steps.form.flush()
        self._actions.start(self.acts.discard(), self.steps.banner, "discard")

    async def _form_done(self) -> None:
        """The last field is stored before the next step opens."""
        await self.shown.read(View.VISIT)
        self.steps.advance(4)

    def _opened(self, step: int) -> None:
        draft = self.shown.draft
        if step == 2 and draft is not None and draft.item is None:
            self._actions.look(self.acts.search(self.steps.item.search_text), self.steps.item.banner)

    # --- what the keys and buttons do ----------------------------------------------------------------

    def start_work(self, reader: ReaderStatus) -> None:
        """Show everything for the first time."""
        self.header.show_reader(reader)
        self._actions.start(self._first_look(), self.steps.banner)
        self._again.start()

    async def _first_look(self) -> None:
        await self.shown.read_all()
        if self.shown.visit is None:
            self.ticket.setFocus()
        await self.acts.print_queued()

    def retire(self) -> None:
        """The clerk has left: what is under way ends unseen."""
        self._again.stop()
        self.portraits.forget()
        self.shown.blockSignals(True)
        self.acts.blockSignals(True)
        self.scan.put_away()  # and the camera with it
        self.hide()

    def read(self, *views: View) -> None:
        self._actions.look(self.shown.read(*views), self.steps.banner)

    def read_topics(self, topics: frozenset[str]) -> None:
        """Something changed in the background."""
        self._actions.look(self.shown.read_topics(topics), self.steps.banner)

    def card_event(self, event: CardEvent) -> None:
        if isinstance(event, ReaderStatus):
            self.header.show_reader(event)
        elif isinstance(event, CardRead):
            self.header.show_reader(ReaderStatus(ReaderState.PRESENT, event.reader))
            self.card.read(event.record, self.shown.visit, self.shown.draft)
        elif isinstance(event, CardFailed):
            self.card.failed(event)

    def call(self) -> None:
        """F1: the next ticket; by paper when the queue is out of reach; a question when somebody is here."""
        self.steps.form.flush()
        visit = self.shown.visit
        if self.ticket.serves_by_paper:
            self.ticket.press_call()
        elif visit is None:
            self._actions.start(self._call(self.acts.call_next), self.ticket.banner, "call")
        elif self.shown.status and self.shown.status.link.state is LinkState.OFFLINE:
            self.ticket.banner.tell(Message("warn", "call.offline_busy", {"key": Key.FINISH}, seconds=10))
        else:
            draft = self.shown.draft
            begun = bool(draft and (draft.applicant or draft.item))
            FinishQuestion(self, visit.ticket_number, unfinished=begun, finish=self._finish_and_call).open()

    def _finish_and_call(self) -> None:
        self._actions.start(self._call(self.acts.finish_and_call), self.ticket.banner, "call")

    async def _call(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A call that finds no network leads on to the paper ticket; the link may not know it yet."""
        try:
            await self.in_session(act(), self.call)
        except Failure as failure:
            if failure.code == "SYNC-OFFLINE":
                await self.shown.read(View.STATUS)
                self.ticket.call_failed()
            raise

    def recall(self) -> None:
        work = self.in_session(self.acts.recall(), self.recall)
        self._actions.start(work, self.ticket.banner, "recall")

    def issue(self, series: Series) -> None:
        """A ticket of this series."""
        work = self.in_session(self.acts.issue_ticket(series), lambda: self.issue(series))
        self._actions.start(work, self.waiting.issuing.banner, "issue")

    async def in_session(self, act: Coroutine[Any, Any, None], again: Callable[[], None]) -> None:
        """Do `act`; where the office does not know the clerk (signed in offline), ask for the password here.

        With the session open it is done `again`: nothing was done without one.
        """
        try:
            await act
        except Failure as failure:
            if failure.code != "OFFICE-SESSION":
                raise
            self._again_in_session = again
            self.ticket.ask_session()

    async def _renew(self, password: str) -> None:
        await self.acts.renew(password)
        self.work_as(self.shown.operator)
        if self.ticket.session.put_away():  # by Esc or the lock already: then it is given up
            self._again_in_session()

    def work_as(self, operator: Operator) -> None:
        """The clerk has proved again who is at work here, and may have other rights by now."""
        self.shown.operator = operator
        self.waiting.issuing.allow(rights.ISSUE in operator.rights)

    def cover(self) -> None:
        """The window is being locked: what is half typed is stored, passwords and the camera are put away."""
        self.steps.form.flush()
        self.ticket.session.put_away()
        self.second.put_away()
        self.scan.put_away()

    def no_show(self) -> None:
        self._actions.start(self.acts.no_show(), self.ticket.banner, "no_show")

    def finish(self) -> None:
        self.steps.form.flush()
        self._actions.start(self.acts.finish(), self.ticket.banner, "finish")

    def another(self) -> None:
        if self.shown.visit is not None and self.shown.draft is None:
            self._actions.start(self.acts.another(), self.steps.banner, "another")

    def receive(self) -> None:
        self.file(accept=False)

    def accept(self) -> None:
        """F9: the draft in hand; without one, or from the list of cases, the received case the key means."""
        listed = self.side.cases.isAncestorOf(self.focusWidget() or self)
        case = self._case() if listed or self.shown.draft is None else None
        if not self.outbox_at_window.accept_chosen(case):
            self.file(accept=True)

    def file(self, *, accept: bool) -> None:
        """Receive or accept; a closed gate leads to the step that must be mended."""
        if self.shown.draft is not None:
            self.steps.form.flush()
            self._actions.start(self._file(accept=accept), self.steps.banner, "file")

    async def _file(self, *, accept: bool) -> None:
        await self.shown.read(View.VISIT)  # what was typed a moment ago is stored before the gate is asked
        draft = self.shown.draft
        if draft is None:
            return
        gate = draft.accept if accept else draft.receive
        if not gate.open:
            self.notices.closed(gate)
        elif accept:
            await self.acts.accept()
        else:
            await self.acts.receive()

    def reprint(self) -> None:
        """Ctrl+P: what the sheet of slips shows, else the slip of the case once more."""
        if self.slips.isVisible():
            self.slips.print()
        elif (case := self._case()) is not None:
            self._actions.start(self.acts.reprint(case.id), self.steps.paper, "reprint")

    def ask_void(self) -> None:
        self._ask_void_of(self._case())

    def _ask_void_of(self, case: CaseRow | None) -> None:
        self.voiding.ask(case)

    def _case(self) -> CaseRow | None:
        """The case a key means: the chosen one while the list of cases has the focus or nobody is here, else
        the newest of this visit. The slip of somebody who has left must not come out for who stands here."""
        visit, listed = self.shown.visit, self.side.cases
        if listed.isAncestorOf(self.focusWidget() or self) or (visit is None and self.side.shows_cases):
            return listed.chosen
        return visit.cases[-1] if visit and visit.cases else None

    def start(self, work: Coroutine[Any, Any, object], place: Place, name: str = "") -> None:
        """Begin an act; see `Actions.start`."""
        self._actions.start(work, place, name)

    def answer(self, place: int) -> None:
        """Give the first (0) or second answer of the topmost message that asks something."""
        near = (self.scan.banner, self.slips.banner, self.band, self.ticket.banner)
        slots = (*near, *self.steps.slots, self.waiting.issuing.paper)
        next((slot for slot in slots if slot.isVisible() and slot.answer(place)), None)

    def ask_paper(self) -> None:
        if self.shown.visit is None:
            self.ticket.ask_paper()

    def ask_issue(self) -> None:
        """Alt+I: which series? While the office is out of reach there is the workstation's own."""
        if rights.ISSUE in self.shown.operator.rights:
            self._actions.start(self.acts.offer_series(), self.waiting.issuing.banner, "series")

    def at_applicant(self, ask: Callable[[], None]) -> None:
        """Open step 1 and ask for somebody there, when a case is in hand."""
        if self.shown.draft is not None:
            self.steps.open_step(1, focus=False)
            ask()

    def show_cases(self) -> None:
        self.side.show_page(1)
        self.side.cases.focus_first()

    def show_slips(self) -> None:
        """Ctrl+J: of the case a key means; with nobody here, of the one chosen last."""
        nobody = self.shown.visit is None
        self.slips_at_window.open(self._case() or (self.side.cases.chosen if nobody else None))

    def show_outbox(self) -> None:
        """Ctrl+O: what works now, and what waits for the office."""
        self.outbox_at_window.open()

    def search_item(self) -> None:
        """Ctrl+K: the item search; with an item chosen, back to the search (undo gives it back)."""
        draft = self.shown.draft
        if draft is None:
            return
        if draft.item is not None:
            self._clear_item()
        else:
            self.steps.open_step(2)

    def close_something(self) -> None:
        """Esc: put away what is open, the topmost first."""
        sheets = (self.second, self.void, self.scan, self.slips, self.outbox)
        if any(sheet.put_away() for sheet in sheets):
            return
        if self.ticket.session.put_away() or self.waiting.issuing.put_away():
            return
        if self.steps.applicant.close_entries():
            return
        if not self.steps.item.clear_search():
            self.ticket.put_paper_away()
