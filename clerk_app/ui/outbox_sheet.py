"""What has not reached the office yet, in the order it will go; refused work is a task, never erased."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QWidget

from clerk_app import failures
from clerk_app.desk.views import OutboxRow
from clerk_app.ui import painting, theme
from clerk_app.ui.pieces import IconLabel, column, label
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import RowsModel, SteadyList
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.words import language, tr

_LOOKS = {
    "waiting": ("wait", "muted"),
    "sent": ("outbox", "primary"),
    "refused": ("bad", "bad"),
    "held": ("warn", "warn"),
}


class OutboxSheet(SideSheet):
    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "outbox.title", 520)
        self._hint = label(role="muted", wrap=True)
        self._empty = QWidget()
        self._icon, self._nothing = IconLabel("cloud", "ok", 40), label(role="muted", wrap=True)
        nothing = column(self._empty, gap=10)
        nothing.addStretch(2)
        for part in (self._icon, self._nothing):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            nothing.addWidget(part)
        nothing.addStretch(3)
        self.model = RowsModel[OutboxRow](lambda line: line.seq, words, self)
        self._list = SteadyList(self.model, _Line())
        self.body.addWidget(self._hint)
        self.body.addWidget(self._empty, 1)
        self.body.addWidget(self._list, 1)

    def show_outbox(self, lines: tuple[OutboxRow, ...]) -> None:
        self._list.update_rows(lines)
        self.retranslate()

    def show_up(self) -> None:
        super().show_up()
        self._list.setFocus()
        if self.model.rows and not self._list.currentIndex().isValid():
            self._list.setCurrentIndex(self.model.index(0))

    def retranslate(self) -> None:
        super().retranslate()
        self._hint.setText(tr("outbox.hint"))
        self._hint.setVisible(bool(self.model.rows))
        self._icon.redraw()
        self._nothing.setText(tr("outbox.empty"))
        self._empty.setVisible(not self.model.rows)
        self._list.setVisible(bool(self.model.rows))
        self._list.setAccessibleName(tr("outbox.title"))
        self.model.say_again()


def why(line: OutboxRow) -> str:
    """Why a command stands still, as a sentence with its code; empty when nothing is wrong."""
    if not line.code:
        return ""
    try:
        return f"{failures.text(line.code, language()).sentence} {line.code}"
    except KeyError:
        return line.code


def words(line: OutboxRow) -> str:
    parts = (str(line.seq), tr(f"command.{line.type}"), line.subject, tr(f"outbox.{line.state}"), why(line))
    return " · ".join(part for part in parts if part)


class _Line(RowPainter[OutboxRow]):
    """Sequence and intent, subject and state; below, why it stands still."""

    def height(self, row: OutboxRow) -> int:
        return 86 if row.code else 64

    def draw(self, painter: QPainter, room: QRect, row: OutboxRow, base: QFont) -> None:
        look = theme.current()
        height = look.px(22)
        top = QRect(room.left(), room.top() + look.px(4), room.width(), height)
        icon, ink = _LOOKS[row.state]
        painter.setFont(painting.font(base, 14))
        taken = painting.write(painter, top, tr(f"outbox.{row.state}"), ink, painting.RIGHT)
        left = top.width() - taken - look.px(20)
        painting.icon(painter, top.adjusted(left, 0, 0, 0), icon, ink)
        painter.setFont(painting.font(base, 15, bold=True))
        painting.write(
            painter, top.adjusted(0, 0, -taken - look.px(28), 0), tr(f"command.{row.type}"), "text"
        )
        low = top.translated(0, height)
        painter.setFont(painting.font(base, 13))
        painting.write(painter, low, f"{row.at:%m-%d %H:%M}", "muted", painting.RIGHT)
        painting.write(painter, low.adjusted(0, 0, -look.px(100), 0), f"#{row.seq}  {row.subject}", "muted")
        if row.code:
            painting.write(painter, low.translated(0, height), why(row), ink)
