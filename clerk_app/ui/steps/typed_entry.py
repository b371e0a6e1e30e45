"""Entries for what no card says: a person typed with a reason, an organisation by its credit code."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QWidget

from clerk_app.ui.pieces import ChoiceBox, KeyButton, column, label, on_click, row
from clerk_app.ui.words import tr

_REASONS = ("damaged", "lost", "reader", "no_chip", "other")


class _Entry(QFrame):
    """Labelled lines, a button that gives them, one that closes. Enter goes to the next empty line."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("piece", "row")
        self._lines: list[tuple[QWidget, str]] = []
        self._body = column(self, margin=12, gap=8)
        self._grid = QGridLayout()
        self._grid.setSpacing(8)
        self._problem = label(role="problem", wrap=True)
        self._give, self._close = KeyButton("primary"), KeyButton()
        self._body.addLayout(self._grid)
        self._body.addWidget(self._problem)
        foot = row()
        foot.addStretch()
        foot.addWidget(self._close)
        foot.addWidget(self._give)
        self._body.addLayout(foot)
        on_click(self._give, self.give)
        on_click(self._close, self.closed.emit)

    def add_line(self, words: str, editor: QWidget) -> None:
        place = len(self._lines)
        self._grid.addWidget(label(role="label"), 0, place)
        self._grid.addWidget(editor, 1, place)
        self._grid.setColumnStretch(place, 1)
        self._lines.append((editor, words))
        if isinstance(editor, QLineEdit):
            editor.returnPressed.connect(self.give)

    def begin(self) -> None:
        """Start anew with the focus in the first line."""
        self._problem.hide()
        self._lines[0][0].setFocus()

    def values(self) -> list[str]:
        return [
            editor.currentText().strip() if isinstance(editor, ChoiceBox) else editor.text().strip()
            for editor, _ in self._lines
            if isinstance(editor, ChoiceBox | QLineEdit)
        ]

    def give(self) -> None:
        """Hand the values on when none is missing; else go to the first empty line and say so."""
        values = self.values()
        for (editor, words), value in zip(self._lines, values, strict=True):
            if not value:
                self._problem.setText(tr("entry.missing", what=tr(words)))
                self._problem.show()
                editor.setFocus()
                return
        self._problem.hide()
        self.hand_on(values)

    def hand_on(self, values: list[str]) -> None:
        raise NotImplementedError

    def retranslate(self) -> None:
        for place, (editor, words) in enumerate(self._lines):
            item = self._grid.itemAtPosition(0, place)
            if item is not None and (title := item.widget()) is not None:
                title.setText(tr(words))  # type: ignore[attr-defined]
            editor.setAccessibleName(tr(words))
            if isinstance(editor, ChoiceBox) and (line := editor.lineEdit()) is not None:
                line.setAccessibleName(tr(words))
        self._give.tell(tr("entry.give"), "Enter")
        self._close.tell(tr("entry.close"), "Esc")


class TypedEntry(_Entry):
    """Signals: given(name, number, reason)."""

    given = Signal(str, str, str)

    def __init__(self) -> None:
        super().__init__()
        self._name, self._number, self._reason = QLineEdit(), QLineEdit(), ChoiceBox()
        self._number.setMaxLength(18)
        self._reason.setEditable(True)
        self._reason.shrink()
        self.add_line("entry.name", self._name)
        self.add_line("entry.number", self._number)
        self.add_line("entry.reason", self._reason)

    def begin(self) -> None:
        self._name.clear()
        self._number.clear()
        super().begin()

    def hand_on(self, values: list[str]) -> None:
        name, number, reason = values
        self.given.emit(name, number.upper(), reason)

    def retranslate(self) -> None:
        super().retranslate()
        place = max(self._reason.currentIndex(), 0)
        self._reason.clear()
        self._reason.addItems([tr(f"entry.because_{reason}") for reason in _REASONS])
        self._reason.setCurrentIndex(place)
        if (line := self._reason.lineEdit()) is not None:
            line.setCursorPosition(0)  # the beginning of a long reason, not its end


class OrganisationEntry(_Entry):
    """Signals: given(name, uscc)."""

    given = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._name, self._uscc = QLineEdit(), QLineEdit()
        self._uscc.setMaxLength(18)
        self.add_line("entry.organisation", self._name)
        self.add_line("entry.uscc", self._uscc)

    def hand_on(self, values: list[str]) -> None:
        name, uscc = values
        self.given.emit(name, uscc.upper())
