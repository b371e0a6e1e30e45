"""What waits for the office, at the window: what works now, the tasks, and what is to be accepted later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clerk_app.desk.views import CaseRow
from clerk_app.ui.snapshots import View

if TYPE_CHECKING:
    from clerk_app.ui.counter import Counter


class OutboxAtWindow:
    """Ties the sheet, and what the page between two visits tells, to the desk and to the list of cases."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        shown, sheet, ready, acts = counter.shown, counter.outbox, counter.steps.ready, counter.acts
        shown.outbox_changed.connect(lambda: sheet.show_outbox(shown.outbox))
        shown.standing_changed.connect(lambda: sheet.show_standing(shown.standing))
        shown.printer_changed.connect(lambda: sheet.show_printer(shown.printer))
        sheet.shown.connect(self.show_case)
        sheet.void.connect(self._void)
        sheet.settled.connect(lambda *how: counter.start(acts.settle(*how), sheet.banner, "settle"))
        ready.outbox_asked.connect(self.open)
        ready.cases_asked.connect(self.show_awaiting)
        ready.due_seen.connect(lambda: counter.start(acts.due_seen(), counter.steps.banner))
        counter.side.cases.accept.connect(self.accept)
        counter.header.outbox_asked.connect(self.open)

    def open(self) -> None:
        """Ctrl+O: what works now, and what waits."""
        self._counter.outbox.show_up()
        self._counter.read(View.OUTBOX, View.STANDING)

    def show_awaiting(self) -> None:
        """The cases that wait to be accepted."""
        self._counter.side.cases.show_awaiting()
        self._counter.show_cases()

    def show_case(self, case: str) -> None:
        """The case in the list of cases, however old it is."""
        self._counter.start(self._shown(case), self._counter.steps.banner)

    def accept(self, case: str) -> None:
        """受理 of a case that was only received."""
        counter = self._counter
        counter.start(counter.acts.accept_received(case), counter.steps.banner, "accept_received")

    def accept_chosen(self, case: CaseRow | None) -> bool:
        """Accept `case`, or say why it cannot be yet; False when it is not one to be accepted."""
        if case is not None and case.accept.open:
            self.accept(case.id)
        elif case is not None and case.accept.reason:
            self._counter.notices.closed(case.accept)
        else:
            return False
        return True

    def _void(self, case: str) -> None:
        self._counter.start(self._voided(case), self._counter.steps.banner)

    async def _shown(self, case: str) -> None:
        counter = self._counter
        counter.outbox.put_away()
        counter.shown.sought = case
        await counter.shown.read(View.CASES)
        counter.side.show_page(1)
        counter.side.cases.choose(case)
        counter.side.cases.focus_first()

    async def _voided(self, case: str) -> None:
        await self._shown(case)
        self._counter.voiding.ask(self._counter.side.cases.chosen)
