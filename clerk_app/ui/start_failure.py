"""The screen of a start that failed: code, what happened, the one thing to do, details for IT."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from clerk_app import failures
from clerk_app.failures import Failure
from clerk_app.ui import theme, words
from clerk_app.ui.pieces import Card, IconLabel, column, label, row
from clerk_app.ui.services import Look
from clerk_app.ui.words import tr


class StartFailure(QWidget):
    """One failure, told in full: nothing else can be done on this workstation before it is mended."""

    def __init__(self, failure: Failure, look: Look) -> None:
        super().__init__()
        self._look = look
        words.speak(look.language)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, look.theme, look.scale)
        told = failures.text(failure.code, look.language)
        self.setWindowTitle(tr("start_failure.title"))
        outside = column(self, margin=24)
        card = Card()
        outside.addWidget(card)
        inside = column(card, margin=24, gap=12)
        head = row(gap=12)
        head.addWidget(IconLabel("bad", "bad", 28), 0, Qt.AlignmentFlag.AlignTop)
        sentence = label(told.sentence, "name", wrap=True)
        head.addWidget(sentence, 1)
        inside.addLayout(head)
        inside.addWidget(label(told.action, wrap=True))
        inside.addWidget(label(tr("start_failure.code", code=failure.code), "muted", selectable=True))
        if failure.detail:
            inside.addWidget(label(failure.detail, "faint", wrap=True, selectable=True))
        foot = row(gap=8)
        foot.addStretch()
        copy = QPushButton(tr("start_failure.copy"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(f"{failure.code}\n{failure.detail}"))
        close = QPushButton(tr("start_failure.close"))
        close.setDefault(True)
        close.setProperty("kind", "primary")
        close.clicked.connect(self.close)
        foot.addWidget(copy)
        foot.addWidget(close)
        inside.addLayout(foot)
        self.setFixedWidth(theme.current().px(640))
        self.setAccessibleName(told.sentence)
        self.setAccessibleDescription(told.action)

    def show_and_wait(self, app: QApplication) -> int:
        """Show it until it is closed; returns the exit code 2."""
        self.show()
        app.exec()
        return 2
