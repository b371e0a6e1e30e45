"""One field of the form: its label, its editor, and beside it what is wrong or where the value came from.

What is typed is handed on a quarter of a second after the last key, when the focus leaves, and before
anything is filed: a kill loses at most the field in hand.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from clerk_app.desk.views import FieldView
from clerk_app.domain.catalogue import FieldKind
from clerk_app.ui import theme
from clerk_app.ui.pieces import ChoiceBox, column, label, mark
from clerk_app.ui.words import either, tr

SAVE_AFTER_MS = 250


class FieldEditor(QWidget):
    """Signals: edited(key, value), done(key): Enter in a line, a choice taken."""

    edited = Signal(str, str)
    done = Signal(str)

    def __init__(self, field: FieldView) -> None:
        super().__init__()
        self._field = field
        self._given = field.value
        self._visited = bool(field.value)
        self._label = label(role="label")
        self._note = label(role="hint", wrap=True)
        self._save = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._save.timeout.connect(self.flush)
        self._editor = self._made(field)
        self._editor.installEventFilter(self)
        body = column(self, gap=4)
        body.addWidget(self._label)
        body.addWidget(self._editor)
        body.addWidget(self._note)
        body.addStretch()
        self.show_field(field)

    @property
    def key(self) -> str:
        return self._field.key

    @property
    def field(self) -> FieldView:
        return self._field

    @property
    def wide(self) -> bool:
        """Whether the field takes the whole width of the form."""
        return self._field.kind is FieldKind.LONG_TEXT

    def _made(self, field: FieldView) -> QLineEdit | QPlainTextEdit | ChoiceBox:
        if field.kind is FieldKind.CHOICE:
            box = ChoiceBox()
            box.addItem("")
            box.addItems(field.choices)
            box.currentTextChanged.connect(self._touched)
            box.activated.connect(lambda _place: self._finish())
            return box
        if field.kind is FieldKind.LONG_TEXT:
            text = QPlainTextEdit()
            text.setTabChangesFocus(True)
            text.setFixedHeight(theme.current().px(76))
            text.textChanged.connect(self._touched)
            return text
        line = QLineEdit()
        line.textChanged.connect(self._touched)
        line.returnPressed.connect(self._finish)
        return line

    def value(self) -> str:
        editor = self._editor
        if isinstance(editor, QLineEdit):
            return editor.text().strip()
        if isinstance(editor, QPlainTextEdit):
            return editor.toPlainText().strip()
        return editor.currentText()

    def show_field(self, field: FieldView) -> None:
        """Show what the store holds, unless the clerk is typing here right now."""
        self._field = field
        if not self._save.isActive() and field.value != self.value() and not self._in_hand(field):
            self._put(field.value)
        self._given = field.value if not self._save.isActive() else self._given
        self.retranslate()

    def _in_hand(self, field: FieldView) -> bool:
        """The focus is here and the store only echoes an older state of what is being typed."""
        return self._editor.hasFocus() and field.value == self._given

    def _put(self, value: str) -> None:
        editor = self._editor
        editor.blockSignals(True)
        if isinstance(editor, QLineEdit):
            editor.setText(value)
            editor.setCursorPosition(0)
            editor.setToolTip(value)
        elif isinstance(editor, QPlainTextEdit):
            editor.setPlainText(value)
        else:
            editor.setCurrentText(value)
        editor.blockSignals(False)

    def _touched(self) -> None:
        self._save.start()

    def _finish(self) -> None:
        self.flush()
        self.done.emit(self.key)

    def flush(self) -> None:
        """Hand on what was typed and not yet given."""
        self._save.stop()
        if self.value() != self._given:
            self._given = self.value()
            self.edited.emit(self.key, self._given)

    def focus(self) -> None:
        self._editor.setFocus()
        if isinstance(self._editor, QLineEdit):
            self._editor.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QFocusEvent) and event.type() == QEvent.Type.FocusOut:
            self._visited = True
            self.flush()
            self.retranslate()
        return super().eventFilter(watched, event)

    def show_problem(self) -> None:
        """Say what is wrong even if the clerk has not been here yet."""
        self._visited = True
        self.retranslate()

    def retranslate(self) -> None:
        field = self._field
        name = either(field.label, field.label_en)
        self._label.setText(f"{name} *" if field.required else name)
        self._label.setToolTip(tr("form.required") if field.required else "")
        mark(
            self._editor,
            problem="true" if field.problem and self._visited else "false",
            filled="true" if field.filled and not field.problem else "false",
        )
        note, role = self._said()
        self._note.setText(note)
        self._note.setVisible(bool(note))
        mark(self._note, role=role)
        self._editor.setAccessibleName(name)
        self._editor.setAccessibleDescription(note)
        if isinstance(self._editor, QLineEdit):
            # A masked number is shown, never edited: typing into its stars would store the stars.
            self._editor.setReadOnly(field.filled and "*" in field.value)
            kinds = {FieldKind.DATE: "form.date", FieldKind.PHONE: "form.phone"}
            self._editor.setPlaceholderText(tr(kinds[field.kind]) if field.kind in kinds else "")

    def _said(self) -> tuple[str, str]:
        field = self._field
        if field.problem and self._visited:
            return tr(field.problem), "problem"
        if field.filled:
            return tr("form.from_card"), "hint"
        return field.hint, "hint"
