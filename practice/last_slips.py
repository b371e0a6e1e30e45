"""The papers of the practice printer, to leaf through: the newest shows by itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from clerk_app.devices.printer.simulator.paper import Paper
from practice.pieces import button, heading

PAPER_WIDTH = 380
LEAST_HEIGHT = 48
"""Pixels of a paper on a screen that is low; the rest of it by scrolling."""
MOST = 50
"""Papers kept; older ones are thrown away."""


class LastSlips(QWidget):
    """`tear_off` is asked for what hangs out of the printer without having been cut."""

    def __init__(self, tear_off: Callable[[], object]) -> None:
        super().__init__()
        self._papers: deque[Paper] = deque(maxlen=MOST)
        self._place = -1
        self._number = QLabel()
        self._before = button("‹", lambda: self._show(self._place - 1))
        self._after = button("›", lambda: self._show(self._place + 1))
        self._before.setAccessibleName("上一张 · Slip before")
        self._after.setAccessibleName("下一张 · Slip after")
        top = QHBoxLayout()
        top.addWidget(heading("凭证 · Slips"))
        top.addWidget(self._number)
        top.addStretch()
        top.addWidget(self._before)
        top.addWidget(self._after)
        top.addWidget(button("撕下 Tear off", tear_off))
        self._picture = QLabel(alignment=Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._picture.setText("还没有打印 · Nothing printed yet")
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(self._picture)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setMinimumHeight(LEAST_HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self._scroll, 1)
        self._tell()

    @property
    def shown(self) -> Paper | None:
        """The paper on show."""
        return self._papers[self._place] if self._papers else None

    def add(self, paper: Paper) -> None:
        """A paper came out; one on which nothing is printed is not worth showing."""
        if paper.text.strip():
            self._papers.append(paper)
            self._show(len(self._papers) - 1)

    def _show(self, place: int) -> None:
        self._place = place
        picture = QPixmap()
        picture.loadFromData(self._papers[place].png)
        self._picture.setPixmap(
            picture.scaledToWidth(PAPER_WIDTH, Qt.TransformationMode.SmoothTransformation)
        )
        self._scroll.verticalScrollBar().setValue(0)
        self._tell()

    def _tell(self) -> None:
        count = len(self._papers)
        self._number.setText(f"{self._place + 1} / {count}" if count else "")
        self._before.setEnabled(self._place > 0)
        self._after.setEnabled(self._place + 1 < count)
