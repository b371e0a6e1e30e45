"""Staff number and password, and beside each field what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from clerk_app import failures
from clerk_app.ui.announce import announce
from clerk_app.ui.pieces import column, label, mark
from clerk_app.ui.words import language, tr

WRONG = frozenset({"SIGN-IN-WRONG", "OFFICE-SIGN-IN"})
"""Failures told beside the password: the others stand where there is room for them."""


class Credentials(QWidget):
    """Asks who somebody is; without `staff` for the password alone.

    Signals: given(staff number, password).
    """

    given = Signal(str, str)

    def __init__(self, *, staff: bool = True) -> None:
        super().__init__()
        self._asks_staff = staff
        self._wrong = ""
        self._missing = ""
        self._staff_label, self._password_label = label(role="label"), label(role="label")
        self._staff, self._password = QLineEdit(), QLineEdit()
        self._password.setEchoMode(QLineEdit.EchoMode.Password)
        self._staff_note = label(role="problem", wrap=True)
        self._password_note = label(role="problem", wrap=True)
        body = column(self, gap=6)
        for part in (self._staff_label, self._staff, self._staff_note):
            body.addWidget(part)
        self._between = body.count()
        for part in (self._password_label, self._password, self._password_note):
            body.addWidget(part)
        self._staff.returnPressed.connect(self._next)
        self._password.returnPressed.connect(self.give)

    def ask(self, *, staff: bool) -> None:
        """Ask for a staff number too, or for the password alone; what was typed is forgotten."""
        self._asks_staff = staff
        self._staff.clear()
        self.forget()

    def focus_first(self) -> None:
        (self._staff if self._asks_staff and not self._staff.text() else self._password).setFocus()

    def forget(self) -> None:
        """Empty the password."""
        self._password.clear()
        self.withdraw()

    def withdraw(self) -> None:
        """Nothing is wrong any more."""
        self._wrong = self._missing = ""
        self.retranslate()

    def tell_wrong(self, code: str) -> None:
        """The password did not fit: it is selected, to be typed over."""
        self._wrong, self._missing = code, ""
        self._password.selectAll()
        self._password.setFocus()
        announce(self, failures.text(code, language()).sentence, urgent=True)
        self.retranslate()

    def _next(self) -> None:
        if self._staff.text().strip():
            self._password.setFocus()

    def give(self) -> None:
        """Give what was typed, or say what is missing."""
        staff, password = self._staff.text().strip(), self._password.text()
        self._wrong, self._missing = "", ""
        if self._asks_staff and not staff:
            self._missing = "signin.no_staff"
            self._staff.setFocus()
        elif not password:
            self._missing = "signin.no_password"
            self._password.setFocus()
        self.retranslate()
        if not self._missing:
            self.given.emit(staff, password)

    def retranslate(self) -> None:
        self._staff_label.setText(tr("signin.staff"))
        self._staff.setAccessibleName(tr("signin.staff"))
        self._password_label.setText(tr("signin.password"))
        self._password.setAccessibleName(tr("signin.password"))
        for part in (self._staff_label, self._staff):
            part.setVisible(self._asks_staff)
        self._staff_note.setText(tr("signin.no_staff"))
        self._staff_note.setVisible(self._missing == "signin.no_staff")
        if self._wrong:
            text = failures.text(self._wrong, language())
            self._password_note.setText(f"{text.sentence}\n{text.action}")
        else:
            self._password_note.setText(tr("signin.no_password"))
        self._password_note.setVisible(bool(self._wrong) or self._missing == "signin.no_password")
        mark(self._password, problem="true" if self._wrong else "false")
