"""The password in place: after an offline sign-in the office does not know the clerk yet, and asks once."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from clerk_app.ui.announce import announce
from clerk_app.ui.pieces import KeyButton, column, label, on_click
from clerk_app.ui.words import tr


class SessionEntry(QWidget):
    """Hidden until asked for. Signals: given(password), closed."""

    given = Signal(str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._why = label(wrap=True)
        self._entry = QLineEdit()
        self._entry.setEchoMode(QLineEdit.EchoMode.Password)
        self._go_on = KeyButton("primary", wide=True)
        body = column(self)
        for part in (self._why, self._entry, self._go_on):
            body.addWidget(part)
        self._entry.returnPressed.connect(self._give)
        on_click(self._go_on, self._give)
        self.hide()

    def ask(self) -> None:
        """Ask for the password, with the focus in the field."""
        self.retranslate()
        self.show()
        self._entry.clear()
        self._entry.setFocus()
        announce(self, tr("session.why"), urgent=True)

    def put_away(self) -> bool:
        """Close the entry and forget what was typed; whether it was open."""
        was_open = not self.isHidden()
        self._entry.clear()
        self.hide()
        if was_open:
            self.closed.emit()
        return was_open

    def _give(self) -> None:
        if password := self._entry.text():
            self._entry.selectAll()
            self.given.emit(password)

    def retranslate(self) -> None:
        self._why.setText(tr("session.why"))
        self._entry.setPlaceholderText(tr("signin.password"))
        self._entry.setAccessibleName(tr("signin.password"))
        self._go_on.tell(tr("session.go_on"), "Enter")
