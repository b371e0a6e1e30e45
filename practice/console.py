"""The practice console: what the citizens, the network and the printer of a practice hall do.

A small window beside the clerk's. Every label is in both languages, so that it needs no switch of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QFont, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from clerk_app.devices.card.simulator import Fault
from clerk_app.devices.printer.mechanism import NO_FAULTS, Faults
from clerk_app.devices.printer.paper import Paper
from practice.hall import CLERK, PracticeHall

WIDTH, HEIGHT = 440, 768
PAPER_WIDTH = 380


class _News(QObject):
    """Signals, each emitted on the thread where it happened:
    paper: one fell out of the simulated printer.
    said: the voice of the window spoke a sentence.
    """

    paper = Signal(object)
    said = Signal(str)


class PracticeConsole(QWidget):
    """Lay cards, take tickets, pull the network cable, take the paper out."""

    def __init__(self, hall: PracticeHall) -> None:
        super().__init__()
        self._hall = hall
        self.setWindowTitle("练习控制台 · Practice console")
        self.setObjectName("page")
        self.resize(WIDTH, HEIGHT)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(_note(f"工号 {CLERK.staff_no}，密码 {CLERK.password}\nStaff number and password"))
        column.addWidget(self._citizens())
        column.addWidget(self._troubles())
        column.addWidget(_heading("广播 · Heard in the hall"))
        self._said = _note("还没有叫号 · Nobody called yet\n")
        self._said.setWordWrap(True)
        self._sentences: deque[str] = deque(maxlen=2)
        column.addWidget(self._said)
        column.addWidget(_heading("最近的凭证 · Last slip"))
        self._paper = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._paper.setText("还没有打印 · Nothing printed yet")
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._paper)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        column.addWidget(scroll, 1)
        self._news = _News()
        self._news.paper.connect(self._show_paper)
        self._news.said.connect(self._show_said)
        hall.on_paper = self._news.paper.emit
        hall.on_said = self._news.said.emit

    def stand_beside(self, window: QWidget) -> None:
        """Move to the right of the clerk's window; over its edge where the screen ends there."""
        room = window.screen().availableGeometry()
        corner = window.frameGeometry().topRight()
        self.move(min(corner.x(), room.right() - self.width()), max(corner.y(), room.top()))

    def _citizens(self) -> QWidget:
        box, grid = _box("申请人 · Citizens")
        self._card = QComboBox()
        self._card.setAccessibleName("证件 · Card")
        for card in self._hall.reader.cards.values():
            self._card.addItem(f"{card.title} · {card.title_en}", card.id)
        self._card.setMinimumContentsLength(20)
        self._card.setCurrentIndex(self._card.findData("resident"))
        grid.addWidget(self._card, 0, 0, 1, 6)
        grid.addWidget(_button("放卡 Lay card", self._lay), 1, 0, 1, 3)
        grid.addWidget(_button("取卡 Take card", self._hall.reader.remove), 1, 3, 1, 3)
        grid.addWidget(_button("读时抽走 Pull early", self._pull), 2, 0, 1, 6)
        for place, (series, words) in enumerate(
            (("A", "综合 General"), ("Y", "预约 Booked"), ("P", "优先 Priority"))
        ):
            grid.addWidget(_button(words, self._take_ticket(series)), 3, 2 * place, 1, 2)
        return box

    def _troubles(self) -> QWidget:
        box, grid = _box("网络和打印机 · Network and printer")
        grid.addWidget(_switch("断网 Network down", self._network), 0, 0)
        grid.addWidget(_switch("缺纸 Paper out", self._paper_out), 0, 1)
        grid.addWidget(_switch("拔下读卡器 Reader unplugged", self._reader), 1, 0, 1, 2)
        return box

    def _lay(self) -> None:
        self._hall.reader.remove()
        self._hall.reader.lay(self._card.currentData())

    def _pull(self) -> None:
        self._hall.reader.remove()
        self._hall.reader.lay(self._card.currentData(), Fault.PULLED)

    def _take_ticket(self, series: str) -> Callable[[], None]:
        # The office is asked off this thread: the console's window must not wait for its database.
        return lambda: threading.Thread(target=self._hall.take_ticket, args=(series,), name="citizen").start()

    def _network(self, down: bool) -> None:
        if down:
            self._hall.cable.pull()
        else:
            self._hall.cable.plug()
            self._hall.workstation.scheduler.network_up()

    def _paper_out(self, out: bool) -> None:
        self._hall.printer.set_faults(Faults(paper_out=True) if out else NO_FAULTS)

    def _reader(self, unplugged: bool) -> None:
        if unplugged:
            self._hall.reader.unplug()
        else:
            self._hall.reader.plug_in()

    def _show_said(self, sentence: str) -> None:
        """The last call, in both languages."""
        self._sentences.append(sentence)
        self._said.setText("\n".join(self._sentences))

    def _show_paper(self, paper: Paper) -> None:
        picture = QPixmap()
        picture.loadFromData(paper.png)
        self._paper.setPixmap(picture.scaledToWidth(PAPER_WIDTH, Qt.TransformationMode.SmoothTransformation))


def _heading(text: str) -> QLabel:
    heading = QLabel(text)
    font = QFont(heading.font())
    font.setBold(True)
    heading.setFont(font)
    return heading


def _note(text: str) -> QLabel:
    note = QLabel(text)
    note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return note


def _box(title: str) -> tuple[QWidget, QGridLayout]:
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(_heading(title))
    grid = QGridLayout()
    grid.setSpacing(6)
    column.addLayout(grid)
    return box, grid


def _button(words: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(words)
    button.clicked.connect(lambda _checked: act())
    return button


def _switch(words: str, act: Callable[[bool], None]) -> QPushButton:
    switch = QPushButton(words)
    switch.setCheckable(True)
    switch.toggled.connect(act)
    return switch
