"""The doctor at the window: a sheet over whatever is on screen, from the sign-in page to the counter."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from clerk_app.desk.ports import Doctor
from clerk_app.ui import reading_order
from clerk_app.ui.doctor_page import DoctorPage
from clerk_app.ui.side_sheet import SideSheet


class DoctorSheet(SideSheet):
    def __init__(self, over: QWidget, doctor: Doctor) -> None:
        super().__init__(over, "doctor.title", 620)
        self._doctor = doctor
        self._before: QWidget | None = None
        self.page = DoctorPage()
        self.body.addWidget(self.page, 1)
        self.closed.connect(self._give_back)

    def open(self) -> None:
        """Show the sheet and begin a round at once."""
        if self.isHidden():
            self._before = QApplication.focusWidget()
        self.show_up()
        self.page.again.setFocus()
        self.page.examine(self._doctor)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab stays inside while the sheet is open."""
        return reading_order.step(self, QApplication.focusWidget(), forward=forward)

    def retranslate(self) -> None:
        super().retranslate()
        self.page.retranslate()

    def _give_back(self) -> None:
        before, self._before = self._before, None
        if before is not None and before.isVisible():
            before.setFocus()
