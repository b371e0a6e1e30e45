"""The only question in the middle of a service: finish this visit and call the next, or stay?"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QWidget

from clerk_app.ui.announce import announce
from clerk_app.ui.keys import Key
from clerk_app.ui.pieces import KeyButton, column, label, on_click, row
from clerk_app.ui.words import tr


class FinishQuestion(QDialog):
    """Opened, never executed: the event loop goes on below it."""

    def __init__(self, over: QWidget, ticket: str, *, unfinished: bool, finish: Callable[[], object]) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("finish.title"))
        self._finish = finish
        body = column(self, margin=24, gap=10)
        title = tr("finish.question", ticket=ticket)
        body.addWidget(label(title, "heading", wrap=True))
        told = tr("finish.unfinished" if unfinished else "finish.done")
        body.addWidget(label(told, "muted", wrap=True))
        body.addSpacing(8)
        foot = row()
        foot.addStretch()
        self._stay, self._go = KeyButton(), KeyButton("primary")
        self._stay.tell(tr("finish.stay"), Key.CLOSE)
        self._go.tell(tr("finish.go"), Key.CALL)
        on_click(self._stay, self.reject)
        on_click(self._go, self._accept)
        foot.addWidget(self._stay)
        foot.addWidget(self._go)
        body.addLayout(foot)
        self.setMinimumWidth(over.fontMetrics().averageCharWidth() * 56)
        self._stay.setFocus()
        self._stay.setDefault(True)
        announce(self, title, urgent=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F1:
            self._accept()
            return
        super().keyPressEvent(event)

    def _accept(self) -> None:
        self.accept()
        self._finish()
