"""What the window shows of the store: one immutable snapshot a view, read again after every act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from clerk_app.desk import calling, draft_view, drafting, following, standing, ticketing
from clerk_app.desk.context import Desk
from clerk_app.desk.ports import Operator, PrinterStatus, PrintState
from clerk_app.desk.views import (
    CaseRow,
    DraftRow,
    DraftView,
    Gate,
    OutboxRow,
    QueueView,
    StandingView,
    StatusView,
    TicketPaper,
    TimelineRow,
    VisitView,
)
from clerk_app.ui.async_action import Actions


class View(StrEnum):
    """The views that can be read by themselves."""

    VISIT = "visit"  # with its draft and timeline, which follow it
    QUEUE = "queue"
    CASES = "cases"
    OUTBOX = "outbox"
    STATUS = "status"
    STANDING = "standing"  # what works now, above the outbox
    PRINTER = "printer"
    PAPERS = "papers"  # tickets issued here that are not known to be on paper


TOPICS = {
    "tickets": (View.QUEUE, View.VISIT, View.PAPERS),
    "cases": (View.CASES, View.VISIT, View.STATUS),
    "outbox": (View.OUTBOX, View.STATUS, View.STANDING),
    "link": (View.STATUS, View.QUEUE, View.VISIT, View.CASES, View.STANDING),
    "calendar": (View.CASES, View.STATUS),
    "due": (View.CASES, View.STATUS, View.VISIT),
    "printing": (View.CASES, View.VISIT, View.STATUS, View.PRINTER, View.PAPERS),
    "catalogue": (View.STATUS, View.VISIT),
    "printer": (View.PRINTER,),
}
"""Which views a change in the background touches (`clerk_app.desk.ports.Changed`)."""


class Snapshots(QObject):
    """The views of one signed-in clerk.

    Signals: one a view, after it was read and differs: visit, draft, queue, cases, timeline, outbox, status,
    standing, printer, papers.
    """

    visit_changed = Signal()
    draft_changed = Signal()
    queue_changed = Signal()
    cases_changed = Signal()
    timeline_changed = Signal()
    outbox_changed = Signal()
    status_changed = Signal()
    standing_changed = Signal()
    printer_changed = Signal()
    papers_changed = Signal()

    def __init__(self, actions: Actions, operator: Operator) -> None:
        super().__init__()
        self._actions = actions
        self.operator = operator
        self.visit: VisitView | None = None
        self.draft: DraftView | None = None
        self.left: tuple[DraftRow, ...] = ()
        self.queue: QueueView | None = None
        self.cases: tuple[CaseRow, ...] = ()
        self.sought: str | None = None  # id of an older case that was asked for, listed with the newest
        self.timeline: tuple[TimelineRow, ...] = ()
        self.outbox: tuple[OutboxRow, ...] = ()
        self.status: StatusView | None = None
        self.standing: StandingView | None = None
        self.printer = PrinterStatus()
        self.papers: tuple[TicketPaper, ...] = ()

    async def read(self, *views: View) -> None:
        """Read `views` again and tell which of them changed. Failures of the store pass through."""
        for view in views:
            await getattr(self, f"_read_{view.value}")()

    async def read_all(self) -> None:
        await self.read(*View)

    async def read_topics(self, topics: Iterable[str]) -> None:
        """Read what a change in the background touched, each view once."""
        await self.read(*dict.fromkeys(view for topic in sorted(topics) for view in TOPICS.get(topic, ())))

    @property
    def paper_in_doubt(self) -> CaseRow | None:
        """The oldest case whose slip failed or whose paper nobody knows: one question at a time."""
        doubtful = [c for c in self.cases if c.print_state in (PrintState.FAILED, PrintState.UNKNOWN)]
        return doubtful[-1] if doubtful else None

    async def _read_visit(self) -> None:
        visit, draft, left, timeline = await self._actions.at_desk(_look, self.operator.staff_no)
        self._set("visit", visit)
        self.left = left
        self._set("draft", draft)
        self._set("timeline", timeline)

    async def _read_queue(self) -> None:
        self._set("queue", await self._actions.at_desk(calling.queue_view))

    async def _read_cases(self) -> None:
        self._set("cases", await self._actions.at_desk(following.cases, also=self.sought))

    async def _read_outbox(self) -> None:
        self._set("outbox", await self._actions.at_desk(following.outbox))

    async def _read_status(self) -> None:
        link = self._actions.desk.link()
        self._set("status", await self._actions.at_desk(following.status, self.operator, link))

    async def _read_standing(self) -> None:
        link = self._actions.desk.link()
        self._set("standing", await self._actions.at_desk(standing.standing, self.operator, link))

    async def _read_printer(self) -> None:
        self._set("printer", await self._actions.printer(_printer_status))

    async def _read_papers(self) -> None:
        self._set("papers", await self._actions.at_desk(ticketing.papers))

    def _set(self, name: str, value: object) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            getattr(self, f"{name}_changed").emit()


def _look(
    desk: Desk, operator: str
) -> tuple[VisitView | None, DraftView | None, tuple[DraftRow, ...], tuple[TimelineRow, ...]]:
    """The visit with its draft, the drafts left aside, and the timeline, in one go on the store's lane."""
    visit = calling.visit_view(desk, operator)
    current = drafting.current_draft(desk, operator)
    left = tuple(row for row in drafting.drafts(desk, operator) if row.id != current)
    if visit is None:
        return None, None, left, ()
    timeline = following.timeline(desk, visit.id)
    if current is not None:
        return visit, draft_view.draft_view(desk, current), left, timeline
    return visit, None if visit.cases else unwritten(visit.since), left, timeline


def unwritten(at: datetime) -> DraftView:
    """The six steps before anything was written: the first act makes the row."""
    closed = Gate(open=False, reason="gate.no_applicant", step=1)
    return DraftView("", None, at, None, None, (), (), (), (), (), closed, closed)


def _printer_status(desk: Desk) -> PrinterStatus:
    return desk.printer.status()
