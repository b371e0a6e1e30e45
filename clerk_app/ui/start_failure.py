"""The screen of a start that failed: code, what happened, the one thing to do, details for IT."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from clerk_app import failures
from clerk_app.failures import Failure
from clerk_app.ui import icons, theme, words
from clerk_app.ui.pieces import Card, IconLabel, column, label, row
from clerk_app.ui.services import Look
from clerk_app.ui.words import tr

if TYPE_CHECKING:
    from clerk_app.desk.ports import Doctor
    from clerk_app.ui.doctor_page import DoctorPage


class StartFailure(QWidget):
    """One failure, told in full: nothing else can be done on this workstation before it is mended.

    With a `doctor` the rest of the workstation can be looked at from here.
    """

    def __init__(self, failure: Failure, look: Look, doctor: Callable[[], Doctor] | None = None) -> None:
        super().__init__()
        self._look = look
        self._doctor = doctor
        self._page: DoctorPage | None = None
        words.speak(look.language)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, look.theme, look.scale)
        told = failures.text(failure.code, look.language)
        self.setWindowTitle(tr("start_failure.title"))
        outside = self._outside = column(self, margin=24, gap=16)
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
        if doctor is not None:
            examine = QPushButton(tr("doctor.open"))
            examine.setIcon(icons.icon("doctor"))
            examine.clicked.connect(self._examine)
            foot.addWidget(examine)
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

    def _examine(self) -> None:
        """Look at the rest; the page of the doctor opens below, once."""
        assert self._doctor is not None, "the button is there with a doctor only"
        if self._page is None:
            from clerk_app.ui.doctor_page import DoctorPage

            self._page = DoctorPage()
            self._outside.addWidget(self._page, 1)
            room = self.screen().availableGeometry().height() - theme.current().px(48)
            self.resize(self.width(), min(theme.current().px(720), room))
        self._page.examine(self._doctor())

    def show_and_wait(self, app: QApplication) -> int:
        """Show it until it is closed; returns the exit code 2."""
        self.show()
        app.exec()
        return 2
