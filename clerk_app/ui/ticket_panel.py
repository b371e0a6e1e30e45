"""The ticket at the window: number, state with a running clock, why it is this one, the call keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLineEdit, QWidget

from clerk_app.desk.views import VisitView
from clerk_app.domain.ticket import VisitState
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import Card, Chip, FittingScroll, KeyButton, column, label, on_click, row
from clerk_app.ui.session_entry import SessionEntry
from clerk_app.ui.words import tr


class TicketPanel(Card):
    """Signals: call, recall, no_show, paper(ticket number)."""

    call = Signal()
    recall = Signal()
    no_show = Signal()
    paper = Signal(str)

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._visit: VisitView | None = None
        self._offline = False
        self._calling = False
        self._asks_paper = False
        self._out_of_reach = False
        self._number = label(role="ticket")
        self._free = label(role="heading")
        self._chip = Chip()
        self._why = label(role="faint", wrap=True)
        self.banner = BannerSlot()
        self.session = SessionEntry()
        self.session.closed.connect(self.retranslate)
        self._call = KeyButton("primary", large=True, wide=True)
        self._recall, self._no_show = KeyButton(wide=True), KeyButton(wide=True)
        self._ticket_entry = QLineEdit()
        self._serve = KeyButton("primary", wide=True)
        self._by_paper = KeyButton("link")
        self._lay_out()
        on_click(self._call, self.call.emit)
        on_click(self._recall, self.recall.emit)
        on_click(self._no_show, self.no_show.emit)
        on_click(self._by_paper, self.ask_paper)
        on_click(self._serve, self._give_paper)
        self._ticket_entry.returnPressed.connect(self._give_paper)
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._tell_clock)

    def _lay_out(self) -> None:
        body = column(self, margin=14, gap=8)
        body.setContentsMargins(14, 8, 14, 14)
        top = QWidget()
        flow = FlowLayout(top, spread=True)
        for part in (self._number, self._free, self._chip):
            flow.addWidget(part)
        body.addWidget(top)
        body.addWidget(self._why)
        told = FittingScroll(self.banner, least=60)  # the keys keep their place whatever it says
        told.hide()
        self.banner.taken.connect(told.setVisible)
        body.addWidget(told)
        body.addWidget(self.session)
        body.addWidget(self._call)
        self._pair: QHBoxLayout = row()
        self._pair.addWidget(self._recall, 1)
        self._pair.addWidget(self._no_show, 1)
        body.addLayout(self._pair)
        self._paper_line = QWidget()
        line = column(self._paper_line)
        line.addWidget(self._ticket_entry)
        line.addWidget(self._serve)
        body.addWidget(self._paper_line)
        body.addWidget(self._by_paper)

    def show_visit(self, visit: VisitView | None) -> None:
        if visit != self._visit:
            self._asks_paper = self._out_of_reach = False
            self._ticket_entry.clear()
        self._visit = visit
        if visit:
            self._tick.start()
        else:
            self._tick.stop()
        self.retranslate()

    def show_offline(self, offline: bool) -> None:
        if self._offline and not offline:
            self._out_of_reach = False
            self._asks_paper = bool(self._ticket_entry.text())
        self._offline = offline
        self.retranslate()

    def show_calling(self, calling: bool) -> None:
        """The call is on its way to the office."""
        self._calling = calling
        self.retranslate()

    def press_call(self) -> None:
        """The call key while the queue is out of reach: take the typed ticket, or ask for it."""
        if self._ticket_entry.text().strip():
            self._give_paper()
        else:
            self.ask_paper()

    def call_failed(self) -> None:
        """The call did not reach the office: the ticket in the citizen's hand comes next, or another try."""
        if self._visit is None:
            self._out_of_reach = True
            self.ask_paper()

    def ask_paper(self) -> None:
        """Open the entry for the ticket in the citizen's hand."""
        self._asks_paper = True
        self.retranslate()
        self._ticket_entry.setFocus()
        self._ticket_entry.selectAll()

    def ask_session(self) -> None:
        """The office wants to know who calls: the password goes before every key of this panel."""
        self.session.ask()
        self.retranslate()

    def put_paper_away(self) -> None:
        self._asks_paper = self._out_of_reach = False
        self.retranslate()

    @property
    def serves_by_paper(self) -> bool:
        """Whether the call key means the paper ticket now: nobody is here and the queue is out of reach.

        After a call that failed, while the link is not known to be down, a typed ticket decides: without one
        the key tries again.
        """
        typed = self._out_of_reach and bool(self._ticket_entry.text().strip())
        return self._visit is None and (self._offline or typed)

    @property
    def takes_paper(self) -> bool:
        """Whether a scanned ticket is served by paper: the queue is out of reach, or the entry is open."""
        return self._visit is None and (self._offline or self._out_of_reach or self._asks_paper)

    def _give_paper(self) -> None:
        if number := self._ticket_entry.text().strip():
            self.paper.emit(number)

    def retranslate(self) -> None:
        visit = self._visit
        called = visit is not None and visit.state is VisitState.CALLED
        self._number.setText(visit.ticket_number if visit else "")
        self._number.setVisible(visit is not None)
        self._free.setText(tr("ticket.free"))
        self._free.setVisible(visit is None)
        self._chip.setVisible(visit is not None)
        self._tell_clock()
        self._why.setText(self._reason())
        by_paper = self._visit is None and self._offline
        self._call.tell(tr("call.calling") if self._calling else tr("call.next"), Key.CALL)
        self._call.set_kind("" if visit or self._out_of_reach else "primary")
        self._call.setEnabled(not self._calling)
        asked = not self.session.isHidden()
        self._call.setVisible(not asked and not by_paper and not (self._offline and visit))
        self._recall.tell(tr("call.recall"), Key.RECALL)
        self._recall.setVisible(called and not self._offline)
        self._no_show.tell(tr("call.no_show"), Key.NO_SHOW)
        self._no_show.setVisible(called)
        self._paper_line.setVisible(visit is None and (by_paper or self._asks_paper))
        self._ticket_entry.setPlaceholderText(tr("call.paper_hint"))
        self._ticket_entry.setAccessibleName(tr("call.paper_hint"))
        self._serve.tell(tr("call.paper_serve"), Key.CALL if by_paper else "Enter")
        self._by_paper.tell(tr("call.paper"), Key.PAPER)
        self._by_paper.setVisible(visit is None and not asked and not by_paper and not self._asks_paper)
        self.session.retranslate()
        self.banner.retranslate()
        self._fit_pair()

    def _fit_pair(self) -> None:
        """Recall and no-show side by side where their words fit, else one below the other."""
        margins = self.contentsMargins().left() + 14
        needed = sum(key.sizeHint().width() for key in (self._recall, self._no_show)) + self._pair.spacing()
        fits = needed <= self.width() - 2 * margins
        self._pair.setDirection(
            QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_pair()

    def _reason(self) -> str:
        visit = self._visit
        if visit is None:
            return (
                tr("ticket.free_offline")
                if self._offline or self._out_of_reach
                else tr("ticket.free_hint", key=Key.CALL)
            )
        if visit.by_paper:
            return tr("ticket.by_paper")
        words = tr("ticket.why", reason=tr(f"reason.{visit.reason or 'order'}"))
        return words if visit.calls < 2 else f"{words} · {tr('ticket.calls', count=visit.calls)}"

    def _tell_clock(self) -> None:
        if self._visit is None:
            return
        seconds = max(int((self._now() - self._visit.since).total_seconds()), 0)
        clock = f"{seconds // 60:02d}:{seconds % 60:02d}"
        called = self._visit.state is VisitState.CALLED
        words = tr("ticket.called" if called else "ticket.serving", clock=clock)
        self._chip.tell("call" if called else "clock", words, "warn" if called else "primary")
