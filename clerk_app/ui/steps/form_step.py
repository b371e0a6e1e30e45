"""Step 4: the form. What the card says is there already; up to sixty fields, the next empty one by Enter."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from clerk_app.desk.views import FieldView
from clerk_app.ui import theme
from clerk_app.ui.pieces import label
from clerk_app.ui.steps.field_editor import FieldEditor
from clerk_app.ui.steps.step_card import StepCard
from clerk_app.ui.words import tr

_COLUMN = 180
"""The least width of a field at 100 %; the form has as many columns as fit, three at most."""


class _Grid(QWidget):
    """Fields in columns, row by row in reading order."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        self._editors: list[FieldEditor] = []
        self._columns = 0

    def set_editors(self, editors: list[FieldEditor]) -> None:
        for old in self._editors:
            old.hide()
            old.deleteLater()
        self._editors = editors
        self._columns = 0
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = max(1, min(3, self.width() // theme.current().px(_COLUMN)))
        if columns == self._columns:
            return
        self._columns = columns
        while self._grid.takeAt(0) is not None:
            pass
        line = place = 0
        for editor in self._editors:
            span = columns if editor.wide else 1
            if place + span > columns:
                line, place = line + 1, 0
            self._grid.addWidget(editor, line, place, 1, span)
            place += span
        for column in range(3):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


class FormStep(StepCard):
    """Signals: filled(field, value), finished (Enter in the last field)."""

    filled = Signal(str, str)
    finished = Signal()

    def __init__(self) -> None:
        super().__init__(4, "step.form")
        self._has_item = False
        self._editors: dict[str, FieldEditor] = {}
        self._empty = label(role="muted", wrap=True)
        self._grid = _Grid()
        self.body.addWidget(self._empty)
        self.body.addWidget(self._grid)

    def show_fields(self, fields: tuple[FieldView, ...], *, has_item: bool) -> None:
        """Show the form. The same fields keep their editors, their focus and their scroll."""
        self._has_item = has_item
        if [_shape(f) for f in fields] == [_shape(e.field) for e in self._editors.values()]:
            for field in fields:
                self._editors[field.key].show_field(field)
        else:
            self._editors = {field.key: FieldEditor(field) for field in fields}
            for editor in self._editors.values():
                editor.edited.connect(self.filled)
                editor.done.connect(self._go_on)
            self._grid.set_editors(list(self._editors.values()))
        self._tell_empty()
        self.tell_head()

    def flush(self) -> None:
        """Hand on whatever is typed and not yet given."""
        for editor in self._editors.values():
            editor.flush()

    def focus_first(self) -> None:
        """The first field that is empty or wrong; the first of all when none is."""
        editors = list(self._editors.values())
        target = next(
            (e for e in editors if e.field.problem or not e.value()), editors[0] if editors else None
        )
        if target is None:
            super().focus_first()
        else:
            self._focus(target)

    def focus_problem(self) -> None:
        """The first field that is wrong, and say at every field what is."""
        for editor in self._editors.values():
            editor.show_problem()
        wrong = next((e for e in self._editors.values() if e.field.problem), None)
        if wrong is None:
            self.focus_first()
        else:
            self._focus(wrong)

    def _go_on(self, key: str) -> None:
        """From the field just finished to the next empty one behind it, else the step is finished."""
        keys = list(self._editors)
        behind = keys[keys.index(key) + 1 :]
        for name in behind:
            if not self._editors[name].value():
                self._focus(self._editors[name])
                return
        self.finished.emit()

    def _focus(self, editor: FieldEditor) -> None:
        editor.focus()
        self._show_whole(editor)

    def _show_whole(self, editor: FieldEditor) -> None:
        room = self._room
        if hasattr(room, "ensureWidgetVisible"):
            room.ensureWidgetVisible(editor, 0, 12)

    def retranslate(self) -> None:
        for editor in self._editors.values():
            editor.retranslate()
        self._tell_empty()
        super().retranslate()

    def _tell_empty(self) -> None:
        self._empty.setVisible(not self._editors)
        self._empty.setText(tr("form.none" if self._has_item else "step.after_item"))
        self._grid.setVisible(bool(self._editors))

    def summary(self) -> str:
        if not self._has_item:
            return tr("step.after_item")
        if not self._editors:
            return tr("form.none")
        fields = [editor.field for editor in self._editors.values()]
        return tr(
            "form.summary",
            filled=sum(f.filled for f in fields),
            written=sum(bool(f.value) for f in fields),
            count=len(fields),
        )


def _shape(field: FieldView) -> tuple[object, ...]:
    return field.key, field.kind, field.choices, field.required
