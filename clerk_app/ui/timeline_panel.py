"""What happened in this visit, line by line, as the store wrote it."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QFont, QPainter

from clerk_app.desk.views import TimelineRow
from clerk_app.ui import painting, theme
from clerk_app.ui.pieces import Card, column, label
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import RowsModel, SteadyList
from clerk_app.ui.words import tr


class TimelinePanel(Card):
    def __init__(self) -> None:
        super().__init__()
        self._title = label(role="title")
        self._empty = label(role="muted", wrap=True)
        self.model = RowsModel[TimelineRow](lambda line: (line.at, line.kind, line.detail), words, self)
        self._list = SteadyList(self.model, _Line())
        self._list.setUniformItemSizes(True)
        for part in (self._title, self._empty):
            part.setIndent(painting.AIR)
        self._list.verticalScrollBar().rangeChanged.connect(lambda *_: self._list.scrollToBottom())
        body = column(self, gap=6)
        body.setContentsMargins(14 - painting.AIR, 12, 6, 10)
        body.addWidget(self._title)
        body.addWidget(self._empty)
        body.addWidget(self._list, 1)
        body.addStretch(0)

    def show_timeline(self, lines: tuple[TimelineRow, ...]) -> None:
        self._list.update_rows(lines)
        self.retranslate()

    def retranslate(self) -> None:
        self._title.setText(tr("timeline.title"))
        self._list.setAccessibleName(tr("timeline.title"))
        self._empty.setText(tr("timeline.empty"))
        self._empty.setVisible(not self.model.rows)
        self._list.setVisible(bool(self.model.rows))
        self.model.say_again()


def said(line: TimelineRow) -> str:
    """What happened, with its detail (a number, an item, a code) when there is one."""
    words = tr(f"timeline.{line.kind.value}")
    return f"{words} · {line.detail}" if line.detail else words


def words(line: TimelineRow) -> str:
    return f"{line.at:%H:%M} {said(line)}"


class _Line(RowPainter[TimelineRow]):
    """Time and what happened, without a ground: nothing is chosen here."""

    def height(self, row: TimelineRow) -> int:
        return 29

    def ground(self, painter: QPainter, row: QRect, *, chosen: bool) -> QRect:
        return row.adjusted(painting.AIR - 1, 0, -theme.current().px(8), 0)

    def draw(self, painter: QPainter, room: QRect, row: TimelineRow, base: QFont) -> None:
        look = theme.current()
        painter.setFont(painting.font(base, 13))
        painting.write(painter, room, f"{row.at:%H:%M}", "faint")
        room.setLeft(room.left() + look.px(48))
        painter.setFont(painting.font(base, 14))
        painting.write(painter, room, said(row), "text")
