"""What works now, and what has not reached the office yet; refused work is a task, never erased."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QLineEdit, QWidget

from clerk_app import failures
from clerk_app.desk.ports import PrinterStatus
from clerk_app.desk.views import OutboxRow, StandingView
from clerk_app.ui import painting, theme
from clerk_app.ui.banner import BannerSlot
from clerk_app.ui.flow import FlowLayout
from clerk_app.ui.pieces import FittingScroll, KeyButton, column, label, on_click
from clerk_app.ui.row_painter import RowPainter
from clerk_app.ui.rows import ROW, RowsModel, SteadyList
from clerk_app.ui.side_sheet import SideSheet
from clerk_app.ui.standing_panel import StandingPanel
from clerk_app.ui.words import language, sentences, tr

_LOOKS = {
    "waiting": ("wait", "muted"),
    "sent": ("outbox", "primary"),
    "refused": ("bad", "bad"),
    "held": ("wait", "primary"),
}


class OutboxSheet(SideSheet):
    """Signals: shown(case id), void(case id), settled(command id, how)."""

    shown = Signal(str)
    void = Signal(str)
    settled = Signal(str, str)

    def __init__(self, over: QWidget) -> None:
        super().__init__(over, "outbox.title", 620)
        self.standing = StandingPanel()
        self.banner = BannerSlot()
        self._hint = label(role="muted", wrap=True)
        self.model = RowsModel[OutboxRow](lambda line: line.id, words, self)
        self._list = SteadyList(self.model, _Line())
        self._list.selectionModel().currentChanged.connect(lambda *_: self._chosen_anew())
        self._what = label(wrap=True)
        self._how = QLineEdit()
        self._how.returnPressed.connect(self._settle)
        self._show, self._void, self._done = KeyButton(), KeyButton("danger"), KeyButton("primary")
        on_click(self._show, lambda: self._of_case(self.shown))
        on_click(self._void, lambda: self._of_case(self.void))
        on_click(self._done, self._settle)
        self._acts = QWidget()
        flow = FlowLayout(self._acts)
        for button in (self._show, self._void, self._done):
            flow.addWidget(button)
        self._task = QWidget()
        task = column(self._task, gap=6)
        for part in (self._what, self._how, self._acts):
            task.addWidget(part)
        self.body.addWidget(FittingScroll(self.standing, least=150))
        self.body.addWidget(self.banner)
        self.body.addWidget(self._hint)
        self.body.addWidget(self._list, 1)
        self.body.addWidget(self._task)
        self.body.addStretch(0)

    def show_outbox(self, lines: tuple[OutboxRow, ...]) -> None:
        self._list.update_rows(lines)
        self.retranslate()

    def show_standing(self, standing: StandingView | None) -> None:
        self.standing.show_standing(standing)

    def show_printer(self, printer: PrinterStatus) -> None:
        self.standing.show_printer(printer)

    @property
    def chosen(self) -> OutboxRow | None:
        """The line the list stands on, if any."""
        line = self._list.currentIndex().data(ROW)
        return line if isinstance(line, OutboxRow) else None

    def show_up(self) -> None:
        """Open on the first task, before the list takes the focus and with it its first line."""
        super().show_up()
        rows = list(self.model.rows)
        task = next((place for place, line in enumerate(rows) if line.state == "refused"), None)
        if rows and (task is not None or not self._list.currentIndex().isValid()):
            self._list.setCurrentIndex(self.model.index(task or 0))
        self._list.setFocus()

    def retranslate(self) -> None:
        super().retranslate()
        self.standing.retranslate()
        self.banner.retranslate()
        self._hint.setText(tr("outbox.hint" if self.model.rows else "outbox.empty"))
        self._list.setVisible(bool(self.model.rows))
        self._list.setAccessibleName(tr("outbox.title"))
        self._how.setPlaceholderText(tr("outbox.how"))
        self._how.setAccessibleName(tr("outbox.how"))
        self._show.tell(tr("outbox.show"))
        self._void.tell(tr("outbox.void"))
        self._done.tell(tr("outbox.done"), "Enter")
        self.model.say_again()
        self._tell_task()

    def _chosen_anew(self) -> None:
        self._how.clear()
        self._tell_task()

    def _tell_task(self) -> None:
        """What is asked of the clerk about the chosen line: for a refused one only."""
        line = self.chosen
        told = what_to_do(line) if line is not None else ""
        self._task.setVisible(bool(told))
        self._what.setText(told)
        if line is not None:
            self._show.setVisible(line.case_id is not None)
            self._void.setVisible(line.void.open)
            self._how.setVisible(line.settle.open)
            self._done.setVisible(line.settle.open)
            self._acts.setVisible(line.case_id is not None or line.void.open or line.settle.open)

    def _of_case(self, signal: object) -> None:
        line = self.chosen
        if line is not None and line.case_id is not None:
            signal.emit(line.case_id)  # type: ignore[attr-defined]

    def _settle(self) -> None:
        line = self.chosen
        if line is None or not line.settle.open:
            return
        if self._how.text().strip():
            self.settled.emit(line.id, self._how.text().strip())
        else:
            self._how.setFocus(Qt.FocusReason.OtherFocusReason)


def why(line: OutboxRow) -> str:
    """Why a command stands still, as a sentence with its code; empty when nothing is wrong."""
    if not line.code:
        return ""
    try:
        return f"{failures.text(line.code, language()).sentence} {line.code}"
    except KeyError:
        return line.code


def what_to_do(line: OutboxRow) -> str:
    """What a person can do about a command that stands still; nothing is asked about a held one."""
    if line.state == "held":
        return tr("outbox.held_hint")
    if line.state != "refused":
        return ""
    rest = tr(line.settle.reason) if line.settle.reason else ""
    try:
        text = failures.text(line.code, language())
    except KeyError:
        return f"{rest} {line.code}".strip()
    return f"{sentences(text.sentence, text.action, rest)} {line.code}"


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
