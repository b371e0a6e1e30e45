"""Who waits: a list that follows the queue row by row, and the counts of the day."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from clerk_app.desk.views import QueueView, TicketRow
from clerk_app.ui import painting, theme
from clerk_app.ui.issuing import Issuing
from clerk_app.ui.pieces import Card, column, label, row
from clerk_app.ui.rows import ROW, RowsModel, SteadyList
from clerk_app.ui.words import tr

_LINE = 36  # of the list, before scaling
_MARGINS = 54  # of the panel, and between its parts
_REASONS = {"appointment": "appointment", "priority": "priority"}


class WaitingPanel(Card):
    def __init__(self) -> None:
        super().__init__()
        self._queue: QueueView | None = None
        self._title = label(role="title")
        self._count = label(role="muted")
        self._empty = label(role="muted", wrap=True)
        self._foot = label(role="muted", wrap=True)
        self.issuing = Issuing()
        self.model = RowsModel[TicketRow](lambda ticket: ticket.number, _words, self)
        self._list = SteadyList(self.model, _TicketLine())
        self._list.setUniformItemSizes(True)
        for part in (self._title, self._empty, self._foot):
            part.setIndent(painting.AIR)
        body = self._body = column(self)
        body.setContentsMargins(14 - painting.AIR, 12, 6, 10)
        top = row()
        top.addWidget(self._title)
        top.addStretch()
        top.addWidget(self._count)
        top.addSpacing(8)
        body.addLayout(top)
        body.addWidget(self._empty)
        body.addWidget(self._list, 1)
        body.addStretch(0)
        body.addWidget(self.issuing)
        body.addWidget(self._foot)

    def show_queue(self, queue: QueueView) -> None:
        self._queue = queue
        self.issuing.show_offline(queue.stale)
        self._list.update_rows(queue.waiting)
        self.retranslate()

    def retranslate(self) -> None:
        queue = self._queue
        self._title.setText(tr("queue.title"))
        self._list.setAccessibleName(tr("queue.title"))
        self.issuing.retranslate()
        if queue is None:
            return
        self._count.setText(tr("queue.people", count=queue.people))
        self._empty.setText(tr("queue.empty_offline" if queue.stale else "queue.empty"))
        self._empty.setVisible(not queue.waiting)
        self._make_room()
        foot = tr("queue.foot", missed=queue.missed, served=queue.served_today, cases=queue.cases_today)
        self._foot.setText(tr("queue.stale") + "\n" + foot if queue.stale else foot)
        self.model.say_again()

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._make_room()
        return done

    def _make_room(self) -> None:
        """A question about tickets goes before the list where there is no room for two people beside it."""
        issuing = self.issuing
        asked = max(issuing.sizeHint().height(), issuing.heightForWidth(issuing.width()))
        others = sum(part.sizeHint().height() for part in (self._title, self._foot)) + _MARGINS
        cramped = issuing.asks and self.height() - asked - others < 2 * theme.current().px(_LINE)
        self._list.setVisible(self._queue is not None and bool(self._queue.waiting) and not cramped)
        self._foot.setVisible(not cramped)
        self._body.setStretchFactor(issuing, int(cramped))


def _words(ticket: TicketRow) -> str:
    return tr(
        "queue.row",
        number=ticket.number,
        reason=tr(f"reason.{ticket.reason or 'order'}"),
        minutes=ticket.waited_minutes,
    )


class _TicketLine(QStyledItemDelegate):
    """Number, why it stands where it stands, minutes waited."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(100, theme.current().px(_LINE))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        ticket: TicketRow = index.data(ROW)
        look = theme.current()
        base = self.parent().font()  # type: ignore[attr-defined]
        room = QRect(option.rect).adjusted(painting.AIR - 1, 0, -look.px(8), 0)  # type: ignore[attr-defined]
        painter.save()
        painter.setFont(painting.font(base, 15, bold=True))
        painting.write(painter, room, ticket.number, "text")
        painter.setFont(painting.font(base, 14))
        minutes = tr("queue.minutes", count=ticket.waited_minutes)
        taken = painting.write(painter, room, minutes, "muted", painting.RIGHT)
        room.adjust(look.px(62), 0, -taken - look.px(8), 0)
        ink = "muted"
        if drawn := _REASONS.get(ticket.reason):
            ink = "warn"
            room.setLeft(room.left() + painting.icon(painter, room, drawn, ink) + look.px(5))
        painting.write(painter, room, tr(f"reason.{ticket.reason or 'order'}"), ink)
        painter.restore()
